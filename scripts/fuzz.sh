#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes decoders with libFuzzer under the sanitizers: fuzz.sh [TARGET...] [--for 60s]
# What it finds lies in build-fuzz/findings/; what it learns, in build-fuzz/corpus/.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$top"
# shellcheck source=scripts/common.sh
. "$top/scripts/common.sh"

# Seconds of a time such as 60s, 5m, 1h or 90.
seconds() {
    number=${1%[smh]}
    case $number in
    '' | *[!0-9]*) die "fuzz: not a time: $1" ;;
    esac
    case $1 in
    *m) echo $((number * 60)) ;;
    *h) echo $((number * 3600)) ;;
    *) echo "$number" ;;
    esac
}

known_targets() {
    for file in fuzz/fuzz_*.c; do
        name=${file#fuzz/fuzz_}
        echo "${name%.c}"
    done
}

# shellcheck disable=SC2317 # called by step
fuzz_one() {
    mkdir -p "build-fuzz/corpus/$1" build-fuzz/findings
    "build-fuzz/fuzz/fuzz_$1" -max_total_time="$time" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/findings/$1-" "build-fuzz/corpus/$1" "fuzz/corpus/$1"
}

time=60
targets=
while [ $# -gt 0 ]; do
    case $1 in
    --for)
        [ $# -ge 2 ] || die "fuzz: --for needs a time"
        time=$(seconds "$2")
        shift
        ;;
    --for=*) time=$(seconds "${1#--for=}") ;;
    -*) die "fuzz: unknown argument $1" ;;
    *)
        [ -f "fuzz/fuzz_$1.c" ] || die "fuzz: no target $1; there are:
$(known_targets)"
        targets="$targets $1"
        ;;
    esac
    shift
done
[ -n "$targets" ] || targets=$(known_targets)

need build test
step "fuzz: configure" configure fuzz || exit 1
for target in $targets; do
    set -- "$@" "fuzz_$target"
done
step "fuzz: build" compile build-fuzz --target "$@" || exit 1
for target in $targets; do
    count_step "fuzz $target for $time s" fuzz_one "$target" || true
done
finish
