//! The columns of a table, and a measurement out of the texts in them.

use super::{
    Unit,
    quotation::{Misplaced, first_misplaced},
    source::{Measurement, Name},
};
use crate::{
    campaign::payload::MAX_NAME_BYTES,
    protocol::{control_characters::is_obeyed, nearest},
};
use csv::{ReaderBuilder, StringRecord, Trim};
use serde::{Deserialize, Serialize};

/// The names in a list with commas between them, in which a name that has a comma stands in quotation marks.
///
/// # Errors
/// With what is wrong with it, for the user.
pub fn column_names(list: &str) -> Result<Vec<String>, String> {
    if let Ok(Some(Misplaced { reason, .. })) = first_misplaced(list.as_bytes()) {
        return Err(reason.to_owned());
    }
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(list.as_bytes());
    let records: Vec<StringRecord> =
        reader.into_records().collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let names: Vec<String> = records.iter().flatten().map(str::to_owned).collect();
    let is_unnamed = names.is_empty() || names.iter().any(String::is_empty);
    if is_unnamed { Err("a column has no name".to_owned()) } else { Ok(names) }
}

/// The columns that are read, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub value: String,
    pub unit: Unit,
    /// Those whose values together name the variant.
    pub variant: Vec<String>,
    /// Those whose values together name the cell; without any there is one cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cell: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
}

impl Columns {
    /// All of them, in the order in which [`Self::measurement`] takes their texts.
    pub fn names(&self) -> Vec<&str> {
        let single = [&self.block, &self.environment, &self.cpu_model].into_iter().flatten();
        let names = [&self.value].into_iter().chain(&self.variant).chain(&self.cell).chain(single);
        names.map(String::as_str).collect()
    }

    /// The measurement in a row, of which these are the texts in [`Self::names`].
    ///
    /// # Errors
    /// With the column, its value, and what was expected.
    pub(super) fn measurement<'a>(&self, texts: &[&'a str]) -> Result<Measurement<'a>, String> {
        let mut names = self.names().into_iter().zip(texts).skip(1);
        if let Some((column, reason)) = names.find_map(|(column, text)| Some((column, unusable(text)?))) {
            return Err(format!("the column {column} {reason}"));
        }
        let mut texts = texts.iter().copied();
        let mut next = || texts.next().unwrap_or_default();
        let value_ms = self.value_ms(next())?;
        let variant: Vec<&str> = self.variant.iter().map(|_| next()).collect();
        let cell: Vec<&str> = self.cell.iter().map(|_| next()).collect();
        Ok(Measurement {
            variant: Name::of(&variant),
            cell: (!cell.is_empty()).then(|| Name::of(&cell)),
            block: self.block.as_ref().map(|_| next()),
            environment: self.environment.as_ref().map(|_| next()),
            cpu_model: self.cpu_model.as_ref().map(|_| next()),
            value_ms,
        })
    }

    fn value_ms(&self, text: &str) -> Result<f64, String> {
        let Self { value: column, unit, .. } = self;
        if text.is_empty() {
            return Err(format!(
                "the column {column} is empty; every row must have a value, so leave out those without"
            ));
        }
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
        let value_ms = value.map(|value| unit.to_ms(value)).filter(|ms| (SHORTEST_MS..LONGEST_MS).contains(ms));
        value_ms.ok_or_else(|| {
            format!(
                "the column {column} is {text:?}; it must be a number of {unit}, at least a picosecond and less than a year"
            )
        })
    }
}

/// A picosecond: no measurement is shorter.
const SHORTEST_MS: f64 = 1e-9;

/// A year: no measurement is longer.
pub(super) const LONGEST_MS: f64 = 366.0 * 24.0 * 3600.0 * 1000.0;

/// Why a text is no name.
pub(super) fn unusable(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty".to_owned());
    }
    if text.len() > MAX_NAME_BYTES {
        return Some(format!("has {} bytes; a name has at most {MAX_NAME_BYTES}", text.len()));
    }
    text.chars().any(is_obeyed).then(|| format!("is \"{text}\"; a name has no control characters"))
}

/// Says that there is no such column, and which may be meant.
pub(super) fn no_column<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no column {name:?}; did you mean {near:?}?"),
        None => format!("there is no column {name:?}; there are {}", known.join(", ")),
    }
}
