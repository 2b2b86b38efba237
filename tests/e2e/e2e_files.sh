#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files as sources, and the command `validate`: no network is needed.
# shellcheck disable=SC2002,SC2016,SC2031,SC2086,SC2094,SC2317 # pipes on purpose; filters for jq; lists of words; run_case calls
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

# devices FILE: JSON lines that The Things Stack wrote, with sessions, MAC states and texts of every kind
devices() {
    xz -dc "$vectors/tts/devices.jsonl.xz" | jq -c .read >"$1"
}

json_round_trip() {
    devices all
    good json application <all
    jq -S . all >all.sorted
    jq -S . out >out.sorted
    same "what a server gave" all.sorted out.sorted
    cp out first
    good json application - --json.file first
    same "JSON that was written here" first out
    equal devices "$(line_count out)" "$(wc -l <all)"
    for form in . '[.]' '{ids: .ids} + .'; do
        jq "$form" first >other
        good json application <other
        same "the form $form" first out
    done
    jq -s . first >list
    good application --source json --json.file=list
    same "a list" first out
    cat first | good json application
    same "a pipe" first out
    JSON_FILE=first good json application --output written
    same "--output" first written
}

json_ids() {
    devices all
    good json device --file all mig-000003 mig-000001
    equal "devices in the order that was asked for" "$(jq -r .ids.device_id out | tr '\n' ' ')" "mig-000003 mig-000001 "
    jq -r .ids.device_id all | tail -n 3 >ids
    good json device --file all <ids
    jq -r .ids.device_id out >seen
    same "devices of a list of IDs" seen ids
    migrate json device --file all mig-000001 nobody
    exits 1
    told 'no device nobody'
    equal "bytes of output" "$(wc -c <out)" 0
    migrate json device --file all --keep-going mig-000001 nobody
    exits 3
    told 'nobody.*is not in the file'
    equal "lines" "$(line_count out)" 1
    migrate json device <all
    exits 2
    good json device mig-000001 <all
    good json application --file all --dev-id-prefix old
    equal "prefixed IDs" "$(jq -r .ids.device_id out | grep -c '^old-')" "$(wc -l <all)"
    equal "devices with an old ID" "$(jq -r '.attributes["old-id"]' out | grep -c -v null)" "$(wc -l <all)"
    equal "old ID that was there" "$(jq -r '.attributes["old-id"]' out | grep -c '^mig_')" "$(grep -c '"old-id":"mig_' all)"
}

json_applications() {
    devices any
    jq -c '.ids.application_ids.application_id = "test-app"' any >one
    jq -c '.ids.application_ids.application_id = "other-app" | .ids.device_id += "-b" | .ids.dev_eui |= "7" + .[1:8] + "FF" + .[10:]' \
        one >two
    cat one two >both
    good json application --file both test-app
    equal "devices of one" "$(jq -r .ids.application_ids.application_id out | uniq -c | tr -d ' ')" "$(wc -l <one)test-app"
    good json application --file both other-app test-app
    equal "devices of both" "$(line_count out)" "$(wc -l <both)"
    good json application --file both
    equal "all devices" "$(line_count out)" "$(wc -l <both)"
    cat both | {
        migrate json application other-app test-app
        exits 1
        told 'can be read only once'
    }
    migrate json application --file both nobody
    exits 1
    told 'no device of application nobody'
}

json_refuses() {
    devices all
    (cat all && head -n 2 all) >twice
    migrate json application --file twice
    exits 1
    told 'mig-[0-9]* stands in line 1 and in line 37'
    equal "bytes of output" "$(wc -c <out)" 0
    jq -c '.ids.device_id += "-b"' all | head -n 1 >>all
    migrate json application --file all
    exits 1
    told 'DevEUI .* stands in line 1 and in line 37'
    for bad in '{"ids":{}' '{} x' '[{}' '' '[]'; do
        printf '%s' "$bad" >bad
        migrate json application <bad
        exits 1
        equal "bytes of output" "$(wc -c <out)" 0
    done
    migrate json application --file /nowhere
    exits 1
    migrate json application <&-
    exits 2
    told 'name the file: --json.file FILE'
    printf '{"ids":{"device_id":"one","dev_eui":\n"7"}}' >bad
    migrate json application --keep-going <bad
    exits 3
    told 'line 2: ids.dev_eui'
}

# A path where an ID belongs.
path_as_id() {
    devices all
    cp all devices.json
    cp all devices
    for input in all /dev/null; do
        migrate json application devices.json <"$input"
        exits 2
        told 'devices.json is a file, where an ID belongs'
        told 'ttn-lw-migrate json application --file devices.json'
    done
    migrate csv device ./devices <all
    exits 2
    told 'ttn-lw-migrate csv device --file ./devices'
    migrate plan --source wanesy application devices.json <all
    exits 2
    told 'ttn-lw-migrate wanesy application --csv-path devices.json'
    # What may be an ID is one, if there is a file to read.
    migrate json application devices </dev/null
    exits 2
    told 'ttn-lw-migrate json application --file devices'
    true | {
        migrate json application devices
        exits 1
        told 'standard input holds no device'
        told 'ttn-lw-migrate json application --file devices'
    }
    jq -c '.ids.application_ids.application_id = "devices"' all >one
    good json application devices <one
    equal devices "$(line_count out)" "$(wc -l <all)"
    good json application devices --file one
}

# DevEUIs in place of IDs, where each means one device.
euis_as_ids() {
    devices all
    first=$(head -n 1 all)
    eui=$(echo "$first" | jq -r .ids.dev_eui)
    id=$(echo "$first" | jq -r .ids.device_id)
    other=$(sed -n 2p all | jq -r .ids.device_id)
    lower=$(echo "$eui" | tr A-F a-f)
    for form in "$eui" "$lower"; do
        good json device --file all "$other" "$form"
        equal "devices named by an ID and an EUI" "$(jq -r .ids.device_id out | tr '\n' ' ')" "$other $id "
    done
    good json application --file all --to csv
    cp out table
    good csv device --file table --app-id my-app "$eui"
    equal "a device of a table" "$(jq -r .ids.device_id out)" "$id"
    good csv device --file table --app-id my-app --dev-id-prefix new "$eui"
    equal "with a prefix" "$(jq -r .ids.device_id out)" "new-$id"
    printf 'id,device_id\n%s,renamed\n' "$id" >map
    good device --source csv --csv.file table --csv.app-id my-app --map map "$lower"
    equal "with a map of IDs" "$(jq -r .ids.device_id out)" renamed
    migrate json device --file all "$eui" "$id"
    exits 1
    told "$eui and $id are the same"
    migrate json device --file all 0000000000000007
    exits 1
    told 'no device 0000000000000007'
    # The ID of one, and the EUI of another one: whichever stands first.
    for order in '[.[0], .[1]]' '[.[1], .[0]]'; do
        jq -s --arg id "$lower" "(.[1].ids.device_id = \$id) | $order" all >both
        migrate json device --file both "$lower"
        exits 1
        told "$lower is the ID of one, and the EUI of another one"
        equal "bytes of output" "$(wc -c <out)" 0
    done
    # Its own one is no other.
    jq -c --arg id "$lower" '.ids.device_id = $id' all | head -n 1 >own
    for form in "$eui" "$lower"; do
        good json device --file own "$form"
        equal "a device that is called as its EUI" "$(jq -r .ids.device_id out)" "$lower"
    done
    printf '[{"dev_eui":"0018B2000000000A","app_eui":"0018B20000000001","app_key":"00112233445566778899AABBCCDDEEFF"}]' >list.json
    good helium device 0018B2000000000A --file list.json --app-id my-app --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3
    equal "a device of Helium" "$(jq -r .ids.device_id out)" eui-0018b2000000000a
}

# What the help gives as examples does what it says, without a flag more.
examples() {
    key=00112233445566778899AABBCCDDEEFF
    devices all
    jq -c '.ids.application_ids.application_id = "my-app"' all | sed -n '1,5p' >devices.kept
    jq -r .ids.device_id devices.kept >ids
    jq -c 'if .ids.device_id == $id then .ids.device_id = "mydevice" else . end' --arg id "$(head -n 1 ids)" devices.kept >devices.all
    good json application --file devices.all --to csv
    cp out table.all
    for source in json csv thingpark helium wanesy; do
        cp devices.all devices.json
        cp table.all devices.csv
        printf '[{"dev_eui":"0018B20000000001","app_eui":"0018B20000000002","app_key":"%s","region":"EU868"}]' $key >list.json
        printf 'CREATE_OTAA,0018B20000000001,,P/1,0018B20000000002,%s\n' $key >list.csv
        [ $source != wanesy ] || {
            head -n 1 "$vectors/wanesy/devices.csv" >list.csv
            grep EU868 "$vectors/wanesy/devices.csv" | head -n 1 | sed 's/7076[Ff][Ff][0-9A-Fa-f]*/0018B20000000001/' >>list.csv
        }
        good $source --help
        # A network is for other tests. An output may not be its own input.
        sed -e :join -e '/\\$/{N;s/ *\\\n */ /;b join' -e '}' out |
            sed -n '/^Examples:/,/^$/s/^ *ttn-lw-migrate //p' | grep -v ' gateway ' |
            sed 's/ > .*//; s/ --to tts/ --to json --app-id my-app/' >commands
        equal "examples of $source" "$(wc -l <commands)" 3
        while read -r line; do
            case $source:$line in json:*) line=$(echo "$line" | sed 's/ --app-id my-app//') ;; esac
            good $line
            less "devices missing" $((1 - $(line_count out))) 1
        done <commands
    done
}

# column NAME: of the table `out`
column() {
    awk -F ';' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' out
}

csv_round_trip() {
    devices all
    good json application --file all --to csv
    cp out table
    equal "lines" "$(wc -l <table)" 37
    equal IDs "$(column id)" "$(jq -r .ids.device_id all)"
    told 'the table has no place for'
    good validate table
    good csv application test-app --file table
    cp out back
    good csv application test-app --file table --to csv
    same "a table that was written here" out table
    held='{id: .ids.device_id, eui: .ids.dev_eui, join: .ids.join_eui, name, description, frequency_plan_id, lorawan_version,
        lorawan_phy_version, supports_join, supports_class_c, root_keys, rx1: .mac_settings.rx1_delay,
        addr: .session.dev_addr, up: .session.last_f_cnt_up, down: .session.last_n_f_cnt_down,
        nwk: .session.keys.f_nwk_s_int_key, app: .session.keys.app_s_key}'
    jq -c "$held" all >all.held
    jq -c "$held" back >back.held
    same "what a table holds" all.held back.held
    jq -s 'map(select(.session)) | length' back >sessions
    equal "MAC states" "$(jq -s 'map(select(.mac_state)) | length' back)" "$(cat sessions)"
    jq -c 'select(.session)' all | head -n 1 |
        jq -c '.lorawan_version = "MAC_V1_1" | .lorawan_phy_version = "PHY_V1_1_REV_B" |
            .session.keys.s_nwk_s_int_key.key = ("1" * 32) | .session.keys.nwk_s_enc_key.key = ("2" * 32)' >eleven
    migrate json application --file eleven --to csv
    exits 1
    told 'three network keys'
    equal "bytes of output" "$(wc -c <out)" 0
}

csv_as_people_have_them() {
    key=00112233445566778899AABBCCDDEEFF
    printf 'Serial;"App Key";DevEUI;Ort\r\nx;%s;70B3D57ED1000001;K\303\266ln\r\n' $key >utf8
    printf 'dev_eui;join_eui\n70B3D57ED1000001;0102030405060708\n' >joins
    printf '\357\273\277' | cat - utf8 >mark
    iconv -f utf-8 -t latin1 utf8 >latin1
    iconv -f utf-8 -t utf-16 utf8 >utf16
    tr ';' ',' <utf8 >with-commas
    tr ';' '\t' <utf8 >with-tabs
    for file in utf8 mark latin1 utf16 with-commas with-tabs; do
        good application my-app --source csv --csv.file $file --set-eui-as-id --map joins --csv.mac-version 1.0.3 \
            --csv.map 'dev_eui=DevEUI,app_key="App Key",name=Ort,id=Serial' --csv.frequency-plan-id EU_863_870_TTN
        cp out $file.json
        same "$file" utf8.json $file.json
    done
}

# Tables of single devices, for any source.
map() {
    devices all
    printf 'id,device_id,frequency_plan_id,join_eui,application_id\nmig-000001,renamed,EU_863_870,0102030405060708,other-app\nnobody,,,,\n' >map
    good json application --file all --map map
    told '1 row of --map is about no device of this run, the first in line 3'
    jq -c 'select(.ids.device_id == "renamed")' out >one
    equal "the device" "$(jq -r '[.ids.join_eui, .ids.application_ids.application_id, .frequency_plan_id] | join(" ")' one)" \
        "0102030405060708 other-app EU_863_870"
    jq -c 'select(.ids.device_id != "renamed")' out >others
    good json application --file all
    jq -c 'select(.ids.device_id != "mig-000001")' out >others.before
    same "other devices" others others.before
    printf 'dev_eui,join_eui\n%s,1.2E+15\n' "$(head -n 1 all | jq -r .ids.dev_eui)" >bad
    migrate json application --file all --map bad
    exits 1
    told 'line 2: join_eui: a spreadsheet'
    printf 'dev_eui,device_id\n7.01E+15,bad\n' >bad
    migrate json application --file all --map bad
    exits 1
    told "line 2: dev_eui: a spreadsheet"
    printf 'dev_eui,join_eui\n%s,0102030405060708\n7012345678901230,1234567890123450\n' "$(head -n 1 all | jq -r .ids.dev_eui)" >doubtful
    good json application --file all --map doubtful
    told 'warning: --map doubtful: digits of 2 fields may be rounded, first in line 3: dev_eui: has decimal digits only'
    good validate all --map doubtful
    told 'warning: --map doubtful: digits of 2 fields may be rounded, first in line 3: dev_eui:'
    sed 2q doubtful >certain
    good json application --file all --map certain
    silent_on 'rounded'
    migrate json application --file all --map /nowhere
    exits 1
    # A plan decides the MAC state that a source makes.
    sandbox_start --devices 6
    name=$(world before && ask '.devices | main("my-ttn-app") | map(select(has_session)) | .[0].dev_id' before)
    printf 'id,frequency_plan_id\n%s,US_902_928_FSB_2\n' "$name" >plans
    good ttnv2 application --dry-run --map plans
    jq -c 'select(.frequency_plan_id == "US_902_928_FSB_2")' out >mapped
    equal "devices with that plan" "$(line_count mapped)" 1
    equal "RX2 frequency in force" "$(jq -r .mac_state.current_parameters.rx2_frequency mapped)" 923300000
}

others() {
    key=00112233445566778899AABBCCDDEEFF
    printf '# list\nCREATE_OTAA,70B3D57ED1000001,,p,70B3D57ED0000000,%s\n' $key >list.csv
    good thingpark application my-app --csv-path list.csv --frequency-plan-id EU_863_870_TTN --mac-version 1.0.2b
    equal ID "$(jq -r .ids.device_id out)" eui-70b3d57ed1000001
    CSV_PATH=list.csv APP_ID=my-app FREQUENCY_PLAN_ID=EU_863_870_TTN MAC_VERSION=1.0.2b good thingpark device eui-70b3d57ed1000001
    equal application "$(jq -r .ids.application_ids.application_id out)" my-app
    printf '[{"name":"Roof","dev_eui":"70B3D57ED1000001","app_eui":"70B3D57ED0000000","app_key":"%s"}]' $key >list.json
    good helium application my-app --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3 <list.json
    equal name "$(jq -r .name out)" Roof
    migrate helium application my-app <list.json
    exits 1
    told 'frequency plan is not known'
}

# What is refused is named with its place, and with what to do.
files_point_at_places() {
    key=00112233445566778899AABBCCDDEEFF
    printf 'dev_eui;join_eui;app_key\n\n70B3D57ED1000001;;%s\n' $key >bare
    migrate csv application my-app --file bare
    exits 1
    told 'device eui-70b3d57ed1000001: line 3: The Things Stack would refuse the device: '
    told 'try: --csv.frequency-plan-id for all devices, --map FILE with a column frequency_plan_id for single ones'
    told '; --csv.mac-version for all devices, .*; --map FILE with a column join_eui for single ones'
    printf 'dev_eui;join_eui;app_key;Frequency Plan\n70B3D57ED1000001;70B3D57ED0000000;%s;EU868\n' $key >region
    migrate csv application my-app --file region --mac-version 1.0.3 --csv.map 'frequency_plan_id=Frequency Plan'
    exits 1
    told 'line 2: .*frequency_plan_id: the plan is unknown'
    told 'try: ttn-lw-migrate frequency-plans lists the plans; --map FILE'
    printf '{"devices":[{"dev_eui":"70B3D57ED1000001","app_eui":"70B3D57ED0000000","app_key":"%s","region":"EU868"},{"name":"Cellar"}]}' $key >list
    migrate helium application my-app --file list --mac-version 1.0.3 --keep-going
    exits 3
    told 'eui-70b3d57ed1000001: is set aside: line 1: its frequency plan is not known: its region is EU868'
    told 'device line 1, device 2 \(Cellar\): is set aside: line 1: dev_eui: is missing'
}

# Before anything is read or written.
useless_flags() {
    key=00112233445566778899AABBCCDDEEFF
    printf 'dev_eui;join_eui;app_key\n70B3D57ED1000001;70B3D57ED0000000;%s\n' $key >table
    to_tts='--to tts --to.tts.app-id some-app --to.tts.app-api-key key --to.tts.default-grpc-address localhost:1'
    migrate csv application --file table $to_tts --output devices.json
    exits 2
    told '--output means nothing with the target tts'
    for flag in --on-conflict=skip --create-application; do
        migrate csv application my-app --file table $flag --output devices.json
        exits 2
        told 'means nothing with the target json, which is no server'
    done
    migrate csv application my-app other-app --file table --output devices.json \
        --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3
    exits 2
    told 'one application only: my-app or other-app'
    if [ -e devices.json ]; then fail "a file was made"; fi
    good csv application my-app my-app --file table --output devices.json \
        --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3
    equal lines "$(wc -l <devices.json)" 1
}

# The recorded table, against what the older tool makes of it: who they are, versions, plan, keys of those that can live.
wanesy() {
    table=$vectors/wanesy/devices.csv
    migrate wanesy application plant --all --csv-path "$table" --frequency-plan-id EU_863_870 --keep-going
    exits 3
    told '7076ff0000000007: is set aside: line 8: fNwkSIntKey: the key is missing'
    cp out ours
    xz -dc "$vectors/wanesy/expected.jsonl.xz" >theirs
    held='select(.lorawan_version != "MAC_V1_1" or .supports_join) | if .lorawan_version == "MAC_V1_1" then .session = null | .mac_state = null else . end
        | [.ids, .name, .lorawan_version, .lorawan_phy_version, .frequency_plan_id, .supports_join, .supports_class_b,
        .supports_class_c, .root_keys, .session.dev_addr, .session.keys.f_nwk_s_int_key, .session.keys.app_s_key,
        .session.last_f_cnt_up, .session.last_n_f_cnt_down, .mac_state.desired_parameters, .mac_state.current_parameters.channels]'
    jq -cS "$held" ours >ours.held
    jq -cS "$held" theirs >theirs.held
    same "what both tools say" ours.held theirs.held
    equal "lines" "$(wc -l <ours.held)" 27
    # Columns in another order, with a mark of the encoding, and one device of them.
    awk -F , -v OFS=, '{ for (i = NF; i > 1; i--) printf "%s,", $i; print $1 }' "$table" >turned
    printf '\357\273\277' | cat - turned >marked
    migrate wanesy application plant --csv-path marked --frequency-plan-id EU_863_870 --keep-going
    exits 3
    jq -cS "$held" out >turned.held
    same "columns in another order" ours.held turned.held
    CSV_PATH=$table APP_ID=plant good wanesy device 7076ff0000000004
    equal plan "$(jq -r .frequency_plan_id out)" EU_863_870
    sed -n '1,3p;3p' "$table" >twice
    migrate wanesy application plant --csv-path twice --keep-going
    exits 1
    told '7076ff0000000002 stands in line 3 and in line 4'
    printf 'dev_eui,frequency_plan_id\n7076ff0000000001,EU_863_870_TTN\n' >plans
    good wanesy device 7076ff0000000001 --csv-path "$table" --app-id plant --map plans
    equal "desired RX2 data rate" "$(jq -r .mac_state.desired_parameters.rx2_data_rate_index out)" 3
}

interrupted() {
    mkfifo quiet
    sleep 30 >quiet &
    writer=$!
    begin json application --file quiet
    sleep 0.3
    kill -INT "$pid"
    end_within 5000
    kill "$writer" 2>/dev/null || true
    equal "exit code" "$status" 130
}

valid() {
    devices all
    good validate all
    equal "bytes of output" "$(wc -c <out)" 0
    told 'all: 36 devices, all valid'
    cat all | good validate -
    jq -s . all | good validate -
    jq -c '.nonsense = 1' all | head -n 1 >unknown
    good validate unknown
    told 'unknown:1: mig-[0-9]*: nonsense: unknown member'
    migrate validate --strict unknown
    exits 3
    equal finding "$(cut -d: -f 4- out)" " nonsense: unknown member"
    # Findings and messages may go to one file.
    cat unknown unknown >both
    ! bounded validate both >said 2>&1 || fail "what stands twice is valid"
    equal "warnings in one file with findings" "$(grep -c 'nonsense: unknown member' said)" 2
    grep -q '^both:2: mig-[0-9]*: ids.device_id: the device stands in line 1 too$' said || fail "$(cat said)"
}

invalid() {
    devices all
    jq . all | sed -e '/"frequency_plan_id": /s/: ".*"/: "EU_863_870_TTM"/' >many
    migrate validate many
    exits 3
    equal findings "$(wc -l <out)" 36
    line=$(grep -n EU_863_870_TTM many | head -n 1 | cut -d : -f 1)
    equal "first finding" "$(head -n 1 out | cut -d ' ' -f 1-3)" "many:$line: $(jq -r .ids.device_id all | head -n 1): frequency_plan_id:"
    migrate validate --json many
    exits 3
    equal "line" "$(head -n 1 out | jq -r '.line')" "$line"
    equal "members" "$(head -n 1 out | jq -r 'keys | join(" ")')" "device_id field file line text"
    cat all all >twice
    migrate validate twice
    exits 3
    equal "findings about what stands twice" "$(grep -c 'stands in line' out)" 72
    grep -q '^twice:37: mig-[0-9]*: ids.device_id: the device stands in line 1 too$' out || fail "$(head -n 2 out)"
    printf '{"ids":{"device_id":"one"},\n"session":{"keys":{"app_s_key":{"key":"00"}}}}\n{"ids":' >bad
    migrate validate bad
    exits 3
    equal "findings" "$(cut -d : -f 2-4 out)" "2: -: session.keys.app_s_key.key
3: -: -"
    migrate validate /nowhere
    exits 1
    migrate validate
    exits 2
    migrate validate </dev/null -
    exits 3
}

# Lists of other networks are known by their content, or named; flags of the source say how they are read.
valid_lists() {
    key=00112233445566778899AABBCCDDEEFF
    rest='--frequency-plan-id EU_863_870_TTN --mac-version 1.0.3'
    printf '# list\nCREATE_OTAA,70B3D57ED1000001,,p,70B3D57ED0000000,%s\ncreate_otaa,70B3D57ED1000001,,,70B3D57ED000000,%s\n' $key $key >park
    migrate validate park
    exits 3
    equal "place of the first" "$(head -n 1 out | cut -d : -f 1-3)" "park:2: eui-70b3d57ed1000001"
    migrate validate park --source thingpark $rest
    exits 3
    equal "findings" "$(cat out)" "park:3: eui-70b3d57ed1000001: column E: 16 hexadecimal digits are expected
park:3: eui-70b3d57ed1000001: ids.dev_eui: this DevEUI stands in line 2 too"
    printf '[{"dev_eui":"70B3D57ED1000001","app_eui":"70B3D57ED0000000","app_key":"%s"},{"name":"Roof"}]' $key >helium
    migrate validate helium --helium.frequency-plan-id EU_863_870 --helium.mac-version 1.0.3
    exits 3
    equal "findings" "$(cat out)" "helium:1: line 1, device 2 (Roof): dev_eui: is missing"
    migrate validate "$vectors/wanesy/devices.csv"
    exits 3
    equal "findings" "$(cut -d : -f 2,4- out | head -n 1)" "8: fNwkSIntKey: the key is missing"
    printf 'EUI|App Key|AppEUI\n70B3D57ED1000001|%s|70B3D57ED0000000\n' $key >table
    good validate table --csv.map dev_eui=EUI --csv.delimiter '|' --csv.frequency-plan-id EU_863_870 --csv.mac-version 1.0.3
    printf 'Dev EUI;Frequency Plan ID;LoRaWAN Version;LoRaWAN PHY Version\n70B3D57ED1000001;EU_863_870;1.0.3;1.0.3a\n' >map
    good validate table --map map --source csv --csv.map dev_eui=EUI --delimiter '|'
    iconv -f utf-8 -t utf-16 park >wide
    migrate validate wide $rest --source=thingpark
    exits 3
    equal "lines with findings" "$(cut -d : -f 2 out | sort -u)" 3
    migrate validate table --source ttnv2
    exits 2
    migrate validate table --csv.delimiter xx
    exits 2
    migrate validate table --csv.map nonsense
    exits 2
    sed 's/70B3D57ED1000001/1234567890123450/' table >digits
    good validate digits --csv.map dev_eui=EUI --csv.delimiter '|' --csv.frequency-plan-id EU_863_870 --csv.mac-version 1.0.3
    told 'digits:2: eui-1234567890123450: dev_eui: in line 2 has decimal digits only'
}

# A key is in no message, whatever is wrong with it.
secrets() {
    devices all
    key=0123456789ABCDEF0123456789ABCDEF
    sed "s/\"key\":\"[0-9A-F]*\"/\"key\":\"${key}0\"/g" all >bad
    migrate json application --keep-going --verbose <bad
    migrate validate bad --verbose
    exits 3
    if cat out err | grep -q "$key"; then fail "a key is shown"; fi
}

run_case "json: what is written comes out the same" json_round_trip
run_case "json: single devices" json_ids
run_case "json: applications" json_applications
run_case "json: what is refused" json_refuses
run_case "a path where an ID belongs" path_as_id
run_case "DevEUIs in place of IDs" euis_as_ids
run_case "examples of the help" examples
run_case "json: interrupted while waiting" interrupted
run_case "validate: valid files" valid
run_case "validate: findings" invalid
run_case "validate: lists of other networks" valid_lists
run_case "csv: there and back" csv_round_trip
run_case "csv: encodings, delimiters, names" csv_as_people_have_them
run_case "thingpark and helium" others
run_case "files: places and ways out" files_point_at_places
run_case "files: flags without a meaning" useless_flags
run_case "wanesy" wanesy
run_case "--map" map
run_case "keys in no message" secrets
end_cases
