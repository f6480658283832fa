//! The variables of a function, one of which is set and removed through Lambda's control plane.
//!
//! A change is requested until Lambda has accepted it. The values of the function's variables are sent back to Lambda
//! and go nowhere else: not into messages, not onto disk.

#[cfg(test)]
pub(super) mod double;

use super::{
    aws::Lambda,
    configuration::COLD_START_VARIABLE,
    control_call::{Obstacle, in_time, is_settled, obstacle, refused, until_done},
    function_variables::{MAX_BYTES, unreadable, without_values},
    lock,
    owner::{Mark, Owner},
    row::Failure,
    stop_request,
};
use aws_sdk_lambda::{
    operation::get_function_configuration::GetFunctionConfigurationOutput as Configured,
    types::{Environment, LastUpdateStatus},
};
use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::watch;

/// The variables of a function's `$LATEST`.
#[derive(Debug)]
pub struct Variables {
    lambda: Arc<Lambda>,
    function: String,
    /// Whether an update whose answer was lost may still take effect: that must not happen after it was undone.
    may_come_late: AtomicBool,
    /// The revision that the last update has replaced: an answer with this revision is stale.
    replaced: Mutex<Option<String>>,
    /// The variables as they were last received or sent.
    known: Mutex<Option<Known>>,
}

/// The names of variables at a revision.
#[derive(Debug)]
struct Known {
    revision: Option<String>,
    names: BTreeSet<String>,
}

impl Known {
    fn new(revision: Option<String>, variables: &HashMap<String, String>) -> Self {
        Self { revision, names: variables.keys().cloned().collect() }
    }

    /// Whether Lambda contradicts itself by answering with the variables `now`: the revision is the same, but variables
    /// other than the one that campaigns set differ; or there are none at all, though there were some.
    fn is_contradicted_by(&self, now: &Self, tells_none: bool) -> bool {
        let others =
            |known: &Self| known.names.iter().filter(|name| *name != COLD_START_VARIABLE).cloned().collect::<Vec<_>>();
        let is_same_revision = self.revision.is_some() && self.revision == now.revision;
        is_same_revision && others(self) != others(now) || tells_none && !self.names.is_empty()
    }
}

/// On whose behalf the variable is set or removed.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// The variable of another program that is still running is left alone.
    Owner(&'a Owner),
    /// The variable is removed, no matter which program has set it.
    Anybody,
}

/// The outcome of removing the variable.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removal {
    pub was_there: bool,
    /// What the user should know about it.
    pub remark: Option<String>,
}

/// The progress of an update.
#[derive(Clone, Copy, Default, PartialEq)]
enum Update {
    #[default]
    None,
    Sent,
    Taken,
}

/// The progress of a change.
#[derive(Default)]
struct UpdateProgress {
    update: Update,
    remark: Option<String>,
}

impl Variables {
    /// The variables of the function with this name or ARN.
    pub fn new(lambda: Arc<Lambda>, function: &str) -> Self {
        Self {
            lambda,
            function: function.to_owned(),
            may_come_late: false.into(),
            replaced: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Checks that the variable could be set.
    ///
    /// # Errors
    /// With the reason why not.
    pub async fn check(&self, owner: &Owner, within: Duration) -> Result<(), Failure> {
        let check = async || {
            let variables = self.readable(&self.configured().await?)?;
            self.check_claim(&variables, Claim::Owner(owner))?;
            with_mark(&variables, Some(&owner.mark(SystemTime::now()).to_string())).map(drop)
        };
        until_done(check, within, std::future::pending()).await
    }

    /// Sets the variable, so that the next calls start new environments. Returns early when `stop` turns true.
    ///
    /// # Errors
    /// When Lambda has not made the change `within` this time, or refuses it.
    pub async fn set(&self, owner: &Owner, within: Duration, stop: &watch::Receiver<bool>) -> Result<(), Failure> {
        let mark = owner.mark(SystemTime::now()).to_string();
        self.change(Some(&mark), Claim::Owner(owner), within, stop_request::asked(stop)).await.map(drop)
    }

    /// Removes the variable.
    ///
    /// # Errors
    /// When Lambda has not made the change `within` this time, or refuses it, or does not find the function, which may
    /// be in another account.
    pub async fn remove(&self, claim: Claim<'_>, within: Duration) -> Result<Removal, Failure> {
        self.change(None, claim, within, std::future::pending()).await
    }

    /// Sets the variable to `wanted`, or removes it.
    async fn change(
        &self,
        wanted: Option<&str>,
        claim: Claim<'_>,
        within: Duration,
        stopped: impl Future<Output = ()>,
    ) -> Result<Removal, Failure> {
        let mut progress = UpdateProgress::default();
        until_done(async || self.attempt(wanted, claim, &mut progress).await, within, stopped).await?;
        Ok(Removal { was_there: progress.update != Update::None, remark: progress.remark })
    }

    /// Reads the configuration once, and requests the change once if the variable is not as `wanted`.
    async fn attempt(
        &self,
        wanted: Option<&str>,
        claim: Claim<'_>,
        progress: &mut UpdateProgress,
    ) -> Result<(), Obstacle> {
        let configured = match self.configured().await {
            Err(Obstacle::Final(failure)) if wanted.is_none() && failure.message.starts_with("ResourceNotFound") => {
                return not_found(claim, failure, progress);
            }
            configured => configured?,
        };
        if configured.revision_id.is_some() && *lock(&self.replaced) == configured.revision_id {
            return Err(Obstacle::Pending(
                "Lambda still answers with the configuration before its last update".to_owned(),
            ));
        }
        let variables = self.readable(&configured)?;
        self.check_claim(&variables, claim)?;
        if configured.last_update_status == Some(LastUpdateStatus::InProgress) {
            return Err(Obstacle::Pending("Lambda is still at work on an update of it".to_owned()));
        }
        let has_failed = configured.last_update_status == Some(LastUpdateStatus::Failed);
        let is_as_wanted = variables.get(COLD_START_VARIABLE).map(String::as_str) == wanted;
        if has_failed && wanted.is_some() && (is_as_wanted || progress.update == Update::Taken) {
            return Err(refused(failed_update(&configured)));
        }
        // After another update Lambda refuses the one that may come late, because its revision is outdated.
        if is_as_wanted && (wanted.is_some() || !self.may_come_late.load(Ordering::Relaxed)) {
            if has_failed && progress.update == Update::Taken {
                progress.remark = Some(failed_update(&configured));
            }
            return Ok(());
        }
        let after = with_mark(&variables, wanted)?;
        progress.update = Update::Sent;
        self.update(after, configured.revision_id.clone(), &variables).await?;
        progress.update = Update::Taken;
        Err(Obstacle::Pending(if has_failed { failed_update(&configured) } else { "it is not there yet".to_owned() }))
    }

    async fn configured(&self) -> Result<Configured, Obstacle> {
        let answer = self.lambda.request(async |client| {
            in_time(client.get_function_configuration().function_name(&self.function).send()).await
        });
        answer.await.map_err(|error| obstacle(&error, |message| message))
    }

    async fn update(
        &self,
        variables: HashMap<String, String>,
        revision: Option<String>,
        before: &HashMap<String, String>,
    ) -> Result<(), Obstacle> {
        let sent = Known::new(None, &variables);
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let request = self.lambda.request(async |client| {
            let update = client.update_function_configuration().function_name(&self.function);
            // The revision prevents overwriting a change that another program makes in between.
            in_time(update.set_revision_id(revision.clone()).environment(environment).send()).await
        });
        self.may_come_late.store(true, Ordering::Relaxed);
        let answer = request.await;
        let is_settled = is_settled(&answer);
        self.may_come_late.store(!is_settled, Ordering::Relaxed);
        let updated = answer.map_err(|error| obstacle(&error, |message| without_values(&message, before)))?;
        // Emulators may not have revisions.
        let is_counted = updated.revision_id.is_some() && updated.revision_id != revision;
        *lock(&self.replaced) = revision.filter(|_| is_counted);
        *lock(&self.known) = Some(Known { revision: updated.revision_id, ..sent });
        Ok(())
    }

    /// All variables of the function. Variables that cannot be read, or that an inconsistent answer leaves out, would
    /// be lost with the next update.
    fn readable(&self, configured: &Configured) -> Result<HashMap<String, String>, Obstacle> {
        let variables = variables_of(configured)?;
        let now = Known::new(configured.revision_id.clone(), &variables);
        let mut known = lock(&self.known);
        let tells_none = configured.environment().is_none();
        if known.as_ref().is_some_and(|known| known.is_contradicted_by(&now, tells_none)) {
            return Err(Obstacle::Passing("Lambda does not tell variables that it told before".to_owned()));
        }
        *known = Some(now);
        Ok(variables)
    }

    fn check_claim(&self, variables: &HashMap<String, String>, claim: Claim<'_>) -> Result<(), Obstacle> {
        let (Some(value), Claim::Owner(owner)) = (variables.get(COLD_START_VARIABLE), claim) else { return Ok(()) };
        let force = format!("duet clean-up --force lambda:{}", self.function);
        match Mark::parse(value) {
            Some(mark) if mark.owner == *owner || !mark.is_alive(SystemTime::now()) => Ok(()),
            Some(mark) => Err(refused(format!(
                "{} forces cold starts of it; wait for its end. If it is gone, remove {COLD_START_VARIABLE} with `{force}`",
                mark.owner
            ))),
            None => Err(refused(format!(
                "it has a variable {COLD_START_VARIABLE} that no campaign has set; if it is not needed, remove it with `{force}`"
            ))),
        }
    }
}

fn variables_of(configured: &Configured) -> Result<HashMap<String, String>, Obstacle> {
    let Some(environment) = configured.environment() else {
        // Lambda leaves out empty variables, but never the revision.
        return match configured.revision_id() {
            Some(_) => Ok(HashMap::new()),
            None => Err(refused(
                "neither its variables nor its revision are told, so this may not be Lambda, and an update would \
                 delete the variables",
            )),
        };
    };
    if let Some(reason) = unreadable(configured, "an update would delete them") {
        return Err(refused(reason));
    }
    environment
        .variables()
        .cloned()
        .ok_or_else(|| refused("Lambda does not tell its variables, which an update would delete"))
}

/// The variables with the one that campaigns set as `wanted`.
fn with_mark(variables: &HashMap<String, String>, wanted: Option<&str>) -> Result<HashMap<String, String>, Obstacle> {
    let mut after = variables.clone();
    match wanted {
        Some(mark) => drop(after.insert(COLD_START_VARIABLE.to_owned(), mark.to_owned())),
        None => drop(after.remove(COLD_START_VARIABLE)),
    }
    let bytes = serde_json::to_vec(&after).map_or(0, |text| text.len());
    if wanted.is_some() && bytes > MAX_BYTES {
        return Err(refused(format!(
            "with {COLD_START_VARIABLE} its variables would take {bytes} bytes, and Lambda allows {MAX_BYTES}; make them shorter"
        )));
    }
    Ok(after)
}

/// A function that is not found may have been deleted, its change with it, or may be in another account.
fn not_found(claim: Claim<'_>, failure: Failure, progress: &mut UpdateProgress) -> Result<(), Obstacle> {
    if matches!(claim, Claim::Anybody) {
        progress.remark = Some("there is no such function (any more)".to_owned());
        return Ok(());
    }
    let message = format!(
        "{}; use the credentials of its account, or if it was deleted, and its change with it, `duet clean-up --force`",
        failure.message
    );
    Err(Obstacle::Final(Failure { message, ..failure }))
}

pub(super) fn failed_update(configured: &Configured) -> String {
    let reason = configured.last_update_status_reason().unwrap_or("Lambda gives no reason");
    let code = configured.last_update_status_reason_code().map(|code| format!("{}: ", code.as_str()));
    format!("its last update has failed: {}{reason}", code.unwrap_or_default())
}

#[cfg(test)]
mod tests;
