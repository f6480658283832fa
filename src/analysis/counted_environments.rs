//! The environments of a variant that a census has counted.

use std::collections::{BTreeMap, HashMap};

/// The number of a variant of a census, and the number of its round.
pub type RoundOfCensus = (usize, u32);

/// How many environments of each CPU model were counted, each once.
#[derive(Debug, Default)]
pub struct CountedEnvironments {
    /// The numbers of their CPU models among those of the variant, by their names.
    models: HashMap<String, u16>,
    /// By round, and by the number of the CPU model among those of the variant.
    rounds: BTreeMap<RoundOfCensus, BTreeMap<u16, u32>>,
}

impl CountedEnvironments {
    /// Counts an environment, unless it was counted before.
    pub fn add(&mut self, round: RoundOfCensus, environment: &str, model: u16) {
        if !self.models.contains_key(environment) {
            self.models.insert(environment.to_owned(), model);
            *self.rounds.entry(round).or_default().entry(model).or_default() += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    pub fn has(&self, environment: &str) -> bool {
        self.models.contains_key(environment)
    }

    /// The number of the CPU model of an environment. None if it was not counted.
    pub fn model(&self, environment: &str) -> Option<u16> {
        self.models.get(environment).copied()
    }

    /// How many were counted.
    pub fn count(&self) -> u32 {
        self.models.len() as u32
    }

    /// How many of each CPU model were counted, by round.
    pub fn rounds(&self) -> Vec<Vec<u32>> {
        let models = self.rounds.values().filter_map(|models| models.keys().last()).max().map_or(0, |last| last + 1);
        let count = |of_round: &BTreeMap<u16, u32>, model: u16| of_round.get(&model).copied().unwrap_or_default();
        let counts = |of_round| (0..models).map(|model| count(of_round, model)).collect();
        self.rounds.values().map(counts).collect()
    }
}
