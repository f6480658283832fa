use super::*;
use crate::{
    analysis::warning::{Warning, WarningKind},
    campaign::sides::Side,
    report::fixture,
};
use anstream::adapter::strip_str;

fn plain(analysis: &Analysis) -> String {
    strip_str(&report(analysis)).to_string()
}

fn assert_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= usize::from(WIDTH), "{line}");
    }
}

#[test]
fn the_verdict_comes_first_and_everything_is_there() {
    let analysis = fixture::analysis();
    let text = plain(&analysis);
    assert_fits(&text);
    assert!(text.starts_with("arm64 is "), "{text}");
    for part in [
        "math/matmul",
        "needs ~412 envs",
        "48/52",
        "CPU time",
        "client latency",
        "Neoverse-V1",
        "MiB",
        "a million ",
        "10,000,000 a month",
        "1.25 times",
        "unseen-cpus: ",
        "seed 42",
        "timeout: 3",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn verdicts_have_colours_and_names_do_not() {
    let text = report(&fixture::analysis());
    assert!(text.contains(&format!("{GOOD}faster{GOOD:#}\n")));
    assert!(text.contains(&format!("{BAD}slower{BAD:#}\n")));
    assert_eq!(coloured("a-slower"), "a-slower");
}

#[test]
fn what_is_withheld_is_said_instead_of_numbers() {
    let mut analysis = fixture::analysis();
    let text = "arm64 ran under an emulator; use a machine of its own kind.".to_owned();
    analysis.warnings.insert(0, Warning { kind: WarningKind::Emulated, side: Some(Side::Candidate), text });
    let comparisons = analysis.cells.iter_mut().flat_map(|it| &mut it.comparisons);
    for it in comparisons.chain(&mut analysis.headline).chain(&mut analysis.starts.comparisons) {
        (it.verdict, it.ratio, it.environments_needed) = (Verdict::Withheld, None, None);
    }
    (analysis.money, analysis.sides.candidate.emulated) = (None, true);
    analysis.cells.iter_mut().for_each(|it| it.by_cpu.clear());
    let text = plain(&analysis);
    assert_fits(&text);
    assert!(text.starts_with("emulated: arm64 ran under an emulator"), "{text}");
    assert!(text.lines().nth(1).is_some_and(|it| it.starts_with("No verdict: arm64 was emulated")), "{text}");
    let lines: Vec<&str> = text.lines().filter(|it| it.starts_with("math/matmul")).collect();
    assert!(lines[0].ends_with("withheld") && !lines[0].contains('%'), "{text}");
    assert!(text.contains("EMULATED") && !text.contains("Bill"), "{text}");
}

#[test]
fn a_campaign_without_samples_and_long_names_fit() {
    let mut analysis = fixture::analysis();
    analysis.sides.baseline.name = "a-function-of-a-very-long-name-that-goes-on".to_owned();
    analysis.cells[0].name = "payloads/a-file-with-a-very-long-name-indeed-and-more.json".to_owned();
    analysis.sides.baseline.target =
        "https://abc.execute-api.eu-west-1.amazonaws.com/".to_owned() + &"prod/".repeat(20);
    assert_fits(&plain(&analysis));
    analysis.cells.clear();
    analysis.starts.comparisons.clear();
    (analysis.headline, analysis.money) = (None, None);
    let text = plain(&analysis);
    assert!(text.starts_with("No verdict: "), "{text}");
    assert_fits(&text);
}
