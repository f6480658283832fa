# Shared by the scripts beside it, which source it. Afterwards the working directory is the root of
# the project, so that every script can be called from anywhere.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

export SAM_CLI_TELEMETRY=0

# What the tests are built with, and the fuzzer with them: cargo gives a library the features that all of the chosen
# packages ask for, so that another choice would compile half of the libraries again.
# shellcheck disable=SC2034 # used by scripts that source this one
test_packages=(--package lambda-duet --package fuzz)

# heading TEXT: what happens next.
heading() { printf '\n== %s\n' "$*"; }

# fail TEXT: ends the script with what is wrong and what to do about it.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "root is needed for: $* (run as root, or install sudo)"
    fi
}

# Where duet runs and is not tested. Both need a C compiler for them: zig.
# shellcheck disable=SC2034 # used by scripts that source this one
other_systems=(aarch64-apple-darwin x86_64-pc-windows-gnu)

# wait_until SECONDS CONDITION...: polls, and gives up after that time.
wait_until() {
    local deadline=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# free_port: one that the kernel has to give.
free_port() {
    python3 -c 'import socket; server = socket.create_server(("127.0.0.1", 0)); print(server.getsockname()[1])'
}

# listening PORT: whether something answers there.
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# timed NAME COMMAND...: runs it and notes in the file $TIMINGS, where there is one, what it took: of real time, and of
# the time of all processors.
timed() {
    if [[ -z ${TIMINGS-} ]]; then
        "${@:2}"
        return
    fi
    local real user system TIMEFORMAT='%R %U %S' taken
    taken=$(mktemp)
    # In a shell of its own, which waits for no other's processes.
    (time "${@:2}" >&3 2>&4) 3>&1 4>&2 2>"$taken"
    read -r real user system <"$taken"
    rm "$taken"
    awk -v name="$1" -v real="$real" -v user="$user" -v kernel="$system" \
        'BEGIN { printf "%-44s %6.0f s %6.0f s\n", name, real, user + kernel }' >>"$TIMINGS"
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

# rust_target TARGET: its standard library. Where Rust came another way than by rustup, cargo says what it lacks.
rust_target() {
    command -v rustup >/dev/null || return 0
    local installed
    installed=$(rustup target list --installed)
    grep -qx "$1" <<<"$installed" && return
    heading "Adding the Rust target $1"
    rustup target add "$1"
}

# The architecture that this machine is not. Its C library comes from a cross-compiler's package: those
# exist for every architecture, so that apt need not know a foreign one.
case $(uname -m) in
x86_64) foreign=aarch64 ;;
aarch64) foreign=x86_64 ;;
*) fail "this machine is $(uname -m); Lambda Duet is built and tested on x86_64 and aarch64" ;;
esac
# shellcheck disable=SC2034 # used by scripts that source this one
foreign_libraries=/usr/$foreign-linux-gnu/lib

# Sets duet to the command line: the one that DUET names, or else one that is built now.
find_duet() {
    duet=${DUET-}
    [[ -z $duet ]] || return 0
    heading "Building duet, the command line (a minute or two the first time)"
    cargo build --quiet --bin duet
    duet=target/debug/duet
}

# import_cold_starts DIRECTORY: the campaign that README shows first, with $duet.
# shellcheck disable=SC2317 # called by scripts that source this one
import_cold_starts() {
    "$duet" import examples/cold-starts.csv --variant architecture --cell runtime,memory_mb \
        --value init_ms --measure init --block date --out "$1"
}
