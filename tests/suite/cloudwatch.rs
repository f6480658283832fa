//! A CloudWatch endpoint that behaves as it is told.

use ciborium::Value;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::pending,
    io::Read,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};

/// The variables of a function whose metrics go to `endpoint`.
pub fn variables(endpoint: &str) -> [(&str, &str); 4] {
    [
        ("METRICS_SINK", "cloudwatch"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
}

/// An endpoint where nothing listens.
pub async fn unreachable() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// What the endpoint does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes the data.
    Take,
    /// Never answers.
    Hang,
    /// Answers long after the handler has given up.
    Slow,
    /// Asks for patience.
    Throttle,
    /// Has an internal error.
    Fail,
    /// Fails in words that are no CBOR.
    Garbage,
}

impl Behaviour {
    pub const FAULTS: [Self; 5] = [Self::Hang, Self::Slow, Self::Throttle, Self::Fail, Self::Garbage];

    async fn answer(self) -> Response<Full<Bytes>> {
        let (status, body): (u16, &[u8]) = match self {
            Self::Take => (200, b"\xa0"),
            Self::Hang => pending().await,
            Self::Slow => {
                sleep(Duration::from_secs(5)).await;
                (200, b"\xa0")
            }
            Self::Throttle => (429, b"\xa1\x66__type\x6aThrottling"),
            Self::Fail => (500, b"\xa1\x66__type\x74InternalServiceFault"),
            Self::Garbage => (503, b"\xff<html>\x00"),
        };
        let mut response = Response::new(Full::new(Bytes::from_static(body)));
        *response.status_mut() = status.try_into().unwrap();
        response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
        response.headers_mut().insert("content-type", "application/cbor".parse().unwrap());
        response
    }
}

/// A `PutMetricData` call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The bytes of its body as they came, compressed or not.
    pub wire_bytes: usize,
    /// Its body.
    pub body: Vec<u8>,
}

impl Call {
    fn new(gzipped: bool, wire: &[u8]) -> Self {
        let mut body = Vec::new();
        if gzipped {
            GzDecoder::new(wire).read_to_end(&mut body).unwrap();
        } else {
            body.extend_from_slice(wire);
        }
        Self { wire_bytes: wire.len(), body }
    }

    /// The data of the call.
    pub fn data(&self) -> Vec<Datum> {
        let body: Value = ciborium::from_reader(&*self.body).unwrap();
        assert_eq!(member(&body, "Namespace").as_text(), Some("LambdaDuet"));
        member(&body, "MetricData").as_array().unwrap().iter().map(Datum::new).collect()
    }
}

/// One datum, as far as the tests look at it.
#[derive(Debug, PartialEq)]
pub struct Datum {
    pub name: String,
    pub unit: String,
    pub workload: Option<String>,
    pub values: Vec<f64>,
    pub counts: Vec<f64>,
}

impl Datum {
    fn new(datum: &Value) -> Self {
        let text = |name: &str| member(datum, name).as_text().unwrap().to_owned();
        let numbers = |name: &str| member(datum, name).as_array().unwrap().iter().map(number).collect();
        let dimensions = member(datum, "Dimensions").as_array().unwrap();
        let workload = dimensions.iter().find(|dimension| member(dimension, "Name").as_text() == Some("Workload"));
        Self {
            name: text("MetricName"),
            unit: text("Unit"),
            workload: workload.map(|dimension| member(dimension, "Value").as_text().unwrap().to_owned()),
            values: numbers("Values"),
            counts: numbers("Counts"),
        }
    }
}

fn member<'a>(map: &'a Value, name: &str) -> &'a Value {
    let members = map.as_map().unwrap();
    &members.iter().find(|(key, _)| key.as_text() == Some(name)).unwrap_or_else(|| panic!("no {name} in {map:?}")).1
}

fn number(value: &Value) -> f64 {
    value.as_float().or_else(|| value.as_integer().map(|integer| i128::from(integer) as f64)).unwrap()
}

/// The endpoint, on a free port of the loopback interface.
pub struct Endpoint {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Endpoint {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let endpoint = Self { url, calls: Arc::clone(&calls) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let calls = Arc::clone(&calls);
                let service = service_fn(move |request: Request<Incoming>| {
                    let calls = Arc::clone(&calls);
                    async move {
                        let gzipped = request.headers().get("content-encoding").is_some_and(|coding| coding == "gzip");
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        calls.lock().unwrap().push(Call::new(gzipped, &body));
                        Ok::<_, Infallible>(behaviour.answer().await)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        endpoint
    }

    /// The calls that have come so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}
