#!/usr/bin/env bash
# A C compiler for another system, which cargo calls as CC_<target>: zig, which cargo-lambda brings.
#
#   scripts/zig-cc.sh TARGET ARGUMENT...   TARGET by zig's name, such as x86_64-windows-gnu
set -euo pipefail

python=$(dirname "${BASH_SOURCE[0]}")/../.tools/sam/bin/python
target=$1
shift

# Zig has names of its own for targets, and takes the version of macOS from them.
arguments=()
while (($#)); do
    case $1 in
    --target=* | -mmacosx-version-min=*) ;;
    -arch) shift ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
exec "$python" -m ziglang cc -target "$target" "${arguments[@]}"
