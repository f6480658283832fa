//! `duet try` and what `duet clean-up` deletes after it, in an account that remembers.

mod account;
mod apply;
mod census;
mod fleet;
pub mod killed;
mod policy;
mod search;

use crate::{
    campaign::{Scratch, assert_code, samples, subcommand},
    cli::stderr,
    handler::root,
    scripted::Reply,
};
use account::{ARN, Account, Act, Control, SECRET, instead};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// `duet try orders` with one call of each clone in a block, three blocks long; `clones` is how many there are to be.
fn try_orders(account: &Account, scratch: &Scratch, clones: usize, options: &[&str]) -> Command {
    let payload = scratch.file("event.json", r#"{"order": 1}"#);
    let mut command = subcommand(&account.server.url, "try");
    let calls = (3 * clones).to_string();
    command.args(["orders", "--payload", &payload, "--environment", "/environment", "--environments", "1"]);
    command.args(["--invocations", &calls, "--out", &scratch.path("run"), "--seed", "1"]).args(options);
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The campaign that the run directory holds, after it was held to its schema and its samples to the schedule.
fn manifest(scratch: &Scratch) -> Value {
    samples(&scratch.path("run"));
    serde_json::from_slice(&fs::read(scratch.path("run/campaign.json")).unwrap()).unwrap()
}

fn is_creation(control: &Control) -> bool {
    control.line == "POST /2015-03-31/functions"
}

#[test]
fn clones_are_made_of_the_function_called_and_deleted() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    let before = account.things();
    let output = try_orders(&account, &scratch, 4, &["--memory", "1024", "--yes"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    assert_eq!(account.invocations(), 12);
    assert!(!scratch.has("run/clones.json"));
    let made = account.made();
    let settings = |request: &Value| (request["Architectures"][0].clone(), request["MemorySize"].clone());
    let expected = [("x86_64", 512), ("x86_64", 1024), ("arm64", 512), ("arm64", 1024)];
    assert_eq!(
        made.iter().map(settings).collect::<Vec<_>>(),
        expected.map(|(architecture, memory)| (json!(architecture), json!(memory)))
    );
    let own = &before.functions["orders"].configuration;
    for request in &made {
        for same in ["Role", "Runtime", "Handler", "Timeout", "EphemeralStorage", "TracingConfig"] {
            assert_eq!(request[same], own[same], "{same}");
        }
        let mut variables = own["Environment"]["Variables"].clone();
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = json!("/opt/lambda-duet-probe");
        assert_eq!(request["Environment"]["Variables"], variables);
        let layer = request["Layers"][0].as_str().unwrap();
        assert!(layer.contains(":layer:duet-") && layer.ends_with("-probe:1"), "{layer}");
        let vpc = json!({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]});
        assert_eq!(request["VpcConfig"], vpc);
        let logging = json!({"LogFormat": "JSON", "SystemLogLevel": "INFO", "ApplicationLogLevel": "INFO"});
        assert_eq!(request["LoggingConfig"], logging);
        assert!(request.get("DeadLetterConfig").is_none());
        let (campaign, name) = (request["Tags"]["lambda-duet:campaign"].as_str().unwrap(), &request["FunctionName"]);
        assert!(name.as_str().unwrap().starts_with(&format!("duet-{campaign}-")), "{name}");
        assert!(request["Tags"]["lambda-duet:owner"].as_str().unwrap().starts_with("campaign=run host="));
    }
    let said = stderr(&output);
    assert!(said.contains(&format!("4 clones of {ARN} are made in us-east-1")), "{said}");
    assert!(said.contains("role (arn:aws:iam::123456789012:role/orders)"), "{said}");
    assert!(text(&output).contains("arm64-1024MB"), "{}", text(&output));
    let manifest = manifest(&scratch);
    assert_eq!(manifest["trial"]["function"]["arn"], ARN);
    let usage = json!({"days": 14, "invocations": 1000, "mean_duration_ms": 20.0, "cold_share": null});
    assert_eq!(manifest["trial"]["usage"], usage);
    for shown in [said, text(&output), manifest.to_string()] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    // It is over.
    let resumed = subcommand(&account.server.url, "run").args(["--resume", &scratch.path("run")]).output().unwrap();
    assert_code(&resumed, 1);
    assert!(stderr(&resumed).contains("its functions were clones, made for it alone"), "{}", stderr(&resumed));
}

#[test]
fn the_probe_tells_cpus_unless_it_cannot() {
    let cpus = |options: &[&str], denied: bool| {
        let is_denied = move |control: &Control| denied && control.line.starts_with("POST /2018-10-31/layers/");
        let denial = Reply::lambda_error("AccessDeniedException", "not authorized: lambda:PublishLayerVersion");
        let account = Account::start(instead(is_denied, denial));
        let (before, scratch) = (account.things(), Scratch::new());
        let output = try_orders(&account, &scratch, 2, &[&["--yes"], options].concat()).output().unwrap();
        assert_code(&output, 0);
        assert_eq!(account.things(), before);
        let layers = account.made()[0].get("Layers").is_some();
        let (_, rows) = samples(&scratch.path("run"));
        let models: Vec<_> = rows.iter().filter_map(|row| row.cpu_model.clone()).collect();
        assert_eq!(models.len(), if layers { rows.len() } else { 0 });
        let no_probe = manifest(&scratch)["trial"]["no_probe"].as_str().map(str::to_owned);
        (models.first().cloned(), no_probe)
    };
    assert_eq!(cpus(&[], false), (Some("Neoverse-N1".to_owned()), None));
    assert_eq!(cpus(&["--no-probe"], false), (None, Some("--no-probe leaves it out".to_owned())));
    let (model, reason) = cpus(&[], true);
    assert!(model.is_none() && reason.unwrap().contains("lambda:PublishLayerVersion"));
}

#[test]
fn a_plan_makes_nothing_and_a_question_has_to_be_answered() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    let before = account.things();
    let planned = try_orders(&account, &scratch, 2, &["--dry-run"]).output().unwrap();
    assert_code(&planned, 0);
    let plan = text(&planned);
    assert!(plan.contains("baseline  x86_64 duet-") && plan.contains("-arm64-512\n"), "{plan}");
    assert!(plan.ends_with("At most 3 blocks, 6 calls, $0.0000057 by the guess\n"), "{plan}");
    let unasked = try_orders(&account, &scratch, 2, &[]).output().unwrap();
    assert_code(&unasked, 2);
    assert!(stderr(&unasked).contains("Make these 2 clones, call them, and delete them?"), "{}", stderr(&unasked));
    assert!(stderr(&unasked).contains("use --yes"), "{}", stderr(&unasked));
    assert_code(&at_a_terminal(&try_orders(&account, &scratch, 2, &[]), "n\n"), 0);
    assert!(account.made().is_empty() && account.things() == before);
    assert!(!scratch.has("run"));
    assert_code(&at_a_terminal(&try_orders(&account, &scratch, 2, &[]), "y\n"), 0);
    assert!(account.made().len() == 2 && account.things() == before);
}

/// Runs a command at a terminal, where it gets this answer.
fn at_a_terminal(command: &Command, answer: &str) -> Output {
    let mut script = started_at_a_terminal(command);
    script.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    script.wait_with_output().unwrap()
}

/// Starts a command at a terminal, where what is written to its standard input is typed.
fn started_at_a_terminal(command: &Command) -> Child {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    // `script` gives it a terminal.
    Command::new("script")
        .args(["-qec", &format!("exec {}", quoted.join(" ")), "/dev/null"])
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of util-linux")
}

#[test]
fn a_size_that_cannot_be_made_is_left_out_with_lambdas_reason() {
    let refusal = "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008";
    let creations = AtomicUsize::new(0);
    let is_second = move |control: &Control| is_creation(control) && creations.fetch_add(1, Ordering::Relaxed) == 1;
    let too_large = Reply::lambda_error("InvalidParameterValueException", refusal);
    let account = Account::start(instead(is_second, too_large));
    let scratch = Scratch::new();
    let before = account.things();
    let output = try_orders(&account, &scratch, 3, &["--memory", "10240", "--yes"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    let said = stderr(&output);
    assert!(said.contains("Not made: x86_64-10240MB: InvalidParameterValueException: 'MemorySize'"), "{said}");
    let not_made = &manifest(&scratch)["trial"]["not_made"];
    assert_eq!((&not_made[0]["architecture"], &not_made[0]["memory_mb"]), (&json!("x86_64"), &json!(10240)));
    let reason = not_made[0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("ask AWS for more, or leave this size out of --memory"), "{reason}");
    assert_eq!(manifest(&scratch)["variants"].as_array().unwrap().len(), 3);
}

#[test]
fn without_the_clone_of_the_function_as_it_is_nothing_is_called() {
    let message = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:PassRole on resource: \
                   arn:aws:iam::123456789012:role/orders";
    let account = Account::start(instead(is_creation, Reply::lambda_error("AccessDeniedException", message)));
    let (before, scratch) = (account.things(), Scratch::new());
    let output = try_orders(&account, &scratch, 2, &["--yes"]).output().unwrap();
    assert_code(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("the function cannot be cloned as it is: AccessDeniedException"), "{said}");
    assert!(said.contains("; allow iam:PassRole on the function's role"), "{said}");
    assert!(account.things() == before && account.invocations() == 0);
    assert!(!scratch.has("run"));
}

#[test]
fn what_is_printed_as_json_is_json_alone() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    let output = try_orders(&account, &scratch, 2, &["--yes", "--json"]).output().unwrap();
    assert_code(&output, 0);
    let events: Vec<Value> = text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.last().unwrap()["event"], "report");
    assert!(stderr(&output).contains("2 clones of "), "{}", stderr(&output));
    let output = try_orders(&account, &Scratch::new(), 2, &["--dry-run", "--json"]).output().unwrap();
    assert_code(&output, 2);
}

#[test]
fn functions_that_clones_would_not_be_like_are_refused() {
    let denied = json!({"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}});
    for (member, value, reason) in [
        ("Environment", denied, "its variables cannot be read (AccessDeniedException: kms:Decrypt)"),
        ("DurableConfig", json!({"ExecutionTimeout": 60}), "its executions are durable"),
        ("TenancyConfig", json!({"TenantIsolationMode": "PER_TENANT"}), "it isolates tenants"),
    ] {
        let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
        account.change(|things| {
            things.functions.get_mut("orders").unwrap().configuration[member] = value;
        });
        let output = try_orders(&account, &scratch, 2, &["--yes"]).output().unwrap();
        assert_code(&output, 1);
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
        assert!(account.made().is_empty());
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_not_shown() {
    let cut = Reply::ok(format!(r#"{{"Environment": {{"Variables": {{"SECRET": "{SECRET}""#));
    let cut = cut.header("content-type", "application/json").breaking_the_model("it is cut off");
    let account = Account::start(instead(|control| control.line.contains("/configuration"), cut));
    let scratch = Scratch::new();
    let output = try_orders(&account, &scratch, 2, &["--yes"]).output().unwrap();
    assert_code(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("HTTP 200 with an answer that cannot be read") && !said.contains(SECRET), "{said}");
}

#[test]
fn passing_faults_of_the_control_plane_are_outlasted() {
    let account = Account::start(|control| match (control.line.starts_with("Logs_"), control.number % 5) {
        (false, 1) => Act::Instead(Reply::lambda_error("TooManyRequestsException", "Rate exceeded")),
        (false, 2) if !control.line.starts_with("GET") => Act::DoneBut(Reply::lost()),
        (true, 3) => Act::DoneBut(Reply::lost()),
        _ => Act::Answer,
    });
    let (before, scratch) = (account.things(), Scratch::new());
    let output = try_orders(&account, &scratch, 2, &["--yes"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    assert_eq!(account.made().len(), 2);
}

#[test]
fn a_clone_that_cannot_be_deleted_is_named_and_clean_up_deletes_it() {
    let denial = Reply::lambda_error("AccessDeniedException", "not authorized to perform: lambda:DeleteFunction");
    let is_of_arm64 =
        |control: &Control| control.line.starts_with("DELETE ") && control.function.ends_with("-arm64-512");
    let account = Account::start(instead(is_of_arm64, denial));
    let (before, scratch) = (account.things(), Scratch::new());
    let output = try_orders(&account, &scratch, 2, &["--yes"]).output().unwrap();
    assert_code(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("Still there: duet-") && said.contains("lambda:DeleteFunction"), "{said}");
    assert!(said.contains(&format!("delete them with `duet clean-up {}`", scratch.path("run"))), "{said}");
    assert_eq!(account.things().functions.len(), 2);
    assert_follows_the_schema(&fs::read(scratch.path("run/clones.json")).unwrap());
    account.continue_with(|_| Act::Answer);
    let clean_up = |options: &[&str]| {
        let mut command = subcommand(&account.server.url, "clean-up");
        command.arg(scratch.path("run")).args(options).output().unwrap()
    };
    // What is to be deleted is shown; without an answer nothing is.
    let unasked = clean_up(&[]);
    assert_code(&unasked, 1);
    assert!(stderr(&unasked).contains("-arm64-512, and its log group"), "{}", stderr(&unasked));
    assert_eq!(account.things().functions.len(), 2);
    // Elsewhere it would seem to be deleted.
    let elsewhere = Account::start(|_| Act::Answer);
    let lost = subcommand(&elsewhere.server.url, "clean-up").args([&scratch.path("run"), "--yes"]).output().unwrap();
    assert_code(&lost, 1);
    assert!(stderr(&lost).contains("and these settings lead to"), "{}", stderr(&lost));
    let of_account = |account: &Account, arn: &str| {
        account.change(|things| {
            things.functions.get_mut("orders").unwrap().configuration["FunctionArn"] = json!(arn);
        });
    };
    of_account(&account, "arn:aws:lambda:us-east-1:210987654321:function:orders");
    let lost = clean_up(&["--yes"]);
    assert_code(&lost, 1);
    assert!(stderr(&lost).contains("these credentials lead to arn:aws:lambda:us-east-1:2109"), "{}", stderr(&lost));
    of_account(&account, ARN);
    assert!(scratch.has("run/clones.json") && account.things().functions.len() == 2);
    let cleaned = clean_up(&["--yes"]);
    assert_code(&cleaned, 0);
    assert!(text(&cleaned).contains("-arm64-512: deleted, with its log group\n"), "{}", text(&cleaned));
    assert_eq!(account.things(), before);
    let again = clean_up(&["--yes"]);
    assert_code(&again, 0);
    assert!(text(&again).contains("nothing is changed"), "{}", text(&again));
}

#[test]
fn a_package_for_the_other_architecture_is_used_there_alone() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    let zip = crate::inspection::zipped(&[("app.py", b"# of arm64")]);
    let path = scratch.path("arm64.zip");
    fs::write(&path, &zip).unwrap();
    let output = try_orders(&account, &scratch, 2, &["--yes", "--candidate-code", &path]).output().unwrap();
    assert_code(&output, 0);
    let digest = |request: &Value| request["Code"]["ZipFile"].as_str().unwrap().len();
    let made = account.made();
    assert_ne!(digest(&made[0]), digest(&made[1]));
    assert_eq!(made[1]["Code"]["ZipFile"], BASE64_STANDARD.encode(zip));
}

/// The schema of a list of clones refers to that of campaigns.
fn assert_follows_the_schema(list: &[u8]) {
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(root().join("docs/schema").join(name)).unwrap()).unwrap()
    };
    let mut schema = read("clones.schema.json");
    schema["properties"]["place"] = read("campaign.schema.json")["$defs"]["place"].clone();
    let list = serde_json::from_slice(list).unwrap();
    jsonschema::validate(&schema, &list).unwrap_or_else(|error| panic!("{error}: {list}"));
}
