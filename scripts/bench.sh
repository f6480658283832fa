#!/usr/bin/env bash
# Measures how fast the function starts and how large it is, beside a bare one of the same build.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# The benchmark builds both with cargo-lambda.
PATH=$PWD/.tools/sam/bin:$PATH cargo bench --bench startup --all-features
