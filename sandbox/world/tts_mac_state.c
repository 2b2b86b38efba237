// SPDX-License-Identifier: Apache-2.0
// The MAC state that the Network Server makes of its own for a device.
#include <string.h>

#include "lorawan/mac_state.h"
#include "world/tts_p.h"

// The server's own, unless the device's settings say otherwise.
enum { RX1_DELAY_DEFAULT = 5 };

static struct mac_optional optional(const struct tts_node *settings, const char *name) {
    const struct tts_node *node = tts_find(settings, name);
    return (struct mac_optional){.set = node != NULL, .value = (uint8_t)tts_number(node, "value")};
}

static uint64_t frequency(const struct tts_node *settings, const char *name) {
    return tts_number(tts_find(settings, name), "value");
}

static void read_factory_frequencies(struct arena *arena, const struct tts_node *settings,
                                     struct mac_settings *ret_settings) {
    uint64_t *frequencies = arena_new_array(arena, uint64_t, MAC_FACTORY_FREQUENCIES_MAX);
    size_t count = 0;
    const struct tts_node *entry = tts_find(settings, "factory_preset_frequencies");
    for (; entry != NULL && count < MAC_FACTORY_FREQUENCIES_MAX; entry = tts_next_entry(entry)) {
        frequencies[count++] = entry->number;
    }
    ret_settings->factory_preset_frequencies = frequencies;
    ret_settings->factory_preset_frequency_count = count;
}

static void read_settings(struct arena *arena, const struct tts_node *settings, bool join,
                          struct mac_settings *ret_settings) {
    struct mac_optional rx1_delay = optional(settings, "rx1_delay");
    // A device that joins learns the network's delay; one that does not has its own.
    if (!rx1_delay.set) rx1_delay = (struct mac_optional){true, RX1_DELAY_DEFAULT};
    struct mac_optional desired = optional(settings, "desired_rx1_delay");
    if (!desired.set) desired = join ? rx1_delay : (struct mac_optional){true, RX1_DELAY_DEFAULT};
    *ret_settings = (struct mac_settings){
        .rx1_delay = rx1_delay,
        .rx1_data_rate_offset = optional(settings, "rx1_data_rate_offset"),
        .rx2_data_rate_index = optional(settings, "rx2_data_rate_index"),
        .max_duty_cycle = optional(settings, "max_duty_cycle"),
        .ping_slot_periodicity = optional(settings, "ping_slot_periodicity"),
        .ping_slot_data_rate_index = optional(settings, "ping_slot_data_rate_index"),
        .uplink_dwell_time = optional(settings, "uplink_dwell_time"),
        .downlink_dwell_time = optional(settings, "downlink_dwell_time"),
        .rx2_frequency = frequency(settings, "rx2_frequency"),
        .ping_slot_frequency = frequency(settings, "ping_slot_frequency"),
        .beacon_frequency = frequency(settings, "beacon_frequency"),
        .desired_rx1_delay = desired,
        .desired_rx1_data_rate_offset = optional(settings, "desired_rx1_data_rate_offset"),
        .desired_rx2_data_rate_index = optional(settings, "desired_rx2_data_rate_index"),
        .desired_max_duty_cycle = optional(settings, "desired_max_duty_cycle"),
        .desired_adr_ack_limit_exponent = optional(settings, "desired_adr_ack_limit_exponent"),
        .desired_adr_ack_delay_exponent = optional(settings, "desired_adr_ack_delay_exponent"),
        .desired_ping_slot_data_rate_index = optional(settings, "desired_ping_slot_data_rate_index"),
        .desired_max_eirp = optional(settings, "desired_max_eirp"),
        .desired_rx2_frequency = frequency(settings, "desired_rx2_frequency"),
        .desired_ping_slot_frequency = frequency(settings, "desired_ping_slot_frequency"),
        .desired_beacon_frequency = frequency(settings, "desired_beacon_frequency"),
    };
    read_factory_frequencies(arena, settings, ret_settings);
}

static void put_optional(struct arena *arena, struct tts_node *node, const char *path,
                         struct mac_optional value) {
    if (value.set) tts_set_number(arena, node, path, value.value);
}

static void put_channels(struct arena *arena, struct tts_node *node,
                         const struct mac_parameters *parameters) {
    for (size_t i = 0; i < parameters->channel_count; i++) {
        const struct mac_channel *channel = &parameters->channels[i];
        struct tts_node *entry = tts_add(arena, node, "channels");
        tts_set_number(arena, entry, "uplink_frequency", channel->uplink_frequency);
        tts_set_number(arena, entry, "downlink_frequency", channel->downlink_frequency);
        tts_set_number(arena, entry, "min_data_rate_index", channel->min_data_rate_index);
        tts_set_number(arena, entry, "max_data_rate_index", channel->max_data_rate_index);
        tts_set_number(arena, entry, "enable_uplink", channel->enable_uplink);
    }
}

static void put_parameters(struct arena *arena, struct tts_node *node,
                           const struct mac_parameters *parameters) {
    tts_set_float(arena, node, "max_eirp", parameters->max_eirp);
    tts_set_number(arena, node, "adr_data_rate_index", parameters->adr_data_rate_index);
    tts_set_number(arena, node, "adr_tx_power_index", parameters->adr_tx_power_index);
    tts_set_number(arena, node, "adr_nb_trans", parameters->adr_nb_trans);
    tts_set_number(arena, node, "rx1_delay", parameters->rx1_delay);
    tts_set_number(arena, node, "rx1_data_rate_offset", parameters->rx1_data_rate_offset);
    tts_set_number(arena, node, "rx2_data_rate_index", parameters->rx2_data_rate_index);
    tts_set_number(arena, node, "rx2_frequency", parameters->rx2_frequency);
    tts_set_number(arena, node, "max_duty_cycle", parameters->max_duty_cycle);
    tts_set_number(arena, node, "ping_slot_frequency", parameters->ping_slot_frequency);
    tts_set_number(arena, node, "beacon_frequency", parameters->beacon_frequency);
    put_channels(arena, node, parameters);
    put_optional(arena, node, "uplink_dwell_time.value", parameters->uplink_dwell_time);
    put_optional(arena, node, "downlink_dwell_time.value", parameters->downlink_dwell_time);
    tts_set_number(arena, node, "adr_ack_limit_exponent.value", parameters->adr_ack_limit_exponent);
    tts_set_number(arena, node, "adr_ack_delay_exponent.value", parameters->adr_ack_delay_exponent);
    tts_set_number(arena, node, "ping_slot_data_rate_index_value.value",
                   parameters->ping_slot_data_rate_index);
}

bool tts_put_mac_state(struct arena *arena, struct tts_node *device, const char *path) {
    struct mac_settings settings;
    read_settings(arena, tts_find(device, "mac_settings"), tts_number(device, "supports_join") != 0,
                  &settings);
    const struct mac_device described = {
        .plan = frequency_plans_find(frequency_plans_builtin(), tts_text(arena, device, "frequency_plan_id")),
        .phy_version = (enum phy_version)tts_number(device, "lorawan_phy_version"),
        .mac_version = (enum mac_version)tts_number(device, "lorawan_version"),
        .settings = &settings,
        .supports_class_b = tts_number(device, "supports_class_b") != 0,
        .supports_class_c = tts_number(device, "supports_class_c") != 0,
        .multicast = tts_number(device, "multicast") != 0,
    };
    struct mac_state *state = arena_new(arena, struct mac_state);
    if (described.plan == NULL || mac_state_first(&described, state, NULL) != 0) return false;
    tts_drop(device, path);
    struct tts_node *node = tts_make(arena, device, path);
    put_parameters(arena, tts_make(arena, node, "current_parameters"), &state->current);
    put_parameters(arena, tts_make(arena, node, "desired_parameters"), &state->desired);
    tts_set_number(arena, node, "device_class", state->device_class);
    tts_set_number(arena, node, "lorawan_version", state->mac_version);
    put_optional(arena, node, "ping_slot_periodicity.value", state->ping_slot_periodicity);
    return true;
}
