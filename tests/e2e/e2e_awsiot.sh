#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Source awsiot against the sandbox: credentials, pages, dry runs, devices that are deleted and made again, killed runs.
# shellcheck disable=SC2016,SC2031,SC2086,SC2317 # filters for jq; lists of words; run_case calls
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

start() {
    sandbox_start --awsiot-devices "${1:-10}"
    unset FREQUENCY_PLAN_ID
}

# devices FILE: of AWS, as they are, without the one of Sidewalk
devices() {
    world state
    jq -cS '.awsiot_devices[] | select(.Type == "LoRaWAN")' state >"$1"
}

# content FILE: all but what a device that is made again has anew, in the order of DevEUIs
content() {
    jq -cS 'del(.Id, .Arn, .writes, .ThingName)' "$1" | sort
}

exported() {
    start
    devices before
    good awsiot application --all --dry-run
    cp out dry
    good awsiot application --all
    sed 's/"started_at":"[^"]*"/"started_at":""/' dry >dry.fixed
    sed 's/"started_at":"[^"]*"/"started_at":""/' out >out.fixed
    same "a dry run" dry.fixed out.fixed
    jq -c '[.ids.dev_eui, .name, .supports_join // false, .supports_class_b // false, .supports_class_c // false,
        .root_keys.app_key.key, .root_keys.nwk_key.key, .session.dev_addr, .session.keys.f_nwk_s_int_key.key,
        .session.keys.s_nwk_s_int_key.key, .session.keys.nwk_s_enc_key.key, .session.keys.app_s_key.key,
        .session.last_f_cnt_up // 0, .ids.application_ids.application_id, .attributes["aws-id"]]' out >ours
    jq -c 'def upper: if . == null then null else ascii_upcase end;
        .LoRaWAN as $l | ($l.OtaaV1_1 // $l.OtaaV1_0_x) as $o | ($l.AbpV1_1 // $l.AbpV1_0_x) as $a | $a.SessionKeys as $s
        | (.Name | ltrimstr("Meter ") | tonumber % 5) as $kind
        | [($l.DevEui | upper), .Name, $o != null, $kind == 3, $kind == 0, ($o.AppKey | upper), ($o.NwkKey | upper),
            ($a.DevAddr | upper), ($s.FNwkSIntKey // $s.NwkSKey | upper), ($s.SNwkSIntKey | upper),
            ($s.NwkSEncKey | upper), ($s.AppSKey | upper), ([($a.FCntStart // 0) - 1, 0] | max),
            {"Meters": "aws-meters", "Sensors_2": "aws-sensors-2"}[.DestinationName], .Id]' before >theirs
    same "what AWS has" ours theirs
    equal "frequency plans" "$(jq -r .frequency_plan_id out | sort -u)" EU_863_870
    equal "RX2 frequencies" "$(jq -r '.mac_settings.rx2_frequency // empty' out | sort -u)" 869525000
    equal "factory frequencies" "$(jq -c '.mac_settings.factory_preset_frequencies // empty' out | sort -u)" \
        '["868100000","868300000","868500000","867100000"]'
    equal "ping slots" "$(jq -r '.mac_settings | select(.ping_slot_frequency) | [.ping_slot_frequency, .ping_slot_periodicity, .class_b_timeout] | join(" ")' out | sort -u)" \
        "869525000 PING_EVERY_4S 20s"
    devices after
    same "AWS's devices" before after
    good validate dry
}

named() {
    start
    devices before
    good awsiot application Meters
    equal lines "$(line_count out)" "$(jq -s '[.[] | select(.DestinationName == "Meters")] | length' before)"
    profile=$(head -n 1 before | jq -r .LoRaWAN.DeviceProfileId)
    good awsiot application "$profile" --app-id my-app
    equal "of the profile" "$(jq -r '.name + " " + .ids.application_ids.application_id' out | tr '\n' ',')" "Meter 0 my-app,Meter 5 my-app,"
    good aws-iot application Meters --awsiot.device-profile "$profile"
    equal "of both" "$(jq -r .name out)" "Meter 0"
    id=$(head -n 1 before | jq -r .Id)
    good awsiot device "$id" 00-25-CA-00-00-00-00-01 eui-0025ca0000000002
    equal names "$(jq -r .name out | tr '\n' ',')" "Meter 0,Meter 1,Meter 2,"
    migrate awsiot application
    exits 2
    told 'awsiot.all'
    start 600
    good awsiot application --all
    equal lines "$(line_count out)" 600
    equal "DevEUIs" "$(jq -r .ids.dev_eui out | sort -u | wc -l)" 600
    equal "pages" "$(calls aws-list)" 3
    good awsiot application Sensors_2
    equal lines "$(line_count out)" 200
}

credentials() {
    start 3
    id=$AWS_ACCESS_KEY_ID secret=$AWS_SECRET_ACCESS_KEY
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION
    migrate awsiot application --all
    exits 2
    told 'there are no credentials for AWS'
    mkdir .aws
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n\n# more\n[temporary]\naws_access_key_id=%s\naws_secret_access_key=%s\naws_session_token=%s\n' \
        "$id" "$secret" "$SANDBOX_AWS_SESSION_KEY_ID" "$SANDBOX_AWS_SESSION_SECRET" "$SANDBOX_AWS_SESSION_TOKEN" >.aws/credentials
    migrate awsiot application --all
    exits 2
    told 'region of AWS is not known'
    printf '[default]\nregion = eu-west-1\n[profile temporary]\nregion=eu-west-1\n[profile role]\nrole_arn = arn:aws:iam::000000000000:role/made-up\nregion=eu-west-1\n' >.aws/config
    good awsiot application --all
    equal lines "$(line_count out)" 3
    good awsiot application --all --profile temporary --release delete --output lines
    AWS_PROFILE=role migrate awsiot application --all
    exits 2
    told 'aws configure export-credentials --profile role'
    migrate awsiot application --all --profile other
    exits 2
    told 'there is no profile other'
    mv .aws/credentials elsewhere
    AWS_SHARED_CREDENTIALS_FILE=elsewhere good awsiot application --all
    AWS_ACCESS_KEY_ID=$id migrate awsiot application --all
    exits 2
    told 'one is missing'
    export AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=wrong
    migrate awsiot application --all
    exits 1
    told 'InvalidSignatureException'
    told 'check the credentials of AWS'
    AWS_ACCESS_KEY_ID=AKIAWRONG migrate awsiot application --all
    exits 1
    told 'UnrecognizedClientException'
    export AWS_SECRET_ACCESS_KEY=$secret
    AWS_REGION=us-east-1 migrate awsiot application --all
    exits 1
    told 'awsiot.region'
    printf '%s\n' "$secret" >secret
    (unset AWS_SECRET_ACCESS_KEY && good awsiot application --all --awsiot.secret-access-key-file secret)
}

refused() {
    start
    devices before
    migrate awsiot device 0025CA0000FFFFFF
    exits 1
    told 'not found .HTTP 404.'
    told 'check the DevEUI'
    migrate awsiot device sensor-1
    exits 1
    told 'named by their DevEUI'
    AWS_ACCESS_KEY_ID=$SANDBOX_AWS_READ_KEY_ID AWS_SECRET_ACCESS_KEY=$SANDBOX_AWS_READ_SECRET \
        migrate awsiot application --all --release delete
    exits 1
    told 'the credentials may not change devices'
    told 'iotwireless:DeleteWirelessDevice'
    migrate awsiot device 0025CA0000000000 --frequency-plan-id US_902_928_FSB_2
    exits 1
    told 'region is EU868'
    for fault in garbage empty oversized=70000000; do
        faults "aws-get:$fault"
        migrate awsiot device 0025CA0000000000 --release delete
        exits 1
        no_faults
    done
    devices after
    same "AWS's devices" before after
}

deleted() {
    start
    devices before
    good awsiot application --all --release delete --dry-run
    devices after
    same "devices after a dry run" before after
    good awsiot application --all --release delete --output lines
    devices after
    equal "devices left" "$(wc -l <after)" 0
    jq -r '.. | .key? // empty | strings' lines | tr 'A-F' 'a-f' | sort >exported.keys
    jq -r '.LoRaWAN | del(.OtaaV1_0_x.GenAppKey) | .. | strings | select(length == 32)' before | sort >before.keys
    same "keys in the lines" exported.keys before.keys
    migrate rollback --dry-run
    foretell
    devices dry
    equal "devices after a dry rollback" "$(wc -l <dry)" 0
    migrate rollback
    exits 3
    as_foretold
    told 'back under another ID of AWS; .*its thing, '
    devices back
    content before >wanted
    content back >seen
    same "devices after the rollback" wanted seen
}

# What a rollback makes again is what there was before.
all_back() {
    migrate rollback
    exits 3
    devices back
    content before >wanted
    content back >seen
    same "devices after the rollback" wanted seen
}

# Lasting keys in place of temporary ones need no token: the run's own is void then, also for what comes later.
other_credentials() {
    start 4
    devices before
    id=$AWS_ACCESS_KEY_ID secret=$AWS_SECRET_ACCESS_KEY
    export AWS_ACCESS_KEY_ID=$SANDBOX_AWS_SESSION_KEY_ID AWS_SECRET_ACCESS_KEY=$SANDBOX_AWS_SESSION_SECRET
    AWS_SESSION_TOKEN=$SANDBOX_AWS_SESSION_TOKEN good awsiot application --all --release delete --output lines
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    run=$(basename .local/state/ttn-lw-migrate/*.journal .journal)
    device=$(head -n 1 before | jq -r '.LoRaWAN.DevEui | ascii_downcase')
    migrate rollback "$run" "$device" --awsiot.access-key-id "$id" --awsiot.secret-access-key "$secret"
    exits 3
    if grep -aq "$SANDBOX_AWS_SESSION_TOKEN" .local/state/ttn-lw-migrate/*; then fail "the old token is still there"; fi
    all_back
}

# A lost answer is looked into: nothing is deleted twice, or made twice.
lost_answers() {
    start 20
    devices before
    faults aws-delete:reset-after:every=3 aws-delete:reset-before:every=4 aws-delete:internal:every=5 aws-get:unavailable:every=7 aws-get:resource-exhausted:every=9 aws-list:internal:at=1
    good awsiot application --all --release delete --output lines
    devices after
    equal "devices left" "$(wc -l <after)" 0
    equal lines "$(line_count lines)" 20
    faults aws-create:reset-after:every=3 aws-create:reset-before:every=4 aws-create:internal:every=5
    all_back
}

killed() {
    for number in 1 7; do
        start 20
        devices before
        rm -rf lines whole .local
        faults "aws-delete:delay=3s:at=$number"
        begin awsiot application --all --release delete --output lines --concurrency 1 --timeout 30s
        until_true 20 deletes "$number" || fail "the run did not come so far"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || true
        no_faults
        good resume --output whole
        devices after
        equal "devices left after a kill at $number" "$(wc -l <after)" 0
        equal lines "$(jq -r .ids.device_id whole | sort -u | wc -l)$(line_count whole)" 2020
        migrate rollback
        exits 3
        devices back
        content before >wanted
        content back >seen
        same "devices after the rollback" wanted seen
        sandbox_stop
    done
}

deletes() {
    [ "$(calls aws-delete)" -ge "$1" ]
}

into_tts() {
    start
    devices before
    good awsiot application Meters --to tts
    world after
    count=$(jq -s '[.[] | select(.DestinationName == "Meters")] | length' before)
    equal "devices there" "$(jq '.tts_devices | length' after)" "$count"
    devices after.devices
    equal "devices left" "$(jq -r .DestinationName after.devices | sort -u)" Sensors_2
    good verify
    all_back
    world back
    equal "devices there after the rollback" "$(jq '[.tts_devices[] | select(.network_server != null)] | length' back)" 0
}

throttled() {
    sandbox_start --awsiot-devices 40 --rate-limit 60
    good awsiot application --all --release delete --output lines
    equal lines "$(line_count lines)" 40
    less 0 "$(calls aws-get refused)" 1000
}

# Neither credentials, nor signatures, nor a device's key are shown.
secrets() {
    start
    export AWS_ACCESS_KEY_ID=$SANDBOX_AWS_SESSION_KEY_ID AWS_SECRET_ACCESS_KEY=$SANDBOX_AWS_SESSION_SECRET AWS_SESSION_TOKEN=$SANDBOX_AWS_SESSION_TOKEN
    faults aws-delete:internal:every=2 aws-get:unavailable:every=3
    migrate awsiot application --all --release delete --verbose --output lines --keep-going
    cat err >all
    faults '*:garbage'
    migrate awsiot application --all --verbose
    cat err >>all
    no_faults
    AWS_ENDPOINT_URL_IOT_WIRELESS=http://127.0.0.1:1 migrate awsiot application --all --verbose --timeout 1s
    cat err >>all
    migrate rollback --verbose
    cat err >>all
    if grep -qF -e "$AWS_SECRET_ACCESS_KEY" -e "$AWS_SESSION_TOKEN" -e 'Signature=' all; then fail "credentials are shown"; fi
    devices now
    jq -r '.LoRaWAN | .. | strings | select(length == 32)' now | while read -r key; do
        if grep -qi "$key" all; then fail "a key is shown"; fi
    done
}

tls() {
    start
    # Without TLS it has to be said.
    plain=$AWS_ENDPOINT_URL_IOT_WIRELESS
    export AWS_ENDPOINT_URL_IOT_WIRELESS="https://${plain#http://}"
    migrate awsiot application --all
    exits 1
    told 'without TLS.*--awsiot.endpoint http'
    export AWS_ENDPOINT_URL_IOT_WIRELESS=$SANDBOX_AWS_TLS
    migrate awsiot application --all
    exits 1
    told 'awsiot.ca-cert-path'
    good awsiot application --all --ca-cert-path "$TTNV2_CA_CERT"
    equal lines "$(line_count out)" 10
    silent_on 'without TLS'
}

run_case "devices of each kind" exported
run_case "destinations, profiles, IDs, pages" named
run_case "credentials" credentials
run_case "what is refused" refused
run_case "devices deleted, and made again" deleted
run_case "lasting keys in place of temporary ones" other_credentials
run_case "lost answers" lost_answers
run_case "killed and resumed" killed
run_case "into The Things Stack" into_tts
run_case "throttled" throttled
run_case "secrets in no message" secrets
run_case "TLS" tls
end_cases
