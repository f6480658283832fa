//! Whether the function can run on the other architecture.

use super::TryArgs;
use crate::{
    campaign::clones::CandidateCode,
    cli::wrong_arguments::refuse,
    portability::{Package, PackageName, Portability, Verdict},
    protocol::Architecture,
};
use anyhow::Context;
use serde::Serialize;
use std::{fs::File, io, process::ExitCode};
use zip::ZipArchive;

/// Exit code if it needs other files.
const NEEDS_FILES: u8 = 5;
/// Exit code if it cannot be told whether the function can run on the other architecture.
const CANNOT_TELL: u8 = 6;

/// The answer for one function.
#[derive(Serialize)]
pub(super) struct Inspection<'a> {
    pub(super) function: &'a str,
    pub(super) runtime: Option<&'a str>,
    pub(super) architecture: Architecture,
    pub(super) portability: &'a Portability,
}

impl Inspection<'_> {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.portability.verdict {
            Verdict::Portable => ExitCode::SUCCESS,
            Verdict::NeedsFiles => ExitCode::from(NEEDS_FILES),
            Verdict::CannotTell => ExitCode::from(CANNOT_TELL),
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { function, runtime, architecture, portability } = self;
        let runs_as = runtime.map_or("a container image".to_owned(), str::to_owned);
        let mut lines = vec![format!("{function} runs on {architecture}, as {runs_as}."), portability.sentence()];
        for finding in &portability.findings {
            lines.push(format!("- {}", finding.sentence()));
            lines.extend(finding.rebuild.as_ref().map(|rebuild| format!("    {rebuild}")));
        }
        lines.join("\n") + "\n"
    }
}

/// The function's package, and the one for the other architecture.
pub(super) struct Code {
    pub(super) own: Option<File>,
    pub(super) candidate: Option<File>,
}

impl Code {
    /// The packages that would run on the other architecture.
    pub(super) fn packages(&self, packages: Vec<Package<File>>) -> io::Result<Vec<Package<File>>> {
        let Some(candidate) = &self.candidate else { return Ok(packages) };
        let candidate = candidate.try_clone()?;
        let others = packages.into_iter().filter(|package| package.name != PackageName::Code);
        let code = Package { name: PackageName::Code, compatible_architectures: None, archive: Ok(candidate) };
        Ok(std::iter::once(code).chain(others).collect())
    }
}

impl TryArgs {
    pub(super) fn candidate_code(&self) -> anyhow::Result<Option<File>> {
        let Some(path) = &self.candidate_code else { return Ok(None) };
        let file = File::open(path).with_context(|| format!("reading the package {}", path.display()))?;
        if let Err(error) = ZipArchive::new(&file) {
            refuse!("--candidate-code {} is no ZIP file: {error}", path.display());
        }
        Ok(Some(file))
    }

    /// What clones of the other architecture are made of.
    pub(super) fn candidate(&self, code: Option<File>) -> CandidateCode {
        match (code, &self.candidate_image) {
            (Some(file), _) => CandidateCode::Zip(file),
            (None, Some(uri)) => CandidateCode::Image(uri.clone()),
            (None, None) => CandidateCode::Same,
        }
    }
}
