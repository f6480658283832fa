//! Requests to services of AWS without their SDKs, which would be a third of the program's compile time.

use super::{AwsService, Session, Signer, endpoint};
use crate::{
    campaign::row::{Failure, FailureKind},
    transport::with_causes,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode, body::Bytes};
use serde::Deserialize;
use std::{error::Error, fmt, time::Duration};
use tokio::time::timeout;

/// How long a request may take, with its answer. One that hangs would otherwise hang for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// The same for one that puts an object, which may be large.
const LIMIT_OF_PUT: Duration = Duration::from_secs(900);

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
    let response = send(session, service, Method::POST, &endpoint, head, body).await?;
    Ok((response.status(), response.into_body()))
}

/// Sends a signed request to a URL of a service, and gives its answer.
///
/// # Errors
/// When the service cannot be asked, or gives no answer in time.
pub async fn send(
    session: &Session,
    service: AwsService,
    method: Method,
    url: &str,
    head: &[(&str, &str)],
    body: impl Into<SdkBody>,
) -> Result<Response<Bytes>, Failure> {
    let signer = Signer::new(session, service.signing_name).await?;
    let request = Request::builder().method(method.clone()).uri(url);
    let request = head.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut request = request
        .body(body.into())
        .map_err(|error| Failure::refused(format!("the endpoint \"{url}\" is not a URL: {error}")))?;
    signer.sign(&mut request).await?;
    let lost = |error: &(dyn Error + 'static)| {
        Failure::new(FailureKind::Network, format!("asking {} at {url}: {}", service.id, with_causes(error)))
    };
    let answer = async {
        let response = session.transport().send(request).await.map_err(|error| lost(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| lost(error.as_ref()))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    let limit = if method == Method::PUT { LIMIT_OF_PUT } else { LIMIT };
    within(limit, &format!("{} at {url}", service.id), answer).await
}

/// An answer, if it comes in time.
async fn within<T>(limit: Duration, of: &str, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(limit, answer).await.unwrap_or_else(|_| {
        let limit = humantime::format_duration(limit);
        Err(Failure::new(FailureKind::Network, format!("{of} gives no answer within {limit}")))
    })
}

/// A text in a query, a form or a path: all but unreserved characters, and those of `literal`, is percent-encoded.
pub fn percent_encoded(text: &str, literal: &str) -> String {
    let is_literal =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || literal.as_bytes().contains(&byte);
    let encode = |byte: u8| if is_literal(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_is_given_up_as_one_that_is_lost() {
        let failure = within(LIMIT, "S3 at https://a", pending::<Result<(), Failure>>()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Network);
        assert_eq!(failure.message, "S3 at https://a gives no answer within 1m");
        assert_eq!(within(LIMIT, "S3", async { Ok(1) }).await.unwrap(), 1);
    }
}
