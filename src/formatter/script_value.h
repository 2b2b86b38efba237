// SPDX-License-Identifier: Apache-2.0
// Values on their way out of one engine and into another: plain data, as the networks' programs hold them.
#ifndef FORMATTER_SCRIPT_VALUE_H
#define FORMATTER_SCRIPT_VALUE_H

#include <duktape.h>
#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"

enum script_value_kind {
    SCRIPT_NULL,
    SCRIPT_BOOLEAN,
    SCRIPT_NUMBER,
    SCRIPT_STRING,
    SCRIPT_ARRAY,
    SCRIPT_OBJECT,
};

struct script_value {
    enum script_value_kind kind;
    bool boolean;
    double number;
    const char *text;  // SCRIPT_STRING: UTF-8; SCRIPT_NUMBER: its shortest decimal form
    size_t size;       // SCRIPT_STRING: its bytes; some may be zero
    size_t count;      // of items
    struct script_value *const *items;
    const char *const *names;  // SCRIPT_OBJECT: one an item
};

// How a network's program takes values out of its engine.
enum script_export {
    EXPORT_TTNV2,  // own members without undefined ones; functions and dates are empty objects; holes of arrays close
    EXPORT_TTS,  // undefined and holes are null, functions an error
};

// The value at the top of the engine's stack; it stays there. Everything is of the arena. Throws inside the engine if
// getters do, or the value is nothing that can be taken out; ends the process if it is endless.
struct script_value *script_value_export(duk_context *engine, enum script_export how, struct arena *arena);

// Pushes it as V2 handed values to the next function: what is null reads as undefined there, is null again when it comes
// out untouched, and a member that is set to null or undefined is gone.
void script_value_import(duk_context *engine, const struct script_value *value);

// From JSON; strings are copied.
struct script_value *script_value_from_json(const json_t *json, struct arena *arena);

// Appends it as JSON. False if it has a number that is not finite.
bool script_value_to_json(const struct script_value *value, struct buffer *text);

#endif
