#!/usr/bin/env bash
# Builds the wheel for Linux on this machine's architecture into target/dist, with both functions in it, and uses it in a
# fresh virtual environment.
#
#   scripts/wheel.sh        on this system
#   scripts/wheel.sh root   also in a fresh system that has Python and nothing else, by debootstrap; needs root
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ -x .tools/release/bin/maturin ]] || fail "maturin is missing; run scripts/setup.sh build release"
[[ -f .aws-sam/build/Arm64Function/bootstrap ]] || fail "the functions are not built; run scripts/build.sh"

target=$(uname -m)-unknown-linux-musl
dist=target/dist
mkdir -p "$dist"
rm -rf "${dist:?}"/*

heading "Building the wheel for $target (some minutes: it is optimized as a whole)"
export PATH=$PWD/.tools/release/bin:$PATH
scripts/package.py handler .aws-sam/build "$dist"
scripts/package.py wheel "$target" "$dist" "$dist"
scripts/package.py archive "$target" "$dist"
scripts/package.py checksums "$dist"
cat "$dist/SHA256SUMS"

heading "Using the wheel"
scripts/try_wheel.py "$dist"/*.whl

[[ ${1-} == root ]] || exit 0
heading "Using the wheel in a fresh Debian that has Python and nothing else"
root=$(mktemp -d)
trap 'as_root rm -rf --one-file-system "$root"' EXIT
# What this system gets its packages from.
mirror=$(sed -nE 's/^(deb|URIs:) .*(https?:[^ ]+debian)\/?( .*)?$/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1) || true
as_root debootstrap --variant=minbase --include=python3,python3-venv bookworm "$root" ${mirror:+"$mirror"} >"$dist/debootstrap.log" ||
    fail "debootstrap failed: $(tail -n 3 "$dist/debootstrap.log")"
for tool in cargo gcc sam aws; do
    [[ ! -e $root/usr/bin/$tool ]] || fail "the fresh system has $tool"
done
as_root cp scripts/try_wheel.py "$dist"/*.whl "$root/opt"
# In a mount namespace of its own, /proc is gone with the last of its processes.
# shellcheck disable=SC2016 # its argument, not one of this script
as_root unshare --mount sh -euc 'mount -t proc proc "$0/proc"; exec chroot "$0" sh -c "exec python3 /opt/try_wheel.py /opt/*.whl"' "$root"
