// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"

__attribute__((format(printf, 3, 0))) static int error_fill(struct error *error, enum error_code code,
                                                            const char *format, va_list args) {
    error->code = code;
    error->message = memory_vprintf(format, args);
    return -(int)code;
}

int error_set(struct error *error, enum error_code code, const char *format, ...) {
    if (error == NULL) return -(int)code;
    error_release(error);
    va_list args;
    va_start(args, format);
    int result = error_fill(error, code, format, args);
    va_end(args);
    return result;
}

int error_wrap(struct error *error, enum error_code code, const char *format, ...) {
    if (error == NULL) return -(int)(code == ERROR_NONE ? ERROR_SYSTEM : code);
    struct error *cause = NULL;
    char *hint = NULL;
    if (error_is_set(error)) {
        cause = memory_new(struct error);
        *cause = *error;
        hint = cause->hint;
        cause->hint = NULL;
        if (code == ERROR_NONE) code = cause->code;
    }
    *error = (struct error){.hint = hint, .cause = cause};
    va_list args;
    va_start(args, format);
    int result = error_fill(error, code == ERROR_NONE ? ERROR_SYSTEM : code, format, args);
    va_end(args);
    return result;
}

void error_hint(struct error *error, const char *format, ...) {
    if (error == NULL) return;
    va_list args;
    va_start(args, format);
    char *hint = memory_vprintf(format, args);
    va_end(args);
    free(error->hint);
    error->hint = hint;
}

void error_move(struct error *to, struct error *from) {
    if (to == NULL) {
        error_release(from);
        return;
    }
    error_release(to);
    *to = *from;
    *from = (struct error){0};
}

void error_copy(struct error *to, const struct error *from) {
    error_release(to);
    for (; from != NULL && error_is_set(from); from = from->cause) {
        to->code = from->code;
        to->message = memory_strdup(from->message);
        to->hint = from->hint == NULL ? NULL : memory_strdup(from->hint);
        if (from->cause == NULL) break;
        to->cause = memory_new(struct error);
        to = to->cause;
    }
}

bool error_is_set(const struct error *error) {
    return error != NULL && error->code != ERROR_NONE;
}

const struct error *error_root(const struct error *error) {
    while (error->cause != NULL) error = error->cause;
    return error;
}

char *error_chain(const struct error *error) {
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (; error != NULL && error_is_set(error); error = error->cause) {
        if (text.size > 0) buffer_puts(&text, ": ");
        buffer_puts(&text, error->message);
    }
    return buffer_take_string(&text);
}

void error_release(struct error *error) {
    if (error == NULL) return;
    struct error *cause = error->cause;
    free(error->message);
    free(error->hint);
    *error = (struct error){0};
    while (cause != NULL) {
        struct error *next = cause->cause;
        free(cause->message);
        free(cause->hint);
        free(cause);
        cause = next;
    }
}
