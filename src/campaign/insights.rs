//! Counts cold starts in a function's log, by a query of CloudWatch Logs Insights.

use super::{
    aws::Session,
    cloudwatch_logs,
    configuration::Configuration,
    function_arn::FunctionArn,
    pauses::Pauses,
    row::{Failure, FailureKind},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The days of the log that are read.
pub const DAYS: u64 = 14;

/// How long a query may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The longest pause between two looks at a query.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The invocations in a period of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub invocations: u64,
    /// Invocations that started an environment, or restored one from a snapshot.
    pub cold_starts: u64,
}

/// Where a function logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    pub group: String,
    /// The function's name, if other functions may log into the same group.
    name_in_stream: Option<String>,
}

impl LogGroup {
    /// The log of the function with this configuration; `None` if its ARN is not known.
    pub fn from_configuration(configuration: &Configuration) -> Option<Self> {
        let name = FunctionArn(configuration.arn.as_deref()?).name()?;
        let own = format!("/aws/lambda/{name}");
        let group = configuration.log_group.clone().unwrap_or_else(|| own.clone());
        let name_in_stream = (group != own).then(|| name.to_owned());
        Some(Self { group, name_in_stream })
    }

    /// The query that counts invocations by Lambda's own reports, as text or as JSON.
    fn query(&self) -> String {
        // Streams of a group that several functions share are named DATE/NAME[VERSION]ID.
        let stream = self.name_in_stream.as_ref().map(|name| format!(" | filter strcontains(@logStream, '/{name}[')"));
        format!(
            "fields strcontains(@message, 'Init Duration:') + strcontains(@message, '\"initDurationMs\":') \
             + strcontains(@message, 'Restore Duration:') + strcontains(@message, '\"restoreDurationMs\":') as starts \
             | filter @type = 'REPORT' or type = 'platform.report'{} \
             | stats count(*) as invocations, sum(starts) as cold_starts",
            stream.unwrap_or_default()
        )
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    query_id: String,
}

#[derive(Deserialize)]
struct Results {
    status: String,
    #[serde(default)]
    results: Vec<Vec<Field>>,
}

#[derive(Deserialize)]
struct Field {
    field: String,
    value: String,
}

/// Counts a function's invocations in the [`DAYS`] before a time, in milliseconds since 1970-01-01 UTC.
///
/// # Errors
/// When the query fails, or takes too long.
pub async fn count(log: &LogGroup, before_unix_ms: u64, session: &Session) -> Result<Counts, Failure> {
    let end = before_unix_ms / 1000;
    let start = end.saturating_sub(DAYS * 24 * 3600);
    let query = json!({
        "logGroupName": log.group, "startTime": start, "endTime": end, "queryString": log.query(),
    });
    let Started { query_id } = ask(session, "StartQuery", &query).await?;
    let (begin, mut pauses) = (Instant::now(), Pauses::new());
    loop {
        let Results { status, results } = ask(session, "GetQueryResults", &json!({ "queryId": query_id })).await?;
        match status.as_str() {
            "Complete" => return Ok(counts(&results)),
            "Scheduled" | "Running" | "Unknown" if begin.elapsed() < LIMIT => sleep(pauses.next(LONGEST_PAUSE)).await,
            _ => return Err(Failure::refused(format!("the query of {} ended with the status {status}", log.group))),
        }
    }
}

/// Reads the counts; a log without reports gives no row.
fn counts(results: &[Vec<Field>]) -> Counts {
    let value = |name: &str| {
        let field = results.iter().flatten().find(|field| field.field == name);
        field.and_then(|field| field.value.parse().ok()).map_or(0, |number: f64| number as u64)
    };
    Counts { invocations: value("invocations"), cold_starts: value("cold_starts") }
}

async fn ask<T: for<'de> Deserialize<'de>>(session: &Session, action: &str, body: &Value) -> Result<T, Failure> {
    let refused = |reason: &str| Failure::refused(format!("CloudWatch Logs refuses {action}: {reason}"));
    let body = cloudwatch_logs::ask(session, action, body).await.map_err(|refusal| {
        let failure = Failure::from(refusal);
        if failure.kind == FailureKind::Network { failure } else { refused(&failure.message) }
    })?;
    serde_json::from_slice(&body).map_err(|error| Failure::refused(format!("{action} of CloudWatch Logs: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(arn: &str, group: Option<&str>) -> Option<LogGroup> {
        let mut text = json!({
            "arn": arn, "architecture": "x86_64", "memory_mb": 1769, "timeout_s": 30, "tracing": null,
            "runtime": null, "log_format": null, "ephemeral_storage_mb": 512, "layers": [],
        });
        text["log_group"] = json!(group);
        LogGroup::from_configuration(&serde_json::from_value(text).unwrap())
    }

    #[test]
    fn the_log_group_is_the_functions_own_or_a_shared_one() {
        let own = log("arn:aws:lambda:eu-west-1:123456789012:function:fast:live", None).unwrap();
        assert_eq!(own.group, "/aws/lambda/fast");
        assert!(!own.query().contains("@logStream"));
        let shared = log("arn:aws:lambda:eu-west-1:123456789012:function:fast", Some("all")).unwrap();
        assert_eq!(shared.group, "all");
        assert!(shared.query().contains("strcontains(@logStream, '/fast[')"));
        assert_eq!(log("arn:aws:lambda:eu-west-1", None), None);
    }

    #[test]
    fn counts_are_read_and_default_to_zero() {
        let field = |field: &str, value: &str| Field { field: field.to_owned(), value: value.to_owned() };
        let row = vec![field("invocations", "1200"), field("cold_starts", "6.0")];
        assert_eq!(counts(&[row]), Counts { invocations: 1200, cold_starts: 6 });
        assert_eq!(counts(&[]), Counts::default());
    }
}
