// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "world/chirpstack_p.h"

// The place of a DevEUI in the sorted list.
static size_t place_of(const struct cs *cs, const char *dev_eui) {
    size_t low = 0;
    size_t high = cs->device_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(cs->devices[middle]->dev_eui, dev_eui) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct cs_device *cs_find_device(const struct cs *cs, const char *dev_eui) {
    size_t place = place_of(cs, dev_eui);
    bool found = place < cs->device_count && strcmp(cs->devices[place]->dev_eui, dev_eui) == 0;
    return found ? cs->devices[place] : NULL;
}

const struct cs_tenant *cs_find_tenant(const struct cs *cs, const char *id) {
    for (size_t i = 0; i < CS_TENANTS; i++) {
        if (strcmp(cs->tenants[i].id, id) == 0) return &cs->tenants[i];
    }
    return NULL;
}

const struct cs_application *cs_find_application(const struct cs *cs, const char *id) {
    for (size_t i = 0; i < cs->application_count; i++) {
        if (strcmp(cs->applications[i]->id, id) == 0) return cs->applications[i];
    }
    return NULL;
}

const struct cs_profile *cs_find_profile(const struct cs *cs, const char *id) {
    for (size_t i = 0; i < cs->profile_count; i++) {
        if (strcmp(cs->profiles[i]->id, id) == 0) return cs->profiles[i];
    }
    return NULL;
}

// ---- applications and profiles

struct cs_application *cs_add_application(struct cs *cs, const char *id, const char *name,
                                          const struct cs_tenant *tenant) {
    struct cs_application *application = memory_new(struct cs_application);
    snprintf(application->id, sizeof application->id, "%s", id);
    application->name = memory_strdup(name);
    application->description = memory_strdup("");
    application->tenant = tenant;
    cs->applications = memory_resize(cs->applications, cs->application_count + 1, sizeof *cs->applications);
    cs->applications[cs->application_count++] = application;
    return application;
}

struct cs_profile *cs_add_profile(struct cs *cs, const char *id, const struct cs_tenant *tenant) {
    struct cs_profile *profile = memory_new(struct cs_profile);
    snprintf(profile->id, sizeof profile->id, "%s", id);
    profile->tenant = tenant;
    cs->profiles = memory_resize(cs->profiles, cs->profile_count + 1, sizeof *cs->profiles);
    cs->profiles[cs->profile_count++] = profile;
    return profile;
}

void cs_application_free(struct cs_application *application) {
    free(application->name);
    free(application->description);
    free(application);
}

void cs_profile_free(struct cs_profile *profile) {
    arena_release(&profile->arena);
    free(profile);
}

static void remove_devices(struct cs *cs, const char *application_id, const char *profile_id) {
    for (size_t i = cs->device_count; i > 0; i--) {
        struct cs_device *device = cs->devices[i - 1];
        if (strcmp(device->application_id, application_id) == 0 ||
            strcmp(device->profile_id, profile_id) == 0) {
            cs_remove_device(cs, device);
        }
    }
}

void cs_remove_application(struct cs *cs, const struct cs_application *application) {
    remove_devices(cs, application->id, "");
    size_t place = 0;
    while (cs->applications[place] != application) place++;
    cs_application_free(cs->applications[place]);
    cs->application_count--;
    memmove(&cs->applications[place], &cs->applications[place + 1],
            (cs->application_count - place) * sizeof *cs->applications);
}

void cs_remove_profile(struct cs *cs, const struct cs_profile *profile) {
    remove_devices(cs, "", profile->id);
    size_t place = 0;
    while (cs->profiles[place] != profile) place++;
    cs_profile_free(cs->profiles[place]);
    cs->profile_count--;
    memmove(&cs->profiles[place], &cs->profiles[place + 1],
            (cs->profile_count - place) * sizeof *cs->profiles);
}

// ---- devices

struct cs_device *cs_device_new(const char *dev_eui) {
    struct cs_device *device = memory_new(struct cs_device);
    snprintf(device->dev_eui, sizeof device->dev_eui, "%s", dev_eui);
    snprintf(device->join_eui, sizeof device->join_eui, "0000000000000000");
    device->name = memory_strdup("");
    device->description = memory_strdup("");
    return device;
}

void cs_device_free(struct cs_device *device) {
    cs_pairs_release(&device->variables);
    cs_pairs_release(&device->tags);
    free(device->name);
    free(device->description);
    free(device);
}

void cs_insert_device(struct cs *cs, struct cs_device *device) {
    enum { FIRST = 64 };
    size_t place = place_of(cs, device->dev_eui);
    // A power of two of them, so that the list grows seldom.
    if ((cs->device_count & (cs->device_count - 1)) == 0) {
        size_t capacity = cs->device_count == 0 ? 1 : 2 * cs->device_count;
        cs->devices = memory_resize(cs->devices, capacity < FIRST ? FIRST : capacity, sizeof *cs->devices);
    }
    memmove(&cs->devices[place + 1], &cs->devices[place], (cs->device_count - place) * sizeof *cs->devices);
    cs->devices[place] = device;
    cs->device_count++;
}

void cs_remove_device(struct cs *cs, struct cs_device *device) {
    size_t place = place_of(cs, device->dev_eui);
    cs->device_count--;
    memmove(&cs->devices[place], &cs->devices[place + 1], (cs->device_count - place) * sizeof *cs->devices);
    cs_device_free(device);
}

void cs_set_text(char **text, const char *value) {
    free(*text);
    *text = memory_strdup(value);
}

void cs_pairs_add(struct cs_pairs *pairs, const char *key, const char *value) {
    if (pairs->count == CS_PAIRS_MAX) return;
    pairs->items[pairs->count++] = (struct cs_pair){memory_strdup(key), memory_strdup(value)};
}

void cs_pairs_release(struct cs_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].key);
        free(pairs->items[i].value);
    }
    pairs->count = 0;
}

void cs_make_hex(struct prng *prng, char *text, size_t size) {
    uint8_t bytes[16];
    prng_fill(prng, bytes, size / 2);
    hex_encode_lower(text, bytes, size / 2);
}

void cs_make_uuid(uint64_t seed, uint64_t number, char uuid[static CS_UUID_SIZE]) {
    struct prng prng = prng_init(seed, number);
    char hex[33];
    cs_make_hex(&prng, hex, sizeof hex);
    snprintf(uuid, CS_UUID_SIZE, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
}
