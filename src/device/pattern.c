// SPDX-License-Identifier: Apache-2.0
#include "device/pattern.h"

#include <stddef.h>
#include <string.h>

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

// At least `least` of [a-z0-9], with single hyphens between them.
static bool is_id(const char *text, size_t least) {
    size_t count = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (is_lower(*at) || is_digit(*at)) {
            count++;
        } else if (*at != '-' || at == text || at[-1] == '-' || at[1] == '\0') {
            return false;
        }
    }
    return count >= least;
}

// Labels of letters, digits and inner hyphens between dots, then perhaps `:` and 1 to 5 digits.
static bool is_host(const char *text) {
    const char *label = text;
    for (;; text++) {
        if (is_letter(*text) || is_digit(*text)) continue;
        if (*text == '-' && text > label) continue;
        if (text == label || text[-1] == '-') return false;
        if (*text != '.') break;
        label = text + 1;
    }
    if (*text == '\0') return true;
    if (*text != ':') return false;
    size_t digits = strspn(text + 1, "0123456789");
    return digits >= 1 && digits <= 5 && text[1 + digits] == '\0';
}

static bool is_address(const char *text) {
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    if (scheme >= 2 && scheme <= 5 && strncmp(text + scheme, "://", 3) == 0) text += scheme + 3;
    return is_host(text);
}

static bool is_code(const char *text) {
    size_t size = 0;
    while (is_letter(text[size]) || is_digit(text[size])) size++;
    return size >= 1 && size <= 32 && text[size] == '\0';
}

bool pattern_matches(enum schema_pattern pattern, const char *text) {
    switch (pattern) {
        case PATTERN_ID:
            return is_id(text, 3);
        case PATTERN_ID_OR_EMPTY:
            return text[0] == '\0' || is_id(text, 3);
        case PATTERN_USER_ID:
            return is_id(text, 2);
        case PATTERN_HOST:
            return text[0] == '\0' || is_host(text);
        case PATTERN_ADDRESS:
            return text[0] == '\0' || is_address(text);
        case PATTERN_CODE:
            return is_code(text);
    }
    return false;
}

const char *pattern_text(enum schema_pattern pattern) {
    switch (pattern) {
        case PATTERN_HOST:
            return "a host name with an optional port";
        case PATTERN_ADDRESS:
            return "a host name with an optional scheme and port";
        case PATTERN_CODE:
            return "1 to 32 letters and digits";
        default:
            return "at least 3 lower-case letters, digits and single inner hyphens";
    }
}

bool pattern_is_uri_ref(const char *text) {
    static const char allowed[] = "-._~:/?#[]@!$&'()*+,;=%";
    for (const char *at = text; *at != '\0'; at++) {
        if (!is_letter(*at) && !is_digit(*at) && strchr(allowed, *at) == NULL) return false;
        if (*at == '%' && (strspn(at + 1, "0123456789abcdefABCDEF") < 2)) return false;
    }
    return true;
}

bool pattern_is_uri(const char *text) {
    size_t scheme = 0;
    if (!is_letter(text[0])) return false;
    while (is_letter(text[scheme]) || is_digit(text[scheme]) || strchr("+-.", text[scheme]) != NULL) {
        if (text[scheme] == '\0') return false;
        scheme++;
    }
    return text[scheme] == ':' && text[scheme + 1] != '\0' && pattern_is_uri_ref(text);
}
