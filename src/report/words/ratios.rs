//! Ratios of amounts in words and as changes.

use super::numbers::{
    Digits, from_to, percent, percent_to, proportion, proportion_to, significant, significant_to, texts_of_ends,
    with_interval,
};
use crate::analysis::result::Interval;

/// Differences below this are 0% as [`percent`] rounds them.
const NOTHING: f64 = 0.000_05;

/// From this ratio on it is said how many times as much, and not how much more.
const TIMES: f64 = 2.0;

/// A ratio of amounts in words: `12% less`, `12% more`, `3.1 times as much`.
pub fn change(ratio: f64) -> String {
    match ratio {
        _ if !ratio.is_finite() => "–".to_owned(),
        _ if ratio >= TIMES => format!("{} times as much", significant(ratio)),
        _ if is_nothing(ratio) => "no difference".to_owned(),
        _ if ratio > 1.0 => format!("{} more", percent(ratio - 1.0)),
        _ => format!("{} less", proportion(1.0 - ratio)),
    }
}

fn is_nothing(ratio: f64) -> bool {
    (ratio - 1.0).abs() < NOTHING
}

/// An amount of something beside that of another: `12% less time than x86_64`, `3.13 times as much time as x86_64`.
pub fn compared(ratio: f64, what: &str, other: &str) -> String {
    let word = if is_nothing(ratio) || ratio >= TIMES { "as" } else { "than" };
    format!("{} {word} {other}", amount(ratio, what))
}

/// The same where it is clear what it is compared with: `12% less time`, `3.13 times as much time`, `as much time`.
pub fn amount(ratio: f64, what: &str) -> String {
    let amount = if is_nothing(ratio) { "as much".to_owned() } else { change(ratio) };
    if what.is_empty() { amount } else { format!("{amount} {what}") }
}

/// The ends of an interval of ratios, both in one form, and what they are said to be, if that is the same of both.
fn ends(Interval { low, high }: Interval) -> ([String; 2], &'static str) {
    match (low, high) {
        _ if high >= TIMES && high.is_finite() => (texts_of_ends([low, high], significant_to), " times as much"),
        _ if high < 1.0 => (texts_of_ends([1.0 - high, 1.0 - low], proportion_to), " less"),
        _ if low > 1.0 && high.is_finite() => (texts_of_ends([low - 1.0, high - 1.0], percent_to), " more"),
        _ => ([low, high].map(change), ""),
    }
}

/// An interval of ratios in words: `9% to 15% less`, `1.2% less to 3% more`.
pub fn range(interval: Interval) -> String {
    let (ends, what) = ends(interval);
    ends.join(" to ") + what
}

/// The same of an amount of something: `between 9% and 15% less time`.
pub fn range_of(interval: Interval, of: &str) -> String {
    let (ends, what) = ends(interval);
    format!("between {}{what} {of}", ends.join(" and "))
}

/// By how much a ratio differs from 1, with its sign: `−12%`, `+3.4%`; from 10 on the ratio itself: `×31.4`.
pub fn percent_change(ratio: f64) -> String {
    if ratio >= AS_RATIO && ratio.is_finite() { as_ratio(ratio, 0) } else { as_change(ratio, 0) }
}

/// From this ratio on a change is the ratio itself.
const AS_RATIO: f64 = 10.0;

fn as_ratio(ratio: f64, more: usize) -> String {
    format!("×{}", significant_to(ratio, more))
}

fn as_change(ratio: f64, more: usize) -> String {
    match percent_to(ratio - 1.0, more) {
        text if text == "0%" || text.starts_with(['−', '–']) => text,
        text => format!("+{text}"),
    }
}

/// An interval as changes in percent: `−12% to +3.4%`; as ratios where an end is one.
pub fn changes(interval: Interval) -> String {
    from_to(interval.low, interval.high, form_of(interval))
}

/// A ratio with its interval: `−12% (−15% to −9%)`.
pub fn change_with_interval(ratio: f64, interval: Interval) -> String {
    with_interval(ratio, Some(interval), form_of(interval))
}

fn form_of(interval: Interval) -> Digits {
    if interval.high >= AS_RATIO && interval.high.is_finite() { as_ratio } else { as_change }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_say_which_is_more() {
        let texts = [0.88, 1.12, 1.0, 3.126, 1e-6, 1.998, 1e6, f64::INFINITY].map(change);
        let expected = [
            "12% less",
            "12% more",
            "no difference",
            "3.13 times as much",
            "over 99% less",
            "100% more",
            "1,000,000 times as much",
            "–",
        ];
        assert_eq!(texts, expected);
        assert_eq!(
            [0.88, 1.002, 1.0, 31.4, 1.998, 0.0001].map(percent_change),
            ["−12%", "+0.2%", "0%", "×31.4", "+100%", "−100%"]
        );
    }

    #[test]
    fn what_is_compared_has_its_preposition() {
        let texts = [0.88, 1.12, 1.0, 19.7].map(|ratio| compared(ratio, "time", "base"));
        let expected = [
            "12% less time than base",
            "12% more time than base",
            "as much time as base",
            "19.7 times as much time as base",
        ];
        assert_eq!(texts, expected);
        assert_eq!(compared(3.0, "", "base"), "3.00 times as much as base");
        assert_eq!(
            [0.88, 1.0, 19.7].map(|ratio| amount(ratio, "time")),
            ["12% less time", "as much time", "19.7 times as much time"]
        );
    }

    #[test]
    fn ranges_name_their_direction() {
        let range = |low, high| super::range(Interval { low, high });
        assert_eq!(range(0.85, 0.91), "9% to 15% less");
        assert_eq!(range(1.05, 1.2), "5% to 20% more");
        assert_eq!(range(0.988, 1.03), "1.2% less to 3% more");
        assert_eq!(range(2.5, 3.0), "2.50 to 3.00 times as much");
        assert_eq!(range(0.5, f64::INFINITY), "50% less to –");
    }

    #[test]
    fn both_ends_have_one_form_and_enough_digits() {
        let interval = |low, high| Interval { low, high };
        assert_eq!(range(interval(1.97, 2.01)), "1.97 to 2.01 times as much");
        assert_eq!(range(interval(0.5, 3.0)), "0.500 to 3.00 times as much");
        assert_eq!(range(interval(0.3996, 0.4004)), "59.96% to 60.04% less");
        assert_eq!(range(interval(0.001, 0.002)), "99.8% to 99.9% less");
        assert_eq!(range_of(interval(0.85, 0.91), "time"), "between 9% and 15% less time");
        assert_eq!(range_of(interval(0.95, 1.05), "time"), "between 5% less and 5% more time");
        assert_eq!(range_of(interval(0.95, 3.0), "time"), "between 0.950 and 3.00 times as much time");
        assert_eq!(changes(interval(0.3996, 0.4004)), "−60.04% to −59.96%");
        assert_eq!(changes(interval(9.5, 11.2)), "×9.50 to ×11.2");
    }
}
