//! The memory of this process, as `/proc/self/status` has it.
//!
//! The kernel takes microseconds to write that file, as long as a small workload takes. A resident set grows by page
//! faults, which are cheaply counted: where there was none, the file need not be read again.
//!
//! Unsafe code is here because the C library cannot be called without.

#![allow(unsafe_code)]

use std::{
    fs::File,
    io::{self, Read, Seek},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

/// Sizes in bytes; 0 where the kernel does not tell them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessMemory {
    /// The largest resident set so far.
    pub peak: u64,
    pub resident: u64,
    pub address_space: u64,
}

impl ProcessMemory {
    /// As it is now.
    pub fn now() -> Self {
        Status::lock().read()
    }

    /// With the peak as it is now; the rest may be older.
    pub fn with_current_peak() -> Self {
        let mut status = Status::lock();
        match status.last {
            Some((faults, memory)) if page_faults() == Some(faults) => memory,
            _ => status.read(),
        }
    }

    /// As it was when it was last read, if it was.
    pub fn last() -> Option<Self> {
        Status::lock().last.map(|(_, memory)| memory)
    }

    fn parse(status: &str) -> Self {
        let mut memory = Self::default();
        for line in status.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let size = match key {
                "VmHWM" => &mut memory.peak,
                "VmRSS" => &mut memory.resident,
                "VmSize" => &mut memory.address_space,
                _ => continue,
            };
            let kibibytes = value.trim().strip_suffix(" kB").and_then(|number| number.parse::<u64>().ok());
            *size = kibibytes.unwrap_or(0) * 1024;
        }
        memory
    }
}

/// `/proc/self/status`, opened once, and what was read from it last.
struct Status {
    file: io::Result<File>,
    /// Space for its text.
    text: Vec<u8>,
    /// With the number of page faults until then.
    last: Option<(u64, ProcessMemory)>,
}

impl Status {
    fn lock() -> MutexGuard<'static, Self> {
        static STATUS: LazyLock<Mutex<Status>> = LazyLock::new(|| {
            Mutex::new(Status { file: File::open("/proc/self/status"), text: Vec::new(), last: None })
        });
        STATUS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&mut self) -> ProcessMemory {
        // Counted first: a fault between the two has the file read once too often.
        let faults = page_faults();
        let Self { file, text, .. } = self;
        text.clear();
        if let Ok(file) = file {
            // What cannot be read is not told.
            let _ = file.rewind().and_then(|()| file.read_to_end(text));
        }
        let memory = ProcessMemory::parse(&String::from_utf8_lossy(text));
        self.last = faults.map(|faults| (faults, memory));
        memory
    }
}

/// The page faults of this process so far; `None` if the system does not count them.
#[cfg(unix)]
fn page_faults() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it writes to the structure that it is given, of which zeroes are valid too.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return None;
        }
        usage.assume_init()
    };
    // A kernel that counts none says 0.
    u64::try_from(usage.ru_minflt + usage.ru_majflt).ok().filter(|faults| *faults > 0)
}

#[cfg(not(unix))]
fn page_faults() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn sizes_are_read_from_their_lines() {
        let status = "Name:\tVmRSS: 7 kB\nVmSize:\t  300 kB\nVmHWM:\t   20 kB\nVmRSS:\t   12 kB\nRssAnon:\t 1 kB\n";
        let memory = ProcessMemory { peak: 20 << 10, resident: 12 << 10, address_space: 300 << 10 };
        assert_eq!(ProcessMemory::parse(status), memory);
        assert_eq!(ProcessMemory::parse("VmRSS:\tmuch\n"), ProcessMemory::default());
    }

    #[test]
    fn a_peak_is_noticed() {
        const LARGE: usize = 64 << 20;
        ProcessMemory::with_current_peak();
        drop(black_box(vec![1u8; LARGE]));
        let peak = ProcessMemory::with_current_peak().peak;
        assert!(LARGE as u64 <= peak && peak <= ProcessMemory::now().peak, "{peak}");
    }
}
