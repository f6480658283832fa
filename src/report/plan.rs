//! What a campaign is going to do.

use super::words::counted;
use crate::campaign::{
    Target,
    manifest::{CampaignLimits, Manifest, Variant},
    sides::Sides,
};
use std::{fmt::Write, time::Duration};

/// What a campaign is going to do, and what that may cost.
pub fn plan(manifest: &Manifest) -> String {
    let Manifest { plan, limits, sides, .. } = manifest;
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (side, variant) in sides.iter() {
        let _ = writeln!(text, "{side:<10} {}", describe(variant));
        if let Some(place) = &variant.place {
            let _ = writeln!(text, "{:<10} {place}", "");
        }
    }
    let _ = writeln!(
        text,
        "{}, {} a side, {}: {} calls a block, seed {}",
        counted(plan.cells.len() as u64, "payload"),
        counted(plan.environments, "environment"),
        if plan.cold { "cold" } else { "warm" },
        plan.calls(),
        plan.seed
    );
    let cost = manifest.guessed_cost();
    let _ =
        writeln!(text, "A block may cost ${cost:.6} (a guess before the first call); it ends with {}", ends(limits));
    if let Some(lists) = price_lists(sides) {
        let _ = writeln!(text, "Prices of {lists}, without free tier");
    }
    if let Some(blocks) = limits.invocations.map(|it| it / plan.calls()) {
        let (calls, bill) = (blocks * plan.calls(), blocks as f64 * cost);
        let _ = writeln!(text, "At most {}, {calls} calls, ${bill:.6}", counted(blocks, "block"));
    }
    text
}

fn describe(variant: &Variant) -> String {
    let configuration = variant.configuration.as_ref().map(|it| {
        let runtime = it.runtime.as_deref().unwrap_or("container image");
        format!(" ({}, {} MB, {} s, {runtime})", it.architecture, it.memory_mb, it.timeout_s)
    });
    let unknown = || match &variant.target {
        Target::Function { .. } => format!(" (configuration unknown, costs as for {} MB)", variant.memory_mb()),
        Target::Endpoint { .. } | Target::Process { .. } => String::new(),
    };
    format!("{}{}", variant.target, configuration.unwrap_or_else(unknown))
}

/// Whose prices they are, and of what date.
fn price_lists(sides: &Sides<Variant>) -> Option<String> {
    let lists = sides.iter().filter_map(|(_, variant)| variant.price.as_ref());
    let mut lists: Vec<String> = lists.map(|it| format!("{}, {}", it.region, it.date)).collect();
    lists.dedup();
    (!lists.is_empty()).then(|| lists.join(" and "))
}

/// What ends a campaign, whichever comes first.
pub fn ends(limits: &CampaignLimits) -> String {
    let ends = [
        limits.duration_ms.map(|it| humantime::format_duration(Duration::from_millis(it)).to_string()),
        limits.invocations.map(|it| format!("{it} calls")),
        limits.max_cost_usd.map(|it| format!("${it}")),
        // Shares such as 0.07 are a little off as percentages.
        limits.until_ci.map(|it| format!("intervals of ±{}%", (it * 1e8).round() / 1e6)),
    ];
    ends.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
