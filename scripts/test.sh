#!/usr/bin/env bash
# Every check that a change has to pass, from formats to the deployed stack. scripts/setup.sh comes first.
#
# Of what is too long for every change it takes samples, drawn by the commit; with DUET_SAMPLE=all it takes all.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

TIMINGS=$(mktemp)
export TIMINGS

builds() {
    timed "handler for both architectures" scripts/build.sh
    timed "shell, template, workflows" scripts/lint.sh files
}

checks() {
    heading "Compiling the tests"
    timed "tests, compiled" cargo test "${test_packages[@]}" --all-features --no-run
    scripts/lint.sh crates
    timed "command line for macOS and Windows, checked" scripts/check-platforms.sh
    timed "fuzzer, compiled" scripts/fuzz.sh quick build
}

# What the tests have built already.
export DUET=target/debug/duet

# What calls the functions from outside. One deployment serves the tests of the stack and the demo. The tests run one by
# one: they share the functions' environments, and one of them watches how much memory those take.
called() {
    timed "tests of the stack, demo" scripts/with-stack.sh bash -ec \
        'cargo test "$@" --all-features --test suite -- --ignored stack:: --test-threads 1
        scripts/demo.sh' bash "${test_packages[@]}"
    timed "sam local" scripts/with-containers.sh scripts/sam-local.sh
}

tests() {
    heading "cargo test"
    timed "unit tests" cargo test "${test_packages[@]}" --all-features --lib
    timed "suite" cargo test "${test_packages[@]}" --all-features --test suite
}

timed "1. builds beside lints and compiling" at_once builds checks
timed "2. tests beside stack, demo, sam local" at_once called tests
timed "3. fuzzing" scripts/fuzz.sh quick 30

heading "All passed"
printf '%-44s %8s %8s\n' "" real processors
sort "$TIMINGS"
rm "$TIMINGS"
