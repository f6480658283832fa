//! Structured logs, as Lambda's advanced logging controls ask for them.

use crate::protocol::{Architecture, Environment, Error, Response, Sample, Status};
use std::env;
use tracing::{info, level_filters::LevelFilter};
use tracing_subscriber::fmt;

/// Writes logs to standard output: JSON lines, or text where `AWS_LAMBDA_LOG_FORMAT` is `Text`,
/// from the level in `AWS_LAMBDA_LOG_LEVEL` up (`INFO` where unset or unknown).
///
/// Unlike the runtime's own subscriber, this one keeps timestamps (Lambda takes the time of a JSON
/// record from them) and lets nothing else override the level that was set for the function.
pub fn init() {
    let level = level(&env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default());
    let logs = fmt().with_max_level(level).with_ansi(false);
    if env::var("AWS_LAMBDA_LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("text")) {
        logs.init();
    } else {
        logs.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    }
}

/// The event of an invocation that was answered: what ran, and its totals. Single measurements are in the
/// answer and in the metrics.
pub fn answered(response: &Response) {
    let results = response.results.as_slice();
    let workloads: Vec<&str> = results.iter().map(|sample| sample.workload.as_str()).collect();
    let count = |status| results.iter().filter(|sample| sample.status == status).count();
    let total_ms = |times: fn(&Sample) -> &[f64]| {
        let of_sample = |sample: &Sample| times(sample).iter().sum::<f64>() * f64::from(sample.batch_size);
        results.iter().map(of_sample).sum::<f64>() / 1e6
    };
    info!(
        request_id = response.request_id,
        architecture = response.function.architecture.as_str(),
        memory_mb = response.function.memory_mb,
        cpu_model = response.host.cpu_model,
        emulated = response.host.emulated,
        environment_id = response.environment.id,
        cold_start = response.environment.cold_start,
        init_ms = response.environment.init_ms,
        workloads = workloads.join(" "),
        size = results.first().map(|sample| sample.size.to_string()),
        iterations = results.iter().map(|sample| sample.wall_ns.len()).sum::<usize>(),
        wall_ms = total_ms(|sample| &sample.wall_ns),
        cpu_ms = total_ms(|sample| &sample.cpu_ns),
        max_rss_bytes = results.iter().map(|sample| sample.memory.max_rss_bytes).max(),
        complete = response.complete,
        truncated = count(Status::Truncated),
        skipped = count(Status::Skipped),
        failed = count(Status::Failed),
        remaining_ms = response.remaining_ms,
        "benchmark"
    );
}

/// The event of an invocation that was answered with an error.
pub fn refused(request_id: &str, environment: &Environment, error: &Error) {
    info!(
        request_id,
        architecture = Architecture::OF_BINARY.as_str(),
        environment_id = environment.id,
        cold_start = environment.cold_start,
        init_ms = environment.init_ms,
        error = error.kind(),
        detail = %error,
        "refused"
    );
}

fn level(name: &str) -> LevelFilter {
    match name.to_ascii_uppercase().as_str() {
        "" => LevelFilter::INFO,
        "FATAL" => LevelFilter::ERROR,
        name => name.parse().unwrap_or(LevelFilter::INFO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_lambdas() {
        for (name, expected) in [
            ("TRACE", LevelFilter::TRACE),
            ("debug", LevelFilter::DEBUG),
            ("WARN", LevelFilter::WARN),
            ("FATAL", LevelFilter::ERROR),
            ("", LevelFilter::INFO),
            ("loud", LevelFilter::INFO),
        ] {
            assert_eq!(level(name), expected, "{name}");
        }
    }
}
