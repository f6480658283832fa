//! Processes as `/proc` shows them.

use super::super::variables::LOG_STREAM;
use rustix::process::{Pid, PidfdFlags, Signal, getpgid, kill_process_group, pidfd_open, pidfd_send_signal};
use std::{fs, thread, time::Duration};

/// How many times to look again for processes that others have started while they were being ended.
const ROUNDS: u32 = 100;

/// The time between two of these looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Ends all processes with a matching log stream; gives up on those that cannot be ended.
pub fn end_all(is_meant: impl Fn(&[u8]) -> bool) {
    for _ in 0..ROUNDS {
        let found = found(&is_meant);
        if found.is_empty() {
            return;
        }
        for process in found {
            // The whole group of a leader is ended, even members with other variables.
            if getpgid(Some(process)) == Ok(process) {
                let _ = kill_process_group(process, Signal::KILL);
            }
            kill(process, &is_meant);
        }
        thread::sleep(PAUSE);
    }
}

/// Ends a process, unless its id has passed to another one meanwhile.
fn kill(process: Pid, is_meant: impl Fn(&[u8]) -> bool) {
    if let Ok(handle) = pidfd_open(process, PidfdFlags::empty())
        && has_log_stream(process, is_meant)
    {
        let _ = pidfd_send_signal(handle, Signal::KILL);
    }
}

/// The running processes with a matching log stream.
fn found(is_meant: impl Fn(&[u8]) -> bool) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    ids.filter(|process| has_log_stream(*process, &is_meant)).collect()
}

fn has_log_stream(process: Pid, is_meant: impl Fn(&[u8]) -> bool) -> bool {
    let variables = fs::read(format!("/proc/{}/environ", process.as_raw_pid())).unwrap_or_default();
    let values = variables.split(|byte| *byte == 0).filter_map(|variable| variable.strip_prefix(LOG_STREAM.as_bytes()));
    values.filter_map(|value| value.strip_prefix(b"=")).any(is_meant)
}

/// The sum of the peak resident sets, in MiB, of a process and its current descendants. That is what Lambda would
/// count, except that shared pages count for each process, and that children that have ended are missing.
pub fn max_memory_mb(leader: u32) -> Option<u32> {
    let kibibytes: u64 = descendants(leader).into_iter().filter_map(peak_kibibytes).sum();
    (kibibytes > 0).then(|| kibibytes.div_ceil(1024).try_into().unwrap_or(u32::MAX))
}

fn descendants(leader: u32) -> Vec<u32> {
    let (mut all, mut next) = (vec![leader], 0);
    while let Some(process) = all.get(next) {
        let children = children(*process);
        all.extend(children);
        next += 1;
    }
    all
}

/// The children of all threads of a process.
fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

fn peak_kibibytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    #[test]
    fn memory_includes_descendants() {
        let own = max_memory_mb(std::process::id()).unwrap();
        assert!(own >= 1, "{own}");
        assert_eq!(max_memory_mb(u32::MAX >> 1), None);
        // A shell that waits for another one, which says that it is there.
        let script = "sh -c 'echo there; read forever'; true";
        let mut shell =
            Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!((line.as_str(), descendants(shell.id()).len()), ("there\n", 2));
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }
}
