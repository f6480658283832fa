//! `--memory auto`: rounds of a few calls that find the sizes which the campaign measures.

use super::{TryArgs, clone_maker::CloneMaker, trial_plan::TrialPlan};
use crate::{
    analysis::memory_search::{Finding, MemorySearch, Reason, WORTHWHILE},
    campaign::{
        aws::Session,
        clones::CloneSettings,
        forced_cold_starts::{ChangedFunctions, ColdStartForcer},
        manifest::{CampaignLimits, Manifest, Variant},
        row::Row,
        run_directory::{self, Journal},
        trial::{NotMade, Search},
        variants::{VariantIndex, Variants},
    },
    cli::{
        output::note,
        run::{MISMATCH, Run, unstored_options::UnstoredOptions},
        signals::INTERRUPTED,
    },
    report::words::{counted, listed, percent},
};
use anyhow::bail;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// How many blocks a round has: environments start in the first, and the others are measured.
pub(super) const BLOCKS: u64 = 3;

/// How a search has ended.
pub(super) enum Searched {
    /// These variants are worth measuring.
    Over { kept: Vec<VariantIndex>, search: Search, code: u8 },
    /// There will be no campaign; the exit code is this.
    Ended(u8),
}

/// The directory of a round.
pub(super) fn directory(trial: &Path, round: u32) -> PathBuf {
    trial.join(format!("search-{round}"))
}

/// A search while it goes on.
struct Rounds<'a> {
    plan: &'a TrialPlan,
    args: &'a TryArgs,
    session: &'a Session,
    stop: &'a watch::Receiver<bool>,
    memory: MemorySearch,
    search: Search,
    /// The exit code, if a round has found something that the campaign may not.
    code: u8,
}

/// Makes clones and calls them until it is known which sizes are worth measuring.
pub(super) async fn search(
    plan: &TrialPlan,
    args: &TryArgs,
    session: &Session,
    maker: &mut CloneMaker<'_>,
    stop: &watch::Receiver<bool>,
) -> anyhow::Result<Searched> {
    let searched = |(settings, (_, variant)): (&CloneSettings, (VariantIndex, &Variant))| {
        (*settings, variant.price.clone(), variant.ephemeral_mb())
    };
    let memory = MemorySearch::new(plan.settings.iter().zip(plan.manifest.variants.iter()).map(searched));
    let mut rounds = Rounds { plan, args, session, stop, memory, search: Search::default(), code: 0 };
    let baseline = plan.manifest.baseline;
    loop {
        let next = rounds.memory.next();
        if next.is_empty() {
            return rounds.over();
        }
        if !maker.make(next.iter().copied()).await? {
            return Ok(Searched::Ended(INTERRUPTED));
        }
        let (made, refused): (Vec<VariantIndex>, Vec<VariantIndex>) =
            next.into_iter().partition(|variant| maker.is_made(*variant));
        refused.into_iter().for_each(|variant| rounds.memory.refused(variant));
        if made.is_empty() {
            continue;
        }
        let others = made.into_iter().filter(|variant| *variant != baseline);
        let called: Vec<VariantIndex> = std::iter::once(baseline).chain(others).collect();
        let code = rounds.round(&called, maker.made(called.iter().copied())?).await?;
        if let Some(code) = code {
            return Ok(Searched::Ended(code));
        }
    }
}

impl Rounds<'_> {
    /// Calls these variants, of which the first is the baseline. Gives the exit code if the search cannot go on.
    async fn round(&mut self, called: &[VariantIndex], variants: Variants<Variant>) -> anyhow::Result<Option<u8>> {
        let names: Vec<&str> = variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
        self.search.rounds += 1;
        note(format_args!("Search, round {}: {}", self.search.rounds, listed(&names)));
        let directory = directory(&self.plan.directory, self.search.rounds);
        let manifest = self.plan.with(variants);
        let left = remaining(&manifest, &self.search)?;
        let calls = BLOCKS * manifest.calls_of_block();
        let invocations = Some(left.invocations.map_or(calls, |left| left.min(calls)));
        let manifest = Manifest { limits: CampaignLimits { invocations, until_ci: None, ..left }, ..manifest };
        let journal = Journal::create(&directory, &manifest)?;
        let run = Run::prepare(directory.clone(), manifest, &UnstoredOptions::default(), self.session).await?;
        let changes = Arc::new(ChangedFunctions::read(&directory, &self.plan.owner)?);
        let cold = ColdStartForcer::new(self.plan.owner.clone(), changes, self.args.change.change_timeout);
        let run = run.without_log_streams();
        let code = run.conduct(journal, cold, self.stop, self.session, self.args.json).await?;
        if code == INTERRUPTED {
            return Ok(Some(code));
        }
        let manifest = run_directory::manifest(&directory)?;
        let rows: Vec<Row> = run_directory::rows(&directory, &manifest)?.collect::<Result<_, _>>()?;
        self.search.calls += rows.len() as u64;
        self.search.cost_usd += rows.iter().map(|row| row.cost_usd).sum::<f64>();
        for (variant, index) in called.iter().zip(manifest.variants.indices()) {
            let of_variant: Vec<&Row> = rows.iter().filter(|row| row.variant == index).collect();
            let finding = Finding::of_calls(&of_variant);
            if finding.is_none() && *variant == self.plan.manifest.baseline {
                note("The function fails as it is, so that nothing can be compared with it.");
                return Ok(Some(code.max(1)));
            }
            // The function as it is was called in every round; the first tells most.
            if *variant != self.plan.manifest.baseline || self.search.rounds == 1 {
                self.memory.called(*variant, finding);
            }
        }
        if code == MISMATCH {
            self.code = code;
        }
        Ok(None)
    }

    /// What is left for the campaign.
    fn over(self) -> anyhow::Result<Searched> {
        let Self { plan, memory, mut search, code, .. } = self;
        let reasons = memory.reasons();
        let all = VariantIndex::first(plan.settings.len()).zip(&plan.settings).zip(reasons.iter());
        let mut kept = Vec::new();
        for ((variant, settings), (_, reason)) in all {
            let CloneSettings { architecture, memory_mb } = *settings;
            match reason {
                None => kept.push(variant),
                Some(reason) => search.left_out.push(NotMade { architecture, memory_mb, reason: text(*reason) }),
            }
        }
        let names: Vec<&str> = kept.iter().map(|variant| plan.manifest.variants[*variant].name.as_str()).collect();
        note(format_args!(
            "Search: {} took {}; {} of {} are measured now: {}",
            counted(search.rounds, "round"),
            counted(search.calls, "call"),
            names.len(),
            counted(plan.settings.len() as u64, "variant"),
            listed(&names)
        ));
        Ok(Searched::Over { kept, search, code })
    }
}

/// What the limits leave after a search.
///
/// # Errors
/// When that is less than one block of the campaign.
pub(super) fn remaining(manifest: &Manifest, search: &Search) -> anyhow::Result<CampaignLimits> {
    let limits = manifest.limits;
    let left = CampaignLimits {
        invocations: limits.invocations.map(|calls| calls.saturating_sub(search.calls)),
        max_cost_usd: limits.max_cost_usd.map(|usd| (usd - search.cost_usd).max(0.0)),
        ..limits
    };
    let block = manifest.calls_of_block();
    if left.invocations.is_some_and(|calls| calls < block) {
        bail!(
            "the search took {} so far, and --invocations leaves less than a block, which has {}: raise it",
            counted(search.calls, "call"),
            counted(block, "call")
        );
    }
    if left.max_cost_usd.is_some_and(|usd| usd < manifest.guessed_cost()) {
        bail!("the search took ${:.4} so far, and --max-cost leaves less than a block: raise it", search.cost_usd);
    }
    Ok(left)
}

fn text(reason: Reason) -> String {
    match reason {
        Reason::Failed => "with this memory or with more of it, calls failed".to_owned(),
        Reason::Refused => "with this memory or with less of it, no clone could be made".to_owned(),
        Reason::NoBetter => {
            format!("it can be {} faster or cheaper than another one at most", percent(WORTHWHILE))
        }
    }
}
