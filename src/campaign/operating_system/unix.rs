//! Linux and macOS.

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process_group},
};
use std::{
    fs::Metadata,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    process::ExitStatus,
};
use tokio::process::Command;

/// Variables without which no program can run.
pub const NEEDED_VARIABLES: [&str; 0] = [];

/// The error of a file that is executable and no program.
pub const NO_PROGRAM_FORMAT: i32 = Errno::NOEXEC.raw_os_error();

/// A process and those that it has started, unless they have left the group.
#[derive(Clone, Copy, Debug)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    /// The group that the process with this id leads.
    pub fn led_by(leader: u32) -> Option<Self> {
        Pid::from_raw(leader.cast_signed()).map(Self)
    }

    /// Sends the signal of Ctrl-C.
    pub fn interrupt(self) {
        self.signal(Signal::INT);
    }

    pub fn kill(self) {
        self.signal(Signal::KILL);
    }

    fn signal(self, signal: Signal) {
        // If all its processes have ended, the group does not exist.
        let _ = kill_process_group(self.0, signal);
    }
}

/// Makes the process lead a group of its own, which Ctrl-C does not reach.
pub fn lead_group(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// The shell with a command.
pub fn shell(text: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", text]);
    command
}

/// Whether Ctrl-C has ended the process.
pub fn was_interrupted(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::INT.as_raw())
}

pub fn is_executable(file: &Metadata) -> bool {
    file.permissions().mode() & 0o111 != 0
}

pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
