//! The function as it is deployed.

use lambda_duet::protocol::Architecture;
use std::path::{Path, PathBuf};

/// The binary of this machine's architecture that `make build` made, or the one that is named as the argument.
pub fn binary() -> PathBuf {
    // Cargo hands `--bench` to every benchmark.
    let named = std::env::args().skip(1).find(|argument| argument != "--bench").map(PathBuf::from);
    let function = match Architecture::OF_BINARY {
        Architecture::Arm64 => "Arm64Function",
        Architecture::X86_64 => "X86Function",
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    named.unwrap_or_else(|| root.join(".aws-sam/build").join(function).join("bootstrap"))
}
