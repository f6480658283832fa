#!/usr/bin/env bash
# Checks that a tag can be released: it names the version of Cargo.toml, the changelog has that version, and this is the
# repository from which `cargo binstall` and the documents get releases.
#
#   scripts/check-release.sh v1.2.3 https://github.com/OWNER/REPOSITORY
set -euo pipefail
source "$(dirname "$0")/lib.sh"

(($# == 2)) || fail "usage: check-release.sh TAG REPOSITORY"
field() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" Cargo.toml | head -n 1; }
version=$(field version)
[[ $1 == "v$version" ]] || fail "the tag is $1, and Cargo.toml has version $version"
[[ $2 == "$(field repository)" ]] || fail "this is $2, and Cargo.toml has repository $(field repository)"
scripts/release-notes.sh "$1" >/dev/null
