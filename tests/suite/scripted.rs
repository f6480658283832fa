//! A target, and an AWS behind it, that behave as a test tells them.

use crate::service_model;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{HeaderMap, HeaderName},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    io,
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// A request that has come.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its method and path.
    pub line: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// What to do about it.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// The body where that is no text.
    pub bytes: Option<Bytes>,
    pub after: Duration,
    pub after_calls: usize,
    /// Whether the connection breaks instead.
    pub is_lost: bool,
    /// Why AWS's own models do not have it.
    pub breaks_the_model: Option<&'static str>,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            bytes: None,
            after: Duration::ZERO,
            after_calls: 0,
            is_lost: false,
            breaks_the_model: None,
        }
    }

    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: Some(bytes.into()), ..Self::ok("") }
    }

    /// The connection breaks before an answer.
    pub fn lost() -> Self {
        Self { is_lost: true, ..Self::ok("") }
    }

    /// An error of Lambda's, with the status and the members that it has.
    pub fn lambda_error(name: &'static str, message: &str) -> Self {
        let (status, body) = service_model::lambda_error(name, message);
        Self::status(status, body.to_string()).header("x-amzn-errortype", name)
    }

    /// What CloudWatch Logs answers where this action is not allowed.
    pub fn denied(action: &str) -> Self {
        let message = format!("User: arn:aws:iam::123456789012:user/me is not authorized to perform: {action}");
        let body = serde_json::json!({ "__type": "AccessDeniedException", "Message": message });
        Self::status(400, body.to_string()).header("content-type", "application/x-amz-json-1.1")
    }

    /// Takes an answer that AWS's models do not have, because the test is about just that.
    pub fn breaking_the_model(self, why: &'static str) -> Self {
        Self { breaks_the_model: Some(why), ..self }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// Holds it back until so many calls have come.
    pub fn after_calls(self, after_calls: usize) -> Self {
        Self { after_calls, ..self }
    }

    pub fn header_map(&self) -> HeaderMap {
        let pairs = self.headers.iter();
        pairs.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }
}

/// The id that the scripted AWS gives a call where the script gives it none.
pub fn request_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// The server, on a free port of the loopback interface, in a thread of its own.
///
/// What is wrong with the script, or with what a scripted AWS is asked, fails the test: as soon as it looks at the calls,
/// at its end at the latest.
pub struct Scripted {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

/// What a scripted server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Aws,
    AwsWithLogs,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    /// Each once.
    wrong: Vec<String>,
}

impl Seen {
    fn is_wrong(&mut self, what: String) {
        if !self.wrong.contains(&what) {
            self.wrong.push(what);
        }
    }
}

impl Scripted {
    /// Any HTTP server: answers each call as `script` says, which is also told the call's number.
    pub fn start(script: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(script, Kind::Http)
    }

    /// An AWS: requests and answers are held to the models of its services. The events of its logs may not be read, and
    /// requests for them are not among the calls.
    pub fn aws(script: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Self {
        service_model::require();
        Self::serve(script, Kind::Aws)
    }

    /// An AWS whose script answers requests for events of its logs too.
    pub fn aws_with_logs(script: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Self {
        service_model::require();
        Self::serve(script, Kind::AwsWithLogs)
    }

    fn serve(script: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static, kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let (kept, script) = (Arc::clone(&seen), Arc::new(script));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (seen, script) = (Arc::clone(&kept), Arc::clone(&script));
                    let service =
                        service_fn(move |request| answer(request, Arc::clone(&seen), Arc::clone(&script), kind));
                    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
                }
            });
        });
        Self { url, seen }
    }

    /// How many calls have come so far.
    pub fn count(&self) -> usize {
        self.check();
        self.seen.lock().unwrap().calls.len()
    }

    /// The calls that have come so far.
    pub fn calls(&self) -> Vec<Call> {
        self.check();
        self.seen.lock().unwrap().calls.clone()
    }

    fn check(&self) {
        let wrong = self.seen.lock().unwrap().wrong.join("\n");
        assert!(wrong.is_empty(), "the scripted server found:\n{wrong}");
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if thread::panicking() {
            // The test fails already; this may be why.
            eprintln!("the scripted server found: {:?}", self.seen.lock().unwrap().wrong);
        } else {
            self.check();
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Seen>>,
    script: Arc<impl Fn(&Call, usize) -> Reply>,
    kind: Kind,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let call = Call { line: format!("{} {}", head.method, head.uri), headers: head.headers, body };
    if kind == Kind::Aws && is_for_events(&call) {
        let denied = held_to_the_model(&call, 0, Reply::denied("logs:FilterLogEvents"), &seen);
        return Ok(response(denied));
    }
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.calls.push(call.clone());
        seen.calls.len() - 1
    };
    let reply = catch_unwind(AssertUnwindSafe(|| script(&call, number))).unwrap_or_else(|panic| {
        let message = panic.downcast::<String>().map_or_else(|_| "see above".to_owned(), |message| *message);
        seen.lock().unwrap().is_wrong(format!("the script panicked at {}: {message}", call.line));
        Reply::status(500, "the script panicked").breaking_the_model("it is none")
    });
    let reply = if kind != Kind::Http { held_to_the_model(&call, number, reply, &seen) } else { reply };
    tokio::time::sleep(reply.after).await;
    while seen.lock().unwrap().calls.len() < reply.after_calls {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if reply.is_lost {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(response(reply))
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(reply.bytes.unwrap_or_else(|| reply.body.into()))).unwrap()
}

/// Whether it is a request for events of a log.
pub fn is_for_events(call: &Call) -> bool {
    call.headers.get("x-amz-target").is_some_and(|target| target == "Logs_20140328.FilterLogEvents")
}

/// The answer with what AWS adds to every one; notes what the model does not have.
fn held_to_the_model(call: &Call, number: usize, mut reply: Reply, seen: &Mutex<Seen>) -> Reply {
    let findings = service_model::examine(call, &reply);
    let mut seen = seen.lock().unwrap();
    findings.request.iter().for_each(|finding| seen.is_wrong(finding.clone()));
    match reply.breaks_the_model {
        _ if reply.is_lost => {}
        None => findings.reply.into_iter().for_each(|finding| seen.is_wrong(finding)),
        Some(why) if findings.reply.is_empty() && findings.request.is_empty() => {
            seen.is_wrong(format!("{}: the answer is said to break the model ({why}) and fits it", call.line));
        }
        Some(_) => {}
    }
    drop(seen);
    if !reply.headers.iter().any(|(name, _)| *name == "x-amzn-requestid") {
        reply.headers.push(("x-amzn-requestid", request_id(number)));
    }
    reply
}
