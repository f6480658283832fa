//! Metrics as log lines, in CloudWatch's embedded metric format (EMF).
//!
//! CloudWatch Logs extracts the same metrics from them that `PutMetricData` would have sent, without a call. A line may
//! also have properties that are not metrics, which can be searched for and cost nothing.

use super::metrics::{Datum, Metrics, NAMESPACE, Scope};
use serde_json::{Map, Value, json};
use std::{
    io::{self, Write},
    time::UNIX_EPOCH,
};

/// The most values of a metric in a line.
const MAX_VALUES: usize = 100;

/// Writes the metrics to standard output, where Lambda takes logs from.
///
/// # Errors
/// When standard output cannot be written.
pub fn write(metrics: &Metrics) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for document in documents(metrics) {
        // One call per line, so that none is torn.
        output.write_all(format!("{document}\n").as_bytes())?;
    }
    output.flush()
}

/// One document per scope, or more if there are more values than a document may have.
pub fn documents(metrics: &Metrics) -> Vec<Value> {
    let scopes = metrics.data.chunk_by(|a, b| a.scope == b.scope);
    scopes.flat_map(|data| documents_of_scope(metrics, &data[0].scope, data)).collect()
}

fn documents_of_scope(metrics: &Metrics, scope: &Scope, data: &[Datum]) -> Vec<Value> {
    let values: Vec<(&Datum, Vec<f64>)> = data.iter().map(|datum| (datum, repeated(datum))).collect();
    let most = values.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let document = |start: usize| {
        let present = values.iter().filter_map(|(datum, values)| {
            let values = values.get(start..)?.chunks(MAX_VALUES).next()?;
            Some((*datum, values))
        });
        document(metrics, scope, present)
    };
    (0..most).step_by(MAX_VALUES).map(document).collect()
}

fn document<'a>(metrics: &Metrics, scope: &Scope, data: impl Iterator<Item = (&'a Datum, &'a [f64])>) -> Value {
    let mut members = Map::new();
    let mut definitions = Vec::new();
    for (datum, values) in data {
        definitions.push(json!({"Name": datum.name, "Unit": datum.unit.as_str()}));
        members.insert(datum.name.to_owned(), json!(values));
    }
    members.insert("Architecture".to_owned(), json!(metrics.architecture));
    let dimensions = match scope {
        Scope::Architecture => json!([["Architecture"]]),
        Scope::Workload(workload) => {
            members.insert("Workload".to_owned(), json!(workload));
            json!([["Architecture", "Workload"], ["Architecture"]])
        }
    };
    let timestamp = metrics.timestamp.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    members.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": timestamp,
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": definitions}],
        }),
    );
    members.extend(metrics.properties.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    Value::Object(members)
}

/// Every value as many times as it occurred: lines have no counts.
fn repeated(datum: &Datum) -> Vec<f64> {
    datum.values.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count as usize)).collect()
}
