//! The report of a campaign.

use super::{
    choice, counted_fleets,
    document::{Block, Tone},
    facts::{cpu_mix, memory, side},
    imported, mix_scenarios,
    sentences::{assumptions, cold_starts_note, headline, how_to_read, origin, savings, sources},
    settings, tables, variants, visualizer,
    words::{label, names},
};
use crate::analysis::result::{Analysis, PairAnalysis, Provenance, VariantFacts};

/// The verdict, the bill, warnings and cells, with everything else as details: of the only pair, or of all variants and
/// then of each pair.
pub fn document(analysis: &Analysis) -> Vec<Block> {
    match analysis.pair_without_choice() {
        Some(pair) => of_pair(pair),
        None => of_variants(analysis),
    }
}

fn of_pair(analysis: &PairAnalysis) -> Vec<Block> {
    let mut blocks = verdict(analysis);
    blocks.extend(analysis.warnings.iter().map(|warning| Block::warning(warning, analysis.withholds(warning))));
    blocks.push(Block::Table(tables::cells(analysis)));
    let mut details = comparisons(analysis);
    details.push(Block::Heading("Sides".to_owned()));
    details.extend(
        analysis
            .sides
            .iter()
            .map(|(side, facts)| self::facts(names(analysis)[side].label(), facts, &analysis.campaign)),
    );
    details.extend([Block::Heading("Method".to_owned()), Block::Remark(origin(analysis))]);
    details.extend(sources(analysis).map(Block::Remark));
    details.push(Block::Remark(how_to_read(analysis)));
    blocks.push(Block::Details(details));
    blocks
}

fn of_variants(analysis: &Analysis) -> Vec<Block> {
    let mut blocks = vec![Block::Verdict(Tone::Neutral, variants::headline(analysis))];
    blocks.extend(choice::blocks(analysis));
    blocks.extend(variants::warnings(analysis));
    blocks.push(Block::Table(variants::table(analysis)));
    blocks.extend(variants::not_made(analysis).map(Block::Item));
    let mut details = settings::blocks(analysis);
    details.extend(visualizer::blocks(analysis));
    for pair in &analysis.comparisons {
        details.push(Block::Heading(variants::title(pair)));
        details.extend(verdict(pair));
        details.push(Block::Table(tables::cells(pair)));
        details.extend(comparisons(pair));
        details.extend(sources(pair).map(Block::Remark));
    }
    details.push(Block::Heading("Variants".to_owned()));
    details.extend(analysis.variants.iter().map(|variant| facts(label(&variant.name), variant, &analysis.campaign)));
    // What the method says is the same of every pair.
    if let Some(pair) = analysis.comparisons.first() {
        let method = [origin(pair), how_to_read(pair)].map(Block::Remark);
        details.push(Block::Heading("Method".to_owned()));
        details.extend(method);
    }
    blocks.push(Block::Details(details));
    blocks
}

/// The verdict and the bill in a sentence each, and how the verdict depends on a mix of CPU models that was counted.
fn verdict(analysis: &PairAnalysis) -> Vec<Block> {
    let savings = analysis.money.as_ref().map(|money| savings(analysis, money));
    let mixes = mix_scenarios::notable(analysis).map(|scenario| mix_scenarios::sentence(analysis, scenario));
    let paragraphs = savings.into_iter().chain(mixes).map(Block::Paragraph);
    [Block::Verdict(Tone::Neutral, headline(analysis))].into_iter().chain(paragraphs).collect()
}

/// All comparisons but those that decide.
fn comparisons(analysis: &PairAnalysis) -> Vec<Block> {
    let mut blocks = vec![Block::Table(tables::measures(analysis)), Block::Table(tables::cpu_models(analysis))];
    blocks.extend(mix_scenarios::blocks(analysis));
    blocks.push(Block::Table(tables::cold_starts(analysis)));
    blocks.extend(cold_starts_note(analysis).map(Block::Remark));
    if let Some(money) = &analysis.money {
        blocks.push(Block::Table(tables::bill(analysis, money)));
        blocks.push(Block::Remark(assumptions(money)));
    }
    blocks
}

fn facts(name: String, facts: &VariantFacts, campaign: &Provenance) -> Block {
    let is_imported = campaign.imported.is_some();
    let mut lines = vec![if is_imported { imported::side(facts) } else { side(facts) }];
    lines.extend((!facts.cpus.is_empty()).then(|| format!("CPUs: {}", cpu_mix(facts))));
    lines.extend(counted_fleets::line(facts).map(|census| format!("census: {census}")));
    lines.extend(memory(facts).map(|used| format!("memory: {used}")));
    // The files of an import are those of all sides together.
    lines.extend((!is_imported).then(|| facts.target.clone()));
    lines.extend(facts.builds.iter().map(|build| format!("build {build}")));
    Block::Facts(name, lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sides::Side;
    use crate::{
        analysis::{
            verdict::Verdict,
            warning_kind::{Warning, WarningKind},
        },
        report::{fixture, terminal::summary},
    };
    use anstream::adapter::strip_str;

    fn plain(analysis: &PairAnalysis) -> String {
        fixture::plain(&document(&fixture::campaign(analysis)))
    }

    #[test]
    fn the_verdict_is_first_and_details_are_complete() {
        let analysis = fixture::analysis();
        let text = plain(&analysis);
        assert!(text.starts_with("arm64 costs "), "{text}");
        for part in [
            "math/matmul",
            "~412 needed",
            "48/52",
            "CPU time",
            "client latency",
            "Neoverse-V1",
            "MiB",
            "per million invocations",
            "10,000,000 invocations a month",
            "1.25 times",
            "unseen-cpus: ",
            "seed 42",
            "timeout: 3",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_summary_leaves_out_details() {
        let text = strip_str(&summary(&document(&fixture::campaign(&fixture::analysis())))).to_string();
        for part in ["arm64 costs ", "a month, arm64 costs $8.75", "unseen-cpus: ", "math/matmul"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        for part in ["CPU time", "Sides", "seed 42", "per million"] {
            assert!(!text.contains(part), "{part} is in\n{text}");
        }
    }

    #[test]
    fn withheld_verdicts_replace_numbers() {
        let mut analysis = fixture::analysis();
        let text = "arm64 ran under an emulator; use a machine of its own kind.".to_owned();
        analysis.warnings.insert(0, Warning { kind: WarningKind::Emulated, side: Some(Side::Candidate), text });
        let comparisons = analysis.cells.iter_mut().flat_map(|cell| &mut cell.comparisons);
        for comparison in comparisons.chain(&mut analysis.headline).chain(&mut analysis.cold_starts.comparisons) {
            (comparison.verdict, comparison.ratio, comparison.environments_needed) = (Verdict::Withheld, None, None);
        }
        (analysis.money, analysis.sides.candidate.emulated) = (None, Some(true));
        analysis.cells.iter_mut().for_each(|cell| cell.by_cpu.clear());
        let text = plain(&analysis);
        assert!(text.starts_with("No verdict: arm64 was emulated"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("emulated: arm64 ran under")), "{text}");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("math/matmul")).collect();
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
        plain(&analysis);
        analysis.cells.clear();
        analysis.cold_starts.comparisons.clear();
        (analysis.headline, analysis.money) = (None, None);
        let text = plain(&analysis);
        assert!(text.starts_with("No verdict: "), "{text}");
    }
}
