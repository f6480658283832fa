//! The machine beneath the process: CPU, memory, build facts. Linux only, read from `/proc`.

mod arm;
mod process_memory;

use crate::protocol::{Architecture, Build, Clock, Host};
use process_memory::ProcessMemory;
use std::{fs, num::NonZero, sync::LazyLock, thread::available_parallelism};

/// How this binary was built.
pub fn build() -> &'static Build {
    static BUILD: LazyLock<Build> = LazyLock::new(|| Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_revision: env!("DUET_GIT_REVISION").to_owned(),
        rustc: env!("DUET_RUSTC").to_owned(),
        target: env!("DUET_TARGET").to_owned(),
        target_cpu: env!("DUET_TARGET_CPU").to_owned(),
        target_features: env!("DUET_TARGET_FEATURES").split(',').map(str::to_owned).collect(),
    });
    &BUILD
}

/// The machine as the process sees it, with clocks that were measured elsewhere.
pub fn describe(clock: Clock, cpu_clock: Clock) -> Host {
    let cpu = Cpu::parse(&read("/proc/cpuinfo"));
    let kernel = kernel_architecture(&read("/proc/sys/kernel/arch"));
    Host {
        emulated: cpu.emulates(Architecture::OF_BINARY, kernel),
        cpu_model: cpu.model,
        cpu_features: cpu.features,
        vcpus: available_parallelism().map_or(1, |count| u32::try_from(NonZero::get(count)).unwrap_or(u32::MAX)),
        clock,
        cpu_clock,
    }
}

/// The model of the CPU that a text such as `/proc/cpuinfo` describes.
pub fn cpu_model(cpuinfo: &str) -> String {
    Cpu::parse(cpuinfo).model
}

/// The largest resident set of this process so far, in bytes.
pub fn max_rss_bytes() -> u64 {
    ProcessMemory::with_current_peak().peak
}

/// How many of `memory` bytes this process may still use: those that are not resident, or fewer if its address space is
/// limited.
pub fn free_bytes(memory: u64) -> u64 {
    let process = ProcessMemory::now();
    let free = memory.saturating_sub(process.resident);
    match address_space_limit() {
        Some(limit) => free.min(limit.saturating_sub(process.address_space)),
        None => free,
    }
}

/// At least so many of `memory` bytes are [free](free_bytes): found without a system call, from what was read last.
pub fn surely_free_bytes(memory: u64) -> u64 {
    /// More than a process takes that has measured nothing since.
    const SERVICE: u64 = 16 << 20;
    match (ProcessMemory::last(), address_space_limit()) {
        (Some(last), None) if last.peak > 0 => memory.saturating_sub(last.peak + SERVICE),
        _ => 0,
    }
}

/// What the process was started with: nothing here changes it.
#[cfg(unix)]
fn address_space_limit() -> Option<u64> {
    static LIMIT: LazyLock<Option<u64>> =
        LazyLock::new(|| rustix::process::getrlimit(rustix::process::Resource::As).current);
    *LIMIT
}

#[cfg(not(unix))]
fn address_space_limit() -> Option<u64> {
    None
}

/// The content of a file of `/proc`; empty if it cannot be read.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The kernel's architecture, which a user-mode emulator does not hide.
fn kernel_architecture(name: &str) -> Option<Architecture> {
    match name.trim() {
        "aarch64" => Some(Architecture::Arm64),
        "x86_64" => Some(Architecture::X86_64),
        _ => None,
    }
}

/// A CPU as `/proc/cpuinfo` describes it.
#[derive(Debug, PartialEq, Eq)]
struct Cpu {
    model: String,
    features: Vec<String>,
    architecture: Option<Architecture>,
}

impl Cpu {
    /// Features that the workloads or their libraries use.
    const FEATURES: &str = "aes asimd asimddp atomics avx avx2 avx512bw avx512f bmi2 crc32 fma pclmulqdq pmull sha2 \
                            sha512 sha_ni sse4_2 sve sve2 vaes";

    fn parse(cpuinfo: &str) -> Self {
        let value = |key: &str| {
            cpuinfo.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                (name.trim() == key).then(|| value.trim())
            })
        };
        let (model, flags, architecture) = if let Some(implementer) = value("CPU implementer") {
            let model = arm::model(implementer, value("CPU part").unwrap_or_default());
            (model, value("Features"), Some(Architecture::Arm64))
        } else if let Some(model) = value("model name") {
            (model.to_owned(), value("flags"), Some(Architecture::X86_64))
        } else {
            ("unknown".to_owned(), None, None)
        };
        let flags: Vec<&str> = flags.unwrap_or_default().split_ascii_whitespace().collect();
        let features = Self::FEATURES.split(' ').filter(|feature| flags.contains(feature)).map(str::to_owned);
        Self { model, features: features.collect(), architecture }
    }

    /// Whether a binary for `binary` is emulated here: this CPU or the kernel has another architecture, or the CPU is
    /// the one that Rosetta emulates.
    fn emulates(&self, binary: Architecture, kernel: Option<Architecture>) -> bool {
        let mut architectures = self.architecture.into_iter().chain(kernel);
        architectures.any(|architecture| architecture != binary) || self.model.starts_with("VirtualApple")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPYC: &str = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n\
                        flags\t\t: fpu sse4_2 avx2 sha_ni xyz\n\nprocessor\t: 1\nmodel name\t: other\n";
    const GRAVITON2: &str = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd aes sha2 atomics\n\
                             CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0c\n";

    #[test]
    fn an_x86_cpu_is_named_by_the_kernel() {
        let cpu = Cpu::parse(EPYC);
        assert_eq!(cpu.model, "AMD EPYC");
        assert_eq!(cpu.features, ["avx2", "sha_ni", "sse4_2"]);
        assert_eq!(cpu.architecture, Some(Architecture::X86_64));
    }

    #[test]
    fn an_arm_cpu_is_named_from_its_codes() {
        let cpu = Cpu::parse(GRAVITON2);
        assert_eq!(cpu.model, "Neoverse-N1");
        assert_eq!(cpu.features, ["aes", "asimd", "atomics", "sha2"]);
        assert_eq!(cpu.architecture, Some(Architecture::Arm64));
    }

    #[test]
    fn emulation_shows_in_the_cpu_or_in_the_kernel() {
        use Architecture::{Arm64, X86_64};
        let (epyc, graviton, unknown) = (Cpu::parse(EPYC), Cpu::parse(GRAVITON2), Cpu::parse(""));
        assert!(epyc.emulates(Arm64, None));
        assert!(!epyc.emulates(X86_64, Some(X86_64)));
        assert!(!graviton.emulates(Arm64, None));
        assert!(graviton.emulates(Arm64, Some(X86_64)), "an emulator that writes its own cpuinfo");
        assert!(!unknown.emulates(Arm64, None));
        assert!(Cpu::parse("model name\t: VirtualApple @ 2.50GHz\n").emulates(X86_64, None));
    }

    #[test]
    fn this_process_has_memory_and_a_described_host() {
        assert!(max_rss_bytes() > 0);
        let free = free_bytes(1 << 60);
        assert!(0 < free && free < 1 << 60);
        assert_eq!((free_bytes(0), surely_free_bytes(0)), (0, 0));
        let host = describe(Clock { resolution_ns: 1, cost_ns: 20 }, Clock { resolution_ns: 1, cost_ns: 200 });
        assert!(!host.cpu_model.is_empty() && host.vcpus > 0 && !host.emulated);
    }

    #[test]
    fn build_facts_are_filled_in() {
        let build = build();
        assert!(build.rustc.starts_with("rustc "));
        assert!(build.target.ends_with("-linux-gnu"));
        assert!(!build.git_revision.is_empty() && !build.target_cpu.is_empty());
    }
}
