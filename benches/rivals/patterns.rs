//! Words and regular expressions in text.

use crate::Rival;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use lambda_duet::workload::{
    Params, Routine, checksum_of,
    string::{
        documents::Matches,
        regex::{EMAIL, KEY, REQUEST, text},
        search::Haystack,
    },
};
use regex_automata::dfa::regex::Regex as Dfa;

pub static OF_SEARCH: [Rival; 2] = [
    Rival::new("std str::match_indices", |params| Search::boxed(params, std_str)),
    Rival::new("aho-corasick, all at once", |params| {
        let words = Haystack::new(params).needles;
        let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(words);
        Search::boxed(params, all_at_once(automaton.expect("the words make an automaton")))
    }),
];

pub static OF_REGEX: [Rival; 2] = [
    Rival::new("PCRE2 with JIT", |params| Box::new(Pcre::new(params))),
    Rival::of_part(
        "regex-automata, full DFA",
        |params| Secrets::boxed(params, [EMAIL, KEY].map(places_by_dfa)),
        "addresses, keys",
        |params| Secrets::boxed(params, [EMAIL, KEY].map(places_by_regex)),
    ),
];

struct Search<F> {
    text: String,
    words: Vec<String>,
    found: Vec<Matches>,
    search: F,
}

impl<F: Fn(&str, &[String]) -> Vec<Matches> + 'static> Search<F> {
    fn boxed(params: &Params, search: F) -> Box<dyn Routine> {
        let Haystack { text, needles } = Haystack::new(params);
        let ascii = |bytes| String::from_utf8(bytes).expect("the text is ASCII");
        let words = needles.into_iter().map(ascii).collect();
        Box::new(Self { text: ascii(text), words, found: Vec::new(), search })
    }
}

impl<F: Fn(&str, &[String]) -> Vec<Matches>> Routine for Search<F> {
    fn run(&mut self) {
        self.found = (self.search)(&self.text, &self.words);
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.found.iter().map(|tally| tally.to_le_bytes()))
    }
}

fn std_str(text: &str, words: &[String]) -> Vec<Matches> {
    words.iter().map(|word| text.match_indices(word).map(|(position, _)| position).collect()).collect()
}

/// One pass for all words, where the workload makes one for each.
fn all_at_once(automaton: AhoCorasick) -> impl Fn(&str, &[String]) -> Vec<Matches> {
    move |text, words| {
        let mut found = vec![Matches::default(); words.len()];
        let mut ends = vec![0; words.len()];
        for place in automaton.find_overlapping_iter(text) {
            let word = place.pattern().as_usize();
            // Words overlap each other, but not themselves.
            if place.start() >= ends[word] {
                found[word].add(place.start());
                ends[word] = place.end();
            }
        }
        found
    }
}

struct Pcre {
    text: String,
    requests: pcre2::bytes::Regex,
    secrets: [pcre2::bytes::Regex; 2],
    groups: Matches,
    found: [Matches; 2],
}

impl Pcre {
    fn new(params: &Params) -> Self {
        // Without the flag that switches Unicode off, which is PCRE2's default.
        let compiled = |pattern: &str| {
            let pattern = pattern.trim_start_matches("(?-u)");
            pcre2::bytes::RegexBuilder::new().jit(true).build(pattern).expect("the pattern is valid")
        };
        let (requests, secrets) = (compiled(REQUEST), [EMAIL, KEY].map(compiled));
        Self { text: text(params), requests, secrets, groups: Matches::default(), found: <[Matches; 2]>::default() }
    }
}

impl Routine for Pcre {
    fn run(&mut self) {
        let text = self.text.as_bytes();
        self.groups = Matches::default();
        for captures in self.requests.captures_iter(text) {
            let captures = captures.expect("matching stays within the limits");
            for group in (1..captures.len()).filter_map(|group| captures.get(group)) {
                self.groups.add(group.start());
                self.groups.add(group.end());
            }
        }
        self.found = self.secrets.each_ref().map(|secret| {
            let places = secret.find_iter(text).map(|place| place.expect("matching stays within the limits"));
            places.flat_map(|place| [place.start(), place.end()]).collect()
        });
    }

    fn checksum(&self) -> u64 {
        checksum_of([self.groups, self.found[0], self.found[1]].map(Matches::to_le_bytes))
    }
}

/// The part of the job without groups.
struct Secrets<F> {
    text: String,
    places: [F; 2],
    found: [Matches; 2],
}

impl<F: Fn(&[u8]) -> Matches + 'static> Secrets<F> {
    fn boxed(params: &Params, places: [F; 2]) -> Box<dyn Routine> {
        Box::new(Self { text: text(params), places, found: <[Matches; 2]>::default() })
    }
}

impl<F: Fn(&[u8]) -> Matches> Routine for Secrets<F> {
    fn run(&mut self) {
        self.found = self.places.each_ref().map(|places| places(self.text.as_bytes()));
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.found.map(Matches::to_le_bytes))
    }
}

fn places_by_regex(pattern: &str) -> impl Fn(&[u8]) -> Matches + use<> {
    let regex = regex::bytes::Regex::new(pattern).expect("the pattern is valid");
    move |text| regex.find_iter(text).flat_map(|found| [found.start(), found.end()]).collect()
}

fn places_by_dfa(pattern: &str) -> impl Fn(&[u8]) -> Matches + use<> {
    let dfa = Dfa::builder()
        .syntax(regex_automata::util::syntax::Config::new().utf8(false))
        .build(pattern)
        .expect("the pattern makes an automaton");
    move |text| dfa.find_iter(text).flat_map(|found| [found.start(), found.end()]).collect()
}
