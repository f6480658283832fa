//! Events of every shape, as the real binary sees them.

use crate::{architectures::on_both, handler::Handler};
use lambda_duet::protocol::Architecture;
use serde_json::json;

on_both!(
    a_base64_body_is_decoded,
    the_route_is_the_apis_and_not_the_clients_path,
    an_event_that_is_neither_envelope_is_an_invalid_request,
    a_broken_api_gateway_event_still_gets_a_proxy_response
);

async fn a_base64_body_is_decoded(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let mut event = handler.post("eyJzaXplIjoxMDAsIndvcmtsb2FkcyI6WyJtYXRoIl19"); // {"size":100,"workloads":["math"]}
    event["isBase64Encoded"] = true.into();
    let answer = handler.http(&event).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["results"][0]["elements"], 100);

    event["body"] = "/////w==".into(); // four bytes that are no UTF-8
    let answer = handler.http(&event).await;
    assert_eq!((answer.status, answer.body["type"].as_str()), (400, Some("urn:lambda-duet:error:InvalidRequest")));
}

async fn the_route_is_the_apis_and_not_the_clients_path(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let mut event = handler.post(r#"{"size":10}"#);
    event["path"] = format!("/base/path/of/a/domain/{architecture}/benchmark").into();
    assert_eq!(handler.http(&event).await.status, 200);
}

async fn an_event_that_is_neither_envelope_is_an_invalid_request(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    for (event, part) in [
        (json!({"Records": [{"eventSource": "aws:sqs"}]}), "unknown field \"Records\""),
        (json!({"version": "2.0", "requestContext": {"http": {"method": "POST"}}}), "only REST APIs"),
        (json!(["sorting"]), "an array"),
        (json!(null), "null"),
        (json!("{}"), "\"{}\""),
    ] {
        let error = handler.direct(event.to_string()).await.unwrap_err();
        assert_eq!(error.error_type, "InvalidRequest", "{event}");
        assert!(error.error_message.contains(part), "{event}: {error:?}");
    }
}

async fn a_broken_api_gateway_event_still_gets_a_proxy_response(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let answer = handler.http(&json!({"httpMethod": 3, "requestContext": 7})).await;
    assert_eq!((answer.status, answer.body["type"].as_str()), (400, Some("urn:lambda-duet:error:InvalidRequest")));
}
