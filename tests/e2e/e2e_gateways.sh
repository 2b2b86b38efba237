#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Gateways: listed, created at the target, taken back, and sent to another network.
# shellcheck disable=SC2016,SC2086,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# start ARGUMENT...: a sandbox, with the keys of those whom the gateways belong to
start() {
    sandbox_start "$@"
    export TTNV2_ACCOUNT_TOKEN="$SANDBOX_ACCOUNT_TOKEN" TTNV2_ACCOUNT_SERVER_ADDRESS="$SANDBOX_ACCOUNT_SERVER"
    export TTS_APP_API_KEY="$SANDBOX_TTS_KEY_USER" TARGET_TTS_APP_API_KEY="$SANDBOX_TTS_KEY_USER"
    unset TTNV2_APP_ID TTNV2_APP_ACCESS_KEY FREQUENCY_PLAN_ID TTS_APP_ID
}

# there: IDs of the target's gateways
there() {
    world state
    jq -r '.tts_gateways[] | select(.deleted | not) | .gateway_id' state
}

# of ID MEMBER [STATE]: what the cluster keeps of a gateway
of() {
    jq -r --arg id "$1" --arg member "$2" '.tts_gateways[] | select(.gateway_id == $id) | .[$member]' "${3:-state}"
}

# in_words_of_gateways: whatever was told spoke of gateways
in_words_of_gateways() {
    # The hints of options, and what a redirect says of Basics Station, are the same for both.
    if grep -iE 'device' err; then fail "a run about gateways speaks of devices"; fi
}

# gateways ARGUMENT...: a run that has to end well, and speaks of gateways
gateways() {
    good "$@"
    in_words_of_gateways
}

words() {
    start
    gateways ttnv2 gateway --progress always
    gateways ttnv2 gateway --to tts --dry-run
    gateways plan ttnv2 gateway --to tts
    grep -q '^Gateways from' out || fail "the plan does not say that it is about gateways"
    if grep -i device out; then fail "the plan speaks of devices"; fi
    gateways plan ttnv2 gateway --to tts --json
    equal "members" "$(jq -c 'keys' out)" '["failed","found","gateways","ready","skipped"]'
    equal "gateways" "$(jq '[.gateways[] | select(.gateway_id and (.device_id | not))] | length' out)" 5
    faults "GatewayRegistry/Create:internal:at=2"
    migrate ttnv2 gateway --to tts --keep-going
    exits 3
    in_words_of_gateways
    told '4 gateways brought to'
    told 'error: gateway eui-'
    run=$(find "$HOME/.local/state/ttn-lw-migrate" -name '*.journal')
    gateways status "$run"
    if grep -i device out; then fail "status speaks of devices"; fi
    gateways status "$run" --json
    equal "failures" "$(jq '[.failures[] | select(.gateway_id)] | length' out)" 1
    gateways status --list
    grep -q '4 gateways at the target' out || fail "the list does not tell of gateways"
    gateways report "$run"
    grep -q '4 of 5 gateways are at the target' out || fail "the report does not tell of gateways"
    if grep -i 'device[^-]' out | grep -v viewport; then fail "the report speaks of devices"; fi
    migrate verify "$run"
    exits 2
    migrate rollback "$run" none-such
    exits 1
    told 'gateway none-such is not in this run'
    in_words_of_gateways
    gateways resume --failed "$run"
    told '1 gateway is tried again'
    gateways rollback "$run" --dry-run
    gateways rollback "$run"
    told '5 gateways put back'
    migrate ttnv2 gateway --to tts --log-format json
    exits 1
    if grep -i device err; then fail "the log speaks of devices"; fi
}

lists() {
    start --tts-devices 1
    good ttnv2 gateway
    equal "lines" "$(line_count out)" 5
    equal "EUI" "$(jq -r '.ids.eui // "none"' out | tr '\n' ' ')" \
        "B827EBFFFE000001 B827EBFFFE000002 00800000A0000003 none AA555A0000000005 "
    equal "plans" "$(jq -r .frequency_plan_id out | sort -u | tr '\n' ' ')" "AS_920_923 EU_863_870_TTN US_902_928_FSB_2 "
    equal "changes" "$(calls GatewayRegistry/Create)" 0
    printf '# mine\n eui-b827ebfffe000002 \r\n' >ids
    good ttnv2 gtws --dry-run <ids
    equal "placement" "$(jq -r '.antennas[0].placement' out)" INDOOR
    good ttnv3 g --output lines.json
    equal "IDs" "$(jq -r .ids.gateway_id lines.json | tr '\n' ' ')" "my-cellar my-roof "
    migrate ttnv2 gateway eui-b827ebfffe000001 none-such --keep-going
    exits 3
    equal "lines" "$(line_count out)" 1
    told none-such
    # Only their owner has them.
    TTS_APP_API_KEY=$TARGET_TTS_APP_API_KEY
    migrate tts gateway --tts.app-api-key "$(sed -n "s/^export TARGET_TTS_APP_API_KEY='\(.*\)'/\1/p" sandbox.env)"
    exits 1
    told "an application"
    TTNV2_ACCOUNT_TOKEN=wrong
    migrate ttnv2 gateway
    exits 1
    told "ttnv2.account-token"
    unset TTNV2_ACCOUNT_TOKEN
    migrate ttnv2 gateway
    exits 2
    migrate ttnv2 gateway --to csv --ttnv2.account-token x
    exits 2
    migrate ttnv2 gateway --redirect --to tts --ttnv2.account-token x
    exits 2
}

creates() {
    start
    good ttnv2 gateway --to tts --dry-run
    good plan ttnv2 gateway --to tts
    equal "ready" "$(grep -c '5  can go' out)" 1
    equal "gateways" "$(there)" ""
    [ ! -e "$HOME/.local/state/ttn-lw-migrate" ] || fail "a dry run left a journal"
    good ttnv2 gateway --to tts
    equal "gateways" "$(there | wc -l)" 5
    good status
    equal "read back" "$(sed -n 's/^verified *//p' out)" 5
    good tts gateway
    cp out made
    good ttnv2 gateway
    jq -cS 'del(.gateway_server_address)' made | sort >a
    jq -cS . out | sort >b
    same "what was made" a b
    # The same once more is done already; the way back of that run takes nothing away.
    good ttnv2 gateway --to tts
    told "5 there already"
    good rollback
    equal "gateways" "$(there | wc -l)" 5
    first=$(find "$HOME/.local/state/ttn-lw-migrate" -name '*.journal' | sort | head -1)
    good rollback "$first" eui-b827ebfffe000001
    equal "gateways" "$(there | wc -l)" 4
    good report "$first" --output run.html
    good rollback "$first"
    equal "gateways" "$(there)" ""
    migrate verify "$first"
    exits 2
    # Their IDs stay taken; what the target refuses is nobody's to take away.
    migrate ttnv2 gateway --to tts --keep-going
    exits 3
    told "id_taken"
    told "5 failed"
    good rollback
}

# height: that of my-roof at the target
height() {
    good tts gateway my-roof
    jq '.antennas[0].location.altitude' out
}

# The target has gateways of these IDs and EUIs with other data.
conflicts() {
    other_network --tts-devices 1 --seed 2
    equal "height" "$(height)" 32
    migrate tts gateway $source_flags --to tts
    exits 1
    told "other data: antennas"
    equal "updates" "$(calls GatewayRegistry/Update)" 0
    good tts gateway $source_flags --to tts --on-conflict skip
    told "2 left alone"
    equal "height" "$(height)" 32
    good tts gateway $source_flags --to tts --on-conflict update
    equal "height" "$(height)" 31
    good rollback
    equal "height" "$(height)" 32
    # An EUI that another gateway has.
    migrate ttnv2 gateway --to tts --keep-going
    exits 3
    told "eui-b827ebfffe000001.*gateway_eui_taken"
    equal "gateways" "$(there | wc -l)" 5
    good rollback
    equal "gateways" "$(there | tr '\n' ' ')" "my-cellar my-roof "
}

# other_network [ARGUMENT...]: a second sandbox becomes the target; the first one the source, in $source_flags
other_network() {
    start --tts-devices 1
    source_http=$SANDBOX_HTTP
    source_flags="--tts.app-api-key $SANDBOX_TTS_KEY_USER --tts.insecure"
    for server in IDENTITY NETWORK APPLICATION JOIN; do
        name=$(echo $server | tr '[:upper:]' '[:lower:]')
        eval "source_flags=\"\$source_flags --tts.$name-server-grpc-address \$SANDBOX_TTS_${server}_SERVER_PLAIN\""
    done
    first=$sandbox_pid
    sandbox_pid=
    start "$@"
    trap 'kill $first; sandbox_stop' EXIT
}

# source_state: of the source to `source`
source_state() {
    curl -sSf --max-time 60 "$source_http/state" >source
}

redirects() {
    other_network
    source_state
    cp source before
    good plan tts gateway $source_flags --to tts --redirect
    told "nothing here brings it back"
    good tts gateway $source_flags --to tts --redirect my-roof
    source_state
    there >/dev/null
    equal "address" "$(of my-roof target_cups_uri source)" "https://localhost:443"
    key=$(of my-roof target_cups_key.value source)
    equal "form of the key" "${key%%.*}" NNSXS
    equal "the other gateway" "$(of my-cellar target_cups_uri source)" ""
    secret=$(of my-roof lbs_lns_secret.value)
    equal "form of the secret" "${secret%%.*}" NNSXS
    [ "$secret" != "$key" ] || fail "the same key for both"
    if grep -qF "$key" out err; then fail "a key is told"; fi
    # Where it leads to and the key are in one call.
    equal "updates at the source" "$(jq '.calls["GatewayRegistry/Update"].calls' source)" 1
    good rollback
    source_state
    equal "the source's gateways" "$(jq -c .tts_gateways source)" "$(jq -c .tts_gateways before)"
    equal "gateways" "$(there)" ""
}

redirects_with_a_key() {
    other_network
    echo "NNSXS.MADEUP.KEY" >key
    good tts gateway $source_flags --to tts --redirect --redirect-key-file key \
        --to.tts.cups-uri https://cups.example:8443
    source_state
    equal "key" "$(of my-roof target_cups_key.value source)" NNSXS.MADEUP.KEY
    equal "address" "$(of my-cellar target_cups_uri source)" https://cups.example:8443
    equal "keys made" "$(calls GatewayAccess/CreateAPIKey)" 2
    migrate tts gateway $source_flags --to tts --redirect-key-file key
    exits 2
    # Somebody has sent it elsewhere meanwhile: that stays.
    good rollback
    source_state
    equal "address" "$(of my-cellar target_cups_uri source)" ""
}

# A change whose answer is lost, and a run that ends in between.
interrupted() {
    start
    faults "GatewayRegistry/Create:reset-after:count=1"
    good ttnv2 gateway --to tts
    equal "gateways" "$(there | wc -l)" 5
    good rollback
    start
    faults "GatewayRegistry/Create:internal:at=3"
    migrate ttnv2 gateway --to tts
    exits 1
    equal "gateways" "$(there | wc -l)" 2
    good resume --failed
    equal "gateways" "$(there | wc -l)" 5
    good rollback
    equal "gateways" "$(there)" ""
}

one_cluster() {
    start --tts-devices 1
    good tts gateway --to tts --redirect --to.tts.gateway-server-address new.example
    there >ids
    equal "gateways" "$(tr '\n' ' ' <ids)" "my-cellar my-roof "
    equal "address" "$(of my-roof gateway_server_address)" new.example
    equal "CUPS" "$(of my-roof target_cups_uri)" ""
    good rollback
    there >ids
    equal "address" "$(of my-roof gateway_server_address)" localhost
    equal "gateways" "$(tr '\n' ' ' <ids)" "my-cellar my-roof "
}

# Wanesy's table: columns by their names, in any order; what cannot be is told with its line.
from_a_table() {
    printf '\357\273\277region,name,EUI,eth0MAC,fleetName,fleetId,latitude,longitude,altitude,description,other\r\n' >table
    printf 'EU868,Roof,7076FF0000000001,x,Plant,1,52.5,-4.25,12,"On, the roof",y\r\n' >>table
    printf 'KR920,null,1234567,NULL,NULL,2,,,,,\r\n' >>table
    start
    good wanesy gateway --csv-path table
    equal "IDs, in their order" "$(jq -r .ids.gateway_id out | tr '\n' ' ')" "eui-7076ff0000000001 eui-0000000001234567 "
    equal "EUIs" "$(jq -r .ids.eui out | tr '\n' ' ')" "7076FF0000000001 0000000001234567 "
    equal "plans" "$(jq -c .frequency_plan_ids out | tr '\n' ' ')" '["EU_863_870"] ["KR_920_923_TTN"] '
    equal "the rest" "$(head -n 1 out | jq -c '[.name, .description, .attributes, (.antennas[0].location | .latitude, .longitude, .altitude)]')" \
        '["Roof","On, the roof",{"wanesy-fleet":"Plant"},52.5,-4.25,12]'
    equal "nothing" "$(tail -n 1 out | jq -c '[.name, .antennas, .attributes]')" '[null,null,{"wanesy-fleet":"2"}]'
    told "eui-0000000001234567: eui: had lost its leading zeros"
    good wanesy gateway eui-0000000001234567 --csv-path table
    equal "ID" "$(jq -r .ids.gateway_id out)" eui-0000000001234567
    good wanesy gateway <table
    equal "lines" "$(line_count out)" 2
    migrate wanesy gateway eui-7076ff0000000009 --csv-path table
    exits 1
    told "no gateway eui-7076ff0000000009"
    good wanesy gateway --csv-path table --to tts --dry-run
    equal "gateways" "$(there)" ""
    good wanesy gateway --csv-path table --to tts
    equal "gateways" "$(there | sort | tr '\n' ' ')" "eui-0000000001234567 eui-7076ff0000000001 "
    equal "name" "$(of eui-7076ff0000000001 name)" Roof
    rm table
    good rollback
    equal "gateways" "$(there)" ""
}

bad_tables() {
    printf 'eui,region,latitude,longitude\n7076FF0000000001,EU868,,\n7076FF0000000002,MARS,,\n7076FF0000000003,US915,,\n,EU868,,\n1.2E+15,EU868,,\n7076FF0000000004,EU868,x,1\n' >table
    migrate wanesy gateway --csv-path table --keep-going
    exits 3
    equal "lines" "$(line_count out)" 1
    told "line 3: its frequency plan is not known: its region is MARS"
    told "line 4: its frequency plan is not known: its region is US915"
    told "line 5: eui: the EUI is missing"
    told "line 6: eui: a spreadsheet has made a rounded number"
    told "line 7: latitude: "
    migrate wanesy gateway --csv-path table --keep-going --frequency-plan-id US_902_928_FSB_2
    exits 3
    equal "plans" "$(jq -r '[.ids.eui, .frequency_plan_id] | join(" ")' out | tr '\n' ' ')" \
        "7076FF0000000002 US_902_928_FSB_2 7076FF0000000003 US_902_928_FSB_2 "
    told "line 2: its region is EU868, of which frequency plan US_902_928_FSB_2 is none"
    printf 'eui,region\n7076FF0000000001,EU868\n7076ff0000000001,EU868\n' >twice
    migrate wanesy gateway --csv-path twice --keep-going
    exits 1
    told "gateway eui-7076ff0000000001 stands in line 2 and in line 3"
    migrate wanesy gateway --csv-path "$vectors/wanesy/devices.csv"
    exits 1
    told "names no column eui"
    migrate wanesy gateway --csv-path table --redirect --to tts
    exits 2
}

run_case "runs about gateways speak of gateways" words
run_case "gateways are listed, converted and written" lists
run_case "gateways are created, and taken away again" creates
run_case "gateways that the target has with other data" conflicts
run_case "a redirect by CUPS, and the way back" redirects
run_case "a redirect with a key of the user's own" redirects_with_a_key
run_case "lost answers and interrupted runs" interrupted
run_case "a redirect inside one cluster" one_cluster
run_case "from a table of Wanesy" from_a_table
run_case "tables that are no good" bad_tables
end_cases
