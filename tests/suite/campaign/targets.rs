//! Every kind of target, and what is looked at before it is called.

use super::{Scratch, assert_code, both, command, report, run, samples};
use crate::{
    cli::stderr,
    handler::{QUICK, bootstrap},
    scripted::{Call, Reply, Scripted, request_id},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_duet::{campaign::row::Row, protocol::Architecture};
use serde_json::json;
use std::{collections::BTreeSet, sync::Mutex, time::Duration};

#[test]
fn two_builds_are_compared_on_this_machine() {
    let scratch = Scratch::new();
    let default = format!("exec:{}", bootstrap(Architecture::OF_BINARY).display());
    let quick = format!("exec:{QUICK}");
    let out = scratch.path("run");
    let arguments = [
        ["--targets", &default, &quick, "--workload", "sorting/radix", "--workload", "math/fft", "--size", "200"]
            .as_slice(),
        &["--iterations", "2", "--environments", "8", "--invocations", "160", "--out", &out],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    let (manifest, rows) = samples(&out);
    assert_eq!((rows.len(), manifest.plan.concurrent), (160, false));
    for side in both() {
        let mut environments: Vec<_> = rows.iter().filter(|row| row.variant == side).map(environment).collect();
        // The first call of each environment is marked cold, and no other.
        assert_eq!(rows.iter().filter(|row| row.variant == side && row.cold == Some(true)).count(), 8);
        environments.sort_unstable();
        environments.dedup();
        assert_eq!(environments.len(), 8);
    }
    assert!(rows.iter().all(|row| row.cost_usd == 0.0 && row.report.as_ref().unwrap().billed_ms.is_none()));
    let text = report(&out);
    assert!(text.contains("math/fft") && text.contains("80 calls (8 cold), 8 environments"), "{text}");
    // Eight processes of each build are enough for a verdict, whichever it is.
    assert!(!text.contains("No verdict"), "{text}");
}

fn environment(row: &lambda_duet::campaign::row::Row) -> String {
    row.response.as_ref().unwrap().environment.id.clone()
}

#[test]
fn every_cold_call_meets_a_process_of_its_own() {
    let scratch = Scratch::new();
    let (exec, out) = (format!("exec:{}", bootstrap(Architecture::OF_BINARY).display()), scratch.path("run"));
    let arguments = [
        ["--targets", &exec, &exec, "--workload", "math/fft", "--size", "64", "--cold"].as_slice(),
        &["--environments", "2", "--invocations", "8", "--out", &out],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    let (_, rows) = samples(&out);
    assert!(rows.iter().all(|row| row.cold == Some(true) && row.report.as_ref().unwrap().init_ms.is_some()));
}

#[test]
fn the_handler_beside_the_program_is_local() {
    let scratch = Scratch::new();
    let out = scratch.path("run");
    let arguments = [
        ["--targets", "local", "local", "--workload", "string/utf8", "--size", "64", "--iterations", "1"].as_slice(),
        &["--environments", "1", "--invocations", "2", "--out", &out],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    let (manifest, _) = samples(&out);
    assert!(manifest.variants[both()[0]].target.to_string().ends_with("/handler"));
}

#[test]
fn a_process_is_an_environment_of_its_own_also_after_a_pause() {
    let scratch = Scratch::new();
    // As a function of the user's own, whose answer is not looked into.
    let payload = scratch.file("payload.json", r#"{"workloads": ["math/fft"], "size": 64, "iterations": 1}"#);
    let out = scratch.path("run");
    let arguments = [
        ["--targets", "local", "local", "--payload", &payload, "--out", &out].as_slice(),
        &["--environments", "2", "--invocations", "12"],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    let before = samples(&out).1;
    let names = |rows: &[Row]| -> BTreeSet<String> {
        rows.iter().map(|row| row.environment().expect("a process").to_owned()).collect()
    };
    // Two processes a side, each called once in each of the three blocks.
    assert_eq!((before.len(), names(&before).len()), (12, 4));
    assert_eq!(names(&before[..4]), names(&before[8..]));
    assert!(report(&out).contains("6 calls (2 cold), 2 environments"), "{}", report(&out));

    // The last block is made again, by processes that are started anew.
    let path = scratch.0.join("run/samples.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept: String = text.split_inclusive('\n').take(8).collect();
    std::fs::write(&path, kept).unwrap();
    assert_code(&run("", &["--resume", &out]), 0);
    let after = samples(&out).1;
    assert_eq!((after.len(), names(&after).len()), (12, 8));
    assert!(names(&before).is_disjoint(&names(&after[8..])));

    // Where the function names itself, that is the name.
    let out = scratch.path("named");
    let arguments = [
        ["--targets", "local", "local", "--payload", &payload, "--out", &out, "--environment", "/environment/id"]
            .as_slice(),
        &["--cpu-model", "/host/cpu_model", "--environments", "2", "--invocations", "8"],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    let rows = samples(&out).1;
    assert_eq!(names(&rows).len(), 4);
    // Processes are named by number and time, the handler's environments at random.
    assert!(names(&rows).iter().all(|name| !name.contains('-')), "{:?}", names(&rows));
    assert!(rows.iter().all(|row| row.cpu_model().is_some()));
}

/// A Lambda of two functions, `x` and `a`, that remembers their variables.
fn lambda(memory_of_a: u32) -> Scripted {
    lambda_in("us-east-1", memory_of_a, 512)
}

/// The same in a region, with storage for both.
pub fn lambda_in(region: &'static str, memory_of_a: u32, storage: u32) -> Scripted {
    let variables = Mutex::new([json!({"KEEP": "1"}), json!({"KEEP": "1"})]);
    Scripted::aws(move |call, number| {
        let index = usize::from(call.line.contains("/functions/a/"));
        let mut variables = variables.lock().unwrap();
        if call.line.starts_with("PUT ") {
            let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
            variables[index] = body["Environment"]["Variables"].clone();
        }
        if call.line.contains("/configuration") {
            let (name, architecture, memory) = [("x", "x86_64", 1769), ("a", "arm64", memory_of_a)][index];
            return Reply::ok(
                json!({
                    "FunctionName": name,
                    "FunctionArn": format!("arn:aws:lambda:{region}:123456789012:function:{name}"),
                    "EphemeralStorage": {"Size": storage},
                    "Architectures": [architecture], "MemorySize": memory, "Timeout": 30,
                    "Runtime": "provided.al2023", "LoggingConfig": {"LogFormat": "JSON"},
                    "Environment": {"Variables": variables[index]}, "LastUpdateStatus": "Successful",
                    "RevisionId": "r"
                })
                .to_string(),
            )
            .header("content-type", "application/json");
        }
        let is_cold = variables[index].get("LAMBDA_DUET_COLD").is_some();
        invoked(call, number, is_cold)
    })
}

/// An invocation of 20 ms; a cold one is billed for its start too, and takes as long.
fn invoked(call: &Call, number: usize, is_cold: bool) -> Reply {
    assert!(call.line.contains("/invocations"), "{}", call.line);
    let (billed, start) = if is_cold { (120, "Init Duration: 100.00 ms\t") } else { (20, "") };
    let id = request_id(number);
    let log = format!(
        "REPORT RequestId: {id}\tDuration: 19.50 ms\tBilled Duration: {billed} ms\tMemory Size: 1769 MB\tMax Memory Used: 30 MB\t{start}\n"
    );
    Reply::ok(r#"{"sum": 7}"#)
        .header("x-amz-log-result", BASE64_STANDARD.encode(log))
        .after(Duration::from_millis(billed))
}

/// A campaign on that Lambda.
pub fn on_lambda(scratch: &Scratch, lambda: &Scripted, arguments: &[&str]) -> std::process::Output {
    on_lambda_with(scratch, lambda, arguments, &[])
}

/// The same with these variables.
pub fn on_lambda_with(
    scratch: &Scratch,
    lambda: &Scripted,
    arguments: &[&str],
    variables: &[(&str, String)],
) -> std::process::Output {
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let all = [
        ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out].as_slice(),
        &["--environments", "2", "--invocations", "8"],
        arguments,
    ]
    .concat();
    command(&lambda.url, &all).envs(variables.iter().cloned()).output().unwrap()
}

#[test]
fn functions_are_inspected_and_billed_by_their_reports() {
    let (scratch, lambda) = (Scratch::new(), lambda(1769));
    let output = on_lambda(&scratch, &lambda, &[]);
    assert_code(&output, 0);
    let (manifest, rows) = samples(&scratch.path("run"));
    let configuration = manifest.variants[both()[1]].configuration.clone().unwrap();
    assert_eq!((configuration.architecture, configuration.memory_mb), (Architecture::Arm64, 1769));
    for row in &rows {
        let report = row.report.as_ref().unwrap();
        assert_eq!((report.billed_ms, report.duration_ms, row.cold), (Some(20.0), Some(19.5), Some(false)));
        let gb_second = if row.variant == both()[0] { 0.000_016_666_7 } else { 0.000_013_333_4 };
        let expected = 0.000_000_2 + gb_second * 0.02 * 1769.0 / 1024.0;
        assert!((row.cost_usd - expected).abs() < 1e-12, "{} {expected}", row.cost_usd);
    }
    let invocations = lambda.calls().into_iter().filter(|call| call.line.contains("/invocations"));
    assert!(invocations.into_iter().all(|call| call.headers["x-amz-log-type"] == "Tail"));
}

#[test]
fn unequal_memory_is_refused_unless_it_is_allowed() {
    let (scratch, lambda) = (Scratch::new(), lambda(512));
    let output = on_lambda(&scratch, &lambda, &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("1769 MB against 512 MB"), "{}", stderr(&output));
    assert!(lambda.calls().iter().all(|call| !call.line.contains("/invocations")));
    let output = on_lambda(&scratch, &lambda, &["--allow-unequal"]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("Warning: the variants differ"), "{}", stderr(&output));
}

#[test]
fn a_cold_campaign_restores_what_it_changed_and_what_a_killed_one_left() {
    let (scratch, lambda) = (Scratch::new(), lambda(1769));
    assert_code(&on_lambda(&scratch, &lambda, &["--cold"]), 0);
    let (_, rows) = samples(&scratch.path("run"));
    assert!(rows.iter().all(|row| row.cold == Some(true)));
    let changes = |lambda: &Scripted| -> Vec<String> {
        let calls = lambda.calls().into_iter();
        calls.filter(|call| call.line.starts_with("PUT ")).map(|call| format!("{} {}", call.line, call.body)).collect()
    };
    let made = changes(&lambda);
    // Two blocks change each function once; then both are as they were.
    assert_eq!(made.len(), 6, "{made:?}");
    assert!(made.iter().all(|change| change.contains(r#""KEEP":"1""#)), "{made:?}");
    assert!(made[..4].iter().all(|change| change.contains("LAMBDA_DUET_COLD")), "{made:?}");
    assert!(made[4..].iter().all(|change| !change.contains("LAMBDA_DUET_COLD")), "{made:?}");

    // A campaign that is killed leaves a change behind, which the next one takes back first.
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("killed"));
    let arguments =
        ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--cold", "--pace", "60s", "--out", &out];
    let mut process = super::command(&lambda.url, &arguments).spawn().unwrap();
    while changes(&lambda).len() < 8 {
        std::thread::sleep(Duration::from_millis(5));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let output = on_lambda(&scratch, &lambda, &[]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("Restored the configuration of lambda:x"), "{}", stderr(&output));
    let (_, rows) = samples(&scratch.path("run"));
    assert!(rows.iter().all(|row| row.cold == Some(false)));
}

#[test]
fn a_function_that_is_both_sides_is_changed_once_a_step() {
    for candidate in ["lambda:x", "lambda:arn:aws:lambda:us-east-1:123456789012:function:x"] {
        let (scratch, lambda) = (Scratch::new(), lambda(1769));
        let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
        let targets = ["--targets", "lambda:x", candidate, "--payload", &payload, "--out", &out, "--cold"];
        let output = run(&lambda.url, &[targets.as_slice(), &["--environments", "2", "--invocations", "8"]].concat());
        assert_code(&output, 0);
        assert!(samples(&out).1.iter().all(|row| row.cold == Some(true)), "{candidate}");
        // Two blocks of one step, and the change back.
        let changes = lambda.calls().iter().filter(|call| call.line.starts_with("PUT ")).count();
        assert_eq!(changes, 3, "{candidate}");
    }
}

#[test]
fn a_published_version_cannot_be_made_cold() {
    let (scratch, lambda) = (Scratch::new(), lambda(1769));
    let payload = scratch.file("payload.json", "{}");
    let output = run(&lambda.url, &["--targets", "lambda:x:live", "lambda:a", "--payload", &payload, "--cold"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("name it without a qualifier"), "{}", stderr(&output));
}

#[test]
fn a_missing_function_is_reported_before_the_first_call() {
    let nothing = Scripted::aws(|_, _| {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:x";
        Reply::lambda_error("ResourceNotFoundException", &format!("Function not found: {arn}"))
    });
    let scratch = Scratch::new();
    let payload = scratch.file("payload.json", "{}");
    let output = run(&nothing.url, &["--targets", "lambda:x", "lambda:a", "--payload", &payload]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("looking at lambda:x: ResourceNotFoundException"), "{}", stderr(&output));
}

#[test]
fn an_emulator_that_only_invokes_suffices() {
    // As `sam local start-lambda` answers.
    let emulator = Scripted::aws(|call, _| match call.headers.get("x-amz-log-type") {
        _ if call.line.starts_with("GET ") => {
            Reply::status(404, r#"{"Type": "LocalService", "Message": "PathNotFoundException"}"#)
                .header("x-amzn-errortype", "PathNotFoundLocally")
                .breaking_the_model("sam local has no GetFunctionConfiguration")
        }
        Some(_) => Reply::status(501, r#"{"Type": "LocalService", "Message": "log-type: Tail is not supported"}"#)
            .header("x-amzn-errortype", "NotImplemented")
            .breaking_the_model("sam local has no log tail"),
        None => Reply::ok("{}"),
    });
    let scratch = Scratch::new();
    let output = on_lambda(&scratch, &emulator, &[]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("does not say how lambda:x is configured"), "{}", stderr(&output));
    let (_, rows) = samples(&scratch.path("run"));
    assert!(rows.len() == 8 && rows.iter().all(|row| row.failure.is_none()));
}

#[test]
fn a_stack_is_found_by_its_name_and_by_samconfig() {
    let aws = Scripted::aws(move |call, _| match call.body.strip_prefix("Action=DescribeStacks&Version=2010-05-15&") {
        Some("StackName=lambda-duet") => Reply::ok(described_stack("lambda-duet", ["x", "a"])),
        Some(_) => Reply::status(
            400,
            "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                 <Message>Stack with id other does not exist</Message></Error><RequestId>1</RequestId></ErrorResponse>",
        ),
        None => Reply::ok(r#"{"Architectures": ["arm64"], "MemorySize": 128, "Timeout": 3}"#),
    });
    for targets in [["--targets", "stack:lambda-duet"].as_slice(), &[]] {
        let output = run(&aws.url, &[targets, &["--dry-run"]].concat());
        assert_code(&output, 0);
        let plan = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(plan.contains("baseline  lambda:x ("), "{plan}");
        assert!(plan.contains("lambda:a (arm64, 128 MB, 3 s"), "{plan}");
    }
    let output = run(&aws.url, &["--targets", "stack:other", "--dry-run"]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("Stack with id other does not exist"), "{}", stderr(&output));
}

/// What CloudFormation says of a stack of this project.
pub fn described_stack(name: &str, [x86, arm64]: [&str; 2]) -> String {
    format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
         <Stacks><member><StackName>{name}</StackName><CreationTime>2026-11-20T10:00:00.000Z</CreationTime>\
         <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>\
         <member><OutputKey>X86FunctionName</OutputKey><OutputValue>{x86}</OutputValue></member>\
         <member><OutputKey>Arm64FunctionName</OutputKey><OutputValue>{arm64}</OutputValue></member>\
         </Outputs></member></Stacks></DescribeStacksResult>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>"
    )
}
