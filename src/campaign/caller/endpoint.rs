//! POST to an HTTP endpoint.

use super::{
    super::{
        Auth,
        aws::{self, Session, Signer},
        row::{Failure, FailureKind},
        status::AcceptedStatus,
    },
    Answer, Manner,
    classify::{error_type, is_expired, of_http},
};
use crate::transport::{Transport, with_causes};
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
}

#[derive(Debug)]
enum Proof {
    Signature(Box<Signer>),
    ApiKey(HeaderValue),
    None,
}

impl Endpoint {
    pub(super) async fn new(url: &str, manner: Manner<'_>, session: &Session) -> Result<Self, Failure> {
        let refused = |message: String| Failure::new(FailureKind::Refused, message);
        let uri: Uri = url.parse().map_err(|error| refused(format!("\"{url}\" is not a URL: {error}")))?;
        // A function's own URL is a door of Lambda's, every other is taken for one of API Gateway's.
        let service = match uri.host() {
            Some(host) if host.contains(".lambda-url.") => "lambda",
            _ => "execute-api",
        };
        let proof = match manner.auth {
            Auth::SigV4 => Proof::Signature(Signer::new(session, service).await?.into()),
            Auth::ApiKey => {
                let key = manner.api_key.ok_or_else(|| refused("the API key is missing: use --api-key".to_owned()))?;
                Proof::ApiKey(aws::api_key(key)?)
            }
            Auth::None => Proof::None,
        };
        if let Proof::Signature(signer) = &proof {
            signer.credentials().await?;
        }
        Ok(Self { uri, transport: session.transport().clone(), proof, accepted: manner.accept_status.to_vec() })
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        Answer::of(self.post(payload).await)
    }

    async fn post(&self, payload: Bytes) -> Result<Bytes, Failure> {
        let mut request = Request::new(SdkBody::from(payload));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let renewals = if let Proof::Signature(signer) = &self.proof { signer.renewals() } else { 0 };
        match &self.proof {
            Proof::Signature(signer) => signer.sign(&mut request).await?,
            Proof::ApiKey(key) => drop(request.headers_mut().insert("x-api-key", key.clone())),
            Proof::None => {}
        }
        let lost = |error: &(dyn std::error::Error + 'static)| Failure::new(FailureKind::Network, with_causes(error));
        let begin = Instant::now();
        let response = self.transport.send(request).await.map_err(|error| lost(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| lost(&error))?.to_bytes();
        if let Proof::Signature(signer) = &self.proof
            && is_expired(error_type(&head.headers))
        {
            signer.renew(renewals, &self.transport).await;
        }
        of_http(head.status, &head.headers, &body, begin.elapsed(), &self.accepted).map(|()| body)
    }
}
