// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "device/message.h"
#include "device/value_p.h"

static void redact_message(const struct schema_message *table, ProtobufCMessage *message);

static void redact_secret(enum schema_form form, void *value) {
    if (form == FORM_STRING) {
        char *text = (char *)(uintptr_t)value_text(value);
        const char *empty = protobuf_c_empty_string;
        if (text[0] != '\0') memory_wipe(text, strlen(text));
        memcpy(value, &empty, sizeof empty);
        return;
    }
    ProtobufCBinaryData bytes = value_bytes(value);
    if (bytes.len > 0) memory_wipe(bytes.data, bytes.len);
    bytes = (ProtobufCBinaryData){0};
    memcpy(value, &bytes, sizeof bytes);
}

static void redact_value(const struct schema_field *field, void *value) {
    if (form_is_message(field->form)) {
        ProtobufCMessage *message;
        memcpy(&message, value, sizeof message);
        if (message != NULL) redact_message(field->message, message);
    } else if (field->secret) {
        redact_secret(field->form, value);
    }
}

// Who knows what is in a field that is unknown: it goes.
static void redact_unknown(ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        if (field->len > 0) memory_wipe(field->data, field->len);
    }
    message->n_unknown_fields = 0;
}

static void redact_message(const struct schema_message *table, ProtobufCMessage *message) {
    redact_unknown(message);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct schema_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *place = schema_place(table, field);
        if (!member_is_set(message, field, place)) continue;
        if (!field->list) {
            redact_value(field, member_of(message, place));
            continue;
        }
        size_t count = list_count(message, place);
        size_t size = field->map ? sizeof(void *) : value_size(field->form);
        char *values;
        memcpy(&values, member_at(message, place), sizeof values);
        for (size_t at = 0; at < count; at++) redact_value(field, values + at * size);
    }
}

void message_redact(ProtobufCMessage *message) {
    redact_message(schema_of(message), message);
}
