//! The kinds of events: an API Gateway event, or the request itself.

use crate::protocol::{Error, shortened};
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequest;
use serde::{Deserialize, de::IgnoredAny};

/// An event, by the way it was sent.
pub enum Envelope {
    /// Through API Gateway, as a REST proxy event (payload version 1), unless parts are missing.
    ApiGateway(Result<Box<ApiGatewayProxyRequest>, Error>),
    /// By direct invocation: the text is the request.
    Direct(String),
}

/// The two fields that distinguish an API Gateway event from a request.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Probe {
    http_method: Option<IgnoredAny>,
    request_context: Option<IgnoredAny>,
}

impl Envelope {
    /// Recognizes the envelope of an event and opens it.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for an event of another kind of API.
    pub fn open(event: String) -> Result<Self, Error> {
        // Text that is not a JSON object is refused later, as a request, with the reason.
        let probe: Probe = serde_json::from_str(&event).unwrap_or_default();
        match (probe.http_method, probe.request_context) {
            (Some(_), Some(_)) => {
                Ok(Self::ApiGateway(serde_json::from_str(&event).map(Box::new).map_err(|error| unreadable(&error))))
            }
            (None, Some(_)) => Err(Error::invalid_as_a_whole(
                "the event has a \"requestContext\" but no \"httpMethod\": only REST APIs with payload version 1.0 \
                 are served, not HTTP APIs (2.0), function URLs or WebSockets"
                    .to_owned(),
            )),
            (_, None) => Ok(Self::Direct(event)),
        }
    }
}

/// The error is shortened, because it may quote a whole member of the event.
fn unreadable(error: &serde_json::Error) -> Error {
    let (line, column, reason) = (error.line(), error.column(), shortened(&error.to_string()));
    let detail = format!("the API Gateway event cannot be read, at line {line} column {column}: {reason}");
    Error::invalid_as_a_whole(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_without_a_request_context_is_direct() {
        for event in ["{}", "", "[", "\"text\"", "null", "[1]", r#"{"httpMethod":"POST"}"#, r#"{"Records":[]}"#] {
            assert!(matches!(Envelope::open(event.to_owned()), Ok(Envelope::Direct(text)) if text == event));
        }
    }

    #[test]
    fn a_rest_event_is_opened_or_refused_as_unreadable() {
        let event = r#"{"httpMethod":"GET","path":"/arm64/workloads","requestContext":{"httpMethod":"GET"}}"#;
        assert!(matches!(Envelope::open(event.to_owned()), Ok(Envelope::ApiGateway(Ok(_)))));
        let broken = r#"{"httpMethod":3,"requestContext":7}"#;
        assert!(matches!(Envelope::open(broken.to_owned()), Ok(Envelope::ApiGateway(Err(_)))));
    }

    #[test]
    fn other_apis_are_named_in_the_refusal() {
        let Err(error) = Envelope::open(r#"{"version":"2.0","requestContext":{"http":{}}}"#.to_owned()) else {
            panic!("an HTTP API event was opened");
        };
        assert!(error.to_string().contains("only REST APIs"));
    }
}
