// SPDX-License-Identifier: Apache-2.0
// What the generated protobuf descriptors do not know of a message: the order and the form of its members in
// JSON, which of them are secret, and what the servers demand. Constant tables that tools/schemac.c makes
// from proto/ttn.lorawan.v3.schema.
#ifndef DEVICE_SCHEMA_H
#define DEVICE_SCHEMA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a value is, and how JSON shows it.
enum schema_form {
    FORM_BOOL,
    FORM_INT32,
    FORM_UINT32,
    FORM_INT64,   // as a string of digits
    FORM_UINT64,  // as a string of digits
    FORM_FLOAT,
    FORM_DOUBLE,
    FORM_STRING,
    FORM_HEX,     // bytes
    FORM_BASE64,  // bytes
    FORM_ENUM_NAME,
    FORM_ENUM_NUMBER,
    FORM_OBJECT,
    FORM_BARE,  // a message of one member, as that member's value
    FORM_TIMESTAMP,
    FORM_DURATION,
    FORM_FIELD_MASK,
    FORM_STRUCT,
    FORM_VALUE,
    FORM_LIST_VALUE,
    FORM_ANY,
};

enum schema_pattern {
    PATTERN_ID,           // [a-z0-9], single inner hyphens, at least 3 of [a-z0-9]
    PATTERN_ID_OR_EMPTY,  //
    PATTERN_USER_ID,      // as an ID, at least 2
    PATTERN_HOST,         // empty, or a host name with an optional port
    PATTERN_ADDRESS,      // a host with an optional scheme
    PATTERN_CODE,         // 1 to 32 of [A-Za-z0-9]
};

enum schema_rule_kind {
    RULE_END,
    RULE_REQUIRED,
    RULE_DEFINED_ONLY,
    RULE_IGNORE_EMPTY,
    RULE_LEN,  // texts are counted in code points, bytes in bytes
    RULE_MIN_LEN,
    RULE_MAX_LEN,
    RULE_GT,
    RULE_GTE,
    RULE_LTE,  // below RULE_GTE: one of the two must hold
    RULE_IN,
    RULE_PATTERN,  // `number` is an enum schema_pattern
    RULE_URI,
    RULE_URI_REF,
    RULE_MIN_ITEMS,  // of the list, as the two below; all others are about each entry
    RULE_MAX_ITEMS,
    RULE_MAX_PAIRS,
};

struct schema_rule {
    enum schema_rule_kind kind;
    double number;
};

struct schema_word {
    const char *text;
    int32_t number;
};

struct schema_enum {
    const char *name;
    const char *const *names;  // by number; NULL where there is none
    int32_t names_count;
    const struct schema_word *words;  // every name and alias
    size_t words_count;
};

struct schema_message;

struct schema_field {
    const char *name;   // "dev_eui"
    const char *camel;  // "devEui"
    const char *key;    // "\"dev_eui\":"
    uint8_t name_size;
    uint8_t camel_size;
    uint8_t key_size;
    uint8_t index;          // in descriptor->fields of protobuf-c
    enum schema_form form;  // of the value; of an entry's value in a list
    bool list;              // also set for maps
    bool map;               // `message` is the entry: fields key and value
    bool secret;            // never shown to people
    const struct schema_message *message;
    const struct schema_enum *enumeration;
    const struct schema_rule *rules;  // ends with RULE_END; never NULL
};

struct schema_message {
    const char *name;  // "tts.EndDevice": as its descriptor calls it
    const char *type;  // "ttn.lorawan.v3.EndDevice": as peers call it
    const ProtobufCMessageDescriptor *descriptor;
    const struct schema_field *fields;  // in the order of JSON
    size_t field_count;
    bool plain;  // printed by the standard protobuf JSON printer
};

// The generated table, in the order of names (strcmp).
extern const struct schema_message schema_messages[];
extern const size_t schema_message_count;

// A message's table by its descriptor's name or by its type; NULL if there is none.
const struct schema_message *schema_find(const char *name);
const struct schema_message *schema_find_type(const char *type);

// A message's table; it is a programming error to ask for a message that is not in the schema.
const struct schema_message *schema_of(const ProtobufCMessage *message);

// A member by its name (snake_case), or NULL.
const struct schema_field *schema_field(const struct schema_message *table, const char *name);

// The descriptor of a member, which knows its place in the C struct.
static inline const ProtobufCFieldDescriptor *schema_place(const struct schema_message *table,
                                                           const struct schema_field *field) {
    return &table->descriptor->fields[field->index];
}

// The name of an enum's value, or NULL.
const char *schema_enum_name(const struct schema_enum *enumeration, int32_t number);

// The number of an enum's name or alias. False if there is none.
bool schema_enum_number(const struct schema_enum *enumeration, const char *text, int32_t *ret_number);

#endif
