#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `formatters`: convert and check, from every form of input, and what they tell.
# shellcheck disable=SC2016,SC2317 # scripts; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

functions() {
    mkdir functions
    echo 'function scale(x) { return x / 10; }
function Decoder(bytes, port) { return { t: scale(bytes[0]), port: port }; } // done' >functions/decoder.js
    echo 'function scale(x) { return x * 2; }
function Converter(decoded, port) { decoded.t = scale(decoded.t); return decoded; }' >functions/converter.js
    echo 'function Validator(converted, port) { return converted.t < 40; }' >functions/validator.js
    echo 'function Encoder(object, port) { return [object.t * 5]; }' >functions/encoder.js
    jq -n --rawfile decoder functions/decoder.js --rawfile converter functions/converter.js \
        --rawfile validator functions/validator.js --rawfile encoder functions/encoder.js \
        '{app_id: "my-app", payload_format: "custom", $decoder, $converter, $validator, $encoder}' >application.json
}

converted() {
    functions
    good formatters convert functions
    cp out folder
    good formatters convert application.json
    same 'from a folder and from the API' folder out
    good formatters convert functions/decoder.js functions/encoder.js functions/converter.js functions/validator.js
    same 'from a folder and from files' folder out
    good formatters convert - <application.json
    same 'from a file and from standard input' folder out
    equal types "$(jq -r '"\(.up_formatter) \(.down_formatter)"' out)" 'FORMATTER_JAVASCRIPT FORMATTER_JAVASCRIPT'
    good formatters convert functions --formatters made
    jq -j .up_formatter_parameter folder >up
    jq -j .down_formatter_parameter folder >down
    same 'the uplink formatter' up made/uplink.js
    same 'the downlink formatter' down made/downlink.js
    for part in decoder converter validator; do
        grep -qxF "$(tail -n 1 "functions/$part.js")" up || fail "the source of the $part is not in the formatter"
    done
    migrate formatters convert functions --formatters made
    exits 1
    told 'made/uplink.js exists and is not empty'
    good formatters convert functions/decoder.js
    equal 'without Encoder' "$(jq -r .down_formatter out)" FORMATTER_NONE
    echo '{"payload_format":"cayennelpp"}' >lpp.json
    good formatters convert lpp.json
    equal 'Cayenne LPP' "$(jq -r .up_formatter out)" FORMATTER_CAYENNELPP
    told 'names of fields'
}

checked() {
    functions
    good formatters check functions --payload 32 --payload FF --port 2 --fields '{"t":3}' --json
    equal verdicts "$(jq -r 'map(.verdict) | join(" ")' out)" 'same same same'
    equal results "$(jq -c '[.[0].tts.result.t, .[1].ttnv2.refused, .[2].tts.result.bytes]' out)" '[10,true,[15]]'
    printf '# some\r\n32\r\n\r\n ff ' >payloads
    good formatters check functions <payloads
    equal lines "$(grep -c 'port 1: same' out)" 2
    grep -q 'refused by the Validator' out || fail 'the refusal is not shown'
    # What convert writes can be checked as it is, alone or against the functions.
    good formatters convert functions --formatters made
    good formatters check made/uplink.js made/downlink.js --payload 32 --fields '{"t":3}'
    good formatters check functions made/uplink.js --payload 32
    sed 's|x / 10|x / 11|' made/uplink.js >made/other.js
    migrate formatters check functions made/other.js --payload 32
    exits 3
    grep -q '32 port 1: different' out || fail 'the difference is not shown'
}

not_checked() {
    echo 'const decodeUplink = ({ bytes }) => ({ data: { v: bytes[0] } });' >new.js
    migrate formatters check new.js --payload 01
    exits 3
    grep -q 'unchecked: SyntaxError' out || fail 'it is not told to be unchecked'
    echo 'function decodeUplink(input) { return { data: { v: Array.from(input.bytes).includes(1) } }; }' >newer.js
    migrate formatters check newer.js --payload 01
    exits 3
    grep -q 'port 1: unchecked' out || fail 'it is called wrong'
}

hostile() {
    echo 'function Decoder(bytes, port) { while (true); }' >loop.js
    echo 'function Decoder(bytes, port) { var s = "x"; for (;;) s += s; }' >memory.js
    printf 'function Decoder(bytes, port) { throw { toString: function () { return "\\x1b]0;title\\x07"; } }; }' >throw.js
    for script in loop memory; do
        good formatters check "$script.js" --payload 00
        less "time of $script" "$elapsed" $((10000 * SLACK))
        grep -q stopped out || fail "$script was not stopped"
    done
    good formatters check throw.js --payload 00
    if grep -q "$(printf '\033')" out; then fail 'a control character comes through'; fi
    printf 'function Decoder(b) { /* \000 */ }' >nul.js
    head -c 2000000 /dev/zero | tr '\0' ' ' >large.js
    for script in nul large; do
        migrate formatters check "$script.js" --payload 00
        exits 1
    done
    printf 'function Decoder(b) { /* %s */ }' "$(head -c 40000 /dev/zero | tr '\0' x)" >big.js
    migrate formatters convert big.js
    exits 1
    told 'uplink formatter would have .* bytes; The Things Stack takes 40960'
    equal 'output of a refusal' "$(cat out)" ''
}

wrong() {
    functions
    for arguments in '' 'check' 'convert' 'mend functions' 'check functions' 'check functions --port 0 --payload 00' \
        'check functions/decoder.js --fields {}' 'check functions/encoder.js --payload 00'; do
        # shellcheck disable=SC2086 # several words
        migrate formatters $arguments
        exits 2
    done
    echo 'var x = "function Decoder() {}"; // function Decoder() {}' >none.js
    mkdir empty
    echo '{"decoder":5}' >number.json
    echo '{"decoder":' >cut.json
    for file in none.js empty number.json cut.json missing.js; do
        migrate formatters convert "$file"
        exits 1
        told "$file"
    done
    migrate formatters convert functions functions/decoder.js
    exits 1
    told 'another Decoder'
    for payload in 0 0g "$(head -c 512 /dev/zero | tr '\0' 0)"; do
        migrate formatters check functions --payload "$payload"
        exits 1
    done
    migrate formatters check functions --fields '[1]'
    exits 1
}

run_case 'convert takes every form of input' converted
run_case 'check runs both sides' checked
run_case 'what the engine does not know is not called wrong' not_checked
run_case 'hostile scripts are stopped' hostile
run_case 'wrong usage and wrong files' wrong
end_cases
