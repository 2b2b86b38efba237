// SPDX-License-Identifier: Apache-2.0
// What the Network Server refuses beyond the form of the message.
#include <string.h>

#include "lorawan/frequency_plan.h"
#include "world/tts_p.h"

struct check {
    struct tts_call *call;
    const struct tts_node *device;
    const struct band *band;
    enum mac_version mac_version;
    bool join;
    bool multicast;
};

static bool refuse(const struct check *check, const char *field) {
    return tts_refuse(check->call, tts_problem(check->call, TTS_NS_FIELD_VALUE, "field", field, NULL));
}

static bool refuse_absent(const struct check *check, const char *field) {
    struct tts_problem *cause = tts_problem(check->call, TTS_NO_FIELD, "field", field, NULL);
    struct tts_problem *problem = tts_problem(check->call, TTS_NS_FIELD_VALUE, "field", field, NULL);
    return tts_refuse(check->call, tts_because(problem, cause));
}

static bool has(const struct check *check, const char *path) {
    return tts_find(check->device, path) != NULL;
}

// Bytes that are there and not zero, or a refusal that names them.
static bool require(const struct check *check, const char *path) {
    return tts_has_bytes(check->device, path) || refuse_absent(check, path);
}

static const char *within(const struct check *check, const char *prefix, const char *name) {
    return arena_printf(&check->call->arena, "%s.%s", prefix, name);
}

// ---- plan and versions

static bool check_versions(struct check *check) {
    struct tts_call *call = check->call;
    const char *plan_id = tts_text(&call->arena, check->device, "frequency_plan_id");
    uint64_t phy_version = tts_number(check->device, "lorawan_phy_version");
    if (*plan_id == '\0') return refuse_absent(check, "frequency_plan_id");
    if (tts_number(check->device, "lorawan_version") == 0) return refuse_absent(check, "lorawan_version");
    if (phy_version == 0) return refuse_absent(check, "lorawan_phy_version");
    const struct frequency_plan *plan = frequency_plans_find(frequency_plans_builtin(), plan_id);
    if (plan == NULL) return tts_refuse(call, tts_problem(call, TTS_UNKNOWN_PLAN, "id", plan_id, NULL));
    check->band =
        phy_version < PHY_VERSION_COUNT ? band_find(plan->band_id, (enum phy_version)phy_version) : NULL;
    if (check->band == NULL) {
        const char *name =
            phy_version < PHY_VERSION_COUNT ? phy_version_name((enum phy_version)phy_version) : "";
        return tts_refuse(call,
                          tts_problem(call, TTS_NO_BAND_VERSION, "ver", name, "id", plan->band_id, NULL));
    }
    const char *band_id = tts_text(&call->arena, check->device, "version_ids.band_id");
    bool same = *band_id == '\0' || strcmp(band_id, plan->band_id) == 0;
    return same || refuse(check, "version_ids.band_id");
}

// ---- sessions

static bool check_session_keys(const struct check *check, const char *session) {
    static const char *const others[] = {"keys.s_nwk_s_int_key.key", "keys.nwk_s_enc_key.key"};
    const struct tts_node *node = tts_find(check->device, session);
    if (!require(check, within(check, session, "dev_addr"))) return false;
    if (!require(check, within(check, session, "keys.f_nwk_s_int_key.key"))) return false;
    struct wire_bytes first = tts_bytes(node, "keys.f_nwk_s_int_key.key");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct wire_bytes other = tts_bytes(node, others[i]);
        const char *path = within(check, session, others[i]);
        if (check->mac_version == MAC_V1_1 && !require(check, path)) return false;
        if (check->mac_version == MAC_V1_1 || other.size == 0) continue;
        bool same = other.size == first.size && memcmp(other.data, first.data, first.size) == 0;
        if (!same) return refuse(check, path);
    }
    return true;
}

static bool check_session(const struct check *check) {
    if (!has(check, "session")) {
        if (has(check, "mac_state")) return refuse_absent(check, "session");
        return check->join || refuse_absent(check, "session.dev_addr");
    }
    if (!check_session_keys(check, "session")) return false;
    bool id = tts_bytes(check->device, "session.keys.session_key_id").size > 0;
    if (id == check->join) return true;
    return check->join ? refuse_absent(check, "session.keys.session_key_id")
                       : refuse(check, "session.keys.session_key_id");
}

static bool check_pending(const struct check *check) {
    static const char *const keys[] = {"pending_session.keys.s_nwk_s_int_key.key",
                                       "pending_session.keys.nwk_s_enc_key.key"};
    if (!check->join && has(check, "pending_session")) return refuse(check, "pending_session");
    if (!check->join && has(check, "pending_mac_state")) return refuse(check, "pending_mac_state");
    if (!has(check, "pending_session")) return true;
    if (!check_session_keys(check, "pending_session")) return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!require(check, keys[i])) return false;
    }
    bool id = tts_bytes(check->device, "pending_session.keys.session_key_id").size > 0;
    return id || refuse_absent(check, "pending_session.keys.session_key_id");
}

static bool check_identifiers(const struct check *check) {
    bool dev_eui = has(check, "ids.dev_eui");
    if (check->join && !dev_eui) return refuse_absent(check, "ids.dev_eui");
    if (check->join && !has(check, "ids.join_eui")) return refuse_absent(check, "ids.join_eui");
    bool demanded = check->mac_version == MAC_V1_0_4 || check->mac_version == MAC_V1_1;
    if (!check->multicast && demanded && !dev_eui) return refuse_absent(check, "ids.dev_eui");
    struct wire_bytes said = tts_bytes(check->call->in, "end_device.ids.dev_addr");
    struct wire_bytes own = tts_bytes(check->device, "session.dev_addr");
    bool same = said.size == 0 || (said.size == own.size && memcmp(said.data, own.data, own.size) == 0);
    return same || refuse(check, "ids.dev_addr");
}

static bool check_multicast(const struct check *check) {
    static const char *const upward[] = {"session.last_f_cnt_up", "session.last_conf_f_cnt_down",
                                         "last_dev_status_received_at", "pending_session",
                                         "pending_mac_state"};
    if (!check->multicast) return true;
    if (check->join) return refuse(check, "supports_join");
    bool class_b_or_c = tts_number(check->device, "supports_class_b") != 0 ||
                        tts_number(check->device, "supports_class_c") != 0;
    if (!class_b_or_c) return refuse(check, "supports_class_b");
    for (size_t i = 0; i < sizeof upward / sizeof *upward; i++) {
        const struct tts_node *node = tts_find(check->device, upward[i]);
        if (node != NULL && (node->message != NULL || node->number != 0)) return refuse(check, upward[i]);
    }
    bool class_a = has(check, "mac_state") && tts_number(check->device, "mac_state.device_class") == 0;
    return !class_a || refuse(check, "mac_state.device_class");
}

// ---- MAC settings and states

static bool check_data_rate(const struct check *check, const char *path, bool wrapped) {
    const struct tts_node *node = tts_find(check->device, path);
    if (node == NULL) return true;
    uint64_t index = wrapped ? tts_number(node, "value") : node->number;
    return band_data_rate(check->band, (unsigned)index) != NULL || refuse(check, path);
}

static bool in_sub_band(const struct band *band, uint64_t frequency) {
    for (size_t i = 0; i < band->sub_band_count; i++) {
        const struct band_sub_band *sub_band = &band->sub_bands[i];
        if (frequency >= sub_band->min_frequency && frequency <= sub_band->max_frequency) return true;
    }
    return false;
}

static bool is_uplink_channel(const struct band *band, uint64_t frequency) {
    for (size_t i = 0; i < band->uplink_channel_count; i++) {
        if (band->uplink_channels[i].frequency == frequency) return true;
    }
    return false;
}

static bool check_factory_frequencies(const struct check *check) {
    const char *path = "mac_settings.factory_preset_frequencies";
    bool masks = check->band->cf_list_type == BAND_CF_LIST_CHANNEL_MASKS;
    for (const struct tts_node *node = tts_find(check->device, path); node != NULL;
         node = tts_next_entry(node)) {
        bool good =
            masks ? is_uplink_channel(check->band, node->number) : in_sub_band(check->band, node->number);
        if (!good) return refuse(check, path);
    }
    return true;
}

static bool check_settings(const struct check *check) {
    static const char *const data_rates[] = {
        "mac_settings.rx2_data_rate_index", "mac_settings.desired_rx2_data_rate_index",
        "mac_settings.ping_slot_data_rate_index", "mac_settings.desired_ping_slot_data_rate_index"};
    static const char *const dwell_times[] = {"mac_settings.uplink_dwell_time",
                                              "mac_settings.downlink_dwell_time"};
    for (size_t i = 0; i < sizeof data_rates / sizeof *data_rates; i++) {
        if (!check_data_rate(check, data_rates[i], true)) return false;
    }
    for (size_t i = 0; i < sizeof dwell_times / sizeof *dwell_times; i++) {
        if (has(check, dwell_times[i]) && !check->band->tx_param_setup_req)
            return refuse(check, dwell_times[i]);
    }
    bool adr = tts_number(check->device, "mac_settings.use_adr.value") != 0;
    if (adr && !check->band->supports_dynamic_adr) return refuse(check, "mac_settings.use_adr");
    bool class_b = tts_number(check->device, "supports_class_b") != 0;
    if (class_b && !check->join && !has(check, "mac_settings.ping_slot_periodicity")) {
        return refuse_absent(check, "mac_settings.ping_slot_periodicity");
    }
    if (class_b && check->band->ping_slot_frequency_count == 0 &&
        !has(check, "mac_settings.ping_slot_frequency")) {
        return refuse_absent(check, "mac_settings.ping_slot_frequency");
    }
    if (class_b && check->band->beacon_frequency_count == 0 && !has(check, "mac_settings.beacon_frequency")) {
        return refuse_absent(check, "mac_settings.beacon_frequency");
    }
    return check_factory_frequencies(check);
}

static bool check_parameters(const struct check *check, const char *prefix) {
    static const char *const dwell_times[] = {"uplink_dwell_time", "downlink_dwell_time"};
    const struct tts_node *node = tts_find(check->device, prefix);
    if (node == NULL) return true;
    if (tts_number(node, "adr_data_rate_index") > check->band->max_adr_data_rate_index) {
        return refuse(check, within(check, prefix, "adr_data_rate_index"));
    }
    if (tts_number(node, "adr_tx_power_index") > check->band->max_tx_power_index) {
        return refuse(check, within(check, prefix, "adr_tx_power_index"));
    }
    size_t channels = 0;
    const struct tts_node *channel = tts_find(node, "channels");
    for (; channel != NULL; channel = tts_next_entry(channel)) channels++;
    if (channels > check->band->max_uplink_channels) return refuse(check, within(check, prefix, "channels"));
    for (size_t i = 0; i < sizeof dwell_times / sizeof *dwell_times; i++) {
        bool there = tts_find(node, dwell_times[i]) != NULL;
        if (there && !check->band->tx_param_setup_req)
            return refuse(check, within(check, prefix, dwell_times[i]));
    }
    return check_data_rate(check, within(check, prefix, "rx2_data_rate_index"), false) &&
           check_data_rate(check, within(check, prefix, "ping_slot_data_rate_index_value"), true);
}

static bool check_states(const struct check *check) {
    static const char *const states[] = {"mac_state", "pending_mac_state"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!has(check, states[i])) continue;
        const char *version = within(check, states[i], "lorawan_version");
        if (tts_number(check->device, version) == 0) return refuse_absent(check, version);
        if (!check_parameters(check, within(check, states[i], "current_parameters"))) return false;
        if (!check_parameters(check, within(check, states[i], "desired_parameters"))) return false;
    }
    return true;
}

static bool check_kept(const struct check *check, const struct tts_node *old) {
    static const char *const kinds[] = {"supports_join", "multicast"};
    for (size_t i = 0; old != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        if (tts_number(old, kinds[i]) != tts_number(check->device, kinds[i])) return refuse(check, kinds[i]);
    }
    return true;
}

bool tts_check_network_device(struct tts_call *call, const struct tts_node *device,
                              const struct tts_node *old) {
    struct check check = {
        .call = call,
        .device = device,
        .mac_version = (enum mac_version)tts_number(device, "lorawan_version"),
        .join = tts_number(device, "supports_join") != 0,
        .multicast = tts_number(device, "multicast") != 0,
    };
    return check_kept(&check, old) && check_versions(&check) && check_identifiers(&check) &&
           check_multicast(&check) && check_session(&check) && check_pending(&check) &&
           check_settings(&check) && check_states(&check);
}
