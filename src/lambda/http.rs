//! HTTP through API Gateway: routes, responses, and `lambda_http` in between.

use crate::protocol::{Architecture, Error, Problem, shortened};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{
    Adapter, Body, IntoResponse, RequestExt,
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    http::{HeaderValue, Response, StatusCode, header},
    request::{LambdaRequest, RequestContext},
};
use lambda_runtime::{Context, LambdaEvent, tower::Service};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::Pin,
};

/// The routes of the function.
#[derive(Clone, Copy)]
pub enum Route {
    /// Run a benchmark.
    Benchmark,
    /// List the workloads.
    Catalogue,
}

impl Route {
    /// The path below this function's architecture, and the only allowed method.
    const ALL: [(&'static str, &'static str, Self); 2] =
        [("benchmark", "POST", Self::Benchmark), ("workloads", "GET", Self::Catalogue)];

    /// The route of a request.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::MethodNotAllowed`].
    pub fn find(request: &lambda_http::Request) -> Result<Self, Error> {
        let path = resource_path(request);
        let own = format!("/{}/", Architecture::OF_BINARY);
        let route = path.strip_prefix(&own).and_then(|name| Self::ALL.into_iter().find(|route| route.0 == name));
        match route {
            Some((_, allow, route)) if request.method().as_str() == allow => Ok(route),
            Some((_, allow, _)) => {
                Err(Error::MethodNotAllowed { method: shortened(request.method().as_str()), path, allow })
            }
            None => {
                let routes = Self::ALL.map(|(name, method, _)| format!("{method} {own}{name}"));
                Err(Error::NotFound {
                    detail: format!("no route {}; this function serves {}", shortened(&path), routes.join(" and ")),
                })
            }
        }
    }
}

/// The path, as [`readable`] has stored it.
fn resource_path(request: &lambda_http::Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// An event reduced to what the service needs: `lambda_http` panics on a host, a path or a query that does not make a
/// URL, and on a body that is not encoded as the event says.
///
/// # Errors
/// [`Error::InvalidRequest`] for such a body.
pub fn readable(event: ApiGatewayProxyRequest) -> Result<LambdaRequest, Error> {
    // The path that the API declares has neither the stage nor a custom domain's base path.
    let declared = event.request_context.resource_path.filter(|path| !path.contains('{'));
    let path = declared.or(event.path).unwrap_or_default();
    let body = match event.body {
        Some(body) if event.is_base64_encoded => {
            let bytes = STANDARD.decode(&body).map_err(|error| {
                Error::invalid_as_a_whole(format!("the body is said to be base64, but is not: {error}"))
            })?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        body => body,
    };
    let mut needed = ApiGatewayProxyRequest::default();
    needed.http_method = event.http_method;
    needed.request_context.resource_path = Some(path.trim_end_matches('/').to_owned());
    needed.body = body;
    Ok(LambdaRequest::ApiGatewayV1(needed))
}

type ResponseFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Passes an API Gateway event through `lambda_http`, which turns it into an HTTP request, and the answer into a proxy
/// response. `answer` is called at once, before the future is awaited.
pub fn proxy<'a, F: Future<Output = JsonResponse> + Send + 'a>(
    event: LambdaRequest,
    context: &Context,
    answer: impl Fn(lambda_http::Request) -> F + Send + 'a,
) -> ResponseFuture<'a, Box<RawValue>> {
    let service = lambda_http::service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let response = Adapter::from(service).call(LambdaEvent::new(event, context.clone()));
    Box::pin(async move { json(&response.await.unwrap_or_else(|never| match never {})) })
}

/// A proxy response for an event that is not a valid HTTP request.
pub fn proxy_without_request(context: &Context, answer: JsonResponse) -> ResponseFuture<'static, Box<RawValue>> {
    let event = LambdaRequest::ApiGatewayV1(ApiGatewayProxyRequest::default());
    proxy(event, context, move |_| ready(answer.clone()))
}

/// An HTTP response with a text body, so that `lambda_http` need not detect its encoding.
#[derive(Clone)]
pub struct JsonResponse(Response<Body>);

impl JsonResponse {
    /// A response that answers the request.
    pub fn ok(body: Box<RawValue>) -> Self {
        Self::new(StatusCode::OK, "application/json", body)
    }

    /// A response that reports an error.
    pub fn problem(error: &Error) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Self::new(status, "application/problem+json", json(&Problem::from(error)));
        if let Error::MethodNotAllowed { allow, .. } = error {
            response.0.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }

    fn new(status: StatusCode, content_type: &'static str, body: Box<RawValue>) -> Self {
        let mut response = Response::new(Body::Text(Box::<str>::from(body).into()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self(response)
    }
}

impl IntoResponse for JsonResponse {
    fn into_response(self) -> ResponseFuture<'static, Response<Body>> {
        Box::pin(ready(self.0))
    }
}

/// The JSON of a type of this crate.
pub fn json(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("plain data has string keys and serializes")
}
