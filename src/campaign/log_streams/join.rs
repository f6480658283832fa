//! Joins samples with the environments that were collected from log streams.

use super::{
    super::{
        census::{self, CensusRow},
        environment_source::{EnvironmentSource, changes_with_every_call, logged_at_once},
        manifest::Manifest,
        platform_report::PlatformReport,
        row::Row,
        run_directory::JournalError,
        variants::VariantIndex,
    },
    file::{self, CollectedRequest},
    request_id::RequestId,
};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

/// What log streams tell about a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogStreams {
    /// They were not read.
    #[default]
    Unread,
    /// None of the campaign's requests was found in them.
    Empty,
    /// Each is that of an environment.
    OfEnvironments,
    /// Each is that of a call, as an emulator writes them: they tell nothing.
    OfCalls,
}

/// The environments of a campaign that were collected from log streams.
#[derive(Debug, Default)]
pub struct CollectedEnvironments {
    streams: Vec<String>,
    by_request: HashMap<RequestId, Collected>,
    /// The variants whose environments log streams tell.
    variants: HashSet<VariantIndex>,
    /// The environments that earlier rows, or the campaign's census, have met.
    met: HashSet<(VariantIndex, u32)>,
    kind: LogStreams,
}

#[derive(Debug)]
struct Collected {
    /// The place of its stream in the list.
    stream: u32,
    report: Option<Box<PlatformReport>>,
}

/// What is counted to tell streams of environments from those of calls.
#[derive(Debug, Default)]
struct Counts {
    /// The campaign's own requests.
    requests: u64,
    streams: u64,
    /// Those of them whose report has no init.
    warm: u64,
    /// Requests of the campaign's census, all of which have started environments.
    of_census: u64,
}

impl Counts {
    fn add(&mut self, request: &CollectedRequest<'_>, of_census: &RequestsOfCensus) {
        if of_census.contains_key(&RequestId::from(request.request_id.as_ref())) {
            self.of_census += 1;
        } else {
            self.requests += 1;
            self.warm += u64::from(request.has_init == Some(false));
        }
    }

    fn kind(&self, manifest: &Manifest) -> LogStreams {
        let Self { requests, streams, warm, of_census } = *self;
        // A census starts many environments, so that most calls may be cold starts: the campaign's own calls tell. They
        // share streams with the census, unless every call has one of its own.
        let others = streams.saturating_sub(of_census);
        match requests + of_census {
            0 => LogStreams::Empty,
            _ if changes_with_every_call(requests, others, warm, logged_at_once(manifest)) => LogStreams::OfCalls,
            _ => LogStreams::OfEnvironments,
        }
    }
}

/// The variants of a census by the requests that have started environments whose names log streams tell.
type RequestsOfCensus = HashMap<RequestId, VariantIndex>;

fn requests_of_census(directory: &Path, manifest: &Manifest) -> Result<RequestsOfCensus, JournalError> {
    let rows = census::rows_of_campaign(directory, manifest)?;
    Ok(rows.iter().filter_map(|row| Some((RequestId::from(row.request_of_unnamed()?), row.variant))).collect())
}

impl LogStreams {
    /// What the log streams that were read in `directory` tell.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(directory: &Path, manifest: &Manifest) -> Result<Self, JournalError> {
        let of_census = requests_of_census(directory, manifest)?;
        let (mut counts, mut streams) = (Counts::default(), HashSet::new());
        let read = file::read(directory, |request| {
            counts.add(&request, &of_census);
            if !streams.contains(request.log_stream.as_ref()) {
                streams.insert(request.log_stream.into_owned());
            }
        })?;
        counts.streams = streams.len() as u64;
        Ok(if read.is_some() { counts.kind(manifest) } else { Self::Unread })
    }
}

impl CollectedEnvironments {
    /// Reads those of the campaign in `directory`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(directory: &Path, manifest: &Manifest) -> Result<Self, JournalError> {
        let logged = manifest
            .variants
            .iter()
            .filter(|(_, variant)| EnvironmentSource::of(&manifest.plan, variant).log().is_some());
        let mut all = Self { variants: logged.map(|(variant, _)| variant).collect(), ..Self::default() };
        let of_census = requests_of_census(directory, manifest)?;
        let (mut counts, mut numbers) = (Counts::default(), HashMap::new());
        let read = file::read(directory, |request| {
            counts.add(&request, &of_census);
            all.take(request, &mut numbers);
        })?;
        counts.streams = all.streams.len() as u64;
        for (id, variant) in of_census {
            all.met.extend(all.by_request.get(&id).map(|collected| (variant, collected.stream)));
        }
        all.kind = if read.is_some() { counts.kind(manifest) } else { LogStreams::Unread };
        Ok(all)
    }

    fn take(&mut self, request: CollectedRequest<'_>, numbers: &mut HashMap<String, u32>) {
        let CollectedRequest { request_id, log_stream, report, .. } = request;
        let stream = numbers.get(log_stream.as_ref()).copied().unwrap_or_else(|| {
            let number = self.streams.len() as u32;
            self.streams.push(log_stream.clone().into_owned());
            numbers.insert(log_stream.into_owned(), number);
            number
        });
        self.by_request.insert(request_id.as_ref().into(), Collected { stream, report: report.map(Box::new) });
    }

    /// What the log streams tell.
    pub fn kind(&self) -> LogStreams {
        self.kind
    }

    /// Adds to a row what its log stream tells, if nothing else names its environment. Rows come in their order.
    pub fn join(&mut self, row: &mut Row) {
        if !self.variants.contains(&row.variant) || row.environment().is_some() {
            return;
        }
        let id = row.request_id.as_deref().map(RequestId::from);
        let Some(Collected { stream, report }) = id.and_then(|id| self.by_request.get(&id)) else { return };
        row.report = row.report.take().or_else(|| report.as_deref().cloned());
        let is_of_environment = self.kind == LogStreams::OfEnvironments;
        let is_first = is_of_environment && self.met.insert((row.variant, *stream));
        row.environment = is_of_environment.then(|| self.streams[*stream as usize].clone());
        row.cold = row.cold_start(is_first, false);
    }

    /// Gives the environment of a row of the campaign's census the name that its log stream tells, if it has none.
    pub fn join_census(&self, row: &mut CensusRow) {
        let stream = row.request_of_unnamed().and_then(|id| self.by_request.get(&RequestId::from(id)));
        if let Some(Collected { stream, .. }) = stream.filter(|_| self.kind == LogStreams::OfEnvironments) {
            row.environment = Some(self.streams[*stream as usize].clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{log_streams::file::tests::Directory, row::Failure};
    use std::fs;

    fn manifest() -> Manifest {
        let mut manifest = Manifest::example();
        manifest.plan.environments = 2;
        let arn = "lambda:arn:aws:lambda:us-east-1:123456789012:function:x";
        let [first, second] = VariantIndex::both();
        manifest.variants[first].target = arn.parse().unwrap();
        manifest.variants[second].target = "https://example.com/".parse().unwrap();
        manifest
    }

    fn row(id: &str, init_ms: Option<f64>) -> Row {
        let report =
            PlatformReport { duration_ms: Some(0.5), billed_ms: Some(1.0), init_ms, ..PlatformReport::default() };
        Row { request_id: Some(id.to_owned()), report: Some(report), cold: Some(false), ..Row::example() }
    }

    fn collected(name: &str, lines: &[(&str, &str)]) -> (CollectedEnvironments, LogStreams) {
        read(&Directory::new(name, &manifest()), &manifest(), lines)
    }

    /// What these lines tell of a trial, whose census has started an environment with each of these requests.
    fn of_trial(name: &str, census: &[&str], lines: &[(&str, &str)]) -> (CollectedEnvironments, LogStreams) {
        let rows: Vec<CensusRow> = census.iter().map(|request| CensusRow::of_clone(request)).collect();
        let mut manifest = manifest();
        read(&Directory::of_trial(name, &mut manifest, &rows), &manifest, lines)
    }

    fn read(directory: &Directory, manifest: &Manifest, lines: &[(&str, &str)]) -> (CollectedEnvironments, LogStreams) {
        let lines = lines.iter().map(|(id, rest)| format!("{{\"request_id\":\"{id}\",\"log_stream\":{rest}}}\n"));
        fs::write(directory.file(), lines.collect::<String>()).unwrap();
        let kind = LogStreams::read(&directory.0, manifest).unwrap();
        (CollectedEnvironments::read(&directory.0, manifest).unwrap(), kind)
    }

    #[test]
    fn a_row_gets_its_stream_and_what_follows_from_that() {
        let report = r#""s","report":{"duration_ms":0.25,"billed_ms":1.0}"#;
        let lines = [("one", r#""s""#), ("two", r#""s""#), ("three", r#""t""#), ("four", report), ("five", r#""u""#)];
        let (mut collected, kind) = collected("join", &lines);
        assert_eq!((kind, collected.kind()), (LogStreams::OfEnvironments, LogStreams::OfEnvironments));
        let mut joined = |mut row: Row| {
            collected.join(&mut row);
            (row.environment, row.cold)
        };
        let environment = |name: &str| Some(name.to_owned());
        // It may have started before the campaign, unless the report has an init.
        assert_eq!(joined(row("one", None)), (environment("s"), None));
        assert_eq!(joined(row("two", None)), (environment("s"), Some(false)));
        assert_eq!(joined(row("three", Some(0.1))), (environment("t"), Some(true)));
        let unreported = Row { report: None, cold: None, ..row("four", None) };
        assert_eq!(joined(unreported.clone()), (environment("s"), Some(false)));
        let mut filled = unreported;
        collected.join(&mut filled);
        assert_eq!(filled.report.unwrap().duration_ms, Some(0.25));

        let mut kept = |row: Row| {
            let mut joined = row.clone();
            collected.join(&mut joined);
            assert_eq!(joined, row);
        };
        kept(row("six", None));
        kept(Row { request_id: None, ..row("", None) });
        // Whatever names its environment is right.
        kept(Row { environment: environment("own"), ..row("one", None) });
        kept(Row { variant: VariantIndex::both()[1], ..row("one", None) });
        // One that failed has met its environment all the same.
        let mut failed = Row { failure: Some(Failure::refused("")), ..row("five", None) };
        collected.join(&mut failed);
        let mut next = row("five", None);
        collected.join(&mut next);
        assert_eq!(next.cold, Some(false));
    }

    #[test]
    fn rows_of_a_census_get_their_streams_and_calls_after_them_are_warm() {
        let lines = [("c1", r#""s","has_init":true"#), ("one", r#""s","has_init":false"#)];
        let (mut all, _) = of_trial("census", &["c1", "c2"], &lines);
        let named = |all: &CollectedEnvironments, id: &str| {
            let mut row = CensusRow::of_clone(id);
            all.join_census(&mut row);
            row.counted().map(|(environment, _)| environment.to_owned())
        };
        assert_eq!([named(&all, "c1"), named(&all, "c2")], [Some("s".to_owned()), Some("c2".to_owned())]);
        let mut after = row("one", None);
        all.join(&mut after);
        assert_eq!((after.environment.as_deref(), after.cold), (Some("s"), Some(false)));
        // What answers name stays.
        let mut own = CensusRow { environment: Some("own".to_owned()), ..CensusRow::of_clone("c1") };
        all.join_census(&mut own);
        assert_eq!(own.environment.as_deref(), Some("own"));
    }

    #[test]
    fn a_census_hides_neither_environments_nor_streams_of_calls() {
        let (cold, warm) = (r#","has_init":true"#, r#","has_init":false"#);
        let streams = |cold_ones: [&str; 5], warm_ones: [&str; 4]| -> Vec<(String, String)> {
            let line = |name: &str, number: usize, stream: &str, init: &str| {
                (format!("{name}{number}"), format!("\"{stream}\"{init}"))
            };
            let cold_ones = cold_ones.into_iter().enumerate().map(|(number, stream)| line("c", number, stream, cold));
            let warm_ones = warm_ones.into_iter().enumerate().map(|(number, stream)| line("w", number, stream, warm));
            cold_ones.chain(warm_ones).collect()
        };
        let kind = |name: &str, lines: &[(String, String)]| {
            let lines: Vec<(&str, &str)> = lines.iter().map(|(id, rest)| (id.as_str(), rest.as_str())).collect();
            of_trial(name, &["c0", "c1", "c2", "c3", "c4"], &lines).1
        };
        // Each block meets other environments, which the census before it has started.
        let environments = streams(["a", "b", "c", "d", "e"], ["a", "b", "c", "d"]);
        assert_eq!(kind("census-environments", &environments), LogStreams::OfEnvironments);
        // Most calls of an emulator are cold starts of the census.
        let calls = streams(["a", "b", "c", "d", "e"], ["f", "g", "h", "i"]);
        assert_eq!(kind("census-calls", &calls), LogStreams::OfCalls);
        assert_eq!(kind("census-alone", &calls[..5]), LogStreams::OfEnvironments);
    }

    #[test]
    fn streams_of_single_calls_are_no_environments() {
        let warm = [r#""a","has_init":false"#, r#""b","has_init":false"#, r#""c","has_init":false"#];
        let report = r#""d","has_init":true,"report":{"duration_ms":0.5,"billed_ms":1.0,"init_ms":0.1}"#;
        let lines = [("one", warm[0]), ("two", warm[1]), ("three", warm[2]), ("four", report)];
        let (mut all, kind) = collected("calls", &lines);
        assert_eq!((kind, all.kind()), (LogStreams::OfCalls, LogStreams::OfCalls));
        let mut warm = row("one", None);
        all.join(&mut warm);
        assert_eq!((warm.environment, warm.cold), (None, Some(false)));
        let mut cold = Row { report: None, cold: None, ..row("four", None) };
        all.join(&mut cold);
        assert_eq!((cold.environment, cold.cold), (None, Some(true)));
        // Nothing is known of less than two rounds.
        assert_eq!(collected("few", &lines[..3]).1, LogStreams::OfEnvironments);
        assert_eq!(collected("none", &[]).1, LogStreams::Empty);
        let unread = Directory::new("unread", &manifest());
        assert_eq!(LogStreams::read(&unread.0, &manifest()).unwrap(), LogStreams::Unread);
        assert_eq!(CollectedEnvironments::read(&unread.0, &manifest()).unwrap().kind(), LogStreams::Unread);
    }
}
