//! One call of a census, as `census.jsonl` keeps it.

use super::plan::CensusCall;
use crate::{
    campaign::{
        LAST_UNIX_MS,
        call_to_row::{self, Returned},
        caller::of_api_answer,
        failure::{Failure, FailureKind},
        manifest::Variant,
        payload,
        row::Row,
        run_directory::checks,
        variants::VariantIndex,
    },
    protocol::control_characters::visible,
};
use serde::{Deserialize, Serialize};

/// The outcome of one call: an environment or a failure, never a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CensusRow {
    /// The variant that was called.
    pub variant: VariantIndex,
    /// The number of the variant's round, from 1.
    pub round: u32,
    /// When the call was sent, in milliseconds since the census began, or the campaign that takes it, without pauses between
    /// two starts of the program.
    pub elapsed_ms: u64,
    /// When the call was sent, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// From sending the call to having the whole answer, in milliseconds.
    pub latency_ms: u64,
    /// The environment that answered, if it is known. That of a clone with a probe has the id of the request that has started
    /// it, until log streams tell its name.
    pub environment: Option<String>,
    /// The model of its CPU, if it is known.
    pub cpu_model: Option<String>,
    /// The id of the request that was made of a clone with a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether the environment's cold start is part of this call; `None` if that is unknown.
    pub cold: Option<bool>,
    /// The most that Lambda bills for the call, in milliseconds; `None` if it has not run the function.
    pub billed_ms: Option<f64>,
    /// The estimated bill, in US dollars.
    pub cost_usd: f64,
    /// The reason why the call does not count.
    pub failure: Option<Failure>,
}

impl CensusRow {
    /// The row of a call that has returned. `is_new` tells whether no earlier call has met an environment.
    pub(super) fn new(
        call: &CensusCall,
        variant: &Variant,
        round: u32,
        returned: Returned,
        is_new: impl FnOnce(&str) -> bool,
    ) -> Self {
        let (mut row, output) = call_to_row::unread(returned, "census");
        match output {
            Ok(output) => read(call, &output, &mut row),
            Err(failure) => row.failure = Some(in_view_of(call, failure)),
        }
        Self {
            variant: row.variant,
            round,
            elapsed_ms: row.elapsed_ms,
            unix_ms: row.started_unix_ms,
            latency_ms: row.latency_ns / 1_000_000,
            environment: row.environment().map(str::to_owned),
            cpu_model: row.cpu_model().filter(|model| !model.is_empty()).map(str::to_owned),
            request_id: row.request_id.clone().filter(|_| matches!(call, CensusCall::Probe { .. })),
            cold: row.cold_start(row.environment().is_some_and(is_new), true),
            billed_ms: call_to_row::billed_ms(variant, &row),
            cost_usd: call_to_row::cost(variant, &row),
            failure: row.failure,
        }
    }

    /// The environment and the model of its CPU, if both are known.
    pub fn counted(&self) -> Option<(&str, &str)> {
        if self.failure.is_some() {
            return None;
        }
        self.environment.as_deref().zip(self.cpu_model.as_deref())
    }

    /// The id of the request that stands for the name of the environment, which the request has started.
    pub(in crate::campaign) fn request_of_unnamed(&self) -> Option<&str> {
        self.counted().filter(|_| self.request_id == self.environment).map(|(request_id, _)| request_id)
    }

    pub(super) fn is_throttled(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Throttled)
    }

    /// Checks a row, which may have been edited, of a census of so many variants.
    ///
    /// # Errors
    /// The field, its value, and what is allowed.
    pub(super) fn check(&self, variants: usize) -> Result<(), String> {
        if self.variant.get() >= variants {
            return Err(format!("variant is {}; it must be below {variants}, the number of variants", self.variant));
        }
        checks::at_most("elapsed_ms", self.elapsed_ms, checks::YEAR_MS)?;
        checks::at_most("unix_ms", self.unix_ms, LAST_UNIX_MS)?;
        checks::at_most("latency_ms", self.latency_ms, checks::YEAR_MS)?;
        checks::within("round", self.round, u32::MAX)?;
        checks::name("environment", self.environment.as_deref())?;
        checks::name("cpu_model", self.cpu_model.as_deref())?;
        checks::name("request_id", self.request_id.as_deref())?;
        checks::number("billed_ms", self.billed_ms, checks::YEAR_MS as f64)?;
        checks::number("cost_usd", self.cost_usd, checks::MAX_USD)
    }
}

/// Reads which environment has answered, and which CPU it has.
fn read(call: &CensusCall, output: &[u8], row: &mut Row) {
    row.failure = match call {
        CensusCall::Service { .. } => match call_to_row::response(output) {
            Ok(response) if response.held_ms.is_some() => {
                row.response = Some(response);
                return;
            }
            Ok(_) => Some("it answers without a hold".to_owned()),
            Err(error) => Some(error),
        }
        .map(|reason| Failure::new(FailureKind::Answer, no_service(&reason, output))),
        CensusCall::Own { environment, cpu_model, .. } => {
            call_to_row::read_names(output, [Some(environment), Some(cpu_model)], row);
            let options =
                [("--environment", environment, &row.environment), ("--cpu-model", cpu_model, &row.cpu_model)];
            let missing = options.into_iter().find(|(.., found)| found.is_none());
            of_api_answer(output, &[]).or_else(|| {
                missing
                    .map(|(option, pointer, _)| Failure::new(FailureKind::Answer, not_found(option, pointer, output)))
            })
        }
        CensusCall::Probe { environment, cpu_model, accept_status, .. } => {
            let is_told = row.cpu_model.is_some();
            let is_cold = row.cold_start(false, true) == Some(true);
            call_to_row::read_names(output, [environment.as_deref(), cpu_model.as_deref()], row);
            if is_told {
                // One cold start, one environment.
                row.environment = row.environment.take().or_else(|| row.request_id.clone());
            }
            of_api_answer(output, accept_status)
                .or_else(|| (is_cold && !is_told).then(|| Failure::new(FailureKind::Answer, NOT_IN_LOG)))
        }
    };
}

/// Why a cold start tells no CPU. Lambda sends the last 4 KB of a log.
const NOT_IN_LOG: &str = "the end of the log of this cold start does not have what the probe has written, as if the function \
    prints more than 4 KB when it starts: let it print less, or say where its answers name the environment and the CPU \
    (--environment POINTER --cpu-model POINTER)";

fn no_service(reason: &str, output: &[u8]) -> String {
    let start = String::from_utf8_lossy(&output[..output.len().min(200)]).into_owned();
    format!(
        "this is no answer of the benchmark service to a census request ({reason}): of a function of your own, say where \
         its answers name the environment and the CPU (--payload FILE --environment POINTER --cpu-model POINTER), or \
         use `duet try --census`; it answered {start}"
    )
}

fn not_found(option: &str, pointer: &str, output: &[u8]) -> String {
    let nearest = payload::nearest_pointer(output, pointer).filter(|nearest| nearest != pointer);
    let hint = nearest.map(|nearest| format!("; did you mean {}?", visible(&nearest))).unwrap_or_default();
    format!("{option} {pointer} finds no name in the answer{hint}")
}

/// The failure, with the remedy if a service of an earlier version does not know census requests.
fn in_view_of(call: &CensusCall, failure: Failure) -> Failure {
    let is_unknown =
        matches!(call, CensusCall::Service { .. }) && failure.message.contains("unknown field \"hold_ms\"");
    if !is_unknown {
        return failure;
    }
    let message = format!("{}; this service is of an earlier version: deploy it anew", failure.message);
    Failure { message, ..failure }
}

#[cfg(test)]
impl CensusRow {
    /// A call of the first variant that was answered by this environment, which has this CPU.
    pub(crate) fn example(environment: &str, cpu_model: &str) -> Self {
        Self {
            variant: VariantIndex::default(),
            round: 1,
            elapsed_ms: 0,
            unix_ms: 0,
            latency_ms: 3,
            environment: Some(environment.to_owned()),
            cpu_model: Some(cpu_model.to_owned()),
            cold: None,
            billed_ms: None,
            cost_usd: 0.25,
            request_id: None,
            failure: None,
        }
    }

    /// A call of a clone with a probe, which has started an environment with the CPU model "V1".
    pub(crate) fn of_clone(request_id: &str) -> Self {
        let started = Self { unix_ms: 1_000_000, latency_ms: 1, cold: Some(true), ..Self::example(request_id, "V1") };
        Self { request_id: Some(request_id.to_owned()), ..started }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        caller::Answer, manifest::Manifest, platform_report::PlatformReport, schedule::Call, variants::Variants,
    };
    use hyper::body::Bytes;
    use std::time::Duration;

    fn probe(pointers: [Option<&str>; 2]) -> CensusCall {
        let [environment, cpu_model] = pointers.map(|pointer| pointer.map(str::to_owned));
        let accept_status = vec!["404".parse().unwrap()];
        CensusCall::Probe { payload: "{}".to_owned(), environment, cpu_model, accept_status }
    }

    /// The row of a call of the request "r"; `cpu_model` is what the probe has written into its log.
    fn row(
        call: &CensusCall,
        output: Result<&'static str, Failure>,
        cpu_model: Option<&str>,
        is_cold: bool,
    ) -> CensusRow {
        let variants: Variants<Variant> = Manifest::example().variants;
        let (variant, of_variant) = variants.iter().next().unwrap();
        let report = PlatformReport {
            duration_ms: Some(1.0),
            billed_ms: Some(1.0),
            init_ms: is_cold.then_some(2.0),
            ..PlatformReport::default()
        };
        let answer = Answer {
            output: output.map(|text| Bytes::from_static(text.as_bytes())),
            report: Some(report),
            environment: None,
            cpu_model: cpu_model.map(str::to_owned),
            request_id: Some("r".to_owned()),
            executed_version: None,
            sent: None,
        };
        let returned = Returned {
            call: Call { variant, cell: 0, slot: 0 },
            started_unix_ms: 1,
            elapsed: Duration::ZERO,
            delay: Duration::ZERO,
            latency: Duration::from_millis(9),
            answer,
        };
        let row = CensusRow::new(call, of_variant, 1, returned, |_| true);
        assert_eq!(row.check(1), Ok(()));
        row
    }

    #[test]
    fn a_cold_start_of_a_clone_is_an_environment_with_the_name_of_its_request() {
        let call = probe([None, None]);
        let cold = row(&call, Ok("{}"), Some("V1"), true);
        assert_eq!((cold.counted(), cold.cold, cold.failure.clone()), (Some(("r", "V1")), Some(true), None));
        assert_eq!((cold.request_id.as_deref(), cold.request_of_unnamed()), (Some("r"), Some("r")));
        // A warm call counts nothing, and is no failure.
        let warm = row(&call, Ok("{}"), None, false);
        assert_eq!((warm.counted(), &warm.failure, warm.request_id.as_deref()), (None, &None, Some("r")));
    }

    #[test]
    fn a_cold_start_whose_log_does_not_tell_says_why() {
        let untold = row(&probe([None, None]), Ok("{}"), None, true);
        assert_eq!(untold.counted(), None);
        let message = untold.failure.unwrap().message;
        assert!(message.contains("prints more than 4 KB when it starts: let it print less, or say where"), "{message}");
    }

    #[test]
    fn a_call_that_failed_counts_nothing_and_an_accepted_status_is_no_failure() {
        let call = probe([None, None]);
        let failed = row(&call, Err(Failure::new(FailureKind::Function, "boom")), Some("V1"), true);
        assert_eq!((failed.counted(), failed.failure.as_ref().unwrap().message.as_str()), (None, "boom"));
        let refused = row(&call, Ok(r#"{"statusCode": 500}"#), Some("V1"), true);
        assert!(refused.counted().is_none() && refused.failure.unwrap().message.contains("statusCode 500"));
        assert!(row(&call, Ok(r#"{"statusCode": 404}"#), Some("V1"), true).counted().is_some());
    }

    #[test]
    fn what_answers_of_clones_name_takes_precedence() {
        let answer = r#"{"id": "e", "cpu": "own"}"#;
        let named = row(&probe([Some("/id"), None]), Ok(answer), Some("V1"), true);
        assert_eq!((named.counted(), named.request_of_unnamed()), (Some(("e", "V1")), None));
        let of_model = probe([None, Some("/cpu")]);
        assert_eq!(row(&of_model, Ok(answer), Some("V1"), true).counted(), Some(("r", "own")));
        // Nothing says that a warm one is another environment.
        assert_eq!(row(&of_model, Ok(answer), None, false).counted(), None);
    }

    #[test]
    fn rows_of_functions_without_a_probe_have_no_request_id() {
        let own =
            CensusCall::Own { payload: "{}".to_owned(), environment: "/id".to_owned(), cpu_model: "/cpu".to_owned() };
        let row = row(&own, Ok(r#"{"id": "e", "cpu": "own"}"#), None, true);
        assert_eq!((row.counted(), row.request_id.as_deref()), (Some(("e", "own")), None));
        assert!(!serde_json::to_string(&row).unwrap().contains("request_id"));
    }
}
