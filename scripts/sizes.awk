# SPDX-License-Identifier: Apache-2.0
# Sizes, of files in the project's format: a function's body ends with a brace in the first column.
# Above the soft limits it only tells; above the hard ones it fails.

BEGIN {
    function_soft = 60
    function_hard = 100
    file_soft = 600
    file_hard = 800
}

function judge(what, size, soft, hard) {
    if (size <= soft) return
    printf "%s: %d lines%s\n", what, size, (size > hard ? ", more than " hard : " (aim at " soft ")")
    if (size > hard) wrong = 1
}

function end_file() {
    if (file != "") judge(file, lines, file_soft, file_hard)
}

FNR == 1 {
    end_file()
    file = FILENAME
    start = 0
}

{ lines = FNR }

/^[A-Za-z_].*\(.*[^;]$/ && !/=/ {
    name = $0
    sub(/\(.*$/, "", name)
    sub(/^.*[ *]/, "", name)
}

/^([A-Za-z_].*)?\) \{$|^ .*\) \{$/ && !start && name != "" { start = FNR }

/^}/ {
    if (start) judge(file ":" start ": " name, FNR - start - 1, function_soft, function_hard)
    start = 0
    name = ""
}

END {
    end_file()
    exit wrong
}
