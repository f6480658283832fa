//! Files that were damaged, edited or never were a campaign's: reading them ends in a message, never in a panic.

use super::Scratch;
use super::both;
use crate::cli::{duet, stderr};
use lambda_duet::{
    analysis::{
        analyze_samples::{Options, analyze},
        samples::Samples,
    },
    campaign::{
        driver::Progress,
        manifest::Manifest,
        run_directory,
        schedule::{self, Call},
    },
    report::{campaign::document, csv, html, markdown, plan, terminal},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A campaign of a workload and a payload.
fn manifest() -> Value {
    let variant = |name: &str, configuration: Value, price: Value| json!({"name": name, "target": format!("lambda:{name}"), "configuration": configuration, "price": price});
    let configuration = json!({
        "arn": null, "architecture": "arm64", "memory_mb": 1769, "timeout_s": 30, "runtime": "provided.al2023",
        "log_format": "JSON", "ephemeral_storage_mb": 512, "tracing": null, "layers": []
    });
    let price = json!({
        "region": "us-east-1", "date": "2026-08-31", "request_usd": 0.000_000_2,
        "ephemeral_gb_second_usd": 0.000_000_030_9,
        "tiers": [
            {"up_to_gb_seconds": 7.5e9, "gb_second_usd": 0.000_013_333_4},
            {"up_to_gb_seconds": null, "gb_second_usd": 0.000_010_667}
        ]
    });
    json!({
        "schema": 2, "version": "0.1.0", "created_unix_ms": 1_800_000_000_000_u64,
        "variants": [variant("x", Value::Null, Value::Null), variant("a", configuration, price)],
        "baseline": 0,
        "plan": {
            "separate_from": 1,
            "seed": 7, "environments": 2, "order": "joint-steps", "cold": false, "concurrent": true,
            "cells": [
                {"name": "math/fft", "weight": 1, "workload": "math/fft", "payload": "{}", "guess_ms": 50.0},
                {"name": "order.json", "weight": 2, "workload": null, "payload": "[1]", "guess_ms": 100.0}
            ],
            "pace_ms": 0, "timeout_ms": 30_000, "auth": "sigv4", "compare_output": true, "ignore": ["/id"],
            "environment": "/env", "cpu_model": null, "accept_status": ["404", "5xx"],
            "hooks": {
                "before": {"run": "psql -f reset.sql", "directory": "/home/me"}, "after": {"run": "lambda:reset"},
                "timeout_ms": 60_000
            },
            "census": {"environments": 100, "rounds": 5, "hold_ms": 1500}
        },
        "limits": {"duration_ms": 600_000, "invocations": 100, "max_cost_usd": 0.5, "until_ci": 0.02}
    })
}

/// Its first block.
fn rows() -> Vec<Value> {
    let manifest: Manifest = serde_json::from_value(manifest()).unwrap();
    let steps = schedule::block(&manifest.plan, &both(), 0, manifest.plan.order);
    let calls = steps.into_iter().enumerate().flat_map(|(step, calls)| calls.into_iter().map(move |call| (step, call)));
    calls
        .map(|(number, Call { variant, cell, slot })| {
            let mut row = json!({
                "block": 0, "step": number, "slot": slot, "variant": variant, "cell": manifest.plan.cells[cell].name,
                "started_unix_ms": 1_800_000_000_000_u64, "elapsed_ms": 10 * number, "delay_ns": 1000, "latency_ns": 20_500_000,
                "cold": false, "cost_usd": 0.000_001,
                "report": {"duration_ms": 19.5, "billed_ms": 20.0, "init_ms": 100.25, "memory_mb": 1769, "max_memory_mb": 30},
            });
            match (cell, slot) {
                (0, _) => row["response"] = response(),
                (_, 0) => {
                    row["output_sha256"] = json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
                    row["environment"] = json!("e1");
                    row["cpu_model"] = json!("Neoverse-N1");
                    row["request_id"] = json!("8f507cfc-xmpl-4697-b07a-ac58fc914c95");
                    row["executed_version"] = json!("$LATEST");
                    row["report"]["billed_restore_ms"] = json!(65.0);
                }
                _ => {
                    // What an extension has pushed out of the log is not there.
                    row["report"] = json!({"init_ms": 100.25});
                    row["failure"] = json!({"kind": "timeout", "message": "no answer within 30s"});
                }
            }
            row
        })
        .collect()
}

fn response() -> Value {
    json!({
        "schema": 1, "request_id": "r",
        "function": {"name": "a", "version": "$LATEST", "memory_mb": 1769, "architecture": "arm64"},
        "environment": {"id": "e1", "cold_start": false, "invocation_index": 3, "init_ms": 12.5},
        "host": {
            "cpu_model": "Neoverse-N1", "cpu_features": ["asimd"], "vcpus": 2, "emulated": false,
            "clock": {"resolution_ns": 1, "cost_ns": 40}, "cpu_clock": {"resolution_ns": 1, "cost_ns": 200}
        },
        "build": {
            "version": "0.1.0", "git_revision": "unknown", "rustc": "rustc", "target": "aarch64-unknown-linux-gnu",
            "target_cpu": "neoverse-n1", "target_features": []
        },
        "results": [{
            "workload": "math/fft", "category": "math", "size": "medium", "elements": 1024,
            "checksum": "0123456789abcdef", "status": "completed", "batch_size": 1, "wall_ns": [1_000_000, 1_100_000],
            "cpu_ns": [990_000, 1_090_000],
            "summary": {"min": 1e6, "median": 1.05e6, "mean": 1.05e6, "p95": 1.095e6, "stddev": 7.07e4},
            "memory": {"max_rss_bytes": 9_000_000}, "throttled_fraction": 0.01
        }],
        "complete": true, "remaining_ms": 29_000
    })
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn write(directory: &Path, manifest: &[u8], samples: &[u8]) {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("campaign.json"), manifest).unwrap();
    fs::write(directory.join("samples.jsonl"), samples).unwrap();
}

/// All that is done with the files of a run directory, and the first thing that is wrong with them.
fn read(directory: &Path) -> Result<usize, String> {
    let manifest = run_directory::manifest(directory).map_err(|error| error.to_string())?;
    let _ = plan::plan(&manifest);
    // What a campaign that goes on would make of them.
    let _ = Progress::new(&manifest, run_directory::rows(directory, &manifest).unwrap(), Vec::new());
    let (mut samples, mut first_error, mut count) = (Samples::new(manifest.variants.count()), None, 0);
    for row in run_directory::rows(directory, &manifest).unwrap() {
        match row {
            Ok(row) => {
                samples.add(&row);
                count += 1;
            }
            Err(error) => first_error = first_error.or(Some(error.to_string())),
        }
    }
    let analysis = analyze(&manifest, &samples, &Options::default());
    let blocks = document(&analysis);
    for text in [terminal::full(&blocks), markdown::render(&blocks), csv::report(&analysis).unwrap()] {
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
    assert!(html::page(&analysis).contains("</html>"));
    assert!(samples.totals.cost_usd().is_finite());
    first_error.map_or(Ok(count), Err)
}

#[test]
fn the_campaign_that_is_damaged_below_is_valid() {
    let scratch = Scratch::new();
    write(&scratch.0, manifest().to_string().as_bytes(), lines(&rows()).as_bytes());
    assert_eq!(read(&scratch.0), Ok(12));
    super::samples(scratch.0.to_str().unwrap());
}

#[test]
fn an_invalid_sample_is_named_by_file_and_line() {
    let scratch = Scratch::new();
    let whole = rows();
    let with = |pointer: &str, value: Value| {
        let mut rows = whole.clone();
        let number = rows.iter().position(|row| row.pointer(pointer).is_some()).unwrap();
        *rows[number].pointer_mut(pointer).unwrap() = value;
        (lines(&rows).into_bytes(), number + 1)
    };
    let first = lines(&whole[..1]);
    let newer = first.replacen("{\"", "{\"colour\":1,\"", 1);
    let cases = [
        ((b"PK\x03\x04\x00\x00".to_vec(), 1), "neither a sample"),
        ((vec![0; 4096], 1), "neither a sample"),
        (([vec![0; 4096], b"\n".to_vec()].concat(), 1), "expected value at column 1"),
        (([first.as_bytes(), b"\xff\xfe\n"].concat(), 2), "expected value"),
        ((first.replace("math/fft", "math/\u{fffd}").into_bytes(), 1), "which campaign.json does not have"),
        (([first.as_bytes(), b"block,step\n"].concat(), 2), "expected value"),
        (([first.as_bytes(), b"\n", first.as_bytes()].concat(), 2), "EOF while parsing a value at column 0"),
        (([first.as_bytes(), newer.as_bytes()].concat(), 2), "unknown field `colour`"),
        ((format!("{}\n", "[".repeat(100_000)).into_bytes(), 1), "expected"),
        (
            ([first.as_bytes(), first.as_bytes()].concat(), 2),
            "and attempt is 0, but a line before has the last attempt at this call",
        ),
        (
            (lines(&[whole[4].clone(), whole[0].clone()]).into_bytes(), 2),
            "block is 0 and step is 0, behind block 0, step 1",
        ),
        (with("/latency_ns", json!(u64::MAX)), "latency_ns is 18446744073709551615; it must be at most"),
        (with("/elapsed_ms", json!(1_u64 << 60)), "elapsed_ms is"),
        (with("/started_unix_ms", json!(u64::MAX)), "started_unix_ms is"),
        (with("/slot", json!(2)), "slot is 2; by campaign.json it is below 2"),
        (with("/step", json!(6)), "step is 6"),
        (
            with("/cell", json!("order.json")),
            "cell is \"order.json\", which the schedule does not have in block 0, step 0",
        ),
        (with("/cost_usd", json!(-0.5)), "cost_usd is -5e-1; it must be from 0"),
        (with("/report/duration_ms", json!(1e308)), "report.duration_ms is 1e308"),
        (with("/report/init_ms", json!(-1)), "report.init_ms is -1e0"),
        (with("/report/billed_restore_ms", json!(1e300)), "report.billed_restore_ms is 1e300"),
        (with("/request_id", json!("x".repeat(257))), "request_id is longer than 256 bytes"),
        (with("/executed_version", json!("")), "executed_version is empty"),
        (with("/failure/kind", json!("bored")), "unknown variant `bored`"),
        (with("/response/schema", json!(2)), "response.schema is 2; this version reads 1"),
        (with("/response/environment/id", json!("")), "response.environment.id is empty"),
        (with("/response/results/0/wall_ns", json!([0, 1])), "response.results[0].wall_ns has 0"),
        (with("/response/results/0/cpu_ns", json!([1])), "wall_ns has 2 times and cpu_ns has 1"),
        (with("/response/results/0/summary/stddev", json!(1e300)), "response.results[0].summary is 1e300"),
        (with("/environment", json!("x".repeat(257))), "environment is longer than 256 bytes"),
        (with("/output_sha256", json!("abc")), "64 hexadecimal digits"),
    ];
    for ((samples, line), part) in cases {
        write(&scratch.0, manifest().to_string().as_bytes(), &samples);
        let error = read(&scratch.0).unwrap_err();
        assert!(error.contains(&format!("samples.jsonl, line {line}: ")) && error.contains(part), "{part}: {error}");
        // The command line says the same.
        let output = duet(&["report", scratch.0.to_str().unwrap()]);
        assert!(output.status.code() == Some(1) && stderr(&output).contains(&error), "{error}: {}", stderr(&output));
    }
}

#[test]
fn a_last_line_that_a_crash_cut_off_or_zeroed_is_ignored() {
    let scratch = Scratch::new();
    let whole = lines(&rows());
    for tail in [b"{\"block\":0,\"st".as_slice(), b"{\"bl", b"{\"block\":0\0\0\0", &[0; 512]] {
        let samples = [whole.as_bytes(), tail].concat();
        write(&scratch.0, manifest().to_string().as_bytes(), &samples);
        assert_eq!(read(&scratch.0), Ok(12));
        drop(run_directory::Journal::open(&scratch.0).unwrap());
        assert_eq!(fs::read(scratch.0.join("samples.jsonl")).unwrap(), whole.as_bytes());
    }
    // What does not begin like a sample may be the user's, and stays.
    write(&scratch.0, manifest().to_string().as_bytes(), b"dear diary");
    let error = run_directory::Journal::open(&scratch.0).unwrap_err().to_string();
    assert!(error.contains("samples.jsonl, line 1: this is neither a sample"), "{error}");
    assert_eq!(fs::read(scratch.0.join("samples.jsonl")).unwrap(), b"dear diary");
}

#[test]
fn an_invalid_manifest_is_refused_by_the_field() {
    let scratch = Scratch::new();
    let with = |pointer: &str, value: Value| {
        let mut manifest = manifest();
        *manifest.pointer_mut(pointer).unwrap() = value;
        manifest.to_string().into_bytes()
    };
    let mut ended = manifest()["variants"][0].clone();
    ended["ended"] = json!({"block": 1, "step": 0, "reason": "given-up"});
    let mut unnamed = manifest()["variants"][0].clone();
    unnamed["name"] = json!("");
    let mut with_program = manifest()["variants"][1].clone();
    with_program["program"] = json!({"sha256": "12", "bytes": 3});
    let cases = [
        (b"".to_vec(), "campaign.json, line 1: EOF"),
        (b"\n\nno campaign".to_vec(), "campaign.json, line 3: expected"),
        (b"{\"schema\": \"\xff\"}".to_vec(), "campaign.json, line 1: "),
        (vec![0; 100], "campaign.json, line 1: expected value"),
        (with("/schema", json!(3)), "campaign.json, line 1: schema 3 is not known to this version, which reads 1 to 2"),
        (with("/variants", json!([manifest()["variants"][0]])), "variants has 1 entries; it must have from 2 to 64"),
        (with("/variants", json!([unnamed, unnamed])), "variants[0].name is empty; every variant must have one"),
        (with("/variants/1", with_program), "variants[1].program.sha256 is \"12\"; it must be 64"),
        (with("/variants/1/name", json!("x")), "variants[1].name is \"x\" a second time"),
        (with("/baseline", json!(2)), "baseline is 2; it must be below 2"),
        (with("/baseline", json!(64)), "the number of a variant, below 64"),
        (with("/variants/0", ended), "variants[0].ended is there, and the baseline is called until"),
        (with("/schema", json!(-1)), "campaign.json, line 1: invalid value"),
        (with("/plan/cells", json!([])), "campaign.json: plan.cells has 0 payloads"),
        (with("/plan/cells/1/name", json!("math/fft")), "plan.cells[1].name is \"math/fft\" a second time"),
        (with("/plan/cells/1/weight", json!(0)), "plan.cells[1].weight is 0; it must be from 1 to 1000"),
        (with("/plan/cells/0/guess_ms", json!(1e308)), "plan.cells[0].guess_ms is 1e308"),
        (with("/plan/environments", json!(u32::MAX)), "plan.environments is 4294967295; it must be from 1 to 1000"),
        (with("/plan/environment", json!("id")), "\"id\" as a JSON pointer"),
        (with("/plan/timeout_ms", json!(0)), "plan.timeout_ms is 0"),
        (with("/plan/separate_from", json!(0)), "plan.separate_from is 0"),
        (with("/plan/order", json!("single-calls")), "plan.separate_from is 1, and plan.order has no joint steps"),
        (with("/plan/accept_status/0", json!("teapot")), "\"teapot\" is not a status"),
        (with("/plan/hooks/timeout_ms", json!(0)), "plan.hooks.timeout_ms is 0; it must be from 1 to"),
        (with("/plan/hooks/before/run", json!("")), "campaign.json, line 1: it is empty; write lambda:NAME"),
        (
            with("/plan/hooks/before/directory", json!("a\u{7}")),
            "plan.hooks.before.directory is \"a\\u{7}\"; a name has no control characters",
        ),
        (
            with("/plan/hooks/before", json!({"run": "make reset"})),
            "plan.hooks.before.directory is missing; \"make reset\" must be run in one",
        ),
        (with("/plan/census/environments", json!(0)), "plan.census.environments is 0; it must be from 1 to 100000"),
        (with("/plan/census/rounds", json!(101)), "plan.census.rounds is 101; it must be from 1 to 100"),
        (with("/plan/census/hold_ms", json!(60_001)), "plan.census.hold_ms is 60001"),
        (
            with("/plan/cells/0/workload", Value::Null),
            "plan.census is there without plan.environment and plan.cpu_model",
        ),
        (with("/plan/cold", json!(true)), "plan.census is there, and plan.cold is true"),
        (with("/variants/1/price/request_usd", json!(-1)), "variants[1].price.request_usd is -1e0"),
        (
            with("/variants/1/price/tiers/0/gb_second_usd", json!(-1)),
            "variants[1].price.tiers[0].gb_second_usd is -1; it must be",
        ),
        (with("/variants/1/price/tiers", json!([])), "variants[1].price.tiers is empty"),
        (with("/limits/max_cost_usd", json!(-1)), "limits.max_cost_usd is -1e0"),
        (with("/limits/until_ci", json!(0.5)), "limits.until_ci is 0.5; it must be above 0 and below 0.5"),
    ];
    for (manifest, part) in cases {
        write(&scratch.0, &manifest, b"");
        let error = read(&scratch.0).unwrap_err();
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_variant_that_an_earlier_version_left_without_a_name_is_named_by_its_target() {
    let scratch = Scratch::new();
    let mut earlier = manifest();
    let mut variant = |name: &str, target: &str| {
        earlier["variants"][0]["name"] = json!(name);
        earlier["variants"][0]["target"] = json!(target);
        earlier["variants"][0].clone()
    };
    let variants = [variant("base", "exec:/fn/fast"), variant("", "exec:/fn/fast2"), variant("slow", "exec:/fn/slow")];
    earlier["variants"] = json!(variants);
    write(&scratch.0, earlier.to_string().as_bytes(), b"");
    let manifest = run_directory::manifest(&scratch.0).unwrap();
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    assert_eq!(names, ["base", "exec:/fn/fast2", "slow"]);
    // No campaign begins with such a name.
    let mut unnamed = manifest;
    for (_, variant) in unnamed.variants.iter_mut().take(1) {
        variant.name.clear();
    }
    let error = run_directory::Journal::create(&scratch.0.join("new"), &unnamed).unwrap_err().to_string();
    assert!(error.contains("variants[0].name is empty"), "{error}");
}

/// Damage to a file, by accident or by hand. Numbers wrap around what they choose from.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Truncate(usize),
    Swap(usize, usize),
    Delete(usize, usize),
    Replace(usize, usize, Value),
}

fn damage() -> impl Strategy<Value = Damage> {
    let deep = (0..200).fold(json!(0), |inner, _| json!([inner]));
    let extremes = [
        json!(-1),
        json!(1e308),
        json!(-1e308),
        json!(0),
        json!(5e-324),
        json!(u64::MAX),
        json!(u32::MAX),
        json!(i64::MIN),
        json!(null),
        json!(true),
        json!(""),
        json!("text"),
        json!("\u{0}"),
        json!([]),
        json!([1e308, 1e308]),
        json!({}),
        deep,
    ];
    prop_oneof![
        1 => (any::<usize>(), 1_u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => any::<usize>().prop_map(Damage::Truncate),
        1 => any::<(usize, usize)>().prop_map(|(one, other)| Damage::Swap(one, other)),
        1 => any::<(usize, usize)>().prop_map(|(line, field)| Damage::Delete(line, field)),
        4 => (any::<usize>(), any::<usize>(), prop::sample::select(extremes.to_vec()))
            .prop_map(|(line, field, value)| Damage::Replace(line, field, value)),
    ]
}

/// The JSON pointers to all there is in a value but itself.
fn pointers(value: &Value, here: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, it)| (format!("{here}/{name}"), it)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, it)| (format!("{here}/{index}"), it)).collect(),
        _ => Vec::new(),
    };
    for (pointer, child) in children {
        pointers(child, &pointer, all);
        all.push(pointer);
    }
}

impl Damage {
    fn to(&self, file: &mut Vec<u8>) {
        if file.is_empty() {
            return;
        }
        let mut lines: Vec<Vec<u8>> = file.split_inclusive(|it| *it == b'\n').map(<[u8]>::to_vec).collect();
        let count = lines.len();
        match self {
            Self::Flip(at, bits) => {
                let at = at % file.len();
                file[at] ^= bits;
                return;
            }
            Self::Truncate(at) => return file.truncate(at % file.len()),
            Self::Swap(one, other) => lines.swap(one % count, other % count),
            Self::Delete(line, field) => edit(&mut lines[line % count], *field, None),
            Self::Replace(line, field, value) => edit(&mut lines[line % count], *field, Some(value)),
        }
        *file = lines.concat();
    }
}

/// Takes a field out of a line, or gives it another value; leaves alone what is no JSON any more.
fn edit(line: &mut Vec<u8>, field: usize, value: Option<&Value>) {
    let Ok(mut json) = serde_json::from_slice::<Value>(line) else { return };
    let mut all = Vec::new();
    pointers(&json, "", &mut all);
    let Some(pointer) = all.get(field % all.len().max(1)) else { return };
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match (value, json.pointer_mut(parent).unwrap()) {
        (Some(value), parent) => match parent {
            Value::Array(items) => items[last.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[last] = value.clone(),
        },
        (None, Value::Object(members)) => drop(members.remove(last)),
        (None, Value::Array(items)) => drop(items.remove(last.parse().unwrap())),
        (None, _) => {}
    }
    *line = format!("{json}\n").into_bytes();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_the_reader_panic(
        to_manifest in prop::collection::vec(damage(), 0..2),
        to_samples in prop::collection::vec(damage(), 0..4),
    ) {
        let scratch = Scratch::new();
        let (mut manifest, mut samples) = (format!("{}\n", manifest()).into_bytes(), lines(&rows()).into_bytes());
        to_manifest.iter().for_each(|damage| damage.to(&mut manifest));
        to_samples.iter().for_each(|damage| damage.to(&mut samples));
        write(&scratch.0, &manifest, &samples);
        if let Err(error) = read(&scratch.0) {
            let of_manifest = error.contains("campaign.json, line ") || error.contains("campaign.json: ");
            prop_assert!(of_manifest || error.contains("samples.jsonl, line "), "{}", error);
        }
    }
}
