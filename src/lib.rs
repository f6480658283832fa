//! Should this AWS Lambda function run on arm64 or on x86_64, and what will it save?
//!
//! One package builds two programs: `handler`, the benchmark service that is deployed once for
//! each architecture, and `duet`, the command line that asks both sides and compares the answers.
//!
//! Layers; each imports only from those above it:
//!
//! | layer | what it holds | feature |
//! |---|---|---|
//! | [`protocol`] | requests, responses, errors: the only types on the wire | |
//! | [`host`] | the machine, the process and the build | |
//! | [`transport`] | HTTP to AWS | either |
//! | [`workload`] | the pure kernels and their catalogue | |
//! | [`measure`] | running a kernel: wall clock, CPU clock, heap | |
//! | [`lambda`] | the deployed service: events, answers, metrics, logs | `lambda` |
//! | [`portability`] | whether packages of functions run on the other architecture | `cli` |
//! | [`campaign`] | calling functions, in AWS or on this machine; comparing two of them | `cli` |
//! | [`deployment`] | the service as a stack of CloudFormation | `cli` |
//! | [`analysis`] | what samples say | `cli` |
//! | [`report`] | measurements for people | `cli` |
//! | [`cli`] | the subcommands of the command line | `cli` |

#[cfg(feature = "cli")]
pub mod analysis;
#[cfg(feature = "cli")]
pub mod campaign;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod deployment;
pub mod host;
#[cfg(feature = "lambda")]
pub mod lambda;
// Where functions run; the command line, which runs elsewhere too, does not measure.
#[cfg(unix)]
pub mod measure;
#[cfg(feature = "cli")]
pub mod portability;
pub mod protocol;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(any(feature = "lambda", feature = "cli"))]
pub mod transport;
pub mod workload;
