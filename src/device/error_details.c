// SPDX-License-Identifier: Apache-2.0
#include "device/error_details.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "device/message.h"
#include "rpc.pb-c.h"

enum {
    TEXT_MAX = 64 * 1024,    // characters of the trailer
    CAUSES_MAX = 8,          // shown
    VALUE_MAX = 200,         // bytes of an attribute
    SECRET_HEX_DIGITS = 32,  // as many as a key of 128 bits has
    LIST_MAX = 16,           // entries of a list that are shown
};

static const char type_url[] = "ttn.lorawan.v3.ErrorDetails";

// "type.googleapis.com/ttn.lorawan.v3.ErrorDetails": what stands behind the last slash counts.
static bool is_error_details(const char *url) {
    const char *slash = strrchr(url, '/');
    return strcmp(slash == NULL ? url : slash + 1, type_url) == 0;
}

static const Tts__ErrorDetails *read_status(const void *data, size_t size, struct arena *arena) {
    const Rpc__Status *status = message_unpack(&rpc__status__descriptor, data, size, arena, NULL);
    if (status == NULL) return NULL;
    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Any *any = status->details[i];
        if (!is_error_details(any->type_url)) continue;
        return message_unpack(&tts__error_details__descriptor, any->value.data, any->value.len, arena, NULL);
    }
    return NULL;
}

const Tts__ErrorDetails *error_details_read(const char *text, struct arena *arena) {
    size_t text_size = text == NULL ? 0 : strnlen(text, TEXT_MAX + 1);
    if (text_size == 0 || text_size > TEXT_MAX) return NULL;
    size_t capacity = BASE64_DATA_SIZE(text_size);
    size_t size = 0;
    void *data = arena_alloc(arena, 1, capacity);
    if (!base64_decode(data, capacity, &size, text, text_size)) return NULL;
    return read_status(data, size, arena);
}

bool error_details_is(const Tts__ErrorDetails *details, const char *name_space, const char *name) {
    return details != NULL && strcmp(details->namespace_, name_space) == 0 &&
           strcmp(details->name, name) == 0;
}

static const Google__Value *find_attribute(const Tts__ErrorDetails *details, const char *name, size_t size) {
    if (details == NULL || details->attributes == NULL) return NULL;
    const Google__Struct *attributes = details->attributes;
    for (size_t i = 0; i < attributes->n_fields; i++) {
        const char *key = attributes->fields[i]->key;
        if (strlen(key) == size && memcmp(key, name, size) == 0) return attributes->fields[i]->value;
    }
    return NULL;
}

const char *error_details_attribute(const Tts__ErrorDetails *details, const char *name) {
    const Google__Value *value = find_attribute(details, name, strlen(name));
    if (value == NULL || value->kind_case != GOOGLE__VALUE__KIND_STRING_VALUE) return NULL;
    return value->string_value;
}

// ---- for people

static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.' || c == '+' || c == '/' || c == '=';
}

// Words that may be a key or a token of The Things Stack. A server has no reason to repeat one.
static bool is_secret(const char *word, size_t size) {
    static const char token[] = "NNSXS.";
    if (memmem(word, size, token, sizeof token - 1) != NULL) return true;
    size_t digits = 0;
    for (size_t i = 0; i < size; i++) {
        bool digit = strchr("0123456789abcdefABCDEF", word[i]) != NULL;
        digits = digit ? digits + 1 : 0;
        if (digits >= SECRET_HEX_DIGITS) return true;
    }
    // A key of 128 bits in base64.
    return size == 24 && word[22] == '=' && word[23] == '=';
}

static void add_safe(struct buffer *text, const char *words, size_t size) {
    for (size_t i = 0; i < size;) {
        size_t word = 0;
        while (i + word < size && is_word(words[i + word])) word++;
        if (word > 0 && is_secret(words + i, word)) {
            buffer_puts(text, "(secret)");
        } else if (word > 0) {
            buffer_add(text, words + i, word);
        } else {
            buffer_putc(text, words[i++]);
        }
        i += word;
    }
}

static void add_value(struct buffer *text, const Google__Value *value, bool in_list) {
    switch (value == NULL ? GOOGLE__VALUE__KIND__NOT_SET : value->kind_case) {
        case GOOGLE__VALUE__KIND_STRING_VALUE: {
            size_t size = strlen(value->string_value);
            add_safe(text, value->string_value, size > VALUE_MAX ? VALUE_MAX : size);
            if (size > VALUE_MAX) buffer_puts(text, "...");
            break;
        }
        case GOOGLE__VALUE__KIND_NUMBER_VALUE:
            buffer_printf(text, "%.15g", value->number_value);
            break;
        case GOOGLE__VALUE__KIND_BOOL_VALUE:
            buffer_puts(text, value->bool_value ? "true" : "false");
            break;
        case GOOGLE__VALUE__KIND_LIST_VALUE:
            if (in_list) break;
            for (size_t i = 0; i < value->list_value->n_values && i < LIST_MAX; i++) {
                if (i > 0) buffer_putc(text, ',');
                add_value(text, value->list_value->values[i], true);
            }
            break;
        default:
            buffer_puts(text, "-");
    }
}

// The size of a "{name}" at the start of the text; 0 if there is none.
static size_t placeholder_size(const char *format) {
    if (format[0] != '{') return 0;
    size_t size = 1;
    while (is_word(format[size])) size++;
    return size > 1 && format[size] == '}' ? size + 1 : 0;
}

static void add_format(struct buffer *text, const Tts__ErrorDetails *details) {
    const char *format = details->message_format;
    while (*format != '\0') {
        size_t size = placeholder_size(format);
        const Google__Value *value = size == 0 ? NULL : find_attribute(details, format + 1, size - 2);
        if (value != NULL) {
            add_value(text, value, false);
            format += size;
            continue;
        }
        size_t plain = 1 + strcspn(format + 1, "{");
        add_safe(text, format, plain);
        format += plain;
    }
}

static bool is_in_format(const char *format, const char *name) {
    char *placeholder MEMORY_AUTO = memory_printf("{%s}", name);
    return strstr(format, placeholder) != NULL;
}

static void add_attributes(struct buffer *text, const Tts__ErrorDetails *details) {
    if (details->attributes == NULL) return;
    const char *separator = " (";
    for (size_t i = 0; i < details->attributes->n_fields && i < LIST_MAX; i++) {
        const Google__Struct__FieldsEntry *entry = details->attributes->fields[i];
        if (is_in_format(details->message_format, entry->key)) continue;
        buffer_puts(text, separator);
        add_safe(text, entry->key, strnlen(entry->key, VALUE_MAX));
        buffer_putc(text, '=');
        add_value(text, entry->value, false);
        separator = ", ";
    }
    if (separator[0] == ',') buffer_putc(text, ')');
}

void error_details_write(const Tts__ErrorDetails *details, struct buffer *text) {
    for (unsigned i = 0; details != NULL && i < CAUSES_MAX; i++, details = details->cause) {
        if (i > 0) buffer_puts(text, ": ");
        add_safe(text, details->name, strnlen(details->name, VALUE_MAX));
        if (details->message_format[0] != '\0') {
            buffer_puts(text, ": ");
            add_format(text, details);
        }
        add_attributes(text, details);
    }
}
