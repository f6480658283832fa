//! `duet deploy` and `duet delete`, in an account that remembers.

mod account;
mod ends;
mod policy;
mod states;

use crate::{
    campaign::{Scratch, assert_code, subcommand},
    cli::stderr,
    scripted::Reply,
};
use account::{ACCOUNT, Account, Act, Request, State, change, event};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Cursor, Write},
    process::{Command, Output},
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A package with the beginning of a program for a machine, by the number that ELF has for it.
fn package(machine: u8) -> Vec<u8> {
    let mut program = vec![0; 64];
    program[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    program[16] = 2;
    program[18] = machine;
    program[20] = 1;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    archive.write_all(&program).unwrap();
    archive.finish().unwrap().into_inner()
}

/// A directory with the code.
fn code() -> Scratch {
    let scratch = Scratch::new();
    fs::write(scratch.path("handler-arm64.zip"), package(183)).unwrap();
    fs::write(scratch.path("handler-x86_64.zip"), package(62)).unwrap();
    scratch
}

/// `duet deploy` of this code as the stack `duet`.
fn deploy(account: &Account, code: &Scratch, options: &[&str]) -> Command {
    let mut command = subcommand(&account.server.url, "deploy");
    command.args(["--stack", "duet", "--handler", &code.path("")]).args(options).current_dir(code.path(""));
    command
}

fn deployed(account: &Account, code: &Scratch, options: &[&str]) -> Output {
    deploy(account, code, &[&["--yes"], options].concat()).output().unwrap()
}

fn delete(account: &Account, options: &[&str]) -> Output {
    subcommand(&account.server.url, "delete").args(["--stack", "duet", "--yes"]).args(options).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// An account in which nothing goes wrong.
fn account() -> Account {
    Account::start(State::default(), |_, _| Act::Answer)
}

/// Those of the requests with this action.
fn of<'a>(requests: &'a [Request], action: &str) -> Vec<&'a Request> {
    requests.iter().filter(|request| request.action.starts_with(action)).collect()
}

#[test]
fn the_service_is_deployed_updated_and_deleted_without_a_rest() {
    let (account, code) = (account(), code());
    let output = deployed(&account, &code, &["--tags", "team=shop", "cost=7"]);
    assert_code(&output, 0);
    let said = text(&output);
    for part in [
        "Changes of the stack duet-code\n",
        "Changes of the stack duet\n",
        "Arm64FunctionName   the-arm64-function\n",
        "\nNext: duet run --targets stack:duet --workload sorting --size small\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let requests = account.requests();
    let sets = of(&requests, "CreateChangeSet");
    assert_eq!(sets.iter().map(|set| set.get("StackName")).collect::<Vec<_>>(), ["duet-code", "duet"]);
    let tags = sets[1].list("Tags", "Key", "Value");
    assert_eq!((tags["team"].as_deref(), tags["cost"].as_deref()), (Some("shop"), Some("7")));
    assert_eq!(sets[1].list("Parameters", "ParameterKey", "ParameterValue").len(), 0);
    // Each object has its content for a name, and goes to a bucket of this account.
    let (bucket, objects) =
        account.state().buckets.first_key_value().map(|(name, all)| (name.clone(), all.clone())).unwrap();
    assert!(bucket.starts_with("duet-code-"), "{bucket}");
    for (architecture, machine) in [("arm64", 183), ("x86_64", 62)] {
        let digest: String = Sha256::digest(package(machine)).iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("lambda-duet/handler-{architecture}-{digest}.zip");
        assert!(objects.contains(&key), "{objects:?}");
        let put = of(&requests, &format!("PUT /{bucket}/{key}"));
        assert_eq!(put.len(), 1);
        assert_eq!(put[0].call.headers["x-amz-expected-bucket-owner"], ACCOUNT);
        assert_eq!(put[0].call.headers["x-amz-content-sha256"], digest);
        assert!(sets[1].get("TemplateBody").contains(&format!("Bucket: \"{bucket}\"\n        Key: {key}\n")));
    }
    let is_execution = |request: &&Request| request.action == "ExecuteChangeSet";
    let last_put = requests.iter().rposition(|request| request.action.starts_with("PUT ")).unwrap();
    let executed = requests.iter().rposition(|request| is_execution(&request)).unwrap();
    assert!(last_put < executed);
    assert!(
        of(&requests, "ExecuteChangeSet").iter().all(|request| request.get("ClientRequestToken").starts_with("duet-"))
    );

    let before = account.changes().len();
    let again = deployed(&account, &code, &[]);
    assert_code(&again, 0);
    assert!(text(&again).starts_with("Nothing to change: the stack duet is as it should be.\n"), "{}", text(&again));
    assert!(text(&again).contains("Next: duet run"));
    assert_eq!(account.changes()[before..], ["CreateChangeSet", "DeleteChangeSet"]);

    let changed = deployed(&account, &code, &["--parameter", "MemorySize=512"]);
    assert_code(&changed, 0);
    let row = |text: &str| {
        text.lines()
            .any(|line| line.split_whitespace().eq(["X86Function", "changed", "Lambda::Function", "MemorySize"]))
    };
    assert!(row(&text(&changed)), "{}", text(&changed));
    let kept = deployed(&account, &code, &["--parameter", "Timeout=7"]);
    assert_code(&kept, 0);
    let parameters = account.state().stacks["duet"].parameters.clone();
    assert_eq!((parameters["MemorySize"].as_str(), parameters["Timeout"].as_str()), ("512", "7"));
    assert_eq!(parameters.len(), 2);
    // A tag is added to those that there are, in both stacks.
    assert_code(&deployed(&account, &code, &["--tags", "cost=8", "by=me"]), 0);
    for stack in ["duet", "duet-code"] {
        let tags = account.state().stacks[stack].tags.clone();
        let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(tags, [("by", "me"), ("cost", "8"), ("team", "shop")]);
    }
    // The code was there.
    assert_eq!(of(&account.requests(), "PUT ").len(), 2);

    account.state().events = event("duet", "duet", "DELETE_COMPLETE", "")
        + &event("duet", "ApiGatewayRole", "DELETE_SKIPPED", "")
        + &event("duet", "duet", "DELETE_IN_PROGRESS", "User Initiated");
    let gone = delete(&account, &[]);
    assert_code(&gone, 0);
    let said = text(&gone);
    assert!(said.contains("Deleted: duet and duet-code\n"), "{said}");
    assert!(said.contains("Still there: AWS::Lambda::Function duet-ApiGatewayRole-1A\n"), "{said}");
    assert!(stderr(&gone).contains(&format!("The bucket {bucket} is emptied of 2 objects")), "{}", stderr(&gone));
    let state = account.state();
    assert!(state.stacks.is_empty() && state.buckets.is_empty());
    drop(state);
    let nothing = delete(&account, &[]);
    assert_code(&nothing, 0);
    assert_eq!(text(&nothing), "Nothing to delete: there is no stack duet in us-east-1.\n");
}

#[test]
fn nothing_is_left_of_what_is_not_wanted() {
    for (options, exit_code) in [(["--dry-run"].as_slice(), 0), (&[], 2)] {
        let (account, code) = (account(), code());
        let output = deploy(&account, &code, options).output().unwrap();
        assert_code(&output, exit_code);
        assert!(text(&output).contains("Changes of the stack duet\n"), "{}", text(&output));
        if exit_code == 2 {
            let said = stderr(&output);
            assert!(said.contains("Make these changes to the stack duet in us-east-1? There is no terminal"), "{said}");
        }
        let state = account.state();
        assert!(state.stacks.is_empty() && state.buckets.is_empty(), "{:?}", state.stacks);
    }
    // A stack that is there loses the change set alone.
    let (account, code) = (account(), code());
    assert_code(&deployed(&account, &code, &[]), 0);
    let before = account.state().stacks.clone();
    assert_code(&deploy(&account, &code, &["--dry-run", "--parameter", "XRay=enabled"]).output().unwrap(), 0);
    assert_eq!(account.state().stacks, before);
}

#[test]
fn what_is_replaced_or_deleted_is_said_plainly() {
    let (account, code) = (account(), code());
    assert_code(&deployed(&account, &code, &[]), 0);
    let changes = change("Modify", "Api", "<Replacement>True</Replacement>")
        + &change("Modify", "FunctionRole", "<Replacement>Conditional</Replacement>")
        + &change("Remove", "AlarmTopic", "<PolicyAction>Delete</PolicyAction>")
        + &change("Remove", "ApiGatewayRole", "<PolicyAction>Retain</PolicyAction>");
    account.state().changes = Some(changes);
    let output = deploy(&account, &code, &["--dry-run", "--parameter", "XRay=enabled"]).output().unwrap();
    assert_code(&output, 0);
    let said = text(&output);
    for line in ["- Replaced by new ones: Api\n", "- Replaced perhaps: FunctionRole\n", "- Deleted: AlarmTopic\n"] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_asked() {
    let account = account();
    let code = code();
    for (options, part) in [
        (["--parameter", "Memorysize=512"].as_slice(), "did you mean MemorySize?"),
        (&["--parameter", "MemorySize"], "it must be a name, = and a value"),
        (&["--parameter", "XRay=enabled", "--parameter", "XRay=disabled"], "--parameter gives XRay twice"),
        (&["--tags", "a=1", "a=2"], "--tags gives a twice"),
        (&["--tags", "team="], "it must be a key, = and a value"),
        (&["--stack", "a_b"], "letters, digits and hyphens"),
        (&["--bucket", "shop-code/duet"], "it must be the name of a bucket alone"),
        (&["--bucket", "s3://shop-code"], "it must be the name of a bucket alone"),
        (&["--bucket=-shop"], "3 to 63 of a-z, 0-9, hyphen and dot"),
    ] {
        let mut command = subcommand(&account.server.url, "deploy");
        let output = command.args(["--handler", &code.path(""), "--yes"]).args(options).output().unwrap();
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let empty = Scratch::new();
    let output = subcommand(&account.server.url, "deploy").args(["--handler", &empty.path("")]).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("there is no code in ") && stderr(&output).contains("handler-x86_64.zip"));
    let output = subcommand(&account.server.url, "deploy").output().unwrap();
    assert_code(&output, 1);
    let said = stderr(&output);
    assert!(
        said.contains("looked in ") && said.contains("share/lambda-duet for") && said.contains("--handler"),
        "{said}"
    );
    assert_eq!(account.server.count(), 0);
}

#[test]
fn the_stack_is_the_one_of_samconfig_and_the_command_that_follows_leads_to_it() {
    let (account, code) = (account(), code());
    code.file(
        "samconfig.toml",
        "version = 0.1\n[default.global.parameters]\nstack_name = \"shop\"\nregion = \"eu-west-1\"\n",
    );
    let mut command = subcommand(&account.server.url, "deploy");
    let output = command.args(["--handler", &code.path(""), "--yes"]).current_dir(code.path("")).output().unwrap();
    assert_code(&output, 0);
    assert!(text(&output).contains("\nNext: duet run --targets stack:shop --workload"), "{}", text(&output));
    let requests = account.requests();
    let scope = |request: &Request| request.call.headers["authorization"].to_str().unwrap().contains("/eu-west-1/");
    assert!(requests.iter().all(scope));
    // The name alone does not lead to a region that an option says.
    let mut command = subcommand(&account.server.url, "deploy");
    command.args(["--handler", &code.path(""), "--yes", "--region", "ap-south-1"]).current_dir(code.path(""));
    let output = command.output().unwrap();
    assert_code(&output, 0);
    let expected = format!("\nNext: duet run --targets stack:{} --workload", account::id("shop"));
    assert!(text(&output).contains(&expected), "{}", text(&output));
}

#[test]
fn a_bucket_that_is_named_is_used_and_kept() {
    let state = State { buckets: [("shop-code".to_owned(), Default::default())].into(), ..State::default() };
    let (account, code) = (Account::start(state, |_, _| Act::Answer), code());
    assert_code(&deployed(&account, &code, &["--bucket", "shop-code"]), 0);
    assert_eq!(account.changes().iter().filter(|action| *action == "CreateChangeSet").count(), 1);
    let gone = delete(&account, &[]);
    assert_code(&gone, 0);
    let said = text(&gone);
    assert_eq!(said.matches("Still there: s3://shop-code/lambda-duet/handler-").count(), 2, "{said}");
    assert_eq!(account.state().buckets["shop-code"].len(), 2);
    assert!(account.state().stacks.is_empty());
}

#[test]
fn buckets_elsewhere_or_of_others_are_refused_before_anything_is_made() {
    for (reply, parts) in [
        (
            Reply::status(301, "").header("x-amz-bucket-region", "eu-west-1"),
            ["the bucket shop-code is in eu-west-1", "or use --region eu-west-1"],
        ),
        (Reply::status(403, ""), ["access is denied, or it belongs to another account", "HTTP 403"]),
        (Reply::status(404, ""), ["there is no such bucket", "HTTP 404"]),
    ] {
        let account = Account::start(State::default(), move |request, _| {
            if request.action.starts_with("HEAD ") { Act::Instead(reply.clone()) } else { Act::Answer }
        });
        let output = deployed(&account, &code(), &["--bucket", "shop-code"]);
        assert_code(&output, 1);
        for part in parts {
            assert!(stderr(&output).contains(part), "{}", stderr(&output));
        }
        assert_eq!(account.changes(), [""; 0]);
    }
}

#[test]
fn a_bucket_of_another_account_is_refused_before_the_question() {
    let state = State { buckets: [("shop-code".to_owned(), Default::default())].into(), ..State::default() };
    let account = Account::start(state, |request, _| {
        let is_owned = request.call.headers.contains_key("x-amz-expected-bucket-owner");
        if is_owned { Act::Instead(Reply::status(403, "")) } else { Act::Answer }
    });
    let output = deploy(&account, &code(), &["--bucket", "shop-code"]).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("or it belongs to another account"), "{}", stderr(&output));
    assert!(account.state().stacks.is_empty());
}

#[test]
fn a_bucket_that_holds_other_things_is_not_emptied() {
    let (account, code) = (account(), code());
    assert_code(&deployed(&account, &code, &[]), 0);
    let bucket = account.state().buckets.keys().next().unwrap().clone();
    let asked = subcommand(&account.server.url, "delete").args(["--stack", "duet"]).output().unwrap();
    assert_code(&asked, 2);
    let question =
        format!("Delete duet and duet-code in us-east-1, with all logs and the bucket {bucket} (2 objects)?");
    assert!(stderr(&asked).contains(&question), "{}", stderr(&asked));

    account.state().buckets.get_mut(&bucket).unwrap().insert("photos/1.jpg".to_owned());
    let before = account.state().clone();
    let output = delete(&account, &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("1 object outside lambda-duet/, such as photos/1.jpg"), "{}", stderr(&output));
    let after = account.state().clone();
    assert_eq!((after.stacks, after.buckets), (before.stacks, before.buckets));

    // A bucket that the stack of the service names is not the one that was made for its code.
    account.state().buckets.get_mut(&bucket).unwrap().remove("photos/1.jpg");
    account.state().buckets.insert("photos".to_owned(), ["lambda-duet/1.jpg".to_owned()].into());
    account.state().stacks.get_mut("duet").unwrap().outputs.insert("BucketName".to_owned(), "photos".to_owned());
    assert_code(&delete(&account, &[]), 0);
    let left = account.state().buckets.clone();
    assert_eq!(left, [("photos".to_owned(), ["lambda-duet/1.jpg".to_owned()].into())].into());
}

#[test]
fn requests_are_made_again_and_count_once() {
    // Each action fails at first: throttled, and lost after it was done.
    for is_done in [false, true] {
        let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let account = Account::start(State::default(), move |request, _| {
            let is_first = seen.lock().unwrap().insert(request.action.clone());
            match request.action.as_str() {
                _ if !is_first => Act::Answer,
                "ExecuteChangeSet" | "DeleteChangeSet" if is_done => Act::DoneBut(Reply::lost()),
                action if action.contains('/') => {
                    let slow_down = account::s3_error(503, "SlowDown");
                    Act::Instead(if action.starts_with("HEAD ") { Reply::status(503, "") } else { slow_down })
                }
                _ => Act::Instead(account::error(400, "Throttling", "Rate exceeded")),
            }
        });
        let code = code();
        let output = deployed(&account, &code, &[]);
        assert_code(&output, 0);
        let requests = account.requests();
        let tokens: Vec<&str> =
            of(&requests, "ExecuteChangeSet").iter().map(|it| it.get("ClientRequestToken")).collect();
        assert_eq!(tokens.len(), 3);
        assert!(tokens[0] == tokens[1] && tokens[1] != tokens[2], "{tokens:?}");
        let sets = of(&requests, "CreateChangeSet");
        assert_eq!(sets[0].get("ClientToken"), sets[1].get("ClientToken"));
        assert_code(&delete(&account, &[]), 0);
        assert!(account.state().stacks.is_empty() && account.state().buckets.is_empty());
    }
}
