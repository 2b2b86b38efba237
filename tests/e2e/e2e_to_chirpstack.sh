#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ChirpStack as a target: from a file, from V2, from The Things Stack and from ChirpStack itself; killed and resumed, killed
# and put back, with lost answers, with devices that are there already, with keys that may not.
# shellcheck disable=SC2016,SC2086,SC2154,SC2317 # filters for jq; lists of words; lib.sh and the sandbox set; run_case calls
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# The devices go into an application that the run makes.
into="--to chirpstack --to.chirpstack.tenant acme --to.chirpstack.application pumps --create-application"

start() {
    sandbox_start --seed 5 "$@"
    world before
    rm -rf "$HOME/.local"
}

# as_file FILE ARGUMENT...: the devices of a source, as they would be exported
as_file() {
    as_name=$1
    shift
    good "$@" --dry-run
    cp out "$as_name"
}

# chirpstack STATE: devices, profiles and applications, without what counts accesses
chirpstack() {
    jq -S -c '.chirpstack[], .chirpstack_profiles[], .chirpstack_applications[] | del(.writes)' "$1"
}

# as_before: nothing is left of the run in ChirpStack
as_before() {
    world after
    chirpstack before >places.1
    chirpstack after >places.2
    same "ChirpStack" places.1 places.2
}

# What is wrong with each line of $lines at the target: names of faults, never a value. Counters there are the next ones.
target_faults='
    def low: ascii_downcase;
    def none: . == null or test("^0*$");
    def key: if none then null else low end;
    def next: if (. // 0) == 0 then 0 else . + 1 end;
    (.chirpstack_applications | map(select(.name == $app)) | .[0].id) as $id
    | (.chirpstack_profiles | map({key: .id, value: .}) | from_entries) as $profiles
    | (.chirpstack | map(select(.application_id == $id)) | map({key: .dev_eui, value: .}) | from_entries) as $there
    | $lines[0] | map(. as $l | $there[.ids.dev_eui | low] as $t
        | ($l.lorawan_version == "MAC_V1_1") as $new
        | if $t == null then "is not there" else
            (if $t.is_disabled then "is disabled" else empty end),
            (if $t.name == ($l.name // $l.ids.device_id) then empty else "name" end),
            (if ($t.join_eui | key) == ($l.ids.join_eui | key) then empty else "JoinEUI" end),
            (if $profiles[$t.profile_id].otaa == ($l.supports_join // false) then empty else "profile" end),
            (if ($t.keys.nwk_key | key) == (if $new then $l.root_keys.nwk_key.key else $l.root_keys.app_key.key end | key)
                then empty else "NwkKey" end),
            (if ($t.keys.app_key | key) == (if $new then $l.root_keys.app_key.key | key else null end) then empty else "AppKey" end),
            (if $l.session == null then (if $t.activation == null then empty else "a session from nowhere" end)
             elif $t.activation == null then "no session" else
                ($l.session as $s | $t.activation as $a
                | (if $a.dev_addr == ($s.dev_addr | low) then empty else "DevAddr" end),
                  (if $a.f_nwk_s_int_key == ($s.keys.f_nwk_s_int_key.key | low) then empty else "FNwkSIntKey" end),
                  (if $a.s_nwk_s_int_key == ((if $new then $s.keys.s_nwk_s_int_key else $s.keys.f_nwk_s_int_key end).key | low)
                      then empty else "SNwkSIntKey" end),
                  (if $a.app_s_key == ($s.keys.app_s_key.key | low) then empty else "AppSKey" end),
                  (if $a.f_cnt_up >= ($s.last_f_cnt_up | next) then empty else "uplink counter" end),
                  (if $a.n_f_cnt_down >= ($s.last_n_f_cnt_down | next) then empty else "downlink counter" end),
                  ($l.mac_state.current_parameters as $p | $a.rx
                    | if (.[0] == 0 and ($p.rx1_delay // 0) <= 1) or .[0] == $p.rx1_delay then empty else "RX1 delay" end,
                      if .[2] == ($p.rx2_data_rate_index // 0) then empty else "RX2 data rate" end))
             end)
          end
        | "\($l.ids.device_id): \(.)") | join("; ")'

# carried FILE: each device of the file is whole in the application pumps, and there are no others
carried() {
    world after
    lines "$1" >carried.lines
    wrong=$(jq -r --arg app pumps --slurpfile lines carried.lines "$target_faults" after) || fail "jq failed"
    [ "$wrong" = "" ] || fail "not carried over: $wrong"
    equal "devices of the application" "$(there)" "$(line_count "$1")"
}

# there: how many devices the application pumps has in `after`
there() {
    jq '(.chirpstack_applications | map(select(.name == "pumps")) | .[0].id) as $id
        | [.chirpstack[] | select(.application_id == $id)] | length' after
}

# cleared: V2 has no keys of its devices any more in `after`
cleared() {
    equal "devices that V2 still has keys of" "$(jq '[.devices[] | select(.app_id == "my-ttn-app")
        | select([.app_key, .nwk_s_key, .app_s_key] | any(. != null and (test("^0*$") | not)))] | length' after)" 0
}

# V2 as it was, but for counters and nonces that nobody can put back
v2_as_before() {
    for state in before after; do
        jq -S -c '.devices[] | [.dev_id, .app_key, .nwk_s_key, .app_s_key, .dev_addr]' "$state" >"v2.$state"
    done
    same "V2" v2.before v2.after
}

from_a_file() {
    start --devices 40
    as_file devices.json ttnv2 application
    good json application --file devices.json $into
    told '40 devices imported into ChirpStack .*40 read back'
    carried devices.json
    # None is made twice.
    equal "names of profiles" "$(jq -r '.chirpstack_profiles[] | .tenant_id + .name' after | sort | uniq -d)" ""
    migrate status
    equal "what is left" "$(grep -c 'verified *40\|confirmed *40' out)" 1
    # The same once more finds them there.
    good json application --file devices.json $into --journal again
    told '40 there already'
    good rollback again
    carried devices.json
    good rollback "$(basename "$HOME"/.local/state/ttn-lw-migrate/*.journal .journal)"
    as_before
}

from_v2() {
    start --devices 40
    as_file devices.json ttnv2 application
    good ttnv2 application $into
    told '40 devices imported.*40 read back.*40 cleared'
    carried devices.json
    cleared
    migrate rollback
    exits 3
    as_before
    v2_as_before
}

from_the_things_stack() {
    start --tts-devices 40
    migrate tts application my-tts-app --keep-going --dry-run
    # A device without DevEUI cannot be in ChirpStack.
    jq -c 'select(.ids.dev_eui and (.multicast | not))' out >devices.json
    jq -r '.ids.device_id' devices.json >ids
    migrate tts device --keep-going $into <ids
    [ "$status" -eq 0 ] || exits 3
    told 'imported into ChirpStack'
    world after
    [ "$(there)" -gt 20 ] || fail "only $(there) devices are there"
    lines devices.json >all.lines
    jq -c '.chirpstack[] | .dev_eui' after >there.ids
    jq -c --slurpfile there there.ids '.[] | select((.ids.dev_eui | ascii_downcase) as $e | $there | index($e))' all.lines >moved.json
    carried moved.json
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    as_before
}

planned() {
    start --devices 12
    good ttnv2 application $into --plan
    grep -q '12  *can go' out || fail "the plan does not count them"
    as_before
    equal "changes" "$(jq '[.calls | to_entries[] | select(.key | test("Service/(Create|Update|Delete|Activate)|SetDevice")) | .value.calls] | add // 0' after)" 0
    # A tenant that may have 20 devices and has one.
    sandbox_stop
    start --devices 30
    migrate ttnv2 application --to chirpstack --to.chirpstack.tenant umbrella --to.chirpstack.application shared --plan
    equal "devices without room" "$(grep -c 'no room for this one\|has no room for this' out)" 11
    migrate ttnv2 application --to chirpstack --to.chirpstack.tenant umbrella --to.chirpstack.application shared
    exits 1
    told 'may have 20 devices'
    as_before
    v2_as_before
}

# Killed at several moments, resumed to the end: as an undisturbed run.
killed_and_resumed() {
    for moment in 40 80 120 170 230 300 400; do
        start --devices 40 --latency 6ms
        as_file devices.json ttnv2 application
        rm -rf "$HOME/.local"
        begin ttnv2 application $into --concurrency 4 --no-plan
        sleep "$(awk "BEGIN { print $moment * $SLACK / 1000 }")"
        kill -KILL "$pid" 2>/dev/null || true
        end_within 60000
        status=0
        bounded resume >out 2>err || status=$?
        if [ "$status" -ne 0 ]; then
            told 'before its devices were known|no journal|not complete'
            good ttnv2 application $into
        fi
        carried devices.json
        cleared
        equal "names of profiles (killed after $moment ms)" "$(jq -r '.chirpstack_profiles[] | .tenant_id + .name' after | sort | uniq -d)" ""
        sandbox_stop
    done
}

killed_and_rolled_back() {
    for moment in 40 80 120 170 230 300 400; do
        start --devices 40 --latency 6ms
        begin ttnv2 application $into --concurrency 4 --no-plan
        sleep "$(awk "BEGIN { print $moment * $SLACK / 1000 }")"
        kill -KILL "$pid" 2>/dev/null || true
        end_within 60000
        status=0
        bounded rollback >out 2>err || status=$?
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || told 'no journal|not complete'
        world after
        equal "devices at the target (killed after $moment ms)" "$(jq '.chirpstack | length' after)" "$(jq '.chirpstack | length' before)"
        v2_as_before
        sandbox_stop
    done
}

with_faults() {
    for fault in DeviceService/Create:reset-after:every=5 DeviceService/CreateKeys:reset-after:every=4 \
        DeviceService/Activate:unavailable-after:every=3 DeviceService/Update:reset-after:every=4 \
        DeviceService/Update:unavailable:every=4 DeviceProfileService/Create:reset-after:at=1 \
        DeviceProfileService/Create:unavailable:at=2 DeviceProfileService/List:no-trailers:at=1 \
        DeviceService/Get:reset-before:every=6 DeviceService/GetKeys:resource-exhausted:every=7; do
        start --devices 30 --fault "$fault"
        as_file devices.json ttnv2 application
        good ttnv2 application $into
        carried devices.json
        cleared
        equal "names of profiles ($fault)" "$(jq -r '.chirpstack_profiles[] | .tenant_id + .name' after | sort | uniq -d)" ""
        sandbox_stop
    done
}

# A target that refuses in the middle: what it does not take is at its source again.
refused_in_the_middle() {
    for fault in DeviceService/CreateKeys:internal:at=9 DeviceService/Activate:internal:at=5 DeviceService/Update:internal:at=11; do
        start --devices 30 --fault "$fault"
        migrate ttnv2 application $into --keep-going --journal run
        [ "$status" -ne 0 ] || fail "nothing failed ($fault)"
        told 'is at its source as before|is set aside'
        world after
        equal "devices at one network ($fault)" "$(there)" 29
        no_faults
        good resume run --failed
        world after
        equal "devices at the target ($fault)" "$(there)" 30
        cleared
        sandbox_stop
        rm -f run run-*
    done
}

conflicts() {
    start --devices 12
    as_file devices.json ttnv2 application
    # Two are there already, one of them in another application.
    jq -c '.name = "somebody else"' devices.json | head -n 1 >one.json
    sed -n 2p devices.json >two.json
    good json application --file one.json $into --journal one
    good json application --file two.json --to chirpstack --to.chirpstack.tenant acme --to.chirpstack.application second --journal two
    world before
    chirpstack before >places.1
    migrate ttnv2 application $into --journal three
    exits 1
    told 'its name is "somebody else"'
    told 'belongs to device'
    as_before
    v2_as_before
    good ttnv2 application $into --on-conflict skip --journal four
    world after
    equal "devices" "$(there)" 11
    equal "those that were there" "$(jq -c '[.chirpstack[] | select(.name == "somebody else")] | length' after)" 1
    migrate rollback four
    as_before
    migrate ttnv2 application $into --on-conflict update --keep-going --journal five
    exits 3
    world after
    equal "devices after an update" "$(there)" 11
    equal "those that were there, after an update" "$(jq -c '[.chirpstack[] | select(.name == "somebody else")] | length' after)" 0
    migrate rollback five
    world after
    equal "those that were there, after its rollback" "$(jq -c '[.chirpstack[] | select(.name == "somebody else")] | length' after)" 1
    v2_as_before
}

within_one_server() {
    start --devices 1 --chirpstack-devices 14
    FREQUENCY_PLAN_ID=EU_863_870,US_902_928_FSB_2,AS_923
    export FREQUENCY_PLAN_ID
    # Who keeps the device there cannot move it: nothing is changed.
    migrate chirpstack application meters --export-session --to chirpstack
    exits 1
    told 'option .release|stays registered at its source'
    as_before
    as_file devices.json chirpstack application meters --export-session
    good chirpstack application meters --export-session --release delete $into
    carried devices.json
    equal "devices" "$(jq '.chirpstack | length' after)" "$(jq '.chirpstack | length' before)"
    # What no line has: keys of groups that are set up over the air.
    gen_app_keys='.chirpstack[] | select(.keys.gen_app_key // "" | test("[^0]")) | [.dev_eui, .keys.gen_app_key]'
    jq -c "$gen_app_keys" before | sort >keys.before
    jq -c --slurpfile lines devices.json "$gen_app_keys"' | select(.[0] as $eui | any($lines[]; .ids.dev_eui | ascii_downcase == $eui))' \
        after | sort >keys.carried
    jq -c "$gen_app_keys" after | sort >keys.after
    same "GenAppKeys" keys.before keys.after
    [ -s keys.carried ] || fail "no device with a GenAppKey was carried over"
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    world after
    for state in before after; do
        jq -S -c '.chirpstack[] | [.dev_eui, .name, .application_id, .profile_id, .is_disabled, .keys, .activation.dev_addr,
            .activation.f_nwk_s_int_key]' "$state" >"home.$state"
    done
    same "the devices" home.before home.after
    # From an application into itself.
    migrate chirpstack application meters --export-session --release delete --to chirpstack \
        --to.chirpstack.tenant acme --to.chirpstack.application meters
    exits 1
    told 'source and target are the same'
}

keys_that_may_not() {
    start --devices 6
    TARGET_CHIRPSTACK_API_KEY=wrong migrate ttnv2 application $into
    exits 1
    told 'InvalidToken'
    told '--to.chirpstack.api-key'
    TARGET_CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_READ_ONLY migrate ttnv2 application $into
    exits 1
    told 'read-only'
    TARGET_CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_READ_ONLY migrate ttnv2 application --to chirpstack
    exits 1
    told 'read-only'
    # The key of a tenant sees no tenants by their names.
    TARGET_CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_TENANT migrate ttnv2 application $into
    exits 1
    told '--to.chirpstack.tenant'
    TARGET_CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_OTHER_TENANT migrate ttnv2 application --to chirpstack \
        --to.chirpstack.tenant "$SANDBOX_CHIRPSTACK_TENANT_ID"
    exits 1
    as_before
    v2_as_before
    migrate ttnv2 application --to chirpstack --to.chirpstack.tenant acme --to.chirpstack.application pumps
    exits 1
    told '--create-application'
    as_before
    TARGET_CHIRPSTACK_API_KEY=$SANDBOX_CHIRPSTACK_KEY_TENANT good ttnv2 application --to chirpstack \
        --to.chirpstack.tenant "$SANDBOX_CHIRPSTACK_TENANT_ID" --to.chirpstack.application pumps --create-application
    world after
    equal "devices" "$(there)" 6
    silent_on "$SANDBOX_CHIRPSTACK_KEY_TENANT"
    # Over TLS, with the sandbox's own certificate.
    start --devices 6
    TARGET_CHIRPSTACK_CA_CERT_PATH=$TTNV2_CA_CERT TARGET_CHIRPSTACK_API_URL=$SANDBOX_CHIRPSTACK_TLS \
        TARGET_CHIRPSTACK_INSECURE=false good ttnv2 application --to chirpstack --plan
    silent_on 'without TLS'
    TARGET_CHIRPSTACK_API_URL=$SANDBOX_CHIRPSTACK_TLS TARGET_CHIRPSTACK_INSECURE=false migrate ttnv2 application --to chirpstack
    exits 1
    told 'ca-cert-path'
    TARGET_CHIRPSTACK_INSECURE=false migrate ttnv2 application --to chirpstack
    exits 1
    told 'without TLS.*--to.chirpstack.insecure'
}

run_case "from a file, once more, and back" from_a_file
run_case "from V2, and back" from_v2
run_case "from The Things Stack, and back" from_the_things_stack
run_case "a plan, and a tenant without room" planned
run_case "killed at any moment, and resumed" killed_and_resumed
run_case "killed at any moment, and put back" killed_and_rolled_back
run_case "with faults" with_faults
run_case "a target that refuses in the middle" refused_in_the_middle
run_case "devices that are there already" conflicts
run_case "within one server" within_one_server
run_case "keys that may not" keys_that_may_not
end_cases
