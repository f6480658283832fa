//! An account that remembers: functions with their tags, and log groups.

use super::fleet::{Fleet, Manner};
use crate::{
    inspection::{sha256, zipped},
    scripted::{Call, Reply, Scripted, is_for_events},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

/// The function of the user's own.
pub const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:orders";

/// A value of a variable, which nothing may show.
pub const SECRET: &str = "hunter2-of-the-user";

/// What becomes of a call of the control plane.
#[derive(Clone, Debug)]
pub enum Act {
    /// It is answered as AWS does.
    Answer,
    /// It is not done, and answered like this.
    Instead(Reply),
    /// It is done, and answered like this.
    DoneBut(Reply),
}

/// A call of the control plane: its number, and what it asks for.
#[derive(Clone, Debug)]
pub struct Control {
    pub number: usize,
    /// The method and the path, or the action of CloudWatch Logs.
    pub line: String,
    /// The name of the function that it is about; empty if it is about none.
    pub function: String,
}

/// A script by which calls like this are not done, and answered so.
pub fn instead(is_meant: impl Fn(&Control) -> bool + Send + 'static, reply: Reply) -> impl Fn(&Control) -> Act + Send {
    move |control| if is_meant(control) { Act::Instead(reply.clone()) } else { Act::Answer }
}

type Script = Box<dyn Fn(&Control) -> Act + Send>;

/// The account, its server, and the server of packages.
pub struct Account {
    pub server: Scripted,
    _packages: Scripted,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The URL of the package of the user's function.
    package: String,
    things: Things,
    /// The requests that made functions.
    made: Vec<Value>,
    controls: Vec<Control>,
    invocations: usize,
    /// The requests that changed functions, refused ones too.
    updates: Vec<Value>,
    /// How long calls of a clone take, in milliseconds, by its configuration; all have one time if it is not set.
    duration_ms: Option<fn(&Value) -> f64>,
    /// The environments of clones, if log streams tell them.
    fleet: Fleet,
    /// How many calls each function had.
    calls: BTreeMap<String, usize>,
    script: Script,
    /// The most memory of a function, and the answer to requests for more.
    most_memory: Option<(u64, Reply)>,
}

/// The execution environments of each clone where calls take their own time.
pub const ENVIRONMENTS: usize = 8;

/// All that there is in the account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Things {
    pub functions: BTreeMap<String, Function>,
    pub log_groups: BTreeSet<String>,
    /// The versions of layers, with their descriptions.
    pub layers: BTreeMap<String, BTreeMap<u32, String>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub configuration: Value,
    pub tags: Value,
}

impl Account {
    /// Control calls go as `script` says.
    pub fn start(script: impl Fn(&Control) -> Act + Send + 'static) -> Self {
        let code = zipped(&[("app.py", b"def handler(event, context): return event")]);
        let digest = sha256(&code);
        let packages = Scripted::start(move |_, _| Reply::bytes(code.clone()));
        let configuration = json!({
            "FunctionName": "orders", "FunctionArn": ARN, "Runtime": "python3.13", "Handler": "app.handler",
            "Role": "arn:aws:iam::123456789012:role/orders", "Architectures": ["x86_64"], "PackageType": "Zip",
            "CodeSha256": digest, "MemorySize": 512, "Timeout": 10, "Version": "$LATEST", "RevisionId": "1",
            "State": "Active", "LastUpdateStatus": "Successful", "Description": "takes orders",
            "Environment": {"Variables": {"TABLE": "orders", "SECRET": SECRET}},
            "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"},
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
            "Layers": [], "EphemeralStorage": {"Size": 1024}, "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "INFO", "ApplicationLogLevel": "INFO",
                "LogGroup": "/shared/by/all"},
        });
        let mut things = Things::default();
        things.functions.insert("orders".to_owned(), Function { configuration, tags: json!({"team": "shop"}) });
        things.log_groups.insert("/shared/by/all".to_owned());
        let state = State {
            package: format!("{}/code", packages.url),
            things,
            made: Vec::new(),
            controls: Vec::new(),
            invocations: 0,
            updates: Vec::new(),
            duration_ms: None,
            fleet: Fleet::default(),
            calls: BTreeMap::new(),
            script: Box::new(script),
            most_memory: None,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = Scripted::aws_with_logs(move |call, _| shared.lock().unwrap().answer(call));
        Self { server, _packages: packages, state }
    }

    /// Control calls go as `script` says from now on; they are counted from 0 again.
    pub fn continue_with(&self, script: impl Fn(&Control) -> Act + Send + 'static) {
        let mut state = self.state.lock().unwrap();
        state.script = Box::new(script);
        state.controls.clear();
    }

    /// Functions of more memory are not made, and answered so.
    pub fn refuse_memory_above(&self, most: u64, refusal: Reply) {
        self.state.lock().unwrap().most_memory = Some((most, refusal));
    }

    pub fn things(&self) -> Things {
        self.state.lock().unwrap().things.clone()
    }

    /// Changes what there is from outside.
    pub fn change(&self, change: impl FnOnce(&mut Things)) {
        change(&mut self.state.lock().unwrap().things);
    }

    /// The requests that made functions.
    pub fn made(&self) -> Vec<Value> {
        self.state.lock().unwrap().made.clone()
    }

    /// Calls of a clone take so many milliseconds, by its configuration, in several execution environments; they fail where
    /// that is 0.
    pub fn takes(&self, duration_ms: fn(&Value) -> f64) {
        self.state.lock().unwrap().duration_ms = Some(duration_ms);
    }

    /// Clones have environments that their log streams tell, and behave so.
    pub fn has_fleet(&self, manner: Manner) {
        self.state.lock().unwrap().fleet.manner = manner;
    }

    /// The requests that changed functions, refused ones too.
    pub fn updates(&self) -> Vec<Value> {
        self.state.lock().unwrap().updates.clone()
    }

    pub fn controls(&self) -> Vec<Control> {
        self.state.lock().unwrap().controls.clone()
    }

    pub fn invocations(&self) -> usize {
        self.state.lock().unwrap().invocations
    }
}

impl State {
    fn answer(&mut self, call: &Call) -> Reply {
        let action = call.headers.get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
        let line = action.clone().unwrap_or_else(|| call.line.clone());
        let function = function(&call.line);
        if line.contains("/invocations") {
            return self.invoked(&function);
        }
        if is_for_events(call) {
            return self.fleet.events(&call.body);
        }
        let control = Control { number: self.controls.len(), line, function: function.clone() };
        self.controls.push(control.clone());
        match (self.script)(&control) {
            Act::Answer => self.done(call, action.as_deref(), &function),
            Act::Instead(reply) => reply,
            Act::DoneBut(reply) => {
                self.done(call, action.as_deref(), &function);
                reply
            }
        }
    }

    fn done(&mut self, call: &Call, action: Option<&str>, name: &str) -> Reply {
        if let Some(action) = action {
            return self.logs(action, &call.body);
        }
        let (method, path) = call.line.split_once(' ').unwrap();
        if path.starts_with("/2015-03-31/functions/?") || path == "/2015-03-31/functions" && method == "GET" {
            let functions: Vec<&Value> =
                self.things.functions.values().map(|function| &function.configuration).collect();
            return json_reply(200, &json!({ "Functions": functions }));
        }
        if method == "POST" && path == "/2015-03-31/functions" {
            let request: Value = serde_json::from_str(&call.body).unwrap();
            return match &self.most_memory {
                Some((most, refusal)) if request["MemorySize"].as_u64() > Some(*most) => refusal.clone(),
                _ => self.create(&request),
            };
        }
        if path.contains("/account-settings") {
            let limit = json!({ "ConcurrentExecutions": 50, "UnreservedConcurrentExecutions": 20 });
            return json_reply(200, &json!({ "AccountLimit": limit }));
        }
        if path.ends_with("/concurrency") {
            return json_reply(200, &json!({}));
        }
        if let Some(layers) = path.strip_prefix("/2018-10-31/layers") {
            return self.layers(method, layers.split('?').next().unwrap(), &call.body);
        }
        let Some(function) = self.things.functions.get_mut(name) else {
            return Reply::lambda_error("ResourceNotFoundException", &format!("Function not found: {name}"));
        };
        match method {
            "DELETE" => {
                self.things.functions.remove(name);
                Reply::ok("")
            }
            "PUT" => {
                let request: Value = serde_json::from_str(&call.body).unwrap();
                self.updates.push(request.clone());
                let configuration = &mut function.configuration;
                if request["RevisionId"] != configuration["RevisionId"] {
                    let message = "The Revision Id provided does not match";
                    return Reply::lambda_error("PreconditionFailedException", message);
                }
                if let Some(environment) = request.get("Environment") {
                    configuration["Environment"] = environment.clone();
                    self.fleet.changed(name);
                } else {
                    configuration["MemorySize"] = request["MemorySize"].clone();
                }
                configuration["RevisionId"] = json!(format!("{}+", request["RevisionId"].as_str().unwrap()));
                json_reply(200, configuration)
            }
            _ if path.starts_with("/2017-03-31/tags/") => json_reply(200, &json!({ "Tags": function.tags })),
            _ if path.contains("/configuration") => json_reply(200, &function.configuration),
            _ => json_reply(
                200,
                &json!({
                    "Configuration": function.configuration, "Code": {"RepositoryType": "S3", "Location": self.package},
                }),
            ),
        }
    }

    fn create(&mut self, request: &Value) -> Reply {
        let name = request["FunctionName"].as_str().unwrap();
        if self.things.functions.contains_key(name) {
            return Reply::lambda_error("ResourceConflictException", &format!("Function already exist: {name}"));
        }
        self.made.push(request.clone());
        let mut configuration = request.clone();
        let members = configuration.as_object_mut().unwrap();
        for member in ["Code", "Tags", "KMSKeyArn"] {
            members.remove(member);
        }
        let layers = request["Layers"].as_array().into_iter().flatten().map(|layer| json!({ "Arn": layer }));
        members.insert("Layers".to_owned(), layers.collect());
        let own = json!({
            "FunctionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"), "State": "Active",
            "LastUpdateStatus": "Successful", "RevisionId": "1", "Version": "$LATEST", "CodeSha256": "x",
        });
        members.extend(own.as_object().unwrap().clone());
        let tags = request["Tags"].clone();
        let function = Function { configuration: configuration.clone(), tags };
        self.things.functions.insert(name.to_owned(), function);
        json_reply(201, &configuration)
    }

    fn layers(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let arn = |layer: &str| format!("arn:aws:lambda:us-east-1:123456789012:layer:{layer}");
        let version = |layer: &str, (version, description): (&u32, &String)| {
            let arn = format!("{}:{version}", arn(layer));
            json!({ "LayerVersionArn": arn, "Version": version, "Description": description })
        };
        // By the name or by the ARN.
        let path = path.replace("%3A", ":");
        let parts: Vec<&str> = path.split('/').skip(1).map(|part| part.rsplit(':').next().unwrap()).collect();
        match (method, parts.as_slice()) {
            ("GET", []) => {
                let layers = self.things.layers.iter().map(|(layer, versions)| {
                    let latest = version(layer, versions.last_key_value().unwrap());
                    json!({ "LayerName": layer, "LayerArn": arn(layer), "LatestMatchingVersion": latest })
                });
                json_reply(200, &json!({ "Layers": layers.collect::<Vec<_>>() }))
            }
            ("POST", [layer, "versions"]) => {
                let request: Value = serde_json::from_str(body).unwrap();
                let description = request["Description"].as_str().unwrap_or_default().to_owned();
                let versions = self.things.layers.entry((*layer).to_owned()).or_default();
                let next = versions.last_key_value().map_or(1, |(last, _)| last + 1);
                versions.insert(next, description.clone());
                json_reply(201, &version(layer, (&next, &description)))
            }
            ("GET", [layer, "versions"]) => {
                let versions = self.things.layers.get(*layer).into_iter().flatten();
                let versions: Vec<Value> = versions.map(|entry| version(layer, entry)).collect();
                json_reply(200, &json!({ "LayerVersions": versions }))
            }
            ("DELETE", [layer, "versions", number]) => {
                let versions = self.things.layers.get_mut(*layer).unwrap();
                versions.remove(&number.parse().unwrap());
                if versions.is_empty() {
                    self.things.layers.remove(*layer);
                }
                Reply::status(204, "")
            }
            _ => panic!("{method} {path}"),
        }
    }

    fn logs(&mut self, action: &str, body: &str) -> Reply {
        let body: Value = serde_json::from_str(body).unwrap();
        let reply = |body: Value| Reply::ok(body.to_string()).header("content-type", "application/x-amz-json-1.1");
        match action {
            "Logs_20140328.DeleteLogGroup" => {
                let group = body["logGroupName"].as_str().unwrap();
                if self.things.log_groups.remove(group) {
                    return Reply::ok("").header("content-type", "application/x-amz-json-1.1");
                }
                let error = json!({
                    "__type": "ResourceNotFoundException", "message": "The specified log group does not exist.",
                });
                Reply { status: 400, ..reply(error) }
            }
            "Logs_20140328.DescribeLogGroups" => {
                let prefix = body["logGroupNamePrefix"].as_str().unwrap();
                let groups = self.things.log_groups.iter().filter(|group| group.starts_with(prefix));
                reply(json!({ "logGroups": groups.map(|group| json!({ "logGroupName": group })).collect::<Vec<_>>() }))
            }
            // As often as a thousand times in the days before.
            "GraniteServiceVersion20100801.GetMetricData" => {
                let data = |id: &str, sum: f64| json!({ "Id": id, "Label": id, "StatusCode": "Complete", "Timestamps": [1.79e9], "Values": [sum] });
                let results = [data("invocations", 1000.0), data("duration", 20_000.0)];
                Reply::ok(json!({ "MetricDataResults": results }).to_string())
                    .header("content-type", "application/x-amz-json-1.0")
            }
            _ => panic!("{action}"),
        }
    }

    /// An invocation, which makes the function's log group.
    fn invoked(&mut self, name: &str) -> Reply {
        assert!(self.things.functions.contains_key(name), "{name} is called and not there");
        assert_ne!(name, "orders", "the user's function is called");
        self.things.log_groups.insert(format!("/aws/lambda/{name}"));
        self.invocations += 1;
        let number = self.invocations;
        if self.fleet.manner.warm > 0 {
            return self.fleet.invoked(name, &self.things.functions[name].configuration, number);
        }
        let is_probed = self.things.functions[name].configuration["Environment"].to_string().contains("EXEC_WRAPPER");
        let cpu = if is_probed { "lambda-duet-probe model:; implementer: 0x41; part: 0xd0c;\n" } else { "" };
        let calls = self.calls.entry(name.to_owned()).or_default();
        *calls += 1;
        let configuration = &self.things.functions[name].configuration;
        let (ms, environment) = match self.duration_ms {
            // A little more or less each time.
            Some(ms) => (ms(configuration) * (1.0 + (*calls * 7 % 5) as f64 / 1000.0), *calls % ENVIRONMENTS),
            None => (0.1, 1),
        };
        if ms == 0.0 {
            return Reply::ok(r#"{"errorType": "Runtime.OutOfMemory"}"#).header("x-amz-function-error", "Unhandled");
        }
        let billed = ms.ceil();
        let memory = configuration["MemorySize"].as_u64().unwrap();
        let log = format!(
            "{cpu}REPORT RequestId: {number}\tDuration: {ms:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {memory} MB\tMax Memory Used: 30 MB\n"
        );
        Reply::ok(json!({ "environment": format!("{name}-{environment}") }).to_string())
            .header("x-amzn-requestid", number.to_string())
            .header("x-amz-executed-version", "$LATEST")
            .header("x-amz-log-result", BASE64_STANDARD.encode(log))
            .after(Duration::from_secs_f64(if self.duration_ms.is_some() { ms / 1000.0 } else { 0.0 }))
    }
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::status(status, body.to_string()).header("content-type", "application/json")
}

/// The name of the function in a path, which has it as a name or as an ARN.
fn function(line: &str) -> String {
    let after = ["/functions/", "/tags/"].into_iter().find_map(|before| Some(line.split_once(before)?.1));
    let name = after.unwrap_or_default().split(['/', '?']).next().unwrap();
    name.rsplit("%3A").next().unwrap().to_owned()
}
