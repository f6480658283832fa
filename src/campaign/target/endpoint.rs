//! A POST to an HTTP endpoint, signed for API Gateway.

use super::{Auth, CallError};
use crate::{campaign::aws, protocol::Problem, transport::Transport};
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::{client::http::HttpConnector, http::Request as SdkRequest};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use hyper::{Method, Request, header::CONTENT_TYPE};
use std::time::SystemTime;

pub(super) async fn call(url: &str, body: &str, auth: Auth) -> Result<String, CallError> {
    let invalid = |error: hyper::http::Error| CallError::Failed(format!("\"{url}\" is not a URL: {error}"));
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, "application/json")
        .body(SdkBody::from(body))
        .map_err(invalid)?;
    let transport = Transport::new().map_err(|error| CallError::failed(&error))?;
    if auth == Auth::SigV4 {
        add_signature(&mut request, body, &aws::config(transport.clone()).await).await?;
    }
    let request = SdkRequest::try_from(request).map_err(|error| CallError::failed(&error))?;
    let response = transport.call(request).await?;
    let status = response.status();
    let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| CallError::failed(&error))?;
    let body = String::from_utf8_lossy(&body.into_bytes()).into_owned();
    if status.is_success() { Ok(body) } else { Err(refusal(status.as_u16(), body)) }
}

/// A problem's detail says more than its JSON.
fn refusal(status: u16, body: String) -> CallError {
    let body = serde_json::from_str::<Problem>(&body).map_or(body, |problem| problem.detail);
    CallError::Http { status, body }
}

async fn add_signature(request: &mut Request<SdkBody>, body: &str, config: &SdkConfig) -> Result<(), CallError> {
    let missing = |what: &str| {
        CallError::Failed(format!("the request cannot be signed: {what}; configure AWS credentials or use --no-auth"))
    };
    let provider = config.credentials_provider().ok_or_else(|| missing("there are no credentials"))?;
    let credentials = provider.provide_credentials().await.map_err(|error| missing(&error.to_string()))?;
    let region = config.region().ok_or_else(|| missing("no region is set (AWS_REGION)"))?;
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name("execute-api")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| CallError::failed(&error))?
        .into();
    let uri = request.uri().to_string();
    let headers = [(CONTENT_TYPE.as_str(), "application/json")];
    let signable = SignableRequest::new("POST", uri, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
        .map_err(|error| CallError::failed(&error))?;
    let (instructions, _) = sign(signable, &parameters).map_err(|error| CallError::failed(&error))?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}
