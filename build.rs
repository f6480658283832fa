//! Records how the binary is built, so that every response can say it.

use std::{env, fs, path::PathBuf, process::Command};

fn main() {
    let sources = sources();
    // Git knows where a work tree keeps them.
    let references = output("git", &["rev-parse", "--git-path", "HEAD", "--git-path", "refs/heads"]);
    for path in sources.iter().map(String::as_str).chain(references.iter().flat_map(|it| it.lines())) {
        println!("cargo::rerun-if-changed={path}");
    }
    record("GIT_REVISION", &revision(&sources));
    record("RUSTC", &output(&variable("RUSTC"), &["--version"]).expect("the compiler states its version"));
    record("TARGET", &variable("TARGET"));
    record("TARGET_CPU", &target_cpu());
    record("TARGET_FEATURES", &variable("CARGO_CFG_TARGET_FEATURE"));
    link_for_amazon_linux();
}

/// Has cargo-lambda's linker, which is zig, link the function for the glibc of Amazon Linux 2023.
///
/// By itself it does so for an older one, whose threads and dynamic loading were libraries of their own: two more files
/// to find, to map and to relocate, a tenth of the start. cargo-lambda drops a second target among the arguments, but not
/// one in a file of arguments; the last target counts.
fn link_for_amazon_linux() {
    let setting = variable("TARGET").to_uppercase().replace('-', "_");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_{setting}_LINKER");
    let is_zig = env::var("RUSTC_LINKER").is_ok_and(|linker| linker.contains("zigcc"));
    if is_zig && variable("TARGET").ends_with("-linux-gnu") {
        let arguments = PathBuf::from(variable("OUT_DIR")).join("linker");
        let target = format!("{}-linux-gnu.2.34", variable("CARGO_CFG_TARGET_ARCH"));
        fs::write(&arguments, format!("-target {target}")).expect("a file of the build can be written");
        println!("cargo::rustc-link-arg-bin=handler=@{}", arguments.display());
    }
}

/// The sources of this build. Those of the command line are not part of the function, which need not be rebuilt for them.
fn sources() -> Vec<String> {
    let of_the_command_line = ["analysis", "campaign", "cli", "report"];
    let with_command_line = env::var_os("CARGO_FEATURE_CLI").is_some();
    let entries = fs::read_dir("src").expect("the sources are there");
    let names =
        entries.map(|entry| entry.expect("the sources can be listed").file_name().into_string().expect("ASCII"));
    let is_built = |name: &String| with_command_line || !of_the_command_line.contains(&name.trim_end_matches(".rs"));
    let sources = names.filter(is_built).map(|name| format!("src/{name}"));
    sources.chain(["build.rs", "Cargo.toml", "Cargo.lock"].map(str::to_owned)).collect()
}

/// The commit, with `-dirty` if `sources` differ from it; `unknown` outside a checkout.
fn revision(sources: &[String]) -> String {
    let Some(commit) = output("git", &["describe", "--always", "--abbrev=12"]) else { return "unknown".to_owned() };
    let unchanged = Command::new("git").args(["diff", "--quiet", "HEAD", "--"]).args(sources).status();
    if unchanged.is_ok_and(|it| it.success()) { commit } else { format!("{commit}-dirty") }
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
