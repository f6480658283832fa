#!/usr/bin/env bash
# The step of action.yml that calls the functions, reports and holds the result to the gate. It fails itself only if there
# is nothing to report: the last step does otherwise, after the summary has been written everywhere.
set -euo pipefail

# words TEXT: its words as a shell quotes them, one a line; nothing is expanded.
words() { [[ -z ${1//[[:space:]]/} ]] || xargs -n 1 printf '%s\n' <<<"$1"; }

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

mapfile -t target_list < <(grep -v '^[[:space:]]*$' <<<"$TARGETS" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
mapfile -t run_arguments < <(words "$ARGUMENTS")
mapfile -t report_arguments < <(words "$REPORT")
mapfile -t gate_arguments < <(words "$GATE")
((${#target_list[@]})) || {
    echo "::error::targets: there are none; name two or more, one a line, or one stack:NAME"
    exit 1
}

summary=$RUNNER_TEMP/lambda-duet-summary.md
decision=$RUNNER_TEMP/lambda-duet-decision.md
output directory "$DIRECTORY"
output summary "$summary"
code=0 reason=
duet run --targets "${target_list[@]}" --out "$DIRECTORY" "${run_arguments[@]}" || {
    code=$?
    reason="duet run ended with exit code $code: the campaign is not complete"
}
[[ -f $DIRECTORY/samples.jsonl ]] || {
    echo "::error::duet run ended with exit code $code before there was anything to report"
    exit "$code"
}

if ((${#gate_arguments[@]})); then
    decided=0
    duet gate "$DIRECTORY" "${gate_arguments[@]}" --markdown "$decision" || decided=$?
    case $decided in
    0) word=pass ;;
    6) word=fail ;;
    7) word=inconclusive ;;
    *) word="exit code $decided, see above" ;;
    esac
    [[ ! -f $decision ]] || output decision "$word"
    if ((code == 0 && decided)); then
        code=$decided reason="duet gate ${gate_arguments[*]}: $word"
    fi
fi

{
    if [[ -f $decision ]]; then
        cat "$decision"
        echo
    fi
    duet report "$DIRECTORY" --format markdown "${report_arguments[@]}"
} >"$summary"
cat "$summary" >>"$GITHUB_STEP_SUMMARY"
output exit-code "$code"
output reason "$reason"
