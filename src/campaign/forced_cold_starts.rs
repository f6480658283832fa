//! Forcing cold starts: the one change that a campaign makes in the user's account, and undoing it.
//!
//! Lambda starts new environments after every change of a function's configuration, so a variable is set before each
//! step. At any time, however the program ends, the run directory names the functions that are changed, and the
//! variable names the program that has set it. The next campaign or `duet clean-up` removes what a killed program has
//! left behind.

mod changed_functions;

use super::{Target, caller::Caller, cold_start_variable::Claim, owner::Owner, row::Failure};
use crate::protocol::control_characters::visible_lines;
use futures_util::future::join_all;
use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

pub use changed_functions::ChangedFunctions;

/// How a campaign forces cold starts.
#[derive(Debug)]
pub struct ColdStartForcer {
    owner: Owner,
    /// `None` if the functions are deleted in the end, so that nothing is to be undone.
    changes: Option<Arc<ChangedFunctions>>,
    /// How long a change may take.
    within: Duration,
}

impl ColdStartForcer {
    /// Cold starts that `owner` forces; `changes` records the functions that are changed for them.
    pub fn new(owner: Owner, changes: Arc<ChangedFunctions>, within: Duration) -> Self {
        Self { owner, changes: Some(changes), within }
    }

    /// Cold starts of clones that `owner` has made, which are deleted as they are.
    pub fn of_clones(owner: Owner, within: Duration) -> Self {
        Self { owner, changes: None, within }
    }

    /// Makes the next calls of `target` cold starts. Returns early when `stop` turns true.
    ///
    /// # Errors
    /// When that fails; a change must still be undone then.
    pub async fn force(&self, target: &Target, caller: &Caller, stop: &watch::Receiver<bool>) -> Result<(), Failure> {
        match caller {
            Caller::Function(function) => {
                if let Some(changes) = &self.changes {
                    changes.begin(target).map_err(|error| not_written(&error))?;
                }
                function.variables().set(&self.owner, self.within, stop).await
            }
            Caller::Endpoint(_) => Err(Failure::refused(
                "an https:// target cannot be made to start anew; for --cold, name the function: lambda:NAME",
            )),
            Caller::Process(process) => {
                process.end().await;
                Ok(())
            }
        }
    }

    /// Undoes [`Self::force`], and what an earlier start of the campaign has left behind.
    ///
    /// # Errors
    /// When it is not undone.
    pub async fn undo(&self, target: &Target, caller: &Caller) -> Result<(), Failure> {
        let (Caller::Function(function), Some(changes)) = (caller, &self.changes) else { return Ok(()) };
        if !changes.open().contains(&target.to_string()) {
            return Ok(());
        }
        let removal = function.variables().remove(Claim::Owner(&self.owner), self.within).await?;
        warn(target, removal.remark);
        if let Err(error) = changes.undone(target) {
            let remark = format!("the run directory still says that it is changed: {error}");
            warn(target, Some(remark));
        }
        Ok(())
    }

    /// Undoes it for all of these, all at once, because Lambda may take its time; gives those that are still changed, with the
    /// reason.
    pub async fn undo_all<'a>(
        &self,
        functions: impl IntoIterator<Item = (&'a Target, &'a Caller)>,
    ) -> Vec<(Target, Failure)> {
        let undo = async |(target, caller): (&'a Target, &'a Caller)| {
            // On the heap, because the compiler follows futures within each other to a certain depth only.
            Box::pin(self.undo(target, caller)).await.map_err(|failure| (target.clone(), failure))
        };
        join_all(functions.into_iter().map(undo)).await.into_iter().filter_map(Result::err).collect()
    }

    /// Removes what a program that has ended has left behind; false if there was nothing.
    ///
    /// # Errors
    /// When it is not removed, or the program is still running.
    pub async fn clean_up(&self, target: &Target, caller: &Caller) -> Result<bool, Failure> {
        let Caller::Function(function) = caller else { return Ok(false) };
        let is_changed = function.configuration().await?.is_changed;
        if is_changed {
            let removal = function.variables().remove(Claim::Owner(&self.owner), self.within).await?;
            warn(target, removal.remark);
        }
        if let Some(changes) = &self.changes {
            changes.undone(target).map_err(|error| not_written(&error))?;
        }
        Ok(is_changed)
    }
}

/// Warns if there is a remark about a function that is changed back.
fn warn(target: &Target, remark: Option<String>) {
    if let Some(remark) = remark {
        let _ = writeln!(io::stderr(), "Warning: {target} is changed back, but {}", visible_lines(&remark));
    }
}

fn not_written(error: &io::Error) -> Failure {
    Failure::refused(format!("the list of changed functions cannot be written to the run directory: {error}"))
}
