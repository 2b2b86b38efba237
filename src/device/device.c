// SPDX-License-Identifier: Apache-2.0
#include "device/device.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/message.h"

void device_init(struct device *device) {
    *device = (struct device){0};
    device->end_device = message_new(&device->arena, &tts__end_device__descriptor);
}

void device_release(struct device *device) {
    notes_release(&device->notes);
    arena_release(&device->arena);
    device->end_device = NULL;
}

void device_note(struct device *device, const char *path, const char *format, ...) {
    va_list args;
    va_start(args, format);
    notes_addv(&device->notes, NOTE_CHANGED, 0, path, format, args);
    va_end(args);
}

void device_set_text(struct device *device, char **member, const char *text) {
    *member = arena_strdup(&device->arena, text == NULL ? "" : text);
}

void device_set_bytes(struct device *device, ProtobufCBinaryData *member, const void *data, size_t size) {
    *member = message_bytes(&device->arena, data, size);
}

void device_set_key(struct device *device, Tts__KeyEnvelope **member, const uint8_t key[16]) {
    *member = message_new(&device->arena, &tts__key_envelope__descriptor);
    (*member)->key = message_bytes(&device->arena, key, 16);
}

void device_set_time(struct device *device, Google__Timestamp **member, int64_t ns) {
    *member = message_new(&device->arena, &google__timestamp__descriptor);
    (*member)->seconds = ns / NS_PER_SECOND;
    (*member)->nanos = (int32_t)(ns % NS_PER_SECOND);
    if ((*member)->nanos < 0) {
        (*member)->nanos += (int32_t)NS_PER_SECOND;
        (*member)->seconds--;
    }
}

Tts__EndDeviceIdentifiers *device_ids(struct device *device) {
    if (device->end_device->ids == NULL) {
        device->end_device->ids = message_new(&device->arena, &tts__end_device_identifiers__descriptor);
    }
    return device->end_device->ids;
}

void device_set_application(struct device *device, const char *application_id) {
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    ids->application_ids = message_new(&device->arena, &tts__application_identifiers__descriptor);
    device_set_text(device, &ids->application_ids->application_id, application_id);
}

static Tts__EndDevice__AttributesEntry *attribute_find(const Tts__EndDevice *device, const char *key) {
    for (size_t i = 0; i < device->n_attributes; i++) {
        if (strcmp(device->attributes[i]->key, key) == 0) return device->attributes[i];
    }
    return NULL;
}

Tts__Location *device_set_location(struct device *device, double latitude, double longitude) {
    struct arena *arena = &device->arena;
    Tts__EndDevice *end_device = device->end_device;
    Tts__EndDevice__LocationsEntry *entry = message_new(arena, &tts__end_device__locations_entry__descriptor);
    entry->value = message_new(arena, &tts__location__descriptor);
    entry->value->latitude = latitude;
    entry->value->longitude = longitude;
    entry->value->source = TTS__LOCATION_SOURCE__SOURCE_REGISTRY;
    device_set_text(device, &entry->key, "user");
    message_append(arena, &end_device->n_locations, &end_device->locations, entry);
    return entry->value;
}

static bool has_key(const Tts__KeyEnvelope *key) {
    return key != NULL && (key->key.len > 0 || key->encrypted_key.len > 0);
}

void device_note_root_keys(struct device *device) {
    const Tts__EndDevice *message = device->end_device;
    const Tts__RootKeys *keys = message->root_keys;
    if (!message->supports_join || keys == NULL) return;
    for (size_t i = 0; i < device->notes.count; i++) {
        if (strncmp(device->notes.items[i].path, "root_keys", strlen("root_keys")) == 0) return;
    }
    bool two = message->lorawan_version == TTS__MACVERSION__MAC_V1_1;
    if (!has_key(keys->app_key))
        device_note(device, "root_keys.app_key", "is missing: without it the device cannot join%s",
                    has_key(keys->nwk_key) && !two ? "; LoRaWAN 1.0 has no NwkKey" : "");
    if (two && !has_key(keys->nwk_key))
        device_note(device, "root_keys.nwk_key",
                    "is missing: without it a device of LoRaWAN 1.1 cannot join");
}

void device_set_attribute(struct device *device, const char *key, const char *value) {
    Tts__EndDevice *message = device->end_device;
    Tts__EndDevice__AttributesEntry *entry = attribute_find(message, key);
    if (entry == NULL) {
        entry = message_new(&device->arena, &tts__end_device__attributes_entry__descriptor);
        device_set_text(device, &entry->key, key);
        message_append(&device->arena, &message->n_attributes, &message->attributes, entry);
    }
    device_set_text(device, &entry->value, value);
}

const char *device_attribute(const struct device *device, const char *key) {
    const Tts__EndDevice__AttributesEntry *entry = attribute_find(device->end_device, key);
    return entry == NULL ? NULL : entry->value;
}

// The field of a GenAppKey: the highest number that there is, which no schema comes near. Unknown fields are kept as they
// are on the wire: the bytes of a key after their length.
enum { GEN_APP_KEY_TAG = 536870911 };

static ProtobufCMessageUnknownField *find_gen_app_key(const Tts__EndDevice *message) {
    for (unsigned i = 0; i < message->base.n_unknown_fields; i++) {
        ProtobufCMessageUnknownField *field = &message->base.unknown_fields[i];
        if (field->tag == GEN_APP_KEY_TAG && field->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED &&
            field->len == 1 + KEY128_BYTES && field->data[0] == KEY128_BYTES)
            return field;
    }
    return NULL;
}

void device_set_gen_app_key(struct device *device, const struct key128 *key) {
    ProtobufCMessage *message = &device->end_device->base;
    ProtobufCMessageUnknownField *field = find_gen_app_key(device->end_device);
    if (field == NULL) {
        size_t count = message->n_unknown_fields;
        message->unknown_fields =
            message_grow(&device->arena, message->unknown_fields, count, sizeof *message->unknown_fields);
        field = &message->unknown_fields[count];
        *field = (ProtobufCMessageUnknownField){
            .tag = GEN_APP_KEY_TAG,
            .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
            .len = 1 + KEY128_BYTES,
            .data = arena_alloc(&device->arena, 1, 1 + KEY128_BYTES),
        };
        message->n_unknown_fields++;
    }
    field->data[0] = KEY128_BYTES;
    memcpy(field->data + 1, key->bytes, KEY128_BYTES);
}

bool device_gen_app_key(const Tts__EndDevice *end_device, struct key128 *ret_key) {
    const ProtobufCMessageUnknownField *field = find_gen_app_key(end_device);
    if (field != NULL) memcpy(ret_key->bytes, field->data + 1, KEY128_BYTES);
    return field != NULL;
}

void device_drop_gen_app_key(struct device *device) {
    ProtobufCMessage *message = &device->end_device->base;
    ProtobufCMessageUnknownField *field = find_gen_app_key(device->end_device);
    if (field == NULL) return;
    memory_wipe(field->data, field->len);
    *field = message->unknown_fields[message->n_unknown_fields - 1];
    message->n_unknown_fields--;
    device_note(device, "gen_app_key",
                "the GenAppKey (multicast groups that are set up over the air) is left out: there is no "
                "place for it");
}

const char *device_id(const struct device *device) {
    const Tts__EndDeviceIdentifiers *ids = device->end_device->ids;
    return ids == NULL || ids->device_id == NULL ? "" : ids->device_id;
}
