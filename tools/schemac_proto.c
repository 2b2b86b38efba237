// SPDX-License-Identifier: Apache-2.0
// The schema as protobuf definitions. Packages get short names here, since protoc-c makes C names of them;
// the bytes do not depend on them.
#include <string.h>

#include "schemac.h"

static bool imports(const struct schema *schema, const struct package *package, const struct package *other) {
    for (const struct message *message = schema->messages; message != NULL; message = message->next) {
        if (message->package != package) continue;
        for (const struct field *field = message->fields; field != NULL; field = field->next) {
            if (field->message != NULL && field->message->package == other) return true;
        }
    }
    return false;
}

static void write_enum(const struct enumeration *enumeration, FILE *file) {
    bool aliased = false;
    for (const struct enum_value *value = enumeration->values; value != NULL; value = value->next) {
        for (const struct enum_value *at = enumeration->values; at != value; at = at->next) {
            aliased = aliased || at->number == value->number;
        }
    }
    fprintf(file, "\nenum %s {\n", enumeration->name);
    if (aliased) fputs("  option allow_alias = true;\n", file);
    for (const struct enum_value *value = enumeration->values; value != NULL; value = value->next) {
        fprintf(file, "  %s = %d;\n", value->name, value->number);
    }
    fputs("}\n", file);
}

static void write_field(const struct field *field, FILE *file) {
    fputs("  ", file);
    if (field->list) fputs("repeated ", file);
    if (field->message != NULL) {
        fprintf(file, ".%s", field->message->full_name);
    } else if (field->enumeration != NULL) {
        fprintf(file, ".%s.%s", field->enumeration->package->file, field->enumeration->name);
    } else {
        fputs(field->type, file);
    }
    fprintf(file, " %s = %d;\n", field->name, field->number);
}

// All members of a oneof, at the place of the first of them.
static void write_oneof(const struct message *message, const struct field *first, FILE *file) {
    for (const struct field *field = message->fields; field != first; field = field->next) {
        if (field->oneof != NULL && strcmp(field->oneof, first->oneof) == 0) return;
    }
    fprintf(file, "  oneof %s {\n", first->oneof);
    for (const struct field *field = first; field != NULL; field = field->next) {
        if (field->oneof != NULL && strcmp(field->oneof, first->oneof) == 0) write_field(field, file);
    }
    fputs("  }\n", file);
}

static void write_message(const struct schema *schema, const struct message *message, FILE *file) {
    const char *dot = strrchr(message->name, '.');
    fprintf(file, "\nmessage %s {\n", dot == NULL ? message->name : dot + 1);
    size_t size = strlen(message->name);
    for (const struct message *inner = schema->messages; inner != NULL; inner = inner->next) {
        bool inside = inner->package == message->package && strncmp(inner->name, message->name, size) == 0 &&
                      inner->name[size] == '.' && strchr(inner->name + size + 1, '.') == NULL;
        if (inside) write_message(schema, inner, file);
    }
    for (const struct field *field = message->fields; field != NULL; field = field->next) {
        if (field->oneof == NULL) {
            write_field(field, file);
        } else {
            write_oneof(message, field, file);
        }
    }
    fputs("}\n", file);
}

void schema_write_proto(const struct schema *schema, const struct package *package, FILE *file) {
    fprintf(file, "syntax = \"proto3\";\npackage %s;\n", package->file);
    for (const struct package *other = schema->packages; other != NULL; other = other->next) {
        if (other != package && imports(schema, package, other)) {
            fprintf(file, "import \"%s.proto\";\n", other->file);
        }
    }
    for (const struct enumeration *at = schema->enums; at != NULL; at = at->next) {
        if (at->package == package) write_enum(at, file);
    }
    for (const struct message *at = schema->messages; at != NULL; at = at->next) {
        if (at->package == package && strchr(at->name, '.') == NULL) write_message(schema, at, file);
    }
}
