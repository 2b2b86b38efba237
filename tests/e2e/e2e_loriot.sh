#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Source loriot against the sandbox: dry runs, JSON, devices that are deleted and made again, killed runs, and The Things Stack.
# shellcheck disable=SC2016,SC2031,SC2086,SC2317 # filters for jq; lists of words; run_case calls
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

start() {
    count=${1:-12}
    [ $# -eq 0 ] || shift
    sandbox_start --loriot-devices "$count" "$@"
    export FREQUENCY_PLAN_ID=EU_863_870
}

# devices FILE: of LORIOT, as they are
devices() {
    world state
    jq -cS '.loriot_devices | sort_by(._id)[]' state >"$1"
}

# kept FILE: what has to be as it was after a device was made again
kept() {
    jq -cS '[._id, .app, .title, .description, .devclass, .adr, .seqrelax, (if .devaddr then .rx1 else null end), (.appeui // .joineui), .appkey, .devaddr, .nwkskey,
        .appskey, .seqno]' "$1"
}

# Everything is made again, and something of each could not be put back: which nonces were used.
roll_back() {
    migrate rollback
    exits 3
    silent_on 'error'
    told 'forgotten which nonces'
}

# What comes out of each kind of device.
exported() {
    start
    devices before
    good loriot application --all --dry-run
    cp out dry
    good loriot application --all
    sed 's/"started_at":"[^"]*"/"started_at":""/; s/"session_key_id":"[^"]*"/"session_key_id":""/' dry >dry.fixed
    sed 's/"started_at":"[^"]*"/"started_at":""/; s/"session_key_id":"[^"]*"/"session_key_id":""/' out >out.fixed
    same "a dry run" dry.fixed out.fixed
    equal lines "$(line_count out)" 12
    jq -cs 'sort_by(.ids.dev_eui)[] | [.ids.dev_eui, .ids.application_ids.application_id, .ids.join_eui, .name, .description,
        .supports_join // false, .supports_class_c // false, .root_keys.app_key.key, .session.dev_addr,
        .session.keys.f_nwk_s_int_key.key, .session.keys.app_s_key.key, .session.last_f_cnt_up // 0,
        .session.last_n_f_cnt_down // 0, .mac_settings.resets_f_cnt // false, .mac_settings.adr != null,
        .mac_state.current_parameters.rx1_delay, .lorawan_version, .locations.user.latitude]' out >ours
    jq -c '[.deveui, {"Water meters": "loriot-be7a0001", "Second": "loriot-be7a0002"}[.app], (.appeui // .joineui), .title,
        .description, (.appkey != null), (.devclass == "C"), .appkey, .devaddr, .nwkskey, .appskey,
        ([.seqno - 1, 0] | max), (if .seqdn > 1 then .seqdn - 1 else .seqdn end), .seqrelax, (.adr | not),
        (if .devaddr then .rx1.delay / 1000000 else null end), "MAC_V1_0_" + (.lorawan.revision | tostring),
        .location.lat]' before >theirs
    same "what LORIOT has" ours theirs
    devices after
    same "LORIOT's devices" before after
    good validate dry
    good loriot application --all --output kept
    told 'LORIOT has the devices too.*before the file is imported'
    good loriot application --all --dry-run
    silent_on 'has the devices too'
}

# Applications by ID and by name, devices in whichever application they are.
chosen() {
    start 30
    good loriot application be7a0001
    equal "lines of the first" "$(line_count out)" 27
    good loriot application Second "$SANDBOX_LORIOT_APPLICATION"
    equal "lines of both" "$(line_count out)" 30
    LORIOT_APP_ID=Second good loriot application
    equal "lines of the second" "$(line_count out)" 3
    good loriot application BE7A0003
    equal "lines of an empty one" "$(line_count out)" 0
    good loriot device 70B3D5E700000009 eui-70b3d5e700000001
    equal IDs "$(jq -r .ids.device_id out | tr '\n' ' ')" "eui-70b3d5e700000009 eui-70b3d5e700000001 "
    LORIOT_APP_ID=Second migrate loriot device 70B3D5E700000001
    exits 1
    told 'no such device in the application'
    printf 'dev_eui,application_id,join_eui\n70B3D5E700000000,my-app,70B3D57ED0000001\n' >map
    good loriot device 70B3D5E700000000 --map map
    equal "what the map says" "$(jq -r '.ids.application_ids.application_id + .ids.join_eui' out)" my-app70B3D57ED0000001
    sandbox_stop
    start 230
    good loriot application --all
    equal "lines of several pages" "$(jq -r .ids.dev_eui out | sort -u | wc -l)" 230
}

refused() {
    start
    devices before
    migrate loriot device 70B3D5E7FFFFFFFF
    exits 1
    told 'no such device'
    migrate loriot device sensor-1
    exits 1
    told 'named by their DevEUI'
    LORIOT_API_KEY=wrong migrate loriot application --all
    exits 1
    told 'check --loriot.api-key'
    LORIOT_API_KEY='two words' migrate loriot application --all
    exits 2
    told 'a key has no blanks'
    migrate loriot application Twin
    exits 2
    told 'BE7A0003 or BE7A0004'
    migrate loriot application Nowhere
    exits 1
    told 'no application Nowhere'
    migrate loriot application
    exits 2
    told 'loriot.all'
    LORIOT_API_KEY=$SANDBOX_LORIOT_READ_KEY migrate loriot application --all --release delete --output lines
    exits 1
    told 'the API key may not change devices'
    (unset FREQUENCY_PLAN_ID && migrate loriot application --all)
    told 'loriot.frequency-plan-id'
    for fault in garbage empty oversized=70000000 internal; do
        faults "loriot-get:$fault"
        migrate loriot device 70B3D5E700000000 --release delete
        exits 1
        no_faults
        faults "loriot-devices:$fault"
        migrate loriot application --all --release delete
        exits 1
        no_faults
    done
    devices after
    same "LORIOT's devices" before after
}

released() {
    start
    devices before
    good loriot application --all --release delete --dry-run
    devices after
    same "devices after a dry run" before after
    good loriot application --all --release delete --output lines
    devices after
    equal "devices there" "$(line_count after)" 0
    jq -r '.root_keys.app_key.key // empty, .session.keys.app_s_key.key // empty, .session.keys.f_nwk_s_int_key.key // empty' lines |
        sort >exported.keys
    jq -r '.appkey // empty, .appskey // empty, .nwkskey // empty' before | sort >before.keys
    same "keys in the lines" exported.keys before.keys
    migrate rollback --dry-run
    foretell
    devices dry
    equal "devices after a dry rollback" "$(line_count dry)" 0
    roll_back
    as_foretold
    devices back
    kept before >wanted
    kept back >seen
    same "devices after the rollback" wanted seen
    jq -c '[._id, .seqdn]' before >counters
    jq -c '[._id, .seqdn - (if .devaddr then 16 else 0 end)]' back >seen
    same "downlink counters, those skipped that may have been used unseen" counters seen
}

# A lost answer is looked into: no device is left, or lost, or there twice.
lost_answers() {
    start 20
    devices before
    faults loriot-delete:reset-after:every=3 loriot-delete:reset-before:every=4 loriot-delete:unavailable-after:every=5 \
        loriot-get:unavailable:every=7 loriot-create:reset-after:every=3 loriot-create:reset-before:every=4 \
        loriot-create:garbage:every=5
    good loriot application --all --release delete --output lines
    devices after
    equal "devices there" "$(line_count after)" 0
    equal lines "$(line_count lines)" 20
    roll_back
    devices back
    kept before >wanted
    kept back >seen
    same "devices after the rollback" wanted seen
}

test_delete() {
    [ "$(calls loriot-delete)" -ge "$1" ]
}

killed() {
    for number in 1 5 12; do
        start 20
        devices before
        rm -rf lines whole .local
        faults "loriot-delete:delay=3s:at=$number"
        begin loriot application --all --release delete --output lines --concurrency 1 --timeout 30s
        until_true 20 test_delete "$number" || fail "the run did not come so far"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || true
        no_faults
        good resume --output whole
        devices after
        equal "devices after a kill at $number" "$(line_count after)" 0
        equal "lines" "$(jq -r .ids.device_id whole | sort -u | wc -l)$(line_count whole)" 2020
        roll_back
        devices back
        kept before >wanted
        kept back >seen
        same "devices after the rollback" wanted seen
        sandbox_stop
    done
}

into_tts() {
    start
    devices before
    good loriot device 70B3D5E700000000 70B3D5E700000001 --to tts
    world after
    equal "devices there" "$(jq '.tts_devices | length' after)" 2
    equal "devices here" "$(jq '.loriot_devices | length' after)" 10
    good verify
    roll_back
    world back
    equal "devices there after the rollback" "$(jq '[.tts_devices[] | select(.network_server != null)] | length' back)" 0
    devices back.devices
    kept before >wanted
    kept back.devices >seen
    same "devices after the rollback" wanted seen
    good loriot application "$SANDBOX_LORIOT_APPLICATION" --to tts --release none
    devices after.devices
    equal "devices that are left alone" "$(line_count after.devices)" 12
    migrate rollback --dry-run
    told '^ttn-lw-migrate: 11 devices would be taken out of The Things Stack .V3. again, LORIOT was not changed by the run'
    good rollback
    told '^ttn-lw-migrate: 11 devices taken out of The Things Stack .V3. again, LORIOT was not changed by the run'
    silent_on 'put back'
    world back
    equal "devices there after this rollback" "$(jq '[.tts_devices[] | select(.network_server != null)] | length' back)" 0
}

# A server that says: too much.
limited() {
    start 30 --rate-limit 20
    good loriot application --all --release delete --output lines
    equal lines "$(line_count lines)" 30
    devices after
    equal "devices there" "$(line_count after)" 0
}

# Neither the API key nor a device's key is shown.
secrets() {
    start
    devices before
    faults loriot-delete:internal:every=2 loriot-get:unavailable:every=3
    migrate loriot application --all --release delete --verbose --output lines --keep-going
    cat err >all
    faults '*:garbage'
    migrate loriot application --all --verbose
    cat err >>all
    no_faults
    LORIOT_API_URL=http://127.0.0.1:1 migrate loriot application --all --verbose --timeout 1s
    cat err >>all
    migrate rollback --verbose
    cat err >>all
    if grep -qF -e "$LORIOT_API_KEY" all; then fail "the API key is shown"; fi
    jq -r '.appkey // empty, .nwkskey // empty, .appskey // empty' before >keys
    if grep -qi -f keys all; then fail "a key is shown"; fi
    printf '%s\n' "$LORIOT_API_KEY" >key-file
    (unset LORIOT_API_KEY && good loriot device 70B3D5E700000000 --loriot.api-key-file key-file)
}

tls() {
    start
    # Without TLS it has to be said.
    plain=$LORIOT_API_URL
    export LORIOT_API_URL="https://${plain#http://}"
    migrate loriot application --all
    exits 1
    told 'without TLS.*--loriot.insecure'
    export LORIOT_API_URL=$SANDBOX_LORIOT_TLS
    migrate loriot application --all
    exits 1
    told 'loriot.ca-cert-path'
    good loriot application --all --ca-cert-path "$TTNV2_CA_CERT"
    equal lines "$(line_count out)" 12
    LORIOT_API_URL=${SANDBOX_HTTP#http://} good loriot application --all --insecure
    told 'without TLS'
    equal lines "$(line_count out)" 12
}

gateways() {
    start
    unset FREQUENCY_PLAN_ID
    export TARGET_TTS_APP_API_KEY="$SANDBOX_TTS_KEY_USER"
    good loriot gateway
    equal EUIs "$(jq -r .ids.eui out | tr '\n' ' ')" "AABBCCFFFF000000 AABBCC0000000001 "
    told 'made of its MAC address'
    good loriot gateway AABBCCFFFF000001
    equal name "$(jq -r .name out)" Tower
    migrate loriot gateway AABBCCFFFF00000F
    exits 1
    told 'no such gateway'
    good loriot gateway --to tts
    good loriot gateway --to tts
    told '2 there already'
    first=$(find "$HOME/.local/state/ttn-lw-migrate" -name '*.journal' | sort | head -1)
    good rollback "$first"
    world state
    equal "gateways there" "$(jq '[.tts_gateways[] | select(.deleted | not)] | length' state)" 0
    migrate loriot gateway --frequency-plan-id US_902_928_FSB_2 --keep-going
    exits 3
    told 'region is EU868'
}

run_case "devices of each kind" exported
run_case "applications and devices" chosen
run_case "what is refused" refused
run_case "deleted, and made again" released
run_case "lost answers" lost_answers
run_case "killed and resumed" killed
run_case "into The Things Stack" into_tts
run_case "a limit of calls" limited
run_case "gateways" gateways
run_case "keys in no message" secrets
run_case "TLS" tls
end_cases
