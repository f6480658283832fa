//! Responses of the service: raw measurements, and the facts that make them comparable.

use super::{
    Nanoseconds, Shape, Size, Summary,
    repeated::{Known, Repeated, repeated},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, cell::RefCell, str::FromStr, thread::LocalKey};

/// The version of the response's format; it grows when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// The response to a benchmark or census request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// The id of the invocation, as in the function's log.
    pub request_id: String,
    pub function: Function,
    pub environment: Environment,
    #[serde(deserialize_with = "repeated")]
    pub host: Cow<'static, Host>,
    #[serde(deserialize_with = "repeated")]
    pub build: Cow<'static, Build>,
    /// One entry per workload, in the order of the catalogue; none for a census.
    pub results: Vec<Sample>,
    /// Whether every workload ran all its iterations, or a census held the environment for the whole time.
    pub complete: bool,
    /// How long after the request a census was answered, in milliseconds; absent if it was no census.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<u64>,
    /// Time left before the invocation's deadline when the answer was made, in milliseconds.
    pub remaining_ms: u64,
}

/// An instruction set that Lambda offers, under Lambda's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// 64-bit Arm (AWS Graviton).
    Arm64,
    /// 64-bit x86 (Intel, AMD).
    X86_64,
}

impl Architecture {
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Arm64];

    /// The architecture this binary was compiled for.
    pub const OF_BINARY: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else if cfg!(target_arch = "x86_64") {
        Self::X86_64
    } else {
        panic!("AWS Lambda runs on aarch64 and x86_64 only")
    };
}

impl FromStr for Architecture {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        Self::ALL.into_iter().find(|known| known.to_string() == text).ok_or("write x86_64 or arm64")
    }
}

/// The function as Lambda describes it to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    /// Its published version, or `$LATEST`.
    pub version: String,
    /// Its memory setting in MiB.
    pub memory_mb: u32,
    /// The instruction set it was built for.
    pub architecture: Architecture,
}

/// One execution environment: a process that serves one invocation after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// A random id, the same for every invocation of this environment.
    pub id: String,
    /// Whether this invocation was the environment's first.
    pub cold_start: bool,
    /// How many invocations the environment had served before this one.
    pub invocation_index: u64,
    /// From the start of the process to the first request for work, in milliseconds.
    pub init_ms: f64,
}

/// The machine as the process sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The CPU's model, such as `Neoverse-N1` or `Intel(R) Xeon(R) Processor @ 2.90GHz`.
    pub cpu_model: String,
    /// The instruction-set extensions that matter to the workloads and that the CPU has.
    pub cpu_features: Vec<String>,
    /// Visible virtual CPUs.
    pub vcpus: u32,
    /// Whether the binary is emulated on another instruction set, so that its times mean nothing.
    pub emulated: bool,
    /// The clock of `wall_ns`.
    pub clock: Clock,
    /// The clock of `cpu_ns`.
    pub cpu_clock: Clock,
}

/// The resolution of a clock, and the cost of reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The resolution that the kernel states, in nanoseconds.
    pub resolution_ns: u64,
    /// The cost of one reading of the clock, in nanoseconds.
    pub cost_ns: u64,
}

/// How the binary was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The version of Lambda Duet.
    pub version: String,
    /// The git revision, with `-dirty` if the program's sources had changes; `unknown` outside a checkout.
    pub git_revision: String,
    /// The compiler, as `rustc --version` prints it.
    pub rustc: String,
    pub target: String,
    /// The CPU the code was generated for.
    pub target_cpu: String,
    /// The instruction-set extensions that the code uses without detection at run time.
    pub target_features: Vec<String>,
}

thread_local! {
    static HOSTS: Known<Host> = RefCell::default();
    static BUILDS: Known<Build> = RefCell::default();
}

impl Repeated for Host {
    fn known() -> &'static LocalKey<Known<Self>> {
        &HOSTS
    }
}

impl Repeated for Build {
    fn known() -> &'static LocalKey<Known<Self>> {
        &BUILDS
    }
}

/// The measurements of one workload in one invocation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The workload's name, such as `math/matmul`.
    pub workload: String,
    /// Its category, such as `math`.
    pub category: String,
    pub size: Size,
    /// The size in elements, in the workload's own unit.
    pub elements: u64,
    /// The order of the input, if it matters to the workload.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shape: Option<Shape>,
    /// The instructions that the workload's library chose for the CPU, if it chooses any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_path: Option<String>,
    /// The checksum of the work done, 16 hexadecimal digits: equal on every architecture for
    /// equal workload, size and seed. `None` if no iteration ran.
    pub checksum: Option<String>,
    pub status: Status,
    /// What went wrong, if the status is `failed`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// The number of runs that were timed together as one iteration: 1, unless a run is too short for the clocks. The
    /// times of an iteration are those of the batch divided by this.
    pub batch_size: u32,
    /// Wall-clock time of each timed iteration, in nanoseconds; whole if the batch size is 1.
    pub wall_ns: Nanoseconds,
    /// CPU time of each timed iteration, in nanoseconds; whole if the batch size is 1.
    pub cpu_ns: Nanoseconds,
    /// The summary of the wall-clock times, in nanoseconds. `None` if no iteration ran.
    pub summary: Option<Summary>,
    pub memory: Memory,
    /// The share of wall time in which the thread did not run: 1 − CPU ÷ wall, at least 0.
    pub throttled_fraction: Option<f64>,
    /// Warnings about the times.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<SampleWarning>,
}

/// A warning about the times of a [`Sample`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleWarning {
    pub kind: SampleWarningKind,
    /// What happened and what to do about it.
    pub detail: String,
}

/// The kinds of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleWarningKind {
    /// One run takes less than 1000 readings of the clock, so that several were timed together.
    ShortIterations,
}

/// The outcome of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All iterations ran.
    Completed,
    /// The deadline came first; the completed iterations are there.
    Truncated,
    /// Not one iteration fitted.
    Skipped,
    /// The workload panicked, or its checksum changed between iterations.
    Failed,
}

/// Memory, of the workload and of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The heap use of one pass of the workload; `None` if it was not requested or did not fit.
    #[serde(flatten)]
    pub heap: Option<HeapUse>,
    /// The largest resident set of the process so far, in bytes.
    pub max_rss_bytes: u64,
}

/// The heap use of one pass of a workload, from making its input to its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapUse {
    /// The most bytes in use at any time.
    pub peak_heap_bytes: u64,
    /// The number of allocations (a growing reallocation counts as one).
    pub allocations: u64,
    /// The bytes of all allocations together.
    pub allocated_bytes: u64,
}

/// The response to `GET …/workloads`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// What to expect of the request `{}`.
    pub default_request: DefaultRequest,
    /// Every workload, sorted by name.
    pub workloads: Vec<CatalogueEntry>,
}

/// What to expect of a request that leaves everything out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRequest {
    /// The function's memory for which this holds, in MiB.
    pub memory_mb: u32,
    /// The time within which it is answered, in seconds.
    pub finishes_within_s: u32,
}

/// One workload as the catalogue describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Its name, such as `math/matmul`.
    pub name: String,
    /// Its category, such as `math`.
    pub category: String,
    pub implementation: Implementation,
    pub vectorization: Vectorization,
    /// What it does.
    pub summary: String,
    /// What part of a machine it stresses.
    pub stresses: String,
    /// Why arm64 and x86_64 might differ in it.
    pub difference: String,
    /// Where the algorithm or the library comes from.
    pub source: String,
    /// What one element of its size is; n is the number of elements.
    pub element: String,
    /// How its time grows with n.
    pub time: String,
    /// How its memory grows with n.
    pub memory: String,
    /// Whether it takes a `shape`.
    pub shapes: bool,
    /// The elements of its three sizes.
    pub sizes: Sizes,
    /// The bytes of memory that each size needs.
    pub memory_bytes: Sizes,
}

/// How a kernel is implemented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Implementation {
    /// Our own, in the obvious way, for contrast with a better one.
    Naive,
    /// Our own, as in a textbook, because it stresses a known part of a machine.
    Textbook,
    /// The library that programs commonly use.
    Library,
    /// The fastest maintained library for the job, which chooses its instructions at run time.
    Tuned,
}

/// How the vector instructions of a kernel are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vectorization {
    /// There are none that matter.
    Scalar,
    /// By the compiler, for the build's target CPU.
    Autovectorized,
    /// By the library at run time, for the CPU that it finds.
    #[serde(rename = "run-time dispatch")]
    RunTimeDispatch,
}

/// A number for each of the three sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    pub small: u64,
    pub medium: u64,
    pub large: u64,
}
