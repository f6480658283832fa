//! The kinds of fleets and campaigns that are simulated.

use crate::analysis::estimate::Clusters;
use serde::Serialize;

/// The environments of each side and the calls of each, without a census.
const SIZES: [(u32, u32); 6] = [(3, 20), (8, 5), (8, 50), (20, 20), (60, 5), (60, 50)];

/// The same with a census.
const COUNTED_SIZES: [(u32, u32); 3] = [(8, 20), (12, 50), (60, 50)];

/// The environments of each side that are counted.
const CENSUSES: [u32; 2] = [200, 1000];

/// The environments and calls of the scenarios with disturbances.
const DISTURBED_SIZES: [(u32, u32); 4] = [(8, 5), (8, 20), (20, 20), (60, 50)];

/// The CPUs of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cpus {
    One,
    /// Two, 1.4× apart, of which the slower has a share of 44%.
    Two,
    /// Two, whose shares drift from 24% to 64% in the course of the campaign.
    Drifting,
    /// Two on the candidate's side, one on the baseline's.
    TwoOfOneSide,
    /// Two, of which the slower has a share of 20% on the baseline's side and 60% on the candidate's.
    DifferentMixes,
    /// Three, of which two are 1.2 and 1.5 times as slow and have shares of 30% and 20%.
    Three,
    /// Two, of which the slower has a share of 10%.
    Rare,
    /// Two, as of `Two`; but when the candidate's fleet was counted, the slower had a share of 24%.
    DriftedSinceCensus,
}

/// The noise of single calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    LogNormal,
    /// Log-t with three degrees of freedom: rare calls take several times as long.
    HeavyTailed,
}

/// What moves the times of both sides alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// Nothing.
    None,
    /// Times grow by 10% from the beginning to the end.
    Linear,
    /// Times swing by 10% up and down, twice in a campaign.
    Diurnal,
}

/// What disturbs several environments of a side at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disturbance {
    /// Nothing.
    None,
    /// Each step, all that a side does in a block, is slower or faster by chance.
    Steps,
    /// So is each stretch of steps, three on average.
    Stretches,
    /// So is each step of the candidate; the baseline runs on other hosts.
    OneSide,
    /// One step in 25 is a quarter slower.
    Rare,
    /// So is each block on each host, which four environments share.
    SharedHosts,
    /// Calls are made one by one, those of both sides in random order, and stretches of them, eight on average, are slower
    /// or faster.
    SingleCalls,
    /// The candidate is slower or faster for several blocks in a row: most of what one block has is left in the next.
    Lasting,
}

/// A kind of fleet and a kind of campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scenario {
    pub cpus: Cpus,
    pub noise: Noise,
    pub drift: Drift,
    /// The environments of each side.
    pub environments: u32,
    /// The calls of each environment, one a block.
    pub calls: u32,
    /// Whether environments come and go, so that each lives in half of the campaign's blocks.
    pub staggered: bool,
    /// What disturbs several environments at once.
    pub disturbance: Disturbance,
    /// The environments of each side of which the CPU alone is counted, as many in each block.
    pub census: u32,
}

impl Scenario {
    /// The scenarios that are calibrated: each kind of fleet with few and many environments and calls.
    pub fn all() -> Vec<Self> {
        let kinds = [
            (Cpus::One, Noise::LogNormal, Drift::None, false),
            (Cpus::One, Noise::HeavyTailed, Drift::Linear, true),
            (Cpus::Two, Noise::LogNormal, Drift::None, false),
            (Cpus::Two, Noise::LogNormal, Drift::Linear, true),
            (Cpus::Two, Noise::HeavyTailed, Drift::Diurnal, true),
            (Cpus::Drifting, Noise::LogNormal, Drift::Diurnal, true),
            (Cpus::TwoOfOneSide, Noise::LogNormal, Drift::Linear, false),
        ];
        // Fleets that a census is made for.
        let counted_kinds = [
            (Cpus::DifferentMixes, Noise::LogNormal, Drift::Linear, true),
            (Cpus::Three, Noise::LogNormal, Drift::Linear, true),
            (Cpus::Rare, Noise::LogNormal, Drift::None, false),
        ];
        let disturbances = [
            Disturbance::Steps,
            Disturbance::Stretches,
            Disturbance::OneSide,
            Disturbance::Rare,
            Disturbance::SharedHosts,
            Disturbance::SingleCalls,
            Disturbance::Lasting,
        ];
        let scenario = |(cpus, noise, drift, staggered), disturbance, (environments, calls), census| Self {
            cpus,
            noise,
            drift,
            environments,
            calls,
            staggered,
            disturbance,
            census,
        };
        let counted = |kind, disturbance| {
            let of_size = move |size| CENSUSES.map(|census| scenario(kind, disturbance, size, census));
            COUNTED_SIZES.into_iter().flat_map(of_size)
        };
        let undisturbed = |kind| {
            let of_size = move |size| scenario(kind, Disturbance::None, size, 0);
            SIZES.into_iter().map(of_size).chain(counted(kind, Disturbance::None))
        };
        let disturbed = |disturbance| {
            let of_size = move |size| scenario(kinds[0], disturbance, size, 0);
            DISTURBED_SIZES.into_iter().map(of_size).chain(counted(kinds[2], disturbance))
        };
        let drifted = (Cpus::DriftedSinceCensus, Noise::LogNormal, Drift::None, false);
        let drifted = CENSUSES.map(|census| scenario(drifted, Disturbance::None, (60, 50), census));
        let all = kinds.into_iter().flat_map(undisturbed);
        let all = all.chain(counted_kinds.into_iter().flat_map(|kind| counted(kind, Disturbance::None)));
        all.chain(disturbances.into_iter().flat_map(disturbed)).chain(drifted).collect()
    }

    /// Its kind of fleet in words.
    pub fn fleet(&self) -> String {
        let cpus = match self.cpus {
            Cpus::One => "one CPU",
            Cpus::Two => "two CPUs",
            Cpus::Drifting => "two CPUs, drifting mix",
            Cpus::TwoOfOneSide => "two CPUs on one side",
            Cpus::DifferentMixes => "two CPUs, another mix on each side",
            Cpus::Three => "three CPUs",
            Cpus::Rare => "two CPUs, one of them rare",
            Cpus::DriftedSinceCensus => "two CPUs, a mix that has drifted since the census",
        };
        let noise = match self.noise {
            Noise::LogNormal => "log-normal",
            Noise::HeavyTailed => "heavy tails",
        };
        let drift = match self.drift {
            Drift::None => "no drift",
            Drift::Linear => "linear drift",
            Drift::Diurnal => "diurnal drift",
        };
        let staggered = if self.staggered { ", environments come and go" } else { "" };
        let disturbance = match self.disturbance {
            Disturbance::None => "",
            Disturbance::Steps => ", disturbed steps",
            Disturbance::Stretches => ", disturbed stretches",
            Disturbance::OneSide => ", one side disturbed",
            Disturbance::Rare => ", rare disturbances",
            Disturbance::SharedHosts => ", shared hosts",
            Disturbance::SingleCalls => ", disturbed calls one by one",
            Disturbance::Lasting => ", one side disturbed for several blocks",
        };
        format!("{cpus}, {noise}, {drift}{staggered}{disturbance}")
    }

    /// What the calls of such campaigns may have in common.
    pub fn clusters(&self) -> Clusters {
        match self.disturbance {
            Disturbance::SingleCalls => Clusters::Environments,
            _ => Clusters::EnvironmentsAndBlocks,
        }
    }

    /// Whether no aims hold for it, because it shows a limit of the method: blocks that resemble each other, or a census of
    /// another time.
    pub fn is_beyond_aims(&self) -> bool {
        self.disturbance == Disturbance::Lasting || self.cpus == Cpus::DriftedSinceCensus
    }

    /// The widest that its intervals should be on average, half of it: of two CPUs, with a large census and enough calls.
    pub fn aimed_half_width(&self) -> Option<f64> {
        let is_meant = self.cpus == Cpus::Two && self.disturbance == Disturbance::None && self.census == CENSUSES[1];
        match self.environments {
            12 if is_meant => Some(0.04),
            60 if is_meant => Some(0.022),
            _ => None,
        }
    }
}
