#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Out of The Things Stack: each way of releasing devices, the way back, half-registered devices, lost answers.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# stack FILE: what the four servers have, one device a line, without what only repeats it or is a time of theirs
stack() {
    world state
    jq -c '.tts_devices[] | select(.application_id == "my-tts-app")
        | {device_id, is, ns, "as": .as, js} | del(.[] | objects | .end_device_hex)' state >"$1"
}

# exported FILE: IDs in the lines of a run
exported() {
    jq -r '.ids.device_id' "$1" | sort
}

# of STACK FILTER: IDs of the devices that it selects
of() {
    jq -r "select($2) | .device_id" "$1" | sort
}

# picked STACK FILE: the devices of a file of IDs
picked() {
    jq -c --rawfile ids "$2" '. as $d | select($ids | split("\n") | index($d.device_id))' "$1"
}

# keys_are_written BEFORE OUT: every key that a device had is in its line
keys_are_written() {
    jq -nr --slurpfile before "$1" --slurpfile lines "$2" '
        (reduce $lines[] as $l ({}; .[$l.ids.device_id] = ($l | tojson))) as $text
        | $before[] | select($text[.device_id]) | . as $d
        | [.js.app_key, .js.nwk_key, .ns.f_nwk_s_int_key, .ns.s_nwk_s_int_key, .ns.nwk_s_enc_key, .as.app_s_key]
        | .[] | select(. != null) | ascii_upcase
        | select(. as $key | $text[$d.device_id] | contains($key) | not) | $d.device_id' >lost
    [ ! -s lost ] || fail "keys in no line: $(sort -u lost | tr '\n' ' ')"
}

dry_run() {
    sandbox_start --tts-devices 60
    stack before
    migrate tts application my-tts-app --dry-run --keep-going
    [ "$status" -eq 0 ] || exits 3
    stack after
    same "the network" before after
    keys_are_written before out
    of before '.ns != null and (.ns.supports_join == 1 or .as != null)' >whole
    exported out >lines
    same "devices in the output" lines whole
    equal "calls that change something" "$(jq '[.calls | to_entries[] | select(.key | test("Set|Delete|Create|Update")) | .value.calls] | add // 0' state)" 0
    # The same by the other name, and in the older form.
    head -3 whole >ids
    good ttnv3 device --dry-run <ids
    equal lines "$(line_count out)" 3
    good device --source tts --tts.no-session --dry-run mydevice
    equal session "$(jq -c .session out)" null
}

# A key with the rights that the documentation names, and no more.
rights() {
    sandbox_start --tts-devices 60
    good tts device --dry-run mydevice
    mv out all
    good tts device --app-api-key "$SANDBOX_TTS_KEY_SOURCE_DEVICES" --dry-run mydevice
    same "the line" all out
    good tts device --app-api-key "$SANDBOX_TTS_KEY_SOURCE_DEVICES" --release keys mydevice
    migrate rollback
    exits 3
    told 'its dates and queued downlinks are gone'
    good tts device --app-api-key "$SANDBOX_TTS_KEY_SOURCE_DEVICES" --dry-run mydevice
    equal keys "$(jq -c .session.keys out)" "$(jq -c .session.keys all)"
}

# release HOW: devices as they are after it, in `after`; their IDs in `gone`
release_all() {
    sandbox_start --tts-devices 60
    stack before
    migrate tts application --tts.release "$1" --keep-going
    [ "$status" -eq 0 ] || exits 3
    stack after
    exported out >gone
    less "devices left out" $((60 - $(wc -l <gone))) 15
    keys_are_written before out
    of before true | grep -vxFf gone >kept || true
    picked before kept >kept.before
    picked after kept >kept.after
    same "devices that are not in the output" kept.before kept.after
}

silence() {
    release_all silence
    picked before gone | jq -c '.ns.schedule_downlinks = false' >wanted
    picked after gone >is
    same "devices that were silenced" is wanted
    good rollback
    stack back
    same "the network after the rollback" back before
}

keys() {
    release_all keys
    picked after gone | jq -c 'select(.ns or .as or .js)' >left
    [ ! -s left ] || fail "left: $(jq -r .device_id left | tr '\n' ' ')"
    equal "entries at the Identity Server" "$(picked after gone | jq -c 'select(.is)' | wc -l)" "$(wc -l <gone)"
    # There is nothing left to take.
    cp out exported.json
    migrate tts application --dry-run --keep-going
    exits 3
    told 'exported before'
    equal "lines of another run" "$(line_count out)" 0
    restored
}

deletion() {
    release_all delete
    of after true >left
    same "devices that are left" left kept
    restored
}

# All is back but the downlink counter, which is higher, and the run says so.
restored() {
    migrate rollback --dry-run
    foretell
    told 'would say of it: .*16 higher'
    migrate rollback
    exits 3
    as_foretold
    told '16 higher'
    stack back
    picked before gone | jq -c 'if .ns.dev_addr then .ns.last_n_f_cnt_down = (.ns.last_n_f_cnt_down // 0) + 16 else . end' | jq -S -c . >wanted
    picked back gone | jq -S -c . >is
    same "devices after the rollback" is wanted
    migrate rollback
    stack again
    same "after another rollback" again back
}

nothing() {
    sandbox_start --tts-devices 20
    stack before
    migrate tts application --tts.release none --keep-going
    [ "$status" -eq 0 ] || exits 3
    stack after
    same "the network" before after
}

# Killed anywhere and resumed: every device once, released, and its keys written.
killed() {
    interrupted=0
    for at in 400 700 1100 1600; do
        sandbox_start --tts-devices 30 --latency 15ms
        stack before
        rm -rf lines.json "$HOME/.local"
        begin tts application --tts.release delete --keep-going --output lines.json --concurrency 4
        sleep "$(echo $at | awk '{ print $1 / 1000 }')"
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null && continue
        interrupted=$((interrupted + 1))
        migrate status --list
        if [ -s out ]; then
            migrate resume
            [ "$status" -eq 0 ] || exits 3
            equal "lines on standard output" "$(wc -l <out)" 0
        else
            migrate tts application --tts.release delete --keep-going --output lines.json
        fi
        stack after
        exported lines.json >gone
        equal "lines that stand twice" "$(uniq -d gone | wc -l)" 0
        keys_are_written before lines.json
        of after true >left
        of before true | grep -vxFf gone >kept || true
        same "devices that are left" left kept
    done
    less "runs that were not killed" $((4 - interrupted)) 4
}

# Answers that get lost, before and after the change, and servers that are busy.
lost_answers() {
    for how in silence delete; do
        sandbox_start --tts-devices 25 \
            --fault NsEndDeviceRegistry/Set:reset-after:every=3 --fault NsEndDeviceRegistry/Delete:unavailable:every=4 \
            --fault AsEndDeviceRegistry/Delete:reset-before:every=3 --fault JsEndDeviceRegistry/Delete:unavailable-after:every=2 \
            --fault EndDeviceRegistry/Delete:reset-after:every=3 --fault EndDeviceRegistry/Get:resource-exhausted:every=7
        stack before
        rm -rf "$HOME/.local"
        migrate tts application --tts.release $how --keep-going
        [ "$status" -eq 0 ] || exits 3
        no_faults
        stack after
        exported out >gone
        keys_are_written before out
        if [ $how = delete ]; then
            of before true | grep -vxFf gone >kept || true
            of after true >left
            same "devices that are left" left kept
        else
            of after '.ns.schedule_downlinks == false' >silent
            same "devices that are silent" silent gone
        fi
    done
}

# No counter goes backwards for devices that are answered meanwhile: whoever was is named with the counter to use.
while_devices_send() {
    sandbox_start --tts-devices 6 --devices 1 --uplinks 3000 --latency 200ms
    migrate tts application --keep-going
    [ "$status" -eq 0 ] || exits 3
    told 'answered between reading and releasing'
    stack after
    jq -r '"\(.ids.device_id) \(.session.last_n_f_cnt_down // 0) \(.session.dev_addr // "" | ascii_downcase)"' out >lines
    while read -r id counter address; do
        now=$(jq -r --arg id "$id" 'select(.device_id == $id) | .ns | "\(.last_n_f_cnt_down // 0) \(.dev_addr // "")"' after)
        [ "${now#* }" = "$address" ] || {
            told "$id.*join"
            continue
        }
        [ "${now% *}" -le "$counter" ] || told "$id.*last_n_f_cnt_down to ${now% *} "
    done <lines
    # Of a device that is deleted, too.
    sandbox_start --tts-devices 6 --devices 1 --uplinks 3000 --latency 200ms
    migrate tts application --tts.release delete --keep-going
    told 'answered between reading and releasing'
}

refused_keys() {
    sandbox_start --tts-devices 3
    stack before
    migrate tts application --dry-run --tts.app-api-key "$SANDBOX_TTS_KEY_NO_READ_KEYS"
    exits 1
    told RIGHT_APPLICATION_DEVICES_READ_KEYS
    migrate tts application --tts.app-api-key "$SANDBOX_TTS_KEY_READ_ONLY"
    exits 1
    told 'no rights for application'
    migrate tts application --tts.app-api-key NNSXS.MADEUP.SECRETPART
    exits 1
    told 'app-api-key.*Console makes one'
    silent_on SECRETPART
    migrate tts application nobodys-app --dry-run
    exits 1
    told 'nobodys-app'
    migrate tts device nobodys-device
    exits 1
    told 'no such device'
    stack after
    same "the network" before after
}

without_tls() {
    sandbox_start --tts-devices 3
    export TTS_IDENTITY_SERVER_GRPC_ADDRESS="$SANDBOX_TTS_IDENTITY_SERVER_PLAIN"
    export TTS_NETWORK_SERVER_GRPC_ADDRESS="$SANDBOX_TTS_NETWORK_SERVER_PLAIN"
    export TTS_APPLICATION_SERVER_GRPC_ADDRESS="$SANDBOX_TTS_APPLICATION_SERVER_PLAIN"
    export TTS_JOIN_SERVER_GRPC_ADDRESS="$SANDBOX_TTS_JOIN_SERVER_PLAIN"
    unset TTS_CA_FILE
    migrate tts device mydevice --dry-run
    exits 1
    told 'does not speak TLS'
    told 'without TLS.*--tts.insecure'
    good tts device mydevice --dry-run --insecure
    told 'without TLS'
}

run_case "a dry run changes nothing" dry_run
run_case "--tts.release silence, and back" silence
run_case "--tts.release keys, and back" keys
run_case "--tts.release delete, and back" deletion
run_case "--tts.release none" nothing
run_case "killed and resumed" killed
run_case "lost answers" lost_answers
run_case "devices send meanwhile" while_devices_send
run_case "a key with the documented rights" rights
run_case "keys without rights" refused_keys
run_case "without TLS" without_tls
end_cases
