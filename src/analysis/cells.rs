//! The comparisons of each cell, and of all cells together.

use super::{
    compare_sets::{Analyzer, Set, Unjudged},
    estimate::Groups,
    measures::Measure,
    result::CellAnalysis,
    sides::Sides,
};
use rayon::prelude::*;

/// A cell whose comparisons are not judged yet.
pub(super) struct UnjudgedCell {
    /// By measure, the one that decides first.
    pub(super) comparisons: Vec<Unjudged>,
    /// All but the comparisons.
    rest: CellAnalysis,
}

impl UnjudgedCell {
    /// The cell, once its comparisons are judged, with those of which any call is known.
    pub(super) fn into_analysis(self) -> CellAnalysis {
        let comparisons = self.comparisons.into_iter().map(Unjudged::into_comparison);
        let known = comparisons.filter(|comparison| comparison.calls.iter().any(|(_, calls)| *calls > 0));
        CellAnalysis { comparisons: known.collect(), ..self.rest }
    }
}

impl Analyzer<'_> {
    /// All cells together that have calls of both sides. None if none has.
    pub(super) fn all_cells(&self) -> Option<Unjudged> {
        let has_both = |set: &Set<'_>| set.iter().all(|(_, cells)| cells.iter().any(|calls| !calls.is_empty()));
        let sets: Vec<Set<'_>> = self.sets_of_cells().into_iter().filter(has_both).collect();
        let set = Sides::<()>::default().map(|side, ()| sets.iter().flat_map(|set| set[side].clone()).collect());
        (!sets.is_empty()).then(|| self.compare(&set, self.primary, Groups::CellsAndBlocks))
    }

    pub(super) fn cells(&self) -> Vec<UnjudgedCell> {
        let rest = Measure::ALL.into_iter().filter(|measure| ![self.primary, Measure::Init].contains(measure));
        let measures: Vec<Measure> = std::iter::once(self.primary).chain(rest).collect();
        let cells: Vec<_> = self.pair.cells().zip(self.sets_of_cells()).collect();
        let cells = cells.into_par_iter().map(|((name, _), set)| {
            let compare = |measure: &Measure| self.compare(&set, *measure, Groups::CellsAndBlocks);
            let calls = set.map(|_, cells| cells[0]);
            let (comparisons, by_cpu) =
                rayon::join(|| measures.par_iter().map(compare).collect(), || self.by_cpu(&calls));
            let rest = CellAnalysis {
                name: name.to_owned(),
                comparisons: Vec::new(),
                by_cpu,
                distributions: calls.map(|side, calls| self.distributions(side, calls)),
                series: self.series(&calls),
            };
            UnjudgedCell { comparisons, rest }
        });
        cells.collect()
    }
}
