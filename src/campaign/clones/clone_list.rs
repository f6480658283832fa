//! The list of clones that a campaign has made, or was about to make, and not yet deleted.

use super::{CampaignId, CloneName, Resource};
use crate::campaign::{
    function_arn::FunctionArn,
    lock,
    manifest::Place,
    open_list::{self, Listing, OpenList},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The file of the run directory that names the clones; it exists only while there are any.
const FILE: &str = "clones.json";

/// The file that is locked while a program makes or deletes clones.
const LOCK: &str = "clones.lock";

/// The clones that there may be. Each is recorded before it is made, and removed when it is deleted.
#[derive(Debug)]
pub struct CloneList {
    directory: PathBuf,
    campaign: CampaignId,
    function: String,
    place: Place,
    list: OpenList<Content>,
    /// What may still be made, because the answer to the request was lost.
    unsettled: Mutex<BTreeSet<Resource>>,
    _lock: File,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    campaign: CampaignId,
    /// The ARN of the function that was cloned.
    function: String,
    /// Where they are.
    place: Place,
    clones: BTreeSet<String>,
}

impl Listing for Content {
    fn open(&self) -> &BTreeSet<String> {
        &self.clones
    }

    fn open_mut(&mut self) -> &mut BTreeSet<String> {
        &mut self.clones
    }
}

impl CloneList {
    /// An empty list of a new campaign in `directory`. No other program can read it before this one ends.
    ///
    /// # Errors
    /// When another program makes or deletes clones of this directory, or nothing can be written there.
    pub fn new(directory: &Path, campaign: CampaignId, function: &str, place: Place) -> io::Result<Self> {
        let content = Content { campaign, function: function.to_owned(), place, clones: BTreeSet::new() };
        Ok(Self::of(directory, content, lock_in(directory)?))
    }

    /// The list that a campaign has left in `directory`; `None` if it has left no clones.
    ///
    /// # Errors
    /// When the file exists and cannot be read, or another program makes or deletes these clones.
    pub fn read(directory: &Path) -> io::Result<Option<Self>> {
        if !Self::is_in(directory) {
            return Ok(None);
        }
        let lock = lock_in(directory)?;
        let remedy = "delete them by their tags, with `duet clean-up --region REGION`";
        let content = open_list::read(&directory.join(FILE), "which clones there are", remedy)?;
        Ok(content.map(|content| Self::of(directory, content, lock)))
    }

    /// Removes the lock, once all is deleted.
    pub fn close(&self) {
        if self.is_empty() {
            // An empty file that cannot be removed is in nobody's way.
            let _ = fs::remove_file(self.directory.join(LOCK));
        }
    }

    /// Whether the campaign in `directory` has left clones behind.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(FILE).exists()
    }

    fn of(directory: &Path, content: Content, lock: File) -> Self {
        let Content { campaign, function, place, .. } = content.clone();
        let list = OpenList::new(directory.join(FILE), content);
        let directory = directory.to_owned();
        Self { directory, campaign, function, place, list, unsettled: Mutex::default(), _lock: lock }
    }

    /// Records whether a request to make something may still be done, though no answer has come.
    pub(super) fn settle(&self, resource: &Resource, is_settled: bool) {
        let mut unsettled = lock(&self.unsettled);
        if is_settled {
            unsettled.remove(resource);
        } else {
            unsettled.insert(resource.clone());
        }
    }

    /// Whether it may still be made, though no answer has come.
    pub(super) fn is_unsettled(&self, resource: &Resource) -> bool {
        lock(&self.unsettled).contains(resource)
    }

    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }

    /// The ARN of the function that was cloned.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Where the clones are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The ARN of a clone.
    pub fn arn(&self, clone: &CloneName) -> String {
        FunctionArn(&self.function).beside(&clone.to_string())
    }

    /// Records what is about to be made.
    ///
    /// # Errors
    /// When that cannot be written; nothing may be made then.
    pub(super) fn begin(&self, resource: &Resource) -> io::Result<()> {
        self.list.begin(&resource.to_string())
    }

    /// Removes what is deleted.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn deleted(&self, resource: &Resource) -> io::Result<()> {
        self.list.undone(&resource.to_string())
    }

    /// What there may be, the clones before the layer that they use.
    ///
    /// # Errors
    /// When a name is not that of a clone of this campaign: it would not be deleted.
    pub fn open(&self) -> io::Result<Vec<Resource>> {
        let resource = |text: &String| match text.parse::<Resource>() {
            Ok(resource) if *resource.campaign() == self.campaign => Ok(resource),
            Ok(resource) => Err(format!("{resource} is of another campaign than {}", self.campaign)),
            Err(error) => Err(error.to_string()),
        };
        let resources: Result<BTreeSet<Resource>, String> = self.list.open().iter().map(resource).collect();
        let resources = resources.map(|resources| resources.into_iter().collect());
        resources.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{FILE}: {error}")))
    }

    /// Whether there may be clones.
    pub fn is_empty(&self) -> bool {
        self.list.open().is_empty()
    }
}

/// Locks the clones of a run directory until the file is dropped.
fn lock_in(directory: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(directory.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let text = format!("{} is in use: another duet makes or deletes its clones", directory.display());
            Err(io::Error::new(io::ErrorKind::WouldBlock, text))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
