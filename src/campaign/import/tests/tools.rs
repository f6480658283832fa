//! Files that tools have written.

use super::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn each_command_of_hyperfine_is_a_variant_and_each_file_a_block() {
    let scratch = Scratch::new();
    let file = |name: &str, text: &str| {
        let path = scratch.0.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let export = |ms: u32| {
        format!(
            r#"{{"results": [{{"command": "a", "mean": 1, "times": [0.{ms}, 0.2]}},
            {{"command": "b", "times": [0.3], "exit_codes": [0], "memory_usage_byte": [1]}}]}}"#
        )
    };
    let paths = vec![file("1.json", &export(1)), file("2.json", &export(4))];
    let imported = scratch.import(&Source::Hyperfine(paths), &durations()).unwrap();
    assert_eq!((imported.measurements, imported.blocks), (6, 2));
    let facts = |row: &Row| (row.variant.get(), row.block, row.report.as_ref().unwrap().duration_ms.unwrap());
    let rows: Vec<_> = scratch.rows().iter().map(facts).collect();
    assert_eq!(rows, [(0, 0, 100.0), (0, 0, 200.0), (1, 0, 300.0), (0, 1, 400.0), (0, 1, 200.0), (1, 1, 300.0)]);
    for (text, reason) in [
        (r#"{"results": [{"command": "a", "times": [1]}, {"command": "a", "times": [1]}]}"#, "it has two results"),
        (r#"{"results": [{"command": "a", "times": [0]}]}"#, "times[0] is a time of 0e0 ms"),
        (r#"{"results": [{"command": "a", "times": [1], "exit_codes": [1]}]}"#, "a run that failed"),
        ("{\"results\": [\n{\"command\": \"a\"}]}", "line 2: missing field `times`"),
        (r#"{"results": [{"command": "a\nb", "times": [1]}]}"#, "a name has no control characters"),
        ("[]", "line 1: invalid"),
    ] {
        let source = Source::Hyperfine(vec![file("wrong.json", text)]);
        fs::remove_dir_all(scratch.0.join("run")).ok();
        let error = scratch.import(&source, &durations()).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn benchmarks_of_criterion_are_variants_in_cells() {
    let scratch = Scratch::new();
    let file = |directory: &str, function: &str, value: &str, samples: &str| {
        let directory = scratch.0.join(directory);
        fs::create_dir_all(&directory).unwrap();
        let benchmark = format!(
            r#"{{"group_id": "sum", "function_id": {function}, "value_str": {value}, "throughput": null,
                "full_id": "sum/7", "directory_name": "d", "title": "t"}}"#
        );
        fs::write(directory.join("benchmark.json"), benchmark).unwrap();
        fs::write(directory.join("sample.json"), samples).unwrap();
        directory.join("sample.json")
    };
    let samples = r#"{"sampling_mode": "Flat", "iters": [2.0, 4.0], "times": [3e6, 8e6]}"#;
    let imported = |paths: Vec<PathBuf>| {
        fs::remove_dir_all(scratch.0.join("run")).ok();
        scratch.import(&Source::Criterion(paths), &Choices { environments: EnvironmentNames::Named, ..durations() })
    };
    let rows = |imported: Imported| -> Vec<String> {
        let fact = |row: Row| {
            let name = &imported.manifest.variants[row.variant].name;
            let ms = row.report.unwrap().duration_ms.unwrap();
            format!("{name} {} block {} environment {} {ms}", row.cell, row.block, row.environment.unwrap())
        };
        scratch.rows().into_iter().map(fact).step_by(2).collect()
    };
    let [one, other] = [("1/a/new", "\"a\""), ("1/b/new", "\"b\"")].map(|(at, name)| file(at, name, "\"9\"", samples));
    let again = file("2/a/new", "\"a\"", "\"9\"", samples);
    assert_eq!(
        rows(imported(vec![one.clone(), other, again]).unwrap()),
        ["a sum/9 block 0 environment 0 1.5", "b sum/9 block 0 environment 0 1.5", "a sum/9 block 1 environment 1 1.5"]
    );
    let before = file("1/a/before", "null", "null", samples);
    assert_eq!(rows(imported(vec![before, one]).unwrap())[0..1], ["before sum/7 block 0 environment 0 1.5"]);
    let wrong = file("3/a/new", "null", "null", r#"{"iters": [1], "times": []}"#);
    assert!(imported(vec![wrong.clone()]).unwrap_err().contains("iters and times have different lengths, 1 and 0"));
    fs::write(&wrong, r#"{"iters": [0], "times": [1]}"#).unwrap();
    assert!(imported(vec![wrong.clone()]).unwrap_err().contains("times[0] by iters[0] is a time of inf ms"));
    fs::remove_file(wrong.with_file_name("benchmark.json")).unwrap();
    assert!(imported(vec![wrong]).unwrap_err().contains("there is no benchmark.json beside it"));
}

#[test]
fn invocations_of_sebs_are_told_apart_by_what_they_ran_on() {
    let scratch = Scratch::new();
    let invocation = |cold: bool, memory_mb: u32, container: &str| {
        json!({
            "stats": {"cold_start": cold, "failure": false},
            "times": {"client": 4_000.0},
            "provider_times": {"execution": 2_500, "initialization": if cold { 90_000 } else { 0 }},
            "billing": {"_memory": memory_mb, "_billed_time": 3},
            "output": {"container_id": container},
        })
    };
    let file = |name: &str, architecture: &str, invocations: Value| {
        let path = scratch.0.join(name);
        let config = json!({
            "experiments": {"architecture": architecture},
            "deployment": {"credentials": {"secret_key": "a secret"}},
        });
        let text = json!({"_invocations": invocations, "config": config}).to_string();
        fs::write(&path, text).unwrap();
        path
    };
    let imported = |paths: &[&PathBuf], measure: ImportedMeasure| {
        fs::remove_dir_all(scratch.0.join("run")).ok();
        let choices = Choices { environments: EnvironmentNames::Named, ..choices(measure) };
        let source = Source::Sebs(paths.iter().map(|path| path.to_path_buf()).collect(), measure);
        let Imported { manifest, .. } = scratch.import(&source, &choices)?;
        let fact = |row: Row| {
            let Row { variant, cell, block, environment, .. } = row;
            let name = &manifest.variants[variant].name;
            let report = row.report.unwrap_or_default();
            let values = [report.duration_ms, report.billed_ms, report.init_ms, Some(row.latency_ns as f64 / 1e6)];
            let value = values.into_iter().flatten().find(|value| *value > 0.0).unwrap();
            format!("{name} {cell} block {block} environment {} {value}", environment.unwrap_or_default())
        };
        let kept = fs::read_to_string(scratch.0.join("run/campaign.json")).unwrap();
        assert!(!kept.contains("secret"), "{kept}");
        Ok::<_, String>(scratch.rows().into_iter().map(fact).collect::<Vec<_>>())
    };
    let both =
        |memory_mb| json!({"f": {"1": invocation(true, memory_mb, "p"), "2": invocation(false, memory_mb, "q")}});
    let x86 = file("x86.json", "x64", both(512));
    let arm = file("arm.json", "arm64", both(512));
    let again = file("again.json", "x64", both(512));
    assert_eq!(
        imported(&[&x86, &arm, &again], ImportedMeasure::Duration).unwrap(),
        [
            "x86_64 cold block 0 environment p 2.5",
            "x86_64 warm block 0 environment q 2.5",
            "arm64 cold block 0 environment p 2.5",
            "arm64 warm block 0 environment q 2.5",
            "x86_64 cold block 1 environment p 2.5",
            "x86_64 warm block 1 environment q 2.5",
        ]
    );
    for (measure, first, rows) in [
        (ImportedMeasure::Billed, "x86_64 cold block 0 environment p 3", 4),
        (ImportedMeasure::Latency, "x86_64 cold block 0 environment p 4", 4),
        (ImportedMeasure::Init, "x86_64 cold block 0 environment p 90", 2),
    ] {
        let found = imported(&[&x86, &arm], measure).unwrap();
        assert_eq!((found[0].as_str(), found.len()), (first, rows));
    }
    let large = file("large.json", "x64", both(1024));
    let names = |rows: Vec<String>| -> BTreeSet<String> {
        rows.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect()
    };
    let named = |paths: &[&PathBuf]| names(imported(paths, ImportedMeasure::Duration).unwrap());
    assert_eq!(named(&[&x86, &large]), ["1024", "512"].map(str::to_owned).into());
    assert_eq!(named(&[&x86, &arm, &large]), ["arm64-512", "x86_64-1024", "x86_64-512"].map(str::to_owned).into());
    let functions = file("functions.json", "x64", json!({"f": both(512)["f"], "g": both(512)["f"]}));
    assert_eq!(named(&[&functions]), ["f", "g"].map(str::to_owned).into());

    let mut raw = both(512);
    raw["f"]["2"]["provider_times"]["execution"] = json!(0);
    let raw = file("raw.json", "arm64", raw);
    let error = imported(&[&x86, &raw], ImportedMeasure::Duration).unwrap_err();
    assert!(error.contains("raw.json: the invocation 2 of f: provider_times.execution is not there"), "{error}");
    let mut failed = both(512);
    failed["f"]["1"]["stats"]["failure"] = json!(true);
    let error = imported(&[&x86, &file("failed.json", "arm64", failed)], ImportedMeasure::Latency).unwrap_err();
    assert!(error.contains("the invocation 1 of f: it failed, and a failed call has no time"), "{error}");
    let mut without_log = both(512);
    without_log["f"]["2"]["billing"] = json!({"_memory": null, "_billed_time": null});
    let error = imported(&[&x86, &file("no-log.json", "arm64", without_log)], ImportedMeasure::Latency).unwrap_err();
    assert!(error.contains("no-log.json: the memory size of an invocation is not there"), "{error}");
    let warm = file("warm.json", "arm64", json!({"f": {"1": invocation(false, 512, "p")}}));
    let error = imported(&[&warm], ImportedMeasure::Init).unwrap_err();
    assert!(error.contains("no invocation was a cold start, which alone"), "{error}");
    let error = imported(&[&x86, &again], ImportedMeasure::Duration).unwrap_err();
    assert!(error.contains("\"x86_64\" is the only variant") && error.contains("; import the files"), "{error}");
}
