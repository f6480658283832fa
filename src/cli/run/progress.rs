//! The display of a campaign while it runs.

use super::resume;
use crate::{
    campaign::{
        answer_comparison::AnswerDifference,
        driver::{Observer, Outcome},
        environment_source::EnvironmentSource,
        manifest::{Manifest, Variant},
        row::Row,
        shell_quoting,
        sides::{Side, Sides},
        totals::{SideTotals, Totals},
    },
    cli::{collect::Collection, output::line},
    report::plan,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// A live display on a terminal, JSON events with `--json`, and only the outcome elsewhere.
pub(super) struct ProgressDisplay<'a> {
    json: bool,
    directory: PathBuf,
    manifest: &'a Manifest,
    bar: ProgressBar,
    /// The failure messages that have been shown.
    shown: BTreeSet<String>,
}

/// How many different failures are shown; the rest are counted.
const FAILURES_SHOWN: usize = 3;

impl<'a> ProgressDisplay<'a> {
    pub(super) fn new(json: bool, directory: &Path, manifest: &'a Manifest) -> io::Result<Self> {
        // Without a number of calls, the bar shows the elapsed time.
        let length = manifest.limits.invocations.or(manifest.limits.duration_ms).unwrap_or_default();
        let template = "{wide_bar} {percent}%\n{msg}\n{prefix}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let target = if json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
        bar.set_prefix(format!("ends {}", plan::ends(&manifest.limits)));
        let progress = Self { json, directory: directory.to_owned(), manifest, bar, shown: BTreeSet::new() };
        let calls = manifest.plan.calls();
        let told = |(_, variant): (_, &Variant)| json!({ "name": variant.name, "told_by": EnvironmentSource::of(&manifest.plan, variant).to_string() });
        let environments: Vec<Value> = manifest.sides.iter().map(told).collect();
        let body = json!({
            "directory": directory, "calls_per_block": calls, "limits": manifest.limits, "environments": environments,
        });
        progress.event("start", body)?;
        if !json {
            line(format_args!("{}Samples go to {}", plan::plan(manifest), directory.display()))?;
        }
        Ok(progress)
    }

    /// Clears the display: the campaign has ended, and environments are looked for.
    pub(super) fn begin_collecting(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints which environments were found in log streams.
    pub(super) fn collected(&self, collection: &Collection) -> io::Result<()> {
        if self.json {
            return self.event("collect", collection.json());
        }
        line(collection.text(&self.directory, self.manifest).trim_end())
    }

    /// Prints the outcome of the campaign and what to do next.
    pub(super) fn end(&mut self, end: &Outcome, totals: &Totals) -> io::Result<()> {
        self.bar.finish_and_clear();
        if self.json {
            let (reason, detail) = match end {
                Outcome::Enough(reason) => ("enough", reason.clone()),
                Outcome::Interrupted => ("interrupted", String::new()),
                Outcome::Failing { side, failure, .. } => ("failing", format!("{side}: {failure}")),
            };
            return self.last(totals, reason, &detail);
        }
        for (work, [one, other]) in &totals.mismatches {
            line(format_args!(
                "Mismatch: {work}: equal work gave {one} and {other}; times of unequal work mean nothing"
            ))?;
        }
        match end {
            Outcome::Enough(reason) => line(format_args!("Complete: {reason}."))?,
            Outcome::Interrupted => line(format_args!("Interrupted: {}.", resume(&self.directory)))?,
            Outcome::Failing { side, calls, failure } => {
                let name = &self.manifest.sides[*side].name;
                // A message may be long, so it is not repeated.
                let is_known = self.shown.contains(&failure.message);
                let why = if is_known { " for the reason above".to_owned() } else { format!(": {}", failure.message) };
                line(format_args!("Given up: the last {calls} calls of {name} failed{why}"))?;
                line(format_args!("Once that is fixed: {}.", resume(&self.directory)))?;
            }
        }
        line(self.lines(totals))?;
        line(format_args!("Summary: duet report {}", shell_quoting::word(&self.directory)))
    }

    /// Prints the event that the campaign failed; without `--json` the program itself prints the error.
    pub(super) fn fail(&mut self, error: &anyhow::Error, totals: &Totals) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.last(totals, "failed", &format!("{error:#}"))
    }

    /// Prints the last event.
    fn last(&self, totals: &Totals, reason: &str, detail: &str) -> io::Result<()> {
        let mut body = self.totals(totals);
        body["reason"] = json!(reason);
        body["detail"] = json!(detail);
        body["mismatches"] = json!(totals.mismatches);
        self.event("end", body)
    }

    /// The totals of both sides, a line each.
    fn lines(&self, totals: &Totals) -> String {
        let Sides { baseline, candidate } = totals.sides.map(|side, totals| {
            let SideTotals { calls, environments, cold, made_again, cpu_models, cost_usd, .. } = totals;
            let models = cpu_models.iter().cloned().collect::<Vec<_>>().join(", ");
            let plan = &self.manifest.plan;
            let told = match EnvironmentSource::of(plan, &self.manifest.sides[side]) {
                EnvironmentSource::LogStreams(_) => "environments by log streams".to_owned(),
                _ => format!("{} environments", environments.len()),
            };
            format!(
                "{:<10} {calls} calls, {told}, {cold} cold, {} failed, {made_again} made again, ${cost_usd:.6}  \
                 {models}",
                self.manifest.sides[side].name,
                totals.failed(),
            )
        });
        format!("{baseline}\n{candidate}")
    }

    fn totals(&self, totals: &Totals) -> Value {
        let sides = totals.sides.map(|side, totals| {
            let SideTotals { calls, cold, environments, cpu_models, failures, cost_usd, .. } = totals;
            json!({
                "name": self.manifest.sides[side].name,
                "calls": calls,
                "cold": cold,
                "environments": environments.len(),
                "cpu_models": cpu_models,
                "failures": failures,
                "cost_usd": cost_usd,
            })
        });
        json!({ "elapsed_ms": totals.elapsed_ms, "sides": sides })
    }

    /// Prints an event, with `--json`.
    fn event(&self, name: &str, mut body: Value) -> io::Result<()> {
        body["event"] = json!(name);
        if self.json { writeln!(io::stdout(), "{body}") } else { Ok(()) }
    }
}

impl Observer for ProgressDisplay<'_> {
    fn block(&mut self, number: u64, totals: &Totals) -> io::Result<()> {
        let mut body = self.totals(totals);
        body["block"] = json!(number);
        self.event("block", body)
    }

    fn row(&mut self, row: &Row, totals: &Totals) -> io::Result<()> {
        if let Some(failure) = &row.failure {
            let name = &self.manifest.sides[row.side].name;
            if self.json {
                self.event("failure", json!({ "side": row.side, "kind": failure.kind, "message": failure.message }))?;
            } else if self.shown.len() < FAILURES_SHOWN && self.shown.insert(failure.message.clone()) {
                let shown = format_args!("{name}, {}: {}: {}", row.cell, failure.kind, failure.message);
                self.bar.suspend(|| line(shown))?;
            }
        }
        if self.bar.is_hidden() {
            return Ok(());
        }
        self.bar.set_position(if self.manifest.limits.invocations.is_some() {
            totals.calls()
        } else {
            totals.elapsed_ms
        });
        self.bar.set_message(self.lines(totals));
        Ok(())
    }

    fn warning(&mut self, text: &str) -> io::Result<()> {
        if self.json {
            return self.event("warning", json!({ "text": text }));
        }
        self.bar.suspend(|| line(format_args!("Warning: {text}")))
    }

    fn difference(&mut self, difference: &AnswerDifference) -> io::Result<()> {
        let cell = &self.manifest.plan.cells[difference.cell].name;
        let mut text = format!("answers to {cell} differ: {}", difference.text);
        let paths = [1, 2].map(|number| self.directory.join(format!("difference-{}-{number}", difference.cell)));
        // The campaign does not need these files: a failure to write them is only reported.
        text += &match paths.iter().zip(&difference.answers).try_for_each(|(path, answer)| fs::write(path, answer)) {
            Ok(()) => format!("; they are kept in {} and {}", paths[0].display(), paths[1].display()),
            Err(error) => format!("; they cannot be kept: {error}"),
        };
        self.warning(&text)
    }

    fn backoff(&mut self, side: Side, calls: usize, pause: Duration) -> io::Result<()> {
        self.event("backoff", json!({ "side": side, "calls": calls, "pause_ms": pause.as_millis() as u64 }))
    }
}
