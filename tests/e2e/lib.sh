# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034 # filters for jq; variables that the tests read
# For the end-to-end tests: runs the program against a sandbox, as a user would, and looks at what became of the
# world. A test is called with the program and the sandbox as arguments and runs its cases with `run_case`; each
# is a subshell with a folder and, if it starts one, a sandbox of its own. RUNNER may stand before the program
# (valgrind), SLACK is a factor for everything that is bounded in time.
set -eu

[ $# -eq 2 ] || {
    echo "usage: $0 PROGRAM SANDBOX" >&2
    exit 2
}
program=$1
sandbox=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
vectors=$here/../vectors
RUNNER=${RUNNER:-}
SLACK=${SLACK:-1}

# Nothing of the user's environment may change a result.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p' |
    grep -E '^(TTNV2_|TTS_|TARGET_|CHIRPSTACK_|FIREFLY_|LORIOT_|AWS_|AWSIOT_|APP_ID$|CSV_PATH$|EXPORT_|INVALIDATE_KEYS$|MAC_VERSION$|JOIN_EUI$|TTN_LW_|SANDBOX_|FREQUENCY_PLAN_ID$|XDG_|NO_COLOR$|.*_[Pp][Rr][Oo][Xx][Yy]$)'); do
    unset "$name"
done
LC_ALL=C.UTF-8
export LC_ALL
umask 022
exec </dev/null

work=$(mktemp -d)
failures=0
cases=0

end_test() {
    test_status=$?
    rm -rf "$work"
    exit "$test_status"
}
trap end_test EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run_case TITLE FUNCTION [ARGUMENT...]
run_case() {
    title=$1
    shift
    cases=$((cases + 1))
    HOME=$work/$cases
    export HOME
    mkdir "$HOME"
    case_begin=$(date +%s%N)
    set +e
    (
        trap sandbox_stop EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        set -e
        cd "$HOME"
        "$@"
    )
    case_status=$?
    set -e
    case_time=$((($(date +%s%N) - case_begin) / 1000000))
    if [ "$case_status" -eq 0 ]; then
        printf 'ok %s: %s (%d ms)\n' "$cases" "$title" "$case_time"
    else
        printf 'not ok %s: %s (%d ms)\n' "$cases" "$title" "$case_time"
        failures=$((failures + 1))
    fi
    rm -rf "$HOME"
}

end_cases() {
    echo "$((cases - failures)) of $cases cases passed"
    [ "$failures" -eq 0 ] && [ "$cases" -gt 0 ]
    exit
}

# ---- telling what is wrong

# Standard error may be shown, but never a key, even if the program is so wrong that it tells one.
redact() {
    sed -e 's/[0-9A-Fa-f]\{32\}/<32 digits>/g' -e 's/firefly[ %+-]*[^ ]*key[^ ]*/<API key>/g' -e 's/ttn-account-v2\.[A-Za-z0-9_-]*/<access key>/g' \
        -e 's/eyJ[A-Za-z0-9_.-]*/<token>/g' -e 's/loriot-key-[A-Za-z0-9]*/<API key>/g'
}

# fail MESSAGE...: ends the case.
fail() {
    echo "    $*" | redact
    if [ -f err ]; then
        echo "    standard error of the program's last run ends:"
        tail -n 15 err | redact | sed 's/^/      | /'
    fi
    exit 1
}

# equal WHAT SEEN WANTED
equal() {
    [ "$2" = "$3" ] || fail "$1: is $(printf '%s' "$2" | redact), should be $3"
}

# less WHAT SEEN LIMIT: SEEN < LIMIT, integers
less() {
    [ "$2" -lt "$3" ] || fail "$1: is $2, should be less than $3"
}

# exits STATUS: of the last run
exits() {
    equal "exit code" "$status" "$1"
}

# told PATTERN, silent_on PATTERN: whether standard error of the last run holds a line that matches
told() {
    grep -qiE -- "$1" err || fail "standard error does not tell: $1"
}

silent_on() {
    if grep -qiE -- "$1" err; then fail "standard error should not tell: $1"; fi
}

same() {
    cmp -s "$2" "$3" || fail "$1: $2 and $3 differ"
}

# ---- the program

# now: milliseconds
now() {
    echo $(($(date +%s%N) / 1000000))
}

# bounded ARGUMENT...: the program, ended if it takes much too long (status 124); streams are the caller's.
bounded() {
    # shellcheck disable=SC2086 # RUNNER is several words
    timeout -k 5 $((90 * SLACK)) $RUNNER "$program" "$@"
}

# migrate ARGUMENT...: standard output to `out`, standard error to `err`, exit code and milliseconds to $status
# and $elapsed.
migrate() {
    begin=$(now)
    status=0
    bounded "$@" >out 2>err || status=$?
    elapsed=$(($(now) - begin))
    [ "$status" -ne 124 ] || fail "the program did not end: $*"
    [ "$status" -lt 128 ] || [ "$status" -eq 130 ] || [ "$status" -eq 143 ] || fail "the program crashed ($status): $*"
}

# good ARGUMENT...: a run that has to end well
good() {
    migrate "$@"
    exits 0
}

# foretell: of the last run, a rehearsed rollback; as_foretold: of the last run, the rollback itself, which says the same of
# every device and ends the same way.
foretell() {
    sed -n 's/a rollback would say of it: //p' err | sort >foretold
    foretold_status=$status
}

as_foretold() {
    grep 'warning: device ' err | sort >said || true
    same "what was said of devices, and foretold" said foretold
    exits "$foretold_status"
}

# begin ARGUMENT...: in the background, with its own process ID in $pid; standard output to `out`. A shell lets
# background jobs ignore SIGINT and takes their standard input away, which is undone.
begin() {
    exec 3<&0
    # shellcheck disable=SC2086 # RUNNER is several words
    env --default-signal=INT,QUIT $RUNNER "$program" "$@" <&3 3<&- >out 2>err &
    pid=$!
    exec 3<&-
    begin=$(now)
}

# end_within MILLISECONDS: waits for it; $status and $elapsed (since `begin`, or since $begin was set)
end_within() {
    waited=0
    while kill -0 "$pid" 2>/dev/null && [ "$(ps_state "$pid")" != Z ]; do
        waited=$(($(now) - begin))
        if [ "$waited" -gt $(($1 * SLACK)) ]; then
            kill -KILL "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
            fail "the program did not end within $1 ms"
        fi
        sleep 0.02
    done
    elapsed=$(($(now) - begin))
    status=0
    wait "$pid" || status=$?
}

ps_state() {
    sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null || true
}

# until_true SECONDS COMMAND...: tries it again and again
until_true() {
    limit=$(($(now) + $1 * 1000 * SLACK))
    shift
    until "$@"; do
        [ "$(now)" -lt "$limit" ] || return 1
        sleep 0.02
    done
}

# ---- the sandbox

sandbox_pid=

# sandbox_start ARGUMENT...: returns when it serves, with its variables exported.
sandbox_start() {
    sandbox_stop
    rm -f sandbox.env
    "$sandbox" --ports-file sandbox.env "$@" >sandbox.out 2>sandbox.err &
    sandbox_pid=$!
    until_true 30 test -s sandbox.env || fail "the sandbox did not start: $(cat sandbox.err)"
    # shellcheck source=/dev/null
    . "$HOME/sandbox.env"
}

# Harmless if none runs.
sandbox_stop() {
    [ -n "$sandbox_pid" ] || return 0
    kill "$sandbox_pid" 2>/dev/null || true
    wait "$sandbox_pid" 2>/dev/null || true
    sandbox_pid=
}

# world FILE: the whole state of the networks
world() {
    curl -sSf --max-time 60 "$SANDBOX_HTTP/state" >"$1" || fail "the sandbox does not tell its state"
}

# faults SPEC..., no_faults: at run time
faults() {
    for spec in "$@"; do
        curl -sSf --max-time 10 -d "$spec" "$SANDBOX_HTTP/fault" >/dev/null || fail "the sandbox knows no fault $spec"
    done
}

no_faults() {
    curl -sSf --max-time 10 -X DELETE "$SANDBOX_HTTP/fault" >/dev/null || fail "the sandbox keeps its faults"
}

# ask FILTER [JQ ARGUMENT...]: jq with world.jq, raw output
ask() {
    ask_filter=$1
    shift
    jq -r -L "$here" "include \"world\"; $ask_filter" "$@" || fail "jq failed"
}

# calls METHOD [MEMBER]: how often it was called so far, or another of its counters (ok, refused, failed, faults)
calls() {
    curl -sSf --max-time 10 "$SANDBOX_HTTP/state?devices=0" |
        jq --arg method "$1" --arg member "${2:-calls}" '.calls[$method][$member] // 0'
}

# all_calls: of any method
all_calls() {
    curl -sSf --max-time 10 "$SANDBOX_HTTP/state?devices=0" | jq '[.calls[].calls] | add // 0'
}

# ---- looking at the world and at lines

# lines FILE...: as an array of objects; a line that was not written to its end is left out
lines() {
    cat "$@" | jq -nR -c '[inputs | fromjson?]'
}

# line_count FILE: the lines in it, each of which must be a whole JSON object
line_count() {
    # shellcheck disable=SC2002 # cat: an empty file is no error for jq -n
    cat "$1" | jq -nR '[inputs | fromjson | objects] | length' 2>/dev/null || echo "not all lines of $1 are JSON objects"
}

# names FILE: the devices of its lines, as V2 calls them, in their order
names() {
    jq -r '.name' "$1"
}

# all_names STATE [APP]: the devices of an application, in the order of the list
all_names() {
    ask '.devices | main($app) | .[].dev_id' --arg app "${2:-$TTNV2_APP_ID}" "$1"
}

# written_to STATE: how many devices V2 had to change
written_to() {
    jq '[.devices[] | select(.writes > 0)] | length' "$1"
}

# unchanged BEFORE AFTER: no device differs in anything
unchanged() {
    jq -c '.devices[]' "$1" >unchanged.1
    jq -c '.devices[]' "$2" >unchanged.2
    if ! cmp -s unchanged.1 unchanged.2; then
        changed=$(ask '[.[0].devices, .[1].devices] | transpose | map(select(.[0] != .[1]) | .[0].dev_id) | join(" ")' \
            -s "$1" "$2")
        fail "changed in V2: $changed"
    fi
}

# no_key_lost BEFORE AFTER FILE...: every key that V2 had before and has no more is in a line of the files
no_key_lost() {
    lost_before=$1
    lost_after=$2
    shift 2
    lines "$@" >lost.lines
    ask '
        ($lines[0] | by_device) as $known
        | [$before[0].devices, $after[0].devices] | transpose
        | map(. as [$was, $is]
            | [$is | lost_keys($was; $known[line_key($was.app_id; $was.dev_id)] // [])]
            | select(length > 0) | "\($was.dev_id) (\(join(", ")))")
        | join("; ")' \
        -n --slurpfile before "$lost_before" --slurpfile after "$lost_after" --slurpfile lines lost.lines >lost.ids
    [ ! -s lost.ids ] || [ "$(cat lost.ids)" = "" ] || fail "keys are gone from V2 and in no line: $(cat lost.ids)"
}

# released BEFORE AFTER WITH_SESSION FILE: exactly the devices of the file's lines were released, each of exactly
# what its line holds; all others are as they were.
released() {
    lines "$4" >released.lines
    ask '
        ($lines[0] | by_device) as $known
        | [$before[0].devices, $after[0].devices] | transpose
        | map(. as [$was, $is]
            | if $known[line_key($was.app_id; $was.dev_id)] != null
              then [$is | release_faults($was; $session)]
              elif $was != $is then ["changed, but not in the output"]
              else [] end
            | select(length > 0) | "\($was.dev_id): \(join(", "))")
        | join("; ")' \
        -n --slurpfile before "$1" --slurpfile after "$2" --argjson session "$3" --slurpfile lines released.lines >released.ids
    [ "$(cat released.ids)" = "" ] || fail "$(cat released.ids)"
    no_key_lost "$1" "$2" "$4"
}

# accounted BEFORE AFTER FILE: for runs that fail in part. A device that changed has its line; a line whose device
# did not change is named as such on standard error; all others are as they were.
accounted() {
    lines "$3" >accounted.lines
    ask '
        ($lines[0] | by_device) as $known
        | [$before[0].devices, $after[0].devices] | transpose[]
        | . as [$was, $is]
        | $known[line_key($was.app_id; $was.dev_id)] as $line
        | ($was | del(.writes)) as $same
        | if ($is | del(.writes)) != $same then (if $line == null then "changed \($was.dev_id)" else empty end)
          elif $line != null then "held \($was.dev_id)"
          else empty end' \
        -n --slurpfile before "$1" --slurpfile after "$2" --slurpfile lines accounted.lines >accounted.ids
    no_key_lost "$1" "$2" "$3"
    while read -r what id; do
        [ "$what" = held ] || fail "$id was changed in V2, but is not in the output"
        told "$id.*(not known|cannot be cleared)"
    done <accounted.ids
}
