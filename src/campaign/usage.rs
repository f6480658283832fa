//! How a function was used lately, as CloudWatch's metrics of Lambda have it.

use super::{
    aws::{self, AwsService, JsonError, Session},
    failure::{Failure, FailureKind},
    insights::DAYS,
    pauses,
    trial::Usage,
};
use hyper::{StatusCode, body::Bytes};
use serde::Deserialize;
use serde_json::{Value, json};

/// The length of a data point, in seconds. CloudWatch keeps such points for 15 months, and 14 days of two metrics have
/// fewer than one of its pages holds.
const HOUR_S: u64 = 3600;

/// The most pages that are read.
const MOST_PAGES: usize = 100;

const INVOCATIONS: &str = "invocations";
const DURATION: &str = "duration";

/// Reads how a function, all its versions together, was used in the 14 days before a time, in milliseconds since 1970-01-01
/// UTC. The proportion of cold starts is not among these metrics.
///
/// # Errors
/// When CloudWatch cannot be asked, refuses to answer, or does not have all of it.
pub async fn read(session: &Session, function_name: &str, before_unix_ms: u64) -> Result<Usage, Failure> {
    let ask_page = async |next: Option<&str>| ask(session, &query(function_name, before_unix_ms, next)).await;
    let failed = |failure: Failure| Failure { message: format!("reading metrics: {}", failure.message), ..failure };
    all_pages(ask_page).await.map_err(failed)
}

/// Asks for a page: the first one, or the one that this token names. Whole hours, as CloudWatch has them, are none of them
/// cut.
fn query(function_name: &str, before_unix_ms: u64, next_token: Option<&str>) -> Value {
    let end = before_unix_ms / 1000 / HOUR_S * HOUR_S;
    let start = end.saturating_sub(DAYS * 24 * HOUR_S);
    let sums = |id: &str, name: &str| {
        let dimensions = [json!({ "Name": "FunctionName", "Value": function_name })];
        let metric = json!({ "Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions });
        json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": HOUR_S, "Stat": "Sum" } })
    };
    let queries = [sums(INVOCATIONS, "Invocations"), sums(DURATION, "Duration")];
    let mut query = json!({ "MetricDataQueries": queries, "StartTime": start, "EndTime": end });
    if let Some(token) = next_token {
        query["NextToken"] = json!(token);
    }
    query
}

/// Calls CloudWatch by its JSON protocol, again after passing failures.
async fn ask(session: &Session, body: &Value) -> Result<Bytes, Failure> {
    let head = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "GraniteServiceVersion20100801.GetMetricData"),
    ];
    let attempt = async || {
        let (status, body) = aws::post(session, AwsService::CLOUD_WATCH, &head, body.to_string()).await?;
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
    };
    pauses::repeated(attempt).await
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let error = JsonError::read(status, body);
    let kind = match status {
        _ if error.is_throttling() => FailureKind::Throttled,
        StatusCode::TOO_MANY_REQUESTS => FailureKind::Throttled,
        _ if status.is_server_error() => FailureKind::Transient,
        _ => FailureKind::Refused,
    };
    let hint = if error.is_denial() { "; allow cloudwatch:GetMetricData" } else { "" };
    Failure::new(kind, format!("{error}{hint}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    metric_data_results: Vec<MetricData>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricData {
    id: String,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    status_code: String,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(default)]
    value: String,
}

/// The sum of a metric's data points so far.
#[derive(Debug, Default)]
struct Sum {
    /// `None` if there are no data points.
    sum: Option<f64>,
    /// How CloudWatch has called what it gave last: `Complete` if nothing is missing.
    status: String,
    /// What it has said about that.
    message: String,
}

impl Sum {
    fn add(&mut self, data: MetricData) {
        if !data.values.is_empty() {
            self.sum = Some(self.sum.unwrap_or_default() + data.values.iter().sum::<f64>());
        }
        self.status = data.status_code;
        self.message =
            data.messages.into_iter().map(|message| format!(": {}", message.value)).next().unwrap_or_default();
    }

    /// The sum, if nothing of it is missing.
    fn complete(&self, metric: &str) -> Result<Option<f64>, Failure> {
        let Self { sum, status, message } = self;
        match status.as_str() {
            "Complete" if sum.is_none_or(|sum| sum >= 0.0) => Ok(*sum),
            "Complete" => Err(Failure::refused(format!("CloudWatch's sum of {metric} is below 0"))),
            "" => Err(Failure::refused(format!("CloudWatch does not answer for {metric}"))),
            _ => Err(Failure::refused(format!("CloudWatch does not have all of {metric} ({status}{message})"))),
        }
    }
}

/// Adds up the pages that `ask_page` gives, by the tokens that they name.
async fn all_pages(ask_page: impl AsyncFn(Option<&str>) -> Result<Bytes, Failure>) -> Result<Usage, Failure> {
    let (mut invocations, mut duration) = (Sum::default(), Sum::default());
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let body = ask_page(token.as_deref()).await?;
        let page: Page = serde_json::from_slice(&body)
            .map_err(|error| Failure::refused(format!("this is no answer of CloudWatch: {error}")))?;
        for data in page.metric_data_results {
            match data.id.as_str() {
                INVOCATIONS => invocations.add(data),
                DURATION => duration.add(data),
                _ => {}
            }
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            let invocations = invocations.complete("Invocations")?.unwrap_or_default();
            let duration_ms = duration.complete("Duration")?;
            return Ok(usage(invocations, duration_ms));
        }
    }
    Err(Failure::refused(format!("CloudWatch's answer has more than {MOST_PAGES} pages")))
}

fn usage(invocations: f64, duration_ms: Option<f64>) -> Usage {
    Usage {
        days: DAYS as u32,
        invocations: invocations.round() as u64,
        mean_duration_ms: duration_ms.filter(|_| invocations > 0.0).map(|sum| sum / invocations),
        cold_share: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// 2026-11-27, 02:31:29.5 UTC.
    const NOW_MS: u64 = 1_795_746_689_500;

    /// Reads these pages: the usage, and the tokens that were asked for.
    async fn read(pages: &[Value]) -> (Result<Usage, String>, Vec<Option<String>>) {
        let asked = RefCell::new(Vec::new());
        let ask_page = async |token: Option<&str>| {
            asked.borrow_mut().push(token.map(str::to_owned));
            Ok(Bytes::from(pages[(asked.borrow().len() - 1).min(pages.len() - 1)].to_string()))
        };
        let usage = all_pages(ask_page).await.map_err(|failure| failure.message);
        (usage, asked.into_inner())
    }

    fn data(id: &str, values: &[f64], status: &str) -> Value {
        json!({ "Id": id, "Label": id, "Timestamps": [], "Values": values, "StatusCode": status })
    }

    fn used(invocations: u64, mean_duration_ms: Option<f64>) -> Result<Usage, String> {
        Ok(Usage { days: 14, invocations, mean_duration_ms, cold_share: None })
    }

    #[tokio::test]
    async fn pages_are_added_up() {
        let pages = [
            json!({
                "MetricDataResults": [
                    data("invocations", &[100.0, 20.0], "PartialData"), data("duration", &[3000.0], "PartialData")
                ],
                "NextToken": "2",
            }),
            json!({ "MetricDataResults": [], "NextToken": "3" }),
            json!({
                "MetricDataResults": [data("duration", &[600.0, 0.5], "Complete"), data("invocations", &[1.0], "Complete")],
                "Messages": [],
            }),
        ];
        let (usage, tokens) = read(&pages).await;
        assert_eq!(usage, used(121, Some(3600.5 / 121.0)));
        assert_eq!(tokens, [None, Some("2".to_owned()), Some("3".to_owned())]);
    }

    #[tokio::test]
    async fn a_function_that_was_not_used_has_no_duration() {
        let page = json!({
            "MetricDataResults": [data("invocations", &[], "Complete"), data("duration", &[], "Complete")],
        });
        assert_eq!(read(&[page]).await.0, used(0, None));
        // The metrics come apart.
        let page = json!({
            "MetricDataResults": [data("invocations", &[7.0], "Complete"), data("duration", &[], "Complete")],
        });
        assert_eq!(read(&[page]).await.0, used(7, None));
    }

    #[tokio::test]
    async fn what_is_incomplete_is_a_failure() {
        let invocations = data("invocations", &[7.0], "Complete");
        let mut forbidden = data("duration", &[], "Forbidden");
        forbidden["Messages"] = json!([{ "Code": "Forbidden", "Value": "not allowed" }]);
        for (results, part) in [
            (json!([invocations]), "CloudWatch does not answer for Duration"),
            (json!([invocations, data("duration", &[1.0], "PartialData")]), "not have all of Duration (PartialData)"),
            (json!([invocations, forbidden]), "not have all of Duration (Forbidden: not allowed)"),
            (json!([invocations, data("duration", &[-1.0], "Complete")]), "sum of Duration is below 0"),
            (json!([{ "Id": "invocations", "Values": ["NaN"] }]), "this is no answer of CloudWatch"),
        ] {
            let (usage, _) = read(&[json!({ "MetricDataResults": results })]).await;
            assert!(usage.as_ref().unwrap_err().contains(part), "{part}: {usage:?}");
        }
        // A service that never comes to an end.
        let (usage, tokens) = read(&[json!({ "MetricDataResults": [], "NextToken": "1" })]).await;
        assert_eq!((usage.unwrap_err(), tokens.len()), ("CloudWatch's answer has more than 100 pages".to_owned(), 100));
    }

    #[test]
    fn whole_hours_are_asked_for() {
        let query = query("orders", NOW_MS, Some("t"));
        let (start, end) = (query["StartTime"].as_u64().unwrap(), query["EndTime"].as_u64().unwrap());
        // 02:00, and 14 days before.
        assert_eq!((start, end), (1_794_535_200, 1_795_744_800));
        assert_eq!(query["NextToken"], "t");
        let metric = &query["MetricDataQueries"][1]["MetricStat"];
        assert_eq!(metric["Metric"]["Dimensions"], json!([{ "Name": "FunctionName", "Value": "orders" }]));
        assert_eq!((&metric["Stat"], &metric["Metric"]["MetricName"]), (&json!("Sum"), &json!("Duration")));
    }

    #[test]
    fn refusals_are_passing_or_say_what_to_allow() {
        let of = |status: u16, body: &str| refusal(status.try_into().unwrap(), body.as_bytes());
        let denied = of(400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#);
        assert_eq!(denied, Failure::refused("AccessDeniedException: no; allow cloudwatch:GetMetricData"));
        for (status, body, kind) in [
            (400, r#"{"__type":"Throttling","message":"Rate exceeded"}"#, FailureKind::Throttled),
            (429, "slow down", FailureKind::Throttled),
            (503, "", FailureKind::Transient),
            (400, r#"{"__type":"InvalidParameterValue"}"#, FailureKind::Refused),
        ] {
            assert_eq!(of(status, body).kind, kind, "{body}");
        }
    }
}
