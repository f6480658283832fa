//! HTTP statuses that the user accepts as success.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// A status, such as `404`, or a class of statuses, such as `4xx`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedStatus(RangeInclusive<u16>);

/// The text does not name a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a status; write one from 100 to 599, such as 404, or a class, such as 4xx")]
pub struct StatusError(String);

impl AcceptedStatus {
    /// The statuses of success in HTTP.
    pub const SUCCESS: Self = Self(200..=299);

    /// Whether any of `all` includes the status.
    pub fn any(all: &[Self], status: u16) -> bool {
        all.iter().any(|accepted| accepted.0.contains(&status))
    }
}

impl FromStr for AcceptedStatus {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
        let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        let range = match class {
            Some(class) => number(class).filter(|class| *class < 10).map(|class: u16| class * 100..=class * 100 + 99),
            None => number(text).map(|status| status..=status),
        };
        let range = range.filter(|range| (100..=599).contains(range.start()));
        range.map(Self).ok_or_else(|| StatusError(text.to_owned()))
    }
}

impl fmt::Display for AcceptedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last { write!(f, "{first}") } else { write!(f, "{}xx", first / 100) }
    }
}

impl Serialize for AcceptedStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AcceptedStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_status_or_a_class_of_statuses() {
        let accepts = |text: &str, status| AcceptedStatus::any(&[text.parse().unwrap()], status);
        assert!(accepts("404", 404) && !accepts("404", 405));
        assert!(accepts("4xx", 400) && accepts("4XX", 499) && !accepts("4xx", 500) && !accepts("4xx", 399));
        for text in ["404", "4xx"] {
            assert_eq!(text.parse::<AcceptedStatus>().unwrap().to_string(), text);
        }
        for text in ["", "xx", "0xx", "6xx", "44xx", "99", "600", "+404", "4x", "ok"] {
            assert!(text.parse::<AcceptedStatus>().unwrap_err().to_string().contains("such as 404"), "{text}");
        }
    }
}
