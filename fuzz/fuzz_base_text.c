// SPDX-License-Identifier: Apache-2.0
// Hexadecimal, base64, durations, points in time, UTF-8: whatever is accepted must come back the same.
#include <string.h>

#include "base/base64.h"
#include "base/duration.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "fuzz.h"

enum { KEY_SIZE = 16 };

static void check_hex(const char *text, size_t size) {
    uint8_t key[KEY_SIZE];
    if (!hex_decode(key, sizeof(key), text, size)) return;
    char again[HEX_TEXT_SIZE(KEY_SIZE)];
    hex_encode_upper(again, key, sizeof(key));
    fuzz_check(size == strlen(again) && strncasecmp(text, again, size) == 0);
}

static void check_base64(const char *text, size_t size) {
    size_t capacity = BASE64_DATA_SIZE(size);
    uint8_t *data = memory_alloc(1, capacity);
    size_t data_size;
    if (base64_decode(data, capacity, &data_size, text, size)) {
        char *again = memory_alloc(1, BASE64_TEXT_SIZE(data_size));
        uint8_t *twice = memory_alloc(1, capacity);
        size_t twice_size;
        base64_encode(again, data, data_size);
        fuzz_check(base64_decode(twice, capacity, &twice_size, again, strlen(again)));
        fuzz_check(twice_size == data_size && memcmp(twice, data, data_size) == 0);
        fuzz_check(data_size == 0 || !base64_decode(twice, data_size - 1, &twice_size, again, strlen(again)));
        free(again);
        free(twice);
    }
    free(data);
}

static void check_duration(const char *text, size_t size) {
    int64_t seconds, seconds_again;
    int32_t nanos, nanos_again;
    if (!duration_parse(text, size, &seconds, &nanos)) return;
    char again[DURATION_TEXT_SIZE];
    size_t length = duration_format(again, seconds, nanos);
    fuzz_check(length > 0 && duration_parse(again, length, &seconds_again, &nanos_again));
    fuzz_check(seconds == seconds_again && nanos == nanos_again);
}

static void check_time(const char *text, size_t size) {
    int64_t seconds, seconds_again;
    int32_t nanos, nanos_again;
    if (!rfc3339_parse(text, size, &seconds, &nanos)) return;
    char again[RFC3339_TEXT_SIZE];
    size_t length = rfc3339_format(again, seconds, nanos);
    fuzz_check(length > 0 && rfc3339_parse(again, length, &seconds_again, &nanos_again));
    fuzz_check(seconds == seconds_again && nanos == nanos_again);
}

static void check_utf8(const char *text, size_t size) {
    struct buffer repaired;
    buffer_init(&repaired, BUFFER_UNLIMITED);
    bool changed = utf8_repair(text, size, &repaired);
    fuzz_check(changed == !utf8_valid(text, size));
    fuzz_check(utf8_valid((const char *)repaired.data, repaired.size));
    fuzz_check(utf8_length(text, size) == utf8_length((const char *)repaired.data, repaired.size));
    fuzz_check(utf8_prefix(text, size, size) == size);
    buffer_release(&repaired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    check_hex(text, size);
    check_base64(text, size);
    check_duration(text, size);
    check_time(text, size);
    check_utf8(text, size);
    return 0;
}
