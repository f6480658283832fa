#!/usr/bin/env bash
# Fetches the packages that the tests of portability look at, from PyPI and npm, into .tools/portability.
# scripts/setup.sh check calls it.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

directory=.tools/portability
sums=$PWD/scripts/tools/portability.sha256

complete() { (cd "$directory" && sha256sum --check --quiet "$sums") &>/dev/null; }

pins() { grep -v '^#' "scripts/tools/portability-$1.txt"; }

wheels() {
    local architecture
    for architecture in x86_64 aarch64; do
        .tools/uv/bin/pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
            --platform "manylinux2014_$architecture" --implementation cp --python-version 3.13 \
            --dest "$directory" --requirement scripts/tools/portability-wheels.txt
    done
}

# The archives of npm have names that follow from the packages'.
npm_packages() {
    local pin name version registry
    registry=$(npm config get registry 2>/dev/null || echo https://registry.npmjs.org/)
    while read -r pin; do
        name=${pin%@*} version=${pin##*@}
        curl --silent --show-error --fail --location --retry 3 --output "$directory/$(tr -d @ <<<"$name" | tr / -)-$version.tgz" \
            "${registry%/}/$name/-/${name##*/}-$version.tgz"
    done < <(pins npm)
}

complete && exit
[[ -x .tools/uv/bin/pip ]] || fail "pip is missing; run scripts/setup.sh check"
heading "Fetching the packages that the tests of portability look at"
mkdir -p "$directory"
wheels
npm_packages
complete || fail "packages in $directory are not those of $sums"
