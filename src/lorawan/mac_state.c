// SPDX-License-Identifier: Apache-2.0
#include "lorawan/mac_state.h"

// What a state is computed from, looked up and checked.
struct basis {
    const struct frequency_plan *plan;
    const struct mac_settings *settings;
    const struct band *band;
};

static const float device_eirps[] = {8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36};

float mac_device_eirp(unsigned index) {
    return device_eirps[index];
}

// The value of a setting, or what stands in for it.
static uint8_t pick(struct mac_optional setting, uint8_t otherwise) {
    return setting.set ? setting.value : otherwise;
}

static uint64_t pick_frequency(uint64_t setting, uint64_t otherwise) {
    return setting != 0 ? setting : otherwise;
}

// A band's frequency counts only where it is the only one; of several the device hops through them all.
static uint32_t only_one(const uint32_t *frequencies, size_t count) {
    return count == 1 ? frequencies[0] : 0;
}

static struct mac_channel *find_channel(struct mac_parameters *parameters, uint64_t uplink_frequency) {
    for (size_t i = 0; i < parameters->channel_count; i++)
        if (parameters->channels[i].uplink_frequency == uplink_frequency) return &parameters->channels[i];
    return NULL;
}

static int add_channel(const struct basis *basis, struct mac_parameters *parameters,
                       struct mac_channel channel, struct error *error) {
    if (parameters->channel_count >= basis->band->max_uplink_channels ||
        parameters->channel_count >= MAC_CHANNELS_MAX)
        return error_set(error, ERROR_DEVICE,
                         "frequency plan %s: the device needs more than the %u channels that band %s allows",
                         basis->plan->id, basis->band->max_uplink_channels, basis->band->id);
    parameters->channels[parameters->channel_count++] = channel;
    return 0;
}

static int add_factory_presets(const struct basis *basis, struct mac_parameters *current,
                               struct error *error) {
    const struct mac_settings *settings = basis->settings;
    for (size_t i = 0; i < settings->factory_preset_frequency_count; i++) {
        uint64_t frequency = settings->factory_preset_frequencies[i];
        struct mac_channel *channel = find_channel(current, frequency);
        if (channel != NULL) {
            channel->enable_uplink = true;
        } else if (basis->band->cf_list_type == BAND_CF_LIST_FREQUENCIES) {
            struct mac_channel added = {
                .uplink_frequency = frequency,
                .downlink_frequency = frequency,
                .max_data_rate_index = basis->band->max_adr_data_rate_index,
                .enable_uplink = true,
            };
            int result = add_channel(basis, current, added, error);
            if (result != 0) return result;
        }
    }
    return 0;
}

static int current_channels(const struct basis *basis, struct mac_parameters *current, struct error *error) {
    const struct band *band = basis->band;
    bool enabled = basis->settings->factory_preset_frequency_count == 0;
    for (size_t i = 0; i < band->uplink_channel_count; i++) {
        struct mac_channel channel = {
            .uplink_frequency = band->uplink_channels[i].frequency,
            .downlink_frequency = band->downlink_channels[i % band->downlink_channel_count].frequency,
            .min_data_rate_index = band->uplink_channels[i].min_data_rate,
            .max_data_rate_index = band->uplink_channels[i].max_data_rate,
            .enable_uplink = enabled,
        };
        int result = add_channel(basis, current, channel, error);
        if (result != 0) return result;
    }
    return add_factory_presets(basis, current, error);
}

// The plan only chooses among the band's channels.
static void desired_by_mask(const struct basis *basis, struct mac_parameters *desired) {
    const struct frequency_plan *plan = basis->plan;
    for (size_t i = 0; i <= plan->uplink_channel_count; i++) {
        uint32_t frequency = i < plan->uplink_channel_count ? plan->uplink_channels[i].frequency
                                                            : plan->lora_standard_channel.frequency;
        struct mac_channel *channel = frequency == 0 ? NULL : find_channel(desired, frequency);
        if (channel != NULL) channel->enable_uplink = true;
    }
}

// The plan's channels come on top of the band's.
static int desired_by_frequency(const struct basis *basis, struct mac_parameters *desired,
                                struct error *error) {
    const struct frequency_plan *plan = basis->plan;
    for (size_t i = 0; i < plan->uplink_channel_count; i++) {
        const struct band_channel *uplink = &plan->uplink_channels[i];
        struct mac_channel *channel = find_channel(desired, uplink->frequency);
        if (channel != NULL) {
            channel->min_data_rate_index = uplink->min_data_rate;
            channel->max_data_rate_index = uplink->max_data_rate;
            channel->enable_uplink = true;
            continue;
        }
        struct mac_channel added = {
            .uplink_frequency = uplink->frequency,
            .downlink_frequency =
                i < plan->downlink_channel_count ? plan->downlink_channels[i].frequency : uplink->frequency,
            .min_data_rate_index = uplink->min_data_rate,
            .max_data_rate_index = uplink->max_data_rate,
            .enable_uplink = true,
        };
        int result = add_channel(basis, desired, added, error);
        if (result != 0) return result;
    }
    return 0;
}

static int desired_channels(const struct basis *basis, const struct mac_parameters *current,
                            struct mac_parameters *desired, struct error *error) {
    desired->channel_count = current->channel_count;
    for (size_t i = 0; i < current->channel_count; i++) {
        desired->channels[i] = current->channels[i];
        desired->channels[i].enable_uplink = false;
    }
    if (basis->band->cf_list_type == BAND_CF_LIST_FREQUENCIES)
        return desired_by_frequency(basis, desired, error);
    desired_by_mask(basis, desired);
    return 0;
}

static int current_parameters(const struct basis *basis, struct mac_parameters *current,
                              struct error *error) {
    const struct band *band = basis->band;
    const struct mac_settings *settings = basis->settings;
    current->max_eirp = band->default_max_eirp;
    current->adr_nb_trans = 1;
    current->rx1_delay = pick(settings->rx1_delay, band->receive_delay_1);
    current->rx1_data_rate_offset = pick(settings->rx1_data_rate_offset, 0);
    current->rx2_data_rate_index = pick(settings->rx2_data_rate_index, band->rx2_data_rate_index);
    current->rx2_frequency = pick_frequency(settings->rx2_frequency, band->rx2_frequency);
    current->max_duty_cycle = pick(settings->max_duty_cycle, 0);
    current->ping_slot_frequency =
        pick_frequency(settings->ping_slot_frequency,
                       only_one(band->ping_slot_frequencies, band->ping_slot_frequency_count));
    current->beacon_frequency = pick_frequency(
        settings->beacon_frequency, only_one(band->beacon_frequencies, band->beacon_frequency_count));
    if (band->tx_param_setup_req) {
        current->uplink_dwell_time = settings->uplink_dwell_time;
        current->downlink_dwell_time = settings->downlink_dwell_time;
    }
    current->adr_ack_limit_exponent = band->adr_ack_limit_exponent;
    current->adr_ack_delay_exponent = band->adr_ack_delay_exponent;
    current->ping_slot_data_rate_index =
        pick(settings->ping_slot_data_rate_index, band->beacon_data_rate_index);
    return current_channels(basis, current, error);
}

static float desired_eirp(const struct basis *basis) {
    float band_eirp = basis->band->default_max_eirp;
    float plan_eirp = basis->plan->max_eirp;
    if (basis->settings->desired_max_eirp.set)
        return mac_device_eirp(basis->settings->desired_max_eirp.value);
    return plan_eirp > 0 && plan_eirp < band_eirp ? plan_eirp : band_eirp;
}

// Where the plan says nothing the network asks for limited dwell time: the careful choice.
static struct mac_optional desired_dwell_time(const struct basis *basis, uint8_t plan) {
    return (struct mac_optional){.set = basis->band->tx_param_setup_req, .value = plan != BAND_FALSE};
}

static int desired_parameters(const struct basis *basis, const struct mac_parameters *current,
                              struct mac_parameters *desired, struct error *error) {
    const struct band *band = basis->band;
    const struct frequency_plan *plan = basis->plan;
    const struct mac_settings *settings = basis->settings;
    uint8_t rx2 = plan->rx2_data_rate >= 0 ? (uint8_t)plan->rx2_data_rate : current->rx2_data_rate_index;
    uint8_t ping_slot = plan->ping_slot_data_rate >= 0 ? (uint8_t)plan->ping_slot_data_rate
                                                       : current->ping_slot_data_rate_index;
    desired->max_eirp = desired_eirp(basis);
    desired->adr_nb_trans = 1;
    desired->rx1_delay = pick(settings->desired_rx1_delay, current->rx1_delay);
    desired->rx1_data_rate_offset =
        pick(settings->desired_rx1_data_rate_offset, current->rx1_data_rate_offset);
    desired->rx2_data_rate_index = pick(settings->desired_rx2_data_rate_index, rx2);
    desired->rx2_frequency = pick_frequency(settings->desired_rx2_frequency,
                                            pick_frequency(plan->rx2_frequency, current->rx2_frequency));
    desired->max_duty_cycle = pick(settings->desired_max_duty_cycle, current->max_duty_cycle);
    desired->ping_slot_frequency =
        pick_frequency(settings->desired_ping_slot_frequency,
                       pick_frequency(plan->ping_slot_frequency, current->ping_slot_frequency));
    desired->beacon_frequency = pick_frequency(settings->desired_beacon_frequency, current->beacon_frequency);
    if (band->tx_param_setup_req) {
        desired->uplink_dwell_time = desired_dwell_time(basis, plan->dwell_uplinks);
        desired->downlink_dwell_time = desired_dwell_time(basis, plan->dwell_downlinks);
    }
    desired->adr_ack_limit_exponent =
        pick(settings->desired_adr_ack_limit_exponent, band->adr_ack_limit_exponent);
    desired->adr_ack_delay_exponent =
        pick(settings->desired_adr_ack_delay_exponent, band->adr_ack_delay_exponent);
    desired->ping_slot_data_rate_index = pick(settings->desired_ping_slot_data_rate_index, ping_slot);
    return desired_channels(basis, current, desired, error);
}

// A multicast group never sends: its channels have no uplink, and nothing is asked of it.
static void make_multicast(struct mac_state *state) {
    for (size_t i = 0; i < state->current.channel_count; i++) {
        struct mac_channel *channel = &state->current.channels[i];
        *channel = (struct mac_channel){.downlink_frequency = channel->downlink_frequency};
    }
    state->desired = state->current;
}

static int choose_class(const struct mac_device *device, enum mac_class *ret_class, struct error *error) {
    if (!device->multicast) {
        bool starts_in_c = device->supports_class_c && mac_version_compare(device->mac_version, MAC_V1_1) < 0;
        *ret_class = starts_in_c ? MAC_CLASS_C : MAC_CLASS_A;
        return 0;
    }
    if (!device->supports_class_b && !device->supports_class_c)
        return error_set(error, ERROR_DEVICE, "a multicast device must support class B or class C");
    *ret_class = device->supports_class_c ? MAC_CLASS_C : MAC_CLASS_B;
    return 0;
}

static int check_exponents(const struct mac_settings *settings, struct error *error) {
    const struct {
        const char *name;
        struct mac_optional setting;
        uint8_t most;
    } checks[] = {
        {"rx1_delay", settings->rx1_delay, 15},
        {"rx1_data_rate_offset", settings->rx1_data_rate_offset, 7},
        {"rx2_data_rate_index", settings->rx2_data_rate_index, 15},
        {"max_duty_cycle", settings->max_duty_cycle, 15},
        {"ping_slot_periodicity", settings->ping_slot_periodicity, 7},
        {"ping_slot_data_rate_index", settings->ping_slot_data_rate_index, 15},
        {"uplink_dwell_time", settings->uplink_dwell_time, 1},
        {"downlink_dwell_time", settings->downlink_dwell_time, 1},
        {"desired_rx1_delay", settings->desired_rx1_delay, 15},
        {"desired_rx1_data_rate_offset", settings->desired_rx1_data_rate_offset, 7},
        {"desired_rx2_data_rate_index", settings->desired_rx2_data_rate_index, 15},
        {"desired_max_duty_cycle", settings->desired_max_duty_cycle, 15},
        {"desired_adr_ack_limit_exponent", settings->desired_adr_ack_limit_exponent, 15},
        {"desired_adr_ack_delay_exponent", settings->desired_adr_ack_delay_exponent, 15},
        {"desired_ping_slot_data_rate_index", settings->desired_ping_slot_data_rate_index, 15},
        {"desired_max_eirp", settings->desired_max_eirp, 15},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].setting.set && checks[i].setting.value > checks[i].most)
            return error_set(error, ERROR_DEVICE, "MAC setting %s is %u, more than %u", checks[i].name,
                             checks[i].setting.value, checks[i].most);
    if (settings->factory_preset_frequency_count > MAC_FACTORY_FREQUENCIES_MAX)
        return error_set(error, ERROR_DEVICE, "more than %d factory preset frequencies",
                         MAC_FACTORY_FREQUENCIES_MAX);
    return 0;
}

int mac_state_first(const struct mac_device *device, struct mac_state *ret_state, struct error *error) {
    static const struct mac_settings nothing = {0};
    struct basis basis = {
        .plan = device->plan,
        .settings = device->settings != NULL ? device->settings : &nothing,
        .band = band_find(device->plan->band_id, device->phy_version),
    };
    struct mac_state state = {.mac_version = device->mac_version};
    if (device->mac_version == MAC_UNKNOWN || mac_version_name(device->mac_version) == NULL)
        return error_set(error, ERROR_DEVICE, "the device has no known MAC version");
    if (basis.band == NULL)
        return error_set(error, ERROR_DEVICE, "frequency plan %s: band %s has no PHY version %s",
                         device->plan->id, device->plan->band_id, phy_version_text(device->phy_version));
    int result = check_exponents(basis.settings, error);
    if (result == 0) result = choose_class(device, &state.device_class, error);
    if (result == 0) result = current_parameters(&basis, &state.current, error);
    if (result == 0 && !device->multicast)
        result = desired_parameters(&basis, &state.current, &state.desired, error);
    if (result != 0) return result;
    if (device->multicast) make_multicast(&state);
    state.ping_slot_periodicity = basis.settings->ping_slot_periodicity;
    *ret_state = state;
    return 0;
}
