//! A process, and what it took.

use std::{
    fs,
    io::Read,
    process::Child,
    thread,
    time::{Duration, Instant},
};

/// What a process took, from the call until its end.
pub struct Finished {
    pub seconds: f64,
    pub peak_kib: u64,
    /// What it printed, if its output is piped.
    #[allow(dead_code, reason = "not every benchmark reads it")]
    pub output: Vec<u8>,
}

/// Waits for the end of a process, which must succeed.
pub fn finish(mut process: Child) -> Finished {
    let begin = Instant::now();
    // A process blocks if its pipe is full and not read.
    let output = process.stdout.take().map(|mut output| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).map(|_| bytes)
        })
    });
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(resident_kib(process.id()).unwrap_or_default());
        if let Some(status) = process.try_wait().expect("it is a child") {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let seconds = begin.elapsed().as_secs_f64();
    assert!(status.success(), "{status}");
    let output = output.map_or_else(Vec::new, |reader| reader.join().expect("a reader").expect("a pipe"));
    Finished { seconds, peak_kib, output }
}

/// The largest resident set of a process so far.
fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
