//! From the start of the process to the first request for work: the handler beside a bare
//! `lambda_runtime` function, taken in turns in one run, and the size of both.
//!
//! Both are built by cargo-lambda with the same profile, as they would be deployed. Ratios are medians
//! with their 95% interval. `make bench` runs this; aim: at most 1.15 times the bare function's start,
//! at most 4 MB.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/statistics.rs"]
mod statistics;

use effort::rounds;
use lambda_duet::{campaign::local::LocalEnvironment, protocol::Architecture};
use statistics::Pairs;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};
use tokio::runtime::{Builder, Runtime};

const WARM_UP: usize = 20;
const ROUNDS: usize = 300;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let (hello, handler) = (build(&HELLO, architecture), build(&HANDLER, architecture));
        let megabytes = |path: &Path| std::fs::metadata(path).expect("a binary").len() as f64 / 1e6;
        println!("{architecture}: size      hello {:.2} MB  handler {:.2} MB", megabytes(&hello), megabytes(&handler));
        if architecture == Architecture::OF_BINARY {
            compare_start(&runtime, architecture, &hello, &handler);
        } else {
            println!("{architecture}: start     not timed, this machine would emulate it");
        }
    }
}

/// A function that is started and weighed.
struct Subject {
    manifest: &'static str,
    binary: &'static str,
}

const HELLO: Subject = Subject { manifest: "benches/startup/hello/Cargo.toml", binary: "bare-hello" };
const HANDLER: Subject = Subject { manifest: "Cargo.toml", binary: "handler" };

/// Builds a function as it would be deployed.
fn build(subject: &Subject, architecture: Architecture) -> PathBuf {
    let flag = match architecture {
        Architecture::Arm64 => "--arm64",
        Architecture::X86_64 => "--x86-64",
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = root.join("target/startup").join(architecture.to_string());
    let status = Command::new(env!("CARGO"))
        .args(["lambda", "build", "--release", flag, "--bin", subject.binary])
        .args(["--manifest-path", subject.manifest, "--lambda-dir"])
        .arg(&directory)
        .current_dir(root)
        .stdout(Stdio::null())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "cargo lambda cannot build {}; `make bench` installs it", subject.binary);
    directory.join(subject.binary).join("bootstrap")
}

fn compare_start(runtime: &Runtime, architecture: Architecture, hello: &Path, handler: &Path) {
    let time = |path| runtime.block_on(start(path));
    let in_turns = |rounds| Pairs::in_turns(rounds, || (), || time(handler), || time(hello));
    in_turns(rounds(WARM_UP));
    let pairs = in_turns(rounds(ROUNDS));
    let (handler, hello) = pairs.medians();
    println!(
        "{architecture}: start     hello {hello:.2} ms  handler {handler:.2} ms  (medians of {} starts)",
        rounds(ROUNDS)
    );
    println!("{architecture}: ratio     {:.3} of the medians; of the pairs {}", handler / hello, pairs.ratio());
}

/// The milliseconds from spawning a binary until it asks for its first event.
async fn start(path: &Path) -> f64 {
    let start = Instant::now();
    let environment =
        LocalEnvironment::start(path, [("METRICS_SINK", "cloudwatch")], Stdio::null()).await.expect("it starts");
    environment.api().asked_for_work(1).await;
    start.elapsed().as_secs_f64() * 1e3
}
