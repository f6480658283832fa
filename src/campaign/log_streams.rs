//! Environments from log streams: each execution environment of a function writes to a log stream of its own, and the
//! log has the ids of the requests that its samples have.

mod collector;
mod events;
mod evidence;
mod file;
mod join;
mod request_id;
mod wanted;

pub use join::{CollectedEnvironments, LogStreams};

use super::{
    aws::Session,
    cloudwatch_logs::Refusal,
    environment_source::FunctionLog,
    manifest::Manifest,
    row::Failure,
    run_directory::{JournalError, at},
    unix_ms,
};
use collector::{Collector, Stopped};
use file::EnvironmentsFile;
use std::path::Path;
use wanted::Search;

/// What became of the search in one log.
#[derive(Debug)]
pub struct LogOutcome {
    pub log: FunctionLog,
    /// How many requests were looked for.
    pub wanted: usize,
    /// How many of them were found.
    pub found: usize,
    /// How many calls have no request id, so that no log can tell.
    pub unidentified: usize,
    /// The reason why others were not, if it is known.
    pub problem: Option<Problem>,
}

/// Why a log could not be read.
#[derive(Debug)]
pub enum Problem {
    /// The permission is missing.
    Denied(Failure),
    /// There is no such log group.
    NoGroup,
    /// Every call has a log stream of its own, and an id that its answer does not have.
    StreamPerCall,
    /// CloudWatch Logs refused a request, or gave no answer.
    Refused(Failure),
}

/// Looks for the environments of the samples in `directory`, and adds them to those that were found before. `begin` is
/// told each log and how many requests are looked for in it.
///
/// # Errors
/// When the run directory cannot be read or written, or another process writes to it.
pub async fn collect(
    directory: &Path,
    manifest: &Manifest,
    session: &Session,
    mut begin: impl FnMut(&FunctionLog, usize),
) -> Result<Vec<LogOutcome>, JournalError> {
    let (mut file, known) = EnvironmentsFile::open(directory)?;
    let searches = wanted::read(directory, manifest, &known)?;
    drop(known);
    let mut outcomes = Vec::new();
    for mut search in searches {
        let wanted = search.wanted.missing.len();
        if wanted > 0 {
            begin(&search.log, wanted);
        }
        let problem = search_in(&mut search, &mut file, session).await.map_err(at(directory))?;
        let found = wanted - search.wanted.missing.len();
        if wanted > 0 && !matches!(problem, Some(Problem::Denied(_) | Problem::Refused(_))) {
            file.create().map_err(at(directory))?;
        }
        outcomes.push(LogOutcome { log: search.log, wanted, found, unidentified: search.unidentified, problem });
    }
    Ok(outcomes)
}

/// Looks for requests in one log; gives the reason why some are not found, if it is known.
async fn search_in(
    search: &mut Search<'_>,
    file: &mut EnvironmentsFile,
    session: &Session,
) -> std::io::Result<Option<Problem>> {
    let Search { log, variant, wanted, .. } = search;
    if wanted.missing.is_empty() {
        return Ok(None);
    }
    let session = session.of_variant(variant);
    let patience = wanted.patience(unix_ms());
    let collector = Collector::new(async |query: &events::Query| events::ask(&session, query).await, log, wanted, file);
    let stopped = collector.run(patience).await;
    let (has_group, is_stream_per_call) = (collector.has_group(), collector.is_stream_per_call());
    match stopped {
        Ok(()) if is_stream_per_call => Ok(Some(Problem::StreamPerCall)),
        Ok(()) if has_group => Ok(None),
        Ok(()) | Err(Stopped::Refused(Refusal::NoGroup)) => Ok(Some(Problem::NoGroup)),
        Err(Stopped::Refused(Refusal::Denied(failure))) => Ok(Some(Problem::Denied(failure))),
        Err(Stopped::Refused(Refusal::Passing(failure) | Refusal::Lasting(failure))) => {
            Ok(Some(Problem::Refused(failure)))
        }
        Err(Stopped::Unwritten(error)) => Err(error),
    }
}
