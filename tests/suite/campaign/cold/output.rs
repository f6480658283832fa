//! An output that fails ends a campaign in order, and no program by a panic.

use super::{
    super::{Scratch, assert_code},
    Act, Lambda, campaign, cold, has_panicked,
};
use crate::{
    cli::{duet, stderr},
    handler::root,
    program,
};
use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

#[test]
fn a_reader_that_leaves_ends_the_campaign_and_nothing_is_left_changed() {
    for (to_stderr, json) in [(false, true), (true, false)] {
        let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
        let before = lambda.functions();
        let arguments = ["--cold", "--pace", "100ms", "--duration", "1h", "--max-cost", "1000"];
        let json = if json { ["--json"].as_slice() } else { &[] };
        let mut command = campaign(&scratch, &lambda, &[arguments.as_slice(), json].concat());
        let mut process = command.spawn().unwrap();
        let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        if to_stderr {
            let mut lines = BufReader::new(stderr).lines().map(Result::unwrap);
            assert!(lines.any(|line| line.starts_with("Samples go to ")));
            drop(lines);
            // It prints nothing more before its end, so that is asked for.
            lambda.wait_until(|lambda| lambda.invocations() >= 2);
            super::signal(&process, "INT");
            assert_eq!(process.wait().unwrap().code(), Some(1));
            drop(stdout);
        } else {
            // As `| head -2` does.
            let mut lines = BufReader::new(stdout).lines();
            lines.next().unwrap().unwrap();
            lines.next().unwrap().unwrap();
            drop(lines);
            assert_eq!(process.wait().unwrap().code(), Some(1));
            let mut message = String::new();
            BufReader::new(stderr).read_to_string(&mut message).unwrap();
            assert!(message.contains("writing the output") && message.contains("--resume"), "{message}");
            assert!(!message.contains("panicked"), "{message}");
        }
        assert_eq!(lambda.functions(), before);
        assert!(!scratch.0.join("run/changed.json").exists());
    }
}

#[test]
fn a_full_disk_behind_the_output_ends_the_campaign_too() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = cold(&scratch, &lambda, &["--json"]).stdout(full).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("No space left") && !has_panicked(&output), "{}", stderr(&output));
    assert_eq!(lambda.functions(), before);
}

#[test]
fn no_subcommand_panics_where_its_output_fails() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let out = scratch.path("run");
    assert_code(&campaign(&scratch, &lambda, &["--invocations", "2"]).output().unwrap(), 0);
    let exec = format!("exec:{}", env!("CARGO_BIN_EXE_handler"));
    let request = scratch.file("request.json", r#"{"workloads":["math/primes"],"size":100,"iterations":1}"#);
    for arguments in [
        ["workloads"].as_slice(),
        &["workloads", "--json"],
        &["prices"],
        &["prices", "--json"],
        &["completions", "bash"],
        &["report", &out],
        &["report", &out, "--format", "json"],
        &["compare", &out, &out],
        &["gate", &out],
        &["call", &exec, &request],
        &["call", &exec, &request, "--json"],
        &["run", "--help"],
        &["--version"],
    ] {
        let whole = duet(arguments);
        let run = |output: Stdio| {
            program::duet()
                .args(arguments)
                .current_dir(root())
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(Stdio::piped())
                .output()
                .unwrap()
        };
        let full = run(OpenOptions::new().write(true).open("/dev/full").unwrap().into());
        assert!(!has_panicked(&full) && full.status.code() != Some(101), "{arguments:?}: {}", stderr(&full));
        // As with `| true`: the pipe has no reader.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let broken = run(writer.into());
        assert!(!has_panicked(&broken), "{arguments:?}: {}", stderr(&broken));
        assert_eq!(broken.status.code(), whole.status.code(), "{arguments:?}: {}", stderr(&broken));
    }
}

#[test]
fn an_error_that_cannot_be_printed_is_an_exit_code() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = program::duet().args(["report", "/nowhere"]).stderr(full).status();
    assert_eq!(status.unwrap().code(), Some(1));
}
