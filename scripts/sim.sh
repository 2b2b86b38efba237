#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Simulates migrations for as long as one likes: sim.sh [--for 60s|5m|1h] [--seed N] [--count N] [--verbose]
# [--set NAME=NUMBER]... Seeds begin at --seed, or at the time of day. A failing seed is shrunk and told.
# With --full the crash matrix instead: the real program killed, and its calls failed, at every step of a run, of its
# resuming and of its rollback: sim.sh --full [--only TEXT] [--case CASE] [--stride N] [--jobs N] [--verbose] [--keep].
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$top"
# shellcheck source=scripts/common.sh
. "$top/scripts/common.sh"

seeded=
bounded=
full=
if [ "${1:-}" = --full ]; then
    full=1
    shift
fi
for argument in "$@"; do
    case $argument in
    --seed | --seed=*) seeded=1 ;;
    --for | --for=* | --count | --count=*) bounded=1 ;;
    esac
done
# build_test TARGET
build_test() {
    need build sandbox test
    step "sim: configure" configure release -DBUILD_TESTING=ON || exit 1
    step "sim: build" compile "$top/build" --target "$1" || exit 1
}

if [ -n "$full" ]; then
    build_test crash
    exec "$top/build/tests/crash/crash" "$@"
fi

# A seed alone is one case; without anything, a minute of new ones.
[ -n "$seeded" ] || set -- --seed "$(date +%s)" "$@"
[ -n "$seeded$bounded" ] || set -- --for 60s "$@"

build_test sim
exec "$top/build/tests/sim/sim" "$@"
