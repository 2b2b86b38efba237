// SPDX-License-Identifier: Apache-2.0
// Places in the text of an object that has already been found to be well-formed JSON: the parser does not
// tell where its values stood.
#ifndef DEVICE_JSON_SCAN_P_H
#define DEVICE_JSON_SCAN_P_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "device/path.h"

struct json_place {
    const char *text;  // the value
    size_t size;
    size_t line;  // lines before it
};

// Where the value of a path stands. False if there is none. Names in the text are compared as they are
// written; of two with the same name the last one counts.
bool json_scan_find(const char *text, size_t size, const struct path *path, struct json_place *ret_place);

// Appends the path of the value or the name that lies at this byte.
void json_scan_path(const char *text, size_t size, size_t offset, struct buffer *path);

#endif
