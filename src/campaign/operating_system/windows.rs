//! Windows.

use std::{
    env,
    fs::Metadata,
    process::{self, ExitStatus, Stdio},
};
use tokio::process::Command;

/// Variables without which no program can run: sockets need the first.
pub const NEEDED_VARIABLES: [&str; 4] = ["SystemRoot", "TEMP", "TMP", "PATH"];

/// ERROR_BAD_EXE_FORMAT.
pub const NO_PROGRAM_FORMAT: i32 = 193;

/// CREATE_NEW_PROCESS_GROUP.
const NEW_PROCESS_GROUP: u32 = 0x200;

/// STATUS_CONTROL_C_EXIT.
const CONTROL_C_EXIT: u32 = 0xC000_013A;

/// A process and those that it has started.
#[derive(Clone, Copy, Debug)]
pub struct ProcessGroup {
    leader: u32,
}

impl ProcessGroup {
    /// The group that the process with this id leads.
    pub fn led_by(leader: u32) -> Option<Self> {
        (leader != 0).then_some(Self { leader })
    }

    /// Kills it: a process without a window cannot be asked.
    pub fn interrupt(self) {
        self.kill();
    }

    pub fn kill(self) {
        let mut command = process::Command::new("taskkill");
        command.args(["/T", "/F", "/PID", &self.leader.to_string()]);
        // If all its processes have ended, there is nothing to end.
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Makes the process lead a group of its own, which Ctrl-C does not reach.
pub fn lead_group(command: &mut Command) -> &mut Command {
    command.creation_flags(NEW_PROCESS_GROUP)
}

/// The shell with a command, which it reads as it is typed.
pub fn shell(text: &str) -> Command {
    let mut command = Command::new("cmd");
    command.raw_arg("/D /S /C").raw_arg(format!("\"{text}\""));
    command
}

/// Whether Ctrl-C has ended the process.
pub fn was_interrupted(status: ExitStatus) -> bool {
    status.code().map(i32::cast_unsigned) == Some(CONTROL_C_EXIT)
}

/// Whether a file may be a program: its name tells that here, when it is started.
pub fn is_executable(_: &Metadata) -> bool {
    true
}

pub fn host_name() -> String {
    env::var("COMPUTERNAME").unwrap_or_default()
}
