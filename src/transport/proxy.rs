//! Proxies from the environment, as for the AWS CLI: `HTTP_PROXY` for http:// and `HTTPS_PROXY` for https://, except
//! for the hosts in `NO_PROXY`; all names in either case. The function does not support proxies.

use hyper::{
    Request, Uri,
    header::{HeaderValue, PROXY_AUTHORIZATION},
    rt::{Read, ReadBufCursor, Write},
};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{Connected, Connection, HttpConnector as TcpConnector, proxy::Tunnel},
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use std::{
    env,
    error::Error,
    fmt::Display,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::net::TcpStream;
use tower_service::Service;

/// The addresses of the credentials of machines and containers, which are never reached through a proxy.
const NEVER: &str = "169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254,fd00:ec2::23";

/// The rules that assign proxies to hosts.
#[derive(Clone, Debug)]
pub(super) struct Proxies {
    matcher: Arc<Matcher>,
    pub(super) are_any: bool,
}

impl Proxies {
    pub(super) fn none() -> Self {
        Self { matcher: Arc::new(Matcher::builder().build()), are_any: false }
    }

    /// The proxies of the environment.
    ///
    /// # Errors
    /// When a variable does not name a proxy.
    pub(super) fn of_environment() -> io::Result<Self> {
        let hosts = variable("NO_PROXY").map_or(String::new(), |(_, hosts)| hosts);
        if hosts.split(',').any(|host| host.trim() == "*") {
            return Ok(Self::none());
        }
        let [http, https] = [proxy("HTTP_PROXY")?, proxy("HTTPS_PROXY")?];
        let are_any = !http.is_empty() || !https.is_empty();
        let matcher = Matcher::builder().http(http).https(https).no(format!("{NEVER},{hosts}")).build();
        Ok(Self { matcher: Arc::new(matcher), are_any })
    }

    /// Adds the proxy's password if the proxy itself reads the request.
    pub(super) fn authorize<B>(&self, request: &mut Request<B>) {
        let is_read = request.uri().scheme_str() == Some("http");
        let Some(proxy) = self.matcher.intercept(request.uri()).filter(|_| is_read) else { return };
        if let Some(password) = proxy.basic_auth() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, HeaderValue::clone(password));
        }
    }
}

/// A variable and its name, which is first looked for in lower case, as is usual; an empty one counts as unset.
fn variable(name: &str) -> Option<(String, String)> {
    let value = |name: String| Some((name.clone(), env::var(name).ok().filter(|value| !value.trim().is_empty())?));
    value(name.to_lowercase()).or_else(|| value(name.to_owned()))
}

fn proxy(name: &str) -> io::Result<String> {
    let Some((name, url)) = variable(name) else { return Ok(String::new()) };
    // Without a scheme it is an HTTP proxy. The error does not repeat the URL, which may contain a password.
    let uri: Option<Uri> = if url.contains("://") { url.parse().ok() } else { format!("http://{url}").parse().ok() };
    let is_http = |uri: &Uri| ["http", "https"].contains(&uri.scheme_str().unwrap_or_default());
    match uri.filter(is_http).and_then(|uri| uri.host().map(|host| !host.is_empty())) {
        Some(true) => Ok(url),
        _ => Err(io::Error::other(format!("{name} does not name an HTTP proxy; write http://HOST:PORT"))),
    }
}

/// Opens connections, through a proxy if there is one.
#[derive(Clone, Debug)]
pub struct Connector {
    pub(super) proxies: Proxies,
    pub(super) direct: TcpConnector,
    /// The connector for the proxies themselves; `None` without proxies.
    pub(super) to_proxy: Option<HttpsConnector<TcpConnector>>,
}

type Failed = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failed>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        if let (Some(proxy), Some(to_proxy)) = (self.proxies.matcher.intercept(&target), &self.to_proxy) {
            return Box::pin(through(proxy, target, to_proxy.clone()));
        }
        let connection = self.direct.call(target);
        Box::pin(async move { Ok(Stream { stream: MaybeHttpsStream::Http(connection.await?), is_read: false }) })
    }
}

/// Connects for https:// through a tunnel, and for http:// to the proxy, which makes the request.
async fn through(proxy: Intercept, target: Uri, mut connector: HttpsConnector<TcpConnector>) -> Result<Stream, Failed> {
    let failed = |reason: &dyn Display| format!("through the proxy {}: {reason}", proxy.uri());
    if target.scheme_str() == Some("http") {
        let stream = connector.call(proxy.uri().clone()).await.map_err(|error| failed(&error))?;
        return Ok(Stream { stream, is_read: true });
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
    if let Some(password) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(password.clone());
    }
    let stream = tunnel.call(target).await.map_err(|error| failed(&super::with_causes(&error)))?;
    Ok(Stream { stream, is_read: false })
}

/// A connection, which knows whether a proxy reads what it carries.
#[derive(Debug)]
pub struct Stream {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    is_read: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.is_read)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }
}
