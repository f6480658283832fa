#!/usr/bin/env bash
# As RUSTC_WORKSPACE_WRAPPER: compiles the packages of this project, and no library, with the further arguments that
# COVERAGE holds.
set -euo pipefail

# A build script is a program of its own, without a fuzzer.
[[ " $* " != *" --crate-name build_script_build "* ]] || COVERAGE=
# shellcheck disable=SC2086 # one word for each argument
exec "$@" $COVERAGE
