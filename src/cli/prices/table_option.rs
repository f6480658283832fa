//! The table that a user chooses.

use crate::campaign::prices::{PriceTable, updated_table};
use anyhow::Context;
use std::{ffi::OsString, fs, path::PathBuf};

/// A table of prices, as `--prices` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum TableOption {
    /// The newest that there are, built in or updated.
    Current,
    BuiltIn,
    File(PathBuf),
}

impl From<OsString> for TableOption {
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("current") => Self::Current,
            Some("built-in") => Self::BuiltIn,
            _ => Self::File(text.into()),
        }
    }
}

/// The table that an option names; the current one without it.
pub(in crate::cli) fn table(option: Option<&TableOption>) -> anyhow::Result<PriceTable> {
    match option {
        None | Some(TableOption::Current) => Ok(match updated()? {
            Some(updated) => PriceTable::built_in().or_newer(&updated),
            None => PriceTable::built_in(),
        }),
        Some(TableOption::BuiltIn) => Ok(PriceTable::built_in()),
        Some(TableOption::File(file)) => {
            let read = || -> anyhow::Result<PriceTable> { Ok(fs::read_to_string(file)?.parse()?) };
            read().with_context(|| format!("reading the prices from {}", file.display()))
        }
    }
}

/// What `duet prices --update` has got.
pub(super) fn updated() -> anyhow::Result<Option<PriceTable>> {
    let Some(path) = updated_table::path() else { return Ok(None) };
    updated_table::read(&path).with_context(|| {
        format!(
            "reading the updated prices from {} (`duet prices --update` replaces them, `duet prices --reset` deletes them)",
            path.display()
        )
    })
}
