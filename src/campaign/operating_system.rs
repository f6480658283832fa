//! Where operating systems differ: groups of processes, the shell, the host's name. Each has the same functions.
//!
//! The command line is made for Linux, where all of it is tested. On macOS and Windows a campaign that is killed cannot
//! have its processes ended by another one, and their memory is not known (`local::processes`).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{
    NEEDED_VARIABLES, NO_PROGRAM_FORMAT, ProcessGroup, host_name, is_executable, lead_group, shell, was_interrupted,
};
#[cfg(windows)]
pub(super) use windows::{
    NEEDED_VARIABLES, NO_PROGRAM_FORMAT, ProcessGroup, host_name, is_executable, lead_group, shell, was_interrupted,
};
