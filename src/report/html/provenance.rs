//! How the numbers were made, and of what.

use super::figure::{self, scrolling};
use crate::analysis::sides::Side;
use crate::{
    analysis::result::{PairAnalysis, Provenance, VariantFacts},
    report::{
        document::{Table, Value, numbers, words},
        sentences::{failures, sources},
        words::{count, date, dollars, from_to, names, percent},
    },
};
use maud::{Markup, html};
use std::time::Duration;

/// The method in a paragraph.
pub fn method(analysis: &PairAnalysis) -> Markup {
    let method = &analysis.method;
    let confidence = percent(method.confidence);
    let content = html! {
        p {
            "Sides and cells were called in random order within short blocks, so that drift meets both sides alike. "
            "The logarithms of times are estimated by weighted least squares on side and block, where each "
            "environment weighs the same: the environment, not the call, is what is drawn from the fleet. Variances "
            "are cluster-robust by environment (CR3) and, where sides are called in steps, by block, which tells what "
            "disturbed several environments at once, with the degrees of freedom of Satterthwaite and Welch; "
            "intervals cover the truth with a probability of " (confidence) ". Bills are compared by arithmetic means, because bills add up. "
            @match method.until_ci {
                Some(half_width) => {
                    "The campaign was to end once the interval was ±" (percent(half_width)) ", so its intervals "
                    "are the wider ones that hold after every block. "
                }
                None => "The samples were looked at once, at the end. ",
            }
            "A side of fewer than " (method.minimum_environments) " environments, and a campaign of fewer than " (method.minimum_blocks) " blocks, get no interval and no verdict. "
            @if let Some(sources) = sources(analysis) { (sources) " " }
            "A cell is faster or slower where its difference excludes none, and equivalent where it lies within "
            "±" (percent(method.margin)) ", each after Holm's adjustment, which holds the chance of any wrong verdict "
            "among all cells at " (percent(1.0 - method.confidence)) ". The intervals that are shown are not "
            "adjusted, so a cell whose interval barely excludes no difference may be undecided. "
            "More, with references, is in docs/method.md of Lambda Duet."
        }
    };
    figure::section("Method", &content)
}

/// Where the samples come from.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let tables =
        [("The campaign", campaign(analysis)), ("The sides", sides(analysis)), ("The CPU models", cpus(analysis))];
    let content = html! {
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
        ("Lambda Duet", version.clone()),
        ("begun", date(*created_unix_ms)),
        ("took", humantime::format_duration(Duration::from_secs(elapsed_ms.div_ceil(1000))).to_string()),
        ("seed of the order", seed.to_string()),
        ("blocks", count(*blocks)),
        ("calls", format!("{}, {state}", count(*calls))),
        ("environments of a side in a block", environments_per_step.to_string()),
    ];
    let rows = facts.into_iter().map(|(what, value)| vec![Value::text(what), Value::text(value)]);
    Table::new("The campaign.", ["what", "value"].map(words), rows)
}

fn sides(analysis: &PairAnalysis) -> Table {
    let names = names(analysis);
    let row = |what: &str, fact: fn(&VariantFacts) -> Option<String>| {
        let fact = |side: Side| Value::text(fact(&analysis.sides[side]).unwrap_or("unknown".to_owned()));
        vec![Value::text(what), fact(Side::Baseline), fact(Side::Candidate)]
    };
    let rows = [
        row("target", |side| Some(side.target.clone())),
        row("architecture", |side| Some(side.architecture?.to_string())),
        row("memory, MB", |side| Some(side.memory_mb?.to_string())),
        row("calls", |side| Some(count(side.calls))),
        row("of them cold", |side| Some(count(side.cold_calls))),
        row("failures", |side| {
            Some(if side.failures.is_empty() { "none".to_owned() } else { failures(side).join(", ") })
        }),
        row("environments", |side| Some(count(side.environments.into()))),
        row("emulated", |side| Some(if side.emulated { "yes" } else { "no" }.to_owned())),
        row("builds", |side| (!side.builds.is_empty()).then(|| side.builds.join("; "))),
        row("spent, estimated", |side| Some(dollars(side.spent_usd))),
    ];
    let columns = [words("what"), words(names.baseline.to_string()), words(names.candidate.to_string())];
    Table::new("The sides.", columns, rows)
}

fn cpus(analysis: &PairAnalysis) -> Table {
    let names = names(analysis);
    let rows_of = |(side, facts): (Side, &VariantFacts)| {
        let name = &names[side];
        let seen = facts.cpus.iter().map(|cpu| {
            vec![
                Value::text(format!("{name}: {}", cpu.model)),
                Value::number(cpu.environments),
                Value::number(percent(cpu.proportion.estimate)),
                Value::number(from_to(cpu.proportion.low, cpu.proportion.high, percent)),
            ]
        });
        let unseen = vec![
            Value::text(format!("{name}: models not seen")),
            Value::number(0),
            Value::Unknown,
            Value::number(format!("up to {}", percent(facts.unseen))),
        ];
        seen.chain([unseen]).collect::<Vec<_>>()
    };
    let title = "The CPU models that answered, and the proportion of the fleet that they have, with 95% intervals. CPU models \
                 that were not seen may make up to the last proportion of each side.";
    let columns = [words("model"), numbers("environments"), numbers("proportion"), numbers("interval")];
    Table::new(title, columns, analysis.sides.iter().flat_map(rows_of))
}
