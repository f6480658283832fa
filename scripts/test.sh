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
    cargo test --workspace --all-features
}

# One deployment serves both.
stack_tests() {
    # shellcheck disable=SC2016 # the inner shell expands nothing
    scripts/with-stack.sh bash -ec 'cargo test --all-features --test stack -- --ignored; scripts/demo.sh'
}

# The official emulator of the Lambda runtime, which comes with SAM CLI.
case $(uname -m) in
aarch64) emulator=aws-lambda-rie-arm64 ;;
*) emulator=aws-lambda-rie-$(uname -m) ;;
esac
DUET_RIE=$(find "$PWD/.tools/sam/lib" -path "*/samcli/local/rapid/$emulator")
[[ -n $DUET_RIE ]] || fail "SAM CLI brings no $emulator"
export DUET_RIE

timed "formats and styles" scripts/lint.sh
timed "build" scripts/build.sh
timed "unit and integration tests" rust_tests
timed "deployed stack and demo" stack_tests

heading "All passed"
printf '%s\n' "${timings[@]}"
