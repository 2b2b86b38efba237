#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All tests: with gcc as shipped, with clang under AddressSanitizer and UndefinedBehaviorSanitizer, and under
# valgrind. A stage that fails does not stop the next. The last line is `N passed, N failed`.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/common.sh
. "$top/scripts/common.sh"

gcc_built=

# build_stage NAME PRESET FOLDER [ARGUMENT...]: a build that counts as a test if it fails. All that can be
# built is built, so that its tests still run.
build_stage() {
    stage=$1
    preset=$2
    folder=$3
    shift 3
    if step "$stage: configure" configure "$preset" "$@" &&
        step "$stage: build" compile "$folder" -- -k 0; then
        return 0
    fi
    failed=$((failed + 1))
    [ -f "$folder/build.ninja" ]
}

# test_stage NAME FOLDER [CTEST ARGUMENT...]
test_stage() {
    stage=$1
    folder=$2
    shift 2
    rm -f "$folder/junit.xml"
    STEP_TAIL=200
    step "$stage: test" run_ctest "$folder" "$@" || true
    STEP_TAIL=40
    count_ctest "$folder/junit.xml" || true
}

# shellcheck disable=SC2317 # called by step
run_ctest() (
    cd "$1"
    shift
    ctest --parallel "$(jobs)" --output-on-failure --output-junit junit.xml "$@"
)

test_gcc() {
    if build_stage gcc release "$top/build" -DWERROR=ON -DBUILD_TESTING=ON; then
        gcc_built=1
        test_stage gcc "$top/build"
    fi
}

test_sanitize() {
    if build_stage "clang, sanitizers" sanitize "$top/build-sanitize"; then
        test_stage "clang, sanitizers" "$top/build-sanitize" -LE slow
    fi
}

# Runs what test_gcc built.
test_valgrind() {
    if [ -n "$gcc_built" ] || build_stage gcc release "$top/build" -DWERROR=ON -DBUILD_TESTING=ON; then
        test_stage valgrind "$top/build" -C valgrind -L valgrind
    fi
}

[ $# -gt 0 ] || set -- gcc sanitize valgrind
for name in "$@"; do
    case $name in
    gcc | sanitize | valgrind) ;;
    *) die "test: no stage named $name (gcc, sanitize, valgrind)" ;;
    esac
done

need build sandbox test
for name in "$@"; do
    case $name in
    gcc) test_gcc ;;
    sanitize) test_sanitize ;;
    valgrind) test_valgrind ;;
    esac
done
finish
