//! The commands of the README, as they are printed there.

use std::{fs, process::Command};

/// Commands that need a person or an account, or that are the test itself.
const NOT_RUN: [&str; 3] = ["make demo", "make test", "sam build && sam deploy --guided"];

/// The shell blocks of the README, without those of [`NOT_RUN`] alone.
fn blocks() -> Vec<String> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks
        .filter(|block| !block.lines().all(|line| NOT_RUN.contains(&line.split(" #").next().unwrap().trim())))
        .collect()
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn every_command_works_as_printed() {
    let blocks = blocks();
    assert!(blocks.len() >= 3, "the README lost its commands");
    let path = format!("{}:{}", env!("CARGO_BIN_EXE_duet").trim_end_matches("/duet"), std::env::var("PATH").unwrap());
    for block in blocks {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PATH", &path)
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{block}\n{text}");
    }
}
