//! A campaign to report on.

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
    protocol::Architecture,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::json;
use std::{fs, path::Path};

const ENVIRONMENTS: u32 = 60;

/// A campaign of so many calls of a user's own function, in which environments come and go.
pub fn make(directory: &Path, samples: u64) {
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
                rows.push(Row {
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
                    request_id: None,
                    executed_version: None,
                    response: None,
                    environment: Some(format!("{variant}-{environment}")),
                    cpu_model: Some(
                        if variant == manifest.baseline { "Xeon" } else { "Neoverse" }.to_owned() + &cpu.to_string(),
                    ),
                    output_sha256: None,
                    failure: None,
                });
            }
        }
        if rows.len() > 10_000 {
            journal.append(&rows).expect("a disk");
            rows.clear();
        }
    }
    journal.append(&rows).expect("a disk");
}
