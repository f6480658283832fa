//! The analysis of a whole campaign.

use super::{
    campaign_bill::BillOptions,
    cells::UnjudgedCell,
    choice::{Choice, WEIGHT},
    compare_sets::{Analyzer, Unjudged},
    cpu_models::{census, cpus},
    exceeding::Exceeding,
    interval::CONFIDENCE,
    limits::{ConditionTests, Limits},
    measures::Measure,
    pair_samples::PairSamples,
    plot_data::UnjudgedColdStarts,
    proportion::unseen,
    result::{Analysis, CellAnalysis, Method, MixScenario, Money, PairAnalysis, Provenance, SCHEMA, VariantFacts},
    samples::Samples,
    sides::{Side, Sides},
    summary_statistics::ValuesByEnvironment,
    tried_function::TriedFunction,
    variant_summary::{find_pareto_front, set_costs, set_times},
    verdict::{MINIMUM_BLOCKS, MINIMUM_ENVIRONMENTS, Verdict},
    visualizer, warnings,
};
use crate::campaign::{import::Import, manifest::Manifest, variants::VariantIndex};
use rayon::ThreadPoolBuilder;

/// The user's options for an analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Ratios between 1/(1 + margin) and 1 + margin count as equivalent.
    pub margin: f64,
    /// The options of its bill.
    pub volume: BillOptions,
    /// The limits that a gate or a choice sets.
    pub limits: Limits,
    /// The weight of cost in a choice that the user asks for.
    pub weight: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { margin: 0.02, volume: BillOptions::default(), limits: Limits::default(), weight: None }
    }
}

/// The most values that are compared at once, those of each comparison by itself: all of them take memory.
const MOST_AT_ONCE: u64 = 10_000_000;

/// Analyzes the samples of a campaign.
pub fn analyze(manifest: &Manifest, samples: &Samples, options: &Options) -> Analysis {
    let analyze = || analysis_of(manifest, samples, options);
    let at_once = (MOST_AT_ONCE / samples.totals.calls().max(1)).max(1);
    if at_once >= rayon::current_num_threads() as u64 {
        return analyze();
    }
    match ThreadPoolBuilder::new().num_threads(at_once as usize).build() {
        Ok(threads) => threads.install(analyze),
        Err(_) => analyze(),
    }
}

fn analysis_of(manifest: &Manifest, samples: &Samples, options: &Options) -> Analysis {
    let draft = |candidate| {
        let pair = PairSamples::new(manifest, samples, candidate);
        Draft::new(Analyzer::new(pair, options.margin), options.volume)
    };
    let mut drafts: Vec<Draft<'_>> = manifest.candidates().map(draft).collect();
    judge(&mut drafts);
    let method = Method {
        confidence: CONFIDENCE,
        margin: options.margin,
        until_ci: manifest.limits.until_ci,
        minimum_environments: MINIMUM_ENVIRONMENTS,
        minimum_blocks: MINIMUM_BLOCKS,
    };
    let campaign = provenance(manifest, samples);
    let facts = |variant| variant_facts(manifest, samples, variant);
    let mut variants: Vec<VariantFacts> = manifest.variants.indices().map(facts).collect();
    set_times(manifest, samples, &mut variants);
    let known = drafts.iter().filter_map(|draft| {
        let PairSamples { variants, blocks, .. } = draft.analyzer.pair;
        Some((variants.baseline.get(), variants.candidate.get(), blocks, draft.money.as_ref()?))
    });
    set_costs(&mut variants, known);
    let baseline_tests = baseline_tests(&drafts, options.limits);
    let comparisons = drafts.into_iter().map(|draft| {
        let sides = draft.analyzer.pair.variants.map(|_, variant| variants[variant.get()].clone());
        let limit_tests = draft.analyzer.limit_tests(options.limits, options.volume);
        PairAnalysis { limit_tests, ..draft.into_analysis(method, &campaign, sides) }
    });
    let mut comparisons: Vec<PairAnalysis> = comparisons.collect();
    if manifest.imported.is_some() {
        comparisons.iter_mut().for_each(PairAnalysis::forget_unknown_environments);
    }
    let baseline = manifest.variants[manifest.baseline].name.clone();
    let trial = manifest.trial.as_ref().map(TriedFunction::from);
    let mut analysis = Analysis {
        schema: SCHEMA,
        method,
        campaign,
        variants,
        baseline,
        comparisons,
        trial,
        choice: None,
        visualizer: Vec::new(),
    };
    find_pareto_front(&mut analysis);
    if analysis.variants.len() > 2 || analysis.trial.is_some() || options.asks_for_choice() {
        analysis.choice = Some(choice(&analysis, &baseline_tests, options));
        analysis.visualizer = visualizer::links(&analysis.variants);
    }
    analysis
}

impl Options {
    /// Whether something is given that a choice alone takes, or a gate.
    fn asks_for_choice(&self) -> bool {
        self.weight.is_some() || self.limits != Limits::default()
    }
}

fn choice(analysis: &Analysis, baseline_tests: &[ConditionTests], options: &Options) -> Choice {
    let candidates = analysis.comparisons.iter().map(|pair| (pair.names().candidate, pair.limit_tests.as_slice()));
    let tests = std::iter::once((analysis.baseline.as_str(), baseline_tests)).chain(candidates);
    let ranked = analysis.ranked();
    let tests = tests.filter(|(name, _)| ranked.contains(name));
    let exceeding = tests.flat_map(|(name, tests)| Exceeding::of_variant(name, tests)).collect();
    Choice::new(analysis, options.weight.unwrap_or(WEIGHT), exceeding)
}

/// What the baseline says about the limits, in the pair of most blocks; its bill is no higher than itself.
fn baseline_tests(drafts: &[Draft<'_>], limits: Limits) -> Vec<ConditionTests> {
    let longest = drafts.iter().map(|draft| &draft.analyzer).max_by_key(|analyzer| analyzer.pair.blocks);
    let tests = longest.zip(limits.max_latency).map(|(analyzer, limit)| analyzer.latencies(limit, Side::Baseline));
    tests.into_iter().collect()
}

/// A pair whose comparisons are not judged yet: their verdicts hold for those of all pairs together.
struct Draft<'a> {
    analyzer: Analyzer<'a>,
    cells: Vec<UnjudgedCell>,
    /// All cells together, if there are several.
    all_cells: Option<Unjudged>,
    cold_starts: UnjudgedColdStarts,
    mix_scenarios: Vec<MixScenario>,
    money: Option<Money>,
}

impl<'a> Draft<'a> {
    fn new(analyzer: Analyzer<'a>, volume: BillOptions) -> Self {
        let is_one_cell = analyzer.pair.cells().nth(1).is_none();
        let all_cells = || if is_one_cell { None } else { analyzer.all_cells() };
        let of_cells = || rayon::join(|| analyzer.cells(), all_cells);
        let of_starts_and_bill = || rayon::join(|| analyzer.cold_starts(), || analyzer.money(volume));
        let of_all = || rayon::join(|| analyzer.mix_scenarios(), of_starts_and_bill);
        let ((cells, all_cells), (mix_scenarios, (cold_starts, money))) = rayon::join(of_cells, of_all);
        Self { analyzer, cells, all_cells, cold_starts, mix_scenarios, money }
    }

    fn into_analysis(self, method: Method, campaign: &Provenance, sides: Sides<VariantFacts>) -> PairAnalysis {
        let pair = self.analyzer.pair;
        let mut mix_scenarios = self.mix_scenarios;
        let mut cells: Vec<CellAnalysis> = self.cells.into_iter().map(UnjudgedCell::into_analysis).collect();
        let mut headline = match cells.as_slice() {
            // All cells are this one.
            [cell] if Side::BOTH.into_iter().all(|side| has_deciding_calls(pair, side)) => cell.deciding().cloned(),
            _ => self.all_cells.map(Unjudged::into_comparison),
        };
        let mut cold_starts = self.cold_starts.into_analysis();
        let warnings = warnings::collect(pair, headline.as_ref(), &cells);
        if warnings.iter().any(|warning| warning.kind.withholds()) {
            let of_cells = cells.iter_mut().flat_map(|cell| &mut cell.comparisons);
            for comparison in of_cells.chain(&mut headline).chain(&mut cold_starts.comparisons) {
                comparison.verdict = Verdict::Withheld;
                comparison.environments_needed = None;
            }
            mix_scenarios.clear();
        }
        PairAnalysis {
            method,
            campaign: campaign.clone(),
            sides,
            warnings,
            headline,
            cells,
            cold_starts,
            money: self.money,
            mix_scenarios,
            limit_tests: Vec::new(),
        }
    }
}

fn has_deciding_calls(pair: PairSamples<'_>, side: Side) -> bool {
    pair.cells().any(|(_, calls)| !calls.deciding(pair.is_cold())[side].is_empty())
}

/// Gives verdicts. All cells of all pairs are a family by each measure, as are all cells together of all pairs, and their
/// cold starts.
fn judge(drafts: &mut [Draft<'_>]) {
    let Some((margin, looks)) = drafts.first().map(|draft| (draft.analyzer.margin, draft.analyzer.looks)) else {
        return;
    };
    fn cells<'a>(drafts: &'a mut [Draft<'_>]) -> impl Iterator<Item = &'a mut UnjudgedCell> {
        drafts.iter_mut().flat_map(|draft| &mut draft.cells)
    }
    let judge = |mut family: Vec<&mut Unjudged>| Unjudged::judge(&mut family, margin, looks);
    judge(cells(drafts).filter_map(|cell| cell.comparisons.first_mut()).collect());
    for measure in Measure::ALL {
        let others = cells(drafts).flat_map(|cell| cell.comparisons.iter_mut().skip(1));
        judge(others.filter(|unjudged| unjudged.measure() == measure).collect());
        let cold_starts = drafts.iter_mut().flat_map(|draft| &mut draft.cold_starts.comparisons);
        judge(cold_starts.filter(|unjudged| unjudged.measure() == measure).collect());
    }
    judge(drafts.iter_mut().filter_map(|draft| draft.all_cells.as_mut()).collect());
}

fn provenance(manifest: &Manifest, samples: &Samples) -> Provenance {
    let (plan, import) = (&manifest.plan, manifest.imported.as_ref());
    let is_own = import.is_none();
    Provenance {
        version: manifest.version.clone(),
        created_unix_ms: manifest.created_unix_ms,
        elapsed_ms: import.is_none_or(|import| import.has_times).then_some(samples.totals.elapsed_ms),
        seed: is_own.then_some(plan.seed),
        cold: plan.cold,
        order: is_own.then_some(plan.order),
        environments_per_step: is_own.then_some(plan.environments),
        blocks: samples.blocks.len() as u64,
        calls: samples.totals.calls(),
        imported: manifest.imported.clone(),
    }
}

fn variant_facts(manifest: &Manifest, samples: &Samples, index: VariantIndex) -> VariantFacts {
    let (variant, facts) = (&manifest.variants[index], &samples.variants[index]);
    let totals = &samples.totals.variants[index];
    let configuration = variant.configuration.as_ref();
    let environments = if facts.unknown_environments > 0 { 0 } else { facts.count() };
    let known = (0..).zip(&facts.environments).filter(|(_, environment)| environment.max_memory_mb > 0.0);
    let is_own = manifest.imported.is_none();
    let may_have_cpus = manifest.imported.as_ref().is_none_or(Import::tells_cpu_models);
    let memory = known.map(|(number, environment)| (number, f64::from(environment.max_memory_mb)));
    VariantFacts {
        name: variant.name.clone(),
        target: variant.target.to_string(),
        architecture: configuration.map(|it| it.architecture).or(facts.architecture),
        memory_mb: configuration.map(|it| it.memory_mb).or(facts.memory_mb),
        calls: totals.calls,
        cold_calls: is_own.then_some(totals.cold),
        failures: is_own.then(|| totals.failures.iter().map(|(kind, count)| (kind.to_string(), *count)).collect()),
        environments,
        cpus: if may_have_cpus { cpus(facts) } else { Vec::new() },
        census: census(facts),
        unseen: may_have_cpus.then(|| unseen(facts.known_environments(environments))),
        emulated: is_own.then_some(facts.emulated),
        builds: facts.builds.iter().cloned().collect(),
        memory: ValuesByEnvironment::new(memory, false).statistics(None),
        spent_usd: is_own.then_some(totals.cost_usd),
        ended: variant.ended,
        time: None,
        per_million: None,
        is_on_pareto_front: None,
    }
}
