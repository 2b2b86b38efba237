// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/memory.h"
#include "lorawan/yaml_p.h"

enum {
    DEPTH_MAX = 32,     // a frequency plan needs 6
    ANCHORS_MAX = 100,  // libyaml compares each new one with all others
    MEMBERS_MAX = 100,
};

int yaml_fail(struct yaml_value value, struct error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *message MEMORY_AUTO = memory_vprintf(format, args);
    va_end(args);
    size_t line = value.node == NULL ? 0 : value.node->start_mark.line;
    return error_set(error, ERROR_INPUT, "%s:%zu: %s", value.file->name, line + 1, message);
}

// What libyaml found wrong.
static int fail_parser(const struct yaml_file *file, const yaml_parser_t *parser, struct error *error) {
    size_t line = parser->problem_mark.line > 0 ? parser->problem_mark.line : parser->mark.line;
    return error_set(error, ERROR_INPUT, "%s:%zu: %s", file->name, line + 1,
                     parser->problem != NULL ? parser->problem : "is no YAML");
}

struct limits {
    int depth;
    int anchors;
    int documents;
};

static void count_event(const yaml_event_t *event, struct limits *limits) {
    switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
            limits->documents++;
            break;
        case YAML_SEQUENCE_START_EVENT:
            limits->depth++;
            limits->anchors += event->data.sequence_start.anchor != NULL;
            break;
        case YAML_MAPPING_START_EVENT:
            limits->depth++;
            limits->anchors += event->data.mapping_start.anchor != NULL;
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            limits->depth--;
            break;
        case YAML_SCALAR_EVENT:
            limits->anchors += event->data.scalar.anchor != NULL;
            break;
        default:
            break;
    }
}

static const char *exceeded(const struct limits *limits) {
    if (limits->depth > DEPTH_MAX) return "lists and mappings lie too deep in each other";
    if (limits->anchors > ANCHORS_MAX) return "there are too many anchors";
    if (limits->documents > 1) return "there is more than one document";
    return NULL;
}

// Goes through the file once without keeping anything. libyaml's own tree builder takes quadratic time on
// deep nesting and on many anchors.
static int check_limits(const struct yaml_file *file, const struct buffer *content, struct error *error) {
    struct limits limits = {0};
    yaml_parser_t parser;
    bool more = true;
    int result = 0;
    if (!yaml_parser_initialize(&parser)) return error_set(error, ERROR_SYSTEM, "out of memory");
    yaml_parser_set_input_string(&parser, content->data, content->size);
    while (more && result == 0) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            result = fail_parser(file, &parser, error);
            break;
        }
        count_event(&event, &limits);
        if (exceeded(&limits) != NULL)
            result = error_set(error, ERROR_INPUT, "%s:%zu: %s", file->name, event.start_mark.line + 1,
                               exceeded(&limits));
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return result;
}

int yaml_file_open(struct yaml_file *file, const char *name, const struct buffer *content,
                   struct error *error) {
    yaml_parser_t parser;
    *file = (struct yaml_file){.name = memory_strdup(name)};
    int result = check_limits(file, content, error);
    if (result == 0 && !yaml_parser_initialize(&parser))
        result = error_set(error, ERROR_SYSTEM, "out of memory");
    if (result != 0) {
        free(memory_take(file->name));
        return result;
    }
    yaml_parser_set_input_string(&parser, content->data, content->size);
    if (!yaml_parser_load(&parser, &file->document)) {
        result = fail_parser(file, &parser, error);
        free(memory_take(file->name));
    }
    yaml_parser_delete(&parser);
    return result;
}

void yaml_file_close(struct yaml_file *file) {
    yaml_document_delete(&file->document);
    free(memory_take(file->name));
}

static bool is_null(const yaml_node_t *node) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp((const char *)node->data.scalar.value, words[i]) == 0) return true;
    return false;
}

struct yaml_value yaml_root(struct yaml_file *file) {
    return (struct yaml_value){.file = file, .node = yaml_document_get_root_node(&file->document)};
}

int yaml_check_list(struct yaml_value value, const char *what, size_t most, struct error *error) {
    if (value.node == NULL || value.node->type != YAML_SEQUENCE_NODE)
        return yaml_fail(value, error, "%s is no list", what);
    if (yaml_count(value) > most)
        return yaml_fail(value, error, "%s has %zu entries, more than %zu", what, yaml_count(value), most);
    return 0;
}

static size_t member_count(const yaml_node_t *mapping) {
    return (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
}

// The text of a key; "" if the key is no scalar.
static const char *key_text(struct yaml_value mapping, size_t index) {
    const yaml_node_t *key =
        yaml_document_get_node(&mapping.file->document, mapping.node->data.mapping.pairs.start[index].key);
    return key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
}

int yaml_check_mapping(struct yaml_value value, const char *what, struct error *error) {
    if (value.node == NULL || value.node->type != YAML_MAPPING_NODE)
        return yaml_fail(value, error, "%s is no mapping", what);
    size_t count = member_count(value.node);
    if (count > MEMBERS_MAX) return yaml_fail(value, error, "%s has too many keys", what);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key_text(value, i), "<<") == 0)
            return yaml_fail(value, error, "%s has a merge key, which is not supported", what);
        for (size_t j = 0; j < i; j++)
            if (strcmp(key_text(value, i), key_text(value, j)) == 0)
                return yaml_fail(value, error, "%s has the key \"%.40s\" twice", what, key_text(value, i));
    }
    return 0;
}

size_t yaml_count(struct yaml_value list) {
    return (size_t)(list.node->data.sequence.items.top - list.node->data.sequence.items.start);
}

struct yaml_value yaml_item(struct yaml_value list, size_t index) {
    list.node = yaml_document_get_node(&list.file->document, list.node->data.sequence.items.start[index]);
    return list;
}

struct yaml_value yaml_member(struct yaml_value mapping, const char *key) {
    for (size_t i = 0; i < member_count(mapping.node); i++) {
        if (strcmp(key_text(mapping, i), key) != 0) continue;
        const yaml_node_t *node =
            yaml_document_get_node(&mapping.file->document, mapping.node->data.mapping.pairs.start[i].value);
        return (struct yaml_value){.file = mapping.file, .node = is_null(node) ? NULL : node};
    }
    return (struct yaml_value){.file = mapping.file};
}

// The characters of a scalar, or NULL if it is none or holds a NUL.
static const char *scalar(struct yaml_value value) {
    if (value.node == NULL || value.node->type != YAML_SCALAR_NODE) return NULL;
    const char *text = (const char *)value.node->data.scalar.value;
    return strlen(text) == value.node->data.scalar.length ? text : NULL;
}

int yaml_text(struct yaml_value value, const char *what, size_t most, struct arena *arena,
              const char **ret_text, struct error *error) {
    const char *text = scalar(value);
    if (text == NULL) return yaml_fail(value, error, "%s is no text", what);
    if (strlen(text) > most) return yaml_fail(value, error, "%s is longer than %zu bytes", what, most);
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return yaml_fail(value, error, "%s holds a control character", what);
    *ret_text = arena_strdup(arena, text);
    return 0;
}

int yaml_integer(struct yaml_value value, const char *what, uint64_t least, uint64_t most, uint64_t *ret,
                 struct error *error) {
    const char *text = scalar(value);
    uint64_t number = 0;
    bool good = text != NULL && text[0] >= '0' && text[0] <= '9' && strlen(text) < 32;
    for (; good && *text != '\0'; text++) {
        if (*text == '_') continue;  // YAML 1.1 allows it between digits
        good = *text >= '0' && *text <= '9' && number <= (UINT64_MAX - 9) / 10;
        if (good) number = number * 10 + (uint64_t)(*text - '0');
    }
    if (!good || number < least || number > most)
        return yaml_fail(value, error, "%s is no whole number from %llu to %llu", what,
                         (unsigned long long)least, (unsigned long long)most);
    *ret = number;
    return 0;
}

int yaml_decimal(struct yaml_value value, const char *what, float least, float most, float *ret,
                 struct error *error) {
    const char *text = scalar(value);
    char *end = NULL;
    float number = 0;
    bool good =
        text != NULL && *text != '\0' && strlen(text) < 32 && strspn(text, "+-.0123456789eE") == strlen(text);
    if (good) number = strtof(text, &end);
    if (!good || *end != '\0' || !(number >= least) || !(number <= most))
        return yaml_fail(value, error, "%s is no number from %g to %g", what, (double)least, (double)most);
    *ret = number;
    return 0;
}

int yaml_boolean(struct yaml_value value, const char *what, bool *ret, struct error *error) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    const char *text = scalar(value);
    for (size_t i = 0; text != NULL && i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *ret = i % 2 == 1;
        return 0;
    }
    return yaml_fail(value, error, "%s is neither true nor false", what);
}

int yaml_duration(struct yaml_value value, const char *what, int64_t *ret, struct error *error) {
    enum { SECONDS_MAX = 3600 };
    const char *text = scalar(value);
    int64_t seconds = 0;
    int32_t nanos = 0;
    uint64_t number = 0;
    if (text != NULL && *text != '\0' && strspn(text, "_0123456789") == strlen(text)) {
        int result = yaml_integer(value, what, 0, SECONDS_MAX * NS_PER_SECOND, &number, error);
        if (result == 0) *ret = (int64_t)number;
        return result;
    }
    if (text == NULL || !duration_parse(text, strlen(text), &seconds, &nanos) || seconds < 0 || nanos < 0 ||
        seconds > SECONDS_MAX)
        return yaml_fail(value, error, "%s is no length of time such as 400ms", what);
    *ret = seconds * NS_PER_SECOND + nanos;
    return 0;
}
