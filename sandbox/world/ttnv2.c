// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"
#include "world/tts_p.h"

// The parts of a seed: what is drawn for one does not move what is drawn for another.
enum { STREAM_SECRET = -1, STREAM_FIELD = -2 };

enum { LARGE_FUNCTION = 45000 };  // bytes

static const char other_application[] = "other-app";
static const char unregistered_application[] = "unregistered-app";

static void make_key(struct prng *prng, char *text, size_t size) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int used = snprintf(text, size, "ttn-account-v2.");
    for (int i = 0; i < 43; i++) text[used + i] = alphabet[prng_below(prng, sizeof alphabet - 1)];
    text[used + 43] = '\0';
}

// The keys depend on seed and name only.
static void make_keys(const struct v2 *v2, struct v2_application *application) {
    static const unsigned rights[] = {V2_RIGHT_DEVICES | V2_RIGHT_SETTINGS, V2_RIGHT_DEVICES,
                                      V2_RIGHT_SETTINGS};
    uint64_t hash = UINT64_C(0xCBF29CE484222325);  // FNV-1a
    for (const char *c = application->app_id; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001B3);
    }
    struct prng prng = prng_init(v2->seed, hash);
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        make_key(&prng, application->keys[i].text, sizeof application->keys[i].text);
        application->keys[i].rights = rights[i];
    }
}

struct v2_application *v2_find_application(const struct v2 *v2, const char *app_id) {
    for (size_t i = 0; i < v2->application_count; i++) {
        if (strcmp(v2->applications[i]->app_id, app_id) == 0) return v2->applications[i];
    }
    return NULL;
}

struct v2_application *v2_add_application(struct v2 *v2, const char *app_id, bool registered) {
    struct v2_application *application = v2_find_application(v2, app_id);
    if (application == NULL) {
        v2->applications =
            memory_resize(v2->applications, v2->application_count + 1, sizeof *v2->applications);
        application = memory_new(struct v2_application);
        application->app_id = memory_strdup(app_id);
        make_keys(v2, application);
        v2->applications[v2->application_count++] = application;
    }
    application->registered = application->registered || registered;
    return application;
}

// A device of another application, so that moving onto its EUIs can be tried.
static void add_other_device(struct v2 *v2) {
    static const uint8_t app_eui[EUI_SIZE] = {0x70, 0xB3, 0xD5, 0x7E, 0xD0, 0xFF, 0xFF, 0x01};
    static const uint8_t dev_eui[EUI_SIZE] = {0x00, 0x04, 0xA3, 0x0B, 0xFF, 0xFF, 0xFF, 0x01};
    struct v2_application *application = v2_add_application(v2, other_application, true);
    struct v2_device *device = v2_device_new("other-device");
    memcpy(device->app_eui, app_eui, EUI_SIZE);
    memcpy(device->dev_eui, dev_eui, EUI_SIZE);
    struct prng prng = prng_init(v2->seed, UINT64_MAX - 16);
    prng_fill(&prng, device->app_key, KEY_SIZE);
    v2_insert_device(application, device);
    v2_register(v2, application, device);
}

// Payload functions as V2 keeps them: fields 2 to 7 of handler.Application.
static void set_functions(struct v2_application *application, enum world_functions which) {
    static const char *const texts[V2_FUNCTIONS] = {
        "function Decoder(bytes, port) {\n  return { temperature: ((bytes[0] << 8) | bytes[1]) / 100 };\n}",
        "function Converter(decoded, port) {\n  decoded.unit = \"C\";\n  return decoded;\n}",
        "function Validator(converted, port) {\n  return converted.temperature > -60;\n}",
        "function Encoder(object, port) {\n  return [object.led ? 1 : 0];\n}",
        "custom",
        "",
    };
    if (which == WORLD_FUNCTIONS_NONE) return;
    for (size_t i = 0; i < V2_FUNCTIONS; i++)
        v2_blob_set(&application->functions[i], texts[i], strlen(texts[i]));
    if (which == WORLD_FUNCTIONS_SMALL) return;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    while (text.size < LARGE_FUNCTION) buffer_puts(&text, "// one more line of a long table\n");
    buffer_puts(&text, texts[0]);
    v2_blob_set(&application->functions[0], text.data, text.size);
}

struct v2 *v2_new(const struct world_setup *setup) {
    struct v2 *v2 = memory_new(struct v2);
    v2->seed = setup->seed;
    v2->rate_limit = setup->rate_limit;
    v2->uplinks = setup->uplinks;
    v2->net_address = memory_strdup("localhost:1904");
    v2->certificate = memory_strdup("");
    v2->api_address = memory_strdup("");
    struct prng secret = prng_init(setup->seed, (uint64_t)STREAM_SECRET);
    prng_fill(&secret, v2->token_secret, sizeof v2->token_secret);
    snprintf(v2->user_token, sizeof v2->user_token, "user-%016llx", (unsigned long long)prng_next(&secret));
    v2->field = prng_init(setup->seed, (uint64_t)STREAM_FIELD);
    v2->main = v2_add_application(v2, setup->app_id != NULL ? setup->app_id : WORLD_DEFAULT_APP_ID, true);
    set_functions(v2->main, setup->functions);
    v2_add_application(v2, unregistered_application, false);
    add_other_device(v2);
    v2_populate(v2, setup->devices);
    if (setup->broken) v2_add_broken(v2);
    return v2;
}

static void free_application(struct v2_application *application) {
    v2_clear_application(application);
    for (size_t i = 0; i < V2_FUNCTIONS; i++) v2_blob_release(&application->functions[i]);
    free(application->devices);
    free(application->app_id);
    free(application);
}

void v2_free(struct v2 *v2) {
    if (v2 == NULL) return;
    for (size_t i = 0; i < v2->application_count; i++) free_application(v2->applications[i]);
    free(v2->applications);
    v2_network_clear(&v2->network);
    for (size_t i = 0; i < v2->limit_count; i++) free(v2->limits[i].name);
    free(v2->limits);
    free(v2->net_address);
    free(v2->certificate);
    free(v2->api_address);
    free(v2);
}

void v2_call(struct v2 *v2, int64_t now, const struct world_request *request, struct world_reply *reply) {
    switch (request->endpoint) {
        case WORLD_TTNV2_DISCOVERY:
            v2_discovery_call(v2, request, reply);
            break;
        case WORLD_TTNV2_HANDLER:
            v2_handler_call(v2, now, request, reply);
            break;
        case WORLD_TTNV2_ACCOUNT:
            v2_account_call(v2, now, request, reply);
            break;
        default:
            break;
    }
}

static void replace(char **text, const char *by) {
    free(*text);
    *text = memory_strdup(by);
}

void world_announce_handler(struct world *world, const char *net_address, const char *certificate,
                            const char *api_address) {
    replace(&world->v2->net_address, net_address);
    replace(&world->v2->certificate, certificate);
    replace(&world->v2->api_address, api_address);
}

const char *world_access_key(const struct world *world) {
    return world->v2->main->keys[0].text;
}

const char *world_key_devices_only(const struct world *world) {
    return world->v2->main->keys[1].text;
}

const char *world_key_settings_only(const struct world *world) {
    return world->v2->main->keys[2].text;
}

const char *world_user_token(const struct world *world) {
    return world->v2->user_token;
}

const char *world_app_id(const struct world *world) {
    return world->v2->main->app_id;
}

void world_set_main_application(struct world *world, const char *app_id) {
    world->v2->main = v2_add_application(world->v2, app_id, true);
}

void world_clear_devices(struct world *world) {
    struct v2 *v2 = world->v2;
    for (size_t i = 0; i < v2->application_count; i++) v2_clear_application(v2->applications[i]);
    v2_network_clear(&v2->network);
    tts_clear_devices(world->tts);
    field_release(&world->field);
}

void world_count(const struct world *world, struct world_numbers *numbers) {
    const struct v2 *v2 = world->v2;
    *numbers = v2->numbers;
    numbers->devices = 0;
    numbers->with_keys = 0;
    for (size_t i = 0; i < v2->application_count; i++) {
        const struct v2_application *application = v2->applications[i];
        numbers->devices += application->device_count;
        for (size_t j = 0; j < application->device_count; j++) {
            numbers->with_keys += v2_has_keys(application->devices[j]);
        }
    }
    tts_count(world->tts, numbers);
    numbers->twice = world->field.twice;
    numbers->nowhere = field_nowhere(&world->field);
    numbers->repeated = world->field.repeated;
}
