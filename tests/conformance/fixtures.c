// SPDX-License-Identifier: Apache-2.0
// How each source is opened, and what its network looks like. A source that is a file needs no more than a text.
#include <string.h>

#include "conformance.h"
#include "networks/texts.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NAMES(...)   ((const char *const[]){__VA_ARGS__, NULL})
#define USUAL        "app-id=my-app", "frequency-plan-id=EU_863_870_TTN", "mac-version=1.0.3"

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static bool is_key(const char *text) {
    return strspn(text, "0") < strlen(text);
}

// ---- The Things Network Stack V2

static void populate_ttnv2(struct world_setup *setup, uint64_t devices) {
    setup->devices = devices;
}

// It answers with the keys that the Handler and the Network Server have.
static bool serves_ttnv2(const json_t *now, const json_t *before) {
    (void)before;
    const json_t *network = json_object_get(now, "network_server");
    return is_key(text_of(now, "app_key")) || is_key(text_of(now, "nwk_s_key")) ||
           is_key(text_of(network, "nwk_s_key"));
}

// An OTAA device that goes without its session is heard until it joins: it takes its AppKey along.
static bool lets_join_ttnv2(const json_t *now, const json_t *before) {
    return is_key(text_of(before, "app_key")) ? is_key(text_of(now, "app_key")) : serves_ttnv2(now, before);
}

#define TTNV2(session, serves_it)                                                                   \
    .source = "ttnv2", .many = 2510, .key_option = "app-access-key", .key = world_access_key,       \
    .populate = populate_ttnv2, .missing = "not-there", .list = "devices", .eui = "dev_eui",        \
    .only = "app_id=" WORLD_DEFAULT_APP_ID, .serves = serves_it,                                    \
    .lost = NAMES("get_device_hex", "cleared", "frames", "used_app_nonces", "used_dev_nonces"),     \
    .grow = NAMES("f_cnt_down", "f_cnt_up"),                                                        \
    .options = OPTIONS("frequency-plan-id=EU_863_870_TTN", "app-id=" WORLD_DEFAULT_APP_ID,          \
                       "with-session=" session, "discovery-server-address=discovery.example:1900"), \
    .gateway_options = OPTIONS("account-server-address=https://account.example"),                   \
    .gateway_key = world_user_token, .gateway_key_option = "account-token"

// ---- The Things Stack

static void populate_tts(struct world_setup *setup, uint64_t devices) {
    setup->tts_devices = devices;
}

static const char *key_tts(const struct world *world) {
    return world_tts_key(world, WORLD_TTS_KEY_SOURCE);
}

static const char *user_key_tts(const struct world *world) {
    return world_tts_key(world, WORLD_TTS_KEY_USER);
}

// The Network Server answers unless it is silenced or has no entry; its name for a device is the Identity Server's too.
static bool serves_tts(const json_t *now, const json_t *before) {
    (void)before;
    const json_t *network = json_object_get(now, "ns");
    return json_is_object(network) && json_is_true(json_object_get(network, "schedule_downlinks"));
}

#define TTS_SERVERS                                                                                \
    "identity-server-grpc-address=is.example:8884", "network-server-grpc-address=ns.example:8884", \
        "application-server-grpc-address=as.example:8884", "join-server-grpc-address=js.example:8884"

#define TTS(how)                                                                                        \
    .source = "tts", .way = how, .key_option = "app-api-key", .key = key_tts, .populate = populate_tts, \
    .missing = "not-there", .list = "tts_devices", .eui = "is.dev_eui",                                 \
    .only = "application_id=" WORLD_TTS_SOURCE_APP_ID, .serves = serves_tts,                            \
    .lost = NAMES("end_device_hex", "updated_at"),                                                      \
    .grow = NAMES("last_n_f_cnt_down", "last_a_f_cnt_down", "last_f_cnt_up"),                           \
    .options = OPTIONS("app-id=" WORLD_TTS_SOURCE_APP_ID, TTS_SERVERS, "release=" how),                 \
    .gateway_options = OPTIONS(TTS_SERVERS), .gateway_key = user_key_tts

// ---- ChirpStack

static void populate_chirpstack(struct world_setup *setup, uint64_t devices) {
    setup->chirpstack_devices = devices;
}

static const char *key_chirpstack(const struct world *world) {
    return world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN);
}

static bool serves_chirpstack(const json_t *now, const json_t *before) {
    (void)before;
    return now != NULL && !json_is_true(json_object_get(now, "is_disabled"));
}

#define CHIRPSTACK_LOST "nonces", "last_seen", "field_f_cnt_up"

#define CHIRPSTACK(version, how, forgets, gateway_plans)                                                     \
    .source = "chirpstack", .way = "v" version ", " how, .key_option = "api-key", .key = key_chirpstack,     \
    .populate = populate_chirpstack, .missing = "ffffffffffffffff", .list = "chirpstack", .eui = "dev_eui",  \
    .serves = serves_chirpstack, .lost = forgets, .grow = NAMES("n_f_cnt_down", "a_f_cnt_down", "f_cnt_up"), \
    .options = OPTIONS("api-url=chirpstack.example:8080", "all=true", "api-version=" version,                \
                       "export-session=true", "release=" how, "join-eui=70B3D57ED0000000",                   \
                       "frequency-plan-id=EU_863_870,US_902_928_FSB_2,AS_923"),                              \
    .gateway_options = OPTIONS("frequency-plan-id=" gateway_plans)

// ---- Firefly

static void populate_firefly(struct world_setup *setup, uint64_t devices) {
    setup->firefly_devices = devices;
}

static const char *key_firefly(const struct world *world) {
    (void)world;
    return WORLD_FIREFLY_KEY;
}

// Other keys are taken away, since no device has them.
static bool serves_firefly(const json_t *now, const json_t *before) {
    static const char *const names[] = {"application_key", "network_session_key", "application_session_key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *key = text_of(now, names[i]);
        if (*key != '\0' && strcmp(key, text_of(before, names[i])) == 0) return true;
    }
    return false;
}

// ---- LORIOT

static void populate_loriot(struct world_setup *setup, uint64_t devices) {
    setup->loriot_devices = devices;
}

static const char *key_loriot(const struct world *world) {
    (void)world;
    return WORLD_LORIOT_KEY;
}

static bool is_there(const json_t *now, const json_t *before) {
    (void)before;
    return now != NULL;
}

// ---- AWS

static void populate_awsiot(struct world_setup *setup, uint64_t devices) {
    setup->awsiot_devices = devices;
}

static const char *key_awsiot(const struct world *world) {
    (void)world;
    return WORLD_AWS_SECRET;
}

const struct fixture fixtures[] = {
    {TTNV2("true", serves_ttnv2), .way = "with session"},
    {TTNV2("false", lets_join_ttnv2), .way = "without session"},
    {TTS("silence")},
    {TTS("keys")},
    {TTS("delete")},
    {CHIRPSTACK("4", "disable", NULL, "EU_863_870,US_902_928_FSB_2")},
    {CHIRPSTACK("4", "delete", NAMES(CHIRPSTACK_LOST), "EU_863_870,US_902_928_FSB_2")},
    {CHIRPSTACK("3", "disable", NULL, "EU_863_870")},
    {CHIRPSTACK("3", "delete", NAMES(CHIRPSTACK_LOST, "join_eui"), "EU_863_870")},
    {.source = "firefly",
     .way = "invalidate keys",
     .key_option = "api-key",
     .key = key_firefly,
     .populate = populate_firefly,
     .missing = "ffffffffffffffff",
     .list = "firefly_devices",
     .eui = "eui",
     .serves = serves_firefly,
     .grow = NAMES("frame_counter"),
     .options = OPTIONS("host=firefly.example", "all=true", USUAL, "join-eui=70B3D57ED0000000",
                        "invalidate-keys=true")},
    {.source = "loriot",
     .way = "delete",
     .key_option = "api-key",
     .key = key_loriot,
     .populate = populate_loriot,
     .missing = "ffffffffffffffff",
     .list = "loriot_devices",
     .eui = "deveui",
     .serves = is_there,
     .lost = NAMES("location", "limits", "tags", "revision"),
     .grow = NAMES("seqno", "seqdn", "rx1"),
     .options = OPTIONS("api-url=loriot.example", "all=true", "frequency-plan-id=EU_863_870_TTN",
                        "mac-version=1.0.3", "join-eui=70B3D57ED0000000", "release=delete"),
     .gateway_options = OPTIONS("all=true")},
    {.source = "awsiot",
     .way = "delete",
     .key_option = "secret-access-key",
     .key = key_awsiot,
     .populate = populate_awsiot,
     .missing = "ffffffffffffffff",
     .list = "awsiot_devices",
     .eui = "LoRaWAN.DevEui",
     .serves = is_there,
     .lost = NAMES("Id", "Arn", "ThingName", "ThingArn"),
     .grow = NAMES("FCntStart"),
     .options = OPTIONS("region=" WORLD_AWS_REGION, "access-key-id=" WORLD_AWS_KEY_ID,
                        "endpoint=https://aws.example", "all=true", USUAL, "release=delete")},
    {.source = "json", .devices = 2, .text = NETWORK_TEXT_JSON},
    {.source = "csv", .options = OPTIONS(USUAL), .devices = 2, .text = NETWORK_TEXT_CSV},
    {.source = "thingpark", .options = OPTIONS(USUAL), .devices = 2, .text = NETWORK_TEXT_THINGPARK},
    {.source = "helium", .options = OPTIONS(USUAL), .devices = 2, .text = NETWORK_TEXT_HELIUM},
    {.source = "wanesy", .options = OPTIONS(USUAL), .devices = 2, .text = NETWORK_TEXT_WANESY},
    {.source = NULL},
};

// ---- targets

static const char *key_target(const struct world *world) {
    return world_tts_key(world, WORLD_TTS_KEY_TARGET);
}

static const char *key_target_chirpstack(const struct world *world) {
    return world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN);
}

const struct target_fixture target_fixtures[] = {
    {.target = "tts",
     .options = OPTIONS("app-id=" WORLD_TTS_TARGET_APP_ID, TTS_SERVERS, "any-dev-addr=true"),
     .key_option = "app-api-key",
     .key = key_target,
     .source = "tts",
     .application = WORLD_TTS_SOURCE_APP_ID,
     .lost = NAMES("end_device_hex", "updated_at")},
    {.target = "chirpstack",
     .options = OPTIONS("api-url=chirpstack.example:8080", "tenant=" WORLD_CHIRPSTACK_TENANT,
                        "application=" WORLD_CHIRPSTACK_TARGET, "insecure=true"),
     .key_option = "api-key",
     .key = key_target_chirpstack,
     .source = "ttnv2",
     .application = "my-ttn-app",
     .lost = NAMES("writes")},
    {.target = NULL},
};
