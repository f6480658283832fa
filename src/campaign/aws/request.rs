//! Requests to services of AWS without their SDKs, which would be a third of the program's compile time.

use super::{AwsService, Session, Signer, endpoint};
use crate::{
    campaign::row::{Failure, FailureKind},
    transport::with_causes,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, body::Bytes};
use serde::Deserialize;
use std::{error::Error, fmt};

/// Sends a signed POST to a service, and gives the status and the body of its answer.
///
/// # Errors
/// When the service cannot be asked, or gives no answer.
pub async fn post(
    session: &Session,
    service: AwsService,
    head: &[(&str, &str)],
    body: String,
) -> Result<(StatusCode, Bytes), Failure> {
    let endpoint = endpoint(session.config().await?, service).await?;
    let signer = Signer::new(session, service.signing_name).await?;
    let request = Request::post(endpoint.as_str());
    let request = head.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut request = request
        .body(SdkBody::from(body))
        .map_err(|error| Failure::refused(format!("the endpoint \"{endpoint}\" is not a URL: {error}")))?;
    signer.sign(&mut request).await?;
    let lost = |error: &(dyn Error + 'static)| {
        Failure::new(FailureKind::Network, format!("asking {} at {endpoint}: {}", service.id, with_causes(error)))
    };
    let response = session.transport().send(request).await.map_err(|error| lost(&error))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| lost(error.as_ref()))?;
    Ok((status, body.to_bytes()))
}

/// An error of a service that speaks JSON.
#[derive(Debug)]
pub struct JsonError {
    /// Its name, without that of its namespace; empty if the service does not name it.
    pub code: String,
    text: String,
}

impl JsonError {
    /// Reads an answer that is no success.
    pub fn read(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(rename = "__type", default)]
            code: String,
            #[serde(alias = "Message", default)]
            message: String,
        }
        let Body { code, message } = serde_json::from_slice(body).unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let text = match code.as_str() {
            "" => format!("HTTP {}: {}", status.as_u16(), String::from_utf8_lossy(body)),
            code => format!("{code}: {message}"),
        };
        Self { code, text }
    }

    /// Whether the permission is missing.
    pub fn is_denial(&self) -> bool {
        ["AccessDeniedException", "AccessDenied"].contains(&self.code.as_str())
    }

    /// Whether there were too many requests.
    pub fn is_throttling(&self) -> bool {
        self.code.contains("Throttl") || self.code == "LimitExceededException"
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
