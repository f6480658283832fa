//! What `duet export` refuses, and where it writes.

use crate::{
    campaign::{Scratch, assert_code},
    cli::{duet, stderr, stdout},
    fabricated::run_directory,
    program::{self, isolate},
};
use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

/// A small campaign.
fn campaign(scratch: &Scratch) -> String {
    let run = scratch.path("run");
    run_directory(&run, 8, 5, 0.8);
    run
}

/// The exit code and the message of an export that is refused.
fn refused(arguments: &[&str], code: i32) -> String {
    let output = duet(&[&["export"], arguments].concat());
    assert_code(&output, code);
    assert!(output.stdout.is_empty(), "{arguments:?}");
    stderr(&output)
}

#[test]
fn wrong_arguments_are_refused_by_name() {
    let scratch = Scratch::new();
    let (run, other) = (campaign(&scratch), scratch.path("other"));
    run_directory(&other, 8, 5, 0.8);
    let slip = refused(&[&run, "--format", "openmetric"], 2);
    assert!(slip.contains("a similar value exists: 'openmetrics'"), "{slip}");
    let two = refused(&[&run, &other, "--format", "bmf"], 2);
    assert!(two.contains("2 run directories are given, and --format bmf is of one"), "{two}");
    let twice = refused(&[&run, &format!("{run}/."), "--format", "otava"], 2);
    assert!(twice.contains("is given twice; a series has each campaign once"), "{twice}");
    let config = refused(&[&run, "--format", "bmf", "--out", &other, "--otava-config", "otava.yaml"], 2);
    assert!(config.contains("--otava-config is for --format otava"), "{config}");
    let bill = refused(&[&run, "--format", "parquet", "--free-tier"], 2);
    assert!(bill.contains("change estimates, and --format parquet is of samples"), "{bill}");
}

#[test]
fn what_is_no_campaign_or_has_no_samples_is_refused() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    fs::write(format!("{run}/samples.jsonl"), "").unwrap();
    for format in ["otava", "bmf", "github-action-benchmark", "openmetrics", "parquet"] {
        let missing = refused(&[&scratch.path("none"), "--format", format], 1);
        assert!(missing.contains("holds no campaign: there is no campaign.json in it"), "{format}: {missing}");
    }
    for format in ["bmf", "github-action-benchmark"] {
        let empty = refused(&[&run, "--format", format], 1);
        assert!(empty.starts_with("Left out: the times and the cost of x86_64 (no-samples"), "{format}: {empty}");
        assert!(empty.ends_with("/run has nothing that can be exported\n"), "{format}: {empty}");
    }
    let empty = refused(&[&run, "--format", "otava"], 1);
    assert!(empty.ends_with("duet: the campaigns have nothing in common that can be exported\n"), "{empty}");
    let empty = refused(&[&run, "--format", "parquet"], 1);
    assert!(empty.ends_with("/run has no samples yet\n"), "{empty}");
    // A collector has to learn that nothing is known.
    let metrics = stdout(&duet(&["export", &run, "--format", "openmetrics"]));
    assert!(metrics.contains("kind=\"no-samples\"") && metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    let place = scratch.path("exports");
    fs::create_dir(&place).unwrap();
    let out = format!("{place}/out");
    let files = || fs::read_dir(&place).unwrap().count();
    for format in ["bmf", "parquet"] {
        fs::write(&out, "before").unwrap();
        stdout(&duet(&["export", &run, "--format", format, "--out", &out]));
        assert!(fs::metadata(&out).unwrap().len() > 100 && files() == 1);
        // As readable as any file, for a collector of another user.
        let umask = fs::metadata(&run).unwrap().permissions().mode() & 0o666;
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, umask);
    }
    let samples = format!("{run}/samples.jsonl");
    let damaged = fs::read_to_string(&samples).unwrap() + "damaged\n";
    fs::write(&samples, damaged).unwrap();
    for format in ["bmf", "parquet"] {
        fs::write(&out, "before").unwrap();
        let message = refused(&[&run, "--format", format, "--out", &out], 1);
        assert!(message.contains("samples.jsonl, line 81: "), "{message}");
        assert_eq!((fs::read_to_string(&out).unwrap().as_str(), files()), ("before", 1));
    }
}

#[test]
fn only_files_are_replaced() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    let message = refused(&[&run, "--format", "bmf", "--out", "/dev/null"], 1);
    assert!(message.ends_with("writing /dev/null: it is not a regular file\n"), "{message}");
    let message = refused(&[&run, "--format", "bmf", "--out", &scratch.path("none/out")], 1);
    assert!(message.contains("No such file or directory"), "{message}");
}

#[test]
fn nothing_of_a_campaign_is_written_over() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    let samples = format!("{run}/samples.jsonl");
    let before = fs::read(&samples).unwrap();
    for arguments in [
        ["export", &run, "--format", "bmf", "--out", &samples],
        ["export", &run, "--format", "parquet", "--out", &samples],
        ["report", &run, "--format", "csv", "--html", &samples],
    ] {
        let output = duet(&arguments);
        assert_code(&output, 1);
        assert_eq!(stderr(&output), format!("duet: {samples} is part of a campaign: name another file\n"));
    }
    assert_eq!(fs::read(&samples).unwrap(), before);
    let message = refused(&[&run, "--format", "otava", "--out", "one", "--otava-config", "one"], 2);
    assert!(message.contains("--out and --otava-config name the same file"), "{message}");
    // A file that only its owner may read stays one.
    let private = scratch.file("private.json", "");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    assert_code(&duet(&["export", &run, "--format", "bmf", "--out", &private]), 0);
    assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn parquet_goes_to_a_pipe_and_not_to_a_terminal() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    let output = duet(&["export", &run, "--format", "parquet"]);
    assert_code(&output, 0);
    assert!(output.stdout.starts_with(b"PAR1") && output.stdout.ends_with(b"PAR1"));
    let program = env!("CARGO_BIN_EXE_duet");
    // `script` gives it a terminal.
    let output = isolate(&mut Command::new("script"))
        .args(["--quiet", "--return", "--command", &format!("{program} export {run} --format parquet"), "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .expect("script, of util-linux");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_code(&output, 2);
    assert!(shown.contains("name a file by --out, or send it to a pipe") && !shown.contains("PAR1"), "{shown}");
}

#[test]
fn a_reader_may_stop_early() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    for format in ["bmf", "parquet"] {
        let mut export = program::duet()
            .args(["export", &run, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Nobody reads.
        drop(export.stdout.take());
        let mut message = String::new();
        export.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert!(export.wait().unwrap().success(), "{message}");
        assert_eq!(message, "");
    }
}
