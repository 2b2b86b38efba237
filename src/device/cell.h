// SPDX-License-Identifier: Apache-2.0
// Values of LoRaWAN in the cells of a table that people and spreadsheets have had their hands on. What a spreadsheet has
// spoilt is never guessed: it is said what happened and what to do.
#ifndef DEVICE_CELL_H
#define DEVICE_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// All of them return NULL, or what is wrong with the text: one clause, static, that never holds the text itself.
// The result is untouched then. None of them takes an empty text.

// The text without white space at its ends, also such as does not break or has no width.
const char *cell_trim(const char *text, size_t *ret_size);

// `size` bytes as hexadecimal digits, with or without `0x` or the `'` of a text before, `-`, `:` or spaces between bytes. 16 bytes
// may be a list: "0x00, 0x11, ..."; of an EUI or an address nobody knows in which order that is.
const char *cell_bytes(const char *text, void *ret_bytes, size_t size);

// Why digits may be wrong although cell_bytes takes them: 16 decimal ones and more, of which all behind the 15th are 0, may
// have been a number in a spreadsheet, which keeps no more. NULL = there is no doubt.
const char *cell_doubt(const char *text);

// A decimal number without sign, at most `most`.
const char *cell_uint32(const char *text, uint32_t most, uint32_t *ret_number);

// The same in hexadecimal digits.
const char *cell_hex_uint32(const char *text, uint32_t most, uint32_t *ret_number);

// true, false, 1, 0, t, f, yes, no, and the same in the languages of spreadsheets, in any case.
const char *cell_bool(const char *text, bool *ret_truth);

// A decimal number with or without a sign, and a point or a comma.
const char *cell_double(const char *text, double *ret_number);

#endif
