// SPDX-License-Identifier: Apache-2.0
// Device JSON: a stream of objects cut apart, each read; what was read must come back the same after it was
// written.
#include <string.h>

#include "device/json_read.h"
#include "device/json_write.h"
#include "device/message.h"
#include "fuzz.h"
#include "tts.pb-c.h"

static void check_object(const char *text, size_t size, size_t line) {
    ARENA_AUTO arena = {0};
    ERROR_AUTO error = {0};
    struct notes notes = {0};
    const ProtobufCMessage *device =
        message_json_read(&tts__end_device__descriptor, text, size, line, &arena, &notes, &error);
    notes_release(&notes);
    fuzz_check(device || error.message);
    if (!device) return;
    BUFFER_AUTO once, twice;
    buffer_init(&once, BUFFER_UNLIMITED);
    buffer_init(&twice, BUFFER_UNLIMITED);
    message_json_write(device, &once);
    fuzz_check(!memchr(once.data, '\n', once.size));
    const ProtobufCMessage *again = message_json_read(&tts__end_device__descriptor, (const char *)once.data,
                                                      once.size, 1, &arena, NULL, &error);
    fuzz_check(again && message_equal(device, again));
    message_json_write(again, &twice);
    fuzz_check(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
}

// Cuts the stream in pieces of `piece` bytes and returns how many objects were in it, or -1.
static int split(const char *text, size_t size, size_t piece, bool check) {
    struct json_splitter splitter;
    json_splitter_init(&splitter);
    int objects = 0;
    for (size_t at = 0; at < size && objects >= 0;) {
        size_t part = size - at < piece ? size - at : piece;
        size_t taken, object_size, line;
        const char *object = NULL;
        if (json_splitter_take(&splitter, text + at, part, &taken, &object, &object_size, &line, NULL) != 0) {
            objects = -1;
        } else if (object) {
            if (check) check_object(object, object_size, line);
            objects++;
        }
        fuzz_check(objects < 0 || (taken <= part && (taken > 0 || object)));
        at += objects < 0 ? 0 : taken;
    }
    if (objects >= 0 && json_splitter_end(&splitter, NULL) != 0) objects = -1;
    json_splitter_release(&splitter);
    return objects;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    int objects = split(text, size, size, true);
    fuzz_check(objects == split(text, size, 3, false));
    return 0;
}
