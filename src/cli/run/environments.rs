//! Environments from log streams, when a campaign has ended.

use super::{Run, progress::ProgressDisplay};
use crate::{
    campaign::{aws::Session, driver::Outcome, stop_request::unless_asked},
    cli::{
        collect::{self, Collection},
        output::note,
    },
};
use std::io;
use tokio::sync::watch;

/// Reads the log streams of functions whose environments nothing else tells. The campaign is over: if they cannot be read
/// that is said, and changes nothing.
pub(super) async fn collect(
    run: &Run,
    session: &Session,
    end: &Outcome,
    stop: &watch::Receiver<bool>,
    progress: &ProgressDisplay<'_>,
) -> io::Result<()> {
    let Run { directory, manifest, .. } = run;
    if !collect::is_needed(manifest) {
        return Ok(());
    }
    progress.begin_collecting();
    let collection = match end {
        Outcome::Interrupted => None,
        Outcome::Enough(_) | Outcome::Failing(_) | Outcome::Fruitless(..) => {
            unless_asked(stop, Collection::make(directory, manifest, session)).await
        }
    };
    // The logs of clones are deleted with them.
    let command = manifest.trial.is_none().then(|| collect::command(directory));
    match collection {
        Some(Ok(collection)) => progress.collected(&collection),
        Some(Err(error)) => {
            let again = command.map_or_else(String::new, |command| format!("; {command} tries again"));
            note(format_args!("Environments could not be collected: {error:#}{again}"));
            Ok(())
        }
        None => {
            note(match command {
                Some(command) => {
                    format!("Which environments answered is read from log streams at a campaign's end, or by {command}")
                }
                None => {
                    "Which environments answered is not known: the clones' log streams are read at the end".to_owned()
                }
            });
            Ok(())
        }
    }
}
