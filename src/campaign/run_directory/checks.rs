//! Checks of the files of a run directory, which may have been edited, cut, or made by another program. Values that
//! pass are safe to compute with: numbers are finite, times and sums stay within their types.

use super::super::{
    LAST_UNIX_MS,
    census::{MAX_CENSUS, MAX_ROUNDS_OF_CAMPAIGN, PlannedCensus},
    failure::ATTEMPTS,
    hooks::{Hook, HookAction, Hooks},
    import::{Columns, Import},
    manifest::{Cell, MAX_ENVIRONMENTS, MAX_HALF_WIDTH, Manifest, Order, Variant},
    payload::MAX_NAME_BYTES,
    platform_report::PlatformReport,
    prices::check_tiers,
    row::Row,
    trial::{NotMade, Trial},
    variants::MAX_VARIANTS,
};
use crate::protocol::{
    CensusRequest, Response, SCHEMA, Sample,
    control_characters::{is_obeyed, visible},
};
use std::collections::BTreeSet;

/// The longest time in a campaign, a year, in milliseconds and in nanoseconds.
pub(in crate::campaign) const YEAR_MS: u64 = 366 * 24 * 60 * 60 * 1000;
const YEAR_NS: u64 = YEAR_MS * 1_000_000;

/// More than anything costs: a call, a GB-second, a request; in US dollars.
pub(in crate::campaign) const MAX_USD: f64 = 1e6;

/// The largest weight that the command line accepts.
const MAX_WEIGHT: u32 = 1000;

/// More days than metrics are kept.
const MAX_DAYS: u32 = 500;

/// More payloads than a campaign could call.
pub const MAX_CELLS: usize = 10_000;

/// More than an answer of the benchmark service has: results, and timed iterations of one.
const MAX_RESULTS: usize = 1000;
const MAX_ITERATIONS: usize = 100_000;

/// Checks a manifest.
///
/// # Errors
/// The field, its value, and what is allowed.
pub fn manifest(manifest: &Manifest) -> Result<(), String> {
    let Manifest { created_unix_ms, plan, limits, .. } = manifest;
    at_most("created_unix_ms", *created_unix_ms, LAST_UNIX_MS)?;
    variants(manifest)?;
    within("plan.environments", plan.environments, MAX_ENVIRONMENTS)?;
    if plan.cells.is_empty() || plan.cells.len() > MAX_CELLS {
        return Err(format!("plan.cells has {} payloads; it must have from 1 to {MAX_CELLS}", plan.cells.len()));
    }
    let mut names = BTreeSet::new();
    for (index, Cell { name, weight, guess_ms, .. }) in plan.cells.iter().enumerate() {
        if !names.insert(name) {
            return Err(format!("plan.cells[{index}].name is {name:?} a second time; names must be unique"));
        }
        printable(&format!("plan.cells[{index}].name"), name)?;
        within(&format!("plan.cells[{index}].weight"), *weight, MAX_WEIGHT)?;
        number(&format!("plan.cells[{index}].guess_ms"), *guess_ms, YEAR_MS as f64)?;
    }
    if plan.timeout_ms == 0 {
        return Err("plan.timeout_ms is 0; it must be at least 1".to_owned());
    }
    let pointers = plan.ignore.iter().chain(&plan.environment).chain(&plan.cpu_model);
    if let Some(pointer) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
        return Err(format!("plan has {pointer:?} as a JSON pointer, which must start with /"));
    }
    match plan.separate_from {
        Some(0) => return Err("plan.separate_from is 0; the first block is in plan.order".to_owned()),
        Some(block) if plan.order != Order::JointSteps => {
            return Err(format!("plan.separate_from is {block}, and plan.order has no joint steps"));
        }
        _ => {}
    }
    if let Some(hooks) = &plan.hooks {
        self::hooks(hooks)?;
    }
    if let Some(planned) = &plan.census {
        census(manifest, planned)?;
    }
    number("plan.tolerance", plan.tolerance, 1.0)?;
    number("limits.max_cost_usd", limits.max_cost_usd, f64::MAX)?;
    if let Some(import) = &manifest.imported {
        self::import(import)?;
    }
    if let Some(trial) = &manifest.trial {
        self::trial(trial)?;
    }
    match limits.until_ci {
        Some(share) if !(share > 0.0 && share < MAX_HALF_WIDTH) => {
            Err(format!("limits.until_ci is {share}; it must be above 0 and below {MAX_HALF_WIDTH}"))
        }
        _ => Ok(()),
    }
}

fn hooks(Hooks { before, after, timeout_ms }: &Hooks) -> Result<(), String> {
    if !(1..=YEAR_MS).contains(timeout_ms) {
        return Err(format!("plan.hooks.timeout_ms is {timeout_ms}; it must be from 1 to {YEAR_MS}"));
    }
    let named = [("plan.hooks.before", before), ("plan.hooks.after", after)];
    named.into_iter().filter_map(|(field, hook)| Some((field, hook.as_ref()?))).try_for_each(|(field, hook)| match hook
    {
        Hook { run: HookAction::Function(_), .. } => Ok(()),
        Hook { directory: Some(directory), .. } => {
            printable(&format!("{field}.directory"), &directory.to_string_lossy())
        }
        Hook { directory: None, run, .. } => Err(format!("{field}.directory is missing; \"{run}\" must be run in one")),
    })
}

fn census(manifest: &Manifest, planned: &PlannedCensus) -> Result<(), String> {
    let PlannedCensus { environments, rounds, hold_ms, is_allocated } = planned;
    within("plan.census.environments", *environments, MAX_CENSUS)?;
    within("plan.census.rounds", *rounds, if *is_allocated { u32::MAX } else { MAX_ROUNDS_OF_CAMPAIGN })?;
    at_most("plan.census.hold_ms", (*hold_ms).into(), CensusRequest::MAX_HOLD_MS.into())?;
    if *is_allocated && manifest.limits.until_ci.is_none() {
        return Err("plan.census.is_allocated is true without limits.until_ci, which it plans for".to_owned());
    }
    if manifest.plan.cold {
        return Err("plan.census is there, and plan.cold is true; a cold campaign takes no census".to_owned());
    }
    if manifest.census().is_none() {
        return Err(
            "plan.census is there without plan.environment and plan.cpu_model, which it needs of functions that are no clones \
             with a probe"
                .to_owned(),
        );
    }
    Ok(())
}

fn import(Import { files, columns, .. }: &Import) -> Result<(), String> {
    let columns = columns.iter().flat_map(Columns::names);
    let named = files.iter().map(|file| ("files", file.as_str())).chain(columns.map(|column| ("columns", column)));
    named.into_iter().try_for_each(|(field, name)| printable(&format!("imported.{field}"), name))
}

fn trial(Trial { not_made, no_probe, usage, .. }: &Trial) -> Result<(), String> {
    no_probe.iter().try_for_each(|reason| printable("trial.no_probe", reason))?;
    for (index, NotMade { reason, .. }) in not_made.iter().enumerate() {
        printable(&format!("trial.not_made[{index}].reason"), reason)?;
    }
    let Some(usage) = usage else { return Ok(()) };
    within("trial.usage.days", usage.days, MAX_DAYS)?;
    number("trial.usage.mean_duration_ms", usage.mean_duration_ms, YEAR_MS as f64)?;
    number("trial.usage.cold_share", usage.cold_share, 1.0)
}

fn variants(manifest: &Manifest) -> Result<(), String> {
    let Manifest { variants, baseline, .. } = manifest;
    let count = variants.count();
    if !(2..=MAX_VARIANTS).contains(&count) {
        return Err(format!("variants has {count} entries; it must have from 2 to {MAX_VARIANTS}"));
    }
    let mut names = BTreeSet::new();
    for (index, variant) in variants.iter() {
        let field = match (manifest.schema, index.get()) {
            (1, 0) => "sides.baseline".to_owned(),
            (1, _) => "sides.candidate".to_owned(),
            (_, place) => format!("variants[{place}]"),
        };
        self::variant(variant).map_err(|reason| format!("{field}.{reason}"))?;
        if !names.insert(&variant.name) {
            return Err(format!("{field}.name is {:?} a second time; names must be unique", variant.name));
        }
    }
    match variants.get(*baseline) {
        None => Err(format!("baseline is {baseline}; it must be below {count}, the number of variants")),
        Some(Variant { ended: Some(_), .. }) => {
            Err(format!("variants[{baseline}].ended is there, and the baseline is called until the campaign's end"))
        }
        Some(_) => Ok(()),
    }
}

pub(in crate::campaign) fn variant(variant: &Variant) -> Result<(), String> {
    if variant.name.is_empty() {
        return Err("name is empty; every variant must have one".to_owned());
    }
    printable("name", &variant.name)?;
    if let Some(digest) = variant.program.as_ref().and_then(|program| program.sha256.as_deref()) {
        sha256("program.sha256", digest)?;
    }
    let Some(price) = &variant.price else { return Ok(()) };
    number("price.request_usd", price.request_usd, MAX_USD)?;
    number("price.ephemeral_gb_second_usd", price.ephemeral_gb_second_usd, MAX_USD)?;
    check_tiers("price.tiers", &price.tiers).map_err(|error| error.to_string())
}

/// What the samples of a campaign may say.
#[derive(Clone, Copy, Debug)]
pub struct RowBounds {
    environments: u32,
    latest_ms: u64,
}

impl RowBounds {
    pub fn of(Manifest { plan, imported, .. }: &Manifest) -> Self {
        // Others may have measured for years.
        let latest_ms = if imported.is_some() { LAST_UNIX_MS } else { YEAR_MS };
        Self { environments: plan.environments, latest_ms }
    }

    /// Checks the values of a sample.
    ///
    /// # Errors
    /// The field, its value, and what is allowed.
    pub fn check(self, row: &Row) -> Result<(), String> {
        below("slot", row.slot, self.environments)?;
        below("attempt", row.attempt, ATTEMPTS)?;
        at_most("started_unix_ms", row.started_unix_ms, LAST_UNIX_MS)?;
        at_most("elapsed_ms", row.elapsed_ms, self.latest_ms)?;
        at_most("delay_ns", row.delay_ns, YEAR_NS)?;
        at_most("latency_ns", row.latency_ns, YEAR_NS)?;
        number("cost_usd", row.cost_usd, MAX_USD)?;
        if let Some(report) = &row.report {
            self::report(report)?;
        }
        if let Some(response) = &row.response {
            self::response(response)?;
        }
        name("environment", row.environment.as_deref())?;
        name("cpu_model", row.cpu_model.as_deref())?;
        name("request_id", row.request_id.as_deref())?;
        name("executed_version", row.executed_version.as_deref())?;
        row.output_sha256.as_ref().map_or(Ok(()), |digest| sha256("output_sha256", digest))
    }
}

fn sha256(field: &str, digest: &str) -> Result<(), String> {
    if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err(format!("{field} is {digest:?}; it must be 64 hexadecimal digits"))
    }
}

/// Checks that Lambda can have made this report.
///
/// # Errors
/// The field, its value, and what is allowed.
pub fn report(report: &PlatformReport) -> Result<(), String> {
    number("report.duration_ms", report.duration_ms, YEAR_MS as f64)?;
    number("report.billed_ms", report.billed_ms, YEAR_MS as f64)?;
    number("report.billed_restore_ms", report.billed_restore_ms, YEAR_MS as f64)?;
    number("report.init_ms", report.init_ms, YEAR_MS as f64)
}

/// Checks that the benchmark service can have given this response.
///
/// # Errors
/// The field, its value, and what is allowed.
pub fn response(response: &Response) -> Result<(), String> {
    if response.schema != SCHEMA {
        return Err(format!("response.schema is {}; this version reads {SCHEMA}", response.schema));
    }
    name("response.environment.id", response.environment.id.as_str())?;
    number("response.environment.init_ms", response.environment.init_ms, YEAR_MS as f64)?;
    // Some kernels hide the model.
    if !response.host.cpu_model.is_empty() {
        name("response.host.cpu_model", response.host.cpu_model.as_str())?;
    }
    if response.results.len() > MAX_RESULTS {
        return Err(format!("response.results has {} entries; {MAX_RESULTS} are the most", response.results.len()));
    }
    let mut samples = response.results.iter().enumerate();
    samples
        .try_for_each(|(index, result)| sample(result).map_err(|reason| format!("response.results[{index}].{reason}")))
}

fn sample(sample: &Sample) -> Result<(), String> {
    let (wall, cpu) = (&sample.wall_ns, &sample.cpu_ns);
    if wall.len() != cpu.len() || wall.len() > MAX_ITERATIONS {
        return Err(format!(
            "wall_ns has {} times and cpu_ns has {}; both must have the same number, {MAX_ITERATIONS} at most",
            wall.len(),
            cpu.len()
        ));
    }
    for time in wall.iter() {
        number("wall_ns", *time, YEAR_NS as f64)?;
        if *time == 0.0 {
            return Err("wall_ns has 0; every time must be above 0".to_owned());
        }
    }
    // Times of a coarse CPU clock may be 0.
    cpu.iter().try_for_each(|time| number("cpu_ns", *time, YEAR_NS as f64))?;
    if let Some(summary) = &sample.summary {
        let numbers = [summary.min, summary.median, summary.mean, summary.p95, summary.stddev];
        numbers.into_iter().try_for_each(|value| number("summary", value, YEAR_NS as f64))?;
    }
    number("throttled_fraction", sample.throttled_fraction, 1.0)
}

pub(in crate::campaign) fn number(field: &str, value: impl Into<Option<f64>>, most: f64) -> Result<(), String> {
    match value.into() {
        // This refuses NaN too.
        Some(value) if !(0.0..=most).contains(&value) => {
            Err(format!("{field} is {value:e}; it must be from 0 to {most:e}"))
        }
        _ => Ok(()),
    }
}

pub(in crate::campaign) fn within(field: &str, value: u32, most: u32) -> Result<(), String> {
    if (1..=most).contains(&value) { Ok(()) } else { Err(format!("{field} is {value}; it must be from 1 to {most}")) }
}

pub(in crate::campaign) fn at_most(field: &str, value: u64, most: u64) -> Result<(), String> {
    if value <= most { Ok(()) } else { Err(format!("{field} is {value}; it must be at most {most}")) }
}

fn below(field: &str, value: u32, end: u32) -> Result<(), String> {
    if value < end { Ok(()) } else { Err(format!("{field} is {value}; by campaign.json it is below {end}")) }
}

pub(in crate::campaign) fn name<'a>(field: &str, value: impl Into<Option<&'a str>>) -> Result<(), String> {
    match value.into() {
        None => Ok(()),
        Some("") => Err(format!("{field} is empty; leave it out if there is no name")),
        Some(value) if value.len() > MAX_NAME_BYTES => Err(format!("{field} is longer than {MAX_NAME_BYTES} bytes")),
        Some(value) => printable(field, value),
    }
}

fn printable(field: &str, value: &str) -> Result<(), String> {
    let is_plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_plain && value.chars().any(is_obeyed) {
        return Err(format!("{field} is \"{}\"; a name has no control characters", visible(value)));
    }
    Ok(())
}
