// SPDX-License-Identifier: Apache-2.0
// Where in a message something is: a chain of steps that lives on the stack of whoever walks the message, put
// into words only when there is something to say:
// "mac_state.current_parameters.channels[2].uplink_frequency", "attributes.old-id".
#ifndef DEVICE_PATH_H
#define DEVICE_PATH_H

#include <stddef.h>

#include "base/buffer.h"

struct path {
    const struct path *parent;  // NULL at the first step
    const char *name;           // a member, or a key of a map; NULL for a place in a list
    size_t index;               // the place in a list
};

// Appends the path as text. NULL is the message itself and adds nothing.
void path_write(const struct path *path, struct buffer *text);

// The same as a new string; the caller frees it.
char *path_string(const struct path *path);

#endif
