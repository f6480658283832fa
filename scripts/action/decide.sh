#!/usr/bin/env bash
# The last step of action.yml: ends with the exit code of the comparison.
set -euo pipefail

[[ -z $REASON ]] || echo "::error::$REASON"
exit "$EXIT_CODE"
