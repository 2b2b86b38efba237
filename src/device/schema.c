// SPDX-License-Identifier: Apache-2.0
#include "device/schema.h"

#include <stdlib.h>
#include <string.h>

static int schema_compare(const void *name, const void *table) {
    return strcmp(name, ((const struct schema_message *)table)->name);
}

const struct schema_message *schema_find(const char *name) {
    return bsearch(name, schema_messages, schema_message_count, sizeof schema_messages[0], schema_compare);
}

const struct schema_message *schema_find_type(const char *type) {
    for (size_t i = 0; i < schema_message_count; i++) {
        if (strcmp(schema_messages[i].type, type) == 0) return &schema_messages[i];
    }
    return NULL;
}

const struct schema_message *schema_of(const ProtobufCMessage *message) {
    const struct schema_message *table = schema_find(message->descriptor->name);
    if (table == NULL) abort();
    return table;
}

const struct schema_field *schema_field(const struct schema_message *table, const char *name) {
    for (size_t i = 0; i < table->field_count; i++) {
        if (strcmp(table->fields[i].name, name) == 0) return &table->fields[i];
    }
    return NULL;
}

const char *schema_enum_name(const struct schema_enum *enumeration, int32_t number) {
    return number < 0 || number >= enumeration->names_count ? NULL : enumeration->names[number];
}

bool schema_enum_number(const struct schema_enum *enumeration, const char *text, int32_t *ret_number) {
    for (size_t i = 0; i < enumeration->words_count; i++) {
        if (strcmp(enumeration->words[i].text, text) != 0) continue;
        *ret_number = enumeration->words[i].number;
        return true;
    }
    return false;
}
