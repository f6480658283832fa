//! Numbers of invocations on the command line.

use std::{fmt, str::FromStr};

/// How often something happens, written as `300`, `1.5k`, `50M` or `2B`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume(f64);

/// The text is not a volume.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a number of invocations above 0; write 300, 1.5k (thousands), 50M (millions) or 2B (billions)")]
pub struct VolumeError(String);

/// The largest volume: a thousand times what the largest account might have, far below where sums lose dollars.
const MAX: f64 = 1e15;

/// The units, of which both cases are read.
const UNITS: [(char, f64); 3] = [('k', 1e3), ('M', 1e6), ('B', 1e9)];

impl Volume {
    /// The number, which is finite and above 0.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Volume {
    type Err = VolumeError;

    fn from_str(text: &str) -> Result<Self, VolumeError> {
        let in_unit = |(unit, factor): (char, f64)| {
            Some((text.strip_suffix([unit.to_ascii_lowercase(), unit.to_ascii_uppercase()])?, factor))
        };
        let (number, factor) = UNITS.into_iter().find_map(in_unit).unwrap_or((text, 1.0));
        // `parse` would take inf, nan, signs and exponents too.
        let is_plain =
            number.chars().all(|character| character.is_ascii_digit() || character == '.' || character == '_');
        let value = number.replace('_', "").parse::<f64>().ok().filter(|_| is_plain).map(|value| value * factor);
        value.filter(|value| *value > 0.0 && *value <= MAX).map(Self).ok_or_else(|| VolumeError(text.to_owned()))
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.into_iter().rev().find(|(_, factor)| self.0 >= *factor) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_read_and_written_alike() {
        for (text, value, written) in [
            ("300", 300.0, "300"),
            ("1.5k", 1500.0, "1.5k"),
            ("1500", 1500.0, "1.5k"),
            ("50M", 50e6, "50M"),
            ("50m", 50e6, "50M"),
            ("50_000_000", 50e6, "50M"),
            ("2B", 2e9, "2B"),
            (".5K", 500.0, "500"),
        ] {
            let volume: Volume = text.parse().unwrap();
            assert_eq!((volume.get(), volume.to_string().as_str()), (value, written));
            assert_eq!(written.parse(), Ok(volume));
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_accepted_forms() {
        for text in [
            "", "0", "-5", "+5", "M", "50 M", "50MM", "5T", "1e6", "inf", "nan", "1,5k", "_", "9999999B", "5µ", "1.2.3",
        ] {
            let error = text.parse::<Volume>().unwrap_err().to_string();
            assert!(error.contains(&format!("\"{text}\"")) && error.contains("50M (millions)"), "{error}");
        }
    }
}
