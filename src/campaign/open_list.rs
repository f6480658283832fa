//! What a program has made or changed in the user's account and not yet undone, as a file of the run directory.

use super::{lock, run_directory};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The content of such a file.
pub(super) trait Listing: Serialize + DeserializeOwned {
    /// What is not undone.
    fn open(&self) -> &BTreeSet<String>;
    fn open_mut(&mut self) -> &mut BTreeSet<String>;
}

/// A list that is written before each change, and after each is undone, so that a program that is killed leaves it behind.
/// The file exists only while there is something in it.
#[derive(Debug)]
pub(super) struct OpenList<L> {
    path: PathBuf,
    listing: Mutex<L>,
}

impl<L: Listing> OpenList<L> {
    /// A list of which nothing has been written since it was read.
    pub(super) fn new(path: PathBuf, listing: L) -> Self {
        Self { path, listing: Mutex::new(listing) }
    }

    /// Records what is about to be made or changed.
    ///
    /// # Errors
    /// When that cannot be written; nothing may be made or changed then.
    pub(super) fn begin(&self, name: &str) -> io::Result<()> {
        let mut listing = lock(&self.listing);
        if listing.open_mut().insert(name.to_owned()) { self.write(&listing) } else { Ok(()) }
    }

    /// Removes what is undone.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn undone(&self, name: &str) -> io::Result<()> {
        let mut listing = lock(&self.listing);
        if !listing.open_mut().remove(name) {
            return Ok(());
        }
        match self.write(&listing) {
            // The run directory is gone, and the list with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            written => written,
        }
    }

    pub(super) fn open(&self) -> Vec<String> {
        lock(&self.listing).open().iter().cloned().collect()
    }

    fn write(&self, listing: &L) -> io::Result<()> {
        if listing.open().is_empty() {
            return fs::remove_file(&self.path);
        }
        run_directory::write_json(&self.path, listing)
    }
}

/// Reads a list; `None` if there is none. An error says `what` the file does not tell, and the `remedy`.
///
/// # Errors
/// When the file exists and cannot be read.
pub(super) fn read<L: Listing>(path: &Path, what: &str, remedy: &str) -> io::Result<Option<L>> {
    let listing = |text: Option<Vec<u8>>| Ok(text.map(|text| serde_json::from_slice(&text)).transpose()?);
    run_directory::read_whole(path).and_then(listing).map_err(|error| {
        let text = format!("{} does not say {what} ({error}); {remedy}, and delete it", path.display());
        io::Error::new(error.kind(), text)
    })
}
