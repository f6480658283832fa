//! `duet export`

use super::{
    bill::BillArgs,
    census_of_fleets::CensusOfFleets,
    output::{self, note},
    report::billed_analysis_of,
    signals::{INTERRUPTED, Signals},
    value_parsers,
    wrong_arguments::refuse,
};
use crate::{
    analysis::{analyze_samples::Options, result::Analysis},
    campaign::{log_streams::CollectedEnvironments, row::Row, run_directory},
    report::{
        export::{
            Estimates, bmf, github_action_benchmark, openmetrics,
            otava::{Run, Series},
            parquet::{self, Written},
        },
        words::counted,
    },
};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::{
    collections::BTreeSet,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::{sync::watch, task::spawn_blocking};

/// Writes a campaign in the format of another tool: its estimates for those that follow benchmarks in time, or all its samples.
///
/// What a report withholds is left out, and standard error says what and why. docs/export.md has the configuration of each tool.
///
/// Exit codes: 0 written, 1 nothing can be exported, and nothing is written, 2 wrong arguments, 130 interrupted.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run directory; for Otava those of all campaigns that it is to compare.
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
    #[arg(long, value_enum)]
    format: Format,
    /// Write this file, in place of one that is there, instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write Otava's configuration that reads the file of --out.
    #[arg(long, value_name = "FILE", requires = "out")]
    otava_config: Option<PathBuf>,
    /// Differences up to this size count as no difference.
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = value_parsers::percent)]
    margin: f64,
    #[command(flatten)]
    bill: BillArgs,
    #[command(flatten)]
    census: CensusOfFleets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Apache Otava: comma-separated values, a row for each campaign.
    Otava,
    /// Bencher Metric Format, for `bencher run --adapter json`.
    Bmf,
    /// The JSON that github-action-benchmark reads as customSmallerIsBetter.
    GithubActionBenchmark,
    /// OpenMetrics, for a textfile collector or a Pushgateway of Prometheus.
    Openmetrics,
    /// Parquet: all samples, a row for each invocation.
    Parquet,
}

impl ExportArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        self.check()?;
        match self.format {
            Format::Otava => self.export_series().await?,
            Format::Parquet => return self.export_samples().await,
            Format::Bmf | Format::GithubActionBenchmark | Format::Openmetrics => self.export_estimates().await?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Refuses what does not go together.
    fn check(&self) -> anyhow::Result<()> {
        if self.format != Format::Otava {
            if self.directories.len() > 1 {
                refuse!(
                    "{} run directories are given, and --format {} is of one; export each to a file of its own",
                    self.directories.len(),
                    value_name(self.format)
                );
            }
            if self.otava_config.is_some() {
                refuse!("--otava-config is for --format otava");
            }
        }
        if self.out.is_some() && self.out == self.otava_config {
            refuse!("--out and --otava-config name the same file");
        }
        let is_of_samples = self.format == Format::Parquet;
        if is_of_samples && (self.bill != BillArgs::default() || self.census != CensusOfFleets::default()) {
            refuse!("the options of a bill and --census change estimates, and --format parquet is of samples");
        }
        if is_of_samples && self.out.is_none() && io::stdout().is_terminal() {
            refuse!("Parquet is binary and nothing for a terminal: name a file by --out, or send it to a pipe");
        }
        let mut known = BTreeSet::new();
        for directory in &self.directories {
            // One that does not exist is refused later.
            if !known.insert(directory.canonicalize().unwrap_or_else(|_| directory.clone())) {
                refuse!("{} is given twice; a series has each campaign once", directory.display());
            }
        }
        Ok(())
    }

    async fn export_estimates(&self) -> anyhow::Result<()> {
        let directory = &self.directories[0];
        let analysis = self.analysis_of(directory).await?;
        let estimates = Estimates::new(&analysis);
        note_left_out(&estimates.left_out());
        let text = match self.format {
            // Its metrics say what is withheld.
            Format::Openmetrics => openmetrics::render(&estimates, &name_of(directory)),
            _ if estimates.is_empty() => bail!("{} has nothing that can be exported", directory.display()),
            Format::Bmf => serde_json::to_string_pretty(&bmf::benchmarks(&estimates)?)? + "\n",
            _ => serde_json::to_string_pretty(&github_action_benchmark::entries(&estimates)?)? + "\n",
        };
        self.put_out(&text)
    }

    async fn export_series(&self) -> anyhow::Result<()> {
        let mut analyses = Vec::new();
        for directory in &self.directories {
            let analysis = self.analysis_of(directory).await.with_context(|| directory.display().to_string())?;
            analyses.push((directory, begin(directory, &analysis)?, analysis));
        }
        let runs = analyses.iter().map(|(directory, unix_ms, analysis)| Run {
            name: directory.display().to_string(),
            unix_ms: *unix_ms,
            estimates: Estimates::new(analysis),
        });
        let series = Series::new(runs.collect())?;
        note_left_out(series.left_out());
        if series.is_empty() {
            bail!("the campaigns have nothing in common that can be exported");
        }
        self.put_out(&series.csv()?)?;
        if let (Some(path), Some(out)) = (&self.otava_config, &self.out) {
            let configuration = series.configuration(&out.display().to_string());
            output::write_whole(path, |mut file| Ok(file.write_all(configuration.as_bytes())?))?;
        }
        Ok(())
    }

    async fn export_samples(self) -> anyhow::Result<ExitCode> {
        let mut signals = Signals::catch().context("catching signals")?;
        let (stop, stopped) = watch::channel(false);
        let mut writing = spawn_blocking(move || write_samples(&self.directories[0], self.out.as_deref(), &stopped));
        let written = tokio::select! {
            written = &mut writing => written?,
            () = signals.any() => {
                stop.send_replace(true);
                writing.await?
            }
        };
        match written {
            Err(error) if error.is::<Interrupted>() => {
                note(error);
                return Ok(ExitCode::from(INTERRUPTED));
            }
            // The reader may stop early, as `head` does.
            Err(error) if is_closed_pipe(&error) => {}
            written => note_written(written?),
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn analysis_of(&self, directory: &Path) -> anyhow::Result<Analysis> {
        let options = Options { margin: self.margin, ..Options::default() };
        billed_analysis_of(directory, &self.bill, &self.census, options, true).await
    }

    fn put_out(&self, text: &str) -> anyhow::Result<()> {
        match &self.out {
            Some(path) => output::write_whole(path, |mut file| Ok(file.write_all(text.as_bytes())?)),
            None => output::print(text),
        }
    }
}

/// What the command line calls a format.
fn value_name(format: Format) -> String {
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The last part of a directory's path, which tells its metrics from those of others.
fn name_of(directory: &Path) -> String {
    let whole = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    whole.file_name().unwrap_or(whole.as_os_str()).to_string_lossy().into_owned()
}

/// When a campaign was begun; of an import when the first of its measurements was made, if it tells.
fn begin(directory: &Path, analysis: &Analysis) -> anyhow::Result<u64> {
    let created = analysis.campaign.created_unix_ms;
    if !analysis.campaign.imported.as_ref().is_some_and(|import| import.has_times) {
        return Ok(created);
    }
    let manifest = run_directory::manifest(directory)?;
    let first = run_directory::rows(directory, &manifest)?.next().transpose()?;
    Ok(first.map_or(created, |row| row.started_unix_ms))
}

fn note_left_out(left_out: &[String]) {
    for what in left_out {
        note(format_args!("Left out: {what}"));
    }
}

/// Ctrl-C came.
#[derive(Debug, thiserror::Error)]
#[error("Interrupted; nothing is written")]
struct Interrupted;

fn write_samples(directory: &Path, out: Option<&Path>, stopped: &watch::Receiver<bool>) -> anyhow::Result<Written> {
    let manifest = run_directory::manifest(directory)?;
    let mut collected = CollectedEnvironments::read(directory, &manifest)?;
    let rows = run_directory::rows(directory, &manifest)?.map(|row| -> anyhow::Result<Row> {
        if *stopped.borrow() {
            return Err(Interrupted.into());
        }
        let mut row = row?;
        collected.join(&mut row);
        Ok(row)
    });
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        bail!("{} has no samples yet", directory.display());
    }
    match out {
        Some(path) => output::write_whole(path, |file| parquet::write(&manifest, rows, file)),
        None => parquet::write(&manifest, rows, io::stdout()),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn note_written(Written { rows, failed, emulated }: Written) {
    note(format_args!("{}, {failed} of them failed", counted(rows, "row")));
    if emulated > 0 {
        note(format_args!(
            "{} in which the column emulated is true: an instruction set was emulated, so their times mean nothing",
            counted(emulated, "row")
        ));
    }
}
