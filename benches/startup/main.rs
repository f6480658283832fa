//! From the start of the process to the first request for work: the handler beside a bare
//! `lambda_runtime` function, taken in turns in one run, and the size of both.
//!
//! Both are built by cargo-lambda with the same profile, as they would be deployed. `make bench`
//! runs this; aim: at most 1.15 times the bare function's start, at most 4 MB.

use lambda_duet::{campaign::local::LocalEnvironment, protocol::Architecture};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const WARM_UP: usize = 20;
const ROUNDS: usize = 300;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let (hello, handler) = (build(&HELLO, architecture), build(&HANDLER, architecture));
        let megabytes = |path: &Path| std::fs::metadata(path).expect("a binary").len() as f64 / 1e6;
        println!("{architecture}: size      hello {:.2} MB  handler {:.2} MB", megabytes(&hello), megabytes(&handler));
        if architecture == Architecture::OF_BINARY {
            runtime.block_on(compare_start(architecture, &hello, &handler));
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
    let directory = root.join("target/startup").join(architecture.as_str());
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

async fn compare_start(architecture: Architecture, hello: &Path, handler: &Path) {
    let (mut hello_times, mut handler_times) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let times = if round % 2 == 0 {
            let first = start(hello).await;
            (first, start(handler).await)
        } else {
            let first = start(handler).await;
            (start(hello).await, first)
        };
        if round >= WARM_UP {
            hello_times.push(times.0);
            handler_times.push(times.1);
        }
    }
    let mut ratios: Vec<f64> =
        hello_times.iter().zip(&handler_times).map(|(hello, handler)| handler.div_duration_f64(*hello)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let (hello, handler) = (median(hello_times), median(handler_times));
    println!(
        "{architecture}: start     hello {:.2} ms  handler {:.2} ms  (medians of {ROUNDS} starts)",
        hello.as_secs_f64() * 1e3,
        handler.as_secs_f64() * 1e3
    );
    let (low, high) = median_interval(&ratios);
    println!(
        "{architecture}: ratio     {:.3} of the medians; of the pairs: median {:.3}, 95% interval {low:.3}–{high:.3}",
        handler.div_duration_f64(hello),
        ratios[ratios.len() / 2],
    );
}

/// The time from spawning a binary until it asks for its first event.
async fn start(path: &Path) -> Duration {
    let start = Instant::now();
    let environment =
        LocalEnvironment::start(path, [("METRICS_SINK", "cloudwatch")], Stdio::null()).await.expect("it starts");
    environment.api().asked_for_work(1).await;
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The distribution-free 95% interval of the median: order statistics by the normal approximation
/// of the binomial distribution.
fn median_interval(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len() as f64;
    let half_width = 1.96 * n.sqrt() / 2.0;
    let at = |rank: f64| sorted[(rank as usize).clamp(1, sorted.len()) - 1];
    (at((n / 2.0 - half_width).floor()), at((n / 2.0 + half_width).ceil() + 1.0))
}
