// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <string.h>

#include "base/clock.h"

size_t duration_format(char text[DURATION_TEXT_SIZE], int64_t seconds, int32_t nanos) {
    text[0] = '\0';
    if (seconds > DURATION_SECONDS_MAX || seconds < -DURATION_SECONDS_MAX) return 0;
    if (nanos >= NS_PER_SECOND || nanos <= -NS_PER_SECOND) return 0;
    if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) return 0;
    char *end = text;
    if (seconds < 0 || nanos < 0) *end++ = '-';
    uint64_t whole = (uint64_t)(seconds < 0 ? -seconds : seconds);
    uint32_t rest = (uint32_t)(nanos < 0 ? -nanos : nanos);
    char digits[20];
    size_t count = 0;
    do digits[count++] = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    while (count > 0) *end++ = digits[--count];
    if (rest > 0) {
        int decimals = rest % 1000000 == 0 ? 3 : rest % 1000 == 0 ? 6 : 9;
        *end++ = '.';
        for (uint32_t unit = 100000000; decimals > 0; decimals--, unit /= 10) {
            *end++ = (char)('0' + rest / unit % 10);
        }
    }
    *end++ = 's';
    *end = '\0';
    return (size_t)(end - text);
}

// 10,000 years in ns do not fit into 64 bits.
__extension__ typedef __int128 wide;

struct unit {
    const char *name;
    int64_t ns;
};

// Longer names stand before those that they begin with.
static const struct unit units[] = {
    {"h", 3600 * NS_PER_SECOND},
    {"ms", NS_PER_MS},
    {"m", 60 * NS_PER_SECOND},
    {"s", NS_PER_SECOND},
    {"us", 1000},
    {"µs", 1000},
    {"μs", 1000},
    {"ns", 1},
};

static const struct unit *take_unit(const char **text, const char *end) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t size = strlen(units[i].name);
        if ((size_t)(end - *text) >= size && memcmp(*text, units[i].name, size) == 0) {
            *text += size;
            return &units[i];
        }
    }
    return NULL;
}

// One decimal with its unit, in ns, added to the sum.
static bool take_term(const char **text, const char *end, wide *sum) {
    const char *at = *text;
    wide whole = 0, fraction = 0, scale = 1;
    size_t digits = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++, digits++) {
        if (digits > 18) return false;
        whole = whole * 10 + (*at - '0');
    }
    if (at < end && *at == '.') {
        for (at++; at < end && *at >= '0' && *at <= '9'; at++, digits++) {
            if (scale > INT64_C(100000000000000)) continue;
            fraction = fraction * 10 + (*at - '0');
            scale *= 10;
        }
    }
    if (digits == 0) return false;
    const struct unit *unit = take_unit(&at, end);
    if (unit == NULL) return false;
    *sum += whole * unit->ns + fraction * unit->ns / scale;
    *text = at;
    return true;
}

bool duration_parse(const char *text, size_t size, int64_t *ret_seconds, int32_t *ret_nanos) {
    const char *end = text + size;
    bool negative = size > 0 && text[0] == '-';
    if (size > 0 && (text[0] == '-' || text[0] == '+')) text++;
    if (text == end || end - text > 256) return false;
    wide sum = 0;
    bool bare_zero = end - text == 1 && text[0] == '0';
    while (!bare_zero && text < end) {
        if (!take_term(&text, end, &sum)) return false;
    }
    if (sum / NS_PER_SECOND > DURATION_SECONDS_MAX) return false;
    if (negative) sum = -sum;
    *ret_seconds = (int64_t)(sum / NS_PER_SECOND);
    *ret_nanos = (int32_t)(sum % NS_PER_SECOND);
    return true;
}
