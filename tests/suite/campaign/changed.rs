//! A campaign is of two functions, each of them the same from its first call to its last.

use super::{
    Scratch, assert_code,
    cold::{campaign, signal},
    command,
    control_plane::{Act, Lambda},
};
use crate::{
    cli::{duet, stderr, stdout},
    scripted::Reply,
};
use serde_json::{Value, json};
use std::{fs, process::Output};

/// A setting as Lambda tells it, another value of it, and what is said of the change.
fn settings() -> [(&'static str, Value, &'static str); 13] {
    [
        ("/MemorySize", json!(512), "memory: 512 MB, was 1769 MB"),
        ("/Timeout", json!(3), "timeout: 3 s, was 30 s"),
        ("/Runtime", json!("provided.al2"), "runtime: provided.al2, was provided.al2023"),
        ("/Handler", json!("other"), "handler: other, was bootstrap"),
        ("/CodeSha256", json!("two"), "SHA-256 of the code: two, was one"),
        ("/Version", json!("8"), "version: 8, was 7"),
        ("/PackageType", json!("Image"), "package type: Image, was Zip"),
        ("/SnapStart", json!({"ApplyOn": "None"}), "SnapStart: None, was unknown"),
        ("/EphemeralStorage", json!({"Size": 1024}), "ephemeral storage: 1024 MB, was 512 MB"),
        ("/TracingConfig", json!({"Mode": "Active"}), "tracing: Active, was PassThrough"),
        ("/LoggingConfig", json!({"LogFormat": "Text"}), "log format: Text, was JSON"),
        (
            "/VpcConfig",
            json!({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
            "VPC: sg-1, subnet-1, was none",
        ),
        (
            "/Layers",
            json!([{"Arn": "arn:aws:lambda:us-east-1:123456789012:layer:l:1"}]),
            "layers: arn:aws:lambda:us-east-1:123456789012:layer:l:1, was none",
        ),
    ]
}

/// A Lambda whose functions tell all of that.
fn lambda() -> Lambda {
    let lambda = Lambda::start(|_| Act::Answer);
    for (pointer, value) in [
        ("/CodeSha256", json!("one")),
        ("/Version", json!("7")),
        ("/PackageType", json!("Zip")),
        ("/TracingConfig", json!({"Mode": "PassThrough"})),
        ("/LoggingConfig", json!({"LogFormat": "JSON"})),
    ] {
        lambda.set(pointer, &value);
    }
    lambda
}

/// A campaign during which `change` happens, after the first of its two blocks.
fn changed_by(lambda: &Lambda, scratch: &Scratch, change: impl FnOnce(&Lambda)) -> Output {
    let process = campaign(scratch, lambda, &["--invocations", "4", "--pace", "300ms"]).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 2);
    change(lambda);
    process.wait_with_output().unwrap()
}

fn report(directory: &str) -> (String, Value) {
    let text = stdout(&duet(&["report", directory, "--details"]));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (text, crate::report::pair(&stdout(&duet(&["report", directory, "--format", "json"]))))
}

/// The schema of `configurations.json`.
fn schema() -> jsonschema::Validator {
    let schema = fs::read_to_string(crate::handler::root().join("docs/schema/configurations.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap()
}

fn kinds(analysis: &Value) -> Vec<&str> {
    analysis["warnings"].as_array().unwrap().iter().map(|warning| warning["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_change_during_a_campaign_is_named_and_withholds_the_verdict() {
    for (pointer, value, text) in settings() {
        // What is not told before tells no change.
        if text.ends_with("was unknown") {
            continue;
        }
        let (scratch, lambda) = (Scratch::new(), lambda());
        let output = changed_by(&lambda, &scratch, |lambda| lambda.set_of("a", pointer, &value));
        assert_code(&output, 0);
        let expected = format!("Warning: lambda:a was changed meanwhile: {text}");
        assert!(stderr(&output).contains(&expected), "{expected}: {}", stderr(&output));
        let (report, analysis) = report(&scratch.path("run"));
        assert!(report.contains("No verdict: arm64 was changed during the campaign"), "{report}");
        // A terminal's line may end within a long word.
        let said = format!("arm64 was changed during the campaign: {text}.").replace(' ', "");
        assert!(report.replace(' ', "").contains(&said), "{report}");
        assert!(kinds(&analysis).contains(&"function-changed"), "{analysis}");
        assert_eq!(analysis["headline"]["verdict"], "withheld");
        let kept = fs::read_to_string(scratch.0.join("run/configurations.json")).unwrap();
        assert!(schema().is_valid(&serde_json::from_str(&kept).unwrap()) && !kept.contains("hunter2"), "{kept}");
    }
}

#[test]
fn another_architecture_and_other_variables_are_changes() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let output = changed_by(&lambda, &scratch, |lambda| {
        lambda.set_of("x", "/Architectures", &json!(["arm64"]));
        lambda.set_of("a", "/Environment/Variables/ADDED", &json!("hunter2"));
    });
    let message = stderr(&output);
    assert!(message.contains("lambda:x was changed meanwhile: architecture: arm64, was x86_64"), "{message}");
    assert!(message.contains("environment variables: ADDED, EMPTY, KEEP, was EMPTY, KEEP"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn another_revision_alone_is_a_warning_and_keeps_the_verdict() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let output = changed_by(&lambda, &scratch, |lambda| {
        lambda.set("/Environment/Variables/KEEP", &json!("hunter3"));
        lambda.set("/RevisionId", &json!("another"));
    });
    assert_code(&output, 0);
    assert!(stderr(&output).contains("perhaps the value of a variable"), "{}", stderr(&output));
    let (report, analysis) = report(&scratch.path("run"));
    assert!(kinds(&analysis).contains(&"function-revised") && !report.contains("was changed during"), "{report}");
}

#[test]
fn a_cold_campaigns_own_changes_are_not_reported() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let before = lambda.functions();
    let output = campaign(&scratch, &lambda, &["--cold", "--invocations", "4"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(lambda.functions(), before);
    assert!(!stderr(&output).contains("changed meanwhile"), "{}", stderr(&output));
    assert!(!scratch.0.join("run/configurations.json").exists());
}

#[test]
fn a_configuration_that_may_not_be_read_again_is_reported() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let output = changed_by(&lambda, &scratch, |lambda| {
        lambda.continue_with(|_| Act::Instead(Reply::lambda_error("AccessDeniedException", "no longer")));
    });
    assert_code(&output, 0);
    assert!(stderr(&output).contains("whether lambda:x has changed is not known"), "{}", stderr(&output));
}

#[test]
fn a_failure_to_read_a_configuration_again_is_reported() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let output = changed_by(&lambda, &scratch, |lambda| {
        lambda.continue_with(|_| Act::Instead(Reply::lambda_error("ResourceNotFoundException", "gone")));
    });
    assert_code(&output, 0);
    assert!(stderr(&output).contains("meanwhile is not known: looking at lambda:x"), "{}", stderr(&output));
}

#[test]
fn a_campaign_is_continued_on_changed_functions_only_with_allow_changed() {
    for (pointer, value, text) in settings().into_iter().take(4) {
        let (scratch, lambda) = (Scratch::new(), lambda());
        let out = scratch.path("run");
        let process =
            campaign(&scratch, &lambda, &["--invocations", "4", "--pace", "1h", "--duration", "1d"]).spawn().unwrap();
        lambda.wait_until(|lambda| lambda.invocations() == 2);
        signal(&process, "INT");
        assert_code(&process.wait_with_output().unwrap(), 130);
        lambda.set_of("x", pointer, &value);
        let before = fs::read(scratch.0.join("run/samples.jsonl")).unwrap();
        let resume = |arguments: &[&str]| {
            command(&lambda.server.url, &[&["--resume", &out], arguments].concat()).output().unwrap()
        };
        let output = resume(&[]);
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains(&format!("lambda:x is not as it was before: {text}")), "{message}");
        assert!(message.contains("--allow-changed"), "{message}");
        assert_eq!(fs::read(scratch.0.join("run/samples.jsonl")).unwrap(), before);
        assert!(!scratch.0.join("run/configurations.json").exists());

        assert_code(&resume(&["--allow-changed"]), 0);
        assert_eq!(lambda.invocations(), 4);
        let (report, analysis) = report(&out);
        assert!(report.contains("from before and after a change are mixed, as was wanted"), "{report}");
        assert!(report.contains(text) && !kinds(&analysis).contains(&"function-changed"), "{report}");
    }
    let output = duet(&["run", "--allow-changed"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
}

#[test]
fn every_difference_between_the_variants_is_a_warning() {
    for (pointer, value, text) in settings().into_iter().skip(1) {
        // Versions and code differ as a matter of course.
        if ["/CodeSha256", "/Version"].contains(&pointer) {
            continue;
        }
        let lambda = lambda();
        lambda.set_of("a", pointer, &value);
        let output = campaign(&Scratch::new(), &lambda, &["--dry-run"]).output().unwrap();
        assert_code(&output, 0);
        let (name, rest) = text.split_once(": ").unwrap();
        let (other, one) = rest.split_once(", was ").unwrap();
        let expected =
            format!("Warning: the variants differ in more than the architecture: {name}: {one} against {other}");
        assert!(stderr(&output).contains(&expected), "{expected}: {}", stderr(&output));
    }
    let lambda = lambda();
    lambda.set_of("a", "/Environment/Variables/KEEP", &json!("hunter3"));
    lambda.set_of("x", "/Environment/Variables/ADDED", &json!("hunter4"));
    let message = stderr(&campaign(&Scratch::new(), &lambda, &["--dry-run"]).output().unwrap());
    assert!(message.contains("architecture: environment variables: ADDED, KEEP\n"), "{message}");
    assert!(!message.contains("hunter"), "{message}");
}

#[test]
fn special_functions_are_refused_or_measured_with_warnings() {
    let durable = json!({"RetentionPeriodInDays": 14, "ExecutionTimeout": 3600});
    let instances = json!({"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn:aws:lambda:us-east-1:123456789012:capacity-provider:pool"}});
    let tenants = json!({"TenantIsolationMode": "PER_TENANT"});
    let snap_start = json!({"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"});
    let master = json!("arn:aws:lambda:us-east-1:123456789012:function:edge:3");
    for (pointer, value, arguments, code, text) in [
        ("/DurableConfig", &durable, [].as_slice(), 1, "its executions are durable"),
        ("/MasterArn", &master, &[], 1, "is a replica of Lambda@Edge"),
        ("/TenancyConfig", &tenants, &[], 1, "name it with --tenant ID"),
        ("/TenancyConfig", &tenants, &["--tenant", "blue"], 0, "is not on the bill"),
        ("/SnapStart", &snap_start, &[], 0, "SnapStart is for published versions alone"),
        ("/CapacityProviderConfig", &instances, &[], 0, "Lambda bills the instances"),
        ("/CapacityProviderConfig", &instances, &["--cold"], 1, "leave out --cold"),
        ("/PackageType", &json!("Image"), &[], 0, ""),
        ("/Description", &json!("as any other"), &["--tenant", "blue"], 2, "which no variant has"),
    ] {
        let (scratch, lambda) = (Scratch::new(), lambda());
        lambda.set(pointer, value);
        let before = lambda.functions();
        let output = campaign(&scratch, &lambda, &[&["--invocations", "2"], arguments].concat()).output().unwrap();
        assert_code(&output, code);
        assert!(stderr(&output).contains(text), "{text}: {}", stderr(&output));
        assert_eq!((lambda.functions(), lambda.invocations()), (before, if code == 0 { 2 } else { 0 }), "{pointer}");
        let tenants: Vec<_> =
            lambda.server.calls().into_iter().filter_map(|call| call.headers.get("x-amz-tenant-id").cloned()).collect();
        assert_eq!(tenants.len(), if arguments == ["--tenant", "blue"] && code == 0 { 2 } else { 0 });
        assert!(tenants.iter().all(|tenant| tenant == "blue"));
        if pointer == "/CapacityProviderConfig" && code == 0 {
            assert_eq!(report(&scratch.path("run")).1["money"], Value::Null);
        }
    }
}

#[test]
fn what_a_campaign_restores_at_its_start_is_not_a_change() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let (killed, before) = (Scratch::new(), lambda.functions());
    let mut process = campaign(&killed, &lambda, &["--cold", "--invocations", "4", "--pace", "1h", "--duration", "1d"])
        .spawn()
        .unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 2);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(lambda.is_changed());
    let process =
        campaign(&scratch, &lambda, &["--invocations", "4", "--pace", "1h", "--duration", "1d"]).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 4);
    signal(&process, "INT");
    let interrupted = process.wait_with_output().unwrap();
    assert_code(&interrupted, 130);
    let resumed = command(&lambda.server.url, &["--resume", &scratch.path("run")]).output().unwrap();
    assert_code(&resumed, 0);
    assert_eq!(lambda.functions(), before);
    assert!(stderr(&interrupted).contains("Restored the configuration of lambda:a"), "{}", stderr(&interrupted));
    for output in [interrupted, resumed] {
        assert!(!stderr(&output).contains("revision"), "{}", stderr(&output));
    }
    let (report, analysis) = report(&scratch.path("run"));
    assert!(!kinds(&analysis).contains(&"function-revised"), "{report}");
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(scratch.0.join("run/configurations.json")).unwrap()).unwrap();
    assert!(schema().is_valid(&kept) && kept.as_array().unwrap().len() == 2, "{kept}");
}

#[test]
fn a_function_of_the_same_name_in_another_account_is_another_function() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let process =
        campaign(&scratch, &lambda, &["--invocations", "4", "--pace", "1h", "--duration", "1d"]).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 2);
    signal(&process, "INT");
    assert_code(&process.wait_with_output().unwrap(), 130);
    let arn = "arn:aws:lambda:us-east-1:210987654321:function:a";
    lambda.set_of("a", "/FunctionArn", &json!(arn));
    let out = scratch.path("run");
    for allowed in [[].as_slice(), &["--allow-changed"]] {
        let arguments = [["--resume", &out].as_slice(), allowed].concat();
        let output = command(&lambda.server.url, &arguments).output().unwrap();
        assert_code(&output, 1);
        let message = stderr(&output);
        let expected = format!("lambda:a is another function than before: function: {arn}, was arn:");
        assert!(message.contains(&expected), "{message}");
    }
    // It is not the one that an ARN names either.
    let scratch = Scratch::new();
    let payload = scratch.file("payload.json", "{}");
    let [x, a] = ["x", "a"].map(|name| format!("lambda:arn:aws:lambda:us-east-1:123456789012:function:{name}"));
    let plan =
        command(&lambda.server.url, &["--targets", &x, &a, "--payload", &payload, "--dry-run"]).output().unwrap();
    assert_code(&plan, 0);
    let message = stderr(&plan);
    assert_eq!(message.matches("was asked for, and the endpoint answers for").count(), 1, "{message}");
    assert!(message.contains(&format!("{a} was asked for, and the endpoint answers for {arn}")), "{message}");
}

#[test]
fn variables_that_become_unreadable_are_not_a_change() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let output = changed_by(&lambda, &scratch, |lambda| {
        lambda.set("/Environment", &json!({"Error": {"ErrorCode": "KMSThrottlingException", "Message": "slow"}}));
    });
    assert_code(&output, 0);
    assert!(!stderr(&output).contains("was changed meanwhile"), "{}", stderr(&output));
    let (report, analysis) = report(&scratch.path("run"));
    assert!(!kinds(&analysis).contains(&"function-changed"), "{report}");
}

#[test]
fn a_run_directory_that_is_gone_at_the_end_is_an_error() {
    let (scratch, lambda) = (Scratch::new(), lambda());
    let run = scratch.0.join("run");
    let output = changed_by(&lambda, &scratch, |_| fs::remove_dir_all(run).unwrap());
    assert_code(&output, 1);
    assert!(stderr(&output).contains("is gone, and its samples with it"), "{}", stderr(&output));
}
