//! How many environments to count for each that is measured, so that an interval as narrow as wanted takes the least money.
//!
//! With n environments of each variant measured and N counted, the measured ones among them, the variance of a difference of
//! fleets is A/n + B/N. What n and N environments cost together is least with N/n = √(Bcₘ/(Ac)), where cₘ is what it costs to
//! measure an environment, and c what it costs to count one (Neyman 1938; Cochran, Sampling Techniques, 12.3).

/// No more environments are counted for each that is measured: of estimates of little, one may be nearly 0.
const MOST_FOR_EACH: f64 = 100.0;

/// What the variance of a difference of fleets comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FleetVariances {
    /// A: environments of one CPU model differ.
    pub within_models: f64,
    /// B: CPU models do.
    pub between_models: f64,
}

/// What environments cost, one of each variant together, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnvironmentCosts {
    pub measured: f64,
    pub counted: f64,
}

/// How many environments of each variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    pub measured: u32,
    pub counted: u32,
}

/// How fleets of two CPU models were found to be, which is expected until calls have shown more.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedFleet {
    /// How many times as long the slower one takes.
    pub slowdown: f64,
    /// Its proportion of the fleet.
    pub slower: f64,
    /// By how much environments of one model differ, as a standard deviation.
    pub deviation: f64,
}

/// That of two CPU generations of arm64 in one region, where environments of one model differ by little.
pub const EXPECTED: ExpectedFleet = ExpectedFleet { slowdown: 1.4, slower: 0.44, deviation: 0.04 };

impl ExpectedFleet {
    /// Those of a difference of two such fleets.
    pub fn variances(self) -> FleetVariances {
        let Self { slowdown, slower, deviation } = self;
        FleetVariances {
            within_models: 2.0 * deviation.powi(2),
            between_models: 2.0 * slowdown.ln().powi(2) * slower * (1.0 - slower),
        }
    }
}

impl FleetVariances {
    /// N/n: how many environments to count for each that is measured.
    pub fn counted_for_each(self, costs: EnvironmentCosts) -> f64 {
        let Self { within_models, between_models } = self;
        let worth = between_models * costs.measured;
        if worth <= 0.0 {
            return 1.0;
        }
        (worth / (within_models * costs.counted)).sqrt().clamp(1.0, MOST_FOR_EACH)
    }

    /// How many of each variant it takes for a difference of this variance.
    pub fn allocation(self, costs: EnvironmentCosts, variance: f64, least: u32) -> Allocation {
        let ratio = self.counted_for_each(costs);
        let needed = (self.within_models + self.between_models / ratio) / variance;
        let measured = (needed.ceil() as u32).max(least);
        Allocation { measured, counted: counted(measured, ratio) }
    }
}

/// How many environments to count for so many that are measured.
pub fn counted(measured: u32, for_each: f64) -> u32 {
    (f64::from(measured) * for_each).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: EnvironmentCosts = EnvironmentCosts { measured: 1e-3, counted: 5e-5 };

    #[test]
    fn the_allocation_is_the_cheapest_of_all_that_are_as_precise() {
        let FleetVariances { within_models, between_models } = EXPECTED.variances();
        let variance = (0.02_f64 / 2.0).powi(2);
        let cost = |measured: u32, counted: f64| f64::from(measured) * COSTS.measured + counted * COSTS.counted;
        let cheapest = (1..1000)
            .filter_map(|measured| {
                let left = variance - within_models / f64::from(measured);
                (left > 0.0).then(|| cost(measured, between_models / left))
            })
            .min_by(f64::total_cmp);
        let Allocation { measured, counted } = EXPECTED.variances().allocation(COSTS, variance, 8);
        let found = cost(measured, counted.into());
        assert!((1.0..1.02).contains(&(found / cheapest.unwrap())), "{measured} {counted} {found} {cheapest:?}");
        assert_eq!((measured, counted), (62, 1158));
    }

    #[test]
    fn each_is_counted_once_where_there_is_one_model_or_counting_is_dear() {
        let one = FleetVariances { between_models: 0.0, ..EXPECTED.variances() };
        assert_eq!(one.counted_for_each(COSTS), 1.0);
        let dear = EnvironmentCosts { measured: 1e-5, counted: 1e-3 };
        assert_eq!(EXPECTED.variances().allocation(dear, 0.01, 8), Allocation { measured: 8, counted: 8 });
    }

    #[test]
    fn what_costs_nothing_is_counted_a_hundred_times_as_often_at_most() {
        let free = EnvironmentCosts { counted: 0.0, ..COSTS };
        assert_eq!(EXPECTED.variances().counted_for_each(free), 100.0);
        let alike = FleetVariances { within_models: 0.0, ..EXPECTED.variances() };
        assert_eq!(alike.allocation(COSTS, 0.01, 8), Allocation { measured: 8, counted: 800 });
    }
}
