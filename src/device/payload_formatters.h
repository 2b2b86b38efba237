// SPDX-License-Identifier: Apache-2.0
// The payload formatters of an application or a device, as The Things Stack has them: what each direction runs, and its
// script. NULL stands for formatters with none in either direction.
#ifndef DEVICE_PAYLOAD_FORMATTERS_H
#define DEVICE_PAYLOAD_FORMATTERS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "tts.pb-c.h"

// Directions, as a set.
enum { FORMATTERS_UP = 1 << 0, FORMATTERS_DOWN = 1 << 1, FORMATTERS_BOTH = FORMATTERS_UP | FORMATTERS_DOWN };

// The directions that have a formatter.
unsigned payload_formatters_directions(const Tts__MessagePayloadFormatters *formatters);

// True if both have the same in all of these directions.
bool payload_formatters_equal(const Tts__MessagePayloadFormatters *a, const Tts__MessagePayloadFormatters *b,
                              unsigned directions);

// The bytes of a direction's script.
size_t payload_formatters_size(const Tts__MessagePayloadFormatters *formatters, unsigned direction);

// Appends what they are in words: "uplink 3801 bytes, downlink Cayenne LPP".
void payload_formatters_describe(const Tts__MessagePayloadFormatters *formatters, struct buffer *text);

#endif
