#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Standard output carries data alone, standard error the rest; files, IDs and exit codes.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

escape=$(printf '\033')
carriage_return=$(printf '\r')

# data_only: `out` is JSON objects, one a line, and nothing else
data_only() {
    equal "lines that are objects with an ID" "$(line_count out)" "$(wc -l <out)"
    equal "objects with an ID" "$(jq -s 'map(select(.ids.device_id)) | length' out)" "$(wc -l <out)"
}

plain() {
    if grep -q "$escape" err; then fail "colour or redrawing in a pipe: $*"; fi
    if grep -q "$carriage_return" err; then fail "a carriage return in a pipe: $*"; fi
}

outputs() {
    sandbox_start --devices 12 --broken
    for arguments in '' --verbose '--log-format json' '--log-format=text --verbose' '--progress always' \
        '--progress auto' '--progress never' '--color never' '--verbose --progress always --log-format json'; do
        migrate ttnv2 application --dry-run --keep-going $arguments
        exits 3
        data_only
        [ -s err ] || fail "nothing on standard error: $arguments"
        case $arguments in
        *always*) ;;
        *) plain "$arguments" ;;
        esac
    done
    good ttnv2 device mydevice --dry-run
    data_only
}

json_log() {
    sandbox_start --devices 12 --broken
    for arguments in '' --verbose '--progress always' '--concurrency 1'; do
        migrate ttnv2 application --keep-going --dry-run --log-format json $arguments
        exits 3
        equal "lines that are objects ($arguments)" "$(jq -nR '[inputs | fromjson? | objects] | length' err)" "$(wc -l <err)"
        equal "records without time, level or msg" \
            "$(jq -s 'map(select((.time and .level and .msg) | not)) | length' err)" 0
        equal "members of records that there are not" "$(jq -s 'map(keys - ["time", "level", "msg", "device_id", "server",
            "method", "error"]) | add | length' err)" 0
        equal "device of the record about bx" "$(jq -r 'select(.level == "error" and .device_id == "bx") | .device_id' err)" bx
    done
    good ttnv2 device mydevice --dry-run --log-format json --verbose
    [ "$(jq -s 'map(select(.level == "debug" and .method and .server)) | length' err)" -gt 0 ] || fail "no record of a call"
    migrate ttnv2 device --log-format json no-such-device
    exits 1
    equal "lines that are objects" "$(jq -nR '[inputs | fromjson? | objects] | length' err)" "$(wc -l <err)"
    [ "$(jq -s 'map(select(.level == "error")) | length' err)" -gt 0 ] || fail "no record of the error"
    migrate ttnv2 device --log-format json --no-such-flag
    exits 2
}

verbosity() {
    sandbox_start --devices 3
    good ttnv2 application --dry-run
    silent_on 'debug'
    good ttnv2 application --dry-run --verbose
    told 'GetDevicesForApplication'
    told 'GetByAppID'
    NO_COLOR=1 good ttnv2 application --dry-run --verbose --color auto
    plain
    good ttnv2 application --dry-run --verbose --color always
    grep -q "$escape" err || fail "no colour, although asked for"
}

output_file() {
    sandbox_start --devices 12
    world before
    umask 000
    good ttnv2 application --output devices.json
    equal "bytes on standard output" "$(wc -c <out)" 0
    equal "mode of the output" "$(stat -c %a devices.json)" 600
    equal "lines" "$(line_count devices.json)" 12
    world after
    released before after true devices.json
    cp devices.json first
    # Never over what is there.
    migrate ttnv2 application --output devices.json
    [ "$status" -ne 0 ] || fail "an output that is not empty was taken"
    same "the output" devices.json first
    world again
    unchanged after again
}

output_file_that_is_empty() {
    sandbox_start --devices 3
    : >devices.json
    good ttnv2 application --dry-run --output devices.json
    equal "lines" "$(line_count devices.json)" 3
    migrate ttnv2 device no-such-device --output none.json
    exits 1
    [ ! -e none.json ] || fail "an empty output file is left"
    equal "bytes on standard output" "$(wc -c <out)" 0
}

codes() {
    sandbox_start --devices 3 --broken
    world before
    good ttnv2 device mydevice --dry-run
    migrate ttnv2 device mydevice no-such-device --dry-run
    exits 1
    told no-such-device
    migrate ttnv2 device mydevice no-such-device --dry-run --keep-going
    exits 3
    told no-such-device
    equal "devices in the output" "$(names out)" mydevice
    equal "calls to SetDevice" "$(calls SetDevice)" 0
    made=$(all_calls)
    for arguments in 'ttnv2' 'no-such-source device x' 'ttnv2 device --no-such-flag x' 'device x' \
        'ttnv2 device x --concurrency 0' 'ttnv2 device x --concurrency many' 'ttnv2 device x --rate -1' \
        'ttnv2 device x --timeout soon' 'ttnv2 device x --to nowhere' 'ttnv2 device x --progress perhaps' \
        'ttnv2 device x --log-format xml' 'ttnv2 device x --ca-cert /nowhere' 'ttnv2 device x --dry-run=perhaps' \
        'ttnv2 device x --discovery-server-address host:port:port' 'ttnv2 device x --dev-id-prefix' ''; do
        migrate $arguments
        exits 2
        [ -s err ] || fail "nothing is told: $arguments"
        equal "bytes of output" "$(wc -c <out)" 0
    done
    for name in TTNV2_APP_ID TTNV2_APP_ACCESS_KEY FREQUENCY_PLAN_ID; do
        (
            unset $name
            migrate ttnv2 device x
            exits 2
            told "$(echo $name | sed 's/^TTNV2_//' | tr 'A-Z_' 'a-z-')"
        )
    done
    for value in perhaps 2; do
        TTNV2_WITH_SESSION=$value migrate ttnv2 device mydevice --dry-run
        exits 2
        told 'TTNV2_WITH_SESSION|with-session'
    done
    equal "calls of wrong usage" "$(all_calls)" "$made"
    world after
    unchanged before after
}

ids() {
    sandbox_start --devices 12
    all_names_of_network >all
    head -n 6 all >six
    good ttnv2 devices --dry-run <six
    cp out plain.json
    # As editors and spreadsheets write them.
    sed 's/$/\r/' six >ids.crlf
    { printf '# devices of hall B\n\n'; sed 's/^/  /;s/$/ \t/' six; printf '\n   \n#end\n'; } >ids.comments
    { printf '\357\273\277'; cat six; } >ids.bom
    printf '%s' "$(cat six)" >ids.no-newline
    for form in crlf comments bom no-newline; do
        good ttnv2 devices --dry-run <ids.$form
        names out >names.out
        same "devices of ids.$form" names.out six
    done
    # None: what makes the list may have found none.
    printf '# none\n\n' >none
    for options in --dry-run '--to tts' ''; do
        good ttnv2 devices $options <none
        told 'warning: standard input held no ID'
    done
    # Twice counts once.
    cat six six >twice
    good ttnv2 devices --dry-run <twice
    names out >names.out
    same "devices named twice" names.out six
    told "$(head -n 1 six).*twice"
    good ttnv2 device mydevice mydevice
    equal "devices named twice" "$(names out)" mydevice
    told 'mydevice.*twice'
    equal "calls to SetDevice" "$(calls SetDevice)" 1
}

all_names_of_network() {
    world state
    all_names state
}

bad_ids() {
    sandbox_start --devices 3
    world before
    head -c 5000 /dev/zero | tr '\0' a >long
    printf 'mydevice\0x\n' >zero
    printf 'my\377device\n' >bytes
    head -c 100000 /dev/urandom >noise
    for file in long zero bytes noise; do
        migrate ttnv2 devices <$file
        exits 1
        told 'line 1 of standard input|line [0-9]+ of standard input'
        equal "bytes of output" "$(wc -c <out)" 0
    done
    migrate ttnv2 devices </dev/null
    equal "bytes of output" "$(wc -c <out)" 0
    migrate ttnv2 device ''
    exits 2
    migrate ttnv2 device 'no such device' '../x' "$(cat long)"
    [ "$status" -ne 0 ] || fail "IDs that cannot be were taken"
    world after
    unchanged before after
}

# As in the older tool: with an ID, standard input is left alone.
input_is_left_alone() {
    sandbox_start --devices 3
    mkfifo ids
    sleep 30 >ids &
    writer=$!
    begin=$(now)
    status=0
    timeout -k 5 $((20 * SLACK)) $RUNNER "$program" ttnv2 device mydevice --dry-run <ids >out 2>err || status=$?
    exits 0
    less milliseconds $(($(now) - begin)) $((5000 * SLACK))
    status=0
    timeout -k 5 $((20 * SLACK)) $RUNNER "$program" ttnv2 application my-ttn-app --dry-run <ids >out 2>err || status=$?
    exits 0
    kill $writer
    printf 'mydevice\n' >list
    {
        bounded ttnv2 device mydevice --dry-run >out 2>err
        read -r rest
        echo "$rest" >rest
    } <list
    equal "rest of standard input" "$(cat rest)" mydevice
}

# Closed standard streams are no others.
closed_streams() {
    sandbox_start --devices 3
    world before
    bounded ttnv2 device mydevice --dry-run >out 2>&- || fail "fails without standard error"
    equal lines "$(line_count out)" 1
    (bounded ttnv2 device mydevice --dry-run <&- >out 2>err) || fail "fails without standard input"
    equal lines "$(line_count out)" 1
    world after
    unchanged before after
}

# What is told may be added to any file; lines of devices only where a line begins, and by one run at a time.
added() {
    sandbox_start --devices 3
    printf 'unfinished' >log
    status=0
    bounded status --list >>log 2>err || status=$?
    exits 0
    bounded ttnv2 application --dry-run >>log 2>err || status=$?
    exits 1
    told 'ends in the middle of a line'
    equal "the file" "$(cat log)" unfinished
    echo >>log
    exec 9>>log
    flock 9
    status=0
    bounded version >>log 2>err || status=$?
    exits 0
    bounded ttnv2 application --dry-run >>log 2>err || status=$?
    exits 1
    told 'another run writes to'
    exec 9>&-
}

run_case "data on standard output alone" outputs
run_case "JSON log" json_log
run_case "--verbose and colour" verbosity
run_case "--output" output_file
run_case "--output, empty before or at the end" output_file_that_is_empty
run_case "exit codes" codes
run_case "lists of IDs" ids
run_case "lists that are none" bad_ids
run_case "standard input is left alone" input_is_left_alone
run_case "closed streams" closed_streams
run_case "added to a file" added
end_cases
