//! The search in a log, against one that is scripted, in virtual time.

use super::{super::wanted::Request, *};
use crate::campaign::{
    log_streams::file::{self, tests::Directory},
    manifest::Manifest,
    row::Failure,
};
use serde_json::json;
use std::{collections::VecDeque, fs};

const SENT: u64 = 1_790_000_000_000;
const MINUTE: Duration = Duration::from_secs(60);

fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// An event, and how long after the end of the campaign it can be read.
struct Logged {
    late: Duration,
    time: u64,
    stream: String,
    message: String,
}

/// A log.
struct Log {
    events: Vec<Logged>,
    /// How many events a page has, and how long it takes.
    page: usize,
    delay: Duration,
    /// What is answered before anything else.
    refusals: RefCell<VecDeque<Refusal>>,
    queries: RefCell<Vec<Query>>,
    begin: Instant,
}

impl Log {
    fn new(events: Vec<Logged>) -> Self {
        Self {
            events,
            page: 10_000,
            delay: Duration::ZERO,
            refusals: RefCell::default(),
            queries: RefCell::default(),
            begin: Instant::now(),
        }
    }

    async fn ask(&self, query: &Query) -> Result<Bytes, Refusal> {
        sleep(self.delay).await;
        self.queries.borrow_mut().push(query.clone());
        if let Some(refusal) = self.refusals.borrow_mut().pop_front() {
            return Err(refusal);
        }
        let is_there = |event: &&Logged| {
            event.late <= self.begin.elapsed()
                && (query.start_time..=query.end_time).contains(&event.time)
                && passes(query.filter_pattern, &event.message)
        };
        let first = query.next_token.as_ref().map_or(0, |token| token.parse().unwrap());
        let page = self.events.iter().filter(is_there).skip(first).take(self.page).map(|event| {
            json!({
                "logStreamName": event.stream, "timestamp": event.time, "message": event.message,
                "ingestionTime": event.time, "eventId": "1",
            })
        });
        let page: Vec<_> = page.collect();
        let is_last = self.events.iter().filter(is_there).count() <= first + page.len();
        let next_token = (!is_last).then(|| (first + page.len()).to_string());
        Ok(json!({ "events": page, "nextToken": next_token, "searchedLogStreams": [] }).to_string().into())
    }
}

/// Whether CloudWatch lets an event through.
fn passes(filter: Option<&str>, message: &str) -> bool {
    let (text, json) = (message.contains("REPORT RequestId"), message.contains("platform.report"));
    match filter {
        None => true,
        Some(r#""REPORT RequestId""#) => text,
        Some(r#"{ $.type = "platform.report" }"#) => json,
        Some(r#"?"REPORT RequestId" ?"platform.report""#) => text || json,
        Some(other) => panic!("unknown filter {other}"),
    }
}

/// An event of the request with this number.
fn event(number: u64, message: impl Into<String>) -> Logged {
    let stream = format!("2026/09/21/[$LATEST]{}", number % 4);
    Logged { late: Duration::ZERO, time: SENT + number + 20, stream, message: message.into() }
}

fn report(number: u64) -> Logged {
    let init = if number < 4 { "Init Duration: 100.00 ms\t" } else { "" };
    let text =
        format!("Duration: 19.50 ms\tBilled Duration: 20 ms\tMemory Size: 1769 MB\tMax Memory Used: 30 MB\t{init}");
    event(number, format!("REPORT RequestId: {}\t{text}\n", id(number)))
}

fn json_report(number: u64) -> Logged {
    let record = json!({ "requestId": id(number), "metrics": { "durationMs": 19.5 }, "status": "success" });
    event(number, json!({ "time": "", "type": "platform.report", "record": record }).to_string())
}

fn text_log() -> FunctionLog {
    FunctionLog {
        group: "/aws/lambda/f".to_owned(),
        region: "us-east-1".to_owned(),
        account: None,
        format: Some(LogFormat::Text),
        has_reports: true,
    }
}

fn wanted(count: u64) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.open_at_once = 4;
    for number in 0..count {
        wanted.add(&id(number), Request { start_unix_ms: SENT + number, lacks_report: true }, 20);
    }
    wanted
}

/// The outcome of a search for so many requests: what stopped it, each request with its stream as in the file, how many
/// are missing, and how long it took.
struct Outcome {
    stopped: Result<(), Stopped>,
    found: Vec<(String, String)>,
    missing: usize,
    took: Duration,
    has_group: bool,
    text: String,
}

async fn search(name: &str, script: &Log, log: &FunctionLog, count: u64) -> Outcome {
    let directory = Directory::new(name, &Manifest::example());
    let (mut file, _) = EnvironmentsFile::open(&directory.0).unwrap();
    let mut wanted = wanted(count);
    let begin = Instant::now();
    let collector = Collector::new(async |query: &Query| script.ask(query).await, log, &mut wanted, &mut file);
    let stopped = collector.run(MINUTE).await;
    let has_group = collector.has_group();
    let mut found = Vec::new();
    file::read(&directory.0, |line| found.push((line.request_id.into_owned(), line.log_stream.into_owned()))).unwrap();
    found.sort_unstable();
    let text = fs::read_to_string(directory.file()).unwrap_or_default();
    Outcome { stopped, found, missing: wanted.missing.len(), took: begin.elapsed(), has_group, text }
}

fn expected(numbers: impl IntoIterator<Item = u64>) -> Vec<(String, String)> {
    numbers.into_iter().map(|number| (id(number), event(number, "").stream)).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_are_found_page_by_page_with_their_streams_and_reports() {
    let script = Log { page: 3, ..Log::new((0..20).map(report).collect()) };
    let outcome = search("pages", &script, &text_log(), 20).await;
    assert_eq!(outcome.found, expected(0..20));
    assert_eq!((outcome.missing, outcome.took, script.queries.borrow().len()), (0, Duration::ZERO, 7));
    let first: serde_json::Value = serde_json::from_str(outcome.text.lines().next().unwrap()).unwrap();
    assert_eq!(
        first,
        json!({
            "request_id": id(0), "log_stream": "2026/09/21/[$LATEST]0", "has_init": true,
            "report": {
                "duration_ms": 19.5, "billed_ms": 20.0, "init_ms": 100.0, "memory_mb": 1769, "max_memory_mb": 30
            },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_json_log_and_one_of_unknown_format_are_read() {
    let json = FunctionLog { format: Some(LogFormat::Json), ..text_log() };
    let outcome = search("json", &Log::new((0..8).map(json_report).collect()), &json, 8).await;
    assert_eq!(outcome.found, expected(0..8));
    let unknown = FunctionLog { format: None, ..text_log() };
    let both = (0..4).map(json_report).chain((4..8).map(report)).collect();
    assert_eq!(search("unknown", &Log::new(both), &unknown, 8).await.found, expected(0..8));
}

#[tokio::test(start_paused = true)]
async fn late_events_are_waited_for_and_only_their_time_is_read_again() {
    let late = |number| Logged { late: Duration::from_secs(if number == 17 { 20 } else { 0 }), ..report(number) };
    let script = Log::new((0..20).map(late).collect());
    let outcome = search("late", &script, &text_log(), 20).await;
    assert_eq!((outcome.found, outcome.missing), (expected(0..20), 0));
    assert!((20..=25).contains(&outcome.took.as_secs()), "{:?}", outcome.took);
    let queries = script.queries.borrow();
    let times = |query: &Query| (query.start_time, query.end_time);
    assert_eq!(times(&queries[0]), (SENT - 300_000, SENT + 19 + 20 + 300_000));
    assert!(queries[1..].iter().all(|query| times(query) == (SENT + 17 - 300_000, SENT + 17 + 20 + 300_000)));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_after_a_minute_is_given_up() {
    let script = Log::new((0..19).map(report).collect());
    let outcome = search("missing", &script, &text_log(), 20).await;
    assert!(outcome.stopped.is_ok() && outcome.has_group);
    assert_eq!((outcome.found, outcome.missing, outcome.took), (expected(0..19), 1, MINUTE));
}

#[tokio::test(start_paused = true)]
async fn a_log_without_reports_is_read_by_other_lines() {
    let lines = |number: u64| {
        let message = match number % 4 {
            0 => format!("START RequestId: {} Version: $LATEST\n", id(number)),
            1 => json!({ "level": "WARN", "message": "hello", "requestId": id(number) }).to_string(),
            2 => format!("2026-09-21T00:00:00.000Z\t{}\tWARN\thello", id(number)),
            _ => json!({ "level": "WARN", "message": format!("hello from {}", id(number)) }).to_string(),
        };
        event(number, message)
    };
    let events = || (0..20).map(lines).collect::<Vec<_>>();
    // The configuration says that there are none.
    let warn = FunctionLog { format: Some(LogFormat::Json), has_reports: false, ..text_log() };
    let script = Log::new(events());
    let outcome = search("warn", &script, &warn, 20).await;
    assert_eq!((&outcome.found, outcome.took), (&expected(0..20), Duration::ZERO));
    assert!(!outcome.text.contains("has_init") && !outcome.text.contains("report"), "{}", outcome.text);
    assert!(script.queries.borrow().iter().all(|query| query.filter_pattern.is_none()));
    // It is only found out.
    let outcome = search("found-out", &Log::new(events()), &text_log(), 20).await;
    assert_eq!((outcome.found, outcome.took), (expected(0..20), MINUTE));
}

#[tokio::test(start_paused = true)]
async fn a_line_of_a_request_counts_more_than_one_that_mentions_it() {
    // A caller's log in the same group, before and after the function's own.
    let mention = |stream: &str| Logged { stream: stream.to_owned(), ..event(1, format!("called {}", id(1))) };
    let own = event(1, format!("START RequestId: {} Version: $LATEST\n", id(1)));
    let log = FunctionLog { has_reports: false, ..text_log() };
    let events = vec![mention("before"), own, mention("after"), report(0)];
    let outcome = search("mention", &Log::new(events), &log, 2).await;
    assert_eq!(outcome.found, expected(0..2));
}

#[tokio::test(start_paused = true)]
async fn a_log_with_a_stream_for_each_call_and_other_ids_is_not_waited_for() {
    let of_call = |number: u64| Logged { stream: format!("call-{number}"), ..report(number) };
    let script = Log::new((100..120).map(of_call).collect());
    let outcome = search("per-call", &script, &text_log(), 20).await;
    assert_eq!((outcome.missing, outcome.took), (20, Duration::ZERO));
    // Streams of environments of others, who call the function too, say nothing of that.
    let outcome = search("others", &Log::new((100..120).map(report).collect()), &text_log(), 20).await;
    assert_eq!((outcome.missing, outcome.took), (20, MINUTE));
}

#[tokio::test(start_paused = true)]
async fn throttled_pages_are_asked_for_again() {
    let throttled = || Refusal::Passing(Failure::refused("ThrottlingException: Rate exceeded"));
    let script = Log::new((0..8).map(report).collect());
    script.refusals.borrow_mut().extend((0..5).map(|_| throttled()));
    let outcome = search("throttled", &script, &text_log(), 8).await;
    assert_eq!((outcome.missing, script.queries.borrow().len()), (0, 6));
    // Pauses of 0.1 to 1.6 s, shortened by up to a half.
    assert!((1550..=3100).contains(&outcome.took.as_millis()), "{:?}", outcome.took);

    let script = Log::new((0..8).map(report).collect());
    script.refusals.borrow_mut().extend((0..20).map(|_| throttled()));
    let outcome = search("always-throttled", &script, &text_log(), 8).await;
    assert!(matches!(outcome.stopped, Err(Stopped::Refused(Refusal::Passing(_)))));
    assert_eq!((outcome.missing, script.queries.borrow().len()), (8, 10));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_search_at_once_and_keeps_what_was_found() {
    let script = Log { page: 4, ..Log::new((0..8).map(report).collect()) };
    let denied = async |query: &Query| match &query.next_token {
        None => script.ask(query).await,
        Some(_) => Err(Refusal::Denied(Failure::refused("AccessDeniedException: no"))),
    };
    let directory = Directory::new("denied", &Manifest::example());
    let (mut file, _) = EnvironmentsFile::open(&directory.0).unwrap();
    let (log, mut wanted) = (text_log(), wanted(8));
    let stopped = Collector::new(denied, &log, &mut wanted, &mut file).run(MINUTE).await;
    assert!(matches!(stopped, Err(Stopped::Refused(Refusal::Denied(_)))));
    assert_eq!((wanted.missing.len(), script.queries.borrow().len()), (4, 1));
    drop(file);
    assert_eq!(EnvironmentsFile::open(&directory.0).unwrap().1.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_the_first_call_makes_may_come_late() {
    let script = Log::new((0..4).map(report).collect());
    script.refusals.borrow_mut().push_back(Refusal::NoGroup);
    let outcome = search("group", &script, &text_log(), 4).await;
    assert!(outcome.has_group && outcome.missing == 0);
    script.refusals.borrow_mut().extend((0..1000).map(|_| Refusal::NoGroup));
    let outcome = search("no-group", &script, &text_log(), 4).await;
    assert!(!outcome.has_group && outcome.stopped.is_ok());
    assert_eq!((outcome.missing, outcome.took), (4, MINUTE));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_something_else_is_a_refusal_and_an_endless_token_an_end() {
    let log = text_log();
    let directory = Directory::new("else", &Manifest::example());
    let (mut file, _) = EnvironmentsFile::open(&directory.0).unwrap();
    let mut asked = wanted(4);
    let page = async |_: &Query| Ok(Bytes::from_static(b"<html>"));
    let stopped = Collector::new(page, &log, &mut asked, &mut file).run(MINUTE).await;
    let Err(Stopped::Refused(Refusal::Lasting(failure))) = stopped else { panic!("{stopped:?}") };
    assert!(failure.message.contains("no answer of CloudWatch Logs") && failure.message.ends_with("<html>"));
    let endless = async |_: &Query| Ok(Bytes::from_static(br#"{"events": [], "nextToken": "again"}"#));
    assert!(Collector::new(endless, &log, &mut asked, &mut file).run(MINUTE).await.is_ok());
    assert_eq!(asked.missing.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn many_requests_are_read_in_parts_at_the_same_time() {
    let delay = Duration::from_millis(100);
    let script = Log { page: 1000, delay, ..Log::new((0..40_000).map(report).collect()) };
    let outcome = search("parts", &script, &text_log(), 40_000).await;
    assert_eq!(outcome.missing, 0);
    // 40 pages, four at a time; where a part ends, a page may be cut in two.
    assert!(outcome.took <= 12 * delay, "{:?}", outcome.took);
}
