// SPDX-License-Identifier: Apache-2.0
// The messages of The Things Stack as constant tables, made by the build from tts.messages and tts.masks.
#ifndef SANDBOX_WORLD_TTS_SCHEMA_H
#define SANDBOX_WORLD_TTS_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tts_type {
    TTS_BOOL,
    TTS_INT32,
    TTS_UINT32,
    TTS_INT64,
    TTS_UINT64,
    TTS_ENUM,
    TTS_FLOAT,
    TTS_DOUBLE,
    TTS_STRING,
    TTS_BYTES,
    TTS_MESSAGE,
};

// Forms that a text must have.
enum tts_pattern {
    TTS_PATTERN_NONE,
    TTS_PATTERN_ID,           // of devices, applications, gateways, attribute keys
    TTS_PATTERN_ID_OR_EMPTY,  //
    TTS_PATTERN_USER_ID,      // of users and organizations: two characters will do
    TTS_PATTERN_HOST,         // host name with an optional port, or empty
    TTS_PATTERN_HOST_OR_URL,  // the same with an optional scheme
    TTS_PATTERN_CODE,         // 1 to 32 letters and digits
};

enum tts_rule {
    TTS_REQUIRED = 1 << 0,  // a message that must be there
    TTS_KNOWN = 1 << 1,     // an enum's number must have a name
    TTS_OR_EMPTY = 1 << 2,  // the rules do not hold for an empty value
    TTS_GTE = 1 << 3,       // with TTS_LTE below it: one or the other
    TTS_LTE = 1 << 4,
    TTS_GT = 1 << 5,  // above `gte`
};

struct tts_message;

struct tts_field {
    const char *name;
    const char *oneof;                  // the name of the choice that it belongs to, or NULL
    const struct tts_message *message;  // of TTS_MESSAGE
    uint64_t known;                     // of TTS_ENUM: the numbers that have names, as bits
    uint16_t number;
    enum tts_type type;
    bool list;
    bool map;  // a list of entries with a key (1) and a value (2)
    enum tts_pattern pattern;
    unsigned rules;                  // of enum tts_rule
    uint32_t len, min_len, max_len;  // 0 = any; texts in code points, bytes in bytes
    int64_t gte, lte;                //
    uint32_t min_items, max_items;   // 0 = any
};

struct tts_message {
    const char *name;                // without its package
    const struct tts_field *fields;  // by number
    size_t count;
};

extern const struct tts_message tts_messages[];  // by name
extern const size_t tts_message_count;

// Which calls take a path in their field mask.
enum tts_mask {
    TTS_MASK_IS_GET = 1 << 0,
    TTS_MASK_IS_UPDATE = 1 << 1,
    TTS_MASK_NS_GET = 1 << 2,
    TTS_MASK_NS_SET = 1 << 3,
    TTS_MASK_AS_GET = 1 << 4,
    TTS_MASK_AS_SET = 1 << 5,
    TTS_MASK_JS_GET = 1 << 6,
    TTS_MASK_JS_SET = 1 << 7,
    TTS_MASK_GATEWAY_GET = 1 << 8,
    TTS_MASK_GATEWAY_UPDATE = 1 << 9,
    TTS_MASK_LINK_GET = 1 << 10,
    TTS_MASK_LINK_SET = 1 << 11,
};

struct tts_mask_path {
    const char *path;
    unsigned calls;  // of enum tts_mask
};

extern const struct tts_mask_path tts_mask_paths[];  // by path
extern const size_t tts_mask_path_count;

// The message of that name, which must exist.
const struct tts_message *tts_message(const char *name);

// The field of that number or name (`size` bytes), or NULL.
const struct tts_field *tts_field_numbered(const struct tts_message *message, uint32_t number);
const struct tts_field *tts_field_named(const struct tts_message *message, const char *name, size_t size);

// True if the call takes the path (`size` bytes).
bool tts_mask_takes(enum tts_mask call, const char *path, size_t size);

#endif
