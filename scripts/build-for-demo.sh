#!/usr/bin/env bash
# Builds what `make demo` shows, quickly: the command line, and the function for both architectures. They share what they
# have in common, because the command line is built like the function of this architecture. Of the function
# this package alone is optimized: otherwise emulated workloads would take longer than optimizing them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

case $foreign in
aarch64) native=--x86-64 ;;
*) native=--arm64 ;;
esac
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
export CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false

heading "Building duet, the command line (some minutes the first time)"
PATH=$PWD/.tools/sam/bin:$PATH cargo lambda build --quiet "$native" --bin duet --no-default-features --features cli
CARGO_PROFILE_DEV_OPT_LEVEL=3 scripts/build.sh quick
