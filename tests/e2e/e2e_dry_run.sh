#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A dry run changes nothing and makes no call too many; the output does not depend on how it was made.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# What differs from run to run: the time of the export, and the random ID of the session keys.
comparable() {
    jq -c 'del(.session.started_at, .session.keys.session_key_id)' "$1"
}

# with_session STATE: how many devices of the application have one
with_session() {
    ask '.devices | main("my-ttn-app") | map(select(has_session)) | length' "$1"
}

concurrency() {
    sandbox_start --devices 150
    world before
    all_names before >all
    for latency in '' 5ms; do
        [ -z "$latency" ] || faults "GetDevice:delay=$latency" "GetDevice:delay=40ms:every=11"
        for n in 1 16 64; do
            good ttnv2 application my-ttn-app --dry-run --concurrency $n
            comparable out >lines.$n
            names out >names.$n
            same "order of the list, --concurrency $n" names.$n all
            [ $n -eq 1 ] || same "output of --concurrency $n" lines.$n lines.1
        done
        [ -z "$latency" ] || same "output with and without latency" lines.1 lines.first
        cp lines.1 lines.first
    done
    world after
    unchanged before after
    equal "calls to SetDevice" "$(calls SetDevice)" 0
}

# The order of a list of IDs is that of the list, too.
concurrency_of_ids() {
    sandbox_start --devices 60 --latency 5ms
    world before
    all_names before | awk '{ print NR * 37 % 61, $0 }' | sort -n | cut -d' ' -f2 >ids
    for n in 1 16 64; do
        good ttnv2 device --dry-run --concurrency $n <ids
        comparable out >lines.$n
        names out >names.$n
        same "order of the IDs, --concurrency $n" names.$n ids
        same "output of --concurrency $n" lines.$n lines.1
    done
    world after
    unchanged before after
}

# A device without session needs no call of its own.
calls_of_application() {
    sandbox_start --devices 80
    world before
    sessions=$(with_session before)
    less "devices with session" "$sessions" 80
    good ttnv2 application my-ttn-app --dry-run
    equal GetByAppID "$(calls GetByAppID)" 1
    equal GetDevicesForApplication "$(calls GetDevicesForApplication)" 1
    equal GetDevice "$(calls GetDevice)" "$sessions"
    good ttnv2 application my-ttn-app --dry-run --with-session=false
    abp=$(ask '.devices | main("my-ttn-app") | map(select(has_session and (has_join | not))) | length' before)
    equal "GetDevice without sessions" "$(calls GetDevice)" $((sessions + abp))
    equal GetDevicesForApplication "$(calls GetDevicesForApplication)" 2
    equal "all calls" "$(all_calls)" $((2 + 2 + sessions + abp))
    world after
    unchanged before after
}

calls_of_devices() {
    sandbox_start --devices 80
    world before
    all_names before >ids
    good ttnv2 devices --dry-run <ids
    equal lines "$(line_count out)" 80
    equal GetDevicesForApplication "$(calls GetDevicesForApplication)" 1
    equal GetDevice "$(calls GetDevice)" "$(with_session before)"
    # One device is not worth a list.
    good ttnv2 device mydevice --dry-run
    equal GetDevicesForApplication "$(calls GetDevicesForApplication)" 1
    equal SetDevice "$(calls SetDevice)" 0
    world after
    unchanged before after
}

# With uplinks coming in, a dry run may not disturb a device.
while_devices_send() {
    sandbox_start --devices 40 --uplinks 400
    good ttnv2 application my-ttn-app --dry-run
    equal lines "$(line_count out)" 40
    world after
    equal "uplinks that were lost" "$(jq .ttnv2.lost after)" 0
    equal "devices changed" "$(written_to after)" 0
}

# What a real run writes is what the dry run promised.
same_as_real_run() {
    sandbox_start --devices 40
    world before
    good ttnv2 application my-ttn-app --dry-run
    comparable out >dry
    good ttnv2 application my-ttn-app --concurrency 7
    comparable out >real
    same "output of dry and real run" dry real
    world after
    released before after true out
}

# Calls of a real run: Get and Set for each device; then each is looked at once more, those without session by
# one list.
calls_of_real_run() {
    sandbox_start --devices 80
    world before
    sessions=$(with_session before)
    good ttnv2 application my-ttn-app
    equal SetDevice "$(calls SetDevice)" 80
    equal GetDevice "$(calls GetDevice)" $((80 + sessions))
    equal GetDevicesForApplication "$(calls GetDevicesForApplication)" 2
    equal GetByAppID "$(calls GetByAppID)" 1
    equal "all calls" "$(all_calls)" $((80 + 80 + sessions + 3))
    world after
    equal "devices changed" "$(written_to after)" 80
}

run_case "same output at any concurrency" concurrency
run_case "same order for a list of IDs" concurrency_of_ids
run_case "calls of a dry run of an application" calls_of_application
run_case "calls of a dry run of devices" calls_of_devices
run_case "devices go on sending" while_devices_send
run_case "a real run writes the same" same_as_real_run
run_case "calls of a real run" calls_of_real_run
end_cases
