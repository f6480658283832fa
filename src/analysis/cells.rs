//! What is said of each cell, and of all cells together.

use super::{
    analyzer::Analyzer,
    estimate::Groups,
    measure::Measure,
    result::{CellAnalysis, Comparison},
    samples::Record,
};

impl Analyzer<'_> {
    /// All cells together.
    pub(super) fn headline(&self, cells: &[CellAnalysis]) -> Option<Comparison> {
        let set = self.set_of_all(|it| it.deciding(self.is_cold()));
        let has_samples = |it: &Vec<&[Record]>| it.iter().any(|it| !it.is_empty());
        if set.iter().any(|(_, it)| !has_samples(it)) {
            return None;
        }
        match cells {
            // Then it is the same.
            [cell] => cell.deciding().cloned(),
            _ => self.compare(&[set], self.primary, Groups::CellsAndBlocks).pop(),
        }
    }

    pub(super) fn cells(&self) -> Vec<CellAnalysis> {
        let cells: Vec<_> = self.samples_of_cells().collect();
        let rest = Measure::ALL.into_iter().filter(|it| *it != self.primary && *it != Measure::Init);
        let sets = self.sets_of_cells();
        let mut by_measure: Vec<_> = std::iter::once(self.primary)
            .chain(rest)
            .map(|measure| self.compare(&sets, measure, Groups::CellsAndBlocks).into_iter())
            .collect();
        let mut analyses = Vec::new();
        for ((name, _), set) in cells.into_iter().zip(&sets) {
            let records = set.map(|_, it| it[0]);
            let comparisons = by_measure.iter_mut().filter_map(Iterator::next);
            let is_known = |it: &Comparison| it.calls.iter().any(|(_, calls)| *calls > 0);
            analyses.push(CellAnalysis {
                name: name.clone(),
                comparisons: comparisons.filter(is_known).collect(),
                by_cpu: self.by_cpu(&records),
                distributions: records.map(|side, it| self.distributions(side, it)),
                series: self.series(&records),
            });
        }
        analyses
    }
}
