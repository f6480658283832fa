//! A Lambda with a CloudWatch Logs, which behaves as AWS documents: an environment takes one call at a time, writes to a
//! log stream of its own, and its events can be read a little later, in pages.

use super::super::{Scratch, answers::configuration, run};
use crate::scripted::{Call, Reply, Scripted, is_for_events, request_id};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How long a call takes.
const CALL: Duration = Duration::from_millis(80);

/// The most environments that a function has here.
const ENVIRONMENTS: usize = 16;

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// `Text` or `JSON`.
    pub format: &'static str,
    /// The least level of Lambda's own lines.
    pub level: &'static str,
    /// The log group of both functions; each has its own if there is none.
    pub shared_group: Option<&'static str>,
    /// How many events a page has.
    pub page: usize,
    /// How late every third request's events can be read.
    pub late: Duration,
    /// How many requests for events are throttled first.
    pub throttled: usize,
    /// Whether every call has a log stream of its own.
    pub is_stream_per_call: bool,
    /// Whether the log has other ids of requests than the answers.
    pub has_other_ids: bool,
    /// Whether Lambda sends the end of the log with an answer.
    pub has_tail: bool,
    /// The request whose events are lost.
    pub lost: Option<usize>,
    /// A handler in Python, whose answers are given.
    pub python: Option<&'static str>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            format: "Text",
            level: "INFO",
            shared_group: None,
            page: 10_000,
            late: Duration::ZERO,
            throttled: 0,
            is_stream_per_call: false,
            has_other_ids: false,
            has_tail: true,
            lost: None,
            python: None,
        }
    }
}

/// An event of a log.
struct Event {
    /// The region and the group.
    log: (String, String),
    readable: Instant,
    unix_ms: u64,
    stream: String,
    message: String,
}

/// An execution environment.
struct Environment {
    stream: String,
    busy_until: Instant,
    /// What runs in it: the process, and its answers.
    handler: Option<Handler>,
}

/// A handler in Python, as Lambda's runtime calls it.
struct Handler {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Handler {
    fn start(code: &str) -> Self {
        const RUNTIME: &str = "import json, sys
for line in sys.stdin: print(json.dumps(handler(json.loads(line), None)), flush=True)";
        let mut command = Command::new("python3");
        command.args(["-c", &format!("{code}\n{RUNTIME}")]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("python3");
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    fn answer(&mut self, event: &str) -> String {
        writeln!(self.process.stdin.as_mut().unwrap(), "{event}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // Without input it ends.
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

impl Environment {
    fn new(function: &str, number: usize, handler: Option<Handler>) -> Self {
        let stream = format!("2026/11/26/{function}[$LATEST]{number:032x}");
        Self { stream, busy_until: Instant::now(), handler }
    }

    /// The answer to a call: the handler's, or one that names the environment.
    fn answer(&mut self, event: &str) -> String {
        match &mut self.handler {
            Some(handler) => handler.answer(event),
            None => json!({ "id": self.stream }).to_string(),
        }
    }
}

#[derive(Default)]
struct State {
    environments: BTreeMap<String, Vec<Environment>>,
    /// Handlers for new environments, so that none waits for a process.
    handlers: Vec<Handler>,
    events: Vec<Event>,
    /// The environment of each request, as it was.
    truth: BTreeMap<String, String>,
}

/// The service, and what a test may look at and change.
pub struct Logged {
    pub aws: Scripted,
    state: Arc<Mutex<State>>,
    pub may_read: Arc<AtomicBool>,
    pub ignores_time: Arc<AtomicBool>,
}

impl Logged {
    pub fn start(manner: Manner) -> Self {
        let handlers = manner.python.iter().flat_map(|code| (0..2 * ENVIRONMENTS).map(|_| Handler::start(code)));
        let state = Arc::new(Mutex::new(State { handlers: handlers.collect(), ..State::default() }));
        let (may_read, ignores_time) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let throttled = AtomicUsize::new(manner.throttled);
        let kept = (Arc::clone(&state), Arc::clone(&may_read), Arc::clone(&ignores_time));
        let aws = Scripted::aws_with_logs(move |call, number| {
            let (state, may_read, ignores_time) = &kept;
            let mut state = state.lock().unwrap();
            let region = region(call);
            if is_for_events(call) {
                return match throttled.load(Ordering::SeqCst) {
                    _ if !may_read.load(Ordering::SeqCst) => Reply::denied("logs:FilterLogEvents"),
                    0 => page(&state, &region, call, manner.page, ignores_time.load(Ordering::SeqCst)),
                    left => {
                        throttled.store(left - 1, Ordering::SeqCst);
                        let body = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
                        logs(400, &body)
                    }
                };
            }
            let is_candidate = call.line.contains("/functions/a/") || call.line.contains("function%3Aa/");
            let function = if is_candidate { "a" } else { "x" };
            if call.line.starts_with("GET ") {
                return Reply::ok(configured(function, &region, manner).to_string())
                    .header("content-type", "application/json");
            }
            invoked(&mut state, (function, &region), call, number, manner)
        });
        Self { aws, state, may_read, ignores_time }
    }

    /// A campaign on both functions, with a seed, so that all have the same schedule.
    pub fn run(&self, scratch: &Scratch, arguments: &[&str]) -> Output {
        let (payload, out) = (scratch.file("payload.json", r#"{"items": [1, 2, 3]}"#), scratch.path("run"));
        let targets = ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out, "--seed", "7"];
        let limits = ["--environments", "8", "--invocations", "112"];
        run(&self.aws.url, &[targets.as_slice(), &limits, arguments].concat())
    }

    /// The environment of each request, as it was.
    pub fn truth(&self) -> BTreeMap<String, String> {
        self.state.lock().unwrap().truth.clone()
    }

    /// The bodies of requests for events, each with its region.
    pub fn queries(&self) -> Vec<(String, Value)> {
        let calls = self.aws.calls().into_iter().filter(is_for_events);
        calls.map(|call| (region(&call), serde_json::from_str(&call.body).unwrap())).collect()
    }
}

/// The region that a request is signed for.
fn region(call: &Call) -> String {
    call.headers["authorization"].to_str().unwrap().split('/').nth(2).unwrap().to_owned()
}

fn configured(function: &str, region: &str, manner: Manner) -> Value {
    let mut configuration = configuration(function == "a");
    configuration["FunctionArn"] = json!(format!("arn:aws:lambda:{region}:123456789012:function:{function}"));
    configuration["LoggingConfig"] = json!({ "LogFormat": manner.format, "LogGroup": group(function, manner) });
    if manner.format == "JSON" {
        configuration["LoggingConfig"]["SystemLogLevel"] = json!(manner.level);
    }
    configuration
}

fn group(function: &str, manner: Manner) -> String {
    manner.shared_group.map_or_else(|| format!("/aws/lambda/{function}"), str::to_owned)
}

fn invoked(state: &mut State, (function, region): (&str, &str), call: &Call, number: usize, manner: Manner) -> Reply {
    let (id, now) = (request_id(number), Instant::now());
    if !manner.has_tail && call.headers.contains_key("x-amz-log-type") {
        return Reply::lambda_error("AccessDeniedException", "Cross-account log access is not allowed.");
    }
    let State { environments, handlers, events, truth } = state;
    let environments = environments.entry(function.to_owned()).or_default();
    let free = environments.iter().position(|environment| environment.busy_until <= now);
    let place = free.unwrap_or_else(|| {
        environments.push(Environment::new(function, environments.len(), handlers.pop()));
        environments.len() - 1
    });
    let environment = &mut environments[place];
    environment.busy_until = now + CALL;
    let answer = environment.answer(&call.body);
    let of_call = manner.is_stream_per_call.then(|| format!("2026/11/26/[$LATEST]{number:032x}"));
    let stream = of_call.unwrap_or_else(|| environment.stream.clone());
    truth.insert(id.clone(), stream.clone());
    let init = free.is_none().then_some(0.5);
    let lines = lines(&if manner.has_other_ids { id.replacen('0', "f", 1) } else { id.clone() }, init, manner);
    let is_late = number.is_multiple_of(3);
    let unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    if manner.lost != Some(number) {
        events.extend(lines.iter().map(|message| Event {
            log: (region.to_owned(), group(function, manner)),
            readable: now + if is_late { manner.late } else { Duration::ZERO },
            unix_ms,
            stream: stream.clone(),
            message: message.clone(),
        }));
    }
    let reply = Reply::ok(answer).header("x-amz-executed-version", "$LATEST").after(CALL);
    let tail = lines.join("");
    if manner.has_tail { reply.header("x-amz-log-result", BASE64_STANDARD.encode(tail)) } else { reply }
}

/// What a call of Python's managed runtime leaves in the log.
fn lines(id: &str, init: Option<f64>, manner: Manner) -> Vec<String> {
    let json =
        |kind: &str, record: Value| json!({ "time": "2026-11-26T10:00:00.117Z", "type": kind, "record": record });
    if manner.format == "Text" {
        let init = init.map_or(String::new(), |ms| format!("Init Duration: {ms:.2} ms\t"));
        return vec![
            format!("START RequestId: {id} Version: $LATEST\n"),
            format!("[INFO]\t2026-11-26T10:00:00.100Z\t{id}\thello\n"),
            format!("END RequestId: {id}\n"),
            format!(
                "REPORT RequestId: {id}\tDuration: 19.00 ms\tBilled Duration: 20 ms\tMemory Size: 1769 MB\t\
                 Max Memory Used: 30 MB\t{init}\n"
            ),
        ];
    }
    let mut metrics =
        json!({ "durationMs": 19.0, "billedDurationMs": 20, "memorySizeMB": 1769, "maxMemoryUsedMB": 30 });
    if let Some(init) = init {
        metrics["initDurationMs"] = json!(init);
    }
    let own = json!({ "timestamp": "2026-11-26T10:00:00Z", "level": "WARN", "message": "hello", "requestId": id });
    let report = json("platform.report", json!({ "requestId": id, "metrics": metrics, "status": "success" }));
    let start = json("platform.start", json!({ "requestId": id, "version": "$LATEST" }));
    let all = if manner.level == "WARN" { vec![own] } else { vec![start, own, report] };
    all.into_iter().map(|line| format!("{line}\n")).collect()
}

fn logs(status: u16, body: &Value) -> Reply {
    Reply::status(status, body.to_string()).header("content-type", "application/x-amz-json-1.1")
}

/// A page of events.
fn page(state: &State, region: &str, call: &Call, size: usize, ignores_time: bool) -> Reply {
    let query: Value = serde_json::from_str(&call.body).unwrap();
    let log = (region.to_owned(), query["logGroupName"].as_str().unwrap().to_owned());
    if state.events.iter().all(|event| event.log != log) {
        let message = "The specified log group does not exist.";
        return logs(400, &json!({ "__type": "ResourceNotFoundException", "message": message }));
    }
    let time = query["startTime"].as_u64().unwrap()..=query["endTime"].as_u64().unwrap();
    let matches = |message: &str| match query["filterPattern"].as_str() {
        None => true,
        Some(r#""REPORT RequestId""#) => message.contains("REPORT RequestId"),
        Some(r#"{ $.type = "platform.report" }"#) => message.contains(r#""type":"platform.report""#),
        Some(other) => panic!("unknown filter {other}"),
    };
    let is_there = |event: &&Event| {
        event.log == log
            && event.readable <= Instant::now()
            && (ignores_time || time.contains(&event.unix_ms))
            && matches(&event.message)
    };
    let all: Vec<&Event> = state.events.iter().filter(is_there).collect();
    let first: usize = query["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let end = all.len().min(first + size.min(query["limit"].as_u64().unwrap() as usize));
    let events: Vec<Value> = all[first..end]
        .iter()
        .map(|event| {
            json!({
                "logStreamName": event.stream, "timestamp": event.unix_ms, "message": event.message,
                "ingestionTime": event.unix_ms, "eventId": "37000000000000000000000000000000000000000000000000000001",
            })
        })
        .collect();
    let mut body = json!({ "events": events, "searchedLogStreams": [] });
    if end < all.len() {
        body["nextToken"] = json!(end.to_string());
    }
    logs(200, &body)
}
