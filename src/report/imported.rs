//! What is said of measurements that other programs have made.

use super::words::{counted, date, listed, took};
use crate::{
    analysis::result::{Measure, Provenance, VariantFacts},
    campaign::import::{EnvironmentNames, Import},
};

/// Where the measurements are from, and what is not known of them.
pub fn origin(import: &Import, campaign: &Provenance) -> String {
    format!(
        "Imported {} from {} by Lambda Duet {}: {} of {} in {}{}. {}",
        date(campaign.created_unix_ms),
        import.files_in_short(),
        campaign.version,
        counted(campaign.calls, "measurement"),
        what(import),
        counted(campaign.blocks, "block"),
        period(campaign).map(|period| format!(" over {period}")).unwrap_or_default(),
        unknown(import)
    )
}

/// What was measured, and where that stands.
pub fn what(import: &Import) -> String {
    let measure = Measure::from(import.measure);
    match &import.columns {
        Some(columns) => format!("{} ({measure}, in {})", columns.value, columns.unit),
        None => measure.to_string(),
    }
}

/// How long the measurements took together, if their blocks tell.
pub fn period(campaign: &Provenance) -> Option<String> {
    const DAY_MS: u64 = 24 * 3600 * 1000;
    match campaign.elapsed_ms? {
        0 => None,
        // Of dates, both the first and the last count.
        elapsed_ms if elapsed_ms.is_multiple_of(DAY_MS) => Some(counted(elapsed_ms / DAY_MS + 1, "day")),
        elapsed_ms @ ..DAY_MS => Some(took(elapsed_ms)),
        elapsed_ms => Some(counted(elapsed_ms / DAY_MS, "day")),
    }
}

/// What nobody has written down.
pub fn unknown(import: &Import) -> String {
    let mut unknown = vec!["what calls cost", "which failed"];
    unknown.extend((!import.tells_cpu_models()).then_some("CPU models"));
    unknown.extend((import.environments == EnvironmentNames::Unknown).then_some("environments"));
    unknown.push("the order within a block");
    format!("Not known: {}.", listed(&unknown))
}

/// What samples are called: of an import, nothing is known to have been called.
pub fn calls(campaign: &Provenance) -> &'static str {
    if campaign.imported.is_some() { "measurements" } else { "calls" }
}

/// The measurements of a side.
pub fn side(facts: &VariantFacts) -> String {
    let environments = match facts.environments {
        0 => "environments unknown".to_owned(),
        environments => counted(environments, "environment"),
    };
    format!("{}, {environments}", counted(facts.calls, "measurement"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        campaign::import::{Columns, Format, ImportedMeasure},
        report::fixture,
    };

    #[test]
    fn the_origin_says_what_is_known_and_what_is_not() {
        let columns = Columns { value: "init_ms".to_owned(), variant: vec!["cpu".to_owned()], ..Columns::default() };
        let import = Import {
            files: vec!["cold-starts.csv".to_owned()],
            format: Format::Csv,
            measure: ImportedMeasure::Init,
            columns: Some(columns),
            environments: EnvironmentNames::EachRow,
            has_blocks: true,
            has_times: true,
            has_cpu_models: false,
        };
        let mut campaign = fixture::analysis().campaign;
        (campaign.elapsed_ms, campaign.created_unix_ms) = (Some(10_281_600_000), 0);
        assert_eq!(
            origin(&import, &campaign),
            "Imported 1970-01-01T00:00:00Z from cold-starts.csv by Lambda Duet 0.1.0: 3,843 measurements of init_ms (init \
             duration, in ms) in 40 blocks over 120 days. Not known: what calls cost, which failed, CPU models and the order \
             within a block."
        );
        let several = Import {
            files: ["a.json", "b.json", "c.json"].map(str::to_owned).into(),
            columns: None,
            environments: EnvironmentNames::Unknown,
            has_times: false,
            has_cpu_models: true,
            ..import
        };
        campaign.elapsed_ms = None;
        let text = origin(&several, &campaign);
        assert!(
            text.contains("from a.json and 2 more by") && text.contains("of init duration in 40 blocks."),
            "{text}"
        );
        assert!(text.ends_with("which failed, CPU models, environments and the order within a block."), "{text}");
    }
}
