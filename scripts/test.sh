#!/usr/bin/env bash
# Every check there is, from formats to the deployed stack. scripts/setup.sh comes first.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

timings=()

# timed NAME COMMAND...: runs it and remembers how long it took.
timed() {
    local begin=$SECONDS
    "${@:2}"
    timings+=("$(printf '%-30s %5d s' "$1" $((SECONDS - begin)))")
}

# at_once COMMAND COMMAND: both; what the first prints comes when it has ended. Linking leaves a processor idle.
at_once() {
    local log first
    log=$(mktemp)
    "$1" >"$log" 2>&1 &
    first=$!
    # shellcheck disable=SC2064 # this process, this file
    trap "kill $first 2>/dev/null; rm -f $log" EXIT
    "$2"
    wait "$first" || fail "$(<"$log")"
    cat "$log"
    rm "$log"
    trap - EXIT
}

other_builds() {
    scripts/build.sh portable
    scripts/fuzz.sh build
}

# Here the time does not matter that a call takes, so that others may take it.
containers() {
    heading "Compiling the tests"
    cargo test --all-features --no-run
    scripts/with-containers.sh scripts/sam-local.sh
}

# What the tests have built already.
export DUET=target/debug/duet

rust_tests() {
    heading "cargo test"
    cargo test --all-features
}

# One deployment serves both. Its tests run one by one: they share the functions' environments, and one of them watches
# how much memory those take.
stack_tests() {
    scripts/with-stack.sh bash -ec \
        'cargo test --all-features --test stack -- --ignored --test-threads 1
        scripts/demo.sh'
}

timed "build, formats and styles" at_once scripts/lint.sh scripts/build.sh
timed "other builds, sam local" at_once other_builds containers
timed "unit and integration tests" rust_tests
timed "deployed stack and demo" stack_tests
timed "fuzzing" scripts/fuzz.sh 30

heading "All passed"
printf '%s\n' "${timings[@]}"
