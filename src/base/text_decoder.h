// SPDX-License-Identifier: Apache-2.0
// Text of unknown encoding as UTF-8, while it streams. What files from spreadsheets are: UTF-8 with or without a byte
// order mark, UTF-16, and the one-byte code of Western Windows (which holds Latin-1).
#ifndef BASE_TEXT_DECODER_H
#define BASE_TEXT_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum text_encoding {
    TEXT_AUTO,  // a mark, or zero bytes, tell UTF-16; else the first character beyond ASCII decides
    TEXT_UTF8,
    TEXT_UTF16,   // the lower byte first, unless a mark says otherwise
    TEXT_LATIN1,  // Windows-1252
};

struct text_decoder {
    enum text_encoding encoding;  // what was asked for, then what was found
    bool begun;
    bool big_endian;
    uint8_t rest[4];  // of a character that is not whole yet
    size_t rest_size;
};

void text_decoder_init(struct text_decoder *decoder, enum text_encoding encoding);

// Appends what is whole as UTF-8. ERROR_INPUT, without a place, if a byte cannot be of the encoding: `text` holds what
// stands before it.
int text_decoder_take(struct text_decoder *decoder, const void *data, size_t size, struct buffer *text,
                      struct error *error);

// To be called at the end: what is left over.
int text_decoder_end(struct text_decoder *decoder, struct buffer *text, struct error *error);

#endif
