//! Clones whose environments nothing names but their log streams, and whose CPUs nothing tells but their probe: those for x86_64
//! have one model, every fourth environment of those for arm64 a slower one than the rest.

use crate::scripted::Reply;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// How clones behave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// How many environments a clone has after each change.
    pub warm: u32,
    /// Whether functions print so much when they start that the end of the log is without the probe's line.
    pub is_loud: bool,
    /// Whether every call has a log stream of its own.
    pub is_stream_per_call: bool,
    /// Whether the log may not be read.
    pub is_unreadable: bool,
}

/// The fleets of all clones.
#[derive(Debug, Default)]
pub struct Fleet {
    pub manner: Manner,
    clones: BTreeMap<String, Clone>,
    events: Vec<Event>,
}

/// How many environments of a clone there were before the last change, and how many calls came since.
#[derive(Debug, Default)]
struct Clone {
    before: u32,
    since: u32,
}

/// Lambda's report of a call.
#[derive(Debug)]
struct Event {
    group: String,
    stream: String,
    unix_ms: u64,
    report: String,
}

impl Fleet {
    /// The clone starts anew.
    pub fn changed(&mut self, name: &str) {
        let clone = self.clones.entry(name.to_owned()).or_default();
        clone.before += clone.since.min(self.manner.warm);
        clone.since = 0;
    }

    pub fn invoked(&mut self, name: &str, configuration: &Value, number: usize) -> Reply {
        let Manner { warm, is_loud, is_stream_per_call, .. } = self.manner;
        let clone = self.clones.entry(name.to_owned()).or_default();
        clone.since += 1;
        let (environment, is_cold) = (clone.before + (clone.since - 1) % warm + 1, clone.since <= warm);
        let (cpu, slow) = match (configuration["Architectures"][0] == "arm64", environment % 4) {
            (false, _) => ("model: Intel(R) Xeon(R) Processor @ 2.50GHz; implementer:; part:;", 0.0),
            (true, 0) => ("model:; implementer: 0x41; part: 0xd0c;", 0.2),
            (true, _) => ("model:; implementer: 0x41; part: 0xd4f;", 0.0),
        };
        // Within one CPU environments differ a little.
        let duration_ms = 0.5 + slow + f64::from(environment % 3) / 100.0;
        let report = format!(
            "REPORT RequestId: {number}\tDuration: {duration_ms:.2} ms\tBilled Duration: 1 ms\tMemory Size: {} MB\tMax Memory \
             Used: 30 MB\t{}\n",
            configuration["MemorySize"],
            if is_cold { "Init Duration: 0.20 ms\t" } else { "" }
        );
        let probe = if is_cold && !is_loud { format!("lambda-duet-probe {cpu}\n") } else { String::new() };
        let of_call = is_stream_per_call.then(|| format!("call-{number}"));
        self.events.push(Event {
            group: format!("/aws/lambda/{name}"),
            stream: of_call.unwrap_or_else(|| format!("{name}-{environment}")),
            unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64,
            report: report.clone(),
        });
        Reply::ok("{}")
            .header("x-amzn-requestid", number.to_string())
            .header("x-amz-executed-version", "$LATEST")
            .header("x-amz-log-result", BASE64_STANDARD.encode(probe + &report))
    }

    /// What CloudWatch Logs answers to a request for events.
    pub fn events(&self, query: &str) -> Reply {
        if self.manner.warm == 0 || self.manner.is_unreadable {
            return Reply::denied("logs:FilterLogEvents");
        }
        let query: Value = serde_json::from_str(query).unwrap();
        let time = query["startTime"].as_u64().unwrap()..=query["endTime"].as_u64().unwrap();
        let is_meant = |event: &&Event| query["logGroupName"] == event.group && time.contains(&event.unix_ms);
        let events = self.events.iter().filter(is_meant).map(|event| {
            json!({
                "logStreamName": event.stream, "timestamp": event.unix_ms, "message": event.report,
                "ingestionTime": event.unix_ms, "eventId": "37000000000000000000000000000000000000000000000000000001",
            })
        });
        let body = json!({ "events": events.collect::<Vec<_>>(), "searchedLogStreams": [] });
        Reply::ok(body.to_string()).header("content-type", "application/x-amz-json-1.1")
    }
}
