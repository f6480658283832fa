//! How long `duet collect` takes to find 100,000 requests in a log, in units of the time that the service takes for a
//! page, and how much memory beside a tenth of them.
//!
//! The server is a Lambda that answers at once and the log of its functions, whose pages hold 2,500 events, about the
//! megabyte that CloudWatch gives, and take a fixed time each. `make bench BENCH=collect` runs this; aims: at most the
//! time of 25 pages, and memory that grows by little more than the ids themselves.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/process.rs"]
mod process;

use effort::is_short;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use process::{Finished, finish};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The requests that are looked for.
const REQUESTS: [usize; 2] = [10_000, 100_000];

/// The events of a page, and how long it takes.
const PAGE: usize = 2500;
const DELAY: Duration = Duration::from_millis(200);

/// How many environments there are of each function.
const ENVIRONMENTS: usize = 32;

fn main() {
    // Cargo runs benchmarks as tests too, where few requests have to do.
    let counts = if is_short() { [640, 6400] } else { REQUESTS };
    let [few, many] = counts.map(|count| {
        let Finished { seconds, peak_kib, .. } = collect(count);
        let pages = seconds / DELAY.as_secs_f64();
        println!("{count} requests: {seconds:.2} s, {:.1} MiB at most", peak_kib as f64 / 1024.0);
        (pages, peak_kib)
    });
    println!("time in pages: {:.1} for the few, {:.1} for the many (aim: at most 25)", few.0, many.0);
    println!("memory with ten times the requests: {:.3} (aim: at most 1.5)", many.1 as f64 / few.1 as f64);
}

/// Makes a campaign of so many calls, and has their environments collected.
fn collect(count: usize) -> Finished {
    let (server, log) = serve();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("collect");
    let _ = fs::remove_dir_all(&directory);
    let payload = directory.with_extension("json");
    fs::write(&payload, "{}").expect("a payload");
    let duet = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duet"));
        command
            .env("AWS_ENDPOINT_URL", &server)
            .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "k")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true"), ("no_proxy", "*")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let mut run = duet();
    run.args(["run", "--targets", "lambda:x", "lambda:a", "--environments", &ENVIRONMENTS.to_string()])
        .args(["--invocations", &count.to_string(), "--duration", "1h", "--max-cost", "1000", "--payload"])
        .arg(&payload)
        .arg("--out")
        .arg(&directory);
    finish(run.spawn().expect("duet starts"));
    log.lock().expect("no panic").is_readable = true;
    let finished = finish(duet().arg("collect").arg(&directory).spawn().expect("duet starts"));
    let lines = fs::read_to_string(directory.join("environments.jsonl")).expect("environments");
    assert_eq!(lines.lines().count(), log.lock().expect("no panic").calls.len());
    finished
}

/// The log of all calls.
#[derive(Default)]
struct Log {
    /// When each call was made, in milliseconds since 1970-01-01 UTC.
    calls: Vec<u64>,
    is_readable: bool,
}

/// A Lambda with two functions and their log, in a thread of its own.
fn serve() -> (String, Arc<Mutex<Log>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("a socket");
    let log = Arc::<Mutex<Log>>::default();
    let kept = Arc::clone(&log);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&kept);
                let service = service_fn(move |request| answer(request, Arc::clone(&log)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    (url, log)
}

async fn answer(request: Request<Incoming>, log: Arc<Mutex<Log>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // A caller that goes away does not wait for the answer.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut answer = Response::builder().header("content-type", "application/json");
    let text = if head.uri.path().ends_with("/configuration") {
        configuration(head.uri.path()).to_string()
    } else if head.uri.path().ends_with("/invocations") {
        let mut log = log.lock().expect("no panic");
        answer = answer.header("x-amzn-requestid", id(log.calls.len()));
        log.calls.push(SystemTime::now().duration_since(UNIX_EPOCH).expect("a date").as_millis() as u64);
        "{}".to_owned()
    } else if log.lock().expect("no panic").is_readable {
        tokio::time::sleep(DELAY).await;
        page(&log.lock().expect("no panic").calls, &serde_json::from_slice(&body).expect("a query"))
    } else {
        answer = answer.status(400);
        json!({ "__type": "AccessDeniedException", "message": "not yet" }).to_string()
    };
    Ok(answer.body(Full::new(text.into())).expect("an answer"))
}

fn configuration(path: &str) -> Value {
    let (name, architecture) = if path.contains("/functions/a/") { ("a", "arm64") } else { ("x", "x86_64") };
    json!({
        "FunctionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"),
        "Architectures": [architecture], "MemorySize": 1769, "Timeout": 30, "Runtime": "python3.13",
        "State": "Active", "LastUpdateStatus": "Successful",
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/both" },
    })
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// A page of Lambda's reports.
fn page(calls: &[u64], query: &Value) -> String {
    let time = ["startTime", "endTime"].map(|name| query[name].as_u64().expect("a time"));
    let [begin, end] = [time[0], time[1] + 1].map(|time| calls.partition_point(|called| *called < time));
    let first = query["nextToken"].as_str().map_or(begin, |token| token.parse().expect("a token"));
    let last = end.min(first + PAGE);
    let event = |number: usize| {
        let message = format!(
            "REPORT RequestId: {}\tDuration: 19.50 ms\tBilled Duration: 20 ms\tMemory Size: 1769 MB\t\
             Max Memory Used: 30 MB\t\n",
            id(number)
        );
        json!({
            "logStreamName": format!("2026/11/26/[$LATEST]{:032x}", number % (2 * ENVIRONMENTS)), "message": message,
            "timestamp": calls[number], "ingestionTime": calls[number], "eventId": format!("{number:056}"),
        })
    };
    let events: Vec<Value> = (first..last).map(event).collect();
    let next_token = (last < end).then(|| last.to_string());
    json!({ "events": events, "nextToken": next_token, "searchedLogStreams": [] }).to_string()
}
