//! Numbers and names as people read them.

mod numbers;
mod ratios;

pub use numbers::{
    count, dollars, dollars_to, exact_time, from_to, measured, measured_in, measured_with_interval, percent,
    proportion, proportion_to, significant, significant_to, time_unit, took, unit_of_limit, with_interval,
    without_trailing_zeros,
};
pub use ratios::{amount, change, change_with_interval, changes, compared, percent_change, range, range_of};

use crate::{
    analysis::{result::PairAnalysis, sides::Sides, verdict::Verdict},
    campaign::LAST_UNIX_MS,
};
use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

/// What a side is called in a report: by the user's or the function's own name, or by its role where it has none, or
/// both sides have the same.
#[derive(Clone, Debug)]
pub struct Name {
    name: String,
    is_role: bool,
}

impl Name {
    /// At the beginning of a sentence.
    pub fn at_start(&self) -> String {
        format!("{}{}", if self.is_role { "The " } else { "" }, self.name)
    }

    /// As the heading of a column, short enough that columns of numbers stay narrow.
    pub fn label(&self) -> String {
        label(&self.name)
    }
}

/// A name, short enough for the heading of a column of numbers.
pub fn label(name: &str) -> String {
    const LONGEST: usize = 13;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_role { "the " } else { "" }, self.name)
    }
}

/// The names of both sides, such that they tell the sides apart.
pub fn names(analysis: &PairAnalysis) -> Sides<Name> {
    let own = analysis.names();
    let is_unnamed =
        own.iter().all(|(side, name)| *name == side.as_str()) || own.iter().any(|(_, name)| name.is_empty());
    let is_role = is_unnamed || own.baseline == own.candidate;
    own.map(|side, name| Name { name: if is_role { side.as_str() } else { *name }.to_owned(), is_role })
}

/// How many of these verdicts are of each kind, in the order of reports; without kinds that have none.
pub fn by_verdict(verdicts: impl Iterator<Item = Verdict> + Clone) -> impl Iterator<Item = (Verdict, usize)> {
    let kinds = [Verdict::Faster, Verdict::Slower, Verdict::Equivalent, Verdict::Inconclusive, Verdict::Withheld];
    let number = move |kind| verdicts.clone().filter(|verdict| *verdict == kind).count();
    kinds.into_iter().map(move |kind| (kind, number(kind))).filter(|(_, number)| *number > 0)
}

/// What would probably lead to a verdict where no number of environments would.
pub const MORE_BLOCKS: &str = "more blocks";

/// What would probably lead to a verdict: this many environments of each side.
pub fn environments_needed(number: u64) -> String {
    format!("~{} environments", count(number))
}

/// The text with its first letter capitalized.
pub fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// A time as RFC 3339.
pub fn date(unix_ms: u64) -> String {
    let since_1970 = Duration::from_millis(unix_ms.min(LAST_UNIX_MS));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_1970).to_string()
}

/// A number of things: `1 block`, `1,200 blocks`.
pub fn counted(number: impl Into<u64>, what: &str) -> String {
    match number.into() {
        1 => format!("1 {what}"),
        number => format!("{} {what}s", count(number)),
    }
}

/// Things in a row: `a`, `a and b`, `a, b and c`.
pub fn listed(things: &[&str]) -> String {
    match things {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// A CPU model without what all of them have.
pub fn short_cpu(model: &str) -> String {
    let plain = model.replace("(R)", "").replace("(TM)", "").replace("Processor", "").replace("CPU", "");
    match plain.split_whitespace().collect::<Vec<_>>().join(" ") {
        short if short.is_empty() => "unknown".to_owned(),
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_sides_apart() {
        let role = Name { name: "candidate".to_owned(), is_role: true };
        assert_eq!([role.to_string(), role.at_start(), role.label()], ["the candidate", "The candidate", "candidate"]);
        let own = Name { name: "the-one-with-a-long-name".to_owned(), is_role: false };
        assert_eq!([own.at_start(), own.label()], ["the-one-with-a-long-name", "the-one-with…"]);
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!([1_u64, 2, 1200].map(|number| counted(number, "block")), ["1 block", "2 blocks", "1,200 blocks"]);
    }
}
