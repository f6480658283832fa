//! Numbers and names as people read them.

use crate::{
    analysis::{
        result::{Interval, PairAnalysis},
        sides::Sides,
        verdict::Verdict,
    },
    campaign::LAST_UNIX_MS,
};
use indicatif::HumanCount;
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

/// A ratio of amounts in words: `12% less`, `12% more`, `3.1 times as much`.
pub fn change(ratio: f64) -> String {
    match ratio {
        _ if !ratio.is_finite() => "–".to_owned(),
        _ if ratio >= 2.0 => format!("{} times as much", significant(ratio)),
        _ if (ratio - 1.0).abs() < NOTHING => "no difference".to_owned(),
        _ if ratio > 1.0 => format!("{} more", percent(ratio - 1.0)),
        _ => format!("{} less", percent(1.0 - ratio)),
    }
}

/// Differences below this are 0% as [`percent`] rounds them.
const NOTHING: f64 = 0.000_05;

/// An interval of ratios in words: `9% to 15% less`, `1.2% less to 3% more`.
pub fn range(Interval { low, high }: Interval) -> String {
    match (low, high) {
        _ if high < 1.0 => format!("{} to {} less", percent(1.0 - high), percent(1.0 - low)),
        _ if low > 1.0 && high < 2.0 => format!("{} to {} more", percent(low - 1.0), percent(high - 1.0)),
        _ if low >= 2.0 && high.is_finite() => format!("{} to {} times as much", significant(low), significant(high)),
        _ => format!("{} to {}", change(low), change(high)),
    }
}

/// By how much a ratio differs from 1, with its sign: `−12%`, `+3.4%`; from 10 on the ratio itself: `×31.4`.
pub fn percent_change(ratio: f64) -> String {
    match percent(ratio - 1.0) {
        _ if ratio >= 10.0 && ratio.is_finite() => format!("×{}", significant(ratio)),
        text if text == "0%" || text.starts_with(['−', '–']) => text,
        text => format!("+{text}"),
    }
}

/// An interval as changes in percent: `−12% to +3.4%`.
pub fn changes(Interval { low, high }: Interval) -> String {
    from_to(low, high, percent_change)
}

/// An interval by its ends.
pub fn from_to(low: f64, high: f64, text: fn(f64) -> String) -> String {
    format!("{} to {}", text(low), text(high))
}

/// A value with its interval, where it has one.
pub fn with_interval(value: f64, interval: Option<Interval>, text: fn(f64) -> String) -> String {
    match interval {
        Some(Interval { low, high }) => format!("{} ({})", text(value), from_to(low, high, text)),
        None => text(value),
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

/// A share in percent, rounded as people read it: `12%`, `3.4%`, `0.05%`, `−2%`.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let decimals = match value.abs() {
        _ if !value.is_finite() => return "–".to_owned(),
        // Nearly all is not all.
        99.5..100.0 if value > 0.0 => return "over 99%".to_owned(),
        9.95.. => 0,
        0.095.. => 1,
        _ => 2,
    };
    let text = format!("{:.decimals$}", value.abs());
    let text = without_trailing_zeros(&text);
    format!("{}{text}%", if value < 0.0 && text != "0" { "−" } else { "" })
}

/// `1.50` as `1.5` and `2.00` as `2`; whole numbers and powers of ten as they are.
pub fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') && !text.contains('e') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A number of three digits or so: `0.00123`, `1.23`, `123`, `12,300`, and powers of ten beyond that.
pub fn significant(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        size @ 100.0..1e9 => format!("{}{}", if value < 0.0 { "−" } else { "" }, count(size.round() as u64)),
        size @ 1e-4..100.0 => {
            // At least two decimals below 10, none lost above.
            let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
            format!("{value:.decimals$}").replace('-', "−")
        }
        _ => format!("{value:.2e}").replace('-', "−"),
    }
}

/// A whole number with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// US dollars: cents where that is enough, two digits where it is not.
pub fn dollars(usd: f64) -> String {
    let sign = if usd < 0.0 { "−" } else { "" };
    match usd.abs() {
        _ if !usd.is_finite() => "–".to_owned(),
        size @ 1000.0..1e15 => format!("{sign}${}", count(size.round() as u64)),
        size @ 1.0..1000.0 => format!("{sign}${size:.2}"),
        size @ 1e-9..1.0 => format!("{sign}${size:.*}", (1 - size.log10().floor() as i32).max(2) as usize),
        size => format!("{sign}${}", significant(size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_have_the_digits_that_people_read() {
        let texts = [0.2, 0.034, 0.09, 0.0005, 0.0, -0.12, 0.99999, 1.0, f64::NAN].map(percent);
        assert_eq!(texts, ["20%", "3.4%", "9%", "0.05%", "0%", "−12%", "over 99%", "100%", "–"]);
        assert_eq!([0.88, 1.002, 1.0, 31.4].map(percent_change), ["−12%", "+0.2%", "0%", "×31.4"]);
    }

    #[test]
    fn changes_say_which_is_more() {
        let texts = [0.88, 1.12, 1.0, 3.126, 1e-6, 1e6, f64::INFINITY].map(change);
        let expected = [
            "12% less",
            "12% more",
            "no difference",
            "3.13 times as much",
            "over 99% less",
            "1,000,000 times as much",
            "–",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn ranges_name_their_direction() {
        let range = |low, high| super::range(Interval { low, high });
        assert_eq!(range(0.85, 0.91), "9% to 15% less");
        assert_eq!(range(1.05, 1.2), "5% to 20% more");
        assert_eq!(range(0.988, 1.03), "1.2% less to 3% more");
        assert_eq!(range(1.5, 3.0), "50% more to 3.00 times as much");
        assert_eq!(range(2.5, 3.0), "2.50 to 3.00 times as much");
        assert_eq!(range(0.5, f64::INFINITY), "50% less to –");
    }

    #[test]
    fn names_tell_the_sides_apart() {
        let role = Name { name: "candidate".to_owned(), is_role: true };
        assert_eq!([role.to_string(), role.at_start(), role.label()], ["the candidate", "The candidate", "candidate"]);
        let own = Name { name: "the-one-with-a-long-name".to_owned(), is_role: false };
        assert_eq!([own.at_start(), own.label()], ["the-one-with-a-long-name", "the-one-with…"]);
    }

    #[test]
    fn numbers_have_about_three_digits() {
        let texts = [0.0, 0.001234, 1.234, 12.34, 123.4, -12345.6, 1e-9, 1e12].map(significant);
        assert_eq!(texts, ["0", "0.00123", "1.23", "12.3", "123", "−12,346", "1.00e−9", "1.00e12"]);
        assert_eq!(
            [0.0000123, 0.5, 0.0, 12.0, 12345.0].map(dollars),
            ["$0.000012", "$0.50", "$0", "$12.00", "$12,345"]
        );
        assert_eq!(
            (count(1_234_567), counted(1_u64, "block"), counted(2_u64, "block")),
            ("1,234,567".to_owned(), "1 block".to_owned(), "2 blocks".to_owned())
        );
    }
}
