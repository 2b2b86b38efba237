#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The report of a run as a page, and what a journal keeps of the command line: paths, and a passphrase.
# shellcheck disable=SC2016,SC2086,SC2317 # filters for jq; lists of words; run_case calls the functions
# shellcheck source=tests/e2e/lib.sh
. "$(dirname -- "$0")/lib.sh"

state_folder=.local/state/ttn-lw-migrate

# page FILE: it is whole, for its owner alone, and loads nothing
page() {
    [ "$(head -n 1 "$1")" = "<!DOCTYPE html>" ] || fail "$1 does not begin as a page"
    [ "$(tail -n 1 "$1")" = "</html>" ] || fail "$1 does not end as a page"
    if grep -qiE '<script|<link|<img|<iframe|src=|href=|url\(|@import' "$1"; then fail "$1 loads something"; fi
    equal "mode of $1" "$(stat -c %a "$1")" 600
}

# holds FILE TEXT
holds() {
    grep -qF -- "$2" "$1" || fail "$1 does not hold: $2"
}

# keyless FILE...: no key of the population, and not the access key
keyless() {
    jq -r '.devices[] | .app_key, .nwk_s_key, .app_s_key | select(test("^0*$") | not)' before | sort -u >keys
    [ "$(wc -l <keys)" -gt 20 ] || fail "too few keys for this test"
    echo "$TTNV2_APP_ACCESS_KEY" >>keys
    for file in "$@"; do
        if grep -qiFf keys "$file"; then fail "a key is in $file"; fi
    done
}

reported() {
    sandbox_start --devices 40 --seed 2
    world before
    good ttnv2 application --dry-run --report dry.html
    page dry.html
    holds dry.html "40 of 40 devices could go"
    faults GetDevice:internal:at=4 GetDevice:internal:at=9 SetDevice:internal:at=13
    migrate ttnv2 application --keep-going --output run.json --concurrency 1 --report run.html
    exits 3
    page run.html
    holds run.html "37 of 40 devices moved, 3 to look at."
    holds run.html "ttn-lw-migrate resume --failed 2"
    holds run.html "<td>$(head -n 1 run.json | jq -r .name)</td>"
    equal "devices in the table" "$(grep -c '^<tr><td>' run.html)" 40
    good report
    cp out latest.html
    grep -v '<dt>Ended</dt>' run.html | grep -v '<dt>This page</dt>' >wanted
    grep -v '<dt>This page</dt>' latest.html >seen
    same "the same page from the journal" seen wanted
    good report "$(basename "$(ls $state_folder/*.journal)" .journal)" --output again.html
    page again.html
    # What is there is not written over.
    cp again.html kept.html
    migrate report --output again.html
    exits 1
    told 'exists and is not empty'
    same "the page that was there" again.html kept.html
    world between
    migrate ttnv2 device mydevice --output other.json --report again.html
    exits 1
    told 'exists and is not empty'
    same "the page that was there" again.html kept.html
    world after
    unchanged between after
    [ ! -e other.json ] || fail "an output of a run that was refused"
    good resume --failed --report resumed.html
    page resumed.html
    holds resumed.html "40 of 40 devices moved."
    migrate rollback --report back.html
    exits 3
    page back.html
    holds back.html "40 put back"
    keyless dry.html run.html latest.html again.html resumed.html back.html
    migrate report no-such-run
    exits 1
    migrate report --output /nowhere/page.html
    exits 1
}

# A run that halts tells why; one that came to nothing leaves its page all the same.
halted() {
    sandbox_start --devices 10
    faults GetDevice:internal:at=1
    migrate ttnv2 application --output run.json --report run.html
    exits 1
    page run.html
    holds run.html "0 of 10 devices moved"
    holds run.html "<dt>Ended</dt><dd>device "
    # Nobody can be asked for a page of what did not even begin.
    migrate ttnv2 application --output run.json --report none.html --frequency-plan-id NO_SUCH_PLAN
    exits 2
    [ ! -e none.html ] || fail "a page of a run that did not begin"
}

# Without the key, and with nothing of what it guards.
encrypted() {
    sandbox_start --devices 40 --seed 2
    world before
    head -c 32 /dev/urandom >key
    good ttnv2 application --output run.json --journal-key-file key --report run.html
    good report
    holds out "40 of 40 devices moved."
    page run.html
    keyless run.html out
}

# Options that name files mean the same files wherever the run goes on.
from_another_folder() {
    sandbox_start --devices 60 --latency 6ms --seed 4
    world before
    mkdir here elsewhere
    cp "$TTNV2_CA_CERT" here/ca.pem
    head -c 32 /dev/urandom >here/key
    TTNV2_CA_CERT=ca.pem
    cd here
    begin ttnv2 application --output run.json --concurrency 4 --journal-key-file key
    until_true 30 test -s run.json || fail "no lines"
    kill -KILL "$pid"
    end_within 60000
    equal "exit code (the run has ended too early)" "$status" 137
    unset TTNV2_CA_CERT
    cd ../elsewhere
    status=0
    bounded resume >/dev/null 2>err || status=$?
    exits 2
    told "$HOME/here/key"
    status=0
    bounded resume --journal-key-file ../here/key >/dev/null 2>err || status=$?
    exits 0
    cd ..
    world after
    equal lines "$(line_count here/run.json)" 60
    released before after true here/run.json
}

# type_in PROMPT TEXT: an answer, when the terminal asks for it
type_in() {
    until_true 20 grep -q "$1" terminal || fail "not asked: $1: $(cat terminal)"
    echo "$2" >&4
}

# on_terminal ARGUMENT...: in the background, with a terminal of its own, which descriptor 4 types into
on_terminal() {
    rm -f terminal keyboard
    mkfifo keyboard
    : >terminal
    script -qefc "$RUNNER $program $*" terminal <keyboard >/dev/null 2>&1 &
    pid=$!
    begin=$(now)
    exec 4>keyboard
}

ended_on_terminal() {
    end_within 60000
    exec 4>&-
}

# A new passphrase is asked for twice, a known one once.
passphrase() {
    sandbox_start --devices 5
    world before
    on_terminal ttnv2 application --output run.json --journal-key-file -
    type_in 'New passphrase' 'correct horse'
    type_in 'once more' 'correct house'
    ended_on_terminal
    exits 2
    grep -q 'not the same' terminal || fail "the difference is not told"
    equal "files of a run that was not begun" "$(find . -name 'run.json' -o -name '*.journal*' | wc -l)" 0
    world after
    unchanged before after
    on_terminal ttnv2 application --output run.json --journal-key-file -
    type_in 'New passphrase' 'correct horse'
    type_in 'once more' 'correct horse'
    ended_on_terminal
    exits 0
    if grep -q correct terminal; then fail "the passphrase is shown"; fi
    on_terminal resume
    type_in 'Passphrase' 'correct house'
    ended_on_terminal
    exits 2
    on_terminal rollback
    type_in 'Passphrase' 'correct horse'
    ended_on_terminal
    if grep -q 'once more' terminal; then fail "asked twice for a passphrase that there is"; fi
    [ "$status" -eq 0 ] || exits 3
}

run_case "reports of runs" reported
run_case "a run that halts" halted
run_case "an encrypted journal" encrypted
run_case "resumed from another folder" from_another_folder
run_case "a passphrase" passphrase
end_cases
