//! Lambda's own measurements of an invocation: the report at the end of the log, as a `REPORT` line or as a JSON event.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What Lambda reports about an invocation. Fields that are not in the end of the log are `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformReport {
    /// How long the function took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// The billed duration, in milliseconds; `None` if nothing is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_ms: Option<f64>,
    /// What is billed in addition for restoring a snapshot, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_restore_ms: Option<f64>,
    /// The init duration of the environment, in milliseconds; `None` if it had been started before.
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
    /// All that is billed, in milliseconds, including the restore of a snapshot.
    pub fn all_billed_ms(&self) -> Option<f64> {
        Some(self.billed_ms? + self.billed_restore_ms.unwrap_or_default())
    }

    /// Whether less is billed than the function took, which cannot be: Lambda rounds up.
    pub fn contradicts_itself(&self) -> bool {
        self.billed_ms.zip(self.duration_ms).is_some_and(|(billed, duration)| billed < duration.floor())
    }

    /// The report of the request `id` in the end of a log. Functions and extensions can write anything into the same
    /// log: reports of other requests are theirs. Some emulators do not tell the request's id; the last report then
    /// counts, unless there are reports of several requests.
    pub fn find(log: &str, id: Option<&str>) -> Option<Self> {
        let is_meant = |found: &String| id.is_none_or(|id| id == found);
        // If there are several reports on a line, the last is Lambda's.
        let of_line = |line| reports(line).into_iter().rev().find(|(found, _)| is_meant(found));
        let mut reports: Vec<(String, Self)> = log.lines().filter_map(of_line).collect();
        let are_of_several = reports.windows(2).any(|pair| pair[0].0 != pair[1].0);
        // If two reports differ, either may be Lambda's.
        let contradict = reports.windows(2).any(|pair| pair[0].1.duration_ms != pair[1].1.duration_ms);
        if are_of_several || contradict && id.is_some() {
            reports.clear();
        }
        let init_ms = reports.iter().find_map(|(_, report)| report.init_ms).or_else(|| initialization(log));
        let report = reports.pop().map(|(_, report)| report);
        (report.is_some() || init_ms.is_some()).then(|| Self { init_ms, ..report.unwrap_or_default() })
    }

    /// The report that an event of a log is, with the id of its request; `None` for other events, and for reports that
    /// something else has printed behind a text of its own.
    pub(super) fn of_event(message: &str) -> Option<(String, Self)> {
        let line = message.lines().next()?;
        let is_whole = line.starts_with(REPORT) || line.starts_with('{');
        let mut reports = if is_whole { reports(line) } else { Vec::new() };
        if reports.len() == 1 { reports.pop() } else { None }
    }

    /// Reads a report; `number` finds a number by its names in the text format and in JSON. What is no number is missing.
    fn read(number: impl Fn(&str, &str) -> Option<f64>) -> Self {
        Self {
            duration_ms: number("Duration", "durationMs"),
            billed_ms: number("Billed Duration", "billedDurationMs"),
            billed_restore_ms: number("Billed Restore Duration", "billedRestoreDurationMs"),
            // SnapStart restores an environment instead of starting it.
            init_ms: number("Init Duration", "initDurationMs")
                .or_else(|| number("Restore Duration", "restoreDurationMs")),
            memory_mb: number("Memory Size", "memorySizeMB").and_then(mebibytes),
            max_memory_mb: number("Max Memory Used", "maxMemoryUsedMB").and_then(mebibytes),
        }
    }
}

/// The reports on a line, each with the id of its request, after any output that does not end with a newline.
fn reports(line: &str) -> Vec<(String, PlatformReport)> {
    if let Some(Event { kind, record }) = event(line) {
        let id = record.request_id.filter(|_| kind == "platform.report");
        return id.map(|id| (id, PlatformReport::read(|_, name| record.metrics[name].as_f64()))).into_iter().collect();
    }
    let texts = line.split(REPORT).skip(1);
    texts.filter_map(|text| Some((text.split_whitespace().next()?.to_owned(), from_text(text)?))).collect()
}

/// How a report of the text format begins.
const REPORT: &str = "REPORT RequestId: ";

/// `8f50… Duration: 1.2 ms Billed Duration: 2 ms …`, with tabs between the fields.
fn from_text(text: &str) -> Option<PlatformReport> {
    let report = PlatformReport::read(|name, json| field(text, name, if json.ends_with("MB") { "MB" } else { "ms" }));
    // A line that was cut off has no duration.
    report.duration_ms.is_some().then_some(report)
}

/// The number in one field of a text, if the field is complete, including its unit.
fn field(text: &str, name: &str, unit: &str) -> Option<f64> {
    let value = text.split('\t').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix(": "))?;
    value.strip_suffix(unit)?.trim_end().parse().ok()
}

/// The init duration of the environment, in milliseconds, if the log has it apart from the report: as a JSON event, or
/// in the text format after an init that took longer than Lambda's limit of 10 s. Lambda's own entry is the last before
/// the request starts; other entries that look like one are output of the function.
fn initialization(log: &str) -> Option<f64> {
    let is_start = |line: &&str| {
        line.starts_with("START RequestId: ") || event(line).is_some_and(|event| event.kind == "platform.start")
    };
    let before = log.lines().take_while(|line| !is_start(line));
    before.filter_map(init_report).last()
}

fn init_report(line: &str) -> Option<f64> {
    if let Some((_, text)) = line.split_once("INIT_REPORT ") {
        return field(text, "Init Duration", "ms");
    }
    let Event { kind, record } = event(line)?;
    // Provisioned environments start before they are called.
    let is_on_demand = record.initialization_type.is_none_or(|kind| kind == "on-demand");
    record.metrics["durationMs"].as_f64().filter(|_| kind == "platform.initReport" && is_on_demand)
}

/// The event on a line, after any output that does not end with a newline.
fn event(line: &str) -> Option<Event> {
    let whole = serde_json::from_str(line).ok();
    whole.or_else(|| serde_json::from_str(&line[line.rfind(r#"{"time":"#)?..]).ok())
}

/// A number of MiB, which must be whole.
fn mebibytes(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    record: ReportRecord,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReportRecord {
    request_id: Option<String>,
    initialization_type: Option<String>,
    #[serde(default)]
    metrics: Value,
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

    const ID: Option<&str> = Some("8f507cfc-xmpl-4697-b07a-ac58fc914c95");

    #[test]
    fn text_and_json_reports_are_equal() {
        let expected = PlatformReport {
            duration_ms: Some(15.74),
            billed_ms: Some(147.0),
            billed_restore_ms: None,
            init_ms: Some(130.62),
            memory_mb: Some(1769),
            max_memory_mb: Some(34),
        };
        assert_eq!(PlatformReport::find(TEXT, ID).as_ref(), Some(&expected));
        assert_eq!(PlatformReport::find(JSON, Some("8f507cfc")).as_ref(), Some(&expected));
        // Some emulators have no ids.
        assert_eq!(PlatformReport::find(JSON, None), Some(expected));
    }

    #[test]
    fn only_cold_and_restored_calls_have_an_init_duration() {
        let warm = TEXT.replace("Init Duration: 130.62 ms\t", "");
        assert_eq!(PlatformReport::find(&warm, ID).unwrap().init_ms, None);
        let restored =
            TEXT.replace("Init Duration: 130.62 ms\t", "Restore Duration: 264.04 ms\tBilled Restore Duration: 65 ms\t");
        let restored = PlatformReport::find(&restored, ID).unwrap();
        assert_eq!((restored.init_ms, restored.billed_ms), (Some(264.04), Some(147.0)));
        assert_eq!(restored.billed_restore_ms, Some(65.0));
    }

    #[test]
    fn a_truncated_report_keeps_its_complete_fields() {
        for log in ["", "REPORT", "REPORT RequestId: 1\tDuration: 1", "REPORT RequestId: 1\tDuration: 1.0 m"] {
            assert_eq!(PlatformReport::find(log, None), None, "{log}");
        }
        assert_eq!(PlatformReport::find("{\"time\":\"\",\"type\":\"platform.report\"}", None), None);
        let part = PlatformReport::find("REPORT RequestId: 1\tDuration: 1.5 ms\tBilled Dur", None).unwrap();
        assert_eq!(part, PlatformReport { duration_ms: Some(1.5), ..PlatformReport::default() });
    }

    #[test]
    fn reports_of_other_requests_are_ignored() {
        let of = |id: &str, duration: f64| {
            format!("REPORT RequestId: {id}\tDuration: {duration} ms\tBilled Duration: 9 ms\n")
        };
        let duration = |log: &str, id| PlatformReport::find(log, id).and_then(|report| report.duration_ms);
        let foreign = [of("one", 100.0), of("two", 5.0)].concat();
        assert_eq!(duration(&foreign, Some("one")), Some(100.0));
        assert_eq!(duration(&foreign, Some("two")), Some(5.0));
        assert_eq!(duration(&foreign, Some("three")), None);
        assert_eq!(duration(&foreign, None), None);
        // The beginning of an id is not the id.
        assert_eq!(duration(&foreign, Some("on")), None);
        let of_an_extension = [of("one", 100.0), JSON.to_owned()].concat();
        assert_eq!(duration(&of_an_extension, Some("one")), Some(100.0));
        let printed = of("one", 5.0).trim_end().to_owned() + &of("one", 100.0);
        assert_eq!(duration(&printed, Some("one")), Some(100.0));
        let printed_as_json = format!("no newline{}", JSON.lines().last().unwrap());
        assert_eq!(duration(&printed_as_json, Some("8f507cfc")), Some(15.74));
    }

    #[test]
    fn an_event_may_lack_metrics() {
        let find = |metrics: &str| {
            let log = format!(
                r#"{{"time":"","type":"platform.report","record":{{"requestId":"1","metrics":{{{metrics}}}}}}}"#
            );
            PlatformReport::find(&log, Some("1")).unwrap()
        };
        // As on Lambda Managed Instances.
        let only = PlatformReport { duration_ms: Some(15.74), ..PlatformReport::default() };
        assert_eq!(find(r#""durationMs":15.74"#), only);
        let report = find(r#""durationMs":15,"billedDurationMs":16.0,"memorySizeMB":1769.0,"maxMemoryUsedMB":34.0"#);
        assert_eq!((report.billed_ms, report.memory_mb, report.max_memory_mb), (Some(16.0), Some(1769), Some(34)));
        assert_eq!(find(r#""durationMs":15,"memorySizeMB":1769.5"#).memory_mb, None);
    }

    #[test]
    fn an_init_duration_is_found_outside_the_report() {
        let started = |kind: &str| {
            format!(
                r#"{{"time":"","type":"platform.initReport","record":{{"initializationType":"{kind}","phase":"init","metrics":{{"durationMs":250.5}}}}}}"#
            )
        };
        let only = PlatformReport { init_ms: Some(250.5), ..PlatformReport::default() };
        assert_eq!(PlatformReport::find(&started("on-demand"), Some("1")), Some(only));
        assert_eq!(PlatformReport::find(&started("provisioned-concurrency"), Some("1")), None);
        let warm = TEXT.replace("Init Duration: 130.62 ms\t", "");
        let printed = "INIT_REPORT Init Duration: 5.00 ms\tPhase: init\tStatus: timeout\n";
        let slow = format!("{printed}INIT_REPORT Init Duration: 9999.64 ms\tPhase: init\tStatus: timeout\n{warm}");
        assert_eq!(PlatformReport::find(&slow, ID).unwrap().init_ms, Some(9999.64));
        let in_the_call = warm.replace("END ", &format!("{printed}END "));
        assert_eq!(PlatformReport::find(&in_the_call, ID).unwrap().init_ms, None);
        let events: Vec<&str> = JSON.lines().collect();
        let warm = events[1].replace(r#","initDurationMs":130.62"#, "");
        let in_the_call = [events[0], &started("on-demand"), &warm].join("\n");
        assert_eq!(PlatformReport::find(&in_the_call, Some("8f507cfc")).unwrap().init_ms, None);
        let before = [&started("on-demand"), events[0], &warm].join("\n");
        assert_eq!(PlatformReport::find(&before, Some("8f507cfc")).unwrap().init_ms, Some(250.5));
    }
}
