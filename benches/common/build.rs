//! Functions that are built as they would be deployed.

use lambda_duet::protocol::Architecture;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Builds a program by cargo-lambda, in a directory of its own below `target`.
pub fn build(manifest: &str, binary: &str, architecture: Architecture) -> PathBuf {
    let flag = match architecture {
        Architecture::Arm64 => "--arm64",
        Architecture::X86_64 => "--x86-64",
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = root.join("target/deployed").join(architecture.to_string());
    let status = Command::new(env!("CARGO"))
        .args(["lambda", "build", "--release", flag, "--bin", binary, "--manifest-path", manifest, "--lambda-dir"])
        .arg(&directory)
        .current_dir(root)
        .stdout(Stdio::null())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "cargo lambda cannot build {binary}; `make bench` installs it");
    directory.join(binary).join("bootstrap")
}
