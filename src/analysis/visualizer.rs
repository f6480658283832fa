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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{
        change::tests::campaign,
        result::{Cost, MeanTime, Measure},
    };

    /// A variant that takes and costs as many milliseconds and millionths of a dollar a call as it has megabytes, requests
    /// aside.
    fn variant(architecture: Architecture, memory_mb: u32) -> VariantFacts {
        let size = f64::from(memory_mb);
        VariantFacts {
            architecture: Some(architecture),
            memory_mb: Some(memory_mb),
            time: Some(MeanTime { measure: Measure::Duration, mean_ms: size, interval: None }),
            per_million: Some(Cost {
                requests_usd: 0.2,
                compute_usd: size - 1.0,
                storage_usd: 1.0,
                total_usd: size + 0.2,
                interval: None,
            }),
            ..campaign(40, &[]).variants.remove(0)
        }
    }

    fn urls(variants: &[VariantFacts]) -> Vec<String> {
        links(variants).into_iter().map(|link| link.url).collect()
    }

    fn bytes(part: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(part).unwrap()
    }

    #[test]
    fn one_architecture_is_three_lists_by_size() {
        let [large, small] = [1024, 128].map(|memory_mb| variant(Architecture::Arm64, memory_mb));
        let urls = urls(&[large, small]);
        // 128 and 1024 as i16; as f32; and 0.000128 and 0.001024 as f32; all with the lowest byte first.
        assert_eq!(urls, ["https://lambda-power-tuning.show/#gAAABA==;AAAAQwAAgEQ=;vTcGOb03hjo="]);
        let parts: Vec<Vec<u8>> = urls[0].split_once('#').unwrap().1.split(';').map(bytes).collect();
        assert_eq!(parts[0], [0x80, 0, 0, 4]);
        assert_eq!(parts[1], [0, 0, 0, 0x43, 0, 0, 0x80, 0x44]);
        assert_eq!(parts[2], [0.000_128_f32.to_le_bytes(), 0.001_024_f32.to_le_bytes()].concat());
    }

    #[test]
    fn both_architectures_of_the_same_sizes_are_two_series_and_x86_64_is_the_first() {
        let of = |architecture| [128, 1024].map(|memory_mb| variant(architecture, memory_mb));
        let links = links(&[of(Architecture::Arm64), of(Architecture::X86_64)].concat());
        assert_eq!(links.len(), 1);
        assert_eq!(links[0].architectures, [Architecture::X86_64, Architecture::Arm64]);
        let series = "gAAABA==;AAAAQwAAgEQ=;vTcGOb03hjo=";
        assert_eq!(links[0].url, format!("{PAGE}{series};{series};x86_64;arm64"));
    }

    #[test]
    fn other_sizes_have_a_link_each_and_two_of_one_size_none() {
        let [x86_64, arm64] =
            [Architecture::X86_64, Architecture::Arm64].map(|architecture| variant(architecture, 128));
        let larger = variant(Architecture::Arm64, 1024);
        let both = urls(&[x86_64.clone(), arm64.clone(), larger.clone()]);
        assert_eq!(
            both,
            ["gAA=;AAAAQw==;vTcGOQ==", "gAAABA==;AAAAQwAAgEQ=;vTcGOb03hjo="].map(|parts| PAGE.to_owned() + parts)
        );
        assert_eq!(urls(&[arm64.clone(), arm64.clone(), larger]), [""; 0]);
        // What is not known has no place.
        assert_eq!(urls(&[VariantFacts { time: None, ..arm64 }]), [""; 0]);
    }
}
