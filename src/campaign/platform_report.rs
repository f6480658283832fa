//! Lambda's own measurements of an invocation: the `REPORT` line at the end of its log.

use serde::{Deserialize, Serialize};

/// What Lambda reports about an invocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformReport {
    /// How long the function took, in milliseconds.
    pub duration_ms: f64,
    /// What is billed, in milliseconds; none where nobody bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_ms: Option<f64>,
    /// How long the environment took to start, in milliseconds; none in an environment that was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_ms: Option<f64>,
    /// The function's memory setting, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// The most memory that the environment has used so far, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory_mb: Option<u32>,
}

impl PlatformReport {
    /// The last report in the end of a log, in the text format or as JSON.
    pub fn find(log: &str) -> Option<Self> {
        log.lines().rev().find_map(|line| Self::from_json(line).or_else(|| Self::from_text(line)))
    }

    /// `REPORT RequestId: … Duration: 1.2 ms Billed Duration: 2 ms …`, with tabs between the fields.
    fn from_text(line: &str) -> Option<Self> {
        let fields = &line[line.find("REPORT RequestId: ")?..];
        let field = |name: &str| {
            let value = fields.split('\t').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix(": "))?;
            value.split_whitespace().next()?.parse::<f64>().ok()
        };
        Some(Self {
            duration_ms: field("Duration")?,
            billed_ms: Some(field("Billed Duration")?),
            // SnapStart restores an environment where others start it.
            init_ms: field("Init Duration").or_else(|| field("Restore Duration")),
            memory_mb: field("Memory Size").map(|it| it as u32),
            max_memory_mb: field("Max Memory Used").map(|it| it as u32),
        })
    }

    /// The `platform.report` event of the JSON format.
    fn from_json(line: &str) -> Option<Self> {
        let Event { kind, record: Record { metrics } } = serde_json::from_str(line).ok()?;
        (kind == "platform.report").then(|| Self {
            duration_ms: metrics.duration,
            billed_ms: Some(metrics.billed_duration),
            init_ms: metrics.init_duration.or(metrics.restore_duration),
            memory_mb: metrics.memory_size,
            max_memory_mb: metrics.max_memory_used,
        })
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    record: Record,
}

#[derive(Deserialize)]
struct Record {
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Metrics {
    #[serde(rename = "durationMs")]
    duration: f64,
    #[serde(rename = "billedDurationMs")]
    billed_duration: f64,
    #[serde(rename = "initDurationMs")]
    init_duration: Option<f64>,
    #[serde(rename = "restoreDurationMs")]
    restore_duration: Option<f64>,
    #[serde(rename = "memorySizeMB")]
    memory_size: Option<u32>,
    #[serde(rename = "maxMemoryUsedMB")]
    max_memory_used: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Lambda writes them; the ids are made up.
    const TEXT: &str = "START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST\n\
        {\"level\":\"INFO\",\"message\":\"benchmark\"}\n\
        END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\n\
        REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\tBilled Duration: 147 ms\t\
        Memory Size: 1769 MB\tMax Memory Used: 34 MB\tInit Duration: 130.62 ms\t\n\
        XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\n";
    const JSON: &str = r#"{"time":"2026-11-20T10:00:00.100Z","type":"platform.start","record":{"requestId":"8f507cfc","version":"$LATEST"}}
{"time":"2026-11-20T10:00:00.117Z","type":"platform.report","record":{"requestId":"8f507cfc","metrics":{"durationMs":15.74,"billedDurationMs":147,"memorySizeMB":1769,"maxMemoryUsedMB":34,"initDurationMs":130.62},"status":"success"}}
"#;

    #[test]
    fn text_and_json_say_the_same() {
        let expected = PlatformReport {
            duration_ms: 15.74,
            billed_ms: Some(147.0),
            init_ms: Some(130.62),
            memory_mb: Some(1769),
            max_memory_mb: Some(34),
        };
        assert_eq!(PlatformReport::find(TEXT).as_ref(), Some(&expected));
        assert_eq!(PlatformReport::find(JSON), Some(expected));
    }

    #[test]
    fn a_warm_call_has_no_start_and_a_restored_one_has_its_restore() {
        let warm = TEXT.replace("Init Duration: 130.62 ms\t", "");
        assert_eq!(PlatformReport::find(&warm).unwrap().init_ms, None);
        let restored =
            TEXT.replace("Init Duration: 130.62 ms\t", "Restore Duration: 264.04 ms\tBilled Restore Duration: 65 ms\t");
        let restored = PlatformReport::find(&restored).unwrap();
        assert_eq!((restored.init_ms, restored.billed_ms), (Some(264.04), Some(147.0)));
    }

    #[test]
    fn a_report_that_was_cut_off_is_none() {
        for log in ["", "REPORT", "REPORT RequestId: 1\tDuration: 1.0 ms\tBilled Dur", "{\"type\":\"platform.report\"}"]
        {
            assert_eq!(PlatformReport::find(log), None, "{log}");
        }
    }
}
