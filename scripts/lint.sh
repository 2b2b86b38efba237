#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The checks of style, each counted as a test. The last line is `N passed, N failed`.
# --full adds clang-tidy and gcc's analyzer, which take minutes.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$top"
# shellcheck source=scripts/common.sh
. "$top/scripts/common.sh"

full=
case ${1:-} in
--full) full=1 ;;
'') ;;
*) die "lint: unknown argument $1" ;;
esac

# shellcheck source=scripts/checks.sh
. "$top/scripts/checks.sh"

need build sandbox test lint
[ -z "$full" ] || need tidy

check() {
    count_step "$@" || true
}

check "clang-format" check_format
check "shellcheck" check_shell
check "layers: includes point downwards" check_layers
check "headers compile alone" check_headers
check "banned functions" check_banned
check "sizes of functions and files" check_sizes
check "licence lines" check_licence
check "whitespace" check_whitespace
check "leftovers" check_leftovers
check "links in documents" check_links
check "spelling" check_spelling
if [ -n "$full" ]; then
    check "clang-tidy" check_tidy
    check "gcc -fanalyzer" check_analyzer
fi
finish
