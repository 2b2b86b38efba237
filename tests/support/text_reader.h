// SPDX-License-Identifier: Apache-2.0
// A text as a file that a source reads, in pieces if need be.
#ifndef TESTS_TEXT_READER_H
#define TESTS_TEXT_READER_H

#include <string.h>

#include "base/reader.h"

struct text_reader {
    struct reader base;
    const char *text;  // borrowed
    size_t size;       // of it, in bytes
    size_t at;
    size_t piece;  // no read gives more than that; 0 = any number
};

static inline int text_reader_read(struct reader *reader, void *data, size_t size, size_t *ret_size,
                                   struct error *error) {
    (void)error;
    struct text_reader *self = (struct text_reader *)reader;
    size_t left = self->size - self->at;
    if (self->piece > 0 && size > self->piece) size = self->piece;
    *ret_size = left < size ? left : size;
    memcpy(data, self->text + self->at, *ret_size);
    self->at += *ret_size;
    return 0;
}

static inline int text_reader_rewind(struct reader *reader, struct error *error) {
    (void)error;
    ((struct text_reader *)reader)->at = 0;
    return 0;
}

#endif
