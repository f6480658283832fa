//! What the methods say of one simulated campaign.

use super::{
    super::{
        estimate::{self, Clusters, CpuMix, Difference, Groups, Model, Variance},
        interval::{CONFIDENCE, Looks},
        verdict::{Verdict, has_enough, verdicts},
    },
    EFFECTS, Estimator, Score,
    campaign::Campaign,
    naive,
};
use crate::analysis::sides::Sides;

/// The margin of equivalence that verdicts are given with here.
const MARGIN: f64 = 0.02;

/// The half-width at which a campaign that is looked at after every block would end.
const TARGET: f64 = 0.02;

/// What became of simulated campaigns with one method.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    intervals: u32,
    covered: u32,
    false_positives: u32,
    seen: [u32; EFFECTS.len()],
    log_half_widths: f64,
    log_half_widths_squared: f64,
}

impl Tally {
    pub(super) fn add(self, other: Self) -> Self {
        Self {
            intervals: self.intervals + other.intervals,
            covered: self.covered + other.covered,
            false_positives: self.false_positives + other.false_positives,
            seen: std::array::from_fn(|index| self.seen[index] + other.seen[index]),
            log_half_widths: self.log_half_widths + other.log_half_widths,
            log_half_widths_squared: self.log_half_widths_squared + other.log_half_widths_squared,
        }
    }

    /// How the method fared in the `runs` campaigns that are added up here.
    pub(super) fn score(self, method: Estimator, runs: u32) -> Score {
        let share = |count: u32| f64::from(count) / f64::from(runs);
        let intervals = f64::from(self.intervals);
        let log_half_width = self.log_half_widths / intervals;
        let variance = (self.log_half_widths_squared / intervals - log_half_width.powi(2)).max(0.0);
        Score {
            method,
            coverage: (self.intervals > 0).then(|| f64::from(self.covered) / intervals),
            false_positives: share(self.false_positives),
            power: self.seen.map(share),
            half_width: (self.intervals > 0).then(|| log_half_width.exp()),
            half_width_error: (self.intervals > 0).then(|| (variance / intervals).sqrt()),
        }
    }

    /// Adds a look at one campaign.
    fn look(&mut self, method: Estimator, campaign: &Campaign, clusters: Clusters, look: Look) {
        let so_far = *self;
        let matters = |difference: &Difference| look == Look::Last || so_far.may_change(difference, method.looks());
        let Some(difference) = method.difference(campaign, clusters, matters) else { return };
        if !matters(&difference) || method.is_shipped() && !has_enough(&difference) {
            return;
        }
        self.intervals = 1;
        if look == Look::Last {
            self.log_half_widths = difference.interval(CONFIDENCE, method.looks()).half_width().ln();
            self.log_half_widths_squared = self.log_half_widths.powi(2);
        }
        self.covered &= u32::from(difference.p_value(0.0, method.looks()) > 1.0 - CONFIDENCE);
        let says = |effect| method.says(&difference, effect);
        self.false_positives |= u32::from(matches!(says(0.0), Verdict::Faster | Verdict::Slower));
        for (seen, effect) in self.seen.iter_mut().zip(EFFECTS) {
            *seen |= u32::from(*seen == 0 && says(effect) == Verdict::Slower);
        }
    }

    /// Whether a look at this difference, whose interval is no narrower than it is here, may change the tally of one campaign.
    fn may_change(&self, difference: &Difference, looks: Looks) -> bool {
        let may_exclude = |effect: f64| {
            let moved = Difference { estimate: difference.estimate + effect, ..*difference };
            moved.may_exclude_zero(1.0 - CONFIDENCE, looks)
        };
        let mut unseen = EFFECTS.iter().zip(self.seen).filter(|(_, seen)| *seen == 0);
        may_exclude(0.0) && (self.covered > 0 || self.false_positives == 0)
            || unseen.any(|(effect, _)| may_exclude(effect.ln_1p()))
    }
}

/// When a campaign is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Interim,
    Last,
}

impl Estimator {
    fn looks(self) -> Looks {
        match self {
            Self::ShippedEveryBlock => Looks::EveryBlock(TARGET),
            _ => Looks::Once,
        }
    }

    fn is_repeated(self) -> bool {
        matches!(self, Self::ShippedEveryBlock | Self::PooledWelchEveryBlock)
    }

    fn is_shipped(self) -> bool {
        matches!(self, Self::Shipped | Self::WithoutCensus | Self::ShippedEveryBlock)
    }

    /// The difference as this method sees it after a block. Where it does not matter, its degrees of freedom may be too many.
    fn difference(
        self,
        campaign: &Campaign,
        clusters: Clusters,
        matters: impl Fn(&Difference) -> bool,
    ) -> Option<Difference> {
        let values = &campaign.values;
        let model = Model { groups: Groups::CellsAndBlocks, clusters, mixes: None };
        let shipped = |mixes: Option<&Sides<CpuMix>>| Model { mixes, ..model }.fit(values)?.difference_if(&matters);
        match self {
            Self::Shipped | Self::ShippedEveryBlock => shipped(campaign.mixes().as_ref()),
            Self::WithoutCensus => shipped(None),
            Self::Cr2 => model.fit(values)?.difference_by(Variance::Cr2),
            Self::EnvironmentMeans => naive::welch_of_environments(values),
            Self::PooledWelch | Self::PooledWelchEveryBlock => naive::welch_of_invocations(values),
            Self::TrimmedMean => naive::trimmed(values),
        }
    }

    /// Its verdict, if the candidate is slower than it was by an effect.
    fn says(self, difference: &Difference, effect: f64) -> Verdict {
        let moved = Difference { estimate: difference.estimate + effect.ln_1p(), ..*difference };
        match self {
            _ if self.is_shipped() => verdicts(&[Some(moved)], MARGIN, self.looks())[0],
            // The others know no margin.
            _ if moved.p_value(0.0, Looks::Once) > 1.0 - CONFIDENCE => Verdict::Inconclusive,
            _ if moved.estimate < 0.0 => Verdict::Faster,
            _ => Verdict::Slower,
        }
    }
}

/// What a method says about one campaign of equal sides, and would say if the candidate were slower by each effect:
/// that moves the estimate and nothing else.
pub(super) fn judge(method: Estimator, campaign: &Campaign, clusters: Clusters) -> Tally {
    let last = estimate::last_block(&campaign.values).unwrap_or_default();
    let mut tally = Tally { covered: 1, ..Tally::default() };
    if method.is_repeated() {
        for block in 0..last {
            tally.look(method, &campaign.until(block), clusters, Look::Interim);
        }
    }
    tally.look(method, campaign, clusters, Look::Last);
    tally.covered &= tally.intervals;
    tally
}
