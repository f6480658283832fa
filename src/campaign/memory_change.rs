//! Changing the memory of a function, and nothing else of it.

use super::{
    aws::Lambda,
    cold_start_variable::failed_update,
    configuration::Configuration,
    control_call::{Obstacle, in_time, is_settled, obstacle, refused, until_done},
    stop_request,
};
use aws_sdk_lambda::{
    error::{ProvideErrorMetadata, SdkError},
    operation::get_function_configuration::GetFunctionConfigurationOutput as Configured,
    types::LastUpdateStatus,
};
use std::time::Duration;
use tokio::sync::watch;

/// A change of a function's memory.
pub struct MemoryChange<'a> {
    pub lambda: Lambda,
    /// Its name or ARN.
    pub function: &'a str,
    /// The function as it was tried: nothing is changed if it is another by now.
    pub tried: &'a Configuration,
    /// The memory that it is to have, in MiB.
    pub memory_mb: u32,
}

/// What has become of a change that was not carried through.
#[derive(Debug, PartialEq)]
pub enum Unfinished {
    /// The function is as it was, for this reason.
    NotChanged(String),
    /// Lambda has taken the change, but this kept its end from being seen.
    Taken(String),
    /// Lambda has taken the change, and it failed then, or was overwritten.
    Overtaken(String),
    /// The request, or its answer, was lost.
    Unknown(String),
}

/// How far a change has come.
#[derive(Debug, PartialEq)]
enum Progress {
    NotSent,
    /// It was sent for this revision, and nothing tells whether it has arrived.
    Unsettled(String),
    /// Lambda has taken it, in place of this revision.
    Taken(String),
    /// It has failed since, or was overwritten.
    Overtaken,
}

impl MemoryChange<'_> {
    /// Makes the change, and waits until it is complete. Returns early when `stop` turns true.
    ///
    /// # Errors
    /// With what is so then.
    pub async fn make(&self, within: Duration, stop: &watch::Receiver<bool>) -> Result<(), Unfinished> {
        if *stop.borrow() {
            return Err(Unfinished::NotChanged("it was interrupted".to_owned()));
        }
        let (mut progress, mut is_complete) = (Progress::NotSent, false);
        let attempt = async || {
            self.attempt(&mut progress).await?;
            is_complete = true;
            Ok(())
        };
        let ended = until_done(attempt, within, stop_request::asked(stop)).await;
        if is_complete {
            return Ok(());
        }
        let reason = ended.map_or_else(|failure| failure.message, |()| "it was interrupted".to_owned());
        match progress {
            Progress::NotSent => Err(Unfinished::NotChanged(reason)),
            Progress::Taken(_) => Err(Unfinished::Taken(reason)),
            Progress::Overtaken => Err(Unfinished::Overtaken(reason)),
            Progress::Unsettled(_) => match self.configured().await {
                Ok(configured) if self.has_memory(&configured) => Err(Unfinished::Taken(reason)),
                _ => Err(Unfinished::Unknown(reason)),
            },
        }
    }

    /// Reads the configuration once, and requests the change once if it was not taken yet.
    async fn attempt(&self, progress: &mut Progress) -> Result<(), Obstacle> {
        let configured = self.configured().await?;
        let revision = configured.revision_id.clone();
        let revision = revision.ok_or_else(|| {
            refused("Lambda does not tell its revision, without which a change of somebody else's could be overwritten")
        })?;
        let is_at_work = configured.last_update_status == Some(LastUpdateStatus::InProgress);
        match progress {
            Progress::Taken(_) | Progress::Unsettled(_) if self.has_memory(&configured) => {
                *progress = Progress::Taken(revision);
                return match configured.last_update_status {
                    Some(LastUpdateStatus::InProgress) => Err(still_at_work()),
                    Some(LastUpdateStatus::Failed) => {
                        *progress = Progress::Overtaken;
                        Err(refused(failed_update(&configured)))
                    }
                    _ => Ok(()),
                };
            }
            Progress::Taken(replaced) if *replaced == revision => {
                return Err(Obstacle::Pending(
                    "Lambda still answers with the configuration before the change".to_owned(),
                ));
            }
            Progress::Taken(_) | Progress::Overtaken => {
                *progress = Progress::Overtaken;
                return Err(refused("it was changed again meanwhile, and has other memory now"));
            }
            // Lambda refuses the request with the outdated revision, if it still comes.
            Progress::Unsettled(sent) if *sent != revision => *progress = Progress::NotSent,
            Progress::Unsettled(_) | Progress::NotSent => {}
        }
        let now = Configuration::from_output(&configured);
        let changes = changes(&now, self.tried);
        if changes.is_empty() && now.has_other_revision(self.tried) {
            return Err(refused("it was changed since it was read to be tried: Lambda tells another revision"));
        }
        if !changes.is_empty() {
            return Err(refused(format!("it was changed since it was read to be tried: {}", changes.join("; "))));
        }
        if is_at_work {
            return Err(still_at_work());
        }
        self.update(revision, progress).await
    }

    /// Requests the change of the function at this revision.
    async fn update(&self, revision: String, progress: &mut Progress) -> Result<(), Obstacle> {
        let answer = self.lambda.request(async |client| {
            let update = client.update_function_configuration().function_name(self.function);
            in_time(update.memory_size(self.memory_mb as i32).revision_id(&revision).send()).await
        });
        let answer = answer.await;
        let is_settled = is_settled(&answer);
        match answer {
            Ok(_) => {
                *progress = Progress::Taken(revision);
                Err(Obstacle::Pending("it is not there yet".to_owned()))
            }
            Err(error) if is_outdated(&error) && *progress == Progress::NotSent => Err(refused(format!(
                "it was changed by somebody else at the same time ({})",
                error.code().unwrap_or_default()
            ))),
            Err(error) => {
                if !is_settled {
                    *progress = Progress::Unsettled(revision);
                }
                Err(obstacle(&error, |message| message))
            }
        }
    }

    async fn configured(&self) -> Result<Configured, Obstacle> {
        let answer = self.lambda.request(async |client| {
            in_time(client.get_function_configuration().function_name(self.function).send()).await
        });
        answer.await.map_err(|error| obstacle(&error, |message| message))
    }

    fn has_memory(&self, configured: &Configured) -> bool {
        Configuration::from_output(configured).memory_mb == self.memory_mb
    }
}

fn still_at_work() -> Obstacle {
    Obstacle::Pending("Lambda is still at work on an update of it".to_owned())
}

/// Whether Lambda refuses a request because the function has another revision.
fn is_outdated<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("PreconditionFailedException")
}

/// What has changed since the function was tried; values of variables too, which are known while the program runs.
fn changes(now: &Configuration, tried: &Configuration) -> Vec<String> {
    let changes = now.changes_since(tried);
    if changes.is_empty() { now.differences(tried) } else { changes }
}
