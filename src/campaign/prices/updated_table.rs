//! The table that `duet prices --update` keeps among the user's caches.

use super::{PriceTable, PriceTableError, TableKind};
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What the file says of itself.
const HEAD: &str = "# Made by `duet prices --update` of AWS's public lists; `duet prices --reset` deletes it.\n\n";

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdatedTableError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Table(#[from] PriceTableError),
}

/// Where it is kept; `None` if the environment tells no place for caches.
pub(crate) fn path() -> Option<PathBuf> {
    let given = |name| env::var_os(name).map(PathBuf::from);
    let home = env::home_dir();
    let of_platform = if cfg!(windows) {
        given("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Caches"))
    } else {
        home.map(|home| home.join(".cache"))
    };
    // A relative path would be another one in each directory; the standard tells programs to ignore it.
    let mut places = [given("XDG_CACHE_HOME"), of_platform].into_iter().flatten();
    Some(places.find(|place| place.is_absolute())?.join("lambda-duet").join("prices.toml"))
}

/// Reads the table; `None` if there is none.
///
/// # Errors
/// When it cannot be read, or is not a table.
pub(crate) fn read(path: &Path) -> Result<Option<PriceTable>, UpdatedTableError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    Ok(Some(text.parse::<PriceTable>()?.of_kind(TableKind::Updated)))
}

/// Writes the table, whole or not at all, even if another process does so at the same time.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, table: &PriceTable) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    let text = toml::to_string(table).map_err(io::Error::other)?;
    file.write_all(HEAD.as_bytes())?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Deletes the table, and tells whether there was one.
///
/// # Errors
/// When it cannot be deleted.
pub(crate) fn delete(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        deleted => deleted.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/prices.toml");
        assert!(read(&path).unwrap().is_none() && !delete(&path).unwrap());
        let mut table = PriceTable::built_in().of_kind(TableKind::Updated);
        table.regions.get_mut("us-east-1").unwrap().date = Some("2026-01-31".to_owned());
        write(&path, &table).unwrap();
        assert_eq!(read(&path).unwrap(), Some(table));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        fs::write(&path, "date = 1").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("TOML parse error"));
        assert!(delete(&path).unwrap() && read(&path).unwrap().is_none());
    }
}
