#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Source firefly against the sandbox: dry runs, JSON, keys that are changed, killed runs, and the way back.
# shellcheck disable=SC2016,SC2031,SC2086,SC2317 # filters for jq; lists of words; run_case calls
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

start() {
    sandbox_start --firefly-devices "${1:-10}"
    export APP_ID=my-app JOIN_EUI=70B3D57ED0000000 MAC_VERSION=1.0.2b FREQUENCY_PLAN_ID=EU_863_870
}

# devices FILE: of Firefly, as they are
devices() {
    world state
    jq -cS '.firefly_devices[]' state >"$1"
}

# keys FILE: EUI and keys of each
keys() {
    jq -c '[.eui, .application_key, .application_session_key, .network_session_key]' "$1"
}

# counted_up FILE: the keys, with one added to the last byte of each
counted_up() {
    keys "$1" | jq -c '
        def value($d): "0123456789ABCDEF" | index($d);
        [.[0]] + (.[1:] | map(if . == null then null else
            ((value(.[30:31]) * 16 + value(.[31:32]) + 1) % 256) as $n
            | .[:30] + "0123456789ABCDEF"[($n / 16 | floor):($n / 16 | floor) + 1] + "0123456789ABCDEF"[$n % 16:$n % 16 + 1] end))'
}

# What comes out of each kind of device.
exported() {
    start
    devices before
    good firefly application --all --dry-run
    cp out dry
    good firefly application my-app
    sed 's/"started_at":"[^"]*"/"started_at":""/; s/"session_key_id":"[^"]*"/"session_key_id":""/' dry >dry.fixed
    sed 's/"started_at":"[^"]*"/"started_at":""/; s/"session_key_id":"[^"]*"/"session_key_id":""/' out >out.fixed
    same "a dry run" dry.fixed out.fixed
    equal lines "$(line_count out)" 10
    equal "order" "$(jq -r .ids.dev_eui out)" "$(jq -r .eui before)"
    jq -c '[.ids.dev_eui, .name, .supports_join // false, .supports_class_c // false, .root_keys.app_key.key, .session.dev_addr,
        .session.keys.f_nwk_s_int_key.key, .session.keys.app_s_key.key, .session.last_f_cnt_up // 0, .session.last_n_f_cnt_down,
        .mac_settings.resets_f_cnt // false, .mac_settings.desired_rx2_data_rate_index, .attributes["firefly-tags"],
        .locations.user.latitude]' out >ours
    jq -c '[.eui, .name, .otaa, .class_c, .application_key, .address, .network_session_key, .application_session_key,
        .packet // 0, (if .address then .frame_counter + 1 else null end), .skip_fcnt_check, .rx2_data_rate,
        (if (.tags | length) > 0 then .tags | join(", ") else null end), .location.lat]' before >theirs
    same "what Firefly has" ours theirs
    told '0018b20000000001: session.last_f_cnt_up: Firefly has no packet of it'
    devices after
    same "Firefly's devices" before after
    good validate dry
    good firefly device 0018B20000000000 00-18-b2-00-00-00-00-02
    equal IDs "$(jq -r .ids.device_id out | tr '\n' ' ')" "0018b20000000000 0018b20000000002 "
    for version in 1.0.0 1.0.1 1.0.2a 1.0.2b 1.0.3 1.0.4; do
        good firefly application --all --mac-version $version
        equal "lines of $version" "$(line_count out)" 10
    done
    migrate firefly application --all --mac-version 1.1.0b --keep-going
    exits 3
    told 'is an ABP device in LoRaWAN 1.1'
    equal "sessions in 1.1" "$(jq -r '.session // empty' out)" ""
}

refused() {
    start
    devices before
    migrate firefly device 0018B20000FFFFFF
    exits 1
    told 'check the DevEUI'
    migrate firefly device sensor-1
    exits 1
    told 'named by their DevEUI'
    FIREFLY_API_KEY=wrong migrate firefly application --all
    exits 1
    told 'check --firefly.api-key'
    migrate firefly application my-app --invalidate-keys
    exits 2
    told 'knows no applications'
    FIREFLY_API_KEY=$SANDBOX_FIREFLY_READ_KEY migrate firefly application --all --invalidate-keys
    exits 1
    told 'the API key may not change devices'
    unset MAC_VERSION JOIN_EUI
    migrate firefly device 0018B20000000000
    exits 1
    told 'version of LoRaWAN is not known'
    migrate firefly device 0018B20000000000 --mac-version 1.0.3
    exits 1
    told 'JoinEUI is not known'
    printf 'dev_eui,join_eui\n0018B20000000000,70B3D57ED0000001\n' >joins
    good firefly device 0018B20000000000 --mac-version 1.0.3 --map joins
    equal JoinEUI "$(jq -r .ids.join_eui out)" 70B3D57ED0000001
    migrate firefly device 0018B20000000000 --mac-version 1.0.3 --map joins --frequency-plan-id US_902_928_FSB_2
    exits 1
    told 'region is EU868'
    for fault in garbage empty oversized=70000000 internal; do
        faults "firefly-get:$fault"
        migrate firefly device 0018B20000000000 --mac-version 1.0.3 --map joins --invalidate-keys
        exits 1
        no_faults
    done
    devices after
    same "Firefly's devices" before after
}

invalidated() {
    start
    devices before
    good firefly application --all --invalidate-keys --dry-run
    devices after
    same "devices after a dry run" before after
    good firefly application --all --invalidate-keys --output lines
    devices after
    counted_up before >wanted
    keys after >seen
    same "keys, each counted up" wanted seen
    jq -r '.root_keys.app_key.key // empty, .session.keys.app_s_key.key // empty, .session.keys.f_nwk_s_int_key.key // empty' lines |
        sort >exported.keys
    jq -r '.application_key // empty, .application_session_key // empty, .network_session_key // empty' before | sort >before.keys
    same "keys in the lines" exported.keys before.keys
    good rollback --dry-run
    devices dry
    same "devices after a dry rollback" after dry
    good rollback
    devices back
    keys before >wanted
    keys back >seen
    same "keys after the rollback" wanted seen
}

# A lost answer is looked into: no key is counted up twice, or not at all.
lost_answers() {
    start 20
    devices before
    counted_up before >wanted
    faults firefly-put:reset-after:every=3 firefly-put:reset-before:every=4 firefly-put:unavailable-after:every=5 firefly-get:unavailable:every=7
    good firefly application --all --invalidate-keys --output lines
    devices after
    keys after >seen
    same "keys, each counted up" wanted seen
    good rollback
    devices back
    keys back >seen
    keys before >wanted
    same "keys after the rollback" wanted seen
}

killed() {
    for number in 1 5 12; do
        start 20
        devices before
        rm -rf lines whole .local
        faults "firefly-put:delay=3s:at=$number"
        begin firefly application --all --invalidate-keys --output lines --concurrency 1 --timeout 30s
        until_true 20 test_put "$number" || fail "the run did not come so far"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || true
        no_faults
        good resume --output whole
        devices after
        counted_up before >wanted
        keys after >seen
        same "keys after a kill at $number" wanted seen
        equal "lines" "$(jq -r .ids.device_id whole | sort -u | wc -l)$(line_count whole)" 2020
        good rollback
        devices back
        keys before >wanted
        keys back >seen
        same "keys after the rollback" wanted seen
        sandbox_stop
    done
}

test_put() {
    [ "$(calls firefly-put)" -ge "$1" ]
}

into_tts() {
    start
    devices before
    good firefly device 0018B20000000000 --invalidate-keys --to tts
    world after
    equal "devices there" "$(jq '.tts_devices | length' after)" 1
    jq -cS '.firefly_devices[]' after >after.devices
    counted_up before | head -n 1 >wanted
    keys after.devices | head -n 1 >seen
    same "its keys" wanted seen
    keys before | tail -n +2 >wanted
    keys after.devices | tail -n +2 >seen
    same "keys of the others" wanted seen
    good verify
    good rollback
    world back
    jq -cS '.firefly_devices[]' back >back.devices
    keys before >wanted
    keys back.devices >seen
    same "keys after the rollback" wanted seen
    equal "devices there after the rollback" "$(jq '[.tts_devices[] | select(.network_server != null)] | length' back)" 0
    counter=$(jq -r '.firefly_devices[0].frame_counter' back)
    before=$(head -n 1 before | jq .frame_counter)
    [ "$counter" -ge "$before" ] || fail "the downlink counter went back from $before to $counter"
}

# Neither the API key, nor its form in a URL, nor a device's key is shown.
secrets() {
    start
    faults firefly-put:internal:every=2 firefly-get:unavailable:every=3
    migrate firefly application --all --invalidate-keys --verbose --output lines --keep-going
    cat err >all
    devices changed
    faults '*:garbage'
    migrate firefly application --all --verbose
    cat err >>all
    no_faults
    FIREFLY_HOST=http://127.0.0.1:1 migrate firefly application --all --verbose --timeout 1s
    cat err >>all
    migrate rollback --verbose
    cat err >>all
    if grep -qF -e "$FIREFLY_API_KEY" -e 'key%2F1' -e 'auth=' all; then fail "the API key is shown"; fi
    devices now
    cat changed now | jq -r '.application_key // empty, .application_session_key // empty, .network_session_key // empty' | while read -r key; do
        if grep -qi "$key" all; then fail "a key is shown"; fi
    done
    printf '%s\n' "$FIREFLY_API_KEY" >key-file
    (unset FIREFLY_API_KEY && good firefly device 0018B20000000000 --firefly.api-key-file key-file)
}

tls() {
    start
    # Without TLS it has to be said.
    plain=$FIREFLY_HOST
    export FIREFLY_HOST="https://${plain#http://}"
    migrate firefly application --all
    exits 1
    told 'without TLS.*--firefly.use-http'
    export FIREFLY_HOST=$SANDBOX_FIREFLY_TLS
    migrate firefly application --all
    exits 1
    told 'firefly.ca-cert-path'
    good firefly application --all --ca-cert-path "$TTNV2_CA_CERT"
    equal lines "$(line_count out)" 10
    FIREFLY_HOST=${SANDBOX_HTTP#http://} good firefly application --all --use-http
    told 'without TLS'
    equal lines "$(line_count out)" 10
}

run_case "devices of each kind" exported
run_case "what is refused" refused
run_case "keys changed, and given back" invalidated
run_case "lost answers" lost_answers
run_case "killed and resumed" killed
run_case "into The Things Stack" into_tts
run_case "keys in no message" secrets
run_case "TLS" tls
end_cases
