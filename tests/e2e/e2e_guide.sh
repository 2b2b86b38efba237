#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The commands of the published guide, typed exactly so, and each with the source first; with all aliases.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

devices=8

# What a user types needs the program in the PATH.
mkdir "$work/bin"
cat >"$work/bin/ttn-lw-migrate" <<END
#!/bin/sh
exec $RUNNER "$program" "\$@"
END
chmod +x "$work/bin/ttn-lw-migrate"
PATH=$work/bin:$PATH


# guide DEVICES OUTPUT COMMAND: a line as typed. DEVICES is a file with the names that the output has to hold.
guide() {
    status=0
    timeout -k 5 $((60 * SLACK)) sh -c "$3" 2>err || status=$?
    exits 0
    names "$2" >names.out
    same "devices in $2, after: $3" names.out "$1"
}

# dry DEVICES OUTPUT COMMAND...: none of the commands changes anything
dry() {
    dry_devices=$1
    dry_output=$2
    shift 2
    for command in "$@"; do
        rm -f "$dry_output"
        guide "$dry_devices" "$dry_output" "$command"
        world after
        unchanged before after
        told 'dry run'
    done
}

# real DEVICES OUTPUT WITH_SESSION COMMAND...: each against a fresh network
real() {
    real_devices=$1
    real_output=$2
    real_session=$3
    shift 3
    for command in "$@"; do
        start
        rm -f "$real_output"
        guide "$real_devices" "$real_output" "$command"
        world after
        released before after "$real_session" "$real_output"
        equal "devices changed by: $command" "$(written_to after)" "$(wc -l <"$real_output")"
    done
}

start() {
    sandbox_start --devices $devices
    world before
    all_names before >all
    echo mydevice >one
    sed -n 2,5p all >some
    cp some device_ids.txt
}

dry_runs() {
    start
    dry one devices.json \
        'ttn-lw-migrate devices --dry-run --verbose --source ttnv2 "mydevice" > devices.json' \
        'ttn-lw-migrate ttnv2 devices --dry-run --verbose "mydevice" > devices.json' \
        'ttn-lw-migrate ttnv2 device mydevice --dry-run --verbose > devices.json'
    dry some devices.json \
        'ttn-lw-migrate devices --verbose --dry-run --source ttnv2 < device_ids.txt > devices.json' \
        'ttn-lw-migrate ttnv2 devices --verbose --dry-run < device_ids.txt > devices.json' \
        'cat device_ids.txt | ttn-lw-migrate devices --dry-run --source=ttnv2 | cat > devices.json'
    dry all all-devices.json \
        'ttn-lw-migrate application --verbose --dry-run --source ttnv2 "my-ttn-app" > all-devices.json' \
        'ttn-lw-migrate ttnv2 application "my-ttn-app" --verbose --dry-run > all-devices.json' \
        'ttn-lw-migrate ttnv2 application my-ttn-app --dry-run --verbose > all-devices.json'
}

real_runs() {
    real one devices.json true \
        'ttn-lw-migrate device --source ttnv2 "mydevice" > devices.json' \
        'ttn-lw-migrate ttnv2 device "mydevice" > devices.json'
    real one devices.json false \
        'ttn-lw-migrate device --source ttnv2 --ttnv2.with-session=false "mydevice" > devices.json' \
        'ttn-lw-migrate ttnv2 device --with-session=false "mydevice" > devices.json' \
        'TTNV2_WITH_SESSION=false ttn-lw-migrate ttnv2 device "mydevice" > devices.json'
    real some devices.json true \
        'ttn-lw-migrate devices --source ttnv2 < device_ids.txt > devices.json' \
        'ttn-lw-migrate ttnv2 devices < device_ids.txt > devices.json'
    real all all-devices.json true \
        'ttn-lw-migrate application --source ttnv2 "my-ttn-app" > all-devices.json' \
        'ttn-lw-migrate ttnv2 application "my-ttn-app" > all-devices.json' \
        'ttn-lw-migrate ttnv2 application > all-devices.json'
}

help_commands() {
    for command in 'device --help' 'devices --help' 'help device' '--help' '-h' 'ttnv2 --help' 'help ttnv2' \
        'device --source ttnv2 --help' 'ttnv2 application -h'; do
        # shellcheck disable=SC2086 # several words
        good $command
        grep -q . out || fail "no help: $command"
        [ ! -s err ] || fail "help on standard error: $command"
    done
    good device --help
    for word in --ttnv2.app-id --ttnv2.with-session --dry-run TTNV2_APP_ACCESS_KEY FREQUENCY_PLAN_ID; do
        grep -qe "$word" out || fail "device --help does not tell $word"
    done
    for command in version --version; do
        good $command
        grep -qE '[0-9]+\.[0-9]+\.[0-9]+' out || fail "$command tells no version"
    done
    good sources
    mv out sources.1
    for alias in list-sources get-sources; do
        good $alias
        same "$alias" sources.1 out
    done
    grep -q ttnv2 sources.1 || fail "sources does not tell ttnv2"
}

# The guide for private networks: Discovery without TLS.
insecure_discovery() {
    start
    TTNV2_DISCOVERY_SERVER_ADDRESS=$SANDBOX_DISCOVERY_PLAIN
    unset TTNV2_CA_CERT
    dry all all-devices.json \
        'ttn-lw-migrate application --verbose --dry-run --source ttnv2 --ttnv2.discovery-server-insecure "my-ttn-app" > all-devices.json' \
        'ttn-lw-migrate ttnv2 application my-ttn-app --dry-run --discovery-server-insecure > all-devices.json' \
        'TTNV2_DISCOVERY_SERVER_INSECURE=true ttn-lw-migrate ttnv2 application my-ttn-app --dry-run > all-devices.json'
    told 'warning.*without TLS'
    guide one devices.json \
        'ttn-lw-migrate device --source ttnv2 --ttnv2.discovery-server-insecure "mydevice" > devices.json'
    world after
    released before after true devices.json
}

aliases() {
    start
    for alias in application applications apps app a; do
        dry all out.json "ttn-lw-migrate $alias --dry-run --source ttnv2 my-ttn-app > out.json" \
            "ttn-lw-migrate ttnv2 $alias --dry-run my-ttn-app > out.json"
    done
    for alias in device end-devices end-device devices devs dev d; do
        dry one out.json "ttn-lw-migrate $alias --dry-run --source ttnv2 mydevice > out.json" \
            "ttn-lw-migrate ttnv2 $alias --dry-run mydevice > out.json"
    done
}

# Every setting as a flag, in both forms of command; a flag wins over its variable.
flags() {
    start
    set -- --ttnv2.app-id="$TTNV2_APP_ID" --ttnv2.app-access-key "$TTNV2_APP_ACCESS_KEY" \
        --ttnv2.frequency-plan-id "$FREQUENCY_PLAN_ID" --ttnv2.ca-cert "$TTNV2_CA_CERT" \
        --ttnv2.discovery-server-address "$TTNV2_DISCOVERY_SERVER_ADDRESS" --ttnv2.with-session=true \
        --ttnv2.discovery-server-insecure=false --ttnv2.resets-to-frequency-plan=false
    export FREQUENCY_PLAN_ID=NO_SUCH_PLAN TTNV2_APP_ID=no-such-app TTNV2_APP_ACCESS_KEY=ttn-account-v2.no
    export TTNV2_DISCOVERY_SERVER_ADDRESS=localhost:1 TTNV2_CA_CERT=/nowhere
    good "$@" device --source ttnv2 --dry-run mydevice
    equal lines "$(names out)" mydevice
    good ttnv2 device mydevice --dry-run "$@"
    equal lines "$(names out)" mydevice
    world after
    unchanged before after
}

run_case "dry runs" dry_runs
run_case "real runs" real_runs
run_case "help, version, sources" help_commands
run_case "Discovery without TLS" insecure_discovery
run_case "aliases" aliases
run_case "settings as flags" flags
end_cases
