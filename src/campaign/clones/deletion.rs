//! Deleting clones and their log groups.

use super::{CampaignId, CloneList, CloneName, Leftover, Resource, tags::Tags};
use crate::campaign::{
    aws::{Lambda, Session},
    cloudwatch_logs::{self, Refusal},
    control_call::{Obstacle, in_time, is_not_found, obstacle, until_done},
    row::Failure,
};
use serde_json::json;
use std::{
    collections::HashMap,
    future::pending,
    io,
    time::{Duration, SystemTime},
};

/// What was deleted of a clone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Deleted {
    function: bool,
    log_group: bool,
}

/// Deletes clones in one region.
pub struct Remover {
    session: Session,
    lambda: Lambda,
    /// How long a deletion may take, with all attempts.
    within: Duration,
}

impl Deleted {
    fn text(self) -> &'static str {
        match (self.function, self.log_group) {
            (true, true) => "deleted, with its log group",
            (true, false) => "deleted; it had no log group",
            (false, true) => "its log group is deleted; there was no function (any more)",
            (false, false) => "it was not there (any more)",
        }
    }
}

impl Remover {
    /// # Errors
    /// When Lambda cannot be asked there.
    pub async fn new(session: &Session, within: Duration) -> Result<Self, Failure> {
        Ok(Self { session: session.with(None, None), lambda: Lambda::new(session).await?, within })
    }

    /// Deletes what the list names, and removes each from the list; gives a line for each.
    ///
    /// # Errors
    /// When something cannot be deleted, or is not what the list says; it stays in the list then, and the rest is deleted all
    /// the same.
    pub async fn delete_all(&self, list: &CloneList) -> Result<Vec<String>, Failure> {
        let unread = |error: io::Error| Failure::refused(error.to_string());
        let (mut lines, mut reasons) = (Vec::new(), Vec::new());
        for resource in list.open().map_err(unread)? {
            match self.delete_of(list, &resource).await {
                Ok(text) => lines.push(format!("{resource}: {text}")),
                Err(failure) => reasons.push(format!("{resource}: {failure}")),
            }
        }
        if reasons.is_empty() { Ok(lines) } else { Err(Failure::refused(reasons.join("; "))) }
    }

    async fn delete_of(&self, list: &CloneList, resource: &Resource) -> Result<&'static str, Failure> {
        let text = match resource {
            Resource::Clone(name) => self.delete_at(&list.arn(name), name).await?.text(),
            Resource::Probe(campaign) => self.delete_probe(campaign).await?,
        };
        list.deleted(resource).map_err(|error| {
            Failure::refused(format!("it is deleted, but the run directory still says that there is one: {error}"))
        })?;
        Ok(text)
    }

    /// Deletes what was found of a campaign; says what there was.
    ///
    /// # Errors
    /// When that is not possible.
    pub async fn delete_leftover(&self, leftover: &Leftover) -> Result<&'static str, Failure> {
        match leftover {
            Leftover::Clone(name, arn) => self.delete_at(arn, name).await.map(Deleted::text),
            Leftover::LogGroup(name) => self.delete_log_group(name).await.map(Deleted::text),
            Leftover::Probe(campaign) => self.delete_probe(campaign).await,
        }
    }

    /// Deletes all versions of the layer with the probe of a campaign; says what there was.
    ///
    /// # Errors
    /// When that is not possible.
    async fn delete_probe(&self, campaign: &CampaignId) -> Result<&'static str, Failure> {
        let layer = Resource::Probe(campaign.clone()).to_string();
        let mut is_deleted = false;
        until_done(async || self.layer(&layer, &mut is_deleted).await, self.within, pending()).await?;
        Ok(if is_deleted { "deleted" } else { "it was not there (any more)" })
    }

    async fn layer(&self, layer: &str, is_deleted: &mut bool) -> Result<(), Obstacle> {
        let list =
            async |client: aws_sdk_lambda::Client| in_time(client.list_layer_versions().layer_name(layer).send()).await;
        let versions = match self.lambda.request(list).await {
            Ok(found) => found.layer_versions.unwrap_or_default(),
            Err(error) if is_not_found(&error) => return Ok(()),
            Err(error) => return Err(obstacle(&error, |message| message)),
        };
        for version in versions {
            let delete = async |client: aws_sdk_lambda::Client| {
                let request = client.delete_layer_version().layer_name(layer).version_number(version.version);
                in_time(request.send()).await
            };
            match self.lambda.request(delete).await {
                Ok(_) => *is_deleted = true,
                Err(error) if is_not_found(&error) => *is_deleted = true,
                Err(error) => return Err(obstacle(&error, |message| message)),
            }
        }
        Ok(())
    }

    /// Deletes the clone with this ARN, if there is one, and its log group.
    ///
    /// # Errors
    /// When it cannot be deleted, or is not a clone.
    async fn delete_at(&self, arn: &str, name: &CloneName) -> Result<Deleted, Failure> {
        let mut function = false;
        until_done(async || self.function(arn, &name.campaign, &mut function).await, self.within, pending()).await?;
        // After the function, which would make it anew.
        Ok(Deleted { function, ..self.delete_log_group(name).await? })
    }

    /// Deletes the log group of a clone that is not there any more.
    ///
    /// # Errors
    /// When it cannot be deleted.
    async fn delete_log_group(&self, name: &CloneName) -> Result<Deleted, Failure> {
        let mut log_group = false;
        until_done(async || self.log_group(name, &mut log_group).await, self.within, pending()).await?;
        Ok(Deleted { function: false, log_group })
    }

    async fn function(&self, arn: &str, campaign: &CampaignId, is_deleted: &mut bool) -> Result<(), Obstacle> {
        match self.tags(arn).await {
            Ok(tags) => {
                if Tags::read(&tags, campaign).is_none() {
                    return Err(Obstacle::Final(Failure::refused(format!(
                        "{arn} has not the tags of a clone, and is not deleted"
                    ))));
                }
            }
            Err(Missing::NotThere) => return Ok(()),
            Err(Missing::Unknown(obstacle)) => return Err(obstacle),
        }
        let answer =
            self.lambda.request(async |client| in_time(client.delete_function().function_name(arn).send()).await);
        match answer.await {
            Ok(_) => *is_deleted = true,
            // An earlier attempt has deleted it.
            Err(error) if is_not_found(&error) => *is_deleted = true,
            Err(error) => return Err(obstacle(&error, |message| message)),
        }
        Ok(())
    }

    async fn tags(&self, arn: &str) -> Result<HashMap<String, String>, Missing> {
        let answer = self.lambda.request(async |client| in_time(client.list_tags().resource(arn).send()).await);
        match answer.await {
            Ok(found) => Ok(found.tags.unwrap_or_default()),
            Err(error) if is_not_found(&error) => Err(Missing::NotThere),
            Err(error) => Err(Missing::Unknown(obstacle(&error, |message| message))),
        }
    }

    /// Whether the clone with this ARN may still be needed by the campaign that has made it; `None` if there is no such
    /// clone.
    ///
    /// # Errors
    /// When that cannot be told.
    pub(super) async fn is_needed(&self, arn: &str, name: &CloneName) -> Result<Option<bool>, Failure> {
        let mut found = None;
        let look = async || {
            match self.tags(arn).await {
                Ok(tags) => {
                    found = Tags::read(&tags, &name.campaign).map(|tags| tags.may_be_needed(SystemTime::now()));
                }
                Err(Missing::NotThere) => {}
                Err(Missing::Unknown(obstacle)) => return Err(obstacle),
            }
            Ok(())
        };
        until_done(look, self.within, pending()).await?;
        Ok(found)
    }

    async fn log_group(&self, name: &CloneName, is_deleted: &mut bool) -> Result<(), Obstacle> {
        let group = name.log_group();
        match cloudwatch_logs::ask(&self.session, "DeleteLogGroup", &json!({ "logGroupName": group })).await {
            Ok(_) => *is_deleted = true,
            Err(Refusal::NoGroup) => {}
            Err(Refusal::Passing(failure)) => return Err(Obstacle::Passing(failure.message)),
            Err(refusal) => {
                let Failure { message, .. } = refusal.into();
                return Err(Obstacle::Final(Failure::refused(format!(
                    "its log group {group} cannot be deleted ({message}); allow logs:DeleteLogGroup on it"
                ))));
            }
        }
        Ok(())
    }
}

/// Why there are no tags.
enum Missing {
    /// There is no such function.
    NotThere,
    Unknown(Obstacle),
}
