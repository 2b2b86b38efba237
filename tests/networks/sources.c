// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "networks/networks.h"
#include "world/awsiot_p.h"
#include "world/chirpstack_p.h"
#include "world/firefly_p.h"
#include "world/loriot_p.h"
#include "world/ttnv2_p.h"
#include "world/tts_p.h"

static void set_id(struct network_device *device, const char *id, bool upper) {
    snprintf(device->id, sizeof device->id, "%s", id);
    for (char *c = device->id; *c != '\0'; c++)
        *c = (char)(upper ? toupper((unsigned char)*c) : tolower((unsigned char)*c));
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

// ---- The Things Network Stack V2

static void populate_v2(struct world_setup *setup, uint64_t devices) {
    setup->devices = devices;
}

static void options_v2(const struct world *world, struct network_options *options) {
    network_option(options, "frequency-plan-id", "EU_863_870_TTN");
    network_option(options, "app-id", world_app_id(world));
    network_option(options, "app-access-key", world_access_key(world));
    network_option(options, "handler-address", "handler.example:1904");
}

static bool device_v2(const struct world *world, size_t index, struct network_device *ret_device) {
    const struct v2_application *application = world->v2->main;
    if (index >= application->device_count) return false;
    const struct v2_device *device = application->devices[index];
    const struct v2_network_device *network =
        v2_network_find(&world->v2->network, device->app_eui, device->dev_eui);
    *ret_device = (struct network_device){.served = v2_has_keys(device)};
    snprintf(ret_device->id, sizeof ret_device->id, "%s", device->dev_id);
    memcpy(ret_device->dev_eui, device->dev_eui, sizeof ret_device->dev_eui);
    memcpy(ret_device->root_key, device->app_key, sizeof ret_device->root_key);
    if (network == NULL) return true;
    memcpy(ret_device->session_key, network->session.nwk_s_key, sizeof ret_device->session_key);
    ret_device->up = network->f_cnt_up;
    ret_device->down = network->f_cnt_down;
    return true;
}

static void state_v2(const struct world *world, struct buffer *state) {
    // Counters may be ahead of what they were, and V2 forgets which nonces were used.
    static const char *const dropped[] = {"writes",          "cleared",        "cleared_at",
                                          "restored",        "get_device_hex", "used_app_nonces",
                                          "used_dev_nonces", "network_server", NULL};
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    v2_state_json(world->v2, "\n", &text);
    network_put_objects(&text, dropped, state);
}

// ---- The Things Stack

static void populate_tts(struct world_setup *setup, uint64_t devices) {
    setup->tts_devices = devices;
}

static const char *application_tts(const struct world *world) {
    (void)world;
    return WORLD_TTS_SOURCE_APP_ID;
}

static void options_tts(const struct world *world, struct network_options *options) {
    network_options_tts(options, WORLD_TTS_SOURCE_APP_ID, world_tts_key(world, WORLD_TTS_KEY_SOURCE),
                        "example");
}

static bool device_tts(const struct world *world, size_t index, struct network_device *ret_device) {
    return network_device_tts(world, WORLD_TTS_SOURCE_APP_ID, index, ret_device);
}

static void state_tts(const struct world *world, struct buffer *state) {
    network_state_tts(world, WORLD_TTS_SOURCE_APP_ID, state);
}

// ---- ChirpStack

static void populate_chirpstack(struct world_setup *setup, uint64_t devices) {
    setup->chirpstack_devices = devices;
}

static const char *application_v3(const struct world *world) {
    (void)world;
    return WORLD_CHIRPSTACK_APPLICATION;
}

static void options_chirpstack(const struct world *world, struct network_options *options) {
    network_option(options, "api-url", "chirpstack.example:8080");
    network_option(options, "api-key", world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN));
    network_option(options, "frequency-plan-id", "EU_863_870,US_902_928_FSB_2,AS_923");
    network_option(options, "join-eui", "70B3D57ED0000001");
    network_option(options, "export-session", "true");
    network_option(options, "api-version", "4");
}

static void options_v3(const struct world *world, struct network_options *options) {
    options_chirpstack(world, options);
    network_option(options, "api-version", "3");
}

static bool device_chirpstack(const struct world *world, size_t index, struct network_device *ret_device) {
    return network_device_chirpstack(world, world->chirpstack->applications[0]->id, index, ret_device);
}

static void state_chirpstack(const struct world *world, struct buffer *state) {
    static const char *const dropped[] = {"writes", "last_seen", "nonces", "field_f_cnt_up", NULL};
    network_state_chirpstack(world, dropped, state);
}

// v3 knows no JoinEUIs, so that it cannot bring one back.
static void state_v3(const struct world *world, struct buffer *state) {
    static const char *const dropped[] = {"writes",         "last_seen", "nonces",
                                          "field_f_cnt_up", "join_eui",  NULL};
    network_state_chirpstack(world, dropped, state);
}

// ---- Firefly

static void populate_firefly(struct world_setup *setup, uint64_t devices) {
    setup->firefly_devices = devices;
}

static const char *own_application(const struct world *world) {
    (void)world;
    return "my-app";
}

static void options_firefly(const struct world *world, struct network_options *options) {
    (void)world;
    network_option(options, "host", "firefly.example");
    network_option(options, "api-key", WORLD_FIREFLY_KEY);
    network_option(options, "all", "true");
    network_option(options, "app-id", "my-app");
    network_option(options, "join-eui", "70B3D57ED0000000");
    network_option(options, "mac-version", "1.0.2b");
    network_option(options, "frequency-plan-id", "EU_863_870");
}

static bool device_firefly(const struct world *world, size_t index, struct network_device *ret_device) {
    if (index >= world->firefly->count) return false;
    const struct firefly_device *device = &world->firefly->devices[index];
    *ret_device = (struct network_device){0};
    set_id(ret_device, text_of(device->json, "eui"), false);
    network_take_hex(ret_device->dev_eui, NETWORK_EUI_SIZE, text_of(device->json, "eui"));
    network_take_hex(ret_device->root_key, NETWORK_KEY_SIZE, text_of(device->json, "application_key"));
    network_take_hex(ret_device->session_key, NETWORK_KEY_SIZE, text_of(device->json, "network_session_key"));
    ret_device->up = json_integer_value(device->packet);
    ret_device->down = json_integer_value(json_object_get(device->json, "frame_counter"));
    // Each change counts its keys up, or puts them back.
    ret_device->served = device->writes % 2 == 0;
    return true;
}

static void state_firefly(const struct world *world, struct buffer *state) {
    // The downlink counter may be ahead of what it was.
    static const char *const dropped[] = {"writes", "frame_counter", NULL};
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    firefly_state_json(world->firefly, "\n", &text);
    network_put_objects(&text, dropped, state);
}

// ---- LORIOT

static void populate_loriot(struct world_setup *setup, uint64_t devices) {
    // Every tenth is in the other application.
    setup->loriot_devices = devices + (devices > 0 ? (devices - 1) / 9 : 0);
}

static const char *application_loriot(const struct world *world) {
    (void)world;
    return WORLD_LORIOT_APPLICATION;
}

static void options_loriot(const struct world *world, struct network_options *options) {
    (void)world;
    network_option(options, "api-url", "loriot.example");
    network_option(options, "api-key", WORLD_LORIOT_KEY);
    network_option(options, "frequency-plan-id", "EU_863_870");
}

static bool device_loriot(const struct world *world, size_t index, struct network_device *ret_device) {
    const struct loriot *loriot = world->loriot;
    if (index >= loriot->count) return false;
    const struct loriot_device *device = &loriot->devices[index];
    *ret_device = (struct network_device){.served = true};
    set_id(ret_device, device->application != 0 ? "" : text_of(device->json, "_id"), true);
    network_take_hex(ret_device->dev_eui, NETWORK_EUI_SIZE, text_of(device->json, "deveui"));
    network_take_hex(ret_device->root_key, NETWORK_KEY_SIZE, text_of(device->json, "appkey"));
    network_take_hex(ret_device->session_key, NETWORK_KEY_SIZE, text_of(device->json, "nwkskey"));
    ret_device->up = json_integer_value(json_object_get(device->json, "seqno"));
    ret_device->down = json_integer_value(json_object_get(device->json, "seqdn"));
    return true;
}

static void state_loriot(const struct world *world, struct buffer *state) {
    // Its interface takes none of these for a new device, and skips a downlink counter.
    static const char *const dropped[] = {"writes", "location", "lorawan", "rx1",
                                          "seqdn",  "appeui",   "joineui", NULL};
    BUFFER_AUTO text, lines;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_init(&lines, BUFFER_UNLIMITED);
    lo_state_json(world->loriot, "\n", &text);
    network_put_objects(&text, dropped, &lines);
    network_put_sorted(&lines, state);
}

// ---- AWS

static void populate_awsiot(struct world_setup *setup, uint64_t devices) {
    setup->awsiot_devices = devices;
}

static void options_awsiot(const struct world *world, struct network_options *options) {
    (void)world;
    network_option(options, "region", WORLD_AWS_REGION);
    network_option(options, "access-key-id", WORLD_AWS_KEY_ID);
    network_option(options, "secret-access-key", WORLD_AWS_SECRET);
    network_option(options, "endpoint", "https://aws.example");
    network_option(options, "all", "true");
    network_option(options, "app-id", "my-app");
    network_option(options, "mac-version", "1.0.3");
}

static const char *application_aws(const struct world *world) {
    (void)world;
    return "-";
}

// OtaaV1_0_x, OtaaV1_1, AbpV1_0_x, AbpV1_1: each has some of it.
static void take_keys_aws(const json_t *part, struct network_device *device) {
    const json_t *keys = json_object_get(part, "SessionKeys"), *up = json_object_get(part, "FCntStart");
    const char *root = text_of(part, "NwkKey"), *session = text_of(keys, "FNwkSIntKey");
    if (*root == '\0') root = text_of(part, "AppKey");
    if (*session == '\0') session = text_of(keys, "NwkSKey");
    if (*root != '\0') network_take_hex(device->root_key, NETWORK_KEY_SIZE, root);
    if (*session != '\0') network_take_hex(device->session_key, NETWORK_KEY_SIZE, session);
    if (up != NULL) device->up = json_integer_value(up);
}

static bool device_awsiot(const struct world *world, size_t index, struct network_device *ret_device) {
    const struct awsiot *awsiot = world->awsiot;
    if (index >= awsiot->count) return false;
    const json_t *lorawan = json_object_get(awsiot->devices[index].json, "LoRaWAN");
    *ret_device = (struct network_device){.served = true};
    set_id(ret_device, text_of(lorawan, "DevEui"), false);
    network_take_hex(ret_device->dev_eui, NETWORK_EUI_SIZE, text_of(lorawan, "DevEui"));
    const char *name;
    json_t *part;
    json_object_foreach((json_t *)(uintptr_t)lorawan, name, part) take_keys_aws(part, ret_device);
    return true;
}

static void state_awsiot(const struct world *world, struct buffer *state) {
    // A device that is made again has another name in AWS, and is bound to no thing.
    static const char *const dropped[] = {"writes", "Id", "Arn", "ThingName", NULL};
    BUFFER_AUTO text, lines;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_init(&lines, BUFFER_UNLIMITED);
    aws_state_json(world->awsiot, "\n", &text);
    network_put_objects(&text, dropped, &lines);
    network_put_sorted(&lines, state);
}

// ---- all of them

static const char *const tts_ways[] = {"silence", "keys", "delete", NULL};
static const char *const chirpstack_ways[] = {"disable", "delete", NULL};
static const char *const deleting[] = {"delete", NULL};
static const char *const invalidating[] = {"true", NULL};
static const char *const always[] = {"EU_863_870_TTN", NULL};

#define NO_SUCH_EUI "70b3d57eFFFFFFFF"

const struct network_source network_sources[] = {
    {"ttnv2", "ttnv2", populate_v2, world_app_id, options_v2, "frequency-plan-id", always, NULL,
     "app-access-key", "ttn-account-v2.wrong", "no-such-device", device_v2, state_v2, false, NULL},
    {"tts", "tts", populate_tts, application_tts, options_tts, "release", tts_ways, "none", "app-api-key",
     "NNSXS.WRONG.WRONGKEY", "no-such-device", device_tts, state_tts, false, NULL},
    {"chirpstack", "chirpstack", populate_chirpstack, world_chirpstack_application_id, options_chirpstack,
     "release", chirpstack_ways, "none", "api-key", "wrong-key-of-chirpstack", NO_SUCH_EUI, device_chirpstack,
     state_chirpstack, false, NULL},
    {"chirpstack-v3", "chirpstack", populate_chirpstack, application_v3, options_v3, "release",
     chirpstack_ways, "none", "api-key", "wrong-key-of-chirpstack", NO_SUCH_EUI, device_chirpstack, state_v3,
     false, NULL},
    {"firefly", "firefly", populate_firefly, own_application, options_firefly, "invalidate-keys",
     invalidating, "false", "api-key", "wrong-key-of-firefly", NO_SUCH_EUI, device_firefly, state_firefly,
     false, NULL},
    {"loriot", "loriot", populate_loriot, application_loriot, options_loriot, "release", deleting, "none",
     "api-key", "wrong-key-of-loriot", NO_SUCH_EUI, device_loriot, state_loriot, false, NULL},
    {"awsiot", "awsiot", populate_awsiot, application_aws, options_awsiot, "release", deleting, "none",
     "secret-access-key", "wrong-secret-of-aws", NO_SUCH_EUI, device_awsiot, state_awsiot, true, NULL},
    {0},
};

bool network_find(const struct network_source *source, const struct world *world, const char *id,
                  struct network_device *ret_device) {
    *ret_device = (struct network_device){0};
    for (size_t i = 0; source->device(world, i, ret_device); i++) {
        if (strcasecmp(ret_device->id, id) == 0) return true;
    }
    return false;
}
