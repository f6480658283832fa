//! `--memory auto`: rounds of a few calls that find the sizes which the campaign measures.

use super::{TryArgs, clone_maker::CloneMaker, trial_plan::TrialPlan};
use crate::{
    analysis::memory_search::{Finding, MemorySearch, Refused},
    campaign::{
        aws::Session,
        clones::CloneSettings,
        manifest::{CampaignLimits, Manifest, Plan, Variant},
        row::Row,
        run_directory::{self, Journal},
        trial::{LeftOut, Search},
        variants::{VariantIndex, Variants},
    },
    cli::{
        output::note,
        run::{MISMATCH, Run, unstored_options::UnstoredOptions},
        signals::INTERRUPTED,
        wrong_arguments::refuse,
    },
    report::words::{counted, dollars, listed},
};
use anyhow::bail;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// How many blocks a round has: environments start in the first, and the others are measured.
pub(super) const BLOCKS: u64 = 3;

/// How a search has ended.
pub(super) enum SearchEnd {
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
) -> anyhow::Result<SearchEnd> {
    let memory = memory_search(plan);
    let mut rounds = Rounds { plan, args, session, stop, memory, search: Search::default(), code: 0 };
    let baseline = plan.manifest.baseline;
    loop {
        let next = rounds.memory.next();
        if next.is_empty() {
            return rounds.over();
        }
        if !maker.make(next.iter().copied()).await? {
            return Ok(SearchEnd::Ended(INTERRUPTED));
        }
        let (made, refused): (Vec<VariantIndex>, Vec<VariantIndex>) =
            next.into_iter().partition(|variant| maker.is_made(*variant));
        for variant in refused {
            let is_for_memory = maker.reason_of(variant).is_some_and(|reason| reason.contains("MemorySize"));
            rounds.memory.refused(variant, if is_for_memory { Refused::ForMemory } else { Refused::ForAnotherReason });
        }
        if made.is_empty() {
            continue;
        }
        let others = made.into_iter().filter(|variant| *variant != baseline);
        let called: Vec<VariantIndex> = std::iter::once(baseline).chain(others).collect();
        match rounds.round(&called, maker.made(called.iter().copied())?).await? {
            RoundEnd::Complete => {}
            RoundEnd::OutOfLimits => return rounds.over(),
            RoundEnd::End(code) => return Ok(SearchEnd::Ended(code)),
        }
    }
}

/// How a round has ended.
enum RoundEnd {
    Complete,
    /// It was not begun, or cut short, because the rest of the limits is the campaign's.
    OutOfLimits,
    /// There will be no campaign; the exit code is this.
    End(u8),
}

impl Rounds<'_> {
    /// Calls these variants, of which the first is the baseline.
    async fn round(&mut self, called: &[VariantIndex], variants: Variants<Variant>) -> anyhow::Result<RoundEnd> {
        let names: Vec<&str> = variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
        let names = listed(&names);
        let manifest = self.plan.with(variants);
        let Some(limits) = self.limits(&manifest) else {
            note("Search: the next round would take more than half of what --invocations or --max-cost allow");
            return Ok(RoundEnd::OutOfLimits);
        };
        self.search.rounds += 1;
        note(format_args!("Search, round {}: {names}", self.search.rounds));
        let directory = directory(&self.plan.directory, self.search.rounds);
        // The campaign alone takes a census.
        let manifest = Manifest { limits, plan: Plan { census: None, ..manifest.plan }, ..manifest };
        let journal = Journal::create(&directory, &manifest)?;
        let run = Run::prepare(directory.clone(), manifest, &UnstoredOptions::default(), self.session).await?;
        let run = run.without_log_streams();
        let code = self.plan.conduct(run, self.args, self.session, journal, self.stop).await?;
        if code == INTERRUPTED {
            return Ok(RoundEnd::End(code));
        }
        if code == MISMATCH {
            self.code = code;
        }
        self.take(called, &directory, code)
    }

    /// The limits of a round: those for all rounds are half of the campaign's. None if they do not allow it.
    fn limits(&self, manifest: &Manifest) -> Option<CampaignLimits> {
        let limits = manifest.limits;
        let calls = BLOCKS * manifest.calls_of_block();
        let left = limits.invocations.map(|calls| (calls / 2).saturating_sub(self.search.calls));
        let max_cost_usd = limits.max_cost_usd.map(|usd| usd / 2.0 - self.search.cost_usd);
        let is_enough = left.is_none_or(|left| left >= calls)
            && max_cost_usd.is_none_or(|usd| usd >= BLOCKS as f64 * manifest.guessed_cost());
        is_enough.then_some(CampaignLimits { invocations: Some(calls), max_cost_usd, until_ci: None, ..limits })
    }

    /// Takes in what a round has shown.
    fn take(&mut self, called: &[VariantIndex], directory: &Path, code: u8) -> anyhow::Result<RoundEnd> {
        let manifest = run_directory::manifest(directory)?;
        let rows: Vec<Row> = run_directory::rows(directory, &manifest)?.collect::<Result<_, _>>()?;
        self.search.calls += rows.iter().filter(|row| !row.is_made_again()).count() as u64;
        self.search.cost_usd += rows.iter().map(|row| row.cost_usd).sum::<f64>();
        let (baseline, is_first) = (self.plan.manifest.baseline, self.search.rounds == 1);
        let mut end = RoundEnd::Complete;
        for (variant, index) in called.iter().zip(manifest.variants.indices()) {
            let of_variant: Vec<&Row> = rows.iter().filter(|row| row.variant == index).collect();
            match Finding::of_calls(&of_variant) {
                Some(Err(_)) if *variant == baseline && is_first => {
                    note("The function fails as it is, so that nothing can be compared with it.");
                    return Ok(RoundEnd::End(code.max(1)));
                }
                None if *variant == baseline && is_first => bail!(
                    "the limits have ended the search before the function as it is was measured: raise --duration or \
                     --max-cost"
                ),
                // It was measured in the first round.
                _ if *variant == baseline && !is_first => {}
                Some(shown) => self.memory.called(*variant, shown),
                None => end = RoundEnd::OutOfLimits,
            }
        }
        Ok(end)
    }

    /// What is left for the campaign.
    fn over(self) -> anyhow::Result<SearchEnd> {
        let Self { plan, memory, mut search, code, .. } = self;
        let reasons = memory.reasons();
        let all = VariantIndex::first(plan.settings.len()).zip(&plan.settings).zip(reasons.iter());
        let mut kept = Vec::new();
        for ((variant, settings), (_, reason)) in all {
            let CloneSettings { architecture, memory_mb } = *settings;
            match *reason {
                None => kept.push(variant),
                Some(reason) => search.left_out.push(LeftOut { architecture, memory_mb, reason }),
            }
        }
        if kept.len() < 2 {
            bail!("no other memory size or architecture works, so there is nothing to compare");
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
        Ok(SearchEnd::Over { kept, search, code })
    }
}

/// What the limits leave after a search.
pub(super) fn remaining(limits: CampaignLimits, search: &Search) -> CampaignLimits {
    CampaignLimits {
        invocations: limits.invocations.map(|calls| calls.saturating_sub(search.calls)),
        max_cost_usd: limits.max_cost_usd.map(|usd| (usd - search.cost_usd).max(0.0)),
        ..limits
    }
}

/// Refuses limits that do not allow a first round.
pub(super) fn check(plan: &TrialPlan, args: &TryArgs) -> anyhow::Result<()> {
    if args.campaign.environments() < 2 {
        refuse!("--memory auto takes 2 --environments at least: one does not tell how much environments differ");
    }
    let first = memory_search(plan).next();
    let variants: Variants<Variant> = first.iter().map(|variant| plan.manifest.variants[*variant].clone()).collect();
    let manifest = plan.with(variants);
    let (calls, usd) = (BLOCKS * manifest.calls_of_block(), BLOCKS as f64 * manifest.guessed_cost());
    if let Some(invocations) = manifest.limits.invocations.filter(|invocations| invocations / 2 < calls) {
        refuse!(
            "--invocations {invocations} is too little for a search, which has half of it: its first round makes {}. Give {} \
             at least, or take fewer --environments",
            counted(calls, "call"),
            2 * calls
        );
    }
    if let Some(most) = manifest.limits.max_cost_usd.filter(|most| most / 2.0 < usd) {
        refuse!(
            "--max-cost {most} is too little for a search, which has half of it: its first round might cost ${usd:.4}. Raise \
             it, or take fewer --environments"
        );
    }
    let (of_census, of_block) = (plan.manifest.guessed_cost_of_census(), plan.manifest.guessed_cost());
    if let Some(most) = manifest.limits.max_cost_usd.filter(|most| of_census > 0.0 && most / 2.0 < of_census + of_block)
    {
        refuse!(
            "--max-cost {most} is too little for a search, which has half of it, and a census: this and one block might cost \
             {} and {} if all sizes are measured. Raise it, or count fewer with --census",
            dollars(of_census),
            dollars(of_block)
        );
    }
    Ok(())
}

fn memory_search(plan: &TrialPlan) -> MemorySearch {
    let searched = |(settings, (_, variant)): (&CloneSettings, (VariantIndex, &Variant))| {
        (*settings, variant.price.clone(), variant.ephemeral_mb())
    };
    MemorySearch::new(plan.settings.iter().zip(plan.manifest.variants.iter()).map(searched))
}
