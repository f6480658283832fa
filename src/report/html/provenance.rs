//! How the numbers were made, and of what.

use super::figure::table;
use crate::{
    analysis::result::{Analysis, SideFacts},
    campaign::sides::Side,
    report::{
        document::{Table, Value, numbers, words},
        sentences::sources,
        words::{count, dollars, names, percent},
    },
};
use maud::{Markup, html};
use std::time::{Duration, UNIX_EPOCH};

/// The method in a paragraph.
pub fn method(analysis: &Analysis) -> Markup {
    let method = &analysis.method;
    let confidence = percent(method.confidence);
    html! {
        section aria-labelledby="method" {
            h2 #method { "Method" }
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
        }
    }
}

/// Where the samples come from.
pub fn section(analysis: &Analysis) -> Markup {
    html! {
        section aria-labelledby="provenance" {
            h2 #provenance { "Where this comes from" }
            div.scroll tabindex="0" role="region" aria-label="The campaign" {
                (table(&campaign(analysis)))
            }
            div.scroll tabindex="0" role="region" aria-label="The sides" { (sides(analysis)) }
            div.scroll tabindex="0" role="region" aria-label="The CPU models" { (cpus(analysis)) }
        }
    }
}

fn campaign(analysis: &Analysis) -> Table {
    let it = &analysis.campaign;
    let calls = if it.cold {
        "each to an environment that had just started"
    } else {
        "to environments as they were, warm for the most part"
    };
    let facts = [
        ("Lambda Duet", it.version.clone()),
        ("begun", date(it.created_unix_ms)),
        ("took", humantime::format_duration(Duration::from_secs(it.elapsed_ms.div_ceil(1000))).to_string()),
        ("seed of the order", it.seed.to_string()),
        ("blocks", count(it.blocks)),
        ("calls", format!("{}, {calls}", count(it.calls))),
        ("environments of a side in a block", it.environments_per_step.to_string()),
    ];
    let rows = facts.into_iter().map(|(what, value)| vec![Value::text(what), Value::text(value)]);
    Table::new("The campaign.", ["what", "value"].map(words)).with_rows(rows)
}

/// RFC 3339, where there is such a date.
fn date(unix_ms: u64) -> String {
    /// The last second of the year 9999.
    const LAST_S: u64 = 253_402_300_799;
    if unix_ms / 1000 > LAST_S {
        return format!("{unix_ms} ms after 1970-01-01");
    }
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(unix_ms / 1000)).to_string()
}

fn sides(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    let unknown = || "unknown".to_owned();
    let failures = |it: &SideFacts| {
        let kinds: Vec<String> =
            it.failures.iter().map(|(kind, number)| format!("{kind}: {}", count(*number))).collect();
        if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
    };
    let builds = |it: &SideFacts| if it.builds.is_empty() { unknown() } else { it.builds.join("; ") };
    let row = |(what, fact): (&str, &dyn Fn(&SideFacts) -> String)| {
        vec![
            Value::text(what),
            Value::text(fact(&analysis.sides.baseline)),
            Value::text(fact(&analysis.sides.candidate)),
        ]
    };
    let rows = [
        row(("target", &|side| side.target.clone())),
        row(("architecture", &|side| side.architecture.map_or_else(unknown, |it| it.to_string()))),
        row(("memory, MB", &|side| side.memory_mb.map_or_else(unknown, |it| it.to_string()))),
        row(("calls", &|side| count(side.calls))),
        row(("of them cold", &|side| count(side.cold_calls))),
        row(("failures", &failures)),
        row(("environments", &|side| count(side.environments.into()))),
        row(("emulated", &|side| if side.emulated { "yes" } else { "no" }.to_owned())),
        row(("builds", &builds)),
        row(("spent, estimated", &|side| dollars(side.spent_usd))),
    ];
    let columns = [words("what"), words(names.baseline.to_string()), words(names.candidate.to_string())];
    table(&Table::new("The sides.", columns).with_rows(rows))
}

fn cpus(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    let rows_of = |(side, facts): (Side, &SideFacts)| {
        let name = &names[side];
        let seen = facts.cpus.iter().map(|cpu| {
            vec![
                Value::text(format!("{name}: {}", cpu.model)),
                Value::number(cpu.environments),
                Value::number(percent(cpu.share.estimate)),
                Value::number(format!("{} to {}", percent(cpu.share.low), percent(cpu.share.high))),
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
    table(&Table::new(title, columns).with_rows(analysis.sides.iter().flat_map(rows_of)))
}
