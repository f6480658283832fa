//! POST to an HTTP endpoint.

use super::{
    super::{
        Auth,
        aws::{self, Session, Signer},
        row::{Failure, FailureKind},
        target::check_url,
    },
    Answer, Manner,
};
use crate::{
    protocol::Problem,
    transport::{Transport, with_causes},
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderValue},
};

/// An HTTP endpoint that is called.
#[derive(Debug)]
pub struct Endpoint {
    uri: Uri,
    transport: Transport,
    proof: Proof,
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
        check_url(url).map_err(|reason| refused(format!("\"{url}\" is not a URL: {reason}")))?;
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
        Ok(Self { uri, transport: session.transport().clone(), proof })
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        Answer { output: self.post(payload).await, report: None, environment: None }
    }

    async fn post(&self, payload: Bytes) -> Result<Bytes, Failure> {
        let mut request = Request::new(SdkBody::from(payload));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match &self.proof {
            Proof::Signature(signer) => signer.sign(&mut request).await?,
            Proof::ApiKey(key) => drop(request.headers_mut().insert("x-api-key", key.clone())),
            Proof::None => {}
        }
        let lost = |error: &(dyn std::error::Error + 'static)| Failure::new(FailureKind::Network, with_causes(error));
        let response = self.transport.send(request).await.map_err(|error| lost(&error))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| lost(&error))?.to_bytes();
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
    }
}

/// A problem's detail says more than its JSON.
fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let kind = match status {
        StatusCode::TOO_MANY_REQUESTS => FailureKind::Throttled,
        StatusCode::GATEWAY_TIMEOUT => FailureKind::Timeout,
        // API Gateway says so where the function failed.
        StatusCode::BAD_GATEWAY => FailureKind::Function,
        _ => FailureKind::Refused,
    };
    let detail = serde_json::from_slice::<Problem>(body)
        .map_or_else(|_| String::from_utf8_lossy(body).into_owned(), |problem| problem.detail);
    Failure::new(kind, format!("HTTP {}: {detail}", status.as_u16()))
}
