//! Warnings about a census.

use super::super::{
    estimate::WORST_MODEL,
    pair_samples::PairSamples,
    sides::Side,
    warning_kind::{Warning, WarningKind},
};
use crate::campaign::unmeasured_models::{LEAST_OF_MODEL, MOST_UNMEASURED, UnmeasuredModel};

/// Why the census of a side is not used, or does not tell as much as it might.
pub(super) fn collect(pair: PairSamples<'_>, side: Side, warnings: &mut Vec<Warning>) {
    let facts = pair.facts(side);
    if facts.census.is_empty() || !pair.has_values(side) {
        return;
    }
    let (mix, name) = (facts.known_mix(), &pair.variant(side).name);
    let mut warn = |kind, text| warnings.push(Warning { kind, side: Some(side), text });
    if mix.has_drifted() {
        let text = format!(
            "The environments that calls of {name} met have other CPU models than those that its census counted, beyond chance: \
             the mix has changed between them, and the census is not used. Take one in the time of the campaign."
        );
        return warn(WarningKind::CensusDrifted, text);
    }
    let unmeasured = mix.unmeasured(&pair.measured(side));
    let proportion = UnmeasuredModel::proportion_of(&unmeasured);
    if unmeasured.is_empty() {
        return;
    }
    let models = unmeasured.iter().map(|unmeasured| {
        let model = facts.cpu_models[usize::from(unmeasured.model)].as_str();
        UnmeasuredModel { model, proportion: unmeasured.proportion, measured: unmeasured.measured }.to_string()
    });
    let models = models.collect::<Vec<_>>().join(", ");
    let consequence = if proportion > MOST_UNMEASURED {
        format!(
            "With more than {:.0}% of the fleet unmeasured the census is not used. Let the campaign call more environments.",
            MOST_UNMEASURED * 100.0
        )
    } else {
        format!(
            "Intervals are wider by ±{:.1}%, as if these took {WORST_MODEL} times as long as the others, or as short.",
            (proportion * WORST_MODEL.ln()).exp_m1() * 100.0
        )
    };
    let text = format!(
        "The census of {name} has CPU models with fewer than {LEAST_OF_MODEL} measured environments: {models}. {consequence}"
    );
    warn(WarningKind::UnmeasuredCpus, text);
}
