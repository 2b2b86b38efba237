// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/hex.h"
#include "base/memory.h"
#include "world/loriot_p.h"
#include "world/prng.h"

enum { KEY_SIZE = 16, ADDR_SIZE = 4, KINDS = 6, SECOND_EVERY = 10 };

// The stream of a seed that its devices are drawn from begins here.
#define STREAM_DEVICES (UINT64_C(1) << 41)

// The first has most devices, the second every tenth; two have the same name.
const struct loriot_application lo_applications[LORIOT_APPLICATIONS] = {
    {UINT32_C(0xBE7A0001), WORLD_LORIOT_APPLICATION},
    {UINT32_C(0xBE7A0002), "Second"},
    {UINT32_C(0xBE7A0003), "Twin"},
    {UINT32_C(0xBE7A0004), "Twin"},
};

static json_t *draw_hex(struct prng *prng, size_t size) {
    uint8_t bytes[KEY_SIZE];
    char text[HEX_TEXT_SIZE(KEY_SIZE)];
    prng_fill(prng, bytes, size);
    hex_encode_upper(text, bytes, size);
    return json_string(text);
}

static json_t *maybe_hex(struct prng *prng, size_t size, bool there) {
    return there ? draw_hex(prng, size) : json_null();
}

// Six kinds in turn: joined; ABP; never joined; ABP of class C without ADR; joined, with all that is optional; never joined,
// with a JoinEUI by that name.
static json_t *make_device(uint64_t seed, uint64_t index) {
    struct prng prng = prng_init(seed, STREAM_DEVICES + index);
    char eui[HEX_TEXT_SIZE(8)], title[32];
    unsigned kind = (unsigned)(index % KINDS);
    bool joins = kind != 1 && kind != 3, session = kind != 2 && kind != 5, all = kind == 4;
    snprintf(eui, sizeof eui, "70B3D5E7%08X", (unsigned)index);
    snprintf(title, sizeof title, "Meter %llu", (unsigned long long)index);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i}", "_id", eui, "deveui", eui, "title",
                             title, "devclass", kind == 3 || kind == 5 ? "C" : "A", "visibility", "private",
                             "adr", kind != 3, "seqrelax", kind == 1, "rxw", 1);
    json_object_set_new(json, "description", all ? json_string("Basement, hall B") : json_null());
    json_object_set_new(json, kind == 5 ? "joineui" : "appeui",
                        joins ? json_string("BE7A000000000E01") : json_null());
    json_object_set_new(json, "appkey", maybe_hex(&prng, KEY_SIZE, joins));
    json_object_set_new(json, "devaddr", maybe_hex(&prng, ADDR_SIZE, session));
    json_object_set_new(json, "nwkskey", maybe_hex(&prng, KEY_SIZE, session));
    json_object_set_new(json, "appskey", maybe_hex(&prng, KEY_SIZE, session));
    json_object_set_new(json, "seqno", json_integer(session ? 1 + (json_int_t)prng_below(&prng, 60000) : -1));
    json_object_set_new(json, "seqdn", json_integer(session ? prng_below(&prng, 3000) : 0));
    json_object_set_new(json, "seqq", json_integer(0));
    json_object_set_new(
        json, "rx1",
        session ? json_pack("{s:i, s:i}", "delay", all ? 5000000 : 1000000, "offset", 0) : json_null());
    json_object_set_new(json, "lorawan",
                        all ? json_pack("{s:i, s:i, s:s}", "major", 1, "minor", 0, "revision", "3")
                            : json_pack("{s:i, s:i, s:i}", "major", 1, "minor", 0, "revision", 2));
    json_object_set_new(
        json, "location",
        all ? json_pack("{s:f, s:f}", "lat", 47.2, "lon", 8.5) : json_pack("{s:n, s:n}", "lat", "lon"));
    return json;
}

static json_t *make_gateway(unsigned index) {
    char id[HEX_TEXT_SIZE(8)], mac[sizeof "00:00:00:00:00:00"];
    snprintf(id, sizeof id, "AABBCCFFFF0000%02X", index);
    snprintf(mac, sizeof mac, "AA:BB:CC:00:00:%02X", index);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:f, s:f}}", "_id", id, "MAC", mac, "title",
                             index == 0 ? "Roof" : "Tower", "base", "kerlink", "model", "iBTS", "region",
                             "EU868", "location", "lat", 47.3, "lon", 8.6);
    if (index == 1) json_object_set_new(json, "customEUI", json_string("AABBCC0000000001"));
    return json;
}

void lo_populate(struct loriot *loriot, const struct world_setup *setup) {
    loriot->count = (size_t)setup->loriot_devices;
    loriot->devices = memory_new_array(struct loriot_device, loriot->count);
    for (size_t i = 0; i < loriot->count; i++) {
        loriot->devices[i].json = make_device(setup->seed, i);
        loriot->devices[i].application = i % SECOND_EVERY == SECOND_EVERY - 1;
    }
    for (unsigned i = 0; i < LORIOT_GATEWAYS; i++) loriot->gateways[i] = make_gateway(i);
}
