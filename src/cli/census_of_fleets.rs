//! `--census`: what a census has counted, in the numbers of a campaign.

use super::wrong_arguments::refuse;
use crate::{
    analysis::samples::Samples,
    campaign::{
        census::{self, CensusManifest},
        log_streams::CollectedEnvironments,
        manifest::{Manifest, Variant},
        region,
    },
    protocol::Architecture,
};
use clap::Args;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The longest time between a census and a campaign: the mix of a fleet drifts.
const LONGEST_DAYS: f64 = 7.0;

const DAY_MS: f64 = 86_400_000.0;

/// The option that names a census.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub(super) struct CensusOfFleets {
    /// Use what `duet census` has counted in this run directory: variants get the mix of CPU models that it found in their
    /// region and architecture, which makes intervals narrower. It must be of the same seven days as the campaign. A campaign
    /// that has taken its own (`duet run --census`) has that already, and takes no other.
    #[arg(long, value_name = "DIR")]
    census: Option<PathBuf>,
}

/// What has a mix of CPU models in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fleet {
    region: Option<String>,
    architecture: Option<Architecture>,
}

impl CensusOfFleets {
    /// Adds what the campaign in `run` has counted itself, if it has taken a census; log streams may tell its environments.
    /// That comes before the samples, which meet what the census has started.
    ///
    /// # Errors
    /// When it cannot be read, or there are two.
    pub(super) fn count_own(
        &self,
        run: &Path,
        manifest: &Manifest,
        collected: &CollectedEnvironments,
        samples: &mut Samples,
    ) -> anyhow::Result<()> {
        if let Some(other) = self.census.as_ref().filter(|_| manifest.census().is_some()) {
            refuse!(
                "--census {}: the campaign has taken a census of its own, at its own time: leave the option out",
                other.display()
            );
        }
        for mut row in census::rows_of_campaign(run, manifest)? {
            collected.join_census(&mut row);
            samples.add_of_census(&row);
        }
        Ok(())
    }

    /// Adds what the census that the user names has counted to the samples of a campaign.
    ///
    /// # Errors
    /// When it cannot be read, is too old or too new, or is of none of the campaign's fleets.
    pub(super) fn count(&self, manifest: &Manifest, samples: &mut Samples) -> anyhow::Result<()> {
        let Some(directory) = &self.census else { return Ok(()) };
        let census = census::manifest(directory)?;
        check_date(directory, &census, manifest)?;
        let fleets: Vec<Fleet> = census.variants.iter().map(|(_, variant)| Fleet::of(variant, None)).collect();
        let rows = census::rows(directory, &census)?;
        let mut is_of_any = false;
        for index in manifest.variants.indices() {
            let facts = &mut samples.variants[index];
            let fleet = Fleet::of(&manifest.variants[index], facts.architecture);
            let of_fleet = rows.iter().filter(|row| fleet.is_known() && fleets[row.variant.get()] == fleet);
            for (row, (environment, cpu_model)) in of_fleet.filter_map(|row| Some((row, row.counted()?))) {
                facts.count_environment((row.variant.get(), row.round), environment, cpu_model);
                is_of_any = true;
            }
        }
        if !is_of_any {
            let of_campaign = manifest
                .variants
                .indices()
                .map(|index| Fleet::of(&manifest.variants[index], samples.variants[index].architecture));
            refuse!(
                "--census {}: it has counted environments of {}, and the campaign is of {}: take a census of the same \
                 region and architecture",
                directory.display(),
                in_words(fleets),
                in_words(of_campaign)
            );
        }
        Ok(())
    }
}

impl Fleet {
    /// The fleet of a variant; its answers may tell the architecture where its configuration does not.
    fn of(variant: &Variant, answered: Option<Architecture>) -> Self {
        let configured = variant.configuration.as_ref().map(|configuration| configuration.architecture);
        Self { region: region::of_variant(variant), architecture: configured.or(answered) }
    }

    fn is_known(&self) -> bool {
        self.region.is_some() && self.architecture.is_some()
    }
}

fn in_words(fleets: impl IntoIterator<Item = Fleet>) -> String {
    let fleets: BTreeSet<Fleet> = fleets.into_iter().collect();
    let in_words = fleets.into_iter().map(|Fleet { region, architecture }| {
        let architecture = architecture.map_or("an unknown architecture".to_owned(), |it| it.to_string());
        format!("{architecture} in {}", region.as_deref().unwrap_or("an unknown region"))
    });
    in_words.collect::<Vec<_>>().join(" and ")
}

fn check_date(directory: &Path, census: &CensusManifest, campaign: &Manifest) -> anyhow::Result<()> {
    let days = (census.created_unix_ms as f64 - campaign.created_unix_ms as f64) / DAY_MS;
    if days.abs() > LONGEST_DAYS {
        refuse!(
            "--census {}: it was begun {:.0} days {} the campaign, and mixes of CPU models drift; take one within {LONGEST_DAYS} \
             days",
            directory.display(),
            days.abs(),
            if days > 0.0 { "after" } else { "before" }
        );
    }
    Ok(())
}
