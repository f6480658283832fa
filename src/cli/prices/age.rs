//! Prices that are old.

use crate::{campaign::prices::TableKind, cli::output::note};
use std::{env, time::SystemTime};

/// The age in days up to which nothing is said.
const UP_TO_DATE_DAYS: u64 = 90;

/// Says that prices are old, if any of these lists is: its kind and its date.
pub(in crate::cli) fn remind<'a>(lists: impl Iterator<Item = (TableKind, &'a str)>) {
    if let Some((date, days)) = oldest(lists, now()) {
        note(format_args!("Prices are of {date}, {days} days old; `duet prices --update` gets today's"));
    }
}

/// The same of prices that are stored with a campaign.
pub(in crate::cli) fn remind_of_stored<'a>(lists: impl Iterator<Item = (TableKind, &'a str)>) {
    if let Some((date, days)) = oldest(lists, now()) {
        note(format_args!(
            "Prices stored with the campaign are of {date}, {days} days old; `duet prices --update` gets today's, and \
             --prices current takes them"
        ));
    }
}

/// The oldest of these dates and its age in days, if that is too old. A table of the user's own may be as old as a contract.
fn oldest<'a>(lists: impl Iterator<Item = (TableKind, &'a str)>, now: SystemTime) -> Option<(&'a str, u64)> {
    let (_, date) = lists.filter(|(kind, _)| *kind != TableKind::Own).min_by_key(|(_, date)| *date)?;
    let age = now.duration_since(midnight(date)?).ok()?;
    let days = age.as_secs() / (24 * 60 * 60);
    (days > UP_TO_DATE_DAYS).then_some((date, days))
}

/// When a day began, in UTC.
fn midnight(date: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(&format!("{date}T00:00:00Z")).ok()
}

/// The day, in UTC, as dates of prices are written.
pub(super) fn today() -> String {
    humantime::format_rfc3339(now()).to_string()[.."2026-08-31".len()].to_owned()
}

/// The time, or the day that a test sets.
fn now() -> SystemTime {
    let set = env::var("DUET_TODAY").ok().and_then(|date| midnight(&date));
    set.unwrap_or_else(SystemTime::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_old_after_90_days() {
        let age = |dates: &[&'static str], today: &str| {
            oldest(dates.iter().map(|date| (TableKind::BuiltIn, *date)), midnight(today).unwrap())
        };
        assert_eq!(age(&["2026-08-31"], "2026-11-29"), None);
        assert_eq!(age(&["2026-08-31"], "2026-11-30"), Some(("2026-08-31", 91)));
        assert_eq!(age(&["2026-08-31", "2025-01-01", "2026-11-30"], "2026-11-30"), Some(("2025-01-01", 698)));
        // A clock that is wrong.
        assert_eq!(age(&["2026-08-31"], "2020-01-01"), None);
        assert_eq!(age(&[], "2026-11-30"), None);
        let own = [(TableKind::Own, "2020-01-01"), (TableKind::Updated, "2026-11-01")].into_iter();
        assert_eq!(oldest(own, midnight("2026-11-30").unwrap()), None);
    }
}
