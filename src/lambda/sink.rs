//! Destinations of metrics.

use super::{
    aws, emf,
    metrics::{Datum, Metrics, NAMESPACE, Report, Scope},
};
use crate::transport::with_causes;
use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, MetricDatum},
};
use std::time::{Duration, Instant};
use tokio::{sync::OnceCell, time::timeout};
use tracing::{debug, error, warn};

/// A destination for metrics, chosen by `METRICS_SINK`.
pub enum Sink {
    /// `PutMetricData` of CloudWatch. The client is created at the first delivery, so that loading its configuration
    /// delays neither the cold start nor an answer.
    CloudWatch(OnceCell<Client>),
    /// Standard output, as log lines.
    Emf,
    /// Nowhere.
    None,
}

/// The time before the deadline that is reserved for writing undelivered metrics to the log.
const TIME_TO_WRITE: Duration = Duration::from_millis(50);

impl Sink {
    /// The sink with this name; CloudWatch if the name is empty.
    ///
    /// # Errors
    /// Names the variable, its value and the choices.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            "" | "cloudwatch" => Ok(Self::CloudWatch(OnceCell::new())),
            "emf" => Ok(Self::Emf),
            "none" => Ok(Self::None),
            other => Err(format!("METRICS_SINK must be \"cloudwatch\", \"emf\" or \"none\", not \"{other}\"")),
        }
    }

    /// Delivers the metrics of one invocation. If CloudWatch does not accept them, in one call before the deadline,
    /// they are written as log lines.
    pub async fn deliver(&self, report: &Report) {
        let request_id = report.request_id.as_str();
        match self {
            Self::CloudWatch(client) => {
                let mut metrics = Metrics::from(report);
                match put(client, &metrics, report.deadline).await {
                    Ok(()) => debug!(request_id, metrics = metrics.data.len(), "metrics delivered"),
                    Err(reason) => {
                        warn!(request_id, reason, "metrics not delivered, written as log lines");
                        metrics.add_count("EmfFallbacks", 1);
                        write(&metrics, request_id);
                    }
                }
            }
            Self::Emf => write(&Metrics::from(report), request_id),
            Self::None => {}
        }
    }
}

fn write(metrics: &Metrics, request_id: &str) {
    if let Err(error) = emf::write(metrics) {
        error!(request_id, %error, "metrics not written");
    }
}

async fn put(client: &OnceCell<Client>, metrics: &Metrics, deadline: Instant) -> Result<(), String> {
    let client = client.get_or_try_init(aws::cloudwatch).await.map_err(|error| error.to_string())?;
    let data = metrics.data.iter().flat_map(|datum| metric_data(metrics, datum)).collect();
    let call = client.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(data)).send();
    let time = deadline.saturating_duration_since(Instant::now()).saturating_sub(TIME_TO_WRITE);
    let answer = timeout(time, call).await.map_err(|_| format!("no answer within {time:?}, at the deadline"))?;
    answer.map(drop).map_err(|error| with_causes(&error))
}

/// A datum under each of its sets of dimensions.
fn metric_data(metrics: &Metrics, datum: &Datum) -> impl Iterator<Item = MetricDatum> {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let architecture = dimension("Architecture", &metrics.architecture.to_string());
    let workload = match &datum.scope {
        Scope::Workload(workload) => Some(vec![architecture.clone(), dimension("Workload", workload)]),
        Scope::Architecture => None,
    };
    workload.into_iter().chain([vec![architecture]]).map(|dimensions| {
        let (values, counts) = datum.values.iter().copied().unzip();
        MetricDatum::builder()
            .metric_name(datum.name)
            .set_dimensions(Some(dimensions))
            .timestamp(metrics.timestamp.into())
            .unit(datum.unit.clone())
            .set_values(Some(values))
            .set_counts(Some(counts))
            .build()
    })
}

#[cfg(test)]
mod tests {
    use super::Sink;

    #[test]
    fn an_unknown_sink_is_refused_with_the_choices() {
        assert!(matches!(Sink::named(""), Ok(Sink::CloudWatch(_))));
        assert!(matches!(Sink::named("emf"), Ok(Sink::Emf)));
        assert!(matches!(Sink::named("none"), Ok(Sink::None)));
        assert_eq!(
            Sink::named("Cloud").err().unwrap(),
            "METRICS_SINK must be \"cloudwatch\", \"emf\" or \"none\", not \"Cloud\""
        );
    }
}
