#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# V2 to The Things Stack when the program is killed or interrupted: resumed, or rolled back.
# shellcheck disable=SC2016,SC2086,SC2094,SC2119,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=tests/e2e/server.sh
. "$(dirname -- "$0")/server.sh"

devices=40

kill_it() {
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    # What is under way comes to its end at the servers.
    sleep 0.3
}

# killed THEN "IMPORTED...": when so many calls of an import were answered
killed() {
    middle=0
    for moment in $2; do
        cluster --devices $devices --latency 10ms
        begin ttnv2 application --to tts --concurrency 8
        until_true 20 imported $moment || fail "not so many devices are imported: $moment"
        kill_it
        judge
        guarded
        count=$(moved_count)
        if [ "$count" -gt 0 ] && [ "$count" -lt $devices ]; then middle=$((middle + 1)); fi
        migrate status
        exits 0
        grep -qE 'ttn-lw-migrate (resume|verify)|nothing is left' out || fail "status does not say what to do"
        if [ "$1" = resume ]; then
            good resume
            all_moved
        fi
        back_home
        sandbox_stop
    done
    [ $middle -gt 0 ] || fail "no run was killed in its middle"
}

# Killed again and again while it resumes, then while it is rolled back.
killed_often() {
    cluster --devices $devices --latency 10ms
    begin ttnv2 application --to tts --concurrency 4
    for pause in 0.9 0.5 0.6 0.7; do
        sleep $pause
        kill_it
        begin resume --concurrency 4
    done
    end_within 60000
    # Killed before there was anything to go on from, the run begins anew.
    [ "$status" -eq 0 ] || good ttnv2 application --to tts
    all_moved
    begin rollback
    for pause in 0.3 0.4; do
        sleep $pause
        kill_it
        begin rollback
    done
    end_within 60000
    all_home
}

# interrupted SIGNAL...
interrupted() {
    cluster --devices $devices --latency 20ms
    begin ttnv2 application --to tts --concurrency 8
    until_true 20 imported 20 || fail "no device is imported"
    for name; do
        kill -"$name" "$pid"
        sleep 0.05
    done
    begin=$(now)
    end_within 2500
    exits 130
    told 'not finished.*resume'
    sleep 0.3
    [ $# -gt 1 ] || each_somewhere_or_reserved
    good resume
    all_moved
    back_home
}

# What an earlier process has begun is not denied by the one that goes on with it, however that ends.
resumed_in_vain() {
    cluster --devices $devices --latency 10ms
    begin ttnv2 application --to tts --concurrency 8
    until_true 20 imported 5 || fail "no device is imported"
    kill_it
    faults JsEndDeviceRegistry/Set:rejected:at=3
    migrate resume
    exits 1
    told 'not finished; to go on: ttn-lw-migrate resume .*; to put the devices back: ttn-lw-migrate rollback'
    told 'could not be moved, which ends the run'
    equal "how often the server's words are told" "$(grep -c 'fault: rejected' err)" 1
    silent_on 'nothing was'
    no_faults
    faults 'JsEndDeviceRegistry/Set:deadline'
    begin resume
    sleep 0.5
    kill -TERM "$pid"
    sleep 0.1
    kill -TERM "$pid" 2>/dev/null || true
    end_within 5000
    exits 143
    told 'not finished; to go on: ttn-lw-migrate resume '
    silent_on 'nothing was'
    no_faults
    good resume
    all_moved
}

run_case "killed, resumed, rolled back" killed resume "1 10 30"
run_case "killed, rolled back" killed rollback "4 22"
run_case "killed, resumed in vain" resumed_in_vain
run_case "killed again and again" killed_often
run_case "SIGINT" interrupted INT
run_case "SIGINT twice" interrupted INT INT
end_cases
