#!/usr/bin/env bash
# Builds what `make demo` shows: the function for both architectures, and the command line meanwhile.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

at_once scripts/build.sh find_duet
