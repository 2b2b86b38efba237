#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Private deployments: a Handler without Discovery, an Account Server, certificates of one's own.
# shellcheck disable=SC2016,SC2034,SC2086,SC2094,SC2317 # filters for jq; the program's variables; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# all_devices ARGUMENT...: a dry run, and nothing changed
all_devices() {
    good ttnv2 application --dry-run "$@"
    equal "devices in the output" "$(line_count out)" 8
}

handler_address() {
    sandbox_start --devices 8
    world before
    # Only what is given is used: no Discovery is there.
    TTNV2_DISCOVERY_SERVER_ADDRESS=localhost:1
    all_devices --handler-address "$SANDBOX_HANDLER"
    all_devices --handler-address "https://$SANDBOX_HANDLER"
    TTNV2_HANDLER_ADDRESS=$SANDBOX_HANDLER good ttnv2 application --dry-run
    ca=$TTNV2_CA_CERT
    unset TTNV2_CA_CERT
    all_devices --handler-address "http://$SANDBOX_HANDLER_PLAIN"
    all_devices --handler-address "$SANDBOX_HANDLER_PLAIN" --discovery-server-insecure
    all_devices --handler-address "$SANDBOX_HANDLER" --ca-cert "$ca"
    equal "calls to Discovery" "$(calls GetByAppID)" 0
    world after
    unchanged before after
    good ttnv2 application --handler-address "http://$SANDBOX_HANDLER_PLAIN"
    world after
    released before after true out
}

# refused PATTERN ARGUMENT...
refused() {
    pattern=$1
    shift
    migrate ttnv2 application --timeout 2s "$@"
    exits 1
    told "error: .*($pattern)"
    less milliseconds "$elapsed" $((4000 * SLACK))
    equal "bytes of output" "$(wc -c <out)" 0
}

not_trusted() {
    sandbox_start --devices 8
    world before
    ca=$TTNV2_CA_CERT
    # A certificate of another sandbox: the same names, another key.
    mkdir other
    (
        HOME=$HOME/other
        cd "$HOME"
        trap sandbox_stop EXIT
        sandbox_pid=
        sandbox_start --devices 0
        cp "$TTNV2_CA_CERT" ca.pem
    )
    refused 'certificate' --ca-cert other/ca.pem
    refused 'certificate' --ca-cert other/ca.pem --handler-address "$SANDBOX_HANDLER"
    unset TTNV2_CA_CERT
    refused 'certificate'
    refused 'certificate' --handler-address "$SANDBOX_HANDLER"
    # The right certificate for another name.
    port=${SANDBOX_HANDLER##*:}
    refused 'certificate|name' --ca-cert "$ca" --handler-address "ip6-loopback.localhost:$port"
    refused '' --handler-address "http://$SANDBOX_HANDLER"
    refused '' --handler-address "$SANDBOX_HANDLER_PLAIN" --ca-cert "$ca"
    equal "calls of any kind" "$(all_calls)" 0
    # Both in one file is fine.
    cat other/ca.pem "$ca" >both.pem
    all_devices --ca-cert both.pem
    for file in /nowhere before /dev/null; do
        migrate ttnv2 application --dry-run --ca-cert $file
        exits 2
        told 'ca-cert|certificate'
    done
    world after
    unchanged before after
}

# The Handler is told by a certificate that is announced: the file of --ca-cert is for Discovery.
announced_certificate() {
    sandbox_start --devices 8
    TTNV2_DISCOVERY_SERVER_ADDRESS=$SANDBOX_DISCOVERY_PLAIN
    unset TTNV2_CA_CERT
    all_devices --discovery-server-insecure
    told 'warning.*without TLS'
}

# An empty certificate in the announcement: the system's roots and --ca-cert. The sandbox announces its Handler
# without TLS then, so that TLS to it has to fail.
empty_certificate() {
    sandbox_start --devices 8 --plain-handler
    refused 'Handler'
    equal "calls to the Handler" "$(($(all_calls) - $(calls GetByAppID)))" 0
}

account_server() {
    for address in SANDBOX_ACCOUNT_SERVER SANDBOX_ACCOUNT_SERVER_TLS; do
        sandbox_start --devices 8
        world before
        eval "address=\$$address"
        before_calls=$(token_calls)
        all_devices --account-server-address "$address"
        equal "tokens" "$(($(token_calls) - before_calls))" 1
        TTNV2_ACCOUNT_SERVER_CLIENT_ID=client TTNV2_ACCOUNT_SERVER_CLIENT_SECRET=secret \
            good ttnv2 application --dry-run --account-server-address "$address"
        world after
        unchanged before after
        good ttnv2 application --account-server-address "$address" --account-server-client-id client \
            --account-server-client-secret secret
        world after
        released before after true out
        sandbox_stop
    done
}

token_calls() {
    curl -sSf "$SANDBOX_HTTP/state?devices=0" | jq '[.calls | to_entries[] | select(.key | test("token")) | .value.calls] | add // 0'
}

# Without one of its flags, no Account Server is asked.
no_account_server() {
    sandbox_start --devices 8
    all_devices
    equal "tokens" "$(token_calls)" 0
}

account_server_with_faults() {
    sandbox_start --devices 8
    world before
    for fault in token:unavailable:count=2 token:reset-before:at=1 token:reset-after:at=1 token:delay=300ms; do
        faults $fault
        all_devices --account-server-address "$SANDBOX_ACCOUNT_SERVER"
        no_faults
    done
    for fault in token:internal token:garbage token:empty token:deadline token:oversized token:garbage-http; do
        faults $fault
        refused 'Account Server' --account-server-address "$SANDBOX_ACCOUNT_SERVER"
        no_faults
    done
    refused 'localhost:1' --account-server-address http://localhost:1
    unset TTNV2_CA_CERT
    TTNV2_DISCOVERY_SERVER_ADDRESS=$SANDBOX_DISCOVERY_PLAIN
    refused 'certificate' --discovery-server-insecure --account-server-address "$SANDBOX_ACCOUNT_SERVER_TLS"
    TTNV2_APP_ACCESS_KEY=ttn-account-v2.wrong
    refused 'access.key|Account Server' --discovery-server-insecure --account-server-address "$SANDBOX_ACCOUNT_SERVER"
    # The Handler exchanges the key, and does not know the server that the key names.
    TTNV2_APP_ACCESS_KEY=somebody-else.wrong
    refused 'Auth server "somebody-else" not registered' --discovery-server-insecure
    told 'try: check --ttnv2.app-access-key: what is before its dot'
    equal "calls to SetDevice" "$(calls SetDevice)" 0
    world after
    unchanged before after
}

# A token that runs out is renewed, whatever the run is doing: reading the list, devices, or looking once more.
tokens_run_out() {
    for fault in GetDevicesForApplication:token-expired:at=1 GetDevicesForApplication:token-expired:at=2 \
        GetDevice:token-expired:at=1 GetDevice:token-expired:at=9 SetDevice:token-expired:at=1 \
        SetDevice:token-expired:at=20 GetDevice:token-expired:at=31 GetDevice:token-expired:at=37; do
        sandbox_start --devices 30
        world before
        faults $fault
        good ttnv2 application --account-server-address "$SANDBOX_ACCOUNT_SERVER"
        world after
        released before after true out
        equal "devices in the output" "$(line_count out)" 30
        equal "faults" "$(jq '[.calls[].faults] | add' after)" 1
        less "tokens ($fault)" "$(token_calls)" 5
        [ "$(token_calls)" -ge 2 ] || fail "the token was not renewed"
        sandbox_stop
    done
}

# Many in flight are refused at once, as it is when a token runs out.
tokens_run_out_for_many() {
    sandbox_start --devices 60 --latency 10ms
    world before
    faults GetDevice:token-expired:count=12
    good ttnv2 application --account-server-address "$SANDBOX_ACCOUNT_SERVER" --concurrency 16
    world after
    released before after true out
    equal "devices in the output" "$(line_count out)" 60
    less "tokens" "$(token_calls)" 14
}

# New tokens are refused, too: an error, not an endless exchange.
tokens_that_are_refused() {
    for method in GetDevicesForApplication GetDevice SetDevice; do
        sandbox_start --devices 8
        world before
        faults $method:token-expired
        migrate ttnv2 application --account-server-address "$SANDBOX_ACCOUNT_SERVER"
        exits 1
        told 'error: .*(token|credentials)'
        less "tokens" "$(token_calls)" 30
        world after
        unchanged before after
        sandbox_stop
    done
}

run_case "--handler-address" handler_address
run_case "servers that are not trusted" not_trusted
run_case "the announced certificate" announced_certificate
run_case "an empty certificate" empty_certificate
run_case "Account Server" account_server
run_case "no Account Server" no_account_server
run_case "Account Server with faults" account_server_with_faults
run_case "tokens run out" tokens_run_out
run_case "tokens run out for many at once" tokens_run_out_for_many
run_case "tokens that are refused" tokens_that_are_refused
end_cases
