//! Campaigns to report on.

use lambda_duet::{
    campaign::{
        Auth, Target,
        manifest::{CampaignLimits, Manifest, Order, SCHEMA, Variant},
        platform_report::PlatformReport,
        row::Row,
        run_directory::Journal,
        schedule::{self, Call},
        variants::VariantIndex,
    },
    protocol::{Architecture, Response},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::json;
use std::{fs, path::Path};

const ENVIRONMENTS: u32 = 60;

/// What is called.
#[derive(Clone, Copy, PartialEq)]
pub enum Called {
    /// A function of the user's own.
    Own,
    /// The benchmark service, whose answers are in the samples.
    Service,
}

/// A campaign of so many calls, in which environments come and go.
pub fn make(directory: &Path, called: Called, samples: u64) {
    let _ = fs::remove_dir_all(directory);
    let variant = |architecture: Architecture| Variant {
        name: architecture.to_string(),
        target: Target::Function { name: architecture.to_string(), qualifier: None },
        place: None,
        configuration: None,
        program: None,
        price: None,
        ended: None,
    };
    let manifest = Manifest {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created_unix_ms: 1_800_000_000_000,
        variants: [Architecture::X86_64, Architecture::Arm64].into_iter().map(variant).collect(),
        baseline: VariantIndex::default(),
        plan: serde_json::from_value(json!({
            "seed": 7, "environments": 20, "cold": false, "concurrent": true, "order": Order::JointSteps,
            "cells": [{"name": "order.json", "weight": 1, "payload": "{}", "guess_ms": 20.0}],
            "pace_ms": 0, "timeout_ms": 30_000, "auth": Auth::SigV4, "compare_output": false, "ignore": [],
            "environment": "/environment", "cpu_model": "/cpu",
        }))
        .expect("a plan"),
        limits: CampaignLimits::default(),
        imported: None,
        trial: None,
    };
    let mut journal = Journal::create(directory, &manifest).expect("a run directory");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let blocks = samples / manifest.calls_of_block();
    let answer: Response = serde_json::from_str(include_str!("answer.json")).expect("an answer");
    let (mut rows, variants) = (Vec::new(), manifest.variants.indices().collect::<Vec<_>>());
    for block in 0..blocks {
        // A third of a variant's environments lives at a time.
        let first = (block * u64::from(ENVIRONMENTS - manifest.plan.environments) / blocks) as u32;
        for (step, calls) in (0..).zip(schedule::block(&manifest.plan, &variants, block, Order::JointSteps)) {
            for Call { variant, slot, .. } in calls {
                let environment = first + slot;
                let cpu = environment % 3;
                let of_environment = f64::from(environment * 37 % 11) * 0.5;
                let duration_ms = 20.0 + f64::from(cpu) * 6.0 + of_environment + rng.random_range(0.0..4.0);
                let environment = format!("{variant}-{environment}");
                let family = if variant == manifest.baseline { "Xeon" } else { "Neoverse" };
                let cpu_model = format!("{family}{cpu}");
                let request_id = format!("{:08x}-0000-4000-8000-{:012x}", block, rows.len());
                let mut row = Row {
                    block,
                    step,
                    slot,
                    attempt: 0,
                    variant,
                    cell: "order.json".to_owned(),
                    started_unix_ms: 1_800_000_000_000 + block * 50,
                    elapsed_ms: block * 50,
                    delay_ns: 50_000,
                    latency_ns: ((duration_ms + rng.random_range(2.0..6.0)) * 1e6) as u64,
                    cold: Some(false),
                    cost_usd: 0.000_001,
                    report: Some(PlatformReport {
                        duration_ms: Some(duration_ms),
                        billed_ms: Some(duration_ms.ceil()),
                        billed_restore_ms: None,
                        init_ms: None,
                        memory_mb: Some(1769),
                        max_memory_mb: Some(60),
                    }),
                    request_id: Some(request_id),
                    executed_version: Some("$LATEST".to_owned()),
                    response: None,
                    environment: None,
                    cpu_model: None,
                    output_sha256: None,
                    failure: None,
                };
                match called {
                    Called::Own => (row.environment, row.cpu_model) = (Some(environment), Some(cpu_model)),
                    Called::Service => {
                        let mut answer = answer.clone();
                        answer.environment.id = environment;
                        answer.host.to_mut().cpu_model = cpu_model;
                        let mut time = |_| (duration_ms * 1e5).round() + f64::from(rng.random_range(0..9999));
                        answer.results[0].wall_ns = (0..10).map(&mut time).collect();
                        answer.results[0].cpu_ns = (0..10).map(&mut time).collect();
                        row.response = Some(Box::new(answer));
                    }
                }
                rows.push(row);
            }
        }
        if rows.len() > 10_000 {
            journal.append(&rows).expect("a disk");
            rows.clear();
        }
    }
    journal.append(&rows).expect("a disk");
}
