//! Requests that run no workloads: the environment tells its CPU, and is held for a time, so that calls at the same moment
//! meet as many environments.

use super::{FIELDS, boolean, integer, read};
use crate::protocol::Error;
use serde::Serialize;
use serde_json::{Map, Value};
use std::{ops::RangeInclusive, time::Duration};

const HOLD_MS: RangeInclusive<u64> = 0..=CensusRequest::MAX_HOLD_MS as u64;

/// API Gateway waits 29 s for an answer; the first second is left for the way there and for a cold start.
const MAX_HOLD_MS_OF_API_GATEWAY: u32 = 28_000;

/// One census request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CensusRequest {
    /// How long after the request the answer is given, in milliseconds, 0–60,000.
    pub hold_ms: u32,
    /// Whether this invocation emits metrics.
    pub emit_metrics: bool,
}

impl CensusRequest {
    pub const MAX_HOLD_MS: u32 = 60_000;

    /// The request, if these known fields are those of one.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a wrong type, a value out of bounds, or a field that only a benchmark has.
    pub(super) fn from_fields(fields: &Map<String, Value>) -> Result<Option<Self>, Error> {
        let Some(hold) = fields.get("hold_ms") else { return Ok(None) };
        let of_benchmark = |name: &&str| !["hold_ms", "emit_metrics"].contains(name) && fields.contains_key(*name);
        if let Some(name) = FIELDS.into_iter().find(of_benchmark) {
            let detail = format!("\"{name}\" cannot be beside \"hold_ms\": a census runs no workloads; leave one out");
            return Err(Error::invalid(name, detail));
        }
        Ok(Some(Self {
            hold_ms: integer(HOLD_MS)("hold_ms", hold)?,
            emit_metrics: read(fields, "emit_metrics", true, boolean)?,
        }))
    }

    /// How long after the request the answer is given.
    pub fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_ms.into())
    }

    /// Refuses a hold for which API Gateway does not wait.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for one that is too long.
    pub fn check_for_api_gateway(&self) -> Result<(), Error> {
        let hold_ms = self.hold_ms;
        if hold_ms <= MAX_HOLD_MS_OF_API_GATEWAY {
            return Ok(());
        }
        let detail = format!(
            "\"hold_ms\" must be at most {MAX_HOLD_MS_OF_API_GATEWAY} through API Gateway, which waits 29 s, not \
             {hold_ms}; invoke the function directly, or hold for at most {MAX_HOLD_MS_OF_API_GATEWAY} ms"
        );
        Err(Error::invalid("hold_ms", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Request, ServiceRequest};

    fn parsed(text: &str) -> Result<ServiceRequest, (String, String)> {
        ServiceRequest::parse(text).map_err(|error| match error {
            Error::InvalidRequest { field, detail } => (field.unwrap(), detail),
            other => panic!("{other:?}"),
        })
    }

    fn census(hold_ms: u32, emit_metrics: bool) -> ServiceRequest {
        ServiceRequest::Census(CensusRequest { hold_ms, emit_metrics })
    }

    #[test]
    fn a_hold_makes_a_census_and_nothing_else_does() {
        assert_eq!(parsed(r#"{"hold_ms":0}"#), Ok(census(0, true)));
        assert_eq!(parsed(r#"{"emit_metrics":false,"hold_ms":60000}"#), Ok(census(60_000, false)));
        let quiet = Request { emit_metrics: false, ..Request::default() };
        assert_eq!(parsed(r#"{"emit_metrics":false}"#), Ok(ServiceRequest::Benchmark(quiet)));
        let written = serde_json::to_string(&CensusRequest { hold_ms: 1500, emit_metrics: false }).unwrap();
        assert_eq!(parsed(&written), Ok(census(1500, false)));
    }

    #[test]
    fn refusals_name_the_field_the_value_and_the_fix() {
        for (text, field, part) in [
            (r#"{"hold_ms":60001}"#, "hold_ms", "an integer from 0 to 60000, not 60001"),
            (r#"{"hold_ms":-1}"#, "hold_ms", "not -1"),
            (r#"{"hold_ms":null}"#, "hold_ms", "not null"),
            (r#"{"hold_ms":"1s"}"#, "hold_ms", "not \"1s\""),
            (r#"{"hold_ms":1,"emit_metrics":1}"#, "emit_metrics", "true or false, not 1"),
            (r#"{"hold_ms":1,"size":"small"}"#, "size", "a census runs no workloads"),
            (r#"{"hold_ms":1,"seed":1,"workloads":"all"}"#, "workloads", "cannot be beside \"hold_ms\""),
            (r#"{"hold_ms":1,"held":1}"#, "held", "unknown field"),
            (r#"{"hold":1}"#, "hold", "did you mean \"hold_ms\"?"),
        ] {
            let (at, detail) = parsed(text).unwrap_err();
            assert_eq!(at, field, "{text}");
            assert!(detail.contains(part), "{text} gave {detail}");
        }
    }

    #[test]
    fn api_gateway_bounds_the_hold() {
        let check = |hold_ms| CensusRequest { hold_ms, emit_metrics: true }.check_for_api_gateway();
        assert_eq!(check(28_000), Ok(()));
        let error = check(28_001).unwrap_err().to_string();
        assert!(error.contains("not 28001; invoke the function directly, or hold for at most 28000 ms"), "{error}");
    }
}
