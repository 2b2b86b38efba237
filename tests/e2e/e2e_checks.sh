#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The checks of the other tests see what they are for: each fails on a world or an output that was tampered with.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# fails PATTERN COMMAND...: the check ends its case, and tells why
fails() {
    pattern=$1
    shift
    set +e
    ("$@") >told 2>&1
    check_status=$?
    set -e
    [ "$check_status" -ne 0 ] || fail "does not see it: $*"
    grep -qE -- "$pattern" told || fail "sees it for another reason: $*"
    if grep -qE '[0-9A-Fa-f]{32}' told; then fail "tells a key: $*"; fi
}

# tampered FILTER: `after` with a change, to `bad`
tampered() {
    jq -c . after >good
    jq -c "$1" after >bad
    if cmp -s good bad; then fail "not tampered: $1"; fi
}

real_run() {
    sandbox_start --devices 10 --seed 2
    world before
    good ttnv2 application
    world after
    released before after true out
    no_key_lost before after out
    accounted before after out
}

lost_lines() {
    real_run
    for line in 1 5 10; do
        sed "${line}d" out >bad
        fails 'in no line|not in the output' no_key_lost before after bad
        fails 'not in the output' released before after true bad
        fails 'in no line|not in the output' accounted before after bad
        sed "${line}s/..$//" out >bad
        fails 'in no line' no_key_lost before after bad
    done
    fails 'in no line' no_key_lost before after /dev/null
}

wrong_lines() {
    real_run
    for member in .root_keys.app_key.key .session.keys.f_nwk_s_int_key.key .session.keys.app_s_key.key \
        .session.dev_addr; do
        jq -c "if $member then $member |= sub(\"^.\"; \"0\") | $member |= sub(\".\$\"; \"1\") else . end" out >bad
        fails 'in no line' no_key_lost before after bad
    done
    jq -c '.name = "other"' out >bad
    fails 'in no line|not in the output' released before after true bad
}

wrong_worlds() {
    real_run
    device='.devices[3]'
    for change in '.writes = 2' '.writes = 0' '.network_server.f_cnt_up += 1' '.network_server.f_cnt_down += 1' \
        '.network_server.last_seen += 1000000' '.network_server.nwk_s_key = "01" * 16' '.get_device_hex |= sub("6465762d"; "6465762e")'; do
        tampered "$device |= ($change)"
        fails "$(jq -r "$device.dev_id" after)" released before bad true out
    done
    # Not cleared at all, and more than was carried over.
    jq -c --slurpfile before before ".devices[3] = (\$before[0].devices[3] | .writes += 1)" after >bad
    fails 'not exactly' released before bad true out
    fails 'not exactly' released before after false out
    # Changed behind the back of the run.
    tampered '.devices[-1] |= (.writes = 1)'
    fails 'not in the output' released before bad true out
    fails 'changed in V2: other-device' unchanged after bad
    fails 'changed in V2' unchanged before after
}

# A line whose device was not cleared has to be told.
held_devices() {
    real_run
    jq -c --slurpfile before before '.devices[3] = $before[0].devices[3]' after >bad
    fails 'does not tell' accounted before bad out
    echo "error: device $(jq -r '.devices[3].dev_id' after): not known to be cleared" >err
    accounted before bad out
}

streams() {
    real_run
    fails 'exit code' exits 1
    fails 'does not tell' told 'no such thing'
    fails 'should not tell' silent_on 'cleared'
    cp out bad
    echo 'a warning' >>bad
    [ "$(line_count bad)" != 11 ] || fail "takes a line that is not JSON"
}

run_case "lines that are lost" lost_lines
run_case "lines that are wrong" wrong_lines
run_case "worlds that are wrong" wrong_worlds
run_case "devices that are not cleared" held_devices
run_case "streams" streams
end_cases
