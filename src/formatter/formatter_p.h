// SPDX-License-Identifier: Apache-2.0
// Private to the files that make formatters.
#ifndef FORMATTER_FORMATTER_P_H
#define FORMATTER_FORMATTER_P_H

#include "base/buffer.h"
#include "formatter/formatter.h"

// ERROR_INPUT if the source of `what` is no UTF-8. NULL is fine.
int formatter_check_source(const char *what, const char *source, struct error *error);

// Makes a formatter of the text in the buffer, which is empty afterwards. ERROR_TOO_LARGE names it as `what`.
int formatter_finish(const char *what, struct buffer *script, struct formatter *ret, struct error *error);

// Appends a source between two lines that tell what it is.
void formatter_add_source(struct buffer *script, const char *name, const char *source);

#endif
