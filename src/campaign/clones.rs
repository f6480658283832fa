//! Clones of a function: functions that are made of it for one campaign, one for each architecture and memory size, and
//! deleted at its end. The function itself is never changed.
//!
//! Each clone is recorded in the run directory before it is made, and has tags that name the campaign, so that those of a
//! program that was killed are found.

mod clone_list;
mod creation;
mod deletion;
pub(super) mod probe;
mod remedy;
mod search;
mod tags;
mod template;

pub use clone_list::CloneList;
pub use creation::Creation;
pub use deletion::Remover;
pub use probe::Probe;
pub use search::{Leftover, find};
pub use template::{CandidateCode, Template};

use super::{lowercase_hex, owner::Owner};
use crate::protocol::Architecture;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr, time::SystemTime};

/// The beginning of the names of all clones.
const PREFIX: &str = "duet-";

/// The tag that names the campaign.
const CAMPAIGN_TAG: &str = "lambda-duet:campaign";

/// The hexadecimal digits of a campaign's id.
const ID_DIGITS: usize = 10;

/// The id of a campaign in the names and tags of its clones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CampaignId(String);

impl CampaignId {
    /// A new one: no other program, and no other moment, has the same.
    pub fn new(owner: &Owner) -> Self {
        let mark = owner.mark(SystemTime::now()).to_string();
        Self(lowercase_hex(&Sha256::digest(mark)[..ID_DIGITS / 2]))
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not an id.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the id of a campaign, which has {ID_DIGITS} hexadecimal digits")]
pub struct NotAnId(String);

impl TryFrom<String> for CampaignId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == ID_DIGITS && text.bytes().all(is_digit) { Ok(Self(text)) } else { Err(NotAnId(text)) }
    }
}

impl From<CampaignId> for String {
    fn from(CampaignId(text): CampaignId) -> Self {
        text
    }
}

/// What sets one clone apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloneSettings {
    pub architecture: Architecture,
    /// The memory setting, in MiB.
    pub memory_mb: u32,
}

/// The name of a clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloneName {
    campaign: CampaignId,
    settings: CloneSettings,
}

impl CloneName {
    pub fn new(campaign: &CampaignId, settings: CloneSettings) -> Self {
        Self { campaign: campaign.clone(), settings }
    }

    /// The log group that Lambda makes for it.
    fn log_group(&self) -> String {
        format!("/aws/lambda/{self}")
    }
}

impl fmt::Display for CloneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { campaign, settings: CloneSettings { architecture, memory_mb } } = self;
        write!(f, "{PREFIX}{campaign}-{architecture}-{memory_mb}")
    }
}

/// The text is not the name of a clone.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the name of a clone (duet-ID-ARCHITECTURE-MEMORY) or of a probe (duet-ID-probe)")]
pub struct NotAClone(String);

impl FromStr for CloneName {
    type Err = NotAClone;

    fn from_str(text: &str) -> Result<Self, NotAClone> {
        let parts = || {
            let (campaign, settings) = text.strip_prefix(PREFIX)?.split_once('-')?;
            let (architecture, memory_mb) = settings.split_once('-')?;
            Some(Self {
                campaign: campaign.to_owned().try_into().ok()?,
                settings: CloneSettings {
                    architecture: architecture.parse().ok()?,
                    memory_mb: memory_mb.parse().ok()?,
                },
            })
        };
        // Such as a size with a leading zero: no other text is this name.
        parts().filter(|name| name.to_string() == text).ok_or_else(|| NotAClone(text.to_owned()))
    }
}

/// What a campaign makes in the account. A clone comes with the log group that Lambda makes for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Clone(CloneName),
    /// The layer with the probe.
    Probe(CampaignId),
}

/// The end of the name of a probe.
const PROBE: &str = "probe";

impl Resource {
    pub fn campaign(&self) -> &CampaignId {
        match self {
            Self::Clone(name) => &name.campaign,
            Self::Probe(campaign) => campaign,
        }
    }

    /// What it is, in a list of what is deleted.
    pub fn text(&self) -> String {
        match self {
            Self::Clone(name) => format!("{name}, and its log group"),
            Self::Probe(_) => format!("{self}, a layer"),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clone(name) => name.fmt(f),
            Self::Probe(campaign) => write!(f, "{PREFIX}{campaign}-{PROBE}"),
        }
    }
}

impl FromStr for Resource {
    type Err = NotAClone;

    fn from_str(text: &str) -> Result<Self, NotAClone> {
        let campaign = || text.strip_prefix(PREFIX)?.strip_suffix(PROBE)?.strip_suffix('-')?.to_owned().try_into().ok();
        match campaign() {
            Some(campaign) => Ok(Self::Probe(campaign)),
            None => text.parse().map(Self::Clone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_clone_is_known_by_its_name() {
        let campaign = CampaignId::new(&Owner::this_process(Path::new("a")));
        let settings = CloneSettings { architecture: Architecture::X86_64, memory_mb: 1024 };
        let name = CloneName::new(&campaign, settings);
        assert_eq!(name.to_string(), format!("duet-{campaign}-x86_64-1024"));
        assert_eq!(name.to_string().parse::<CloneName>().unwrap(), name);
        assert_eq!(name.log_group(), format!("/aws/lambda/{name}"));
        let made = [Resource::Clone(name), Resource::Probe(campaign)];
        assert!(made.iter().all(|made| made.to_string().parse::<Resource>().unwrap() == *made));
        for other in [
            "orders",
            "duet-orders",
            "duet-0123456789-x86_64",
            "duet-0123456789-x86_64-",
            "duet-0123456789-x86_64-1024-2",
            "duet-0123456789-x86_64-01024",
            "duet-0123456789-riscv64-1024",
            "duet-012345678X-arm64-1024",
            "duet-01234567890-arm64-1024",
        ] {
            let error = other.parse::<CloneName>().unwrap_err().to_string();
            assert!(error.contains(&format!("{other:?}")), "{error}");
        }
    }

    #[test]
    fn campaigns_have_different_ids() {
        let owner = Owner::this_process(Path::new("a"));
        assert_ne!(CampaignId::new(&owner), CampaignId::new(&owner));
    }
}
