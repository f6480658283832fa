//! `duet report`

use super::{Volume, cold_share::ColdShare, output, prices, run::pricing};
use crate::{
    analysis::{
        analyse::{self, analyse},
        money,
        result::Analysis,
        samples::Samples,
    },
    campaign::{journal, manifest::Manifest, readings},
    report::{campaign::document, csv, html, markdown, terminal},
};
use clap::{Args, ValueEnum};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Says what the samples of a campaign come to, also of one that is under way or was interrupted: which side is
/// faster, which is cheaper, and how certain that is.
#[derive(Debug, Args)]
pub struct Report {
    /// The run directory.
    directory: PathBuf,
    /// In which form it is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also print what the verdict rests on: other measures, CPU models, cold starts, the bill, both sides, the method.
    #[arg(long)]
    details: bool,
    /// Also write a page with charts, one file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    analysis: AnalysisOptions,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Table,
    /// For a comment on a pull request.
    Markdown,
    /// A row for each measure of each payload.
    Csv,
    /// All of it, as docs/schema/report.schema.json describes it.
    Json,
}

/// What the analysis is told by the user.
#[derive(Clone, Debug, Args)]
pub(super) struct AnalysisOptions {
    /// Differences up to this count as none.
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = super::percent::percent)]
    margin: f64,
    /// The invocations a month that the bill is for, such as 300, 1.5k, 50M or 2B.
    #[arg(long, value_name = "N", default_value = "1M")]
    monthly_invocations: Volume,
    /// How many of those invocations are cold starts, whose init is billed too; or `measured`: as many as the functions'
    /// logs have of the 14 days before the campaign, by a query that CloudWatch Logs Insights bills.
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    cold_share: ColdShare,
    /// Take Lambda's free tier off the bill.
    #[arg(long)]
    free_tier: bool,
    /// A table of prices of your own, as docs/prices.md describes it, instead of those that the campaign has stored.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

impl AnalysisOptions {
    /// What the samples in a run directory come to. They are read one after the other.
    pub(super) async fn analyse(&self, directory: &Path) -> anyhow::Result<Analysis> {
        let mut manifest = journal::manifest(directory)?;
        if let Some(path) = &self.prices {
            pricing::replace_prices(&mut manifest.sides, &prices::table(Some(path))?)?;
        }
        let volume = money::BillOptions {
            invocations_per_month: self.monthly_invocations.get(),
            cold_starts: self.cold_share.of(&manifest).await?,
            free_tier: self.free_tier,
        };
        of_samples(directory, &manifest, &analyse::Options { margin: self.margin, volume })
    }
}

/// What the samples in a run directory come to, by the prices that it holds.
///
/// # Errors
/// When it holds no campaign, or samples that cannot be read.
pub(super) fn analysis_of(directory: &Path, options: &analyse::Options) -> anyhow::Result<Analysis> {
    of_samples(directory, &journal::manifest(directory)?, options)
}

fn of_samples(directory: &Path, manifest: &Manifest, options: &analyse::Options) -> anyhow::Result<Analysis> {
    let mut samples = Samples { readings: readings::of(directory)?, ..Samples::default() };
    for row in journal::checked_rows(directory, manifest)? {
        samples.add(&row?);
    }
    Ok(analyse(manifest, &samples, options))
}

impl Report {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let analysis = self.analysis.analyse(&self.directory).await?;
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
}
