// SPDX-License-Identifier: Apache-2.0
// Devices that V2 holds without complaint and that cannot be migrated as they are, each named after its
// defect.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"

// Kept apart from the population, whose DevEUIs count up from 0004A30B00000000.
#define FIRST_DEV_EUI UINT64_C(0x0004A30BBAD00001)

enum { LONG_DESCRIPTION = 2001 };

struct broken {
    struct v2 *v2;
    uint64_t next_dev_eui;
};

// An OTAA device without a session, complete but for what the caller does to it.
static struct v2_device *add(struct broken *broken, const char *dev_id) {
    struct v2_device *device = v2_device_new(dev_id);
    struct prng prng = prng_init(broken->v2->seed, broken->next_dev_eui);
    static const uint8_t app_eui[EUI_SIZE] = {0x70, 0xB3, 0xD5, 0x7E, 0xD0, 0xBA, 0xD0, 0x00};
    memcpy(device->app_eui, app_eui, EUI_SIZE);
    for (size_t i = 0; i < EUI_SIZE; i++)
        device->dev_eui[i] = (uint8_t)(broken->next_dev_eui >> (8 * (7 - i)));
    broken->next_dev_eui++;
    prng_fill(&prng, device->app_key, KEY_SIZE);
    v2_insert_device(broken->v2->main, device);
    return device;
}

static void add_session(struct broken *broken, struct v2_device *device) {
    struct prng prng = prng_init(broken->v2->seed, ~broken->next_dev_eui);
    memcpy(device->session.dev_addr, (const uint8_t[]){0x26, 0x01, 0xBA, 0xD0}, DEV_ADDR_SIZE);
    prng_fill(&prng, device->session.nwk_s_key, KEY_SIZE);
    prng_fill(&prng, device->app_s_key, KEY_SIZE);
}

static void describe(struct v2_device *device, const char *text) {
    v2_blob_set(&device->description, text, strlen(text));
}

static void add_attribute(struct v2_device *device, const char *key, const char *value) {
    v2_device_add_attribute(device, (struct wire_bytes){(const uint8_t *)key, strlen(key)},
                            (struct wire_bytes){(const uint8_t *)value, strlen(value)});
}

static void add_broken_keys(struct broken *broken) {
    struct v2_device *device = add(broken, "broken-otaa-no-appkey");
    memset(device->app_key, 0, KEY_SIZE);

    device = add(broken, "broken-otaa-half-session");
    add_session(broken, device);
    memset(device->app_s_key, 0, KEY_SIZE);

    device = add(broken, "broken-abp-no-nwkskey");
    memset(device->app_key, 0, KEY_SIZE);
    add_session(broken, device);
    memset(device->session.nwk_s_key, 0, KEY_SIZE);
    device->constraints = memory_strdup("abp,local");
}

// The longest ID that V2 takes has 71 characters: 36 and a separator before each but the first.
static void add_broken_ids(struct broken *broken) {
    char longest[72] = "b";
    for (size_t i = 1; i < sizeof longest - 1; i += 2) {
        longest[i] = i % 4 == 1 ? '-' : '_';
        longest[i + 1] = (char)('a' + i / 2 % 26);
    }
    add(broken, longest);
    add(broken, "bx");
    add(broken, "dup-id");
    add(broken, "dup_id");
    const struct v2_device *twice = add(broken, "broken-deveui-twice-1");
    struct v2_device *device = add(broken, "broken-deveui-twice-2");
    memcpy(device->dev_eui, twice->dev_eui, EUI_SIZE);
    device->app_eui[EUI_SIZE - 1] = 1;
}

static void add_broken_texts(struct broken *broken) {
    describe(add(broken, "broken-description-utf8"), "caf\xE9 \xC3\x28 \xFF end");
    char text[LONG_DESCRIPTION + 1];
    memset(text, 'd', LONG_DESCRIPTION);
    text[LONG_DESCRIPTION] = '\0';
    describe(add(broken, "broken-description-long"), text);
    add_attribute(add(broken, "broken-attribute-upper-case"), "Upper_Case Key", "value");
    add_attribute(add(broken, "broken-attribute-short-key"), "k", "value");
    add_attribute(add(broken, "broken-attribute-utf8"), "label", "caf\xE9");
    struct v2_device *device = add(broken, "broken-attribute-same-keys");
    add_attribute(device, "same-key", "1");
    add_attribute(device, "same_key", "2");
}

static void add_broken_locations(struct broken *broken) {
    struct v2_device *device = add(broken, "broken-latitude");
    device->latitude = 123.5F;
    device->longitude = 4.75F;
    device = add(broken, "broken-longitude");
    device->latitude = 52.25F;
    device->longitude = -500.0F;
}

void v2_add_broken(struct v2 *v2) {
    struct broken broken = {.v2 = v2, .next_dev_eui = FIRST_DEV_EUI};
    size_t before = v2->main->device_count;
    add_broken_keys(&broken);
    add_broken_ids(&broken);
    add_broken_texts(&broken);
    add_broken_locations(&broken);
    if (v2->main->device_count == before) return;
    for (size_t i = 0; i < v2->main->device_count; i++) {
        const struct v2_device *device = v2->main->devices[i];
        if (v2_network_find(&v2->network, device->app_eui, device->dev_eui) == NULL) {
            v2_register(v2, v2->main, device);
        }
    }
}
