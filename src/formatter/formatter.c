// SPDX-License-Identifier: Apache-2.0
#include "formatter/formatter.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "formatter/formatter_p.h"

const char *formatter_type_name(enum formatter_type type) {
    switch (type) {
        case FORMATTER_NONE:
            break;
        case FORMATTER_JAVASCRIPT:
            return "FORMATTER_JAVASCRIPT";
        case FORMATTER_CAYENNELPP:
            return "FORMATTER_CAYENNELPP";
    }
    return "FORMATTER_NONE";
}

void formatters_release(struct formatters *formatters) {
    free(formatters->up.script);
    free(formatters->down.script);
    *formatters = (struct formatters){0};
}

int formatter_check_source(const char *what, const char *source, struct error *error) {
    if (source == NULL || utf8_valid(source, strlen(source))) return 0;
    return error_set(error, ERROR_INPUT, "the %s is no UTF-8 text", what);
}

int formatter_finish(const char *what, struct buffer *script, struct formatter *ret, struct error *error) {
    size_t size = script->size;
    if (size > FORMATTER_SCRIPT_MAX) {
        error_set(error, ERROR_TOO_LARGE, "the %s would have %zu bytes; The Things Stack takes %d", what,
                  size, FORMATTER_SCRIPT_MAX);
        error_hint(error, "shorten the functions by %zu bytes, their comments first",
                   size - FORMATTER_SCRIPT_MAX);
        return -ERROR_TOO_LARGE;
    }
    ret->type = FORMATTER_JAVASCRIPT;
    ret->script = buffer_take_string(script);
    return 0;
}

void formatter_add_source(struct buffer *script, const char *name, const char *source) {
    size_t size = strlen(source);
    buffer_printf(script, "// ---- %s, unchanged\n", name);
    buffer_add(script, source, size);
    // A comment in the last line must not reach beyond it.
    if (size == 0 || source[size - 1] != '\n') buffer_putc(script, '\n');
    buffer_printf(script, "// ---- end of %s\n", name);
}
