#!/usr/bin/env bash
# The step of action.yml that calls the functions, reports and holds the result to the gate. Once the campaign has begun, it
# fails only if there is nothing to report: the last step does otherwise, after the summary has been written everywhere.
# Bash on macOS is of version 3.2.
set -euo pipefail

# fail TEXT [CODE]
fail() {
    echo "::error::$1"
    exit "${2:-1}"
}

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# words INPUT TEXT: sets words to those of TEXT, as a shell quotes them; nothing is expanded. A line may go on after \.
words() {
    words=()
    local text word
    text=${2//\\$'\n'/ }
    [[ -n ${text//[[:space:]]/} ]] || return 0
    text=$(xargs -n 1 printf '%s\n' <<<"$text") || fail "$1: its quotation marks are not in pairs"
    while IFS= read -r word; do words+=("$word"); done <<<"$text"
}

# check_words INPUT COMMAND...: refuses arguments that the command would refuse after the campaign, when it has been paid for.
check_words() {
    local code=0 message
    message=$("${@:2}" 2>&1 >/dev/null) || code=$?
    ((code != 2)) || fail "$1: ${message%%$'\n'*}" 2
}

target_list=()
while IFS= read -r target; do
    target=$(sed 's/^[[:space:]]*//; s/[[:space:]]*$//' <<<"$target")
    [[ -z $target ]] || target_list+=("$target")
done <<<"$TARGETS"
((${#target_list[@]})) || fail "targets: there are none; name two or more, one a line, or one stack:NAME"
[[ ! -e $DIRECTORY/campaign.json && ! -e $DIRECTORY/samples.jsonl ]] ||
    fail "directory: $DIRECTORY has a campaign already; each use of this action needs one of its own"

words arguments "$ARGUMENTS"
run_command=(duet run --targets "${target_list[@]}" --out "$DIRECTORY" ${words[@]+"${words[@]}"})
words report "$REPORT"
report_command=(duet report "$DIRECTORY" --format markdown ${words[@]+"${words[@]}"})
check_words report "${report_command[@]}"
words gate "$GATE"
conditions=${words[*]-}
gate_command=(duet gate "$DIRECTORY" ${words[@]+"${words[@]}"})
[[ -z $conditions ]] || check_words gate "${gate_command[@]}"

summary=$RUNNER_TEMP/lambda-duet-summary.md
decision=$RUNNER_TEMP/lambda-duet-decision.md
rm -f "$summary" "$decision"
output directory "$DIRECTORY"
output summary "$summary"
code=0 reason=

# failed CODE REASON: what the last step ends with; the first reason counts.
failed() { ((code)) || code=$1 reason=$2; }

"${run_command[@]}" || failed $? "duet run did not end with a complete campaign"
[[ -f $DIRECTORY/samples.jsonl ]] || fail "duet run ended with exit code $code before there was anything to report" "$code"

if [[ -n $conditions ]]; then
    decided=0
    "${gate_command[@]}" --markdown "$decision" || decided=$?
    case $decided in
    0) word=pass ;;
    6) word=fail ;;
    7) word=inconclusive ;;
    *) word="it could not decide, see above" ;;
    esac
    ((decided == 0)) || failed "$decided" "duet gate $conditions: $word"
    if [[ -f $decision ]]; then
        output decision "$word"
        { cat "$decision" && echo; } >>"$summary"
    fi
fi

"${report_command[@]}" >>"$summary" || failed $? "duet report failed, see above"
cat "$summary" >>"$GITHUB_STEP_SUMMARY"
output exit-code "$code"
output reason "$reason"
