# Shared by the scripts beside it, which source it. Afterwards the working directory is the root of
# the project, so that every script can be called from anywhere.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

export SAM_CLI_TELEMETRY=0

# heading TEXT: what happens next.
heading() { printf '\n== %s\n' "$*"; }

# fail TEXT: ends the script with what is wrong and what to do about it.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}
