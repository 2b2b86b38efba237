#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Device IDs, frequency plans, and devices that would become one.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

plans=$vectors/frequency-plans

prefix() {
    sandbox_start --devices 12
    world before
    good ttnv2 device --dry-run mydevice --dev-id-prefix hall-b
    equal ID "$(jq -r .ids.device_id out)" hall-b-mydevice
    equal name "$(jq -r .name out)" mydevice
    equal 'attribute "old-id"' "$(jq -r '.attributes["old-id"]' out)" mydevice
    # A whole application; IDs that become too long are set aside.
    migrate ttnv2 application --dev-id-prefix hall-b --keep-going
    too_long=$(all_names before | awk 'length($0) > 29' | wc -l)
    exits $((too_long == 0 ? 0 : 3))
    equal "devices in the output" "$(line_count out)" $((12 - too_long))
    equal "IDs without prefix" "$(jq -r .ids.device_id out | grep -cv '^hall-b-' || true)" 0
    equal "IDs with an underscore" "$(jq -r .ids.device_id out | grep -c _ || true)" 0
    world after
    released before after true out
    for bad in 'Hall' 'a b' '-x' 'hall_'; do
        migrate ttnv2 device mydevice --dev-id-prefix "$bad"
        [ "$status" -ne 0 ] || equal "ID with the prefix $bad" "$(jq -r .ids.device_id out | grep -cE '^[a-z0-9](-?[a-z0-9]){2,}$')" 1
    done
}

underscores() {
    sandbox_start --devices 40
    world before
    good ttnv2 application --dry-run
    all_names before | tr _ - >wanted
    jq -r .ids.device_id out >ids
    same "IDs" ids wanted
    jq -r 'select(.name != .ids.device_id) | .name' out >renamed
    jq -r 'select(.attributes["old-id"]) | .attributes["old-id"]' out >old
    [ -s renamed ] || fail "no device with an underscore"
    same 'attributes "old-id"' old renamed
}

eui_as_id() {
    sandbox_start --devices 12 --broken
    world before
    migrate ttnv2 application --set-eui-as-id --keep-going
    exits 3
    # The 71-character ID, bx, dup-id and dup_id can go now; two with the same DevEUI cannot.
    told 'broken-deveui-twice-1.*broken-deveui-twice-2'
    for id in bx dup-id dup_id; do
        equal "line of $id" "$(jq -r --arg id $id 'select(.name == $id) | .name' out)" $id
    done
    equal "IDs that are not the DevEUI" \
        "$(jq -s 'map(select(.ids.device_id != "eui-" + (.ids.dev_eui | ascii_downcase))) | length' out)" 0
    world after
    released before after true out
    equal "devices with the same DevEUI that were changed" \
        "$(jq '[.devices[] | select(.dev_id | startswith("broken-deveui")) | .writes] | add' after)" 0
}

duplicates() {
    sandbox_start --devices 6 --broken
    world before
    migrate ttnv2 device dup-id dup_id
    exits 1
    told 'dup-id.*dup_id'
    equal "bytes of output" "$(wc -c <out)" 0
    migrate ttnv2 device mydevice dup-id dup_id dev-000001
    exits 1
    migrate ttnv2 application
    exits 1
    told 'dup-id.*dup_id'
    # Whatever else stands in the way is told in the same go.
    for id in dup-id dup_id bx broken-otaa-no-appkey broken-attribute-utf8; do told "device $id: cannot be migrated"; done
    world after
    unchanged before after
    migrate ttnv2 device mydevice dup-id dup_id --keep-going --output lines
    exits 3
    told 'dup-id'
    told 'dup_id'
    equal "devices in the output" "$(names lines)" mydevice
    world after
    released before after true lines
    # What the run that goes on can take is told.
    migrate resume --failed --keep-going
    exits 3
    told 'would become dup-id, as dup.id does'
    told 'try: .*--map FILE'
    good status --failed-ids
    printf 'id,device_id\n%s,another\n' "$(cat out)" >map.csv
    good resume --failed --map map.csv
    equal IDs "$(jq -r .ids.device_id lines | sort | tr '\n' ' ')" 'another dup-id mydevice '
    migrate rollback
    exits 3
    world after
    # One of them alone is fine.
    cp after before
    good ttnv2 device dup_id
    equal ID "$(jq -r .ids.device_id out)" dup-id
    world after
    released before after true out
}

# Devices with LoRaWAN's channels of the plan, as factory presets, if asked for: ABP only.
resets_to_frequency_plan() {
    sandbox_start --devices 20
    good ttnv2 application --dry-run
    equal "devices with presets" "$(jq -s 'map(select(.mac_settings.factory_preset_frequencies)) | length' out)" 0
    good ttnv2 application --dry-run --ttnv2.resets-to-frequency-plan
    abp=$(jq -s 'map(select(.supports_join | not)) | length' out)
    [ "$abp" -gt 0 ] || fail "no ABP device"
    equal "devices with presets" "$(jq -s 'map(select(.mac_settings.factory_preset_frequencies)) | length' out)" "$abp"
    equal "ABP devices with the plan's eight channels" \
        "$(jq -s 'map(select(.mac_settings.factory_preset_frequencies
            == ["868100000", "868300000", "868500000", "867100000", "867300000", "867500000", "867700000", "867900000"])) | length' out)" "$abp"
    cp out flag
    TTNV2_RESETS_TO_FREQUENCY_PLAN=true good ttnv2 application --dry-run
    equal "devices with presets" "$(jq -s 'map(select(.mac_settings.factory_preset_frequencies)) | length' out)" "$abp"
}

v2_calls() {
    echo $(($(calls GetByAppID) + $(calls GetDevicesForApplication) + $(calls GetDevice) + $(calls SetDevice)))
}

frequency_plans() {
    sandbox_start --devices 6
    world before
    good ttnv2 application --dry-run --frequency-plan-id US_902_928_FSB_2
    equal plans "$(jq -r .frequency_plan_id out | sort -u)" US_902_928_FSB_2
    # Plans of a directory take the place of the built-in ones.
    good ttnv2 application --dry-run --frequency-plans-url "$plans" --frequency-plan-id EU_863_870
    equal plans "$(jq -r .frequency_plan_id out | sort -u)" EU_863_870
    made=$(v2_calls)
    migrate ttnv2 application --dry-run --frequency-plans-url "$plans" --frequency-plan-id US_902_928_FSB_2
    exits 2
    told US_902_928_FSB_2
    for where in /nowhere http://localhost:1/ ftp://localhost/ "$SANDBOX_HTTP"; do
        migrate ttnv2 application --frequency-plans-url "$where" --frequency-plan-id EU_863_870 --timeout 2s
        [ "$status" -eq 1 ] || exits 2
        told 'error'
        equal "bytes of output" "$(wc -c <out)" 0
    done
    mkdir bad
    printf '{ not: [yaml' >bad/frequency-plans.yml
    migrate ttnv2 application --frequency-plans-url bad --frequency-plan-id EU_863_870
    [ "$status" -eq 1 ] || exits 2
    told 'frequency-plans.yml'
    equal "calls to V2" "$(v2_calls)" "$made"
    world after
    unchanged before after
    good frequency-plans
    cp out list
    grep -q EU_863_870_TTN list || fail "EU_863_870_TTN is not in the list"
    good frequency-plans --frequency-plans-url "$plans"
    if cmp -s list out; then fail "the plans of the directory are not listed"; fi
}

run_case "--dev-id-prefix" prefix
run_case "underscores" underscores
run_case "--set-eui-as-id" eui_as_id
run_case "devices that would become one" duplicates
run_case "--ttnv2.resets-to-frequency-plan" resets_to_frequency_plan
run_case "frequency plans" frequency_plans
end_cases
