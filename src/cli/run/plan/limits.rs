//! Checks of a campaign's limits before it begins.

use super::PlanOptions;
use crate::{
    analysis::verdict::MINIMUM_BLOCKS, campaign::manifest::Manifest, cli::output::note, report::words::counted,
};
use anyhow::bail;

impl PlanOptions {
    /// Warns if the limits leave fewer blocks than a verdict takes. In the first block of a warm campaign environments
    /// start, so that some of its cells have no warm calls.
    pub(super) fn warn_of_few_blocks(&self, manifest: &Manifest) {
        let (calls, cost) = (manifest.calls_of_block(), manifest.guessed_cost());
        let (least, starts) = if manifest.plan.cold {
            (MINIMUM_BLOCKS, "")
        } else {
            (MINIMUM_BLOCKS + 1, " besides the first, in which environments start")
        };
        const FEWER_CALLS: &str = "let blocks have fewer calls";
        let limits = [
            ("--invocations", self.invocations.map(|invocations| invocations / calls), FEWER_CALLS),
            ("--max-cost", (cost > 0.0).then(|| (self.max_cost / cost) as u64), FEWER_CALLS),
            // The first block begins at once, every other one a pace later.
            (
                "--duration",
                self.pace.map(|pace| (self.duration.as_secs_f64() / pace.as_secs_f64()).ceil() as u64),
                "lower --pace",
            ),
        ];
        let known = limits.into_iter().filter_map(|(option, blocks, remedy)| Some((option, blocks?, remedy)));
        if let Some((option, blocks, remedy)) = known.min_by_key(|(_, blocks, _)| *blocks)
            && blocks < u64::from(least)
        {
            note(format!(
                "Warning: {option} leaves {} of {calls} calls, and a verdict takes {MINIMUM_BLOCKS} blocks{starts}: \
                 raise it, or {remedy}",
                counted(blocks, "block")
            ));
        }
    }

    /// Refuses limits that allow no first block, or a pace that allows no second one.
    pub(super) fn check_limits(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let calls = manifest.calls_of_block();
        if let Some(invocations) = self.invocations.filter(|invocations| *invocations < calls) {
            bail!(
                "--invocations {invocations} is less than one block, which has {calls} calls: raise it, or take fewer \
                 --environments, workloads or payloads"
            );
        }
        let cost = manifest.guessed_cost();
        if cost > self.max_cost {
            bail!(
                "--max-cost {} is less than one block, which might cost ${cost:.4}: raise it, or take fewer \
                 --environments, workloads or payloads",
                self.max_cost
            );
        }
        let has_more_blocks = self.invocations.is_none_or(|invocations| invocations >= 2 * calls);
        if let Some(pace) = self.pace.filter(|pace| has_more_blocks && *pace >= self.duration) {
            let [pace, duration] = [pace, self.duration].map(humantime::format_duration);
            bail!(
                "--pace {pace} leaves no time for a second block within --duration {duration}: lower the one or raise the \
                 other"
            );
        }
        Ok(())
    }
}
