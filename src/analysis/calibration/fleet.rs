//! Simulated fleets, and campaigns on them.

use super::super::estimate::{Clusters, Observation};
use crate::analysis::sides::{Side, Sides};
use rand::{Rng, RngExt, distr::Distribution, seq::SliceRandom};
use serde::Serialize;
use statrs::distribution::{Normal, StudentsT};
use std::f64::consts::TAU;

/// The standard deviation between environments of the same CPU, on the logarithmic scale.
const BETWEEN_ENVIRONMENTS: f64 = 0.04;

/// The scale of the noise of single calls, on the logarithmic scale.
const WITHIN_ENVIRONMENT: f64 = 0.05;

/// How much slower the slower of two CPUs is.
const SLOWER_CPU: f64 = 1.4;

/// The share of the slower of two CPUs.
const SLOWER_SHARE: f64 = 0.44;

/// The environments and calls of the scenarios with disturbances.
const DISTURBED_SIZES: [(u32, u32); 4] = [(8, 5), (8, 20), (20, 20), (60, 50)];

/// How far times drift in a campaign.
const DRIFT: f64 = 0.10;

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

/// The standard deviation of disturbances that are not rare, on the logarithmic scale.
const DISTURBED: f64 = 0.03;

/// How much slower a rare disturbance makes a step, and how many steps meet one.
const RARE: (f64, f64) = (0.25, 0.04);

/// How often the next step is in the same stretch of disturbed ones.
const STRETCH: f64 = 2.0 / 3.0;

/// How often the next of single calls is in the same stretch, and by how much the calls of one are disturbed.
const STRETCH_OF_CALLS: (f64, f64) = (7.0 / 8.0, 0.10);

/// How much of a lasting disturbance is left in the next block.
const LASTING: f64 = 0.8;

/// How many environments share a host, where some do.
const OF_A_HOST: u32 = 4;

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
        let sizes = [(3, 20), (8, 5), (8, 50), (20, 20), (60, 5), (60, 50)];
        let scenario = |(cpus, noise, drift, staggered), disturbance, (environments, calls)| Self {
            cpus,
            noise,
            drift,
            environments,
            calls,
            staggered,
            disturbance,
        };
        let undisturbed = kinds.into_iter().flat_map(|kind| sizes.map(|size| scenario(kind, Disturbance::None, size)));
        let disturbances = [
            Disturbance::Steps,
            Disturbance::Stretches,
            Disturbance::OneSide,
            Disturbance::Rare,
            Disturbance::SharedHosts,
            Disturbance::SingleCalls,
            Disturbance::Lasting,
        ];
        let disturbed =
            disturbances.into_iter().flat_map(|kind| DISTURBED_SIZES.map(|size| scenario(kinds[0], kind, size)));
        undisturbed.chain(disturbed).collect()
    }

    /// Its kind of fleet in words.
    pub fn fleet(&self) -> String {
        let cpus = match self.cpus {
            Cpus::One => "one CPU",
            Cpus::Two => "two CPUs",
            Cpus::Drifting => "two CPUs, drifting mix",
            Cpus::TwoOfOneSide => "two CPUs on one side",
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

    /// Whether no aims hold for it, because it shows a limit of the method: blocks that resemble each other.
    pub fn is_beyond_aims(&self) -> bool {
        self.disturbance == Disturbance::Lasting
    }

    /// The logarithms of the times of one campaign in which both sides are equally fast, in the mean over the fleet.
    pub fn campaign(&self, rng: &mut impl Rng) -> Sides<Vec<Observation>> {
        let disturbances = self.disturbances(rng);
        let mut side = |side| {
            let of_environment = |environment| {
                let of_hosts = &disturbances[side];
                let host = environment as usize * of_hosts.len() / self.environments as usize;
                self.environment(side, environment, &of_hosts[host], rng)
            };
            (0..self.environments).flat_map(of_environment).collect()
        };
        Sides { baseline: side(Side::Baseline), candidate: side(Side::Candidate) }
    }

    /// How much slower each block is on one host after the other. Steps are separate, each block's in random order: what
    /// joint steps share would be the same on both sides.
    fn disturbances(&self, rng: &mut impl Rng) -> Sides<Vec<Vec<f64>>> {
        let (normal, blocks) = (Normal::standard(), self.blocks() as usize);
        let mut of_hosts = |hosts: u32| -> Vec<Vec<f64>> {
            let mut of_host =
                |_| normal.sample_iter(&mut *rng).take(blocks).map(|normal: f64| DISTURBED * normal).collect();
            (0..hosts).map(&mut of_host).collect()
        };
        let undisturbed = || vec![vec![0.0; blocks]];
        match self.disturbance {
            Disturbance::None => Sides { baseline: undisturbed(), candidate: undisturbed() },
            Disturbance::OneSide => Sides { baseline: undisturbed(), candidate: of_hosts(1) },
            Disturbance::Lasting => {
                let mut now = DISTURBED * normal.sample(rng);
                let mut next = || {
                    now = LASTING * now + (1.0 - LASTING.powi(2)).sqrt() * DISTURBED * normal.sample(rng);
                    now
                };
                Sides { baseline: undisturbed(), candidate: vec![(0..blocks).map(|_| next()).collect()] }
            }
            Disturbance::SingleCalls => self.disturbances_of_calls(rng),
            Disturbance::SharedHosts => {
                let hosts = self.environments.div_ceil(OF_A_HOST);
                Sides { baseline: of_hosts(hosts), candidate: of_hosts(hosts) }
            }
            Disturbance::Steps | Disturbance::Stretches | Disturbance::Rare => {
                let mut disturbed = Sides { baseline: undisturbed(), candidate: undisturbed() };
                let mut now = DISTURBED * normal.sample(rng);
                for block in 0..blocks {
                    let mut sides = Side::BOTH;
                    sides.shuffle(rng);
                    for side in sides {
                        now = match self.disturbance {
                            Disturbance::Stretches if rng.random_bool(STRETCH) => now,
                            Disturbance::Rare => RARE.0 * f64::from(u8::from(rng.random_bool(RARE.1))),
                            _ => DISTURBED * normal.sample(rng),
                        };
                        disturbed[side][0][block] = now;
                    }
                }
                disturbed
            }
        }
    }

    /// The same of each environment by itself, where all are called one by one.
    fn disturbances_of_calls(&self, rng: &mut impl Rng) -> Sides<Vec<Vec<f64>>> {
        let (normal, (stretch, scale)) = (Normal::standard(), STRETCH_OF_CALLS);
        let environments = self.environments as usize;
        let none = || vec![vec![0.0; self.blocks() as usize]; environments];
        let mut disturbances = Sides { baseline: none(), candidate: none() };
        let mut now = scale * normal.sample(rng);
        for block in 0..self.blocks() as usize {
            let of_side = |side| (0..environments).map(move |environment| (side, environment));
            let mut calls: Vec<(Side, usize)> = Side::BOTH.into_iter().flat_map(of_side).collect();
            calls.shuffle(rng);
            for (side, environment) in calls {
                now = if rng.random_bool(stretch) { now } else { scale * normal.sample(rng) };
                disturbances[side][environment][block] = now;
            }
        }
        disturbances
    }

    fn environment(&self, side: Side, environment: u32, disturbances: &[f64], rng: &mut impl Rng) -> Vec<Observation> {
        let normal = Normal::standard();
        let student = StudentsT::new(0.0, 1.0, 3.0).expect("the parameters are finite and positive");
        let blocks = self.blocks();
        let first = if self.staggered { rng.random_range(0..=blocks - self.calls) } else { 0 };
        let share = self.share_of_slower_cpu(side, f64::from(first) / f64::from(blocks));
        let cpu = if rng.random_bool(share) { SLOWER_CPU.ln() } else { 0.0 };
        // Where the sides have different fleets, their means are made equal.
        let mean = if self.cpus == Cpus::TwoOfOneSide { share * SLOWER_CPU.ln() } else { 0.0 };
        let level = cpu - mean + BETWEEN_ENVIRONMENTS * normal.sample(rng);
        (first..first + self.calls)
            .map(|block| {
                let noise = match self.noise {
                    Noise::LogNormal => normal.sample(rng),
                    Noise::HeavyTailed => student.sample(rng),
                };
                let disturbance = disturbances[block as usize];
                let value = level + WITHIN_ENVIRONMENT * noise + self.drift_at(block) + disturbance;
                Observation { environment, cell: 0, block, step: 0, value }
            })
            .collect()
    }

    fn blocks(&self) -> u32 {
        if self.staggered { 2 * self.calls } else { self.calls }
    }

    fn share_of_slower_cpu(&self, side: Side, time: f64) -> f64 {
        match self.cpus {
            Cpus::One => 0.0,
            Cpus::TwoOfOneSide if side == Side::Baseline => 0.0,
            Cpus::Two | Cpus::TwoOfOneSide => SLOWER_SHARE,
            Cpus::Drifting => SLOWER_SHARE + 0.4 * (time - 0.5),
        }
    }

    fn drift_at(&self, block: u32) -> f64 {
        let time = f64::from(block) / f64::from(self.blocks());
        match self.drift {
            Drift::None => 0.0,
            Drift::Linear => DRIFT * time,
            Drift::Diurnal => DRIFT * (2.0 * TAU * time).sin(),
        }
    }
}
