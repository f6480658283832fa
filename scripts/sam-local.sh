#!/usr/bin/env bash
# Calls both functions by `sam local` in each of its three ways, and compares the answers with those of the same
# binaries called directly. Run it through scripts/with-containers.sh.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

request=events/direct-sorting-small.json
answers=$(mktemp -d)
server=

stop_server() {
    [[ -n $server ]] || return 0
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" || true
    server=
}

stop() {
    local status=$?
    trap - EXIT
    if ((status > 0 && status < 128)); then tail -n 40 "$answers"/*.log >&2; fi
    stop_server
    rm -rf "$answers"
    exit "$status"
}
trap stop EXIT

# Made-up credentials, and an endpoint that refuses at once: SAM CLI would wait for STS for 10 s.
for name in "${!AWS_@}"; do unset "$name"; done
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_STS=http://127.0.0.1:9 AWS_EC2_METADATA_DISABLED=true
export PATH=$PWD/.tools/sam/bin:$PWD/.tools/aws/bin:$PATH

declare -A function=([arm64]=Arm64Function [x86_64]=X86Function)

# sam_local SUBCOMMAND ARGUMENT...: `sam local` with the base images that are here.
sam_local() { sam local "$1" --skip-pull-image "${@:2}"; }

# serve COMMAND: starts a server in the background, on a port that is then in port, and waits until it answers.
serve() {
    port=$(free_port)
    sam_local "$1" --port "$port" &>"$answers/$1.log" &
    server=$!
    wait_until 180 listening "$port" || fail "sam local $1 does not listen on port $port"
}

# answered FILE COMMAND...: runs a command that writes an answer to standard output, and keeps it in the file. Under
# QEMU, a container on a busy machine stops for good once in many starts, whatever the function does: SAM CLI ends it
# after the function's timeout, and the command gets two more chances, each with a fresh start.
answered() {
    local try
    for try in 1 2 3; do
        if "${@:2}" >"$1" && [[ -s $1 ]]; then return; fi
        echo "No answer in try $try: $*" >&2
    done
    return 1
}

# aws_invoke FUNCTION: calls a function by the AWS CLI, and prints the answer alone.
aws_invoke() {
    aws lambda invoke --endpoint-url "http://127.0.0.1:$port" --function-name "$1" --payload "fileb://$request" \
        "$answers/invoked.json" >"$answers/aws.log" && cat "$answers/invoked.json"
}

# same ARCHITECTURE WAY: compares an answer with the direct one.
same() {
    scripts/same_answer.py "$answers/$1-direct.json" "$answers/$1-$2.json"
    echo "$1 by $2: the same results as directly"
}

find_duet

heading "Calling both binaries directly"
for architecture in arm64 x86_64; do
    "$duet" call --json "exec:.aws-sam/build/${function[$architecture]}/bootstrap" "$request" \
        >"$answers/$architecture-direct.json"
done

heading "sam local invoke"
for architecture in arm64 x86_64; do
    answered "$answers/$architecture-invoke.json" \
        sam_local invoke "${function[$architecture]}" --event "$request" 2>"$answers/invoke.log"
    same "$architecture" invoke
done
answered "$answers/proxy.json" \
    sam_local invoke X86Function --event events/apigw-benchmark-x86_64.json 2>"$answers/invoke.log"
grep --quiet --extended-regexp '"statusCode": ?200' "$answers/proxy.json" ||
    fail "the event of API Gateway was answered with $(<"$answers/proxy.json")"

heading "sam local start-api"
curl_options=(--silent --show-error --fail-with-body --max-time 120)
serve start-api
for architecture in arm64 x86_64; do
    answered "$answers/$architecture-api.json" \
        curl "${curl_options[@]}" --data @"$request" "http://127.0.0.1:$port/$architecture/benchmark"
    same "$architecture" api
    answered "$answers/catalogue.json" curl "${curl_options[@]}" "http://127.0.0.1:$port/$architecture/workloads"
    grep --quiet '"workloads"' "$answers/catalogue.json"
done
stop_server

heading "sam local start-lambda"
serve start-lambda
for architecture in arm64 x86_64; do
    answered "$answers/$architecture-lambda.json" aws_invoke "${function[$architecture]}"
    same "$architecture" lambda
    AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:$port answered "$answers/$architecture-duet.json" \
        "$duet" call --json "lambda:${function[$architecture]}" "$request"
    same "$architecture" duet
done
stop_server

heading "sam local gives the same answers as the binaries"
