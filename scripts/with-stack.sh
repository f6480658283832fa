#!/usr/bin/env bash
# Starts MiniStack, an AWS on this machine, deploys what scripts/build.sh built, runs a command
# against it, and stops all of it again. No AWS account is used or needed.
#
#   scripts/with-stack.sh COMMAND [ARGUMENT...]
#
# The command finds the stack in its environment: DUET_API_URL, DUET_ARM64_FUNCTION,
# DUET_X86_64_FUNCTION, and in the AWS_ variables endpoint, region and credentials for every AWS
# tool. DUET_STACK_PORT chooses the port; the kernel does otherwise. DUET_BUILD is the folder of the build,
# where it is not .aws-sam/build.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

(($#)) || fail "usage: with-stack.sh COMMAND [ARGUMENT...]"
for tool in sam/bin/sam aws/bin/aws ministack/bin/ministack; do
    [[ -x .tools/$tool ]] || fail "$tool is missing; run scripts/setup.sh build stack"
done
build=${DUET_BUILD:-.aws-sam/build}
[[ -f $build/template.yaml ]] || fail "nothing is built in $build yet; run scripts/build.sh"

port=${DUET_STACK_PORT:-$(free_port)}
! listening "$port" || fail "port $port is taken; choose another DUET_STACK_PORT, or none"
endpoint=http://127.0.0.1:$port
state=$(mktemp -d)
log=$state/ministack.log

# Nothing of the caller's AWS settings may lead anywhere else than to the emulator.
for name in "${!AWS_@}"; do unset "$name"; done
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export AWS_ENDPOINT_URL=$endpoint AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

# Nor does a proxy stand between.
export NO_PROXY=127.0.0.1${NO_PROXY:+,$NO_PROXY} no_proxy=127.0.0.1${no_proxy:+,$no_proxy}

# The processes that work below the state directory: MiniStack and the functions it started.
survivors() { find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$state*" 2>/dev/null; }

gone() { [[ -z $(survivors) ]]; }

stop() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    # From 128 on it was a signal, such as Ctrl-C, and no failure.
    if ((status > 0 && status < 128)); then
        printf '\n== The last lines of MiniStack'\''s log\n' >&2
        tail -n 40 "$log" >&2
    fi
    kill -TERM -- "-$ministack" 2>/dev/null || true
    wait_until 10 gone || kill -KILL -- "-$ministack" 2>/dev/null || true
    wait_until 5 gone || fail "these processes still run: $(survivors)"
    rm -rf "$state"
    exit "$status"
}

heading "Starting MiniStack on $endpoint"
# It hands its own environment down to the functions, hence the empty one. A session of its own
# keeps Ctrl-C away from it and makes it one process group with the functions, to be ended as one.
# Functions of Node.js run on the system's, or else on the one that scripts/setup.sh lint installs.
(
    cd "$state"
    exec setsid env --ignore-environment PATH="/usr/local/bin:/usr/bin:/bin:$OLDPWD/.tools/lint/bin" HOME="$state" TMPDIR="$state" \
        S3_DATA_DIR="$state/s3" STATE_DIR="$state/state" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" \
        AWS_ENDPOINT_URL="$endpoint" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
        "$OLDPWD/.tools/ministack/bin/ministack"
) </dev/null &>"$log" &
ministack=$!
trap stop EXIT

ready() {
    kill -0 "$ministack" 2>/dev/null || fail "MiniStack ended as soon as it was started"
    curl --silent --fail --output /dev/null "$endpoint/_ministack/health"
}
wait_until 60 ready || fail "MiniStack does not answer on $endpoint"

heading "Deploying the stack lambda-duet with sam deploy"
# SAM CLI asks every 5 s by default whether the stack is ready, which is AWS's pace.
SAM_CLI_POLL_DELAY=1 .tools/sam/bin/sam deploy --template-file "$build/template.yaml" \
    --config-file "$PWD/samconfig.toml" --no-confirm-changeset --no-progressbar &>"$state/deploy.log" || {
    cat "$state/deploy.log" >&2
    fail "sam deploy failed"
}

outputs=$(.tools/aws/bin/aws cloudformation describe-stacks --stack-name lambda-duet \
    --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text)
declare -A output
while read -r key value; do output[$key]=$value; done <<<"$outputs"
# https://ID.execute-api.REGION.amazonaws.com/STAGE, which MiniStack serves under a path of its own.
[[ ${output[ApiUrl]} =~ ^https://([^.]+)\..*/([^/]+)$ ]] || fail "unexpected output ApiUrl: ${output[ApiUrl]}"
export DUET_API_URL=$endpoint/restapis/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}/_user_request_
export DUET_ARM64_FUNCTION=${output[Arm64FunctionName]} DUET_X86_64_FUNCTION=${output[X86FunctionName]}

printf '%-10s %s\n' API "$DUET_API_URL" arm64 "$DUET_ARM64_FUNCTION" x86_64 "$DUET_X86_64_FUNCTION"

PATH=$PWD/.tools/aws/bin:$PATH "$@"
