//! Checks of a campaign's limits before it begins.

use super::CampaignOptions;
use crate::{
    analysis::verdict::MINIMUM_BLOCKS,
    campaign::{
        manifest::Manifest,
        stopping_rules::{BlockLimit, blocks_within_limits},
    },
    cli::{output::note, wrong_arguments::refuse},
    report::words::counted,
};

impl CampaignOptions {
    /// Warns if the limits leave fewer blocks than a verdict takes. In the first block of a warm campaign environments
    /// start, so that some of its cells have no warm calls.
    pub(super) fn warn_of_few_blocks(manifest: &Manifest) {
        let (least, starts) = if manifest.plan.cold {
            (MINIMUM_BLOCKS, "")
        } else {
            (MINIMUM_BLOCKS + 1, " besides the first, in which environments start")
        };
        let limit = blocks_within_limits(manifest).min_by_key(|(_, blocks)| *blocks);
        if let Some((limit, blocks)) = limit
            && blocks < u64::from(least)
        {
            const FEWER_CALLS: &str = "let blocks have fewer calls";
            let (option, remedy) = match limit {
                BlockLimit::Invocations => ("--invocations", FEWER_CALLS),
                BlockLimit::Cost => ("--max-cost", FEWER_CALLS),
                BlockLimit::Duration => ("--duration", "lower --pace"),
            };
            let about = if limit.is_guessed() { "by the guess about " } else { "" };
            note(format!(
                "Warning: {option} leaves {about}{} of {}, and a verdict takes {MINIMUM_BLOCKS} blocks{starts}: \
                 raise it, or {remedy}",
                counted(blocks, "block"),
                counted(manifest.calls_of_block(), "call")
            ));
        }
    }

    /// Refuses limits that allow no first block, or a pace that allows no second one.
    pub(super) fn check_limits(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let calls = manifest.calls_of_block();
        if let Some(invocations) = self.invocations.filter(|invocations| *invocations < calls) {
            refuse!(
                "--invocations {invocations} is less than one block, which has {}: raise it, or take fewer \
                 --environments, workloads or payloads",
                counted(calls, "call")
            );
        }
        let cost = manifest.guessed_cost();
        if cost > self.max_cost {
            refuse!(
                "--max-cost {} is less than one block, which might cost ${cost:.4}: raise it, or take fewer \
                 --environments, workloads or payloads",
                self.max_cost
            );
        }
        let has_more_blocks = self.invocations.is_none_or(|invocations| invocations >= 2 * calls);
        if let Some(pace) = self.pace.filter(|pace| has_more_blocks && *pace >= self.duration) {
            let [pace, duration] = [pace, self.duration].map(humantime::format_duration);
            refuse!(
                "--pace {pace} leaves no time for a second block within --duration {duration}: lower the one or raise the \
                 other"
            );
        }
        Ok(())
    }
}
