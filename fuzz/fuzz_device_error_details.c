// SPDX-License-Identifier: Apache-2.0
// ErrorDetails: the input is the value of the trailer, or, behind a zero, the bytes that it stands for.
#include "base/base64.h"
#include "device/error_details.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = {0};
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    char *trailer;
    if (size > 0 && data[0] == 0) {
        trailer = arena_alloc(&arena, BASE64_TEXT_SIZE(size - 1), 1);
        base64_encode(trailer, data + 1, size - 1);
    } else {
        trailer = arena_strndup(&arena, size == 0 ? "" : (const char *)data, size);
    }
    const Tts__ErrorDetails *details = error_details_read(trailer, &arena);
    error_details_write(details, &text);
    fuzz_check(details != NULL || text.size == 0);
    const char *attribute = error_details_attribute(details, "device_id");
    fuzz_check(attribute == NULL || details->attributes != NULL);
    return 0;
}
