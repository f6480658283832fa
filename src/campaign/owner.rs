//! The program that has changed a function or made clones, as the variable of the one and the tags of the others name it.

use super::operating_system::host_name;
use sha2::{Digest, Sha256};
use std::{
    fmt, fs,
    path::Path,
    process,
    time::{Duration, SystemTime},
};

/// How long a campaign on another machine, where its process cannot be seen, counts as alive after its last change.
const LEASE: Duration = Duration::from_secs(3600);

/// The longest name of a campaign or a host that is written: all variables of a function share 4 KB.
const MAX_NAME: usize = 40;

/// A program that forces cold starts of a function, or makes clones of it. Written into the function's variable, or into the
/// clones' tags, it tells other programs which one that is, and whether it is still running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    campaign: String,
    host: String,
    /// A fingerprint of the system within which the process id is valid.
    machine: String,
    process: u32,
    /// When the process began, in clock ticks since boot: process ids are reused.
    process_began: u64,
}

/// The value of the variable or the tag: the owner and the time of its change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The program that made the change.
    pub owner: Owner,
    at: SystemTime,
}

impl Owner {
    /// This process, as the owner of the campaign in a run directory.
    pub fn this_process(directory: &Path) -> Self {
        let campaign = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let process = process::id();
        Self {
            campaign: plain(&campaign),
            host: plain(&host_name()),
            machine: machine(),
            process,
            process_began: began(process).unwrap_or_default(),
        }
    }

    /// The mark of a change at this time, which must be unique.
    pub fn mark(&self, at: SystemTime) -> Mark {
        Mark { owner: self.clone(), at }
    }
}

impl Mark {
    /// Reads the value of the variable; `None` if no campaign has written it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
        let [campaign, host, machine] = [field("campaign")?, field("host")?, field("machine")?].map(str::to_owned);
        let (process, process_began) = field("process")?.split_once('/')?;
        let (process, process_began) = (process.parse().ok()?, process_began.parse().ok()?);
        let at = humantime::parse_rfc3339(field("at")?).ok()?;
        Some(Self { owner: Owner { campaign, host, machine, process, process_began }, at })
    }

    /// Whether the program that made the change may still be running.
    pub fn is_alive(&self, now: SystemTime) -> bool {
        if self.is_of_this_machine() {
            return began(self.owner.process) == Some(self.owner.process_began);
        }
        now < self.at + LEASE
    }

    /// Whether the program ran on this machine, where its process can be seen.
    pub fn is_of_this_machine(&self) -> bool {
        self.owner.machine == machine() && Path::new("/proc/self/stat").exists()
    }
}

impl fmt::Display for Owner {
    /// For messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the campaign {} on {} (process {})", self.campaign, self.host, self.process)
    }
}

impl fmt::Display for Mark {
    /// The value of the variable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner: Owner { campaign, host, machine, process, process_began }, at } = self;
        let at = humantime::format_rfc3339_nanos(*at);
        write!(f, "campaign={campaign} host={host} machine={machine} process={process}/{process_began} at={at}")
    }
}

/// A name with all characters but letters, digits, dots and hyphens replaced.
fn plain(name: &str) -> String {
    let plain: String = name
        .chars()
        .take(MAX_NAME)
        .map(|character| if character.is_ascii_alphanumeric() || ".-".contains(character) { character } else { '_' })
        .collect();
    if plain.is_empty() { "unknown".to_owned() } else { plain }
}

/// A fingerprint of the running system (a restart makes another) and of the namespace of its process ids.
fn machine() -> String {
    let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let processes = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(boot)
        .chain_update(processes.as_os_str().as_encoded_bytes())
        .chain_update(host_name())
        .finalize();
    format!("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// When a process began, in clock ticks since boot; `None` if there is no such process.
fn began(process: u32) -> Option<u64> {
    const START_TIME: usize = 22;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, is the second field and may hold anything.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let state = after_name.split(' ').next()?;
    // A zombie has ended.
    (state != "Z").then(|| after_name.split(' ').nth(START_TIME - 3)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_mark_survives_a_round_trip() {
        let owner = Owner::this_process(Path::new("runs/a campaign=\n1"));
        assert_eq!(owner.campaign, "a_campaign__1");
        let mark = owner.mark(at(1_790_000_000));
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark.clone()));
        assert!(mark.to_string().ends_with(" at=2026-09-21T14:13:20.000000000Z"), "{mark}");
        assert!(mark.to_string().len() < 250);
        for text in ["", "on", "1790000000000000000", "campaign=a host=b machine=c process=1 at=now"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }

    #[test]
    fn on_this_machine_a_mark_lives_as_long_as_its_process() {
        let owner = Owner::this_process(Path::new("a"));
        let long_ago = owner.mark(at(0));
        assert!(long_ago.is_alive(SystemTime::now()));
        // Another process has got its id.
        let reused = Owner { process_began: owner.process_began + 1, ..owner.clone() };
        assert!(!reused.mark(SystemTime::now()).is_alive(SystemTime::now()));
        // Linux has no process 0.
        assert!(!Owner { process: 0, ..owner }.mark(SystemTime::now()).is_alive(SystemTime::now()));
    }

    #[test]
    fn on_another_machine_a_mark_lives_for_an_hour() {
        let elsewhere = Owner { machine: "elsewhere".to_owned(), ..Owner::this_process(Path::new("a")) };
        assert!(elsewhere.mark(at(1000)).is_alive(at(1000 + 3599)));
        assert!(!elsewhere.mark(at(1000)).is_alive(at(1000 + 3600)));
    }
}
