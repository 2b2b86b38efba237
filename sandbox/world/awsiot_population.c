// SPDX-License-Identifier: Apache-2.0
// What stands in AWS at first.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "world/awsiot_p.h"
#include "world/prng.h"

enum { KEY_SIZE = 16, KINDS = AWSIOT_PROFILES };

// The streams of a seed.
#define STREAM_IDS     (UINT64_C(3) << 40)
#define STREAM_DEVICES (UINT64_C(4) << 40)

// Device profiles as the interface tells them, one for each kind of device. Frequencies are in 100 Hz.
static const char *const profile_texts[AWSIOT_PROFILES] = {
    "{\"MacVersion\":\"1.0.3\",\"RegParamsRevision\":\"Regional Parameters v1.0.3rA\",\"RfRegion\":\"EU868\","
    "\"SupportsJoin\":true,\"Supports32BitFCnt\":true,\"MaxEirp\":15,\"SupportsClassB\":false,"
    "\"SupportsClassC\":true,\"ClassCTimeout\":60}",
    "{\"MacVersion\":\"1.1.0\",\"RegParamsRevision\":\"B\",\"RfRegion\":\"EU868\",\"SupportsJoin\":true,"
    "\"Supports32BitFCnt\":true,\"MaxEirp\":15,\"SupportsClassB\":false,\"SupportsClassC\":false}",
    "{\"MacVersion\":\"1.0.2\",\"RegParamsRevision\":\"B\",\"RfRegion\":\"EU868\",\"SupportsJoin\":false,"
    "\"Supports32BitFCnt\":false,\"MaxEirp\":13,\"RxDelay1\":1,\"RxDrOffset1\":0,\"RxDataRate2\":3,"
    "\"RxFreq2\":8695250,\"FactoryPresetFreqsList\":[8681000,8683000,8685000,8671000],"
    "\"SupportsClassB\":false,\"SupportsClassC\":false}",
    "{\"MacVersion\":\"1.0.4\",\"RegParamsRevision\":\"RP002-1.0.1\",\"RfRegion\":\"EU868\","
    "\"SupportsJoin\":true,\"Supports32BitFCnt\":true,\"SupportsClassB\":true,\"ClassBTimeout\":20,"
    "\"PingSlotPeriod\":128,\"PingSlotDr\":3,\"PingSlotFreq\":8695250,\"SupportsClassC\":false}",
    "{\"MacVersion\":\"1.1.0\",\"RegParamsRevision\":\"A\",\"RfRegion\":\"EU868\",\"SupportsJoin\":false,"
    "\"Supports32BitFCnt\":true,\"RxDelay1\":5,\"RxDrOffset1\":1,\"RxDataRate2\":0,\"RxFreq2\":8695250,"
    "\"SupportsClassB\":false,\"SupportsClassC\":false}",
};

json_t *aws_id(uint64_t seed, uint64_t number) {
    struct prng prng = prng_init(seed, STREAM_IDS + number);
    uint8_t bytes[KEY_SIZE];
    char text[HEX_TEXT_SIZE(KEY_SIZE)], id[40];
    prng_fill(&prng, bytes, sizeof bytes);
    hex_encode_lower(text, bytes, sizeof bytes);
    snprintf(id, sizeof id, "%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8, text + 12, text + 16, text + 20);
    return json_string(id);
}

struct awsiot_device *aws_add(struct awsiot *awsiot, json_t *json, json_t *tags) {
    awsiot->devices = memory_resize(awsiot->devices, awsiot->count + 1, sizeof *awsiot->devices);
    struct awsiot_device *device = &awsiot->devices[awsiot->count];
    json_t *id = aws_id(awsiot->seed, AWSIOT_PROFILES + awsiot->count++);
    char *arn = memory_printf("arn:aws:iotwireless:%s:000000000000:WirelessDevice/%s", WORLD_AWS_REGION,
                              json_string_value(id));
    json_object_set_new(json, "Id", id);
    json_object_set_new(json, "Arn", json_string(arn));
    free(arn);
    *device = (struct awsiot_device){.json = json, .tags = tags};
    return device;
}

static json_t *draw(struct prng *prng, size_t size) {
    uint8_t bytes[KEY_SIZE];
    char text[HEX_TEXT_SIZE(KEY_SIZE)];
    prng_fill(prng, bytes, size);
    hex_encode_lower(text, bytes, size);
    return json_string(text);
}

static json_t *draw_join(struct prng *prng, unsigned kind) {
    json_t *keys = json_pack("{s:o}", "AppKey", draw(prng, KEY_SIZE));
    const char *join_eui = kind == 0 ? "AppEui" : "JoinEui";
    json_object_set_new(keys, join_eui, json_string("70b3d57ed0000001"));
    if (kind == 1) json_object_set_new(keys, "NwkKey", draw(prng, KEY_SIZE));
    if (kind == 3) json_object_set_new(keys, "GenAppKey", draw(prng, KEY_SIZE));
    return keys;
}

static json_t *draw_session(struct prng *prng, unsigned kind) {
    static const char *const names[2][5] = {{"NwkSKey", "AppSKey", NULL},
                                            {"FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey", NULL}};
    json_t *keys = json_object();
    for (size_t i = 0; names[kind == 4][i] != NULL; i++)
        json_object_set_new(keys, names[kind == 4][i], draw(prng, KEY_SIZE));
    return json_pack("{s:o, s:o, s:I}", "DevAddr", draw(prng, 4), "SessionKeys", keys, "FCntStart",
                     (json_int_t)prng_below(prng, 5000));
}

// Five kinds in turn: OTAA 1.0.3 of class C, OTAA 1.1, ABP 1.0.2, OTAA 1.0.4 of class B, ABP 1.1.
static void add_device(struct awsiot *awsiot, uint64_t index) {
    static const char *const members[KINDS] = {"OtaaV1_0_x", "OtaaV1_1", "AbpV1_0_x", "OtaaV1_0_x",
                                               "AbpV1_1"};
    struct prng prng = prng_init(awsiot->seed, STREAM_DEVICES + index);
    unsigned kind = (unsigned)(index % KINDS);
    bool session = kind == 2 || kind == 4;
    char eui[HEX_TEXT_SIZE(8)], name[32];
    snprintf(eui, sizeof eui, "0025ca00%08x", (unsigned)index);
    snprintf(name, sizeof name, "Meter %llu", (unsigned long long)index);
    json_t *lorawan = json_pack("{s:s, s:o}", "DevEui", eui, members[kind],
                                session ? draw_session(&prng, kind) : draw_join(&prng, kind));
    json_object_set(lorawan, "DeviceProfileId", json_object_get(awsiot->profiles[kind], "Id"));
    json_object_set_new(lorawan, "ServiceProfileId", json_string("10000000-0000-4000-8000-000000000001"));
    json_t *device = json_pack("{s:s, s:s, s:s, s:o}", "Type", "LoRaWAN", "Name", name, "DestinationName",
                               index % 3 == 2 ? "Sensors_2" : "Meters", "LoRaWAN", lorawan);
    if (kind == 0) json_object_set_new(device, "Description", json_string("Basement"));
    if (kind == 1) json_object_set_new(device, "ThingName", json_string(name));
    aws_add(awsiot, device,
            kind == 3 ? json_pack("[{s:s, s:s}]", "Key", "Room", "Value", "3 b") : json_array());
}

void aws_populate(struct awsiot *awsiot, const struct world_setup *setup) {
    for (size_t i = 0; i < AWSIOT_PROFILES; i++) {
        json_t *lorawan = json_loads(profile_texts[i], 0, NULL);
        awsiot->profiles[i] =
            json_pack("{s:o, s:s, s:o}", "Id", aws_id(setup->seed, i), "Name", "Profile", "LoRaWAN", lorawan);
    }
    for (uint64_t i = 0; i < setup->awsiot_devices; i++) add_device(awsiot, i);
    // One that is none of LoRaWAN.
    if (setup->awsiot_devices > 0)
        aws_add(awsiot,
                json_pack("{s:s, s:s, s:s}", "Type", "Sidewalk", "Name", "Bell", "DestinationName", "Meters"),
                json_array());
}
