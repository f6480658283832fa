//! The analysis of a whole campaign.

use super::{
    campaign_bill::BillOptions,
    compare_sets::Analyzer,
    cpu_models::cpus,
    interval::CONFIDENCE,
    proportion::unseen,
    result::{Analysis, Method, Provenance, SCHEMA, SideFacts},
    samples::{Samples, SideSamples},
    summary_statistics::ValuesByEnvironment,
    verdict::{MINIMUM_BLOCKS, MINIMUM_ENVIRONMENTS, Verdict},
    warnings,
};
use crate::campaign::{manifest::Manifest, sides::Side};

/// The user's options for an analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Ratios between 1/(1 + margin) and 1 + margin count as equivalent.
    pub margin: f64,
    /// The options of its bill.
    pub volume: BillOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self { margin: 0.02, volume: BillOptions::default() }
    }
}

/// Analyzes the samples of a campaign.
pub fn analyze(manifest: &Manifest, samples: &Samples, options: &Options) -> Analysis {
    let analyzer = Analyzer::new(manifest, samples, options.margin);
    let cells = analyzer.cells();
    let headline = analyzer.headline(&cells);
    let warnings = warnings::collect(manifest, samples, headline.as_ref(), &cells);
    let is_withheld = warnings.iter().any(|warning| warning.kind.withholds());
    let mut analysis = Analysis {
        schema: SCHEMA,
        method: Method {
            confidence: CONFIDENCE,
            margin: options.margin,
            until_ci: manifest.limits.until_ci,
            minimum_environments: MINIMUM_ENVIRONMENTS,
            minimum_blocks: MINIMUM_BLOCKS,
        },
        campaign: provenance(manifest, samples),
        sides: samples.sides.map(|side, facts| side_facts(manifest, samples, side, facts)),
        warnings,
        headline,
        cells,
        starts: analyzer.starts(),
        money: analyzer.money(options.volume),
    };
    if is_withheld {
        let of_cells = analysis.cells.iter_mut().flat_map(|cell| &mut cell.comparisons);
        for comparison in of_cells.chain(&mut analysis.headline).chain(&mut analysis.starts.comparisons) {
            comparison.verdict = Verdict::Withheld;
            comparison.environments_needed = None;
        }
    }
    analysis
}

fn provenance(manifest: &Manifest, samples: &Samples) -> Provenance {
    Provenance {
        version: manifest.version.clone(),
        created_unix_ms: manifest.created_unix_ms,
        elapsed_ms: samples.totals.elapsed_ms,
        seed: manifest.plan.seed,
        cold: manifest.plan.cold,
        order: manifest.plan.order,
        environments_per_step: manifest.plan.environments,
        blocks: samples.blocks.len() as u64,
        calls: samples.totals.calls(),
    }
}

fn side_facts(manifest: &Manifest, samples: &Samples, side: Side, facts: &SideSamples) -> SideFacts {
    let variant = &manifest.sides[side];
    let totals = &samples.totals.sides[side];
    let configuration = variant.configuration.as_ref();
    let environments = if facts.unknown_environments > 0 { 0 } else { facts.count() };
    let known = (0..).zip(&facts.environments).filter(|(_, environment)| environment.max_memory_mb > 0.0);
    let memory = known.map(|(number, environment)| (number, f64::from(environment.max_memory_mb)));
    SideFacts {
        name: variant.name.clone(),
        target: variant.target.to_string(),
        architecture: configuration.map(|it| it.architecture).or(facts.architecture),
        memory_mb: configuration.map(|it| it.memory_mb).or(facts.memory_mb),
        calls: totals.calls,
        cold_calls: totals.cold,
        failures: totals.failures.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
        environments,
        cpus: cpus(facts),
        unseen: unseen(environments),
        emulated: facts.emulated,
        builds: facts.builds.iter().cloned().collect(),
        memory: ValuesByEnvironment::new(memory, false).levels(),
        spent_usd: totals.cost_usd,
    }
}
