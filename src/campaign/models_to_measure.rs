//! The CPU models that a campaign's census has counted, and of which the campaign has hardly measured environments.

use super::{census::Tally, totals::Totals, variants::VariantIndex};
use std::collections::BTreeMap;

/// A model of which fewer environments were measured counts as not measured.
pub const LEAST_OF_MODEL: u32 = 2;

/// The largest proportion of a fleet whose models were not measured, with which its mean can be told.
pub const MOST_UNMEASURED: f64 = 0.05;

/// A CPU model of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelToMeasure<'a> {
    pub model: &'a str,
    /// Its proportion of the fleet.
    pub proportion: f64,
    /// How many of its environments were measured.
    pub measured: u32,
}

impl Totals {
    /// The models of which too few environments of a variant were measured, the most frequent first, if they have so much of its
    /// fleet that its mean cannot be told. None where nothing names environments while the campaign runs.
    pub fn models_to_measure(&self, variant: VariantIndex) -> Vec<ModelToMeasure<'_>> {
        let Some(tally) = self.census.as_ref().map(|census| &census[variant]) else { return Vec::new() };
        let called = &self.variants[variant].environments;
        if tally.environments.is_empty() || called.is_empty() {
            return Vec::new();
        }
        let mut models: BTreeMap<&str, ModelToMeasure<'_>> = BTreeMap::new();
        let mut known = 0;
        let not_counted = called.iter().filter(|(name, _)| !tally.environments.contains_key(*name));
        let called_models = not_counted.filter_map(|(_, environment)| environment.cpu_model.as_deref());
        for model in tally.environments.values().map(String::as_str).chain(called_models) {
            known += 1;
            models.entry(model).or_insert(ModelToMeasure { model, proportion: 0.0, measured: 0 }).proportion += 1.0;
        }
        for (name, _) in called.iter().filter(|(_, environment)| environment.is_measured) {
            let model = self.model_of(tally, variant, name).and_then(|model| models.get_mut(model));
            model.into_iter().for_each(|model| model.measured += 1);
        }
        let mut models: Vec<ModelToMeasure<'_>> = models
            .into_values()
            .filter(|model| model.measured < LEAST_OF_MODEL)
            .map(|model| ModelToMeasure { proportion: model.proportion / f64::from(known), ..model })
            .collect();
        models.sort_by(|one, other| other.proportion.total_cmp(&one.proportion));
        let unmeasured: f64 = models.iter().map(|model| model.proportion).sum();
        if unmeasured > MOST_UNMEASURED { models } else { Vec::new() }
    }

    fn model_of<'a>(&'a self, tally: &'a Tally, variant: VariantIndex, environment: &str) -> Option<&'a str> {
        let called = self.variants[variant].environments.get(environment)?.cpu_model.as_deref();
        called.or_else(|| tally.environments.get(environment).map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{census::CensusRow, row::Row};

    /// A campaign of one variant that has counted and called these environments, each with its CPU model.
    fn totals(counted: &[(u32, &str)], called: &[(u32, &str)]) -> Totals {
        let mut totals = Totals::new(1);
        let mut tally = Tally::new(500);
        counted.iter().for_each(|(number, model)| tally.add(&CensusRow::example(&format!("e{number}"), model)));
        totals.census = Some([tally].into_iter().collect());
        for (number, model) in called {
            let (environment, cpu_model) = (Some(format!("e{number}")), Some((*model).to_owned()));
            totals.add(&Row { environment, cpu_model, cold: Some(false), ..Row::example() });
        }
        totals
    }

    fn to_measure(totals: &Totals) -> Vec<(&str, u32)> {
        totals
            .models_to_measure(VariantIndex::default())
            .into_iter()
            .map(|model| (model.model, model.measured))
            .collect()
    }

    /// Ninety environments of the model `V2`, numbered from 10, and ten of `N1` before.
    fn fleet() -> Vec<(u32, &'static str)> {
        (0..100).map(|number| (number, if number < 10 { "N1" } else { "V2" })).collect()
    }

    #[test]
    fn a_model_of_a_tenth_of_the_fleet_takes_two_measured_environments() {
        let common = [(10, "V2"), (11, "V2")];
        assert_eq!(to_measure(&totals(&fleet(), &common)), [("N1", 0)]);
        assert_eq!(to_measure(&totals(&fleet(), &[(0, "N1"), common[0], common[1]])), [("N1", 1)]);
        assert_eq!(to_measure(&totals(&fleet(), &[(0, "N1"), (1, "N1"), common[0], common[1]])), []);
        // One that was not counted.
        assert_eq!(to_measure(&totals(&fleet(), &[(0, "N1"), (200, "N1"), common[0], common[1]])), []);
        let both = totals(&fleet(), &[(10, "V2")]);
        assert_eq!(to_measure(&both), [("V2", 1), ("N1", 0)]);
        assert!((both.models_to_measure(VariantIndex::default())[1].proportion - 0.1).abs() < 1e-12);
    }

    #[test]
    fn models_of_less_than_a_twentieth_together_are_left() {
        let common = [(10, "V2"), (11, "V2")];
        assert_eq!(to_measure(&totals(&fleet()[5..], &common)), [("N1", 0)]);
        assert_eq!(to_measure(&totals(&fleet()[6..], &common)), []);
    }

    #[test]
    fn cold_starts_and_failures_measure_nothing() {
        let mut totals = totals(&fleet(), &[(10, "V2"), (11, "V2"), (1, "N1")]);
        let cold = Row { environment: Some("e0".to_owned()), cold: Some(true), ..Row::example() };
        totals.add(&cold);
        assert_eq!(to_measure(&totals), [("N1", 1)]);
        // Without a name of its CPU it is the one that was counted.
        totals.add(&Row { cold: None, ..cold });
        assert_eq!(to_measure(&totals), []);
    }

    #[test]
    fn without_names_of_environments_nothing_is_known() {
        assert_eq!(to_measure(&totals(&fleet(), &[])), []);
        assert_eq!(to_measure(&totals(&[], &[(1, "N1")])), []);
        assert_eq!(to_measure(&Totals::new(1)), []);
    }
}
