//! When metrics leave, seen from the Runtime API and from the endpoint they are sent to.

use crate::handler::{BOTH, Handler, PUT_METRIC_DATA, TIMEOUT, cloudwatch_at};
use lambda_duet::{campaign::runtime_api::Outcome, protocol::Architecture};
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpListener, time::timeout};

const REQUEST: &str = r#"{"workloads":["math/primes"],"size":100,"iterations":3}"#;

async fn start(architecture: Architecture, endpoint: &str) -> Handler {
    Handler::start_with(architecture, cloudwatch_at(endpoint)).await
}

#[tokio::test]
async fn metrics_leave_after_the_answer_and_before_the_next_event() {
    for architecture in BOTH {
        let cloudwatch = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut handler = start(architecture, &format!("http://{}", cloudwatch.local_addr().unwrap())).await;

        // The answer is here although nothing has been accepted at the endpoint.
        assert!(matches!(handler.outcome(REQUEST, TIMEOUT).await, Outcome::Response(_)));

        let (mut connection, _) = cloudwatch.accept().await.unwrap();
        let mut head = vec![0; 8192];
        let length = connection.read(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head[..length]).into_owned();
        assert!(head.starts_with(PUT_METRIC_DATA), "{head}");

        // While the endpoint keeps silent, no event is asked for; the handler gives up in time.
        let api = handler.environment.api();
        assert!(timeout(Duration::from_millis(50), api.asked_for_work(2)).await.is_err());
        timeout(TIMEOUT, api.asked_for_work(2)).await.unwrap();
    }
}

#[tokio::test]
async fn no_metrics_leave_when_the_request_says_so() {
    for architecture in BOTH {
        let cloudwatch = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut handler = start(architecture, &format!("http://{}", cloudwatch.local_addr().unwrap())).await;
        let quiet = REQUEST.replace('}', r#","emit_metrics":false}"#);
        handler.direct(quiet).await.unwrap();
        timeout(TIMEOUT, handler.environment.api().asked_for_work(2)).await.unwrap();
        assert!(timeout(Duration::ZERO, cloudwatch.accept()).await.is_err(), "metrics were sent");
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_or_is_empty_does_not_matter_to_the_answer() {
    for architecture in BOTH {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        for endpoint in [format!("http://127.0.0.1:{port}"), String::new()] {
            let mut handler = start(architecture, &endpoint).await;
            for _ in 0..2 {
                handler.direct(REQUEST).await.unwrap();
            }
        }
    }
}
