#!/usr/bin/env bash
# Runs a command where `sam local` finds a container engine and a base image for each function.
#
#   scripts/with-containers.sh COMMAND [ARGUMENT...]
#
# Where Docker runs, that is the engine. Elsewhere one is started in namespaces of its own (processes, network,
# mounts): they end with the command and take the engine, its containers and its firewall rules with them. The
# command runs in them too; of the network it has a loopback interface.
#
# The base images come from AWS's registry. Where that cannot be reached, stand-ins are made of this machine's C
# libraries and a shell, which is all that the functions and SAM CLI need.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

(($#)) || fail "usage: with-containers.sh COMMAND [ARGUMENT...]"
[[ -f .aws-sam/build/template.yaml ]] || fail "nothing is built yet; run scripts/build.sh"

# in_namespaces UID GID COMMAND...: starts an engine and runs the command as that user.
in_namespaces() {
    local user=$1 group=$2 state=$DUET_ENGINE_STATE
    shift 2
    ip link set lo up 2>/dev/null || python3 -c '
import fcntl, socket, struct
IFF_UP, SIOCSIFFLAGS = 1, 0x8914
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))'
    # The client that came with the engine; others may be too new for it.
    export PATH=/usr/bin:/usr/sbin:$PATH DOCKER_HOST=unix://$state/docker.sock
    cat >"$state/daemon.json" <<JSON
{"data-root": "$state/data", "exec-root": "$state/run", "pidfile": "$state/docker.pid", "group": "$group",
 "hosts": ["$DOCKER_HOST"], "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/${state##*/}"}
JSON
    heading "Starting a container engine"
    dockerd --config-file "$state/daemon.json" </dev/null &>"$state/dockerd.log" &
    wait_until 60 docker info &>/dev/null || {
        tail -n 40 "$state/dockerd.log" >&2
        fail "the container engine does not start"
    }
    setpriv --reuid "$user" --regid "$group" --init-groups "$PWD/scripts/with-containers.sh" "$@"
}

# What the namespaces do not take with them: files and control groups.
remove_engine_state() {
    as_root find /sys/fs/cgroup -depth -type d -path "*/${DUET_ENGINE_STATE##*/}*" -exec rmdir {} \;
    as_root rm -rf "$DUET_ENGINE_STATE"
}

with_own_engine() {
    DUET_ENGINE_STATE=$(mktemp -d --tmpdir lambda-duet-XXXXXX)
    export DUET_ENGINE_STATE
    trap remove_engine_state EXIT
    chmod 755 "$DUET_ENGINE_STATE"
    as_root env "DUET=${DUET-}" "DUET_ENGINE_STATE=$DUET_ENGINE_STATE" "HOME=$HOME" "PATH=$PATH" \
        unshare --net --mount --pid --fork --kill-child --mount-proc \
        "$PWD/scripts/with-containers.sh" --in-namespaces "$(id -u)" "$(id -g)" "$@"
}

# library ARCHITECTURE NAME: where a library of this machine or of the other architecture is.
library() {
    if [[ $1 == "$foreign" ]]; then
        echo "$foreign_libraries/$2"
    else
        cc -print-file-name="$2"
    fi
}

# stand_in ARCHITECTURE PLATFORM BINARY IMAGE: an image with the libraries that the binary needs, and a shell of
# this machine, which the kernel runs in the other architecture's image too. The Runtime Interface Emulator, a program in
# Go, stopped for good in one of eight starts under QEMU on a busy machine, until its threads were no longer interrupted
# by signals.
stand_in() {
    local architecture=$1 platform=$2 binary=$3 image=$4 context name interpreter
    context=$(mktemp -d)
    mkdir -p "$context"/root/{bin,lib,tmp,var/{task,runtime,rapid}}
    cp /bin/busybox "$context/root/bin/"
    for name in sh mv chmod cp rm; do ln -s busybox "$context/root/bin/$name"; done
    interpreter=$(readelf --program-headers --wide "$binary" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
    mkdir -p "$context/root${interpreter%/*}"
    cp --dereference "$(library "$architecture" "${interpreter##*/}")" "$context/root$interpreter"
    while read -r name; do
        cp --dereference "$(library "$architecture" "$name")" "$context/root/lib/$name"
    done < <(readelf --dynamic --wide "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)]/\1/p')
    chmod 1777 "$context/root/tmp"
    cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM scratch
COPY root /
ENV PATH=/bin LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime GODEBUG=asyncpreemptoff=1
WORKDIR /var/task
DOCKERFILE
    DOCKER_BUILDKIT=0 docker build --quiet --platform "$platform" --tag "$image" "$context"
    rm -rf "$context"
}

# base_image ARCHITECTURE PLATFORM BINARY IMAGE: sees to it that the image is there.
base_image() {
    docker image inspect "$4" &>/dev/null && return
    heading "Getting $4"
    [[ -z ${DUET_ENGINE_STATE:-} ]] && timeout 600 docker pull --platform "$2" "$4" && return
    echo "AWS's registry is not to be reached; a stand-in takes its place"
    stand_in "$@"
    stand_ins+=("$4")
}

stand_ins=()
# An engine of the user's keeps nothing that is not what its name says.
forget_stand_ins() { ((${#stand_ins[@]} == 0)) || docker rmi --force "${stand_ins[@]}" >/dev/null; }

if [[ $1 == --in-namespaces ]]; then
    in_namespaces "${@:2}"
elif docker info &>/dev/null; then
    trap forget_stand_ins EXIT
    base_image aarch64 linux/arm64 .aws-sam/build/Arm64Function/bootstrap public.ecr.aws/lambda/provided:al2023-arm64
    base_image x86_64 linux/amd64 .aws-sam/build/X86Function/bootstrap public.ecr.aws/lambda/provided:al2023-x86_64
    "$@"
elif [[ -n ${DUET_ENGINE_STATE:-} ]]; then
    fail "docker info fails as user $(id -un): $(docker info 2>&1 | tail -n 1)"
else
    [[ -x /usr/sbin/dockerd ]] || fail "no container engine; run scripts/setup.sh containers"
    with_own_engine "$@"
fi
