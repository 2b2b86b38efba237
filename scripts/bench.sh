#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures speed and size against the sandbox on this machine and prints a table with the required value beside each.
# It takes some ten minutes; --full adds fleets of 1,000,000 devices; --only NAME (several) leaves the rest away. Nothing
# of it is a test: it always ends well.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$top"
# shellcheck source=scripts/common.sh
. "$top/scripts/common.sh"
# shellcheck source=scripts/sandbox.sh
. "$top/scripts/sandbox.sh"

# shellcheck source=scripts/bench_import.sh
. "$top/scripts/bench_import.sh"

full=
parts=
while [ $# -gt 0 ]; do
    case $1 in
    --full) full=1 ;;
    --only)
        [ $# -gt 1 ] || die "bench: --only NAME"
        parts="$parts $2"
        shift
        ;;
    *) die "bench: unknown argument $1" ;;
    esac
    shift
done
[ -n "$parts" ] || parts="start interrupt processor memory latency limiter imports gap told_limit import_memory"

bench=build/bench-run
# Set by measure.
wall_ms=0
cpu_ms=0
rss_kb=0
status=0

trap 'sandbox_stop' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# calculate EXPRESSION: with decimals.
calculate() {
    awk "BEGIN { printf \"%.${2:-1}f\", $1 }"
}

# row WHAT VALUE UNIT RELATION LIMIT: one line of the table; RELATION is < or >=.
row() {
    verdict=$(awk "BEGIN { print ($2 $4 $5) ? \"ok\" : \"missed\" }")
    printf '%-66s %12s  %-18s %s\n' "$1" "$2 $3" "$4 $5 $3" "$verdict"
}

# note WHAT VALUE UNIT: a line without a required value.
note() {
    printf '%-66s %12s\n' "$1" "$2 $3"
}

not_measured() {
    printf '%-66s %12s  %s\n' "$1" "-" "$2"
}

# measure [--interrupt MS] [--best N] COMMAND...: sets wall_ms, cpu_ms, rss_kb, status.
measure() {
    measure_options=
    while :; do
        case $1 in
        --interrupt | --best)
            measure_options="$measure_options $1 $2"
            shift 2
            ;;
        *) break ;;
        esac
    done
    # shellcheck disable=SC2086 # one word an option
    build/bench/measure $measure_options $bench/numbers "$@"
    # shellcheck source=/dev/null
    . "$top/$bench/numbers"
}

# migrate WANTED_STATUS ARGUMENT...: measures a run of the program; its output lies in $bench/out.
migrate() {
    wanted=$1
    shift
    rm -f $bench/out
    measure build/ttn-lw-migrate ttnv2 "$@" --output $bench/out </dev/null 2>$bench/messages
    if [ "$status" -ne "$wanted" ]; then
        tail -n 5 $bench/messages >&2
        die "bench: ttn-lw-migrate ttnv2 $* ended with $status"
    fi
}

sandbox() {
    sandbox_stop
    sandbox_start $bench "$@" || exit 1
}

# calls METHOD FIELD: what the sandbox counted; FIELD is calls, ok, refused or failed.
calls() {
    build/bench/get "$SANDBOX_HTTP/state?devices=0" |
        sed -n "s/^.*\"[^\"]*$1\":{[^}]*\"$2\":\\([0-9]*\\).*\$/\\1/p" | grep . || echo 0
}

bench_latency() {
    sandbox --devices 320 --latency 30ms
    migrate 0 application --dry-run --concurrency 1
    one=$wall_ms
    migrate 0 application --dry-run --concurrency 16
    row "V2 dry, 320 devices with session, 30 ms: 16 at once against 1" "$(calculate "$one / $wall_ms")" times '>=' 14
}

# refusals: calls that the limiter has refused so far.
refusals() {
    echo $(($(calls SetDevice refused) + $(calls GetDevice refused) + $(calls GetDevicesForApplication refused)))
}

bench_limiter() {
    sandbox --devices 50 --real-limits
    # The refusals of the first second, while the run below goes on.
    (sleep 1 && refusals >$bench/first-refusals) &
    migrate 0 application
    wait $!
    made=$(($(calls SetDevice ok) + $(calls GetDevice ok) + $(calls GetDevicesForApplication ok)))
    row "V2 real, 50 devices, its own limiter: part of 5 calls/s" \
        "$(calculate "100 * $made / ($wall_ms / 1000) / 5")" % '>=' 98
    row "    calls refused after the first second" $(($(refusals) - $(cat $bench/first-refusals))) calls '<' 1
    row "    SetDevice, a device" "$(calculate "$(calls SetDevice calls) / 50" 2)" calls '<' 1.01
    note "    GetDevice, a device (those after the clearing do not count)" \
        "$(calculate "$(calls GetDevice calls) / 50" 2)" calls
    sandbox --devices 500 --real-limits
    migrate 0 application --dry-run --ttnv2.with-session=false
    abp=$(grep -vc '"supports_join":true' $bench/out || true)
    row "V2 dry, 500 devices: reads of single devices that leave their session" \
        $(($(calls GetDevice ok) - abp)) calls '<' 1
}

bench_processor() {
    sandbox --devices 2000
    migrate 0 application --dry-run --concurrency 32 --ttnv2.with-session=false
    row "processor a device, V2 dry from the list" "$(calculate "$cpu_ms * 1000 / 2000" 0)" us '<' 100
    migrate 0 application --concurrency 32
    row "processor a device, V2 real with session, TLS" "$(calculate "$cpu_ms * 1000 / 2000" 0)" us '<' 400
    note "    devices a second, no latency, no limit" "$(calculate "2000 / ($wall_ms / 1000)" 0)" /s
}

bench_memory() {
    sandbox --devices 500
    migrate 0 application
    row "peak memory, 500 devices, real" "$(calculate "$rss_kb / 1024")" MiB '<' 16
    sandbox --devices 10000
    migrate 0 application --dry-run --ttnv2.with-session=false
    ten_thousand=$rss_kb
    row "peak memory, 10,000 devices, dry" "$(calculate "$rss_kb / 1024")" MiB '<' 64
    if [ -z "$full" ]; then
        not_measured "peak memory, 1,000,000 devices, dry" "(./dev bench --full)"
        return
    fi
    sandbox --devices 1000000
    migrate 0 application --dry-run --ttnv2.with-session=false
    row "peak memory, 1,000,000 devices, dry" "$(calculate "$rss_kb / 1024")" MiB '<' 64
    row "    against 10,000 devices" "$(calculate "$rss_kb / $ten_thousand" 2)" times '<' 1.1
}

bench_start() {
    for word in --help version; do
        measure --best 20 build/ttn-lw-migrate $word >/dev/null </dev/null
        row "start: $word" "$wall_ms" ms '<' 5
    done
    strip -o $bench/stripped build/ttn-lw-migrate
    row "size, stripped" "$(calculate "$(wc -c <$bench/stripped) / 1048576" 2)" MiB '<' 1.5
}

bench_interrupt() {
    sandbox --devices 2000 --latency 30ms
    rm -f $bench/out
    measure --interrupt 1000 build/ttn-lw-migrate ttnv2 application --output $bench/out </dev/null 2>$bench/messages
    [ "$status" -eq 130 ] || die "bench: interrupted, the program ended with $status"
    row "halted by SIGINT in the middle of a real run" "$(calculate "$wall_ms / 1000" 2)" s '<' 2
}

need build sandbox
build_program ttn-lw-migrate ttn-lw-sandbox measure get gap || exit 1
rm -rf $bench
mkdir -p $bench
umask 077
# Journals of the runs.
export XDG_STATE_HOME="$top/$bench/state"
printf '\n%-66s %12s  %-18s\n' "what" "measured" "required"
for part in $parts; do
    "bench_$part"
done
