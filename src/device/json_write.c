// SPDX-License-Identifier: Apache-2.0
#include "device/json_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/duration.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "device/message.h"
#include "device/value_p.h"
#include "google.pb-c.h"

static void write_object(const struct schema_message *table, const ProtobufCMessage *message,
                         struct buffer *json);
static void write_members(const struct schema_message *table, const ProtobufCMessage *message, bool first,
                          struct buffer *json);
static void write_struct(const Google__Struct *value, struct buffer *json);

static void write_unsigned(uint64_t number, struct buffer *json) {
    char text[20];
    size_t at = sizeof text;
    do text[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    buffer_add(json, text + at, sizeof text - at);
}

static void write_signed(int64_t number, struct buffer *json) {
    if (number < 0) buffer_putc(json, '-');
    write_unsigned(number < 0 ? -(uint64_t)number : (uint64_t)number, json);
}

static void write_escape(unsigned char byte, struct buffer *json) {
    char text[] = "\\u00__";
    switch (byte) {
        case '"':
            buffer_add(json, "\\\"", 2);
            return;
        case '\\':
            buffer_add(json, "\\\\", 2);
            return;
        case '\n':
            buffer_add(json, "\\n", 2);
            return;
        case '\r':
            buffer_add(json, "\\r", 2);
            return;
        case '\t':
            buffer_add(json, "\\t", 2);
            return;
        default:
            hex_encode_lower(text + 4, &byte, 1);
            buffer_add(json, text, 6);
    }
}

// Text that is known to be UTF-8.
static void write_text(const char *text, size_t size, struct buffer *json) {
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
        buffer_add(json, text + start, i - start);
        write_escape(byte, json);
        start = i + 1;
    }
    buffer_add(json, text + start, size - start);
}

void json_write_string(const char *text, size_t size, struct buffer *json) {
    buffer_putc(json, '"');
    if (utf8_valid(text, size)) {
        write_text(text, size, json);
    } else {
        BUFFER_AUTO repaired;
        buffer_init(&repaired, BUFFER_UNLIMITED);
        utf8_repair(text, size, &repaired);
        write_text((const char *)repaired.data, repaired.size, json);
    }
    buffer_putc(json, '"');
}

static void write_bytes(const ProtobufCBinaryData *bytes, bool hex, struct buffer *json) {
    enum { STEP = 48 };  // a multiple of 3, so that only the last piece is padded
    char text[HEX_TEXT_SIZE(STEP)];
    buffer_putc(json, '"');
    for (size_t at = 0; at < bytes->len; at += STEP) {
        size_t size = bytes->len - at < STEP ? bytes->len - at : STEP;
        if (hex) {
            hex_encode_upper(text, bytes->data + at, size);
        } else {
            base64_encode(text, bytes->data + at, size);
        }
        buffer_puts(json, text);
    }
    buffer_putc(json, '"');
}

static void write_quoted(const char *text, size_t size, struct buffer *json) {
    buffer_putc(json, '"');
    buffer_add(json, text, size);
    buffer_putc(json, '"');
}

static void write_enum_name(const struct schema_enum *enumeration, int32_t number, struct buffer *json) {
    const char *name = schema_enum_name(enumeration, number);
    buffer_putc(json, '"');
    if (name != NULL) {
        buffer_puts(json, name);
    } else {
        write_signed(number, json);
    }
    buffer_putc(json, '"');
}

// What no text can express is `null`; device/validate.h finds it.
static void write_timestamp(const Google__Timestamp *time, struct buffer *json) {
    char text[RFC3339_TEXT_SIZE];
    size_t size = rfc3339_format(text, time->seconds, time->nanos);
    if (size == 0) {
        buffer_puts(json, "null");
    } else {
        write_quoted(text, size, json);
    }
}

static void write_duration(const Google__Duration *duration, struct buffer *json) {
    char text[DURATION_TEXT_SIZE];
    size_t size = duration_format(text, duration->seconds, duration->nanos);
    if (size == 0) {
        buffer_puts(json, "null");
    } else {
        write_quoted(text, size, json);
    }
}

static void write_field_mask(const Google__FieldMask *mask, struct buffer *json) {
    buffer_putc(json, '"');
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (i > 0) buffer_putc(json, ',');
        write_text(mask->paths[i], strlen(mask->paths[i]), json);
    }
    buffer_putc(json, '"');
}

static void write_free_value(const Google__Value *value, struct buffer *json);

static void write_free_list(const Google__ListValue *list, struct buffer *json) {
    buffer_putc(json, '[');
    for (size_t i = 0; list != NULL && i < list->n_values; i++) {
        if (i > 0) buffer_putc(json, ',');
        write_free_value(list->values[i], json);
    }
    buffer_putc(json, ']');
}

static void write_free_value(const Google__Value *value, struct buffer *json) {
    switch (value == NULL ? GOOGLE__VALUE__KIND__NOT_SET : value->kind_case) {
        case GOOGLE__VALUE__KIND_NUMBER_VALUE:
            json_write_double(value->number_value, json);
            break;
        case GOOGLE__VALUE__KIND_STRING_VALUE:
            json_write_string(value->string_value, strlen(value->string_value), json);
            break;
        case GOOGLE__VALUE__KIND_BOOL_VALUE:
            buffer_puts(json, value->bool_value ? "true" : "false");
            break;
        case GOOGLE__VALUE__KIND_STRUCT_VALUE:
            write_struct(value->struct_value, json);
            break;
        case GOOGLE__VALUE__KIND_LIST_VALUE:
            write_free_list(value->list_value, json);
            break;
        default:
            buffer_puts(json, "null");
    }
}

static void write_struct(const Google__Struct *value, struct buffer *json) {
    const ProtobufCMessage **entries;
    buffer_putc(json, '{');
    size_t count = value == NULL ? 0 : map_sorted(&value->base, &value->base.descriptor->fields[0], &entries);
    for (size_t i = 0; i < count; i++) {
        const Google__Struct__FieldsEntry *entry =
            (const Google__Struct__FieldsEntry *)(const void *)entries[i];
        if (i > 0) buffer_putc(json, ',');
        json_write_string(entry->key, strlen(entry->key), json);
        buffer_putc(json, ':');
        write_free_value(entry->value, json);
    }
    if (value != NULL) free(entries);
    buffer_putc(json, '}');
}

// The members of what is in it if its type is known, else its bytes.
static void write_any(const Google__Any *any, struct buffer *json) {
    const char *slash = strrchr(any->type_url, '/');
    const struct schema_message *table = slash == NULL ? NULL : schema_find_type(slash + 1);
    buffer_puts(json, "{\"@type\":");
    json_write_string(any->type_url, strlen(any->type_url), json);
    struct arena arena = {0};
    const ProtobufCMessage *message = NULL;
    if (table != NULL)
        message = message_unpack(table->descriptor, any->value.data, any->value.len, &arena, NULL);
    if (message != NULL) {
        write_members(table, message, false, json);
    } else {
        buffer_puts(json, ",\"value\":");
        write_bytes(&any->value, false, json);
    }
    arena_release(&arena);
    buffer_putc(json, '}');
}

static void write_message(const struct schema_field *field, const ProtobufCMessage *message,
                          struct buffer *json) {
    const void *pointer = message;
    if (message == NULL) {
        buffer_puts(json, "null");
        return;
    }
    switch (field->form) {
        case FORM_BARE: {
            const ProtobufCFieldDescriptor *place = &field->message->descriptor->fields[0];
            json_write_value(&field->message->fields[0], member_at(message, place), json);
            break;
        }
        case FORM_TIMESTAMP:
            write_timestamp(pointer, json);
            break;
        case FORM_DURATION:
            write_duration(pointer, json);
            break;
        case FORM_FIELD_MASK:
            write_field_mask(pointer, json);
            break;
        case FORM_STRUCT:
            write_struct(pointer, json);
            break;
        case FORM_VALUE:
            write_free_value(pointer, json);
            break;
        case FORM_LIST_VALUE:
            write_free_list(pointer, json);
            break;
        case FORM_ANY:
            write_any(pointer, json);
            break;
        default:
            write_object(field->message, message, json);
    }
}

static void write_number(const struct schema_field *field, const void *value, struct buffer *json) {
    switch (field->form) {
        case FORM_INT32:
        case FORM_ENUM_NUMBER:
            write_signed(value_int32(value), json);
            break;
        case FORM_UINT32:
            write_unsigned(value_uint32(value), json);
            break;
        case FORM_INT64:
            buffer_putc(json, '"');
            write_signed((int64_t)value_uint64(value), json);
            buffer_putc(json, '"');
            break;
        case FORM_UINT64:
            buffer_putc(json, '"');
            write_unsigned(value_uint64(value), json);
            buffer_putc(json, '"');
            break;
        case FORM_FLOAT:
            json_write_float(value_float(value), json);
            break;
        default:
            json_write_double(value_double(value), json);
    }
}

void json_write_value(const struct schema_field *field, const void *value, struct buffer *json) {
    switch (field->form) {
        case FORM_BOOL:
            buffer_puts(json, value_uint32(value) != 0 ? "true" : "false");
            break;
        case FORM_STRING:
            json_write_string(value_text(value), strlen(value_text(value)), json);
            break;
        case FORM_HEX:
        case FORM_BASE64: {
            ProtobufCBinaryData bytes = value_bytes(value);
            write_bytes(&bytes, field->form == FORM_HEX, json);
            break;
        }
        case FORM_ENUM_NAME:
            write_enum_name(field->enumeration, value_int32(value), json);
            break;
        default:
            if (form_is_message(field->form)) {
                write_message(field, value_message(value), json);
            } else {
                write_number(field, value, json);
            }
    }
}

static void write_list(const struct schema_field *field, const char *values, size_t count,
                       struct buffer *json) {
    size_t size = value_size(field->form);
    buffer_putc(json, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buffer_putc(json, ',');
        json_write_value(field, values + i * size, json);
    }
    buffer_putc(json, ']');
}

static void write_map(const struct schema_field *field, const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *place, struct buffer *json) {
    const ProtobufCMessage **entries;
    const struct schema_field *key = &field->message->fields[0];
    const struct schema_field *value = &field->message->fields[1];
    size_t count = map_sorted(message, place, &entries);
    buffer_putc(json, '{');
    for (size_t i = 0; i < count; i++) {
        const void *at = member_at(entries[i], schema_place(field->message, key));
        if (i > 0) buffer_putc(json, ',');
        if (key->form == FORM_STRING || key->form == FORM_UINT64 || key->form == FORM_INT64) {
            json_write_value(key, at, json);
        } else {
            buffer_putc(json, '"');
            write_number(key, at, json);
            buffer_putc(json, '"');
        }
        buffer_putc(json, ':');
        json_write_value(value, member_at(entries[i], schema_place(field->message, value)), json);
    }
    buffer_putc(json, '}');
    free(entries);
}

static void write_members(const struct schema_message *table, const ProtobufCMessage *message, bool first,
                          struct buffer *json) {
    for (size_t i = 0; i < table->field_count; i++) {
        const struct schema_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *place = schema_place(table, field);
        if (!member_is_set(message, field, place)) continue;
        if (!first) buffer_putc(json, ',');
        first = false;
        buffer_add(json, field->key, field->key_size);
        if (field->map) {
            write_map(field, message, place, json);
        } else if (field->list) {
            write_list(field, value_pointer(member_at(message, place)), list_count(message, place), json);
        } else {
            json_write_value(field, member_at(message, place), json);
        }
    }
}

static void write_object(const struct schema_message *table, const ProtobufCMessage *message,
                         struct buffer *json) {
    buffer_putc(json, '{');
    write_members(table, message, true, json);
    buffer_putc(json, '}');
}

void message_json_write(const ProtobufCMessage *message, struct buffer *json) {
    write_object(schema_of(message), message, json);
}
