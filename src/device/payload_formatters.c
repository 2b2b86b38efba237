// SPDX-License-Identifier: Apache-2.0
#include "device/payload_formatters.h"

#include <string.h>

// One direction.
struct part {
    Tts__PayloadFormatter type;
    const char *parameter;
};

static struct part part_of(const Tts__MessagePayloadFormatters *formatters, unsigned direction) {
    struct part part = {.type = TTS__PAYLOAD_FORMATTER__FORMATTER_NONE, .parameter = ""};
    if (formatters == NULL) return part;
    bool up = direction == FORMATTERS_UP;
    part.type = up ? formatters->up_formatter : formatters->down_formatter;
    const char *parameter = up ? formatters->up_formatter_parameter : formatters->down_formatter_parameter;
    if (parameter != NULL) part.parameter = parameter;
    return part;
}

unsigned payload_formatters_directions(const Tts__MessagePayloadFormatters *formatters) {
    unsigned directions = 0;
    for (unsigned direction = FORMATTERS_UP; direction <= FORMATTERS_DOWN; direction <<= 1) {
        struct part part = part_of(formatters, direction);
        if (part.type != TTS__PAYLOAD_FORMATTER__FORMATTER_NONE) directions |= direction;
    }
    return directions;
}

bool payload_formatters_equal(const Tts__MessagePayloadFormatters *a, const Tts__MessagePayloadFormatters *b,
                              unsigned directions) {
    for (unsigned direction = FORMATTERS_UP; direction <= FORMATTERS_DOWN; direction <<= 1) {
        if ((directions & direction) == 0) continue;
        struct part one = part_of(a, direction), other = part_of(b, direction);
        if (one.type != other.type || strcmp(one.parameter, other.parameter) != 0) return false;
    }
    return true;
}

size_t payload_formatters_size(const Tts__MessagePayloadFormatters *formatters, unsigned direction) {
    return strlen(part_of(formatters, direction).parameter);
}

static void describe(const struct part *part, struct buffer *text) {
    switch (part->type) {
        case TTS__PAYLOAD_FORMATTER__FORMATTER_NONE:
            buffer_puts(text, "none");
            return;
        case TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT:
            buffer_printf(text, "%zu bytes", strlen(part->parameter));
            return;
        case TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP:
            buffer_puts(text, "Cayenne LPP");
            return;
        case TTS__PAYLOAD_FORMATTER__FORMATTER_REPOSITORY:
            buffer_puts(text, "of the device repository");
            return;
        case TTS__PAYLOAD_FORMATTER__FORMATTER_GRPC_SERVICE:
            buffer_puts(text, "a gRPC service");
            return;
        default:
            buffer_printf(text, "of type %d", (int)part->type);
            return;
    }
}

void payload_formatters_describe(const Tts__MessagePayloadFormatters *formatters, struct buffer *text) {
    struct part up = part_of(formatters, FORMATTERS_UP);
    struct part down = part_of(formatters, FORMATTERS_DOWN);
    buffer_puts(text, "uplink ");
    describe(&up, text);
    buffer_puts(text, ", downlink ");
    describe(&down, text);
}
