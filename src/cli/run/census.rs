//! A campaign's own census, as the command line has it.

use super::{Run, preflight::NamedTarget};
use crate::{
    analysis::{precision::variance_of_target, verdict::MINIMUM_ENVIRONMENTS},
    campaign::{
        census::{
            Allocation, CensusFile, CensusManifest, CensusRow, EXPECTED, MAX_CENSUS, MAX_ROUNDS_OF_CAMPAIGN,
            MIN_ROUNDS_OF_CAMPAIGN, PlannedCensus,
        },
        manifest::{Manifest, Variant},
        variants::Variants,
    },
    cli::{
        census::preparation::{self, Prepared},
        wrong_arguments::refuse,
    },
    report::words::{count, dollars},
};
use clap::Args;
use std::str::FromStr;

/// How long the benchmark service holds each call, so that calls overlap, in milliseconds.
const HOLD_MS: u32 = 1500;

/// How many environments a campaign counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CensusSize {
    Of(u32),
    /// As many as make the interval that is wanted cheapest.
    Auto,
}

impl FromStr for CensusSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let number = text.parse().ok().filter(|number| (1..=MAX_CENSUS).contains(number));
        number.map(Self::Of).ok_or_else(|| format!("it must be auto, or a number from 1 to {MAX_CENSUS}"))
    }
}

/// The census that a campaign takes.
#[derive(Clone, Copy, Debug, Args)]
#[group(id = "CensusOptions", multiple = true)]
pub(in crate::cli) struct CensusOptions {
    /// Also count the CPU models of this many environments of each target, in rounds spread through the campaign: on mixed
    /// fleets that makes intervals narrower than many more calls would. It does what `duet census` does: each round changes a
    /// variable of the functions, so that new environments start; at the end that is undone, or the clones of `duet try` are
    /// deleted. Functions of your own get the first --payload, and what a call does, it does for real; --environment and
    /// --cpu-model say where their answers name both, which clones need not. These calls count for --max-cost and not for
    /// --invocations.
    ///
    /// If too few environments were measured of CPU models with more than 5% of a fleet when --invocations would end the campaign,
    /// it makes up to as many calls more. With auto, and --until-ci, it plans how many environments to measure and how many to
    /// count for the least money: by what fleets of two CPU generations are like at first, and then by what calls have shown.
    #[arg(long, value_name = "N|auto")]
    census: Option<CensusSize>,
    /// In how many rounds to count them, not with auto [default: 5]: spread over the blocks where --invocations tells how many
    /// there will be, or one before every fourth block as far as the campaign gets.
    #[arg(
        long, value_name = "R", requires = "census",
        value_parser = clap::value_parser!(u32).range(i64::from(MIN_ROUNDS_OF_CAMPAIGN)..=i64::from(MAX_ROUNDS_OF_CAMPAIGN)),
    )]
    census_rounds: Option<u32>,
}

impl CensusOptions {
    pub(in crate::cli) fn is_given(self) -> bool {
        self.census.is_some()
    }

    /// The campaign with its census, if it takes one.
    pub(in crate::cli) fn added_to(self, mut manifest: Manifest) -> anyhow::Result<Manifest> {
        let Some(size) = self.census else { return Ok(manifest) };
        let of =
            |environments, rounds, is_allocated| PlannedCensus { environments, rounds, hold_ms: HOLD_MS, is_allocated };
        let planned = match size {
            CensusSize::Of(environments) => {
                of(environments, self.census_rounds.unwrap_or(MIN_ROUNDS_OF_CAMPAIGN), false)
            }
            CensusSize::Auto if self.census_rounds.is_some() => {
                refuse!("--census auto plans the rounds: leave --census-rounds out, or name how many to count")
            }
            CensusSize::Auto => {
                // What one of each costs does not depend on how many there are.
                manifest.plan.census = Some(of(1, 1, true));
                let Allocation { measured, counted } = allocation(&manifest)?;
                of(counted, measured.div_ceil(manifest.plan.environments), true)
            }
        };
        manifest.plan.census = Some(planned);
        Ok(manifest)
    }

    /// Refuses targets that have no environments to count, or cannot be made to start new ones.
    pub(super) fn check_targets(self, targets: &[NamedTarget], is_cold: bool) -> anyhow::Result<()> {
        if !self.is_given() {
            return Ok(());
        }
        if is_cold {
            refuse!(
                "--census is for warm calls: with --cold every call meets a new environment and tells its CPU anyway; \
                 leave --census out, or take `duet census` beside it and `duet report --census DIR`"
            );
        }
        preparation::check_targets(targets.iter().map(|named| &named.target))
    }

    /// Refuses functions that cannot be changed back.
    pub(super) fn check_readable(self, variants: &Variants<Variant>) -> anyhow::Result<()> {
        if self.is_given() { preparation::check_readable(variants) } else { Ok(()) }
    }

    /// Refuses a census that nothing could tell, or for which there is not enough money.
    pub(in crate::cli) fn check(self, manifest: &Manifest) -> anyhow::Result<()> {
        if !self.is_given() {
            return Ok(());
        }
        let Some(census) = manifest.census() else {
            const POINTERS: &str =
                "say where answers name environments and CPU models (--environment POINTER --cpu-model POINTER)";
            match manifest.trial.as_ref().and_then(|trial| trial.no_probe.as_ref()) {
                Some(reason) => refuse!(
                    "--census: the clones have no probe to tell their CPUs ({reason}): leave out --no-probe if it is given, or \
                     {POINTERS}"
                ),
                None => refuse!("--census takes answers that name environments and CPU models: {POINTERS}"),
            }
        };
        preparation::check_repeated(&census)?;
        let (of_census, of_block) = (manifest.guessed_cost_of_census(), manifest.guessed_cost());
        if let Some(most) = manifest.limits.max_cost_usd.filter(|most| of_census + of_block > *most) {
            refuse!(
                "--max-cost {most} is less than the census and one block, which might cost {} and {}: raise it, or {}",
                dollars(of_census),
                dollars(of_block),
                if self.census == Some(CensusSize::Auto) {
                    "take wider intervals"
                } else {
                    "count fewer with --census"
                }
            );
        }
        Ok(())
    }
}

/// How many environments are expected to make the intervals of a campaign narrow enough for the least money.
fn allocation(manifest: &Manifest) -> anyhow::Result<Allocation> {
    let Some(until_ci) = manifest.limits.until_ci else {
        refuse!(
            "--census auto plans for intervals of a certain width: add --until-ci PERCENT, or name how many to count"
        )
    };
    let (costs, variance) = (manifest.guessed_costs_of_environment(), variance_of_target(until_ci));
    let allocation = EXPECTED.variances().allocation(costs, variance, MINIMUM_ENVIRONMENTS);
    if allocation.counted > MAX_CENSUS {
        refuse!(
            "--until-ci {}% is expected to take {} counted environments, and a census has at most {}: take wider intervals, or name \
             how many to count",
            until_ci * 100.0,
            count(allocation.counted.into()),
            count(MAX_CENSUS.into())
        );
    }
    Ok(allocation)
}

/// The census of a campaign before it goes on.
pub(super) struct CensusSoFar<'a> {
    pub(super) manifest: &'a CensusManifest,
    pub(super) file: CensusFile,
    pub(super) rows: Vec<CensusRow>,
    /// The most calls of a round of each variant.
    pub(super) most: Variants<u32>,
}

impl Run {
    /// The census that the campaign takes, with what it has counted before.
    ///
    /// # Errors
    /// When its file cannot be read, or a function has no concurrency.
    pub(super) async fn census_so_far<'a>(&self, manifest: &'a CensusManifest) -> anyhow::Result<CensusSoFar<'a>> {
        let (file, rows) = CensusFile::open(&self.directory, manifest)?;
        let most = Prepared { manifest, callers: self.callers.clone() }.most_of_round("").await?;
        Ok(CensusSoFar { manifest, file, rows, most })
    }
}
