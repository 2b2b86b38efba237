// SPDX-License-Identifier: Apache-2.0
// Field masks: which fields of a message a server of The Things Stack is told to set.
#ifndef DEVICE_FIELD_MASK_H
#define DEVICE_FIELD_MASK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

// Told of a path, borrowed for the call: "mac_settings.rx1_delay.value", "mac_settings.adr.mode.static.nb_trans".
typedef void field_mask_path(void *context, const char *path);

// Tells the path of every lowest field of a message of the schema that is set. In MAC states and their parameters also
// those that are zero: what is not named there, a server would fill with its own. Lists, maps and the messages of
// google.protobuf are lowest fields.
//
// With `before`, another message of that type (NULL = none), also what is only set there: so that a server that has
// `before` will have `message`. A message that is only there is told as a whole.
void field_mask_each(const ProtobufCMessage *message, const ProtobufCMessage *before, field_mask_path *tell,
                     void *context);

// A copy that has only those members of the message (names, separated by spaces). It shares their values with the
// original.
void *message_select(const ProtobufCMessage *message, const char *members, struct arena *arena);

#endif
