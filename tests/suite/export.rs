//! `duet export` as a process, its formats read by the tools that they are for, on campaigns whose truth is known.

mod arguments;

use crate::{
    campaign::{Scratch, samples},
    cli::{duet, stderr, stdout},
    fabricated::{Fabricated, run_directory},
    handler::root,
    report::pair,
};
use lambda_duet::{
    analysis::sides::Sides,
    campaign::row::{Failure, FailureKind},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

/// A campaign in which arm64 takes four fifths of the time, with names that want escaping; and what is exported of it.
fn export(scratch: &Scratch, format: &str) -> String {
    let run = scratch.path("run");
    if !fs::exists(&run).unwrap() {
        let cold_start_ms = Some(Sides { baseline: 100.0, candidate: 60.0 });
        let cells = vec![("string/json", 0.8), ("a \"b\", \\c", 1.2)];
        Fabricated { cells, cold_start_ms, calls: 10, ..Fabricated::default() }.write(&run);
    }
    stdout(&duet(&["export", &run, "--format", format]))
}

/// The pair of the same campaign as its report has it.
fn reported(scratch: &Scratch) -> Value {
    pair(&stdout(&duet(&["report", &scratch.path("run"), "--format", "json"])))
}

/// The comparison of a cell by a measure, in a report.
fn comparison<'a>(pair: &'a Value, cell: &str, measure: &str) -> &'a Value {
    let find = |list: &'a Value, key: &str, value: &str| list.as_array().unwrap().iter().find(|it| it[key] == value);
    let comparisons = find(&pair["cells"], "name", cell).map(|cell| &cell["comparisons"]).unwrap();
    find(comparisons, "measure", measure).unwrap()
}

/// A program of the tools that read exports.
fn consumer(name: &str) -> Command {
    let path: PathBuf = root().join(".tools/consumers/bin").join(name);
    assert!(path.exists(), "{} is missing: run `scripts/setup.sh check`", path.display());
    Command::new(path)
}

/// What a script in Python prints as JSON.
fn python(script: &str, arguments: &[&str]) -> Value {
    let output = consumer("python").args(["-c", script]).args(arguments).output().unwrap();
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn validate(schema: &Value, instance: &Value) {
    jsonschema::validate(schema, instance).unwrap_or_else(|error| panic!("{error} at {}", error.instance_path()));
}

/// What Bencher's adapter `json` takes (bencherdev/bencher, lib/bencher_adapter/src/adapters/json/v0.rs and the names in
/// lib/bencher_valid): names of benchmarks have 1 to 1024 bytes, slugs of measures 1 to 64.
fn schema_of_bmf() -> Value {
    let metric = json!({
        "type": "object", "required": ["value"], "additionalProperties": false,
        "properties": {
            "value": {"type": "number"}, "lower_value": {"type": "number"}, "upper_value": {"type": "number"}
        },
    });
    let slugs = json!({"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64});
    let measures =
        json!({"type": "object", "minProperties": 1, "propertyNames": slugs, "additionalProperties": metric});
    json!({
        "type": "object", "minProperties": 1, "propertyNames": {"minLength": 1, "maxLength": 1024},
        "additionalProperties": measures,
    })
}

/// What github-action-benchmark takes of its tool customSmallerIsBetter (benchmark-action/github-action-benchmark,
/// `extractCustomBenchmarkResult` and `BenchmarkResult` in src/extract.ts): it refuses an empty list.
fn schema_of_github_action_benchmark() -> Value {
    let text = json!({"type": "string", "minLength": 1});
    json!({
        "type": "array", "minItems": 1,
        "items": {
            "type": "object", "required": ["name", "value", "unit"], "additionalProperties": false,
            "properties": {"name": text, "value": {"type": "number"}, "unit": text, "range": text, "extra": text},
        },
    })
}

#[test]
fn bencher_gets_the_numbers_of_the_report() {
    let scratch = Scratch::new();
    let benchmarks: Value = serde_json::from_str(&export(&scratch, "bmf")).unwrap();
    validate(&schema_of_bmf(), &benchmarks);
    let pair = reported(&scratch);
    let (json, ratio) = (comparison(&pair, "string/json", "wall"), &benchmarks["arm64 over x86_64/string/json"]);
    let interval = &json["ratio"]["interval"];
    let expected =
        json!({"value": json["ratio"]["estimate"], "lower_value": interval["low"], "upper_value": interval["high"]});
    assert_eq!(ratio["wall-time-ratio"], expected);
    let estimate = expected["value"].as_f64().unwrap();
    assert!((0.75..0.85).contains(&estimate), "{estimate}");
    for (side, variant) in [("baseline", "x86_64"), ("candidate", "arm64")] {
        let benchmark = &benchmarks[&format!("{variant}/a \"b\", \\c")];
        for (measure, slug) in [("wall", "wall-time-ms"), ("billed", "billed-duration-ms")] {
            let statistics = &comparison(&pair, "a \"b\", \\c", measure)["statistics"][side];
            assert_eq!(benchmark[slug]["value"], statistics["mean"], "{slug}");
            assert_eq!(benchmark[slug]["upper_value"], statistics["interval"]["high"], "{slug}");
        }
        let cost = &pair["sides"][side]["per_million"];
        assert_eq!(benchmarks[variant]["cost-usd-per-million"]["value"], cost["total_usd"]);
        assert!(cost["total_usd"].as_f64().unwrap() > 0.0);
    }
    assert!(benchmarks["arm64/starts"]["init-duration-ms"]["value"].is_f64());
}

#[test]
fn the_github_action_gets_a_list_of_named_values() {
    let scratch = Scratch::new();
    let entries: Value = serde_json::from_str(&export(&scratch, "github-action-benchmark")).unwrap();
    validate(&schema_of_github_action_benchmark(), &entries);
    let entries = entries.as_array().unwrap();
    let of = |name: &str| entries.iter().find(|entry| entry["name"] == name).unwrap();
    let pair = reported(&scratch);
    let json = comparison(&pair, "string/json", "wall");
    let (ratio, mean) = (of("arm64 over x86_64/string/json wall time ratio"), of("arm64/string/json wall time"));
    assert_eq!((&ratio["value"], &ratio["unit"]), (&json["ratio"]["estimate"], &"ratio".into()));
    assert_eq!((&mean["value"], &mean["unit"]), (&json["statistics"]["candidate"]["mean"], &"ms".into()));
    assert!(ratio["range"].as_str().unwrap().contains(" to "), "{ratio}");
    assert!(ratio["extra"].as_str().unwrap().starts_with("verdict: faster\n"), "{ratio}");
    assert_eq!(of("arm64 cost of a million invocations")["unit"], "USD");
}

/// Prints each family as its type, its unit and its samples.
const READ_METRICS: &str = r"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
text = open(sys.argv[1]).read()
of = lambda read: {m.name: [m.type, m.unit, [[s.labels, s.value] for s in m.samples]] for m in read(text)}
print(json.dumps({'openmetrics': of(openmetrics), 'prometheus': of(prometheus)}))
";

#[test]
fn prometheus_reads_both_of_its_formats() {
    let scratch = Scratch::new();
    let text = export(&scratch, "openmetrics");
    let families = python(READ_METRICS, &[&scratch.file("duet.prom", &text)]);
    let pair = reported(&scratch);
    let cell = "a \"b\", \\c";
    for format in ["openmetrics", "prometheus"] {
        let families = families[format].as_object().unwrap();
        assert!(families.len() > 10, "{families:?}");
        let value = |family: &str, labels: &Value| -> f64 {
            let samples = families[family][2].as_array().unwrap();
            samples.iter().find(|sample| sample[0] == *labels).unwrap()[1].as_f64().unwrap()
        };
        for (name, family) in families {
            assert_eq!(family[0], "gauge", "{name}");
            let unit = family[1].as_str().unwrap();
            assert!(name.ends_with(unit), "{name} {unit}");
        }
        let comparison = comparison(&pair, cell, "wall");
        let mean = comparison["statistics"]["candidate"]["mean"].as_f64().unwrap() / 1000.0;
        let labels = json!({"run": "run", "variant": "arm64", "cell": cell, "measure": "wall"});
        assert_eq!(value("duet_time_seconds", &labels), mean);
        let mut labels =
            json!({"run": "run", "variant": "arm64", "baseline": "x86_64", "cell": cell, "measure": "wall"});
        assert_eq!(value("duet_time_ratio", &labels), comparison["ratio"]["estimate"].as_f64().unwrap());
        assert_eq!(value("duet_time_high_ratio", &labels), comparison["ratio"]["interval"]["high"].as_f64().unwrap());
        labels["verdict"] = "slower".into();
        assert_eq!(value("duet_verdict", &labels), 1.0);
        assert_eq!(value("duet_environments", &json!({"run": "run", "variant": "arm64"})), 40.0);
    }
    assert_eq!(families["openmetrics"]["duet_time_seconds"][1], "seconds");
    assert!(text.ends_with("\n# EOF\n"), "{text}");
}

const DAY_MS: u64 = 86_400_000;

/// Otava's change points, each with its metric: the name of the first campaign after it, and by how much it changed.
fn change_points(configuration: &str) -> BTreeMap<String, Vec<(String, f64)>> {
    // All of the time that there is: Otava would look at its last year.
    let output = consumer("otava")
        .args(["analyze", "duet", "--config-file", configuration, "--since", "2020-01-01", "--until", "2100-01-01"])
        .args(["--output", "json"])
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    let text = stdout(&output);
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{}", stderr(&output)));
    let mut found = BTreeMap::<String, Vec<(String, f64)>>::new();
    for point in json["duet"].as_array().unwrap() {
        for change in point["changes"].as_array().unwrap() {
            let percent = &change["forward_change_percent"];
            let percent = percent.as_f64().or_else(|| percent.as_str()?.parse().ok()).unwrap();
            let run = point["attributes"]["run"].as_str().unwrap().to_owned();
            found.entry(change["metric"].as_str().unwrap().to_owned()).or_default().push((run, percent));
        }
    }
    found
}

#[test]
fn otava_finds_the_change_that_was_injected() {
    let scratch = Scratch::new();
    let runs: Vec<String> = (0..24).map(|day| scratch.path(&format!("day-{day:02}"))).collect();
    for (day, run) in (0..).zip(&runs) {
        let ratio = if day < 12 { 0.8 } else { 0.88 };
        // The fleet drifts, which meets both sides.
        let drift = 1.0 + 0.02 * (day % 3) as f64;
        let cells = vec![("string/json", ratio), ("a: \"b\", c", 1.1)];
        let seed = day * DAY_MS;
        Fabricated { cells, drift, seed, environments: 8, calls: 5, ..Fabricated::default() }.write(run);
    }
    let (out, configuration) = (scratch.path("series.csv"), scratch.path("otava.yaml"));
    // The order on the command line is no matter.
    let backwards: Vec<&str> = runs.iter().rev().map(String::as_str).collect();
    let options = ["--format", "otava", "--out", &out, "--otava-config", &configuration];
    let output = duet(&[&["export"], &backwards[..], &options].concat());
    assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()));
    let found = change_points(&configuration);
    let changes = &found["arm64 over x86_64.string/json.wall_ratio"];
    assert_eq!(changes.len(), 1, "{found:?}");
    assert_eq!(changes[0].0, runs[12]);
    assert!((7.0..13.0).contains(&changes[0].1), "{changes:?}");
    assert!(!found.contains_key("arm64 over x86_64.a: \"b\", c.wall_ratio"), "{found:?}");
    assert!(!found.contains_key("x86_64.string/json.wall_ms"), "{found:?}");
}

#[test]
fn campaigns_without_a_verdict_are_no_part_of_a_series() {
    let scratch = Scratch::new();
    let [good, emulated] = ["good", "emulated"].map(|name| scratch.path(name));
    run_directory(&good, 8, 5, 0.8);
    Fabricated { emulated: true, environments: 8, calls: 5, ..Fabricated::default() }.write(&emulated);
    let output = duet(&["export", &good, &emulated, "--format", "otava"]);
    let series = stdout(&output);
    assert_eq!(series.lines().count(), 2, "{series}");
    assert!(series.lines().nth(1).unwrap().contains(&good), "{series}");
    let reason = format!("Left out: {emulated}, which gives no verdict: the times and the cost of arm64 (emulated)");
    assert!(stderr(&output).starts_with(&reason), "{}", stderr(&output));
}

#[test]
fn what_was_emulated_is_left_out_and_named() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    Fabricated { emulated: true, ..Fabricated::default() }.write(&run);
    let export = |format: &str| duet(&["export", &run, "--format", format]);
    let output = export("bmf");
    let benchmarks: BTreeMap<String, Value> = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(benchmarks.keys().collect::<Vec<_>>(), ["x86_64/string/json"]);
    let expected = "Left out: the times and the cost of arm64 (emulated)\n\
        Left out: the ratios of arm64 to x86_64 (emulated)\n";
    assert_eq!(stderr(&output), expected);
    let output = export("openmetrics");
    let metrics = stdout(&output);
    assert!(
        !metrics.contains("duet_time_ratio") && metrics.contains("kind=\"emulated\",side=\"candidate\""),
        "{metrics}"
    );
    assert!(metrics.contains("verdict=\"withheld\"} 1"), "{metrics}");
    assert_eq!(stderr(&output), expected);
    let parquet = duet(&["export", &run, "--format", "parquet", "--out", &scratch.path("run.parquet")]);
    assert_eq!(stdout(&parquet), "");
    assert!(stderr(&parquet).contains("120 rows in which the column emulated is true"), "{}", stderr(&parquet));
}

/// Prints the types of a Parquet file's columns, and some of its numbers.
const READ_SAMPLES: &str = r"
import json, sys
import polars as pl
calls = pl.read_parquet(sys.argv[1])
good = calls.filter(pl.col('failure').is_null())
print(json.dumps({
    'types': {name: str(kind) for name, kind in calls.schema.items()},
    'rows': calls.height,
    'failures': calls.filter(pl.col('failure').is_not_null()).select('failure', 'failure_message', 'variant').to_dicts(),
    'first': calls.head(1).with_columns(pl.col('started_at').dt.epoch('ms')).to_dicts()[0],
    'nulls': {name: n for name, n in calls.null_count().to_dicts()[0].items()},
    'billed': good.group_by('variant').agg(pl.col('billed_ms').mean()).sort('variant').to_dicts(),
    'baselines': calls.filter(pl.col('is_baseline'))['variant'].unique().to_list(),
    'models': calls['cpu_model'].unique().sort().to_list(),
}))
";

#[test]
fn polars_reads_every_sample() {
    let scratch = Scratch::new();
    let (run, out) = (scratch.path("run"), scratch.path("run.parquet"));
    run_directory(&run, 16, 5, 0.8);
    let (_, mut rows) = samples(&run);
    // The last call fails.
    let last = rows.last_mut().unwrap();
    (last.failure, last.response, last.report) = (Some(Failure::new(FailureKind::Timeout, "slow")), None, None);
    let text: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
    fs::write(format!("{run}/samples.jsonl"), text.concat()).unwrap();
    let output = duet(&["export", &run, "--format", "parquet", "--out", &out]);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("", "160 rows, 1 of them failed\n"));
    let read = python(READ_SAMPLES, &[&out]);
    for (column, kind) in [
        ("block", "Int64"),
        ("variant", "String"),
        ("is_baseline", "Boolean"),
        ("started_at", "Datetime(time_unit='ms', time_zone='UTC')"),
        ("latency_ms", "Float64"),
        ("wall_ms", "Float64"),
        ("memory_mb", "Int64"),
    ] {
        assert_eq!(read["types"][column], kind, "{column}");
    }
    assert_eq!(read["rows"], rows.len());
    let [failure] = read["failures"].as_array().unwrap().as_slice() else { panic!("{read}") };
    assert_eq!((&failure["failure"], &failure["failure_message"]), (&"timeout".into(), &"slow".into()));
    assert_eq!((&read["nulls"]["wall_ms"], &read["nulls"]["block"]), (&1.into(), &0.into()));
    let (first, row) = (&read["first"], &rows[0]);
    assert_eq!(first["started_at"], row.started_unix_ms);
    assert_eq!(first["latency_ms"], row.latency_ms());
    assert_eq!(first["duration_ms"], row.report.as_ref().unwrap().duration_ms.unwrap());
    let wall_ns: Vec<f64> = row.response.as_ref().unwrap().results[0].wall_ns.iter().copied().collect();
    assert!((first["wall_ms"].as_f64().unwrap() * 1e6 / wall_ns[0] - 1.0).abs() < 1e-12, "{first}");
    assert_eq!((&first["iterations"], &first["memory_mb"]), (&1.into(), &1769.into()));
    assert_eq!((&read["baselines"], &first["cold"]), (&json!(["x86_64"]), &false.into()));
    assert_eq!(read["models"], json!([null, "Intel(R) Xeon(R) Processor @ 2.50GHz", "Neoverse-N1"]));
    let pair = reported(&scratch);
    let billed = comparison(&pair, "string/json", "billed");
    for (side, place) in [("candidate", 0), ("baseline", 1)] {
        let [here, there] = [&read["billed"][place]["billed_ms"], &billed["statistics"][side]["mean"]];
        let ratio = here.as_f64().unwrap() / there.as_f64().unwrap();
        // Environments weigh the same in reports; one has a call less.
        assert!((ratio - 1.0).abs() < 0.01, "{side}: {here} {there}");
    }
}

#[test]
fn an_import_is_exported_without_what_it_does_not_know() {
    let scratch = Scratch::new();
    let (run, out) = (scratch.path("run"), scratch.path("run.parquet"));
    let columns = ["--variant", "architecture", "--cell", "runtime,memory_mb", "--value", "init_ms", "--block", "date"];
    let import = [&["import", "examples/cold-starts.csv", "--measure", "init", "--out", &run], &columns[..]].concat();
    stdout(&duet(&import));
    stdout(&duet(&["export", &run, "--format", "parquet", "--out", &out]));
    let script = "
import json, sys
import polars as pl
calls = pl.read_parquet(sys.argv[1])
unknown = [name for name, n in calls.null_count().to_dicts()[0].items() if n == calls.height]
print(json.dumps({'rows': calls.height, 'sum': calls['init_ms'].sum(), 'unknown': unknown,
    'first': str(calls['started_at'].min())}))
";
    let read = python(script, &[&out]);
    assert_eq!((&read["rows"], &read["first"]), (&19_437.into(), &"2026-04-25 00:00:00+00:00".into()));
    for column in ["cost_usd", "delay_ms", "latency_ms", "wall_ms", "emulated", "memory_mb", "failure"] {
        assert!(read["unknown"].as_array().unwrap().contains(&column.into()), "{column}: {read}");
    }
    let table = fs::read_to_string(root().join("examples/cold-starts.csv")).unwrap();
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let place = table.headers().unwrap().iter().position(|name| name == "init_ms").unwrap();
    let sum: f64 = table.records().map(|row| row.unwrap()[place].parse::<f64>().unwrap()).sum();
    assert!((read["sum"].as_f64().unwrap() / sum - 1.0).abs() < 1e-9, "{read} {sum}");
    let series = stdout(&duet(&["export", &run, "--format", "otava"]));
    assert!(series.lines().nth(1).unwrap().starts_with("2026-04-25T00:00:00Z,"), "{series}");
}
