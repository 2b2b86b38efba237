// SPDX-License-Identifier: Apache-2.0
// The form that The Things Stack demands of a message (the rules in tts.messages).
#ifndef SANDBOX_WORLD_TTS_RULES_H
#define SANDBOX_WORLD_TTS_RULES_H

#include "world/tts_tree.h"

// What is wrong with a field; the outermost message comes first.
struct tts_violation {
    const char *message;  // its name
    char *field;          // "name", "attributes[key]"
    char *reason;
    struct tts_violation *cause;  // within the field
};

// What is to be checked of a message: of its members only those that a path names or leads to.
struct tts_scope {
    const char *const *paths;  // borrowed
    size_t count;
};

// NULL, or the first thing that is wrong with the message. `scope` NULL = everything is checked.
const struct tts_violation *tts_check_form(struct arena *arena, const struct tts_node *message,
                                           const struct tts_scope *scope);

// True for what the ID of a device, an application or a gateway looks like.
bool tts_is_id(struct wire_bytes text);

#endif
