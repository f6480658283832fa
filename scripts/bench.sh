#!/usr/bin/env bash
# Runs the benchmarks about the project itself: all of them (more than an hour), or those that are named.
#
#   scripts/bench.sh [NAME...]
#   scripts/bench.sh short [NAME...]   for seconds each, as tests that they work; the numbers mean nothing
set -euo pipefail
source "$(dirname "$0")/lib.sh"

benchmarks=(startup warm_call calibration deadline delivery driver collect analysis identical fidelity allocator rivals workloads)

bench=(cargo bench)
if [[ ${1-} == short ]]; then
    bench=(cargo test)
    shift
fi

# What is timed in the benchmark's own process is compiled for the function's CPU.
case $(uname -m) in
x86_64) cpu=haswell ;;
*) cpu=neoverse-n1 ;;
esac

# own_process NAME [PACKAGE]: a benchmark that times the kernels in its own process.
own_process() { RUSTFLAGS="-C target-cpu=$cpu" "${bench[@]}" --bench "$1" --package "${2:-lambda-duet}"; }

(($#)) || set -- "${benchmarks[@]}"
for benchmark in "$@"; do
    heading "Benchmark: $benchmark"
    case $benchmark in
    # It builds both its subjects with cargo-lambda.
    startup) PATH=$PWD/.tools/sam/bin:$PATH "${bench[@]}" --bench startup --all-features ;;
    warm_call)
        scripts/build.sh
        PATH=$PWD/.tools/sam/bin:$PATH "${bench[@]}" --bench warm_call --all-features
        ;;
    calibration | deadline | delivery | identical)
        scripts/build.sh
        "${bench[@]}" --bench "$benchmark" --all-features
        ;;
    driver)
        # The load generator that it is compared with; one that is installed already will do.
        OHA=$(command -v oha || echo "$PWD/.tools/oha/bin/oha")
        [[ -x $OHA ]] || cargo install --quiet --locked --root .tools/oha oha --version 1.16.0
        OHA=$OHA "${bench[@]}" --bench driver --all-features
        ;;
    analysis)
        # The libraries that the report is compared with, which a Python that is named may bring.
        if [[ -z ${DATAFRAMES_PYTHON-} ]]; then
            scripts/setup.sh dataframes
            DATAFRAMES_PYTHON=$PWD/.tools/dataframes/bin/python3
        fi
        DATAFRAMES_PYTHON=$DATAFRAMES_PYTHON "${bench[@]}" --bench analysis --all-features
        ;;
    collect) "${bench[@]}" --bench collect --all-features ;;
    fidelity | allocator | workloads) own_process "$benchmark" ;;
    rivals) own_process rivals rivals ;;
    *) fail "unknown benchmark \"$benchmark\"; they are ${benchmarks[*]}" ;;
    esac
done
