# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The single checks of `./dev lint`. Sourced after common.sh; each prints what is wrong and returns 1.

: "${top:?}"

# Folders with C that goes into a program; the rest is tests and tools.
program_folders="src sandbox tools"

check_format() {
    c_files | xargs clang-format-14 --dry-run -Werror
}

# POSIX shell scripts, by name or first line.
shell_files() {
    project_files | grep -E '\.sh$'
    project_files | grep -vE '\.|/corpus/' | xargs grep -lE '^#!/bin/sh$' /dev/null
    printf '%s\n' .ci/run
}

check_shell() {
    shell_files | sort -u | xargs shellcheck --external-sources
}

# Exits 1 if its input has lines, which it prints under a title.
none() {
    awk -v title="$1" '{ if (!n++) print title; print "  " $0 } END { exit n > 0 }'
}

check_layers() {
    c_files src sandbox | xargs awk -f scripts/layers.awk
}

check_headers() {
    configure release -DWERROR=ON -DBUILD_TESTING=ON || return 1
    compile build --target proto || return 1
    # shellcheck disable=SC2046 # one word a flag
    set -- -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -Isrc -Isandbox -isystem build/proto \
        $(pkg-config --cflags libcurl jansson libprotobuf-c sqlite3 yaml-0.1 grpc libmicrohttpd cmocka)
    result=0
    # Twice each, which shows a missing guard. Headers of tests lean on cmocka's, which want company before them.
    for header in $(c_files | grep '\.h$' | grep -v '^tests/'); do
        printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
            gcc "$@" -I"$(dirname "$header")" -iquote . -x c -fsyntax-only - || result=1
    done
    return $result
}

# uses_of FUNCTIONS FOLDER...: calls of the functions (an expression), outside of comments.
uses_of() {
    functions=$1
    shift
    c_files "$@" | xargs grep -nE "(^|[^A-Za-z0-9_.>])($functions)[[:space:]]*\\(" |
        grep -vE '^[^:]*:[0-9]*:[[:space:]]*//'
}

check_banned() {
    {
        uses_of 'strcpy|strcat|strncpy|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof' .
        uses_of 'gmtime|localtime|asctime|ctime|mktemp|tmpnam|tempnam|alloca' .
        # shellcheck disable=SC2086 # one word a folder
        uses_of 'strncat|[sf]?scanf|system|popen|setjmp|longjmp' $program_folders
    } | none "these functions are not used here (base/ has bounded ones; *_r for time):"
}

check_sizes() {
    c_files | xargs awk -f scripts/sizes.awk
}

check_licence() {
    project_files | grep -E '\.([ch]|sh|awk|proto)$|^dev$|^\.ci/run$' |
        while IFS= read -r file; do
            [ ! -s "$file" ] || head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0$' ||
                printf '%s\n' "$file"
        done | none "no line \`SPDX-License-Identifier: Apache-2.0\` at the top:"
}

text_files() {
    project_files | grep -E '\.([ch]|sh|awk|cmake|proto|md|json|yml|txt)$|^dev$|^\.ci/run$|^\.clang-' |
        grep -vE '^(tests/(vectors|golden)|fuzz/corpus|data)/|^LICENSE$'
}

check_whitespace() {
    tab=$(printf '\t')
    return_=$(printf '\r')
    {
        text_files | xargs grep -nE "[ $tab$return_]+\$|^ *$tab" /dev/null || true
        text_files | while IFS= read -r file; do
            [ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || printf '%s: no newline at the end\n' "$file"
        done
    } | none "tabs, blanks at a line's end, no newline at a file's end:"
}

check_leftovers() {
    {
        text_files | xargs grep -nE "\\b(TOD""O|FIX""ME|XX""X|HAC""K)\\b" /dev/null | grep -vE '#[0-9]+' || true
        text_files | xargs grep -nE "(^|[^A-Za-z0-9_.-])/(home|root|work|Users)/[A-Za-z]" /dev/null || true
    } | none "unfinished work without the number of its issue, or a path of somebody's machine:"
}

# Relative links of Markdown files must lead to a file.
check_links() {
    project_files | grep '\.md$' | xargs grep -oHE '\]\([^)#: ]+[)#]' | sed 's/:\](/ /; s/.$//' |
        while read -r file link; do
            [ -e "$(dirname "$file")/$link" ] || printf '%s: %s\n' "$file" "$link"
        done | none "links that lead nowhere:"
}

check_spelling() {
    if ! command -v codespell >/dev/null 2>&1; then
        echo "codespell is not installed"
        return 1
    fi
    text_files | xargs codespell --ignore-words scripts/spelling.txt
}

check_tidy() {
    [ -f build/compile_commands.json ] || configure release
    c_files src sandbox | grep '\.c$' | xargs -n 4 -P "$(jobs)" clang-tidy --quiet -p build
}

check_analyzer() {
    analyzer=$top/build-analyzer
    cmake -S "$top" -B "$analyzer" -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Release -DWERROR=ON \
        -DBUILD_TESTING=OFF -DCMAKE_C_FLAGS=-fanalyzer
    compile "$analyzer" -- -k 0
}
