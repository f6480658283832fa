//! A Lambda of two functions whose environments and CPUs are known: `x` has one CPU model, some environments of `a` another than
//! the rest.

use crate::scripted::{Call, Reply, Scripted};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// The variable that forces cold starts.
pub const VARIABLE: &str = "LAMBDA_DUET_COLD";

/// What functions answer.
#[derive(Clone, Copy, PartialEq)]
pub enum Answers {
    Service,
    /// A service that does not know census requests.
    EarlierService,
    /// A function of the user's own.
    Own,
}

pub struct Fleet {
    pub server: Scripted,
    state: Arc<Mutex<State>>,
}

pub struct State {
    functions: [Value; 2],
    revision: u32,
    updates: usize,
    payloads: Vec<String>,
    /// How many calls have come since the last update.
    since_update: u32,
    /// How many calls of each function an environment has answered.
    answered: [u32; 2],
    pub answers: Answers,
    /// The reserved concurrency of each function.
    pub reserved: Option<u32>,
    pub is_limit_denied: bool,
    /// How many calls of a round are not throttled.
    pub most_at_once: u32,
    /// How many calls an environment answers before the next starts.
    pub calls_of_environment: u32,
    pub environments_in_all: Option<u32>,
    /// How many environments a function has between two updates: further calls meet them again.
    pub warm: Option<u32>,
    /// From the environment of this number on that is one alone.
    pub is_alone_from: u32,
    /// Whether the environment of `a` of this number has the other CPU.
    pub has_other_cpu: fn(u32) -> bool,
    /// How many calls of each function have come since its last update.
    calls_since: [u32; 2],
    /// How many environments of each function there were before that.
    before: [u32; 2],
    /// How many calls are answered; the others hang.
    pub hangs_after: Option<usize>,
    pub delay_ms: u64,
    /// The number of the update that is refused, from 1.
    pub refused_update: Option<usize>,
}

impl Fleet {
    pub fn start(set: impl FnOnce(&mut State)) -> Self {
        let function = |name: &str, architecture: &str| {
            json!({
                "FunctionName": name,
                "FunctionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"),
                "Architectures": [architecture], "MemorySize": 1769, "Timeout": 30, "Runtime": "provided.al2023",
                "State": "Active", "LastUpdateStatus": "Successful", "RevisionId": "0",
                "Environment": {"Variables": {"KEEP": "hunter2"}}, "Handler": "bootstrap",
            })
        };
        let mut state = State {
            functions: [function("x", "x86_64"), function("a", "arm64")],
            revision: 0,
            updates: 0,
            payloads: Vec::new(),
            since_update: 0,
            answered: [0; 2],
            answers: Answers::Service,
            reserved: None,
            is_limit_denied: false,
            most_at_once: u32::MAX,
            calls_of_environment: 1,
            environments_in_all: None,
            warm: None,
            is_alone_from: u32::MAX,
            has_other_cpu: |number| number.is_multiple_of(4),
            calls_since: [0; 2],
            before: [0; 2],
            hangs_after: None,
            delay_ms: 0,
            refused_update: None,
        };
        set(&mut state);
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        Self { server: Scripted::aws(move |call, _| shared.lock().unwrap().answer(call)), state }
    }

    pub fn change(&self, set: impl FnOnce(&mut State)) {
        set(&mut self.state.lock().unwrap());
    }

    /// Both functions as they are, without their revisions.
    pub fn functions(&self) -> [Value; 2] {
        let mut functions = self.state.lock().unwrap().functions.clone();
        for function in &mut functions {
            function.as_object_mut().unwrap().remove("RevisionId");
        }
        functions
    }

    pub fn updates(&self) -> usize {
        self.state.lock().unwrap().updates
    }

    /// What was sent with the calls so far.
    pub fn payloads(&self) -> Vec<String> {
        self.state.lock().unwrap().payloads.clone()
    }
}

impl State {
    fn answer(&mut self, call: &Call) -> Reply {
        let reply = if call.line.contains("/invocations") {
            return self.invoked(call);
        } else if call.line.contains("/account-settings") || call.line.contains("/concurrency") {
            self.limit(call)
        } else {
            self.configuration(call)
        };
        reply.header("content-type", "application/json")
    }

    fn limit(&self, call: &Call) -> Reply {
        if self.is_limit_denied {
            return Reply::denied("lambda:GetFunctionConcurrency").header("x-amzn-errortype", "AccessDeniedException");
        }
        Reply::ok(if call.line.contains("/concurrency") {
            self.reserved.map_or(json!({}), |reserved| json!({"ReservedConcurrentExecutions": reserved})).to_string()
        } else {
            json!({"AccountLimit": {"ConcurrentExecutions": 50, "UnreservedConcurrentExecutions": 20}}).to_string()
        })
    }

    fn configuration(&mut self, call: &Call) -> Reply {
        let index = index(call);
        let warm = self.warm_of(index).unwrap_or(0);
        let function = &mut self.functions[index];
        if call.line.starts_with("PUT ") {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            self.updates += 1;
            if self.refused_update == Some(self.updates) {
                return Reply::lambda_error("InvalidParameterValueException", "not now");
            }
            self.revision += 1;
            self.since_update = 0;
            self.before[index] += self.calls_since[index].min(warm);
            self.calls_since[index] = 0;
            function["RevisionId"] = json!(self.revision.to_string());
            function["Environment"] = json!({"Variables": body["Environment"]["Variables"]});
        }
        Reply::ok(function.to_string())
    }

    fn invoked(&mut self, call: &Call) -> Reply {
        self.payloads.push(call.body.clone());
        self.since_update += 1;
        if self.hangs_after.is_some_and(|after| self.payloads.len() > after) {
            return Reply::lost().after(Duration::from_secs(3600));
        }
        if self.since_update > self.most_at_once {
            return Reply::lambda_error("TooManyRequestsException", "Rate Exceeded.");
        }
        let function = index(call);
        let (number, is_cold) = self.environment(function);
        let cpu = match function {
            0 => "Intel(R) Xeon(R) Processor @ 2.50GHz",
            _ if (self.has_other_cpu)(number) => "Neoverse-N1",
            _ => "Neoverse-V2",
        };
        // Within one CPU environments differ a little.
        let duration_ms = if cpu == "Neoverse-N1" { 0.7 } else { 0.5 } + f64::from(number % 3) / 100.0;
        let (id, start) = (format!("{function}-{number}"), if is_cold { "Init Duration: 0.20 ms\t" } else { "" });
        let log = format!(
            "REPORT RequestId: {0}\tDuration: {duration_ms} ms\tBilled Duration: 1600 ms\tMemory Size: 1769 MB\tMax Memory Used: \
             30 MB\t{start}\n",
            self.payloads.len()
        );
        let reply = match self.answers {
            Answers::Service => Reply::ok(service(&id, cpu, is_cold).to_string()),
            Answers::Own => Reply::ok(json!({"id": id, "cpu": cpu}).to_string()),
            Answers::EarlierService => Reply::ok(
                json!({"errorType": "InvalidRequest", "errorMessage": "unknown field \"hold_ms\"; the fields are size"})
                    .to_string(),
            )
            .header("x-amz-function-error", "Unhandled"),
        };
        reply
            .header("x-amzn-requestid", self.payloads.len().to_string())
            .header("x-amz-executed-version", "$LATEST")
            .header("x-amz-log-result", BASE64_STANDARD.encode(log))
            .after(Duration::from_millis(self.delay_ms))
    }
}

impl State {
    fn warm_of(&self, function: usize) -> Option<u32> {
        let is_alone = self.before[function] + 1 >= self.is_alone_from;
        self.warm.map(|warm| if is_alone { 1 } else { warm })
    }

    /// The number of the environment that answers, and whether it starts.
    fn environment(&mut self, function: usize) -> (u32, bool) {
        let warm = self.warm_of(function);
        let answered = &mut self.answered[function];
        *answered += 1;
        if let Some(warm) = warm {
            let since = &mut self.calls_since[function];
            *since += 1;
            return (self.before[function] + (*since - 1) % warm + 1, *since <= warm);
        }
        let number = (*answered - 1) / self.calls_of_environment;
        let number = self.environments_in_all.map_or(number, |all| number % all) + 1;
        (number, (*answered - 1).is_multiple_of(self.calls_of_environment))
    }
}

fn index(call: &Call) -> usize {
    usize::from(["/functions/a/", "function%3Aa/"].iter().any(|name| call.line.contains(name)))
}

/// What the service answers to a census request.
fn service(id: &str, cpu: &str, is_cold: bool) -> Value {
    let clock = json!({"resolution_ns": 1, "cost_ns": 30});
    json!({
        "schema": 1, "request_id": "r",
        "function": {"name": "f", "version": "$LATEST", "memory_mb": 1769, "architecture": "arm64"},
        "environment": {"id": id, "cold_start": is_cold, "invocation_index": 0, "init_ms": 0.2},
        "host": {
            "cpu_model": cpu, "cpu_features": [], "vcpus": 2, "emulated": false, "clock": clock, "cpu_clock": clock,
        },
        "build": {
            "version": "0.1.0", "git_revision": "unknown", "rustc": "rustc 1.95.0", "target": "t", "target_cpu": "generic",
            "target_features": [],
        },
        "results": [], "complete": true, "held_ms": 1500, "remaining_ms": 28_000,
    })
}
