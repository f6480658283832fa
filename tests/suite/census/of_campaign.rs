//! `duet run --census` as a process, against a fleet that is known.

use super::{
    fleet::{Answers, Fleet, State, VARIABLE},
    rounds, validate,
};
use crate::{
    campaign::{Scratch, assert_code, cold::signal, subcommand, wait_until},
    cli::{stderr, stdout},
};
use serde_json::{Value, json};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    process::{Command, Output},
};

/// Functions of the user's own, of which ten environments live on between two updates.
fn warm(fleet: &mut State) {
    fleet.answers = Answers::Own;
    fleet.warm = Some(10);
}

/// How many environments a block calls.
const OF_ONE: [&str; 2] = ["--environments", "1"];
const OF_TWO: [&str; 2] = ["--environments", "2"];

/// A campaign of ten blocks of two calls a variant, and a census of 50 environments.
fn campaign(scratch: &Scratch, fleet: &Fleet, arguments: &[&str]) -> Command {
    counting("50", scratch, fleet, &[&OF_TWO, arguments].concat())
}

fn counting(environments: &str, scratch: &Scratch, fleet: &Fleet, arguments: &[&str]) -> Command {
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let mut command = subcommand(&fleet.server.url, "run");
    command
        .args([
            "--targets",
            "lambda:x",
            "lambda:a",
            "--payload",
            &payload,
            "--environment",
            "/id",
            "--cpu-model",
            "/cpu",
        ])
        .args(["--invocations", "40", "--max-cost", "1", "--seed", "1", "--census", environments])
        .args(["--out", &out])
        .args(arguments);
    command
}

fn resumed(scratch: &Scratch, fleet: &Fleet) -> Output {
    subcommand(&fleet.server.url, "run").args(["--resume", &scratch.path("run")]).output().unwrap()
}

fn report(scratch: &Scratch, arguments: &[&str]) -> Output {
    subcommand("http://127.0.0.1:9", "report").arg(scratch.path("run")).args(arguments).output().unwrap()
}

fn lines(scratch: &Scratch, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(scratch.path(&format!("run/{name}"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The calls of the census, after the files were held to their schemas.
fn census(scratch: &Scratch) -> Vec<Value> {
    let manifest = fs::read_to_string(scratch.path("run/campaign.json")).unwrap();
    validate("campaign.schema.json", &serde_json::from_str(&manifest).unwrap());
    let rows = lines(scratch, "census.jsonl");
    rows.iter().for_each(|row| validate("census-row.schema.json", row));
    rows
}

#[test]
fn a_campaign_counts_while_it_measures_and_its_report_uses_that() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let before = fleet.functions();
    let output = campaign(&scratch, &fleet, &["--json"]).output().unwrap();
    assert_code(&output, 0);
    let message = stderr(&output);
    assert!(!message.contains("changed") && !message.contains("another revision"), "{message}");
    // Ten a round and variant, of which the first is one call.
    let rows = census(&scratch);
    assert_eq!((rounds(&rows, 0), rounds(&rows, 1)), (vec![1, 9, 10, 10, 10, 10], vec![1, 9, 10, 10, 10, 10]));
    assert_eq!((fleet.functions(), fleet.updates()), (before, 2 * (6 + 1)));
    assert!(!scratch.has("run/changed.json"));
    // Between two rounds calls are warm, but for the one environment that the first round has left out.
    let samples = lines(&scratch, "samples.jsonl");
    let cold = samples.iter().filter(|row| row["cold"] == true).count();
    assert_eq!((samples.len(), cold), (40, 2));
    let events: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_census = events.iter().filter(|event| event["event"] == "census").count();
    let end = events.last().unwrap();
    assert_eq!((of_census, &end["event"]), (12, &json!("end")));
    assert_eq!((&end["census"][1]["environments"], &end["census"][1]["calls"]), (&json!(50), &json!(50)));
    assert!(end["census"][1]["cost_usd"].as_f64() > Some(0.0));

    let analysis: Value = serde_json::from_str(&stdout(&report(&scratch, &["--format", "json"]))).unwrap();
    validate("report.schema.json", &analysis);
    assert_eq!(analysis["variants"][1]["census"], json!({"environments": 50, "rounds": 6, "has_drifted": false}));
    let headline = &analysis["comparisons"][0]["headline"];
    let width = |ratio: &Value| {
        let [low, high] = ["low", "high"].map(|end| ratio["interval"][end].as_f64().unwrap());
        high - low
    };
    let (with, without) = (width(&headline["ratio"]), width(&headline["without_census"]));
    assert!(with < without, "{with} {without}");
    // Each call met another environment, which the census had started.
    let warnings = analysis["comparisons"][0]["warnings"].to_string();
    assert!(!warnings.contains("implausible-environments"), "{warnings}");
    // There is one census.
    let output = report(&scratch, &["--census", "elsewhere"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("has taken a census of its own"), "{}", stderr(&output));
}

/// A campaign of twenty blocks of one call a variant that counts forty environments. Of the eight that a round counts the calls
/// meet four, and the other CPU of `a` is always among the rest.
fn campaign_that_misses_a_cpu(fleet: &mut State) {
    warm(fleet);
    fleet.warm = Some(8);
    fleet.has_other_cpu = |number| number.is_multiple_of(8);
}

/// Whether the report warns of CPU models that were not measured.
fn is_unmeasured(scratch: &Scratch) -> bool {
    let analysis: Value = serde_json::from_str(&stdout(&report(scratch, &["--format", "json"]))).unwrap();
    let warnings = analysis["comparisons"][0]["warnings"].as_array().unwrap();
    warnings.iter().any(|warning| warning["kind"] == "unmeasured-cpus")
}

#[test]
fn a_campaign_goes_on_until_each_frequent_cpu_is_measured() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(campaign_that_misses_a_cpu));
    let before = fleet.functions();
    // Environments that have started after the census.
    fleet.change(|fleet| {
        fleet.is_alone_from = 42;
        fleet.has_other_cpu = |number| number.is_multiple_of(8) || number > 43;
    });
    let output = counting("40", &scratch, &fleet, &OF_ONE).output().unwrap();
    assert_code(&output, 0);
    let message = stdout(&output) + &stderr(&output);
    assert!(
        message.contains(
            "too few environments were measured of CPU models that the census has counted: arm64 on Neoverse-N1 (12.2% of the fleet, 0 \
             measured). The campaign starts new environments until each has 2, or the rest are rare, with up to 40 calls more \
             than --invocations"
        ),
        "{message}"
    );
    // Four environments of `a` after the last round, each in two blocks, of which the last two have that CPU.
    assert!(message.contains("all calls are made (--invocations 40, and 12 more to measure"), "{message}");
    assert_eq!((census(&scratch).len(), lines(&scratch, "samples.jsonl").len()), (80, 52));
    assert_eq!((fleet.functions(), fleet.updates()), (before, 2 * (6 + 1) + 2 * 4));
    assert!(!is_unmeasured(&scratch));
    // There is nothing more to do.
    let output = resumed(&scratch, &fleet);
    assert_code(&output, 0);
    assert_eq!(lines(&scratch, "samples.jsonl").len(), 52);
}

#[test]
fn a_campaign_makes_at_most_twice_its_calls_to_measure_a_cpu() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(campaign_that_misses_a_cpu));
    // All calls after the census are cold starts.
    let output = counting("40", &scratch, &fleet, &OF_ONE).output().unwrap();
    assert_code(&output, 0);
    let message = stdout(&output) + &stderr(&output);
    assert!(message.contains("(--invocations 40, and 40 more to measure"), "{message}");
    assert_eq!(message.matches("too few environments were measured").count(), 1, "{message}");
    assert!(is_unmeasured(&scratch));
}

#[test]
fn after_a_kill_the_census_goes_on_with_what_is_missing() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let before = fleet.functions();
    // In the second round of the campaign: after 20 counted ones and two blocks.
    fleet.change(|fleet| fleet.hangs_after = Some(20 + 8 + 3));
    let mut process = campaign(&scratch, &fleet, &[]).spawn().unwrap();
    wait_until(|| fleet.payloads().len() == 20 + 8 + 10);
    wait_until(|| lines(&scratch, "census.jsonl").len() == 20 + 3);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(fleet.functions().iter().all(|function| function["Environment"]["Variables"].get(VARIABLE).is_some()));
    let mut file = OpenOptions::new().append(true).open(scratch.path("run/census.jsonl")).unwrap();
    file.write_all(b"{\"variant\":0,\"rou").unwrap();
    fleet.change(|fleet| fleet.hangs_after = None);
    let output = resumed(&scratch, &fleet);
    assert_code(&output, 0);
    let rows = census(&scratch);
    let counted = |variant: u64| {
        let mut names: Vec<&str> = rows
            .iter()
            .filter(|row| row["variant"] == variant)
            .map(|row| row["environment"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    };
    assert_eq!((counted(0), counted(1), lines(&scratch, "samples.jsonl").len()), (50, 50, 40));
    assert!(stderr(&output).contains("Complete: all calls are made (--invocations 40)"), "{}", stderr(&output));
    assert!(stderr(&output).contains("census of x86_64"), "{}", stderr(&output));
    assert_eq!(fleet.functions(), before);
    assert!(!scratch.has("run/changed.json"));
}

#[test]
fn ctrl_c_in_a_round_restores_both_functions() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let before = fleet.functions();
    fleet.change(|fleet| fleet.delay_ms = 500);
    let process = campaign(&scratch, &fleet, &[]).spawn().unwrap();
    wait_until(|| fleet.payloads().len() > 2);
    signal(&process, "INT");
    assert_code(&process.wait_with_output().unwrap(), 130);
    assert_eq!(fleet.functions(), before);
    assert_eq!((lines(&scratch, "samples.jsonl").len(), census(&scratch).len()), (0, fleet.payloads().len()));
}

#[test]
fn the_time_ends_a_census_between_two_rounds_of_calls() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let before = fleet.functions();
    fleet.change(|fleet| fleet.delay_ms = 400);
    let output = counting("5000", &scratch, &fleet, &[OF_TWO, ["--duration", "2s"]].concat()).output().unwrap();
    assert!(stderr(&output).contains("the time is over (--duration 2s)"), "{}", stderr(&output));
    assert!(fleet.payloads().len() < 200);
    assert_eq!(fleet.functions(), before);
}

#[test]
fn a_census_that_is_planned_for_an_interval_counts_what_makes_it_cheapest() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let auto = [&OF_TWO, ["--until-ci", "20%"].as_slice()].concat();
    let mut command = counting("auto", &scratch, &fleet, &auto);
    let plan = stdout(&command.arg("--dry-run").output().unwrap());
    for part in [
        "Census: with 8 environments of each variant measured and ",
        "intervals of ±20% are expected after 4 rounds, one before every 4th block; the other limits allow about 3 rounds. That is",
        "if 44% of a fleet have a CPU that takes 1.4 times as long as the other; and if",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let output = counting("auto", &scratch, &fleet, &auto).output().unwrap();
    assert_code(&output, 0);
    let (rows, samples) = (census(&scratch), lines(&scratch, "samples.jsonl"));
    assert!(stderr(&output).contains("Complete: "), "{}", stderr(&output));
    // Two of each variant in every block, and a round before every fourth one.
    let blocks = samples.len().div_ceil(4);
    assert!(rows.len() > 2 * blocks.div_ceil(4) && fleet.updates() >= 2 * blocks.div_ceil(4), "{}", rows.len());
}

#[test]
fn a_plan_says_what_is_counted_and_changed() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let plan = stdout(&campaign(&scratch, &fleet, &["--dry-run"]).output().unwrap());
    let expected = "Census: 50 environments of each variant in 5 rounds, spread over 10 blocks: $";
    assert!(plan.contains(expected) && plan.contains("that is undone at the end"), "{plan}");
    let more = "by the guess, and at most as many again to measure all frequent CPU models\n";
    assert!(plan.ends_with(more), "{plan}");
    assert_eq!((fleet.updates(), fleet.payloads().len()), (0, 0));
}

#[test]
fn a_census_that_a_campaign_cannot_take_is_refused_with_the_reason() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(warm));
    let file = scratch.file("payload.json", "{}");
    let own = ["--payload", &file];
    let with = |targets: [&'static str; 2], more: &[&'static str]| -> Vec<String> {
        let census: &[&str] = if more.contains(&"--census") { &[] } else { &["--census", "9"] };
        let all = [&["--targets"], targets.as_slice(), &own, census, more].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    const AUTO: [&str; 2] = ["--census", "auto"];
    const TOLD: [&str; 4] = ["--environment", "/id", "--cpu-model", "/cpu"];
    for (arguments, part) in [
        (with(["exec:/bin/true", "exec:/bin/true"], &TOLD), "has one CPU model: there is nothing to count"),
        (with(["lambda:x", "https://example.com/"], &TOLD), "name the function itself"),
        (with(["lambda:x:3", "lambda:a"], &TOLD), "name it without a qualifier"),
        (with(["lambda:x", "lambda:x"], &TOLD), "names lambda:x twice"),
        (with(["lambda:x", "lambda:a"], &["--environment", "/id"]), "--environment POINTER --cpu-model POINTER"),
        (
            with(["lambda:x", "lambda:a"], &[&TOLD, ["--cold"].as_slice()].concat()),
            "every call meets a new environment",
        ),
        (
            with(
                ["lambda:x", "lambda:a"],
                &[TOLD.as_slice(), &AUTO, ["--until-ci", "5%", "--census-rounds", "7"].as_slice()].concat(),
            ),
            "--census auto plans the rounds",
        ),
        (with(["lambda:x", "lambda:a"], &[&TOLD, AUTO.as_slice()].concat()), "add --until-ci PERCENT"),
        (
            with(["lambda:x", "lambda:a"], &[TOLD.as_slice(), &AUTO, &["--until-ci", "0.001%"]].concat()),
            "and a census has at most 100,000: take wider intervals",
        ),
        (
            with(
                ["lambda:x", "lambda:a"],
                &[TOLD.as_slice(), &AUTO, &["--until-ci", "1%", "--max-cost", "0.001"]].concat(),
            ),
            "raise it, or take wider intervals",
        ),
        (with(["lambda:x", "lambda:a"], &[&TOLD, ["--census", "0"].as_slice()].concat()), "auto, or a number from 1"),
        (with(["lambda:x", "lambda:a"], &[&TOLD, ["--census-rounds", "4"].as_slice()].concat()), "5..=100"),
        (
            with(["lambda:x", "lambda:a"], &[&TOLD, ["--max-cost", "0.00006"].as_slice()].concat()),
            "less than the census and one block",
        ),
    ] {
        let output = subcommand(&fleet.server.url, "run").args(arguments).output().unwrap();
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
    assert_eq!((fleet.updates(), fleet.payloads().len()), (0, 0));
}
