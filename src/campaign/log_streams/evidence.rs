//! What an event of a log says about the request that it belongs to.

use super::{
    super::{platform_report::PlatformReport, run_directory::checks},
    request_id::uuids,
};
use serde_json::Value;

/// What an event says, the most certain first.
#[derive(Debug, PartialEq)]
pub(super) enum Evidence<'a> {
    /// It is Lambda's report of this request.
    Report(String, PlatformReport),
    /// It is a line of this request.
    Line(String),
    /// It has these ids in its text.
    Mentions(Vec<&'a str>),
}

impl<'a> Evidence<'a> {
    pub(super) fn of(message: &'a str) -> Self {
        if let Some((id, report)) = PlatformReport::of_event(message) {
            return match checks::report(&report) {
                Ok(()) => Self::Report(id, report),
                Err(_) => Self::Line(id),
            };
        }
        let own_line = of_lambda(message).or_else(|| of_json(message));
        own_line.map_or_else(|| Self::Mentions(uuids(message).collect()), Self::Line)
    }
}

/// The request of a line that Lambda itself writes into a log of text.
fn of_lambda(message: &str) -> Option<String> {
    let rest = ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "]
        .iter()
        .find_map(|beginning| message.strip_prefix(beginning))?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// The request of a JSON object: an event of Lambda's own, a line of a managed runtime or of a common library.
fn of_json(message: &str) -> Option<String> {
    const NAMES: [&str; 5] = ["requestId", "AWSRequestId", "awsRequestId", "function_request_id", "request_id"];
    let object: Value = if message.starts_with('{') { serde_json::from_str(message).ok()? } else { return None };
    let of_platform = object.get("record").and_then(|record| record.get("requestId"));
    let id = of_platform.or_else(|| NAMES.iter().find_map(|name| object.get(*name)));
    id.and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8f507cfc-0000-4697-b07a-ac58fc914c95";

    fn line() -> Evidence<'static> {
        Evidence::Line(ID.to_owned())
    }

    #[test]
    fn reports_are_read_in_both_formats() {
        let text = format!(
            "REPORT RequestId: {ID}\tDuration: 15.74 ms\tBilled Duration: 147 ms\tMemory Size: 1769 MB\t\
             Max Memory Used: 34 MB\tInit Duration: 130.62 ms\t\nXRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\t\
             SegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n"
        );
        let json = format!(
            r#"{{"time":"2026-11-20T10:00:00.117Z","type":"platform.report","record":{{"requestId":"{ID}","metrics":{{"durationMs":15.74,"billedDurationMs":147,"memorySizeMB":1769,"maxMemoryUsedMB":34,"initDurationMs":130.62}},"status":"success"}}}}"#
        );
        let report = PlatformReport {
            duration_ms: Some(15.74),
            billed_ms: Some(147.0),
            billed_restore_ms: None,
            init_ms: Some(130.62),
            memory_mb: Some(1769),
            max_memory_mb: Some(34),
        };
        for message in [text, json] {
            assert_eq!(Evidence::of(&message), Evidence::Report(ID.to_owned(), report.clone()));
        }
        // As on Lambda Managed Instances.
        let short = format!(
            r#"{{"time":"","type":"platform.report","record":{{"requestId":"{ID}","metrics":{{"durationMs":1.5}}}}}}"#
        );
        let only = PlatformReport { duration_ms: Some(1.5), ..PlatformReport::default() };
        assert_eq!(Evidence::of(&short), Evidence::Report(ID.to_owned(), only));
        let restored = format!(
            "REPORT RequestId: {ID}\tDuration: 2.00 ms\tRestore Duration: 264.04 ms\tBilled Restore Duration: 65 ms"
        );
        let Evidence::Report(_, restored) = Evidence::of(&restored) else { panic!("no report") };
        assert_eq!((restored.init_ms, restored.billed_restore_ms), (Some(264.04), Some(65.0)));
    }

    #[test]
    fn a_report_that_cannot_be_read_back_still_belongs_to_its_request() {
        for report in ["Duration: 1e300 ms", "Duration: -1 ms", "Duration: 1"] {
            assert_eq!(Evidence::of(&format!("REPORT RequestId: {ID}\t{report}")), line());
        }
    }

    #[test]
    fn lines_of_lambda_and_of_runtimes_name_their_request() {
        for message in [
            format!("START RequestId: {ID} Version: $LATEST\n"),
            format!("END RequestId: {ID}\n"),
            format!(r#"{{"time":"","type":"platform.start","record":{{"requestId":"{ID}","version":"$LATEST"}}}}"#),
            format!(r#"{{"timestamp":"","level":"INFO","message":"hello","logger":"root","requestId":"{ID}"}}"#),
            format!(r#"{{"timestamp":"","level":"WARN","message":"hello","AWSRequestId":"{ID}"}}"#),
            format!(r#"{{"level":"INFO","location":"f:1","message":"hello","function_request_id":"{ID}"}}"#),
            format!(r#"{{"level":"INFO","message":"benchmark","request_id":"{ID}"}}"#),
        ] {
            assert_eq!(Evidence::of(&message), line(), "{message}");
        }
    }

    #[test]
    fn what_others_print_only_mentions_requests() {
        for message in [
            format!("2026-11-20T10:00:00.000Z\t{ID}\tINFO\thello"),
            format!("[extension] REPORT RequestId: {ID}\tDuration: 2.00 ms\tBilled Duration: 2 ms\t"),
            format!(r#"{{"message":"called","child":"{ID}"}}"#),
            format!(r#"{{"requestId":7,"message":"{ID}"}}"#),
        ] {
            assert_eq!(Evidence::of(&message), Evidence::Mentions(vec![ID]), "{message}");
        }
        assert_eq!(Evidence::of("INIT_START Runtime Version: python:3.13.v1"), Evidence::Mentions(Vec::new()));
    }
}
