//! Data quality: contradictions between the calls of one side.

use crate::campaign::row::Row;
use std::collections::{BTreeMap, HashMap};

/// The most versions, and memory sizes, that are told apart: no campaign is meant to meet more.
const MAX_KINDS: usize = 16;

/// Contradictions between calls, or between the parts of one, and what is missing.
#[derive(Debug, Default)]
pub struct Quality {
    /// Answers with a report by Lambda.
    pub reported: u64,
    /// Answers without one.
    pub unreported: u64,
    /// Reports that cannot be true, because their durations are longer than the client waited, with the first of them.
    pub impossible: Option<Counted>,
    /// Reports of less billed time, the second of the two, than the function took, with the first of them.
    pub underbilled: Option<Counted>,
    /// Reports with an init that was over before the call, with the first of them.
    pub earlier_inits: Option<Counted>,
    /// Answers whose log stream was not found, though that of others was.
    pub unlogged: u64,
    /// Answers of the user's own functions whose environment is known by name.
    pub named: u64,
    /// Those whose environment had not been met, and which were no cold start.
    pub first_without_cold_start: u64,
    /// Those of which a report says so.
    pub first_reported_warm: u64,
    /// Cold starts of environments that had been met: each starts once.
    pub started_again: u64,
    /// Answers with the id of a request that an answer before had.
    pub repeated_requests: u64,
    last_request: Option<String>,
    /// Calls of an environment that ran at the same time as another call of it.
    pub overlapping: u64,
    /// How many answers each version of the function gave.
    pub versions: BTreeMap<String, u64>,
    /// How many reports have each memory size, in MiB.
    pub memory_mb: BTreeMap<u32, u64>,
    step: StepTimes,
}

/// So many, the first with these two times in milliseconds: what is reported, and what contradicts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    pub count: u64,
    pub reported_ms: f64,
    /// What contradicts it, such as what the client waited.
    pub contrary_ms: f64,
}

/// When the environments of the step that came last were called, and how long they ran.
#[derive(Debug, Default)]
struct StepTimes {
    /// The block, the step, the attempt.
    place: (u64, u32, u32),
    by_environment: HashMap<u32, Busy>,
}

#[derive(Debug)]
struct Busy {
    calls: u64,
    begin_ms: f64,
    end_ms: f64,
    duration_ms: f64,
    is_counted: bool,
}

impl Quality {
    /// Takes in an answer.
    pub(super) fn add(&mut self, row: &Row, is_first: bool) {
        match &row.report {
            Some(_) => self.reported += 1,
            None => self.unreported += 1,
        }
        let report = row.report.as_ref();
        if let Some(report) = report.filter(|it| it.contradicts_itself()) {
            let [duration, billed] = [report.duration_ms, report.billed_ms].map(Option::unwrap_or_default);
            count(&mut self.underbilled, duration, billed);
        } else if let Some(duration) = report.and_then(|it| it.duration_ms).filter(|_| row.believed_report().is_none())
        {
            count(&mut self.impossible, duration, row.latency_ms());
        }
        if let Some(init) = report.and_then(|it| it.init_ms).filter(|_| row.has_earlier_init()) {
            count(&mut self.earlier_inits, init, row.latency_ms());
        }
        // The benchmark service names its environments by itself, and rightly.
        let is_named = row.environment.is_some();
        self.named += u64::from(is_named);
        let is_warm_first = is_named && is_first && row.cold != Some(true);
        self.first_without_cold_start += u64::from(is_warm_first);
        let is_reported = row.believed_report().is_some_and(|report| report.init_ms.is_none());
        self.first_reported_warm += u64::from(is_warm_first && is_reported);
        self.started_again += u64::from(is_named && !is_first && row.cold == Some(true));
        if row.request_id.is_some() && row.request_id == self.last_request {
            self.repeated_requests += 1;
        } else {
            self.last_request.clone_from(&row.request_id);
        }
        if let Some(version) = &row.executed_version {
            count_kind(&mut self.versions, version.clone());
        }
        if let Some(memory_mb) = report.and_then(|it| it.memory_mb) {
            count_kind(&mut self.memory_mb, memory_mb);
        }
    }

    /// An environment takes one call at a time. Calls of one step that name the same one, and together ran for longer than
    /// from the first one's start to the last one's end, were taken by several.
    pub(super) fn hold_to_one_call_at_a_time(&mut self, row: &Row, environment: u32) {
        /// Starts are kept to the millisecond.
        const TOLERANCE_MS: f64 = 2.0;
        let duration_ms = row.believed_report().and_then(|it| it.duration_ms);
        // The benchmark service draws its own names; those of log streams may be of several environments.
        let Some(duration_ms) = duration_ms.filter(|_| row.environment.is_some()) else { return };
        let place = (row.block, row.step, row.attempt);
        if self.step.place != place {
            self.step.place = place;
            self.step.by_environment.clear();
        }
        let (begin_ms, end_ms) = (row.elapsed_ms as f64, row.elapsed_ms as f64 + row.latency_ms());
        let busy = self.step.by_environment.entry(environment).or_insert(Busy {
            calls: 0,
            begin_ms,
            end_ms,
            duration_ms: 0.0,
            is_counted: false,
        });
        busy.calls += 1;
        busy.begin_ms = busy.begin_ms.min(begin_ms);
        busy.end_ms = busy.end_ms.max(end_ms);
        busy.duration_ms += duration_ms;
        if busy.duration_ms > busy.end_ms - busy.begin_ms + TOLERANCE_MS {
            self.overlapping += if busy.is_counted { 1 } else { busy.calls };
            busy.is_counted = true;
        }
    }
}

fn count(counted: &mut Option<Counted>, reported_ms: f64, contrary_ms: f64) {
    counted.get_or_insert(Counted { count: 0, reported_ms, contrary_ms }).count += 1;
}

fn count_kind<T: Ord>(kinds: &mut BTreeMap<T, u64>, kind: T) {
    if kinds.len() < MAX_KINDS || kinds.contains_key(&kind) {
        *kinds.entry(kind).or_default() += 1;
    }
}
