//! Values of arguments as the types of the program.

use crate::{
    analysis::limits::{LatencyLimit, TimeStatistic},
    protocol::{Size, SizeName},
};
use hyper::Method;
use std::{ops::RangeInclusive, time::Duration};

/// Reads a percentage above 0% and below 50% as a proportion: 0.02 for `2%`.
pub(super) fn percent(text: &str) -> Result<f64, &'static str> {
    let below_half = proportion(text).filter(|proportion| *proportion > 0.0 && *proportion < 0.5);
    below_half.ok_or("it must be a percentage above 0% and below 50%, such as 2%")
}

/// Reads a percentage from 0% to 100% as a proportion.
pub(super) fn up_to_all(text: &str) -> Result<f64, &'static str> {
    let up_to_all = proportion(text).filter(|proportion| (0.0..=1.0).contains(proportion));
    up_to_all.ok_or("it must be a percentage from 0% to 100%, such as 1%")
}

/// Reads a percentage from 0%, no increase at all, to 1000% as a proportion.
pub(super) fn increase(text: &str) -> Result<f64, &'static str> {
    let increase = proportion(text).filter(|proportion| (0.0..=10.0).contains(proportion));
    increase.ok_or("expected a percentage from 0% to 1000%, such as 5%")
}

/// Reads the weight of one of two things, the other of which has the rest of 1.
pub(super) fn weight(text: &str) -> Result<f64, &'static str> {
    let weight = text.parse().ok().filter(|weight| (0.0..=1.0).contains(weight));
    weight.ok_or("it must be a number from 0, time alone, to 1, cost alone, such as 0.5")
}

/// Reads a time that the mean, or the statistic that is named before it, may have.
pub(super) fn latency_limit(text: &str) -> Result<LatencyLimit, String> {
    let (of, time) = match text.split_once('=') {
        Some((name, time)) => (statistic(name)?, time),
        None => (TimeStatistic::Mean, text),
    };
    let time = humantime::parse_duration(time)
        .map_err(|error| format!("{error}; write a time with its unit, such as 300ms or p99=300ms"))?;
    if time.is_zero() {
        return Err("the time must be above 0, such as 300ms".to_owned());
    }
    Ok(LatencyLimit { of, ms: time.as_nanos() as f64 / 1e6 })
}

fn statistic(name: &str) -> Result<TimeStatistic, String> {
    let statistic = TimeStatistic::ALL.into_iter().find(|statistic| statistic.to_string() == name);
    statistic
        .ok_or_else(|| format!("\"{name}\" is no statistic; write mean=, p50=, p90=, p95= or p99= before the time"))
}

/// Reads a memory size of Lambda's, in MB.
pub(super) fn memory_mb(text: &str) -> Result<u32, String> {
    /// The sizes that Lambda has.
    const SIZES: RangeInclusive<u32> = 128..=10_240;
    let size = |text: &str| text.parse().ok().filter(|size| SIZES.contains(size));
    let number = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    size(text).ok_or_else(|| match size(number) {
        Some(size) => format!("{text} is not a size in MB: write {size}"),
        None => format!("it must be a number of MB from {} to {}, such as 512, or auto", SIZES.start(), SIZES.end()),
    })
}

pub(super) fn size(text: &str) -> Result<Size, &'static str> {
    let named = SizeName::ALL.into_iter().find(|name| name.to_string() == text).map(Size::Named);
    let size = named.or_else(|| text.parse().ok().map(Size::Elements));
    size.ok_or("it must be small, medium, large or a number of elements")
}

pub(super) fn pointer(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("a JSON pointer starts with /") }
}

pub(super) fn tolerance(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or("it must be a number above 0 and below 1, such as 1e-9")
}

pub(super) fn method(text: &str) -> Result<Method, &'static str> {
    let method = text.to_ascii_uppercase().parse().map_err(|_| "it must be a method of HTTP, such as PUT")?;
    if method == Method::CONNECT { Err("CONNECT asks a proxy, not a function") } else { Ok(method) }
}

pub(super) fn dollars(text: &str) -> Result<f64, &'static str> {
    let amount = text.parse().ok().filter(|amount| *amount > 0.0 && *amount < f64::INFINITY);
    amount.ok_or("it must be an amount of US dollars above 0, such as 0.50")
}

/// Reads a duration of at least 1 ms.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time < Duration::from_millis(1) { Err("it must be at least 1ms".to_owned()) } else { Ok(time) }
}

fn proportion(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    Some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_are_percentages_with_their_sign() {
        assert_eq!(percent("2%"), Ok(0.02));
        assert_eq!(percent("0.5%"), Ok(0.005));
        for wrong in ["0.02", "2", "%", "0%", "-1%", "50%", "1e400%", "NaN%", "inf%", "2 %", "2%%", ""] {
            assert!(percent(wrong).unwrap_err().contains("such as 2%"), "{wrong}");
        }
        assert_eq!([up_to_all("0%"), up_to_all("100%"), up_to_all("0.4%")], [Ok(0.0), Ok(1.0), Ok(0.004)]);
        for wrong in ["1", "101%", "-1%", "NaN%", ""] {
            assert!(up_to_all(wrong).unwrap_err().contains("such as 1%"), "{wrong}");
        }
        assert_eq!([increase("5%"), increase("2.5%"), increase("0%")], [Ok(0.05), Ok(0.025), Ok(0.0)]);
        for wrong in ["", "%", "-1%", "1001%", "nan", "inf", "5%%", "5", "fast"] {
            assert!(increase(wrong).unwrap_err().contains("such as 5%"), "{wrong}");
        }
    }

    #[test]
    fn memory_sizes_are_numbers_of_mb() {
        assert_eq!(["128", "512", "10240"].map(memory_mb), [Ok(128), Ok(512), Ok(10_240)]);
        for unit in ["512MB", "512 MiB", "512m"] {
            assert_eq!(memory_mb(unit), Err(format!("{unit} is not a size in MB: write 512")));
        }
        for wrong in ["", "127", "10241", "1GB", "MB", "-512", "512.5"] {
            assert!(memory_mb(wrong).unwrap_err().contains("from 128 to 10240, such as 512"), "{wrong}");
        }
    }

    #[test]
    fn a_weight_is_a_number_up_to_1() {
        assert_eq!([weight("0"), weight("0.25"), weight("1")], [Ok(0.0), Ok(0.25), Ok(1.0)]);
        for wrong in ["-0.1", "1.1", "50%", "NaN", "inf", ""] {
            assert!(weight(wrong).unwrap_err().contains("such as 0.5"), "{wrong}");
        }
    }

    #[test]
    fn a_limit_of_latency_is_of_the_mean_unless_a_percentile_is_named() {
        for (text, of, ms) in [
            ("300ms", TimeStatistic::Mean, 300.0),
            ("mean=1s 500ms", TimeStatistic::Mean, 1500.0),
            ("p99=250us", TimeStatistic::P99, 0.25),
            ("p50=7ms", TimeStatistic::P50, 7.0),
        ] {
            assert_eq!(latency_limit(text), Ok(LatencyLimit { of, ms }), "{text}");
        }
        for (wrong, part) in [
            ("0", "above 0"),
            ("p99=0ms", "above 0"),
            ("fast", "such as 300ms"),
            ("300", "such as 300ms"),
            ("-5ms", "such as 300ms"),
            ("p99=", "such as 300ms"),
            ("", "such as 300ms"),
            ("p100=3ms", "\"p100\" is no statistic"),
            ("=3ms", "p99= before the time"),
        ] {
            let error = latency_limit(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }
}
