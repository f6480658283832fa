//! Numbers in as many digits as people read.

use crate::analysis::result::Interval;
use indicatif::HumanCount;
use std::time::Duration;

/// A number as text, in so many digits more than people read elsewhere.
pub type Digits = fn(f64, usize) -> String;

/// How many more digits tell the ends of an interval apart; ends that are the same need none.
fn digits_of_ends([low, high]: [f64; 2], text: Digits) -> usize {
    const MOST: usize = 6;
    let are_apart = |more: &usize| text(low, *more) != text(high, *more);
    (0..=MOST).find(are_apart).filter(|_| low < high).unwrap_or_default()
}

/// The ends of an interval in as many digits as tell them apart.
pub fn texts_of_ends(ends: [f64; 2], text: Digits) -> [String; 2] {
    let more = digits_of_ends(ends, text);
    ends.map(|end| text(end, more))
}

/// An interval by its ends.
pub fn from_to(low: f64, high: f64, text: Digits) -> String {
    texts_of_ends([low, high], text).join(" to ")
}

/// A value with its interval, where it has one, all in the same digits.
pub fn with_interval(value: f64, interval: Option<Interval>, text: Digits) -> String {
    let Some(Interval { low, high }) = interval else { return text(value, 0) };
    format!("{} ({})", text(value, digits_of_ends([low, high], text)), from_to(low, high, text))
}

/// A share in percent, rounded as people read it: `12%`, `3.4%`, `0.05%`, `−2%`.
pub fn percent(share: f64) -> String {
    percent_to(share, 0)
}

/// The same in more digits.
pub fn percent_to(share: f64, more: usize) -> String {
    let value = share * 100.0;
    let decimals = match value.abs() {
        _ if !value.is_finite() => return "–".to_owned(),
        9.95.. => 0,
        0.095.. => 1,
        _ => 2,
    };
    let text = format!("{:.*}", decimals + more, value.abs());
    let text = without_trailing_zeros(&text);
    format!("{}{text}%", if value < 0.0 && text != "0" { "−" } else { "" })
}

/// The proportion that some are of all, in percent: nearly all is not all.
pub fn proportion(share: f64) -> String {
    proportion_to(share, 0)
}

/// The same in more digits.
pub fn proportion_to(share: f64, more: usize) -> String {
    match percent_to(share, more) {
        text if text == "100%" && share < 1.0 => {
            format!("over {}", percent_to(1.0 - 0.01 / 10_f64.powi(more as i32), more))
        }
        text => text,
    }
}

/// `1.50` as `1.5` and `2.00` as `2`; whole numbers and powers of ten as they are.
pub fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') && !text.contains('e') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A number of three digits or so: `0.00123`, `1.23`, `123`, `12,300`, and powers of ten beyond that.
pub fn significant(value: f64) -> String {
    significant_to(value, 0)
}

/// The same in more digits.
pub fn significant_to(value: f64, more: usize) -> String {
    match value.abs() {
        _ if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        size @ 1e-4..1e9 => {
            let decimals = (2 - exponent(size, 2)).max(0) as usize;
            let text = format!("{size:.*}", decimals + more);
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let whole = whole.parse().map_or(whole.to_owned(), count);
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{}{whole}{point}{fraction}", if value < 0.0 { "−" } else { "" })
        }
        _ => format!("{value:.*e}", 2 + more).replace('-', "−"),
    }
}

/// The power of ten of a number's first digit, once it is rounded to so many digits after that.
fn exponent(size: f64, digits: usize) -> i32 {
    format!("{size:.digits$e}").split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

/// A whole number with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// US dollars: cents where that is enough, two digits where it is not.
pub fn dollars(usd: f64) -> String {
    dollars_to(usd, 0)
}

/// The same in more digits.
pub fn dollars_to(usd: f64, more: usize) -> String {
    let sign = if usd < 0.0 { "−" } else { "" };
    match usd.abs() {
        _ if !usd.is_finite() => "–".to_owned(),
        size @ 1000.0..1e15 if more == 0 => format!("{sign}${}", count(size.round() as u64)),
        size @ 1000.0..1e15 => format!("{sign}${size:.more$}"),
        size @ 1.0..1000.0 => format!("{sign}${size:.*}", 2 + more),
        size @ 1e-9..1.0 => format!("{sign}${size:.*}", (1 - exponent(size, 1)).max(2) as usize + more),
        size => format!("{sign}${}", significant_to(size, more)),
    }
}

/// A unit of time: how many milliseconds it has, and its name.
pub type TimeUnit = (f64, &'static str);

const MILLISECONDS: TimeUnit = (1.0, "ms");
const SECONDS: TimeUnit = (1e3, "s");

/// The unit in which a measured time has few digits.
pub fn time_unit(ms: f64) -> TimeUnit {
    if ms.abs() < 1e4 { MILLISECONDS } else { SECONDS }
}

/// A time that was measured: `9.97 ms`, `124 s`.
pub fn measured(ms: f64) -> String {
    measured_in(time_unit(ms), ms)
}

/// The same in this unit.
pub fn measured_in((size, unit): TimeUnit, ms: f64) -> String {
    format!("{} {unit}", significant(ms / size))
}

/// A mean time with its interval: `28.1 ms (27.9 to 28.3)`.
pub fn measured_with_interval((size, unit): TimeUnit, ms: f64, interval: Interval) -> String {
    let ends = interval.map(|ms| ms / size);
    let more = digits_of_ends([ends.low, ends.high], significant_to);
    format!("{} {unit} ({})", significant_to(ms / size, more), from_to(ends.low, ends.high, significant_to))
}

/// The unit for what is held to a time that was set as a limit.
pub fn unit_of_limit(ms: f64) -> TimeUnit {
    if ms < SECONDS.0 { MILLISECONDS } else { SECONDS }
}

/// A time that was set as a limit, in the largest unit that it is a multiple of: `900 ms`, `1.5 s`, `1 h`.
pub fn exact_time(ms: f64) -> String {
    let is_multiple = |(size, _): &TimeUnit| ms >= *size && ms % size == 0.0;
    let larger = [(3.6e6, "h"), (6e4, "min")].into_iter().find(is_multiple);
    let (size, unit) = larger.unwrap_or_else(|| unit_of_limit(ms));
    format!("{} {unit}", ms / size)
}

/// How long something took, in whole seconds.
pub fn took(elapsed_ms: u64) -> String {
    humantime::format_duration(Duration::from_secs(elapsed_ms.saturating_add(500) / 1000)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_have_the_digits_that_people_read() {
        let texts = [0.2, 0.034, 0.09, 0.0005, 0.0, -0.12, 0.99999, 1.0, f64::NAN].map(percent);
        assert_eq!(texts, ["20%", "3.4%", "9%", "0.05%", "0%", "−12%", "100%", "100%", "–"]);
        assert_eq!(
            [0.9949, 0.995, 0.99999, 1.0, 0.034].map(proportion),
            ["99%", "over 99%", "over 99%", "100%", "3.4%"]
        );
    }

    #[test]
    fn a_value_has_the_digits_of_its_interval() {
        let interval = |low, high| Some(Interval { low, high });
        assert_eq!(with_interval(12.27, interval(12.262, 12.281), significant_to), "12.27 (12.26 to 12.28)");
        assert_eq!(with_interval(12.27, interval(12.0, 13.0), significant_to), "12.3 (12.0 to 13.0)");
        assert_eq!(with_interval(12.27, None, significant_to), "12.3");
        let narrow = Interval { low: 1122.8, high: 1123.0 };
        assert_eq!(measured_with_interval(unit_of_limit(999.0), 1122.9, narrow), "1,122.9 ms (1,122.8 to 1,123.0)");
        assert_eq!(measured_with_interval(unit_of_limit(1000.0), 1122.9, narrow), "1.1229 s (1.1228 to 1.1230)");
        assert_eq!(
            (measured_in(time_unit(11_468.0), 9_444.0), exact_time(1123.0)),
            ("9.44 s".to_owned(), "1.123 s".to_owned())
        );
    }

    #[test]
    fn numbers_have_about_three_digits() {
        let texts = [0.0, 0.001234, 1.234, 12.34, 123.4, -12345.6, 1e-9, 1e12].map(significant);
        assert_eq!(texts, ["0", "0.00123", "1.23", "12.3", "123", "−12,346", "1.00e−9", "1.00e12"]);
        // What is rounded up to a power of ten has no digit more for it.
        assert_eq!([0.099_999, 0.1, 9.999, 99.96].map(significant), ["0.100", "0.100", "10.0", "100"]);
        assert_eq!(
            [0.0000123, 0.5, 0.0, 12.0, 12345.0, 0.099_99].map(dollars),
            ["$0.000012", "$0.50", "$0", "$12.00", "$12,345", "$0.10"]
        );
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn ends_that_differ_look_different() {
        assert_eq!(from_to(0.5996, 0.6004, percent_to), "59.96% to 60.04%");
        assert_eq!(from_to(0.9961, 0.9987, proportion_to), "99.6% to 99.9%");
        assert_eq!(from_to(0.9999, 0.999_95, proportion_to), "99.99% to over 99.99%");
        assert_eq!(from_to(1204.1, 1204.3, significant_to), "1,204.1 to 1,204.3");
        assert_eq!(from_to(1200.1, 1200.2, dollars_to), "$1200.1 to $1200.2");
        assert_eq!(from_to(0.25, 0.25, percent_to), "25% to 25%");
    }

    #[test]
    fn times_have_units_that_fit() {
        assert_eq!([9.97, 9_715.0, 124_456.0].map(measured), ["9.97 ms", "9,715 ms", "124 s"]);
        let texts = [0.5, 900.0, 1e3, 1500.0, 6e4, 9e4, 3.6e6].map(exact_time);
        assert_eq!(texts, ["0.5 ms", "900 ms", "1 s", "1.5 s", "1 min", "90 s", "1 h"]);
        assert_eq!([7_499, 7_500, 61_000].map(took), ["7s", "8s", "1m 1s"]);
    }
}
