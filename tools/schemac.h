// SPDX-License-Identifier: Apache-2.0
// The schema compiler: a schema in memory, and what is made of it.
#ifndef TOOLS_SCHEMAC_H
#define TOOLS_SCHEMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"

enum { WORDS_MAX = 32 };

// Words of one line, borrowed from the arena.
struct words {
    char *word[WORDS_MAX];
    size_t count;
};

struct package {
    struct package *next;
    const char *name;    // "ttn.lorawan.v3"
    const char *c_name;  // "Tts"
    char *file;          // "tts": the name of the .proto and of its package
};

struct enum_value {
    struct enum_value *next;
    const char *name;
    int number;
    struct words aliases;
};

struct enumeration {
    struct enumeration *next;
    const struct package *package;
    const char *name;
    bool as_number;
    struct enum_value *values;
    size_t index;
};

struct message;

struct field {
    struct field *next;
    const char *name;
    int number;
    bool list;
    bool map;
    bool secret;
    bool hex;
    const char *type;                       // "uint32", "EndDevice"
    const struct enumeration *enumeration;  // what `type` names, or NULL
    const struct message *message;          // what `type` names, or the entry of a map; or NULL
    const char *oneof;                      // or NULL
    struct words rules;                     // "max_len=50"
    size_t index;                           // among its message's fields in the order of numbers
};

struct message {
    struct message *next;
    const struct package *package;
    const char *name;       // "MACState.JoinAccept"
    const char *full_name;  // "tts.MACState.JoinAccept"
    const char *type;       // "ttn.lorawan.v3.MACState.JoinAccept"
    bool plain;
    bool bare;
    bool entry;
    struct field *fields;  // in the order of the schema
    size_t field_count;
    size_t index;  // among all messages in the order of full names
};

struct schema {
    struct arena arena;
    struct package *packages;
    struct enumeration *enums;
    struct message *messages;
    size_t message_count;
};

// Reads a schema and links its types; ends the program with a message if it is wrong.
void schema_load(struct schema *schema, const char *path);

// Writes the protobuf definition of one package.
void schema_write_proto(const struct schema *schema, const struct package *package, FILE *file);

// Writes the tables of device/schema.h.
void schema_write_tables(const struct schema *schema, FILE *file);

#endif
