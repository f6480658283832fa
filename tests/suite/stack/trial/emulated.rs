//! The emulated AWS as it is on the wire: what there is in its account, and a way to it for a scripted server.

use crate::{
    campaign::wait_until,
    scripted::{Call, Reply},
    stack::variable,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
};

pub const FUNCTIONS: &str = "/2015-03-31/functions";
const LAYERS: &str = "/2018-10-31/layers";

/// What clients are told in headers.
const HEADERS: [&str; 6] = [
    "content-type",
    "x-amz-executed-version",
    "x-amz-function-error",
    "x-amz-log-result",
    "x-amzn-errortype",
    "x-amzn-requestid",
];

/// Sends a request, in a connection of its own.
fn exchange(line: &str, headers: &str, body: &str) -> Reply {
    let host = variable("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    // By this version of HTTP the answer ends with the connection.
    let request = format!(
        "{line} HTTP/1.0\r\nhost: {host}\r\n{headers}content-length: {length}\r\n\r\n{body}",
        length = body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    head.lines().skip(1).filter_map(|line| line.split_once(':')).fold(Reply::status(status, body), told)
}

/// The answer with a header, if it is one of those that clients are told.
fn told(reply: Reply, (name, value): (&str, &str)) -> Reply {
    match HEADERS.into_iter().find(|told| name.eq_ignore_ascii_case(told)) {
        Some(name) => reply.header(name, value.trim()),
        None => reply,
    }
}

/// What the emulator answers to this call.
pub fn forward(call: &Call) -> Reply {
    const OF_THE_CONNECTION: [&str; 3] = ["host", "connection", "content-length"];
    let headers = call.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    let headers: String = headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect();
    exchange(&call.line, &headers, &call.body)
}

/// The answer to a request that has to succeed, in JSON.
pub fn request(line: &str, body: &Value) -> Value {
    let reply = exchange(line, "content-type: application/json\r\n", &body.to_string());
    assert!(reply.status < 300, "{line}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap_or_default()
}

/// What is there, or not; the time-limited address of its content aside.
pub fn look(path: &str) -> Value {
    let reply = exchange(&format!("GET {path}"), "", "");
    let mut found: Value = serde_json::from_str(&reply.body).unwrap();
    for (member, inner) in [("Code", "Location"), ("Content", "Location")] {
        if let Some(member) = found.get_mut(member).and_then(Value::as_object_mut) {
            member.remove(inner);
        }
    }
    found
}

/// The names of what is listed there.
fn names(path: &str, list: &str, name: &str) -> Vec<String> {
    let found = look(path);
    let listed = found[list].as_array().unwrap();
    listed.iter().map(|listed| listed[name].as_str().unwrap().to_owned()).collect()
}

fn log_groups() -> Value {
    let target = "content-type: application/x-amz-json-1.1\r\nx-amz-target: Logs_20140328.DescribeLogGroups\r\n";
    let mut groups: Value = serde_json::from_str(&exchange("POST /", target, "{}").body).unwrap();
    for group in groups["logGroups"].as_array_mut().unwrap() {
        // Functions of the stack may still write to theirs.
        group.as_object_mut().unwrap().remove("storedBytes");
    }
    groups
}

/// All that there is in the account that a trial could change, by its path.
pub fn things() -> BTreeMap<String, Value> {
    let every = "?MaxItems=10000";
    let mut paths = vec![LAYERS.to_owned(), "/2015-03-31/event-source-mappings/".to_owned()];
    for function in names(&format!("{FUNCTIONS}{every}"), "Functions", "FunctionName") {
        let of_function = ["", "/versions", "/aliases", "/policy"].map(|of| format!("{FUNCTIONS}/{function}{of}"));
        paths.extend(of_function);
    }
    for layer in names(LAYERS, "Layers", "LayerName") {
        paths.push(format!("{LAYERS}/{layer}/versions"));
    }
    let mut things: BTreeMap<String, Value> = paths.into_iter().map(|path| (path.clone(), look(&path))).collect();
    things.insert("log groups".to_owned(), log_groups());
    things
}

/// Makes a function anew: this one, with this code, besides what all have.
pub fn deploy(name: &str, code: &Value, own: Value) {
    // It is there if the tests have run before.
    exchange(&format!("DELETE {FUNCTIONS}/{name}"), "", "");
    let mut function = json!({
        "FunctionName": name, "Role": "arn:aws:iam::000000000000:role/shop", "MemorySize": 512, "Timeout": 30, "Code": code,
        "Tags": {"team": "shop"}, "Environment": {"Variables": {"TABLE": "orders"}},
    });
    let Value::Object(own) = own else { panic!("{own} is no object") };
    function.as_object_mut().unwrap().extend(own);
    request(&format!("POST {FUNCTIONS}"), &function);
    wait_until(|| {
        let function = look(&format!("{FUNCTIONS}/{name}"));
        let configuration = &function["Configuration"];
        configuration["State"] == "Active" && configuration["LastUpdateStatus"] == "Successful"
    });
}

pub fn zip(package: &[u8]) -> Value {
    json!({ "ZipFile": BASE64_STANDARD.encode(package) })
}

/// Publishes a layer, and gives the ARN of its version.
pub fn layer(name: &str, package: &[u8]) -> String {
    let published = request(&format!("POST {LAYERS}/{name}/versions"), &json!({ "Content": zip(package) }));
    published["LayerVersionArn"].as_str().unwrap().to_owned()
}
