//! Records how the binary is built, so that every response can say it.

use std::{env, process::Command};

fn main() {
    // The revision changes with HEAD, the `-dirty` mark with the index and the sources.
    for path in [".git/HEAD", ".git/refs/heads", ".git/index", "src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let revision = output("git", &["describe", "--always", "--dirty", "--abbrev=12"]);
    record("GIT_REVISION", revision.as_deref().unwrap_or("unknown"));
    record("RUSTC", &output(&variable("RUSTC"), &["--version"]).expect("the compiler states its version"));
    record("TARGET", &variable("TARGET"));
    record("TARGET_CPU", &target_cpu());
    record("TARGET_FEATURES", &variable("CARGO_CFG_TARGET_FEATURE"));
}

fn record(name: &str, value: &str) {
    println!("cargo::rustc-env=DUET_{name}={value}");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}

/// The last `-C target-cpu`, as the compiler reads it; `generic` is its own default.
fn target_cpu() -> String {
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let mut cpus =
        flags.split(['\x1f', ' ']).filter_map(|flag| flag.trim_start_matches("-C").strip_prefix("target-cpu="));
    cpus.next_back().unwrap_or("generic").to_owned()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
