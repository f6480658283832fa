//! How the numbers were made, and of what.

use super::figure::{self, scrolling};
use crate::analysis::sides::Side;
use crate::{
    analysis::{
        proportion::Proportion,
        result::{PairAnalysis, Provenance, VariantFacts},
    },
    campaign::import::Import,
    report::{
        counted_fleets::{counted_environments, not_used},
        document::{Table, Value, numbers, words},
        facts::failures,
        imported,
        sentences::sources,
        words::{count, date, dollars, from_to, names, percent, proportion, proportion_to, took},
    },
};
use maud::{Markup, html};

/// The method in a paragraph.
pub fn method(analysis: &PairAnalysis) -> Markup {
    let (method, import) = (&analysis.method, &analysis.campaign.imported);
    let confidence = percent(method.confidence);
    let content = html! {
        p {
            @match import {
                None => "Variants and cells were called in random order within short blocks, so that drift meets all variants alike. ",
                Some(_) => {
                    "The measurements were made by another program, in an order that is not known. Sides are compared "
                    "within blocks, so that drift from block to block meets both alike; drift within a block does not. "
                }
            }
            "The logarithms of times are estimated by weighted least squares on side and block, where each "
            "environment weighs the same: the environment, not the "
            @match import {
                None => {
                    "call, is what is drawn from the fleet. Variances are cluster-robust by environment (CR3) and, where sides "
                    "are called in steps, by block"
                }
                Some(_) => "measurement, is what chance has drawn. Variances are cluster-robust by environment (CR3) and by block"
            }
            ", which tells what disturbed several environments at once, with the degrees of freedom of Satterthwaite and "
            "Welch; intervals cover the truth with a probability of " (confidence) ". "
            @if import.is_none() { "Bills are compared by arithmetic means, because bills add up. " }
            @match method.until_ci {
                _ if import.is_some() => "They take for granted that the measurements did not end because of their result. ",
                Some(half_width) => {
                    "The campaign was to end once the interval was ±" (percent(half_width)) ", so its intervals "
                    "are the wider ones that hold after every block. "
                }
                None => "The samples were looked at once, at the end. ",
            }
            "A side of fewer than " (method.minimum_environments) " environments, and a campaign of fewer than " (method.minimum_blocks) " blocks, get no interval and no verdict. "
            "A cell is faster or slower where its difference excludes none, and equivalent where it lies within "
            "±" (percent(method.margin)) ", each after Holm's adjustment, which holds the chance of any wrong verdict "
            "among all cells of all candidates at " (percent(1.0 - method.confidence)) ". The intervals that are shown are not "
            "adjusted, so a cell whose interval barely excludes no difference may be undecided. "
            "More, with references, is in docs/method.md of Lambda Duet."
        }
    };
    figure::section("Method", &content)
}

/// Where the uncertainty of the verdict comes from.
pub fn uncertainty(analysis: &PairAnalysis) -> Markup {
    html! { @if let Some(sources) = sources(analysis) { p { (sources) } } }
}

/// Where the samples come from.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let import = analysis.campaign.imported.as_ref();
    let (campaign, sides) = match import {
        None => (campaign(analysis), sides(analysis)),
        Some(import) => (imported_campaign(import, &analysis.campaign), imported_sides(analysis)),
    };
    let mut tables = vec![("The campaign", campaign), ("The sides", sides)];
    tables.extend(analysis.has_cpu_models().then(|| ("The CPU models", cpus(analysis))));
    let content = html! {
        @if let Some(import) = import { p { (imported::unknown(import)) } }
        @for (label, table) in &tables { (scrolling(label, &figure::table(table))) }
    };
    figure::section("Where this comes from", &content)
}

fn campaign(analysis: &PairAnalysis) -> Table {
    let Provenance { version, created_unix_ms, elapsed_ms, seed, cold, environments_per_step, blocks, calls, .. } =
        &analysis.campaign;
    let state = if *cold {
        "each to an environment that had just started"
    } else {
        "to environments as they were, warm for the most part"
    };
    let facts = [
        ("Lambda Duet", Some(version.clone())),
        ("begun", Some(date(*created_unix_ms))),
        ("took", elapsed_ms.map(took)),
        ("seed of the order", seed.map(|seed| seed.to_string())),
        ("blocks", Some(count(*blocks))),
        ("calls", Some(format!("{}, {state}", count(*calls)))),
        ("environments of a side in a block", environments_per_step.map(|number| number.to_string())),
    ];
    of_campaign(facts)
}

fn imported_campaign(import: &Import, campaign: &Provenance) -> Table {
    of_campaign([
        ("imported from", Some(import.files_in_short())),
        ("imported", Some(date(campaign.created_unix_ms))),
        ("by Lambda Duet", Some(campaign.version.clone())),
        ("format", Some(import.format.to_string())),
        ("what was measured", Some(imported::what(import))),
        ("over", imported::period(campaign)),
        ("blocks", import.has_blocks.then(|| count(campaign.blocks))),
        ("measurements", Some(count(campaign.calls))),
    ])
}

fn of_campaign<const N: usize>(facts: [(&str, Option<String>); N]) -> Table {
    let value = |value: Option<String>| Value::text(value.unwrap_or("unknown".to_owned()));
    let rows = facts.into_iter().map(|(what, fact)| vec![Value::text(what), value(fact)]);
    Table::new("The campaign.", ["what", "value"].map(words), rows)
}

/// A fact about a side, with its name; None where it is unknown.
type Fact<'a> = (&'a str, fn(&VariantFacts) -> Option<String>);

const ENVIRONMENTS: Fact<'_> =
    ("environments", |side| side.has_known_environments().then(|| count(side.environments.into())));

fn imported_sides(analysis: &PairAnalysis) -> Table {
    of_sides(analysis, &[("measurements", |side| Some(count(side.calls))), ENVIRONMENTS])
}

fn sides(analysis: &PairAnalysis) -> Table {
    let mut rows: Vec<Fact<'_>> = vec![
        ("target", |side| Some(side.target.clone())),
        ("architecture", |side| Some(side.architecture?.to_string())),
        ("memory, MB", |side| Some(side.memory_mb?.to_string())),
        ("calls", |side| Some(count(side.calls))),
        ("of them cold", |side| side.cold_calls.map(count)),
        ("failures", |side| {
            let is_none = side.failures.as_ref()?.is_empty();
            Some(if is_none { "none".to_owned() } else { failures(side).join(", ") })
        }),
        ENVIRONMENTS,
        ("emulated", |side| Some(if side.emulated? { "yes" } else { "no" }.to_owned())),
        ("builds", |side| (!side.builds.is_empty()).then(|| side.builds.join("; "))),
        ("spent, estimated", |side| side.spent_usd.map(dollars)),
    ];
    if has_census(analysis) {
        rows.push(("census", |side| Some(counted_environments(side).unwrap_or("none".to_owned()))));
    }
    of_sides(analysis, &rows)
}

fn of_sides(analysis: &PairAnalysis, facts: &[Fact<'_>]) -> Table {
    let names = names(analysis);
    let row = |(what, fact): &Fact<'_>| {
        let fact = |side: Side| Value::text(fact(&analysis.sides[side]).unwrap_or("unknown".to_owned()));
        vec![Value::text(*what), fact(Side::Baseline), fact(Side::Candidate)]
    };
    let columns = [words("what"), words(names.baseline.to_string()), words(names.candidate.to_string())];
    Table::new("The sides.", columns, facts.iter().map(row))
}

fn has_census(analysis: &PairAnalysis) -> bool {
    analysis.sides.iter().any(|(_, facts)| facts.census.is_some())
}

/// So many environments of a CPU model, and their proportion of the fleet.
fn of_fleet(environments: u32, Proportion { estimate, low, high }: Proportion) -> [Value; 3] {
    let interval = from_to(low, high, proportion_to);
    [Value::number(count(environments.into())), Value::number(proportion(estimate)), Value::number(interval)]
}

fn cpus(analysis: &PairAnalysis) -> Table {
    let names = names(analysis);
    let has_census = has_census(analysis);
    let unknown = || [Value::Unknown, Value::Unknown, Value::Unknown];
    let rows_of = |(side, facts): (Side, &VariantFacts)| {
        let name = &names[side];
        let seen = facts.cpus.iter().map(|cpu| {
            let counted = cpu.counted.map_or_else(unknown, |known| of_fleet(known.environments, known.proportion));
            let mut row = vec![Value::text(format!("{name}: {}", cpu.model))];
            row.extend(of_fleet(cpu.environments, cpu.proportion));
            row.extend(counted.into_iter().filter(|_| has_census));
            row
        });
        let unseen = facts.unseen.map(|unseen| {
            let mut row = vec![Value::text(format!("{name}: models not seen"))];
            let most = Value::number(format!("up to {}", proportion(unseen)));
            let nothing = [Value::number(0), Value::Unknown];
            // It is told by all environments that are known.
            if facts.census.is_some() {
                row.extend(unknown());
            }
            row.extend(nothing);
            row.push(most);
            row.extend(unknown().into_iter().filter(|_| has_census && facts.census.is_none()));
            row
        });
        seen.chain(unseen).collect::<Vec<_>>()
    };
    let answered = if analysis.campaign.imported.is_some() { "were measured" } else { "answered" };
    let mut title = format!(
        "The CPU models that {answered}, and the proportion of the fleet that they have, with 95% intervals. CPU models that \
         were not seen may make up to the last proportion of each side."
    );
    let mut columns = vec![words("model"), numbers("environments"), numbers("proportion"), numbers("interval")];
    if has_census {
        title += " Known are the environments of the census and those that were called, each once.";
        columns.extend(["known environments", "known proportion", "interval of that"].map(numbers));
    }
    for (side, facts) in analysis.sides.iter() {
        title += &not_used(facts)
            .map(|why| format!(" The environments counted of {} are {why}.", names[side]))
            .unwrap_or_default();
    }
    Table::new(title, columns, analysis.sides.iter().flat_map(rows_of))
}
