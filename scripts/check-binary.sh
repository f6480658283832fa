#!/usr/bin/env bash
# Checks that a file is a Linux program for an architecture, and that it runs on Amazon Linux 2023.
#
#   scripts/check-binary.sh FILE arm64|x86_64
set -euo pipefail
source "$(dirname "$0")/lib.sh"

(($# == 2)) || fail "usage: check-binary.sh FILE arm64|x86_64"
file=$1 architecture=$2
newest_glibc=2.34 # of Amazon Linux 2023

[[ -f $file ]] || fail "$file does not exist"
case $architecture in
arm64) expected=AArch64 ;;
x86_64) expected=X86-64 ;;
*) fail "unknown architecture \"$architecture\"; it is arm64 or x86_64" ;;
esac

machine=$(LC_ALL=C readelf --file-header "$file" | sed -n 's/^ *Machine: *//p') || fail "$file is no program"
[[ $machine == *"$expected" ]] || fail "$file is for $machine, not for $architecture"

# The newest version of the C library that one of the symbols asks for; none in a static program.
glibc=$(LC_ALL=C readelf --version-info "$file" | sed -n 's/.* GLIBC_\([0-9.]*\).*/\1/p' | sort -V | tail -n 1)
[[ $(printf '%s\n' "$glibc" "$newest_glibc" | sort -V | tail -n 1) == "$newest_glibc" ]] ||
    fail "$file needs glibc $glibc; Amazon Linux 2023 has $newest_glibc"

size=$(stat --format %s "$file")
printf '%-7s %s: %s, %d.%02d MB, needs glibc %s\n' "$architecture" "$file" "$machine" \
    $((size / 1000000)) $((size % 1000000 / 10000)) "${glibc:-not at all}"
