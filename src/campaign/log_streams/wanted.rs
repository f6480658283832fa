//! The requests whose environments are to be found.

use super::{
    super::{
        census,
        environment_source::{EnvironmentSource, FunctionLog, logged_at_once},
        manifest::{Manifest, Variant},
        row::{FailureKind, Row},
        run_directory::{self, JournalError},
    },
    request_id::RequestId,
};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    time::Duration,
};

/// How far clocks may be apart: a request whose time is off by more is refused by AWS.
const CLOCKS_MS: u64 = 300_000;

/// How many requests are looked for in one part of the time, while other parts are read at the same time.
const PART: usize = 10_000;

/// How many parts are read at the same time: some regions take 5 requests a second.
pub(super) const PARTS: usize = 4;

/// A request that has not been found yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// When it was sent, in milliseconds since 1970-01-01 UTC.
    pub(super) start_unix_ms: u64,
    /// Whether its sample lacks Lambda's report.
    pub(super) lacks_report: bool,
}

/// The requests to look for in one log.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) missing: HashMap<RequestId, Request>,
    /// The longest time that a client waited, in milliseconds.
    longest_ms: u64,
    /// When the last answer had come, in milliseconds since 1970-01-01 UTC.
    pub(super) last_unix_ms: u64,
    /// How many calls of the campaign were open at once.
    pub(super) open_at_once: u64,
}

impl Wanted {
    pub(super) fn add(&mut self, id: &str, request: Request, waited_ms: u64) {
        self.longest_ms = self.longest_ms.max(waited_ms);
        self.last_unix_ms = self.last_unix_ms.max(request.start_unix_ms + waited_ms);
        self.missing.insert(RequestId::from(id), request);
    }

    /// The parts of the time in which events of missing requests can be, each with about as many requests.
    pub(super) fn parts(&self) -> Vec<(u64, u64)> {
        let mut starts: Vec<u64> = self.missing.values().map(|request| request.start_unix_ms).collect();
        starts.sort_unstable();
        // What others made of the function between two blocks, or before a campaign was continued, is not read.
        let together_ms = 2 * CLOCKS_MS + self.longest_ms;
        starts.chunk_by(|one, next| next - one <= together_ms).flat_map(|starts| self.adjacent_parts(starts)).collect()
    }

    fn adjacent_parts(&self, starts: &[u64]) -> Vec<(u64, u64)> {
        let (first, last) = (starts[0], starts[starts.len() - 1]);
        let count = (starts.len() / PART).clamp(1, PARTS);
        let inner = (1..count).map(|part| starts[part * starts.len() / count]);
        let mut ends: Vec<u64> = inner.chain([last + self.longest_ms + CLOCKS_MS]).collect();
        ends.dedup();
        let mut start = first.saturating_sub(CLOCKS_MS);
        // Both ends are inclusive.
        ends.into_iter().map(|end| (std::mem::replace(&mut start, end + 1), end)).collect()
    }

    /// How much longer to wait for events that come late.
    pub(super) fn patience(&self, now_unix_ms: u64) -> Duration {
        /// How late events come at most.
        const LATE: Duration = Duration::from_secs(60);
        LATE.saturating_sub(Duration::from_millis(now_unix_ms.saturating_sub(self.last_unix_ms)))
    }
}

/// Whether a call has a log: it was answered, or its function failed. Calls that Lambda refused have none.
fn has_log(row: &Row) -> bool {
    let ran = [FailureKind::Function, FailureKind::Answer, FailureKind::Timeout];
    row.failure.as_ref().is_none_or(|failure| ran.contains(&failure.kind))
}

/// A log, one of the variants that write to it, and the requests to look for.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) log: FunctionLog,
    pub(super) variant: &'a Variant,
    pub(super) wanted: Wanted,
    /// How many calls have no request id, as in campaigns of earlier versions, so that no log can tell.
    pub(super) unidentified: usize,
}

/// The logs of a campaign's functions, each once, with the requests to look for in them: those of `directory` whose
/// environment is unknown, except `known` ones. They are the campaign's own, and those of its census.
///
/// # Errors
/// When the samples or the census cannot be read.
pub(super) fn read<'a>(
    directory: &Path,
    manifest: &'a Manifest,
    known: &HashSet<RequestId>,
) -> Result<Vec<Search<'a>>, JournalError> {
    let mut searches: Vec<Search<'_>> = Vec::new();
    let mut search_of_variant = HashMap::new();
    let open_at_once = logged_at_once(manifest);
    for (index, variant) in manifest.variants.iter() {
        let Some(log) = EnvironmentSource::of(&manifest.plan, variant).log() else { continue };
        let number = searches.iter().position(|search| search.log.is_same_group(&log)).unwrap_or_else(|| {
            let wanted = Wanted { open_at_once, ..Wanted::default() };
            searches.push(Search { log: log.clone(), variant, wanted, unidentified: 0 });
            searches.len() - 1
        });
        searches[number].log.share_with(&log);
        search_of_variant.insert(index, number);
    }
    for row in run_directory::rows(directory, manifest)? {
        let row = row?;
        let Some(number) = search_of_variant.get(&row.variant) else { continue };
        if row.environment().is_some() || !has_log(&row) {
            continue;
        }
        match row.request_id.as_deref() {
            None => searches[*number].unidentified += 1,
            Some(id) if known.contains(&RequestId::from(id)) => {}
            Some(id) => {
                let request = Request { start_unix_ms: row.started_unix_ms, lacks_report: row.report.is_none() };
                searches[*number].wanted.add(id, request, row.latency_ns.div_ceil(1_000_000));
            }
        }
    }
    for row in census::rows_of_campaign(directory, manifest)? {
        let (Some(number), Some(id)) = (search_of_variant.get(&row.variant), row.request_of_unnamed()) else {
            continue;
        };
        if !known.contains(&RequestId::from(id)) {
            let request = Request { start_unix_ms: row.unix_ms, lacks_report: false };
            searches[*number].wanted.add(id, request, row.latency_ms + 1);
        }
    }
    Ok(searches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        census::CensusRow, failure::Failure, log_streams::file::tests::Directory, variants::VariantIndex,
    };

    /// Adds a request that was sent at this time, and took 2 ms.
    fn add(wanted: &mut Wanted, number: u64, start_unix_ms: u64) {
        wanted.add(&format!("id-{number}"), Request { start_unix_ms, lacks_report: true }, 2);
    }

    /// The same, each at a time of its own.
    fn add_all(wanted: &mut Wanted, numbers: impl IntoIterator<Item = u64>) {
        numbers.into_iter().for_each(|number| add(wanted, number, 1_000_000 + number));
    }

    #[test]
    fn the_time_is_that_of_missing_requests_and_allows_for_clocks() {
        let mut wanted = Wanted::default();
        assert!(wanted.parts().is_empty());
        add_all(&mut wanted, 0..3);
        assert_eq!(wanted.parts(), [(700_000, 1_300_004)]);
        wanted.missing.remove(&"id-0".into());
        assert_eq!(wanted.parts(), [(700_001, 1_300_004)]);
        assert_eq!(wanted.patience(1_000_004), Duration::from_secs(60));
        assert_eq!(wanted.patience(1_020_004), Duration::from_secs(40));
        assert_eq!(wanted.patience(9_000_000), Duration::ZERO);
    }

    #[test]
    fn many_requests_are_looked_for_in_adjacent_parts() {
        let mut wanted = Wanted::default();
        add_all(&mut wanted, 0..25_000);
        assert_eq!(wanted.parts(), [(700_000, 1_012_500), (1_012_501, 1_325_001)]);
        add_all(&mut wanted, 25_000..100_000);
        assert_eq!(wanted.parts().len(), PARTS);
        // Calls that all began in one millisecond.
        let mut at_once = Wanted::default();
        (0..25_000).for_each(|number| add(&mut at_once, number, 1_000_000));
        assert_eq!(at_once.parts(), [(700_000, 1_000_000), (1_000_001, 1_300_002)]);
    }

    #[test]
    fn what_lies_between_two_blocks_is_not_read() {
        let mut wanted = Wanted::default();
        let hour = 3_600_000;
        add_all(&mut wanted, [0, 1, hour, 3 * hour]);
        let around = |first: u64, last: u64| (700_000 + first, 1_300_002 + last);
        assert_eq!(wanted.parts(), [around(0, 1), around(hour, hour), around(3 * hour, 3 * hour)]);
    }

    #[test]
    fn environments_that_a_census_has_started_are_looked_for_too() {
        let mut manifest = Manifest::example();
        let arn = |name: &str| format!("lambda:arn:aws:lambda:us-east-1:123456789012:function:{name}").parse().unwrap();
        let [one, other] = VariantIndex::both();
        (manifest.variants[one].target, manifest.variants[other].target) = (arn("x"), arn("y"));
        let warm = CensusRow { environment: None, cpu_model: None, ..CensusRow::of_clone("warm") };
        let failure = Some(Failure::new(FailureKind::Function, ""));
        let failed = CensusRow { environment: None, failure, ..CensusRow::of_clone("failed") };
        let late = CensusRow { variant: other, unix_ms: 2_000_000, latency_ms: 7, ..CensusRow::of_clone("late") };
        let named = CensusRow { environment: Some("own".to_owned()), ..CensusRow::of_clone("named") };
        let rows = [CensusRow::of_clone("known"), CensusRow::of_clone("one"), warm, failed, late, named];
        let directory = Directory::of_trial("wanted", &mut manifest, &rows);
        let searches = read(&directory.0, &manifest, &HashSet::from(["known".into()])).unwrap();
        let missing = |search: &Search<'_>| search.wanted.missing.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(searches.iter().map(missing).collect::<Vec<_>>(), [["one"], ["late"]]);
        assert_eq!(searches[1].wanted.parts(), [(1_700_000, 2_300_008)]);
    }

    #[test]
    fn calls_that_have_not_run_have_no_log() {
        let failed = |kind| Row { failure: Some(Failure::new(kind, "")), ..Row::example() };
        assert!(
            has_log(&Row::example())
                && has_log(&failed(FailureKind::Function))
                && has_log(&failed(FailureKind::Answer))
        );
        assert!(!has_log(&failed(FailureKind::Throttled)) && !has_log(&failed(FailureKind::Refused)));
    }
}
