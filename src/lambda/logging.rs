//! Structured logs, as configured by Lambda's advanced logging controls.

use crate::protocol::{Architecture, Environment, Error, Response, Sample, Status};
use std::{
    env,
    panic::{self, PanicHookInfo},
    sync::{Mutex, PoisonError},
};
use tracing::{error, info, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The id of the current invocation, for the panic hook.
static REQUEST_ID: Mutex<String> = Mutex::new(String::new());

/// Writes logs to standard output: JSON lines, or text where `AWS_LAMBDA_LOG_FORMAT` is `Text`,
/// from the level in `AWS_LAMBDA_LOG_LEVEL` up (`INFO` where unset or unknown).
///
/// Unlike the runtime's own subscriber, this one keeps timestamps (Lambda takes the time of a JSON record from them),
/// and nothing else overrides the level that was set for the function. Panics are events too.
pub fn init() {
    let level = level(&env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default());
    // The runtime's record of a function error would repeat the event `refused`, which knows the invocation.
    let targets = Targets::new().with_default(level).with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let logs = fmt().with_max_level(level).with_ansi(false);
    if env::var("AWS_LAMBDA_LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("text")) {
        logs.finish().with(targets).init();
    } else {
        let logs = logs.json().flatten_event(true).with_current_span(false).with_span_list(false);
        logs.finish().with(targets).init();
    }
    panic::set_hook(Box::new(panicked));
}

/// Stores the id of the invocation that begins.
pub fn begin(request_id: &str) {
    request_id.clone_into(&mut REQUEST_ID.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Logs a panic, with the id of the current invocation, which is empty before the first.
fn panicked(info: &PanicHookInfo<'_>) {
    let request_id = REQUEST_ID.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let location = info.location().map(ToString::to_string);
    error!(request_id, location, detail = info.payload_as_str(), "panic");
}

/// Logs an invocation that was answered: what ran, and its totals. Single measurements are in the answer and in the
/// metrics.
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
        architecture = response.function.architecture.to_string(),
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

/// Logs an invocation that was held for a census.
pub fn held(response: &Response) {
    info!(
        request_id = response.request_id,
        architecture = response.function.architecture.to_string(),
        memory_mb = response.function.memory_mb,
        cpu_model = response.host.cpu_model,
        emulated = response.host.emulated,
        environment_id = response.environment.id,
        cold_start = response.environment.cold_start,
        init_ms = response.environment.init_ms,
        held_ms = response.held_ms,
        complete = response.complete,
        remaining_ms = response.remaining_ms,
        "census"
    );
}

/// Logs an invocation that was answered without measurements: with an error, or with the catalogue.
pub fn unmeasured(request_id: &str, environment: &Environment, error: Option<&Error>) {
    let event = if error.is_some() { "refused" } else { "catalogue" };
    info!(
        request_id,
        architecture = Architecture::OF_BINARY.to_string(),
        environment_id = environment.id,
        cold_start = environment.cold_start,
        init_ms = environment.init_ms,
        error = error.map(Error::kind),
        detail = error.map(ToString::to_string),
        "{event}"
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
    use serde_json::Value;
    use std::{
        io::{self, Write},
        panic::catch_unwind,
        sync::Arc,
        thread,
    };

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_an_event_of_its_invocation() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
        let (here, before) = (thread::current().id(), Arc::new(panic::take_hook()));
        let elsewhere = Arc::clone(&before);
        panic::set_hook(Box::new(
            move |info| if thread::current().id() == here { panicked(info) } else { elsewhere(info) },
        ));
        begin("r-1");
        let panic = tracing::subscriber::with_default(subscriber, || catch_unwind(|| panic!("a {}", "bug")));
        panic::set_hook(Box::new(move |info| before(info)));
        assert!(panic.is_err());
        let line: Value = serde_json::from_slice(&log.0.lock().unwrap()).unwrap();
        let text = |name: &str| line[name].as_str().unwrap();
        assert_eq!(["level", "message", "request_id", "detail"].map(text), ["ERROR", "panic", "r-1", "a bug"]);
        assert!(text("location").starts_with(file!()));
    }

    #[test]
    fn levels_are_named_as_by_lambda() {
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
