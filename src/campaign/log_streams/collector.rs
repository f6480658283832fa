//! Finds requests in a log, page by page.

use super::{
    super::{
        cloudwatch_logs::Refusal,
        environment_source::{FunctionLog, LogFormat, changes_with_every_call},
        pauses::Pauses,
        platform_report::PlatformReport,
    },
    events::{Event, Page, Query},
    evidence::Evidence,
    file::{CollectedRequest, EnvironmentsFile, is_storable},
    request_id::RequestId,
    wanted::{PARTS, Wanted},
};
use hyper::body::Bytes;
use std::{
    array,
    cell::RefCell,
    collections::{BTreeSet, HashMap, HashSet},
    io,
    rc::Rc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The longest pause between two looks at a log, and between two attempts at one page.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many times a page is asked for that is throttled or meets a passing fault.
const ATTEMPTS: u32 = 10;

/// The reason why the rest is not looked for.
#[derive(Debug)]
pub(super) enum Stopped {
    Refused(Refusal),
    /// What was found cannot be written.
    Unwritten(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A search in one log.
pub(super) struct Collector<'a, A> {
    ask: A,
    log: &'a FunctionLog,
    state: RefCell<State<'a>>,
}

/// What is known so far. Parts of the time that are read at the same time share it.
struct State<'a> {
    wanted: &'a mut Wanted,
    file: &'a mut EnvironmentsFile,
    streams: BTreeSet<Rc<str>>,
    /// The streams of lines other than reports, and how certain it is that these belong to their requests.
    hints: HashMap<RequestId, (Certainty, Rc<str>)>,
    has_group: bool,
    /// All reports in the log, whichever requests they are of.
    reports: ReportCounts,
}

/// What tells log streams of environments from those of calls.
#[derive(Debug, Default)]
struct ReportCounts {
    all: u64,
    warm: u64,
    streams: HashSet<Box<str>>,
}

impl ReportCounts {
    fn add(&mut self, stream: &str, report: &PlatformReport) {
        self.all += 1;
        self.warm += u64::from(report.init_ms.is_none());
        if !self.streams.contains(stream) {
            self.streams.insert(stream.into());
        }
    }
}

/// How certain it is that a line belongs to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    Mentioned,
    Named,
}

/// The filter for Lambda's reports. A log whose format is not known may have either.
fn reports_of(log: &FunctionLog) -> Option<&'static str> {
    log.has_reports.then_some(match log.format {
        Some(LogFormat::Text) => r#""REPORT RequestId""#,
        Some(LogFormat::Json) => r#"{ $.type = "platform.report" }"#,
        None => r#"?"REPORT RequestId" ?"platform.report""#,
    })
}

impl<'a, A: AsyncFn(&Query) -> Result<Bytes, Refusal>> Collector<'a, A> {
    pub(super) fn new(ask: A, log: &'a FunctionLog, wanted: &'a mut Wanted, file: &'a mut EnvironmentsFile) -> Self {
        let (streams, hints) = (BTreeSet::new(), HashMap::new());
        Self {
            ask,
            log,
            state: RefCell::new(State {
                wanted,
                file,
                streams,
                hints,
                has_group: true,
                reports: ReportCounts::default(),
            }),
        }
    }

    /// Looks for the requests until all are found. Events come late: if some are missing, looks again where they should
    /// be until `patience` is over.
    ///
    /// # Errors
    /// When the log cannot be read, or what was found cannot be written.
    pub(super) async fn run(&self, patience: Duration) -> Result<(), Stopped> {
        let (begin, mut pauses) = (Instant::now(), Pauses::new());
        let mut filter = reports_of(self.log);
        loop {
            self.look(filter).await?;
            if self.is_done() || self.is_stream_per_call() {
                return Ok(());
            }
            let left = patience.saturating_sub(begin.elapsed());
            if !left.is_zero() {
                sleep(pauses.next(LONGEST_PAUSE).min(left)).await;
            } else if filter.is_some() && self.state.borrow().streams.is_empty() {
                // There are no reports. Any other line may have the request's id.
                filter = None;
            } else {
                return Ok(());
            }
        }
    }

    /// Whether the log group exists.
    pub(super) fn has_group(&self) -> bool {
        self.state.borrow().has_group
    }

    /// Whether none of the requests was found in a log that has a stream for each call, as emulators write them, some of
    /// which have other ids there.
    pub(super) fn is_stream_per_call(&self) -> bool {
        let state = self.state.borrow();
        let ReportCounts { all, warm, streams } = &state.reports;
        state.streams.is_empty()
            && changes_with_every_call(*all, streams.len() as u64, *warm, state.wanted.open_at_once)
    }

    fn is_done(&self) -> bool {
        self.state.borrow().wanted.missing.is_empty()
    }

    /// Reads all events that may be those of missing requests.
    async fn look(&self, filter: Option<&'static str>) -> Result<(), Stopped> {
        let parts = self.state.borrow().wanted.parts();
        self.state.borrow_mut().reports = ReportCounts::default();
        let query = |part: &(u64, u64)| Query::new(&self.log.group, *part, filter);
        for parts in parts.chunks(PARTS) {
            let [one, two, three, four] = array::from_fn(|place| self.read(parts.get(place).map(query)));
            tokio::try_join!(one, two, three, four)?;
        }
        Ok(self.state.borrow_mut().accept_hints()?)
    }

    /// Reads the events of a part of the time, page by page.
    async fn read(&self, query: Option<Query>) -> Result<(), Stopped> {
        let Some(mut query) = query else { return Ok(()) };
        while !self.is_done() {
            let Some(body) = self.page(&query).await? else { return Ok(()) };
            let Page { events, next_token } = Page::read(&body)?;
            self.state.borrow_mut().take(&events, query.filter_pattern.is_none())?;
            // The last page has none; some emulators repeat the one before.
            if next_token.is_none() || next_token == query.next_token {
                break;
            }
            query.next_token = next_token;
        }
        Ok(())
    }

    /// A page, asked for again after passing failures; `None` if there is no such log group.
    async fn page(&self, query: &Query) -> Result<Option<Bytes>, Refusal> {
        let (mut pauses, mut attempt) = (Pauses::new(), 0);
        loop {
            attempt += 1;
            match (self.ask)(query).await {
                Ok(body) => {
                    self.state.borrow_mut().has_group = true;
                    return Ok(Some(body));
                }
                Err(Refusal::NoGroup) => {
                    self.state.borrow_mut().has_group = false;
                    return Ok(None);
                }
                Err(Refusal::Passing(_)) if attempt < ATTEMPTS => sleep(pauses.next(LONGEST_PAUSE)).await,
                Err(refusal) => return Err(refusal),
            }
        }
    }
}

impl State<'_> {
    /// Takes in a page. Lines other than reports count only in a log without them.
    fn take(&mut self, events: &[Event<'_>], has_no_reports: bool) -> io::Result<()> {
        for event in events.iter().filter(|event| is_storable(&event.log_stream_name)) {
            let stream = &event.log_stream_name;
            match Evidence::of(&event.message) {
                Evidence::Report(id, report) => {
                    self.reports.add(stream, &report);
                    self.found(&RequestId::from(id.as_str()), stream, Some(report))?;
                }
                Evidence::Line(id) if has_no_reports => self.hint(&id, Certainty::Named, stream),
                Evidence::Mentions(ids) if has_no_reports => {
                    ids.into_iter().for_each(|id| self.hint(id, Certainty::Mentioned, stream));
                }
                Evidence::Line(_) | Evidence::Mentions(_) => {}
            }
        }
        self.file.write()
    }

    fn found(&mut self, id: &RequestId, stream: &str, report: Option<PlatformReport>) -> io::Result<()> {
        let Some(request) = self.wanted.missing.remove(id) else { return Ok(()) };
        self.interned(stream);
        self.file.push(&CollectedRequest {
            request_id: id.to_string().into(),
            log_stream: stream.into(),
            has_init: report.as_ref().map(|report| report.init_ms.is_some()),
            report: report.filter(|_| request.lacks_report),
        })
    }

    /// Notes a line of a request, unless a more certain one is known.
    fn hint(&mut self, id: &str, certainty: Certainty, stream: &str) {
        let id = RequestId::from(id);
        let is_better = self.hints.get(&id).is_none_or(|(known, _)| *known < certainty);
        if is_better && self.wanted.missing.contains_key(&id) {
            let stream = self.interned(stream);
            self.hints.insert(id, (certainty, stream));
        }
    }

    fn accept_hints(&mut self) -> io::Result<()> {
        for (id, (_, stream)) in std::mem::take(&mut self.hints) {
            self.found(&id, &stream, None)?;
        }
        self.file.write()
    }

    fn interned(&mut self, stream: &str) -> Rc<str> {
        if let Some(known) = self.streams.get(stream) {
            return Rc::clone(known);
        }
        let new: Rc<str> = stream.into();
        self.streams.insert(Rc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests;
