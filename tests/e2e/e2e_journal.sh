#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The journal of a run: whatever ends a run, `resume` ends where an undisturbed run would have, `rollback` where it
# began, and nobody reads keys in an encrypted journal.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

state_folder=.local/state/ttn-lw-migrate

# same_content WHAT FILE FILE: but for the time of the run, and what is drawn at random
same_content() {
    for side in 1 2; do
        shift
        jq -c 'walk(if type == "object" then del(.started_at, .session_key_id) else . end)' "$1" >content.$side \
            2>/dev/null || fail "a line of $1 is not whole"
    done
    same "lines ($1)" content.1 content.2
}

# same_devices WHAT STATE STATE: what V2 knows of its devices. The nonces that were used, and the frames that its ADR
# looks at, do not come back.
same_devices() {
    known='.devices | map(del(.writes, .cleared, .cleared_at, .used_dev_nonces, .used_app_nonces, .network_server.frames))'
    jq -c "$known | .[]" "$2" >devices.1
    jq -c "$known | .[]" "$3" >devices.2
    cmp -s devices.1 devices.2 || fail "$1: $(jq -rs "map($known) | transpose | map(select(.[0] != .[1]) | .[0].dev_id)
        | join(\" \")" "$2" "$3")"
}

journals() {
    find . -path "./$state_folder/*.journal" | wc -l
}

# state_count STATE: devices of the latest run in that state
state_count() {
    bounded status --json 2>/dev/null | jq ".states.$1"
}

# here ARGUMENT...: to its end, as on a terminal: standard output is not redirected to a file or a pipe.
here() {
    status=0
    bounded "$@" >/dev/null 2>err || status=$?
    [ "$status" -ne 124 ] || fail "the program did not end: $*"
    [ "$status" -lt 128 ] || [ "$status" -eq 130 ] || [ "$status" -eq 143 ] || fail "the program crashed ($status): $*"
}

# begin_to_null ARGUMENT...: the same in the background, as `begin`
begin_to_null() {
    # shellcheck disable=SC2086 # RUNNER is several words
    env --default-signal=INT,QUIT $RUNNER "$program" "$@" >/dev/null 2>err &
    pid=$!
    begin=$(now)
}

# die_after MILLISECONDS ARGUMENT...: SIGKILL, if it has not ended by then
die_after() {
    moment=$1
    shift
    begin_to_null "$@"
    sleep "$(awk "BEGIN { print $moment * $SLACK / 1000 }")"
    kill -KILL "$pid" 2>/dev/null || true
    end_within 60000
}

# die_with_lines NUMBER ARGUMENT...: SIGKILL when so many lines are in run.json
die_with_lines() {
    # shellcheck disable=SC2034 # eval uses it
    number=$1
    shift
    begin_to_null "$@"
    until_true 30 eval '[ -s run.json ] && [ "$(wc -l <run.json)" -ge "$number" ]' || fail "no lines"
    kill -KILL "$pid" 2>/dev/null || true
    end_within 60000
    equal "exit code (the run has ended too early)" "$status" 137
}

# The world that runs are cut off in, and what a whole run makes of it: whole.json, whole.world
world_of_kills='--devices 60 --latency 6ms --seed 4'
moments='1 15 30 45 60 80 100 130 160 200 250 320'

undisturbed() {
    sandbox_start "$@"
    world before
    here ttnv2 application --output whole.json
    exits 0
    world whole.world
    sandbox_stop
    rm -rf "$state_folder"
}

# Where a run ended before its devices were known, it is begun again: then nothing was changed.
finish() {
    if [ "$(journals)" -ne 0 ]; then
        here resume
        [ "$status" -ne 0 ] || return 0
        exits 1
        told 'before its devices were known|no journal|not complete'
    fi
    world after
    unchanged before after
    rm -rf "$state_folder" run.json
    here ttnv2 application --output run.json
    exits 0
}

killed_and_resumed() {
    undisturbed $world_of_kills
    for first in $moments; do
        sandbox_start $world_of_kills
        rm -rf "$state_folder" run.json
        die_after "$first" ttnv2 application --output run.json --concurrency 4
        if [ "$(journals)" -ne 0 ]; then
            for next in 40 60 90; do die_after $next resume; done
        fi
        finish
        world after
        same_content "killed after $first ms" run.json whole.json
        same_devices "killed after $first ms" after whole.world
        no_key_lost before after run.json
        equal "devices that are not confirmed" "$(($(line_count run.json) - $(state_count confirmed)))" 0
        here resume
        exits 0
        same_content "resumed once more" run.json whole.json
        sandbox_stop
    done
}

killed_and_rolled_back() {
    for first in $moments; do
        sandbox_start $world_of_kills
        world before
        rm -rf "$state_folder" run.json
        die_after "$first" ttnv2 application --output run.json --concurrency 4
        [ "$(journals)" -ne 0 ] || continue
        for next in 30 50 80; do die_after $next rollback; done
        here rollback
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || told 'no journal|not complete'
        world after
        same_devices "killed after $first ms" before after
        sandbox_stop
    done
}

# Counters, sessions and keys are back, and who lost its nonces is named.
rolled_back() {
    sandbox_start --devices 40 --seed 6
    world before
    here ttnv2 application --output run.json
    exits 0
    here rollback --dry-run --report report.html
    exits 3
    foretell
    told '40 devices would be put back at'
    told 'something of [0-9]+ devices could not be put back'
    silent_on 'device [^ ]+: is back|40 devices put back'
    if grep -qi 'put back' report.html; then fail "the report of a dry run tells of devices that are back"; fi
    world between
    equal "devices cleared after a dry run" "$(jq .ttnv2.cleared between)" 40
    equal "devices to roll back" "$(state_count confirmed)" 40
    here rollback
    exits 3
    as_foretold
    world after
    same_devices "rolled back" before after
    ask '.devices | main("my-ttn-app") | map(select(has_join)) | .[].dev_id' before >joinable
    [ -s joinable ] || fail "no OTAA device for this test"
    while read -r id; do told "$id.*nonces"; done <joinable
    equal "devices whose nonces are told to be lost" "$(grep -c nonces err)" "$(wc -l <joinable)"
    equal "devices restored" "$(state_count restored)" 40
    here rollback
    exits 0
    world again
    unchanged after again
    # A new run moves them as the first did.
    here ttnv2 application --output second.json
    exits 0
    same_content "a second run" second.json run.json
}

one_rolled_back() {
    sandbox_start --devices 12
    world before
    here ttnv2 application --output run.json
    run=$(basename "$(ls $state_folder/*.journal)" .journal)
    world moved
    here rollback "$run" mydevice no-such-device
    exits 1
    told 'no-such-device'
    world after
    unchanged moved after
    here rollback "$run" mydevice
    [ "$status" -eq 0 ] || exits 3
    world after
    jq '.devices |= map(select(.dev_id == "mydevice"))' before >before.one
    jq '.devices |= map(select(.dev_id == "mydevice"))' after >after.one
    same_devices mydevice before.one after.one
    jq '.devices |= map(select(.dev_id != "mydevice"))' moved >moved.others
    jq '.devices |= map(select(.dev_id != "mydevice"))' after >after.others
    unchanged moved.others after.others
    # Resuming does not move it again.
    here resume "$run"
    exits 0
    world again
    unchanged after again
}

# Somebody has entered another AppKey in V2 meanwhile: that device is left alone, the others are put back. The filter
# tells which device, of those that have or have not an AppKey.
other_key_meanwhile() {
    sandbox_start --devices 12 --seed 6 --state state.jsonl
    cp "$TTNV2_CA_CERT" ca.pem
    TTNV2_CA_CERT=$HOME/ca.pem
    export TTNV2_CA_CERT
    world before
    here ttnv2 application --output run.json
    exits 0
    port=${SANDBOX_DISCOVERY##*:}
    sandbox_stop
    id=$(ask '.devices | main("my-ttn-app") | map(select('"$1"')) | .[0].dev_id' before)
    jq -c --arg id "$id" 'if .dev_id == $id then ("5a" * 16) as $key
        | .app_key = $key | .get_device_hex |= sub("42100{32}"; "4210" + $key) else . end' state.jsonl >other.jsonl
    mv other.jsonl state.jsonl
    sandbox_start --devices 12 --seed 6 --state state.jsonl --discovery-port "$port"
    cp "$TTNV2_CA_CERT" ca.pem
    world between
    equal "key that was entered" "$(jq -r --arg id "$id" '.devices[] | select(.dev_id == $id).app_key' between)" \
        5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
    here rollback --dry-run
    exits 3
    told "$id: could not be put back: .*other keys"
    told 'in order there as it is, nothing is left to do for it'
    told '11 devices would be put back at .*, 1 could not be'
    world after
    unchanged between after
    here rollback --keep-going
    exits 3
    told "$id.*other keys"
    world after
    for state in before between after; do
        jq --arg id "$id" '.devices |= map(select(.dev_id == $id))' $state >$state.one
        jq --arg id "$id" '.devices |= map(select(.dev_id != $id))' $state >$state.others
    done
    unchanged between.one after.one
    same_devices "the others" before.others after.others
    good status
    grep -q "$id.*other keys" out || fail "status does not name the device"
}

# Broken connections and lost answers do not halt a rollback.
rolled_back_over_faults() {
    sandbox_start --devices 30 --seed 6
    world before
    here ttnv2 application --output run.json
    exits 0
    faults SetDevice:reset-before:every=4 SetDevice:unavailable:every=7 SetDevice:reset-after:every=5
    here rollback --concurrency 4
    exits 3
    world after
    same_devices "rolled back" before after
    equal "devices restored" "$(state_count restored)" 30
}

# V2 writes its Network Server first, and then, in vain, its Handler. Keys that the Handler still has are no proof that the
# session is there.
half_released() {
    sandbox_start --devices 30 --seed 6
    world before
    faults SetDevice:half
    here ttnv2 application --output run.json --keep-going
    exits 3
    told 'cannot be cleared.*half'
    no_faults
    world between
    half=$(jq -n --slurpfile a before --slurpfile b between '[$a[0].devices, $b[0].devices] | transpose
        | map(select(.[0].nwk_s_key == .[1].nwk_s_key
            and .[0].network_server.nwk_s_key != .[1].network_server.nwk_s_key)) | length')
    less "devices without a session" 0 "$half"
    here rollback
    exits 0
    world after
    same_devices "rolled back" before after
    equal "devices restored" "$(state_count restored)" 30
}

# The same, killed in the middle of it all.
half_released_and_killed() {
    for moment in 60 120 200; do
        sandbox_start --devices 30 --seed 6 --latency 5ms
        world before
        rm -rf "$state_folder" run.json
        faults SetDevice:half:every=2
        die_after $moment ttnv2 application --output run.json --concurrency 4 --keep-going
        no_faults
        if [ "$(journals)" -ne 0 ]; then
            here rollback
            [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || told "not complete"
        fi
        world after
        same_devices "killed after $moment ms" before after
        sandbox_stop
    done
}

half_restored() {
    sandbox_start --devices 30 --seed 6
    world before
    here ttnv2 application --output run.json
    exits 0
    faults SetDevice:half
    here rollback --keep-going
    exits 3
    told 'is not put back.*half'
    equal "devices restored" "$(state_count restored)" 0
    faults SetDevice:half:every=3
    die_after 50 rollback --keep-going --concurrency 2
    no_faults
    here rollback
    exits 3
    world after
    same_devices "rolled back" before after
    equal "devices restored" "$(state_count restored)" 30
}

interrupted_rollback() {
    sandbox_start --devices 60 --latency 10ms
    world before
    here ttnv2 application --output run.json
    for delay in 0.15 0.25 0.35; do
        begin_to_null rollback --concurrency 4
        sleep $delay
        kill -INT "$pid" 2>/dev/null || true
        end_within 20000
        [ "$status" -eq 130 ] || [ "$status" -eq 3 ] || fail "exit code $status"
        [ "$status" -ne 130 ] || told 'rollback'
    done
    here rollback
    world after
    same_devices "after interrupted rollbacks" before after
}

# interrupted once: the next resume goes on
interrupted_run() {
    undisturbed $world_of_kills
    sandbox_start $world_of_kills
    for delay in 0.1 0.15 0.2; do
        if [ "$(journals)" -eq 0 ]; then
            begin_to_null ttnv2 application --output run.json --concurrency 4
        else
            begin_to_null resume
        fi
        sleep $delay
        kill -INT "$pid" 2>/dev/null || true
        end_within 20000
        [ "$status" -eq 130 ] || exits 0
        [ ! -e run.json ] || equal "torn lines" "$(tail -c 1 run.json | od -An -tx1 | tr -d ' ')" 0a
    done
    finish
    world after
    same_content "interrupted" run.json whole.json
    same_devices "interrupted" after whole.world
}

# ---- full disks: a limit on the size of files, set while the program runs: at its start it would be noticed

# limit_files BYTES: for the program that runs
limit_files() {
    prlimit --pid "$pid" --fsize="$1" || fail "no limit for the program"
}

# longer FILE BYTES
longer() {
    [ -e "$1" ] && [ "$(stat -c %s "$1")" -gt "$2" ]
}

# The output begins far behind the size that the journal ever gets.
no_place_for_output() {
    undisturbed $world_of_kills
    sandbox_start $world_of_kills
    front=$((64 * 1024 * 1024))
    truncate -s $((front - 1)) big
    echo >>big
    # shellcheck disable=SC2086 # RUNNER is several words
    env $RUNNER "$program" ttnv2 application --concurrency 4 >>big 2>err &
    pid=$!
    begin=$(now)
    until_true 30 longer big $((front + 12000)) || fail "no lines"
    limit_files $(($(stat -c %s big) + 3000))
    end_within 60000
    exits 1
    told 'cannot write'
    tail -c +$((front + 1)) big >first
    [ "$(line_count first)" -gt 3 ] || fail "too few lines for this test: $(line_count first)"
    world after
    no_key_lost before after first
    begin_to_null resume --concurrency 4
    until_true 30 longer big $((front + $(stat -c %s first) + 6000)) || fail "no lines"
    limit_files $(($(stat -c %s big) + 3000))
    end_within 60000
    exits 1
    tail -c +$((front + 1)) big >second
    equal "lines of the first run that are still there" "$(cmp -n "$(wc -c <first)" first second && echo all)" all
    [ "$(line_count second)" -gt "$(line_count first)" ] || fail "nothing was added: $(line_count second)"
    world after
    no_key_lost before after second
    here resume
    exits 0
    tail -c +$((front + 1)) big >run.json
    world after
    same_content "after full disks" run.json whole.json
    same_devices "after full disks" after whole.world
}

no_place_for_journal() {
    undisturbed $world_of_kills
    halts=0
    for size in 1 40000 100000 200000 300000; do
        sandbox_start $world_of_kills
        rm -rf "$state_folder" run.json
        begin_to_null ttnv2 application --output run.json --concurrency 2
        until_true 30 eval '[ "$(journals)" -eq 1 ]' || fail "no journal"
        until_true 30 longer run.json 1 || fail "no lines"
        limit_files $size
        end_within 60000
        [ "$status" -eq 0 ] || exits 1
        [ "$status" -eq 0 ] || halts=$((halts + 1))
        world after
        no_key_lost before after run.json
        [ "$(journals)" -eq 1 ] || fail "no journal of a run that has written lines"
        begin_to_null resume
        prlimit --pid "$pid" --fsize=$((size + 20000)) 2>/dev/null || true
        end_within 60000
        finish
        world after
        same_content "no place for the journal ($size)" run.json whole.json
        same_devices "no place for the journal ($size)" after whole.world
        sandbox_stop
    done
    [ "$halts" -gt 2 ] || fail "only $halts runs were halted"
}

# Refused with the numbers, before anything is changed: by a limit, and where this machine lets us have one, on a disk that
# has too little.
too_little_room() {
    sandbox_start --devices 60 --seed 4
    world before
    status=0
    (ulimit -f 800 && bounded ttnv2 application --output run.json >/dev/null 2>err) || status=$?
    exits 1
    told 'too little room.*60 devices.*MB'
    told 'try:'
    world after
    unchanged before after
    equal "files that are left" "$(find . -name run.json -o -name '*.journal*' | wc -l)" 0
    (ulimit -f 800 && bounded ttnv2 application --dry-run >/dev/null 2>err) || fail "a run that changes nothing is refused"
    mkdir disk
    if unshare -m true 2>/dev/null && unshare -m mount -t tmpfs -o size=100k none disk 2>/dev/null; then
        status=0
        unshare -m sh -c 'mount -t tmpfs -o size=100k none disk && exec "$@"' - \
            "$program" ttnv2 application --output disk/run.json >/dev/null 2>err || status=$?
        exits 1
        told 'too little room: the output of 60 devices need about 0.2 MB, and 0.1 MB are free'
        world after
        unchanged before after
        unshare -m sh -c 'mount -t tmpfs -o size=250k none disk && "$@" && cp disk/run.json kept.json' - \
            "$program" ttnv2 application --output disk/run.json >/dev/null 2>err || fail "a run with just enough room"
        told 'may be too little room: the output'
        equal lines "$(line_count kept.json)" 60
    fi
}

# What the reader did not get is in the journal.
reader_ends() {
    undisturbed --devices 120 --seed 8
    sandbox_start --devices 120 --seed 8
    {
        status=0
        bounded ttnv2 application 2>err || status=$?
        echo $status >status
    } | head -n 3 >taken
    status=$(cat status)
    exits 1
    told 'standard output'
    migrate resume
    exits 0
    world after
    same_content "resumed into a file" out whole.json
    same_devices "resumed into a file" after whole.world
    # And once more, into any other file.
    here resume --output another.json
    exits 0
    same_content "written again" another.json whole.json
    equal "mode of the output" "$(stat -c %a another.json)" 600
}

# stalled: how many devices are cleared does not change any more
stalled() {
    seen=$(calls SetDevice ok)
    sleep 0.5
    [ "$seen" -gt 0 ] && [ "$(calls SetDevice ok)" = "$seen" ]
}

# Nobody reads what is written: the user can end the run all the same.
reader_stalls() {
    undisturbed --devices 120 --seed 8
    sandbox_start --devices 120 --seed 8
    world before
    for stream in output all; do
        mkfifo $stream.pipe
        # shellcheck disable=SC2217 # it holds the pipe and reads nothing
        sleep 300 <$stream.pipe &
        reader=$!
        if [ $stream = output ]; then
            env --default-signal=INT,QUIT $RUNNER "$program" ttnv2 application --verbose >output.pipe 2>err &
        else
            env --default-signal=INT,QUIT $RUNNER "$program" resume --verbose >all.pipe 2>&1 &
        fi
        pid=$!
        until_true 30 stalled || fail "the run does not stall"
        begin=$(now)
        kill -INT $pid
        end_within 3000
        kill $reader
        exits 130
    done
    told 'nobody read standard output'
    migrate resume
    exits 0
    world after
    same_content "resumed into a file" out whole.json
    same_devices "resumed into a file" after whole.world
    no_key_lost before after out
}

# The run's own output, changed or gone, is not written over.
output_changed() {
    sandbox_start --devices 60 --latency 6ms --seed 4
    world before
    die_with_lines 5 ttnv2 application --output run.json --concurrency 4
    cp run.json kept.json
    sed -i '2s/./X/' run.json
    cp run.json changed.json
    here resume
    exits 1
    same "an output that is another file" run.json changed.json
    cat changed.json >run.json
    rm run.json
    here resume
    exits 1
    told -- '--output'
    here resume --output new.json
    exits 0
    world after
    released before after true new.json
}

# Where standard output is no terminal, the run's own output goes on all the same; another one is kept only if it can be
# written.
output_goes_on() {
    undisturbed --devices 60 --latency 6ms --seed 4
    sandbox_start --devices 60 --latency 6ms --seed 4
    world before
    die_with_lines 5 ttnv2 application --output run.json --concurrency 4
    begin_to_null resume --concurrency 2
    sleep 0.1
    kill -KILL "$pid" 2>/dev/null || true
    end_within 60000
    status=0
    bounded resume --output . 2>err || status=$?
    exits 1
    # A full disk.
    status=0
    bounded resume --output /dev/full 2>err || status=$?
    exits 1
    head -c 100 whole.json >other.json
    status=0
    bounded resume --output other.json >log.txt 2>&1 || status=$?
    exits 1
    grep -q 'exists and is not empty' log.txt || fail "a file that holds something else is not refused"
    status=0
    bounded resume --concurrency 4 >log.txt 2>&1 || status=$?
    exits 0
    cp log.txt err
    told 'goes on in .*/run.json, not on standard output'
    equal "lines in the log" "$(grep -c '^{' log.txt)" 0
    world after
    same_content "gone on with" run.json whole.json
    same_devices "gone on with" after whole.world
    good resume --output run.json
    same_content "gone on with once more" run.json whole.json
    # A run whose output was a pipe.
    rm -rf "$state_folder"
    sandbox_start --devices 60 --latency 6ms --seed 4
    bounded ttnv2 application 2>err | cat >piped.json
    status=0
    bounded resume >log.txt 2>&1 || status=$?
    exits 2
    grep -q 'standard output and standard error go to the same file' log.txt || fail "a log is taken for an output"
    good resume --output anew.json
    same_content "written anew" anew.json whole.json
    # A new file that cannot take all of it does not take the place of the one that is there.
    (
        ulimit -f 200
        trap '' XFSZ
        here resume --output short.json
        exits 1
    )
    [ -s short.json ] || fail "nothing is in the file that was too short"
    here resume
    exits 0
    told 'written to .*/anew.json'
    same_content "the output that counts again" anew.json whole.json
}

# ---- who may use a journal

locked() {
    sandbox_start --devices 60 --latency 20ms
    world before
    begin_to_null ttnv2 application --output run.json --concurrency 2
    first=$pid
    until_true 10 eval '[ "$(journals)" -eq 1 ] && [ -s run.json ]' || fail "no journal"
    for command in resume rollback; do
        here $command
        exits 1
        told "in use.*process $first"
    done
    here status --forget "$(ls $state_folder/*.journal)"
    exits 1
    good status
    pid=$first
    end_within 60000
    exits 0
    world after
    released before after true run.json
    equal "files that are left" "$(find $state_folder -type f | wc -l)" 1
}

set_aside() {
    undisturbed --devices 20 --seed 2
    sandbox_start --devices 20 --seed 2
    faults GetDevice:internal:at=4 GetDevice:internal:at=9
    here ttnv2 application --keep-going --output run.json --concurrency 1
    exits 3
    equal "devices set aside" "$(state_count failed)" 2
    good status
    grep -q 'resume --failed' out || fail "status does not tell what to do"
    grep -q '^target  *json$' out || fail "status does not tell the target"
    good status --list
    grep -q ' moved, .* set aside' out || fail "the list of runs does not count devices that were set aside"
    good status --json
    equal "failures" "$(jq '.failures | length' out)" 2
    equal "failures with a reason" "$(jq '.failures | map(select((.reason | length) > 5 and .attempts == 1)) | length' out)" 2
    good status --failed-ids
    cp out failed
    equal "IDs" "$(wc -l <failed)" 2
    here resume
    equal "devices set aside after resume" "$(state_count failed)" 2
    run=$(basename "$(ls $state_folder/*.journal)" .journal)
    # Either as a run of its own, ...
    head -n 1 failed >one
    migrate ttnv2 device --keep-going <one
    exits 0
    cat run.json out >both
    equal "second journal" "$(journals)" 2
    here rollback
    # ... or within the first one.
    here resume "$run" --failed
    exits 0
    world after
    jq -s -c 'sort_by(.ids.device_id)[]' run.json >sorted
    jq -s -c 'sort_by(.ids.device_id)[]' whole.json >whole.sorted
    same_content "in the end" sorted whole.sorted
    same_devices "in the end" after whole.world
}

# ---- secrets

# keys_of STATE: all keys of the population, as hexadecimal digits
keys_of() {
    jq -r '.devices[] | .app_key, .nwk_s_key, .app_s_key | select(test("^0*$") | not)' "$1" | sort -u
}

# found_keys FILE...: how many of the lines of `keys` are in the files, as bytes or as text
found_keys() {
    for file in "$@"; do
        od -An -v -tx1 "$file" | tr -d ' \n'
        echo
        tr 'A-F' 'a-f' <"$file" | tr '\0' ' '
    done >haystack
    grep -aoF -f keys haystack | sort -u | wc -l
}

encrypted() {
    undisturbed $world_of_kills
    keys_of before >keys
    [ "$(wc -l <keys)" -gt 60 ] || fail "too few keys for this test"
    sandbox_start $world_of_kills
    head -c 32 /dev/urandom >key
    head -c 32 /dev/urandom >wrong
    # Without a key they are there: the search finds what it looks for.
    die_with_lines 10 ttnv2 application --output run.json --concurrency 4
    [ "$(found_keys $state_folder/*)" -gt 5 ] || fail "no key in a journal that is not encrypted"
    here resume --journal-key-file key
    exits 2
    told 'not encrypted'
    here rollback
    rm -rf "$state_folder" run.json
    die_with_lines 10 ttnv2 application --output run.json --concurrency 4 --journal-key-file key
    equal "keys in the journal's files" "$(found_keys $state_folder/*)" 0
    if grep -qaF "$TTNV2_APP_ACCESS_KEY" $state_folder/*; then fail "the access key is in the journal"; fi
    good status
    good status --json
    if grep -qiF -f keys out; then fail "status shows keys"; fi
    here resume --journal-key-file wrong
    exits 2
    told 'not the key'
    status=0
    setsid -w "$program" resume >/dev/null 2>err </dev/null || status=$?
    exits 2
    told 'passphrase|key'
    here rollback --journal-key-file wrong
    exits 2
    here resume --journal-key-file key
    exits 0
    equal "keys in the journal's files" "$(found_keys $state_folder/*)" 0
    world after
    same_content "encrypted" run.json whole.json
    same_devices "encrypted" after whole.world
    TTN_LW_MIGRATE_JOURNAL_KEY_FILE=$HOME/key
    export TTN_LW_MIGRATE_JOURNAL_KEY_FILE
    here rollback
    world after
    same_devices "rolled back" before after
}

private() {
    sandbox_start --devices 20 --latency 20ms
    (
        umask 0
        die_with_lines 2 ttnv2 application --output run.json --concurrency 4
    )
    equal "files that others can read" "$(find $state_folder run.json -type f ! -perm 600 | wc -l)" 0
    equal "mode of the folder" "$(stat -c %a $state_folder)" 700
}

without_journal() {
    sandbox_start --devices 10
    world before
    {
        status=0
        bounded ttnv2 application --no-journal 2>err || status=$?
        echo $status >status
    } | cat >out
    status=$(cat status)
    exits 2
    told 'journal'
    world after
    unchanged before after
    migrate ttnv2 application --no-journal
    exits 0
    told 'neither be resumed nor rolled back'
    equal journals "$(journals)" 0
    world after
    released before after true out
}

several_runs() {
    sandbox_start --devices 10
    mkdir folder
    for command in 'status folder' 'status --forget folder' 'resume folder' 'rollback ./folder' 'verify folder' \
        'report folder' 'ttnv2 device mydevice --output none.json --journal folder'; do
        migrate $command
        exits 1
        told 'folder is a folder, and no journal'
    done
    [ ! -e none.json ] || fail "an output of a run without a journal"
    good status --list
    equal "runs" "$(wc -l <out)" 0
    migrate status
    exits 1
    here ttnv2 device mydevice --output first.json
    here ttnv2 device dev-000001 --output second.json
    good status --list
    equal "runs" "$(wc -l <out)" 2
    first=$(head -n 1 out | cut -d ' ' -f 1)
    good status --list --json
    equal "runs as JSON" "$(jq -r '.[0].run' out)" "$first"
    good status "$first" --json
    equal "output of the first" "$(jq -r '."output.path"' out)" "$HOME/first.json"
    good status --json
    equal "output of the latest" "$(jq -r '."output.path"' out)" "$HOME/second.json"
    migrate status --forget
    exits 2
    migrate status --forget ./first.json
    exits 1
    equal "lines of the file that is no journal" "$(line_count first.json)" 1
    migrate status --forget no-such-run
    exits 1
    good status --forget "$first"
    good status --list
    equal "runs" "$(wc -l <out)" 1
    equal "files of the run that is forgotten" "$(find $state_folder -name "$first*" | wc -l)" 0
    migrate resume "$first"
    exits 1
    here ttnv2 device dev-000002 --output third.json --journal ./my.journal
    exits 0
    good status ./my.journal
    equal journals "$(journals)" 1
    here ttnv2 device dev-000003 --output fourth.json --journal ./my.journal
    exits 1
    world after
    equal "devices moved" "$(jq .ttnv2.cleared after)" 3
}

# What a killed run leaves beside its journal is wiped with it.
forgotten() {
    sandbox_start --devices 60 --latency 6ms --seed 4
    world before
    die_with_lines 5 ttnv2 application --output run.json --concurrency 4
    journal=$(ls $state_folder/*.journal)
    for name in "$journal" "$journal-wal" "$journal-shm"; do [ -s "$name" ] || fail "no $name for this test"; done
    # Its content is overwritten, which another name of the file shows.
    ln "$journal-wal" kept.wal
    keys_of before >keys
    [ "$(found_keys kept.wal)" -gt 0 ] || fail "no key in the log"
    good status --forget "$(basename "$journal" .journal)"
    equal "files that are left" "$(find $state_folder -type f | wc -l)" 0
    equal "keys in what was the log" "$(found_keys kept.wal)" 0
    migrate status
    exits 1
}

# A dry run, and one that comes to nothing, leave no journal.
no_journal_for_nothing() {
    sandbox_start --devices 10
    good ttnv2 application --dry-run
    equal journals "$(journals)" 0
    migrate ttnv2 device mydevice --output /nowhere/devices.json
    exits 1
    equal journals "$(journals)" 0
    good ttnv2 device mydevice --output first.json
    equal journals "$(journals)" 1
}

# Of several applications, those that were not begun are not forgotten.
several_applications() {
    sandbox_start --devices 60 --latency 6ms --seed 4
    world before
    die_with_lines 5 ttnv2 application my-ttn-app other-app --output run.json --concurrency 4
    here resume
    exits 1
    told 'other-app'
    equal "lines of the first application" "$(line_count run.json)" 60
}

damaged() {
    sandbox_start --devices 20
    world before
    here ttnv2 application --output run.json
    world moved
    journal=$(ls $state_folder/*.journal)
    cp "$journal" whole.journal
    for how in 'truncate -s 20000' 'truncate -s 0' 'cp run.json' \
        'dd if=/dev/urandom bs=1 seek=4096 count=4096 conv=notrunc status=none of='; do
        cp whole.journal "$journal"
        case $how in
        cp*) $how "$journal" ;;
        dd*) $how"$journal" ;;
        *) $how "$journal" ;;
        esac
        cp "$journal" damaged.journal
        for command in resume rollback status; do
            here $command
            exits 1
            told 'journal'
        done
        same "the journal after '$how'" "$journal" damaged.journal
        good status --list
    done
    world after
    unchanged moved after
    cp whole.journal "$journal"
    here rollback
    world after
    same_devices "with the whole journal" before after
}

run_case "killed, and resumed" killed_and_resumed
run_case "killed, and rolled back" killed_and_rolled_back
run_case "rolled back" rolled_back
run_case "one device rolled back" one_rolled_back
run_case "another key meanwhile (OTAA)" other_key_meanwhile has_join
run_case "another key meanwhile (ABP)" other_key_meanwhile 'has_join | not'
run_case "rolled back over faults" rolled_back_over_faults
run_case "half released, and rolled back" half_released
run_case "half released, killed, and rolled back" half_released_and_killed
run_case "half put back" half_restored
run_case "rollbacks that are interrupted" interrupted_rollback
run_case "a run that is interrupted" interrupted_run
run_case "no place for the output" no_place_for_output
run_case "no place for the journal" no_place_for_journal
run_case "too little room" too_little_room
run_case "the reader ends" reader_ends
run_case "the reader stalls" reader_stalls
run_case "an output that was changed, or is gone" output_changed
run_case "an output that goes on" output_goes_on
run_case "a second process" locked
run_case "devices that were set aside" set_aside
run_case "an encrypted journal" encrypted
run_case "for one user alone" private
run_case "without a journal" without_journal
run_case "several runs" several_runs
run_case "a run that is forgotten" forgotten
run_case "no journal for nothing" no_journal_for_nothing
run_case "several applications" several_applications
run_case "a damaged journal" damaged
end_cases
