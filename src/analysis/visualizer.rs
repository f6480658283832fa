//! Links to the visualizer of AWS Lambda Power Tuning, which draws what the link itself holds.

use super::result::VariantFacts;
use crate::protocol::Architecture;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use std::collections::BTreeMap;

const PAGE: &str = "https://lambda-power-tuning.show/#";

/// One chart of time and cost against memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VisualizerLink {
    /// Its series.
    pub architectures: Vec<Architecture>,
    pub url: String,
}

/// The mean time in milliseconds and the cost of a call in US dollars, without its request, by memory size.
type Series = BTreeMap<i16, (f32, f32)>;

/// The links that show all variants of known memory, time and cost: one if both architectures have the same sizes, else one
/// for each. None if two variants differ in something else than architecture and memory.
pub(super) fn links(variants: &[VariantFacts]) -> Vec<VisualizerLink> {
    // x86_64 comes first, as in the comparisons that Power Tuning makes itself.
    let known = [Architecture::X86_64, Architecture::Arm64].map(|architecture| {
        let variants = variants.iter().filter(|facts| facts.architecture == Some(architecture));
        series(variants).map(|series| (architecture, series))
    });
    let [Some(x86_64), Some(arm64)] = known else { return Vec::new() };
    let known: Vec<(Architecture, Series)> =
        [x86_64, arm64].into_iter().filter(|(_, series)| !series.is_empty()).collect();
    match known.as_slice() {
        [one, other] if one.1.keys().eq(other.1.keys()) => vec![link(&known)],
        _ => known.chunks(1).map(link).collect(),
    }
}

/// None if two variants have the same memory.
fn series<'a>(variants: impl Iterator<Item = &'a VariantFacts>) -> Option<Series> {
    let mut series = Series::new();
    for facts in variants {
        let (Some(memory_mb), Some(time), Some(cost)) = (facts.memory_mb, facts.time, facts.per_million) else {
            continue;
        };
        let Ok(memory_mb) = memory_mb.try_into() else { continue };
        let usd = (cost.compute_usd + cost.storage_usd) / 1e6;
        if series.insert(memory_mb, (time.mean_ms as f32, usd as f32)).is_some() {
            return None;
        }
    }
    Some(series)
}

fn link(series: &[(Architecture, Series)]) -> VisualizerLink {
    let architectures: Vec<Architecture> = series.iter().map(|(architecture, _)| *architecture).collect();
    let mut parts: Vec<String> = series.iter().flat_map(|(_, series)| encoded(series)).collect();
    if architectures.len() > 1 {
        // Their names hold nothing that a link would have to escape.
        parts.extend(architectures.iter().map(Architecture::to_string));
    }
    VisualizerLink { architectures, url: PAGE.to_owned() + &parts.join(";") }
}

/// Sizes, times and costs.
fn encoded(series: &Series) -> [String; 3] {
    let numbers = |pick: fn(&(f32, f32)) -> f32| base64(series.values().map(pick).flat_map(f32::to_le_bytes));
    [base64(series.keys().copied().flat_map(i16::to_le_bytes)), numbers(|it| it.0), numbers(|it| it.1)]
}

fn base64(bytes: impl Iterator<Item = u8>) -> String {
    BASE64_STANDARD.encode(bytes.collect::<Vec<u8>>())
}
