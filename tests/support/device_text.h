// SPDX-License-Identifier: Apache-2.0
// Devices as texts, for tests. To be included after cmocka.h.
#ifndef TESTS_SUPPORT_DEVICE_TEXT_H
#define TESTS_SUPPORT_DEVICE_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "device/json_read.h"
#include "device/json_write.h"
#include "device/message.h"
#include "tts.pb-c.h"

// The message as JSON; the caller frees it.
static inline char *text_of(const ProtobufCMessage *message) {
    struct buffer json;
    buffer_init(&json, BUFFER_UNLIMITED);
    message_json_write(message, &json);
    return buffer_take_string(&json);
}

// Reads a message that must be readable.
static inline void *message_of(const ProtobufCMessageDescriptor *descriptor, const char *text,
                               struct arena *arena) {
    struct error error = {0};
    void *message = message_json_read(descriptor, text, strlen(text), 1, arena, NULL, &error);
    if (message == NULL) print_error("%s: %s\n", text, error.message);
    assert_non_null(message);
    return message;
}

// Reads a text as a message and writes it again; the caller frees the result.
static inline char *text_again(const ProtobufCMessageDescriptor *descriptor, const char *text) {
    struct arena arena = {0};
    const ProtobufCMessage *message = message_of(descriptor, text, &arena);
    char *again = text_of(message);
    arena_release(&arena);
    return again;
}

// A text that is written exactly as it was read.
static inline void assert_same_again(const ProtobufCMessageDescriptor *descriptor, const char *text) {
    char *again = text_again(descriptor, text);
    assert_string_equal(again, text);
    free(again);
}

// A text that is read and written as another one.
static inline void assert_becomes(const ProtobufCMessageDescriptor *descriptor, const char *text,
                                  const char *expected) {
    char *again = text_again(descriptor, text);
    assert_string_equal(again, expected);
    free(again);
}

// A text that is refused; the message holds `reason`.
static inline void assert_refused(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size,
                                  const char *reason) {
    struct arena arena = {0};
    struct error error = {0};
    const void *message = message_json_read(descriptor, text, size, 1, &arena, NULL, &error);
    if (message != NULL) print_error("not refused: %.200s\n", text);
    assert_null(message);
    assert_true(error_is_set(&error));
    if (strstr(error.message, reason) == NULL) print_error("%.200s: %s\n", text, error.message);
    assert_non_null(strstr(error.message, reason));
    error_release(&error);
    arena_release(&arena);
}

#endif
