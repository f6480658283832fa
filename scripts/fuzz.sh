#!/usr/bin/env bash
# Lets libFuzzer make up events for the service, guided by which code they reach: from the sample events on, for a
# number of seconds, on every processor. An event that panics, takes over 10 s, or is answered in a way
# that is not documented ends it and stays in target/fuzz/; as a file in tests/fuzz/regressions it is a test.
#
#   scripts/fuzz.sh [SECONDS]
#   scripts/fuzz.sh build       only builds what is needed for it
set -euo pipefail
source "$(dirname "$0")/lib.sh"

seconds=${1:-60}
[[ $seconds =~ ^([1-9][0-9]*|build)$ ]] || fail "\"$seconds\" is no number of seconds; usage: fuzz.sh [SECONDS | build]"

heading "Building the service with a fuzzer's instructions"
# What `cargo fuzz` would pass too; none of it needs a nightly compiler.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-trace-compares"
machine=$(rustc -vV | sed -n 's/^host: //p')
CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    RUSTFLAGS="$coverage -Cdebug-assertions -Coverflow-checks" \
    cargo build --package fuzz --release --target "$machine" --target-dir target/fuzz

[[ $seconds != build ]] || exit 0

heading "Fuzzing for $seconds s"
mkdir -p target/fuzz/corpus
"target/fuzz/$machine/release/fuzz" -max_total_time="$seconds" -fork="$(nproc)" -timeout=10 -max_len=70000 \
    -dict=tests/fuzz/dictionary.txt -artifact_prefix=target/fuzz/ \
    target/fuzz/corpus events tests/fuzz/regressions
