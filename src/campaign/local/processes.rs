//! All processes of an environment: the first one and its descendants.
//!
//! They are found in two ways. The first process leads its own process group, to which its children belong unless they
//! leave it. And all of them inherit its variables, one of which is unique to the environment: on Linux, processes that have
//! left the group (`setsid`, a daemon) are found by reading the environment of every process of this user. Only a process
//! that has both left the group and cleared its variables is not found.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod unseen;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use unseen as system;

pub use system::max_memory_mb;

use super::super::operating_system::ProcessGroup;
use memchr::memmem;
use rand::{TryRng, rngs::SysRng};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

/// A unique name for the processes of this run of the program.
pub fn owner() -> &'static str {
    static OWNER: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = [0; 8];
        SysRng.try_fill_bytes(&mut bytes).expect("the operating system provides random bytes");
        format!("{:016x}", u64::from_ne_bytes(bytes))
    });
    &OWNER
}

/// The name of a new environment's log stream, in Lambda's form.
pub fn new_log_stream() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string()[..10].replace('-', "/");
    format!("{date}/[$LATEST]{}{:016x}", owner(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Ends environments, given by their first processes (which may have ended already) and their log streams.
pub fn end_environments(environments: &HashMap<u32, String>) {
    for leader in environments.keys().copied().filter_map(ProcessGroup::led_by) {
        leader.kill();
    }
    let streams: HashSet<&[u8]> = environments.values().map(String::as_bytes).collect();
    system::end_all(|stream| streams.contains(stream));
}

/// Ends everything that `owner` has started.
pub fn end_all_of(owner: &str) {
    let mark = format!("[$LATEST]{owner}");
    system::end_all(|stream| memmem::find(stream, mark.as_bytes()).is_some());
}

#[cfg(test)]
mod tests {
    use super::{super::variables::LOG_STREAM, *};
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    #[test]
    fn log_streams_are_unique_and_name_their_owner() {
        let (one, other) = (new_log_stream(), new_log_stream());
        assert_ne!(one, other);
        let (date, rest) = one.split_once("/[$LATEST]").unwrap();
        assert!(date.len() == 10 && rest.len() == 32 && rest.starts_with(owner()), "{one}");
    }

    #[test]
    fn processes_outside_the_group_are_ended_only_if_marked() {
        let stream = new_log_stream();
        let start = |stream: &str| {
            let mut process = Command::new("sh");
            process.args(["-c", "echo there; read forever"]).env(LOG_STREAM, stream);
            let mut process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
            process
        };
        // Both are in the group of this test.
        let (mut mine, mut other) = (start(&stream), start(&new_log_stream()));
        end_environments(&HashMap::from([(u32::MAX >> 1, stream)]));
        assert!(mine.wait().unwrap().code().is_none());
        assert!(other.try_wait().unwrap().is_none());
        drop(other.stdin.take());
        assert!(other.wait().unwrap().code().is_some());
    }
}
