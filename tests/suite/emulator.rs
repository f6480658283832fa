//! The official Runtime Interface Emulator in place of our own Runtime API.

use crate::{
    architectures::on_both,
    campaign::{self, Scratch},
    handler::{bootstrap, root},
};
use lambda_duet::{
    campaign::{
        Auth, Target,
        caller::{CallOptions, Caller},
        row::{Failure, FailureKind},
    },
    protocol::{Architecture, Response},
};
use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

on_both!(the_official_emulator_gets_answers);

/// The emulator for this machine; it comes with the SAM CLI.
fn emulator() -> PathBuf {
    let machine = if env::consts::ARCH == "aarch64" { "arm64" } else { env::consts::ARCH };
    let libraries = root().join(".tools/sam/lib");
    let found = std::fs::read_dir(&libraries).ok().and_then(|mut entries| {
        entries.find_map(|entry| {
            let rapid = entry.ok()?.path().join("site-packages/samcli/local/rapid");
            Some(rapid.join(format!("aws-lambda-rie-{machine}"))).filter(|path| path.exists())
        })
    });
    found.unwrap_or_else(|| panic!("no emulator below {}: run `make build` first", libraries.display()))
}

/// Ends the emulator; the function below it ends when its Runtime API is gone.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn the_official_emulator_gets_answers(architecture: Architecture) {
    let port = free_port();
    let _emulator = Running(
        Command::new(emulator())
            .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
            .args(["--runtime-api-address", &format!("127.0.0.1:{}", free_port())])
            .arg(bootstrap(architecture))
            .env("METRICS_SINK", "none")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let target = Target::Endpoint { url: format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations") };
    let answer = answer(&target, r#"{"workloads":["sorting/radix","string/json"],"size":200,"iterations":2}"#).await;
    let response: Response = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!(response.function.architecture, architecture);
    assert_eq!(response.results.len(), 2);
    assert!(response.complete && response.environment.cold_start);

    let refusal = call(&target, r#"{"sise":1}"#).await.unwrap();
    assert!(refusal.contains(r#""errorType":"InvalidRequest""#), "{refusal}");
    campaign(&format!("http://127.0.0.1:{port}"));
}

/// A campaign on the emulator's function by direct invocation, both sides the same.
fn campaign(endpoint: &str) {
    let scratch = Scratch::new();
    let out = scratch.path("run");
    let arguments = [
        ["--targets", "lambda:function", "lambda:function", "--workload", "math/fft", "--size", "64"].as_slice(),
        // The emulator has one environment.
        &["--environments", "1", "--invocations", "6", "--out", &out],
    ]
    .concat();
    let output = campaign::command("", &arguments).env("AWS_ENDPOINT_URL_LAMBDA", endpoint).output().unwrap();
    campaign::assert_code(&output, 0);
    let (_, rows) = campaign::samples(&out);
    assert!(rows.len() == 6 && rows.iter().all(|row| row.response.is_some() && row.failure.is_none()));
}

/// The first answer, as soon as the emulator listens.
async fn answer(target: &Target, request: &'static str) -> String {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match call(target, request).await {
            Ok(answer) => return answer,
            Err(failure) if failure.kind == FailureKind::Network && Instant::now() < end => {
                sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn call(target: &Target, request: &'static str) -> Result<String, Failure> {
    Caller::from_settings(target, CallOptions::new(Auth::None)).await?.call_for_text(request).await
}
