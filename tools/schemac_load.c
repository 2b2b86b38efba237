// SPDX-License-Identifier: Apache-2.0
// Reads the schema file: one line a thing, words separated by spaces, members indented.
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "schemac.h"

struct loader {
    struct schema *schema;
    const char *path;
    size_t line;
    struct package *package;          // of what follows
    struct enumeration *enumeration;  // whose values follow, or NULL
    struct message *message;          // whose members follow, or NULL
};

__attribute__((noreturn, format(printf, 2, 3))) static void loader_fail(const struct loader *loader,
                                                                        const char *format, ...) {
    fprintf(stderr, "%s:%zu: ", loader->path, loader->line);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

// Appends to a list that is linked by `next`.
#define LIST_APPEND(list, item)                   \
    do {                                          \
        __typeof__(list) *at_ = &(list);          \
        while (*at_ != NULL) at_ = &(*at_)->next; \
        *at_ = (item);                            \
    } while (0)

static int loader_number(const struct loader *loader, const char *text) {
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 0 || number > INT_MAX) {
        loader_fail(loader, "'%s' is no number", text);
    }
    return (int)number;
}

static void load_package(struct loader *loader, const struct words *words) {
    if (words->count != 3) loader_fail(loader, "package NAME C-NAME expected");
    struct package *package = arena_new(&loader->schema->arena, struct package);
    package->name = words->word[1];
    package->c_name = words->word[2];
    package->file = arena_strdup(&loader->schema->arena, words->word[2]);
    for (char *at = package->file; *at != '\0'; at++) *at = (char)tolower((unsigned char)*at);
    LIST_APPEND(loader->schema->packages, package);
    loader->package = package;
}

static void load_enum(struct loader *loader, const struct words *words) {
    if (words->count < 2 || loader->package == NULL) loader_fail(loader, "enum NAME [number] expected");
    struct enumeration *enumeration = arena_new(&loader->schema->arena, struct enumeration);
    enumeration->package = loader->package;
    enumeration->name = words->word[1];
    enumeration->as_number = words->count > 2 && strcmp(words->word[2], "number") == 0;
    for (const struct enumeration *at = loader->schema->enums; at != NULL; at = at->next) {
        enumeration->index++;
    }
    LIST_APPEND(loader->schema->enums, enumeration);
    loader->enumeration = enumeration;
    loader->message = NULL;
}

static void load_value(struct loader *loader, const struct words *words) {
    if (words->count < 2) loader_fail(loader, "VALUE NUMBER [ALIAS...] expected");
    struct enum_value *value = arena_new(&loader->schema->arena, struct enum_value);
    value->name = words->word[0];
    value->number = loader_number(loader, words->word[1]);
    if (value->number > 255) loader_fail(loader, "an enum's number is at most 255");
    for (size_t i = 2; i < words->count; i++) value->aliases.word[value->aliases.count++] = words->word[i];
    LIST_APPEND(loader->enumeration->values, value);
}

static struct message *message_add(struct loader *loader, const char *name) {
    struct message *message = arena_new(&loader->schema->arena, struct message);
    message->package = loader->package;
    message->name = name;
    message->full_name = arena_printf(&loader->schema->arena, "%s.%s", loader->package->file, name);
    message->type = arena_printf(&loader->schema->arena, "%s.%s", loader->package->name, name);
    LIST_APPEND(loader->schema->messages, message);
    loader->schema->message_count++;
    return message;
}

static void load_message(struct loader *loader, const struct words *words) {
    if (words->count < 2 || loader->package == NULL) {
        loader_fail(loader, "message NAME [plain] [bare] expected");
    }
    struct message *message = message_add(loader, words->word[1]);
    for (size_t i = 2; i < words->count; i++) {
        if (strcmp(words->word[i], "plain") == 0) {
            message->plain = true;
        } else if (strcmp(words->word[i], "bare") == 0) {
            message->bare = true;
        } else {
            loader_fail(loader, "'%s' is unknown", words->word[i]);
        }
    }
    loader->message = message;
    loader->enumeration = NULL;
}

static void field_append(struct message *message, struct field *field) {
    LIST_APPEND(message->fields, field);
    message->field_count++;
}

// "attributes" -> "AttributesEntry"
static const char *entry_name(struct arena *arena, const struct message *message, const char *field) {
    char *name = arena_printf(arena, "%s.%sEntry", message->name, field);
    char *to = name + strlen(message->name) + 1;
    bool upper = true;
    for (const char *from = to; *from != '\0'; from++) {
        if (*from == '_') {
            upper = true;
            continue;
        }
        *to++ = upper ? (char)toupper((unsigned char)*from) : *from;
        upper = false;
    }
    *to = '\0';
    return name;
}

// A map goes over the wire as a list of entries with a key and a value.
static void field_make_map(struct loader *loader, struct field *field, const char *key, const char *value) {
    struct arena *arena = &loader->schema->arena;
    struct message *entry = message_add(loader, entry_name(arena, loader->message, field->name));
    entry->entry = true;
    const char *types[] = {key, value};
    const char *names[] = {"key", "value"};
    for (int i = 0; i < 2; i++) {
        struct field *part = arena_new(arena, struct field);
        part->name = names[i];
        part->number = i + 1;
        part->type = types[i];
        field_append(entry, part);
    }
    field->map = true;
    field->list = true;
    field->type = entry->name;
    field->message = entry;
}

static void field_add_rule(struct field *field, char *word) {
    struct words *rules = &field->rules;
    if (strncmp(word, "item.", 5) == 0) word += 5;
    if (field->map && strncmp(word, "key.", 4) == 0) {
        rules = &field->message->fields->rules;
        word += 4;
    } else if (field->map && strncmp(word, "value.", 6) == 0) {
        rules = &field->message->fields->next->rules;
        word += 6;
    }
    rules->word[rules->count++] = word;
}

static void load_field(struct loader *loader, const struct words *words) {
    struct field *field = arena_new(&loader->schema->arena, struct field);
    size_t at = 2;
    if (words->count < 3) loader_fail(loader, "MEMBER NUMBER TYPE expected");
    field->name = words->word[0];
    field->number = loader_number(loader, words->word[1]);
    if (strcmp(words->word[at], "map") == 0) {
        if (words->count < 5) loader_fail(loader, "map KEY VALUE expected");
        field_make_map(loader, field, words->word[3], words->word[4]);
        at = 5;
    } else {
        field->list = strcmp(words->word[at], "list") == 0;
        if (field->list) at++;
        if (at == words->count) loader_fail(loader, "list TYPE expected");
        field->type = words->word[at++];
    }
    for (; at < words->count; at++) {
        char *word = words->word[at];
        if (strcmp(word, "hex") == 0) {
            field->hex = true;
        } else if (strcmp(word, "secret") == 0) {
            field->secret = true;
        } else if (strncmp(word, "oneof=", 6) == 0) {
            field->oneof = word + 6;
        } else if (strcmp(word, "base64") != 0) {
            field_add_rule(field, word);
        }
    }
    field_append(loader->message, field);
}

static void load_line(struct loader *loader, char *line) {
    struct words words = {0};
    bool indented = line[0] == ' ';
    char *rest = NULL;
    for (char *word = strtok_r(line, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
        if (words.count == WORDS_MAX) loader_fail(loader, "too many words");
        words.word[words.count++] = arena_strdup(&loader->schema->arena, word);
    }
    if (words.count == 0 || words.word[0][0] == '#') return;
    if (indented && loader->enumeration != NULL) {
        load_value(loader, &words);
    } else if (indented && loader->message != NULL) {
        load_field(loader, &words);
    } else if (strcmp(words.word[0], "package") == 0) {
        load_package(loader, &words);
    } else if (strcmp(words.word[0], "enum") == 0) {
        load_enum(loader, &words);
    } else if (strcmp(words.word[0], "message") == 0) {
        load_message(loader, &words);
    } else {
        loader_fail(loader, "'%s' is unknown", words.word[0]);
    }
}

static bool type_is_scalar(const char *type) {
    static const char *const scalars[] = {"bool",  "int32",  "uint32", "int64", "uint64",
                                          "float", "double", "string", "bytes"};
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++) {
        if (strcmp(type, scalars[i]) == 0) return true;
    }
    return false;
}

// Types are named without a package where it is that of the message.
static void field_link(const struct loader *loader, const struct message *message, struct field *field) {
    const struct schema *schema = loader->schema;
    if (type_is_scalar(field->type)) return;
    for (const struct message *at = schema->messages; at != NULL; at = at->next) {
        bool near = at->package == message->package && strcmp(at->name, field->type) == 0;
        if (near || strcmp(at->type, field->type) == 0) field->message = at;
    }
    for (const struct enumeration *at = schema->enums; at != NULL; at = at->next) {
        if (at->package == message->package && strcmp(at->name, field->type) == 0) field->enumeration = at;
    }
    if (field->message == NULL && field->enumeration == NULL) {
        loader_fail(loader, "%s.%s: type '%s' is unknown", message->name, field->name, field->type);
    }
}

static void schema_link(const struct loader *loader) {
    for (struct message *message = loader->schema->messages; message != NULL; message = message->next) {
        for (const struct message *at = loader->schema->messages; at != NULL; at = at->next) {
            if (strcmp(at->full_name, message->full_name) < 0) message->index++;
        }
        for (struct field *field = message->fields; field != NULL; field = field->next) {
            field_link(loader, message, field);
            for (const struct field *at = message->fields; at != NULL; at = at->next) {
                if (at->number < field->number) field->index++;
            }
        }
    }
}

void schema_load(struct schema *schema, const char *path) {
    struct loader loader = {.schema = schema, .path = path};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        loader.line++;
        if (strchr(line, '\n') == NULL) loader_fail(&loader, "the line is too long");
        load_line(&loader, line);
    }
    if (ferror(file)) loader_fail(&loader, "cannot be read");
    fclose(file);
    schema_link(&loader);
}
