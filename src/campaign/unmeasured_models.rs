//! CPU models that a census has counted, and of which too few environments were measured.

use super::{
    row::Row,
    totals::{Totals, note},
    variants::VariantIndex,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A model of which fewer environments were measured counts as not measured.
pub const LEAST_OF_MODEL: u32 = 2;

/// The largest proportion of a fleet whose models were not measured, with which its mean can be told.
pub const MOST_UNMEASURED: f64 = 0.05;

/// A model of which too few environments were measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnmeasuredModel<M> {
    /// Its number or its name.
    pub model: M,
    /// Its proportion of the fleet.
    pub proportion: f64,
    /// How many of its environments were measured.
    pub measured: u32,
}

impl<M> UnmeasuredModel<M> {
    /// The model, if too few of its environments were measured.
    pub fn new(model: M, proportion: f64, measured: u32) -> Option<Self> {
        (proportion > 0.0 && measured < LEAST_OF_MODEL).then_some(Self { model, proportion, measured })
    }

    /// What all of these have of the fleet.
    pub fn proportion_of(models: &[Self]) -> f64 {
        models.iter().map(|model| model.proportion).sum()
    }
}

impl fmt::Display for UnmeasuredModel<&str> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, proportion, measured } = self;
        write!(f, "{model} ({:.1}% of the fleet, {measured} measured)", proportion * 100.0)
    }
}

impl Totals {
    /// Notes what a sample, which is in these totals, tells of its environment.
    pub fn note_measured(&mut self, row: &Row) {
        let environments = &mut self.variants[row.variant].environments;
        let Some(environment) = row.environment().and_then(|name| environments.get_mut(name)) else { return };
        if environment.cpu_model.is_none() {
            environment.cpu_model = row.cpu_model().map(str::to_owned);
        }
        if row.failure.is_none() && row.cold != Some(true) {
            note(&mut environment.measured_cells, Some(&row.cell));
        }
    }

    /// The models of which too few environments of a variant were measured, if they have so much of its fleet that its mean
    /// cannot be told; none where nothing names environments while the campaign runs.
    pub fn unmeasured_models(&self, variant: VariantIndex) -> Vec<UnmeasuredModel<&str>> {
        let Some(tally) = self.census.as_ref().map(|census| &census[variant]) else { return Vec::new() };
        let called = &self.variants[variant].environments;
        if tally.environments.is_empty() || called.is_empty() {
            return Vec::new();
        }
        let not_counted = called.iter().filter(|(name, _)| !tally.environments.contains_key(*name));
        let called_models = not_counted.filter_map(|(_, environment)| environment.cpu_model.as_deref());
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for model in tally.environments.values().map(|counted| counted.model.as_str()).chain(called_models) {
            *counts.entry(model).or_default() += 1;
        }
        let known: u32 = counts.values().sum();
        let cells: BTreeSet<&String> = called.values().flat_map(|environment| &environment.measured_cells).collect();
        // In every cell, or in the one in which the fewest were.
        let measured = |model: &str| {
            let of_model = called.iter().filter(|(name, environment)| {
                let counted = || tally.environments.get(*name).map(|counted| counted.model.as_str());
                environment.cpu_model.as_deref().or_else(counted) == Some(model)
            });
            let in_cell = |cell: &String| {
                of_model.clone().filter(|(_, environment)| environment.measured_cells.contains(cell)).count()
            };
            cells.iter().copied().map(in_cell).min().unwrap_or_default() as u32
        };
        let models = counts.into_iter().filter_map(|(model, count)| {
            UnmeasuredModel::new(model, f64::from(count) / f64::from(known), measured(model))
        });
        let models: Vec<_> = models.collect();
        if UnmeasuredModel::proportion_of(&models) > MOST_UNMEASURED { models } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::census::{CensusRow, Tally};

    fn add(totals: &mut Totals, row: &Row) {
        totals.add(row);
        totals.note_measured(row);
    }

    /// A campaign of one variant that has counted and called these environments, each with its CPU model.
    fn totals(counted: &[(u32, &str)], called: &[(u32, &str)]) -> Totals {
        let mut totals = Totals::new(1);
        let mut tally = Tally::new(500);
        counted.iter().for_each(|(number, model)| tally.add(&CensusRow::example(&format!("e{number}"), model)));
        totals.census = Some([tally].into_iter().collect());
        for (number, model) in called {
            let (environment, cpu_model) = (Some(format!("e{number}")), Some((*model).to_owned()));
            add(&mut totals, &Row { environment, cpu_model, cold: Some(false), ..Row::example() });
        }
        totals
    }

    fn unmeasured(totals: &Totals) -> Vec<(&str, u32)> {
        totals
            .unmeasured_models(VariantIndex::default())
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
        assert_eq!(unmeasured(&totals(&fleet(), &common)), [("N1", 0)]);
        assert_eq!(unmeasured(&totals(&fleet(), &[(0, "N1"), common[0], common[1]])), [("N1", 1)]);
        assert_eq!(unmeasured(&totals(&fleet(), &[(0, "N1"), (1, "N1"), common[0], common[1]])), []);
        // One that was not counted.
        assert_eq!(unmeasured(&totals(&fleet(), &[(0, "N1"), (200, "N1"), common[0], common[1]])), []);
        let both = totals(&fleet(), &[(10, "V2")]);
        assert_eq!(unmeasured(&both), [("N1", 0), ("V2", 1)]);
        assert!((both.unmeasured_models(VariantIndex::default())[0].proportion - 0.1).abs() < 1e-12);
    }

    #[test]
    fn models_of_less_than_a_twentieth_together_are_left() {
        let common = [(10, "V2"), (11, "V2")];
        assert_eq!(unmeasured(&totals(&fleet()[5..], &common)), [("N1", 0)]);
        assert_eq!(unmeasured(&totals(&fleet()[6..], &common)), []);
    }

    #[test]
    fn cold_starts_and_failures_measure_nothing() {
        let mut totals = totals(&fleet(), &[(10, "V2"), (11, "V2"), (1, "N1")]);
        let cold = Row { environment: Some("e0".to_owned()), cold: Some(true), ..Row::example() };
        add(&mut totals, &cold);
        assert_eq!(unmeasured(&totals), [("N1", 1)]);
        // Without a name of its CPU it is the one that was counted.
        add(&mut totals, &Row { cold: None, ..cold });
        assert_eq!(unmeasured(&totals), []);
    }

    #[test]
    fn an_environment_is_measured_in_every_cell_or_not_at_all() {
        let all = [(10, "V2"), (11, "V2"), (0, "N1"), (1, "N1")];
        let mut totals = totals(&fleet(), &all);
        for (number, model) in &all[..3] {
            let (environment, cpu_model) = (Some(format!("e{number}")), Some((*model).to_owned()));
            add(
                &mut totals,
                &Row { environment, cpu_model, cold: Some(false), cell: "b".to_owned(), ..Row::example() },
            );
        }
        assert_eq!(unmeasured(&totals), [("N1", 1)]);
        let models = totals.unmeasured_models(VariantIndex::default());
        assert_eq!(models[0].to_string(), "N1 (10.0% of the fleet, 1 measured)");
    }

    #[test]
    fn without_names_of_environments_nothing_is_known() {
        assert_eq!(unmeasured(&totals(&fleet(), &[])), []);
        assert_eq!(unmeasured(&totals(&[], &[(1, "N1")])), []);
        assert_eq!(unmeasured(&Totals::new(1)), []);
    }
}
