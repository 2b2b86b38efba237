#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Payload formatters of applications as part of a run: set at the target, put back, in each other's way, too large, as
# files, left behind.
# shellcheck disable=SC2016,SC2317 # filters for jq; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# link FILTER: of the target application's formatters; "null" if nothing was ever set
link() {
    world state
    jq -r ".tts_links[\"my-new-app\"] | $1" state
}

# the functions of the sandbox's V2 are set
has_functions() {
    equal "uplink formatter" "$(link .up_formatter)" 3
    equal "downlink formatter" "$(link .down_formatter)" 3
    link .up_formatter_parameter >up.js
    link .down_formatter_parameter >down.js
    for word in Decoder Converter Validator; do
        grep -q "function $word" up.js || fail "the uplink formatter lacks the $word"
    done
    grep -q 'function Encoder' down.js || fail "the downlink formatter lacks the Encoder"
}

has_none() {
    equal formatters "$(link '(.up_formatter // 0) + (.down_formatter // 0)')" 0
}

# devices of V2's application that still have keys
in_v2() {
    world state
    ask '.devices | main($app) | map(select(has_join or has_session)) | length' --arg app "$TTNV2_APP_ID" state
}

set_and_back() {
    sandbox_start --devices 4
    good ttnv2 application --to tts
    told 'payload formatters of application my-ttn-app are set in application my-new-app'
    has_functions
    equal "changes of formatters" "$(calls As/SetLink)" 1
    good status
    grep -q '^formatters  *my-ttn-app: set in the target' out || fail "status tells nothing of formatters"
    good status --json
    equal "formatters in JSON" "$(jq -c .formatters out)" '[{"application":"my-ttn-app","state":"set"}]'
    good report
    grep -q 'my-ttn-app: set in the target' out || fail "the report tells nothing of formatters"
    good verify
    grep -q '^payload formatters of application my-ttn-app: as they should be in my-new-app$' out ||
        fail "verify tells nothing of formatters"
    good verify --json
    equal "verified formatters" "$(jq -c 'select(.formatters_of == "my-ttn-app").equal' out)" true
    # They do what the functions did.
    good formatters check up.js --payload 0898 --port 1
    grep -q '"temperature":22' out || fail "the formatter does not give a temperature"
    good resume
    equal "changes of formatters after resume" "$(calls As/SetLink)" 1
    migrate rollback --dry-run
    told 'would be taken out'
    has_functions
    migrate rollback
    told 'are taken out of application my-new-app'
    has_none
    migrate rollback
    equal "changes of formatters after two rollbacks" "$(calls As/SetLink)" 2
}

single_devices() {
    sandbox_start --devices 4
    good ttnv2 device mydevice --to tts
    has_functions
    # Only one device goes back: the others still need them.
    migrate rollback "$(basename "$HOME"/.local/state/ttn-lw-migrate/*.journal .journal)" mydevice
    has_functions
}

# The target's application gets formatters of another source first.
occupied() {
    sandbox_start --devices 3 --tts-devices 3
    good tts device mydevice --to tts --tts.release delete --dev-id-prefix earlier
    equal "of The Things Stack" "$(link '.up_formatter_parameter | contains("level")')" true
    link . >earlier
}

conflict() {
    occupied
    world before
    good plan ttnv2 application --to tts --on-conflict update
    grep -q 'would replace others' out || fail "the plan does not tell that others are replaced"
    migrate plan ttnv2 application --to tts
    exits 3
    grep -q 'cannot go' out || fail "the plan does not tell the conflict"
    migrate ttnv2 application --to tts
    exits 1
    told 'my-new-app of the target has others'
    link . >now
    same formatters earlier now
    world after
    unchanged before after

    migrate ttnv2 application --to tts --keep-going
    exits 3
    link . >now
    same formatters earlier now
    equal "devices in V2 with keys" "$(in_v2)" 0
    good status
    grep -q '^formatters  *my-ttn-app: did not go: .*has others' out || fail "status does not tell why formatters stayed"
}

conflict_skip() {
    occupied
    good ttnv2 application --to tts --on-conflict skip
    told 'stay behind: application my-new-app of the target has others'
    link . >now
    same formatters earlier now
}

conflict_update() {
    occupied
    good ttnv2 application --to tts --on-conflict update
    told 'they replace others'
    has_functions
    migrate rollback
    told 'the earlier ones put back'
    link . >now
    same formatters earlier now
}

# Somebody changes them after the run.
changed_since() {
    sandbox_start --devices 2 --tts-devices 2
    good ttnv2 application --to tts --journal v2.journal
    good tts device mydevice --to tts --tts.release delete --dev-id-prefix later --on-conflict update \
        --journal tts.journal
    link . >later
    migrate rollback "$HOME/v2.journal"
    exits 3
    told 'were changed in application my-new-app'
    link . >now
    same formatters later now
    # The last one first, and all is as it was.
    migrate rollback "$HOME/tts.journal"
    has_functions
    migrate rollback "$HOME/v2.journal"
    has_none
}

too_large() {
    sandbox_start --devices 3 --functions large
    world before
    migrate plan ttnv2 application --to tts
    exits 3
    tr -s ' \n' ' ' <out | grep -qE 'would have [0-9]+ bytes; The Things Stack takes 40960' || fail "the plan does not tell the size"
    migrate ttnv2 application --to tts
    exits 1
    told '40960'
    told 'none of its devices was changed'
    world after
    unchanged before after
    has_none
    good ttnv2 application --to tts --no-formatters
    has_none
}

files() {
    sandbox_start --devices 3
    good plan ttnv2 application --formatters scripts
    grep -q 'would be written' out || fail "the plan does not tell the files"
    [ ! -e scripts ] || fail "the plan has written files"
    good ttnv2 application --dry-run --formatters scripts
    grep -q 'function Decoder' scripts/my-ttn-app.uplink.js || fail "no uplink formatter"
    grep -q 'function Encoder' scripts/my-ttn-app.downlink.js || fail "no downlink formatter"
    # The same once more is no obstacle; what is somebody else's is.
    good ttnv2 application --to tts --formatters scripts --dry-run
    echo '// mine' >scripts/my-ttn-app.uplink.js
    world before
    migrate ttnv2 application --to tts --formatters scripts
    exits 1
    world after
    unchanged before after
    equal 'content' "$(cat scripts/my-ttn-app.uplink.js)" '// mine'
    rm scripts/my-ttn-app.uplink.js
    good ttnv2 application --to tts --formatters scripts
    [ -s scripts/my-ttn-app.uplink.js ] || fail "no uplink formatter"
    has_none
    equal "looks at formatters" "$(calls As/GetLink)" 0
}

left_behind() {
    sandbox_start --devices 3 --tts-devices 3
    good ttnv2 device mydevice --to tts --no-formatters
    equal "questions for functions" "$(calls GetApplication)" 0
    good tts application --dry-run --no-formatters
    equal "devices with formatters" "$(jq -s 'map(select(.formatters)) | length' out)" 0
    good tts application --dry-run
    [ "$(jq -s 'map(select(.formatters)) | length' out)" -gt 0 ] || fail "no device has formatters"
    good ttnv2 device dev-000001
    told '--formatters DIR'
    has_none
    migrate ttnv2 application --formatters x --no-formatters
    exits 2
    migrate json application - --formatters x
    exits 2
}

nothing_changed() {
    sandbox_start --devices 3
    good plan ttnv2 application --to tts
    grep -q 'would be set: uplink [0-9]* bytes, downlink [0-9]* bytes' out || fail "the plan does not tell the formatters"
    good plan ttnv2 application --to tts --json
    equal verdict "$(jq -r '.formatters[0].verdict' out)" 'would be set'
    good ttnv2 application --to tts --dry-run
    told 'would be set in application my-new-app'
    equal "changes of formatters" "$(calls As/SetLink)" 0
    has_none
    good ttnv2 application --to tts --dry-run --create-application --to.tts.app-id another-app \
        --to.tts.app-api-key "$SANDBOX_TTS_KEY_USER"
    told 'would be set in application another-app'
}

# Keys that do not reach so far.
rights() {
    sandbox_start --devices 3
    migrate ttnv2 application --to tts --to.tts.app-api-key "$SANDBOX_TTS_KEY_NO_SETTINGS"
    exits 1
    told 'RIGHT_APPLICATION_SETTINGS_BASIC'
    equal "devices in V2 with keys" "$(in_v2)" 3
    good ttnv2 device mydevice --to tts --no-formatters --to.tts.app-api-key "$SANDBOX_TTS_KEY_NO_SETTINGS"
    migrate ttnv2 application --app-access-key "$SANDBOX_KEY_DEVICES_ONLY" --formatters x
    exits 1
    told 'the right "settings"'
    good ttnv2 device dev-000001 --app-access-key "$SANDBOX_KEY_DEVICES_ONLY" --to tts
    told 'stay behind, if there are any'
    has_none
    sandbox_start --devices 3 --functions none
    good ttnv2 application --to tts
    equal "looks at formatters" "$(calls As/GetLink)" 0
}

# Answers that are lost, before and after the change; a process that ends in between.
lost_answers() {
    for fault in unavailable:count=2 unavailable-after:count=2 reset-after:count=1 deadline-after:count=1; do
        sandbox_start --devices 2
        faults "As/SetLink:$fault"
        good ttnv2 application --to tts --timeout 2s
        has_functions
        migrate rollback --timeout 2s
        has_none
    done
    sandbox_start --devices 2
    faults As/SetLink:deadline-after:count=1
    begin ttnv2 application --to tts --timeout 60s
    until_true 30 has_called As/SetLink || fail "the formatters are not set"
    kill -KILL "$pid"
    wait "$pid" || true
    has_functions
    equal "devices in V2 with keys" "$(in_v2)" 2
    good resume
    equal "changes of formatters" "$(calls As/SetLink)" 1
    equal "devices in V2 with keys" "$(in_v2)" 0
    migrate rollback
    has_none
    # One that ends before the change goes back to nothing.
    sandbox_start --devices 2
    faults As/SetLink:deadline:count=1
    begin ttnv2 application --to tts --timeout 60s
    until_true 30 has_called As/SetLink || fail "the formatters are not set"
    kill -KILL "$pid"
    wait "$pid" || true
    migrate rollback
    exits 0
    has_none
}

has_called() {
    [ "$(calls "$1")" -gt 0 ]
}

run_case "set before the devices, and put back" set_and_back
run_case "with single devices" single_devices
run_case "others are there: the run fails, or goes without" conflict
run_case "others are there: skip" conflict_skip
run_case "others are there: update, and back" conflict_update
run_case "changed since: a rollback leaves them" changed_since
run_case "too large" too_large
run_case "as files" files
run_case "left behind" left_behind
run_case "plan and dry run change nothing" nothing_changed
run_case "rights" rights
run_case "lost answers" lost_answers
end_cases
