#!/usr/bin/env bash
# Reports on measurements of others, calls both functions of a deployed stack in both ways, compares the answers, reads back the metrics that the
# calls left in CloudWatch, and runs campaigns with `duet`. Run it through scripts/with-stack.sh.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

: "${DUET_API_URL:?run this through scripts/with-stack.sh}"
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT

# All workloads; few iterations, because the emulated architecture has no more time than the other.
request=$answers/request.json
echo '{"size": "small", "iterations": 3}' >"$request"

declare -A function=([arm64]=$DUET_ARM64_FUNCTION [x86_64]=$DUET_X86_64_FUNCTION)

# post ARCHITECTURE: one signed POST through API Gateway, as any HTTP client could send it.
post() {
    curl --silent --show-error --fail-with-body --max-time 60 \
        --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        --header 'Content-Type: application/json' --data @"$request" \
        --output "$answers/$1-post.json" "$DUET_API_URL/$1/benchmark" ||
        fail "POST /$1/benchmark failed: $(cat "$answers/$1-post.json" 2>/dev/null)"
}

# invoke ARCHITECTURE: one direct invocation, and what the function logged meanwhile.
invoke() {
    local outcome error log
    outcome=$(aws lambda invoke --function-name "${function[$1]}" --payload "fileb://$request" --log-type Tail \
        --query '[FunctionError,LogResult]' --output text "$answers/$1-invoke.json")
    read -r error log <<<"$outcome"
    base64 --decode <<<"$log"
    echo
    [[ $error == None ]] || fail "the $1 function answered $error: $(<"$answers/$1-invoke.json")"
}

# statistics ARCHITECTURE: count, sum and maximum of the Duration metric, in milliseconds.
statistics() {
    aws cloudwatch get-metric-statistics --namespace LambdaDuet --metric-name Duration \
        --dimensions "Name=Architecture,Value=$1" --statistics SampleCount Sum Maximum --period 3600 \
        --start-time "$(date -u -d '-1 hour' +%FT%TZ)" --end-time "$(date -u -d '+1 hour' +%FT%TZ)" \
        --query '[sum(Datapoints[].SampleCount), sum(Datapoints[].Sum), max(Datapoints[].Maximum)]' --output text
}

# iterations ARCHITECTURE: how many the two answers hold, which is how many samples were sent.
iterations() {
    python3 -c '
import json, sys
answers = [json.load(open(path)) for path in sys.argv[1:]]
print(sum(len(sample["wall_ns"]) for answer in answers for sample in answer["results"]))
' "$answers/$1-post.json" "$answers/$1-invoke.json"
}

find_duet
heading "Cold starts that others have measured: does arm64 start faster?"
import_cold_starts "$answers/cold-starts"
"$duet" report "$answers/cold-starts"

heading "POST $(<"$request") to both endpoints, signed for IAM"
for architecture in arm64 x86_64; do
    post "$architecture"
    echo "/$architecture/benchmark answered $(stat --format %s "$answers/$architecture-post.json") bytes"
done

heading "Invoking both functions directly, with the end of their logs"
for architecture in arm64 x86_64; do invoke "$architecture"; done

heading "Side by side: the answers to POST"
scripts/side_by_side.py "$answers"/{arm64,x86_64}-post.json

heading "Side by side: the answers to the direct invocations"
scripts/side_by_side.py "$answers"/{arm64,x86_64}-invoke.json

heading "Reading the metrics back from CloudWatch: LambdaDuet, Duration, by Architecture"
printf '%-12s %10s %12s %12s\n' Architecture Samples Mean Maximum
for architecture in arm64 x86_64; do
    expected=$(iterations "$architecture")
    # Metrics are sent after the answer has left, so they may come a moment later.
    for ((attempt = 1; attempt <= 30; attempt++)); do
        found=$(statistics "$architecture")
        read -r count sum maximum <<<"$found"
        count=${count%.*}
        ((count < expected)) || break
        sleep 1
    done
    ((count >= expected)) || fail "CloudWatch has $count of $expected samples of $architecture"
    if grep --quiet '"emulated":true' "$answers/$architecture-post.json"; then
        printf '%-12s %10d %12s %12s\n' "$architecture" "$count" emulated emulated
    else
        awk '{ printf "%-12s %10d %9.3f ms %9.3f ms\n", $1, $2, $3 / $2, $4 }' <<<"$architecture $count $sum $maximum"
    fi
done

cells=(--workload sorting/radix --workload math/fft --size small --iterations 3)

samples() { wc --lines <"$answers/stack/samples.jsonl"; }
has_samples() { [[ -f $answers/stack/samples.jsonl && $(samples) -ge $1 ]]; }

heading "A campaign of four variants: both functions, called directly and through API Gateway, killed on its way"
"$duet" run --targets "x86_64=lambda:$DUET_X86_64_FUNCTION" "arm64=lambda:$DUET_ARM64_FUNCTION" \
    "x86_64-api=$DUET_API_URL/x86_64/benchmark" "arm64-api=$DUET_API_URL/arm64/benchmark" \
    "${cells[@]}" --environments 4 --invocations 128 --out "$answers/stack" &
campaign=$!
wait_until 120 has_samples 40 || fail "the campaign makes no progress"
{ kill -KILL "$campaign" && wait "$campaign"; } 2>/dev/null || true
printf 'Killed after %d samples\n' "$(samples)"

heading "The same campaign, resumed: nothing is repeated, nothing left out"
"$duet" run --resume "$answers/stack"
has_samples 128 || fail "samples are missing"
"$duet" report "$answers/stack"

heading "A campaign on the stack, as its name alone tells it"
"$duet" run --targets stack:lambda-duet "${cells[@]}" --environments 4 --invocations 32 --out "$answers/pair"
"$duet" report "$answers/pair"

heading "A census: which CPU models both fleets have, and the same report with it"
"$duet" census --targets stack:lambda-duet --environments 12 --out "$answers/census"
"$duet" report "$answers/pair" --census "$answers/census"

heading "A function of one's own, as it is: clones of it on two architectures and at three sizes, called and deleted"
scripts/deploy-orders.sh
functions() { aws lambda list-functions --query 'sort(Functions[].FunctionName)' --output text; }
groups() { aws logs describe-log-groups --query 'sort(logGroups[].logGroupName)' --output text; }
before=$(functions && groups)
"$duet" try orders --payload examples/orders/order.json --environment /environment --memory 512,1024,1769 --yes \
    --environments 10 --invocations 480 --out "$answers/orders"
after=$(functions && groups)
[[ $after == "$before" ]] || fail "the account is not as it was: $before; $after"

heading "A campaign on this machine, without AWS: the same build on both sides, which must not come out as different"
case $foreign in
aarch64) native=X86Function ;;
*) native=Arm64Function ;;
esac
native=exec:${DUET_BUILD:-.aws-sam/build}/$native/bootstrap
"$duet" run --targets "$native" "$native" "${cells[@]}" --environments 8 --invocations 192 --out "$answers/local"
"$duet" report "$answers/local"

page="duet-runs/demo.html"
mkdir -p duet-runs
heading "The report of the first campaign, as a page: $page"
"$duet" report "$answers/stack" --html "$page" >/dev/null
[[ -s $page ]] || fail "the page is empty"
# On a desktop.
if [[ -n ${DISPLAY-}${WAYLAND_DISPLAY-} ]] && command -v xdg-open >/dev/null; then xdg-open "$page"; fi

heading "Done: both architectures did the same work. README.md says how to deploy to AWS."
