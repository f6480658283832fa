//! Run directories of campaigns that never were, whose truth is known.

use crate::campaign::both;
use lambda_duet::{
    analysis::sides::{Side, Sides},
    campaign::{
        Auth, Target,
        manifest::{self, CampaignLimits, Manifest, Order, Variant},
        platform_report::PlatformReport,
        prices::PriceTable,
        row::Row,
        run_directory::Journal,
        schedule,
        variants::{VariantIndex, Variants},
    },
    protocol::{
        self, Architecture, Build, Clock, Environment, Function, Host, Memory, Response, Sample, Size, Status, Summary,
    },
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::json;
use std::{borrow::Cow, path::Path};

const BASELINE_MS: f64 = 20.0;

/// How many single calls in a row meet the same disturbance.
const STRETCH: usize = 8;
const MEMORY_MB: u32 = 1769;

/// What a campaign is to say.
#[derive(Clone, Debug)]
pub struct Fabricated {
    /// The cells, each with the candidate's time over the baseline's.
    pub cells: Vec<(&'static str, f64)>,
    /// Further variants, each with its time over the candidate's.
    pub more: Vec<f64>,
    /// The memory of the variants, in MiB; 1769 of those that have none here.
    pub memory_mb: Vec<u32>,
    /// The environments of each variant.
    pub environments: u32,
    /// The calls of each environment with each cell.
    pub calls: u32,
    /// The spread of times between environments, as a share, and half as much between their calls.
    pub spread: f64,
    /// By how much, as a share, what a side does in a block is slower or faster by chance; of single calls what both do in a
    /// stretch.
    pub disturbed: f64,
    /// What is called together.
    pub order: Order,
    /// A factor for all times of both sides.
    pub drift: f64,
    /// The CPU models of the candidate, its environments in turns; the second is 1.4 times slower.
    pub cpus: Vec<&'static str>,
    /// Whether the sides are processes on this machine, and for which share of their time those wait for a processor.
    pub waiting: Option<f64>,
    /// Whether the candidate was emulated.
    pub emulated: bool,
    /// How long the start of an environment takes on each side, in milliseconds; none where all were there before. As
    /// chance would have it, the baseline's start with the first cell and the candidate's with the last one.
    pub cold_start_ms: Option<Sides<f64>>,
    /// The seed of what is left to chance.
    pub seed: u64,
}

impl Default for Fabricated {
    fn default() -> Self {
        Self {
            cells: vec![("string/json", 0.8)],
            more: Vec::new(),
            memory_mb: Vec::new(),
            environments: 40,
            calls: 3,
            spread: 0.02,
            disturbed: 0.0,
            order: Order::SeparateSteps,
            drift: 1.0,
            cpus: vec!["Neoverse-N1"],
            waiting: None,
            emulated: false,
            cold_start_ms: None,
            seed: 42,
        }
    }
}

/// A campaign of one cell in which the candidate takes so many times as long as the baseline.
pub fn run_directory(path: &str, environments: u32, calls: u32, ratio_of_candidate: f64) {
    let cells = vec![("string/json", ratio_of_candidate)];
    Fabricated { environments, calls, cells, ..Fabricated::default() }.write(path);
}

impl Fabricated {
    /// Makes the run directory.
    pub fn write(&self, path: &str) {
        let manifest = self.manifest();
        let mut journal = Journal::create(Path::new(path), &manifest).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let variants: Vec<VariantIndex> = manifest.variants.indices().collect();
        let mut spread = |_: &VariantIndex| {
            (0..self.environments).map(|_| (self.spread * normal(&mut rng)).exp()).collect::<Vec<f64>>()
        };
        let of_environments: Vec<Vec<f64>> = variants.iter().map(&mut spread).collect();
        // In each block another part of the fleet answers.
        let groups = u64::from(self.environments.div_ceil(manifest.plan.environments));
        // It must not move what else is left to chance.
        let mut disturbances = ChaCha8Rng::seed_from_u64(!self.seed);
        for block in 0..groups * u64::from(self.calls) {
            let mut rows = Vec::new();
            let mut disturbance = || (self.disturbed * normal(&mut disturbances)).exp();
            let mut disturbed: Vec<f64> = variants.iter().map(|_| disturbance()).collect();
            for (index, step) in
                schedule::block(&manifest.plan, &variants, block, manifest.plan.order).into_iter().enumerate()
            {
                if manifest.plan.order == Order::SingleCalls && index % STRETCH == 0 {
                    disturbed = vec![disturbance(); variants.len()];
                }
                let first = (block % groups) as u32 * manifest.plan.environments;
                for schedule::Call { variant, cell, slot } in
                    step.into_iter().filter(|it| it.slot < self.environments - first)
                {
                    let side = if variant == manifest.baseline { Side::Baseline } else { Side::Candidate };
                    let environment = first + slot;
                    let noise = (self.spread / 2.0 * normal(&mut rng)).exp();
                    let factor =
                        of_environments[variant.get()][environment as usize] * noise * disturbed[variant.get()];
                    let more = variant.get().checked_sub(2).map_or(1.0, |place| self.more[place]);
                    let time_ms = BASELINE_MS * self.drift * factor * self.factor(side, cell, environment) * more;
                    let first_cell = if side == Side::Baseline { 0 } else { self.cells.len() - 1 };
                    let is_cold = block < groups && cell == first_cell;
                    let start_ms = self.cold_start_ms.filter(|_| is_cold).map(|starts| starts[side]);
                    let call = Call { block, step: index as u32, slot, variant, side, environment, time_ms, start_ms };
                    rows.push(self.row(&call, &manifest.plan.cells[cell].name, block / groups));
                }
            }
            journal.append(&rows).unwrap();
        }
    }

    fn factor(&self, side: Side, cell: usize, environment: u32) -> f64 {
        match side {
            Side::Baseline => 1.0,
            Side::Candidate if self.cpu(side, environment) == 1 => 1.4 * self.cells[cell].1,
            Side::Candidate => self.cells[cell].1,
        }
    }

    fn cpu(&self, side: Side, environment: u32) -> usize {
        if side == Side::Candidate { environment as usize % self.cpus.len() } else { 0 }
    }

    fn manifest(&self) -> Manifest {
        let cell = |(name, _): &(&str, f64)| json!({"name": name, "weight": 1, "workload": name, "payload": "{}", "guess_ms": BASELINE_MS});
        Manifest {
            schema: manifest::SCHEMA,
            version: "0.1.0".to_owned(),
            created_unix_ms: 1_790_000_000_000 + self.seed,
            variants: self.variants(),
            baseline: both()[0],
            plan: serde_json::from_value(json!({
                "seed": self.seed, "environments": self.environments.min(8), "cold": false, "concurrent": true,
                "order": self.order, "cells": self.cells.iter().map(cell).collect::<Vec<_>>(), "pace_ms": 0,
                "timeout_ms": 60_000, "auth": Auth::None, "compare_output": false, "ignore": [],
            }))
            .unwrap(),
            limits: CampaignLimits { duration_ms: Some(600_000), ..CampaignLimits::default() },
            imported: None,
            trial: None,
        }
    }

    fn variants(&self) -> Variants<Variant> {
        let more = self.more.iter().zip(2..).map(|(_, number)| {
            let candidate = self.variant(Side::Candidate, number);
            Variant { name: format!("arm64-{number}"), ..candidate }
        });
        Side::BOTH.into_iter().zip(0..).map(|(side, place)| self.variant(side, place)).chain(more).collect()
    }

    fn memory_mb(&self, place: usize) -> u32 {
        self.memory_mb.get(place).copied().unwrap_or(MEMORY_MB)
    }

    fn variant(&self, side: Side, place: usize) -> Variant {
        let architecture = architecture(side);
        let function = Variant {
            name: architecture.to_string(),
            target: Target::Function { name: format!("duet-{architecture}"), qualifier: None },
            place: None,
            configuration: serde_json::from_value(json!({
                "arn": null, "architecture": architecture, "memory_mb": self.memory_mb(place), "timeout_s": 60,
                "runtime": "provided.al2023", "log_format": null, "ephemeral_storage_mb": 512, "tracing": null, "layers": [],
            }))
            .unwrap(),
            program: None,
            price: Some(PriceTable::built_in().price("us-east-1", architecture).unwrap()),
            ended: None,
        };
        match self.waiting {
            None => function,
            Some(_) => {
                Variant { target: "exec:/bin/true".parse().unwrap(), configuration: None, price: None, ..function }
            }
        }
    }

    fn row(&self, call: &Call, cell: &str, invocation: u64) -> Row {
        let billed_ms = (call.time_ms + 1.5).ceil() + call.start_ms.unwrap_or_default();
        Row {
            block: call.block,
            step: call.step,
            slot: call.slot,
            attempt: 0,
            variant: call.variant,
            cell: cell.to_owned(),
            environment: None,
            cpu_model: None,
            started_unix_ms: 1_790_000_000_000 + call.block * 1000,
            elapsed_ms: call.block * 1000 + u64::from(call.step),
            delay_ns: 50_000,
            latency_ns: ((call.time_ms + 12.0 + call.start_ms.unwrap_or_default()) * 1e6) as u64,
            cold: Some(call.start_ms.is_some()),
            cost_usd: 1e-6,
            report: Some(PlatformReport {
                duration_ms: Some(call.time_ms + 1.0),
                billed_ms: Some(billed_ms),
                billed_restore_ms: None,
                init_ms: call.start_ms,
                memory_mb: Some(self.memory_mb(call.variant.get())),
                max_memory_mb: Some(64),
            }),
            request_id: None,
            executed_version: None,
            response: Some(Box::new(self.response(call, cell, invocation))),
            output_sha256: None,
            failure: None,
        }
    }

    fn response(&self, call: &Call, cell: &str, invocation: u64) -> Response {
        let architecture = architecture(call.side);
        let cpu_model = match call.side {
            Side::Baseline => "Intel(R) Xeon(R) Processor @ 2.50GHz",
            Side::Candidate => self.cpus[self.cpu(call.side, call.environment)],
        };
        let clock = Clock { resolution_ns: 1, cost_ns: 30 };
        Response {
            schema: protocol::SCHEMA,
            request_id: format!("{}-{}-{}", call.block, call.step, call.slot),
            function: Function {
                name: format!("duet-{architecture}"),
                version: "$LATEST".to_owned(),
                memory_mb: self.memory_mb(call.variant.get()),
                architecture,
            },
            environment: Environment {
                id: format!("{}-{}", call.variant, call.environment),
                cold_start: call.start_ms.is_some(),
                invocation_index: invocation + 1,
                init_ms: 25.0,
            },
            host: Cow::Owned(Host {
                cpu_model: cpu_model.to_owned(),
                cpu_features: Vec::new(),
                vcpus: 2,
                emulated: self.emulated && call.side == Side::Candidate,
                clock,
                cpu_clock: clock,
            }),
            build: Cow::Owned(Build {
                version: "0.1.0".to_owned(),
                git_revision: "unknown".to_owned(),
                rustc: "rustc 1.95.0".to_owned(),
                target: format!("{architecture}-unknown-linux-gnu"),
                target_cpu: "generic".to_owned(),
                target_features: Vec::new(),
            }),
            results: vec![sample(cell, call.time_ms * 1e6, self.waiting.unwrap_or_default())],
            complete: true,
            held_ms: None,
            remaining_ms: 20_000,
        }
    }
}

/// One call.
struct Call {
    block: u64,
    step: u32,
    slot: u32,
    variant: VariantIndex,
    side: Side,
    environment: u32,
    time_ms: f64,
    start_ms: Option<f64>,
}

fn architecture(side: Side) -> Architecture {
    match side {
        Side::Baseline => Architecture::X86_64,
        Side::Candidate => Architecture::Arm64,
    }
}

fn sample(workload: &str, wall_ns: f64, waiting: f64) -> Sample {
    let times = [wall_ns.round()];
    Sample {
        workload: workload.to_owned(),
        category: workload.split('/').next().unwrap().to_owned(),
        size: Size::Elements(1000),
        elements: 1000,
        shape: None,
        code_path: None,
        checksum: Some("0123456789abcdef".to_owned()),
        status: Status::Completed,
        error: None,
        batch_size: 1,
        wall_ns: times.into_iter().collect(),
        cpu_ns: times.into_iter().map(|it| it * (1.0 - waiting) - 1000.0).collect(),
        summary: Summary::from_times(&times),
        memory: Memory { heap: None, max_rss_bytes: 64 << 20 },
        throttled_fraction: Some(0.0),
        warnings: Vec::new(),
    }
}

/// A value of the standard normal distribution, near enough: twelve uniform ones.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0
}
