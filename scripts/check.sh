#!/usr/bin/env bash
# What a change can be held to in minutes: Rust formats and lints, unit tests, and the tests of the suite that need
# neither the other architecture nor a deployed stack. Instead of the deployable handler they run a quick build.
# scripts/setup.sh check comes first.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ -x .tools/sam/bin/sam ]] || fail "SAM CLI is missing; run scripts/setup.sh check"
[[ -x .tools/aws/bin/aws ]] || fail "AWS CLI is missing; run scripts/setup.sh check"

scripts/lint.sh rust

heading "cargo test, on this architecture"
# Many tests wait: for processes, for timers, for their turn.
threads=$((2 * $(nproc)))
# What takes a quick build minutes is left out too: the golden checksums at large, and the request that means the defaults.
DUET_QUICK_HANDLER=1 cargo test "${test_packages[@]}" --all-features --lib --test suite -- \
    --skip foreign:: --skip golden::large_is_golden --skip contract::an_empty_request_has_the_defaults --test-threads "$threads"

left_out() { cargo test --quiet "${test_packages[@]}" --all-features --test suite -- --list "$@" | grep --count ': test$'; }

heading "Checked. Left out, and done by make test:"
cat <<LIST
- the handler as it is deployed: both builds, their sizes and libraries, the tests above on them, large workloads
- $(left_out foreign::) tests on $foreign, emulated, or of both architectures together
- $(left_out --ignored stack::) tests of the deployed stack, the demo, sam local
- rustdoc links, shell scripts, the SAM template, the GitHub workflows
- half a minute of fuzzing
docs/development.md says what is left to the nightly run.
LIST
