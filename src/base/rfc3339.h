// SPDX-License-Identifier: Apache-2.0
// Points in time as text: RFC 3339, UTC.
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// "2006-01-02T15:04:05.123456789Z" and a NUL.
enum { RFC3339_TEXT_SIZE = 31 };

// From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in seconds since 1970.
#define RFC3339_SECONDS_MIN INT64_C(-62135596800)
#define RFC3339_SECONDS_MAX INT64_C(253402300799)

// Writes with 0, 3, 6 or 9 digits of fraction, as few as the nanoseconds allow. Returns the length; 0, and an
// empty text, if the time is out of range. `nanos` is 0 to 999,999,999.
size_t rfc3339_format(char text[RFC3339_TEXT_SIZE], int64_t seconds, int32_t nanos);

// The same from ns since 1970 (as base/clock.h counts).
size_t rfc3339_format_ns(char text[RFC3339_TEXT_SIZE], int64_t ns);

// Reads UTC with `Z` and a fraction of up to 9 digits. False if `text` is anything else.
bool rfc3339_parse(const char *text, size_t size, int64_t *ret_seconds, int32_t *ret_nanos);

#endif
