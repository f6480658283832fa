#!/usr/bin/env bash
# The first step of action.yml: the duet that DUET names, or else that of the package lambda-duet, by its VERSION.
set -euo pipefail

if [[ -n $DUET ]]; then
    [[ -x $DUET ]] || {
        echo "::error::duet: there is no program at $DUET"
        exit 1
    }
    directory=$RUNNER_TEMP/lambda-duet
    mkdir -p "$directory"
    ln -sf "$(realpath "$DUET")" "$directory/duet"
else
    python3 -m venv "$RUNNER_TEMP/lambda-duet-environment"
    directory=$RUNNER_TEMP/lambda-duet-environment/bin
    "$directory/pip" install --quiet --disable-pip-version-check "lambda-duet${VERSION:+==$VERSION}"
fi
"$directory/duet" --version
echo "$directory" >>"$GITHUB_PATH"
