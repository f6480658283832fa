//! The GitHub Action, run by its own steps; GitHub is scripted.

use crate::{
    campaign::Scratch,
    cli::stderr,
    handler::root,
    program::isolate,
    scripted::{Call, Reply, Scripted},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs,
    process::{Command, Output},
};

#[derive(Deserialize)]
struct Action {
    inputs: HashMap<String, Input>,
    outputs: HashMap<String, Expression>,
    runs: Runs,
}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    default: String,
}

#[derive(Deserialize)]
struct Expression {
    value: String,
}

#[derive(Deserialize)]
struct Runs {
    steps: Vec<Step>,
}

/// All keys that a step has: another one would need support here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    #[serde(default)]
    id: String,
    shell: String,
    #[serde(default)]
    env: HashMap<String, String>,
    run: String,
}

/// A runner with what GitHub gives a job of a pull request.
struct Runner {
    scratch: Scratch,
    api: String,
    inputs: HashMap<&'static str, String>,
    event: Value,
}

/// What a job has come to.
struct Job {
    /// The last step that ran.
    step: String,
    last: Output,
    outputs: HashMap<String, String>,
    summary: String,
}

impl Job {
    /// What the last step printed.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.last.stdout).into_owned() + &stderr(&self.last)
    }
}

impl Runner {
    /// With two targets at `target`, called four times each.
    fn new(target: &str, api: &str) -> Self {
        let scratch = Scratch::new();
        let payload = scratch.file("an order.json", r#"{"order": 1}"#);
        let inputs = HashMap::from([
            ("duet", env!("CARGO_BIN_EXE_duet").to_owned()),
            ("targets", format!("one={target}/one\n  two={target}/two\n")),
            ("arguments", format!("--no-auth --environments 1 --invocations 8 --payload '{payload}'")),
            ("directory", scratch.path("run")),
            ("github-token", "a-token".to_owned()),
        ]);
        Self { scratch, api: api.to_owned(), inputs, event: json!({"pull_request": {"number": 7}}) }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.inputs.insert(name, value.to_owned());
        self
    }

    /// The first line of its comment.
    fn mark(&self) -> String {
        format!("<!-- lambda-duet CI compare {} -->", self.inputs["directory"])
    }

    /// Runs the steps until one fails.
    fn run(&self) -> Job {
        let action: Action = serde_saphyr::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
        for name in self.inputs.keys() {
            assert!(action.inputs.contains_key(*name), "{name} is no input of the action");
        }
        let mut known: HashMap<String, String> = HashMap::from([("github.token".to_owned(), String::new())]);
        for (name, input) in &action.inputs {
            let value = self.inputs.get(name.as_str()).unwrap_or(&input.default);
            let value = evaluated(value, &known);
            known.insert(format!("inputs.{name}"), value);
        }
        let event = self.scratch.file("event.json", &self.event.to_string());
        let summary = self.scratch.file("summary.md", "");
        let mut path = std::env::var("PATH").unwrap();
        let mut last = None;
        for step in &action.runs.steps {
            assert_eq!(step.shell, "bash");
            let [outputs, paths] = ["outputs", "paths"].map(|name| self.scratch.file(name, ""));
            let output = isolate(&mut Command::new("bash"))
                .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &step.run])
                .current_dir(self.scratch.path(""))
                .envs(step.env.iter().map(|(name, text)| (name, evaluated(text, &known))))
                .env("PATH", &path)
                .env("RUNNER_TEMP", self.scratch.path(""))
                .env("GITHUB_ACTION_PATH", root())
                .env("GITHUB_OUTPUT", &outputs)
                .env("GITHUB_PATH", &paths)
                .env("GITHUB_STEP_SUMMARY", &summary)
                .env("GITHUB_EVENT_PATH", &event)
                .env("GITHUB_API_URL", &self.api)
                .env("GITHUB_REPOSITORY", "team/orders")
                .env("GITHUB_WORKFLOW", "CI")
                .env("GITHUB_JOB", "compare")
                .env("no_proxy", "*")
                .output()
                .unwrap();
            for line in fs::read_to_string(&outputs).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                known.insert(format!("steps.{}.outputs.{name}", step.id), value.to_owned());
            }
            for line in fs::read_to_string(&paths).unwrap().lines() {
                path = format!("{line}:{path}");
            }
            let is_over = !output.status.success();
            last = Some((step.name.clone(), output));
            if is_over {
                break;
            }
        }
        let (step, last) = last.unwrap();
        let outputs = action.outputs.into_iter().map(|(name, output)| (name, evaluated(&output.value, &known)));
        Job { step, last, outputs: outputs.collect(), summary: fs::read_to_string(summary).unwrap() }
    }
}

/// The text with each `${{ name }}` replaced; what is not known is empty, as GitHub has it.
fn evaluated(text: &str, known: &HashMap<String, String>) -> String {
    let mut parts = text.split("${{");
    let mut result = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap();
        result.push_str(known.get(name.trim()).map_or("", String::as_str));
        result.push_str(rest);
    }
    result
}

fn function() -> Scripted {
    Scripted::start(|_, _| Reply::ok(r#"{"total": 12}"#))
}

/// A GitHub whose pull request has these comments.
fn github(comments: Vec<Value>) -> Scripted {
    Scripted::start(move |call, _| match call.line.split_once(' ').unwrap() {
        ("GET", path) => {
            let page: usize = path.rsplit('=').next().unwrap().parse().unwrap();
            Reply::ok(json!(comments.chunks(100).nth(page - 1).unwrap_or_default()).to_string())
        }
        _ => Reply::ok(json!({"html_url": "https://github.example/team/orders/pull/7"}).to_string()),
    })
}

fn written(github: &Scripted) -> Vec<Call> {
    github.calls().into_iter().filter(|call| !call.line.starts_with("GET")).collect()
}

#[test]
fn a_gate_that_cannot_tell_fails_the_job_after_the_summary_and_the_comment() {
    let (target, github) = (function(), github(Vec::new()));
    let runner = Runner::new(&target.url, &github.url).with("gate", "--max-slowdown 5%").with("comment", "true");
    let job = runner.run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Decide", Some(7)), "{}", job.text());
    assert_eq!(job.text(), "::error::duet gate --max-slowdown 5%: inconclusive\n");
    assert_eq!(job.outputs["decision"], "inconclusive");
    assert_eq!(job.outputs["directory"], runner.scratch.path("run"));
    assert!(job.summary.contains("Withheld"), "{}", job.summary);
    assert!(job.summary.contains("two"), "{}", job.summary);
    assert_eq!(fs::read_to_string(&job.outputs["summary"]).unwrap(), job.summary);
    let comments = written(&github);
    assert_eq!(comments.len(), 1);
    assert_eq!(comments[0].line, "POST /repos/team/orders/issues/7/comments");
    assert_eq!(comments[0].headers["authorization"], "Bearer a-token");
    let body: Value = serde_json::from_str(&comments[0].body).unwrap();
    assert_eq!(body["body"], format!("{}\n{}", runner.mark(), job.summary));
}

#[test]
fn without_a_gate_a_complete_campaign_passes_and_nothing_is_sent_to_github() {
    let (target, github) = (function(), github(Vec::new()));
    let job = Runner::new(&target.url, &github.url).run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Decide", Some(0)), "{}", job.text());
    assert_eq!((job.outputs["decision"].as_str(), github.count()), ("", 0));
    assert!(job.summary.contains("two"), "{}", job.summary);
}

#[test]
fn an_earlier_comment_of_the_same_job_is_replaced() {
    let comment = |number: usize, body: &str| json!({"url": format!("PLACE/comments/{number}"), "body": body});
    let mut comments: Vec<Value> = (0..150).map(|number| comment(number, "<!-- lambda-duet CI other -->\n")).collect();
    comments[3]["body"] = Value::Null;
    // Quoted by a reader.
    comments[4]["body"] = json!("> <!-- lambda-duet CI compare -->\n");
    let (target, own) = (function(), function());
    let mut runner = Runner::new(&target.url, "").with("comment", "true");
    comments[120] = json!({"url": format!("{}/comments/120", own.url), "body": format!("{}\nold", runner.mark())});
    let github = github(comments);
    runner.api.clone_from(&github.url);
    let job = runner.run();
    // The address of a comment is the one that GitHub gives it.
    assert!(written(&github).is_empty(), "{}", job.text());
    assert_eq!(own.calls()[0].line, "PATCH /comments/120");
}

#[test]
fn a_comment_is_cut_where_github_would_refuse_it() {
    let (target, github) = (function(), github(Vec::new()));
    let names: String = (0..64)
        .map(|n| {
            format!(
                "a-rather-long-name-of-a-variant-of-a-function-of-a-team-that-likes-long-names-{n}={}/{n}\n",
                target.url
            )
        })
        .collect();
    let runner = Runner::new(&target.url, &github.url).with("targets", &names).with("comment", "true");
    // A summary of one more report for each variant would be too long for a comment.
    let arguments = runner.inputs["arguments"].replace("--invocations 8", "--invocations 128");
    let runner = runner.with("arguments", &arguments).with("report", "--details");
    let job = runner.run();
    let body: Value = serde_json::from_str(&written(&github)[0].body).unwrap();
    let body = body["body"].as_str().unwrap();
    assert!(job.summary.len() > 65_536, "{}", job.summary.len());
    assert!(body.chars().count() <= 65_536 && body.ends_with("\n\nThe rest is in the summary of the job.\n"));
}

#[test]
fn arguments_are_words_and_not_commands() {
    let (target, github) = (function(), github(Vec::new()));
    let runner = Runner::new(&target.url, &github.url);
    let arguments = format!("{} \\\n  --header 'x-note=a  b; $(touch escaped)'\n", runner.inputs["arguments"]);
    let runner = runner.with("arguments", &arguments);
    let job = runner.run();
    assert_eq!(job.last.status.code(), Some(0), "{}", job.text());
    assert!(target.calls().iter().all(|call| call.headers["x-note"] == "a  b; $(touch escaped)"));
    assert!(!runner.scratch.has("escaped"));
}

#[test]
fn what_goes_wrong_is_said() {
    let (target, github) = (function(), github(Vec::new()));

    let job = Runner::new(&target.url, &github.url).with("targets", " \n\n").run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Compare", Some(1)));
    assert!(job.text().contains("::error::targets: there are none"), "{}", job.text());

    let job = Runner::new(&target.url, &github.url).with("duet", "/nowhere/duet").run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Install duet", Some(1)));
    assert!(job.text().contains("::error::duet: there is no program at /nowhere/duet"), "{}", job.text());

    let job = Runner::new(&target.url, &github.url).with("arguments", "--no-such").run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Compare", Some(2)));
    assert!(job.text().contains("::error::duet run ended with exit code 2"), "{}", job.text());

    // Before anything is called.
    let before = target.count();
    for (input, text, message) in [
        ("gate", "--max-slowdown few", "::error::gate: error: invalid value 'few' for '--max-slowdown <PERCENT>'"),
        ("gate", "'--max-slowdown 5%", "::error::gate: its quotation marks are not in pairs"),
        ("report", "--monthly 50M", "::error::report: error: unexpected argument '--monthly' found"),
    ] {
        let job = Runner::new(&target.url, &github.url).with(input, text).run();
        assert_eq!(job.step, "Compare");
        assert!(!job.last.status.success() && job.text().contains(message), "{}", job.text());
    }
    assert_eq!(target.count(), before);

    let runner = Runner::new(&target.url, &github.url);
    runner.run();
    let job = runner.run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Compare", Some(1)));
    assert!(
        job.text().contains("has a campaign already; each use of this action needs one of its own"),
        "{}",
        job.text()
    );
    assert_eq!(job.outputs["decision"], "");

    let refusing = Scripted::start(|_, _| Reply::status(403, "{}"));
    let job = Runner::new(&target.url, &refusing.url).with("comment", "true").run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Comment", Some(1)));
    assert!(job.text().contains("give the job the permission pull-requests: write"), "{}", job.text());

    let mut runner = Runner::new(&target.url, &github.url).with("comment", "true");
    runner.event = json!({"ref": "refs/heads/main"});
    let job = runner.run();
    assert_eq!(job.last.status.code(), Some(0), "{}", job.text());
    assert!(written(&github).is_empty());
}

#[test]
fn a_function_that_always_fails_ends_the_job_after_its_summary() {
    let (target, github) = (Scripted::start(|_, _| Reply::status(500, "{}")), github(Vec::new()));
    let job = Runner::new(&target.url, &github.url).run();
    assert_eq!((job.step.as_str(), job.last.status.code()), ("Decide", Some(3)), "{}", job.text());
    assert!(!job.summary.is_empty());
}
