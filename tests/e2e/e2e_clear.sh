#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A real run clears exactly what was carried over, and leaves everything else in V2 as it was.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

recorded=$vectors/ttnv2/devices.jsonl.xz

application() {
    sandbox_start --devices 60 --seed 3
    world before
    good ttnv2 application my-ttn-app
    all_names before >all
    names out >names.out
    same "devices in the output" names.out all
    world after
    released before after true out
    equal "devices with keys (other-device)" "$(jq .ttnv2.with_keys after)" 1
}

one_device() {
    sandbox_start --devices 12
    world before
    good ttnv2 device mydevice
    world after
    released before after true out
    equal "devices changed" "$(written_to after)" 1
    equal "devices cleared" "$(jq .ttnv2.cleared after)" 1
}

# OTAA: the AppKey alone is cleared, the session stays. ABP devices go with their session, and are named.
without_session() {
    sandbox_start --devices 60 --seed 5
    world before
    good ttnv2 application my-ttn-app --ttnv2.with-session=false
    world after
    released before after false out
    equal "devices in the output" "$(line_count out)" 60
    joined='.devices | main("my-ttn-app") | map(select(has_session and has_join))'
    [ "$(ask "$joined | length" before)" -gt 5 ] || fail "too few joined devices for this test"
    equal "OTAA devices with session and AppKey" "$(ask "$joined | length" after)" 0
    ask "$joined | .[].dev_id" before >joined
    ask '.devices | main("my-ttn-app") | map(select(has_session and (has_join | not))) | .[].dev_id' after >kept
    same "OTAA devices that kept their session" joined kept
    equal "OTAA devices with a session in the output" \
        "$(jq -s 'map(select(.supports_join and .session != null)) | length' out)" 0
    ask '.devices | main("my-ttn-app") | map(select(has_join | not)) | .[].dev_id' before >abp
    [ -s abp ] || fail "no ABP device for this test"
    while read -r id; do told "$id.*session|session.*$id"; done <abp
}

half_session() {
    sandbox_start --devices 3 --broken
    world before
    good ttnv2 device broken-otaa-half-session
    world after
    released before after true out
    equal "session in the output" "$(jq .session out)" null
    equal "AppKey in the output" "$(jq '.root_keys.app_key.key | length' out)" 32
    told "broken-otaa-half-session.*session"
    half='.devices[] | select(.dev_id == "broken-otaa-half-session")'
    equal "AppKey in V2" "$(ask "$half | has_join" after)" false
    equal "half of a session in V2" "$(ask "$half | (.dev_addr | zero) or (.nwk_s_key | zero)" after)" false
}

# The devices recorded from a running V2: texts in any language, extreme counters, attributes, locations.
recorded_devices() {
    xz -dc "$recorded" | jq -c '{dev_id: .dev_id, get_device_hex: .get_device_hex}' >recorded
    sandbox_start --devices 0 --record recorded
    world before
    migrate ttnv2 application --keep-going
    [ "$status" -eq 0 ] || exits 3
    world after
    released before after true out
    equal "devices in the output and set aside" "$(($(line_count out) + $(grep -c 'set aside\|cannot be migrated' err)))" \
        "$(all_names before | wc -l)"
}

# Devices that send and join meanwhile: no key is lost, no frame counter turned back, and who has to be looked
# after is named.
while_devices_send() {
    sandbox_start --devices 60 --uplinks 600 --latency 20ms
    world before
    good ttnv2 application my-ttn-app
    world after
    equal "devices in the output" "$(line_count out)" 60
    equal "devices restored" "$(jq .ttnv2.restored after)" 0
    equal "AppKeys in V2" "$(ask '.devices | main("my-ttn-app") | map(select(has_join)) | length' after)" 0
    # That of a device which joined after it was read is taken away too, and comes back with a rollback.
    equal "sessions in V2" "$(ask '.devices | main("my-ttn-app") | map(select(has_session)) | length' after)" 0
    sed -n 's/.* \([^ ]*\): joined its source .* has to join again.*/\1/p' err | sort >joined
    jq -c .devices before >devices
    turned=$(jq -r -n --slurpfile before devices '
        [inputs | . as $line | $before[0][] | select(.dev_id == $line.name and $line.session != null)
         | select(($line.session.last_f_cnt_up // 0) < .network_server.f_cnt_up
            or ($line.session.last_n_f_cnt_down // 0) < .network_server.f_cnt_down - 1) | .dev_id] | join(" ")' out)
    equal "devices whose counters were turned back" "$turned" ""
    if grep -q 'was heard by V2' err; then told 'set session.last_n_f_cnt_down to [0-9]+'; fi
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    world after
    ask '.devices | main("my-ttn-app") | map(select(has_session and has_join)) | .[].dev_id' after | sort >back
    equal "devices without the session that they joined to get" "$(comm -23 joined back | wc -l)" 0
}

# The access key of another application of a sandbox with the same seed.
key_of() {
    mkdir "$1"
    (
        trap sandbox_stop EXIT
        sandbox_pid=
        HOME=$HOME/$1
        cd "$HOME"
        sandbox_start --app-id "$1" --devices 0
        echo "$TTNV2_APP_ACCESS_KEY" >key
    )
}

# One after the other; a key is good for one of them only.
several_applications() {
    sandbox_start --devices 10
    world before
    key_of other-app
    migrate ttnv2 application other-app my-ttn-app
    exits 1
    told 'other-app'
    world after
    unchanged before after
    migrate ttnv2 application my-ttn-app other-app
    exits 1
    told 'other-app'
    world after
    released before after true out
    equal "devices in the output" "$(line_count out)" 10
    cp after before
    good ttnv2 application other-app --app-access-key-file other-app/key
    world after
    released before after true out
    equal "devices in the output" "$(names out)" other-device
    equal "application in the output" "$(jq -r .ids.application_ids.application_id out)" other-app
    equal "devices with keys" "$(jq .ttnv2.with_keys after)" 0
}

run_case "an application" application
run_case "one device" one_device
run_case "without sessions" without_session
run_case "half of a session" half_session
run_case "recorded devices" recorded_devices
run_case "devices go on sending" while_devices_send
run_case "several applications" several_applications
end_cases
