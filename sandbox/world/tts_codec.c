// SPDX-License-Identifier: Apache-2.0
// Trees from and to the wire format.
#include <string.h>

#include "base/utf8.h"
#include "world/tts_tree.h"

// Deeper messages are refused, as the servers' library does.
enum { DEEPEST = 100 };

struct parser {
    struct arena *arena;
    uint64_t *unknown;
    unsigned depth;
};

static const char *parse_message(struct parser *parser, struct tts_node *message, struct wire_bytes body);

static bool is_length_delimited(const struct tts_field *field) {
    return field->type == TTS_STRING || field->type == TTS_BYTES || field->type == TTS_MESSAGE;
}

static enum wire_type wire_type_of(const struct tts_field *field) {
    if (is_length_delimited(field)) return WIRE_BYTES;
    if (field->type == TTS_FLOAT) return WIRE_FIXED32;
    return field->type == TTS_DOUBLE ? WIRE_FIXED64 : WIRE_VARINT;
}

static struct tts_node *append(struct parser *parser, struct tts_node *message,
                               const struct tts_field *field) {
    struct tts_node *node = arena_new(parser->arena, struct tts_node);
    node->field = field;
    node->message = field->message;
    return tts_insert(message, node);
}

// A field that comes twice: the later value holds, messages are laid over each other.
static struct tts_node *place_for(struct parser *parser, struct tts_node *message,
                                  const struct tts_field *field) {
    if (field->list) return append(parser, message, field);
    for (struct tts_node *node = message->first; node != NULL; node = node->next) {
        if (node->field == field) return node;
    }
    return append(parser, message, field);
}

static uint64_t narrowed(const struct tts_field *field, uint64_t value) {
    switch (field->type) {
        case TTS_BOOL:
            return value != 0;
        case TTS_UINT32:
            return (uint32_t)value;
        case TTS_INT32:
        case TTS_ENUM:
            return (uint64_t)(int64_t)(int32_t)(uint32_t)value;
        default:
            return value;
    }
}

static const char *parse_packed(struct parser *parser, struct tts_node *message,
                                const struct tts_field *field, struct wire_bytes bytes) {
    struct wire_reader reader = {.data = bytes.data, .size = bytes.size};
    uint64_t value = 0;
    while (wire_next_value(&reader, wire_type_of(field), &value)) {
        append(parser, message, field)->number = narrowed(field, value);
    }
    return reader.failure;
}

static const char *parse_value(struct parser *parser, struct tts_node *message, const struct tts_field *field,
                               const struct wire_field *value) {
    bool packed = field->list && value->type == WIRE_BYTES && !is_length_delimited(field);
    if (packed) return parse_packed(parser, message, field, value->bytes);
    if (value->type != wire_type_of(field)) return WIRE_WRONG_TYPE;
    struct tts_node *node = place_for(parser, message, field);
    if (field->type == TTS_MESSAGE) return parse_message(parser, node, value->bytes);
    if (field->type == TTS_STRING && !utf8_valid((const char *)value->bytes.data, value->bytes.size)) {
        return "proto: string field contains invalid UTF-8";
    }
    node->bytes = value->bytes;
    node->number = narrowed(field, value->value);
    return NULL;
}

static const char *parse_message(struct parser *parser, struct tts_node *message, struct wire_bytes body) {
    if (parser->depth == DEEPEST) return "proto: exceeded max recursion depth";
    parser->depth++;
    struct wire_reader reader = {.data = body.data, .size = body.size};
    struct wire_field value;
    const char *failure = NULL;
    while (failure == NULL && wire_next(&reader, &value)) {
        const struct tts_field *field = tts_field_numbered(message->message, value.number);
        if (field == NULL) {
            *parser->unknown += 1;
        } else {
            failure = parse_value(parser, message, field, &value);
        }
    }
    parser->depth--;
    return failure != NULL ? failure : reader.failure;
}

const char *tts_parse(struct arena *arena, const struct tts_message *message, struct wire_bytes body,
                      struct tts_node **ret_node, uint64_t *unknown) {
    struct parser parser = {.arena = arena, .unknown = unknown};
    *ret_node = arena_new(arena, struct tts_node);
    (*ret_node)->message = message;
    return parse_message(&parser, *ret_node, body);
}

static void put_value(const struct tts_node *node, struct buffer *buffer) {
    switch (wire_type_of(node->field)) {
        case WIRE_VARINT:
            wire_put_raw_varint(buffer, node->number);
            break;
        case WIRE_FIXED32:
            wire_put_raw_fixed(buffer, node->number, 4);
            break;
        default:
            wire_put_raw_fixed(buffer, node->number, 8);
            break;
    }
}

// Writes the entries of a list of numbers as one field; returns the last of them.
static const struct tts_node *put_packed(const struct tts_node *node, struct buffer *buffer) {
    size_t mark = wire_begin(buffer, node->field->number);
    put_value(node, buffer);
    for (const struct tts_node *next = NULL; (next = tts_next_entry(node)) != NULL; node = next) {
        put_value(next, buffer);
    }
    wire_end(buffer, mark);
    return node;
}

// Zeros are left out, but not in lists, choices and the entries of maps.
static bool is_left_out(const struct tts_node *node, bool entry) {
    const struct tts_field *field = node->field;
    bool zero = is_length_delimited(field) ? node->bytes.size == 0 : node->number == 0;
    return zero && !field->list && field->oneof == NULL && !entry;
}

static const struct tts_node *put_field(const struct tts_node *node, bool entry, struct buffer *buffer) {
    const struct tts_field *field = node->field;
    if (field->type == TTS_MESSAGE) {
        size_t mark = wire_begin(buffer, field->number);
        tts_encode(node, buffer);
        wire_end(buffer, mark);
    } else if (is_left_out(node, entry)) {
        return node;
    } else if (is_length_delimited(field)) {
        wire_put_bytes(buffer, field->number, node->bytes.data, node->bytes.size);
    } else if (field->list) {
        return put_packed(node, buffer);
    } else {
        wire_put_tag(buffer, field->number, wire_type_of(field));
        put_value(node, buffer);
    }
    return node;
}

void tts_encode(const struct tts_node *message, struct buffer *buffer) {
    bool entry = message->field != NULL && message->field->map;
    for (const struct tts_node *node = message->first; node != NULL; node = node->next) {
        node = put_field(node, entry, buffer);
    }
}
