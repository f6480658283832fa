//! A target, and an AWS behind it, that behave as a test tells them.

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::HeaderMap,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    io,
    net::TcpListener,
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
    pub after: Duration,
    pub after_calls: usize,
    /// Whether the connection breaks instead.
    pub is_lost: bool,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO, after_calls: 0, is_lost: false }
    }

    /// The connection breaks before an answer.
    pub fn lost() -> Self {
        Self { is_lost: true, ..Self::ok("") }
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
}

/// The server, on a free port of the loopback interface, in a thread of its own.
pub struct Scripted {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Scripted {
    /// Answers each call as `script` says, which is also told the call's number.
    pub fn start(script: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let (kept, script) = (Arc::clone(&calls), Arc::new(script));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (calls, script) = (Arc::clone(&kept), Arc::clone(&script));
                    let service = service_fn(move |request| answer(request, Arc::clone(&calls), Arc::clone(&script)));
                    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
                }
            });
        });
        Self { url, calls }
    }

    /// How many calls have come so far.
    pub fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// The calls that have come so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    calls: Arc<Mutex<Vec<Call>>>,
    script: Arc<impl Fn(&Call, usize) -> Reply>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let call = Call { line: format!("{} {}", head.method, head.uri), headers: head.headers, body };
    let number = {
        let mut calls = calls.lock().unwrap();
        calls.push(call.clone());
        calls.len() - 1
    };
    let reply = script(&call, number);
    tokio::time::sleep(reply.after).await;
    while calls.lock().unwrap().len() < reply.after_calls {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if reply.is_lost {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(reply.body.into())).unwrap())
}
