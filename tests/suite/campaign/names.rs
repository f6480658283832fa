//! Names of functions, URLs with secrets, and paths in advice.

use super::{
    Scratch, assert_code, both,
    places::{answer, aws, program, program_on, run},
    run_plain,
};
use crate::{
    cli::{stderr, stdout},
    scripted::{Reply, Scripted},
};
use std::{
    os::unix::process::CommandExt,
    process::{Command, Output},
    sync::Mutex,
};

fn plan(aws: &Scripted, targets: [&str; 2]) -> Output {
    let home = Scratch::new();
    let mut program = program_on(aws, &home);
    run(&mut program, &["--targets", targets[0], targets[1], "--dry-run"])
}

#[test]
fn every_form_of_a_name_that_lambda_takes_reaches_it() {
    for (name, path) in [
        ("x86", "x86"),
        ("x86:live", "x86?live"),
        ("x86:7", "x86?7"),
        ("123456789012:function:x86", "123456789012:function:x86"),
        ("123456789012:function:x86:live", "123456789012:function:x86?live"),
        ("function:x86", "function:x86"),
        ("123456789012:x86", "123456789012:x86"),
        ("us-east-1:123456789012:function:x86", "us-east-1:123456789012:function:x86"),
        ("arn:aws:lambda:us-east-1:123456789012:function:x86", "arn:aws:lambda:us-east-1:123456789012:function:x86"),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:x86:7",
            "arn:aws:lambda:us-east-1:123456789012:function:x86?7",
        ),
    ] {
        let aws = aws();
        let target = format!("lambda:{name}");
        let output = plan(&aws, [&target, "lambda:arm"]);
        assert_code(&output, 0);
        assert!(stdout(&output).contains(&format!("baseline  x86_64 {target} (x86_64")), "{}", stdout(&output));
        let line = aws.calls()[0].line.replace("%3A", ":");
        let (name, qualifier) = path.split_once('?').unwrap_or((path, ""));
        let query = if qualifier.is_empty() { String::new() } else { format!("?Qualifier={qualifier}") };
        assert_eq!(line, format!("GET /2015-03-31/functions/{name}/configuration{query}"));
    }
}

#[test]
fn incomplete_and_foreign_names_are_refused_with_the_form() {
    let aws = aws();
    for (name, part) in [
        ("x86:", "write NAME, NAME:VERSION or NAME:ALIAS"),
        (":live", "the name is empty"),
        ("x86:live:7", "parts behind the qualifier"),
        ("arn:aws:lambda:eu-west-1:123456789012:function", "cut off before its name"),
        ("arn:aws:lambda:eu-west-1", "cut off before its account"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:", "the name is empty"),
        ("arn:aws:lambda::123456789012:function:x86", "region is empty"),
        ("arn:aws:lambda:eu-west-1:1234:function:x86", "not 12 digits"),
        ("arn:aws:lambda:eu-west-1:123456789012:layer:x86:1", "of layer in lambda, not of a function"),
        ("arn:aws:s3:::bucket/x86/y", "cut off before its name"),
        ("123456789012:function", "write ACCOUNT:function:NAME"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:us-east-1.x86", "x86 in us-east-1"),
        ("us-east-1.x86:3", "Lambda@Edge"),
        ("my function", "letters, digits, hyphens"),
        ("x86:$OLD", "$LATEST"),
    ] {
        let output = plan(&aws, [&format!("lambda:{name}"), "lambda:arm"]);
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{name}: {}", stderr(&output));
    }
    assert_eq!(aws.count(), 0);
}

#[test]
fn the_latest_version_can_be_made_cold_by_its_qualifier_and_others_cannot() {
    let variables = Mutex::new([String::from("{}"), String::from("{}")]);
    let aws = Scripted::aws(move |call, _| {
        let mut variables = variables.lock().unwrap();
        let index = usize::from(call.line.contains("/arm/"));
        if call.line.starts_with("PUT ") {
            let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
            variables[index] = body["Environment"]["Variables"].to_string();
        }
        let mut reply = answer(call);
        let environment = format!("{{\"Environment\":{{\"Variables\":{}}},", variables[index]);
        if call.line.contains("/configuration") {
            reply.body = reply.body.replacen('{', &environment, 1);
        }
        reply
    });
    let home = Scratch::new();
    let (payload, out) = (home.file("payload.json", "{}"), home.path("run"));
    let mut cold = program_on(&aws, &home);
    let arguments = [
        ["--targets", "lambda:x86:$LATEST", "lambda:arm", "--payload", &payload, "--cold", "--out", &out].as_slice(),
        &["--environments", "1", "--invocations", "2"],
    ]
    .concat();
    assert_code(&run(&mut cold, &arguments), 0);
    let changes = aws.calls().into_iter().filter(|call| call.line.starts_with("PUT ") && call.line.contains("x86"));
    let changes: Vec<String> = changes.map(|call| call.body).collect();
    assert!(changes.len() == 2 && changes[0].contains("LAMBDA_DUET_COLD"), "{changes:?}");
    assert!(!changes[1].contains("LAMBDA_DUET_COLD"), "{changes:?}");
    let plain = super::samples(&out).0.variants[both()[0]].target.to_string();
    assert_eq!(plain, "lambda:x86:$LATEST");

    for published in ["lambda:x86:7", "lambda:arn:aws:lambda:us-east-1:123456789012:function:x86:live"] {
        let mut cold = program_on(&aws, &home);
        let output = run(&mut cold, &["--targets", published, "lambda:arm", "--cold", "--dry-run"]);
        assert_code(&output, 2);
        assert!(stderr(&output).contains("is published and cannot be changed"), "{}", stderr(&output));
    }
}

#[test]
fn a_url_with_a_password_is_refused_before_it_is_written_anywhere() {
    let home = Scratch::new();
    let good = "https://example.com/";
    for url in [
        "https://me:s3cret@example.com/",
        "http://s3cret@example.com",
        "HTTPS://me:s3cret@host",
        "https://me:s3cret@[::1]:443/x?y#z",
    ] {
        for arguments in [
            ["run", "--targets", url, good, "--no-auth"].as_slice(),
            &["run", "--targets", good, url, "--no-auth", "--dry-run", "--json"],
            &["call", url, "--no-auth"],
        ] {
            let output = program(&home).args(arguments).output().unwrap();
            assert_code(&output, 2);
            let message = stderr(&output);
            assert!(message.contains("password") && !message.contains("s3cret"), "{message}");
            assert!(output.stdout.is_empty());
        }
    }
    // Nor the URL of a service.
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"] {
        for url in ["http://me:s3cret@127.0.0.1:1", "me:s3cret@127.0.0.1:1"] {
            let mut program = program(&home);
            program.env(variable, url).env("AWS_REGION", "us-east-1");
            let output = run(&mut program, &["--targets", "lambda:x86", "lambda:arm"]);
            assert_code(&output, 1);
            let message = stderr(&output);
            assert!(message.contains(variable) && !message.contains("s3cret"), "{message}");
        }
    }
    assert!(!home.0.join("duet-runs").exists());
}

#[test]
fn an_edited_campaign_with_a_password_in_a_url_is_refused_without_it() {
    let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
    assert_code(&run_plain(&scratch, &target, &["--environments", "1", "--invocations", "2"]), 0);
    let path = scratch.path("run/campaign.json");
    let text = std::fs::read_to_string(&path).unwrap().replace("http://127", "http://me:s3cret@127");
    std::fs::write(&path, text).unwrap();
    let output = run(&mut program(&scratch), &["--resume", &scratch.path("run")]);
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("password") && !message.contains("s3cret"), "{message}");
}

/// What a shell makes of the words behind `command` in an advice.
fn word_behind(command: &str, message: &str) -> String {
    let rest = message.split_once(command).unwrap_or_else(|| panic!("{message}")).1;
    let line = rest.lines().next().unwrap();
    let words = if command.starts_with('`') { line.rsplit_once('`').unwrap().0 } else { line };
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("printf %s {words}")]).arg0("bash");
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

#[test]
fn paths_in_advice_are_words_of_a_shell() {
    let names = ["it's my run", "-rf", "a$HOME`id`\"b\"", "two  spaces;&|", "läufe*", "line\nbreak"];
    for name in names {
        let scratch = Scratch::new();
        let target = Scripted::start(|_, _| Reply::ok("{}"));
        let broken = Scripted::start(|_, _| Reply::status(500, "broken"));
        let payload = scratch.file("payload.json", "{}");
        let option = format!("--out={name}");
        let campaign = |target: &Scripted| {
            let arguments = [
                ["--targets", &target.url, &target.url, "--no-auth", "--payload", &payload, &option].as_slice(),
                &["--environments", "1", "--invocations", "20"],
            ]
            .concat();
            run(&mut program(&scratch), &arguments)
        };
        let expected = if name.starts_with('-') { format!("./{name}") } else { name.to_owned() };
        // Given up, …
        let output = campaign(&broken);
        assert_code(&output, 3);
        assert_eq!(word_behind("`duet run --resume ", &stderr(&output)), expected);
        assert_eq!(word_behind("Summary: duet report ", &stderr(&output)), expected);
        // … there already, …
        let output = campaign(&target);
        assert_code(&output, 1);
        assert_eq!(word_behind("`duet run --resume ", &stderr(&output)), expected);
        // … and as advised it goes on.
        assert_code(&run(&mut program(&scratch), &["--resume", &expected]), 3);
    }
}
