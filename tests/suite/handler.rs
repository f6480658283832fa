//! The deployed binary as a process that a test can talk to.

use crate::architectures::NATIVE;
use lambda_duet::{
    campaign::{
        local::LocalEnvironment,
        runtime_api::{FunctionError, InvocationResult},
    },
    protocol::{Architecture, Response},
    workload::Workload,
};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Long enough for any test on the slowest emulator.
pub const TIMEOUT: Duration = Duration::from_secs(900);

/// How long an answer is waited for after its deadline: what a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a `PutMetricData` call begins on the wire.
pub const PUT_METRIC_DATA: &str = "POST /service/GraniteServiceVersion20100801/operation/PutMetricData ";

/// The binary that `sam build` made for an architecture; it is what gets deployed. `make check`, which does not build
/// it, names another one for this machine.
pub fn bootstrap(architecture: Architecture) -> PathBuf {
    if architecture == NATIVE && quick_stands_in() { QUICK.into() } else { built(architecture, "build") }
}

/// Whether the quick build of the handler stands in for the deployable one.
fn quick_stands_in() -> bool {
    env::var_os("DUET_QUICK_HANDLER").is_some()
}

/// The handler as cargo builds it for the tests: quickly, and for any CPU of this machine's architecture.
pub const QUICK: &str = env!("CARGO_BIN_EXE_handler");

/// The CPU that [`bootstrap`]'s binary is compiled for.
pub fn target_cpu(architecture: Architecture) -> &'static str {
    match architecture {
        NATIVE if quick_stands_in() => "generic",
        Architecture::Arm64 => "neoverse-n1",
        Architecture::X86_64 => "haswell",
    }
}

fn built(architecture: Architecture, profile: &str) -> PathBuf {
    let function = match architecture {
        Architecture::Arm64 => "Arm64Function",
        Architecture::X86_64 => "X86Function",
    };
    let path = root().join(".aws-sam").join(profile).join(function).join("bootstrap");
    assert!(path.exists(), "{} is missing: run `make build` and `make build PROFILE=portable`", path.display());
    path
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An execution environment of the handler.
pub struct Handler {
    pub environment: LocalEnvironment,
    pub architecture: Architecture,
    log: Log,
}

/// A file for what the handler logs, gone with this.
struct Log(PathBuf);

impl Log {
    fn create() -> (Self, Stdio) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("handler-{}-{}.log", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let file = fs::File::create(&path).unwrap();
        (Self(path), file.into())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// An HTTP response as API Gateway would give it to the client.
#[derive(Debug)]
pub struct HttpAnswer {
    pub status: u64,
    pub headers: Value,
    pub body: Value,
}

impl Handler {
    pub async fn start(architecture: Architecture) -> Self {
        Self::start_with(architecture, [("METRICS_SINK", "none")]).await
    }

    pub async fn start_with(architecture: Architecture, variables: impl IntoIterator<Item = (&str, &str)>) -> Self {
        Self::start_binary(&bootstrap(architecture), architecture, variables).await
    }

    /// The quick build, of this architecture.
    pub async fn start_quick() -> Self {
        Self::start_binary(QUICK.as_ref(), NATIVE, [("METRICS_SINK", "none")]).await
    }

    /// The binary that `make build PROFILE=portable` made for an architecture.
    pub async fn start_portable(architecture: Architecture) -> Self {
        Self::start_binary(&built(architecture, "portable"), architecture, [("METRICS_SINK", "none")]).await
    }

    /// The binary of this machine's architecture, as a function of so much memory, and with no more address
    /// space than that.
    pub async fn start_limited(memory_mb: u64) -> Self {
        let (path, memory) = (bootstrap(Architecture::OF_BINARY), memory_mb.to_string());
        let variables = [
            ("METRICS_SINK", "none"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("LIMITED_MEMORY_MB", &memory),
            ("LIMITED_PROGRAM", path.to_str().expect("the project's path is UTF-8")),
        ];
        Self::start_binary(&root().join("tests/suite/limited.sh"), Architecture::OF_BINARY, variables).await
    }

    async fn start_binary(
        path: &Path,
        architecture: Architecture,
        variables: impl IntoIterator<Item = (&str, &str)>,
    ) -> Self {
        let (log, output) = Log::create();
        let mut environment = LocalEnvironment::start(path, variables, output).await.unwrap();
        environment.ready(TIMEOUT).await.unwrap();
        Self { environment, architecture, log }
    }

    /// What has been logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log.0).unwrap()
    }

    /// A direct invocation.
    pub async fn direct(&mut self, event: impl Into<String>) -> Result<Response, FunctionError> {
        let payload = self.outcome(event, TIMEOUT).await?;
        Ok(serde_json::from_slice(&payload).expect("the answer is a response"))
    }

    /// A request through API Gateway, made from a sample event.
    pub async fn http(&mut self, event: &Value) -> HttpAnswer {
        self.http_within(event, TIMEOUT).await
    }

    pub async fn http_within(&mut self, event: &Value, deadline: Duration) -> HttpAnswer {
        let Ok(payload) = self.outcome(event.to_string(), deadline).await else {
            panic!("an API Gateway event ended in a function error");
        };
        let proxy: Value = serde_json::from_slice(&payload).expect("the proxy response is JSON");
        HttpAnswer {
            status: proxy["statusCode"].as_u64().expect("a proxy response has a status"),
            headers: proxy["multiValueHeaders"].clone(),
            body: serde_json::from_str(proxy["body"].as_str().expect("a body is text")).expect("the body is JSON"),
        }
    }

    pub async fn outcome(&mut self, event: impl Into<String>, deadline: Duration) -> InvocationResult {
        let outcome = self.environment.invoke(event.into(), deadline, deadline + PATIENCE).await;
        outcome.expect("the handler stays alive and answers")
    }

    /// The outcome of an invocation, after its deadline has been held to by a clock.
    pub async fn outcome_in_time(
        &mut self,
        event: impl Into<String>,
        deadline: Duration,
        clock: Clock,
    ) -> InvocationResult {
        let (event, watch) = (event.into(), self.stopwatch());
        let outcome = self.outcome(&*event, deadline).await;
        let took = match clock {
            Clock::Wall => watch.begin.elapsed(),
            Clock::WithoutWaiting => watch.elapsed(),
        };
        assert!(took < deadline, "{event} on {}: {took:?} of {deadline:?}", self.architecture);
        outcome
    }

    /// A stopwatch that starts now.
    pub fn stopwatch(&self) -> Stopwatch {
        let process = self.environment.process_id().expect("the handler is alive");
        Stopwatch { process, begin: Instant::now(), waited: Stopwatch::waited(process) }
    }

    /// A POST of `body` to this architecture's benchmark.
    pub fn post(&self, body: &str) -> Value {
        let mut event = self.event("apigw-benchmark");
        event["body"] = body.into();
        event["isBase64Encoded"] = false.into();
        event
    }

    /// A sample event, turned to this architecture's routes.
    pub fn event(&self, name: &str) -> Value {
        let text = sample_event(name).replace("/arm64/", &format!("/{}/", self.architecture));
        serde_json::from_str(&text).expect("a sample event is JSON")
    }
}

/// What a deadline is held to.
#[derive(Clone, Copy)]
pub enum Clock {
    /// What Lambda holds it to. Only a machine that has nothing else to do keeps it by this clock.
    Wall,
    /// The wall clock, but for the time that a [`Stopwatch`] takes no notice of.
    WithoutWaiting,
}

/// Takes no notice of the time for which the handler, or the test that asks it, could have worked but waited for a
/// processor: a machine that is busy with something else is no fault of theirs.
pub struct Stopwatch {
    process: u32,
    begin: Instant,
    waited: Duration,
}

impl Stopwatch {
    pub fn elapsed(&self) -> Duration {
        let waited = Self::waited(self.process) - self.waited;
        self.begin.elapsed().saturating_sub(waited)
    }

    /// For how long both have waited so far.
    fn waited(process: u32) -> Duration {
        Self::in_run_queue(&process.to_string()) + Self::in_run_queue("thread-self")
    }

    /// What the kernel says of a task, where it keeps such records.
    fn in_run_queue(task: &str) -> Duration {
        let text = fs::read_to_string(format!("/proc/{task}/schedstat")).unwrap_or_default();
        Duration::from_nanos(text.split_whitespace().nth(1).map_or(0, |it| it.parse().expect("nanoseconds")))
    }
}

/// The text of `events/<name>.json`.
pub fn sample_event(name: &str) -> String {
    let path = root().join("events").join(name).with_extension("json");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Nearly the size up to which the function accepts a workload, as its refusal says: what is resident grows
/// by a little with each call, so a tenth is left free. Of a workload whose memory does not grow, every size.
pub async fn largest_size(handler: &mut Handler, workload: &Workload) -> u64 {
    if workload.memory == "constant" {
        return u64::MAX;
    }
    let request = format!(r#"{{"workloads":["{}"],"size":{}}}"#, workload.name, u64::MAX);
    let refusal = handler.direct(request).await.unwrap_err();
    assert_eq!(refusal.error_type, "InputTooLarge", "{}: {}", workload.name, refusal.error_message);
    let said = refusal.error_message.rsplit("the largest size that fits is ").next().unwrap();
    let largest: u64 = said.parse().unwrap_or_else(|_| panic!("{}", refusal.error_message));
    largest - largest / 10
}
