//! What the service answers, for a terminal.

use super::{
    document::{Table, Value, numbers, words},
    terminal,
};
use crate::protocol::{Catalogue, CatalogueEntry, DefaultRequest, Function, Response, Sample, Shape, Sizes, Status};
use anstyle::Style;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// One answer of the service.
pub fn response(response: &Response) -> String {
    let Response { function, environment, host, build, .. } = response;
    let start = if environment.cold_start {
        format!("cold start, init {:.2} ms", environment.init_ms)
    } else {
        format!("warm, invocation {} of environment {:.8}", environment.invocation_index, environment.id)
    };
    let Function { architecture, name, version, memory_mb } = function;
    let mut text = format!(
        "{architecture} · {name} {version} · {memory_mb} MB · {start}\nCPU {} · {} vCPU · built for {}\n",
        host.cpu_model, host.vcpus, build.target_cpu
    );
    if host.emulated {
        text.push_str("EMULATED: this machine has another instruction set, so the times below mean nothing\n");
    }
    if let Some(held_ms) = response.held_ms {
        let reason = if response.complete { "" } else { ", when the deadline came" };
        return text + &format!("Answered {held_ms} ms after the request{reason}; a census runs no workloads\n");
    }
    text += &terminal::table(&samples(&response.results));
    for sample in &response.results {
        if sample.status != Status::Completed {
            let reason = sample.error.as_deref().unwrap_or("the deadline came first");
            text += &format!("{} is {}: {reason}\n", sample.workload, sample.status);
        }
        for warning in &sample.warnings {
            text += &terminal::paragraph(&format!("{}: {}", sample.workload, warning.detail), Style::new());
        }
    }
    text
}

fn samples(samples: &[Sample]) -> Table {
    let number = |value: Option<f64>, decimals: usize| {
        Value::number_or_unknown(value.map(|value| format!("{value:.decimals$}")))
    };
    let row = |sample: &Sample| {
        let milliseconds = |ns: Option<f64>| number(ns.map(|ns| ns / 1e6), 3);
        vec![
            Value::text(&sample.workload),
            Value::number(sample.elements),
            Value::number(sample.wall_ns.len()),
            milliseconds(sample.summary.map(|summary| summary.median)),
            milliseconds(sample.summary.map(|summary| summary.p95)),
            number(sample.throttled_fraction.map(|throttled| 1.0 - throttled), 2),
            number(sample.memory.heap.map(|heap| heap.peak_heap_bytes as f64 / MEBIBYTE), 1),
            sample.checksum.as_ref().map_or(Value::Unknown, Value::text),
        ]
    };
    let numeric = ["elements", "n", "median ms", "p95 ms", "CPU/wall", "heap MiB"].map(numbers);
    let columns = [words("workload")].into_iter().chain(numeric).chain([words("checksum")]);
    Table::new("", columns, samples.iter().map(row))
}

/// The catalogue of workloads.
pub fn catalogue(catalogue: &Catalogue) -> String {
    let DefaultRequest { memory_mb, finishes_within_s } = catalogue.default_request;
    let entries = catalogue.workloads.iter().map(|workload| entry(workload) + "\n").collect::<String>();
    format!(
        "{entries}The request {{}} runs every workload at medium and finishes within {finishes_within_s} s on a \
         function of {memory_mb} MB.\n"
    )
}

fn entry(entry: &CatalogueEntry) -> String {
    let CatalogueEntry { name, implementation, vectorization, summary, sizes, memory_bytes, .. } = entry;
    let size = |name, pick: fn(&Sizes) -> u64| {
        format!("{name} {} ({:.1} MiB)", pick(sizes), pick(memory_bytes) as f64 / MEBIBYTE)
    };
    let sizes = [size("small", |it| it.small), size("medium", |it| it.medium), size("large", |it| it.large)].join(", ");
    let shapes = Shape::ALL.map(|shape| shape.to_string()).join(", ");
    let facts = [
        ("stresses", Some(&entry.stresses)),
        ("difference", Some(&entry.difference)),
        ("source", Some(&entry.source)),
        ("n", Some(&entry.element)),
        ("time", Some(&entry.time)),
        ("memory", Some(&entry.memory)),
        ("sizes", Some(&sizes)),
        ("shapes", entry.shapes.then_some(&shapes)),
    ];
    let mut text = format!("{name} ({implementation}, {vectorization})\n  {summary}\n");
    for (label, fact) in facts.into_iter().filter_map(|(label, fact)| Some((label, fact?))) {
        text += &terminal::hanging(fact, &format!("  {label:<11}"), "             ", Style::new());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host,
        measure::{self, Budget, clock},
        protocol::{Architecture, Environment, Request, SCHEMA, Size},
        report::fixture::assert_fits,
        workload,
    };
    use std::{borrow::Cow, time::Duration};

    fn measured(budget: Duration) -> Response {
        let request = Request { size: Size::Elements(100), iterations: 3, ..Request::default() };
        let workloads: Vec<_> = workload::ALL.iter().collect();
        Response {
            schema: SCHEMA,
            request_id: "id".to_owned(),
            function: Function {
                name: "lambda-duet-Arm64Function-AbCdEfGhIjKl".to_owned(),
                version: "$LATEST".to_owned(),
                memory_mb: 1769,
                architecture: Architecture::Arm64,
            },
            environment: Environment {
                id: "0123456789".to_owned(),
                cold_start: true,
                invocation_index: 0,
                init_ms: 1.0,
            },
            host: Cow::Owned(host::describe(clock::monotonic(), clock::cpu())),
            build: Cow::Borrowed(host::build()),
            results: measure::run(&workloads, &request, &Budget::new(budget, 1.0)),
            complete: true,
            held_ms: None,
            remaining_ms: 0,
        }
    }

    #[test]
    fn a_response_fits_and_shows_every_checksum() {
        let answer = measured(Duration::from_secs(60));
        let text = response(&answer);
        assert_fits(&text);
        for sample in &answer.results {
            assert!(text.contains(sample.checksum.as_ref().unwrap()), "{text}");
        }
        assert!(!text.contains("EMULATED"));
    }

    #[test]
    fn emulation_and_missing_measurements_are_reported() {
        let mut answer = measured(Duration::ZERO);
        answer.host.to_mut().emulated = true;
        let text = response(&answer);
        assert!(text.contains("EMULATED"));
        assert!(text.contains("math/matmul is skipped: the deadline came first"), "{text}");
    }

    #[test]
    fn a_census_has_no_table() {
        let mut answer = Response { results: Vec::new(), held_ms: Some(1500), ..measured(Duration::ZERO) };
        let last = |answer: &Response| response(answer).lines().last().unwrap().to_owned();
        assert_eq!(last(&answer), "Answered 1500 ms after the request; a census runs no workloads");
        answer.complete = false;
        let text = "Answered 1500 ms after the request, when the deadline came; a census runs no workloads";
        assert_eq!(last(&answer), text);
        assert_fits(&response(&answer));
    }

    #[test]
    fn the_catalogue_fits_and_names_every_workload() {
        let text = catalogue(&workload::catalogue(&workload::ALL));
        assert_fits(&text);
        assert!(workload::ALL.iter().all(|workload| text.contains(workload.name)), "{text}");
    }
}
