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
use tokio::time::Instant;

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

/// How long something that may still be made is looked for.
const LATE: Duration = Duration::from_secs(10);

/// Asks for another look if something is not there yet and may still be made.
fn look_again(is_deleted: bool, may_come_late: bool, begin: Instant) -> Result<(), Obstacle> {
    if is_deleted || !may_come_late || begin.elapsed() >= LATE {
        return Ok(());
    }
    Err(Obstacle::Pending("it may still be made, as the answer to the request was lost".to_owned()))
}

fn text_of_layer(was_there: bool) -> &'static str {
    if was_there { "deleted" } else { "it was not there (any more)" }
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
        let (mut deleted, mut reasons) = (Vec::new(), Vec::new());
        // All functions first: their last lines may come late, and make a log group anew.
        for resource in list.open().map_err(unread)? {
            let is_there = match &resource {
                Resource::Clone(name) => {
                    self.delete_function(&list.arn(name), name, list.is_unsettled(&resource)).await
                }
                Resource::Probe(_) => self.delete_layer(&resource.to_string(), list.is_unsettled(&resource)).await,
            };
            match is_there {
                Ok(was_there) => deleted.push((resource, was_there)),
                Err(failure) => reasons.push(format!("{resource}: {failure}")),
            }
        }
        let mut lines = Vec::new();
        for (resource, was_there) in deleted {
            match self.finish(list, &resource, was_there).await {
                Ok(text) => lines.push(format!("{resource}: {text}")),
                Err(failure) => reasons.push(format!("{resource}: {failure}")),
            }
        }
        if reasons.is_empty() { Ok(lines) } else { Err(Failure::refused(reasons.join("; "))) }
    }

    /// Deletes the log group of a clone, and removes what is deleted from the list.
    async fn finish(&self, list: &CloneList, resource: &Resource, was_there: bool) -> Result<&'static str, Failure> {
        let text = match resource {
            Resource::Clone(name) => {
                Deleted { function: was_there, log_group: self.delete_log_group(name).await? }.text()
            }
            Resource::Probe(_) => text_of_layer(was_there),
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
        let Leftover { resource, arn } = leftover;
        match resource {
            Resource::Clone(name) => {
                let function = match arn {
                    Some(arn) => self.delete_function(arn, name, false).await?,
                    None => false,
                };
                Ok(Deleted { function, log_group: self.delete_log_group(name).await? }.text())
            }
            Resource::Probe(_) => self.delete_layer(&resource.to_string(), false).await.map(text_of_layer),
        }
    }

    /// Deletes the clone with this ARN; false if there is none. One that may still be made is looked for a while.
    async fn delete_function(&self, arn: &str, name: &CloneName, may_come_late: bool) -> Result<bool, Failure> {
        let (mut is_deleted, begin) = (false, Instant::now());
        let delete = async || {
            self.function(arn, &name.campaign, &mut is_deleted).await?;
            look_again(is_deleted, may_come_late, begin)
        };
        until_done(delete, self.within, pending()).await?;
        Ok(is_deleted)
    }

    /// Deletes the log group of a clone that is not there any more; false if there is none.
    async fn delete_log_group(&self, name: &CloneName) -> Result<bool, Failure> {
        let mut is_deleted = false;
        until_done(async || self.log_group(name, &mut is_deleted).await, self.within, pending()).await?;
        Ok(is_deleted)
    }

    /// Deletes all versions of this layer; false if there is none.
    async fn delete_layer(&self, name: &str, may_come_late: bool) -> Result<bool, Failure> {
        let (mut is_deleted, begin) = (false, Instant::now());
        let delete = async || {
            self.layer(name, &mut is_deleted).await?;
            look_again(is_deleted, may_come_late, begin)
        };
        until_done(delete, self.within, pending()).await?;
        Ok(is_deleted)
    }

    async fn layer(&self, name: &str, is_deleted: &mut bool) -> Result<(), Obstacle> {
        let list =
            async |client: aws_sdk_lambda::Client| in_time(client.list_layer_versions().layer_name(name).send()).await;
        let versions = match self.lambda.request(list).await {
            Ok(found) => found.layer_versions.unwrap_or_default(),
            Err(error) if is_not_found(&error) => return Ok(()),
            Err(error) => return Err(obstacle(&error, |message| message)),
        };
        for version in versions {
            let delete = async |client: aws_sdk_lambda::Client| {
                let request = client.delete_layer_version().layer_name(name).version_number(version.version);
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
