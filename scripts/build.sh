#!/usr/bin/env bash
# Builds the function for both architectures into .aws-sam/build and checks what came out.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ -x .tools/sam/bin/sam ]] || fail "SAM CLI is missing; run scripts/setup.sh build"

heading "Building for arm64 and x86_64 (some minutes the first time)"
PATH=$PWD/.tools/sam/bin:$PATH sam build

# SAM CLI leaves the target to cargo-lambda's default where the architecture is x86_64, and both
# builds share a directory: so look at the result.
heading "Checking the binaries"
scripts/check-binary.sh .aws-sam/build/Arm64Function/bootstrap arm64
scripts/check-binary.sh .aws-sam/build/X86Function/bootstrap x86_64
