//! Numbers and names as people read them.

use crate::{
    analysis::result::{Analysis, Interval, Ratio, SummaryStatistics},
    campaign::sides::{Side, Sides},
};
use std::fmt;

/// What a side is called in a report.
#[derive(Clone, Debug)]
pub enum Name {
    /// The user's or the function's own.
    Own(String),
    /// What stands in for it where there is none, or both sides have the same.
    Role(Side),
}

impl Name {
    /// At the beginning of a sentence.
    pub fn at_start(&self) -> String {
        match self {
            Self::Own(name) => name.clone(),
            Self::Role(side) => format!("The {side}"),
        }
    }

    /// As the heading of a column, short enough that columns of numbers stay narrow.
    pub fn label(&self) -> String {
        const LONGEST: usize = 13;
        let name = match self {
            Self::Own(name) => name.clone(),
            Self::Role(side) => side.to_string(),
        };
        if name.chars().count() <= LONGEST {
            return name;
        }
        name.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(name) => f.write_str(name),
            Self::Role(side) => write!(f, "the {side}"),
        }
    }
}

/// The names of both sides, such that they tell the sides apart.
pub fn names(analysis: &Analysis) -> Sides<Name> {
    let Sides { baseline, candidate } = analysis.names();
    let is_unnamed = baseline == Side::Baseline.as_str() && candidate == Side::Candidate.as_str();
    if is_unnamed || baseline == candidate || baseline.is_empty() || candidate.is_empty() {
        return Sides { baseline: Name::Role(Side::Baseline), candidate: Name::Role(Side::Candidate) };
    }
    Sides { baseline: Name::Own(baseline.to_owned()), candidate: Name::Own(candidate.to_owned()) }
}

/// So many of them.
pub fn counted(number: impl Into<u64>, what: &str) -> String {
    match number.into() {
        1 => format!("1 {what}"),
        number => format!("{} {what}s", count(number)),
    }
}

/// What a ratio of amounts comes to: `12% less`, `12% more`, `3.1 times as much`.
pub fn change(ratio: f64) -> String {
    match ratio {
        _ if !ratio.is_finite() => "–".to_owned(),
        _ if ratio >= 2.0 => format!("{} times as much", significant(ratio)),
        _ if (ratio - 1.0).abs() < NOTHING => "no difference".to_owned(),
        _ if ratio > 1.0 => format!("{} more", percent(ratio - 1.0)),
        _ => format!("{} less", percent(1.0 - ratio)),
    }
}

/// Differences below this are 0% with the digits that people read.
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
    format!("{} to {}", percent_change(low), percent_change(high))
}

/// A ratio as a change in percent, with its interval.
pub fn change_with_interval(ratio: &Ratio) -> String {
    match ratio.interval {
        Some(interval) => format!("{} ({})", percent_change(ratio.estimate), changes(interval)),
        None => percent_change(ratio.estimate),
    }
}

/// The mean of a side, if it has one.
pub fn mean_ms(levels: Option<&SummaryStatistics>) -> Option<String> {
    levels.map(|levels| format!("{} ms", significant(levels.mean)))
}

/// A CPU model without what all of them have.
pub fn short_cpu(model: &str) -> String {
    let plain = model.replace("(R)", "").replace("(TM)", "").replace("Processor", "").replace("CPU", "");
    match plain.split_whitespace().collect::<Vec<_>>().join(" ") {
        short if short.is_empty() => "unknown".to_owned(),
        short => short,
    }
}

/// A share in percent, with the digits that people read: `12%`, `3.4%`, `0.05%`, `−2%`.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let decimals = match value.abs() {
        _ if !value.is_finite() => return "–".to_owned(),
        it if it >= 9.95 => 0,
        it if it >= 0.095 => 1,
        _ => 2,
    };
    // Something that is nearly all is not all.
    let text = if (99.5..100.0).contains(&value) { "over 99".to_owned() } else { trimmed(value, decimals) };
    format!("{text}%")
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{}{text}", if value < 0.0 && text != "0" { "−" } else { "" })
}

/// A number of three digits or so: `0.00123`, `1.23`, `123`, `12,300`, and powers of ten beyond that.
pub fn significant(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        it if !(1e-4..1e9).contains(&it) => format!("{value:.2e}").replace('-', "−"),
        it if it >= 100.0 => {
            let sign = if value < 0.0 { "−" } else { "" };
            sign.to_owned() + &count(it.round() as u64)
        }
        it => {
            // At least two decimals below 10, none lost above.
            let decimals = (2 - it.log10().floor() as i32).max(0) as usize;
            format!("{value:.decimals$}").replace('-', "−")
        }
    }
}

/// A whole number with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// US dollars: cents where that is enough, two digits where it is not.
pub fn dollars(usd: f64) -> String {
    let sign = if usd < 0.0 { "−" } else { "" };
    match usd.abs() {
        it if !it.is_finite() => "–".to_owned(),
        it if (1000.0..1e15).contains(&it) => format!("{sign}${}", count(it.round() as u64)),
        it if (1.0..1000.0).contains(&it) => format!("{sign}${it:.2}"),
        it if (1e-9..1.0).contains(&it) => format!("{sign}${it:.*}", (1 - it.log10().floor() as i32).max(2) as usize),
        it => format!("{sign}${}", significant(it)),
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
        let role = Name::Role(Side::Candidate);
        assert_eq!([role.to_string(), role.at_start(), role.label()], ["the candidate", "The candidate", "candidate"]);
        let own = Name::Own("the-one-with-a-long-name".to_owned());
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
