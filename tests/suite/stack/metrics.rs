//! What CloudWatch has after an invocation, read back through its API.

use super::service::{response, targets};
use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, StandardUnit, Statistic},
};
use lambda_duet::{
    campaign::aws::Session,
    protocol::{Architecture, Response},
};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// No other test of this stack emits metrics of it.
const WORKLOAD: &str = "string/levenshtein";

/// The number of samples and their sum over the last hour.
async fn statistics(client: &Client, metric: &str, unit: StandardUnit, dimensions: &[(&str, &str)]) -> (f64, f64) {
    let dimensions = dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let hour = Duration::from_secs(3600);
    let answer = client
        .get_metric_statistics()
        .namespace("LambdaDuet")
        .metric_name(metric)
        .unit(unit)
        .set_dimensions(Some(dimensions.collect()))
        .start_time((SystemTime::now() - hour).into())
        .end_time((SystemTime::now() + hour).into())
        .period(7200)
        .statistics(Statistic::SampleCount)
        .statistics(Statistic::Sum)
        .send()
        .await
        .unwrap();
    answer.datapoints().iter().fold((0.0, 0.0), |(count, sum), point| {
        (count + point.sample_count().unwrap_or(0.0), sum + point.sum().unwrap_or(0.0))
    })
}

#[tokio::test]
#[ignore = "needs a deployed stack: run by `make test`"]
async fn every_iteration_arrives_under_its_architecture_and_workload() {
    let client = Client::new(Session::new().unwrap().config().await.unwrap());
    for architecture in [Architecture::Arm64, Architecture::X86_64] {
        let [endpoint, _] = targets(architecture);
        let name = architecture.to_string();
        let of_workload = [("Architecture", &*name), ("Workload", WORKLOAD)];
        let duration = || statistics(&client, "Duration", StandardUnit::Milliseconds, &of_workload);
        let whole = [("Architecture", &*name)];
        // 1 of a cold start, 0 of any other invocation.
        let cold_starts = || statistics(&client, "ColdStart", StandardUnit::Count, &whole);
        let ((count_before, sum_before), (invocations_before, _)) = (duration().await, cold_starts().await);

        let request = format!(r#"{{"workloads":["{WORKLOAD}"],"size":500,"iterations":7}}"#);
        let Response { results, .. } = response(&endpoint, &request);
        let measured = results[0].wall_ns.iter().sum::<f64>() / 1e6;

        // They are sent behind the answer.
        let end = Instant::now() + Duration::from_secs(30);
        let (count, sum) = loop {
            let (count, sum) = duration().await;
            if count > count_before || Instant::now() > end {
                break (count - count_before, sum - sum_before);
            }
            sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(count, 7.0, "{architecture}");
        assert!((sum - measured).abs() < 1e-6 * measured, "{architecture}: {sum} ms sent, {measured} ms measured");

        assert!(statistics(&client, "Duration", StandardUnit::Milliseconds, &whole).await.0 >= 7.0);
        assert!(cold_starts().await.0 > invocations_before);
        assert!(statistics(&client, "MaxRss", StandardUnit::Bytes, &whole).await.1 > 0.0);
    }
}
