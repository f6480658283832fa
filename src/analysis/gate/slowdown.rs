//! How much slower the candidate is, held to a limit.

use super::{HeldPair, Reference};
use crate::analysis::{
    change::{self, difference},
    estimate::Difference,
    interval::Looks,
    limits::CellTest,
    result::{CellAnalysis, Comparison, PairAnalysis, Ratio},
    tested::{Found, Tested},
    verdict::what_is_missing,
};

impl HeldPair<'_> {
    /// What is held to the limit in each cell, or why nothing is.
    pub(super) fn slowdowns(&self, max_slowdown: f64, looks: Looks) -> Vec<CellTest> {
        let test = |cell| match self.reference {
            Reference::Missing => Err("the earlier campaign does not have this variant".to_owned()),
            Reference::Baseline => slowdown(cell, self.run, None),
            Reference::Earlier(earlier) => slowdown(cell, self.run, Some(earlier)),
        };
        let cells = self.run.cells.iter().map(|cell| CellTest {
            name: cell.name.clone(),
            measure: cell.deciding().map(|deciding| deciding.measure),
            test: test(cell).map(|slowdown| slowdown.tested(max_slowdown.ln_1p(), looks)),
        });
        self.unless_withheld(&cells.collect::<Vec<_>>())
    }
}

/// A difference of logarithms, what of its variance is the earlier campaign's, and how many environments of each side this
/// one has.
struct Slowdown {
    difference: Difference,
    earlier_variance: f64,
    environments: u32,
}

impl Slowdown {
    fn tested(self, limit: f64, looks: Looks) -> Tested {
        let Self { difference, earlier_variance, environments } = self;
        let found = Found::Ratio(Ratio::new(&difference, looks));
        Tested::beside_earlier(found, difference, limit, earlier_variance, environments)
    }
}

fn slowdown(cell: &CellAnalysis, run: &PairAnalysis, earlier: Option<&PairAnalysis>) -> Result<Slowdown, String> {
    let deciding = cell.deciding().ok_or("it has no samples")?;
    let now = difference(deciding, &run.campaign).ok_or_else(|| why_withheld(deciding))?;
    let environments = now.environments.baseline.min(now.environments.candidate);
    let Some(earlier) = earlier else {
        return Ok(Slowdown { difference: now, earlier_variance: 0.0, environments });
    };
    let before = earlier.cell(&cell.name).ok_or("the earlier campaign does not have this cell")?;
    let before = before.deciding().ok_or("the earlier campaign has no samples of it")?;
    if before.measure != deciding.measure {
        return Err(format!("it has {} here and {} in the earlier campaign", deciding.measure, before.measure));
    }
    let then = difference(before, &earlier.campaign);
    let then = then.ok_or_else(|| format!("in the earlier campaign {}", why_withheld(before)))?;
    // More environments in this campaign narrow nothing of the other.
    let earlier_variance = then.standard_error.powi(2);
    let fixed_variance = earlier_variance + now.fixed_variance;
    let difference = Difference { fixed_variance, ..change::change(&then, &now) };
    Ok(Slowdown { difference, earlier_variance, environments })
}

/// Why no verdict is given on a comparison by itself.
fn why_withheld(Comparison { measure, environments, blocks, .. }: &Comparison) -> String {
    let fewest = environments.baseline.min(environments.candidate);
    what_is_missing(fewest, *blocks).unwrap_or_else(|| format!("no verdict is given on its {measure}"))
}
