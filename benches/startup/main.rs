//! From the start of the process to the first request for work: the handler beside a bare
//! `lambda_runtime` function, taken in turns in one run, and what both are made of.
//!
//! Both are built by cargo-lambda with the same profile, as they would be deployed. Ratios are medians
//! with their 95% interval. `make bench` runs this.

#[path = "../common/build.rs"]
mod build;
#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/statistics.rs"]
mod statistics;

use build::build;
use effort::rounds;
use lambda_duet::{campaign::local::LocalEnvironment, protocol::Architecture};
use object::{
    LittleEndian,
    elf::{self, FileHeader64, Rela64},
    read::elf::{Dyn, FileHeader, SectionHeader},
};
use statistics::{Pairs, median};
use std::{fmt::Display, fs, path::Path, process::Stdio, time::Instant};
use tokio::runtime::{Builder, Runtime};

/// The handler's start as a multiple of the bare function's, and its size in megabytes.
const START_AIM: f64 = 1.15;
const SIZE_AIM: f64 = 4.0;

const WARM_UP: usize = 20;
const ROUNDS: usize = 300;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let hello = build("benches/startup/hello/Cargo.toml", "bare-hello", architecture);
        let handler = build("Cargo.toml", "handler", architecture);
        println!("{architecture:<24} {:>10} {:>10}", "hello", "handler");
        print_parts(&Parts::of(&hello), &Parts::of(&handler));
        if architecture == Architecture::OF_BINARY {
            compare_start(&runtime, &hello, &handler);
        } else {
            println!("  start                  not timed, this machine would emulate it");
        }
    }
}

/// What a program is made of.
struct Parts {
    bytes: u64,
    sections: [u64; SECTIONS.len()],
    /// Those that the loader makes at each start.
    relocations: u64,
    /// Shared libraries that the loader finds and maps at each start.
    libraries: usize,
}

const SECTIONS: [&str; 6] = [".text", ".rodata", ".eh_frame", ".gcc_except_table", ".rela.dyn", ".data.rel.ro"];

impl Parts {
    fn of(path: &Path) -> Self {
        let data = &*fs::read(path).expect("a binary");
        let header = FileHeader64::<LittleEndian>::parse(data).expect("an ELF file");
        let table = header.sections(LittleEndian, data).expect("sections");
        let size = |name: &str| {
            let section = table.section_by_name(LittleEndian, name.as_bytes());
            section.map_or(0, |(_, section)| section.sh_size(LittleEndian))
        };
        let (dynamic, _) = table.dynamic(LittleEndian, data).expect("a section").expect("it is linked dynamically");
        Self {
            bytes: data.len() as u64,
            sections: SECTIONS.map(size),
            relocations: (size(".rela.dyn") + size(".rela.plt")) / size_of::<Rela64<LittleEndian>>() as u64,
            libraries: dynamic.iter().filter(|entry| entry.d_tag(LittleEndian) == elf::DT_NEEDED).count(),
        }
    }
}

fn print_parts(hello: &Parts, handler: &Parts) {
    let megabytes = |bytes: u64| format!("{:.2} MB", bytes as f64 / 1e6);
    let kilobytes = |bytes: u64| format!("{:.0} kB", bytes as f64 / 1e3);
    print_row("size", &megabytes(hello.bytes), &megabytes(handler.bytes), &format!("aim: at most {SIZE_AIM} MB"));
    for (section, name) in SECTIONS.iter().enumerate() {
        print_row(name, &kilobytes(hello.sections[section]), &kilobytes(handler.sections[section]), "");
    }
    print_row("relocations", &hello.relocations, &handler.relocations, "");
    print_row("shared libraries", &hello.libraries, &handler.libraries, "");
}

fn print_row(name: &str, hello: &dyn Display, handler: &dyn Display, remark: &str) {
    println!("  {name:<22} {hello:>10} {handler:>10}  {remark}");
}

fn compare_start(runtime: &Runtime, hello: &Path, handler: &Path) {
    let time = |path| runtime.block_on(start(path)).milliseconds;
    let in_turns = |rounds| Pairs::in_turns(rounds, || (), || time(handler), || time(hello));
    in_turns(rounds(WARM_UP));
    let faults = |path| median((0..rounds(WARM_UP)).map(|_| runtime.block_on(start(path)).page_faults));
    print_row("minor page faults", &faults(hello), &faults(handler), "median");
    let pairs = in_turns(rounds(ROUNDS));
    let (handler, hello) = pairs.medians();
    let [hello_ms, handler_ms] = [hello, handler].map(|time| format!("{time:.2} ms"));
    print_row("start", &hello_ms, &handler_ms, &format!("medians of {}", rounds(ROUNDS)));
    print_row("start, ratio", &"1", &format!("{:.3}", handler / hello), &format!("aim: at most {START_AIM}"));
    println!("  {:<22} {}", "of the pairs", pairs.ratio());
}

/// From spawning a binary until it asks for its first event.
struct Start {
    milliseconds: f64,
    /// Pages that were mapped without reading a disk.
    page_faults: f64,
}

async fn start(path: &Path) -> Start {
    let start = Instant::now();
    let environment =
        LocalEnvironment::start(path, [("METRICS_SINK", "cloudwatch")], Stdio::null()).await.expect("it starts");
    environment.api().asked_for_work(1).await;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    Start { milliseconds, page_faults: page_faults(environment.process_id().expect("it runs")) }
}

/// The tenth field of `/proc/PID/stat`, the eighth after the name in brackets.
fn page_faults(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let fields = stat.rsplit(')').next().expect("there is always one");
    fields.split_ascii_whitespace().nth(7).and_then(|count| count.parse().ok()).expect("a count")
}
