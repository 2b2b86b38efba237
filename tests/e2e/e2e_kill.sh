#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program is killed, or interrupted, in the middle of a run: what is cleared has its whole line.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

devices=120

# start ARGUMENT...: a run in the background, slow enough to be in its middle for more than half a second
start() {
    sandbox_start --devices $devices --latency 20ms
    world before
    begin ttnv2 application --concurrency 8 "$@"
}

# signal NAME...: one after the other
signal() {
    for name in "$@"; do
        kill -"$name" "$pid" || fail "the program had ended before"
        sleep 0.05
    done
    begin=$(now)
}

# The calls that were under way come to their end at the network, which then is as the program left it.
settled() {
    sleep 0.2
    world after
}

some_released() {
    [ "$(calls SetDevice)" -ge "$1" ]
}

# at MOMENT: waits that many seconds, or for that many devices to be released
at() {
    case $1 in
    *.*) sleep "$1" ;;
    *) until_true 20 some_released "$1" || fail "$1 devices are never released" ;;
    esac
}

# While Discovery is asked, while the list is read, and while devices are on their way.
killed() {
    unfinished=0
    for moment in 0.03 0.08 0.15 1 8 20 40 60 80 105; do
        start --output devices.json
        at $moment
        kill -KILL "$pid" || fail "the program had ended before"
        wait "$pid" 2>/dev/null || true
        settled
        [ -e devices.json ] || : >devices.json
        no_key_lost before after devices.json
        changed=$(written_to after)
        [ "$(wc -l <devices.json)" -ge "$changed" ] || fail "$changed devices are cleared, lines are fewer"
        if [ "$changed" -gt 0 ] && [ "$changed" -lt $devices ]; then unfinished=$((unfinished + 1)); fi
        # Whoever runs it again for the others loses nothing.
        : >rest.json
        migrate ttnv2 application --keep-going --output rest.json
        world after
        no_key_lost before after devices.json rest.json
        equal "devices with keys (other-device)" "$(jq .ttnv2.with_keys after)" 1
        sandbox_stop
        rm -f devices.json rest.json
    done
    [ "$unfinished" -ge 4 ] || fail "only $unfinished of 10 kills came in the middle of a run"
}

# The same with a pipe: what the reader did not get is in the journal.
killed_with_a_pipe() {
    for wanted in 1 30 80; do
        rm -rf .local
        mkfifo pipe
        { head -c 20000; cat; } >taken <pipe &
        taker=$!
        sandbox_start --devices $devices --latency 20ms
        world before
        $RUNNER "$program" ttnv2 application --concurrency 8 >pipe 2>err &
        pid=$!
        until_true 20 some_released $wanted || fail "no device is released"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || true
        wait "$taker" || true
        settled
        migrate resume --output all.json
        exits 0
        world after
        released before after true all.json
        rm -f pipe all.json
        sandbox_stop
    done
}

# interrupted CODE SIGNAL...: in the middle; ends soon, and says what to do
interrupted() {
    code=$1
    shift
    start
    until_true 20 some_released 10 || fail "no device is released"
    signal "$@"
    end_within 2000
    settled
    exits "$code"
    less "devices in the output" "$(line_count out)" $devices
    no_key_lost before after out
    told 'not finished'
}

# Once: what is in flight is brought to its end, so that lines and cleared devices are the same.
interrupted_once() {
    interrupted "$@"
    released before after true out
    silent_on 'whether it is cleared'
}

# Twice: at once, although the network has not answered yet. Devices in flight are named.
interrupted_twice() {
    start
    until_true 20 some_released 10 || fail "no device is released"
    faults SetDevice:deadline
    sleep 0.3
    signal INT INT
    end_within 1500
    settled
    exits 130
    no_key_lost before after out
    told 'whether it is cleared at the source is not known'
    accounted_after_haste
}

# A line whose device was not changed is named.
accounted_after_haste() {
    lines out >haste.lines
    ask '$before[0].devices as $b | $after[0].devices as $a
        | [range(0; $b | length) | select($b[.].writes == $a[.].writes) | $b[.].dev_id] as $kept
        | $lines[0] | map(.name | select(. as $n | $kept | index($n))) | .[]' \
        -n --slurpfile before before --slurpfile after after --slurpfile lines haste.lines >haste.ids
    while read -r id; do told "$id.*not known"; done <haste.ids
    [ -s haste.ids ] || fail "no device was in flight"
}

before_the_first_device() {
    for method in GetByAppID GetDevicesForApplication GetDevice; do
        for signal in INT TERM; do
            sandbox_start --devices 5
            world before
            faults "$method:deadline"
            begin ttnv2 application
            until_true 10 called $method || fail "$method is not called"
            signal $signal
            end_within 1500
            case $signal in INT) exits 130 ;; *) exits 143 ;; esac
            settled
            unchanged before after
            equal "bytes of output" "$(wc -c <out)" 0
            sandbox_stop
        done
    done
}

called() {
    [ "$(calls "$1")" -gt 0 ]
}

# Nobody answers the connection at all.
while_connecting() {
    sandbox_start --devices 5
    kill -STOP "$sandbox_pid"
    begin ttnv2 application
    sleep 0.3
    signal INT
    end_within 1500
    kill -CONT "$sandbox_pid"
    exits 130
}

while_ids_are_read() {
    sandbox_start --devices 5
    mkfifo ids
    sleep 30 >ids &
    writer=$!
    begin ttnv2 device <ids
    sleep 0.3
    signal INT
    end_within 1500
    kill "$writer"
    exits 130
    equal "calls of any kind but Discovery" "$(($(all_calls) - $(calls GetByAppID)))" 0
}

# A network that answers slowly: interrupted, the run ends when what is in flight is done.
while_it_waits() {
    sandbox_start --devices 30
    world before
    faults SetDevice:delay=1s
    begin ttnv2 application
    until_true 20 some_released 5 || fail "no device is released"
    signal INT
    end_within 2500
    exits 130
    settled
    released before after true out
}

run_case "SIGKILL at ten moments" killed
run_case "SIGKILL, output to a pipe" killed_with_a_pipe
run_case "SIGINT" interrupted_once 130 INT
run_case "SIGTERM" interrupted_once 143 TERM
run_case "SIGINT twice" interrupted_twice
run_case "interrupted before the first device" before_the_first_device
run_case "interrupted while connecting" while_connecting
run_case "interrupted while IDs are read" while_ids_are_read
run_case "interrupted while the network is slow" while_it_waits
end_cases
