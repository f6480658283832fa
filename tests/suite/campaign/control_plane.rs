//! A Lambda whose control plane remembers: two functions with all that it keeps of them.

use crate::scripted::{Call, Reply, Scripted};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    thread::sleep,
    time::Duration,
};

/// The variable that forces cold starts.
pub const VARIABLE: &str = "LAMBDA_DUET_COLD";

/// What becomes of a call of the control plane.
#[derive(Clone, Debug)]
pub enum Act {
    /// It is answered as Lambda does.
    Answer,
    /// It is not done, and answered like this.
    Instead(Reply),
    /// It is done, and answered like this.
    DoneBut(Reply),
}

/// A call of the control plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    pub number: usize,
    pub is_update: bool,
}

type Script = Box<dyn Fn(Control) -> Act + Send>;

/// A Lambda with two functions, `x` and `a`, and all that its control plane keeps of them.
pub struct Lambda {
    pub server: Scripted,
    state: Arc<Mutex<State>>,
}

struct State {
    functions: [Value; 2],
    revision: u32,
    controls: Vec<Control>,
    /// Whether changes start new environments.
    is_heedless: bool,
    invocations: u32,
    script: Script,
}

impl Lambda {
    /// Control calls go as `script` says.
    pub fn start(script: impl Fn(Control) -> Act + Send + 'static) -> Self {
        let function = |name: &str, architecture: &str| {
            json!({
                "FunctionName": name,
                "FunctionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"),
                "Architectures": [architecture], "MemorySize": 1769, "Timeout": 30, "Runtime": "provided.al2023",
                "State": "Active", "LastUpdateStatus": "Successful", "RevisionId": "0",
                "Environment": {"Variables": {"KEEP": "hunter2-of-the-user", "EMPTY": ""}},
                "Description": "a function", "Handler": "bootstrap",
            })
        };
        let functions = [function("x", "x86_64"), function("a", "arm64")];
        let state = State {
            functions,
            revision: 0,
            controls: Vec::new(),
            is_heedless: false,
            invocations: 0,
            script: Box::new(script),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        Self { server: Scripted::aws(move |call, _| shared.lock().unwrap().answer(call)), state }
    }

    /// Control calls go as `script` says from now on.
    pub fn continue_with(&self, script: impl Fn(Control) -> Act + Send + 'static) {
        self.state.lock().unwrap().script = Box::new(script);
    }

    /// Changes start no new environments from now on.
    pub fn ignore_changes(&self) {
        self.state.lock().unwrap().is_heedless = true;
    }

    /// Both functions as they are; every update has another revision.
    pub fn functions(&self) -> [Value; 2] {
        let mut functions = self.state.lock().unwrap().functions.clone();
        for function in &mut functions {
            function.as_object_mut().unwrap().remove("RevisionId");
        }
        functions
    }

    /// Changes something about both functions from outside.
    pub fn set(&self, pointer: &str, value: &Value) {
        self.set_of("x", pointer, value);
        self.set_of("a", pointer, value);
    }

    /// Changes something about one of them.
    pub fn set_of(&self, name: &str, pointer: &str, value: &Value) {
        let function = &mut self.state.lock().unwrap().functions[usize::from(name == "a")];
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        function.pointer_mut(parent).unwrap()[member] = value.clone();
    }

    pub fn is_changed(&self) -> bool {
        self.functions().iter().any(|function| function.to_string().contains(VARIABLE))
    }

    pub fn controls(&self) -> Vec<Control> {
        self.state.lock().unwrap().controls.clone()
    }

    pub fn updates(&self) -> usize {
        self.controls().iter().filter(|control| control.is_update).count()
    }

    pub fn invocations(&self) -> usize {
        self.server.calls().iter().filter(|call| call.line.contains("/invocations")).count()
    }

    /// Waits until something is so; the test runner ends what never comes.
    pub fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            sleep(Duration::from_millis(2));
        }
    }
}

impl State {
    fn answer(&mut self, call: &Call) -> Reply {
        if call.line.contains("/invocations") {
            let variables = &self.functions[index(call)]["Environment"]["Variables"];
            let is_cold = variables.get(VARIABLE).is_some() && !self.is_heedless;
            self.invocations += 1;
            return invoked(self.invocations, is_cold);
        }
        let control = Control { number: self.controls.len(), is_update: call.line.starts_with("PUT ") };
        self.controls.push(control);
        match (self.script)(control) {
            Act::Answer => self.done(call),
            Act::Instead(reply) => reply,
            Act::DoneBut(reply) => {
                self.done(call);
                reply
            }
        }
    }

    fn done(&mut self, call: &Call) -> Reply {
        let function = &mut self.functions[index(call)];
        if call.line.starts_with("PUT ") {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            if body.get("RevisionId").is_some_and(|revision| *revision != function["RevisionId"]) {
                return Reply::lambda_error("PreconditionFailedException", "The Revision Id provided does not match");
            }
            self.revision += 1;
            function["RevisionId"] = json!(self.revision.to_string());
            function["Environment"] = json!({"Variables": body["Environment"]["Variables"]});
        }
        Reply::ok(function.to_string()).header("content-type", "application/json")
    }
}

fn index(call: &Call) -> usize {
    usize::from(["/functions/a/", "function%3Aa/"].iter().any(|name| call.line.contains(name)))
}

/// An invocation, shorter than any client waits for its answer.
fn invoked(number: u32, is_cold: bool) -> Reply {
    let start = if is_cold { "Init Duration: 0.20 ms\t" } else { "" };
    let log = format!(
        "REPORT RequestId: {number}\tDuration: 0.10 ms\tBilled Duration: 1 ms\tMemory Size: 1769 MB\tMax Memory Used: \
         30 MB\t{start}\n"
    );
    Reply::ok(r#"{"sum": 7}"#)
        .header("x-amzn-requestid", number.to_string())
        .header("x-amz-executed-version", "$LATEST")
        .header("x-amz-log-result", BASE64_STANDARD.encode(log))
}
