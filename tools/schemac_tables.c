// SPDX-License-Identifier: Apache-2.0
// The schema as the constant tables of device/schema.h.
#include <ctype.h>
#include <string.h>

#include "schemac.h"

// As protoc-c names its descriptors: "MACState.JoinAccept" -> "macstate__join_accept".
static void write_c_name(const struct message *message, FILE *file) {
    fprintf(file, "%s__", message->package->file);
    bool was_upper = true;
    for (const char *at = message->name; *at != '\0'; at++) {
        if (*at == '.') {
            fputs("__", file);
            was_upper = true;
            continue;
        }
        bool is_upper = isupper((unsigned char)*at) != 0;
        if (is_upper && !was_upper) fputc('_', file);
        fputc(tolower((unsigned char)*at), file);
        was_upper = is_upper;
    }
}

// "dev_eui" -> "devEui"; returns the size.
static size_t write_camel(const char *name, FILE *file) {
    size_t size = 0;
    bool upper = false;
    for (; *name != '\0'; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        if (file != NULL) fputc(upper ? toupper((unsigned char)*name) : *name, file);
        upper = false;
        size++;
    }
    return size;
}

static void write_enum(const struct enumeration *enumeration, FILE *file) {
    int largest = 0;
    for (const struct enum_value *value = enumeration->values; value != NULL; value = value->next) {
        if (value->number > largest) largest = value->number;
    }
    fprintf(file, "\nstatic const char *const names_%zu[] = {\n", enumeration->index);
    for (int number = 0; number <= largest; number++) {
        const struct enum_value *value = enumeration->values;
        while (value != NULL && value->number != number) value = value->next;
        if (value != NULL) fprintf(file, "    [%d] = \"%s\",\n", number, value->name);
    }
    fprintf(file, "};\nstatic const struct schema_word words_%zu[] = {\n", enumeration->index);
    size_t count = 0;
    for (const struct enum_value *value = enumeration->values; value != NULL; value = value->next) {
        fprintf(file, "    {\"%s\", %d},\n", value->name, value->number);
        count += 1 + value->aliases.count;
        for (size_t i = 0; i < value->aliases.count; i++) {
            fprintf(file, "    {\"%s\", %d},\n", value->aliases.word[i], value->number);
        }
    }
    fprintf(file, "};\nstatic const struct schema_enum enum_%zu = {\"%s\", names_%zu, %d, words_%zu, %zu};\n",
            enumeration->index, enumeration->name, enumeration->index, largest + 1, enumeration->index,
            count);
}

static const char *form_of_message(const struct message *message) {
    static const char *const forms[][2] = {
        {"google.protobuf.Timestamp", "FORM_TIMESTAMP"},
        {"google.protobuf.Duration", "FORM_DURATION"},
        {"google.protobuf.FieldMask", "FORM_FIELD_MASK"},
        {"google.protobuf.Struct", "FORM_STRUCT"},
        {"google.protobuf.Value", "FORM_VALUE"},
        {"google.protobuf.ListValue", "FORM_LIST_VALUE"},
        {"google.protobuf.Any", "FORM_ANY"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(message->type, forms[i][0]) == 0) return forms[i][1];
    }
    return message->bare ? "FORM_BARE" : "FORM_OBJECT";
}

static const char *form_of(const struct message *message, const struct field *field) {
    static const char *const forms[][2] = {
        {"bool", "FORM_BOOL"},     {"int32", "FORM_INT32"},   {"uint32", "FORM_UINT32"},
        {"int64", "FORM_INT64"},   {"uint64", "FORM_UINT64"}, {"float", "FORM_FLOAT"},
        {"double", "FORM_DOUBLE"}, {"string", "FORM_STRING"},
    };
    if (field->message != NULL) return form_of_message(field->message);
    if (field->enumeration != NULL) {
        return field->enumeration->as_number || message->plain ? "FORM_ENUM_NUMBER" : "FORM_ENUM_NAME";
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(field->type, forms[i][0]) == 0) return forms[i][1];
    }
    return field->hex ? "FORM_HEX" : "FORM_BASE64";
}

// "max_len=50" -> {RULE_MAX_LEN, 50}
static void write_rule(const char *rule, FILE *file) {
    fputs("{RULE_", file);
    for (; *rule != '\0' && *rule != '='; rule++) fputc(toupper((unsigned char)*rule), file);
    fputs(", ", file);
    if (*rule == '\0') {
        fputs("0}, ", file);
    } else if (isdigit((unsigned char)rule[1]) || rule[1] == '-') {
        fprintf(file, "%s}, ", rule + 1);
    } else {
        fputs("PATTERN_", file);
        for (rule++; *rule != '\0'; rule++) fputc(toupper((unsigned char)*rule), file);
        fputs("}, ", file);
    }
}

static void write_rules(const struct message *message, FILE *file) {
    size_t index = 0;
    for (const struct field *field = message->fields; field != NULL; field = field->next, index++) {
        if (field->rules.count == 0) continue;
        fprintf(file, "static const struct schema_rule rules_%zu_%zu[] = {", message->index, index);
        for (size_t i = 0; i < field->rules.count; i++) write_rule(field->rules.word[i], file);
        fputs("{RULE_END, 0}};\n", file);
    }
}

static void write_field(const struct message *message, const struct field *field, size_t index, FILE *file) {
    fprintf(file, "    {\"%s\", \"", field->name);
    size_t camel_size = write_camel(field->name, file);
    size_t size = strlen(field->name);
    fprintf(file, "\", \"\\\"%s\\\":\", %zu, %zu, %zu, %zu, %s, %d, %d, %d, ", field->name, size, camel_size,
            size + 3, field->index, form_of(message, field), field->list, field->map, field->secret);
    if (field->message != NULL) {
        fprintf(file, "&schema_messages[%zu], NULL, ", field->message->index);
    } else if (field->enumeration != NULL) {
        fprintf(file, "NULL, &enum_%zu, ", field->enumeration->index);
    } else {
        fputs("NULL, NULL, ", file);
    }
    if (field->rules.count > 0) {
        fprintf(file, "rules_%zu_%zu},\n", message->index, index);
    } else {
        fputs("no_rules},\n", file);
    }
}

static void write_fields(const struct message *message, FILE *file) {
    if (message->fields == NULL) return;
    write_rules(message, file);
    fprintf(file, "static const struct schema_field fields_%zu[] = {\n", message->index);
    size_t index = 0;
    for (const struct field *field = message->fields; field != NULL; field = field->next) {
        write_field(message, field, index++, file);
    }
    fputs("};\n", file);
}

static void write_message(const struct message *message, FILE *file) {
    fprintf(file, "    [%zu] = {\"%s\", \"%s\", &", message->index, message->full_name, message->type);
    write_c_name(message, file);
    fputs("__descriptor, ", file);
    if (message->fields == NULL) {
        fputs("NULL", file);
    } else {
        fprintf(file, "fields_%zu", message->index);
    }
    fprintf(file, ", %zu, %d},\n", message->field_count, message->plain);
}

void schema_write_tables(const struct schema *schema, FILE *file) {
    fputs("#include \"device/schema.h\"\n", file);
    for (const struct package *package = schema->packages; package != NULL; package = package->next) {
        fprintf(file, "#include \"%s.pb-c.h\"\n", package->file);
    }
    fputs("\nstatic const struct schema_rule no_rules[] = {{RULE_END, 0}};\n", file);
    for (const struct enumeration *at = schema->enums; at != NULL; at = at->next) write_enum(at, file);
    for (const struct message *at = schema->messages; at != NULL; at = at->next) write_fields(at, file);
    fprintf(file, "\nconst struct schema_message schema_messages[%zu] = {\n", schema->message_count);
    for (const struct message *at = schema->messages; at != NULL; at = at->next) write_message(at, file);
    fprintf(file, "};\nconst size_t schema_message_count = %zu;\n", schema->message_count);
}
