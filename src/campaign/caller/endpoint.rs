//! Requests to an HTTP endpoint.

use super::{
    super::{
        Auth,
        accepted_status::AcceptedStatus,
        aws::{Session, Signer, is_expired},
        row::Failure,
        target::parse_url,
    },
    Answer, CallOptions,
    classify::{error_type, lost, of_http},
};
use crate::transport::Transport;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method, Request, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderValue},
};
use std::time::Instant;

/// An HTTP endpoint that is called.
#[derive(Debug)]
pub struct Endpoint {
    uri: Uri,
    transport: Transport,
    proof: Proof,
    accepted: Vec<AcceptedStatus>,
    method: Method,
    headers: HeaderMap,
    has_body: bool,
}

#[derive(Debug)]
enum Proof {
    Signature(Box<Signer>),
    ApiKey(HeaderValue),
    None,
}

impl Endpoint {
    pub(super) async fn new(url: &str, options: CallOptions<'_>, session: &Session) -> Result<Self, Failure> {
        let uri = parse_url(url).map_err(|reason| Failure::refused(format!("\"{url}\" is not a URL: {reason}")))?;
        // Function URLs belong to Lambda; all other URLs are assumed to be API Gateway's.
        let service = match uri.host() {
            Some(host) if host.contains(".lambda-url.") => "lambda",
            _ => "execute-api",
        };
        let proof = match options.auth {
            Auth::SigV4 => {
                let signer = Signer::new(session, service).await?;
                signer.credentials().await?;
                Proof::Signature(signer.into())
            }
            Auth::ApiKey => {
                let key = options.api_key.ok_or_else(|| Failure::refused("the API key is missing: use --api-key"))?;
                let mut header = HeaderValue::from_str(key)
                    .map_err(|_| Failure::refused("the API key has characters that no HTTP header may have"))?;
                header.set_sensitive(true);
                Proof::ApiKey(header)
            }
            Auth::None => Proof::None,
        };
        let method = options.method.cloned().unwrap_or(Method::POST);
        let has_body = ![Method::GET, Method::HEAD].contains(&method);
        let mut headers = HeaderMap::new();
        headers.extend(options.headers.iter().map(|header| (header.name.clone(), header.value.clone())));
        if has_body {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        Ok(Self {
            uri,
            transport: session.transport().clone(),
            proof,
            accepted: options.accept_status.to_vec(),
            method,
            headers,
            has_body,
        })
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        Answer::from_output(self.send(payload).await)
    }

    async fn send(&self, payload: Bytes) -> Result<Bytes, Failure> {
        let mut request = Request::new(if self.has_body { SdkBody::from(payload) } else { SdkBody::empty() });
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let mut signature = None;
        match &self.proof {
            Proof::Signature(signer) => signature = Some((signer, signer.sign(&mut request).await?)),
            Proof::ApiKey(key) => drop(request.headers_mut().insert("x-api-key", key.clone())),
            Proof::None => {}
        }
        let begin = Instant::now();
        let response = self.transport.send(request).await.map_err(|error| lost(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| lost(error.as_ref()))?.to_bytes();
        if let Some((signer, renewals)) = signature
            && is_expired(error_type(&head.headers))
        {
            signer.renew(renewals).await;
        }
        of_http(head.status, &head.headers, &body, begin.elapsed(), &self.accepted).map(|()| body)
    }
}
