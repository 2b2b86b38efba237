// SPDX-License-Identifier: Apache-2.0
#include "world/tts_tree.h"

#include <string.h>

struct tts_node *tts_new(struct arena *arena, const char *message_name) {
    struct tts_node *node = arena_new(arena, struct tts_node);
    node->message = tts_message(message_name);
    return node;
}

static struct tts_node *node_of(struct arena *arena, const struct tts_field *field) {
    struct tts_node *node = arena_new(arena, struct tts_node);
    node->field = field;
    node->message = field->message;
    return node;
}

struct tts_node *tts_insert(struct tts_node *message, struct tts_node *child) {
    struct tts_node *before = NULL;
    if (message->last != NULL && message->last->field->number <= child->field->number) {
        before = message->last;
    } else {
        for (struct tts_node *node = message->first; node != NULL; node = node->next) {
            if (node->field->number > child->field->number) break;
            before = node;
        }
    }
    child->next = before != NULL ? before->next : message->first;
    if (before != NULL) {
        before->next = child;
    } else {
        message->first = child;
    }
    if (child->next == NULL) message->last = child;
    return child;
}

static struct tts_node *child_of(const struct tts_node *message, const struct tts_field *field) {
    if (message == NULL) return NULL;
    for (struct tts_node *node = message->first; node != NULL; node = node->next) {
        if (node->field == field) return node;
    }
    return NULL;
}

struct tts_node *tts_next_entry(const struct tts_node *entry) {
    bool more = entry->next != NULL && entry->next->field == entry->field;
    return more ? entry->next : NULL;
}

static bool is_oneof(const struct tts_message *message, const char *name, size_t size) {
    for (size_t i = 0; i < message->count; i++) {
        const char *oneof = message->fields[i].oneof;
        if (oneof != NULL && strncmp(oneof, name, size) == 0 && oneof[size] == '\0') return true;
    }
    return false;
}

// The field that the path's next step names, with the path behind it ("" = none); steps that name a choice are
// skipped if more follows. NULL: no such field; *path then stands at the step.
static const struct tts_field *take_step(const struct tts_message *message, const char **path) {
    for (;;) {
        size_t size = strcspn(*path, ".");
        const struct tts_field *field = tts_field_named(message, *path, size);
        bool choice = field == NULL && (*path)[size] == '.' && is_oneof(message, *path, size);
        if (field == NULL && !choice) return NULL;
        *path += size + ((*path)[size] == '.' ? 1 : 0);
        if (field != NULL) return field;
    }
}

struct tts_node *tts_find(const struct tts_node *message, const char *path) {
    struct tts_node *node = NULL;
    while (message != NULL && *path != '\0') {
        const struct tts_field *field = message->message != NULL ? take_step(message->message, &path) : NULL;
        if (field == NULL) return NULL;
        node = child_of(message, field);
        message = node;
    }
    return node;
}

uint64_t tts_number(const struct tts_node *message, const char *path) {
    const struct tts_node *node = tts_find(message, path);
    return node != NULL ? node->number : 0;
}

struct wire_bytes tts_bytes(const struct tts_node *message, const char *path) {
    const struct tts_node *node = tts_find(message, path);
    return node != NULL ? node->bytes : (struct wire_bytes){0};
}

char *tts_text(struct arena *arena, const struct tts_node *message, const char *path) {
    struct wire_bytes bytes = tts_bytes(message, path);
    return arena_strndup(arena, bytes.size > 0 ? (const char *)bytes.data : "", bytes.size);
}

bool tts_has_bytes(const struct tts_node *message, const char *path) {
    struct wire_bytes bytes = tts_bytes(message, path);
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != 0) return true;
    }
    return false;
}

struct tts_node *tts_make(struct arena *arena, struct tts_node *message, const char *path) {
    struct tts_node *node = message;
    while (*path != '\0') {
        const struct tts_field *field = take_step(node->message, &path);
        struct tts_node *child = child_of(node, field);
        if (child == NULL) {
            child = node_of(arena, field);
            tts_insert(node, child);
        }
        node = child;
    }
    return node;
}

struct tts_node *tts_add(struct arena *arena, struct tts_node *message, const char *name) {
    struct tts_node *child = node_of(arena, tts_field_named(message->message, name, strlen(name)));
    tts_insert(message, child);
    return child;
}

void tts_set_number(struct arena *arena, struct tts_node *message, const char *path, uint64_t number) {
    tts_make(arena, message, path)->number = number;
}

void tts_set_float(struct arena *arena, struct tts_node *message, const char *path, float value) {
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    tts_make(arena, message, path)->number = bits;
}

void tts_set_bytes(struct arena *arena, struct tts_node *message, const char *path, const void *data,
                   size_t size) {
    const uint8_t *copy = arena_dup(arena, data, size);
    tts_make(arena, message, path)->bytes = (struct wire_bytes){.data = copy, .size = size};
}

void tts_set_text(struct arena *arena, struct tts_node *message, const char *path, const char *text) {
    tts_set_bytes(arena, message, path, text, strlen(text));
}

static void remove_field(struct tts_node *message, const struct tts_field *field) {
    struct tts_node *last = NULL;
    for (struct tts_node **place = &message->first; *place != NULL;) {
        if ((*place)->field == field) {
            *place = (*place)->next;
        } else {
            last = *place;
            place = &last->next;
        }
    }
    message->last = last;
}

static struct tts_node *clone(struct arena *arena, const struct tts_node *from) {
    struct tts_node *node = arena_dup(arena, from, sizeof *from);
    node->first = node->last = node->next = NULL;
    for (const struct tts_node *child = from->first; child != NULL; child = child->next) {
        tts_insert(node, clone(arena, child));
    }
    return node;
}

static void replace_field(struct arena *arena, struct tts_node *to, const struct tts_node *from,
                          const struct tts_field *field) {
    const struct tts_node *node = child_of(from, field);
    remove_field(to, field);
    if (node == NULL) return;
    for (size_t i = 0; field->oneof != NULL && i < to->message->count; i++) {
        const struct tts_field *other = &to->message->fields[i];
        if (other->oneof != NULL && strcmp(other->oneof, field->oneof) == 0) remove_field(to, other);
    }
    for (; node != NULL; node = tts_next_entry(node)) tts_insert(to, clone(arena, node));
}

static void replace_choice(struct arena *arena, struct tts_node *to, const struct tts_node *from,
                           const char *name) {
    for (size_t i = 0; i < to->message->count; i++) {
        const struct tts_field *field = &to->message->fields[i];
        if (field->oneof != NULL && strcmp(field->oneof, name) == 0) replace_field(arena, to, from, field);
    }
}

void tts_copy_path(struct arena *arena, struct tts_node *to, const struct tts_node *from, const char *path) {
    for (;;) {
        const struct tts_field *field = take_step(to->message, &path);
        if (field == NULL) {
            replace_choice(arena, to, from, path);
            return;
        }
        if (*path == '\0' || field->list || field->message == NULL) {
            replace_field(arena, to, from, field);
            return;
        }
        from = child_of(from, field);
        struct tts_node *child = child_of(to, field);
        if (child == NULL && from == NULL) return;
        if (child == NULL) {
            child = node_of(arena, field);
            tts_insert(to, child);
        }
        to = child;
    }
}

void tts_drop(struct tts_node *message, const char *path) {
    while (message != NULL) {
        const struct tts_field *field = take_step(message->message, &path);
        if (field == NULL) return;
        if (*path == '\0') {
            remove_field(message, field);
            return;
        }
        message = child_of(message, field);
    }
}

bool tts_same(const struct tts_node *a, const struct tts_node *b, const char *path) {
    const struct tts_node *in_a = tts_find(a, path);
    const struct tts_node *in_b = tts_find(b, path);
    BUFFER_AUTO one;
    BUFFER_AUTO other;
    buffer_init(&one, BUFFER_UNLIMITED);
    buffer_init(&other, BUFFER_UNLIMITED);
    if (in_a == NULL || in_b == NULL) return in_a == in_b;
    if (in_a->message == NULL) {
        return in_a->number == in_b->number && in_a->bytes.size == in_b->bytes.size &&
               (in_a->bytes.size == 0 || memcmp(in_a->bytes.data, in_b->bytes.data, in_a->bytes.size) == 0);
    }
    tts_encode(in_a, &one);
    tts_encode(in_b, &other);
    return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}
