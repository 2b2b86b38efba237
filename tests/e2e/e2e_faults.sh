#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every fault that a network can make, at every method: a run ends as it should, or with an error that tells why,
# and never is a key cleared without its line.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

devices=15

# run FAULT...: a real run of the application. Short timeouts keep the test short; a large answer needs time.
run() {
    sandbox_start --devices $devices
    world before
    faults "$@"
    case $* in
        *oversized*) seconds=5 ;;
        *) seconds=1 ;;
    esac
    migrate ttnv2 application --timeout $((seconds * SLACK))s
    world after
    made=$(jq '[.calls[].faults] | add' after)
    [ "$made" -gt 0 ] || fail "no fault was made"
}

# whole: all is done, and each device was written once
whole() {
    exits 0
    released before after true out
    equal "devices in the output" "$(line_count out)" $devices
    silent_on 'error:'
}

# passes FAULT: the fault is got over
passes() {
    run "$1"
    whole
}

# A change whose answer is lost was made: it is not made again.
lost_answer() {
    run "$1"
    whole
    equal "calls to SetDevice" "$(calls SetDevice)" $devices
}

# A change that was not made is made again, once for each fault.
lost_change() {
    run "$1"
    whole
    equal "calls to SetDevice" "$(calls SetDevice)" $((devices + made))
}

# ends FAULT PATTERN: one clear error, and nothing is half done
ends() {
    run "$1"
    exits 1
    told "error: .*($2)"
    equal "errors" "$(grep -c 'error:' err)" 1
    accounted before after out
}

# ends_before FAULT PATTERN: the same, and nothing was changed at all
ends_before() {
    ends "$1" "$2"
    unchanged before after
    equal "bytes of output" "$(wc -c <out)" 0
}

row() {
    run_case "$2 $1" "$@"
}

for method in GetByAppID GetDevicesForApplication; do
    for kind in unavailable unavailable-after reset-before reset-middle reset-after no-trailers delay=300ms \
        aborted goaway refuse=200ms garbage-http; do
        row passes $method:$kind:at=1
    done
    for kind in deadline deadline-after; do
        row ends_before $method:$kind:at=1 'no answer.*within'
    done
    row ends_before $method:internal:at=1 "$method.*internal"
    row ends_before $method:garbage:at=1 malformed
    row ends_before $method:oversized:at=1 larger
    row ends_before $method:oversized=5000000:at=1 malformed
done
row ends_before GetByAppID:empty:at=1 net_address
row ends_before GetDevicesForApplication:empty:at=1 "0 of $devices"

for kind in unavailable unavailable-after reset-before reset-middle reset-after no-trailers deadline \
    delay=300ms aborted goaway garbage-http; do
    row passes GetDevice:$kind:at=1
    row passes GetDevice:$kind:every=7
done
row passes GetDevice:refuse=300ms:at=1
for kind in internal garbage empty oversized=5000000; do
    row ends_before GetDevice:$kind:at=1 device
    row ends GetDevice:$kind:at=5 device
    row ends GetDevice:$kind:every=7 device
done
row ends GetDevice:oversized:at=5 'device.*larger'

for mode in at=1 every=4; do
    for kind in unavailable-after reset-middle reset-after after-commit no-trailers deadline-after delay=200ms garbage \
        empty goaway garbage-http oversized=5000000; do
        row lost_answer SetDevice:$kind:$mode
    done
    for kind in unavailable reset-before deadline aborted resource-exhausted-13; do
        row lost_change SetDevice:$kind:$mode
    done
done
row lost_answer SetDevice:oversized:at=3
row lost_change SetDevice:refuse=300ms:at=2
row lost_answer SetDevice:reset-after

# ---- what cannot be got over

# A network that refuses to clear: told for each device, and the run halts.
cannot_clear() {
    run SetDevice:internal:at=4
    exits 1
    told 'cannot be cleared.*SetDevice.*internal'
    accounted before after out
    equal "devices not cleared" "$(grep -c held accounted.ids)" 1
}

cannot_clear_keep_going() {
    sandbox_start --devices 30
    world before
    faults SetDevice:internal:every=7
    migrate ttnv2 application --keep-going
    world after
    exits 3
    accounted before after out
    equal "devices in the output" "$(line_count out)" 30
    equal "devices not cleared" "$(grep -c held accounted.ids)" 4
    told '4 failed'
}

cannot_read_keep_going() {
    sandbox_start --devices 30
    world before
    faults GetDevice:internal:at=3 GetDevice:garbage:at=9 GetDevice:empty:at=20
    migrate ttnv2 application --keep-going
    world after
    exits 3
    released before after true out
    equal "devices in the output" "$(line_count out)" 27
    equal "devices set aside" "$(grep -c 'set aside' err)" 3
}

# The look afterwards fails: all is out and cleared, and that is told.
cannot_look() {
    devices=40
    for fault in GetDevice:internal:at=41 GetDevice:garbage:at=45 GetDevicesForApplication:internal:at=2; do
        run $fault
        exits 3
        released before after true out
        equal "devices in the output" "$(line_count out)" $devices
        told 'looked at once more'
        sandbox_stop
    done
}

# Down for good after many devices: an error, and not a wait for each of them.
goes_down() {
    sandbox_start --devices 200 --latency 20ms
    world before
    begin ttnv2 application --timeout $((500 * SLACK))ms --concurrency 8
    until_true 20 more_lines_than 100 || fail "no device came out"
    faults "*:unavailable"
    end_within 75000
    world after
    exits 1
    told 'error:'
    accounted before after out
    less "devices in the output" "$(line_count out)" 200
}

more_lines_than() {
    [ "$(wc -l <out)" -gt "$1" ]
}

# All at once, in every method.
storm() {
    sandbox_start --devices 60
    world before
    faults '*:unavailable:every=9' '*:reset-after:every=13' '*:no-trailers:every=17' '*:reset-before:every=19' \
        '*:aborted:every=23' '*:delay=200ms:every=11' '*:garbage-http:every=29' SetDevice:garbage:every=10
    migrate ttnv2 application --timeout $((2 * SLACK))s
    world after
    exits 0
    released before after true out
    equal "devices in the output" "$(line_count out)" 60
}

run_case "a device cannot be cleared" cannot_clear
run_case "devices cannot be cleared, --keep-going" cannot_clear_keep_going
run_case "devices cannot be read, --keep-going" cannot_read_keep_going
run_case "the look afterwards fails" cannot_look
run_case "the network goes down" goes_down
run_case "a storm of faults" storm
end_cases
