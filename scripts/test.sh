#!/usr/bin/env bash
# Every check that a change has to pass, from formats to the deployed stack. scripts/setup.sh comes first.
#
# Of what is too long for every change it takes samples, drawn by the commit; with DUET_SAMPLE=all it takes all.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

timings=()

# timed NAME COMMAND...: runs it and remembers how long it took.
timed() {
    local begin=$SECONDS
    "${@:2}"
    timings+=("$(printf '%-34s %5d s' "$1" $((SECONDS - begin)))")
}

# at_once COMMAND COMMAND: both; what the first prints comes when it has ended. Linking and waiting leave a processor idle.
at_once() {
    local log first
    log=$(mktemp)
    # With job control it is a process group, which can be ended as one.
    set -m
    "$1" >"$log" 2>&1 &
    first=$!
    set +m
    # shellcheck disable=SC2064 # this process, this file
    trap "kill -- -$first 2>/dev/null; rm -f $log" EXIT
    "$2"
    wait "$first" || fail "$(<"$log")"
    cat "$log"
    rm "$log"
    trap - EXIT
}

deployable() { timed "handler for both architectures" scripts/build.sh; }

compiled() {
    heading "Compiling the tests"
    cargo test "${test_packages[@]}" --all-features --no-run
    scripts/lint.sh
    scripts/fuzz.sh quick build
}

# What the tests have built already.
export DUET=target/debug/duet

rust_tests() {
    heading "cargo test"
    cargo test "${test_packages[@]}" --all-features
}

# One deployment serves both. Its tests run one by one: they share the functions' environments, and one of them watches
# how much memory those take.
deployed() {
    scripts/with-stack.sh bash -ec \
        'cargo test "$@" --all-features --test suite -- --ignored stack:: --test-threads 1
        scripts/demo.sh' bash "${test_packages[@]}"
    scripts/with-containers.sh scripts/sam-local.sh
}

timed "builds, formats and styles" at_once deployable compiled
timed "tests, stack, demo, sam local" at_once deployed rust_tests
timed "fuzzing" scripts/fuzz.sh quick 30

heading "All passed"
printf '%s\n' "${timings[@]}"
