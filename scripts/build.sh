#!/usr/bin/env bash
# Builds the function for both architectures and checks what came out.
#
#   scripts/build.sh            for the oldest CPUs that Lambda has, as cargo-lambda does by itself
#                               (neoverse-n1, haswell), into .aws-sam/build
#   scripts/build.sh portable   for any CPU of each architecture (generic, x86-64), into .aws-sam/portable
#   scripts/build.sh quick      to look at and not to deploy, by cargo's profile dev, into .aws-sam/quick
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ -x .tools/sam/bin/sam ]] || fail "SAM CLI is missing; run scripts/setup.sh build"

profile=${1:-default}
case $profile in
default) directory=.aws-sam/build ;;
portable)
    directory=.aws-sam/portable
    # Flags for a target win over those for all builds, where cargo-lambda puts its own.
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-cpu=generic"
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-cpu=x86-64"
    ;;
quick)
    directory=.aws-sam/quick
    export SAM_BUILD_MODE=debug
    ;;
*) fail "unknown profile \"$profile\"; it is default, portable or quick" ;;
esac

heading "Building for arm64 and x86_64, profile $profile (some minutes the first time)"
PATH=$PWD/.tools/sam/bin:$PATH sam build --build-dir "$directory"

# SAM CLI leaves the target to cargo-lambda's default where the architecture is x86_64, and both
# builds share a directory: so look at the result.
heading "Checking the binaries"
scripts/check-binary.sh "$directory/Arm64Function/bootstrap" arm64
scripts/check-binary.sh "$directory/X86Function/bootstrap" x86_64
