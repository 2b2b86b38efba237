#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# V2 to The Things Stack in one command: whole runs, plans, conflicts, verify, and the way back.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=tests/e2e/server.sh
. "$(dirname -- "$0")/server.sh"

whole_run() {
    cluster --devices 60
    good ttnv2 application --dry-run --to json
    cp out expected
    good ttnv2 application --to tts
    equal "bytes of output" "$(wc -c <out)" 0
    told '60 devices imported into The Things Stack.*60 read back.*60 cleared'
    told 'verify --wait-uplink'
    all_moved
    never_without
    # All else that a record has, by the members that the program itself reads there.
    good tts application my-new-app --dry-run --tts.app-id my-new-app --tts.app-api-key "$TARGET_TTS_APP_API_KEY"
    for member in attributes locations description lorawan_version lorawan_phy_version frequency_plan_id supports_join \
        mac_settings; do
        for file in expected out; do
            jq -S -c "[.ids.device_id, .$member]" "$file" | sort >"$file.member"
        done
        same "$member" expected.member out.member
    done
    migrate status
    told_out 'confirmed +60|verified +60'
}

# told_out PATTERN: standard output
told_out() {
    grep -qE -- "$1" out || fail "standard output does not tell: $1"
}

single_devices() {
    cluster --devices 20
    printf 'mydevice\ndev-000001\n' >ids
    good ttnv2 device --to tts <ids
    judge
    equal "devices that moved" "$(moved_count)" 2
    equal "devices that stayed" "$(home_count)" 18
    # The two have nothing left in V2, which is told.
    migrate ttnv2 application --to tts --no-plan
    exits 3
    told 'mydevice.*exported before'
    all_moved
    never_without
}

without_session() {
    cluster --devices 20
    migrate ttnv2 application --to tts --ttnv2.with-session=false
    exits 0
    world after
    equal "sessions of devices that join" "$(jq '[.tts_devices[] | select(.js and .ns.dev_addr)] | length' after)" 0
    equal "root keys" "$(jq '[.tts_devices[] | select(.js.app_key)] | length' after)" \
        "$(jq '[.devices[] | select(.app_id == "my-ttn-app" and (.app_key | test("^0*$") | not))] | length' before)"
    # The sessions of devices that join stay in V2, so that they are heard there until they join.
    never_without
}

plans() {
    cluster --devices 20 --broken
    for command in 'plan ttnv2 application --to tts' 'ttnv2 application --to tts --dry-run' \
        'ttnv2 application --to tts --plan'; do
        migrate $command --keep-going
        exits 3
        untouched
    done
    migrate plan ttnv2 application --to tts
    exits 3
    told_out '^ +[0-9]+  can go'
    told_out '^ +7  cannot go'
    # Once.
    silent_on 'can go|cannot go|failed'
    for id in dup-id dup_id bx broken-otaa-no-appkey broken-abp-no-nwkskey broken-attribute-utf8; do
        told_out "^  $id"
    done
    less "columns" "$(awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }' out)" 81
    migrate plan ttnv2 application --to tts --json
    exits 3
    told '30 devices can go, 7 cannot go'
    equal "verdicts" "$(jq -r '[.ready, .failed, (.devices | map(select(.verdict == "cannot go")) | length)] | join(" ")' out)" \
        "$(jq -r '[.ready, 7, 7] | join(" ")' out)"
    equal "reasons that are missing" "$(jq '[.devices[] | select(.verdict == "cannot go" and (.reason // "") == "")] | length' out)" 0
    # Without --keep-going a run changes nothing if one cannot go.
    migrate ttnv2 application --to tts
    exits 1
    for id in dup-id dup_id bx broken-otaa-no-appkey broken-attribute-utf8; do told "device $id: cannot be migrated"; done
    untouched
    migrate ttnv2 application --to tts --dry-run
    exits 3
    for id in dup-id dup_id bx broken-otaa-no-appkey broken-attribute-utf8; do told "device $id: cannot be migrated"; done
    untouched
    # Nor does one of which all can go, if it is only planned.
    good plan ttnv2 device mydevice dev-000001 --to tts
    untouched
}

rights() {
    cluster --devices 5
    for key in "$SANDBOX_TTS_KEY_NO_WRITE_KEYS:RIGHT_APPLICATION_DEVICES_WRITE_KEYS" \
        "$SANDBOX_TTS_KEY_NO_INFO:RIGHT_APPLICATION_INFO" "$SANDBOX_TTS_KEY_READ_ONLY:RIGHT_APPLICATION_DEVICES_WRITE"; do
        for plan in --plan ''; do
            migrate ttnv2 application --to tts --to.tts.app-api-key "${key%:*}" $plan
            exits 1
            told "lacks rights.*${key#*:}"
            silent_on 'devices? can go'
        done
    done
    migrate ttnv2 application --to tts --to.tts.app-api-key NNSXS.MADEUP.SECRETPART --plan
    exits 1
    told 'to.tts.app-api-key'
    silent_on SECRETPART
    migrate plan ttnv2 application --to tts --ttnv2.app-access-key "$SANDBOX_KEY_SETTINGS_ONLY"
    exits 1
    untouched
}

missing_application() {
    cluster --devices 5
    migrate plan ttnv2 application --to tts --to.tts.app-id nobody
    exits 1
    told nobody
    migrate plan ttnv2 application --to tts --to.tts.app-id nobody --to.tts.app-api-key "$SANDBOX_TTS_KEY_USER"
    exits 1
    told 'create-application'
    migrate plan ttnv2 application --to tts --to.tts.app-id nobody --create-application
    exits 1
    good plan ttnv2 application --to tts --to.tts.app-id nobody --create-application \
        --to.tts.app-api-key "$SANDBOX_TTS_KEY_USER"
    untouched
    good ttnv2 application --to tts --to.tts.app-id nobody --create-application --to.tts.app-api-key "$SANDBOX_TTS_KEY_USER"
    all_moved nobody
}

# conflicting: mydevice is at the target with other data.
conflicting() {
    cluster --devices 8
    good ttnv2 device mydevice --dry-run
    jq -c '.attributes = {"who": "other"} | .root_keys.app_key.key = "00112233445566778899AABBCCDDEEFF" | del(.session, .mac_state)' \
        out >other.json
    good json application - --to tts <other.json
    world before
    jq '.tts_devices[] | select(.device_id == "mydevice")' before >other
}

conflict_fail() {
    conflicting
    migrate plan ttnv2 application --to tts
    exits 3
    told_out '^  mydevice'
    migrate ttnv2 application --to tts
    exits 1
    told 'mydevice.*other data'
    told 'on-conflict'
    untouched
    migrate ttnv2 application --to tts --keep-going
    exits 3
    told 'resume --failed'
    judge
    equal "devices that moved" "$(moved_count)" 7
    # Mended: the other one is taken away.
    good_or_incomplete rollback
    world before
    quiet_world before >quiet.1
    good ttnv2 application --to tts --on-conflict skip
    judge
    equal "devices that moved" "$(moved_count)" 7
    told '1 left alone'
    jq '.tts_devices[] | select(.device_id == "mydevice")' after >other.now
    same "the device that was left alone" other other.now
}

# good_or_incomplete ARGUMENT...: what V2 itself forgets is told with exit code 3
good_or_incomplete() {
    migrate "$@"
    [ "$status" -eq 0 ] || exits 3
}

conflict_update() {
    conflicting
    good ttnv2 application --to tts --on-conflict update
    all_moved
    good_or_incomplete rollback
    world after
    jq '.tts_devices[] | select(.device_id == "mydevice") | .js.app_key' after >back
    jq '.js.app_key' other >wanted
    same "key of the device that was updated" back wanted
    equal "other devices of the target" "$(jq '[.tts_devices[] | select(.device_id != "mydevice")] | length' after)" 0
}

# A second run finds its own devices.
twice() {
    cluster --devices 10
    good ttnv2 application --dry-run --to json
    cp out all.json
    good json application - --to tts <all.json
    told '10 devices imported'
    good json application - --to tts <all.json
    told '10 there already'
    # V2's keys are of devices that are there: they are only cleared.
    world before
    # The ID of a session's keys is made up anew by each reading of V2, so devices with sessions count as other ones.
    good ttnv2 application --to tts --on-conflict update
    all_moved
}

mended() {
    cluster --devices 12
    faults JsEndDeviceRegistry/Set:internal:at=2
    migrate ttnv2 application --to tts --keep-going
    exits 3
    told 'resume --failed'
    each_somewhere
    equal "devices at home" "$(home_count)" 1
    migrate status --failed-ids
    equal "failed IDs" "$(wc -l <out)" 1
    no_faults
    good resume --failed
    all_moved
}

# changed_by_hand ID: its session is another one, as after a mistake at the target
changed_by_hand() {
    good json device "$1" --json.file changed.json --to tts --on-conflict update --journal other.journal
}

verification() {
    cluster --devices 10
    good ttnv2 application --to tts
    good verify
    told '10 devices at The Things Stack.*as (they|it) should be'
    migrate verify --json
    exits 0
    equal "equal devices" "$(jq -s 'map(select(.device_id and .equal)) | length' out)" 10
    # dev-000001 gets another name there.
    good tts device dev-000001 --dry-run --tts.app-id my-new-app --tts.app-api-key "$TARGET_TTS_APP_API_KEY"
    jq -c '.attributes.changed = "by-hand" | .lorawan_phy_version = "PHY_V1_0_2_REV_A"' out >changed.json
    run=$(newest)
    changed_by_hand dev-000001
    migrate verify "$run"
    exits 3
    told_out '^dev-000001: differs'
    migrate verify "$run" --json
    exits 3
    equal "devices that differ" "$(jq -r 'select(.equal | not) | .device_id' out)" dev-000001
}

newest() {
    bounded status --list | awk '{ print $1 }' | tail -n 1
}

heard() {
    cluster --devices 6 --uplinks 60
    good ttnv2 application --to tts
    good verify --wait-uplink 60s
    never_without_now
    cluster --devices 6
    good ttnv2 application --to tts
    migrate verify --wait-uplink 6s --progress always
    exits 3
    told '6 not heard'
    told 'waiting until devices are heard: 0 of 6 devices'
    told 'rollback --silent'
    told_out '^mydevice: .*silent'
    equal "silent devices that are listed" "$(grep -c ': silent: not heard' out)" 6
    good_or_incomplete rollback --silent --wait-uplink 1s
    equal "devices that are told to go back" "$(grep -c 'device .*: was not heard: goes back' err)" 6
    told '6 devices put back'
    all_home
}

never_without_now() {
    world after
    guarded
    never_without
}

# Nobody touches the devices that were heard.
silent_with_heard() {
    cluster --devices 6 --uplinks 60
    good ttnv2 application --to tts
    good verify --wait-uplink 60s
    good rollback --silent
    silent_on 'goes back'
    judge
    equal "devices at the target" "$(jq '.tts_devices | length' after)" 6
}

rolled_back() {
    cluster --devices 25
    good ttnv2 application --to tts
    all_moved
    migrate rollback --dry-run
    exits 3
    foretell
    told '25 devices would be put back at .*, and taken out of The Things Stack'
    world after
    all_moved
    newest_run=$(newest)
    good_or_incomplete rollback "$newest_run" mydevice
    cp err err.one
    judge
    equal "devices at home" "$(home_count)" 1
    each_somewhere
    good_or_incomplete rollback
    all_home
    cat err.one >>err
    as_foretold
    good rollback
    told '0 devices put back at .*, 25 of the run are back already'
    told 'could not be put back of .*: ttn-lw-migrate status'
    good status
    grep -q 'nonces' out || fail "status does not tell what could not be put back"
}

# How the target is spoken to: an own CA, none, no TLS, and one address for all of its servers.
ways_to_speak() {
    cluster --devices 2
    ca=$TARGET_TTS_CA_FILE
    unset TARGET_TTS_CA_FILE
    migrate plan ttnv2 application --to tts
    exits 1
    told 'name the certificate to trust with --to.tts.ca-file'
    good plan ttnv2 application --to tts --to.tts.ca-file "$ca"
    migrate plan ttnv2 application --to tts --to.tts.ca-file ids
    exits 2
    told 'to.tts.ca-file'
    identity=$SANDBOX_TTS_IDENTITY_SERVER_PLAIN
    for server in NETWORK APPLICATION JOIN; do
        eval "export TARGET_TTS_${server}_SERVER_GRPC_ADDRESS=\$SANDBOX_TTS_${server}_SERVER_PLAIN"
    done
    migrate plan ttnv2 application --to tts --to.tts.identity-server-grpc-address "http://$identity"
    exits 2
    told 'if you want that, give --to.tts.insecure'
    export TARGET_TTS_IDENTITY_SERVER_GRPC_ADDRESS="$identity"
    migrate plan ttnv2 application --to tts
    exits 1
    told 'without TLS.*--to.tts.insecure'
    good ttnv2 application --to tts --to.tts.insecure
    told 'the target is spoken to without TLS'
    all_moved
    # The servers that have no address of their own are at the default one.
    unset TARGET_TTS_IDENTITY_SERVER_GRPC_ADDRESS
    export TARGET_TTS_DEFAULT_GRPC_ADDRESS="$identity"
    good verify
    migrate plan ttnv2 application --to tts --to.tts.insecure
    silent_on 'address'
    unset TARGET_TTS_DEFAULT_GRPC_ADDRESS
    migrate plan ttnv2 application --to tts --to.tts.insecure
    exits 2
    told 'the address of the Identity Server is missing'
}

# Nothing leaves the target before the source has answered, and no key is kept that does not do.
rolled_back_with_other_keys() {
    cluster --devices 25
    good ttnv2 application --to tts
    all_moved
    for key in "$SANDBOX_KEY_SETTINGS_ONLY" ttn-account-v2.wrong; do
        migrate rollback --keep-going --ttnv2.app-access-key "$key"
        exits 1
        told 'the source was asked before anything is taken away from the target'
        all_moved
        good verify --ttnv2.app-access-key "$key"
    done
    good_or_incomplete rollback
    all_home
}

# A key that may read, but not change, is found out before a device leaves the target.
rolled_back_with_read_only_keys() {
    cluster --chirpstack-devices 20 --firefly-devices 3
    good chirpstack application "$SANDBOX_CHIRPSTACK_APPLICATION" --frequency-plan-id EU_863_870,US_902_928_FSB_2,AS_923,IN_865_867 --release disable --to tts --journal one
    good firefly application --all --invalidate-keys --app-id my-app --join-eui 70B3D57ED0000000 --mac-version 1.0.3 --to tts --journal two
    world moved
    count=$(jq '.tts_devices | length' moved)
    less "devices at the target" 5 "$count"
    migrate rollback ./one --keep-going --chirpstack.api-key "$SANDBOX_CHIRPSTACK_KEY_READ_ONLY"
    exits 1
    told 'the source was asked before anything is taken away from the target'
    migrate rollback ./two --keep-going --firefly.api-key "$SANDBOX_FIREFLY_READ_KEY"
    exits 1
    told 'the source was asked before anything is taken away from the target: .*may not change devices'
    world after
    equal "devices at the target" "$(jq '.tts_devices | length' after)" "$count"
    jq -S '[.chirpstack[] | del(.writes, .updated_at)]' moved >moved.part
    jq -S '[.chirpstack[] | del(.writes, .updated_at)]' after >after.part
    same "devices of ChirpStack" moved.part after.part
    good_or_incomplete rollback ./two
    good_or_incomplete rollback ./one
    world after
    equal "devices at the target in the end" "$(jq '.tts_devices | length' after)" 0
}

progress_of_phases() {
    cluster --devices 40 --latency 150ms
    begin ttnv2 application --to tts --dry-run --progress always --concurrency 2
    end_within 60000
    exits 0
    told 'checking'
}

run_case "a whole run" whole_run
run_case "single devices, then the rest" single_devices
run_case "without sessions" without_session
run_case "plans change nothing and tell all" plans
run_case "keys without rights" rights
run_case "an application that is missing" missing_application
run_case "conflicts: fail and skip" conflict_fail
run_case "conflicts: update, and back" conflict_update
run_case "devices that are there already" twice
run_case "set aside, mended, resumed" mended
run_case "verify" verification
run_case "verify waits for uplinks; rollback --silent" heard
run_case "rollback --silent leaves devices that are heard" silent_with_heard
run_case "rollback" rolled_back
run_case "rollback with keys that are refused" rolled_back_with_other_keys
run_case "rollback with keys that may only read" rolled_back_with_read_only_keys
run_case "own certificates, none, no TLS, addresses" ways_to_speak
run_case "progress of the look at all devices" progress_of_phases
end_cases
