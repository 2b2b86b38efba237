// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"

void v2_blob_set(struct v2_blob *blob, const void *data, size_t size) {
    free(blob->data);
    *blob = (struct v2_blob){0};
    if (size > 0) *blob = (struct v2_blob){.data = memory_dup(data, size), .size = size};
}

void v2_blob_release(struct v2_blob *blob) {
    v2_blob_set(blob, NULL, 0);
}

bool v2_is_zero(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] != 0) return false;
    }
    return true;
}

bool v2_has_keys(const struct v2_device *device) {
    return !v2_is_zero(device->app_key, KEY_SIZE) || !v2_is_zero(device->session.nwk_s_key, KEY_SIZE) ||
           !v2_is_zero(device->app_s_key, KEY_SIZE);
}

struct v2_device *v2_device_new(const char *dev_id) {
    struct v2_device *device = memory_new(struct v2_device);
    device->dev_id = memory_strdup(dev_id);
    return device;
}

void v2_device_clear_attributes(struct v2_device *device) {
    for (unsigned i = 0; i < device->attribute_count; i++) {
        v2_blob_release(&device->attributes[i].key);
        v2_blob_release(&device->attributes[i].value);
    }
    free(device->attributes);
    device->attributes = NULL;
    device->attribute_count = 0;
}

void v2_device_free(struct v2_device *device) {
    if (device == NULL) return;
    v2_device_clear_attributes(device);
    v2_blob_release(&device->description);
    free(device->constraints);
    free(device->dev_id);
    free(device);
}

static bool same_bytes(const struct v2_blob *blob, struct wire_bytes bytes) {
    return blob->size == bytes.size && (bytes.size == 0 || memcmp(blob->data, bytes.data, bytes.size) == 0);
}

void v2_device_add_attribute(struct v2_device *device, struct wire_bytes key, struct wire_bytes value) {
    for (unsigned i = 0; i < device->attribute_count; i++) {
        if (!same_bytes(&device->attributes[i].key, key)) continue;
        v2_blob_set(&device->attributes[i].value, value.data, value.size);
        return;
    }
    if (device->attribute_count == UINT8_MAX) return;
    unsigned count = device->attribute_count;
    device->attributes = memory_resize(device->attributes, count + 1U, sizeof *device->attributes);
    device->attributes[count] = (struct v2_attribute){0};
    v2_blob_set(&device->attributes[count].key, key.data, key.size);
    v2_blob_set(&device->attributes[count].value, value.data, value.size);
    device->attribute_count++;
}

// The place of the first device whose ID is not less.
static size_t lower_bound(const struct v2_application *application, const char *dev_id) {
    size_t low = 0;
    size_t high = application->device_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(application->devices[middle]->dev_id, dev_id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct v2_device *v2_find_device(const struct v2_application *application, const char *dev_id) {
    size_t place = lower_bound(application, dev_id);
    if (place == application->device_count) return NULL;
    struct v2_device *device = application->devices[place];
    return strcmp(device->dev_id, dev_id) == 0 ? device : NULL;
}

void v2_append_device(struct v2_application *application, struct v2_device *device) {
    if (application->device_count == application->device_capacity) {
        size_t capacity = application->device_capacity * 2 + 16;
        application->devices = memory_resize(application->devices, capacity, sizeof(struct v2_device *));
        application->device_capacity = capacity;
    }
    application->devices[application->device_count++] = device;
}

void v2_insert_device(struct v2_application *application, struct v2_device *device) {
    size_t place = lower_bound(application, device->dev_id);
    v2_append_device(application, device);
    struct v2_device **slot = application->devices + place;
    memmove(slot + 1, slot, (application->device_count - 1 - place) * sizeof *slot);
    *slot = device;
}

static int compare_ids(const void *a, const void *b) {
    const struct v2_device *const *left = a;
    const struct v2_device *const *right = b;
    return strcmp((*left)->dev_id, (*right)->dev_id);
}

void v2_sort_devices(struct v2_application *application) {
    if (application->device_count == 0) return;
    qsort(application->devices, application->device_count, sizeof(struct v2_device *), compare_ids);
}

void v2_remove_device(struct v2_application *application, struct v2_device *device) {
    size_t place = lower_bound(application, device->dev_id);
    struct v2_device **slot = application->devices + place;
    application->device_count--;
    memmove(slot, slot + 1, (application->device_count - place) * sizeof *slot);
    v2_device_free(device);
}

void v2_clear_application(struct v2_application *application) {
    for (size_t i = 0; i < application->device_count; i++) v2_device_free(application->devices[i]);
    application->device_count = 0;
}

static uint64_t hash_euis(const uint8_t *app_eui, const uint8_t *dev_eui) {
    uint64_t words[2];
    memcpy(&words[0], app_eui, EUI_SIZE);
    memcpy(&words[1], dev_eui, EUI_SIZE);
    struct prng prng = prng_init(words[0], words[1]);
    return prng.state;
}

static bool has_euis(const struct v2_network_device *device, const uint8_t *app_eui, const uint8_t *dev_eui) {
    return memcmp(device->app_eui, app_eui, EUI_SIZE) == 0 && memcmp(device->dev_eui, dev_eui, EUI_SIZE) == 0;
}

static struct v2_network_device **slot_of(const struct v2_network_server *network, const uint8_t *app_eui,
                                          const uint8_t *dev_eui) {
    return &network->slots[hash_euis(app_eui, dev_eui) & (network->slot_count - 1)];
}

struct v2_network_device *v2_network_find(const struct v2_network_server *network, const uint8_t *app_eui,
                                          const uint8_t *dev_eui) {
    if (network->slot_count == 0) return NULL;
    struct v2_network_device *device = *slot_of(network, app_eui, dev_eui);
    while (device != NULL && !has_euis(device, app_eui, dev_eui)) device = device->next;
    return device;
}

static void grow(struct v2_network_server *network) {
    struct v2_network_server bigger = {.slot_count = network->slot_count > 0 ? network->slot_count * 2 : 64};
    bigger.count = network->count;
    bigger.touched = network->touched;
    bigger.slots = memory_new_array(struct v2_network_device *, bigger.slot_count);
    for (size_t i = 0; i < network->slot_count; i++) {
        for (struct v2_network_device *device = network->slots[i]; device != NULL;) {
            struct v2_network_device *next = device->next;
            struct v2_network_device **slot = slot_of(&bigger, device->app_eui, device->dev_eui);
            device->next = *slot;
            *slot = device;
            device = next;
        }
    }
    free(network->slots);
    *network = bigger;
}

struct v2_network_device *v2_network_add(struct v2_network_server *network, const uint8_t *app_eui,
                                         const uint8_t *dev_eui) {
    field_touch(&network->touched, app_eui, dev_eui);
    struct v2_network_device *device = v2_network_find(network, app_eui, dev_eui);
    if (device != NULL) return device;
    if (network->count >= network->slot_count) grow(network);
    struct v2_network_device **slot = slot_of(network, app_eui, dev_eui);
    device = memory_new(struct v2_network_device);
    memcpy(device->app_eui, app_eui, EUI_SIZE);
    memcpy(device->dev_eui, dev_eui, EUI_SIZE);
    device->next = *slot;
    *slot = device;
    network->count++;
    return device;
}

static void free_network_device(struct v2_network_device *device) {
    free(device->dev_id);
    free(device);
}

void v2_network_remove(struct v2_network_server *network, const uint8_t *app_eui, const uint8_t *dev_eui) {
    field_touch(&network->touched, app_eui, dev_eui);
    struct v2_network_device *device = v2_network_find(network, app_eui, dev_eui);
    if (device == NULL) return;
    struct v2_network_device **link = slot_of(network, app_eui, dev_eui);
    while (*link != device) link = &(*link)->next;
    *link = device->next;
    network->count--;
    free_network_device(device);
}

void v2_network_clear(struct v2_network_server *network) {
    field_touched_release(&network->touched);
    for (size_t i = 0; i < network->slot_count; i++) {
        for (struct v2_network_device *device = network->slots[i]; device != NULL;) {
            struct v2_network_device *next = device->next;
            free_network_device(device);
            device = next;
        }
    }
    free(network->slots);
    *network = (struct v2_network_server){0};
}
