#!/usr/bin/env bash
# Every check there is, from formats to the deployed stack. scripts/setup.sh comes first.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

timings=()

# timed NAME COMMAND...: runs it and remembers how long it took.
timed() {
    local begin=$SECONDS
    "${@:2}"
    timings+=("$(printf '%-28s %5d s' "$1" $((SECONDS - begin)))")
}

rust_tests() {
    heading "cargo test"
    cargo test --all-features
}

# One deployment serves both. Its tests run one by one: they share the functions' environments, and one of them watches
# how much memory those take.
stack_tests() {
    scripts/with-stack.sh bash -ec \
        'cargo test --all-features --test stack -- --ignored --test-threads 1; scripts/demo.sh'
}

timed "formats and styles" scripts/lint.sh
timed "build" scripts/build.sh
timed "portable build" scripts/build.sh portable
timed "unit and integration tests" rust_tests
timed "deployed stack and demo" stack_tests
timed "fuzzing" scripts/fuzz.sh 30
timed "sam local" scripts/with-containers.sh scripts/sam-local.sh

heading "All passed"
printf '%s\n' "${timings[@]}"
