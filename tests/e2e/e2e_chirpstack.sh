#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ChirpStack v4 and v3 as a source: exported without being touched, released by disabling or deleting, cut off and resumed,
# put back.
# shellcheck disable=SC2016,SC2086,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

state_folder=.local/state/ttn-lw-migrate
devices=42
plans=EU_863_870,US_902_928_FSB_2,AS_923

start() {
    sandbox_start --devices 1 --chirpstack-devices $devices --seed 5 "$@"
    # What the variables of V2 say is not meant for ChirpStack.
    FREQUENCY_PLAN_ID=$plans
    export FREQUENCY_PLAN_ID
}

# meters STATE: the devices of the main application
meters() {
    jq -c --arg app "$SANDBOX_CHIRPSTACK_APPLICATION_ID" '.chirpstack | map(select(.application_id == $app))' "$1"
}

# made_again FIELD: the devices are back, but for what a deleted one loses: some counters of its session are skipped,
# what is only known to ChirpStack is gone, and so is FIELD, if one is named.
made_again() {
    gone="del(.writes, .nonces, .last_seen, .field_f_cnt_up${1:+, $1})"
    meters before | jq -c "map($gone | del(.activation.n_f_cnt_down?, .activation.a_f_cnt_down?))" >kept.1
    meters back | jq -c "map($gone | del(.activation.n_f_cnt_down?, .activation.a_f_cnt_down?))" >kept.2
    same "the devices" kept.1 kept.2
    meters before | jq -c 'map({key: .dev_eui, value: .activation}) | from_entries' >sessions.1
    equal "devices whose counters are neither the same nor 16 higher" "$(meters back | jq --slurpfile before sessions.1 '
        [.[] | select(.activation != null) | .activation as $now | $before[0][.dev_eui] as $old
         | ($now.n_f_cnt_down - $old.n_f_cnt_down, ($now.a_f_cnt_down // 0) - ($old.a_f_cnt_down // 0))
         | select(. != 0 and . != 16)] | length')" 0
}

# untouched BEFORE AFTER: ChirpStack is as it was
untouched() {
    jq -c '.chirpstack[]' "$1" >untouched.1
    jq -c '.chirpstack[]' "$2" >untouched.2
    same "ChirpStack" untouched.1 untouched.2
}

# How the lines differ from what ChirpStack had: nothing, if all is well. Counters there are the next ones.
line_faults='
    def up: ascii_upcase;
    def none: . == null or test("^0*$");
    def last_up: if . > 0 then . - 1 else 0 end;
    def last_down: if . > 1 then . - 1 else . end;
    ($lines | map({key: .ids.dev_eui, value: .}) | from_entries) as $known
    | map(. as $was | $known[.dev_eui | up] as $line
        | if $line == null then "no line" else
            (if .keys != null and $line.root_keys.app_key.key != (if $line.lorawan_version == "MAC_V1_1"
                then .keys.app_key else .keys.nwk_key end | up) then "AppKey" else empty end),
            (if .activation == null then (if $line.session != null then "session from nowhere" else empty end)
             else (.activation as $a | $line.session as $s
                | if $s.dev_addr != ($a.dev_addr | up) or $s.keys.app_s_key.key != ($a.app_s_key | up)
                     or $s.keys.f_nwk_s_int_key.key != ($a.f_nwk_s_int_key | up) then "session" else empty end,
                  if ($s.last_f_cnt_up // 0) != ($a.f_cnt_up | last_up) then "last_f_cnt_up" else empty end,
                  if ($s.last_n_f_cnt_down // 0) != ($a.n_f_cnt_down | last_down) then "last_n_f_cnt_down" else empty end)
             end)
          end
        | "\($was.dev_eui): \(.)")
    | join("; ")'

# carried STATE FILE: each device has one line with its keys, session and counters
carried() {
    lines "$2" >carried.lines
    equal "lines" "$(line_count "$2")" "$(meters "$1" | jq length)"
    wrong=$(meters "$1" | jq -r --slurpfile all carried.lines "\$all[0] as \$lines | $line_faults")
    [ "$wrong" = "" ] || fail "not carried over: $wrong"
}

# disabled STATE: how many devices of the main application are
disabled() {
    meters "$1" | jq '[.[] | select(.is_disabled)] | length'
}

exported() {
    start
    world before
    good chirpstack application "$SANDBOX_CHIRPSTACK_APPLICATION" --export-session
    cp out first.json
    carried before first.json
    good application --source chirpstack "$SANDBOX_CHIRPSTACK_APPLICATION_ID" --chirpstack.export-session=true
    equal "lines by ID" "$(line_count out)" $devices
    good chirpstack application --all --export-session
    equal "lines of all applications" "$(line_count out)" $((devices + 3))
    # Without sessions only ABP devices have one.
    good chirpstack application meters --export-session=false
    equal "OTAA devices with a session" "$(jq -s '[.[] | select(.supports_join and .session)] | length' out)" 0
    equal "ABP devices without a session" "$(jq -s '[.[] | select(.supports_join | not) | select(.session | not)] | length' out)" 0
    world after
    untouched before after
    equal "journals" "$(find . -name '*.journal' | wc -l)" 0
    equal "changes" "$(($(calls DeviceService/Update) + $(calls DeviceService/Delete)))" 0
}

fields() {
    start
    good chirpstack device A8-40-41-00-00-00-00-01 eui-a840410000000006 a840410000000007 --export-vars
    equal "lines" "$(line_count out)" 3
    equal "IDs" "$(jq -r '.ids.device_id' out | tr '\n' ' ')" "eui-a840410000000001 eui-a840410000000006 eui-a840410000000007 "
    equal "name" "$(jq -r '.name' out | head -n 1)" "Meter 0 ü"
    equal "attributes" "$(jq -sr '.[0].attributes | keys | join(" ")' out)" \
        "chirpstack-device-profile floor room-no var-offset vendor"
    equal "status interval" "$(jq -sr '.[0].mac_settings.status_time_periodicity' out)" 3600s
    equal "class B" "$(jq -sr '.[1].mac_settings.ping_slot_periodicity' out)" PING_EVERY_16S
    equal "plan of the third" "$(jq -sr '.[2].frequency_plan_id' out)" US_902_928_FSB_2
    # The sub-band of its configuration, and a region with one plan, need not be named.
    FREQUENCY_PLAN_ID='' good chirpstack device a840410000000007 a84041000000000e
    equal "plans found" "$(jq -r '.frequency_plan_id' out | tr '\n' ' ')" "US_902_928_FSB_2 IN_865_867 "
    FREQUENCY_PLAN_ID='' migrate chirpstack device a840410000000001
    exits 1
    told 'EU_863_870, EU_863_870_TTN'
}

dry_run() {
    start
    world before
    good chirpstack application meters --export-session --release disable --dry-run
    carried before out
    world after
    untouched before after
}

# A table has no place for sessions with three network keys: known before the first device is disabled.
into_a_table() {
    start
    world before
    eleven=$(meters before | jq '[.[] | select((.activation.s_nwk_s_int_key // "") != (.activation.f_nwk_s_int_key // ""))] | length')
    [ "$eleven" -gt 0 ] || fail "there is no such device"
    migrate chirpstack application meters --export-session --release disable --to csv --output run.csv
    exits 1
    told "and $((eleven - 1)) more cannot be migrated: no device was changed"
    told 'nothing was written and nothing was changed'
    if [ -e run.csv ]; then fail "a file was left"; fi
    world after
    untouched before after
    migrate plan chirpstack application meters --export-session --release disable --to csv
    exits 3
    equal "reasons" "$(grep -c 'a session of LoRaWAN 1.1' out)" "$eleven"
    migrate chirpstack application meters --export-session --release disable --to csv --output run.csv --keep-going
    exits 3
    told "$((devices - eleven)) devices written to run.csv, $((devices - eleven)) cleared at ChirpStack, $eleven failed"
    equal "rows" "$(wc -l <run.csv)" $((devices - eleven + 1))
    world after
    equal "disabled" "$(disabled after)" $((devices - eleven))
    good rollback
    # What changes nothing halts at the first one, and says that this is not all.
    migrate chirpstack application meters --export-session --release none --to csv --output part.csv
    exits 1
    told 'what was written to part.csv is incomplete'
}

# What converts devices, and keys, may be given anew to go on with; all else is the run's.
other_flags() {
    start
    migrate chirpstack application meters --release disable --output run.json --keep-going --frequency-plan-id EU_863_870
    exits 3
    told 'try: --chirpstack.frequency-plan-id takes a plan for each region'
    moved=$(wc -l <run.json)
    [ "$moved" -lt "$devices" ] || fail "no device was set aside"
    for flag in --chirpstack.api-url=x --chirpstack.release=delete --chirpstack.frequency-plan-id=NOPE \
        --ttnv2.frequency-plan-id=x --frequency-plan-id=x --to.tts.app-api-key=x; do
        migrate resume --failed $flag
        exits 2
    done
    told "the run's target is json"
    migrate resume --failed
    exits 3
    silent_on 'kept for later'
    # One that is there, and wrong, stays until another one is given; so it is told.
    migrate resume --failed --chirpstack.frequency-plan-id IN_865_867
    exits 3
    told 'frequency-plan-id IN_865_867 \(before: EU_863_870\) holds for .* is kept for later resumes; to correct it, give the flag'
    good status
    grep -q '^flag  *--chirpstack.frequency-plan-id IN_865_867$' out || fail "status does not tell the plan: $(cat out)"
    good status --json
    equal "the plan" "$(jq -r '.flags["chirpstack.frequency-plan-id"]' out)" IN_865_867
    migrate resume --failed
    silent_on 'kept for later'
    good resume --failed --chirpstack.frequency-plan-id $plans
    equal lines "$(line_count run.json)" $devices
    equal plans "$(jq -r .frequency_plan_id run.json | sort -u | tr '\n' ' ')" "AS_923 EU_863_870 IN_865_867 US_902_928_FSB_2 "
    journal=$(find "$state_folder" -name '*.journal')
    grep -aq "$plans" "$journal" || fail "the journal does not have the plans"
    # A key that proves wrong does not take the place of the right one.
    migrate rollback --chirpstack.api-key WRONG
    exits 1
    if grep -aq WRONG "$journal"; then fail "the journal has the wrong key"; fi
    good rollback --chirpstack.api-key "$CHIRPSTACK_API_KEY"
    migrate status --chirpstack.frequency-plan-id x
    exits 2
    told 'means nothing to the command status'
}

disabled_and_back() {
    start
    world before
    good chirpstack application meters --export-session --release disable --output run.json
    carried before run.json
    world after
    equal "disabled devices" "$(disabled after)" $devices
    # Nothing else has changed.
    meters before >kept.1
    meters after | jq -c 'map(.is_disabled = false | .writes = 0)' >kept.2
    jq -c . kept.1 >kept.3
    same "the rest" kept.3 kept.2
    # Who runs it once more finds nothing to do.
    migrate chirpstack application meters --export-session --release disable --output again.json
    exits 3
    told 'is disabled in ChirpStack'
    good rollback
    world back
    equal "disabled devices after the rollback" "$(disabled back)" 0
}

deleted_and_back() {
    start
    world before
    good chirpstack application meters --export-session --release delete --output run.json
    world after
    equal "devices" "$(meters after | jq length)" 0
    equal "lines" "$(line_count run.json)" $devices
    migrate rollback --dry-run
    foretell
    told 'would say of it: .*nonces.*channels'
    migrate rollback
    exits 3
    as_foretold
    told 'nonces'
    world back
    made_again ''
}

# Killed at several moments, resumed to the end: as an undisturbed run.
killed_and_resumed() {
    for moment in 20 60 100 150 220 300; do
        start --latency 8ms
        world before
        rm -rf "$state_folder" run.json
        begin chirpstack application meters --export-session --release disable --output run.json --concurrency 4
        sleep "$(awk "BEGIN { print $moment * $SLACK / 1000 }")"
        kill -KILL "$pid" 2>/dev/null || true
        end_within 60000
        status=0
        bounded resume >/dev/null 2>err || status=$?
        if [ "$status" -ne 0 ]; then
            told 'before its devices were known|no journal|not complete'
            rm -rf "$state_folder" run.json
            good chirpstack application meters --export-session --release disable --output run.json
        fi
        world after
        carried before run.json
        equal "disabled devices (killed after $moment ms)" "$(disabled after)" $devices
        sandbox_stop
    done
}

killed_and_rolled_back() {
    for release in disable delete; do
        for moment in 60 120 200 300; do
            start --latency 8ms
            world before
            rm -rf "$state_folder" run.json
            begin chirpstack application meters --export-session --release $release --output run.json --concurrency 4
            sleep "$(awk "BEGIN { print $moment * $SLACK / 1000 }")"
            kill -KILL "$pid" 2>/dev/null || true
            end_within 60000
            status=0
            bounded rollback >/dev/null 2>err || status=$?
            [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || told 'no journal|not complete'
            world back
            made_again ''
            sandbox_stop
        done
    done
}

with_faults() {
    for fault in DeviceService/Update:reset-after:every=5 DeviceService/Update:unavailable:every=4 \
        DeviceService/Update:unavailable-after:every=4 DeviceService/Get:reset-before:every=6 \
        DeviceService/GetKeys:resource-exhausted:every=7 DeviceService/GetActivation:no-trailers:every=9 \
        DeviceService/List:unavailable:at=1; do
        start --fault "$fault"
        world before
        rm -rf "$state_folder"
        good chirpstack application meters --export-session --release disable --output run.json
        world after
        carried before run.json
        equal "disabled devices ($fault)" "$(disabled after)" $devices
        sandbox_stop
        rm -f run.json
    done
}

# SQLite under it is busy: each call is made again until it is its turn.
locked() {
    start --fault DeviceService/Get:locked:every=5 --fault DeviceService/Delete:locked:every=2 \
        --fault DeviceService/Create:locked:every=2 --fault DeviceService/CreateKeys:locked:every=3 \
        --fault DeviceService/Activate:locked:every=3
    world before
    good chirpstack application meters --export-session --release delete --output run.json
    equal "lines" "$(line_count run.json)" $devices
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    world back
    made_again ''
}

# Devices send meanwhile: who was heard in between is named.
while_devices_send() {
    start --uplinks 400 --latency 20ms
    migrate chirpstack application meters --export-session --release disable --output run.json --concurrency 2
    [ "$status" -eq 0 ] || fail "exit code $status"
    world after
    equal "disabled devices" "$(disabled after)" $devices
    meters after >after.json
    lines run.json >run.lines
    # A line whose downlink counter is too low is named with the right one.
    jq -r --slurpfile lines run.lines '
        ($lines[0] | map({key: .ids.dev_eui, value: .}) | from_entries) as $known
        | .[] | select(.activation != null) | $known[.dev_eui | ascii_upcase] as $line
        | select($line.session != null and $line.session.dev_addr == (.activation.dev_addr | ascii_upcase))
        | select(($line.session.last_n_f_cnt_down // 0) + 1 < .activation.n_f_cnt_down) | .dev_eui' after.json >behind
    while read -r eui; do told "$eui.*(was heard|last_n_f_cnt_down)"; done <behind
}

broken() {
    start --broken
    world before
    migrate chirpstack application broken --export-session --release disable --keep-going --output run.json
    exits 3
    equal "lines" "$(line_count run.json)" 1
    for what in 'has no keys in ChirpStack' 'no root keys' 'ABP device without a session' 'unwrap' 'AppKey, which LoRaWAN 1.1' \
        'is disabled in ChirpStack' 'JoinEUI is not known' 'region that is not known' 'version that is not known' 'no DevAddr'; do
        told "$what"
    done
    world after
    equal "devices that changed" "$(jq -sc '[.[0].chirpstack, .[1].chirpstack] | transpose | map(select(.[0] != .[1])) | length' before after)" 1
}

refusals() {
    start
    CHIRPSTACK_API_KEY=wrong migrate chirpstack application meters
    exits 1
    told 'InvalidToken'
    told 'api-key'
    CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_TENANT migrate chirpstack application meters
    exits 1
    told 'tenant-id'
    CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_TENANT good chirpstack application meters \
        --tenant-id "$SANDBOX_CHIRPSTACK_TENANT_ID"
    CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_OTHER_TENANT migrate chirpstack device a840410000000001
    exits 1
    CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_READ_ONLY migrate chirpstack device a840410000000001 --release disable
    exits 1
    told 'read-only'
    migrate chirpstack application shared
    exits 2
    told 'tenant-id'
    migrate chirpstack device 1234
    exits 1
    told '16 hex digits'
    migrate chirpstack application
    exits 2
    told '--chirpstack.all'
    # The key is in nothing that people read.
    good chirpstack application meters --verbose
    silent_on "$CHIRPSTACK_API_KEY"
    # Over TLS, with the sandbox's own certificate.
    CHIRPSTACK_CA_CERT_PATH=$TTNV2_CA_CERT CHIRPSTACK_API_URL=$SANDBOX_CHIRPSTACK_TLS CHIRPSTACK_INSECURE=false \
        good chirpstack device a840410000000001
    CHIRPSTACK_API_URL=$SANDBOX_CHIRPSTACK_TLS CHIRPSTACK_INSECURE=false migrate chirpstack device a840410000000001
    exits 1
    told 'ca-cert-path'
    CHIRPSTACK_INSECURE=false migrate chirpstack device a840410000000001
    exits 1
    told 'without TLS.*--chirpstack.insecure'
}

gateways() {
    start --broken --fault GatewayService/List:unavailable:at=1 --fault GatewayService/Get:reset-before:every=3 \
        --fault GatewayService/Get:locked:every=4
    world before
    export CHIRPSTACK_TENANT_ID="$SANDBOX_CHIRPSTACK_TENANT_ID" TARGET_TTS_APP_API_KEY="$SANDBOX_TTS_KEY_USER"
    migrate chirpstack gateway --keep-going --release delete
    exits 3
    equal "IDs" "$(jq -r .ids.gateway_id out | tr '\n' ' ')" "eui-00800000a0000101 eui-00800000a0000102 \
eui-00800000a0000103 eui-00800000a0000104 eui-00800000a0000107 "
    equal "plans" "$(jq -r .frequency_plan_id out | tr '\n' ' ')" "EU_863_870 EU_863_870 US_902_928_FSB_2 IN_865_867 EU_863_870 "
    equal "place" "$(jq -c '[.antennas[0].location | .latitude, .longitude, .altitude]' out | head -1)" "[52.37,4.89,32]"
    told '0000000000000000.*all zeros'
    told '00800000a0000106.*does not know its region'
    told 'cut to 50'
    told 'room-no'
    good chirpstack gateway 00:80:00:00:A0:00:01:06 eui-00800000a0000108 --frequency-plan-id AS_923
    equal "never heard, and heard nowhere" "$(jq -r .frequency_plan_id out | sort -u)" AS_923
    migrate chirpstack gateway 00800000a00001ff
    exits 1
    told 'check its EUI'
    # The list shows those of others, too.
    unset CHIRPSTACK_TENANT_ID
    CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_TENANT migrate chirpstack gateway 00800000a0000105
    exits 1
    told 'tenant-id'
    CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_READ_ONLY good chirpstack gateway 00800000a0000101 00800000a0000105
    good chirpstack gateway 00800000a0000101 00800000a0000103 --to tts
    world after
    equal "gateways there" "$(jq '[.tts_gateways[] | select(.deleted | not)] | length' after)" 2
    untouched before after
    good rollback
    world back
    equal "gateways there" "$(jq '[.tts_gateways[] | select(.deleted | not)] | length' back)" 0
    untouched before back
    migrate chirpstack gateway --to tts --redirect
    exits 2
    # v3 knows no regions.
    CHIRPSTACK_API_URL=$SANDBOX_CHIRPSTACK_V3 CHIRPSTACK_API_VERSION=3
    export CHIRPSTACK_API_VERSION
    migrate chirpstack gateway --all
    exits 1
    migrate chirpstack gateway --all --frequency-plan-id EU_863_870 --keep-going
    exits 3
    equal "lines" "$(line_count out)" 8
}

start_v3() {
    start "$@"
    CHIRPSTACK_API_URL=$SANDBOX_CHIRPSTACK_V3
    CHIRPSTACK_API_VERSION=3
    JOIN_EUI=70B3D57ED00000FF
    export CHIRPSTACK_API_URL CHIRPSTACK_API_VERSION JOIN_EUI
}

v3_exported() {
    start_v3
    world before
    good chirpstack application meters --export-session
    cp out first.json
    carried before first.json
    equal "application" "$(jq -sr '.[0].ids.application_ids.application_id' out)" chirpstack-1
    equal "JoinEUI" "$(jq -sr '.[0].ids.join_eui' out)" 70B3D57ED00000FF
    good chirpstack application 1
    equal "lines by number" "$(line_count out)" $devices
    good chirpstack device A8-40-41-00-00-00-00-05
    # Found out, although nothing here speaks gRPC.
    CHIRPSTACK_API_VERSION=auto good chirpstack application meters --export-session --timeout 2s
    equal "lines" "$(line_count out)" $devices
    CHIRPSTACK_API_KEY=wrong migrate chirpstack application meters
    exits 1
    told 'unauthorized'
    world after
    untouched before after
}

v3_disabled_and_back() {
    start_v3 --fault v3/PUT-one-of-devices:reset-after:every=5 --fault v3/GET-keys:unavailable:every=9
    world before
    good chirpstack application meters --export-session --release disable --output run.json
    carried before run.json
    world after
    equal "disabled devices" "$(disabled after)" $devices
    good rollback
    world back
    meters before | jq -c 'map(del(.writes))' >kept.1
    meters back | jq -c 'map(del(.writes))' >kept.2
    same "the devices" kept.1 kept.2
}

v3_deleted_and_back() {
    start_v3
    world before
    good chirpstack application meters --export-session --release delete --output run.json
    world after
    equal "devices" "$(meters after | jq length)" 0
    migrate rollback --dry-run
    foretell
    migrate rollback
    exits 3
    as_foretold
    world back
    made_again .join_eui
}

run_case "all devices come out, and ChirpStack is not touched" exported
run_case "by DevEUI, with what belongs to a device" fields
run_case "a dry run" dry_run
run_case "other flags to go on with" other_flags
run_case "into a table, which has no place for some" into_a_table
run_case "released by disabling, and put back" disabled_and_back
run_case "released by deleting, and put back" deleted_and_back
run_case "killed at any moment, and resumed" killed_and_resumed
run_case "killed at any moment, and put back" killed_and_rolled_back
run_case "with faults" with_faults
run_case "with a busy SQLite" locked
run_case "while the devices send" while_devices_send
run_case "devices that cannot go" broken
run_case "what is refused, and said" refusals
run_case "gateways" gateways
run_case "v3: all devices come out" v3_exported
run_case "v3: released by disabling, and put back" v3_disabled_and_back
run_case "v3: released by deleting, and put back" v3_deleted_and_back
end_cases
