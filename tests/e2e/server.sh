# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # filters for jq; variables that the tests read, and lib.sh sets
# For the tests of runs into The Things Stack; sourced after lib.sh.

# cluster ARGUMENT...: V2 and an empty application of The Things Stack; the world of before in `before`.
cluster() {
    sandbox_start "$@"
    world before
    rm -rf "$HOME/.local"
}

# quiet_world FILE: the devices of both networks without what counts accesses to them
quiet_world() {
    jq -S -c '(.devices[] | del(.writes, .cleared, .cleared_at, .used_dev_nonces, .used_app_nonces)),
        (.tts_devices[])' "$1"
}

# untouched: neither network differs from `before`
untouched() {
    world after
    quiet_world before >quiet.1
    quiet_world after >quiet.2
    same "the networks before and after" quiet.1 quiet.2
    equal "calls that change something" "$(jq '[.calls | to_entries[]
        | select(.key | test("SetDevice|Registry/(Set|Create|Delete|Update)")) | .value.calls] | add // 0' after)" \
        "$(jq '[.calls | to_entries[]
        | select(.key | test("SetDevice|Registry/(Set|Create|Delete|Update)")) | .value.calls] | add // 0' before)"
}

# What is wrong with each pair of a device in V2 before the run ($was), as V2 has it now ($is) and at the target
# ($t, null = not there): names of faults, never a value.
pairs='
    def zero: . == null or test("^0*$");
    def key: if zero then null else . end;
    def target($d; $targets): first($targets[] | select(.dev == $d.dev_eui)) // null;
    def moved($was; $is; $t):
        (if ($is.app_key | zero) and ($is.nwk_s_key | zero) then empty else "V2 still has keys" end),
        (if $t.is == null then "Identity Server" else empty end),
        (if $t.ns == null then "Network Server" else empty end),
        (if $t["as"] == null then "Application Server" else empty end),
        (if ($was.app_key | key) == $t.js.app_key then empty else "AppKey" end),
        ($was | [.dev_addr, .nwk_s_key, .app_s_key] | all(zero | not)) as $session
        | (if $session then
            (if $t.ns.dev_addr == $was.dev_addr and $t["as"].dev_addr == $was.dev_addr then empty else "DevAddr" end),
            (if $t.ns.f_nwk_s_int_key == $was.nwk_s_key then empty else "NwkSKey" end),
            (if $t["as"].app_s_key == $was.app_s_key then empty else "AppSKey" end),
            (if $t.ns.mac_state then empty else "MAC state" end),
            (if ($t.ns.last_f_cnt_up // 0) >= $was.network_server.f_cnt_up then empty else "uplink counter" end),
            (([$was.network_server.f_cnt_down - 1, 0] | max) as $down | ($t.ns.last_n_f_cnt_down // 0) as $got
            | if $got == $down or $got == $down + 1 then empty else "downlink counter" end)
        elif $t.ns.dev_addr then "a session from nowhere" else empty end),
        (if $t["as"].f_nwk_s_int_key or $t["as"].app_key or $t.js.app_s_key or $t.is.app_key
            then "keys at the wrong server" else empty end);
    def home($was; $is; $t):
        (if $t == null then empty else "something is at the target" end),
        (if [$was, $is] | map([.app_key, .nwk_s_key, .app_s_key, .dev_addr]) | .[0] == .[1] then empty else "V2 keys" end),
        (if [$was, $is] | map(.network_server | [.dev_addr, .nwk_s_key]) | .[0] == .[1] then empty
            else "V2 Network Server" end),
        (if $is.network_server.f_cnt_down >= $was.network_server.f_cnt_down
            and $is.network_server.f_cnt_up >= $was.network_server.f_cnt_up then empty else "V2 counters" end);
    [$after[0].tts_devices[] | select(.application_id == $app)
        | .dev = ([.is, .ns, .js, ."as"] | map(.dev_eui // empty) | first)] as $targets
    | [$before[0].devices, $after[0].devices] | transpose[] | select(.[0].app_id == "my-ttn-app")
    | .[0] as $was | .[1] as $is | target($was; $targets) as $t
    | {id: $was.dev_id, moved: [moved($was; $is; $t)], home: [home($was; $is; $t)]}'

# judge: one line a device of V2 to `judged`, for the world of now (`after`).
judge() {
    world after
    jq -c -n --slurpfile before before --slurpfile after after --arg app "${1:-my-new-app}" "$pairs" >judged
}

# all_moved [APPLICATION]: every device is whole at the target and cleared in V2.
all_moved() {
    judge "$@"
    jq -r 'select(.moved != []) | "\(.id): \(.moved | join(", "))"' judged >faulty
    [ ! -s faulty ] || fail "not moved: $(tr '\n' ';' <faulty)"
    equal "devices of the target" "$(jq --arg app "${1:-my-new-app}" '[.tts_devices[] | select(.application_id == $app)] | length' after)" \
        "$(wc -l <judged)"
    guarded
}

# all_home: everything is in V2, nothing at the target.
all_home() {
    judge
    jq -r 'select(.home != []) | "\(.id): \(.home | join(", "))"' judged >faulty
    [ ! -s faulty ] || fail "not back: $(tr '\n' ';' <faulty)"
    guarded
}

# each_somewhere: every device is wholly moved, or wholly at home, and is not at both.
each_somewhere() {
    judge
    jq -r 'select(.moved != [] and .home != []) | "\(.id): moved but \(.moved | join(", ")); at home but \(.home | join(", "))"' \
        judged >faulty
    [ ! -s faulty ] || fail "neither here nor there: $(tr '\n' ';' <faulty)"
    guarded
}

# guarded: no device was ever live in two networks; `nowhere` is judged by `never_without`.
guarded() {
    equal "devices at two networks at once" "$(($(jq .field.twice after) - $(jq .field.twice before)))" 0
}

# never_without: in an undisturbed run no device was without a network for more than a second.
never_without() {
    equal "devices without a network for a second" "$(jq .field.nowhere after)" 0
}

back_home() {
    migrate rollback
    [ "$status" -eq 0 ] || exits 3
    all_home
}

# imported COUNT: so many calls that import were answered
imported() {
    [ "$(calls AsEndDeviceRegistry/Set ok)" -ge "$1" ]
}

# A device that is only reserved is at home: the target has no keys of it.
each_somewhere_or_reserved() {
    judge
    jq -r 'select(.moved != [] and (.home - ["something is at the target"]) != []) | .id' judged >faulty
    [ ! -s faulty ] || fail "neither here nor there: $(tr '\n' ' ' <faulty)"
    guarded
}

# moved_count, home_count: of the last judge
moved_count() {
    jq -c 'select(.moved == [])' judged | wc -l
}

home_count() {
    jq -c 'select(.home == [])' judged | wc -l
}

# secret_list STATE...: every key of the worlds, as hex and as base64 tell it
secret_list() {
    jq -r '(.devices[] | .app_key, .nwk_s_key, .app_s_key),
        (.tts_devices[] | .js.app_key, .js.nwk_key, .ns.f_nwk_s_int_key, .ns.s_nwk_s_int_key, .ns.nwk_s_enc_key, ."as".app_s_key)
        | select(. != null)' "$@" | grep -v '^0*$' | sort -u >secrets.hex
    {
        cat secrets.hex
        echo "$TARGET_TTS_APP_API_KEY"
        echo "$TTS_APP_API_KEY"
        echo "$TTNV2_APP_ACCESS_KEY"
        while read -r secret; do
            # shellcheck disable=SC2059 # the key as bytes
            printf "$(echo "$secret" | sed 's/../\\x&/g')" 2>/dev/null | base64
        done <secrets.hex
    } | grep -v '^$' >secrets
    # The test must be able to see one.
    [ "$(wc -l <secrets)" -gt 20 ] || fail "too few secrets for this test"
}

# kept_secret FILE...
kept_secret() {
    for kept_file; do
        if grep -qaiFf secrets "$kept_file"; then fail "$kept_file tells a secret (not shown)"; fi
    done
}
