//! HTTP for everything that talks to AWS: HTTP/1.1, one TLS stack (rustls with ring), one pool.
//!
//! The SDK's own client includes HTTP/2, which no service here needs and which would be a tenth of the function's
//! binary.

#[cfg(feature = "cli")]
mod proxy;

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use hyper::{Request, Response, body::Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, Error as ClientError, connect::HttpConnector as TcpConnector},
    rt::TokioExecutor,
};
use std::{error::Error, io, iter};

#[cfg(not(feature = "cli"))]
type Connector = TcpConnector;
#[cfg(feature = "cli")]
use proxy::Connector;

/// The longest response that is read, in bytes: the most that Lambda streams. An endless one would fill the memory.
pub const MAX_ANSWER: usize = 200 << 20;

/// A pool of connections; clones share it.
#[derive(Clone, Debug)]
pub struct Transport {
    client: Client<HttpsConnector<Connector>, SdkBody>,
    #[cfg(feature = "cli")]
    proxies: proxy::Proxies,
}

impl Transport {
    /// A transport that trusts the operating system's certificates.
    ///
    /// # Errors
    /// When no trusted certificate can be read.
    #[cfg(not(feature = "cli"))]
    pub fn new() -> io::Result<Self> {
        let tls = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(tls) })
    }

    /// A transport that trusts the operating system's certificates, without proxies.
    ///
    /// # Errors
    /// When no trusted certificate can be read.
    #[cfg(feature = "cli")]
    pub fn new() -> io::Result<Self> {
        Self::through(proxy::Proxies::none())
    }

    /// A transport through the proxies that the environment names.
    ///
    /// # Errors
    /// When no trusted certificate can be read, or a variable does not name a proxy.
    #[cfg(feature = "cli")]
    pub fn with_proxies() -> io::Result<Self> {
        Self::through(proxy::Proxies::of_environment()?)
    }

    #[cfg(feature = "cli")]
    fn through(proxies: proxy::Proxies) -> io::Result<Self> {
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        let tls =
            || Ok::<_, io::Error>(HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1());
        // Reading the certificates takes a while, so it is repeated only if a proxy may need them.
        let to_proxy = if proxies.are_any { Some(tls()?.wrap_connector(tcp.clone())) } else { None };
        let tls = tls()?.wrap_connector(Connector { proxies: proxies.clone(), direct: tcp, to_proxy });
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(tls), proxies })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When the connection failed or broke.
    pub async fn send(&self, request: Request<SdkBody>) -> Result<Response<Limited<Incoming>>, ClientError> {
        self.send_for(request, MAX_ANSWER).await
    }

    /// Sends one request whose response has this many bytes at most.
    ///
    /// # Errors
    /// When the connection failed or broke.
    pub async fn send_for(
        &self,
        #[cfg_attr(not(feature = "cli"), expect(unused_mut))] mut request: Request<SdkBody>,
        longest: usize,
    ) -> Result<Response<Limited<Incoming>>, ClientError> {
        #[cfg(feature = "cli")]
        self.proxies.authorize(&mut request);
        Ok(self.client.request(request).await?.map(|body| Limited::new(body, longest)))
    }

    /// The transport as the HTTP client of an SDK configuration.
    pub fn into_sdk_client(self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self);
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let response = transport.send(request).await.map_err(classify)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// An error with all its causes, outermost first, without repetitions: the SDK's own messages leave the causes out.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error| (*error).source());
    let mut causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.dedup();
    causes.join(": ")
}

/// Whether an error means that no connection was established, so that the request cannot have been sent.
pub fn has_no_connection(error: &(dyn Error + 'static)) -> bool {
    let mut causes = iter::successors(Some(error), |error| (*error).source());
    causes.any(|error| error.downcast_ref::<ClientError>().is_some_and(ClientError::is_connect))
}

/// Tells the SDK which errors are retryable: those of connections, not those of faulty requests.
fn classify(error: ClientError) -> ConnectorError {
    let user_error =
        error.source().and_then(|source| source.downcast_ref::<hyper::Error>()).is_some_and(hyper::Error::is_user);
    if user_error { ConnectorError::user(error.into()) } else { ConnectorError::io(error.into()) }
}
