#!/usr/bin/env bash
# Installs what the other scripts need: system packages through apt, everything else below .tools/.
# What is there already is left alone.
#
#   scripts/setup.sh build       to build for both architectures
#   scripts/setup.sh check       for the tests that need this machine's architecture alone
#   scripts/setup.sh stack       to run the result on this machine: emulated AWS, emulated architecture
#   scripts/setup.sh containers  to run it in containers, as `sam local` does
#   scripts/setup.sh fuzz        to look for events that break it
#   scripts/setup.sh dataframes  to compare reports with NumPy, Polars and DuckDB
#   scripts/setup.sh release     to build a wheel, and to use it in a fresh system
#   scripts/setup.sh lint        to check formats and styles
#   scripts/setup.sh             all of it
set -euo pipefail
source "$(dirname "$0")/lib.sh"

missing=()

# package NAME CHECK...: NAME is missing when the check fails.
package() { "${@:2}" &>/dev/null || missing+=("$1"); }

install_packages() {
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || fail "please install, under this system's names: ${missing[*]}"
    heading "Installing system packages: ${missing[*]}"
    as_root apt-get -q update
    # After Debian 13 the static QEMU is in this package.
    apt-cache show qemu-user-static &>/dev/null || missing=("${missing[@]/%qemu-user-static/qemu-user}")
    [[ " ${missing[*]} " != *" chromium "* ]] || apt-cache show chromium &>/dev/null ||
        fail "there is no package of Chromium here; please install google-chrome"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "${missing[@]}"
}

# up_to_date DIRECTORY REQUIREMENTS: whether DIRECTORY was finished here, with this Python, for these
# requirements. A virtual environment survives neither being moved nor a new Python.
stamp() { pwd; python3 --version; cat "$1"; }
up_to_date() { [[ -f $1/stamp && $(<"$1/stamp") == "$(stamp "$2")" ]]; }

# pins FILE: its requirements in one line.
pins() { grep -v '^#' "$1" | paste -sd ' '; }

# install_uv: uv itself, in .tools/uv, with the index of Python packages that pip is set up for.
install_uv() {
    local directory=.tools/uv requirements=scripts/tools/uv.txt index
    up_to_date "$directory" "$requirements" || {
        heading "Installing into $directory: $(pins "$requirements")"
        rm -rf "$directory"
        python3 -m venv "$directory"
        "$directory/bin/pip" install --quiet --disable-pip-version-check --no-compile --requirement "$requirements"
        stamp "$requirements" >"$directory/stamp"
    }
    index=$("$directory/bin/pip" config get global.index-url 2>/dev/null ||
        "$directory/bin/pip" config get :env:.index-url 2>/dev/null) || return 0
    export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX-$index}
}

# python_tools NAME: the virtual environment .tools/NAME with what scripts/tools/NAME.txt pins.
python_tools() {
    local directory=.tools/$1 requirements=scripts/tools/$1.txt
    up_to_date "$directory" "$requirements" && return
    heading "Installing into $directory: $(pins "$requirements")"
    .tools/uv/bin/uv venv --quiet --clear --python "$(command -v python3)" "$directory"
    VIRTUAL_ENV=$directory .tools/uv/bin/uv pip install --quiet --requirement "$requirements"
    stamp "$requirements" >"$directory/stamp"
}

# npm_tools: what scripts/tools/npm.txt pins, with the Node.js of .tools/lint.
npm_tools() {
    local directory=.tools/npm requirements=scripts/tools/npm.txt
    up_to_date "$directory" "$requirements" && return
    heading "Installing into $directory: $(pins "$requirements")"
    rm -rf "$directory"
    # shellcheck disable=SC2046 # one word for each package
    .tools/lint/bin/npm install --prefix "$directory" --loglevel error --ignore-scripts --no-audit --no-fund \
        $(pins "$requirements")
    stamp "$requirements" >"$directory/stamp"
}

rust_targets() {
    command -v cargo >/dev/null || fail "Rust is missing; install it from https://rustup.rs"
    rust_target aarch64-unknown-linux-gnu
    rust_target x86_64-unknown-linux-gnu
}

rust_components() {
    cargo clippy --version &>/dev/null && cargo fmt --version &>/dev/null && return
    command -v rustup >/dev/null || fail "cargo clippy and cargo fmt are missing"
    heading "Adding the Rust components clippy and rustfmt"
    rustup component add clippy rustfmt
}

# The other architecture's name for Debian, and its number in ELF headers.
case $foreign in
aarch64) foreign_debian=arm64 foreign_elf='\xb7' ;;
x86_64) foreign_debian=amd64 foreign_elf='\x3e' ;;
esac

# The C library is a program too, which prints its version: the shortest proof that others will run.
foreign_programs_run() { "$foreign_libraries/libc.so.6" &>/dev/null; }

# The path of QEMU for the other architecture; newer packages drop the suffix.
interpreter() { command -v "qemu-$foreign-static" || command -v "qemu-$foreign"; }

# Lets the kernel run programs of the other architecture through QEMU.
emulation() {
    foreign_programs_run && return
    heading "Letting the kernel run $foreign programs through QEMU"
    # Where QEMU looks for a program's loader and libraries before it looks below /: up to Debian 12,
    # and by its own default since.
    local prefix
    for prefix in "/etc/qemu-binfmt/$foreign" "/usr/gnemul/qemu-$foreign"; do
        [[ ! -e $prefix ]] || continue
        as_root mkdir -p "${prefix%/*}"
        as_root ln -s "${foreign_libraries%/lib}" "$prefix"
    done
    foreign_programs_run || register
    foreign_programs_run || fail "$foreign programs still do not run; try $foreign_libraries/libc.so.6"
}

# Tells the kernel about QEMU, which the package cannot do in a container without systemd.
register() {
    local registry=/proc/sys/fs/binfmt_misc name=lambda-duet-$foreign
    [[ -e $registry/register ]] || as_root mount -t binfmt_misc binfmt_misc "$registry" ||
        fail "binfmt_misc cannot be mounted; a container needs --privileged for that"
    [[ ! -e $registry/$name ]] || as_root tee "$registry/$name" <<<-1 >/dev/null
    # An ELF header: 64 bits, little-endian, a program or a shared object, of this machine. With F the
    # kernel opens QEMU now, so that it also serves programs that run below another root.
    local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00'$foreign_elf'\x00'
    local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    as_root tee "$registry/register" <<<":$name:M::$magic:$mask:$(interpreter):F" >/dev/null
}

packages_to_build() {
    package gcc command -v cc
    package libc6-dev test -e /usr/include/stdio.h
    package binutils command -v readelf
    package python3-venv python3 -c 'import ensurepip'
}

packages_to_fuzz() {
    packages_to_build
    package g++ command -v c++
}

packages_to_lint() {
    packages_to_fuzz
    package shellcheck command -v shellcheck
}

packages_to_run() {
    package curl command -v curl
    package ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
    package qemu-user-static interpreter
    package "libc6-$foreign_debian-cross" test -x "$foreign_libraries/libc.so.6"
    package "libgcc-s1-$foreign_debian-cross" test -e "$foreign_libraries/libgcc_s.so.1"
}

packages_to_release() {
    packages_to_build
    package debootstrap command -v debootstrap
}

# Where Docker runs, it will do; no other engine is put beside it.
packages_for_containers() {
    docker info &>/dev/null && return
    package docker.io test -x /usr/sbin/dockerd
    package iptables test -x /usr/sbin/iptables
    package busybox-static /bin/busybox true
}

# A browser that is here will do. Ubuntu's chromium-browser is there to fetch a snap, so it has to prove itself.
browser_runs() {
    local name
    for name in chromium google-chrome google-chrome-stable chromium-browser; do
        "$name" --version && return
    done
    return 1
}

packages_to_browse() {
    package chromium browser_runs
}

# What the tests of `make check` need besides: the Runtime Interface Emulator comes with the SAM CLI, the models of AWS's
# services with the AWS CLI. The readers of exports are Python packages.
packages_to_check() {
    packages_to_fuzz
    packages_to_browse
    package curl command -v curl
    package ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
    package bsdutils command -v script
}

(($#)) || set -- build check stack containers lint
for part in "$@"; do
    case $part in
    build) packages_to_build ;;
    check) packages_to_check ;;
    lint) packages_to_lint ;;
    stack) packages_to_run ;;
    containers) packages_for_containers ;;
    fuzz) packages_to_fuzz ;;
    dataframes) package python3-venv python3 -c 'import ensurepip' ;;
    release) packages_to_release ;;
    *) fail "unknown part \"$part\"; the parts are build, check, stack, containers, fuzz, dataframes, release and lint" ;;
    esac
done
install_packages

install_uv

# They come from the network for the most part, so they may come side by side.
installations=()
beside() {
    "$@" &
    installations+=($!)
}

lint_tools() {
    python_tools lint
    npm_tools
}

for part in "$@"; do
    case $part in
    build)
        rust_targets
        beside python_tools sam
        ;;
    dataframes) beside python_tools dataframes ;;
    release)
        rust_target "$(uname -m)-unknown-linux-musl"
        beside python_tools release
        ;;
    check)
        rust_components
        [[ " $* " == *" build "* ]] || beside python_tools sam
        [[ " $* " == *" stack "* ]] || beside python_tools aws
        beside python_tools consumers
        beside scripts/portability-packages.sh
        ;;
    stack)
        emulation
        beside python_tools aws
        beside python_tools ministack
        ;;
    lint)
        rust_components
        for target in "${other_systems[@]}"; do rust_target "$target"; done
        beside python_tools checkov
        beside lint_tools
        ;;
    esac
done
for installation in "${installations[@]}"; do
    wait "$installation" || fail "something could not be installed; see above"
done
