// SPDX-License-Identifier: Apache-2.0
#include "world/tts_rules.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"

enum { CODE_MOST = 32, PORT_DIGITS_MOST = 5, ENUM_BITS = 64 };

struct checker {
    struct arena *arena;
    const struct tts_scope *scope;  // NULL = everything
};

static const struct tts_violation *check_message(const struct checker *checker,
                                                 const struct tts_node *message, const char *prefix);

static struct tts_violation *violation(struct arena *arena, const struct tts_node *message, char *field,
                                       char *reason) {
    struct tts_violation *result = arena_new(arena, struct tts_violation);
    *result = (struct tts_violation){.message = message->message->name, .field = field, .reason = reason};
    return result;
}

// ---- forms of texts

static bool is_small(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
}

// Small letters and digits with single dashes between them.
static bool is_dashed(struct wire_bytes text, size_t least) {
    size_t parts = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '-' && i > 0) i++;
        if (i == text.size || !is_small(text.data[i])) return false;
        parts++;
    }
    return parts >= least;
}

bool tts_is_id(struct wire_bytes text) {
    enum { LEAST = 3 };
    return is_dashed(text, LEAST);
}

static bool is_label(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool inner = i > 0 && i + 1 < size;
        if (!isalnum(data[i]) && !(inner && data[i] == '-')) return false;
    }
    return size > 0;
}

static bool is_host(const uint8_t *data, size_t size) {
    const uint8_t *colon = memchr(data, ':', size);
    size_t host = colon != NULL ? (size_t)(colon - data) : size;
    size_t digits = colon != NULL ? size - host - 1 : 1;
    if (digits < 1 || digits > PORT_DIGITS_MOST) return false;
    for (size_t i = host + 1; i < size; i++) {
        if (!isdigit(data[i])) return false;
    }
    for (size_t start = 0; start <= host;) {
        const uint8_t *dot = memchr(data + start, '.', host - start);
        size_t end = dot != NULL ? (size_t)(dot - data) : host;
        if (!is_label(data + start, end - start)) return false;
        start = end + 1;
    }
    return true;
}

static bool is_code(struct wire_bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (!isalnum(text.data[i])) return false;
    }
    return text.size >= 1 && text.size <= CODE_MOST;
}

static bool has_form(enum tts_pattern pattern, struct wire_bytes text) {
    static const char scheme[] = "://";
    switch (pattern) {
        case TTS_PATTERN_NONE:
            return true;
        case TTS_PATTERN_ID:
            return tts_is_id(text);
        case TTS_PATTERN_ID_OR_EMPTY:
            return text.size == 0 || tts_is_id(text);
        case TTS_PATTERN_USER_ID:
            return is_dashed(text, 2);
        case TTS_PATTERN_CODE:
            return is_code(text);
        case TTS_PATTERN_HOST_OR_URL: {
            const uint8_t *at =
                text.size > 0 ? memmem(text.data, text.size, scheme, sizeof scheme - 1) : NULL;
            size_t skip = at != NULL ? (size_t)(at - text.data) + sizeof scheme - 1 : 0;
            return text.size == 0 || is_host(text.data + skip, text.size - skip);
        }
        case TTS_PATTERN_HOST:
            return text.size == 0 || is_host(text.data, text.size);
    }
    return true;
}

// ---- single values

static char *check_text(struct arena *arena, const struct tts_field *field, struct wire_bytes text) {
    size_t length = utf8_length((const char *)text.data, text.size);
    if (field->max_len > 0 && length > field->max_len) {
        return arena_printf(arena, "value length must be at most %lu runes", (unsigned long)field->max_len);
    }
    if (length < field->min_len) {
        return arena_printf(arena, "value length must be at least %lu runes", (unsigned long)field->min_len);
    }
    if (has_form(field->pattern, text)) return NULL;
    return arena_strdup(arena, "value does not match its pattern");
}

static char *check_bytes(struct arena *arena, const struct tts_field *field, struct wire_bytes bytes) {
    if (field->len > 0 && bytes.size != field->len) {
        return arena_printf(arena, "value length must be %lu bytes", (unsigned long)field->len);
    }
    if (field->max_len > 0 && bytes.size > field->max_len) {
        return arena_printf(arena, "value length must be at most %lu bytes", (unsigned long)field->max_len);
    }
    if (bytes.size >= field->min_len) return NULL;
    return arena_printf(arena, "value length must be at least %lu bytes", (unsigned long)field->min_len);
}

static double as_double(enum tts_type type, uint64_t number) {
    double value = 0;
    if (type == TTS_FLOAT) return (double)wire_float(number);
    if (type == TTS_DOUBLE) {
        memcpy(&value, &number, sizeof value);
        return value;
    }
    bool is_signed = type == TTS_INT32 || type == TTS_INT64 || type == TTS_ENUM;
    return is_signed ? (double)(int64_t)number : (double)number;
}

static char *check_range(struct arena *arena, const struct tts_field *field, double value) {
    double low = (double)field->gte;
    double high = (double)field->lte;
    bool from = (field->rules & TTS_GTE) != 0;
    bool to = (field->rules & TTS_LTE) != 0;
    if (from && to && low > high) {
        if (value >= low || value <= high) return NULL;
        return arena_printf(arena, "value must be outside range (%.0f, %.0f)", high, low);
    }
    bool above = (!from || value >= low) && ((field->rules & TTS_GT) == 0 || value > low);
    if (above && (!to || value <= high)) return NULL;
    if (from && to) return arena_printf(arena, "value must be inside range [%.0f, %.0f]", low, high);
    if (to) return arena_printf(arena, "value must be less than or equal to %.0f", high);
    return arena_printf(arena, "value must be greater than %s%.0f", from ? "or equal to " : "", low);
}

static char *check_number(struct arena *arena, const struct tts_field *field, enum tts_type type,
                          uint64_t number) {
    bool named = number >= ENUM_BITS || (field->known >> number & 1) != 0;
    if (type == TTS_ENUM && (field->rules & TTS_KNOWN) != 0 && !named) {
        return arena_strdup(arena, "value must be one of the defined enum values");
    }
    return check_range(arena, field, as_double(type, number));
}

// A scalar's own rules. `node` NULL = it is absent, which is zero.
static char *check_scalar(struct arena *arena, const struct tts_field *field, const struct tts_node *node) {
    struct wire_bytes bytes = node != NULL ? node->bytes : (struct wire_bytes){0};
    uint64_t number = node != NULL ? node->number : 0;
    bool text = field->type == TTS_STRING || field->type == TTS_BYTES;
    bool empty = text ? bytes.size == 0 : number == 0;
    if (empty && (field->rules & TTS_OR_EMPTY) != 0) return NULL;
    if (node == NULL && field->oneof != NULL) return NULL;
    if (field->type == TTS_STRING) return check_text(arena, field, bytes);
    if (field->type == TTS_BYTES) return check_bytes(arena, field, bytes);
    return check_number(arena, field, field->type, number);
}

// Rules of a wrapped number stand at the field that holds the wrapper.
static char *check_wrapped(struct arena *arena, const struct tts_field *field, const struct tts_node *node) {
    bool ruled = (field->rules & (TTS_GTE | TTS_LTE | TTS_GT)) != 0;
    if (!ruled || node->message->count != 1) return NULL;
    return check_number(arena, field, node->message->fields[0].type, tts_number(node, "value"));
}

// ---- messages

enum coverage { NOTHING, PARTS, WHOLE };

// How far the scope reaches into the field at a path.
static enum coverage coverage_of(const struct checker *checker, const char *path) {
    if (checker->scope == NULL) return WHOLE;
    size_t size = strlen(path);
    enum coverage coverage = NOTHING;
    for (size_t i = 0; i < checker->scope->count; i++) {
        const char *known = checker->scope->paths[i];
        if (strcmp(known, path) == 0) return WHOLE;
        if (strncmp(known, path, size) == 0 && known[size] == '.') coverage = PARTS;
    }
    return coverage;
}

static const struct tts_violation *within(struct arena *arena, const struct tts_node *message, char *field,
                                          const struct tts_violation *cause) {
    if (cause == NULL) return NULL;
    char *reason = arena_strdup(arena, "embedded message failed validation");
    struct tts_violation *result = violation(arena, message, field, reason);
    result->cause = (struct tts_violation *)(uintptr_t)cause;
    return result;
}

static char *entry_name(struct arena *arena, const struct tts_node *entry, size_t index) {
    const struct tts_field *field = entry->field;
    if (!field->map) return arena_printf(arena, "%s[%zu]", field->name, index);
    return arena_printf(arena, "%s[%s]", field->name, tts_text(arena, entry, "key"));
}

static const struct tts_violation *check_entry(const struct checker *checker, const struct tts_node *message,
                                               const struct tts_node *entry, size_t index) {
    struct arena *arena = checker->arena;
    char *name = entry_name(arena, entry, index);
    struct checker all = {.arena = arena};
    if (entry->message != NULL) {
        const struct tts_violation *cause = check_message(&all, entry, "");
        // An entry of a map has no name of its own: its key and value are the field's.
        if (cause == NULL || !entry->field->map) return within(arena, message, name, cause);
        return cause->cause != NULL ? within(arena, message, name, cause->cause)
                                    : violation(arena, message, name, cause->reason);
    }
    char *reason = check_scalar(arena, entry->field, entry);
    return reason != NULL ? violation(arena, message, name, reason) : NULL;
}

static const struct tts_violation *check_list(const struct checker *checker, const struct tts_node *message,
                                              const struct tts_field *field, const struct tts_node *entry) {
    struct arena *arena = checker->arena;
    size_t count = 0;
    for (const struct tts_node *node = entry; node != NULL; node = tts_next_entry(node)) count++;
    bool many = field->max_items > 0 && count > field->max_items;
    if (many || count < field->min_items) {
        unsigned long limit = many ? field->max_items : field->min_items;
        char *reason = arena_printf(arena, "value must contain %s %lu %s(s)",
                                    many ? "no more than" : "at least", limit, field->map ? "pair" : "item");
        return violation(arena, message, arena_strdup(arena, field->name), reason);
    }
    const struct tts_violation *found = NULL;
    for (size_t i = 0; entry != NULL && found == NULL; entry = tts_next_entry(entry)) {
        found = check_entry(checker, message, entry, i++);
    }
    return found;
}

static const struct tts_violation *check_member(const struct checker *checker, const struct tts_node *message,
                                                const struct tts_field *field, const char *path) {
    struct arena *arena = checker->arena;
    const struct tts_node *node = tts_find(message, field->name);
    enum coverage coverage = coverage_of(checker, path);
    if (coverage == NOTHING) return NULL;
    if (field->list) return check_list(checker, message, field, node);
    char *name = arena_strdup(arena, field->name);
    if (field->message == NULL) {
        char *reason = check_scalar(arena, field, node);
        return reason != NULL ? violation(arena, message, name, reason) : NULL;
    }
    if (node == NULL) {
        bool outermost = strchr(path, '.') == NULL;
        bool missing = (field->rules & TTS_REQUIRED) != 0 && (coverage == WHOLE || outermost);
        return missing ? violation(arena, message, name, arena_strdup(arena, "value is required")) : NULL;
    }
    char *reason = check_wrapped(arena, field, node);
    if (reason != NULL) return violation(arena, message, name, reason);
    struct checker all = {.arena = arena};
    return within(arena, message, name, check_message(coverage == WHOLE ? &all : checker, node, path));
}

static const struct tts_violation *check_message(const struct checker *checker,
                                                 const struct tts_node *message, const char *prefix) {
    const struct tts_violation *found = NULL;
    for (size_t i = 0; i < message->message->count && found == NULL; i++) {
        const struct tts_field *field = &message->message->fields[i];
        const char *path = field->name;
        if (*prefix != '\0') path = arena_printf(checker->arena, "%s.%s", prefix, field->name);
        found = check_member(checker, message, field, path);
    }
    return found;
}

const struct tts_violation *tts_check_form(struct arena *arena, const struct tts_node *message,
                                           const struct tts_scope *scope) {
    struct checker checker = {.arena = arena, .scope = scope};
    return check_message(&checker, message, "");
}
