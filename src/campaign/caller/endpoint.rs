//! Requests to an HTTP endpoint.

use super::{
    super::{
        Auth,
        accepted_status::AcceptedStatus,
        aws::{self, Session, Signer},
        request_header::Header,
        row::{Failure, FailureKind},
        target::check_url,
    },
    Answer, CallOptions,
    classify::{error_type, is_expired, lost, of_http},
};
use crate::transport::Transport;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{
    Method, Request, Uri,
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
    headers: Vec<Header>,
}

#[derive(Debug)]
enum Proof {
    Signature(Box<Signer>),
    ApiKey(HeaderValue),
    None,
}

impl Endpoint {
    pub(super) async fn new(url: &str, options: CallOptions<'_>, session: &Session) -> Result<Self, Failure> {
        let refused = |message: String| Failure::new(FailureKind::Refused, message);
        check_url(url).map_err(|reason| refused(format!("\"{url}\" is not a URL: {reason}")))?;
        let uri: Uri = url.parse().map_err(|error| refused(format!("\"{url}\" is not a URL: {error}")))?;
        // Function URLs belong to Lambda; all other URLs are assumed to be API Gateway's.
        let service = match uri.host() {
            Some(host) if host.contains(".lambda-url.") => "lambda",
            _ => "execute-api",
        };
        let proof = match options.auth {
            Auth::SigV4 => Proof::Signature(Signer::new(session, service).await?.into()),
            Auth::ApiKey => {
                let key = options.api_key.ok_or_else(|| refused("the API key is missing: use --api-key".to_owned()))?;
                Proof::ApiKey(aws::api_key(key)?)
            }
            Auth::None => Proof::None,
        };
        if let Proof::Signature(signer) = &proof {
            signer.credentials().await?;
        }
        Ok(Self {
            uri,
            transport: session.transport().clone(),
            proof,
            accepted: options.accept_status.to_vec(),
            method: options.method.cloned().unwrap_or(Method::POST),
            headers: options.headers.to_vec(),
        })
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        Answer::from_output(self.send(payload).await)
    }

    async fn send(&self, payload: Bytes) -> Result<Bytes, Failure> {
        let has_body = ![Method::GET, Method::HEAD].contains(&self.method);
        let mut request = Request::new(if has_body { SdkBody::from(payload) } else { SdkBody::empty() });
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        if has_body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        // The first header of a name replaces the default; further ones are added.
        for (index, Header { name, value }) in self.headers.iter().enumerate() {
            let is_first = !self.headers[..index].iter().any(|earlier| earlier.name == *name);
            if is_first {
                request.headers_mut().insert(name, value.clone());
            } else {
                request.headers_mut().append(name, value.clone());
            }
        }
        let renewals = if let Proof::Signature(signer) = &self.proof { signer.renewals() } else { 0 };
        match &self.proof {
            Proof::Signature(signer) => signer.sign(&mut request).await?,
            Proof::ApiKey(key) => drop(request.headers_mut().insert("x-api-key", key.clone())),
            Proof::None => {}
        }
        let begin = Instant::now();
        let response = self.transport.send(request).await.map_err(|error| lost(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| lost(error.as_ref()))?.to_bytes();
        if let Proof::Signature(signer) = &self.proof
            && is_expired(error_type(&head.headers))
        {
            signer.renew(renewals).await;
        }
        of_http(head.status, &head.headers, &body, begin.elapsed(), &self.accepted).map(|()| body)
    }
}
