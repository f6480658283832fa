//! The commands of the README, as they are printed there.

use super::variable;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// Commands that need a person and an account, or that are the test itself.
const NOT_RUN: [&str; 3] = ["make demo", "make test", "sam build && sam deploy --guided"];

/// What the commands use of the project, by symbolic links in a directory of its own: campaigns leave files behind.
fn scratch() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).unwrap();
    for name in [".aws-sam", "events", "samconfig.toml"] {
        symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), scratch.join(name)).unwrap();
    }
    scratch
}

/// The shell blocks of the README, without the commands of [`NOT_RUN`].
fn blocks() -> Vec<String> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let is_run = |line: &&str| !NOT_RUN.contains(&line.split(" # ").next().unwrap().trim());
    blocks
        .map(|block| block.lines().filter(is_run).collect::<Vec<_>>().join("\n"))
        .filter(|it| !it.is_empty())
        .collect()
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn every_command_works_as_printed() {
    let blocks = blocks();
    assert!(blocks.len() >= 5, "the README lost its commands");
    let duet = Path::new(env!("CARGO_BIN_EXE_duet")).parent().unwrap().display();
    let scratch = scratch();
    for block in blocks {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block])
            .current_dir(&scratch)
            .env("PATH", format!("{duet}:{}", std::env::var("PATH").unwrap()))
            .env("API_URL", variable("DUET_API_URL"))
            .env("ARM64_FUNCTION", variable("DUET_ARM64_FUNCTION"))
            .env("X86_64_FUNCTION", variable("DUET_X86_64_FUNCTION"))
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{block}\n{text}");
    }
}
