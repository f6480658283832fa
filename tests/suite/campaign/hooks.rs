//! What is run before and after every block, for state that has to be set back.

use super::{
    Scratch, assert_code, cold::signal, command, processes::program, run, run_plain, samples, targets::lambda_in,
    wait_until,
};
use crate::{
    cli::{stderr, stdout},
    scripted::{Reply, Scripted},
};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Child, Output},
    sync::atomic::{AtomicUsize, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// Blocks of two calls.
const ONE: [&str; 2] = ["--environments", "1"];

/// Runs a campaign of blocks of two calls.
fn blocks(scratch: &Scratch, invocations: &str, arguments: &[&str]) -> Output {
    let target = Scripted::start(|_, _| Reply::ok("{}"));
    run_plain(scratch, &target, &[ONE.as_slice(), &["--invocations", invocations], arguments].concat())
}

/// Starts a campaign of blocks of two calls, which goes on until it is interrupted.
fn start(scratch: &Scratch, target: &Scripted, arguments: &[&str]) -> Child {
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let own = ["--targets", &target.url, &target.url, "--no-auth", "--payload", &payload, "--out", &out];
    command("", &[own.as_slice(), &ONE, arguments].concat()).spawn().unwrap()
}

fn log(scratch: &Scratch) -> String {
    fs::read_to_string(scratch.path("run/hooks.log")).unwrap()
}

/// Whether a hook's process is there, and has not ended.
fn lives(id: &str) -> bool {
    let variables = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    variables.split(|byte| *byte == 0).any(|variable| variable.starts_with(b"DUET_HOOK="))
}

/// The process ids that a hook has written down, of processes that are alive.
fn alive(path: &str) -> Vec<String> {
    let ids = fs::read_to_string(path).unwrap();
    assert!(!ids.is_empty());
    ids.lines().filter(|id| lives(id)).map(str::to_owned).collect()
}

/// A command that writes down itself and a child, which ignores Ctrl-C, and goes on for ten minutes.
fn endless(ids: &str) -> String {
    format!("(trap '' INT; exec sleep 600) & echo $! >{ids}; echo $$ >>{ids}; echo started; sleep 600")
}

#[test]
fn hooks_are_told_the_block_and_what_they_print_is_kept() {
    let scratch = Scratch::new();
    let before = r#"echo "heard: $DUET_HOOK $DUET_BLOCK $DUET_DIRECTORY, in $PWD"; echo aside >&2"#;
    let after = program(&scratch, "after", "#!/bin/sh\necho \"and: $DUET_HOOK $DUET_BLOCK\"\n");
    let output = blocks(&scratch, "4", &["--before", before, "--after", &after, "--json"]);
    assert_code(&output, 0);
    let out = scratch.path("run");
    let log = log(&scratch);
    let lines: Vec<&str> = log.lines().collect();
    let here = crate::handler::root().display().to_string();
    let title = |line: &str, rest: &str| assert!(line.split_once(' ').unwrap().1 == rest, "{line}: {rest}");
    for (block, lines) in lines.chunks(5).enumerate() {
        let number = block + 1;
        title(lines[0], &format!("--before of block {number} (DUET_BLOCK={block}): {before}"));
        assert_eq!(lines[1], format!("heard: before {block} {out}, in {here}"));
        assert_eq!(lines[2], "aside");
        title(lines[3], &format!("--after of block {number} (DUET_BLOCK={block}): {after}"));
        assert_eq!(lines[4], format!("and: after {block}"));
    }
    assert_eq!(lines.len(), 10);
    // Nothing of it is among the events.
    let events = stdout(&output);
    assert!(!events.contains("heard") && !events.contains("aside"), "{events}");
    events.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
    let hooks = samples(&out).0.plan.hooks.unwrap();
    assert_eq!((hooks.before.unwrap().directory, hooks.timeout_ms), (Some(here.into()), 60_000));
}

#[test]
fn a_hook_that_fails_ends_the_campaign_which_goes_on_later_from_anywhere() {
    let scratch = Scratch::new();
    scratch.file("reset.sh", "echo noise\necho 'no such table' >&2\n[ $DUET_BLOCK = 0 ] || [ -e fixed ] || exit 3\n");
    let target = Scripted::start(|_, _| Reply::ok("{}"));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let own = ["--targets", &target.url, &target.url, "--no-auth", "--payload", &payload, "--out", &out];
    let hooks = ["--before", "sh reset.sh", "--after", "echo restored", "--invocations", "6", "--json"];
    let mut process = command("", &[own.as_slice(), &ONE, &hooks].concat());
    let output = process.current_dir(&scratch.0).output().unwrap();
    assert_code(&output, 1);
    let message = format!(
        "duet: the samples so far are kept; continue with `duet run --resume {out}`: --before of block 2 (sh reset.sh) ended \
         with exit status: 3; the end of its output, all of which is in {out}/hooks.log:\n  noise\n  no such table\n"
    );
    assert!(stderr(&output).ends_with(&message), "{message}{}", stderr(&output));
    let last: Value = serde_json::from_str(stdout_of_failure(&output).lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["reason"]), (&json!("end"), &json!("failed")));
    assert!(last["detail"].as_str().unwrap().contains("no such table"), "{last}");
    assert_eq!((samples(&out).1.len(), target.count()), (2, 2));
    // What was not begun has nothing to be set back.
    assert_eq!(log(&scratch).matches("\nrestored").count(), 1);

    // A plan is made once.
    let output = run("", &["--resume", &out, "--before", "true"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("--before cannot be changed"), "{}", stderr(&output));
    scratch.file("fixed", "");
    assert_code(&run("", &["--resume", &out]), 0);
    assert_eq!((samples(&out).1.len(), target.count()), (6, 6));
    assert_eq!(log(&scratch).matches("\nrestored").count(), 3);
}

/// The standard output of a process whose exit code says that it has failed.
fn stdout_of_failure(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn all_ways_to_fail_are_named() {
    let nowhere = Scratch::new();
    let gone = program(&nowhere, "gone", "#!/nowhere/interpreter\n");
    for (arguments, part) in [
        (["--before", "kill -9 $$"], "--before of block 1 (kill -9 $$) ended with signal: 9 (SIGKILL)\n"),
        (["--before", "nowhere"], "(nowhere) ended with exit status: 127; the end of its output, all of which"),
        (["--before", &gone], "/gone) cannot be started in /"),
        (["--after", "exit 9"], "--after of block 1 (exit 9) ended with exit status: 9\n"),
    ] {
        let scratch = Scratch::new();
        let output = blocks(&scratch, "4", &arguments);
        assert_code(&output, 1);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        assert_eq!(samples(&scratch.path("run")).1.len(), if arguments[0] == "--after" { 2 } else { 0 });
    }
}

#[test]
fn a_hook_that_takes_too_long_is_ended_with_all_that_it_has_started() {
    let scratch = Scratch::new();
    let (ids, begin) = (scratch.path("ids"), Instant::now());
    let output = blocks(&scratch, "4", &["--before", &endless(&ids), "--after", "true", "--hook-timeout", "700ms"]);
    assert_code(&output, 1);
    assert!(begin.elapsed() < Duration::from_secs(60));
    let text = stderr(&output);
    let part = " did not end within 700ms and was ended; the end of its output";
    assert!(text.contains(part) && text.ends_with(":\n  started\n"), "{text}");
    wait_until(|| alive(&ids).is_empty());
    assert_eq!(log(&scratch).matches("--after").count(), 0);
}

#[test]
fn what_a_hook_leaves_running_goes_on_when_it_has_succeeded() {
    let scratch = Scratch::new();
    let ids = scratch.path("ids");
    let before = format!("sleep 600 & echo $! >>{ids}");
    assert_code(&blocks(&scratch, "2", &["--before", &before]), 0);
    let left = alive(&ids);
    assert_eq!(left.len(), 1);
    // A hook can end what another one has started.
    let after = format!("kill $(cat {ids}) && rm {ids}");
    fs::remove_dir_all(scratch.path("run")).unwrap();
    assert_code(&blocks(&scratch, "2", &["--after", &after]), 0);
    wait_until(|| !lives(&left[0]));
}

#[test]
fn ctrl_c_reaches_before_and_all_that_it_has_started() {
    let target = Scripted::start(|_, _| Reply::ok("{}"));
    // One that ends when it is asked to, and fails by that.
    let scratch = Scratch::new();
    let ids = scratch.path("ids");
    let process = start(&scratch, &target, &["--before", &endless(&ids), "--after", "true"]);
    wait_until(|| fs::read_to_string(scratch.path("run/hooks.log")).is_ok_and(|log| log.ends_with("started\n")));
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    wait_until(|| alive(&ids).is_empty());
    assert!(stderr(&output).contains("Interrupted: the samples so far are kept"), "{}", stderr(&output));
    assert_eq!(log(&scratch).matches("--after").count(), 0);

    // One that takes no notice is killed.
    let scratch = Scratch::new();
    let ids = scratch.path("ids");
    let deaf = format!("trap '' INT; {}", endless(&ids));
    let process = start(&scratch, &target, &["--before", &deaf]);
    wait_until(|| fs::read_to_string(scratch.path("run/hooks.log")).is_ok_and(|log| log.ends_with("started\n")));
    signal(&process, "INT");
    assert_code(&process.wait_with_output().unwrap(), 130);
    wait_until(|| alive(&ids).is_empty());

    // One that has done its work all the same is followed by the other.
    let scratch = Scratch::new();
    let before = "trap 'exit 0' INT; echo started; sleep 600 & wait";
    let process = start(&scratch, &target, &["--before", before, "--after", "echo restored"]);
    wait_until(|| fs::read_to_string(scratch.path("run/hooks.log")).is_ok_and(|log| log.ends_with("started\n")));
    signal(&process, "INT");
    assert_code(&process.wait_with_output().unwrap(), 130);
    assert!(log(&scratch).ends_with("\nrestored\n"), "{}", log(&scratch));
    assert_eq!((samples(&scratch.path("run")).1.len(), target.count()), (0, 0));
}

#[test]
fn state_is_set_back_after_ctrl_c_unless_there_is_a_second_one() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::ok("{}").after(Duration::from_millis(300)));
    let process = start(&scratch, &target, &["--before", "true", "--after", "sleep 1; echo restored"]);
    wait_until(|| target.count() == 1);
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let said = "Warning: --after of block 1 is run to its end; Ctrl-C again leaves that undone\n";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert!(log(&scratch).ends_with("\nrestored\n"), "{}", log(&scratch));
    let made = samples(&scratch.path("run")).1.len();
    assert!((1..=2).contains(&made), "{made}");

    let scratch = Scratch::new();
    let ids = scratch.path("ids");
    let mut process = start(&scratch, &target, &["--before", "true", "--after", &endless(&ids)]);
    wait_until(|| fs::read_to_string(scratch.path("run/hooks.log")).is_ok_and(|log| log.ends_with("started\n")));
    signal(&process, "INT");
    // Signals that come at once are one.
    sleep(Duration::from_secs(2));
    assert_eq!((process.try_wait().unwrap(), alive(&ids).len()), (None, 2));
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    assert!(stderr(&output).contains("Not run to its end: --after of block 1 ("), "{}", stderr(&output));
    wait_until(|| alive(&ids).is_empty());
}

#[test]
fn a_dry_run_shows_hooks_and_runs_none() {
    let scratch = Scratch::new();
    let before = format!("touch {}", scratch.path("touched"));
    let output = blocks(&scratch, "4", &["--before", &before, "--hook-timeout", "5s", "--dry-run"]);
    let line = format!("\nBefore every block: {before} (5s at most, in {})\n", crate::handler::root().display());
    assert!(stdout(&output).contains(&line), "{}", stdout(&output));
    assert!(!scratch.0.join("touched").exists() && !scratch.0.join("run").exists());
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is() {
    let scratch = Scratch::new();
    for (arguments, code, part) in [
        (["--hook-timeout", "5s"], 2, "--hook-timeout is for --before and --after, and neither is given"),
        (["--before", ""], 2, "invalid value for '--before <HOOK>': it is empty; write lambda:NAME"),
        (["--after", "lambda:a b"], 2, "invalid value for '--after <HOOK>': \"lambda:a b\" is not a function"),
        (["--after", "https://host/reset"], 2, "a URL is not run"),
        (["--before", "psql postgres://me:s3cret@host/db"], 2, "it has a URL with a password"),
        (["--before", "exec:nowhere"], 1, "duet: --before: "),
    ] {
        let output = blocks(&scratch, "4", &arguments);
        assert_code(&output, code);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        assert!(!stderr(&output).contains("s3cret"), "{}", stderr(&output));
    }
    assert!(!scratch.0.join("run").exists());
}

/// A campaign of blocks of two calls of Lambda functions.
fn on_lambda(scratch: &Scratch, lambda: &Scripted, arguments: &[&str]) -> Output {
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let own = ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out, "--invocations", "4"];
    run(&lambda.url, &[own.as_slice(), &ONE, arguments].concat())
}

#[test]
fn a_function_is_invoked_with_the_block() {
    let scratch = Scratch::new();
    let lambda = lambda_in("us-east-1", 1769, 512);
    assert_code(&on_lambda(&scratch, &lambda, &["--before", "lambda:reset:live", "--after", "lambda:reset"]), 0);
    let calls: Vec<_> = lambda.calls().into_iter().filter(|call| call.line.contains("/invocations")).collect();
    let hooks =
        [0, 3, 4, 7].map(|place| (calls[place].line.as_str(), serde_json::from_str(&calls[place].body).unwrap()));
    let payload = |hook: &str, block: u64| -> Value {
        json!({ "source": "lambda-duet", "hook": hook, "block": block, "campaign": "run" })
    };
    let (live, latest) =
        ("POST /2015-03-31/functions/reset/invocations?Qualifier=live", "POST /2015-03-31/functions/reset/invocations");
    assert_eq!(
        hooks,
        [
            (live, payload("before", 0)),
            (latest, payload("after", 0)),
            (live, payload("before", 1)),
            (latest, payload("after", 1))
        ]
    );
    assert_eq!(calls.len(), 8);
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!(rows.len(), 4);
    let hook = manifest.plan.hooks.unwrap().before.unwrap();
    assert_eq!(hook.place.unwrap().region.as_deref(), Some("us-east-1"));
    assert!(log(&scratch).ends_with(": lambda:reset\n{\"sum\": 7}\n"), "{}", log(&scratch));
    // Where the campaign is continued, another region may be the default: that of the hook stays.
    fs::write(scratch.path("run/samples.jsonl"), "").unwrap();
    let mut process = command(&lambda.url, &["--resume", &scratch.path("run")]);
    assert_code(&process.env("AWS_REGION", "eu-west-1").output().unwrap(), 0);
    let signed = |call: &crate::scripted::Call| call.headers["authorization"].to_str().unwrap().to_owned();
    let resets = lambda.calls().into_iter().filter(|call| call.line.contains("/functions/reset/"));
    assert!(resets.clone().count() == 8 && resets.into_iter().all(|call| signed(&call).contains("/us-east-1/lambda/")));
}

/// A Lambda whose function `reset` gives these answers, told how many it has given.
fn resetting(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Scripted {
    let given = AtomicUsize::new(0);
    Scripted::aws(move |call, _| {
        if call.line.contains("/functions/reset/") {
            reply(given.fetch_add(1, Ordering::Relaxed))
        } else if call.line.contains("/configuration") {
            Reply::lambda_error("AccessDeniedException", "not you")
        } else {
            Reply::ok("{}")
        }
    })
}

fn resets(lambda: &Scripted) -> usize {
    lambda.calls().iter().filter(|call| call.line.contains("/functions/reset/")).count()
}

#[test]
fn a_function_that_fails_ends_the_campaign_and_one_that_is_throttled_is_called_again() {
    let error = r#"{"errorMessage": "no such table", "errorType": "Error"}"#;
    let failing = resetting(move |_| Reply::ok(error).header("x-amz-function-error", "Unhandled"));
    let slow = resetting(|_| Reply::ok("{}").after(Duration::from_secs(60)));
    for (lambda, part) in [
        (
            failing,
            "--before of block 1 (lambda:reset) failed: the function answered with an error, Error: no such table\n",
        ),
        (slow, "--before of block 1 (lambda:reset) gave no answer within 500ms\n"),
    ] {
        let scratch = Scratch::new();
        let output = on_lambda(&scratch, &lambda, &["--before", "lambda:reset", "--hook-timeout", "500ms"]);
        assert_code(&output, 1);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        assert_eq!((resets(&lambda), samples(&scratch.path("run")).1.len()), (1, 0));
    }
    let (scratch, throttled) = (
        Scratch::new(),
        resetting(|number| match number {
            0 => Reply::lambda_error("TooManyRequestsException", "Rate Exceeded."),
            _ => Reply::ok("{}"),
        }),
    );
    assert_code(&on_lambda(&scratch, &throttled, &["--before", "lambda:reset"]), 0);
    assert_eq!(resets(&throttled), 3);
}
