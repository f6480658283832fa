//! Where metrics go.

use super::{
    aws,
    metrics::{Datum, NAMESPACE, Unit},
};
use crate::transport::with_causes;
use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, MetricDatum, StandardUnit},
};
use std::iter;
use tokio::sync::OnceCell;
use tracing::{debug, warn};

/// A destination for metrics, chosen by `METRICS_SINK`.
pub enum Sink {
    /// `PutMetricData` of CloudWatch. The client is made at the first delivery, so that loading
    /// its configuration costs neither the cold start nor an answer.
    CloudWatch(OnceCell<Client>),
    /// Nowhere.
    None,
}

impl Sink {
    /// The sink of that name; CloudWatch where the name is empty.
    ///
    /// # Errors
    /// Names the variable, its value and the choices.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            "" | "cloudwatch" => Ok(Self::CloudWatch(OnceCell::new())),
            "none" => Ok(Self::None),
            other => Err(format!("METRICS_SINK must be \"cloudwatch\" or \"none\", not \"{other}\"")),
        }
    }

    /// Delivers the metrics of one invocation in one call; a failure is logged.
    pub async fn deliver(&self, metrics: &[Datum]) {
        let Self::CloudWatch(client) = self else { return };
        match put(client, metrics).await {
            Ok(()) => debug!(metrics = metrics.len(), "metrics delivered"),
            Err(error) => warn!(metrics = metrics.len(), error, "metrics not delivered"),
        }
    }
}

async fn put(client: &OnceCell<Client>, metrics: &[Datum]) -> Result<(), String> {
    let client = client.get_or_try_init(aws::cloudwatch).await.map_err(|error| error.to_string())?;
    let data = metrics.iter().map(MetricDatum::from).collect();
    let call = client.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(data));
    call.send().await.map_err(|error| with_causes(&error))?;
    Ok(())
}

impl From<&Datum> for MetricDatum {
    fn from(datum: &Datum) -> Self {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let architecture = dimension("Architecture", datum.architecture.as_str());
        let workload = datum.workload.as_ref().map(|workload| dimension("Workload", workload));
        let (values, counts) = datum.values.iter().copied().unzip();
        MetricDatum::builder()
            .metric_name(datum.name)
            .set_dimensions(Some(iter::once(architecture).chain(workload).collect()))
            .timestamp(datum.timestamp.into())
            .unit(match datum.unit {
                Unit::Milliseconds => StandardUnit::Milliseconds,
                Unit::Bytes => StandardUnit::Bytes,
                Unit::Count => StandardUnit::Count,
            })
            .set_values(Some(values))
            .set_counts(Some(counts))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::Sink;

    #[test]
    fn an_unknown_sink_is_refused_with_the_choices() {
        assert!(matches!(Sink::named(""), Ok(Sink::CloudWatch(_))));
        assert!(matches!(Sink::named("none"), Ok(Sink::None)));
        assert_eq!(
            Sink::named("Cloud").err().unwrap(),
            "METRICS_SINK must be \"cloudwatch\" or \"none\", not \"Cloud\""
        );
    }
}
