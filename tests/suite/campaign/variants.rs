//! Campaigns of more than two variants, and run directories of the schema that had two sides.

use super::{Scratch, assert_code, run, samples};
use crate::{
    cli::{duet, stderr, stdout},
    fabricated::Fabricated,
    report::pair,
    scripted::{Call, Reply, Scripted},
};
use lambda_duet::campaign::{manifest::EndReason, row::Row};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A campaign with these targets of one server, each a name and a path, and what else is asked for.
fn run_targets(scratch: &Scratch, server: &Scripted, targets: &[&str], arguments: &[&str]) -> Output {
    let payload = scratch.file("payload.json", "{}");
    let (out, url) = (scratch.path("run"), &server.url);
    let targets: Vec<String> = targets.iter().map(|name| format!("{name}={url}/{name}")).collect();
    let mut all = vec!["--no-auth", "--payload", &payload, "--out", &out, "--targets"];
    all.extend(targets.iter().map(String::as_str));
    all.extend_from_slice(arguments);
    run("", &all)
}

/// How many calls of each variant there are, by their names.
fn counts(scratch: &Scratch) -> BTreeMap<String, usize> {
    let (manifest, rows) = samples(&scratch.path("run"));
    let of = |variant| rows.iter().filter(|row: &&Row| row.variant == variant).count();
    manifest.variants.iter().map(|(index, variant)| (variant.name.clone(), of(index))).collect()
}

fn expected(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn every_block_visits_every_variant() {
    let scratch = Scratch::new();
    let server = Scripted::start(|_, _| Reply::ok("{}"));
    let names = ["a", "b", "c", "d", "e"];
    let arguments = ["--baseline", "c", "--environments", "2", "--invocations", "30"];
    let output = run_targets(&scratch, &server, &names, &arguments);
    assert_code(&output, 0);
    assert_eq!(counts(&scratch), expected(&names.map(|name| (name, 6))));
    let (manifest, _) = samples(&scratch.path("run"));
    assert_eq!(manifest.variants[manifest.baseline].name, "c");
    let plan = stderr(&output);
    assert!(plan.contains(&format!("baseline  c {}/c", server.url)), "{plan}");
    let lines = names.map(|name| format!("\n{name}          6 calls, "));
    assert!(lines.iter().all(|line| plan.contains(line)), "{plan}");
    let report = stdout(&duet(&["report", &scratch.path("run")]));
    assert!(report.starts_with("a, b, d and e are without a verdict beside c."), "{report}");
}

#[test]
fn a_variant_without_a_name_among_named_ones_is_named_by_its_target() {
    let (scratch, server) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let targets = [format!("a/b={}", server.url), "exec:/bin/true".to_owned(), format!("c={}", server.url)];
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let options = ["--no-auth", "--payload", &payload, "--out", &out, "--environments", "1", "--invocations", "3"];
    assert_code(&run("", &[&["--baseline", ""], options.as_slice(), &["--targets"], &targets].concat()), 2);
    assert_code(&run("", &[options.as_slice(), &["--targets"], &targets].concat()), 3);
    let (manifest, _) = samples(&out);
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    assert_eq!(names, ["a/b", "/bin/true", "c"]);
}

#[test]
fn names_and_numbers_of_targets_are_checked() {
    let scratch = Scratch::new();
    let server = Scripted::start(|_, _| Reply::ok("{}"));
    let many: Vec<String> = (0..65).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (targets, arguments, code, part) in [
        (["a", "b"].as_slice(), ["--baseline", "x"].as_slice(), 2, "--baseline x names no variant; they are a, b"),
        (&["a", "a"], &[], 2, "--targets has two variants of the name a"),
        (&["a"], &[], 2, "--targets takes a baseline and at least one candidate"),
        (&many, &[], 2, "--targets has 65 targets; 64 are the most"),
    ] {
        let output = run_targets(&scratch, &server, targets, arguments);
        assert_code(&output, code);
        assert!(stderr(&output).contains(part), "{part} is not in {}", stderr(&output));
    }
    assert_eq!(server.count(), 0);
}

fn failing(path: &'static str) -> Scripted {
    Scripted::start(
        move |call: &Call, _| {
            if call.line.contains(path) { Reply::status(400, "it is broken") } else { Reply::ok("{}") }
        },
    )
}

#[test]
fn a_failing_variant_is_given_up_and_the_others_go_on() {
    let scratch = Scratch::new();
    let server = failing("/broken");
    let names = ["a", "broken", "c"];
    let arguments = ["--environments", "2", "--invocations", "60"];
    let output = run_targets(&scratch, &server, &names, &arguments);
    assert_code(&output, 3);
    let text = stderr(&output);
    assert!(
        text.contains("Given up: the last 6 calls of broken failed") && text.contains("; the others go on"),
        "{text}"
    );
    let over =
        "Over: all calls are made (--invocations 60). The report is without broken, and there is nothing to continue.";
    assert!(text.contains(over), "{text}");
    // Three blocks of all, and of what is left as many as there is room for.
    assert_eq!(counts(&scratch), expected(&[("a", 26), ("broken", 6), ("c", 26)]));
    let (manifest, _) = samples(&scratch.path("run"));
    let ended: Vec<_> = manifest.variants.iter().map(|(_, variant)| variant.ended.map(|ended| ended.reason)).collect();
    assert_eq!(ended, [None, Some(EndReason::GivenUp), None]);
    // It stays so when the campaign is continued.
    let resumed = run("", &["--resume", &scratch.path("run")]);
    assert_code(&resumed, 3);
    assert_eq!(server.count(), 58);
    let report = stdout(&duet(&["report", &scratch.path("run"), "--details"]));
    assert!(report.contains("No call of broken gave a measurement"), "{report}");
    assert!(report.contains("broken was given up at block 4, because nothing but failures came."), "{report}");
}

#[test]
fn a_variant_without_one_success_is_told_however_short_the_campaign() {
    let scratch = Scratch::new();
    let arguments = ["--environments", "1", "--invocations", "12"];
    let output = run_targets(&scratch, &failing("/broken"), &["a", "broken", "c"], &arguments);
    assert_code(&output, 3);
    let text = stderr(&output);
    assert!(text.contains("Given up: the last 4 calls of broken failed") && text.contains("Over: "), "{text}");
}

#[test]
fn a_continued_campaign_gives_every_variant_a_new_chance() {
    let scratch = Scratch::new();
    let is_down = Arc::new(AtomicBool::new(true));
    let server = Scripted::start({
        let is_down = Arc::clone(&is_down);
        move |_, _| if is_down.load(Ordering::SeqCst) { Reply::status(400, "down") } else { Reply::ok("{}") }
    });
    let arguments = ["--environments", "1", "--invocations", "80", "--seed", "1"];
    assert_code(&run_targets(&scratch, &server, &["a", "b", "c", "d"], &arguments), 3);
    is_down.store(false, Ordering::SeqCst);
    assert_code(&run("", &["--resume", &scratch.path("run")]), 0);
    assert_eq!(counts(&scratch), expected(&["a", "b", "c", "d"].map(|name| (name, 20))));
}

#[test]
fn one_wrong_variant_is_no_mismatch_of_the_others() {
    for seed in ["1", "2", "3", "4"] {
        let scratch = Scratch::new();
        let server = Scripted::start(|call: &Call, _| {
            let answers = [("/a", "1.0"), ("/b", "1.0000000001"), ("/c", "2.0")];
            Reply::ok(answers.iter().find(|(path, _)| call.line.contains(path)).unwrap().1)
        });
        let arguments =
            ["--compare-output", "--tolerance", "1e-6", "--environments", "1", "--invocations", "12", "--seed", seed];
        assert_code(&run_targets(&scratch, &server, &["a", "b", "c"], &arguments), 4);
        let text = stdout(&duet(&["report", &scratch.path("run"), "--format", "json"]));
        let report: Value = serde_json::from_str(&text).unwrap();
        let mismatched = |place: usize| {
            let warnings = report["comparisons"][place]["warnings"].as_array().unwrap();
            warnings.iter().any(|warning| warning["kind"] == "checksum-mismatch")
        };
        assert_eq!([mismatched(0), mismatched(1)], [false, true], "{seed}: {report}");
    }
}

#[test]
fn a_campaign_without_its_baseline_or_without_any_success_ends_and_can_be_continued() {
    for (path, names) in [("/base", ["base", "b", "c"]), ("/", ["a", "b", "c"])] {
        let scratch = Scratch::new();
        let output = run_targets(&scratch, &failing(path), &names, &["--environments", "2", "--invocations", "60"]);
        assert_code(&output, 3);
        assert!(
            stderr(&output)
                .contains("The campaign is not over: the samples so far are kept; continue with `duet run --resume "),
            "{}",
            stderr(&output)
        );
        let (manifest, _) = samples(&scratch.path("run"));
        assert!(manifest.variants.iter().all(|(_, variant)| variant.ended.is_none()), "{path}");
    }
}

#[test]
fn events_name_variants() {
    let scratch = Scratch::new();
    let arguments = ["--json", "--environments", "2", "--invocations", "60"];
    let output = run_targets(&scratch, &failing("/broken"), &["a", "broken", "c"], &arguments);
    let events: Vec<Value> = stdout_of(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let given_up = events.iter().find(|event| event["event"] == "given-up").unwrap();
    assert_eq!((&given_up["variant"], &given_up["calls"]), (&json!("broken"), &json!(6)));
    let end = events.last().unwrap();
    assert_eq!(end["reason"], "enough");
    let names: Vec<&Value> = end["variants"].as_array().unwrap().iter().map(|variant| &variant["name"]).collect();
    assert_eq!(names, ["a", "broken", "c"]);
}

fn stdout_of(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A campaign of four variants: arm64 takes 0.8 of x86_64's time, the others 0.88 and 1.2 of it.
fn four(scratch: &Scratch) -> String {
    let run = scratch.path("run");
    Fabricated { more: vec![1.1, 1.5], ..Fabricated::default() }.write(&run);
    run
}

#[test]
fn a_report_of_four_variants_has_a_line_for_each_and_then_each_pair() {
    let scratch = Scratch::new();
    let run = four(&scratch);
    let summary = stdout(&duet(&["report", &run]));
    assert!(
        summary.starts_with("arm64 and arm64-2 are faster than x86_64; arm64-3 is slower than x86_64.\n"),
        "{summary}"
    );
    assert!(
        summary.contains("\nCheapest, fastest and balanced: arm64. Beside x86_64, the baseline, it takes "),
        "{summary}"
    );
    for name in ["x86_64", "arm64", "arm64-2", "arm64-3"] {
        let is_row = |line: &&str| line.contains(" ms ") && line.split_whitespace().next() == Some(name);
        assert_eq!(summary.lines().filter(is_row).count(), 1, "{name}: {summary}");
    }
    assert!(summary.lines().all(|line| line.chars().count() <= 100), "{summary}");
    let details = stdout(&duet(&["report", &run, "--details"]));
    for name in ["arm64", "arm64-2", "arm64-3"] {
        assert!(details.contains(&format!("{name} compared with x86_64\n")), "{details}");
    }
    let page = scratch.path("page.html");
    let csv = stdout(&duet(&["report", &run, "--format", "csv", "--html", &page]));
    let names = |name: &str| csv.lines().filter(|line| line.ends_with(&format!(",x86_64,{name}"))).count();
    assert_eq!(["arm64", "arm64-2", "arm64-3"].map(names), [names("arm64"); 3]);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Cost against time") && page.matches("<article>").count() == 3);
    let markdown = stdout(&duet(&["report", &run, "--format", "markdown"]));
    assert!(markdown.contains("| arm64-3 |"), "{markdown}");
}

#[test]
fn pairs_of_a_campaign_have_the_numbers_of_a_campaign_of_two() {
    let scratch = Scratch::new();
    let run = four(&scratch);
    let report: Value = serde_json::from_str(&stdout(&duet(&["report", &run, "--format", "json"]))).unwrap();
    assert_eq!(report["baseline"], "x86_64");
    let ratio = |place: usize| report["comparisons"][place]["headline"]["ratio"].clone();
    for (place, truth) in [(0, 0.8), (1, 0.88), (2, 1.2)] {
        let [low, high] = ["low", "high"].map(|end| ratio(place)["interval"][end].as_f64().unwrap());
        assert!(low < truth && truth < high && high - low < 0.05, "{}", ratio(place));
    }
    // What of the samples is of one pair makes a campaign of two variants with the same numbers.
    let (manifest, rows) = samples(&run);
    let of_pair = scratch.path("pair");
    fs::create_dir(&of_pair).unwrap();
    let mut of_two = serde_json::to_value(&manifest).unwrap();
    of_two["variants"].as_array_mut().unwrap().truncate(2);
    fs::write(format!("{of_pair}/campaign.json"), of_two.to_string()).unwrap();
    let known: Vec<Value> = rows.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    let renumbered = renumbered(&known, &of_two);
    fs::write(format!("{of_pair}/samples.jsonl"), renumbered).unwrap();
    let alone = pair(&stdout(&duet(&["report", &of_pair, "--format", "json"])));
    assert_eq!(alone["headline"]["ratio"], ratio(0));
    assert_eq!(alone["money"], report["comparisons"][0]["money"]);
}

/// The samples of the first two variants at the steps that a campaign of these has.
fn renumbered(rows: &[Value], manifest: &Value) -> String {
    let manifest = serde_json::from_value::<lambda_duet::campaign::manifest::Manifest>(manifest.clone()).unwrap();
    let variants: Vec<_> = manifest.variants.indices().collect();
    let blocks = rows.iter().map(|row| row["block"].as_u64().unwrap()).max().unwrap() + 1;
    let mut text = String::new();
    for block in 0..blocks {
        let steps = lambda_duet::campaign::schedule::block(&manifest.plan, &variants, block, manifest.plan.order);
        for (number, step) in steps.iter().enumerate() {
            for call in step {
                let is_it = |row: &&Value| {
                    row["block"] == block && row["slot"] == call.slot && row["variant"] == call.variant.get()
                };
                let Some(row) = rows.iter().find(is_it) else { continue };
                let mut row = row.clone();
                row["step"] = json!(number);
                text += &format!(
                    "{{\"block\":{block},{}\n",
                    &row.to_string().replacen(&format!("\"block\":{block},"), "", 1)[1..]
                );
            }
        }
    }
    text
}

#[test]
fn verdicts_hold_for_all_pairs_together() {
    let scratch = Scratch::new();
    // The first candidate differs from the baseline, twenty others do not.
    let found = (0..50).find_map(|seed| {
        let run = scratch.path(&seed.to_string());
        let cells = vec![("string/json", 0.988)];
        Fabricated { cells, more: vec![1.0 / 0.988; 20], seed, ..Fabricated::default() }.write(&run);
        let text = stdout(&duet(&["report", &run, "--format", "json", "--margin", "0.1%"]));
        let report: Value = serde_json::from_str(&text).unwrap();
        let headline = report["comparisons"][0]["headline"].clone();
        let p = headline["ratio"]["p_value"].as_f64().unwrap();
        (0.01..0.04).contains(&p).then_some(headline)
    });
    // By itself it would be a difference, and among so many it is not.
    assert_eq!(found.unwrap()["verdict"], "inconclusive");
}

#[test]
fn a_gate_and_a_comparison_take_every_variant() {
    let scratch = Scratch::new();
    let run = four(&scratch);
    let gate = duet(&["gate", &run, "--max-slowdown", "5%"]);
    assert_code(&gate, 6);
    assert!(stdout_of(&gate).starts_with("Fail: arm64-3 is more than 5% slower.\n"), "{}", stdout_of(&gate));
    let later = scratch.path("later");
    Fabricated { more: vec![1.1], seed: 7, ..Fabricated::default() }.write(&later);
    let gate = duet(&["gate", &later, "--baseline", &run, "--max-slowdown", "5%", "--json"]);
    assert_code(&gate, 7);
    let decision: Value = serde_json::from_str(&stdout_of(&gate)).unwrap();
    assert_eq!((&decision["gone"], &decision["decision"]), (&json!(["arm64-3"]), &json!("withheld")));
    let decisions: Vec<&Value> =
        decision["comparisons"].as_array().unwrap().iter().map(|pair| &pair["decision"]).collect();
    assert_eq!(decisions, ["pass", "pass"]);
    let compared = stdout(&duet(&["compare", &run, &later]));
    assert!(compared.contains("arm64-3: only in A") && compared.contains("\narm64-2\n"), "{compared}");
}

/// Rewrites a run directory of two variants as the schema had it that knew two sides.
fn to_sides(directory: &str) {
    let path = format!("{directory}/campaign.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let variants = manifest.as_object_mut().unwrap().remove("variants").unwrap();
    manifest.as_object_mut().unwrap().remove("baseline");
    manifest["schema"] = json!(1);
    manifest["sides"] = json!({"baseline": variants[0], "candidate": variants[1]});
    fs::write(&path, manifest.to_string()).unwrap();
    let path = format!("{directory}/samples.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let text =
        text.replace("\"variant\":0", "\"side\":\"baseline\"").replace("\"variant\":1", "\"side\":\"candidate\"");
    fs::write(&path, text).unwrap();
}

#[test]
fn run_directories_of_two_sides_are_read_and_continued() {
    let scratch = Scratch::new();
    let run_directory = scratch.path("fabricated");
    Fabricated::default().write(&run_directory);
    let report = || stdout(&duet(&["report", &run_directory, "--format", "json"]));
    let before = report();
    to_sides(&run_directory);
    assert_eq!(report(), before);

    let server = Scripted::start(|_, _| Reply::ok("{}"));
    let arguments = ["--environments", "2", "--invocations", "12"];
    assert_code(&run_targets(&scratch, &server, &["a", "b"], &arguments), 0);
    let run_directory = scratch.path("run");
    to_sides(&run_directory);
    let path = format!("{run_directory}/samples.jsonl");
    let of_sides: String = fs::read_to_string(&path).unwrap().split_inclusive('\n').take(5).collect();
    fs::write(&path, &of_sides).unwrap();
    let output = run("", &["--resume", &run_directory]);
    assert_code(&output, 0);
    assert_eq!(counts(&scratch), expected(&[("a", 6), ("b", 6)]));
    let now = fs::read_to_string(&path).unwrap();
    assert!(now.starts_with(&of_sides) && now[of_sides.len()..].contains("\"variant\":1"), "{now}");
}

#[test]
fn what_is_decided_in_a_continued_campaign_of_two_sides_can_be_read_again() {
    let scratch = Scratch::new();
    let server = Scripted::start(|_, number| match number {
        6 => Reply::status(429, "slow down"),
        _ => Reply::ok("{}"),
    });
    assert_code(&run_targets(&scratch, &server, &["a", "b"], &["--environments", "2", "--invocations", "4"]), 0);
    let run_directory = scratch.path("run");
    to_sides(&run_directory);
    let path = format!("{run_directory}/campaign.json");
    let more = fs::read_to_string(&path).unwrap().replace("\"invocations\":4", "\"invocations\":12");
    fs::write(&path, more).unwrap();
    assert_code(&run("", &["--resume", &run_directory]), 0);
    let (manifest, rows) = samples(&run_directory);
    assert_eq!((manifest.plan.separate_from, rows.len()), (Some(2), 13));
}
