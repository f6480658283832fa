#!/usr/bin/env bash
# Lets libFuzzer make up events for the service, guided by which code they reach: from the sample events on, for a
# number of seconds, on every processor. An event that panics, takes over 10 s, or is answered in a way
# that is not documented ends it and stays in target/fuzz/; as a file in tests/fuzz/regressions it is a test.
#
#   scripts/fuzz.sh [SECONDS]               guided by the libraries' code too, all of it optimized
#   scripts/fuzz.sh quick [SECONDS|build]   guided by this project's code alone, with the libraries of the tests; with
#                                           build only builds what is needed
set -euo pipefail
source "$(dirname "$0")/lib.sh"

mode=thorough
if [[ ${1-} == quick ]]; then
    mode=quick
    shift
fi
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ || $mode-$seconds == quick-build ]] ||
    fail "\"$seconds\" is no number of seconds; usage: fuzz.sh [quick] [SECONDS], fuzz.sh quick build"

# What `cargo fuzz` would pass too; none of it needs a nightly compiler.
export COVERAGE="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-trace-compares"

case $mode in
quick)
    export RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/rustc-for-fuzzing.sh
    build=("${test_packages[@]}" --all-features)
    ;;
thorough)
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    export RUSTFLAGS="$COVERAGE -Cdebug-assertions -Coverflow-checks"
    build=(--package fuzz --release --target "$(rustc -vV | sed -n 's/^host: //p')" --target-dir target/fuzz)
    ;;
esac

heading "Building the service with a fuzzer's instructions"
cargo test "${build[@]}" --test fuzz --no-run

[[ $seconds != build ]] || exit 0

heading "Fuzzing for $seconds s"
mkdir -p target/fuzz/corpus
cargo test --quiet "${build[@]}" --test fuzz -- -max_total_time="$seconds" -fork="$(nproc)" -timeout=10 -max_len=70000 \
    -dict="$PWD/tests/fuzz/dictionary.txt" -artifact_prefix="$PWD/target/fuzz/" \
    "$PWD"/{target/fuzz/corpus,events,tests/fuzz/regressions}
