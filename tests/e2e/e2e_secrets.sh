#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No key of a device, access key, client secret or token is on standard error, among a process's arguments, or in
# a file that others can read.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

client_secret=not-to-be-told-0123456789

# secrets STATE: every secret of the world, one a line, as hex and as base64 tell it
secrets() {
    {
        jq -r '.devices[] | .app_key, .nwk_s_key, .app_s_key' "$1" | grep -v '^0*$' | sort -u >secrets.hex
        cat secrets.hex
        while read -r key; do
            # shellcheck disable=SC2059 # the key as bytes
            printf "$(echo "$key" | sed 's/../\\x&/g')" 2>/dev/null | base64
        done <secrets.hex | grep -v '^$' || true
        echo "$TTNV2_APP_ACCESS_KEY"
        echo "$SANDBOX_KEY_DEVICES_ONLY"
        echo "$SANDBOX_ACCOUNT_TOKEN"
        echo "$client_secret"
        printf 'client:%s' "$client_secret" | base64
    } >secrets
}

# kept_secret FILE WHAT: the file holds none of them, nor a token
kept_secret() {
    if grep -qiFf secrets "$1"; then fail "a secret is told: $2 (not shown)"; fi
    if grep -q 'eyJ[A-Za-z0-9_-]*\.eyJ' "$1"; then fail "a token is told: $2 (not shown)"; fi
}

network() {
    sandbox_start --devices 25 --broken
    world before
    secrets before
    [ "$(wc -l <secrets)" -gt 60 ] || fail "too few secrets for this test"
    # The test must be able to see one.
    head -n 1 secrets >err.sample
    grep -qiFf secrets err.sample || fail "a secret would not be seen"
    rm err.sample
}

# quiet ARGUMENT...: whatever it ends with
quiet() {
    for log in '--verbose' '--verbose --log-format json' '--verbose --progress always'; do
        migrate "$@" $log
        kept_secret err "$* $log"
    done
}

runs() {
    network
    quiet ttnv2 application --dry-run --keep-going
    quiet ttnv2 application --dry-run
    quiet ttnv2 device mydevice no-such-device
    quiet ttnv2 device mydevice broken-otaa-half-session broken-description-utf8 --keep-going
    quiet ttnv2 application --keep-going
    quiet ttnv2 application --keep-going --output devices.json
    quiet ttnv2 device mydevice --account-server-address "$SANDBOX_ACCOUNT_SERVER" --dry-run
    TTNV2_ACCOUNT_SERVER_CLIENT_ID=client
    TTNV2_ACCOUNT_SERVER_CLIENT_SECRET=$client_secret
    export TTNV2_ACCOUNT_SERVER_CLIENT_ID TTNV2_ACCOUNT_SERVER_CLIENT_SECRET
    quiet ttnv2 device mydevice --account-server-address "$SANDBOX_ACCOUNT_SERVER" --dry-run
    quiet ttnv2 device mydevice --account-server-address http://localhost:1 --timeout 500ms
    quiet help ttnv2
    quiet ttnv2 device --help
    kept_secret out "help"
}

wrong_usage() {
    network
    quiet ttnv2 device mydevice --app-acess-key "$TTNV2_APP_ACCESS_KEY"
    quiet ttnv2 device mydevice --app-access-key "$TTNV2_APP_ACCESS_KEY" --no-such-flag
    quiet ttnv2 device mydevice --app-access-key="$TTNV2_APP_ACCESS_KEY" --concurrency many
    quiet ttnv2 device mydevice --account-server-client-secret "$client_secret" --account-server-address 'http://['
}

faulty_networks() {
    network
    for fault in GetDevice:garbage:at=2 GetDevice:empty:at=2 GetDevice:oversized=5000000:at=2 \
        SetDevice:internal:at=2 SetDevice:reset-after:at=2 SetDevice:garbage:at=1 GetDevicesForApplication:garbage:at=1 \
        GetByAppID:garbage:at=1 GetDevice:garbage-http:at=1 GetDevice:internal:every=3; do
        faults $fault
        quiet ttnv2 application --keep-going --dry-run
        no_faults
        faults $fault
        quiet ttnv2 device mydevice dev-000001 dev-000002 dev-000003 --keep-going
        no_faults
    done
    for key in "$SANDBOX_KEY_DEVICES_ONLY" "$SANDBOX_KEY_SETTINGS_ONLY" "${TTNV2_APP_ACCESS_KEY}x"; do
        echo "$key" >>secrets
        TTNV2_APP_ACCESS_KEY=$key
        quiet ttnv2 application --dry-run --keep-going
        quiet ttnv2 application --dry-run --keep-going --account-server-address "$SANDBOX_ACCOUNT_SERVER"
    done
}

# The arguments of the process while it runs; with keys in the environment or in files.
arguments() {
    network
    faults GetDevice:delay=1s
    printf '%s\n' "$TTNV2_APP_ACCESS_KEY" >key
    printf '%s\n' "$client_secret" >client-secret
    unset TTNV2_APP_ACCESS_KEY
    begin ttnv2 application --dry-run --keep-going --verbose --app-access-key-file key \
        --account-server-client-id client --account-server-client-secret-file client-secret \
        --account-server-address "$SANDBOX_ACCOUNT_SERVER"
    TTNV2_APP_ACCESS_KEY=$(cat key)
    until_true 10 called GetDevice || fail "GetDevice is not called"
    for file in "/proc/$pid/cmdline" "/proc/$pid/comm" "/proc/$pid/task"/*/comm; do
        tr '\0' '\n' <"$file" >seen
        [ -s seen ] || fail "$file is empty"
        kept_secret seen "$file"
    done
    end_within 20000
    exits 3
    kept_secret err "keys from files"
}

called() {
    [ "$(calls "$1")" -gt 0 ]
}

# What lies in files belongs to the user alone; no core is dumped.
files() {
    umask 000
    network
    begin ttnv2 application --keep-going --output devices.json
    cp "/proc/$pid/limits" limits
    end_within 30000
    exits 3
    until_true 1 test -s limits || fail "no limits seen"
    {
        status=0
        bounded ttnv2 device mydevice dev-000001 --keep-going 2>err || status=$?
    } | cat >out
    find . -type f -size +0 ! -name 'secrets*' ! -name before ! -name out ! -name 'sandbox.*' -perm /077 >open
    while read -r file; do kept_secret "$file" "a file that others can read: $file"; done <open
    equal "mode of the output" "$(stat -c %a devices.json)" 600
    # What a run keeps for itself while it runs is gone afterwards.
    find "$HOME" /tmp -maxdepth 2 -newer before -user "$(id -un)" -name '*ttn-lw-migrate*' ! -path '*/.local/*' >left
    equal "files that are left" "$(grep -cv '^\./' left || true)" 0
}

# A file that others could read gets a warning.
exposed_output() {
    network
    umask 022
    good ttnv2 device mydevice --dry-run
    told 'other users'
    umask 077
    rm out
    good ttnv2 device mydevice --dry-run
    silent_on 'other users'
}

run_case "runs" runs
run_case "wrong usage" wrong_usage
run_case "networks with faults" faulty_networks
run_case "arguments of the process" arguments
run_case "files" files
run_case "standard output that others can read" exposed_output
end_cases
