#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ways in which keys can be lost on the way from V2 to a file, one by one: nothing is cleared without its
# line, and nothing is done that The Things Stack would refuse later.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

state_folder=.local/state/ttn-lw-migrate

second_run() {
    sandbox_start --devices 8
    world before
    good ttnv2 application
    cp out first
    world cleared
    migrate ttnv2 application
    exits 3
    told 'dev-000001|mydevice|sensor|meter'
    told 'exported before'
    equal "lines of the second run" "$(wc -c <out)" 0
    world after
    unchanged cleared after
    migrate ttnv2 application --keep-going
    exits 3
    for id in $(names first); do told "$id.*exported before"; done
    equal "lines of the third run" "$(wc -c <out)" 0
    migrate ttnv2 device mydevice --output again.json
    exits 1
    told mydevice
    [ ! -e again.json ] || fail "an empty output file was left"
    migrate ttnv2 application --dry-run
    exits 3
    equal "lines of a dry run" "$(wc -c <out)" 0
    world after
    unchanged cleared after
    no_key_lost before after first
}

# One device cleared by hand before, the others not yet.
second_run_in_part() {
    sandbox_start --devices 8
    world before
    good ttnv2 device mydevice
    cp out first
    world between
    migrate ttnv2 application --keep-going
    exits 3
    told 'mydevice.*exported before'
    equal lines "$(line_count out)" 7
    world after
    released between after true out
    no_key_lost before after first out
}

# output_fails REDIRECTION ARGUMENT...: nothing may be cleared
output_fails() {
    where=$1
    shift
    status=0
    (eval "bounded ttnv2 \"\$@\" 2>err $where") || status=$?
    exits 1
    world after
    unchanged before after
    equal "calls to SetDevice ($where $*)" "$(calls SetDevice)" 0
    told 'cannot|closed'
}

no_output() {
    sandbox_start --devices 40
    world before
    for what in 'application' 'device mydevice' 'application --keep-going' 'application --concurrency 1'; do
        output_fails '>/dev/full' $what
        output_fails '>&-' $what
        output_fails '>/dev/null' $what --output /dev/full
        output_fails '>/dev/null' $what --output /nowhere/devices.json
        output_fails '>/dev/null' $what --output /proc/version
    done
}

# A run needs a journal, and without a place for that nothing is done.
no_journal() {
    sandbox_start --devices 10
    world before
    : >file
    XDG_STATE_HOME=$HOME/file
    export XDG_STATE_HOME
    {
        status=0
        bounded ttnv2 application 2>err || status=$?
        echo $status >status
    } | cat >out
    status=$(cat status)
    exits 1
    told -- '--journal'
    world after
    unchanged before after
    equal "bytes of output" "$(wc -c <out)" 0
}

# reader COMMAND ARGUMENT...: what the reader took goes to `taken`
reader() {
    taker=$1
    shift
    rm -rf "$state_folder"
    {
        status=0
        bounded ttnv2 application "$@" 2>err || status=$?
        echo $status >status
    } | eval "$taker" >taken
    status=$(cat status)
}

# What the reader did not get is in the journal: another output gets every line.
reader_goes_away() {
    for taker in 'head -n 1' 'true' 'head -c 10' 'exec sleep 0.2' 'head -n 60'; do
        for arguments in '' '--concurrency 1' '--keep-going'; do
            sandbox_start --devices 120
            world before
            reader "$taker" $arguments
            exits 1
            told 'standard output'
            world between
            cleared=$(jq .ttnv2.cleared between)
            [ "$cleared" -lt 120 ] || fail "all devices are cleared"
            if [ "$cleared" -gt 0 ]; then
                migrate resume --output all.json
                exits 0
                world after
                released before after true all.json
                equal lines "$(line_count all.json)" 120
            fi
            rm -f all.json
            sandbox_stop
        done
    done
}

reader_takes_all() {
    sandbox_start --devices 50
    world before
    reader 'cat'
    exits 0
    world after
    released before after true taken
    equal lines "$(line_count taken)" 50
    told "journal.*$state_folder"
    equal "mode of the journal" "$(stat -c %a $state_folder/*.journal)" 600
    equal "mode of its folder" "$(stat -c %a $state_folder)" 700
    # A dry run keeps none.
    reader 'cat' --dry-run --keep-going
    equal "files kept of a dry run" "$(find $state_folder -type f 2>/dev/null | wc -l)" 0
}

# The world's defects: who cannot go, and what is told.
refused='
broken-otaa-no-appkey has no keys
broken-abp-no-nwkskey session is incomplete
b-a_b-c_d-e_f-g_h-i_j-k_l-m_n-o_p-q_r-s_t-u_v-w_x-y_z-a_b-c_d-e_f-g_h-i longer than 36
bx shorter than
broken-attribute-utf8 not UTF-8'
noted='
broken-otaa-half-session session
broken-description-utf8 UTF-8
broken-description-long cut to 2000
broken-attribute-upper-case upper-case-key
broken-attribute-short-key dropped
broken-attribute-same-keys dropped
broken-latitude out of range
broken-longitude out of range'

one_by_one() {
    sandbox_start --devices 2 --broken
    world before
    echo "$refused" | while read -r id text; do
        [ -n "$id" ] || continue
        migrate ttnv2 device "$id"
        exits 1
        told "$id.*$text"
        equal "bytes of output for $id" "$(wc -c <out)" 0
        migrate ttnv2 device --keep-going "$id"
        exits 3
        told "$id.*$text"
        world after
        unchanged before after
    done
    echo "$noted" | while read -r id text; do
        [ -n "$id" ] || continue
        world before
        good ttnv2 device "$id"
        told "$id.*$text"
        equal "lines for $id" "$(line_count out)" 1
        iconv -f UTF-8 -t UTF-8 out >/dev/null 2>&1 || fail "the line of $id is not UTF-8"
        world after
        released before after true out
    done
}

# Those who cannot go do not keep the others.
all_but_broken() {
    sandbox_start --devices 20 --broken
    world before
    migrate ttnv2 application --keep-going
    exits 3
    echo "$refused" | while read -r id text; do
        [ -z "$id" ] || told "$id.*$text"
    done
    told 'dup-id.*dup_id'
    told 'dup_id.*dup-id'
    equal "devices in the output" "$(line_count out)" $(($(all_names before | wc -l) - 7))
    iconv -f UTF-8 -t UTF-8 out >/dev/null 2>&1 || fail "the output is not UTF-8"
    world after
    released before after true out
}

# Without --keep-going the first defect halts the run: what is cleared has its line.
halted() {
    for id in broken-otaa-no-appkey bx broken-attribute-utf8; do
        for concurrency in 1 16; do
            sandbox_start --devices 40 --broken
            world before
            all_names before | grep -v '^broken\|^b\|^dup' >ids
            head -n 19 ids >wanted
            sed -i "20s/.*/$id/" ids
            migrate ttnv2 device --concurrency $concurrency <ids
            exits 1
            told "$id"
            world after
            released before after true out
            names out >names.out
            same "devices in the output" names.out wanted
            sandbox_stop
        done
    done
}

unknown_plan() {
    sandbox_start --devices 5
    world before
    for plan in RU_864_870 EU_863_870_TTNN '' ' '; do
        migrate ttnv2 application --frequency-plan-id "$plan"
        exits 2
        told 'frequency.plan'
    done
    unset FREQUENCY_PLAN_ID
    migrate ttnv2 application
    exits 2
    told 'frequency-plan-id'
    equal "calls of any kind" "$(all_calls)" 0
    world after
    unchanged before after
}

# unreachable ARGUMENT...: an error in time, and nothing is changed
unreachable() {
    migrate ttnv2 application "$@"
    exits 1
    less "milliseconds until the error" "$elapsed" $((4000 * SLACK))
    told '^ttn-lw-migrate: error'
    equal "bytes of output" "$(wc -c <out)" 0
    world after
    unchanged before after
}

discovery() {
    sandbox_start --devices 5
    world before
    # Port 1 is open nowhere.
    unreachable --timeout 2s --discovery-server-address localhost:1
    told 'localhost:1'
    unreachable --timeout 2s --discovery-server-address discovery.invalid:1900
    told 'discovery.invalid'
    # Not trusted, and TLS where there is none.
    export TTNV2_CA_CERT=
    unreachable --timeout 2s
    told 'certificate|trust'
    unreachable --timeout 2s --discovery-server-address "$SANDBOX_DISCOVERY_PLAIN"
    unreachable --timeout 2s --discovery-server-address "$SANDBOX_DISCOVERY" --discovery-server-insecure
    equal "calls of any kind" "$(all_calls)" 0
    # It takes the connection and says nothing.
    kill -STOP "$sandbox_pid"
    migrate ttnv2 application --timeout 2s
    kill -CONT "$sandbox_pid"
    exits 1
    less "milliseconds until the error" "$elapsed" $((4000 * SLACK))
    world after
    unchanged before after
    # It knows no such application.
    # shellcheck source=/dev/null
    . "$HOME/sandbox.env"
    unreachable --app-id no-such-app no-such-app
    told 'no-such-app'
}

# The default is 10 s, also where nobody answers.
silent_discovery() {
    sandbox_start --devices 2
    faults 'GetByAppID:deadline'
    migrate ttnv2 application
    exits 1
    less "milliseconds until the error" "$elapsed" $((12000 * SLACK))
    told 'Discovery'
}

wrong_key() {
    sandbox_start --devices 5
    world before
    for key in ttn-account-v2.wrong "$SANDBOX_KEY_SETTINGS_ONLY" no-dot ttn-account-other.key; do
        TTNV2_APP_ACCESS_KEY=$key
        export TTNV2_APP_ACCESS_KEY
        unreachable
    done
    TTNV2_APP_ACCESS_KEY=$SANDBOX_KEY_DEVICES_ONLY
    good ttnv2 application
    world after
    released before after true out
}

# Both forms of a refusal by the limiters are tried again.
refused_for_the_rate() {
    sandbox_start --devices 6
    world before
    faults GetDevicesForApplication:resource-exhausted:at=1 \
        GetDevice:resource-exhausted:at=2 GetDevice:resource-exhausted-13:at=4 \
        SetDevice:resource-exhausted-13:at=2 SetDevice:resource-exhausted:at=4
    good ttnv2 application
    world after
    released before after true out
    equal "devices in the output" "$(line_count out)" 6
    equal "faults in all" "$(curl -sSf "$SANDBOX_HTTP/state?devices=0" | jq '[.calls[].faults] | add')" 5
}

# More than fit into the 4 MiB that the older tool takes.
large_application() {
    sandbox_start --devices 30000
    good ttnv2 application --dry-run --with-session=false
    equal lines "$(wc -l <out)" 30000
    equal "different devices" "$(grep -o '"name":"[^"]*"' out | sort -u | wc -l)" 30000
    less "list calls" "$(calls GetDevicesForApplication)" 30
    equal "calls to SetDevice" "$(calls SetDevice)" 0
}

run_case "a second run over cleared devices" second_run
run_case "a second run over some cleared devices" second_run_in_part
run_case "an output that cannot be written" no_output
run_case "no place for the journal" no_journal
run_case "the reader goes away" reader_goes_away
run_case "the reader takes everything" reader_takes_all
run_case "defects one by one" one_by_one
run_case "all but the broken ones" all_but_broken
run_case "a defect halts the run" halted
run_case "unknown frequency plan" unknown_plan
run_case "Discovery cannot be used" discovery
run_case "Discovery is silent" silent_discovery
run_case "access keys that are refused" wrong_key
run_case "refused for the rate" refused_for_the_rate
run_case "30,000 devices" large_application
end_cases
