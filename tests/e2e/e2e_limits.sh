#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real limits of V2, 5 calls a second: the program finds them, keeps close below, and is not refused again.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# refused: how many calls the limiters have refused so far
refused() {
    curl -sSf "$SANDBOX_HTTP/state?devices=0" | jq '[.calls[].refused] | add // 0'
}

done_calls() {
    [ "$(calls "$1" ok)" -ge "$2" ]
}

# An application, dry: about 90 calls.
long_run() {
    sandbox_start --devices 140 --real-limits
    world before
    sessions=$(ask '.devices | main("my-ttn-app") | map(select(has_session)) | length' before)
    begin ttnv2 application --dry-run --verbose
    until_true 20 done_calls GetDevice 10 || fail "no device is read"
    refused_at_first=$(refused)
    first=$(calls GetDevice ok)
    first_time=$(now)
    end_within 90000
    exits 0
    ended=$(now)
    equal "devices in the output" "$(line_count out)" 140
    equal "devices read" "$(calls GetDevice ok)" "$sessions"
    equal "calls refused after the start" "$(($(refused) - refused_at_first))" 0
    # At least 90 % of 5 calls a second.
    per_minute=$(((sessions - first) * 60000 / (ended - first_time)))
    [ "$per_minute" -ge 270 ] || fail "only $per_minute calls a minute of 300"
    less "calls a minute" "$per_minute" 306
    world after
    unchanged before after
}

# A real run, and all that is told about the waiting.
real_run() {
    sandbox_start --devices 40 --real-limits
    world before
    begin ttnv2 application
    until_true 20 done_calls SetDevice 2 || fail "no device is released"
    refused_at_first=$(refused)
    end_within 60000
    exits 0
    world after
    released before after true out
    equal "devices in the output" "$(line_count out)" 40
    made=$(all_calls)
    [ "$made" -ge 82 ] || fail "only $made calls"
    # The bucket is full at the start.
    less "milliseconds for $made calls" "$elapsed" $(((made - 5) * 1000 * 10 / 45 + 2500))
    equal "calls refused after the start" "$(($(refused) - refused_at_first))" 0
    less "calls refused" "$(refused)" 30
}

# Faster than the network takes it: slower, but never an error.
too_fast() {
    sandbox_start --devices 14 --real-limits
    world before
    good ttnv2 application --rate 20 --concurrency 32
    world after
    released before after true out
    equal "devices in the output" "$(line_count out)" 14
}

# Two users on one application share its limits.
two_at_once() {
    sandbox_start --devices 16 --real-limits
    world before
    all_names before >all
    head -n 8 all >ids.1
    tail -n +9 all >ids.2
    status_1=0
    bounded ttnv2 device --output 1.json <ids.1 2>err.1 &
    other=$!
    good ttnv2 device --output 2.json <ids.2
    wait $other || status_1=$?
    equal "exit code of the other run" $status_1 0
    cat 1.json 2.json >both.json
    world after
    released before after true both.json
    equal "devices in the outputs" "$(line_count both.json)" 16
}

# --rate binds where the network does not.
rate() {
    sandbox_start --devices 60
    good ttnv2 application --dry-run --rate 20
    made=$(($(calls GetDevice) + 1))
    [ "$elapsed" -gt $(((made - 22) * 50)) ] || fail "$made calls in $elapsed ms are more than 20 a second"
    less "milliseconds for $made calls" "$elapsed" $((made * 50 * SLACK + 1500))
    equal "devices in the output" "$(line_count out)" 60
}

run_case "close to the limit, and not above" long_run
run_case "a real run" real_run
run_case "--rate above the limit" too_fast
run_case "two at once" two_at_once
run_case "--rate" rate
end_cases
