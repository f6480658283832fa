//! `duet deploy` and `duet delete` on the emulated AWS: beside SAM CLI, and without a rest.

use super::{
    trial::emulated::{FUNCTIONS, look, things},
    variable,
};
use crate::{
    campaign::{Scratch, assert_code, samples, subcommand},
    cli::stderr,
    handler::root,
};
use std::process::{Command, Output};

const STACK: &str = "deployed-by-duet";

fn duet(name: &str, scratch: &Scratch, options: &[&str]) -> Output {
    let mut command = subcommand(&variable("AWS_ENDPOINT_URL"), name);
    command.args(options).current_dir(scratch.path("")).output().unwrap()
}

/// `duet deploy` of what `sam build` has built.
fn deploy(scratch: &Scratch, options: &[&str]) -> String {
    let build = root().join(".aws-sam/build");
    let own = ["--stack", STACK, "--handler", build.to_str().unwrap(), "--yes"];
    let output = duet("deploy", scratch, &[&own, options].concat());
    assert_code(&output, 0);
    String::from_utf8(output.stdout).unwrap()
}

/// What the AWS CLI answers.
fn aws(arguments: &str) -> String {
    let aws = root().join(".tools/aws/bin/aws");
    let output = Command::new(aws).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// All that there is in the account: functions, log groups, stacks, buckets, roles and APIs.
fn account() -> (impl PartialEq + std::fmt::Debug, [String; 4]) {
    let lists = [
        "cloudformation describe-stacks --query Stacks[].StackName --output text",
        "s3api list-buckets --query Buckets[].Name --output text",
        "apigateway get-rest-apis --query items[].name --output text",
        "cloudwatch describe-alarms --query MetricAlarms[].AlarmName --output text",
    ];
    (things(), lists.map(aws))
}

/// The memory of both functions of the stack, in MB.
fn memory(said: &str) -> Vec<i64> {
    let names =
        said.lines().filter(|line| line.contains("FunctionName ")).map(|line| line.split_whitespace().nth(1).unwrap());
    let memory = |name: &str| look(&format!("{FUNCTIONS}/{name}"))["Configuration"]["MemorySize"].as_i64().unwrap();
    names.map(memory).collect()
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn the_service_is_deployed_called_changed_and_deleted() {
    let (before, scratch) = (account(), Scratch::new());
    let said = deploy(&scratch, &[]);
    assert!(said.contains(&format!("Next: duet run --targets stack:{STACK} --workload sorting")), "{said}");
    assert_eq!(memory(&said), [1769, 1769]);
    let target = format!("stack:{STACK}");
    let out = scratch.path("run");
    let work = ["--targets", &target, "--workload", "math/primes", "--size", "100"];
    let limits = ["--environments", "1", "--invocations", "4", "--out", &out];
    assert_code(&duet("run", &scratch, &[&work[..], &limits].concat()), 0);
    let (_, rows) = samples(&out);
    assert!(rows.len() == 4 && rows.iter().all(|row| row.failure.is_none()), "{rows:?}");

    let again = deploy(&scratch, &[]);
    assert!(again.starts_with("Nothing to change"), "{again}");
    let changed = deploy(&scratch, &["--parameter", "MemorySize=2048"]);
    let is_changed = |line: &str| line.split_whitespace().take(3).eq(["X86Function", "changed", "Lambda::Function"]);
    assert!(changed.lines().any(is_changed), "{changed}");
    assert_eq!(memory(&changed), [2048, 2048]);
    // A parameter that is not given keeps its value.
    assert_eq!(memory(&deploy(&scratch, &["--parameter", "Timeout=20"])), [2048, 2048]);

    // SAM CLI takes the stack over, with its values, and gives it back.
    let sam = Command::new(root().join(".tools/sam/bin/sam"))
        .args(["deploy", "--template-file", ".aws-sam/build/template.yaml", "--stack-name", STACK, "--resolve-s3"])
        .args(["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"])
        .env("SAM_CLI_POLL_DELAY", "1")
        .env("SAM_CLI_TELEMETRY", "0")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(sam.status.success(), "{}", stderr(&sam));
    let taken_back = deploy(&scratch, &[]);
    assert!(taken_back.lines().any(is_changed), "{taken_back}");

    let deleted = duet("delete", &scratch, &["--stack", STACK, "--yes"]);
    assert_code(&deleted, 0);
    let said = String::from_utf8(deleted.stdout.clone()).unwrap();
    assert!(said.contains(&format!("Deleted: {STACK} and {STACK}-code\n")), "{said}");
    // The role may serve other APIs of the account.
    assert!(said.contains("Still there: AWS::IAM::Role "), "{said}");
    assert_eq!(account(), before);
}
