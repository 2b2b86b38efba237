// SPDX-License-Identifier: Apache-2.0
#include "device/clean.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "device/message.h"
#include "device/naming.h"

enum { NAME_MAX_LENGTH = 50, DESCRIPTION_MAX = 2000, ATTRIBUTE_VALUE_MAX = 200, ATTRIBUTES_MAX = 10 };

// Mends a text in place: UTF-8, and at most `most` code points (0 = as many as there are).
static void clean_text(struct device *device, char **text, size_t most, const char *path) {
    size_t size = strlen(*text);
    if (!utf8_valid(*text, size)) {
        BUFFER_AUTO repaired;
        buffer_init(&repaired, BUFFER_UNLIMITED);
        utf8_repair(*text, size, &repaired);
        device_note(device, path, "bytes that are no UTF-8 became U+FFFD");
        *text = arena_strdup(&device->arena, buffer_string(&repaired));
        size = strlen(*text);
    }
    if (most > 0 && utf8_length(*text, size) > most) {
        *text = arena_strndup(&device->arena, *text, utf8_prefix(*text, size, most));
        device_note(device, path, "cut to %zu characters", most);
    }
}

// "Serial No." -> "serial-no". False if nothing acceptable is left.
static bool key_mend(char *key) {
    char *to = key;
    for (const char *from = key; *from != '\0'; from++) {
        char c = *from >= 'A' && *from <= 'Z' ? (char)(*from - 'A' + 'a') : *from;
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (good) {
            *to++ = c;
        } else if (to > key && to[-1] != '-') {
            *to++ = '-';
        }
    }
    if (to - key > DEVICE_ID_MAX) to = key + DEVICE_ID_MAX;
    while (to > key && to[-1] == '-') to--;
    *to = '\0';
    return device_id_valid(key);
}

static bool attribute_exists(const Tts__EndDevice *message, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(message->attributes[i]->key, key) == 0) return true;
    }
    return false;
}

// Gives the attribute at `index` a key that the target takes. False if it has to go.
static bool clean_key(struct device *device, size_t index, const char *path) {
    Tts__EndDevice *message = device->end_device;
    Tts__EndDevice__AttributesEntry *entry = message->attributes[index];
    if (device_id_valid(entry->key)) return true;
    char *key = arena_strdup(&device->arena, entry->key);
    if (!key_mend(key)) {
        device_note(device, path, "dropped: no key can be made of it that The Things Stack takes");
        return false;
    }
    if (attribute_exists(message, message->n_attributes, key)) {
        device_note(device, path, "dropped: its key would become '%s', which is there already", key);
        return false;
    }
    device_note(device, path, "the key became '%s'", key);
    entry->key = key;
    return true;
}

static int clean_attributes(struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    size_t kept = 0;
    for (size_t i = 0; i < message->n_attributes; i++) {
        const Tts__EndDevice__AttributesEntry *entry = message->attributes[i];
        if (!utf8_valid(entry->key, strlen(entry->key))) {
            return error_set(error, ERROR_DEVICE, "the key of an attribute is not UTF-8");
        }
        if (!utf8_valid(entry->value, strlen(entry->value))) {
            return error_set(error, ERROR_DEVICE, "the value of attribute %s is not UTF-8", entry->key);
        }
    }
    // Keys first: whether a new key is free depends on all that are there.
    for (size_t i = 0; i < message->n_attributes; i++) {
        Tts__EndDevice__AttributesEntry *entry = message->attributes[i];
        char *path MEMORY_AUTO = memory_printf("attributes.%s", entry->key);
        if (clean_key(device, i, path)) {
            clean_text(device, &entry->value, ATTRIBUTE_VALUE_MAX, path);
        } else {
            entry->key = arena_strdup(&device->arena, "");
        }
    }
    for (size_t i = 0; i < message->n_attributes; i++) {
        Tts__EndDevice__AttributesEntry *entry = message->attributes[i];
        if (entry->key[0] == '\0') continue;
        if (kept == ATTRIBUTES_MAX) {
            char *path MEMORY_AUTO = memory_printf("attributes.%s", entry->key);
            device_note(device, path, "dropped: The Things Stack takes no more than %d attributes",
                        ATTRIBUTES_MAX);
            continue;
        }
        message->attributes[kept++] = entry;
    }
    message->n_attributes = kept;
    if (kept == 0) message->attributes = NULL;
    return 0;
}

// Written so that NaN is refused.
static bool location_is_sound(const Tts__Location *location) {
    return location != NULL && location->latitude >= -90 && location->latitude <= 90 &&
           location->longitude >= -180 && location->longitude <= 180;
}

static void clean_locations(struct device *device) {
    Tts__EndDevice *message = device->end_device;
    size_t kept = 0;
    for (size_t i = 0; i < message->n_locations; i++) {
        Tts__EndDevice__LocationsEntry *entry = message->locations[i];
        if (location_is_sound(entry->value)) {
            message->locations[kept++] = entry;
            continue;
        }
        BUFFER_AUTO path;
        buffer_init(&path, BUFFER_UNLIMITED);
        buffer_puts(&path, "locations.");
        utf8_repair(entry->key, strlen(entry->key), &path);
        if (entry->value == NULL) {
            device_note(device, buffer_string(&path), "dropped: it is empty");
        } else {
            device_note(device, buffer_string(&path), "dropped: latitude %g, longitude %g are out of range",
                        entry->value->latitude, entry->value->longitude);
        }
    }
    message->n_locations = kept;
    if (kept == 0) message->locations = NULL;
}

static int check_id(const char *id, const char *path, struct error *error) {
    if (utf8_valid(id, strlen(id))) return 0;
    return error_set(error, ERROR_DEVICE, "%s is not UTF-8", path);
}

static int check_ids(const Tts__EndDevice *message, struct error *error) {
    const Tts__EndDeviceIdentifiers *ids = message->ids;
    if (ids == NULL) return 0;
    int result = check_id(ids->device_id, "ids.device_id", error);
    if (result == 0 && ids->application_ids != NULL) {
        result = check_id(ids->application_ids->application_id, "ids.application_ids.application_id", error);
    }
    return result;
}

int device_clean(struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    int result = check_ids(message, error);
    if (result == 0) result = clean_attributes(device, error);
    if (result != 0) return result;
    clean_text(device, &message->name, NAME_MAX_LENGTH, "name");
    clean_text(device, &message->description, DESCRIPTION_MAX, "description");
    clean_locations(device);
    Tts__MessagePayloadFormatters *formatters = message->formatters;
    if (formatters != NULL) {
        clean_text(device, &formatters->up_formatter_parameter, 0, "formatters.up_formatter_parameter");
        clean_text(device, &formatters->down_formatter_parameter, 0, "formatters.down_formatter_parameter");
    }
    return 0;
}
