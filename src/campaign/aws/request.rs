//! Requests to services of AWS without their SDKs, which would be a third of the program's compile time.

use super::{AwsService, Session, Signer, endpoint};
use crate::{
    campaign::row::{Failure, FailureKind},
    transport::with_causes,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, body::Bytes};
use std::error::Error;

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
