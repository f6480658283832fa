//! The analysis of each cell, and of all cells together.

use super::{
    compare_sets::Analyzer,
    estimate::Groups,
    measures::Measure,
    result::{CellAnalysis, Comparison},
};

impl Analyzer<'_> {
    /// All cells together.
    pub(super) fn headline(&self, cells: &[CellAnalysis]) -> Option<Comparison> {
        let set = self.set_of_all(|cell| cell.deciding(self.is_cold()));
        if set.iter().any(|(_, cells)| cells.iter().all(|calls| calls.is_empty())) {
            return None;
        }
        match cells {
            // Then it is the same.
            [cell] => cell.deciding().cloned(),
            _ => self.compare(&[set], self.primary, Groups::CellsAndBlocks).pop(),
        }
    }

    pub(super) fn cells(&self) -> Vec<CellAnalysis> {
        let rest = Measure::ALL.into_iter().filter(|measure| ![self.primary, Measure::Init].contains(measure));
        let sets = self.sets_of_cells();
        let mut by_measure: Vec<_> = std::iter::once(self.primary)
            .chain(rest)
            .map(|measure| self.compare(&sets, measure, Groups::CellsAndBlocks).into_iter())
            .collect();
        let mut cells = Vec::new();
        for ((name, _), set) in self.samples_of_cells().zip(&sets) {
            let calls = set.map(|_, cells| cells[0]);
            let comparisons = by_measure.iter_mut().filter_map(Iterator::next);
            let is_known = |comparison: &Comparison| comparison.calls.iter().any(|(_, calls)| *calls > 0);
            cells.push(CellAnalysis {
                name: name.clone(),
                comparisons: comparisons.filter(is_known).collect(),
                by_cpu: self.by_cpu(&calls),
                distributions: calls.map(|side, calls| self.distributions(side, calls)),
                series: self.series(&calls),
            });
        }
        cells
    }
}
