#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# V2 to The Things Stack when something goes wrong: lost answers, steps that are refused, a target that is down; and what of it
# all is told: no key.
# shellcheck disable=SC2016,SC2086,SC2094,SC2119,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=tests/e2e/server.sh
. "$(dirname -- "$0")/server.sh"

# resumed_whole: a device that had to go back is tried again; what V2 forgets on the way is told with exit code 3.
resumed_whole() {
    migrate resume
    [ "$status" -eq 0 ] || {
        exits 3
        told 'V2 has forgotten'
    }
    silent_on 'failed'
}

lost_answers() {
    cluster --devices 30
    faults EndDeviceRegistry/Create:reset-after:every=5 JsEndDeviceRegistry/Set:unavailable-after:every=4 \
        NsEndDeviceRegistry/Set:reset-after:every=6 AsEndDeviceRegistry/Set:no-trailers:every=5 \
        EndDeviceRegistry/Get:resource-exhausted:every=9 NsEndDeviceRegistry/Get:unavailable:every=8 \
        SetDevice:reset-after:every=7
    migrate ttnv2 application --to tts --keep-going
    [ "$status" -eq 0 ] || exits 3
    no_faults
    if [ "$status" -eq 3 ]; then migrate resume --failed; fi
    all_moved
    faults EndDeviceRegistry/Delete:reset-after:every=4 NsEndDeviceRegistry/Delete:unavailable-after:every=3 \
        JsEndDeviceRegistry/Delete:reset-middle:every=5 AsEndDeviceRegistry/Delete:unavailable:every=4
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    no_faults
    back_home
}

# A step that is refused for good: undone at the target, back in V2, and the server's own reason is told.
refused() {
    for method in EndDeviceRegistry/Create JsEndDeviceRegistry/Set NsEndDeviceRegistry/Set AsEndDeviceRegistry/Set; do
        cluster --devices 12
        faults $method:internal:at=3
        migrate ttnv2 application --to tts
        exits 1
        told 'internal'
        told 'resume'
        each_somewhere_or_reserved
        no_faults
        resumed_whole
        all_moved
        back_home
    done
}

# The target goes down in the middle: no device is lost, the message says what to do, and resume ends the run.
target_down() {
    cluster --devices 60 --latency 20ms
    begin ttnv2 application --to tts --timeout 1s --concurrency 4
    until_true 20 imported 5 || fail "no device is imported"
    faults NsEndDeviceRegistry/Set:unavailable NsEndDeviceRegistry/Delete:unavailable \
        EndDeviceRegistry/Delete:unavailable JsEndDeviceRegistry/Delete:unavailable AsEndDeviceRegistry/Delete:unavailable
    end_within 80000
    exits 1
    told 'resume'
    migrate status
    grep -q 'ttn-lw-migrate resume' out || fail "status does not say what to do"
    no_faults
    resumed_whole
    all_moved
    back_home
}

# A rollback that its source refuses for one device: status tells how many are on the way, which may be nowhere, what to do.
rollback_halts() {
    cluster --devices 12
    good ttnv2 application --to tts
    good status --unfinished-ids
    equal "bytes of IDs" "$(wc -c <out)" 0
    good status
    if grep -q 'on the way' out; then fail "no device should be on the way"; fi
    faults SetDevice:internal:at=5
    migrate rollback --concurrency 1
    exits 1
    good status --unfinished-ids
    cp out ids
    equal "devices on the way" "$(wc -l <ids)" 8
    equal "of them known to V2" "$(jq -r '.devices[].dev_id' before | grep -cxF -f ids)" 8
    good status
    grep -q '^on the way  *8 devices, 1 may be at neither network; all IDs: --unfinished-ids$' out || fail "on the way: $(cat out)"
    grep -q "^  $(head -n 1 ids) (restoring): may be at neither network: .*internal" out || fail "not named: $(cat out)"
    grep -q '^  7 devices (restoring): waits to be put back$' out || fail "the others are not told: $(cat out)"
    grep -q '^next .*ttn-lw-migrate rollback$' out || fail "not said what to do: $(cat out)"
    run=$(find "$HOME" -name '*.journal')
    good status "$run"
    grep -qF "ttn-lw-migrate rollback $run" out || fail "the run has no name: $(cat out)"
    good status --json
    equal "devices on the way in JSON" "$(jq -c '[.on_the_way | length, (map(select(.perhaps_at_neither)) | length)]' out)" '[8,1]'
    no_faults
    back_home
    good status --unfinished-ids
    equal "bytes of IDs" "$(wc -c <out)" 0
}

files_to_target() {
    # A real run into a file first, then the import of what it wrote.
    cluster --devices 25
    good ttnv2 application --output devices.json
    good json application - --to tts <devices.json
    told '25 devices imported'
    all_moved
    # Again: everything is there.
    good json application - --to tts --journal again.journal <devices.json
    told '25 there already'
    # The table of The Things Stack.
    cluster --devices 1
    printf '%s\n' 'id;dev_eui;join_eui;name;frequency_plan_id;lorawan_version;lorawan_phy_version;supports_join;app_key' \
        'from-a-list;0004A30B000F0001;70B3D57ED0000001;A;EU_863_870_TTN;1.0.3;1.0.3-a;true;00112233445566778899AABBCCDDEEFF' \
        'also-listed;0004A30B000F0002;70B3D57ED0000001;B;EU_863_870_TTN;1.0.3;1.0.3-a;true;00112233445566778899AABBCCDDEE00' \
        >list.csv
    good csv application --csv.file list.csv --to tts
    world after
    equal "devices from the list" "$(jq -r '[.tts_devices[] | select(.js.app_key) | .device_id] | sort | join(" ")' after)" \
        'also-listed from-a-list'
    good verify
    good rollback
    world after
    equal "devices after the rollback" "$(jq '.tts_devices | length' after)" 0
}

# stack FILE APPLICATION: what the four servers have of its devices, without what only repeats it
stack() {
    world after
    jq -S -c --arg app "$2" '.tts_devices[] | select(.application_id == $app)
        | {device_id, is, ns, "as": .as, js} | del(.[] | objects | .end_device_hex)' after >"$1"
}

# Between two applications of one cluster: deleted there, made here, the session kept.
within_a_cluster() {
    cluster --devices 1 --tts-devices 30
    stack stack.before my-tts-app
    migrate tts application --to tts
    [ "$status" -eq 1 ] || exits 3
    told 'same network'
    migrate tts application --to tts --tts.release delete --keep-going
    [ "$status" -eq 0 ] || exits 3
    stack here my-new-app
    less "devices that did not move" $((30 - $(wc -l <here))) 12
    jq -r .device_id here >moved.ids
    for file in stack.before here; do
        jq -S -c --rawfile ids moved.ids 'select(.device_id as $d | $ids | split("\n") | index($d))
            | [.device_id, .js.app_key, .js.nwk_key, .js.last_dev_nonce, .js.last_join_nonce,
                (.ns | [.dev_addr, .f_nwk_s_int_key, .s_nwk_s_int_key, .nwk_s_enc_key, .last_f_cnt_up, .mac_state]),
                (."as" | [.dev_addr, .app_s_key])]' $file >$file.kept
    done
    same "keys and sessions" stack.before.kept here.kept
    equal "devices at both" "$(jq .field.twice after)" 0
    # And out of the cluster as JSON.
    good tts application my-new-app --dry-run --tts.app-id my-new-app --tts.app-api-key "$TARGET_TTS_APP_API_KEY"
    equal lines "$(line_count out)" "$(wc -l <here)"
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    stack stack.back my-tts-app
    for file in stack.before stack.back; do
        jq -S -c '[.device_id, .js.app_key, .ns.f_nwk_s_int_key, .as.app_s_key, .ns.dev_addr]' $file >$file.keys
    done
    same "the first application after the rollback" stack.before.keys stack.back.keys
    stack here my-new-app
    equal "devices of the second application" "$(wc -l <here)" 0
}

secrets() {
    cluster --devices 20 --broken --tts-devices 3
    secret_list before
    printf 'no passphrase that anybody uses\n' >journal.key
    for log in '--verbose' '--verbose --log-format json' '--progress always'; do
        migrate plan ttnv2 application --to tts $log
        kept_secret out err
    done
    faults NsEndDeviceRegistry/Set:internal:every=5 JsEndDeviceRegistry/Set:garbage:at=4
    migrate ttnv2 application --to tts --keep-going --verbose --journal run.journal --journal-key-file journal.key --report run.html
    kept_secret out err run.html
    kept_secret run.journal*
    no_faults
    for command in 'resume run.journal --failed' 'verify run.journal' 'verify run.journal --json' 'rollback run.journal'; do
        migrate $command --verbose --journal-key-file journal.key
        [ "$status" -eq 0 ] || exits 3
        kept_secret out err
        kept_secret run.journal*
    done
    migrate status run.journal --json
    kept_secret out err
    migrate report run.journal
    kept_secret out err
    migrate ttnv2 device mydevice --to tts --on-conflict update --verbose --timeout 1s
    kept_secret out err
    find "$HOME" -type f \( -name '*.journal*' -o -name run.html \) -perm /077 >open
    [ ! -s open ] || fail "others can read: $(tr '\n' ' ' <open)"
}

run_case "lost answers" lost_answers
run_case "steps that are refused" refused
run_case "the target is down" target_down
run_case "a rollback that halts" rollback_halts
run_case "files" files_to_target
run_case "within one cluster" within_a_cluster
run_case "no key is told" secrets
end_cases
