//! The names in a table.

use super::{columns::unusable, source::Measurement};
use crate::campaign::{LAST_UNIX_MS, cell_names::reserved, run_directory::MAX_CELLS, variants::MAX_VARIANTS};
use aws_smithy_types::{DateTime, date_time::Format};
use std::collections::HashMap;

/// Names in the order in which they first appear.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    /// The place of each, and the lengths of its parts.
    places: HashMap<String, (usize, Vec<usize>)>,
}

impl Names {
    /// The place of a name. `None` if it has not appeared.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).map(|(place, _)| *place)
    }

    fn add(&mut self, name: &str, lengths: &[usize]) -> Result<(), String> {
        match self.places.get(name) {
            Some((_, known)) if known != lengths => {
                return Err(format!(
                    "{name:?} is already the name of other values of these columns, which differ in where a - is"
                ));
            }
            Some(_) => {}
            None => {
                self.places.insert(name.to_owned(), (self.names.len(), lengths.to_vec()));
                self.names.push(name.to_owned());
            }
        }
        Ok(())
    }
}

/// What a table holds.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) variants: Names,
    pub(super) cells: Names,
    pub(super) blocks: Names,
    /// When each block was, in milliseconds since 1970-01-01 UTC; `None` for one whose name is no time.
    times: Vec<Option<u64>>,
    pub(super) rows: u64,
}

impl Survey {
    /// Takes in one more measurement.
    ///
    /// # Errors
    /// When there are more variants or cells than a campaign has.
    pub(super) fn add(&mut self, measurement: &Measurement<'_>) -> Result<(), String> {
        let Measurement { variant, cell, block, .. } = measurement;
        for (what, name) in [("variant", Some(variant)), ("cell", cell.as_ref())] {
            if let Some(reason) = name.and_then(|name| unusable(&name.text)) {
                return Err(format!("the name of its {what} {reason}"));
            }
        }
        self.rows += 1;
        self.variants.add(&variant.text, &variant.lengths)?;
        if self.variants.names.len() > MAX_VARIANTS {
            return Err(format!(
                "{:?} is one more variant than {MAX_VARIANTS}, the most that a campaign has; name other columns \
                 with --variant, or import a part of the table",
                variant.text
            ));
        }
        if let Some(cell) = cell {
            if let Some(reason) = reserved(&cell.text) {
                return Err(format!("the name of its cell {reason}"));
            }
            self.cells.add(&cell.text, &cell.lengths)?;
        }
        if self.cells.names.len() > MAX_CELLS {
            return Err(format!(
                "more than {MAX_CELLS} cells are more than a campaign has; name other columns with --cell"
            ));
        }
        if let Some(block) = block {
            self.blocks.add(block, &[])?;
            if self.times.len() < self.blocks.names.len() {
                self.times.push(unix_ms(block));
            }
        }
        Ok(())
    }

    /// When each block was. `None` unless all of them are named by their time.
    pub(super) fn times(&self) -> Option<Vec<u64>> {
        self.times.iter().copied().collect::<Option<Vec<_>>>().filter(|times| !times.is_empty())
    }
}

/// A date, or a date and a time with or without an offset from UTC, in milliseconds since 1970-01-01 UTC.
fn unix_ms(text: &str) -> Option<u64> {
    let (date, time) = text.split_at_checked("2026-04-25".len())?;
    let time = match time.strip_prefix(['T', 't', ' ']) {
        None if time.is_empty() => "00:00:00Z".to_owned(),
        None => return None,
        Some(time) => with_offset(time),
    };
    let time = DateTime::from_str(&format!("{date}T{time}"), Format::DateTimeWithOffset).ok()?;
    u64::try_from(time.to_millis().ok()?).ok().filter(|unix_ms| *unix_ms <= LAST_UNIX_MS)
}

/// A time of day with its offset as RFC 3339 has it. ISO 8601 allows `+0200`, `+02` and no offset too, which here is UTC.
fn with_offset(time: &str) -> String {
    let offset_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, offset) = time.split_at(offset_at);
    let offset = match offset.len() {
        0 => "Z".to_owned(),
        3 => format!("{offset}:00"),
        5 if !offset.contains(':') => format!("{}:{}", &offset[..3], &offset[3..]),
        _ => offset.to_owned(),
    };
    time.to_owned() + &offset
}

#[cfg(test)]
mod tests {
    use super::unix_ms;

    #[test]
    fn dates_and_times_are_times_and_nothing_else() {
        assert_eq!(unix_ms("1970-01-02"), Some(86_400_000));
        assert_eq!(unix_ms("1970-01-01T00:00:01Z"), Some(1_000));
        assert_eq!(unix_ms("1970-01-01 00:00:01.5"), Some(1_500));
        for text in ["", "7", "round 1", "1969-12-31", "2026-13-01", "2026-04-2ö", "2026-04-25x", "2026-04-25 ö+02ö"]
        {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_from_utc_are_taken_off() {
        let utc = unix_ms("2026-04-25T08:00:00Z");
        assert!(utc.is_some());
        for text in [
            "2026-04-25T10:00:00+02:00",
            "2026-04-25T10:00:00.000+02:00",
            "2026-04-25 10:00:00+0200",
            "2026-04-25 10:00:00+02",
            "2026-04-25T02:30:00-05:30",
            "2026-04-25t08:00:00z",
            "2026-04-25T08:00:00",
        ] {
            assert_eq!(unix_ms(text), utc, "{text}");
        }
        assert_eq!(unix_ms("2026-04-25T10:00:00.25+02:00"), utc.map(|ms| ms + 250));
        for text in
            ["2026-04-25T10:00:00+", "2026-04-25T10:00:00+2", "2026-04-25T10:00:00 CEST", "1970-01-01T01:00:00+02:00"]
        {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }
}
