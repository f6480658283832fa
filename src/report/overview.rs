//! A campaign before and after: its plan, and its samples in a few numbers.

use super::terminal::{STYLE, WIDTH, number, right};
use crate::{
    analysis::overview::Overview,
    campaign::{
        manifest::{Limits, Manifest, Party},
        row::FailureKind,
    },
    protocol::Summary,
};
use comfy_table::{Cell, ContentArrangement, Table};
use std::{fmt::Write, time::Duration};

/// What a campaign is going to do, and what that may cost.
pub fn plan(manifest: &Manifest) -> String {
    let Manifest { plan, limits, sides, .. } = manifest;
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (side, party) in sides.iter() {
        let _ = writeln!(text, "{side:<10} {}", describe(party));
    }
    let _ = writeln!(
        text,
        "{} payloads, {} environments a side, {}: {} calls a block, seed {}",
        plan.cells.len(),
        plan.environments,
        if plan.cold { "cold" } else { "warm" },
        plan.calls(),
        plan.seed
    );
    let cost = manifest.guessed_cost();
    let _ =
        writeln!(text, "A block may cost ${cost:.6} (a guess before the first call); it ends with {}", ends(limits));
    if let Some(blocks) = limits.invocations.map(|it| it / plan.calls()) {
        let (calls, bill) = (blocks * plan.calls(), blocks as f64 * cost);
        let _ = writeln!(text, "At most {blocks} blocks, {calls} calls, ${bill:.6}");
    }
    text
}

fn describe(party: &Party) -> String {
    let configuration = party.configuration.as_ref().map(|it| {
        let runtime = it.runtime.as_deref().unwrap_or("container image");
        format!(" ({}, {} MB, {} s, {runtime})", it.architecture, it.memory_mb, it.timeout_s)
    });
    format!("{}{}", party.target, configuration.unwrap_or_default())
}

/// What ends a campaign, whichever comes first.
pub fn ends(limits: &Limits) -> String {
    let ends = [
        limits.duration_ms.map(|it| humantime::format_duration(Duration::from_millis(it)).to_string()),
        limits.invocations.map(|it| format!("{it} calls")),
        limits.max_cost_usd.map(|it| format!("${it}")),
        // Shares such as 0.07 are a little off as percentages.
        limits.until_ci.map(|it| format!("intervals of ±{}%", (it * 1e8).round() / 1e6)),
    ];
    ends.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The samples of a campaign.
pub fn summary(manifest: &Manifest, overview: &Overview) -> String {
    let totals = &overview.totals;
    let mut text = String::new();
    for (work, [one, other]) in &totals.mismatches {
        let _ = writeln!(text, "MISMATCH in {work}: equal work gave {one} and {other}");
    }
    for (side, party) in manifest.sides.iter() {
        let it = &totals.sides[side];
        let _ = writeln!(text, "{side:<10} {}", describe(party));
        let _ = writeln!(
            text,
            "           {} calls in {} environments, {} cold, {} failed, {} throttled, ${:.6}",
            it.calls,
            it.environments.len(),
            it.cold,
            it.failed(),
            it.throttled(),
            it.cost_usd
        );
        for (kind, count) in it.failures.iter().filter(|(kind, _)| **kind != FailureKind::Throttled) {
            let _ = writeln!(text, "           {kind}: {count}");
        }
        for model in &it.cpu_models {
            let _ = writeln!(text, "           CPU {model}");
        }
    }
    for line in table(overview).to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str("Milliseconds of warm calls, medians; this describes the samples and is no verdict.\n");
    let delay_ms = totals.longest_delay_ns as f64 / 1e6;
    let _ = writeln!(text, "Calls were sent at most {delay_ms:.3} ms later than their steps began.");
    if overview.cells().iter().any(|cell| cell.emulated) {
        text.push_str("EMULATED: that machine has another instruction set, so its times mean nothing.\n");
    }
    text
}

fn table(overview: &Overview) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH).set_header([
        "payload",
        "side",
        "calls",
        "failed",
        "iteration",
        "duration",
        "latency",
        "cold latency",
    ]);
    for cell in overview.cells() {
        let median = |summary: Option<Summary>| match cell.emulated {
            true => right("emulated".to_owned()),
            false => number(summary.map(|it| it.median), 3),
        };
        table.add_row([
            Cell::new(&cell.cell),
            Cell::new(cell.side),
            right(cell.calls.to_string()),
            right(cell.failed.to_string()),
            median(cell.iteration_ms),
            median(cell.duration_ms),
            median(cell.latency_ms),
            median(cell.cold_latency_ms),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(index > 0), 0));
    }
    table
}
