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

const struct cs_application *cs_find_application(const struct cs *cs, const char *id) {
    for (size_t i = 0; i < CS_APPLICATIONS; i++) {
        if (strcmp(cs->applications[i].id, id) == 0) return &cs->applications[i];
    }
    return NULL;
}

const struct cs_profile *cs_find_profile(const struct cs *cs, const char *id) {
    for (size_t i = 0; i < cs->profile_count; i++) {
        if (strcmp(cs->profiles[i].id, id) == 0) return &cs->profiles[i];
    }
    return NULL;
}

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
