//! How many invocations of a month are cold starts.

use super::{output::note, value_parsers};
use crate::{
    analysis::campaign_bill::ColdStartProportion,
    campaign::{
        aws::Session,
        insights::{self, Counts, DAYS, LogGroup},
        manifest::Manifest,
    },
};
use anyhow::{Context, bail};
use std::str::FromStr;

/// The value of `--cold-share`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ColdShareOption {
    /// A proportion.
    Assumed(f64),
    /// The proportion in the functions' logs.
    Measured,
}

impl FromStr for ColdShareOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "measured" => Ok(Self::Measured),
            _ => value_parsers::up_to_all(text).map(Self::Assumed).map_err(|error| format!("{error}, or measured")),
        }
    }
}

impl ColdShareOption {
    /// The cold starts of a campaign's functions.
    pub(super) async fn resolve(self, manifest: &Manifest) -> anyhow::Result<ColdStartProportion> {
        match self {
            Self::Assumed(proportion) => Ok(ColdStartProportion::Assumed(proportion)),
            Self::Measured => counted(manifest).await.map(ColdStartProportion::Counted),
        }
    }
}

/// Counts the invocations of the functions before the campaign; a function that is several variants counts once.
async fn counted(manifest: &Manifest) -> anyhow::Result<Counts> {
    let session = Session::new().context("reading the trusted certificates")?;
    let mut logs: Vec<LogGroup> = Vec::new();
    let mut sum = Counts::default();
    for (_, variant) in manifest.variants.iter() {
        let Some(log) = variant.configuration.as_ref().and_then(LogGroup::from_configuration) else { continue };
        if logs.contains(&log) {
            continue;
        }
        note(format_args!("Counting cold starts of {DAYS} days in {}; CloudWatch bills what it reads", log.group));
        let counts = insights::count(&log, manifest.created_unix_ms, &session.of_variant(variant)).await;
        let counts = counts.with_context(|| format!("counting cold starts of {}", variant.target))?;
        sum.invocations += counts.invocations;
        sum.cold_starts += counts.cold_starts;
        logs.push(log);
    }
    if logs.is_empty() {
        bail!("--cold-share measured: no variant is a function whose log is known; give a percentage, such as 1%");
    }
    if sum.invocations == 0 {
        bail!(
            "--cold-share measured: the functions' logs have no reports of the {DAYS} days before the campaign; give a \
             percentage, such as 1%"
        );
    }
    Ok(sum)
}
