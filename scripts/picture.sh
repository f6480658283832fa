#!/usr/bin/env bash
# Makes the picture in README.md: the top of the report on examples/cold-starts.csv, as a browser shows it.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

find_browser() {
    local name
    for name in chromium google-chrome google-chrome-stable chromium-browser; do
        if command -v "$name"; then return; fi
    done
    fail "Chromium is missing; scripts/setup.sh check installs it"
}

browser=$(find_browser)
find_duet
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

import_cold_starts "$scratch/run"
"$duet" report "$scratch/run" --html "$scratch/report.html" >"$scratch/report.txt"
"$browser" --headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --disable-dev-shm-usage \
    --user-data-dir="$scratch/profile" --window-size=1000,1120 --screenshot="$scratch/report.png" \
    "file://$scratch/report.html" 2>"$scratch/log" || fail "$(<"$scratch/log")"
mv "$scratch/report.png" docs/images/report.png
heading "docs/images/report.png shows: $(head --lines 1 "$scratch/report.txt")"
