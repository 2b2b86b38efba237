#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files as sources, and the command `validate`: no network is needed.
# shellcheck disable=SC2002,SC2016,SC2031,SC2086,SC2094,SC2317 # pipes on purpose; filters for jq; lists of words; run_case calls
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# devices FILE: JSON lines that The Things Stack wrote, with sessions, MAC states and texts of every kind
devices() {
    xz -dc "$vectors/tts/devices.jsonl.xz" | jq -c .read >"$1"
}

json_round_trip() {
    devices all
    good json application <all
    jq -S . all >all.sorted
    jq -S . out >out.sorted
    same "what a server gave" all.sorted out.sorted
    cp out first
    good json application - --json.file first
    same "JSON that was written here" first out
    equal devices "$(line_count out)" "$(wc -l <all)"
    for form in . '[.]' '{ids: .ids} + .'; do
        jq "$form" first >other
        good json application <other
        same "the form $form" first out
    done
    jq -s . first >list
    good application --source json --json.file=list
    same "a list" first out
    cat first | good json application
    same "a pipe" first out
    JSON_FILE=first good json application --output written
    same "--output" first written
}

json_ids() {
    devices all
    good json device --file all mig-000003 mig-000001
    equal "devices in the order that was asked for" "$(jq -r .ids.device_id out | tr '\n' ' ')" "mig-000003 mig-000001 "
    jq -r .ids.device_id all | tail -n 3 >ids
    good json device --file all <ids
    jq -r .ids.device_id out >seen
    same "devices of a list of IDs" seen ids
    migrate json device --file all mig-000001 nobody
    exits 1
    told 'no device nobody'
    equal "bytes of output" "$(wc -c <out)" 0
    migrate json device --file all --keep-going mig-000001 nobody
    exits 3
    told 'nobody.*is not in the file'
    equal "lines" "$(line_count out)" 1
    migrate json device <all
    exits 2
    good json device mig-000001 <all
    good json application --file all --dev-id-prefix old
    equal "prefixed IDs" "$(jq -r .ids.device_id out | grep -c '^old-')" "$(wc -l <all)"
    equal "devices with an old ID" "$(jq -r '.attributes["old-id"]' out | grep -c -v null)" "$(wc -l <all)"
    equal "old ID that was there" "$(jq -r '.attributes["old-id"]' out | grep -c '^mig_')" "$(grep -c '"old-id":"mig_' all)"
}

json_applications() {
    devices any
    jq -c '.ids.application_ids.application_id = "test-app"' any >one
    jq -c '.ids.application_ids.application_id = "other-app" | .ids.device_id += "-b" | .ids.dev_eui |= "7" + .[1:8] + "FF" + .[10:]' \
        one >two
    cat one two >both
    good json application --file both test-app
    equal "devices of one" "$(jq -r .ids.application_ids.application_id out | uniq -c | tr -d ' ')" "$(wc -l <one)test-app"
    good json application --file both other-app test-app
    equal "devices of both" "$(line_count out)" "$(wc -l <both)"
    good json application --file both
    equal "all devices" "$(line_count out)" "$(wc -l <both)"
    cat both | {
        migrate json application other-app test-app
        exits 1
        told 'can be read only once'
    }
    migrate json application --file both nobody
    exits 1
    told 'no device of application nobody'
}

json_refuses() {
    devices all
    (cat all && head -n 2 all) >twice
    migrate json application --file twice
    exits 1
    told 'mig-[0-9]* stands in line 1 and in line 37'
    equal "bytes of output" "$(wc -c <out)" 0
    jq -c '.ids.device_id += "-b"' all | head -n 1 >>all
    migrate json application --file all
    exits 1
    told 'DevEUI .* stands in line 1 and in line 37'
    for bad in '{"ids":{}' '{} x' '[{}' '' '[]'; do
        printf '%s' "$bad" >bad
        migrate json application <bad
        exits 1
        equal "bytes of output" "$(wc -c <out)" 0
    done
    migrate json application --file /nowhere
    exits 1
    migrate json application <&-
    exits 2
    printf '{"ids":{"device_id":"one","dev_eui":\n"7"}}' >bad
    migrate json application --keep-going <bad
    exits 3
    told 'line 2: ids.dev_eui'
}

interrupted() {
    mkfifo quiet
    sleep 30 >quiet &
    writer=$!
    begin json application --file quiet
    sleep 0.3
    kill -INT "$pid"
    end_within 5000
    kill "$writer" 2>/dev/null || true
    equal "exit code" "$status" 130
}

valid() {
    devices all
    good validate all
    equal "bytes of output" "$(wc -c <out)" 0
    told 'all: 36 devices, all valid'
    cat all | good validate -
    jq -s . all | good validate -
    jq -c '.nonsense = 1' all | head -n 1 >unknown
    good validate unknown
    told 'unknown:1: mig-[0-9]*: nonsense: unknown member'
    migrate validate --strict unknown
    exits 3
    equal finding "$(cut -d: -f 4- out)" " nonsense: unknown member"
}

invalid() {
    devices all
    jq . all | sed -e '/"frequency_plan_id": /s/: ".*"/: "EU_863_870_TTM"/' >many
    migrate validate many
    exits 3
    equal findings "$(wc -l <out)" 36
    line=$(grep -n EU_863_870_TTM many | head -n 1 | cut -d : -f 1)
    equal "first finding" "$(head -n 1 out | cut -d ' ' -f 1-3)" "many:$line: $(jq -r .ids.device_id all | head -n 1): frequency_plan_id:"
    migrate validate --json many
    exits 3
    equal "line" "$(head -n 1 out | jq -r '.line')" "$line"
    equal "members" "$(head -n 1 out | jq -r 'keys | join(" ")')" "device_id field file line text"
    cat all all >twice
    migrate validate twice
    exits 3
    equal "findings about what stands twice" "$(grep -c 'stands in line' out)" 72
    grep -q '^twice:37: mig-[0-9]*: ids.device_id: the device stands in line 1 too$' out || fail "$(head -n 2 out)"
    printf '{"ids":{"device_id":"one"},\n"session":{"keys":{"app_s_key":{"key":"00"}}}}\n{"ids":' >bad
    migrate validate bad
    exits 3
    equal "findings" "$(cut -d : -f 2-4 out)" "2: -: session.keys.app_s_key.key
3: -: -"
    migrate validate /nowhere
    exits 1
    migrate validate
    exits 2
    migrate validate </dev/null -
    exits 3
}

# A key is in no message, whatever is wrong with it.
secrets() {
    devices all
    key=0123456789ABCDEF0123456789ABCDEF
    sed "s/\"key\":\"[0-9A-F]*\"/\"key\":\"${key}0\"/g" all >bad
    migrate json application --keep-going --verbose <bad
    migrate validate bad --verbose
    exits 3
    if cat out err | grep -q "$key"; then fail "a key is shown"; fi
}

run_case "json: what is written comes out the same" json_round_trip
run_case "json: single devices" json_ids
run_case "json: applications" json_applications
run_case "json: what is refused" json_refuses
run_case "json: interrupted while waiting" interrupted
run_case "validate: valid files" valid
run_case "validate: findings" invalid
run_case "keys in no message" secrets
end_cases
