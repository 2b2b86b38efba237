// SPDX-License-Identifier: Apache-2.0
// The devices that a seed makes. Each is drawn from seed and index alone, in integers; coordinates are
// multiples of 1/1024 degree, which a float holds exactly.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "world/ttnv2_p.h"

// The population was last heard within the month before 2026-01-01.
#define POPULATION_TIME (INT64_C(1767225600) * NS_PER_SECOND)

enum { MONTH_SECONDS = 30 * 24 * 3600, APP_EUIS = 4, LONGEST_ID = 36 };

enum kind { OTAA_NEW, OTAA_JOINED, ABP };

static const char *const descriptions[] = {
    "Temperature, hall B",
    "Sens\xC3\xB6r \xE2\x84\x96 7 \xE2\x80\x93 \xE6\xB8\xA9\xE5\xBA\xA6",
    "\xD0\x94\xD0\xB0\xD1\x82\xD1\x87\xD0\xB8\xD0\xBA \"\xD1\x81\xD0\xB5\xD0\xB2\xD0\xB5\xD1\x80\"",
    "water meter \xF0\x9F\x92\xA7 <ground floor> & cellar",
    "line one\nline two\tand a tab",
};

static const struct {
    const char *key;
    const char *value;
} attributes[] = {
    {"building", "A1"}, {"floor", "3"}, {"owner", "gr\xC3\xBCn"}, {"batch-2", ""}, {"ttn-model", "node-1"},
};

// Every name holds the index, so none comes twice.
static void make_id(struct prng *prng, uint64_t index, char *id, size_t size) {
    unsigned long long number = index;
    if (index == 0) {
        snprintf(id, size, "mydevice");
        return;
    }
    switch (prng_below(prng, 16)) {
        case 0:
            snprintf(id, size, "sensor_%06llu", number);
            break;
        case 1:
            snprintf(id, size, "meter_%llu_b", number);
            break;
        case 2:
            snprintf(id, size, "%016llx", 0x0004A30B00000000ULL + number);
            break;
        case 3: {
            int used = snprintf(id, size, "id-of-greatest-length-%llu", number);
            while (used < LONGEST_ID) id[used++] = 'x';
            id[used] = '\0';
            break;
        }
        default:
            snprintf(id, size, "dev-%06llu", number);
            break;
    }
}

static void put_big_endian(uint8_t *data, size_t size, uint64_t value) {
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static void make_euis(struct prng *prng, uint64_t seed, uint64_t index, struct v2_device *device) {
    struct prng of_application = prng_init(seed, UINT64_MAX - prng_below(prng, APP_EUIS));
    put_big_endian(device->app_eui, EUI_SIZE,
                   UINT64_C(0x70B3D57ED0000000) | prng_below(&of_application, 1U << 20));
    put_big_endian(device->dev_eui, EUI_SIZE, UINT64_C(0x0004A30B00000000) + index);
}

static void make_session(struct prng *prng, struct v2_device *device) {
    put_big_endian(device->session.dev_addr, DEV_ADDR_SIZE, 0x26010000U | (1 + prng_below(prng, 0xFFFF)));
    prng_fill(prng, device->session.nwk_s_key, KEY_SIZE);
    prng_fill(prng, device->app_s_key, KEY_SIZE);
}

static void make_texts(struct prng *prng, struct v2_device *device) {
    if (prng_below(prng, 4) == 0) {
        const char *text = descriptions[prng_below(prng, sizeof descriptions / sizeof *descriptions)];
        v2_blob_set(&device->description, text, strlen(text));
    }
    if (prng_below(prng, 5) != 0) return;
    enum { KNOWN = sizeof attributes / sizeof *attributes };
    uint32_t count = 1 + prng_below(prng, 3);
    uint32_t first = prng_below(prng, KNOWN);
    for (uint32_t i = 0; i < count; i++) {
        const char *key = attributes[(first + i) % KNOWN].key;
        const char *value = attributes[(first + i) % KNOWN].value;
        v2_device_add_attribute(device, (struct wire_bytes){(const uint8_t *)key, strlen(key)},
                                (struct wire_bytes){(const uint8_t *)value, strlen(value)});
    }
}

static void make_location(struct prng *prng, struct v2_device *device) {
    if (prng_below(prng, 4) != 0) return;
    device->latitude = (float)((int32_t)prng_below(prng, 140 * 1024) - 70 * 1024) / 1024.0F;
    device->longitude = (float)((int32_t)prng_below(prng, 360 * 1024) - 180 * 1024) / 1024.0F;
    device->altitude = (int32_t)prng_below(prng, 1000) - 100;
}

static enum kind draw_kind(struct prng *prng, uint64_t index) {
    uint32_t part = prng_below(prng, 10);
    if (index == 0) return OTAA_JOINED;
    return part < 4 ? OTAA_NEW : part < 7 ? OTAA_JOINED : ABP;
}

static void make_counters(struct prng *prng, enum kind kind, const struct v2_device *device,
                          struct v2_network_device *network) {
    bool fresh = prng_below(prng, 16) == 0;
    if (kind == OTAA_NEW || fresh) return;
    network->f_cnt_up = prng_below(prng, device->uses32_bit_f_cnt ? 1U << 24 : 1U << 16);
    network->f_cnt_down = prng_below(prng, 1 + network->f_cnt_up / 8);
    network->frames = network->f_cnt_up < 20 ? network->f_cnt_up : 20;
    network->last_seen = POPULATION_TIME - (int64_t)prng_below(prng, MONTH_SECONDS) * NS_PER_SECOND;
}

static void add_device(struct v2 *v2, uint64_t index) {
    struct prng prng = prng_init(v2->seed, index);
    char id[64];
    make_id(&prng, index, id, sizeof id);
    struct v2_device *device = v2_device_new(id);
    enum kind kind = draw_kind(&prng, index);
    make_euis(&prng, v2->seed, index, device);
    if (kind != ABP) prng_fill(&prng, device->app_key, KEY_SIZE);
    if (kind != OTAA_NEW) make_session(&prng, device);
    if (kind == ABP) device->constraints = memory_strdup("abp,local");
    device->uses32_bit_f_cnt = prng_below(&prng, 3) == 0;
    device->disable_f_cnt_check = prng_below(&prng, 20) == 0;
    make_texts(&prng, device);
    make_location(&prng, device);
    if (kind == OTAA_JOINED) {
        device->dev_nonces = 1 + prng_below(&prng, 4);
        device->app_nonces = device->dev_nonces;
    }
    struct v2_network_device *network = v2_register(v2, v2->main, device);
    make_counters(&prng, kind, device, network);
    device->device_f_cnt_up = network->f_cnt_up;
    v2_append_device(v2->main, device);
}

void v2_populate(struct v2 *v2, uint64_t devices) {
    for (uint64_t i = 0; i < devices; i++) add_device(v2, i);
    v2_sort_devices(v2->main);
}
