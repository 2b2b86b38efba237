# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Shared by the scripts behind ./dev: steps with a log, packages, building, counting. Sourced, with $top set
# to the project's folder.

: "${top:?}"
logs=$top/build/log
passed=0
failed=0
skipped=0

# Locales change what tools print; git and the desktop may have set others.
LC_ALL=C.UTF-8
export LC_ALL

say() {
    printf '%s\n' "$*"
}

# Ends with a message on standard error.
die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

# jobs: how many compilers at once: one a processor, but each with 1 GB of memory.
jobs() {
    processors=$(nproc 2>/dev/null || echo 2)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1000000) }' /proc/meminfo 2>/dev/null)
    if [ "${memory:-$processors}" -lt "$processors" ]; then
        processors=$memory
    fi
    [ "$processors" -ge 1 ] || processors=1
    echo "$processors"
}

# step NAME COMMAND...: runs quietly with a log; a failure shows the log's end and returns 1.
step() {
    step_name=$1
    shift
    mkdir -p "$logs"
    step_log=$logs/$(printf '%s' "$step_name" | tr -c 'A-Za-z0-9\n' '-').log
    printf '%s ... ' "$step_name"
    step_start=$(date +%s)
    if "$@" >"$step_log" 2>&1 </dev/null; then
        say "ok ($(($(date +%s) - step_start)) s)"
        return 0
    fi
    say "FAILED ($(($(date +%s) - step_start)) s)"
    # Without the progress of ninja and ctest.
    grep -vE '^\[[0-9]+/[0-9]+\] |^ +Start +[0-9]+: |   Passed +[0-9.]+ sec$' "$step_log" |
        tail -n "${STEP_TAIL:-40}" | sed 's/^/    /'
    say "    whole log: $step_log"
    return 1
}

# count_step NAME COMMAND...: a step that counts as one test.
count_step() {
    if step "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        return 1
    fi
}

# count_ctest FILE: adds the numbers of ctest's JUnit file.
count_ctest() {
    if [ ! -s "$1" ]; then
        failed=$((failed + 1))
        return 1
    fi
    junit_total=$(junit_number tests "$1")
    junit_failed=$(junit_number failures "$1")
    junit_skipped=$(($(junit_number skipped "$1") + $(junit_number disabled "$1")))
    passed=$((passed + junit_total - junit_failed - junit_skipped))
    failed=$((failed + junit_failed))
    skipped=$((skipped + junit_skipped))
    if [ "$junit_total" -eq 0 ]; then
        say "    no test was found"
        failed=$((failed + 1))
    fi
}

junit_number() {
    number=$(tr '\n\t' '  ' <"$2" | sed -n "s/^.*<testsuite [^>]*\\b$1=\"\\([0-9][0-9]*\\)\".*\$/\\1/p")
    echo "${number:-0}"
}

# The last line that a test run prints; ends the script with the right status.
finish() {
    [ "$skipped" -eq 0 ] || say "($skipped skipped)"
    say "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# packages_wanted PURPOSE...: the packages of the list, one a line, alternatives unresolved.
packages_wanted() {
    for purpose in "$@"; do
        sed -n "s/^$purpose  *\\([^ ]*\\).*\$/\\1/p" "$top/scripts/packages.txt"
    done
}

package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# packages_missing PURPOSE...: those of which no alternative is installed.
packages_missing() {
    for wanted in $(packages_wanted "$@"); do
        found=
        for package in $(printf '%s' "$wanted" | tr '|' ' '); do
            if package_installed "$package"; then
                found=1
                break
            fi
        done
        [ -n "$found" ] || printf '%s\n' "$wanted"
    done
}

# Reads packages with alternatives; prints for each the first one that apt could install.
packages_choose() {
    while read -r wanted; do
        chosen=
        for package in $(printf '%s' "$wanted" | tr '|' ' '); do
            if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
                chosen=$package
                break
            fi
        done
        printf '%s\n' "${chosen:-${wanted%%|*}}"
    done
}

# True if sudo works, after asking for a password where someone is there to type it.
can_sudo() {
    command -v sudo >/dev/null 2>&1 || return 1
    sudo -n true 2>/dev/null && return 0
    [ -t 0 ] && sudo -v
}

# need PURPOSE...: installs what is missing, or names it and stops. Does nothing if nothing is missing.
need() {
    command -v dpkg-query >/dev/null 2>&1 || {
        say "This is not a Debian or Ubuntu machine: no package is installed. What is needed is in scripts/packages.txt."
        return 0
    }
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif can_sudo; then
        as_root=sudo
    else
        as_root=none
    fi
    if [ "$as_root" = none ]; then
        say "These packages are missing, and this user may not install them. Run as root, then try again:" >&2
        # shellcheck disable=SC2046 # one word a package
        say "  apt-get update && apt-get install --no-install-recommends" \
            $(printf '%s\n' "$missing" | packages_choose) >&2
        exit 1
    fi
    step "update the package lists" apt_get "$as_root" update ||
        say "    going on with the lists that are there"
    # shellcheck disable=SC2046 # one word a package
    set -- $(printf '%s\n' "$missing" | packages_choose)
    say "packages to install: $*"
    step "install packages" apt_get "$as_root" install -y --no-install-recommends "$@" ||
        die "packages could not be installed: $*"
}

# apt_get SUDO ARGUMENT...: apt-get that never asks.
apt_get() {
    apt_sudo=$1
    shift
    $apt_sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# configure PRESET [ARGUMENT...], compile FOLDER [TARGET...]: a build folder of CMakePresets.json.
configure() {
    cmake -S "$top" --preset "$@"
}

compile() {
    compile_folder=$1
    shift
    cmake --build "$compile_folder" --parallel "$(jobs)" "$@"
}

# build_program [TARGET...]: build/ without the tests, unless they were configured before.
build_program() {
    if [ -f "$top/build/CMakeCache.txt" ]; then
        step "configure" configure release || return 1
    else
        step "configure" configure release -DBUILD_TESTING=OFF || return 1
    fi
    if [ $# -gt 0 ]; then
        set -- --target "$@"
    fi
    step "build" compile "$top/build" "$@"
}

# c_files [FOLDER...]: the project's C files, one a line.
c_files() {
    project_files "$@" | grep '\.[ch]$'
}

# project_files [FOLDER...]: all files of the project, also those that git does not know yet.
project_files() {
    [ $# -gt 0 ] || set -- .
    if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$top" -c core.quotePath=off ls-files -co --exclude-standard -- "$@"
    else
        (cd "$top" && find "$@" -path './build*' -prune -o -type f -print | sed 's,^\./,,')
    fi | sort -u | while IFS= read -r file; do
        if [ -f "$top/$file" ]; then
            printf '%s\n' "$file"
        fi
    done
}
