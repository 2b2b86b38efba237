// SPDX-License-Identifier: Apache-2.0
// What a server of The Things Stack says about an error beyond its status: ErrorDetails, in the trailer
// `grpc-status-details-bin` of an answer.
#ifndef DEVICE_ERROR_DETAILS_H
#define DEVICE_ERROR_DETAILS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "tts.pb-c.h"

// The trailer in which the details travel.
#define ERROR_DETAILS_TRAILER "grpc-status-details-bin"

// Reads the trailer's value: base64 (padding optional) of a google.rpc.Status. NULL if it is none, or holds no
// ErrorDetails, or `text` is NULL. The message lives in the arena.
const Tts__ErrorDetails *error_details_read(const char *text, struct arena *arena);

// True if it is that error: ("pkg/identityserver", "end_device_euis_taken"). `details` may be NULL.
bool error_details_is(const Tts__ErrorDetails *details, const char *name_space, const char *name);

// The text of an attribute, borrowed; NULL if there is none. `details` may be NULL.
const char *error_details_attribute(const Tts__ErrorDetails *details, const char *name);

// Appends it for people: "id_taken: ID already taken (attribute=value): already_exists: ...": the name, the text with
// its attributes put in, those that the text does not show, and the causes. What looks like a key or a token is
// replaced by "(secret)".
void error_details_write(const Tts__ErrorDetails *details, struct buffer *text);

#endif
