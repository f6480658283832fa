//! Simulated fleets: how the campaigns of a scenario come about.

use super::{
    super::estimate::Observation,
    campaign::Campaign,
    scenario::{Cpus, Disturbance, Drift, Noise, Scenario},
};
use crate::analysis::sides::{Side, Sides};
use rand::{Rng, RngExt, distr::Distribution, seq::SliceRandom};
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

/// The same of the baseline and the candidate, where their mixes differ.
const DIFFERENT_SHARES: (f64, f64) = (0.2, 0.6);

/// The shares of the second and third of three CPUs, and how much slower they are.
const THREE_CPUS: [(f64, f64); 2] = [(0.3, 1.2), (0.2, 1.5)];

/// The share of a rare CPU.
const RARE_CPU: f64 = 0.1;

/// By how much the candidate's share of the slower CPU was less when its fleet was counted.
const DRIFTED: f64 = 0.2;

/// A campaign goes on until the CPU models that the census saw are measured, for so many times its environments at most.
const MOST_ENVIRONMENTS: u32 = 10;

/// How far times drift in a campaign.
const DRIFT: f64 = 0.10;

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

/// The CPU models that a fleet may have.
const MOST_CPUS: usize = 1 + THREE_CPUS.len();

impl Scenario {
    /// A campaign in which both sides are equally fast, in the mean over the fleet.
    pub(super) fn campaign(&self, rng: &mut impl Rng) -> Campaign {
        let disturbances = self.disturbances(rng);
        let (mut values, mut called) = (Sides::<Vec<Observation>>::default(), Sides::<Vec<(u32, u16)>>::default());
        for side in Side::BOTH {
            for environment in 0..self.environments {
                self.call(side, environment, &disturbances[side], (&mut values[side], &mut called[side]), rng);
            }
        }
        let counted = (self.census > 0).then(|| self.take_census(rng));
        let mut campaign = Campaign { last_block: self.blocks() - 1, values, called, counted };
        for side in Side::BOTH {
            for environment in self.environments..MOST_ENVIRONMENTS * self.environments {
                if campaign.is_measured(side) {
                    break;
                }
                let Campaign { values, called, .. } = &mut campaign;
                self.call(side, environment, &disturbances[side], (&mut values[side], &mut called[side]), rng);
            }
        }
        campaign
    }

    /// The CPU models of environments that are counted, as many in each block.
    fn take_census(&self, rng: &mut impl Rng) -> Sides<Vec<Vec<u32>>> {
        let blocks = self.blocks();
        Sides::<()>::default().map(|side, ()| {
            let mut rounds = vec![vec![0; MOST_CPUS]; blocks as usize];
            for number in 0..self.census {
                let block = number * blocks / self.census;
                let drifted =
                    if self.cpus == Cpus::DriftedSinceCensus && side == Side::Candidate { DRIFTED } else { 0.0 };
                let cpu = self.cpu(side, f64::from(block) / f64::from(blocks), drifted, rng);
                rounds[block as usize][usize::from(cpu)] += 1;
            }
            rounds
        })
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

    /// Adds the calls of an environment, and its first block and CPU model.
    fn call(
        &self,
        side: Side,
        environment: u32,
        of_hosts: &[Vec<f64>],
        (values, called): (&mut Vec<Observation>, &mut Vec<(u32, u16)>),
        rng: &mut impl Rng,
    ) {
        let host = (environment as usize * of_hosts.len() / self.environments as usize).min(of_hosts.len() - 1);
        let disturbances = &of_hosts[host];
        let normal = Normal::standard();
        let student = StudentsT::new(0.0, 1.0, 3.0).expect("the parameters are finite and positive");
        let blocks = self.blocks();
        let first = if self.staggered { rng.random_range(0..=blocks - self.calls) } else { 0 };
        let time = f64::from(first) / f64::from(blocks);
        let cpu = self.cpu(side, time, 0.0, rng);
        called.push((first, cpu));
        // Where the sides have different fleets, their means are made equal.
        let cpus = self.slower_cpus(side, time);
        let mean = match self.cpus {
            Cpus::TwoOfOneSide | Cpus::DifferentMixes => cpus.iter().map(|(share, slower)| share * slower.ln()).sum(),
            _ => 0.0,
        };
        let cpu = if cpu > 0 { cpus[usize::from(cpu) - 1].1.ln() } else { 0.0 };
        let level = cpu - mean + BETWEEN_ENVIRONMENTS * normal.sample(rng);
        values.extend((first..first + self.calls).map(|block| {
            let noise = match self.noise {
                Noise::LogNormal => normal.sample(rng),
                Noise::HeavyTailed => student.sample(rng),
            };
            let disturbance = disturbances[block as usize];
            let value = level + WITHIN_ENVIRONMENT * noise + self.drift_at(block) + disturbance;
            Observation { environment, cell: 0, block, step: 0, value }
        }));
    }

    /// The number of an environment's CPU model, if the slower ones have so much less of the fleet.
    fn cpu(&self, side: Side, time: f64, less: f64, rng: &mut impl Rng) -> u16 {
        let mut others = 1.0;
        for (number, (share, _)) in (1..).zip(self.slower_cpus(side, time)) {
            let share = share - less;
            if rng.random_bool(share / others) {
                return number;
            }
            others -= share;
        }
        0
    }

    fn blocks(&self) -> u32 {
        if self.staggered { 2 * self.calls } else { self.calls }
    }

    /// The CPUs that are slower than the fastest: what share of the fleet each has, and how many times as long it takes.
    fn slower_cpus(&self, side: Side, time: f64) -> Vec<(f64, f64)> {
        let (of_baseline, of_candidate) = DIFFERENT_SHARES;
        let share = match self.cpus {
            Cpus::One => 0.0,
            Cpus::TwoOfOneSide if side == Side::Baseline => 0.0,
            Cpus::Two | Cpus::TwoOfOneSide | Cpus::DriftedSinceCensus => SLOWER_SHARE,
            Cpus::Drifting => SLOWER_SHARE + 0.4 * (time - 0.5),
            Cpus::DifferentMixes if side == Side::Baseline => of_baseline,
            Cpus::DifferentMixes => of_candidate,
            Cpus::Rare => RARE_CPU,
            Cpus::Three => return THREE_CPUS.to_vec(),
        };
        vec![(share, SLOWER_CPU)]
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
