//! `duet try` for real functions on the emulated AWS: what is called does its work, and the account stays as it is.

pub mod emulated;
mod killed;

use super::variable;
use crate::{
    architectures::{FOREIGN, NATIVE},
    campaign::{Scratch, assert_code, samples, subcommand},
    cli::stderr,
    handler::bootstrap,
    inspection::zipped,
    portability::packages::{self, Files, files, npm},
};
use emulated::{FUNCTIONS, deploy, layer, request, things, zip};
use lambda_duet::protocol::Architecture;
use serde_json::{Value, json};
use std::{
    fs,
    io::{Cursor, Write},
    process::{Command, Output},
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A function in Python that fails without its variable.
const PYTHON: &str = r#"
import os, uuid

ENVIRONMENT = str(uuid.uuid4())


def handler(event, context):
    return {"table": os.environ["TABLE"], "environment": ENVIRONMENT}
"#;

/// Functions name their environments here, as a minute is waited for the log streams of the emulator, which tell none.
const NAMED: [&str; 2] = ["--environment", "/environment"];

/// A trial of a function with one environment of each clone and four calls.
fn try_function(endpoint: &str, function: &str, payload: &str, scratch: &Scratch, options: &[&str]) -> Command {
    let payload = scratch.file("event.json", payload);
    let mut command = subcommand(endpoint, "try");
    command.args([function, "--payload", &payload, "--environments", "1", "--invocations", "4", "--yes"]);
    command.args(["--out", &scratch.path("run")]).args(options);
    command
}

/// Tries a function, which leaves the account as it was.
fn tried(function: &str, payload: &str, scratch: &Scratch, options: &[&str]) -> Output {
    let before = things();
    let output = try_function(&variable("AWS_ENDPOINT_URL"), function, payload, scratch, options).output().unwrap();
    assert_eq!(things(), before, "{}", stderr(&output));
    assert!(!scratch.has("run/clones.json"));
    output
}

/// Tries a function whose clones are all called, and do their work.
fn works(function: &str, payload: &str, clones: usize, options: &[&str]) {
    let scratch = Scratch::new();
    assert_code(&tried(function, payload, &scratch, options), 0);
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!(manifest.variants.count(), clones);
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert!(row.failure.is_none() && row.environment.is_some(), "{row:?}");
    }
}

/// Tries a function that needs other files on the other architecture; gives what it says.
fn needs_files(function: &str, payload: &str) -> String {
    let scratch = Scratch::new();
    let output = tried(function, payload, &scratch, &[]);
    assert_code(&output, 5);
    assert!(!scratch.has("run"));
    stderr(&output)
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn a_function_in_python_is_tried_and_stays_as_it_is() {
    let code = zip(&zipped(&[("app.py", PYTHON.as_bytes())]));
    deploy("in-python", &code, json!({ "Runtime": "python3.13", "Handler": "app.handler" }));
    let path = format!("{FUNCTIONS}/in-python");
    request(&format!("POST {path}/versions"), &json!({ "Description": "as it was sold" }));
    request(&format!("POST {path}/aliases"), &json!({ "Name": "live", "FunctionVersion": "1" }));
    let limit = json!({ "ReservedConcurrentExecutions": 7 });
    request("PUT /2017-10-31/functions/in-python/concurrency", &limit);
    works("in-python", "{}", 4, &[&NAMED[..], &["--memory", "1024"]].concat());
    works("in-python:live", "{}", 2, &[&NAMED[..], &["--no-probe"]].concat());
}

/// A layer of Node.js with packages.
fn node_layer(files: &Files) -> Vec<u8> {
    let placed = files.iter().map(|(path, content)| (format!("nodejs/{path}"), content.clone()));
    packages::zipped(&placed.collect())
}

/// A function of Node.js that needs packages.
fn deploy_node(name: &str, handler: &str, layers: &[String]) {
    let configuration = json!({
        "Runtime": "nodejs22.x", "Handler": "index.handler", "Architectures": [NATIVE], "Layers": layers,
    });
    deploy(name, &zip(&zipped(&[("index.js", handler.as_bytes())])), configuration);
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn a_function_of_node_gets_its_layers() {
    let own = files(&[("node_modules/prices/index.js", b"exports.price = 7;\n")]);
    let layers = [layer("times", &node_layer(&npm(&["ms@2.1.3"]))), layer("prices", &node_layer(&own))];
    // 60,000 ms for a price of 7.
    let handler = r#"
        const environment = require("crypto").randomUUID();
        exports.handler = async () => {
            const cost = require("ms")("1m") * require("prices").price;
            if (cost !== 420000) throw new Error(`it costs ${cost}`);
            return { environment, cost };
        };
    "#;
    deploy_node("of-node", handler, &layers);
    works("of-node", "{}", 2, &NAMED);
}

/// The other architecture, as Docker calls it.
fn docker_name() -> &'static str {
    match FOREIGN {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "amd64",
    }
}

/// npm's name of an architecture.
fn npm_name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x64",
    }
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn a_native_module_for_one_architecture_is_named_with_its_layer() {
    let native = format!("@node-rs/crc32-linux-{}-gnu", npm_name(NATIVE));
    let native = npm(&["@node-rs/crc32@1.10.6", &format!("{native}@1.10.6")]);
    let layers = [layer("checksums", &node_layer(&native))];
    let handler = r#"
        const environment = require("crypto").randomUUID();
        exports.handler = async () => {
            const sum = require("@node-rs/crc32").crc32("123456789");
            if (sum !== 0xcbf43926) throw new Error(`the sum is ${sum}`);
            return { environment, sum };
        };
    "#;
    deploy_node("with-native", handler, &layers);
    let said = needs_files("with-native", "{}");
    let file = format!("crc32.linux-{}-gnu.node", npm_name(NATIVE));
    assert!(said.contains(":layer:checksums:") && said.contains(&file), "{said}");
    let as_it_is = ["--architectures", &NATIVE.to_string(), "--memory", "1024"];
    works("with-native", "{}", 2, &[&NAMED[..], &as_it_is].concat());
}

/// The deployment package of the service for an architecture.
fn service(architecture: Architecture) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    archive.write_all(&fs::read(bootstrap(architecture)).unwrap()).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn a_program_in_rust_needs_its_package_for_the_other_architecture() {
    const PAYLOAD: &str = r#"{"workloads":["math"],"size":100,"iterations":1,"emit_metrics":false}"#;
    let configuration: Value =
        json!({ "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": [NATIVE] });
    deploy("in-rust", &zip(&service(NATIVE)), configuration);
    let said = needs_files("in-rust", PAYLOAD);
    assert!(said.contains("bootstrap") && said.contains("--candidate-code"), "{said}");
    let scratch = Scratch::new();
    let candidate = scratch.path("candidate.zip");
    fs::write(&candidate, service(FOREIGN)).unwrap();
    works("in-rust", PAYLOAD, 2, &["--candidate-code", &candidate, "--environment", "/environment/id"]);
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn an_image_is_cloned_and_where_none_can_run_nothing_is_left() {
    let image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/shop:1";
    deploy("in-image", &json!({ "ImageUri": image }), json!({ "PackageType": "Image", "Architectures": [NATIVE] }));
    let said = needs_files("in-image", "{}");
    assert!(
        said.contains(", as a container image.") && said.contains(&format!("--platform linux/{}", docker_name())),
        "{said}"
    );
    let scratch = Scratch::new();
    let options = [&NAMED[..], &["--candidate-image", "000000000000.dkr.ecr.us-east-1.amazonaws.com/shop:other"]];
    let output = tried("in-image", "{}", &scratch, &options.concat());
    assert_code(&output, 3);
    // The emulator takes images, and runs none.
    let said = stderr(&output);
    assert!(said.contains("the function answered with an error, Runtime.Docker"), "{said}");
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!((manifest.variants.count(), rows.len()), (2, 4));
}
