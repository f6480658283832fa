//! What a campaign is going to do.

use super::words::counted;
use crate::campaign::{
    Target,
    environment_source::EnvironmentSource,
    manifest::{CampaignLimits, Manifest, Variant},
    variants::Variants,
};
use std::{collections::BTreeSet, time::Duration};

/// What a campaign is going to do, and what that may cost.
pub fn plan(manifest: &Manifest) -> String {
    let Manifest { plan, limits, variants, baseline, .. } = manifest;
    let is_pair = variants.count() == 2;
    let width = variants.iter().map(|(_, variant)| variant.name.chars().count()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for (index, variant) in variants.iter() {
        let label = match (index == *baseline, is_pair) {
            (true, true) => format!("{:<10}", "baseline"),
            (false, true) => format!("{:<10}", "candidate"),
            (is_baseline, false) => {
                format!("{:<9} {:<width$}", if is_baseline { "baseline" } else { "" }, variant.name)
            }
        };
        lines.push(format!("{label} {}", describe(variant)));
        lines.extend(variant.place.as_ref().map(|place| format!("{:<length$} {place}", "", length = label.len())));
        let indent = format!("{:<length$}", "", length = label.len());
        lines.push(format!("{indent} environments: {}", EnvironmentSource::of(plan, variant)));
    }
    lines.push(format!(
        "{}, {} of each variant, {}: {} calls a block, seed {}",
        counted(plan.cells.len() as u64, "payload"),
        counted(plan.environments, "environment"),
        if plan.cold { "cold" } else { "warm" },
        manifest.calls_of_block(),
        plan.seed
    ));
    let cost = manifest.guessed_cost();
    if cost > 0.0 {
        lines.push(format!("A block may cost ${cost:.6} (a guess before the first call)"));
    }
    lines.push(format!("The campaign ends {}, whichever comes first", ends(limits)));
    lines.extend(price_lists(variants).map(|lists| format!("Prices of {lists}, without free tier")));
    if let Some(blocks) = limits.invocations.map(|calls| calls / manifest.calls_of_block()) {
        let bill = if cost > 0.0 { format!(", ${:.6}", blocks as f64 * cost) } else { String::new() };
        let most = if is_pair { "At most" } else { "Of all variants" };
        lines.push(format!("{most} {}, {} calls{bill}", counted(blocks, "block"), blocks * manifest.calls_of_block()));
    }
    lines.join("\n") + "\n"
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

/// Whose prices they are, and of what date.
fn price_lists(variants: &Variants<Variant>) -> Option<String> {
    let lists = variants.iter().filter_map(|(_, variant)| variant.price.as_ref());
    let mut lists: Vec<String> = lists.map(|price| format!("{}, {}", price.region, price.date)).collect();
    let mut seen = BTreeSet::new();
    lists.retain(|list| seen.insert(list.clone()));
    (!lists.is_empty()).then(|| lists.join(" and "))
}

/// What ends a campaign, whichever comes first.
pub fn ends(limits: &CampaignLimits) -> String {
    let ends = [
        limits.duration_ms.map(|ms| format!("after {}", humantime::format_duration(Duration::from_millis(ms)))),
        limits.invocations.map(|calls| format!("after {calls} calls")),
        limits.max_cost_usd.map(|usd| format!("at ${usd}")),
        // Shares such as 0.07 are a little off as percentages.
        limits.until_ci.map(|half_width| format!("with intervals of ±{}%", (half_width * 1e8).round() / 1e6)),
    ];
    ends.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
