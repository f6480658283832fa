#!/usr/bin/env bash
# Prints what takes how long: make test in a fresh clone of the last commit and after a change of one file in src/report,
# what cargo compiled longest, and the slowest tests. Takes half an hour.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

clone=$(mktemp -d)
git clone --quiet . "$clone"
cd "$clone"

log=$(mktemp)
trap 'rm -rf "$clone" "$log"' EXIT

# steps TITLE COMMAND...: runs it and prints the table at its end.
steps() {
    local begin=$SECONDS
    "${@:2}" &>"$log" || {
        tail -n 60 "$log"
        fail "${*:2} failed"
    }
    heading "$1: $((SECONDS - begin)) s"
    sed -n '/^== All passed/,$p' "$log" | tail -n +2
}

steps "make test in a fresh clone" make test
echo '// A change.' >>src/report/words.rs
steps "make test after a change of one file in src/report" make test

heading "What cargo compiled longest, seconds"
cargo clean --quiet --profile dev
cargo test --quiet "${test_packages[@]}" --all-features --no-run --timings
python3 - target/cargo-timings/cargo-timing.html <<'PYTHON'
import json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\]);\n", page, re.S).group(1))
for unit in sorted(units, key=lambda unit: -unit["duration"])[:15]:
    print(f"{unit['duration']:7.1f}  {unit['name']}{unit['target']}")
PYTHON

heading "The slowest tests, seconds"
# The harness tells times only where the compiler's unstable options are allowed.
suite=$(find target/debug/deps -name 'suite-*' -executable -type f)
RUSTC_BOOTSTRAP=1 "$suite" -Zunstable-options --report-time |
    sed -n 's/^test \(.*\) \.\.\. ok <\(.*\)s>$/\2 \1/p' | sort -rn | head -n 30
