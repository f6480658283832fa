//! Lambda's Runtime API on this machine: what a function's binary talks to instead of Lambda.
//!
//! The protocol is the published one (*Using the Lambda runtime API for custom runtimes*, version
//! 2018-06-01): the binary asks for the next invocation, and posts a response or an error for it.

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// What the binary made of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered with this payload.
    Response(Bytes),
    /// It reported an error.
    Error(FunctionError),
}

/// An error as a function reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FunctionError {
    /// Its kind.
    pub error_type: String,
    /// Its message.
    pub error_message: String,
}

impl FunctionError {
    /// Reads the payload of an error; one that is not of Lambda's shape becomes the message.
    pub fn parse(payload: &[u8]) -> Self {
        serde_json::from_slice(payload).unwrap_or_else(|_| Self {
            error_type: "Unknown".to_owned(),
            error_message: String::from_utf8_lossy(payload).into_owned(),
        })
    }
}

/// A Runtime API for one binary, on a free port of the loopback interface.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Invocation>,
    /// How often the binary has asked for work.
    asked: watch::Receiver<u64>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: Bytes,
    deadline_ms: u128,
    outcome: oneshot::Sender<Outcome>,
}

struct State {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    asked: watch::Sender<u64>,
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
        let (asked, watch) = watch::channel(0);
        let state = Arc::new(State { events: queue.into(), waiting: Mutex::default(), asked });
        Ok(Self { address, events, asked: watch, server: tokio::spawn(serve(listener, state)) })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API` for the binary.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Queues an event; what the binary makes of it arrives at the receiver.
    ///
    /// `timeout` is what the binary is told to have; it is not enforced here.
    pub fn send(&self, event: impl Into<Bytes>, timeout: Duration) -> oneshot::Receiver<Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = format!("{:08x}-0000-4000-8000-{:012x}", now.subsec_nanos(), now.as_millis() & 0xffff_ffff_ffff);
        let invocation = Invocation { id, event: event.into(), deadline_ms: (now + timeout).as_millis(), outcome };
        self.events.send(invocation).expect("the server keeps the queue while it is alive");
        receiver
    }

    /// Waits until the binary has asked for work `times` times since the start: once it has come
    /// up, and once more after everything that it does behind an answer.
    ///
    /// # Panics
    /// When the server was taken down.
    pub async fn asked_for_work(&self, times: u64) {
        let mut asked = self.asked.clone();
        asked.wait_for(|count| *count >= times).await.expect("the server lives as long as this");
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

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().trim_start_matches("/2018-06-01/runtime/").to_owned();
    let response = match (request.method(), path.split('/').collect::<Vec<_>>().as_slice()) {
        (&Method::GET, ["invocation", "next"]) => state.next().await,
        (&Method::POST, ["invocation", id, "response"]) => state.settle(id, request, Outcome::Response).await,
        (&Method::POST, ["invocation", id, "error"]) => {
            state.settle(id, request, |body| Outcome::Error(FunctionError::parse(&body))).await
        }
        (&Method::POST, ["init", "error"]) => Some(status(StatusCode::ACCEPTED)),
        _ => None,
    };
    Ok(response.unwrap_or_else(|| status(StatusCode::NOT_FOUND)))
}

impl State {
    async fn next(&self) -> Option<Response<Full<Bytes>>> {
        self.asked.send_modify(|count| *count += 1);
        let invocation = self.events.lock().await.recv().await?;
        let response = Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", &invocation.id)
            .header("Lambda-Runtime-Deadline-Ms", invocation.deadline_ms.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:local")
            .body(Full::new(invocation.event))
            .ok()?;
        self.waiting().insert(invocation.id, invocation.outcome);
        Some(response)
    }

    async fn settle(
        &self,
        id: &str,
        request: Request<Incoming>,
        outcome: impl FnOnce(Bytes) -> Outcome,
    ) -> Option<Response<Full<Bytes>>> {
        let waiting = self.waiting().remove(id)?;
        let body = request.into_body().collect().await.ok()?.to_bytes();
        // A caller that has given up no longer listens.
        let _ = waiting.send(outcome(body));
        Some(status(StatusCode::ACCEPTED))
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
