//! How many calls a second `duet run` makes and keeps, beside the load generator `oha`, which keeps none, on the same
//! server in one run; how much longer one of 16 variants takes than one of two; how much memory a campaign takes that
//! has ten times as many samples; and how late its calls are.
//!
//! The server answers at once. Both make the same number of calls over as many connections; the times are those of
//! the whole processes. `make bench BENCH=driver` runs this and installs `oha`; aims: at least 0.9 of its calls a
//! second, no more time for a call of 16 variants, and memory that does not grow with the samples.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/statistics.rs"]
mod statistics;

use effort::is_short;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use lambda_duet::campaign::run_directory;
use process::{Finished, finish};
use serde_json::Value;
use statistics::{Pairs, median};
use std::{
    convert::Infallible,
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

const CONNECTIONS: usize = 32;

const MANY_VARIANTS: usize = 16;
const ROUNDS: usize = 10;

/// Calls of each round, and of the two campaigns whose memory is compared.
const CALLS: usize = 64_000;
const SAMPLES: [usize; 2] = [100_000, 1_000_000];

fn main() {
    // Cargo runs benchmarks as tests too, where a round of few calls has to do.
    let (rounds, calls, samples) = if is_short() { (1, 640, [640, 6400]) } else { (ROUNDS, CALLS, SAMPLES) };
    let server = serve();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("driver");
    match env::var("OHA") {
        Err(_) => println!("OHA does not name a program: nothing to compare with"),
        Ok(oha) => {
            let pairs = Pairs::in_turns(
                rounds,
                || {},
                || campaign(&server, &directory, calls, 2).seconds,
                || load(&oha, &server, calls),
            );
            let (duet, oha) = pairs.medians();
            let rate = |seconds: f64| calls as f64 / seconds;
            println!("calls a second: duet {:.0}, oha {:.0}", rate(duet), rate(oha));
            println!("duet's time as a multiple of oha's: {} (aim: at most 1.11)", pairs.ratio());
        }
    }
    let pairs = Pairs::in_turns(
        rounds,
        || {},
        || campaign(&server, &directory, calls, MANY_VARIANTS).seconds,
        || campaign(&server, &directory, calls, 2).seconds,
    );
    println!("the time of {MANY_VARIANTS} variants as a multiple of that of two: {} (aim: at most 1)", pairs.ratio());
    let [few, many] = samples.map(|samples| {
        let Finished { seconds, peak_kib, .. } = campaign(&server, &directory, samples, 2);
        println!("{samples} samples: {seconds:.1} s, {:.1} MiB at most", peak_kib as f64 / 1024.0);
        peak_kib
    });
    println!("memory with ten times the samples: {:.3} (aim: 1)", many as f64 / few as f64);
    let manifest = run_directory::manifest(&directory).expect("a campaign");
    let rows = run_directory::rows(&directory, &manifest).expect("samples");
    let delays = median(rows.map(|row| row.expect("a sample").delay_ns as f64 / 1e6));
    println!(
        "calls are sent {delays:.3} ms later than their step begins, by the median, {CONNECTIONS} of them at once"
    );
}

/// A campaign of so many calls of so many variants, always as many of them at once.
fn campaign(server: &str, directory: &PathBuf, calls: usize, variants: usize) -> Finished {
    let _ = fs::remove_dir_all(directory);
    let payload = directory.with_extension("json");
    fs::write(&payload, "{}").expect("a payload");
    let process = Command::new(env!("CARGO_BIN_EXE_duet"))
        .args(["run", "--no-auth", "--environments", &(2 * CONNECTIONS / variants).to_string(), "--targets"])
        .args(vec![server; variants])
        .args(["--invocations", &calls.to_string(), "--duration", "1h", "--max-cost", "1000", "--payload"])
        .arg(&payload)
        .arg("--out")
        .arg(directory)
        .stderr(Stdio::null())
        .spawn()
        .expect("duet starts");
    finish(process)
}

/// The seconds that `oha` takes for so many calls, all of which succeed.
fn load(oha: &str, server: &str, calls: usize) -> f64 {
    let begin = Instant::now();
    let output = Command::new(oha)
        .args(["--no-tui", "--output-format", "json", "-n", &calls.to_string(), "-c", &CONNECTIONS.to_string()])
        .args(["-m", "POST", "-T", "application/json", "-d", "{}", server])
        .output()
        .expect("oha starts");
    let seconds = begin.elapsed().as_secs_f64();
    assert!(output.status.success(), "oha: {}", output.status);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["statusCodeDistribution"]["200"], calls, "{report}");
    seconds
}

/// A server that answers at once, in a thread of its own.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("a socket");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
            }
        });
    });
    url
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // A caller that goes away does not wait for the answer.
    let _ = request.into_body().collect().await;
    Ok(Response::new(Full::new(Bytes::from_static(b"{}"))))
}
