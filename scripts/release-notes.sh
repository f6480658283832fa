#!/usr/bin/env bash
# Prints what the changelog says about a version.
#
#   scripts/release-notes.sh v1.2.3
set -euo pipefail
source "$(dirname "$0")/lib.sh"

(($# == 1)) || fail "usage: release-notes.sh TAG"
notes=$(awk -v heading="## [${1#v}]" 'index($0, "## [") == 1 { printing = index($0, heading) == 1; next } printing' CHANGELOG.md)
[[ -n ${notes//[[:space:]]/} ]] || fail "CHANGELOG.md has no section [${1#v}]"
printf '%s\n' "$notes"
