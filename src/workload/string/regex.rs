//! Going through an access log with regular expressions: taking requests apart, finding e-mail addresses
//! and API keys.
//!
//! The expressions are compiled beforehand; the library builds the states of its automata in the first
//! run and keeps them. They match bytes, without Unicode's classes.

use super::documents::{Matches, day, pick, time};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use rand::{Rng, RngExt};
use regex::bytes::Regex;
use std::fmt::Write;

pub const WORKLOAD: Workload = Workload {
    name: "string/regex",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "takes the lines of an access log apart with regular expressions",
    stresses: "automata: a table look-up for each byte, which the next one waits for",
    difference: "portable code: the latency of a first-level cache hit decides; only where a pattern has literal \
                 text (@, key=) is that looked for with vectors first, of AVX2 on x86_64 and of NEON on arm64",
    source: "crate regex",
    element: "one line of the log",
    time: "O(n)",
    memory: "224 n bytes + 1 MiB",
    sizes: Sizes { small: 1_300, medium: 40_000, large: 1_350_000 },
    in_place: false,
    buffer_bytes: |lines| lines.saturating_mul(MAX_LINE_BYTES as u64).saturating_add(AUTOMATA_BYTES),
    prepare: |params| Box::new(AccessLog::new(params)),
};

const MAX_LINE_BYTES: usize = 224;

/// More than the automata take, while they are compiled and when they run.
const AUTOMATA_BYTES: u64 = 1024 * 1024;

pub const REQUEST: &str = concat!(
    r#"(?-u)([0-9]{1,3}(?:\.[0-9]{1,3}){3}) - (\S+) \[([^\]]+)\] "#,
    r#""([A-Z]+) ([^ "]+) HTTP/[0-9.]+" ([1-5][0-9]{2}) ([0-9]+)"#
);
pub const EMAIL: &str = r"(?-u)[A-Za-z0-9._-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+";
pub const KEY: &str = r"(?-u)\bkey=([0-9a-f]{16})\b";

struct AccessLog {
    text: String,
    requests: Regex,
    secrets: [Regex; 2],
    /// The groups of each request.
    groups: Matches,
    /// The starts and ends of the e-mail addresses, then of the keys.
    found: [Matches; 2],
}

impl AccessLog {
    fn new(params: &Params) -> Self {
        let compiled = |pattern| Regex::new(pattern).expect("the pattern is valid");
        let (requests, secrets) = (compiled(REQUEST), [compiled(EMAIL), compiled(KEY)]);
        Self { text: text(params), requests, secrets, groups: Matches::default(), found: <[Matches; 2]>::default() }
    }
}

impl Routine for AccessLog {
    fn run(&mut self) {
        let text = self.text.as_bytes();
        self.groups = Matches::default();
        let mut pace = limits::Pace::every(256);
        for captures in self.requests.captures_iter(text) {
            pace.step();
            for group in captures.iter().skip(1).flatten() {
                self.groups.add(group.start());
                self.groups.add(group.end());
            }
        }
        self.found = self.secrets.each_ref().map(|secret| {
            let found = secret.find_iter(text).inspect(|_| pace.step());
            found.flat_map(|found| [found.start(), found.end()]).collect()
        });
    }

    fn checksum(&self) -> u64 {
        checksum_of([self.groups, self.found[0], self.found[1]].map(Matches::to_le_bytes))
    }
}

/// The log.
pub fn text(params: &Params) -> String {
    let mut rng = input::rng(params.seed);
    let mut text = limits::string_with_capacity(params.len() * MAX_LINE_BYTES);
    (0..params.elements).for_each(|_| push_line(&mut rng, &mut text));
    text
}

/// One line much like those of the combined log format; some requests carry an e-mail address or a key.
fn push_line(rng: &mut impl Rng, text: &mut String) {
    const METHODS: [&str; 4] = ["GET", "GET", "POST", "DELETE"];
    const PATHS: [&str; 4] = ["/", "/api/orders", "/api/customers/search", "/static/app.js"];
    const STATUSES: [u32; 6] = [200, 200, 201, 304, 404, 503];
    const AGENTS: [&str; 3] = ["curl/8.5.0", "Mozilla/5.0 (X11; Linux aarch64) Firefox/128.0", "ELB-HealthChecker/2.0"];
    let [a, b, c, d] = [(); 4].map(|()| rng.random_range(1..255u32));
    let (day, time, method, path) = (day(rng), time(rng), pick(rng, &METHODS), pick(rng, &PATHS));
    let query = match rng.random_range(0..8u32) {
        0 => format!("?email={}.{}@example.com", pick(rng, &["jo", "max", "kim"]), rng.random_range(1..1000u32)),
        1 => format!("?key={:016x}", rng.next_u64()),
        2 => format!("?page={}", rng.random_range(1..100u32)),
        _ => String::new(),
    };
    let (status, bytes, agent) = (pick(rng, &STATUSES), rng.random_range(0..100_000u32), pick(rng, &AGENTS));
    writeln!(
        text,
        r#"{a}.{b}.{c}.{d} - - [{day} {time}] "{method} {path}{query} HTTP/1.1" {status} {bytes} "-" "{agent}""#
    )
    .expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: u64 = 7;

    fn log(text: String) -> AccessLog {
        let mut log = AccessLog { text, ..AccessLog::new(&Params::random(1, 0)) };
        log.run();
        log
    }

    #[test]
    fn finds_what_stands_in_a_line() {
        let path = "/?email=a.b@c.example&key=0123456789abcdef";
        let line = format!(r#"192.0.2.7 - anna [2025-01-02 03:04:05] "GET {path} HTTP/1.1" 200 17"#);
        let log = log(line.clone());
        let places = |parts: &[&str]| -> Matches {
            parts.iter().flat_map(|part| line.find(part).into_iter().flat_map(|at| [at, at + part.len()])).collect()
        };
        assert_eq!(log.groups, places(&["192.0.2.7", "anna", "2025-01-02 03:04:05", "GET", path, "200", "17"]));
        assert_eq!(log.found, [places(&["a.b@c.example"]), places(&["key=0123456789abcdef"])]);
    }

    #[test]
    fn finds_as_many_as_plain_searching_does() {
        let AccessLog { text, .. } = AccessLog::new(&Params::random(2000, 6));
        let [emails, keys] = ["@", "key="].map(|part| text.matches(part).count() as u64);
        assert!(emails > 100 && keys > 100);
        let log = log(text);
        assert_eq!(log.groups.count, 2 * GROUPS * 2000);
        assert_eq!(log.found.map(|tally| tally.count), [2 * emails, 2 * keys]);
    }
}
