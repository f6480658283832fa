//! Campaigns that are ended from outside go on where they were.

use super::{Scratch, assert_code, command, samples};
use crate::{
    cli::{duet, stderr},
    handler::bootstrap,
    scripted::{Reply, Scripted},
};
use lambda_duet::protocol::Architecture;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::{fs, io::Write, os::unix::process::CommandExt, process::Command, thread::sleep, time::Duration};

#[test]
fn no_sample_is_lost_or_doubled_by_a_hundred_kills() {
    const CALLS: usize = 6000;
    const VARIANTS: usize = 8;
    let scratch = Scratch::new();
    // Answers are numbered, so that a sample tells which answer it holds.
    let target =
        Scripted::start(|_, number| Reply::ok(format!("{{\"number\": {number}}}")).after(Duration::from_millis(2)));
    let payload = scratch.file("payload.json", "{}");
    let (out, calls) = (scratch.path("run"), CALLS.to_string());
    let begin = [
        [["--targets"].as_slice(), &[target.url.as_str(); VARIANTS]].concat().as_slice(),
        &[
            "--no-auth",
            "--payload",
            &payload,
            "--out",
            &out,
            "--environments",
            "2",
            "--invocations",
            &calls,
            "--compare-output",
        ],
    ]
    .concat();
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut kills, mut before) = (0, Vec::new());
    while kills < 100 {
        let has_begun = fs::exists(scratch.0.join("run/campaign.json")).unwrap();
        let arguments = if has_begun { vec!["--resume", &out] } else { begin.clone() };
        let mut process = command("", &arguments).spawn().unwrap();
        // Some before the campaign has begun, however long this machine takes for that; most of them amid its calls.
        let calls = if rng.random_bool(0.2) { 0 } else { target.count() + rng.random_range(1..50) };
        while target.count() < calls && process.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_micros(rng.random_range(0..20_000)));
        process.kill().unwrap();
        if process.wait().unwrap().code().is_some() {
            break; // It was complete.
        }
        kills += 1;
        // What was there stays there, byte for byte, but for the end of a line that was cut off.
        let now = fs::read(scratch.0.join("run/samples.jsonl")).unwrap_or_default();
        let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        assert!(now.starts_with(&before[..whole]), "kill {kills} lost a sample");
        before = now;
    }
    assert_eq!(kills, 100, "the campaign is too short for so many kills");
    assert_code(&command("", &["--resume", &out]).output().unwrap(), 4);
    let (_, rows) = samples(&out);
    assert_eq!(rows.len(), CALLS);
    let mut answers: Vec<_> = rows.iter().map(|row| row.output_sha256.clone().unwrap()).collect();
    answers.sort_unstable();
    answers.dedup();
    assert_eq!(answers.len(), CALLS, "one answer became two samples");
    // Beside the samples there are only the calls that were under way at a kill, two of each variant.
    assert!(target.calls().len() <= CALLS + 100 * 2 * VARIANTS);
}

#[test]
fn a_line_that_was_cut_off_is_dropped_and_a_wrong_one_is_named() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::ok("{}"));
    assert_code(&super::run_plain(&scratch, &target, &["--environments", "2", "--invocations", "8"]), 0);
    let (out, path) = (scratch.path("run"), scratch.0.join("run/samples.jsonl"));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    assert!(super::report(&out).contains("3 calls"), "{}", super::report(&out));
    assert_code(&super::run("", &["--resume", &out]), 0);
    assert_eq!(samples(&out).1.len(), 8);

    let first_line = whole.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(first_line).unwrap();
    let output = super::run("", &["--resume", &out]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("samples.jsonl, line 9"), "{}", stderr(&output));
    fs::write(&path, "{\"block\":0}\n").unwrap();
    let output = duet(&["report", &out]);
    assert!(stderr(&output).contains("samples.jsonl, line 1: missing field"), "{}", stderr(&output));
}

#[test]
fn ctrl_c_keeps_the_calls_in_flight_and_exits_with_130() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::ok("{}").after(Duration::from_millis(100)));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        "--targets",
        &target.url,
        &target.url,
        "--no-auth",
        "--payload",
        &payload,
        "--out",
        &out,
        "--environments",
        "4",
    ];
    let process = command("", &arguments).spawn().unwrap();
    while target.calls().len() < 6 {
        sleep(Duration::from_millis(5));
    }
    // A second campaign in the same directory is turned away meanwhile.
    let second = super::run("", &["--resume", &out]);
    assert!(stderr(&second).contains("is in use"), "{}", stderr(&second));
    let interrupted = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let message = stderr(&output);
    assert!(message.contains(&format!("duet run --resume {out}")), "{message}");
    assert!(message.contains(&format!("duet report {out}")), "{message}");
    let (_, rows) = samples(&out);
    assert_eq!(rows.len(), target.calls().len());
    assert!(rows.iter().all(|row| row.failure.is_none()));
}

#[test]
fn ctrl_c_does_not_reach_the_processes_that_are_called() {
    let scratch = Scratch::new();
    let (exec, out) = (format!("exec:{}", bootstrap(Architecture::OF_BINARY).display()), scratch.path("run"));
    let arguments = ["--targets", &exec, &exec, "--workload", "math/primes", "--environments", "2", "--out", &out];
    // A terminal sends the signal to all processes of the group.
    let process = command("", &arguments).process_group(0).spawn().unwrap();
    while fs::read(scratch.0.join("run/samples.jsonl")).map_or(0, |it| it.len()) < 2000 {
        sleep(Duration::from_millis(5));
    }
    let group = format!("-{}", process.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    assert_code(&process.wait_with_output().unwrap(), 130);
    let (_, rows) = samples(&out);
    assert!(rows.iter().all(|row| row.failure.is_none()), "{rows:?}");
}
