#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A whole migration on this machine: a V2 network with 1,000 made-up devices, migrated into The Things Stack in one go, and
# back; then as the published guide describes it: one device, and a list, into files.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$top"
# shellcheck source=scripts/common.sh
. "$top/scripts/common.sh"
# shellcheck source=scripts/sandbox.sh
. "$top/scripts/sandbox.sh"

devices=1000
some=100
demo=build/demo
finished=

end_demo() {
    status=$?
    sandbox_stop
    if [ -z "$finished" ] && [ "$status" -ne 0 ]; then
        echo "The demo was not finished. What there is lies in $demo/." >&2
    fi
    exit "$status"
}
trap end_demo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

title() {
    printf '\n== %s\n' "$*"
}

# show COMMAND: what is run, as one would type it.
show() {
    printf '\n$ %s\n' "$*"
}

migrate() {
    "$top/build/ttn-lw-migrate" "$@"
}

lines() {
    wc -l <"$demo/$1" | tr -d ' '
}

# expect WHAT NUMBER WANTED
expect() {
    if [ "$2" -ne "$3" ]; then
        printf '\nThe demo went wrong: %s: %s instead of %s.\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}

# Devices that a network has cleared, by its own account at its end.
cleared() {
    grep -c '"cleared":true' "$demo/$1/v2.jsonl" || true
}

# start_v2 NAME: a fresh network; at its end it writes its devices to $demo/NAME/v2.jsonl.
start_v2() {
    sandbox_start "$demo/$1" --devices $devices --latency 20ms --state "$demo/$1/v2.jsonl" || exit 1
    echo "A V2 network with $devices devices runs here now, application $TTNV2_APP_ID. Its address and"
    echo "access key are in the environment, as the guide has them."
}

try_some() {
    title "As the guide has it: one device, then a list, into files"
    start_v2 some
    show 'ttn-lw-migrate device --dry-run --verbose --source ttnv2 "mydevice" > mydevice.dry-run.json 2> mydevice.log'
    migrate device --dry-run --verbose --source ttnv2 mydevice >$demo/mydevice.dry-run.json 2>$demo/mydevice.log
    # A list of IDs, which a user has from the console of V2.
    migrate application --dry-run --source ttnv2 "$TTNV2_APP_ID" 2>/dev/null |
        sed -n 's/^.*"name":"\([^"]*\)".*$/\1/p' | grep -vx mydevice | head -n $some >$demo/device_ids.txt
    expect "lines in device_ids.txt" "$(lines device_ids.txt)" $some

    show 'ttn-lw-migrate device --source ttnv2 "mydevice" > mydevice.json'
    migrate device --source ttnv2 mydevice >$demo/mydevice.json
    show 'ttn-lw-migrate devices --verbose --dry-run --source ttnv2 < device_ids.txt > devices.dry-run.json 2> devices.log'
    migrate devices --verbose --dry-run --source ttnv2 \
        <$demo/device_ids.txt >$demo/devices.dry-run.json 2>$demo/devices.log
    show 'ttn-lw-migrate devices --source ttnv2 < device_ids.txt > devices.json'
    migrate devices --source ttnv2 <$demo/device_ids.txt >$demo/devices.json
    sandbox_stop
    expect "lines in mydevice.json" "$(lines mydevice.json)" 1
    expect "lines in devices.dry-run.json" "$(lines devices.dry-run.json)" $some
    expect "lines in devices.json" "$(lines devices.json)" $some
    expect "devices cleared in V2" "$(cleared some)" $((some + 1))
}

whole_application() {
    title "All devices into The Things Stack, in one go"
    start_v2 all
    echo "The Things Stack runs here too, with the empty application $TARGET_TTS_APP_ID."
    show 'ttn-lw-migrate plan ttnv2 application --to tts'
    migrate plan ttnv2 application --to tts
    show 'ttn-lw-migrate ttnv2 application --to tts --report report.html'
    migrate ttnv2 application --to tts --report $demo/report.html
    show 'ttn-lw-migrate verify > verified.txt'
    migrate verify >$demo/verified.txt
    expect "devices that are at The Things Stack as they should be" \
        "$(grep -c ': as it should be' $demo/verified.txt)" $devices

    title "And back"
    show 'ttn-lw-migrate rollback 2> rollback.log'
    # What V2 cannot take back (the nonces that it had seen) is told, with exit code 3.
    migrate rollback 2>$demo/rollback.log || [ $? -eq 3 ]
    tail -n 2 $demo/rollback.log
    sandbox_stop
    expect "devices that V2 has back" "$(cleared all)" 0
}

summary() {
    title "What happened"
    cat <<EOF_SUMMARY
In the first network all $devices devices moved from V2 into The Things Stack, were read back there, and went back to V2.
From the second, mydevice and a list of $some devices were migrated into files, as the guide has it: rehearsed with
--dry-run, then written as one line of JSON each and taken away from V2: $(cleared some) devices, as V2 itself counts them.

The output lies in $demo/:
    report.html                     the page about the large run
    mydevice.json, devices.json     devices for: ttn-lw-migrate json application - --to tts
    *.dry-run.json, *.log           the rehearsals and what --verbose tells
    some/v2.jsonl, all/v2.jsonl     every device as V2 had it at the end
    state/                          the journals of the real runs: for resume and rollback

The program is build/ttn-lw-migrate; build/ttn-lw-migrate help tells more.
EOF_SUMMARY
}

need build sandbox
build_program ttn-lw-migrate ttn-lw-sandbox || exit 1
rm -rf "$demo"
mkdir -p "$demo"
# The output holds keys; so do the journals, which stay with it.
umask 077
XDG_STATE_HOME=$(pwd)/$demo/state
export XDG_STATE_HOME
whole_application
try_some
summary
finished=1
