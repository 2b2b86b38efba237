// SPDX-License-Identifier: Apache-2.0
// Text of others (a server's message, a device's ID) made fit for a terminal.
#ifndef CLI_PRINTABLE_H
#define CLI_PRINTABLE_H

#include "base/buffer.h"

// The most bytes of one foreign text that are shown; the rest becomes "...".
enum { PRINTABLE_MAX = 4096 };

// Appends `text` on one line: control characters, marks that change the direction of writing, and bytes that
// are no UTF-8 become \xNN. NULL is nothing.
void printable_add(struct buffer *line, const char *text);

#endif
