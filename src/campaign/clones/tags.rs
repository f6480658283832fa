//! The tags of clones.

use super::{CAMPAIGN_TAG, CampaignId};
use crate::campaign::owner::{Mark, Owner};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

/// The tag that names the program that has made the clone.
const OWNER_TAG: &str = "lambda-duet:owner";

/// The tag with the time after which the clone is not needed any more.
const EXPIRES_TAG: &str = "lambda-duet:expires";

/// What the tags of a clone tell.
#[derive(Clone, Debug)]
pub(super) struct Tags {
    owner: Option<Mark>,
    expires: Option<SystemTime>,
}

/// The tags of a clone that is made now by `owner`, and needed for so long at most.
pub(super) fn of(campaign: &CampaignId, owner: &Owner, needed: Duration) -> HashMap<String, String> {
    let now = SystemTime::now();
    let expires = humantime::format_rfc3339_seconds(now + needed).to_string();
    let tags = [(CAMPAIGN_TAG, campaign.to_string()), (OWNER_TAG, owner.mark(now).to_string()), (EXPIRES_TAG, expires)];
    tags.map(|(key, value)| (key.to_owned(), value)).into()
}

/// The same for what has no tags, as a description.
pub(super) fn as_text(owner: &Owner, needed: Duration) -> String {
    let now = SystemTime::now();
    format!("{}{EXPIRES}{}", owner.mark(now), humantime::format_rfc3339_seconds(now + needed))
}

/// What stands before the time in a description.
const EXPIRES: &str = " expires=";

impl Tags {
    /// Reads a description; `None` if no campaign has written it.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (owner, expires) = text.split_once(EXPIRES)?;
        Some(Self { owner: Some(Mark::parse(owner)?), expires: Some(humantime::parse_rfc3339(expires).ok()?) })
    }

    /// Reads the tags of a function; `None` if it is not a clone of this campaign.
    pub(super) fn read(tags: &HashMap<String, String>, campaign: &CampaignId) -> Option<Self> {
        let value = |key: &str| tags.get(key).map(String::as_str);
        (value(CAMPAIGN_TAG)? == campaign.to_string()).then(|| Self {
            owner: value(OWNER_TAG).and_then(Mark::parse),
            expires: value(EXPIRES_TAG).and_then(|text| humantime::parse_rfc3339(text).ok()),
        })
    }

    /// Whether the campaign may still be running: on this machine that can be seen, elsewhere the clone says how long it is
    /// needed.
    pub(super) fn may_be_needed(&self, now: SystemTime) -> bool {
        match &self.owner {
            Some(mark) if mark.is_of_this_machine() => mark.is_alive(now),
            _ => self.expires.is_some_and(|expires| now < expires),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn tags_are_read_as_they_were_written() {
        let owner = Owner::this_process(Path::new("a"));
        let (campaign, other) = (CampaignId::new(&owner), CampaignId::new(&owner));
        let tags = of(&campaign, &owner, Duration::from_secs(60));
        // What tags may have, by the documentation of AWS.
        let is_allowed = |character: char| character.is_alphanumeric() || " _.:/=+-@".contains(character);
        assert!(
            tags.iter().all(|(key, value)| key.len() <= 128 && value.len() <= 256 && value.chars().all(is_allowed))
        );
        assert!(Tags::read(&tags, &other).is_none() && Tags::read(&HashMap::new(), &campaign).is_none());
        let read = Tags::read(&tags, &campaign).unwrap();
        // This process is alive, however late it is.
        assert!(read.may_be_needed(SystemTime::now() + Duration::from_secs(3600)));
        let text = as_text(&owner, Duration::from_secs(60));
        assert!(text.len() <= 256 && Tags::from_text(&text).unwrap().may_be_needed(SystemTime::now()), "{text}");
        assert!(Tags::from_text("tools of the shop").is_none());
        let elsewhere = Tags { owner: None, ..read };
        assert!(elsewhere.may_be_needed(SystemTime::now()));
        assert!(!elsewhere.may_be_needed(SystemTime::now() + Duration::from_secs(61)));
    }
}
