//! A program or a command of the shell as a hook.

use super::{HookCall, HookEnd, HookKind, log::HookOutput, ongoing::KilledGroup};
use crate::campaign::{
    operating_system::{lead_group, shell},
    stop_request::asked,
};
use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is run, and where.
#[derive(Debug)]
pub(super) struct HookProgram {
    action: Action,
    directory: PathBuf,
}

#[derive(Debug)]
enum Action {
    Program(PathBuf),
    /// A command of the shell.
    Shell(String),
}

impl HookProgram {
    pub(super) fn at(path: &Path, directory: &Path) -> Self {
        Self { action: Action::Program(path.to_owned()), directory: directory.to_owned() }
    }

    /// The shell with a command.
    pub(super) fn shell(command: &str, directory: &Path) -> Self {
        Self { action: Action::Shell(command.to_owned()), directory: directory.to_owned() }
    }

    /// Runs it to its end, or until it has ended because the campaign is to end: only `before` does, because state that
    /// is being set back must be.
    ///
    /// # Errors
    /// With the reason, after which its name can stand.
    pub(super) async fn run(
        &self,
        call: HookCall,
        output: &HookOutput,
        limit: Duration,
        run_directory: &Path,
        stop: &watch::Receiver<bool>,
    ) -> Result<HookEnd, String> {
        let cannot_start = |error| format!("cannot be started in {}: {error}", self.directory.display());
        let (stdout, stderr) = (output.stdio().map_err(cannot_start)?, output.stdio().map_err(cannot_start)?);
        let mut command = match &self.action {
            Action::Program(path) => Command::new(path),
            Action::Shell(text) => shell(text),
        };
        // It is ended as a whole, and Ctrl-C is passed on to it where that is right.
        let mut child = lead_group(&mut command)
            .current_dir(&self.directory)
            .env("DUET_HOOK", call.kind.to_string())
            .env("DUET_BLOCK", call.block.to_string())
            .env("DUET_DIRECTORY", run_directory)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot_start)?;
        let group = KilledGroup::of(child.id());
        let is_to_stop = async || match call.kind {
            HookKind::Before => asked(stop).await,
            HookKind::After => std::future::pending().await,
        };
        tokio::select! {
            // Ctrl-C may have ended the program itself, if it had not left this program's group yet.
            biased;
            () = is_to_stop() => {
                let status = end(&mut child, group).await;
                Ok(if status.is_some_and(|status| status.success()) { HookEnd::Done } else { HookEnd::Interrupted })
            }
            status = timeout(limit, child.wait()) => match status {
                Ok(status) => {
                    group.stay();
                    judged(status.map_err(|error| error.to_string())?)
                }
                Err(_) => {
                    end(&mut child, group).await;
                    Err(format!("did not end within {} and was ended", humantime::format_duration(limit)))
                }
            },
        }
    }
}

/// Asks a program and all in its group to end, as Ctrl-C does, and kills what is left of them. Gives how the program has
/// ended; `None` if it had to be killed.
async fn end(child: &mut Child, group: KilledGroup) -> Option<ExitStatus> {
    group.interrupt();
    let status = timeout(PATIENCE, child.wait()).await;
    drop(group);
    let Ok(status) = status else {
        // It is killed: nothing else can be learned of it.
        let _ = child.wait().await;
        return None;
    };
    status.ok()
}

fn judged(status: ExitStatus) -> Result<HookEnd, String> {
    if status.success() { Ok(HookEnd::Done) } else { Err(format!("ended with {status}")) }
}
