// SPDX-License-Identifier: Apache-2.0
// Lengths of time as text: "1.500s", "1m30s".
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// "-315576000000.123456789s" and a NUL.
enum { DURATION_TEXT_SIZE = 32 };

// The longest that google.protobuf.Duration allows: 10,000 years.
#define DURATION_SECONDS_MAX INT64_C(315576000000)

// Writes seconds with 0, 3, 6 or 9 decimals and an `s`. Seconds and nanoseconds have the same sign. Returns
// the length; 0, and an empty text, if the duration is out of range.
size_t duration_format(char text[DURATION_TEXT_SIZE], int64_t seconds, int32_t nanos);

// Reads a sum of decimals with the units h, m, s, ms, us (or µs) and ns, with an optional sign in front; a
// bare 0 needs no unit. False if `text` is anything else or is out of range.
bool duration_parse(const char *text, size_t size, int64_t *ret_seconds, int32_t *ret_nanos);

#endif
