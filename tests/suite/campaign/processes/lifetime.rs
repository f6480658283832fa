//! Nothing that a function has started lives on, whatever becomes of the campaign.

use super::{Scratch, assert_code, call, campaign, command, function, program, run, samples, wait_until};
use crate::handler::TIMEOUT;
use lambda_duet::campaign::{
    Auth,
    caller::{CallOptions, Caller},
    local::LocalEnvironment,
    row::Row,
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::{
    join,
    time::{self, timeout},
};

/// A wrapper that starts the function as its child, and a daemon beside it that has left the process group. Each
/// writes down its process id; the child takes 64 MB, and does what the event says.
fn family(scratch: &Scratch, name: &str) -> String {
    function(
        scratch,
        &format!("{name}/child"),
        r#"
ballast = bytearray(64 << 20)
ballast[::4096] = b"x" * len(ballast[::4096])
note("members", os.getpid())
def handler(event):
    what = json.loads(event).get("do")
    if what == "hang":
        note("hanging", "yes")
        time.sleep(600)
    if what == "die":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    return "{}"
serve(handler)
"#,
    );
    let wrapper = r#"#!/bin/sh
echo $$ >>"$LAMBDA_TASK_ROOT/members"
for member in $(cat "$LAMBDA_TASK_ROOT/members"); do
    [ "$member" = $$ ] || ! grep -q "$LAMBDA_TASK_ROOT" "/proc/$member/environ" || echo "$member" >>"$LAMBDA_TASK_ROOT/left"
done
(setsid sh -c 'echo $$ >>"$LAMBDA_TASK_ROOT/members"; echo >"$LAMBDA_TASK_ROOT/daemon"; exec sleep 600' &)
until [ -e "$LAMBDA_TASK_ROOT/daemon" ]; do sleep 0.01; done
"$LAMBDA_TASK_ROOT/child"
"#;
    program(scratch, &format!("{name}/bootstrap"), wrapper)
}

/// The members of a family that are alive.
fn alive(scratch: &Scratch, name: &str) -> Vec<String> {
    let root = format!("LAMBDA_TASK_ROOT={}", scratch.path(name).trim_end_matches('/'));
    let members = fs::read_to_string(scratch.0.join(name).join("members")).unwrap();
    let lives = |process: &&str| {
        let variables = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == root.as_bytes())
    };
    assert!(members.lines().count() >= 3, "{members}");
    members.lines().filter(lives).map(str::to_owned).collect()
}

fn signal(process: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &process.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_wrapper_is_measured_with_its_child_and_nothing_lives_on_after_the_campaign() {
    let scratch = Scratch::new();
    let (one, other) = (family(&scratch, "one"), family(&scratch, "other"));
    let output = campaign(&scratch, &one, &other, &["--invocations", "4"]).output().unwrap();
    assert_code(&output, 0);
    let (_, rows) = samples(&scratch.path("run"));
    let memory: Vec<_> = rows.iter().map(|row| row.report.as_ref().unwrap().max_memory_mb.unwrap()).collect();
    assert!(memory.len() == 4 && memory.iter().all(|it| (64..256).contains(it)), "{memory:?}");
    for name in ["one", "other"] {
        assert_eq!(alive(&scratch, name), [""; 0]);
    }
}

#[test]
fn nothing_lives_on_beside_a_cold_start() {
    let scratch = Scratch::new();
    let (one, other) = (family(&scratch, "one"), family(&scratch, "other"));
    assert_code(&campaign(&scratch, &one, &other, &["--invocations", "6", "--cold"]).output().unwrap(), 0);
    for name in ["one", "other"] {
        // Three starts of a wrapper, a daemon and a child; none met a living member of an earlier one.
        let members = fs::read_to_string(scratch.0.join(name).join("members")).unwrap();
        assert_eq!(members.lines().collect::<BTreeSet<_>>().len(), 9, "{members}");
        assert!(!scratch.0.join(name).join("left").exists());
        assert_eq!(alive(&scratch, name), [""; 0]);
    }
}

#[test]
fn nothing_lives_on_after_an_error_or_an_interruption() {
    // The wrapper dies amid a call, and the campaign ends because nothing but failures comes.
    let scratch = Scratch::new();
    let target = family(&scratch, "one");
    let payload = scratch.file("die.json", r#"{"do": "die"}"#);
    let out = scratch.path("run");
    let arguments = ["--targets", &target, &target, "--payload", &payload, "--out", &out, "--environments", "5"];
    assert_code(&command("", &arguments).output().unwrap(), 3);
    let (_, rows) = samples(&out);
    let message = &rows[0].failure.as_ref().unwrap().message;
    assert!(message.contains("bootstrap ended (signal: 9 (SIGKILL)) before it answered"), "{message}");
    assert_eq!(alive(&scratch, "one"), [""; 0]);

    // Ctrl-C between two calls.
    let scratch = Scratch::new();
    let target = family(&scratch, "one");
    let process = campaign(&scratch, &target, &target, &[]).spawn().unwrap();
    wait_until(|| fs::read(scratch.0.join("run/samples.jsonl")).is_ok_and(|it| it.len() > 2000));
    signal(&process, "-INT");
    assert_code(&process.wait_with_output().unwrap(), 130);
    assert_eq!(alive(&scratch, "one"), [""; 0]);
}

/// A campaign that hangs in a call of a family.
fn hanging(scratch: &Scratch) -> Child {
    let target = family(scratch, "one");
    let (payload, out) = (scratch.file("hang.json", r#"{"do": "hang"}"#), scratch.path("run"));
    let arguments = ["--targets", &target, &target, "--payload", &payload, "--out", &out, "--environments", "1"];
    let process = command("", &arguments).spawn().unwrap();
    wait_until(|| scratch.0.join("one/hanging").exists());
    process
}

/// The names of a process's children.
fn children(process: &Child) -> Vec<String> {
    let list = fs::read_to_string(format!("/proc/{0}/task/{0}/children", process.id())).unwrap();
    let names = list.split_whitespace().map(|child| fs::read_to_string(format!("/proc/{child}/comm")).unwrap());
    let mut names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn nothing_lives_on_after_a_second_ctrl_c_or_a_kill() {
    let scratch = Scratch::new();
    let mut process = hanging(&scratch);
    assert_eq!(alive(&scratch, "one").len(), 3);
    // The first one waits for the call, the second one does not; signals of one kind are one as long as it is pending.
    let status = loop {
        signal(&process, "-INT");
        sleep(Duration::from_millis(10));
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(130));
    wait_until(|| alive(&scratch, "one").is_empty());

    let scratch = Scratch::new();
    let mut process = hanging(&scratch);
    // Ending every process that is called duet ends only this one.
    wait_until(|| children(&process) == ["bootstrap", "lambda-reaper"]);
    process.kill().unwrap();
    process.wait().unwrap();
    wait_until(|| alive(&scratch, "one").is_empty());
}

#[test]
fn a_single_call_leaves_no_process_behind() {
    let scratch = Scratch::new();
    let target = family(&scratch, "one");
    assert_eq!(call(&target, &[]), json!({}));
    assert_eq!(alive(&scratch, "one"), [""; 0]);
}

#[test]
fn many_environments_end_together() {
    let scratch = Scratch::new();
    let target = function(&scratch, "bootstrap", "note('members', os.getpid())\nserve(lambda event: '{}')");
    let (output, rows) = run(&scratch, &target, &["--environments", "20", "--invocations", "80", "--cold"]);
    assert_code(&output, 0);
    assert_eq!(rows.iter().filter_map(Row::environment).collect::<BTreeSet<_>>().len(), 80);
    let members = fs::read_to_string(scratch.path("members")).unwrap();
    assert_eq!(members.lines().count(), 80, "{members}");
    assert_eq!(alive(&scratch, ""), [""; 0]);
}

/// An environment whose function has answered, and then does this.
async fn answered(scratch: &Scratch, after: &str) -> LocalEnvironment {
    let answer = "id, _, _ = next_event()\nask('POST', f'invocation/{id}/response', '{}')\n";
    function(scratch, "bootstrap", &format!("{answer}{after}"));
    let path = scratch.path("bootstrap");
    let mut environment = LocalEnvironment::start(path.as_ref(), [], Stdio::null()).await.unwrap();
    environment.ready(TIMEOUT).await.unwrap();
    assert_eq!(environment.invoke("{}", TIMEOUT, TIMEOUT).await.unwrap().unwrap(), "{}");
    environment
}

#[tokio::test]
async fn what_follows_an_answer_is_waited_for_before_the_process_is_ended() {
    let scratch = Scratch::new();
    let after =
        "while not os.path.exists(os.path.join(ROOT, 'go')): time.sleep(0.01)\nnote('after', 'done')\nnext_event()";
    let environment = answered(&scratch, after).await;
    // The end is under way before the function can go on.
    join!(LocalEnvironment::end_all([environment], TIMEOUT), async { scratch.file("go", "") });
    assert!(scratch.0.join("after").exists());

    // One that ends is not waited for any longer.
    let scratch = Scratch::new();
    let environment = answered(&scratch, "note('after', 'done')").await;
    timeout(TIMEOUT, LocalEnvironment::end_all([environment], Duration::MAX)).await.unwrap();
    assert!(scratch.0.join("after").exists());
}

#[tokio::test]
async fn a_function_that_hangs_after_its_answer_is_ended_with_the_patience() {
    let scratch = Scratch::new();
    let environment = answered(&scratch, "time.sleep(600)").await;
    let variables = format!("/proc/{}/environ", environment.process_id().unwrap());
    assert!(!fs::read(&variables).unwrap().is_empty());
    LocalEnvironment::end_all([environment], Duration::from_millis(1)).await;
    assert_eq!(fs::read(&variables).unwrap_or_default(), [0; 0]);
}

/// A function that works on after its first answer until a file lets it go on.
#[tokio::test]
async fn what_follows_an_answer_is_no_part_of_the_next_call() {
    let scratch = Scratch::new();
    let code = r#"
while True:
    id, _, _ = next_event()
    ask("POST", f"invocation/{id}/response", "{}")
    note("answered", id)
    while not os.path.exists(os.path.join(ROOT, "go")): time.sleep(0.01)
"#;
    let target = function(&scratch, "bootstrap", code).parse().unwrap();
    let caller = Caller::from_settings(&target, CallOptions::new(Auth::None)).await.unwrap();
    let first = caller.call(0, "{}".into()).await;
    assert!(first.output.is_ok() && first.sent.is_none());
    let mut may_go_on = None;
    let (second, ()) = join!(caller.call(0, "{}".into()), async {
        while !scratch.0.join("answered").exists() {
            time::sleep(Duration::from_millis(1)).await;
        }
        may_go_on = Some(Instant::now());
        scratch.file("go", "");
    });
    assert!(second.output.is_ok());
    let (sent, may_go_on) = (second.sent.unwrap(), may_go_on.unwrap());
    assert!(sent > may_go_on, "{sent:?} {may_go_on:?}");
    let duration = second.report.unwrap().duration_ms.unwrap();
    assert!(duration <= sent.elapsed().as_secs_f64() * 1e3, "{duration}");
}

#[test]
fn what_follows_an_answer_is_done_before_the_next_cold_start_and_at_the_end() {
    let scratch = Scratch::new();
    let code = r#"
while True:
    id, _, _ = next_event()
    ask("POST", f"invocation/{id}/response", "{}")
    time.sleep(0.1)
    note("after", id)
"#;
    let target = function(&scratch, "bootstrap", code);
    assert_code(&run(&scratch, &target, &["--invocations", "4", "--cold"]).0, 0);
    assert_eq!(call(&target, &[]), json!({}));
    let after = fs::read_to_string(scratch.path("after")).unwrap();
    assert_eq!(after.lines().count(), 5, "{after}");
}

#[test]
fn a_function_that_ends_after_its_answer_is_started_again_for_the_next() {
    let scratch = Scratch::new();
    let code = "id, _, _ = next_event()\nask('POST', f'invocation/{id}/response', '{}')\n";
    let (output, rows) = run(&scratch, &function(&scratch, "bootstrap", code), &["--invocations", "8"]);
    assert_code(&output, 0);
    assert!(rows.iter().all(|row| row.failure.is_none() && row.cold == Some(true)), "{rows:?}");
    assert_eq!(rows.iter().filter_map(Row::environment).collect::<BTreeSet<_>>().len(), 8);

    // One that ends amid an event has failed, and is started again too.
    let scratch = Scratch::new();
    let code = "id, _, _ = next_event()\nask('POST', f'invocation/{id}/response', '{}')\nnext_event()\nsys.exit(3)\n";
    let (output, rows) = run(&scratch, &function(&scratch, "bootstrap", code), &["--invocations", "8"]);
    assert_code(&output, 0);
    let (failed, made): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.failure.is_some());
    assert!(failed.len() == 4 && made.len() == 4 && made.iter().all(|row| row.cold == Some(true)), "{rows:?}");
    let message = &failed[0].failure.as_ref().unwrap().message;
    assert!(message.contains("ended (exit status: 3) before it answered"), "{message}");
}
