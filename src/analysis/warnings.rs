//! Warnings about the numbers of a campaign.

mod advice;
mod contradictions;
mod of_census;

use super::{
    cpu_models::{cpus, environments, environments_of},
    estimate::Sources,
    measures::Measure,
    pair_samples::PairSamples,
    proportion::unseen,
    result::{CellAnalysis, Comparison},
    samples::{CellSamples, DataFlags},
    sides::Side,
    verdict::{MINIMUM_BLOCKS, MINIMUM_ENVIRONMENTS},
    warning_kind::{Warning, WarningKind},
};
use crate::campaign::{
    failure::FailureKind,
    import::Import,
    later_configurations::Identity,
    manifest::{EndReason, Manifest, Order, Variant},
    variants::VariantIndex,
};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::collections::BTreeSet;

/// The memory at which a function has one vCPU, in MB.
const ONE_VCPU_MB: u32 = 1769;

/// A clock that is coarser than this, in nanoseconds, does not tell short iterations apart.
const COARSE_NS: u64 = 1000;

/// Processes that waited for more than this share of their time were not alone on their machine.
const WAITED: f64 = 0.02;

/// How many times as long or as short as before the calls of a function may take before their payload seems untypical.
const UNTYPICAL: f64 = 2.0;

/// The level of the test for disturbances.
const UNLIKELY: f64 = 0.01;

/// Unseen CPU models that may have a larger share than this are warned of.
const UNSEEN: f64 = 0.10;

/// All warnings about a pair, the gravest first.
pub(super) fn collect(pair: PairSamples<'_>, headline: Option<&Comparison>, cells: &[CellAnalysis]) -> Vec<Warning> {
    let manifest = pair.manifest;
    let mut warnings = Vec::new();
    let mut warn = |kind, text: Option<String>| warnings.extend(text.map(|text| Warning { kind, side: None, text }));
    warn(WarningKind::Disturbed, headline.and_then(|headline| disturbances(manifest, headline)));
    warn(WarningKind::TooFewBlocks, few_blocks(manifest, cells));
    let untypical = untypical_payload(pair, cells);
    warnings.extend(untypical.map(|text| Warning {
        kind: WarningKind::UntypicalPayload,
        side: Some(Side::Baseline),
        text,
    }));
    of_both(pair, &mut warnings);
    for side in Side::BOTH {
        let text = missing_cells(pair, side, cells);
        warnings.extend(text.map(|text| Warning { kind: WarningKind::MissingCells, side: Some(side), text }));
        of_one(pair, side, &mut warnings);
        of_changes(pair, side, &mut warnings);
        of_census::collect(pair, side, &mut warnings);
        // Those are of calls that this program has made.
        if manifest.imported.is_none() {
            contradictions::collect(pair, side, &mut warnings);
        }
    }
    warnings.sort_by_key(|warning| warning.kind);
    warnings
}

/// How many cells have samples of both sides in too few blocks. None if none has.
fn few_blocks(manifest: &Manifest, cells: &[CellAnalysis]) -> Option<String> {
    let deciding = cells.iter().filter_map(CellAnalysis::deciding);
    // If a side has nothing, other warnings say why.
    let known = deciding.filter(|comparison| comparison.calls.iter().all(|(_, calls)| *calls > 0));
    let known: Vec<u32> = known.map(|comparison| comparison.blocks).collect();
    let (whole, calls) = match manifest.imported {
        None => ("The campaign has", "calls"),
        Some(_) => ("The import has", "measurements"),
    };
    let what = match known.iter().filter(|blocks| **blocks < MINIMUM_BLOCKS).count() {
        0 => return None,
        all if all == known.len() => whole.to_owned(),
        1 => format!("One of {} cells has", known.len()),
        some => format!("{some} of {} cells have", known.len()),
    };
    let has_starts_aside = !manifest.plan.cold && manifest.imported.is_none();
    let warm = if has_starts_aside { ", calls that waited for a start aside" } else { "" };
    Some(format!(
        "{what} samples of both sides in fewer than {MINIMUM_BLOCKS} blocks{warm}. These do not tell what disturbed several \
         {calls} at once. {}",
        advice::on_few_blocks(manifest)
    ))
}

/// Which cells have samples of the other side alone. None if a side has no sample at all, of which another warning tells.
fn missing_cells(pair: PairSamples<'_>, side: Side, cells: &[CellAnalysis]) -> Option<String> {
    let lacks_side = |cell: &&CellAnalysis| cell.deciding().is_some_and(|deciding| deciding.calls[side] == 0);
    let missing: Vec<&str> = cells.iter().filter(lacks_side).map(|cell| cell.name.as_str()).collect();
    let (first, others) = missing.split_first().filter(|_| pair.has_values(side))?;
    let (what, them, have) = match others.len() {
        0 => ((*first).to_owned(), "It", "has"),
        1 => (format!("{first} and {}", others[0]), "They", "have"),
        more => (format!("{first} and {more} other cells"), "They", "have"),
    };
    Some(format!(
        "{what} {have} no sample of {} that can be used. {them} {have} no part in the verdict on all cells. {}",
        pair.variant(side).name,
        advice::on_missing_cells(pair.manifest)
    ))
}

/// How the function that is tried took another time before than its clone does now. None if it did not, or nothing tells.
fn untypical_payload(pair: PairSamples<'_>, cells: &[CellAnalysis]) -> Option<String> {
    let usage = pair.manifest.trial.as_ref()?.usage?;
    let before = usage.mean_duration_ms.filter(|ms| *ms > 0.0)?;
    let of_cell = |cell: &CellAnalysis| {
        let reported = cell.comparisons.iter().find(|comparison| comparison.measure == Measure::Duration)?;
        Some(reported.statistics.baseline?.mean)
    };
    let means: Option<Vec<f64>> = cells.iter().map(of_cell).collect();
    let means = means.filter(|means| !means.is_empty())?;
    let now = means.iter().sum::<f64>() / means.len() as f64;
    let is_typical = (1.0 / UNTYPICAL..=UNTYPICAL).contains(&(now / before));
    (!is_typical).then(|| {
        format!(
            "Calls of {} took {now:.1} ms by their mean, and those of the function in the {} days before {before:.1} ms: the \
             payload may not be typical. Try it with payloads that it really gets.",
            pair.variant(Side::Baseline).name,
            usage.days
        )
    })
}

/// What disturbed calls. None unless that is most of what makes the headline uncertain, by more than chance.
fn disturbances(manifest: &Manifest, headline: &Comparison) -> Option<String> {
    let Sources { disturbances, calls, .. } = headline.sources.filter(|_| headline.blocks >= MINIMUM_BLOCKS)?;
    let freedom = f64::from(headline.blocks - 1);
    // Without disturbances, what blocks vary by is that of their calls, but for chance.
    let chance = ChiSquared::new(freedom).expect("there are several blocks").sf(freedom * (1.0 + disturbances / calls));
    // For single calls it rests on hundreds of neighbours, which need no test.
    let is_clear = disturbances > 0.5 && (manifest.plan.order == Order::SingleCalls || chance < UNLIKELY);
    let (least, what) = match manifest.plan.order {
        Order::SingleCalls => ("At least ", "calls in a row"),
        Order::SeparateSteps | Order::JointSteps => ("", "environments at once"),
    };
    is_clear.then(|| {
        let (percent, advice) = (disturbances * 100.0, advice::on_disturbances(manifest));
        format!("{least}{percent:.0}% of the uncertainty comes from what disturbed several {what}: {advice}")
    })
}

/// Warnings of a function that has changed while it was called.
fn of_changes(pair: PairSamples<'_>, side: Side, warnings: &mut Vec<Warning>) {
    let variant = pair.variant(side);
    let name = &variant.name;
    let Some(mut before) = Identity::of(variant) else { return };
    for reading in pair.samples.readings.iter().filter(|reading| reading.variant == pair.variants[side]) {
        let changes = reading.identity.changes_since(&before);
        before = reading.identity.clone();
        if reading.is_restored && changes.is_empty() {
            continue;
        }
        let changed = changes.join("; ");
        let (kind, text) = if changes.is_empty() {
            let text = format!(
                "{name} has got another revision during the campaign, though nothing that is compared has changed; \
                 perhaps the value of a variable. Make sure that all of its samples are of what you mean."
            );
            (WarningKind::FunctionRevised, text)
        } else if reading.is_allowed {
            let text = format!("Samples of {name} from before and after a change are mixed, as was wanted: {changed}.");
            (WarningKind::FunctionRevised, text)
        } else {
            let text = format!(
                "{name} was changed during the campaign: {changed}. Its samples are those of two functions: begin a new \
                 campaign."
            );
            (WarningKind::FunctionChanged, text)
        };
        warnings.push(Warning { kind, side: Some(side), text });
    }
}

fn of_both(pair: PairSamples<'_>, warnings: &mut Vec<Warning>) {
    let mut warn = |kind, text: String| warnings.push(Warning { kind, side: None, text });
    for (work, [one, other]) in pair.mismatches() {
        let text =
            format!("{work}: equal work gave {one} and {other}. Times of unequal work mean nothing: look for the bug.");
        warn(WarningKind::ChecksumMismatch, text);
    }
    if let [Some(baseline), Some(candidate)] = Side::BOTH.map(|side| memory_mb(pair, side))
        && baseline != candidate
        // The sizes of a function that is tried are what is compared.
        && pair.manifest.trial.is_none()
    {
        let advice = if pair.manifest.variants.count() == 2 { " Give both sides the same." } else { "" };
        let text = format!("{baseline} MB against {candidate} MB: more memory comes with more CPU.{advice}");
        warn(WarningKind::UnequalMemory, text);
    }
    let [baseline, candidate] = Side::BOTH.map(|side| pair.facts(side));
    let has_one_architecture = baseline.architecture == candidate.architecture;
    // Of two architectures the targets differ, and nothing else may.
    let [baseline, candidate] =
        [baseline, candidate].map(|facts| if has_one_architecture { &facts.builds } else { &facts.sources });
    if !baseline.is_empty() && !candidate.is_empty() && (baseline != candidate || baseline.len() > 1) {
        let list = |builds: &BTreeSet<String>| builds.iter().cloned().collect::<Vec<_>>().join("; ");
        let text = format!(
            "{} against {}: what differs may be the code. Deploy one build to both sides, unless builds are what \
             you compare.",
            list(baseline),
            list(candidate)
        );
        warn(WarningKind::DifferentBuilds, text);
    }
    if let Some(model) = unbalanced(pair) {
        let text = format!(
            "{model} answered much more often on one side, though both have the same architecture: the difference \
             may be that of the hosts. The interval allows for it; more environments narrow it."
        );
        warn(WarningKind::UnbalancedCpus, text);
    }
    if let Some(waited) = waited(pair).filter(|share| *share > WAITED) {
        let text = format!(
            "The processes had to wait for a processor for {:.0}% of their time: another program used this machine, and \
             times scatter more for it. Let nothing else run here while a campaign does.",
            waited * 100.0
        );
        warn(WarningKind::BusyMachine, text);
    }
    let DataFlags { truncated, short_iterations, coarsest_clock_ns } = pair.samples.flags;
    if truncated > 0 {
        let text = format!(
            "{truncated} answers hold fewer iterations than were asked for, because the deadline came first. Give the \
             functions more time, or take a smaller size or fewer iterations."
        );
        warn(WarningKind::Truncated, text);
    }
    if short_iterations > 0 || coarsest_clock_ns > COARSE_NS {
        let text = format!(
            "{short_iterations} answers hold iterations too short for a clock that resolves {coarsest_clock_ns} ns; \
             several were timed at a stretch. A larger size makes them longer."
        );
        warn(WarningKind::CoarseClock, text);
    }
}

fn of_one(pair: PairSamples<'_>, side: Side, warnings: &mut Vec<Warning>) {
    let (manifest, variant, facts) = (pair.manifest, pair.variant(side), pair.facts(side));
    let (name, totals) = (&variant.name, pair.totals(side));
    let mut warn = |kind, text: String| warnings.push(Warning { kind, side: Some(side), text });
    let is_local = variant.target.is_process();
    // What was imported without CPU models need not be of a fleet.
    let has_fleet = manifest.imported.as_ref().map_or(!is_local, Import::tells_cpu_models);
    if facts.emulated {
        let text = format!(
            "{name} ran on another instruction set than its own, so its times mean nothing and no verdict is given. \
             Deploy to AWS, where both sides have their own hardware."
        );
        warn(WarningKind::Emulated, text);
    }
    let environments = facts.count();
    let known = facts.known_environments(environments);
    let counted = if environments == 1 { "1 environment".to_owned() } else { format!("{environments} environments") };
    let answered = match manifest.imported {
        None => "answered",
        Some(_) if environments == 1 => "was measured",
        Some(_) => "were measured",
    };
    if !pair.has_values(side) {
        let text = match facts.quality.first_without_cold_start {
            0 => format!("No call of {name} gave a measurement: there is nothing to compare."),
            calls => format!(
                "Each of the {calls} answers of {name} that can be used is the first of its environment, which may have \
                 had a cold start or not: there is nothing to compare. Let the campaign run longer."
            ),
        };
        warn(WarningKind::NoSamples, text);
    } else if facts.unknown_environments > 0 {
        let answer = if manifest.imported.is_some() { "measurement" } else { "answer" };
        let (those_of, them) = match facts.unknown_environments {
            1 => (format!("1 {answer} of {name} does"), "it"),
            number => (format!("{number} {answer}s of {name} do"), "them"),
        };
        let text = format!(
            "{those_of} not tell which environment gave {them}, so that nothing tells how much of a difference is chance. {}",
            advice::on_unknown_environments(manifest, variant, pair.samples.log_streams)
        );
        warn(WarningKind::EnvironmentsUnknown, text);
    } else if environments < MINIMUM_ENVIRONMENTS {
        let text = format!(
            "{counted} of {name} {answered}; a verdict takes {MINIMUM_ENVIRONMENTS} of each side. {}",
            advice::on_few_environments(manifest, is_local, totals)
        );
        warn(WarningKind::TooFewEnvironments, text);
    } else if has_fleet && !facts.emulated && unseen(known) > UNSEEN {
        let census = match facts.census.count() {
            0 => String::new(),
            counted => format!(", and a census counted {counted}"),
        };
        let text = format!(
            "{counted} of {name} {answered}{census}: CPU models that none of them has may make up {:.0}% of the fleet. {}",
            unseen(known) * 100.0,
            advice::on_unseen_cpus(manifest)
        );
        warn(WarningKind::UnseenCpus, text);
    }
    let is_small = |memory_mb: &u32| *memory_mb < ONE_VCPU_MB && manifest.trial.is_none();
    if let Some(memory_mb) = memory_mb(pair, side).filter(is_small) {
        let text = format!(
            "{name} has {memory_mb} MB and so less than one vCPU (which takes {ONE_VCPU_MB} MB): the scheduler's \
             quota shapes its wall times. CPU times tell what the processor does."
        );
        warn(WarningKind::LessThanOneVcpu, text);
    }
    if let Some(ended) = variant.ended.filter(|ended| ended.reason == EndReason::GivenUp) {
        let block = ended.first_block_without();
        let before = if pair.has_values(side) {
            ": it is compared in the blocks before, and what is said of it is not of what it is now"
        } else {
            ""
        };
        warn(
            WarningKind::GivenUp,
            format!("{name} was given up at block {block}, because nothing but failures came{before}."),
        );
    }
    if totals.failed() > 0 {
        let text = format!(
            "{} of {} calls of {name} failed and are left out. If slow calls fail more often, times look better than \
             they are.",
            totals.failed(),
            totals.calls
        );
        warn(WarningKind::Failures, text);
    }
    if totals.made_again > 0 {
        let has_met_faults = totals.failures.contains_key(&FailureKind::Transient);
        let why = if has_met_faults { "throttled, or met passing faults of the service," } else { "throttled" };
        let text = format!(
            "{} calls of {name} were {why} and made again. {}",
            totals.made_again,
            advice::on_throttles(manifest)
        );
        warn(WarningKind::Throttled, text);
    }
    let mut calls = pair.cells().flat_map(|(_, calls)| calls.warm[side].iter().chain(calls.cold[side]));
    let has_bill = calls.any(|call| call.value(Measure::Billed).is_some());
    if !is_local && manifest.imported.is_none() && environments > 0 && !has_bill {
        let text = format!(
            "No billed duration of {name} is known, so there is no bill: {}",
            advice::on_missing_bill(&variant.target, facts.quality.reported)
        );
        warn(WarningKind::NoBill, text);
    }
}

/// The memory setting of what Lambda runs.
fn memory_mb(pair: PairSamples<'_>, side: Side) -> Option<u32> {
    let variant = pair.variant(side);
    let configured = variant.configuration.as_ref().map(|it| it.memory_mb);
    let reported = pair.facts(side).memory_mb.filter(|_| !variant.target.is_process());
    configured.or(reported)
}

/// For how much of their time processes on this machine waited for a processor, as a share. None if no such process was timed.
fn waited(PairSamples { manifest, samples, .. }: PairSamples<'_>) -> Option<f64> {
    let is_timed =
        |(index, variant): &(VariantIndex, &Variant)| variant.target.is_process() && !samples.variants[*index].emulated;
    let of_cell = |cell: &'_ CellSamples, variant| {
        let times = cell.deciding(manifest.plan.cold)[variant]
            .iter()
            .filter_map(|call| Some((call.value(Measure::Wall)?, call.value(Measure::Cpu)?)));
        times.fold((0.0, 0.0), |sum, time| (sum.0 + time.0, sum.1 + time.1))
    };
    let variants = manifest.variants.iter().filter(is_timed);
    let times = variants.flat_map(|(variant, _)| samples.cells.values().map(move |cell| of_cell(cell, variant)));
    let (wall, cpu) = times.fold((0.0, 0.0), |sum, time| (sum.0 + time.0, sum.1 + time.1));
    (wall > 0.0).then(|| 1.0 - cpu / wall)
}

/// A CPU model whose share differs between two sides of the same architecture more than by chance (a z test of two
/// shares at 5%).
fn unbalanced(pair: PairSamples<'_>) -> Option<String> {
    let [baseline, candidate] = Side::BOTH.map(|side| pair.facts(side));
    if baseline.architecture.is_none() || baseline.architecture != candidate.architecture {
        return None;
    }
    let [one, other] = [cpus(baseline), cpus(candidate)];
    let [n, m] = [&one, &other].map(|cpus| f64::from(environments(cpus)));
    let models = one.iter().chain(&other).map(|cpu| cpu.model.as_str());
    let mut differing = models.filter(|model| {
        let [x, y] = [&one, &other].map(|cpus| f64::from(environments_of(cpus, model)));
        let pooled = (x + y) / (n + m);
        let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
        (x / n - y / m).abs() > 1.96 * error
    });
    differing.next().map(str::to_owned)
}
