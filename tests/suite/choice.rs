//! Which variant `duet report` says to take: of campaigns of several variants, and of a function that was tried.

use crate::{
    browser::{Console, View, open_in_browser},
    campaign::{Scratch, assert_code},
    cli::{duet, stderr, stdout},
    fabricated::Fabricated,
    handler::root,
};
use lambda_duet::analysis::sides::Sides;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// The variants of the function: the present configuration takes 20 ms.
const NAMES: [&str; 4] = ["x86_64-1024", "arm64-1024", "arm64-512", "arm64-2048"];

/// A function of 1,024 MB on x86_64, tried on arm64 at three sizes, which take 0.8, 1.2 and 0.6 times as long.
fn fabricated() -> Fabricated {
    let cold_start_ms = Some(Sides { baseline: 100.0, candidate: 60.0 });
    Fabricated { more: vec![1.5, 0.75], memory_mb: vec![1024, 1024, 512, 2048], cold_start_ms, ..Fabricated::default() }
}

/// What `duet try` stores of that function.
fn trial() -> Value {
    json!({
        "function": {
            "arn": "arn:aws:lambda:eu-west-1:123456789012:function:orders", "architecture": "x86_64", "memory_mb": 1024,
            "timeout_s": 30, "runtime": "python3.13", "log_format": null, "log_group": null, "ephemeral_storage_mb": 512,
            "tracing": null, "layers": [], "version": "$LATEST", "package_type": "Zip", "handler": "app.handler",
            "vpc": [], "snap_start": "None", "variables": [], "code_sha256": null, "revision_id": null,
        },
        "not_made": [{ "architecture": "arm64", "memory_mb": 10240, "reason": "MemorySize is too large for this account" }],
        "usage": { "days": 14, "invocations": 1_400_000, "mean_duration_ms": 21.5, "cold_share": 0.004 },
    })
}

/// The run directory of such a trial.
fn write(scratch: &Scratch, fabricated: &Fabricated, trial: Value) -> String {
    let (run, path) = (scratch.path("run"), scratch.path("run/campaign.json"));
    fabricated.write(&run);
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (variant, name) in manifest["variants"].as_array_mut().unwrap().iter_mut().zip(NAMES) {
        variant["name"] = json!(name);
    }
    manifest["trial"] = trial;
    fs::write(&path, manifest.to_string()).unwrap();
    run
}

fn report(run: &str, arguments: &[&str]) -> String {
    stdout(&duet(&[&["report", run], arguments].concat()))
}

/// Without its line breaks.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_trial_says_what_to_take_and_what_it_changes() {
    let scratch = Scratch::new();
    let run = write(&scratch, &fabricated(), trial());
    let text = report(&run, &[]);
    let paragraphs: Vec<&str> = text.lines().filter(|line| line.contains(": arm64-")).collect();
    for (paragraph, start) in paragraphs.iter().zip([
        "Cheapest: arm64-512. Beside x86_64-1024, the present configuration, it takes 2",
        "Fastest: arm64-2048. Beside x86_64-1024, the present configuration, it takes ",
        "Balanced: arm64-1024. Beside x86_64-1024, the present configuration, it takes ",
    ]) {
        assert!(paragraph.starts_with(start), "{paragraph}");
    }
    assert_eq!(paragraphs.len(), 3, "{text}");
    let one_line = unwrapped(&text);
    for part in [
        "40% less time (95% interval ",
        "At 3,000,000 invocations a month that saves $0.",
        "At 3,000,000 invocations a month that costs $0.02",
        "A month has 3,000,000 invocations, as many as the function had in the 14 days before, scaled to 30 days.",
        "0.4% of invocations are taken to be cold starts, as of the function before it was tried.",
        "the least sum of 0.5 × cost and 0.5 × time",
        "- arm64-10240MB was not made: MemorySize is too large for this account",
    ] {
        assert!(one_line.contains(part), "{part} is not in {text}");
    }
    let row = |name: &str| {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} is not in {text}")).to_owned()
    };
    assert!(row("x86_64-1024").ends_with("present"), "{text}");
    assert!(row("arm64-10240MB").contains("not made") && !row("arm64-10240MB").contains("ms"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for absent in ["unequal-memory", "less-than-one-vcpu", "untypical-payload", "https://"] {
        assert!(!text.contains(absent), "{absent} is in {text}");
    }
}

#[test]
fn a_payload_that_takes_another_time_than_before_is_warned_of() {
    let scratch = Scratch::new();
    let mut trial = trial();
    // The clone of the present configuration takes 21 ms.
    for (before, is_warned) in [(10.0, true), (11.0, false), (40.0, false), (45.0, true)] {
        trial["usage"]["mean_duration_ms"] = json!(before);
        let scratch_of_time = Scratch::new();
        let text = report(&write(&scratch_of_time, &fabricated(), trial.clone()), &[]);
        assert_eq!(text.contains("untypical-payload: Calls of x86_64-1024 took 21."), is_warned, "{before}: {text}");
        assert!(text.matches("untypical-payload").count() <= 1, "{text}");
    }
    trial["usage"] = Value::Null;
    let text = report(&write(&scratch, &fabricated(), trial), &[]);
    assert!(!text.contains("untypical-payload"), "{text}");
    for part in ["A month has 1,000,000 invocations (--monthly-invocations).", "1% of invocations are taken to be cold"]
    {
        assert!(unwrapped(&text).contains(part), "{part} is not in {text}");
    }
}

#[test]
fn what_the_user_says_of_a_month_comes_before_what_the_function_had() {
    let scratch = Scratch::new();
    let run = write(&scratch, &fabricated(), trial());
    let money = |arguments: &[&str]| {
        let text = report(&run, &[&["--format", "json"], arguments].concat());
        serde_json::from_str::<Value>(&text).unwrap()["comparisons"][0]["money"].clone()
    };
    let own = money(&[]);
    assert_eq!((&own["invocations_per_month"], &own["volume_source"]), (&json!(3e6), &json!("usage")));
    assert_eq!((&own["cold_share"]["value"], &own["cold_share"]["source"]), (&json!(0.004), &json!("usage")));
    let given = money(&["--monthly-invocations", "1M", "--cold-share", "1%"]);
    assert_eq!((&given["invocations_per_month"], &given["volume_source"]), (&json!(1e6), &json!("assumed")));
    assert_eq!((&given["cold_share"]["value"], &given["cold_share"]["source"]), (&json!(0.01), &json!("assumed")));
    // Each by itself.
    let mixed = money(&["--cold-share", "0%"]);
    assert_eq!((&mixed["volume_source"], &mixed["cold_share"]["source"]), (&json!("usage"), &json!("assumed")));
}

#[test]
fn limits_take_variants_out_and_say_why() {
    let scratch = Scratch::new();
    let run = write(&scratch, &fabricated(), trial());
    let text = unwrapped(&report(&run, &["--max-latency", "18ms", "--max-cost-increase", "0%"]));
    for part in [
        "Cheapest, fastest and balanced: arm64-1024.",
        "- x86_64-1024 is not chosen: its mean is 20.",
        "), which is beyond 18 ms (--max-latency).",
        "- arm64-512 is not chosen: its mean is 2",
        "- arm64-2048 is not chosen: it costs 1.",
        " more), which is beyond no more cost (--max-cost-increase).",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let text = unwrapped(&report(&run, &["--max-latency", "16.05ms"]));
    assert!(text.contains("- arm64-1024 may exceed 16.05 ms (--max-latency): its mean is 16.0 ms ("), "{text}");
    assert!(text.contains("Balanced: arm64-2048.") || text.contains("balanced: arm64-2048."), "{text}");
    let text = unwrapped(&report(&run, &["--max-latency", "p95=12.5ms"]));
    assert!(
        text.contains("of its calls take longer (") && text.contains("beyond a p95 of 12.5 ms (--max-latency)"),
        "{text}"
    );
    let text = unwrapped(&report(&run, &["--max-latency", "1ms"]));
    assert!(text.contains("No choice: every variant with a verdict is beyond a limit."), "{text}");
    let output = duet(&["report", &run, "--weight", "2"]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("it must be a number from 0, time alone, to 1, cost alone"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn of_several_cells_the_worst_is_named() {
    let scratch = Scratch::new();
    let cells = vec![("string/json", 0.8), ("math/fft", 0.9)];
    let run = write(&scratch, &Fabricated { cells, more: Vec::new(), ..fabricated() }, trial());
    let text = unwrapped(&report(&run, &["--max-latency", "15ms"]));
    assert!(
        text.contains("- arm64-1024 is not chosen: its mean is 18.")
            || text.contains("- arm64-1024 is not chosen: its mean is 17."),
        "{text}"
    );
    assert!(text.contains(" in math/fft, which is beyond 15 ms (--max-latency)."), "{text}");
}

#[test]
fn the_page_of_a_trial_opens_without_errors() {
    let scratch = Scratch::new();
    let (run, page) = (write(&scratch, &fabricated(), trial()), scratch.path("page.html"));
    report(&run, &["--html", &page]);
    let view = View { dark: false, window: (420, 5000) };
    let Console(said) = open_in_browser(Path::new(&page), Path::new(&scratch.path("page.png")), view);
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn every_format_but_csv_has_the_link_and_the_lines_to_change() {
    let scratch = Scratch::new();
    let run = write(&scratch, &fabricated(), trial());
    let page = scratch.path("page.html");
    let details = report(&run, &["--details", "--html", &page]);
    let markdown = report(&run, &["--format", "markdown"]);
    let page = fs::read_to_string(page).unwrap();
    let json: Value = serde_json::from_str(&report(&run, &["--format", "json"])).unwrap();
    let links: Vec<&str> =
        json["visualizer"].as_array().unwrap().iter().map(|link| link["url"].as_str().unwrap()).collect();
    // 1,024 MB of x86_64; 512, 1,024 and 2,048 MB of arm64.
    assert!(links[0].starts_with("https://lambda-power-tuning.show/#AAQ=;"), "{links:?}");
    assert!(links[1].starts_with("https://lambda-power-tuning.show/#AAIABAAI;"), "{links:?}");
    let (shown, folded) = markdown.split_once("<details>").unwrap();
    assert!(!shown.contains("https://"), "{shown}");
    for (text, quote) in [(details.as_str(), "\""), (folded, "\""), (page.as_str(), "&quot;")] {
        for link in &links {
            assert!(text.contains(link), "{link} is not in {text}");
        }
        for part in [
            "To make the function like arm64-1024",
            "Architectures: [arm64]",
            "architecture: lambda.Architecture.ARM_64,",
            &format!("architectures = [{quote}arm64{quote}]"),
            "aws lambda update-function-code --region eu-west-1 --function-name orders --architectures arm64 --zip-file",
            "neither intervals nor the fee",
        ] {
            assert!(unwrapped(text).contains(part), "{part} is not in {text}");
        }
        // The memory stays as it is.
        assert!(!text.contains("MemorySize:") && !text.contains("update-function-configuration"), "{text}");
    }
    assert!(page.contains("The square is x86_64-1024, the present configuration.") && !page.contains("<script"));
    let csv = report(&run, &["--format", "csv"]);
    assert!(!csv.contains("https://") && !csv.contains("not made"), "{csv}");
    let schema = fs::read_to_string(root().join("docs/schema/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for arguments in [["--max-latency", "p95=12.5ms"], ["--max-latency", "18ms"], ["--max-cost-increase", "0%"]] {
        let json = report(&run, &[&["--format", "json"], arguments.as_slice()].concat());
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(!json["choice"]["exceeding"].as_array().unwrap().is_empty(), "{}", json["choice"]);
        assert!(
            validator.is_valid(&json),
            "{:?}",
            validator.iter_errors(&json).map(|it| it.to_string()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_trial_of_two_variants_has_a_choice_and_another_campaign_of_two_has_one_if_asked() {
    let scratch = Scratch::new();
    let two = Fabricated { more: Vec::new(), ..fabricated() };
    let run = write(&scratch, &two, trial());
    let text = report(&run, &[]);
    assert!(text.starts_with("arm64-1024 is faster than x86_64-1024.\n"), "{text}");
    assert!(text.contains("\nCheapest, fastest and balanced: arm64-1024. "), "{text}");
    let other = Scratch::new();
    let run = other.path("run");
    two.write(&run);
    assert!(!report(&run, &["--details"]).contains("Cheapest"), "two variants are as they were");
    let text = report(&run, &["--weight", "0.3"]);
    assert!(text.contains("\nCheapest, fastest and balanced: arm64. Beside x86_64, the baseline, it "), "{text}");
    // Nothing tells that both are one function.
    assert!(!report(&run, &["--weight", "0.3", "--details"]).contains("To make the function"));
}

#[test]
fn without_a_verdict_nothing_is_chosen() {
    let scratch = Scratch::new();
    let run = write(&scratch, &Fabricated { environments: 4, ..fabricated() }, trial());
    let text = report(&run, &["--details"]);
    assert!(text.contains("No choice: there is no verdict on any candidate.") && !text.contains("To make"), "{text}");
}

/// Two sizes that take and cost the same within their intervals.
#[test]
fn variants_that_are_not_distinguishable_are_named() {
    let scratch = Scratch::new();
    let run = write(&scratch, &Fabricated { more: vec![1.0, 1.0], memory_mb: vec![1024; 4], ..fabricated() }, trial());
    let text = unwrapped(&report(&run, &[]));
    assert!(text.contains(" are not distinguishable from it."), "{text}");
    let json: Value = serde_json::from_str(&report(&run, &["--format", "json"])).unwrap();
    for role in ["cheapest", "fastest", "balanced"] {
        let others = json["choice"][role]["not_distinguishable"].as_array().unwrap();
        assert!(others.len() == 2 && !others.contains(&json!("x86_64-1024")), "{}", json["choice"]);
    }
    // Two variants of one size have no place in one chart.
    assert_eq!(json["visualizer"], json!([]));
}
