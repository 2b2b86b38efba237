// SPDX-License-Identifier: Apache-2.0
#include "device/chirpstack.h"

#include <string.h>
#include <strings.h>

// ---- regions and versions

static const struct chirpstack_region regions[] = {
    {CHIRPSTACK__REGION__EU868, "EU868", "EU_863_870", NULL, NULL},
    {CHIRPSTACK__REGION__US915, "US915", "US_902_928", "us915_", "US_902_928_FSB_"},
    {CHIRPSTACK__REGION__CN779, "CN779", "CN_779_787", NULL, NULL},
    {CHIRPSTACK__REGION__EU433, "EU433", "EU_433", NULL, NULL},
    {CHIRPSTACK__REGION__AU915, "AU915", "AU_915_928", "au915_", "AU_915_928_FSB_"},
    {CHIRPSTACK__REGION__CN470, "CN470", "CN_470_510", "cn470_", "CN_470_510_FSB_"},
    {CHIRPSTACK__REGION__AS923, "AS923", "AS_923", NULL, NULL},
    {CHIRPSTACK__REGION__AS923_2, "AS923-2", "AS_923_2", NULL, NULL},
    {CHIRPSTACK__REGION__AS923_3, "AS923-3", "AS_923_3", NULL, NULL},
    {CHIRPSTACK__REGION__AS923_4, "AS923-4", "AS_923_4", NULL, NULL},
    {CHIRPSTACK__REGION__KR920, "KR920", "KR_920_923", NULL, NULL},
    {CHIRPSTACK__REGION__IN865, "IN865", "IN_865_867", NULL, NULL},
    {CHIRPSTACK__REGION__RU864, "RU864", "RU_864_870", NULL, NULL},
    {CHIRPSTACK__REGION__ISM2400, "ISM2400", "ISM_2400", NULL, NULL},
};

enum { REGIONS = sizeof regions / sizeof *regions };

const struct chirpstack_region *chirpstack_region_of(Chirpstack__Region number) {
    for (size_t i = 0; i < REGIONS; i++) {
        if (regions[i].number == number) return &regions[i];
    }
    return NULL;
}

const struct chirpstack_region *chirpstack_region_of_band(const char *band_id) {
    for (size_t i = 0; i < REGIONS; i++) {
        if (strcmp(regions[i].band, band_id) == 0) return &regions[i];
    }
    return NULL;
}

static const struct {
    Chirpstack__MacVersion number;
    enum mac_version version;
} mac_versions[] = {
    {CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_0, MAC_V1_0},
    {CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_1, MAC_V1_0_1},
    {CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_2, MAC_V1_0_2},
    {CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_3, MAC_V1_0_3},
    {CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_4, MAC_V1_0_4},
    {CHIRPSTACK__MAC_VERSION__LORAWAN_1_1_0, MAC_V1_1},
};

enum { MAC_NUMBERS = sizeof mac_versions / sizeof *mac_versions };

enum mac_version chirpstack_mac_version(Chirpstack__MacVersion version) {
    for (size_t i = 0; i < MAC_NUMBERS; i++) {
        if (mac_versions[i].number == version) return mac_versions[i].version;
    }
    return MAC_UNKNOWN;
}

bool chirpstack_mac_number(enum mac_version version, Chirpstack__MacVersion *ret_number) {
    for (size_t i = 0; i < MAC_NUMBERS; i++) {
        if (mac_versions[i].version != version) continue;
        *ret_number = mac_versions[i].number;
        return true;
    }
    return false;
}

Chirpstack__RegParamsRevision chirpstack_revision_of(enum phy_version version) {
    switch (version) {
        case PHY_V1_0_2_REV_B:
        case PHY_V1_1_REV_B:
            return CHIRPSTACK__REG_PARAMS_REVISION__B;
        case RP002_V1_0_0:
            return CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_0;
        case RP002_V1_0_1:
            return CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_1;
        case RP002_V1_0_2:
            return CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_2;
        case RP002_V1_0_3:
            return CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_3;
        case RP002_V1_0_4:
            return CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_4;
        default:
            return CHIRPSTACK__REG_PARAMS_REVISION__A;
    }
}

// ---- IDs and keys

bool chirpstack_is_uuid(const char *text) {
    if (strlen(text) != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL) return false;
    }
    return true;
}

bool chirpstack_is_busy(const char *words) {
    return words != NULL && strstr(words, "database is locked") != NULL;
}

bool chirpstack_key(const char *text, struct key128 *ret_key) {
    return key128_parse(text, ret_key) && !key128_is_zero(ret_key);
}

bool chirpstack_same_key(const char *a, const char *b) {
    KEY128_AUTO left = {0};
    KEY128_AUTO right = {0};
    bool first = chirpstack_key(a, &left);
    bool second = chirpstack_key(b, &right);
    return first == second && (!first || key128_equal(&left, &right));
}

bool chirpstack_same_keys(const Chirpstack__DeviceKeys *a, const Chirpstack__DeviceKeys *b) {
    static const Chirpstack__DeviceKeys none = CHIRPSTACK__DEVICE_KEYS__INIT;
    if (a == NULL) a = &none;
    if (b == NULL) b = &none;
    return chirpstack_same_key(a->nwk_key, b->nwk_key) && chirpstack_same_key(a->app_key, b->app_key) &&
           chirpstack_same_key(a->gen_app_key, b->gen_app_key);
}

bool chirpstack_same_session(const Chirpstack__DeviceActivation *a, const Chirpstack__DeviceActivation *b) {
    if (a == NULL || b == NULL) return a == b;
    return strcasecmp(a->dev_addr, b->dev_addr) == 0 &&
           chirpstack_same_key(a->f_nwk_s_int_key, b->f_nwk_s_int_key) &&
           chirpstack_same_key(a->s_nwk_s_int_key, b->s_nwk_s_int_key) &&
           chirpstack_same_key(a->nwk_s_enc_key, b->nwk_s_enc_key);
}

// ---- counters

uint32_t chirpstack_last_f_cnt_up(uint32_t next) {
    return next > 0 ? next - 1 : 0;
}

uint32_t chirpstack_last_f_cnt_down(uint32_t next) {
    return next <= 1 ? next : next - 1;
}

uint32_t chirpstack_next_f_cnt(uint32_t last) {
    return last == 0 || last == UINT32_MAX ? last : last + 1;
}
