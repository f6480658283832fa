//! What a campaign is going to do.

use super::words::{count, counted, dollars};
use crate::campaign::{
    Target,
    census::{BLOCKS_BETWEEN_ROUNDS, EXPECTED, ExpectedFleet, PlannedCensus},
    environment_source::EnvironmentSource,
    hooks::{Hook, Hooks},
    manifest::{Manifest, Variant},
    prices::Price,
    stopping_rules::{BlockLimit, blocks_within_limits, most_blocks},
    variants::{VariantIndex, Variants},
};
use std::{collections::BTreeSet, time::Duration};

/// The role of the variant that others are compared with, which is the name of one without a name of its own.
const BASELINE: &str = "baseline";

/// What a campaign is going to do, and what that may cost.
pub fn plan(manifest: &Manifest) -> String {
    let Manifest { plan, variants, .. } = manifest;
    let mut lines = Vec::new();
    for (index, label) in labels(manifest) {
        let variant = &variants[index];
        let indent = format!("{:<length$}", "", length = label.chars().count());
        lines.push(format!("{label} {}", describe(variant)));
        lines.extend(variant.place.as_ref().map(|place| format!("{indent} {place}")));
        lines.push(format!("{indent} environments: {}", EnvironmentSource::of(plan, variant)));
    }
    lines.extend(calls_and_limits(manifest));
    lines.join("\n") + "\n"
}

/// What a trial is going to make, and what its calls may cost. `clones` has the names of the clones, `role` their role. If
/// they are searched, not all of them are made, and rounds of the search have `blocks_of_search`.
pub fn trial_plan(
    manifest: &Manifest,
    clones: &[String],
    probe: &str,
    role: &str,
    has_file_systems: bool,
    blocks_of_search: Option<u64>,
) -> String {
    let arn = manifest.trial.as_ref().and_then(|trial| trial.function.arn.as_deref());
    let place = manifest.variants[manifest.baseline].place.as_ref().map(|place| format!(" {place}"));
    let mut lines = vec![format!(
        "{}{} of {} are made{}, called, and deleted with their log groups, /aws/lambda/NAME:",
        if blocks_of_search.is_some() { "At most " } else { "" },
        counted(clones.len() as u64, "clone"),
        arn.unwrap_or("the function"),
        place.unwrap_or_default()
    )];
    lines.extend(labels(manifest).into_iter().zip(clones).map(|((_, label), name)| format!("{label} {name}")));
    lines.push(match manifest.trial.as_ref().and_then(|trial| trial.no_probe.as_ref()) {
        None => format!("A layer, {probe}, tells the CPUs that they get; it is deleted too."),
        Some(reason) => format!("Nothing tells the CPUs that they get: {reason}."),
    });
    let files = if has_file_systems { ", file systems" } else { "" };
    lines.push(format!(
        "They have its code, layers, variables, network{files} and role ({role}), and nothing that calls them. What a call \
         does, it does for real. At most {} at the same time, of the concurrency that the account's functions share.",
        counted(manifest.most_concurrent_calls(), "call")
    ));
    lines.extend(blocks_of_search.map(|blocks| {
        format!(
            "A search comes first: rounds of {} call the smallest size, the largest and some between, and go on where another \
             may be cheaper or faster. The campaign then has what is worth measuring. What follows is for all of them, the \
             most that it can be; the limits hold for search and campaign together.",
            counted(blocks, "block")
        )
    }));
    lines.extend(calls_and_limits(manifest));
    lines.join("\n") + "\n"
}

/// The variants' names in a column, after their roles where they do not tell these.
fn labels(manifest: &Manifest) -> Vec<(VariantIndex, String)> {
    let Manifest { variants, baseline, .. } = manifest;
    let width = variants.iter().map(|(_, variant)| variant.name.chars().count()).max().unwrap_or_default();
    let is_told_by_name = variants[*baseline].name == BASELINE;
    let label = |(index, variant): (VariantIndex, &Variant)| {
        let role = if index == *baseline { BASELINE } else { "" };
        let role = if is_told_by_name { String::new() } else { format!("{role:<length$}  ", length = BASELINE.len()) };
        (index, format!("{role}{:<width$}", variant.name))
    };
    variants.iter().map(label).collect()
}

/// The calls of a block, what ends the campaign, and what that may cost.
fn calls_and_limits(manifest: &Manifest) -> Vec<String> {
    let Manifest { plan, variants, .. } = manifest;
    let mut lines = Vec::new();
    lines.push(format!(
        "{}, {} of each variant, {}: {} a block, seed {}",
        counted(plan.cells.len() as u64, "payload"),
        counted(plan.environments, "environment"),
        if plan.cold { "cold" } else { "warm" },
        counted(manifest.calls_of_block(), "call"),
        plan.seed
    ));
    lines.extend(plan.hooks.iter().flat_map(hooks));
    lines.extend(plan.census.as_ref().map(|planned| census(manifest, planned)));
    let (cost, of_census) = (manifest.guessed_cost(), manifest.guessed_cost_of_census());
    lines.push(if has_bill(manifest) {
        format!("A block may cost {} (a guess before the first call)", dollars(cost))
    } else {
        "Nothing of it is on a bill".to_owned()
    });
    let ends = ends(manifest);
    let which = if ends.len() > 1 { ", whichever comes first" } else { "" };
    lines.push(format!("The campaign ends {}{which}", ends.join(", ")));
    lines.extend(price_lists(variants).map(|lists| format!("Prices of {lists}, without free tier")));
    lines.push(match blocks_within_limits(manifest).min_by_key(|(_, blocks)| *blocks) {
        Some((limit, blocks)) => {
            let bound = if limit.is_guessed() { "About" } else { "At most" };
            let bill = if cost > 0.0 {
                format!(", {} by the guess", dollars(blocks as f64 * cost + of_census))
            } else {
                String::new()
            };
            let calls = counted(blocks * manifest.calls_of_block(), "call");
            let unless = match limit {
                BlockLimit::Cost if manifest.limits.duration_ms.is_some() => ", unless the time is over before",
                _ => "",
            };
            let more = match limit {
                BlockLimit::Invocations if manifest.measures_all_models() => {
                    ", and at most as many again to measure all frequent CPU models"
                }
                _ => "",
            };
            format!("{bound} {}, {calls}{bill}{unless}{more}", counted(blocks, "block"))
        }
        None => "How many blocks that makes depends on how long calls take".to_owned(),
    });
    lines
}

/// What the campaign counts, what it calls, and what it changes for that.
fn census(manifest: &Manifest, planned: &PlannedCensus) -> String {
    let counting =
        if planned.is_allocated { allocated_census(manifest, planned) } else { fixed_census(manifest, planned) };
    let how = match manifest.trial {
        Some(_) => format!(
            "Its calls send {}, as many at the same time as half of the free concurrency allows. Each round changes a variable \
             of the clones, so that new environments start",
            manifest.plan.cells[0].name
        ),
        None => {
            "Each round changes a variable of the functions, so that new environments start; that is undone at the end"
                .to_owned()
        }
    };
    format!("Census: {counting}. {how}")
}

fn fixed_census(manifest: &Manifest, PlannedCensus { environments, rounds, .. }: &PlannedCensus) -> String {
    let when = match most_blocks(manifest) {
        Some(blocks) => format!("spread over {}", counted(blocks, "block")),
        None => format!("one before every {BLOCKS_BETWEEN_ROUNDS}th block, as far as the campaign gets"),
    };
    format!(
        "{} of each variant in {}, {when}: {} by the guess",
        counted(*environments, "environment"),
        counted(*rounds, "round"),
        dollars(manifest.guessed_cost_of_census())
    )
}

/// How many environments are measured and counted for an interval that is narrow enough, and why.
fn allocated_census(manifest: &Manifest, PlannedCensus { environments, rounds, .. }: &PlannedCensus) -> String {
    let ExpectedFleet { slowdown, slower, deviation } = EXPECTED;
    let costs = manifest.guessed_costs_of_environment();
    let width = width(manifest.limits.until_ci.unwrap_or_default());
    let allowed = blocks_within_limits(manifest).map(|(_, blocks)| blocks.div_ceil(BLOCKS_BETWEEN_ROUNDS)).min();
    let end = match allowed.filter(|allowed| *allowed < u64::from(*rounds)) {
        Some(allowed) => format!("; the other limits allow about {}", counted(allowed, "round")),
        None => String::new(),
    };
    format!(
        "with {} of each variant measured and {} counted ({}), intervals of {width} are expected after {}, one before every \
         {BLOCKS_BETWEEN_ROUNDS}th block{end}. That is the cheapest way if measuring one of each costs {} and counting one {}; if \
         {}% of a fleet have a CPU that takes {slowdown} times as long as the other; and if environments with the same CPU differ by \
         {}%. What calls show replaces these guesses before each round",
        counted(u64::from(*rounds) * u64::from(manifest.plan.environments), "environment"),
        count(u64::from(*environments)),
        dollars(manifest.guessed_cost_of_census()),
        counted(*rounds, "round"),
        dollars(costs.measured),
        dollars(costs.counted),
        slower * 100.0,
        deviation * 100.0
    )
}

/// The half width of an interval. Shares such as 0.07 are a little off as percentages.
fn width(until_ci: f64) -> String {
    format!("±{}%", (until_ci * 1e8).round() / 1e6)
}

fn describe(variant: &Variant) -> String {
    let Variant { target, configuration, .. } = variant;
    match (configuration, target) {
        (Some(known), _) => {
            let runtime = known.runtime.as_deref().unwrap_or("container image");
            format!("{target} ({}, {} MB, {} s, {runtime})", known.architecture, known.memory_mb, known.timeout_s)
        }
        (None, Target::Function { .. }) => {
            format!("{target} (configuration unknown, costs as for {} MB)", variant.memory_mb())
        }
        (None, Target::Endpoint { .. } | Target::Process { .. } | Target::Import { .. }) => target.to_string(),
    }
}

/// What is run around every block, and where.
fn hooks(hooks: &Hooks) -> impl Iterator<Item = String> {
    let limit = humantime::format_duration(Duration::from_millis(hooks.timeout_ms));
    let named = [("Before", &hooks.before), ("After", &hooks.after)].into_iter();
    named.filter_map(|(when, hook)| Some((when, hook.as_ref()?))).map(move |(when, Hook { run, place, directory })| {
        let place = place.as_ref().map(|place| format!("{place}, and not on this bill"));
        let directory = directory.as_ref().map(|directory| format!("in {}", directory.display()));
        let place = place.or(directory).map(|place| format!(", {place}")).unwrap_or_default();
        format!("{when} every block: {run} ({limit} at most{place})")
    })
}

/// Whose prices they are, and of what date.
fn price_lists(variants: &Variants<Variant>) -> Option<String> {
    let lists = variants.iter().filter_map(|(_, variant)| variant.price.as_ref());
    let mut lists: Vec<String> = lists.map(Price::list).collect();
    let mut seen = BTreeSet::new();
    lists.retain(|list| seen.insert(list.clone()));
    (!lists.is_empty()).then(|| lists.join(" and "))
}

/// Whether Lambda bills calls of any variant.
fn has_bill(manifest: &Manifest) -> bool {
    manifest.variants.iter().any(|(_, variant)| variant.price.is_some())
}

/// What ends a campaign, whichever comes first.
pub fn ends(manifest: &Manifest) -> Vec<String> {
    let limits = &manifest.limits;
    let ends = [
        limits.duration_ms.map(|ms| format!("after {}", humantime::format_duration(Duration::from_millis(ms)))),
        limits.invocations.map(|calls| format!("after {}", counted(calls, "call"))),
        limits.max_cost_usd.filter(|_| has_bill(manifest)).map(|usd| format!("at {}", dollars(usd))),
        limits.until_ci.map(|half_width| format!("with intervals of {}", width(half_width))),
    ];
    ends.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        manifest::{CampaignLimits, Place},
        prices::PriceTable,
    };
    use crate::protocol::Architecture;

    /// Two processes, the second of which is the baseline.
    fn manifest(names: [&str; 2]) -> Manifest {
        let mut manifest = Manifest::example();
        for ((_, variant), name) in manifest.variants.iter_mut().zip(names) {
            (variant.name, variant.target) = (name.to_owned(), format!("exec:/fn/{name}").parse().unwrap());
        }
        manifest.baseline = manifest.variants.indices().last().unwrap();
        manifest.limits =
            CampaignLimits { duration_ms: Some(600_000), max_cost_usd: Some(0.5), ..CampaignLimits::default() };
        manifest
    }

    #[test]
    fn a_plan_of_processes_has_their_names_and_no_money() {
        let mut manifest = manifest(["fast", "slower"]);
        assert_eq!(
            plan(&manifest),
            "          fast   exec:/fn/fast\n\
            \x20                environments: processes on this machine\n\
             baseline  slower exec:/fn/slower\n\
            \x20                environments: processes on this machine\n\
             1 payload, 1 environment of each variant, warm: 2 calls a block, seed 1\n\
             Nothing of it is on a bill\n\
             The campaign ends after 10m\n\
             How many blocks that makes depends on how long calls take\n"
        );
        manifest.limits.invocations = Some(12_345);
        let plan = plan(&manifest);
        assert!(plan.contains("The campaign ends after 10m, after 12,345 calls, whichever comes first\n"), "{plan}");
        assert!(plan.ends_with("\nAt most 6,172 blocks, 12,344 calls\n"), "{plan}");
    }

    #[test]
    fn a_plan_has_what_is_run_around_blocks() {
        let mut manifest = manifest(["fast", "slower"]);
        let place = Place {
            region: Some("eu-west-1".to_owned()),
            profile: None,
            is_profile_fixed: false,
            endpoint: Some("https://lambda.eu-west-1.amazonaws.com".to_owned()),
        };
        let before =
            Hook { run: "psql -f reset.sql".parse().unwrap(), place: None, directory: Some("/home/me/orders".into()) };
        let after = Hook { run: "lambda:reset".parse().unwrap(), place: Some(place), directory: None };
        manifest.plan.hooks = Some(Hooks { before: Some(before), after: Some(after), timeout_ms: 90_000 });
        let plan = plan(&manifest);
        assert!(
            plan.contains(
                "seed 1\n\
                 Before every block: psql -f reset.sql (1m 30s at most, in /home/me/orders)\n\
                 After every block: lambda:reset (1m 30s at most, in eu-west-1 (aws), at \
                 https://lambda.eu-west-1.amazonaws.com, and not on this bill)\n\
                 Nothing of it"
            ),
            "{plan}"
        );
    }

    #[test]
    fn a_plan_tells_roles_once_and_what_the_money_allows() {
        let mut manifest = manifest(["candidate", "baseline"]);
        for (_, variant) in manifest.variants.iter_mut() {
            variant.price = Some(PriceTable::built_in().price("us-east-1", Architecture::X86_64).unwrap());
        }
        let plan = plan(&manifest);
        assert!(
            plan.starts_with("candidate exec:/fn/candidate\n") && plan.contains("\nbaseline  exec:/fn/baseline\n"),
            "{plan}"
        );
        // 1 ms of 1769 MB: 2 × ($0.0000002 + $0.0000000288).
        assert!(plan.contains("\nA block may cost $0.00000046 (a guess before the first call)\n"), "{plan}");
        assert!(plan.contains("\nThe campaign ends after 10m, at $0.50, whichever comes first\n"), "{plan}");
        assert!(
            plan.ends_with(
                "\nAbout 1,092,693 blocks, 2,185,386 calls, $0.50 by the guess, unless the time is over before\n"
            ),
            "{plan}"
        );
        manifest.limits.invocations = Some(4);
        let plan = self::plan(&manifest);
        assert!(plan.ends_with("\nAt most 2 blocks, 4 calls, $0.00000092 by the guess\n"), "{plan}");
    }
}
