//! `duet import` as a process.

mod reports;

use crate::{
    campaign::{Scratch, assert_code, samples},
    cli::{duet, stderr, stdout},
    fabricated::Fabricated,
    handler::root,
    program,
};
use lambda_duet::campaign::row::Row;
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

/// The options that README has for the example.
const COLD_STARTS: [&str; 12] = [
    "import",
    "examples/cold-starts.csv",
    "--variant",
    "architecture",
    "--cell",
    "runtime,memory_mb",
    "--value",
    "init_ms",
    "--measure",
    "init",
    "--block",
    "date",
];

/// Imports a table of a few rows into the directory `run`.
fn import(scratch: &Scratch, file: &str, options: &[&str]) -> Output {
    let out = scratch.path("run");
    duet(&[&["import", file, "--out", &out], options].concat())
}

fn pair(directory: &str) -> Value {
    let analysis: Value = serde_json::from_str(&stdout(&duet(&["report", directory, "--format", "json"]))).unwrap();
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(root().join("docs/schema/report.schema.json")).unwrap()).unwrap();
    jsonschema::validate(&schema, &analysis).unwrap_or_else(|error| panic!("{error}"));
    analysis["comparisons"][0].clone()
}

/// A ratio and its interval.
fn ratio(comparison: &Value) -> [f64; 3] {
    let ratio = &comparison["ratio"];
    [&ratio["estimate"], &ratio["interval"]["low"], &ratio["interval"]["high"]].map(|number| number.as_f64().unwrap())
}

#[test]
fn real_cold_starts_come_out_as_they_were_estimated_elsewhere() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    let printed = stdout(&duet(&[&COLD_STARTS[..], &["--out", &run]].concat()));
    assert!(printed.starts_with("Imported 19,437 measurements of arm64 and x86_64 into "), "{printed}");
    assert!(printed.contains("in 82 blocks and 12 cells; the baseline is x86_64."), "{printed}");
    let (manifest, rows) = samples(&run);
    assert_eq!((manifest.plan.cold, rows.len()), (true, 19_437));
    let pair = pair(&run);
    let of_cell = |name: &str| {
        let cell = pair["cells"].as_array().unwrap().iter().find(|cell| cell["name"] == name).unwrap();
        ratio(&cell["comparisons"][0])
    };
    let is_near = |found: f64, expected: f64| assert!((found - expected).abs() <= 0.002, "{found} is not {expected}");
    for (cell, expected) in [
        ("rust-1024", 0.818),
        ("go-1024", 0.807),
        ("python3.13-1024", 0.867),
        ("nodejs22-1024", 0.852),
        ("java21-1024", 0.933),
        ("dotnet8-1024", 1.091),
    ] {
        is_near(of_cell(cell)[0], expected);
    }
    for (cell, low, high) in [("rust-1024", 0.798, 0.839), ("dotnet8-1024", 1.065, 1.117)] {
        let [_, found_low, found_high] = of_cell(cell);
        is_near(found_low, low);
        is_near(found_high, high);
    }
    let elapsed_s = pair["cells"][0]["series"].as_array().unwrap().last().unwrap()["elapsed_s"].as_f64().unwrap();
    assert_eq!(elapsed_s, 119.0 * 86_400.0);
}

#[test]
fn a_report_says_that_it_is_of_an_import_and_once_what_it_does_not_know() {
    let scratch = Scratch::new();
    let (run, page) = (scratch.path("run"), scratch.path("page.html"));
    stdout(&duet(&[&COLD_STARTS[..], &["--out", &run]].concat()));
    let report = stdout(&duet(&["report", &run, "--details", "--html", &page]));
    let in_one_line = report.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "time to start than x86_64",
        "from examples/cold-starts.csv by Lambda Duet",
        "19,437 measurements of init_ms (init duration, in ms) in 82 blocks over 120 days.",
        "Not known: what calls cost, which failed, CPU models and the order within a block.",
    ] {
        assert!(in_one_line.contains(part), "{part} is not in\n{report}");
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("init_ms (init duration, in ms)") && page.matches("Not known: ").count() == 1);
    for text in [&report, &page] {
        for part in ["seed", "environments a side", "no-bill", "No bill", "CPU unknown", "drift meets both sides"] {
            assert!(!text.contains(part), "{part} is in\n{text}");
        }
    }
}

/// What a campaign measured, as a table that another program might have written.
fn table(rows: &[Row], names: &[&str]) -> String {
    let mut table = "side,payload,host,round,ms\n".to_owned();
    for row in rows.iter().filter(|row| row.cold == Some(false)) {
        let results = &row.response.as_ref().unwrap().results;
        let times: Vec<f64> = results.iter().flat_map(|sample| sample.wall_ns.iter().copied()).collect();
        let mean_ms = (times.iter().map(|ns| ns.ln()).sum::<f64>() / times.len() as f64).exp() / 1e6;
        let (side, host) = (names[row.variant.get()], row.environment().unwrap());
        table += &format!("{side},{},{host},{},{mean_ms}\n", row.cell, row.block);
    }
    table
}

const OF_TABLE: [&str; 12] = [
    "--variant",
    "side",
    "--cell",
    "payload",
    "--environment",
    "host",
    "--block",
    "round",
    "--value",
    "ms",
    "--baseline",
    "x86_64",
];

#[test]
fn importing_what_a_campaign_measured_gives_its_ratios_in_any_order_of_rows() {
    let scratch = Scratch::new();
    let campaign = scratch.path("campaign");
    let cells = vec![("string/json", 0.8), ("math/fft", 1.1)];
    Fabricated { cells, disturbed: 0.01, calls: 8, ..Fabricated::default() }.write(&campaign);
    let (manifest, rows) = samples(&campaign);
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    let table = table(&rows, &names);
    let (header, body) = table.split_once('\n').unwrap();
    let mut reversed: Vec<&str> = body.lines().rev().collect();
    reversed.rotate_left(body.lines().count() / 3);
    let unsorted = format!("{header}\n{}\n", reversed.join("\n"));
    let objects: String = body
        .lines()
        .map(|line| {
            let values = header.split(',').zip(line.split(',')).map(|(name, value)| (name.to_owned(), value.into()));
            Value::Object(values.collect()).to_string() + "\n"
        })
        .collect();
    let expected = pair(&campaign);
    for (name, text) in [("sorted.csv", table.as_str()), ("unsorted.csv", &unsorted), ("objects.jsonl", &objects)] {
        let file = scratch.file(name, text);
        stdout(&import(&scratch, &file, &OF_TABLE));
        let found = pair(&scratch.path("run"));
        let cell = |pair: &Value, place: usize| ratio(&pair["cells"][place]["comparisons"][0]);
        let numbers = |pair: &Value, cells: [usize; 2]| {
            [cells.map(|place| cell(pair, place)).as_slice(), &[ratio(&pair["headline"])]].concat().concat()
        };
        // Cells are in the order of their first appearance.
        let is_turned = found["cells"][0]["name"] != expected["cells"][0]["name"];
        let found = numbers(&found, if is_turned { [1, 0] } else { [0, 1] });
        for (found, expected) in found.into_iter().zip(numbers(&expected, [0, 1])) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{name}: {found} is not {expected}");
        }
        fs::remove_dir_all(scratch.path("run")).unwrap();
    }
}

#[test]
fn every_subcommand_that_reads_a_campaign_takes_an_import_and_none_continues_it() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    stdout(&duet(&[&COLD_STARTS[..], &["--out", &run, "--json"]].concat()));
    assert_code(&duet(&["gate", &run, "--max-slowdown", "5%"]), 6);
    assert_code(&duet(&["gate", &run, "--baseline", &run, "--max-slowdown", "50%"]), 0);
    assert!(stdout(&duet(&["compare", &run, &run])).contains("rust-1024"));
    assert!(stdout(&duet(&["clean-up", &run])).contains("changed"));
    let resumed = duet(&["run", "--resume", &run]);
    assert_code(&resumed, 1);
    assert!(stderr(&resumed).contains("there is nothing to continue in"), "{}", stderr(&resumed));
    let collected = duet(&["collect", &run]);
    assert_code(&collected, 1);
    assert!(stderr(&collected).contains("there is nothing to collect in"), "{}", stderr(&collected));
    let measured = duet(&["report", &run, "--cold-share", "measured"]);
    assert!(stderr(&measured).contains("no variant is a function whose log is known"), "{}", stderr(&measured));
    let again = duet(&[&COLD_STARTS[..], &["--out", &run]].concat());
    assert_code(&again, 1);
    assert!(stderr(&again).contains("there is a campaign already"), "{}", stderr(&again));
    let called = duet(&["call", "import:examples/cold-starts.csv"]);
    assert_code(&called, 2);
    assert!(stderr(&called).contains("cannot be called"), "{}", stderr(&called));
}

#[test]
fn a_summary_is_json_on_demand() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    let text = stdout(&duet(&[&COLD_STARTS[..], &["--out", &run, "--baseline", "arm64", "--json"]].concat()));
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&summary["measurements"], &summary["blocks"]), (&19_437.into(), &82.into()));
    assert_eq!((&summary["baseline"], &summary["directory"]), (&"arm64".into(), &run.clone().into()));
    assert_eq!(pair(&run)["names"]["baseline"], "arm64");
}

#[test]
fn what_is_wrong_is_refused_with_its_place_and_leaves_nothing() {
    let scratch = Scratch::new();
    let good = scratch.file("good.csv", "cpu,ms,day\nx,1,1\ny,2,1\n");
    let bad = scratch.file("bad.csv", "cpu,ms,day\nx,1,1\ny,\u{1b}[2J,1\n");
    let open = scratch.file("open.csv", "cpu,ms,day\nx,1,1\n\"y,2,1\n");
    let lines = scratch.file("lines.jsonl", "{\"cpu\": \"x\", \"ms\": 1}\n7\n");
    let cases: &[(&str, &[&str], &str)] = &[
        (
            &good,
            &["--variant", "cpus", "--value", "ms"],
            "good.csv, line 1: there is no column \"cpus\"; did you mean \"cpu\"?",
        ),
        (&good, &["--variant", "cpu", "--value", "s"], "there is no column \"s\""),
        (&good, &["--variant", "cpu", "--value", "ms", "--cell", "work"], "there is no column \"work\""),
        (&good, &["--variant", "cpu", "--value", "ms", "--block", "days"], "did you mean \"day\"?"),
        (&good, &["--variant", "cpu", "--value", "ms", "--environment", "host"], "there is no column \"host\""),
        (&good, &["--variant", "cpu", "--value", "ms", "--cpu-model", "model"], "there is no column \"model\""),
        (
            &good,
            &["--variant", "cpu", "--value", "ms", "--baseline", "z"],
            "--baseline z names no variant; they are x, y",
        ),
        (&good, &["--variant", "day", "--value", "ms"], "\"1\" is the only variant"),
        (
            &good,
            &["--from", "json-lines", "--variant", "cpu", "--value", "ms"],
            "good.csv, line 1: expected value at column 1",
        ),
        (&good, &["--from", "hyperfine"], "good.csv, line 1: "),
        (&good, &["--from", "criterion"], "there is no benchmark.json beside it"),
        (
            &bad,
            &["--variant", "cpu", "--value", "ms"],
            "bad.csv, line 3: the column ms is \"\\u{1b}[2J\"; it must be a number of ms",
        ),
        (&open, &["--variant", "cpu", "--value", "ms"], "open.csv, line 3: "),
        (
            &lines,
            &["--variant", "cpu", "--value", "ms"],
            "lines.jsonl, line 2: this is a number; a row is a JSON object",
        ),
        ("nowhere.csv", &["--variant", "cpu", "--value", "ms"], "nowhere.csv: No such file"),
    ];
    for (file, options, reason) in cases {
        let output = import(&scratch, file, options);
        assert_code(&output, 1);
        let said = stderr(&output);
        assert!(said.contains(reason) && !said.contains('\u{1b}'), "{options:?}: {said}\nis not\n{reason}");
        let left = fs::read_dir(Path::new(&good).parent().unwrap()).unwrap().count();
        assert_eq!(left, 4, "{options:?} left something");
    }
    let cases: &[(&[&str], &str)] = &[
        (&["--variant", "cpu"], "--value is missing"),
        (&["--value", "ms"], "--variant is missing"),
        (&["--variant", "cpu", "--value", "ms", &bad], "2 tables are given"),
        (&["--variant", "cpu,", "--value", "ms"], "a column has no name"),
        (&["--variant", "cpu,cpu", "--value", "ms"], "the column \"cpu\" is named twice"),
        (&["--variant", "cpu", "--value", "ms", "--block", "ms"], "the column \"ms\" is named twice"),
        (
            &["--variant", "cpu", "--value", "ms", "--environment", "day", "--each-row-an-environment"],
            "cannot be used with",
        ),
        (
            &["--variant", "cpu", "--value", "ms", "--environment", "day", "--measure", "init"],
            "--environment: an init duration is that of an environment of its own",
        ),
        (&["--from", "hyperfine", "--value", "ms"], "--value is for tables"),
        (&["--from", "criterion", "--measure", "init"], "--from criterion has durations"),
        (&["--from", "power-tuning"], "AWS Lambda Power Tuning puts out means"),
    ];
    for (options, reason) in cases {
        let output = import(&scratch, &good, options);
        assert_code(&output, 2);
        let said = stderr(&output);
        assert!(said.starts_with("error: ") && said.contains(reason), "{options:?}: {said}\nis not\n{reason}");
    }
}

#[test]
fn a_run_directory_may_be_where_the_user_is() {
    let scratch = Scratch::new();
    let table = scratch.file("a.csv", "cpu,ms\nx,1\ny,2\n");
    let here = scratch.path("here");
    fs::create_dir(&here).unwrap();
    let mut command = program::duet();
    command.current_dir(&here).args(["import", &table, "--variant", "cpu", "--value", "ms", "--out", "."]);
    let printed = stdout(&command.output().unwrap());
    let lacking = "There will be no verdict: that takes --block and --environment or --each-row-an-environment.\n";
    assert!(printed.contains(lacking), "{printed}");
    let mut names: Vec<_> = fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["campaign.json", "samples.jsonl"]);
    assert!(stdout(&duet(&["report", &here])).starts_with("No verdict: "));
}

#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    let scratch = Scratch::new();
    let rows: String = (0..200_000).map(|row| format!("{},{}\n", ["x", "y"][row % 2], 1 + row % 7)).collect();
    let table = scratch.file("a.csv", &format!("cpu,ms\n{rows}"));
    for signal in ["-INT", "-TERM"] {
        let run = scratch.path("deep/run");
        let options = ["import", &table, "--variant", "cpu", "--value", "ms", "--out", &run];
        let mut child = program::duet().args(options).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // In the middle: some of it has been written.
        while !Path::new(&run).exists() {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before it wrote anything");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_code(&output, 130);
        assert_eq!(stderr(&output), "interrupted; nothing was imported\n");
        assert!(!Path::new(&scratch.path("deep")).exists());
    }
}

#[test]
fn files_that_tools_have_written_are_read() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    let files = root().join("tests/suite/import");
    let of = |name: &str| files.join(name).to_str().unwrap().to_owned();
    let [one, other] = ["hyperfine/run-1.json", "hyperfine/run-2.json"].map(of);
    let printed = stdout(&duet(&["import", "--from", "hyperfine", &one, &other, "--out", &run]));
    assert!(printed.starts_with("Imported 12 measurements of cat and true into "), "{printed}");
    let report = stdout(&duet(&["report", &run, "--details"]));
    assert!(report.starts_with("No verdict: ") && report.contains("import the files of all its runs"), "{report}");
    let (_, rows) = samples(&run);
    assert_eq!(rows.iter().filter(|row| row.block == 1).count(), 6);
    fs::remove_dir_all(&run).unwrap();
    let mut arguments =
        vec!["import".to_owned(), "--from".to_owned(), "criterion".to_owned(), "--out".to_owned(), run.clone()];
    for number in 1..=2 {
        for benchmark in ["loop/100", "loop/1000", "twice/100", "twice/1000"] {
            arguments.push(of(&format!("criterion/run-{number}/sum/{benchmark}/new/sample.json")));
        }
    }
    let printed = stdout(&duet(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(printed.starts_with("Imported 80 measurements of loop and twice into "), "{printed}");
    assert!(printed.contains("in 2 blocks and 2 cells; the baseline is loop."), "{printed}");
    // One does the other's work twice.
    let pair = pair(&run);
    for (place, cell) in ["sum/100", "sum/1000"].into_iter().enumerate() {
        let comparison = &pair["cells"][place];
        assert_eq!(comparison["name"], cell);
        let estimate = comparison["comparisons"][0]["ratio"]["estimate"].as_f64().unwrap();
        assert!((1.7..2.3).contains(&estimate), "{cell}: {estimate}");
    }
    fs::remove_dir_all(&run).unwrap();
    let [small, large] = ["sebs/warm_results_1024-processed.json", "sebs/warm_results_3008-processed.json"].map(of);
    let printed = stdout(&duet(&["import", "--from", "sebs", &small, &large, "--out", &run]));
    assert!(printed.starts_with("Imported 12 measurements of 1024 and 3008 into "), "{printed}");
    let (_, rows) = samples(&run);
    let durations = |row: &Row| (row.report.as_ref().unwrap().duration_ms.unwrap(), row.environment.clone().unwrap());
    assert_eq!(durations(&rows[0]), (618.4, "89abab4f".to_owned()));
    assert_eq!(durations(&rows[11]), (354.41, "f731be8a".to_owned()));
    assert!(stdout(&duet(&["report", &run])).contains("import the files of all its runs"));
}

#[test]
fn an_import_is_no_target() {
    let scratch = Scratch::new();
    let payload = scratch.file("payload.json", "{}");
    let targets = ["run", "--targets", "import:a.csv", "local", "--payload", &payload];
    let output = duet(&targets);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("cannot be called"), "{}", stderr(&output));
}
