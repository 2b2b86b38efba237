# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A sandbox in the background for scripts. Sourced; sandbox_start sets the variables that the program reads.

sandbox_pid=

# sandbox_start FOLDER ARGUMENT...: returns when it serves. What it prints lies in FOLDER/sandbox.env.
sandbox_start() {
    sandbox_folder=$1
    shift
    mkdir -p "$sandbox_folder"
    "${top:?}/build/ttn-lw-sandbox" "$@" >"$sandbox_folder/sandbox.env" 2>"$sandbox_folder/sandbox.log" </dev/null &
    sandbox_pid=$!
    sandbox_tries=0
    # The last line that it prints.
    until grep -q '^export SANDBOX_PID=' "$sandbox_folder/sandbox.env" 2>/dev/null; do
        sandbox_tries=$((sandbox_tries + 1))
        if [ $sandbox_tries -gt 1200 ] || ! kill -0 "$sandbox_pid" 2>/dev/null; then
            cat "$sandbox_folder/sandbox.log" >&2
            sandbox_stop
            echo "the sandbox did not start" >&2
            return 1
        fi
        sleep 0.05
    done
    # shellcheck source=/dev/null
    . "$sandbox_folder/sandbox.env"
}

# Ends it and waits until its last files are written. Harmless if none runs.
sandbox_stop() {
    [ -n "$sandbox_pid" ] || return 0
    kill "$sandbox_pid" 2>/dev/null || true
    wait "$sandbox_pid" 2>/dev/null || true
    sandbox_pid=
}
