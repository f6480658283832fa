//! Structured logs, as Lambda's advanced logging controls ask for them.

use std::env;
use tracing::level_filters::LevelFilter;
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
