#!/usr/bin/env bash
# Compiles the command line, without linking it, for the systems that it is not tested on: macOS and Windows.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ -x .tools/sam/bin/python ]] || fail "zig is missing; run scripts/setup.sh build lint"

heading "cargo check for ${other_systems[*]}"
command -v rustup >/dev/null || {
    echo "Left out: Rust came another way than by rustup, without their standard libraries"
    exit 0
}
export CC_aarch64_apple_darwin="$PWD/scripts/zig-cc.sh aarch64-macos"
export CC_x86_64_pc_windows_gnu="$PWD/scripts/zig-cc.sh x86_64-windows-gnu"
RUSTFLAGS="-D warnings" cargo check "${other_systems[@]/#/--target=}" --bin duet
