// SPDX-License-Identifier: Apache-2.0
#include "device/field_mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/words.h"
#include "device/message.h"
#include "device/value_p.h"
#include "tts.pb-c.h"

struct walk {
    field_mask_path *tell;
    void *context;
    struct buffer path;
};

static void walk_message(struct walk *walk, const struct schema_message *table,
                         const ProtobufCMessage *message, const ProtobufCMessage *before);

// The messages of google.protobuf are values here.
static bool is_inner(const struct schema_field *field) {
    static const char package[] = "ttn.lorawan.v3.";
    bool object = field->form == FORM_OBJECT || field->form == FORM_BARE;
    return object && !field->list && strncmp(field->message->type, package, sizeof package - 1) == 0;
}

static bool is_whole(const struct schema_message *table) {
    return table->descriptor == &tts__macstate__descriptor ||
           table->descriptor == &tts__macparameters__descriptor;
}

static void cut_path(struct walk *walk, size_t size) {
    walk->path.size = size;
}

static const ProtobufCMessage *member_message(const ProtobufCMessage *message,
                                              const ProtobufCFieldDescriptor *place, bool set) {
    return set ? value_message(member_at(message, place)) : NULL;
}

static void walk_inner(struct walk *walk, const struct schema_field *field, const ProtobufCMessage *message,
                       const ProtobufCMessage *before) {
    if (message == NULL || field->message->field_count == 0) {
        walk->tell(walk->context, buffer_string(&walk->path));
        return;
    }
    if (field->form == FORM_BARE) {
        buffer_puts(&walk->path, ".value");
        walk->tell(walk->context, buffer_string(&walk->path));
        return;
    }
    walk_message(walk, field->message, message, before);
}

static void walk_field(struct walk *walk, const struct schema_message *table,
                       const struct schema_field *field, const ProtobufCMessage *message,
                       const ProtobufCMessage *before) {
    const ProtobufCFieldDescriptor *place = schema_place(table, field);
    bool in_oneof = place_in_oneof(place);
    bool set = member_is_set(message, field, place);
    bool was_set = before != NULL && member_is_set(before, field, place);
    // Another member of a oneof takes the place of the old one by itself.
    if (!set && in_oneof) return;
    bool zero = is_whole(table) && !field->list && !form_is_message(field->form);
    if (!set && !was_set && !zero) return;
    size_t size = walk->path.size;
    if (size > 0) buffer_putc(&walk->path, '.');
    // The one oneof that is not within a list is called that everywhere.
    if (in_oneof) buffer_puts(&walk->path, "mode.");
    buffer_puts(&walk->path, field->name);
    if (is_inner(field)) {
        walk_inner(walk, field, member_message(message, place, set), member_message(before, place, was_set));
    } else {
        walk->tell(walk->context, buffer_string(&walk->path));
    }
    cut_path(walk, size);
}

static void walk_message(struct walk *walk, const struct schema_message *table,
                         const ProtobufCMessage *message, const ProtobufCMessage *before) {
    for (size_t i = 0; i < table->field_count; i++) {
        walk_field(walk, table, &table->fields[i], message, before);
    }
}

void field_mask_each(const ProtobufCMessage *message, const ProtobufCMessage *before, field_mask_path *tell,
                     void *context) {
    struct walk walk = {.tell = tell, .context = context};
    buffer_init(&walk.path, BUFFER_UNLIMITED);
    walk_message(&walk, schema_of(message), message, before);
    buffer_release(&walk.path);
}

static void copy_member(ProtobufCMessage *to, const ProtobufCMessage *from, const struct schema_field *field,
                        const ProtobufCFieldDescriptor *place) {
    if (field->list) {
        size_t count = list_count(from, place);
        memcpy(quantifier_of(to, place), &count, sizeof count);
        memcpy(member_of(to, place), member_at(from, place), sizeof(void *));
        return;
    }
    if (place_in_oneof(place)) memcpy(quantifier_of(to, place), &place->id, sizeof(uint32_t));
    memcpy(member_of(to, place), member_at(from, place), value_size(field->form));
}

void *message_select(const ProtobufCMessage *message, const char *members, struct arena *arena) {
    const struct schema_message *table = schema_of(message);
    ProtobufCMessage *copy = message_new(arena, message->descriptor);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct schema_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *place = schema_place(table, field);
        if (!words_contain(members, field->name, field->name_size)) continue;
        if (member_is_set(message, field, place)) copy_member(copy, message, field, place);
    }
    return copy;
}
