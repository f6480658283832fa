//! `duet report`, `duet calibrate` and `--until-ci` as processes, on campaigns whose truth is known.

use crate::{
    campaign::{Scratch, assert_code, command, samples},
    cli::{duet, stderr, stdout},
    fabricated::Fabricated,
    handler::root,
    program,
    scripted::{Reply, Scripted, request_id},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_duet::{analysis::sides::Sides, campaign::manifest::Order};
use serde_json::Value;
use std::{
    fs,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A campaign in which arm64 takes four fifths of the time, and what is reported of it.
fn report(scratch: &Scratch, arguments: &[&str]) -> String {
    let run = scratch.path("run");
    if !fs::exists(&run).unwrap() {
        Fabricated::default().write(&run);
    }
    stdout(&duet(&[&["report", &run, "--details"], arguments].concat()))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The only pair of a report as JSON, with its two variants as its sides, and with the report's method.
pub fn pair(text: &str) -> Value {
    let mut report = json(text);
    let [baseline, candidate] = [0, 1].map(|place| report["variants"][place].take());
    let mut pair = report["comparisons"][0].take();
    pair["sides"] = serde_json::json!({"baseline": baseline, "candidate": candidate});
    pair["method"] = report["method"].take();
    pair
}

#[test]
fn the_first_line_says_what_is_true() {
    let text = report(&Scratch::new(), &[]);
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("arm64 costs ") && first.contains("% less than x86_64 (95% interval "), "{first}");
    let in_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(in_one_line.contains("% less time (1.25× as fast; 95% interval "), "{text}");
    assert!(!text.contains('\u{1b}'), "there are colours, and no terminal");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn details_are_shown_on_demand() {
    let scratch = Scratch::new();
    let all = report(&scratch, &[]);
    let summary = stdout(&duet(&["report", &scratch.path("run")]));
    let shown = summary.strip_suffix("\nMore with --details.\n").unwrap();
    assert!(all.starts_with(shown) && shown.lines().count() < 12, "{summary}");
    for part in ["Other measures", "Sides", "Method", "Bill"] {
        assert!(all.contains(part) && !summary.contains(part), "{part}: {all}");
    }
}

#[test]
fn the_interval_holds_the_truth_and_the_bill_follows_the_price_list() {
    let analysis = pair(&report(&Scratch::new(), &["--format", "json", "--monthly-invocations", "50M"]));
    let ratio = &analysis["headline"]["ratio"];
    let [low, high] = ["low", "high"].map(|it| ratio["interval"][it].as_f64().unwrap());
    assert!(low < 0.8 && 0.8 < high && high - low < 0.05, "{ratio}");
    assert_eq!(analysis["headline"]["verdict"], "faster");
    let money = &analysis["money"];
    assert_eq!(money["invocations_per_month"], 50e6);
    for (side, gb_second) in [("baseline", 0.000_016_666_7), ("candidate", 0.000_013_333_4)] {
        let billed = analysis["cells"][0]["comparisons"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["measure"] == "billed")
            .map(|it| it["statistics"][side]["mean"].as_f64().unwrap())
            .unwrap();
        let expected = 50e6 * (0.000_000_2 + gb_second * billed / 1000.0 * 1769.0 / 1024.0);
        let total = money["monthly"][side]["total_usd"].as_f64().unwrap();
        assert!((total / expected - 1.0).abs() < 1e-3, "{side}: {total} {expected}");
    }
    let savings = money["savings"].as_f64().unwrap();
    let [low, high] = ["low", "high"].map(|it| money["savings_interval"][it].as_f64().unwrap());
    assert!(low < savings && savings < high && low > 0.25, "{money}");
    // Four fifths of the price for a GB-second: a quarter longer costs as much, if the request did not cost too.
    assert!((money["break_even"].as_f64().unwrap() - 1.25).abs() < 1e-3, "{money}");
}

#[test]
fn the_bill_knows_the_free_tier_and_other_prices() {
    let scratch = Scratch::new();
    let total = |arguments: &[&str]| {
        let analysis = pair(&report(&scratch, &[&["--format", "json"], arguments].concat()));
        analysis["money"]["monthly"]["candidate"]["total_usd"].as_f64().unwrap()
    };
    assert!(total(&[]) > 0.0);
    assert_eq!(total(&["--free-tier"]), 0.0);
    let prices = scratch.path("prices.toml");
    let text = r#"
        date = "2030-01-01"
        source = "somewhere"
        [regions.us-east-1]
        request_usd = 1.0
        ephemeral_gb_second_usd = 0.0
        x86_64 = [{ gb_second_usd = 0.0 }]
        arm64 = [{ gb_second_usd = 0.0 }]
    "#;
    fs::write(&prices, text).unwrap();
    assert_eq!(total(&["--prices", &prices]), 1e6);
    assert!(report(&scratch, &["--prices", &prices]).contains("2030-01-01"));
    fs::write(&prices, text.replace("us-east-1", "mars-north-1")).unwrap();
    let output = duet(&["report", &scratch.path("run"), "--details", "--prices", &prices]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("no prices of the region"), "{}", stderr(&output));
}

/// Cells of which one takes five times as long on the candidate, and starts of 100 and 60 ms.
fn write_with_cold_starts(scratch: &Scratch) {
    let cold_start_ms = Some(Sides { baseline: 100.0, candidate: 60.0 });
    let cells = vec![("string/json", 1.0), ("math/fft", 5.0)];
    Fabricated { cells, cold_start_ms, calls: 10, ..Fabricated::default() }.write(&scratch.path("run"));
}

#[test]
fn the_bill_has_the_given_proportion_of_cold_starts() {
    let scratch = Scratch::new();
    write_with_cold_starts(&scratch);
    let money = |share: &str| pair(&report(&scratch, &["--format", "json", "--cold-share", share]))["money"].clone();
    let total = |money: &Value, side: &str| money["monthly"][side]["total_usd"].as_f64().unwrap();
    let warm = money("0%");
    for (share, proportion) in [("10%", 0.1), ("100%", 1.0)] {
        let money = money(share);
        assert_eq!(
            money["cold_share"],
            json(&format!(
                r#"{{"value": {proportion:?}, "interval": null, "invocations": null, "source": "assumed"}}"#
            ))
        );
        for (side, gb_second, start_ms) in [("baseline", 0.000_016_666_7, 100.0), ("candidate", 0.000_013_333_4, 60.0)]
        {
            // A million invocations, of which so many wait for a start besides.
            let expected = 1e6 * proportion * gb_second * start_ms / 1000.0 * 1769.0 / 1024.0;
            let added = total(&money, side) - total(&warm, side);
            assert!((added / expected - 1.0).abs() < 0.02, "{side} {share}: {added} {expected}");
            let interval = &money["monthly"][side]["interval"];
            let truth = total(&warm, side) + expected;
            let [low, high] = ["low", "high"].map(|it| interval[it].as_f64().unwrap());
            assert!(low < truth && truth < high && high / low < 1.1, "{side} {share}: {interval} {truth}");
        }
        let [savings, low, high] =
            [&money["savings"], &money["savings_interval"]["low"], &money["savings_interval"]["high"]]
                .map(|it| it.as_f64().unwrap());
        let truth = 1.0 - total(&money, "candidate") / total(&money, "baseline");
        assert!((savings - truth).abs() < 1e-9 && low < savings && savings < high, "{money}");
    }
}

#[test]
fn every_output_format_names_the_cold_starts_of_the_bill() {
    let scratch = Scratch::new();
    write_with_cold_starts(&scratch);
    let (unknown, page) = (Scratch::new(), scratch.path("report.html"));
    let formats = |scratch: &Scratch, arguments: &[&str]| {
        let table = report(scratch, arguments);
        let markdown = report(scratch, &[&["--format", "markdown", "--html", &page], arguments].concat());
        [table.split_whitespace().collect::<Vec<_>>().join(" "), markdown, fs::read_to_string(&page).unwrap()]
    };
    for text in formats(&scratch, &[]) {
        assert!(text.contains("1% of invocations are taken to be cold starts (--cold-share)."), "{text}");
    }
    for text in formats(&scratch, &["--cold-share", "2.5%"]) {
        assert!(text.contains("2.5% of invocations are taken to be cold starts"), "{text}");
    }
    for text in formats(&unknown, &[]) {
        assert!(text.contains("Cold starts are not on the bill, because too few were measured."), "{text}");
    }
    let output = duet(&["report", &scratch.path("run"), "--cold-share", "1"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("a percentage from 0% to 100%, such as 1%"), "{}", stderr(&output));
}

#[test]
fn every_output_format_says_the_same() {
    let scratch = Scratch::new();
    let table = report(&scratch, &[]);
    let page = scratch.path("report.html");
    let markdown = report(&scratch, &["--format", "markdown", "--html", &page]);
    assert!(markdown.starts_with("**arm64 costs ") && markdown.contains("| string/json |"), "{markdown}");
    let sentence = table.lines().next().unwrap();
    assert!(markdown.contains(sentence), "{sentence} is not in {markdown}");
    let csv = report(&scratch, &["--format", "csv"]);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    assert!(rows.headers().unwrap().iter().any(|it| it == "ratio"), "{csv}");
    let measures: Vec<String> =
        rows.records().map(|row| row.unwrap().iter().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert!(measures.iter().any(|it| it == "string/json wall"), "{measures:?}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("arm64 costs ") && page.contains("<svg") && !page.contains("<script"));
}

/// What reports say of campaigns that never change: made once, and to stay.
#[test]
fn the_numbers_of_reports_are_unchanged() {
    let cells = vec![("string/json", 0.9), ("math/fft", 1.02)];
    let steps = Fabricated { cells, environments: 12, calls: 6, disturbed: 0.02, ..Fabricated::default() };
    let mixed = Fabricated { cpus: vec!["Neoverse-N1", "Neoverse-V1"], ..steps.clone() };
    let cold_start_ms = Some(Sides { baseline: 80.0, candidate: 60.0 });
    let single = Fabricated { order: Order::SingleCalls, environments: 8, cold_start_ms, ..steps.clone() };
    let joint = Fabricated { order: Order::JointSteps, environments: 8, cold_start_ms, ..steps.clone() };
    for (name, fabricated) in [("steps", steps), ("mixed", mixed), ("single-calls", single), ("joint-steps", joint)] {
        let scratch = Scratch::new();
        fabricated.write(&scratch.path("run"));
        let found = report(&scratch, &["--format", "csv"]);
        let path = root().join(format!("tests/reference/reports/{name}.csv"));
        let kept = fs::read_to_string(path).unwrap();
        let values = |text: &str| text.split([',', '\n']).map(str::to_owned).collect::<Vec<_>>();
        // Further columns came later, behind these.
        let width = kept.lines().next().unwrap().split(',').count();
        let header: Vec<String> = kept.split(',').take(width).map(str::to_owned).collect();
        let error_column = header.iter().position(|column| column == "log_standard_error").unwrap();
        // Degrees of freedom are found with single precision, and this follows from them.
        let is_rounded = |index: usize| {
            ["ratio_low", "ratio_high", "degrees_of_freedom", "p_value"].contains(&header[index % width].as_str())
        };
        let columns = |line: &str| line.split(',').take(width).collect::<Vec<_>>().join(",");
        let found: String = found.lines().map(|line| columns(line) + "\n").collect();
        let (found, kept_values) = (values(&found), values(&kept));
        assert_eq!(found.len(), kept_values.len(), "{name}");
        for (index, (found, kept)) in found.iter().zip(&kept_values).enumerate() {
            // Where the standard error is nothing but rounding, so is what follows from it.
            let error = kept_values.get(index / width * width + error_column).and_then(|error| error.parse().ok());
            if index % width >= error_column && error.is_some_and(|error: f64| error < 1e-12) {
                continue;
            }
            let is_same = match (found.parse::<f64>(), kept.parse::<f64>()) {
                // Logarithms of other machines differ in their last digit.
                (Ok(found), Ok(kept)) => {
                    // Single times are kept with single precision, and used to have more digits than that.
                    let is_single = f64::from(kept as f32) == kept && kept as f32 == found as f32;
                    let tolerance = if is_rounded(index) { 1e-8 } else { 1e-12 };
                    is_single || (found - kept).abs() <= tolerance * kept.abs()
                }
                _ => found == kept,
            };
            assert!(is_same, "{name}, value {index}: {found} in the place of {kept}");
        }
    }
}

#[test]
fn a_margin_is_what_counts_as_no_difference() {
    let scratch = Scratch::new();
    Fabricated { cells: vec![("string/json", 0.97)], ..Fabricated::default() }.write(&scratch.path("run"));
    let verdict = |margin: &str| {
        let analysis = pair(&report(&scratch, &["--format", "json", "--margin", margin]));
        analysis["headline"]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict("1%"), "faster");
    assert_eq!(verdict("10%"), "equivalent");
}

#[test]
fn emulated_or_too_few_samples_get_a_reason_instead_of_a_verdict() {
    for (fabricated, reason) in [
        (Fabricated { emulated: true, ..Fabricated::default() }, "was emulated, so its times mean nothing"),
        (Fabricated { environments: 1, ..Fabricated::default() }, "it takes 8 of each side"),
    ] {
        let scratch = Scratch::new();
        fabricated.write(&scratch.path("run"));
        let text = report(&scratch, &[]);
        assert!(text.contains("No verdict: ") && text.contains(reason), "{text}");
        let analysis = pair(&report(&scratch, &["--format", "json"]));
        assert_eq!(analysis["headline"]["verdict"], "withheld");
        assert!(analysis["headline"]["ratio"]["interval"].is_null());
    }
}

#[test]
fn two_cpu_models_are_distinguished_and_weighted_by_their_proportion() {
    let scratch = Scratch::new();
    let cpus = vec!["Neoverse-N1", "Neoverse-V1"];
    Fabricated { cpus, cells: vec![("string/json", 1.0)], ..Fabricated::default() }.write(&scratch.path("run"));
    let analysis = pair(&report(&scratch, &["--format", "json"]));
    let shares = &analysis["sides"]["candidate"]["cpus"];
    assert_eq!((shares[0]["environments"].as_u64(), shares[1]["environments"].as_u64()), (Some(20), Some(20)));
    let ratios: Vec<f64> = analysis["cells"][0]["by_cpu"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["ratio"]["estimate"].as_f64().unwrap())
        .collect();
    // One as fast as the baseline, the other 1.4 times slower; together the root of that.
    assert!((ratios[0] - 1.0).abs() < 0.03 && (ratios[1] - 1.4).abs() < 0.04, "{ratios:?}");
    let headline = analysis["headline"]["ratio"]["estimate"].as_f64().unwrap();
    assert!((headline - 1.4_f64.sqrt()).abs() < 0.02, "{headline}");
}

#[test]
fn shared_disturbances_widen_intervals_and_are_reported() {
    let of = |disturbed, order| {
        let scratch = Scratch::new();
        Fabricated { disturbed, order, spread: 0.01, environments: 8, calls: 20, ..Fabricated::default() }
            .write(&scratch.path("run"));
        let texts = ["table", "markdown", "json"].map(|format| report(&scratch, &["--format", format]));
        let [table, markdown, analysis] = texts;
        (table, markdown, pair(&analysis))
    };
    let width = |analysis: &Value| {
        let interval = &analysis["headline"]["ratio"]["interval"];
        (interval["high"].as_f64().unwrap() / interval["low"].as_f64().unwrap()).ln()
    };
    let warning = |analysis: &Value| {
        let warnings = analysis["warnings"].as_array().unwrap();
        warnings.iter().find(|it| it["kind"] == "disturbed").map(|it| it["text"].as_str().unwrap().to_owned())
    };
    let (table, _, quiet) = of(0.0, Order::SeparateSteps);
    assert_eq!(warning(&quiet), None);
    assert!(table.contains("Of the variance behind the interval, "), "{table}");
    let (table, markdown, loud) = of(0.04, Order::SeparateSteps);
    assert!(loud["headline"]["sources"]["disturbances"].as_f64().unwrap() > 0.8, "{loud}");
    assert!(width(&loud) > 2.0 * width(&quiet), "{} {}", width(&loud), width(&quiet));
    let text = warning(&loud).unwrap();
    assert!(text.contains("% of the uncertainty comes from what disturbed several environments at once"), "{text}");
    assert!(table.contains("disturbed: ") && markdown.contains("`disturbed`"), "{table}{markdown}");
    // Where calls alternate at random, it meets both sides.
    let (table, _, interleaved) = of(0.04, Order::SingleCalls);
    assert!(1.5 * width(&interleaved) < width(&loud), "{} {}", width(&interleaved), width(&loud));
    assert!(table.contains("from what disturbed several calls in a row"), "{table}");
    let (_, _, interleaved) = of(0.4, Order::SingleCalls);
    assert!(warning(&interleaved).is_some_and(|it| it.starts_with("At least ")), "{}", interleaved["headline"]);
    assert_eq!(warning(&of(0.0, Order::SingleCalls).2), None);
}

/// A block in which all calls waited for a start does not count.
#[test]
fn only_blocks_with_samples_of_both_sides_count() {
    let of = |calls| {
        let scratch = Scratch::new();
        let cold_start_ms = Some(Sides { baseline: 80.0, candidate: 80.0 });
        Fabricated { environments: 8, calls, cold_start_ms, ..Fabricated::default() }.write(&scratch.path("run"));
        let gate = duet(&["gate", &scratch.path("run"), "--max-slowdown", "5%"]);
        let texts = [report(&scratch, &[]), String::from_utf8(gate.stdout).unwrap()];
        // Lines end where the terminal does.
        texts.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let [text, gate] = of(5);
    assert!(text.starts_with("No verdict: 4 blocks have samples of both sides, and it takes 5."), "{text}");
    assert!(text.contains("in fewer than 5 blocks, calls that waited for a start aside."), "{text}");
    assert!(
        gate.contains("string/json: it has samples of both sides in 4 of the 5 blocks that a verdict takes"),
        "{gate}"
    );
    let [text, gate] = of(6);
    assert!(!text.contains("No verdict") && gate.starts_with("Pass"), "{text}{gate}");
}

#[test]
fn processes_on_a_busy_machine_get_a_warning() {
    let warned = |waiting| {
        let scratch = Scratch::new();
        Fabricated { waiting, order: Order::SingleCalls, ..Fabricated::default() }.write(&scratch.path("run"));
        report(&scratch, &[]).contains("busy-machine: The processes had to wait for a processor for 6% of their time")
    };
    assert_eq!([Some(0.01), Some(0.06), None].map(warned), [false, true, false]);
}

#[test]
fn a_campaign_of_few_blocks_gets_no_verdict() {
    let of = |calls| {
        let scratch = Scratch::new();
        Fabricated { environments: 8, calls, ..Fabricated::default() }.write(&scratch.path("run"));
        (report(&scratch, &[]), pair(&report(&scratch, &["--format", "json"])))
    };
    let (text, analysis) = of(4);
    assert!(text.starts_with("No verdict: 4 blocks have samples of both sides, and it takes 5"), "{text}");
    assert!(text.contains("too-few-blocks: The campaign has samples of both sides in fewer than 5 blocks"), "{text}");
    let headline = &analysis["headline"];
    assert_eq!((&headline["verdict"], &headline["blocks"]), (&Value::from("withheld"), &Value::from(4)));
    assert_eq!((&headline["ratio"]["interval"], &headline["environments_needed"]), (&Value::Null, &Value::Null));
    let (_, analysis) = of(5);
    assert_eq!(analysis["headline"]["verdict"], "faster");
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let scratch = Scratch::new();
    report(&scratch, &[]);
    let mut process = program::duet()
        .args(["report", &scratch.path("run"), "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn a_campaign_ends_when_its_intervals_are_narrow() {
    // A Lambda of eight environments a side, whose times hardly vary.
    let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let lambda = Scripted::aws(move |call, number| {
        if !call.line.contains("/invocations") {
            return Reply::ok(r#"{"Architectures": ["arm64"], "MemorySize": 1769, "Timeout": 3}"#);
        }
        let is_candidate = call.line.contains("/functions/a/");
        let side = if is_candidate { "a" } else { "x" };
        let environment = counts[usize::from(is_candidate)].fetch_add(1, Ordering::SeqCst) % 8;
        let duration = 20.0 + (number * 7 % 5) as f64 * 0.01;
        let id = request_id(number);
        let log = format!(
            "REPORT RequestId: {id}\tDuration: {duration} ms\tBilled Duration: 21 ms\tMemory Size: 1769 MB\tMax Memory Used: 30 MB\t\n"
        );
        Reply::ok(format!(r#"{{"id": "{side}{environment}"}}"#))
            .header("x-amz-log-result", BASE64_STANDARD.encode(log))
            .after(Duration::from_millis(21))
    });
    let scratch = Scratch::new();
    let (payload, out) = (scratch.path("payload.json"), scratch.path("run"));
    fs::write(&payload, "{}").unwrap();
    let arguments = [
        ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--environment", "/id", "--until-ci", "2%"]
            .as_slice(),
        &["--environments", "8", "--invocations", "3200", "--out", &out],
    ]
    .concat();
    let output = command(&lambda.url, &arguments).output().unwrap();
    assert_code(&output, 0);
    assert!(stderr(&output).contains("the intervals are narrow enough (--until-ci 2%)"), "{}", stderr(&output));
    let (manifest, rows) = samples(&out);
    assert!(rows.len() <= 10 * manifest.calls_of_block() as usize, "{} calls", rows.len());
    let analysis = pair(&stdout(&duet(&["report", &out, "--format", "json"])));
    assert_eq!(analysis["headline"]["verdict"], "equivalent");
    assert_eq!(analysis["method"]["until_ci"], 0.02);
}

#[test]
fn the_calibration_meets_its_aims_where_tests_on_calls_do_not() {
    let outcomes = json(&stdout(&duet(&["calibrate", "--runs", "40", "--json"])));
    let outcomes = outcomes.as_array().unwrap();
    let coverage = |outcome: &Value, method: &str| {
        let scores = outcome["scores"].as_array().unwrap();
        scores.iter().find(|it| it["method"] == method).unwrap()["coverage"].as_f64()
    };
    for outcome in outcomes {
        let environments = outcome["scenario"]["environments"].as_u64().unwrap();
        // Three environments get no interval.
        assert_eq!(coverage(outcome, "shipped").is_some(), environments >= 8, "{outcome}");
    }
    let many_calls = outcomes.iter().filter(|it| it["scenario"]["calls"] == 50 && it["scenario"]["census"] == 0);
    assert!(many_calls.clone().count() > 0);
    for outcome in many_calls {
        assert!(coverage(outcome, "pooled-welch").unwrap() < 0.7, "{outcome}");
    }
    let half_width = |outcome: &Value, method: &str| {
        let scores = outcome["scores"].as_array().unwrap();
        scores.iter().find(|it| it["method"] == method).unwrap()["half_width"].as_f64().unwrap()
    };
    let counted = outcomes.iter().map(|it| (it, &it["scenario"]));
    let counted = counted.filter(|(_, of)| of["cpus"] == "two" && of["environments"] == 60 && of["census"] == 1000);
    assert!(counted.clone().count() > 0);
    for (outcome, _) in counted {
        let (with, without) = (half_width(outcome, "shipped"), half_width(outcome, "without-census"));
        assert!(with < 0.45 * without, "{outcome}");
    }
}
