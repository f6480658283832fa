//! The list of clones that a campaign has made, or was about to make, and not yet deleted.

use super::{CampaignId, CloneName, Resource, arn_beside};
use crate::campaign::{
    manifest::Place,
    open_list::{self, Listing, OpenList},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io, path::Path};

/// The file of the run directory that names the clones; it exists only while there are any.
const FILE: &str = "clones.json";

/// The clones that there may be. Each is recorded before it is made, and removed when it is deleted.
#[derive(Debug)]
pub struct CloneList {
    campaign: CampaignId,
    function: String,
    place: Place,
    list: OpenList<Content>,
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
    /// An empty list of a new campaign in `directory`.
    pub fn new(directory: &Path, campaign: CampaignId, function: &str, place: Place) -> Self {
        Self::of(directory, Content { campaign, function: function.to_owned(), place, clones: BTreeSet::new() })
    }

    /// The list that a campaign has left in `directory`; `None` if it has left no clones.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read(directory: &Path) -> io::Result<Option<Self>> {
        let remedy = "delete the functions whose names begin with duet- by hand";
        let content = open_list::read(&directory.join(FILE), "which clones there are", remedy)?;
        Ok(content.map(|content| Self::of(directory, content)))
    }

    /// Whether the campaign in `directory` has left clones behind.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(FILE).exists()
    }

    fn of(directory: &Path, content: Content) -> Self {
        let Content { campaign, function, place, .. } = content.clone();
        Self { campaign, function, place, list: OpenList::new(directory.join(FILE), content) }
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
        arn_beside(&self.function, &clone.to_string())
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
