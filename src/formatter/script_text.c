// SPDX-License-Identifier: Apache-2.0
#include "formatter/script_text.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static bool is_word(char byte) {
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' || ((unsigned char)byte & 0x80) != 0;
}

// The end of a comment or string that starts at `at`; `at` itself if none does.
static const char *skip_one(const char *at) {
    if (at[0] == '/' && at[1] == '/') return at + strcspn(at, "\r\n");
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        return end == NULL ? at + strlen(at) : end + 2;
    }
    if (at[0] != '"' && at[0] != '\'' && at[0] != '`') return at;
    const char *start = at;
    char quote = *at++;
    while (*at != '\0' && *at != quote && (quote == '`' || (*at != '\n' && *at != '\r'))) {
        if (*at == '\\' && at[1] != '\0') at++;
        at++;
    }
    // A quote that is not closed stands in a regular expression.
    return *at == quote ? at + 1 : start;
}

// Skips blanks and comments.
static const char *skip_blank(const char *at) {
    for (;;) {
        while (isspace((unsigned char)*at)) at++;
        if (at[0] != '/' || (at[1] != '/' && at[1] != '*')) return at;
        at = skip_one(at);
    }
}

bool script_defines(const char *script, const char *name) {
    size_t size = strlen(name);
    bool function = false;  // the word before was "function"
    for (const char *at = script; *at != '\0';) {
        const char *behind = skip_one(at);
        if (behind != at) {
            at = behind;
            continue;
        }
        if (!is_word(*at)) {
            function = function && isspace((unsigned char)*at);
            at++;
            continue;
        }
        size_t length = 1;
        while (is_word(at[length])) length++;
        const char *next = skip_blank(at + length);
        if (length == size && memcmp(at, name, size) == 0) {
            if (function || (next[0] == '=' && next[1] != '=') || next[0] == ':') return true;
        }
        function = length == 8 && memcmp(at, "function", 8) == 0;
        at += length;
    }
    return false;
}
