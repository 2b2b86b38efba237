// SPDX-License-Identifier: Apache-2.0
// The devices of a seed. Every kind of profile comes up again after a few devices, so that a small population has all.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "world/chirpstack_p.h"

enum { UUID_PROFILE = 1 << 22, STREAM_DEVICE = 1 << 23, STREAM_BROKEN = 1 << 24, MONTH_SECONDS = 30 * 86400 };
enum { REGION_EU868 = 0, REGION_US915 = 2, REGION_AS923 = 7, REGION_IN865 = 9 };
enum { CODEC_NONE = 0, CODEC_CAYENNE_LPP = 1, CODEC_JS = 2 };

#define POPULATION_TIME (INT64_C(1767225600) * NS_PER_SECOND)

static const char script[] =
    "// Two bytes of temperature; the offset is the device's own.\n"
    "function decodeUplink(input) {\n"
    "  var raw = (input.bytes[0] << 8) | input.bytes[1];\n"
    "  return { data: { temperature: raw / 100 + Number(input.variables.offset || 0), port: input.fPort } "
    "};\n"
    "}\n"
    "function encodeDownlink(input) {\n"
    "  return { bytes: [input.data.led ? 1 : 0], fPort: 2 };\n"
    "}\n";

// In the order of the devices that use them.
static const struct cs_profile profiles[] = {
    {.name = "otaa103",
     .mac_version = 3,
     .codec = CODEC_JS,
     .script = script,
     .status_requests = 24,
     .otaa = true,
     .tag_key = "Vendor",
     .tag_value = "made-up"},
    {.name = "otaa104", .mac_version = 4, .revision = 5, .otaa = true},
    {.name = "classc", .mac_version = 2, .revision = 1, .otaa = true, .class_c = true, .class_c_timeout = 5},
    {.name = "otaa11", .mac_version = 5, .revision = 1, .codec = CODEC_CAYENNE_LPP, .otaa = true},
    {.name = "abp103", .mac_version = 3, .abp_rx1_delay = 1, .abp_rx2_freq = 869525000},
    {.name = "classb",
     .mac_version = 3,
     .otaa = true,
     .class_b = true,
     .class_b_timeout = 10,
     .ping_slot_periodicity = 4,
     .ping_slot_dr = 3,
     .ping_slot_freq = 869525000},
    {.name = "us", .region = REGION_US915, .mac_version = 3, .otaa = true, .region_config = "us915_1"},
    {.name = "otaa100", .otaa = true, .status_requests = 1},
    {.name = "abp11",
     .mac_version = 5,
     .revision = 0,
     .abp_rx1_delay = 5,
     .abp_rx1_dr_offset = 1,
     .abp_rx2_dr = 3,
     .abp_rx2_freq = 869525000},
    {.name = "otaa102-rp2", .mac_version = 2, .revision = 3, .otaa = true},
    {.name = "as923", .region = REGION_AS923, .mac_version = 3, .otaa = true},
    {.name = "otaa104-new", .mac_version = 4, .revision = 7, .otaa = true},
    {.name = "otaa101", .mac_version = 1, .otaa = true},
    {.name = "india", .region = REGION_IN865, .mac_version = 2, .revision = 0, .otaa = true},
};

enum { PROFILES = sizeof profiles / sizeof *profiles };

static const struct cs_profile *add_profile(struct cs *cs, const struct cs_profile *made,
                                            const struct cs_tenant *tenant) {
    char id[CS_UUID_SIZE];
    cs_make_uuid(cs->seed, UUID_PROFILE + cs->profile_count + 1, id);
    struct cs_profile *profile = cs_add_profile(cs, id, tenant);
    *profile = *made;
    profile->tenant = tenant;
    memcpy(profile->id, id, sizeof profile->id);
    return profile;
}

static void make_keys(struct prng *prng, struct cs_device *device, bool both) {
    static const char none[CS_KEY_SIZE] = "00000000000000000000000000000000";
    memcpy(device->keys.app_key, none, CS_KEY_SIZE);
    memcpy(device->keys.gen_app_key, none, CS_KEY_SIZE);
    cs_make_hex(prng, device->keys.nwk_key, CS_KEY_SIZE);
    if (both) cs_make_hex(prng, device->keys.app_key, CS_KEY_SIZE);
    if (!both && prng_below(prng, 12) == 0) cs_make_hex(prng, device->keys.gen_app_key, CS_KEY_SIZE);
    device->has_keys = true;
}

static void make_session(struct prng *prng, struct cs_device *device, bool lorawan_1_1) {
    struct cs_activation *activation = &device->activation;
    cs_make_hex(prng, activation->dev_addr, CS_ADDRESS_SIZE);
    activation->dev_addr[0] = activation->dev_addr[1] = '0';
    cs_make_hex(prng, activation->app_s_key, CS_KEY_SIZE);
    cs_make_hex(prng, activation->f_nwk_s_int_key, CS_KEY_SIZE);
    memcpy(activation->s_nwk_s_int_key, activation->f_nwk_s_int_key, CS_KEY_SIZE);
    memcpy(activation->nwk_s_enc_key, activation->f_nwk_s_int_key, CS_KEY_SIZE);
    if (lorawan_1_1) {
        cs_make_hex(prng, activation->s_nwk_s_int_key, CS_KEY_SIZE);
        cs_make_hex(prng, activation->nwk_s_enc_key, CS_KEY_SIZE);
        activation->a_f_cnt_down = prng_below(prng, 20);
    }
    activation->f_cnt_up = prng_below(prng, 8) == 0 ? prng_below(prng, 3) : prng_below(prng, 1U << 17);
    activation->n_f_cnt_down = prng_below(prng, 1 + activation->f_cnt_up / 8);
    device->has_activation = true;
    device->field_f_cnt_up = activation->f_cnt_up;
    memcpy(device->field_addr, activation->dev_addr, CS_ADDRESS_SIZE);
    device->last_seen = POPULATION_TIME - (int64_t)prng_below(prng, MONTH_SECONDS) * NS_PER_SECOND;
}

static void make_texts(struct prng *prng, uint64_t index, struct cs_device *device) {
    char *name MEMORY_AUTO = index % 5 == 0 ? memory_printf("Meter %llu \xc3\xbc", (unsigned long long)index)
                                            : memory_printf("Meter_%llu", (unsigned long long)index);
    cs_set_text(&device->name, name);
    if (index % 3 == 0) cs_set_text(&device->description, "on roof");
    if (index % 7 == 0) {
        cs_pairs_add(&device->tags, "floor", "2");
        cs_pairs_add(&device->tags, "Room No", "1");
    }
    if (index % 4 == 0) {
        char *value MEMORY_AUTO = memory_printf("%u", prng_below(prng, 10));
        cs_pairs_add(&device->variables, "offset", value);
    }
}

static struct cs_device *make_device(struct cs *cs, uint64_t stream, const char *dev_eui,
                                     const struct cs_application *application,
                                     const struct cs_profile *profile) {
    enum { LORAWAN_1_1 = 5 };
    bool lorawan_1_1 = profile->mac_version == LORAWAN_1_1;
    struct prng prng = prng_init(cs->seed, stream);
    struct cs_device *device = cs_device_new(dev_eui);
    snprintf(device->application_id, CS_UUID_SIZE, "%s", application->id);
    snprintf(device->profile_id, CS_UUID_SIZE, "%s", profile->id);
    device->created = POPULATION_TIME - (int64_t)MONTH_SECONDS * NS_PER_SECOND;
    bool joined = !profile->otaa || prng_below(&prng, 5) < 3;
    if (profile->otaa) make_keys(&prng, device, lorawan_1_1);
    if (joined) make_session(&prng, device, lorawan_1_1);
    cs_boot(&device->activation, profile);
    // ChirpStack learns it from the join-request; some people enter it.
    if (profile->otaa) snprintf(device->join_eui, CS_EUI_SIZE, "70b3d57ed000000%u", 1 + prng_below(&prng, 3));
    device->nonces = profile->otaa && joined ? 1 + prng_below(&prng, 4) : 0;
    device->skip_fcnt_check = prng_below(&prng, 12) == 0;
    device->class_enabled = profile->class_c ? 2 : 0;
    return device;
}

void cs_populate(struct cs *cs, uint64_t devices) {
    for (size_t i = 0; i < PROFILES; i++) add_profile(cs, &profiles[i], &cs->tenants[1]);
    for (uint64_t i = 0; i < devices; i++) {
        char dev_eui[CS_EUI_SIZE];
        snprintf(dev_eui, sizeof dev_eui, "a8404100%08x", (unsigned)(i + 1));
        struct cs_device *device =
            make_device(cs, STREAM_DEVICE + i, dev_eui, cs->applications[0], cs->profiles[i % PROFILES]);
        struct prng prng = prng_init(cs->seed, 2 * STREAM_BROKEN + i);
        make_texts(&prng, i, device);
        cs_insert_device(cs, device);
    }
    // The other applications have one device each.
    const struct cs_profile *other = add_profile(cs, &profiles[0], &cs->tenants[2]);
    for (size_t i = 1; i < 4; i++) {
        char dev_eui[CS_EUI_SIZE];
        snprintf(dev_eui, sizeof dev_eui, "a84042000000000%zx", i);
        const struct cs_application *application = cs->applications[i];
        const struct cs_profile *profile = application->tenant == &cs->tenants[2] ? other : cs->profiles[0];
        cs_insert_device(cs, make_device(cs, STREAM_BROKEN - 1 - i, dev_eui, application, profile));
    }
}

// ---- devices that cannot go as they are, in an application of their own; each is named after its defect

static struct cs_device *add_defect(struct cs *cs, unsigned number, const char *name,
                                    const struct cs_profile *profile) {
    char dev_eui[CS_EUI_SIZE];
    snprintf(dev_eui, sizeof dev_eui, "a84043%010x", number);
    struct cs_device *device = make_device(cs, STREAM_BROKEN + number, dev_eui, cs->applications[4], profile);
    cs_set_text(&device->name, name);
    cs_insert_device(cs, device);
    return device;
}

void cs_add_broken(struct cs *cs) {
    enum { OTAA_103 = 0, OTAA_11 = 3, ABP_103 = 4 };
    static const struct cs_profile unknown_region = {
        .name = "unknown-region", .region = 99, .mac_version = 3, .otaa = true};
    static const struct cs_profile unknown_version = {
        .name = "unknown-version", .mac_version = 9, .otaa = true};
    const struct cs_profile *otaa = cs->profiles[OTAA_103];
    struct cs_device *device = add_defect(cs, 1, "no-keys", otaa);
    device->has_keys = device->has_activation = false;
    struct prng prng = prng_init(cs->seed, STREAM_BROKEN);
    device = add_defect(cs, 2, "session-without-keys", otaa);
    make_session(&prng, device, false);
    device->has_keys = false;
    add_defect(cs, 3, "abp-without-session", cs->profiles[ABP_103])->has_activation = false;
    device = add_defect(cs, 4, "wrapped-session", cs->profiles[ABP_103]);
    device->wrapped = true;
    device = add_defect(cs, 5, "no-app-key", cs->profiles[OTAA_11]);
    make_keys(&prng, device, false);
    add_defect(cs, 6, "disabled", otaa)->is_disabled = true;
    device = add_defect(cs, 7, "no-join-eui", otaa);
    device->has_activation = false;
    snprintf(device->join_eui, CS_EUI_SIZE, "0000000000000000");
    add_defect(cs, 8, "unknown-region", add_profile(cs, &unknown_region, &cs->tenants[1]));
    add_defect(cs, 9, "unknown-version", add_profile(cs, &unknown_version, &cs->tenants[1]));
    device = add_defect(cs, 10, "many-tags", otaa);
    for (unsigned i = 0; i < 14; i++) {
        char *key MEMORY_AUTO = memory_printf("Tag No. %u", i);
        cs_pairs_add(&device->tags, key, "value");
    }
    device = add_defect(cs, 11, "session-lacks-device-address", cs->profiles[ABP_103]);
    snprintf(device->activation.dev_addr, CS_ADDRESS_SIZE, "00000000");
}
