// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/tts_p.h"

void tts_blob_release(struct tts_blob *blob) {
    if (blob->data != NULL) memory_wipe(blob->data, blob->size);
    free(blob->data);
    *blob = (struct tts_blob){0};
}

void tts_blob_set(struct tts_blob *blob, const void *data, size_t size) {
    tts_blob_release(blob);
    if (size > 0) *blob = (struct tts_blob){.data = memory_dup(data, size), .size = size};
}

struct tts_node *tts_blob_tree(struct arena *arena, const struct tts_blob *blob, const char *message_name) {
    struct tts_node *tree = NULL;
    uint64_t unknown = 0;
    // A copy: the tree may be stored in place of what it was read from.
    struct wire_bytes bytes = {arena_dup(arena, blob->data, blob->size), blob->size};
    tts_parse(arena, tts_message(message_name), bytes, &tree, &unknown);
    return tree;
}

void tts_blob_store(struct tts_blob *blob, const struct tts_node *tree) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    tts_encode(tree, &bytes);
    tts_blob_set(blob, bytes.data, bytes.size);
}

// ---- indices

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    return hash;
}

static uint64_t hash_start(void) {
    return UINT64_C(0xCBF29CE484222325);  // FNV-1a
}

static uint64_t hash_ids(const char *application_id, const char *device_id) {
    uint64_t hash = hash_bytes(hash_start(), application_id, strlen(application_id) + 1);
    return hash_bytes(hash, device_id, strlen(device_id));
}

// Which chain of a device belongs to an index: that of a server's EUIs, or that of the IDs.
enum chain { CHAIN_IDS = TTS_SERVERS };

static struct tts_device **next_in(struct tts_device *device, unsigned chain) {
    return chain == CHAIN_IDS ? &device->next_by_id : &device->next_by_euis[chain];
}

static uint64_t hash_in(const struct tts_device *device, unsigned chain) {
    if (chain == CHAIN_IDS) return hash_ids(device->application->application_id, device->device_id);
    return hash_bytes(hash_start(), device->euis[chain], TTS_EUIS_SIZE);
}

static struct tts_device **slot_of(const struct tts_index *index, uint64_t hash) {
    return &index->slots[(hash ^ hash >> 32) & (index->slot_count - 1)];
}

static void grow(struct tts_index *index, unsigned chain) {
    struct tts_index larger = {.slot_count = index->slot_count > 0 ? 2 * index->slot_count : 64,
                               .count = index->count};
    larger.slots = memory_new_array(struct tts_device *, larger.slot_count);
    for (size_t i = 0; i < index->slot_count; i++) {
        for (struct tts_device *device = index->slots[i], *next = NULL; device != NULL; device = next) {
            next = *next_in(device, chain);
            struct tts_device **slot = slot_of(&larger, hash_in(device, chain));
            *next_in(device, chain) = *slot;
            *slot = device;
        }
    }
    free(index->slots);
    *index = larger;
}

static void index_add(struct tts_index *index, unsigned chain, struct tts_device *device) {
    if (index->count >= index->slot_count) grow(index, chain);
    struct tts_device **slot = slot_of(index, hash_in(device, chain));
    *next_in(device, chain) = *slot;
    *slot = device;
    index->count++;
}

static void index_remove(struct tts_index *index, unsigned chain, struct tts_device *device) {
    struct tts_device **place = slot_of(index, hash_in(device, chain));
    while (*place != device) place = next_in(*place, chain);
    *place = *next_in(device, chain);
    index->count--;
}

// ---- applications

// Where the ID is, or would be.
static size_t application_place(const struct tts *tts, const char *application_id) {
    size_t place = 0;
    while (place < tts->application_count &&
           strcmp(tts->applications[place]->application_id, application_id) < 0) {
        place++;
    }
    return place;
}

struct tts_application *tts_find_application(const struct tts *tts, const char *application_id) {
    size_t place = application_place(tts, application_id);
    bool found = place < tts->application_count &&
                 strcmp(tts->applications[place]->application_id, application_id) == 0;
    return found ? tts->applications[place] : NULL;
}

struct tts_application *tts_add_application(struct tts *tts, const char *application_id) {
    struct tts_application *application = tts_find_application(tts, application_id);
    if (application != NULL) return application;
    size_t place = application_place(tts, application_id);
    size_t behind = tts->application_count - place;
    tts->applications =
        memory_resize(tts->applications, tts->application_count + 1, sizeof *tts->applications);
    memmove(tts->applications + place + 1, tts->applications + place, behind * sizeof *tts->applications);
    application = memory_new(struct tts_application);
    application->application_id = memory_strdup(application_id);
    application->sorted = true;
    tts->applications[place] = application;
    tts->application_count++;
    return application;
}

// ---- devices

struct tts_device *tts_find_device(const struct tts *tts, const char *application_id, const char *device_id) {
    if (tts->by_id.slot_count == 0) return NULL;
    struct tts_device *device = *slot_of(&tts->by_id, hash_ids(application_id, device_id));
    while (device != NULL && (strcmp(device->device_id, device_id) != 0 ||
                              strcmp(device->application->application_id, application_id) != 0)) {
        device = device->next_by_id;
    }
    return device;
}

struct tts_device *tts_find_euis(const struct tts *tts, enum tts_server server, const uint8_t *euis) {
    const struct tts_index *index = &tts->by_euis[server];
    if (index->slot_count == 0) return NULL;
    struct tts_device *device = *slot_of(index, hash_bytes(hash_start(), euis, TTS_EUIS_SIZE));
    while (device != NULL && memcmp(device->euis[server], euis, TTS_EUIS_SIZE) != 0) {
        device = device->next_by_euis[server];
    }
    return device;
}

struct tts_device *tts_add_device(struct tts *tts, struct tts_application *application,
                                  const char *device_id) {
    struct tts_device *device = tts_find_device(tts, application->application_id, device_id);
    if (device != NULL) return device;
    device = memory_new(struct tts_device);
    device->device_id = memory_strdup(device_id);
    device->application = application;
    device->place = application->device_count;
    if (application->device_count == application->device_capacity) {
        application->device_capacity = 2 * application->device_capacity + 16;
        application->devices =
            memory_resize(application->devices, application->device_capacity, sizeof *application->devices);
    }
    const struct tts_device *last = device->place > 0 ? application->devices[device->place - 1] : NULL;
    bool behind = device->place == 0 || (last != NULL && strcmp(last->device_id, device_id) < 0);
    application->sorted = application->sorted && behind;
    application->devices[application->device_count++] = device;
    index_add(&tts->by_id, CHAIN_IDS, device);
    return device;
}

static int compare_devices(const void *a, const void *b) {
    const struct tts_device *const *one = a;
    const struct tts_device *const *other = b;
    return strcmp((*one)->device_id, (*other)->device_id);
}

void tts_sort_devices(struct tts_application *application) {
    if (application->sorted && application->holes == 0) return;
    size_t count = 0;
    for (size_t i = 0; i < application->device_count; i++) {
        if (application->devices[i] != NULL) application->devices[count++] = application->devices[i];
    }
    application->device_count = count;
    application->holes = 0;
    if (!application->sorted && count > 0) {
        qsort(application->devices, count, sizeof *application->devices, compare_devices);
    }
    application->sorted = true;
    for (size_t i = 0; i < count; i++) application->devices[i]->place = i;
}

static void free_device(struct tts_device *device) {
    for (unsigned i = 0; i < TTS_SERVERS; i++) tts_blob_release(&device->records[i]);
    free(device->device_id);
    free(device);
}

static void touch(struct tts *tts, const struct tts_device *device, enum tts_server server) {
    bool field = device->indexed[server] && (server == TTS_NS || server == TTS_JS);
    if (field) field_touch(&tts->touched, device->euis[server], device->euis[server] + TTS_EUI_SIZE);
}

static void unindex(struct tts *tts, struct tts_device *device, enum tts_server server) {
    touch(tts, device, server);
    if (device->indexed[server]) index_remove(&tts->by_euis[server], server, device);
    device->indexed[server] = false;
}

void tts_store_record(struct tts *tts, struct tts_device *device, enum tts_server server,
                      const struct tts_node *record) {
    unindex(tts, device, server);
    tts_blob_store(&device->records[server], record);
    struct wire_bytes join_eui = tts_bytes(record, "ids.join_eui");
    struct wire_bytes dev_eui = tts_bytes(record, "ids.dev_eui");
    if (join_eui.size != TTS_EUI_SIZE || dev_eui.size != TTS_EUI_SIZE) return;
    memcpy(device->euis[server], join_eui.data, TTS_EUI_SIZE);
    memcpy(device->euis[server] + TTS_EUI_SIZE, dev_eui.data, TTS_EUI_SIZE);
    index_add(&tts->by_euis[server], server, device);
    device->indexed[server] = true;
    touch(tts, device, server);
}

void tts_update_record(struct tts_device *device, enum tts_server server, const struct tts_node *record) {
    tts_blob_store(&device->records[server], record);
}

void tts_drop_record(struct tts *tts, struct tts_device *device, enum tts_server server) {
    unindex(tts, device, server);
    tts_blob_release(&device->records[server]);
    for (unsigned i = 0; i < TTS_SERVERS; i++) {
        if (device->records[i].size > 0) return;
    }
    struct tts_application *application = device->application;
    application->devices[device->place] = NULL;
    application->holes++;
    index_remove(&tts->by_id, CHAIN_IDS, device);
    free_device(device);
}

static void clear_index(struct tts_index *index) {
    free(index->slots);
    *index = (struct tts_index){0};
}

void tts_clear_devices(struct tts *tts) {
    clear_index(&tts->by_id);
    for (unsigned i = 0; i < TTS_SERVERS; i++) clear_index(&tts->by_euis[i]);
    for (size_t i = 0; i < tts->application_count; i++) {
        struct tts_application *application = tts->applications[i];
        for (size_t j = 0; j < application->device_count; j++) {
            if (application->devices[j] != NULL) free_device(application->devices[j]);
        }
        application->device_count = application->holes = 0;
        application->sorted = true;
    }
}

// ---- gateways

struct tts_gateway *tts_find_gateway(const struct tts *tts, const char *gateway_id) {
    for (size_t i = 0; i < tts->gateway_count; i++) {
        if (strcmp(tts->gateways[i].gateway_id, gateway_id) == 0) return &tts->gateways[i];
    }
    return NULL;
}

struct tts_gateway *tts_add_gateway(struct tts *tts, const char *gateway_id) {
    size_t place = tts->gateway_count;
    tts->gateways = memory_resize(tts->gateways, tts->gateway_count + 1, sizeof *tts->gateways);
    while (place > 0 && strcmp(tts->gateways[place - 1].gateway_id, gateway_id) > 0) {
        tts->gateways[place] = tts->gateways[place - 1];
        place--;
    }
    tts->gateways[place] = (struct tts_gateway){.gateway_id = memory_strdup(gateway_id)};
    tts->gateway_count++;
    return &tts->gateways[place];
}
