# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # variables of bench.sh
# The part of bench.sh that is about The Things Stack as target. Sourced.

# Lines of the table of all imports.
import_line() {
    printf '  %-14s %-8s %11s  %10s  %8s  %14s  %9s\n' "$@"
}

# all_calls: calls that the sandbox has answered
all_calls() {
    build/bench/get "$SANDBOX_HTTP/state?devices=0" |
        grep -o '"calls":[0-9]*' | awk -F: '{ sum += $2 } END { print sum + 0 }'
}

# import_once SOURCE LATENCY CONCURRENCY DEVICES: one import into a network that is new; sets devices_a_second, calls_a_second.
import_once() {
    sandbox --devices "$4" --latency "$2"
    rm -rf "$bench/state"
    case $1 in
    ttnv2) set -- "$@" ttnv2 application ;;
    json)
        # The devices have left V2 before.
        migrate 0 application
        mv "$bench/out" "$bench/devices.json"
        set -- "$@" json application --file "$bench/devices.json"
        ;;
    esac
    import_concurrency=$3
    import_devices=$4
    shift 4
    calls_before=$(all_calls)
    import 0 "$@" --to tts --concurrency "$import_concurrency"
    devices_a_second=$(calculate "$import_devices / ($wall_ms / 1000)" 1)
    calls_a_second=$(calculate "($(all_calls) - $calls_before) / ($wall_ms / 1000)" 0)
}

# import WANTED_STATUS ARGUMENT...: measures a run of the program with a server as target.
import() {
    wanted=$1
    shift
    measure build/ttn-lw-migrate "$@" </dev/null >/dev/null 2>"$bench/messages"
    if [ "$status" -ne "$wanted" ]; then
        tail -n 5 "$bench/messages" >&2
        die "bench: ttn-lw-migrate $* ended with $status"
    fi
}

# import_row SOURCE LATENCY CONCURRENCY: a line of the table; the quicker of two runs, for other programs run here too.
import_row() {
    import_devices=200
    [ "$2" != 0s ] || import_devices=500
    import_once "$1" "$2" "$3" "$import_devices"
    first=$devices_a_second
    if [ "$2" = 0s ]; then
        import_once "$1" "$2" "$3" "$import_devices"
        devices_a_second=$(awk "BEGIN { print ($first > $devices_a_second) ? $first : $devices_a_second }")
    fi
    import_line "$1 -> tts" "$2" "$3" "$devices_a_second/s" "$calls_a_second/s" \
        "$(calculate "$cpu_ms * 1000 / $import_devices" 0) us/device" "$(calculate "$rss_kb / 1024") MiB"
    echo "$1 $2 $3 $devices_a_second" >>"$bench/imports"
}

# worst_import SOURCE: at 4, 16 and 64 at once without latency: the slowest, in % of the quickest
worst_import() {
    awk -v source="$1" '$1 == source && $2 == "0s" && $3 >= 4 {
        if ($4 > most) most = $4
        if (least == "" || $4 < least) least = $4
    } END { printf "%.1f", 100 * least / most }' "$bench/imports"
}

bench_imports() {
    rm -f "$bench/imports"
    import_line "import" latency "at once" devices calls processor memory
    for source in ttnv2 json; do
        for latency in 0s 30ms; do
            for concurrency in 1 4 16 64; do
                import_row $source $latency $concurrency
            done
        done
        row "$source -> tts, no latency: slowest of 4, 16 and 64 at once" "$(worst_import $source)" % '>=' 90
    done
}

# How long a device is in neither network.
bench_gap() {
    for concurrency in 4 16 64; do
        import_once ttnv2 30ms $concurrency 300
        build/bench/get "$SANDBOX_HTTP/state" | build/bench/gap >"$bench/gap"
        # shellcheck source=/dev/null
        . "$top/$bench/gap"
        row "V2 -> tts, 30 ms, $concurrency at once: without a network, 99 %" "$gap_p99_ms" ms '<' 300
        note "    half of them; the longest" "$gap_p50_ms" "ms; $gap_most_ms ms"
    done
}

# A server that tells its limit in each answer is not asked too much.
bench_told_limit() {
    sandbox --devices 200 --rate-limit 40
    rm -rf "$bench/state"
    import 0 ttnv2 application --to tts --concurrency 64
    refused=$(build/bench/get "$SANDBOX_HTTP/state?devices=0" |
        tr '}' '\n' | grep 'EndDeviceRegistry' | grep -o '"refused":[0-9]*' | awk -F: '{ sum += $2 } END { print sum + 0 }')
    row "V2 -> tts, 200 devices, 40 calls/s of each method: refused there" "$refused" calls '<' 1
}

# memory_row DEVICES WHAT ARGUMENT...: a line for a run of so many devices, and against the one of 10,000
memory_row() {
    memory_devices=$1
    memory_what=$2
    shift 2
    import 0 "$@"
    row "peak memory, V2 -> tts, $memory_devices devices, $memory_what" "$(calculate "$rss_kb / 1024")" MiB '<' 64
    if [ "$memory_devices" -eq 10000 ]; then
        eval "least_$memory_what=$rss_kb"
    else
        eval "least=\$least_$memory_what"
        row "    against 10,000 devices" "$(calculate "$rss_kb / $least" 2)" times '<' 1.1
    fi
}

# The import of 100,000 devices and all of 1,000,000 take hours rather than minutes.
bench_import_memory() {
    without="--to tts --ttnv2.with-session=false --concurrency 64"
    sizes="10000 100000"
    [ -z "$full" ] || sizes="$sizes 1000000"
    for devices in $sizes; do
        sandbox --devices "$devices"
        rm -rf "$bench/state"
        # shellcheck disable=SC2086 # words
        memory_row "$devices" plan plan ttnv2 application $without
        # shellcheck disable=SC2086
        memory_row "$devices" dry ttnv2 application $without --dry-run
        if [ -n "$full" ] || [ "$devices" -eq 10000 ]; then
            # shellcheck disable=SC2086
            memory_row "$devices" import ttnv2 application $without
        fi
    done
    [ -n "$full" ] || not_measured "peak memory, V2 -> tts: import of 100,000, all of 1,000,000" "(./dev bench --full)"
}
