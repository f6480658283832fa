//! `duet census` as a process, against a fleet that is known.

mod fleet;
mod of_campaign;

use crate::{
    campaign::{Scratch, assert_code, cold::signal, subcommand, wait_until},
    cli::{stderr, stdout},
    handler::root,
};
use fleet::{Answers, Fleet, VARIABLE};
use serde_json::{Value, json};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    process::{Command, Output},
};

fn census(scratch: &Scratch, fleet: &Fleet, arguments: &[&str]) -> Command {
    let mut command = subcommand(&fleet.server.url, "census");
    command.args(["--out", &scratch.path("run")]).args(arguments);
    command
}

fn resumed(scratch: &Scratch, fleet: &Fleet, arguments: &[&str]) -> Output {
    let mut command = subcommand(&fleet.server.url, "census");
    command.args(["--resume", &scratch.path("run")]).args(arguments).output().unwrap()
}

const BOTH: [&str; 3] = ["--targets", "lambda:x", "lambda:a"];

fn validate(schema: &str, value: &Value) {
    let schema = fs::read_to_string(root().join("docs/schema").join(schema)).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    schema.validate(value).unwrap_or_else(|error| panic!("{error} at {}: {value}", error.instance_path()));
}

/// The rows of the run directory, after both files were held to their schemas.
fn rows(scratch: &Scratch) -> Vec<Value> {
    let read = |name: &str| fs::read_to_string(scratch.path(&format!("run/{name}"))).unwrap();
    validate("census.schema.json", &serde_json::from_str(&read("census.json")).unwrap());
    let rows: Vec<Value> = read("census.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.iter().for_each(|row| validate("census-row.schema.json", row));
    rows
}

/// What `--json` prints.
fn outcome(output: &Output) -> Value {
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)));
    validate("census-outcome.schema.json", &outcome);
    outcome
}

/// How many calls each round of a variant had.
fn rounds(rows: &[Value], variant: u64) -> Vec<usize> {
    let numbers: Vec<u64> =
        rows.iter().filter(|row| row["variant"] == variant).map(|row| row["round"].as_u64().unwrap()).collect();
    (1..=numbers.iter().copied().max().unwrap_or(0))
        .map(|round| numbers.iter().filter(|it| **it == round).count())
        .collect()
}

#[test]
fn every_environment_is_counted_once_with_its_cpu() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
    let before = fleet.functions();
    let arguments = [&BOTH, ["--environments", "20", "--json"].as_slice()].concat();
    let output = census(&scratch, &fleet, &arguments).output().unwrap();
    assert_code(&output, 0);
    let outcome = outcome(&output);
    assert_eq!(outcome["reason"], "over");
    let [x, a] = &*outcome["variants"].as_array().unwrap().clone() else { panic!("{outcome}") };
    let models = |variant: &Value| -> Vec<(String, u64)> {
        let cpus = variant["cpus"].as_array().unwrap().iter();
        cpus.map(|cpu| (cpu["model"].as_str().unwrap().to_owned(), cpu["environments"].as_u64().unwrap())).collect()
    };
    assert_eq!(models(x), [("Intel(R) Xeon(R) Processor @ 2.50GHz".to_owned(), 20)]);
    assert_eq!(models(a), [("Neoverse-V2".to_owned(), 15), ("Neoverse-N1".to_owned(), 5)]);
    assert_eq!(
        (&a["architecture"], &a["region"], &a["end"]),
        (&json!("arm64"), &json!("us-east-1"), &json!("counted"))
    );
    let proportion = &a["cpus"][1]["proportion"];
    assert_eq!(proportion["estimate"], 0.25);
    // By Wilson (1927) for 5 of 20.
    let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-4;
    assert!(close(&proportion["low"], 0.1119) && close(&proportion["high"], 0.4687), "{proportion}");
    assert!(close(&a["unseen"], 1.0 - 0.05_f64.powf(1.0 / 20.0)));
    // Half of the 20 that are free, after one call that tells whether it is the service at all.
    let rows = rows(&scratch);
    assert_eq!((rounds(&rows, 0), rounds(&rows, 1)), (vec![1, 10, 9], vec![1, 10, 9]));
    assert!(rows.iter().all(|row| row["cold"] == true && row["failure"].is_null()));
    assert_eq!(fleet.functions(), before);
    assert_eq!(fleet.updates(), 2 * (3 + 1));
    assert!(fleet.payloads().iter().all(|payload| payload == r#"{"hold_ms":1500,"emit_metrics":false}"#));
    assert!(!scratch.has("run/changed.json"));
}

#[test]
fn rounds_alternate_between_variants_in_an_order_of_the_seed() {
    let order = |seed: &str| {
        let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
        let arguments = [&BOTH, ["--environments", "12", "--concurrency", "2", "--seed", seed].as_slice()].concat();
        stdout(&census(&scratch, &fleet, &arguments).output().unwrap());
        let rows = rows(&scratch);
        let mut visits: Vec<(u64, u64)> =
            rows.iter().map(|row| (row["round"].as_u64().unwrap(), row["variant"].as_u64().unwrap())).collect();
        visits.dedup();
        visits
    };
    let one = order("1");
    assert_eq!((one.len(), &one), (14, &order("1")));
    assert!(
        one.chunks(2).zip(1..).all(|(pair, round)| pair[0].0 == round && pair[1].0 == round && pair[0].1 != pair[1].1)
    );
    assert!(["2", "3", "4"].iter().any(|seed| order(seed) != one));
}

#[test]
fn the_table_says_what_was_found_what_may_be_unseen_and_what_it_cost() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
    let arguments = ["--targets", "graviton=lambda:a", "--environments", "20"];
    let table = stdout(&census(&scratch, &fleet, &arguments).output().unwrap());
    for part in [
        "graviton   Neoverse-V2             15            75% (53% to 89%)",
        "           Neoverse-N1              5            25% (11% to 47%)",
        "graviton: 20 environments (20 calls in 3 rounds, $0.00074); a model that was not seen has at most\n14% of the fleet",
        "The census of 20",
        "Z cost $0.00074 and took ",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn throttled_rounds_become_smaller_and_their_calls_are_made_again() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.most_at_once = 6));
    let arguments = ["--targets", "lambda:a", "--environments", "20", "--json"];
    let output = census(&scratch, &fleet, &arguments).output().unwrap();
    assert_code(&output, 0);
    let outcome = outcome(&output);
    let a = &outcome["variants"][0];
    assert_eq!((&a["environments"], &a["throttled"], &a["failed"]), (&json!(20), &json!(4), &json!(0)));
    // Four of ten were throttled; from then on five.
    assert_eq!(rounds(&rows(&scratch), 0), [1, 10, 5, 5, 3]);
}

#[test]
fn reserved_concurrency_counts_where_there_is_some() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.reserved = Some(8)));
    stdout(&census(&scratch, &fleet, &["--targets", "lambda:a", "--environments", "9"]).output().unwrap());
    assert_eq!(rounds(&rows(&scratch), 0), [1, 4, 4]);
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.reserved = Some(0)));
    let output = census(&scratch, &fleet, &["--targets", "lambda:a"]).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("its reserved concurrency is 0"), "{}", stderr(&output));
    assert_eq!((fleet.updates(), fleet.payloads().len()), (0, 0));
}

#[test]
fn concurrency_that_may_not_be_read_is_a_warning_and_small_rounds() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.is_limit_denied = true));
    let output = census(&scratch, &fleet, &["--targets", "lambda:a", "--environments", "8"]).output().unwrap();
    assert_code(&output, 0);
    let warning = stderr(&output);
    assert!(
        warning.contains("lambda:GetAccountSettings") && warning.contains("rounds of the census have 5 calls"),
        "{warning}"
    );
    assert_eq!(rounds(&rows(&scratch), 0), [1, 5, 2]);
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.is_limit_denied = true));
    let arguments = ["--targets", "lambda:a", "--environments", "8", "--concurrency", "7"];
    let output = census(&scratch, &fleet, &arguments).output().unwrap();
    assert!(!stderr(&output).contains("Warning"), "{}", stderr(&output));
    assert_eq!(rounds(&rows(&scratch), 0), [1, 7]);
}

#[test]
fn functions_that_do_not_hold_take_more_calls_until_nothing_new_comes() {
    let payload = r#"{"order": 1}"#;
    let own = |scratch: &Scratch, fleet: &Fleet, environments: &str| {
        let file = scratch.file("payload.json", payload);
        let arguments = [
            ["--targets", "lambda:a", "--payload", &file, "--environment", "/id", "--cpu-model", "/cpu"].as_slice(),
            &["--environments", environments, "--json"],
        ]
        .concat();
        census(scratch, fleet, &arguments).output().unwrap()
    };
    let answers = |fleet: &mut fleet::State| {
        fleet.answers = Answers::Own;
        fleet.calls_of_environment = 2;
    };
    let (scratch, fleet) = (Scratch::new(), Fleet::start(answers));
    let found = outcome(&own(&scratch, &fleet, "12"));
    let a = &found["variants"][0];
    assert_eq!((&a["environments"], &a["end"]), (&json!(12), &json!("counted")));
    assert!(a["calls"].as_u64().unwrap() > 12 && fleet.payloads().iter().all(|sent| sent == payload));
    // A fleet of three.
    let few = move |fleet: &mut fleet::State| {
        answers(fleet);
        fleet.environments_in_all = Some(3);
    };
    let (scratch, fleet) = (Scratch::new(), Fleet::start(few));
    let output = own(&scratch, &fleet, "12");
    assert_code(&output, 0);
    let found = outcome(&output);
    let a = &found["variants"][0];
    assert_eq!((&a["environments"], &a["end"], &a["failure"]), (&json!(3), &json!("fruitless"), &Value::Null));
}

#[test]
fn answers_that_tell_nothing_end_the_census_after_three_calls_with_the_fix() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.answers = Answers::Own));
    let before = fleet.functions();
    let output = census(&scratch, &fleet, &["--targets", "lambda:a"]).output().unwrap();
    assert_code(&output, 3);
    let message = stderr(&output);
    for part in
        ["no answer of the benchmark service", "--environment POINTER --cpu-model POINTER", "`duet try --census`"]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!((fleet.payloads().len(), fleet.functions()), (3, before));
    assert!(rows(&scratch).iter().all(|row| row["failure"]["kind"] == "answer"));

    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.answers = Answers::EarlierService));
    let output = census(&scratch, &fleet, &["--targets", "lambda:a"]).output().unwrap();
    assert_code(&output, 3);
    assert!(stderr(&output).contains("of an earlier version: deploy it anew"), "{}", stderr(&output));

    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.answers = Answers::Own));
    let file = scratch.file("payload.json", "{}");
    let arguments = ["--targets", "lambda:a", "--payload", &file, "--environment", "/id", "--cpu-model", "/host/cpu"];
    let output = census(&scratch, &fleet, &arguments).output().unwrap();
    assert_code(&output, 3);
    let message = stderr(&output);
    assert!(message.contains("--cpu-model /host/cpu finds no name in the answer; did you mean /cpu?"), "{message}");
}

#[test]
fn the_limit_of_costs_ends_it() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
    let arguments = ["--targets", "lambda:a", "--environments", "1000", "--max-cost", "0.0005", "--json"];
    let output = census(&scratch, &fleet, &arguments).output().unwrap();
    assert_code(&output, 0);
    let (found, message) = (outcome(&output), stderr(&output));
    assert!(message.contains("ends the census at about 13 environments"), "{message}");
    assert!(message.contains("the next call might pass --max-cost $0.0005"), "{message}");
    let (cost, count) = (found["cost_usd"].as_f64().unwrap(), found["variants"][0]["environments"].as_u64().unwrap());
    assert_eq!((&found["reason"], &found["variants"][0]["end"]), (&json!("max-cost"), &json!("open")));
    assert!(cost <= 0.0005 && count >= 12, "{cost} for {count}");
    let arguments = ["--targets", "lambda:a", "--max-cost", "0.00001"];
    let output = census(&Scratch::new(), &fleet, &arguments).output().unwrap();
    assert_code(&output, 2);
    assert!(stderr(&output).contains("allows no call of each function"), "{}", stderr(&output));
}

#[test]
fn after_a_kill_it_goes_on_where_it_stopped() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.hangs_after = Some(11)));
    let before = fleet.functions();
    let arguments = ["--targets", "lambda:a", "--environments", "20"];
    let mut process = census(&scratch, &fleet, &arguments).spawn().unwrap();
    wait_until(|| fleet.payloads().len() == 20);
    wait_until(|| rows(&scratch).len() == 11);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(fleet.functions()[1]["Environment"]["Variables"].get(VARIABLE).is_some());
    assert!(scratch.has("run/changed.json"));
    // What a crash may leave of a line.
    let mut file = OpenOptions::new().append(true).open(scratch.path("run/census.jsonl")).unwrap();
    file.write_all(b"{\"variant\":0,\"rou").unwrap();
    fleet.change(|fleet| fleet.hangs_after = None);
    let output = resumed(&scratch, &fleet, &["--json"]);
    assert_code(&output, 0);
    let found = outcome(&output);
    assert_eq!((&found["variants"][0]["environments"], &found["variants"][0]["calls"]), (&json!(20), &json!(20)));
    assert_eq!(rounds(&rows(&scratch), 0), [1, 10, 9]);
    assert_eq!(fleet.functions(), before);
    assert!(!scratch.has("run/changed.json"));
    // It is over, and stays so.
    assert_code(&resumed(&scratch, &fleet, &[]), 0);
    assert_eq!(rows(&scratch).len(), 20);
}

#[test]
fn clean_up_restores_what_a_killed_census_has_left() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.hangs_after = Some(1)));
    let before = fleet.functions();
    let mut process = census(&scratch, &fleet, &["--targets", "lambda:a", "--environments", "20"]).spawn().unwrap();
    wait_until(|| fleet.payloads().len() > 1);
    process.kill().unwrap();
    process.wait().unwrap();
    assert_ne!(fleet.functions(), before);
    let output = subcommand(&fleet.server.url, "clean-up").arg(scratch.path("run")).output().unwrap();
    assert_eq!(stdout(&output), "lambda:a is changed back\n");
    assert_eq!(fleet.functions(), before);
    assert!(!scratch.has("run/changed.json"));
}

#[test]
fn ctrl_c_waits_for_the_calls_under_way_and_restores_the_function() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.delay_ms = 600));
    let before = fleet.functions();
    let arguments = ["--targets", "lambda:a", "--environments", "20", "--json"];
    let process = census(&scratch, &fleet, &arguments).spawn().unwrap();
    wait_until(|| fleet.payloads().len() == 11);
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let found = outcome(&output);
    assert_eq!((&found["reason"], &found["variants"][0]["environments"]), (&json!("interrupted"), &json!(11)));
    assert!(stderr(&output).contains("duet census --resume"), "{}", stderr(&output));
    assert_eq!((rows(&scratch).len(), fleet.functions()), (11, before));
    fleet.change(|fleet| fleet.delay_ms = 0);
    assert_code(&resumed(&scratch, &fleet, &[]), 0);
    assert_eq!(rounds(&rows(&scratch), 0), [1, 10, 9]);
}

#[test]
fn a_change_that_is_refused_ends_it_and_what_was_changed_before_is_restored() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|fleet| fleet.refused_update = Some(2)));
    let before = fleet.functions();
    let output = census(&scratch, &fleet, &["--targets", "lambda:a", "--environments", "20"]).output().unwrap();
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("not now") && message.contains("duet census --resume"), "{message}");
    assert_eq!((rows(&scratch).len(), fleet.functions()), (1, before));
    assert!(!scratch.has("run/changed.json"));
}

#[test]
fn a_dry_run_calls_nothing_and_changes_nothing() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
    let text = stdout(&census(&scratch, &fleet, &["--targets", "lambda:a", "--dry-run"]).output().unwrap());
    for part in ["rounds of 10 calls at most", "1,000 environments of each variant", "held for 1.5 s", "ends at $1.00"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((fleet.updates(), fleet.payloads().len(), scratch.has("run")), (0, 0, false));
}

#[test]
fn what_cannot_be_counted_is_refused_with_the_reason() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
    let file = scratch.file("payload.json", "{}");
    for (arguments, part) in [
        (&["--targets", "exec:/bin/true"][..], "runs on this machine, which has one CPU model"),
        (&["--targets", "https://example.com/"], "name the function itself: lambda:NAME"),
        (&["--targets", "lambda:a:3"], "name it without a qualifier"),
        (&["--targets", "lambda:a", "lambda:a"], "names lambda:a twice"),
        (&["--targets", "lambda:a", "--hold", "61s"], "60s is the most"),
        (&["--targets", "lambda:a", "--payload", &file, "--environment", "/id"], "--cpu-model <POINTER>"),
        (&["--targets", "lambda:a", "--environment", "/id"], "--payload <FILE>"),
        (&["--targets", "lambda:a", "--environments", "0"], "1..=100000"),
        (&["--targets", "lambda:a", "--resume", "x"], "cannot be used with"),
    ] {
        let mut command = subcommand(&fleet.server.url, "census");
        let output = command.args(arguments).output().unwrap();
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
    assert_eq!((fleet.updates(), fleet.payloads().len()), (0, 0));
}

#[test]
fn a_run_directory_has_one_census() {
    let (scratch, fleet) = (Scratch::new(), Fleet::start(|_| {}));
    let arguments = ["--targets", "lambda:a", "--environments", "2"];
    stdout(&census(&scratch, &fleet, &arguments).output().unwrap());
    let output = census(&scratch, &fleet, &arguments).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("continue it with `duet census --resume"), "{}", stderr(&output));
    let output = resumed(&Scratch::new(), &fleet, &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("there is no census in"), "{}", stderr(&output));
}
