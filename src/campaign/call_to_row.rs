//! The row of a call that has returned.

use super::{
    caller::{Answer, of_api_answer},
    configuration::LONGEST_TIMEOUT_S,
    failure::{Failure, FailureKind},
    manifest::{Manifest, Plan, Variant},
    payload,
    platform_report::PlatformReport,
    position::Position,
    row::Row,
    run_directory::checks,
    schedule::Call,
    totals::Totals,
};
use crate::protocol::{Response, Status, whole_ns};
use hyper::body::Bytes;
use std::time::Duration;

/// A call that has returned.
pub(super) struct Returned {
    pub(super) call: Call,
    pub(super) started_unix_ms: u64,
    pub(super) elapsed: Duration,
    pub(super) delay: Duration,
    pub(super) latency: Duration,
    pub(super) answer: Answer,
}

/// The row of a call of the step at `position`. `totals`, and the rows that are not in them yet, tell whether its
/// environment is new.
pub(super) fn row_of(
    manifest: &Manifest,
    position: &Position<'_>,
    returned: Returned,
    (totals, others): (&Totals, &[Row]),
) -> Row {
    let plan = &manifest.plan;
    let cell = &plan.cells[returned.call.cell];
    let attempt = position.attempts(returned.call);
    let (row, output) = unread(returned, &cell.name);
    let mut row = Row { block: position.block, step: position.step, attempt, ..row };
    match output {
        Ok(output) if cell.workload.is_some() => read_response(&output, &mut row),
        Ok(output) => read_output(&output, plan, &mut row),
        Err(failure) => row.failure = Some(failure),
    }
    row.cold = row.cold_start(is_first_of_environment(&row, totals, others), plan.cold);
    row.cost_usd = cost(&manifest.variants[row.variant], &row);
    row
}

/// The row of a first attempt in the first step, without what the function's answer tells; and that answer.
pub(super) fn unread(returned: Returned, cell: &str) -> (Row, Result<Bytes, Failure>) {
    let Call { variant, slot, .. } = returned.call;
    let Answer { output, report, environment, cpu_model, request_id, executed_version, sent: _ } = returned.answer;
    let row = Row {
        block: 0,
        step: 0,
        slot,
        attempt: 0,
        variant,
        cell: cell.to_owned(),
        started_unix_ms: returned.started_unix_ms,
        elapsed_ms: returned.elapsed.as_millis() as u64,
        delay_ns: whole_ns(returned.delay),
        latency_ns: whole_ns(returned.latency),
        cold: None,
        cost_usd: 0.0,
        // A log line can contain anything, so a report that could not be read back is not written.
        report: report.filter(|report| checks::report(report).is_ok()),
        request_id,
        executed_version,
        response: None,
        environment,
        cpu_model,
        output_sha256: None,
        failure: None,
    };
    (row, output)
}

/// Reads an answer of the benchmark service.
fn read_response(output: &[u8], row: &mut Row) {
    let response = match response(output) {
        Ok(response) => response,
        Err(error) => {
            let start = String::from_utf8_lossy(&output[..output.len().min(200)]).into_owned();
            let message = format!(
                "this is not an answer of the benchmark service; a function of your own takes a campaign with --payload FILE \
                 ({error}): {start}"
            );
            row.failure = Some(Failure::new(FailureKind::Answer, message));
            return;
        }
    };
    row.failure = response.results.iter().find(|sample| sample.status == Status::Failed).map(|sample| {
        let reason = sample.error.as_deref().unwrap_or_default();
        Failure::new(FailureKind::Answer, format!("{} failed: {reason}", sample.workload))
    });
    // The response itself names its environment.
    row.environment = None;
    row.response = Some(response);
}

/// The response that an answer of the benchmark service is.
///
/// # Errors
/// When it is none.
pub(super) fn response(output: &[u8]) -> Result<Box<Response>, String> {
    let response = serde_json::from_slice::<Box<Response>>(output).map_err(|error| error.to_string());
    response.and_then(|response| checks::response(&response).map(|()| response))
}

/// Reads the answer of any other function.
fn read_output(output: &Bytes, plan: &Plan, row: &mut Row) {
    read_names(output, [plan.environment.as_deref(), plan.cpu_model.as_deref()], row);
    row.failure = of_api_answer(output, &plan.accept_status);
    if plan.compare_output && row.failure.is_none() {
        row.output_sha256 = Some(payload::digest(output, &plan.ignore));
    }
}

/// Reads the names of the environment and of the processor's model, which these pointers lead to.
pub(super) fn read_names(output: &[u8], pointers: [Option<&str>; 2], row: &mut Row) {
    let [environment, cpu_model] = payload::names(output, pointers);
    // The function's own name of its environment takes precedence over the caller's.
    row.environment = environment.or(row.environment.take());
    row.cpu_model = cpu_model.or(row.cpu_model.take());
}

/// Whether no earlier call has met the environment that answered; false if it is unknown.
fn is_first_of_environment(row: &Row, totals: &Totals, others: &[Row]) -> bool {
    row.environment().is_some_and(|id| {
        let is_same = |other: &Row| other.variant == row.variant && other.environment() == Some(id);
        !totals.has_met(row.variant, id) && !others.iter().any(is_same)
    })
}

/// The most that a call may cost, in US dollars.
pub(super) fn cost(variant: &Variant, row: &Row) -> f64 {
    let memory_mb = row.report.as_ref().and_then(|report| report.memory_mb);
    billed_ms(variant, row).map_or(0.0, |billed| variant.cost(billed, memory_mb))
}

/// The most that Lambda may bill for a call, in milliseconds; `None` if it has not run the function. A credible report
/// counts. Otherwise the client's time is an upper bound if there is an answer, and the function's timeout if there is
/// none: the function may still be running.
pub(super) fn billed_ms(variant: &Variant, row: &Row) -> Option<f64> {
    let waited = row.latency_ms().ceil();
    if let Some(billed) = row.report.as_ref().and_then(PlatformReport::all_billed_ms) {
        return Some(match row.believed_report() {
            // An init before the call is not billed with it.
            Some(_) if row.has_earlier_init() => billed.min(waited),
            Some(_) => billed,
            None => billed.max(waited),
        });
    }
    match &row.failure {
        Some(failure) if failure.has_not_run => None,
        Some(Failure { kind: FailureKind::Timeout | FailureKind::Network | FailureKind::Transient, .. }) => {
            let timeout_s =
                variant.configuration.as_ref().map_or(LONGEST_TIMEOUT_S, |configuration| configuration.timeout_s);
            Some(waited.max(f64::from(timeout_s) * 1000.0))
        }
        Some(_) | None => Some(waited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::variants::VariantIndex;

    fn called(reported: Option<(f64, Option<f64>)>, latency_ms: f64) -> Row {
        let report = |(duration_ms, init_ms)| PlatformReport {
            duration_ms: Some(duration_ms),
            init_ms,
            ..PlatformReport::default()
        };
        Row {
            latency_ns: (latency_ms * 1e6) as u64,
            report: reported.map(report),
            environment: Some("e".to_owned()),
            ..Row::example()
        }
    }

    #[test]
    fn a_cold_start_is_recognized_by_report_and_latency_together() {
        let cold = |report, latency_ms, is_first| called(report, latency_ms).cold_start(is_first, false);
        let (first, later) = (true, false);
        for is_first in [first, later] {
            assert_eq!(cold(Some((20.0, Some(300.0))), 330.0, is_first), Some(true));
            // Provisioned: the client cannot have waited for that init.
            assert_eq!(cold(Some((20.0, Some(4832.0))), 23.0, is_first), None);
            assert_eq!(cold(None, 23.0, is_first), None);
            // No function runs for longer than its client waits.
            assert_eq!(cold(Some((2000.0, None)), 23.0, is_first), None);
        }
        assert_eq!(cold(Some((20.0, None)), 23.0, later), Some(false));
        // It may have been there before.
        assert_eq!(cold(Some((20.0, None)), 23.0, first), None);
        assert_eq!(cold(Some((64754.0, None)), 75_000.0, first), Some(true));
        assert_eq!(cold(Some((64754.0, None)), 64_800.0, later), Some(false));
        // The first attempt at the init is not part of the duration.
        assert_eq!(cold(Some((200.0, None)), 10_400.0, first), Some(true));
        // Clocks may differ a little.
        assert_eq!(cold(Some((20.0, Some(3.9))), 23.0, later), Some(true));
    }

    #[test]
    fn a_forced_cold_start_of_more_than_ten_seconds_needs_no_environment_id() {
        let row = Row { environment: None, ..called(Some((12_000.0, None)), 22_500.0) };
        assert_eq!(row.cold_start(false, true), Some(true));
        assert_eq!(row.cold_start(false, false), Some(false));
    }

    #[test]
    fn an_environment_is_new_once_for_each_variant_also_within_a_step() {
        let (mut totals, row) = (Totals::new(2), called(None, 1.0));
        assert!(is_first_of_environment(&row, &totals, &[]));
        assert!(!is_first_of_environment(&row, &totals, std::slice::from_ref(&row)));
        let other_variant = Row { variant: VariantIndex::both()[1], ..row.clone() };
        assert!(is_first_of_environment(&row, &totals, &[other_variant]));
        assert!(!is_first_of_environment(&Row { environment: None, ..row.clone() }, &totals, &[]));
        // One that failed has met it all the same.
        totals.add(&Row { failure: Some(Failure::new(FailureKind::Function, "")), ..row.clone() });
        assert!(!is_first_of_environment(&row, &totals, &[]));
    }
}
