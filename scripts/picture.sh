#!/usr/bin/env bash
# Makes the pictures in the documents, as a browser shows them: the top of the report on examples/cold-starts.csv, and
# the chart of other mixes of CPU models in the report of the tests.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

find_browser() {
    local name
    for name in chromium google-chrome google-chrome-stable chromium-browser; do
        if command -v "$name"; then return; fi
    done
    fail "Chromium is missing; scripts/setup.sh check installs it"
}

# picture PAGE SIZE NAME: what a window of this size shows of a page.
picture() {
    "$browser" --headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --disable-dev-shm-usage \
        --user-data-dir="$scratch/profile" --window-size="$2" --screenshot="$scratch/$3" \
        "file://$1" 2>"$scratch/log" || fail "$(<"$scratch/log")"
    mv "$scratch/$3" "docs/images/$3"
}

browser=$(find_browser)
find_duet
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

import_cold_starts "$scratch/run"
"$duet" report "$scratch/run" --html "$scratch/report.html" >"$scratch/report.txt"
picture "$scratch/report.html" 1000,1120 report.png
heading "docs/images/report.png shows: $(head --lines 1 "$scratch/report.txt")"

cargo test --quiet "${test_packages[@]}" --all-features --lib report::html::tests::write_a_page -- --ignored
picture "$PWD/target/tmp/other-mixes.html" 1000,720 other-mixes.png
heading "docs/images/other-mixes.png shows the report of the tests, whose numbers are made up"
