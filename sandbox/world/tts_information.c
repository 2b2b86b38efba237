// SPDX-License-Identifier: Apache-2.0
// What the cluster tells about itself: addresses, plans, bands.
#include <stdio.h>
#include <string.h>

#include "lorawan/frequency_plan.h"
#include "world/tts_p.h"

// The recorded server's: NetID 000000 and all of its addresses.
void tts_net_id(struct tts_call *call) {
    static const uint8_t net_id[3] = {0, 0, 0};
    struct tts_node *out = tts_new(&call->arena, "GetNetIDResponse");
    if (!tts_require_key(call)) return;
    tts_set_bytes(&call->arena, out, "net_id", net_id, sizeof net_id);
    tts_answer(call, out);
}

// An address prefix is the address, then its length in bits.
void tts_dev_addr_prefixes(struct tts_call *call) {
    static const uint8_t prefixes[][5] = {{0x00, 0, 0, 0, 7}, {0x26, 0, 0, 0, 7}};
    if (!tts_require_key(call)) return;
    struct tts_node *out = tts_new(&call->arena, "GetDeviceAdressPrefixesResponse");
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        tts_add(&call->arena, out, "dev_addr_prefixes")->bytes =
            (struct wire_bytes){prefixes[i], sizeof prefixes[i]};
    }
    tts_answer(call, out);
}

void tts_join_eui_prefixes(struct tts_call *call) {
    static const uint8_t join_eui[TTS_EUI_SIZE] = {0};
    if (!tts_require_key(call)) return;
    struct tts_node *out = tts_new(&call->arena, "JoinEUIPrefixes");
    struct tts_node *prefix = tts_add(&call->arena, out, "prefixes");
    tts_set_bytes(&call->arena, prefix, "join_eui", join_eui, sizeof join_eui);
    tts_answer(call, out);
}

void tts_default_join_eui(struct tts_call *call) {
    static const uint8_t join_eui[TTS_EUI_SIZE] = {0x70, 0xB3, 0xD5, 0x7E, 0xD0, 0, 0, 0};
    if (!tts_require_key(call)) return;
    struct tts_node *out = tts_new(&call->arena, "GetDefaultJoinEUIResponse");
    tts_set_bytes(&call->arena, out, "join_eui", join_eui, sizeof join_eui);
    tts_answer(call, out);
}

static const struct band *find_band(struct tts_call *call, const char *plan_id, uint64_t version) {
    const struct frequency_plan *plan = frequency_plans_find(frequency_plans_builtin(), plan_id);
    if (plan == NULL) {
        tts_refuse(call, tts_problem(call, TTS_UNKNOWN_PLAN, "id", plan_id, NULL));
        return NULL;
    }
    const struct band *band =
        version < PHY_VERSION_COUNT ? band_find(plan->band_id, (enum phy_version)version) : NULL;
    if (band == NULL) {
        const char *name = version < PHY_VERSION_COUNT ? phy_version_name((enum phy_version)version) : "";
        tts_refuse(call, tts_problem(call, TTS_NO_BAND_VERSION, "ver", name, "id", plan->band_id, NULL));
    }
    return band;
}

void tts_default_mac_settings(struct tts_call *call) {
    struct arena *arena = &call->arena;
    if (!tts_require_key(call)) return;
    const char *plan_id = tts_text(arena, call->in, "frequency_plan_id");
    const struct band *band = find_band(call, plan_id, tts_number(call->in, "lorawan_phy_version"));
    if (band == NULL) return;
    const struct frequency_plan *plan = frequency_plans_find(frequency_plans_builtin(), plan_id);
    struct tts_node *out = tts_new(arena, "MACSettings");
    tts_set_number(arena, out, "rx1_delay.value", 5);
    tts_set_number(arena, out, "desired_rx1_delay.value", 5);
    tts_set_number(arena, out, "rx1_data_rate_offset.value", 0);
    tts_set_number(arena, out, "rx2_data_rate_index.value", band->rx2_data_rate_index);
    tts_set_number(arena, out, "rx2_frequency.value", band->rx2_frequency);
    tts_set_number(arena, out, "desired_rx2_frequency.value",
                   plan->rx2_frequency != 0 ? plan->rx2_frequency : band->rx2_frequency);
    tts_set_number(arena, out, "desired_rx2_data_rate_index.value",
                   plan->rx2_data_rate >= 0 ? (uint64_t)plan->rx2_data_rate : band->rx2_data_rate_index);
    tts_set_number(arena, out, "supports_32_bit_f_cnt.value", 1);
    tts_answer(call, out);
}

// MHz, for people.
static unsigned base_frequency(const char *band_id) {
    static const struct {
        const char *band_id;
        unsigned frequency;
    } bases[] = {
        {"EU_863_870", 868},       {"EU_433", 433},     {"CN_470_510", 470}, {"IN_865_867", 868},
        {"MA_869_870_DRAFT", 868}, {"RU_864_870", 868}, {"ISM_2400", 2450},
    };
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        if (strcmp(bases[i].band_id, band_id) == 0) return bases[i].frequency;
    }
    return 915;
}

void tts_list_plans(struct tts_call *call) {
    struct arena *arena = &call->arena;
    const struct frequency_plans *plans = frequency_plans_builtin();
    struct tts_node *out = tts_new(arena, "ListFrequencyPlansResponse");
    uint64_t base = tts_number(call->in, "base_frequency");
    const char *band_id = tts_text(arena, call->in, "band_id");
    bool gateways_only = tts_number(call->in, "gateways_only") != 0;
    for (size_t i = 0; i < plans->count; i++) {
        const struct frequency_plan *plan = &plans->plans[i];
        if (base != 0 && base != base_frequency(plan->band_id)) continue;
        if (*band_id != '\0' && strcmp(band_id, plan->band_id) != 0) continue;
        if (gateways_only && !plan->gateways) continue;
        struct tts_node *entry = tts_add(arena, out, "frequency_plans");
        tts_set_text(arena, entry, "id", plan->id);
        tts_set_text(arena, entry, "base_id", plan->base_id != NULL ? plan->base_id : "");
        tts_set_text(arena, entry, "name", plan->name);
        tts_set_number(arena, entry, "base_frequency", base_frequency(plan->band_id));
        tts_set_text(arena, entry, "band_id", plan->band_id);
    }
    tts_answer(call, out);
}

// The entry of a list or map whose text at `path` is `key`, made if there is none.
static struct tts_node *entry_for(struct arena *arena, struct tts_node *message, const char *list,
                                  const char *path, const char *key) {
    for (struct tts_node *entry = tts_find(message, list); entry != NULL; entry = tts_next_entry(entry)) {
        if (strcmp(tts_text(arena, entry, path), key) == 0) return entry;
    }
    struct tts_node *entry = tts_add(arena, message, list);
    tts_set_text(arena, entry, path, key);
    return entry;
}

static void describe_band(struct arena *arena, const struct band *band, struct tts_node *out) {
    tts_set_text(arena, out, "id", band->id);
    tts_set_number(arena, out, "max_uplink_channels", band->max_uplink_channels);
    tts_set_number(arena, out, "max_downlink_channels", band->max_downlink_channels);
    for (size_t i = 0; i < band->uplink_channel_count; i++) {
        struct tts_node *channel = tts_add(arena, out, "uplink_channels");
        tts_set_number(arena, channel, "frequency", band->uplink_channels[i].frequency);
        tts_set_number(arena, channel, "min_data_rate", band->uplink_channels[i].min_data_rate);
        tts_set_number(arena, channel, "max_data_rate", band->uplink_channels[i].max_data_rate);
    }
    tts_set_number(arena, out, "freq_multiplier", band->freq_multiplier);
    tts_set_number(arena, out, "implements_cf_list", band->implements_cf_list);
    tts_set_number(arena, out, "cf_list_type", band->cf_list_type);
    tts_set_number(arena, out, "max_fcnt_gap", band->max_fcnt_gap);
    tts_set_number(arena, out, "supports_dynamic_adr", band->supports_dynamic_adr);
    tts_set_number(arena, out, "max_adr_data_rate_index", band->max_adr_data_rate_index);
    tts_set_number(arena, out, "tx_param_setup_req_support", band->tx_param_setup_req);
    tts_set_float(arena, out, "default_max_eirp", band->default_max_eirp);
    tts_set_number(arena, out, "default_rx2_parameters.data_rate_index", band->rx2_data_rate_index);
    tts_set_number(arena, out, "default_rx2_parameters.frequency", band->rx2_frequency);
}

void tts_list_bands(struct tts_call *call) {
    struct arena *arena = &call->arena;
    const char *band_id = tts_text(arena, call->in, "band_id");
    uint64_t wanted = tts_number(call->in, "phy_version");
    struct tts_node *out = tts_new(arena, "ListBandsResponse");
    for (size_t i = 0; i < band_count(); i++) {
        const struct band *band = band_at(i);
        if (*band_id != '\0' && strcmp(band_id, band->id) != 0) continue;
        for (unsigned version = 1; version < PHY_VERSION_COUNT; version++) {
            if (!band_has_version(band, (enum phy_version)version)) continue;
            if (wanted != 0 && wanted != version) continue;
            struct tts_node *entry = entry_for(arena, out, "descriptions", "key", band->id);
            struct tts_node *versions = tts_make(arena, entry, "value");
            const char *name = phy_version_name((enum phy_version)version);
            struct tts_node *described = entry_for(arena, versions, "band", "key", name);
            describe_band(arena, band, tts_make(arena, described, "value"));
        }
    }
    tts_answer(call, out);
}

void tts_phy_versions(struct tts_call *call) {
    struct arena *arena = &call->arena;
    const char *band_id = tts_text(arena, call->in, "band_id");
    if (*band_id != '\0' && !band_known(band_id)) {
        tts_refuse(call, tts_problem(call, TTS_BAND_NOT_FOUND, "id", band_id, NULL));
        return;
    }
    struct tts_node *out = tts_new(arena, "GetPhyVersionsResponse");
    for (size_t i = 0; i < band_count(); i++) {
        const struct band *band = band_at(i);
        if (*band_id != '\0' && strcmp(band_id, band->id) != 0) continue;
        struct tts_node *entry = entry_for(arena, out, "version_info", "band_id", band->id);
        for (unsigned version = 1; version < PHY_VERSION_COUNT; version++) {
            bool has = band_has_version(band, (enum phy_version)version);
            if (has) tts_add(arena, entry, "phy_versions")->number = version;
        }
    }
    tts_answer(call, out);
}
