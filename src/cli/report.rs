//! `duet report`

use super::{bill::BillArgs, census_of_fleets::CensusOfFleets, output, value_parsers};
use crate::{
    analysis::{
        analyze_samples::{Options, analyze},
        limits::{LatencyLimit, Limits},
        result::Analysis,
        samples::Samples,
    },
    campaign::{later_configurations, log_streams::CollectedEnvironments, manifest::Manifest, run_directory},
    report::{campaign::document, csv, html, markdown, terminal},
};
use clap::{Args, ValueEnum};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Reports the result of a campaign, also of one that is still running or was interrupted: which variant is faster, which
/// is cheaper, and how certain that is.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run directory.
    directory: PathBuf,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also print the details behind the verdict: other measures, CPU models, cold starts, the bill, all variants,
    /// the method.
    #[arg(long)]
    details: bool,
    /// Also write a page with charts, as one self-contained file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Differences up to this size count as no difference.
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = value_parsers::percent)]
    margin: f64,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    bill: BillArgs,
    #[command(flatten)]
    census: CensusOfFleets,
}

/// What is chosen among several variants.
#[derive(Debug, Args)]
pub(super) struct ChoiceArgs {
    /// How much cost weighs in the choice of a balanced variant, from 0 (time alone) to 1 (cost alone). Default: 0.5.
    #[arg(long, value_name = "WEIGHT", value_parser = value_parsers::weight)]
    weight: Option<f64>,
    /// The longest time that calls of a variant may take in any cell for it to be chosen, such as 300ms or p99=300ms, as
    /// for `duet gate`.
    #[arg(long, value_name = "[STATISTIC=]TIME", value_parser = value_parsers::latency_limit)]
    max_latency: Option<LatencyLimit>,
    /// By how much the bill of a month may be higher than the baseline's for a variant to be chosen, such as 5%.
    #[arg(long, value_name = "PERCENT", value_parser = value_parsers::increase)]
    max_cost_increase: Option<f64>,
}

impl ChoiceArgs {
    /// The options of an analysis.
    pub(super) fn options(&self) -> Options {
        let limits = Limits { max_cost_increase: self.max_cost_increase, max_latency: self.max_latency };
        Options { weight: self.weight, limits, ..Options::default() }
    }
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Table,
    /// For a comment on a pull request.
    Markdown,
    /// One row for each measure of each payload and candidate.
    Csv,
    /// The whole analysis, as described by docs/schema/report.schema.json.
    Json,
}

/// Analyzes the samples in a run directory, with the prices stored there.
///
/// # Errors
/// When it holds no campaign, or samples that cannot be read.
pub(super) fn analysis_of(directory: &Path, options: &Options) -> anyhow::Result<Analysis> {
    of_samples(directory, &run_directory::manifest(directory)?, &CensusOfFleets::default(), options)
}

/// The same with the bill and the census that the user asks for.
///
/// # Errors
/// When also the prices cannot be read, cold starts cannot be counted, or the census is of other fleets.
pub(super) async fn billed_analysis_of(
    directory: &Path,
    bill: &BillArgs,
    census: &CensusOfFleets,
    options: Options,
    shows_bill: bool,
) -> anyhow::Result<Analysis> {
    let mut manifest = run_directory::manifest(directory)?;
    let volume = bill.apply(&mut manifest).await?;
    if shows_bill {
        bill.remind(&manifest);
    }
    of_samples(directory, &manifest, census, &Options { volume, ..options })
}

pub(super) fn of_samples(
    directory: &Path,
    manifest: &Manifest,
    census: &CensusOfFleets,
    options: &Options,
) -> anyhow::Result<Analysis> {
    let mut collected = CollectedEnvironments::read(directory, manifest)?;
    let readings = later_configurations::read(directory)?;
    let mut samples = Samples { readings, log_streams: collected.kind(), ..Samples::new(manifest.variants.count()) };
    census.count_own(directory, manifest, &collected, &mut samples)?;
    for row in run_directory::rows(directory, manifest)? {
        let mut row = row?;
        collected.join(&mut row);
        samples.add(&row);
    }
    census.count(manifest, &mut samples)?;
    Ok(analyze(manifest, &samples, options))
}

impl ReportArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let analysis = self.analyze().await?;
        if let Some(path) = &self.html {
            output::write(path, &html::page(&analysis))?;
        }
        output::print(&match self.format {
            Format::Table if self.details => terminal::full(&document(&analysis)),
            Format::Table => terminal::summary(&document(&analysis)),
            Format::Markdown => markdown::render(&document(&analysis)),
            Format::Csv => csv::report(&analysis)?,
            Format::Json => serde_json::to_string_pretty(&analysis)? + "\n",
        })?;
        if let Some(path) = &self.html {
            output::note(format_args!("Charts: {}", path.display()));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn analyze(&self) -> anyhow::Result<Analysis> {
        let options = Options { margin: self.margin, ..self.choice.options() };
        billed_analysis_of(&self.directory, &self.bill, &self.census, options, true).await
    }
}
