//! `duet try --inspect` on a scripted AWS.

use crate::{
    campaign::{assert_code, subcommand},
    cli::{duet, stderr},
    handler::root,
    scripted::{Call, Reply, Scripted},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Cursor, Write},
    process::Output,
};
use zip::{ZipWriter, write::SimpleFileOptions};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:orders";
const LAYER: &str = "arn:aws:lambda:us-east-1:123456789012:layer:tools:3";

pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The beginning of a shared library for x86_64, by the ELF standard.
fn library() -> Vec<u8> {
    let mut library = b"\x7fELF\x02\x01\x01".to_vec();
    library.resize(64, 0);
    // The type (a shared object), the machine, and the version.
    library[16..24].copy_from_slice(&[3, 0, 62, 0, 1, 0, 0, 0]);
    // The size of this header.
    library[52] = 64;
    library
}

pub fn sha256(archive: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(archive))
}

/// A function of Python whose packages a server of files has.
struct Orders {
    files: Scripted,
    layer: Vec<u8>,
    configuration: Value,
}

impl Orders {
    fn new(code: &[(&str, &[u8])], layer: &[(&str, &[u8])]) -> Self {
        let (code, layer) = (zipped(code), zipped(layer));
        let (of_code, of_layer) = (code.clone(), layer.clone());
        let files = Scripted::start(move |call, _| match call.line.as_str() {
            "GET /code?signature=1" => Reply::bytes(of_code.clone()),
            "GET /layer?signature=2" => Reply::bytes(of_layer.clone()),
            _ => Reply::status(403, "<Error><Code>AccessDenied</Code></Error>"),
        });
        let configuration = json!({
            "FunctionName": "orders", "FunctionArn": ARN, "Runtime": "python3.13", "Handler": "app.handler",
            "Architectures": ["x86_64"], "PackageType": "Zip", "CodeSha256": sha256(&code), "Layers": [{"Arn": LAYER}],
        });
        Self { files, layer, configuration }
    }

    /// What Lambda answers to a request for the function or the layer.
    fn reply(&self, call: &Call) -> Reply {
        let body = if call.line.starts_with("GET /2015-03-31/functions/") {
            json!({
                "Configuration": self.configuration,
                "Code": {"RepositoryType": "S3", "Location": format!("{}/code?signature=1", self.files.url)},
            })
        } else {
            assert!(call.line.starts_with("GET /2018-10-31/layers?find=LayerVersion&Arn="), "{}", call.line);
            json!({
                "LayerVersionArn": LAYER,
                "Content": {
                    "Location": format!("{}/layer?signature=2", self.files.url), "CodeSha256": sha256(&self.layer),
                    "CodeSize": self.layer.len(),
                },
            })
        };
        Reply::ok(body.to_string()).header("content-type", "application/json")
    }
}

fn inspect(url: &str, options: &[&str]) -> Output {
    subcommand(url, "try").arg("--inspect").args(options).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_function_of_interpreted_code_can_run_on_the_other_architecture() {
    let orders = Orders::new(&[("app.py", b"")], &[("python/tool.py", b"")]);
    let aws = Scripted::aws(move |call, _| orders.reply(call));
    let output = inspect(&aws.url, &["orders"]);
    assert_code(&output, 0);
    assert_eq!(
        text(&output),
        format!("{ARN} runs on x86_64, as python3.13.\nThe package can run on arm64 as it is.\n"),
    );
    // Nothing but reading.
    let lines: Vec<String> = aws.calls().into_iter().map(|call| call.line).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("GET ")), "{lines:?}");
}

#[test]
fn native_code_for_the_present_architecture_is_named_with_what_replaces_it() {
    let (library, wheel) = (library(), "Name: fast\nVersion: 1.2\n");
    let code: [(&str, &[u8]); 4] = [
        ("app.py", b""),
        ("fast/core.cpython-313-x86_64-linux-gnu.so", &library),
        ("fast-1.2.dist-info/WHEEL", b"Wheel-Version: 1.0\nTag: cp313-cp313-manylinux2014_x86_64\n"),
        ("fast-1.2.dist-info/METADATA", wheel.as_bytes()),
    ];
    let orders = Orders::new(&code, &[("python/tool.py", b"")]);
    let aws = Scripted::aws(move |call, _| orders.reply(call));
    let output = inspect(&aws.url, &[ARN]);
    assert_code(&output, 5);
    let expected = "The package needs other files to run on arm64.\n- In the code: the wheel fast 1.2 \
                    (fast/core.cpython-313-x86_64-linux-gnu.so) is for x86_64 alone.\n    pip install \
                    --platform manylinux2014_aarch64 ";
    assert!(text(&output).contains(expected), "{}", text(&output));
    let answer: Value = serde_json::from_str(&text(&inspect(&aws.url, &["lambda:orders", "--json"]))).unwrap();
    let schema = fs::read_to_string(root().join("docs/schema/inspection.schema.json")).unwrap();
    jsonschema::validate(&serde_json::from_str(&schema).unwrap(), &answer).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((&answer["function"], &answer["portability"]["verdict"]), (&json!(ARN), &json!("needs-files")));
}

#[test]
fn a_layer_that_may_not_be_read_cannot_be_told_and_a_function_that_may_not_is_an_error() {
    let orders = Orders::new(&[("app.py", b"")], &[]);
    let denied =
        |action: &str| Reply::lambda_error("AccessDeniedException", &format!("not authorized to perform: {action}"));
    let aws =
        Scripted::aws(
            move |call, _| {
                if call.line.contains("layers") { denied("lambda:GetLayerVersion") } else { orders.reply(call) }
            },
        );
    let output = inspect(&aws.url, &["orders"]);
    assert_code(&output, 6);
    let expected = format!(
        "- Layer {LAYER} could not be fetched: AccessDeniedException: not authorized to perform: lambda:GetLayerVersion."
    );
    assert!(text(&output).contains(&expected), "{}", text(&output));
    let aws = Scripted::aws(move |_, _| denied("lambda:GetFunction"));
    let output = inspect(&aws.url, &["orders"]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("lambda:orders: AccessDeniedException: not authorized"), "{}", stderr(&output));
}

#[test]
fn a_package_that_is_not_what_lambda_has_is_refused() {
    let orders = Orders::new(&[("app.py", b"")], &[]);
    let configuration = json!({"CodeSha256": sha256(b"another")});
    let aws = Scripted::aws(move |call, number| {
        let reply = orders.reply(call);
        match number {
            // Throttled at first.
            0 => Reply::lambda_error("TooManyRequestsException", "Rate exceeded"),
            1 => Reply {
                body: reply.body.replace(
                    orders.configuration["CodeSha256"].as_str().unwrap(),
                    configuration["CodeSha256"].as_str().unwrap(),
                ),
                ..reply
            },
            _ => Reply { body: reply.body.replace("signature=1", "signature=0"), ..reply },
        }
    });
    let output = inspect(&aws.url, &["orders"]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("fetching a package: its SHA-256 is "), "{}", stderr(&output));
    let output = inspect(&aws.url, &["orders"]);
    assert_code(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("fetching a package: HTTP 403 Forbidden") && !said.contains("signature"), "{said}");
}

#[test]
fn what_is_no_function_is_refused() {
    for (arguments, reason) in [
        (&["try", "orders"][..], "--inspect"),
        (&["try", "--inspect", "https://x.example"], "is not a function"),
        (&["try", "--inspect", "local:x:y:z"], "is not a function"),
        (&["try", "--inspect", "https://me:s3cret@host/"], "has a user name or a password"),
        (&["try", "--inspect", "me:s3cret@host"], "has a user name or a password"),
    ] {
        let output = duet(arguments);
        assert_code(&output, 2);
        let message = stderr(&output);
        assert!(message.contains(reason) && !message.contains("s3cret"), "{message}");
    }
}
