//! `duet report`

use super::{cold_share::ColdShareOption, output, prices, run::pricing, volume::Volume};
use crate::{
    analysis::{
        analyze_samples::{self, analyze},
        campaign_bill,
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
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = super::value_parsers::percent)]
    margin: f64,
    /// The number of invocations a month to bill, such as 300, 1.5k, 50M or 2B.
    #[arg(long, value_name = "N", default_value = "1M")]
    monthly_invocations: Volume,
    /// The share of those invocations that are cold starts, whose init is billed too; or `measured`: the share in the
    /// functions' logs of the 14 days before the campaign, by a query that CloudWatch Logs Insights bills.
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    cold_share: ColdShareOption,
    /// Deduct Lambda's free tier from the bill.
    #[arg(long)]
    free_tier: bool,
    /// A table of prices of your own, as docs/prices.md describes it, instead of the prices stored with the campaign.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
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
pub(super) fn analysis_of(directory: &Path, options: &analyze_samples::Options) -> anyhow::Result<Analysis> {
    of_samples(directory, &run_directory::manifest(directory)?, options)
}

fn of_samples(directory: &Path, manifest: &Manifest, options: &analyze_samples::Options) -> anyhow::Result<Analysis> {
    let mut collected = CollectedEnvironments::read(directory, manifest)?;
    let readings = later_configurations::read(directory)?;
    let mut samples = Samples { readings, log_streams: collected.kind(), ..Samples::new(manifest.variants.count()) };
    for row in run_directory::rows(directory, manifest)? {
        let mut row = row?;
        collected.join(&mut row);
        samples.add(&row);
    }
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
        let mut manifest = run_directory::manifest(&self.directory)?;
        if let Some(path) = &self.prices {
            pricing::replace_prices(&mut manifest.variants, manifest.baseline, &prices::table(Some(path))?)?;
        }
        let volume = campaign_bill::BillOptions {
            invocations_per_month: self.monthly_invocations.get(),
            cold_starts: self.cold_share.resolve(&manifest).await?,
            free_tier: self.free_tier,
        };
        of_samples(&self.directory, &manifest, &analyze_samples::Options { margin: self.margin, volume })
    }
}
