//! The display of a campaign while it runs.

mod census;

use super::conduct::samples_are_kept;
use crate::{
    campaign::{
        answer_comparison::AnswerDifference,
        census::Observer as CensusObserver,
        driver::{Hopeless, Observer, Outcome, without_success},
        environment_source::EnvironmentSource,
        failure::Failure,
        manifest::{EndReason, Ended, Manifest, Variant},
        row::Row,
        shell_quoting,
        totals::{Totals, VariantTotals},
        variants::VariantIndex,
    },
    cli::{collect::Collection, output::line},
    report::{
        plan,
        words::{count, counted, listed},
    },
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// The failure messages that have been shown, each with the variant of which it was.
    shown: BTreeMap<String, VariantIndex>,
    /// The variants that were given up while the campaign went on.
    given_up: BTreeSet<VariantIndex>,
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
        bar.set_prefix(format!("ends {}", plan::ends(manifest).join(", ")));
        let is_given_up = |ended: &Ended| ended.reason == EndReason::GivenUp;
        let given_up = manifest.variants.iter().filter(|(_, variant)| variant.ended.as_ref().is_some_and(is_given_up));
        let progress = Self {
            json,
            directory: directory.to_owned(),
            manifest,
            bar,
            shown: BTreeMap::new(),
            given_up: given_up.map(|(variant, _)| variant).collect(),
        };
        let calls = manifest.calls_of_block();
        let told = |(_, variant): (_, &Variant)| json!({ "name": variant.name, "told_by": EnvironmentSource::of(&manifest.plan, variant).to_string() });
        let environments: Vec<Value> = manifest.variants.iter().map(told).collect();
        let body = json!({
            "directory": directory, "calls_per_block": calls, "limits": manifest.limits, "environments": environments,
        });
        progress.event("start", body)?;
        if !json {
            // That of a trial is shown before its functions are made.
            let plan = if manifest.trial.is_some() { String::new() } else { plan::plan(manifest) };
            line(format_args!("{plan}Samples go to {}", directory.display()))?;
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
                Outcome::Failing(Hopeless { variant, failure, .. }) => {
                    ("failing", format!("{}: {failure}", self.name(*variant)))
                }
                Outcome::Fruitless(reason, Hopeless { variant, failure, .. }) => {
                    ("fruitless", format!("{reason}; {}: {failure}", self.name(*variant)))
                }
            };
            return self.last(totals, reason, &detail);
        }
        for (work, [one, other]) in &totals.all_mismatches() {
            line(format_args!(
                "Mismatch: {work}: equal work gave {one} and {other}; times of unequal work mean nothing"
            ))?;
        }
        match end {
            Outcome::Enough(reason) => {
                let without_success = self.without_success(totals);
                for hopeless in &without_success {
                    line(self.given_up_text(hopeless))?;
                }
                let all = without_success.iter().map(|hopeless| hopeless.variant).chain(self.given_up.iter().copied());
                let names: Vec<&str> =
                    all.collect::<BTreeSet<_>>().into_iter().map(|variant| self.name(variant)).collect();
                line(if names.is_empty() {
                    format!("Complete: {reason}.")
                } else {
                    format!(
                        "Over: {reason}. The report is without {}, and there is nothing to continue.",
                        listed(&names)
                    )
                })?;
            }
            Outcome::Interrupted => line(format_args!("Interrupted: {}.", self.samples_are_kept()))?,
            Outcome::Failing(hopeless) => {
                line(self.given_up_text(hopeless))?;
                line(match &self.manifest.trial {
                    Some(_) => format!("Over: {}; try again, once that is fixed.", self.samples_are_kept()),
                    None => format!("The campaign is not over: {}, once that is fixed.", self.samples_are_kept()),
                })?;
            }
            Outcome::Fruitless(reason, hopeless) => {
                line(self.given_up_text(hopeless))?;
                line(format_args!(
                    "Over: {reason}. There is nothing to compare, and nothing to continue: begin a new campaign, once that is \
                     fixed."
                ))?;
            }
        }
        line(self.lines(totals))?;
        // That of a trial follows when its functions are deleted.
        match &self.manifest.trial {
            Some(_) => Ok(()),
            None => line(format_args!("Summary: duet report {}", shell_quoting::word(&self.directory))),
        }
    }

    fn samples_are_kept(&self) -> String {
        samples_are_kept(self.manifest, &self.directory)
    }

    /// Whether a variant was given up while the campaign went on, or never succeeded.
    pub(super) fn has_given_up(&self, totals: &Totals) -> bool {
        !self.given_up.is_empty() || !self.without_success(totals).is_empty()
    }

    /// The variants that never succeeded and were not given up.
    fn without_success(&self, totals: &Totals) -> Vec<Hopeless> {
        let is_new = |hopeless: &Hopeless| !self.given_up.contains(&hopeless.variant);
        without_success(totals).into_iter().filter(is_new).collect()
    }

    fn name(&self, variant: VariantIndex) -> &str {
        &self.manifest.variants[variant].name
    }

    fn given_up_text(&self, Hopeless { variant, calls, failure }: &Hopeless) -> String {
        // A message may be long, so it is not repeated.
        let why = match self.shown.get(&failure.message) {
            Some(of) => format!(" for the reason that is given above for {}", self.name(*of)),
            None => format!(": {}", failure.message),
        };
        let calls = if *calls == 1 { "last call".to_owned() } else { format!("last {}", counted(*calls, "call")) };
        format!("Given up: the {calls} of {} failed{why}", self.name(*variant))
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
        body["mismatches"] = json!(totals.all_mismatches());
        self.event("end", body)
    }

    /// What tells the environments of a variant.
    fn source(&self, variant: VariantIndex) -> EnvironmentSource<'_> {
        EnvironmentSource::of(&self.manifest.plan, &self.manifest.variants[variant])
    }

    /// How many environments of a variant have answered. None if log streams tell that, or nothing does.
    fn environments(&self, variant: VariantIndex, totals: &VariantTotals) -> Option<u64> {
        match self.source(variant) {
            EnvironmentSource::LogStreams(_) => None,
            _ => totals.answering_environments(),
        }
    }

    /// The totals of all variants, a line each.
    fn lines(&self, totals: &Totals) -> String {
        let width = self.manifest.variants.iter().map(|(_, variant)| variant.name.chars().count()).max();
        let width = width.unwrap_or_default().max(10);
        let lines = totals.variants.iter().map(|(variant, totals)| {
            let VariantTotals { calls, cold, made_again, cpu_models, cost_usd, .. } = totals;
            let models = cpu_models.iter().cloned().collect::<Vec<_>>().join(", ");
            let models = if models.is_empty() { models } else { format!("  {models}") };
            let told = match (self.environments(variant, totals), self.source(variant)) {
                (Some(environments), _) => counted(environments, "environment"),
                (None, EnvironmentSource::LogStreams(_)) => "environments by log streams".to_owned(),
                (None, _) => "environments unknown".to_owned(),
            };
            format!(
                "{:<width$} {}, {told}, {} cold, {} failed, {} made again, ${cost_usd:.6}{models}",
                self.name(variant),
                counted(*calls, "call"),
                count(*cold),
                count(totals.failed()),
                count(*made_again),
            )
        });
        let of_census = totals.census.iter().flat_map(|census| self.lines_of_census(census));
        lines.chain(of_census).collect::<Vec<_>>().join("\n")
    }

    fn totals(&self, totals: &Totals) -> Value {
        let variants = totals.variants.map(|variant, totals| {
            let VariantTotals { calls, cold, cpu_models, failures, cost_usd, .. } = totals;
            json!({
                "name": self.name(variant),
                "calls": calls,
                "cold": cold,
                "environments": self.environments(variant, totals),
                "cpu_models": cpu_models,
                "failures": failures,
                "cost_usd": cost_usd,
            })
        });
        let mut body = json!({ "elapsed_ms": totals.elapsed_ms, "variants": variants });
        if let Some(census) = &totals.census {
            body["census"] = self.totals_of_census(census);
        }
        body
    }

    /// Shows why a call of this payload, or of the census, failed, if that was not shown before.
    fn show_failure(&mut self, variant: VariantIndex, what: &str, failure: &Failure) -> io::Result<()> {
        let name = &self.manifest.variants[variant].name;
        if self.json {
            return self.event("failure", json!({ "variant": name, "kind": failure.kind, "message": failure.message }));
        }
        if self.shown.len() < FAILURES_SHOWN && !self.shown.contains_key(&failure.message) {
            self.shown.insert(failure.message.clone(), variant);
            let shown = format_args!("{name}, {what}: {}: {}", failure.kind, failure.message);
            self.bar.suspend(|| line(shown))?;
        }
        Ok(())
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
            self.show_failure(row.variant, &row.cell, failure)?;
        }
        if self.bar.is_hidden() {
            return Ok(());
        }
        match self.manifest.limits.invocations {
            Some(limit) => {
                // More calls may measure CPU models that were counted.
                self.bar.set_length(limit.max(totals.calls()));
                self.bar.set_position(totals.calls());
            }
            None => self.bar.set_position(totals.elapsed_ms),
        }
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

    fn backoff(&mut self, variant: VariantIndex, calls: usize, pause: Duration) -> io::Result<()> {
        let name = self.name(variant);
        self.event("backoff", json!({ "variant": name, "calls": calls, "pause_ms": pause.as_millis() as u64 }))
    }
    fn given_up(&mut self, hopeless: &Hopeless) -> io::Result<()> {
        self.given_up.insert(hopeless.variant);
        let Hopeless { variant, calls, failure } = hopeless;
        if self.json {
            let message = &failure.message;
            return self
                .event("given-up", json!({ "variant": self.name(*variant), "calls": calls, "message": message }));
        }
        let text = self.given_up_text(hopeless);
        self.bar.suspend(|| line(format_args!("{text}; the others go on")))
    }

    fn has_enough(&mut self, variant: VariantIndex, reason: &str) -> io::Result<()> {
        let name = self.name(variant);
        if self.json {
            return self.event("enough", json!({ "variant": name, "reason": reason }));
        }
        self.bar.suspend(|| line(format_args!("{name} is not called any more: {reason}")))
    }

    fn census(&mut self) -> &mut dyn CensusObserver {
        self
    }
}
