//! Lambda's Runtime API for a function's binary on this machine.
//!
//! The protocol is the published one (*Using the Lambda runtime API for custom runtimes*, version 2018-06-01): the
//! binary asks for the next invocation, and posts a response or an error for it. Like Lambda, it refuses another
//! request's answer (400), a second answer or a next invocation before the answer (403), and an answer that is too
//! large (413), which also fails the invocation.

use super::lock;
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt, Collected, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderMap},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// The prefix of every path.
const ROOT: &str = "/2018-06-01/runtime/";

/// The largest response that Lambda accepts, in bytes: a little over 6 MB. A streamed one may be larger.
const MAX_RESPONSE: usize = 6_291_556;
const MAX_STREAMED_RESPONSE: usize = 200 << 20;

/// The ARN that the function is told.
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:local";

/// The headers, or trailers of a streamed response, by which a runtime reports an error.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// The outcome of an invocation: the payload of the response, or the reported error.
pub type InvocationResult = Result<Bytes, FunctionError>;

/// An error as a function reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FunctionError {
    pub error_type: String,
    pub error_message: String,
}

impl fmt::Display for FunctionError {
    /// The type and the message, if it has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error_type.as_str(), self.error_message.as_str()) {
            ("", "") => f.write_str("of which it says nothing"),
            (one, "") | ("", one) => f.write_str(one),
            (kind, message) => write!(f, "{kind}: {message}"),
        }
    }
}

impl FunctionError {
    /// For a response that broke off before its end.
    pub fn truncated(reason: impl fmt::Display) -> Self {
        let error_message = format!("the response broke off before its end: {reason}");
        Self { error_type: "Runtime.TruncatedResponse".to_owned(), error_message }
    }

    /// Reads the payload of an error; a payload that does not have Lambda's shape becomes the message.
    pub fn parse(payload: &[u8]) -> Self {
        serde_json::from_slice(payload).unwrap_or_else(|_| Self {
            error_type: "Unknown".to_owned(),
            error_message: String::from_utf8_lossy(payload).into_owned(),
        })
    }
}

/// A failed initialization, as the binary reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitError {
    pub error: FunctionError,
    /// Empty if the binary reports none.
    pub stack_trace: Vec<String>,
}

impl InitError {
    fn parse(headers: &HeaderMap, payload: &[u8]) -> Self {
        let report: Value = serde_json::from_slice(payload).unwrap_or_default();
        let lines = report["stackTrace"].as_array().into_iter().flatten();
        let text = |line: &Value| line.as_str().map_or_else(|| line.to_string(), str::to_owned);
        Self { error: reported_error(headers, payload), stack_trace: lines.map(text).collect() }
    }
}

/// Reads an error whose type may be in a header instead of the body.
fn reported_error(headers: &HeaderMap, payload: &[u8]) -> FunctionError {
    let mut error = FunctionError::parse(payload);
    let kind = headers.get(ERROR_TYPE).and_then(|kind| kind.to_str().ok());
    if let Some(kind) = kind.filter(|_| ["", "Unknown"].contains(&error.error_type.as_str())) {
        kind.clone_into(&mut error.error_type);
    }
    error
}

/// A Runtime API for one binary, on a free port of the loopback interface.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<PendingInvocation>,
    state: Arc<State>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct PendingInvocation {
    id: String,
    event: Bytes,
    deadline_ms: u128,
    outcome: oneshot::Sender<InvocationResult>,
}

#[derive(Debug)]
struct State {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<PendingInvocation>>,
    current: Mutex<Current>,
    /// How many times the binary has asked for work.
    asked: watch::Sender<u64>,
    /// The reported failure of the initialization.
    init_error: watch::Sender<Option<InitError>>,
}

/// The state of the binary.
#[derive(Debug, Default)]
enum Current {
    /// It has not asked for work yet.
    #[default]
    Init,
    Invoked(String, oneshot::Sender<InvocationResult>),
    Answered(String),
}

impl RuntimeApi {
    /// Starts listening.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, queue) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            events: queue.into(),
            current: Mutex::default(),
            asked: watch::Sender::default(),
            init_error: watch::Sender::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { address, events, state, server })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API` for the binary.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Queues an event; its outcome arrives at the receiver.
    ///
    /// The binary is told that it has `timeout`, which is not enforced here.
    pub fn send(&self, event: impl Into<Bytes>, timeout: Duration) -> oneshot::Receiver<InvocationResult> {
        let (outcome, receiver) = oneshot::channel();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = format!("{:08x}-0000-4000-8000-{:012x}", now.subsec_nanos(), now.as_millis() & 0xffff_ffff_ffff);
        let invocation =
            PendingInvocation { id, event: event.into(), deadline_ms: (now + timeout).as_millis(), outcome };
        self.events.send(invocation).expect("the server keeps the queue while it is alive");
        receiver
    }

    /// Waits until the binary has asked for work `times` times since the start: once after its initialization, and once
    /// more after all work that follows each answer.
    pub async fn asked_for_work(&self, times: u64) {
        self.state.asked.subscribe().wait_for(|count| *count >= times).await.expect("it lives as long as this");
    }

    /// Waits until the binary has reported that its initialization failed.
    pub async fn failed_to_start(&self) -> InitError {
        let mut reported = self.state.init_error.subscribe();
        let error = reported.wait_for(Option::is_some).await.expect("it lives as long as this");
        error.clone().expect("it was waited for")
    }

    /// The failure of the initialization, if the binary has reported one.
    pub fn init_error(&self) -> Option<InitError> {
        self.state.init_error.borrow().clone()
    }

    /// Whether the binary has an unanswered invocation.
    pub fn is_busy(&self) -> bool {
        matches!(*lock(&self.state.current), Current::Invoked(..))
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(Arc::clone(&state), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// The reply to a request of the binary.
type Reply = Result<Response<Full<Bytes>>, Refusal>;

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().strip_prefix(ROOT).unwrap_or_default().to_owned();
    let reply = match (request.method(), path.split('/').collect::<Vec<_>>().as_slice()) {
        (&Method::GET, ["invocation", "next"]) => state.next().await,
        (&Method::POST, ["invocation", id, "response"]) => state.settle(id, request, response).await,
        (&Method::POST, ["invocation", id, "error"]) => state.settle(id, request, error).await,
        (&Method::POST, ["init", "error"]) => state.fail(request).await,
        _ => Err(Refusal::new(StatusCode::NOT_FOUND, "NotFound", "there is no such method and path")),
    };
    Ok(reply.unwrap_or_else(|refusal| refusal.response()))
}

/// An outcome, and the reply to its sender.
type Settled = (InvocationResult, Reply);

/// Settles an invocation by a response.
fn response(request: &HeaderMap, body: Collected<Bytes>) -> Settled {
    let is_streamed = request.get("lambda-runtime-function-response-mode").is_some_and(|mode| mode == "streaming");
    // A stream reports an error in its trailers, after most of it has been sent.
    if let Some(error) = body.trailers().and_then(streamed_error) {
        return (Err(error), accepted());
    }
    let largest = if is_streamed { MAX_STREAMED_RESPONSE } else { MAX_RESPONSE };
    let payload = body.to_bytes();
    if payload.len() <= largest {
        return (Ok(payload), accepted());
    }
    too_large(largest)
}

fn too_large(largest: usize) -> Settled {
    let error = FunctionError {
        error_type: "Function.ResponseSizeTooLarge".to_owned(),
        error_message: format!("Response payload size exceeded maximum allowed payload size ({largest} bytes)."),
    };
    let refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &*error.error_message);
    (Err(error), Err(refusal))
}

fn streamed_error(trailers: &HeaderMap) -> Option<FunctionError> {
    let kind = trailers.get(ERROR_TYPE)?;
    let payload = trailers.get(ERROR_BODY).and_then(|body| BASE64_STANDARD.decode(body).ok()).unwrap_or_default();
    let error_type = String::from_utf8_lossy(kind.as_bytes()).into_owned();
    Some(FunctionError { error_type, ..FunctionError::parse(&payload) })
}

/// Settles an invocation by a reported error.
fn error(request: &HeaderMap, body: Collected<Bytes>) -> Settled {
    (Err(reported_error(request, &body.to_bytes())), accepted())
}

impl State {
    async fn next(&self) -> Reply {
        self.begin_waiting()?;
        self.asked.send_modify(|count| *count += 1);
        let Some(invocation) = self.events.lock().await.recv().await else {
            return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Shutdown", "there is no more work"));
        };
        let PendingInvocation { id, event, deadline_ms, outcome } = invocation;
        // X-Ray's form of a trace that is not sampled.
        let hex = id.replace('-', "");
        let trace = format!("Root=1-{}-{};Parent={};Sampled=0", &hex[..8], &hex[8..], &hex[16..]);
        let response = Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &id)
            .header("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
            .header("Lambda-Runtime-Trace-Id", trace)
            .body(Full::new(event))
            .expect("these are headers");
        *lock(&self.current) = Current::Invoked(id, outcome);
        Ok(response)
    }

    /// Refuses a request for work if the binary has an unanswered invocation.
    fn begin_waiting(&self) -> Result<(), Refusal> {
        let mut current = lock(&self.current);
        match &*current {
            Current::Invoked(id, _) => {
                return Err(Refusal::out_of_turn(format!("{id} has not been answered")));
            }
            Current::Init => *current = Current::Answered(String::new()),
            Current::Answered(_) => {}
        }
        Ok(())
    }

    /// Takes the sender for an invocation's outcome, once.
    fn begin_answering(&self, id: &str) -> Result<oneshot::Sender<InvocationResult>, Refusal> {
        let mut current = lock(&self.current);
        match std::mem::replace(&mut *current, Current::Answered(id.to_owned())) {
            Current::Invoked(expected, outcome) if expected == id => return Ok(outcome),
            other => *current = other,
        }
        Err(match &*current {
            Current::Answered(answered) if answered == id => {
                Refusal::out_of_turn(format!("{id} has been answered already"))
            }
            _ => Refusal::new(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        })
    }

    async fn settle(
        &self,
        id: &str,
        request: Request<Incoming>,
        settled: impl FnOnce(&HeaderMap, Collected<Bytes>) -> Settled,
    ) -> Reply {
        let outcome = self.begin_answering(id)?;
        let (head, body) = request.into_parts();
        // A body that is longer than any answer is not read to its end, but refused.
        let (result, reply) = match Limited::new(body, MAX_STREAMED_RESPONSE).collect().await {
            Ok(body) => settled(&head.headers, body),
            Err(error) if error.is::<LengthLimitError>() => too_large(MAX_STREAMED_RESPONSE),
            Err(error) => (
                Err(FunctionError::truncated(&error)),
                Err(Refusal::new(StatusCode::BAD_REQUEST, "Truncated", "the request broke off")),
            ),
        };
        // A caller that has given up no longer listens.
        let _ = outcome.send(result);
        reply
    }

    /// Stores a reported failure of the initialization.
    async fn fail(&self, request: Request<Incoming>) -> Reply {
        if !matches!(*lock(&self.current), Current::Init) {
            return Err(Refusal::out_of_turn("it has asked for work, so its start is over"));
        }
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_STREAMED_RESPONSE).collect().await;
        let payload = body.map(Collected::to_bytes).unwrap_or_default();
        self.init_error.send_replace(Some(InitError::parse(&head.headers, &payload)));
        accepted()
    }
}

fn accepted() -> Reply {
    Ok(json(StatusCode::ACCEPTED, &json!({"status": "OK"})))
}

/// The reason why Lambda refuses a request.
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    fn out_of_turn(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "InvalidStateTransition", reason)
    }

    fn response(&self) -> Response<Full<Bytes>> {
        json(self.status, &json!({"errorType": self.kind, "errorMessage": self.message}))
    }
}

fn json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(Full::new(body.to_string().into())).expect("these are headers")
}
