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

// `size` bytes as hexadecimal digits, with or without `0x` before, `-`, `:` or a space between bytes.
const char *cell_bytes(const char *text, void *ret_bytes, size_t size);

// A decimal number without sign, at most `most`.
const char *cell_uint32(const char *text, uint32_t most, uint32_t *ret_number);

// The same in hexadecimal digits.
const char *cell_hex_uint32(const char *text, uint32_t most, uint32_t *ret_number);

// true, false, 1, 0, t, f, in any case.
const char *cell_bool(const char *text, bool *ret_truth);

// A decimal number with or without a sign and a point.
const char *cell_double(const char *text, double *ret_number);

#endif
