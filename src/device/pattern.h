// SPDX-License-Identifier: Apache-2.0
// The patterns that The Things Stack's public API demands of texts.
#ifndef DEVICE_PATTERN_H
#define DEVICE_PATTERN_H

#include <stdbool.h>

#include "device/schema.h"

bool pattern_matches(enum schema_pattern pattern, const char *text);

// What the pattern asks for, as a person says it: "lower-case letters, digits and ..."
const char *pattern_text(enum schema_pattern pattern);

// True if the text is an absolute URI (with a scheme), or a URI reference, in the characters of RFC 3986.
bool pattern_is_uri(const char *text);
bool pattern_is_uri_ref(const char *text);

#endif
