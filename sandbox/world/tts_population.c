// SPDX-License-Identifier: Apache-2.0
// The devices of the source application that a seed makes. Each is drawn from seed and index alone, in integers.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lorawan/frequency_plan.h"
#include "world/tts_p.h"

enum { SESSION_KEY_ID_SIZE = 16, LONGEST_ID = 36, EIGHTH = 8, MONTH_SECONDS = 30 * 24 * 3600 };

// Apart from V2's devices of the same seed.
#define STREAM UINT64_C(0x7474730000000000)

// 2026-01-01; devices were made in the seconds after, and last heard in the month before 2026-03-01.
#define MADE  INT64_C(1767225600000000000)
#define HEARD INT64_C(1772323200000000000)

enum kind { OTAA_NEW, OTAA_JOINED, OTAA_PENDING, OTAA_REJOINING, ABP, MULTICAST };

struct draft {
    struct tts *tts;
    struct arena arena;
    struct prng prng;
    uint64_t index;
    enum kind kind;
    char id[64];
    bool class_b, class_c, newer;
    unsigned mac_version, phy_version;
    const char *plan_id;
    int64_t made;
    struct tts_node *records[TTS_SERVERS];
};

static const struct {
    uint8_t mac, phy;
} versions[] = {{MAC_V1_0_2, PHY_V1_0_2_REV_B}, {MAC_V1_0_3, PHY_V1_0_3_REV_A},
                {MAC_V1_0_2, PHY_V1_0_2_REV_A}, {MAC_V1_0_4, RP002_V1_0_1},
                {MAC_V1_1, PHY_V1_1_REV_B},     {MAC_V1_0_1, PHY_V1_0_1},
                {MAC_V1_0, PHY_V1_0},           {MAC_V1_0_3, PHY_V1_0_3_REV_A}};

static const char *const plans[] = {"EU_863_870_TTN",   "EU_863_870_TTN", "EU_863_870",
                                    "EU_863_870_TTN",   "EU_863_870_TTN", "US_902_928_FSB_2",
                                    "AU_915_928_FSB_2", "IN_865_867"};

static const char *const descriptions[] = {
    "Water meter, cellar",
    "Sens\xC3\xB6r \xE2\x84\x96 7 \xE2\x80\x93 \xE6\xB8\xA9\xE5\xBA\xA6",
    "\xD0\x94\xD0\xB0\xD1\x82\xD1\x87\xD0\xB8\xD0\xBA \"\xD1\x81\xD0\xB5\xD0\xB2\xD0\xB5\xD1\x80\"",
    "two lines\nand a tab\t<here> & \xF0\x9F\x92\xA7",
};

static const char decoder[] =
    "function decodeUplink(input) {\n  return { data: { level: input.bytes[0] / 2 } };\n}";
static const char encoder[] =
    "function encodeDownlink(input) {\n  return { bytes: [input.data.led ? 1 : 0], fPort: 2 };\n}";

static bool one_in(struct draft *draft, uint32_t count) {
    return prng_below(&draft->prng, count) == 0;
}

static void text(struct draft *draft, enum tts_server server, const char *path, const char *value) {
    tts_set_text(&draft->arena, draft->records[server], path, value);
}

static void number(struct draft *draft, enum tts_server server, const char *path, uint64_t value) {
    tts_set_number(&draft->arena, draft->records[server], path, value);
}

static void bytes(struct draft *draft, enum tts_server server, const char *path, const void *data,
                  size_t size) {
    tts_set_bytes(&draft->arena, draft->records[server], path, data, size);
}

static void random_bytes(struct draft *draft, enum tts_server server, const char *path, size_t size) {
    uint8_t data[SESSION_KEY_ID_SIZE];
    prng_fill(&draft->prng, data, size);
    bytes(draft, server, path, data, size);
}

// Every ID holds the index, so none comes twice.
static void make_id(struct draft *draft) {
    unsigned long long index = draft->index;
    size_t size = sizeof draft->id;
    uint32_t form = prng_below(&draft->prng, EIGHTH);
    if (index == 0) {
        snprintf(draft->id, size, "mydevice");
    } else if (form == 0) {
        snprintf(draft->id, size, "eui-%016llx", 0x0004A30C00000000ULL + index);
    } else if (form == 1) {
        int used = snprintf(draft->id, size, "id-of-greatest-length-%llu", index);
        while (used < LONGEST_ID) draft->id[used++] = 'x';
        draft->id[used] = '\0';
    } else {
        snprintf(draft->id, size, "dev-%06llu", index);
    }
}

static enum kind draw_kind(struct draft *draft) {
    static const enum kind kinds[] = {OTAA_NEW, OTAA_NEW,     OTAA_JOINED,    OTAA_JOINED, OTAA_JOINED,
                                      ABP,      OTAA_PENDING, OTAA_REJOINING, ABP,         MULTICAST};
    uint32_t drawn = prng_below(&draft->prng, sizeof kinds / sizeof *kinds);
    return draft->index == 0 ? OTAA_JOINED : kinds[drawn];
}

static void draw_radio(struct draft *draft) {
    uint32_t version = prng_below(&draft->prng, sizeof versions / sizeof *versions);
    draft->plan_id = plans[prng_below(&draft->prng, sizeof plans / sizeof *plans)];
    if (draft->index == 0) version = 0;
    draft->mac_version = versions[version].mac;
    draft->phy_version = versions[version].phy;
    const struct frequency_plan *plan = frequency_plans_find(frequency_plans_builtin(), draft->plan_id);
    if (draft->index == 0 || band_find(plan->band_id, (enum phy_version)draft->phy_version) == NULL) {
        draft->plan_id = "EU_863_870_TTN";
    }
    draft->newer = draft->mac_version == MAC_V1_1;
    bool europe = strncmp(draft->plan_id, "EU_", 3) == 0;
    draft->class_c = one_in(draft, 6) || draft->kind == MULTICAST;
    draft->class_b = one_in(draft, 10) && europe && draft->kind != MULTICAST;
}

// IDs and times; a record's own times lie a little after those of the one before.
static void start_records(struct draft *draft) {
    uint8_t euis[TTS_EUIS_SIZE] = {0x70, 0xB3, 0xD5, 0x7E, 0xD8, 0, 0, 0, 0x00, 0x04, 0xA3, 0x0C};
    euis[7] = (uint8_t)prng_below(&draft->prng, 3);
    for (unsigned i = 0; i < 4; i++) euis[TTS_EUIS_SIZE - 1 - i] = (uint8_t)(draft->index >> (8 * i));
    for (unsigned server = 0; server < TTS_SERVERS; server++) {
        draft->records[server] = tts_new(&draft->arena, "EndDevice");
        text(draft, server, "ids.device_id", draft->id);
        text(draft, server, "ids.application_ids.application_id", WORLD_TTS_SOURCE_APP_ID);
        bytes(draft, server, "ids.join_eui", euis, TTS_EUI_SIZE);
        bytes(draft, server, "ids.dev_eui", euis + TTS_EUI_SIZE, TTS_EUI_SIZE);
        int64_t made = draft->made + server * 12 * NS_PER_MS;
        tts_set_time(&draft->arena, draft->records[server], "created_at", made);
        tts_set_time(&draft->arena, draft->records[server], "updated_at", made);
    }
}

static void add_location(struct draft *draft) {
    struct arena *arena = &draft->arena;
    struct tts_node *entry = tts_add(arena, draft->records[TTS_IS], "locations");
    tts_set_text(arena, entry, "key", "user");
    // Multiples of 1/1024 degree are exact in binary.
    double latitude = ((int32_t)prng_below(&draft->prng, 140 * 1024) - 70 * 1024) / 1024.0;
    double longitude = ((int32_t)prng_below(&draft->prng, 360 * 1024) - 180 * 1024) / 1024.0;
    uint64_t bits = 0;
    memcpy(&bits, &latitude, sizeof bits);
    tts_set_number(arena, entry, "value.latitude", bits);
    memcpy(&bits, &longitude, sizeof bits);
    tts_set_number(arena, entry, "value.longitude", bits);
    tts_set_number(arena, entry, "value.altitude", prng_below(&draft->prng, 900));
    tts_set_number(arena, entry, "value.source", 3);  // SOURCE_REGISTRY
}

static void add_attribute(struct draft *draft, const char *key, const char *value) {
    struct tts_node *entry = tts_add(&draft->arena, draft->records[TTS_IS], "attributes");
    tts_set_text(&draft->arena, entry, "key", key);
    tts_set_text(&draft->arena, entry, "value", value);
}

static void fill_identity(struct draft *draft) {
    static const char *const addresses[] = {"network_server_address", "application_server_address"};
    for (size_t i = 0; i < 2; i++) text(draft, TTS_IS, addresses[i], draft->tts->host);
    if (draft->kind < ABP) text(draft, TTS_IS, "join_server_address", draft->tts->host);
    if (!one_in(draft, 3)) text(draft, TTS_IS, "name", draft->id);
    if (one_in(draft, 3)) {
        uint32_t drawn = prng_below(&draft->prng, sizeof descriptions / sizeof *descriptions);
        text(draft, TTS_IS, "description", descriptions[drawn]);
    }
    if (one_in(draft, 3)) add_attribute(draft, "building", "A1");
    if (one_in(draft, 5)) add_attribute(draft, "owner", "gr\xC3\xBCn & blau");
    if (one_in(draft, 3)) add_location(draft);
    if (one_in(draft, 6)) {
        text(draft, TTS_IS, "version_ids.brand_id", "acme");
        text(draft, TTS_IS, "version_ids.model_id", "level-1");
        text(draft, TTS_IS, "version_ids.hardware_version", "1.2");
        text(draft, TTS_IS, "version_ids.firmware_version", "3.4");
    }
    if (one_in(draft, 8)) text(draft, TTS_IS, "claim_authentication_code.value", "C0FFEE42");
    if (draft->kind == OTAA_JOINED || draft->kind == ABP) {
        int64_t heard = HEARD - (int64_t)prng_below(&draft->prng, MONTH_SECONDS) * NS_PER_SECOND;
        tts_set_time(&draft->arena, draft->records[TTS_IS], "last_seen_at", heard);
    }
}

// The session at Network and Application Server, under both names.
static void add_session(struct draft *draft, const char *session) {
    struct arena *arena = &draft->arena;
    struct tts_node *network = tts_make(arena, draft->records[TTS_NS], session);
    struct tts_node *application = tts_make(arena, draft->records[TTS_AS], session);
    uint32_t address = 0x260B0000U | (1 + prng_below(&draft->prng, 0xFFFF));
    uint8_t dev_addr[TTS_DEV_ADDR_SIZE];
    for (unsigned i = 0; i < sizeof dev_addr; i++) dev_addr[i] = (uint8_t)(address >> (8 * (3 - i)));
    uint8_t key[TTS_KEY_SIZE];
    tts_set_bytes(arena, network, "dev_addr", dev_addr, sizeof dev_addr);
    tts_set_bytes(arena, application, "dev_addr", dev_addr, sizeof dev_addr);
    if (draft->kind < ABP) {
        prng_fill(&draft->prng, key, sizeof key);
        tts_set_bytes(arena, network, "keys.session_key_id", key, sizeof key);
        tts_set_bytes(arena, application, "keys.session_key_id", key, sizeof key);
    }
    prng_fill(&draft->prng, key, sizeof key);
    tts_set_bytes(arena, network, "keys.f_nwk_s_int_key.key", key, sizeof key);
    if (draft->newer) prng_fill(&draft->prng, key, sizeof key);
    tts_set_bytes(arena, network, "keys.s_nwk_s_int_key.key", key, sizeof key);
    if (draft->newer) prng_fill(&draft->prng, key, sizeof key);
    tts_set_bytes(arena, network, "keys.nwk_s_enc_key.key", key, sizeof key);
    prng_fill(&draft->prng, key, sizeof key);
    tts_set_bytes(arena, application, "keys.app_s_key.key", key, sizeof key);
    tts_set_time(arena, network, "started_at", draft->made + NS_PER_SECOND);
}

static void add_counters(struct draft *draft) {
    if (one_in(draft, EIGHTH)) return;
    uint32_t up = prng_below(&draft->prng, 1U << 16);
    uint32_t down = prng_below(&draft->prng, 1 + up / 8);
    if (draft->kind != MULTICAST) number(draft, TTS_NS, "session.last_f_cnt_up", up);
    number(draft, TTS_NS, "session.last_n_f_cnt_down", down);
    if (draft->newer) number(draft, TTS_AS, "session.last_a_f_cnt_down", down / 2);
    if (draft->kind != MULTICAST && down > 4) number(draft, TTS_NS, "session.last_conf_f_cnt_down", down - 1);
    bool answered = draft->kind != MULTICAST && down > 0;
    if (answered) tts_set_time(&draft->arena, draft->records[TTS_NS], "mac_state.last_downlink_at", HEARD);
}

static void fill_settings(struct draft *draft) {
    number(draft, TTS_NS, "mac_settings.supports_32_bit_f_cnt.value", 1);
    number(draft, TTS_NS, "mac_settings.status_count_periodicity.value", 0);
    tts_make(&draft->arena, draft->records[TTS_NS], "mac_settings.status_time_periodicity");
    if (draft->kind >= ABP) number(draft, TTS_NS, "mac_settings.rx1_delay.value", 1);
    if (draft->class_b) number(draft, TTS_NS, "mac_settings.ping_slot_periodicity.value", 5);
    if (draft->class_b) number(draft, TTS_NS, "mac_settings.ping_slot_frequency.value", 869525000);
    if (draft->class_b) number(draft, TTS_NS, "mac_settings.beacon_frequency.value", 869525000);
}

static void fill_network(struct draft *draft) {
    text(draft, TTS_NS, "frequency_plan_id", draft->plan_id);
    number(draft, TTS_NS, "lorawan_version", draft->mac_version);
    number(draft, TTS_NS, "lorawan_phy_version", draft->phy_version);
    number(draft, TTS_NS, "supports_join", draft->kind < ABP);
    number(draft, TTS_NS, "multicast", draft->kind == MULTICAST);
    number(draft, TTS_NS, "supports_class_b", draft->class_b);
    number(draft, TTS_NS, "supports_class_c", draft->class_c);
    fill_settings(draft);
    bool session = draft->kind != OTAA_NEW && draft->kind != OTAA_PENDING;
    bool pending = draft->kind == OTAA_PENDING || draft->kind == OTAA_REJOINING;
    if (session) add_session(draft, "session");
    if (session) tts_put_mac_state(&draft->arena, draft->records[TTS_NS], "mac_state");
    if (session) add_counters(draft);
    if (pending) add_session(draft, "pending_session");
    if (pending) tts_put_mac_state(&draft->arena, draft->records[TTS_NS], "pending_mac_state");
    bool status = session && draft->kind != MULTICAST && one_in(draft, 4);
    if (!status) return;
    tts_set_time(&draft->arena, draft->records[TTS_NS], "last_dev_status_received_at", HEARD);
    tts_set_float(&draft->arena, draft->records[TTS_NS], "battery_percentage.value", 0.75F);
    number(draft, TTS_NS, "downlink_margin", 9);
}

static void fill_join(struct draft *draft) {
    uint32_t joins = draft->kind == OTAA_NEW ? 0 : 1 + prng_below(&draft->prng, 5);
    random_bytes(draft, TTS_JS, "root_keys.app_key.key", TTS_KEY_SIZE);
    if (draft->newer) random_bytes(draft, TTS_JS, "root_keys.nwk_key.key", TTS_KEY_SIZE);
    if (joins == 0) return;
    number(draft, TTS_JS, "last_join_nonce", joins);
    bool counts = draft->newer || draft->mac_version == MAC_V1_0_4;
    if (counts) number(draft, TTS_JS, "last_dev_nonce", joins);
    for (uint32_t i = 0; !counts && i < joins; i++) {
        tts_add(&draft->arena, draft->records[TTS_JS], "used_dev_nonces")->number =
            prng_below(&draft->prng, 1U << 16);
    }
}

static void fill_application(struct draft *draft) {
    if (!one_in(draft, 6)) return;
    number(draft, TTS_AS, "formatters.up_formatter", 3);  // FORMATTER_JAVASCRIPT
    text(draft, TTS_AS, "formatters.up_formatter_parameter", decoder);
}

// One of 16 lacks a record that it should have.
static void store(struct draft *draft) {
    struct tts_application *application = tts_find_application(draft->tts, WORLD_TTS_SOURCE_APP_ID);
    struct tts_device *device = tts_add_device(draft->tts, application, draft->id);
    uint32_t missing = TTS_NS + prng_below(&draft->prng, 3);
    bool half = one_in(draft, 16) && draft->index != 0;
    for (unsigned server = 0; server < TTS_SERVERS; server++) {
        if (server == TTS_JS && draft->kind >= ABP) continue;
        if (half && server == missing) continue;
        tts_store_record(draft->tts, device, server, draft->records[server]);
    }
}

static void add_device(struct tts *tts, uint64_t index) {
    struct draft draft = {.tts = tts,
                          .index = index,
                          .prng = prng_init(tts->seed, STREAM + index),
                          .made = MADE + (int64_t)index * NS_PER_MS};
    make_id(&draft);
    draft.kind = draw_kind(&draft);
    draw_radio(&draft);
    start_records(&draft);
    fill_identity(&draft);
    fill_network(&draft);
    fill_join(&draft);
    fill_application(&draft);
    store(&draft);
    arena_release(&draft.arena);
}

static void set_formatters(struct tts *tts) {
    ARENA_AUTO arena = {0};
    struct tts_node *link = tts_new(&arena, "ApplicationLink");
    tts_set_number(&arena, link, "default_formatters.up_formatter", 3);
    tts_set_text(&arena, link, "default_formatters.up_formatter_parameter", decoder);
    tts_set_number(&arena, link, "default_formatters.down_formatter", 3);
    tts_set_text(&arena, link, "default_formatters.down_formatter_parameter", encoder);
    tts_blob_store(&tts_find_application(tts, WORLD_TTS_SOURCE_APP_ID)->link, link);
}

static void add_gateway(struct tts *tts, const char *gateway_id, uint8_t number_in_eui) {
    enum { HEIGHTS = 64 };  // m above 30: gateways of two seeds differ
    ARENA_AUTO arena = {0};
    const uint8_t eui[TTS_EUI_SIZE] = {0xB8, 0x27, 0xEB, 0xFF, 0xFE, 0, 0, number_in_eui};
    struct tts_node *gateway = tts_new(&arena, "Gateway");
    tts_set_text(&arena, gateway, "ids.gateway_id", gateway_id);
    tts_set_bytes(&arena, gateway, "ids.eui", eui, sizeof eui);
    tts_set_time(&arena, gateway, "created_at", MADE);
    tts_set_time(&arena, gateway, "updated_at", MADE);
    tts_set_text(&arena, gateway, "name", "Roof");
    tts_set_text(&arena, gateway, "description", "Above the t\xC3\xB6wn hall");
    tts_set_text(&arena, gateway, "gateway_server_address", tts->host);
    tts_add(&arena, gateway, "frequency_plan_ids")->bytes =
        (struct wire_bytes){(const uint8_t *)"EU_863_870_TTN", strlen("EU_863_870_TTN")};
    tts_set_text(&arena, gateway, "frequency_plan_id", "EU_863_870_TTN");
    tts_set_number(&arena, gateway, "enforce_duty_cycle", 1);
    struct tts_node *antenna = tts_add(&arena, gateway, "antennas");
    tts_set_float(&arena, antenna, "gain", 3);
    tts_set_number(&arena, antenna, "location.altitude", 30 + tts->seed % HEIGHTS);
    tts_set_number(&arena, antenna, "location.source", 3);
    tts_blob_store(&tts_add_gateway(tts, gateway_id)->record, gateway);
}

void tts_populate(struct tts *tts, uint64_t devices) {
    if (devices == 0) return;
    for (uint64_t i = 0; i < devices; i++) add_device(tts, i);
    set_formatters(tts);
    add_gateway(tts, "my-roof", 1);
    add_gateway(tts, "my-cellar", 2);
}
