#!/usr/bin/env bash
# Runs the benchmarks about the project itself: all of them (some 20 minutes), or those that are named.
#
#   scripts/bench.sh [startup] [calibration] [deadline] [delivery] [fidelity] [allocator] [rivals] [workloads]
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# What is timed in the benchmark's own process is compiled for the function's CPU.
case $(uname -m) in
x86_64) cpu=haswell ;;
*) cpu=neoverse-n1 ;;
esac

# own_process NAME [PACKAGE]: a benchmark that times the kernels in its own process.
own_process() { RUSTFLAGS="-C target-cpu=$cpu" cargo bench --bench "$1" --package "${2:-lambda-duet}"; }

(($#)) || set -- startup calibration deadline delivery fidelity allocator rivals workloads
for benchmark in "$@"; do
    heading "Benchmark: $benchmark"
    case $benchmark in
    # It builds both its subjects with cargo-lambda.
    startup) PATH=$PWD/.tools/sam/bin:$PATH cargo bench --bench startup --all-features ;;
    calibration | deadline | delivery)
        scripts/build.sh
        cargo bench --bench "$benchmark" --all-features
        ;;
    fidelity | allocator | workloads) own_process "$benchmark" ;;
    rivals) own_process rivals rivals ;;
    *) fail "unknown benchmark \"$benchmark\"; they are startup, calibration, deadline, delivery, fidelity, allocator, rivals, workloads" ;;
    esac
done
