// SPDX-License-Identifier: Apache-2.0
// What is to be known of devices, as text for people: those with the same remark are told together.
#ifndef CLI_REMARKS_H
#define CLI_REMARKS_H

#include "base/buffer.h"

struct remarks;

struct remarks *remarks_new(void);
void remarks_free(struct remarks *remarks);  // accepts NULL

// Adds a device with the name of its state and its remark, all copied.
void remarks_add(struct remarks *remarks, const char *id, const char *state, const char *remark);

// Appends them in the order of their first devices: "  ID (state): remark", or "  12 devices (state): remark" and their
// first IDs in a line below.
void remarks_write(const struct remarks *remarks, struct buffer *text);

#endif
