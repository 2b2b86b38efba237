// SPDX-License-Identifier: Apache-2.0
// What the Network Server demands with respect to the band of the device's frequency plan.
#include <stdio.h>

#include "device/validate_p.h"
#include "lorawan/band.h"

static void check_data_rate(const struct check *check, const Tts__DataRateIndexValue *value,
                            const char *path) {
    if (value == NULL || band_data_rate(check->band, (unsigned)value->value) != NULL) return;
    findings_add(check->findings, path, "the band %s has no data rate %d", check->band->id,
                 (int)value->value);
}

static void check_most(const struct check *check, unsigned number, unsigned most, const char *path) {
    if (number <= most) return;
    findings_add(check->findings, path, "is %u, the band %s takes at most %u", number, check->band->id, most);
}

static void check_dwell_time(const struct check *check, const Tts__BoolValue *value, const char *path) {
    if (value == NULL || check->band->tx_param_setup_req) return;
    findings_add(check->findings, path, "must not be there: the band %s has no such setting",
                 check->band->id);
}

static bool frequency_in_sub_bands(const struct band_sub_band *sub_bands, size_t count, uint64_t frequency) {
    for (size_t i = 0; i < count; i++) {
        if (frequency >= sub_bands[i].min_frequency && frequency <= sub_bands[i].max_frequency) return true;
    }
    return false;
}

// The sub-bands of the band and those of the plan count alike.
static bool frequency_is_allowed(const struct check *check, uint64_t frequency) {
    const struct band *band = check->band;
    const struct frequency_plan *plan = check->plan;
    return frequency_in_sub_bands(band->sub_bands, band->sub_band_count, frequency) ||
           frequency_in_sub_bands(plan->sub_bands, plan->sub_band_count, frequency);
}

static bool frequency_is_channel(const struct band *band, uint64_t frequency) {
    for (size_t i = 0; i < band->uplink_channel_count; i++) {
        if (band->uplink_channels[i].frequency == frequency) return true;
    }
    return false;
}

static void check_factory_frequencies(const struct check *check, const Tts__MACSettings *settings) {
    const struct band *band = check->band;
    bool masks = band->cf_list_type == BAND_CF_LIST_CHANNEL_MASKS;
    for (size_t i = 0; i < settings->n_factory_preset_frequencies; i++) {
        uint64_t frequency = settings->factory_preset_frequencies[i];
        if (masks ? frequency_is_channel(band, frequency) : frequency_is_allowed(check, frequency)) continue;
        char path[64];
        snprintf(path, sizeof path, "mac_settings.factory_preset_frequencies[%zu]", i);
        findings_add(check->findings, path, masks ? "is no channel of the band %s" : "is outside the band %s",
                     band->id);
    }
}

static void check_static_adr(const struct check *check, const Tts__ADRSettings__StaticMode *mode) {
    check_most(check, (unsigned)mode->data_rate_index, check->band->max_adr_data_rate_index,
               "mac_settings.adr.static.data_rate_index");
    check_most(check, mode->tx_power_index, check->band->max_tx_power_index,
               "mac_settings.adr.static.tx_power_index");
}

#define DYNAMIC "mac_settings.adr.dynamic."

static void check_dynamic_adr(const struct check *check, const Tts__ADRSettings__DynamicMode *mode) {
    const struct {
        bool set[2];
        unsigned number[2];
        unsigned most;
        const char *path[2];
    } ranges[] = {
        {{mode->min_data_rate_index != NULL, mode->max_data_rate_index != NULL},
         {mode->min_data_rate_index == NULL ? 0 : (unsigned)mode->min_data_rate_index->value,
          mode->max_data_rate_index == NULL ? 0 : (unsigned)mode->max_data_rate_index->value},
         check->band->max_adr_data_rate_index,
         {DYNAMIC "min_data_rate_index", DYNAMIC "max_data_rate_index"}},
        {{mode->min_tx_power_index != NULL, mode->max_tx_power_index != NULL},
         {mode->min_tx_power_index == NULL ? 0 : mode->min_tx_power_index->value,
          mode->max_tx_power_index == NULL ? 0 : mode->max_tx_power_index->value},
         check->band->max_tx_power_index,
         {DYNAMIC "min_tx_power_index", DYNAMIC "max_tx_power_index"}},
        {{mode->min_nb_trans != NULL, mode->max_nb_trans != NULL},
         {mode->min_nb_trans == NULL ? 0 : mode->min_nb_trans->value,
          mode->max_nb_trans == NULL ? 0 : mode->max_nb_trans->value},
         UINT32_MAX,
         {DYNAMIC "min_nb_trans", DYNAMIC "max_nb_trans"}},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        for (int j = 0; j < 2; j++) {
            if (ranges[i].set[j]) check_most(check, ranges[i].number[j], ranges[i].most, ranges[i].path[j]);
        }
        if (ranges[i].set[0] && ranges[i].set[1] && ranges[i].number[0] > ranges[i].number[1]) {
            findings_add(check->findings, ranges[i].path[0], "is above its maximum");
        }
    }
}

static void check_adr(const struct check *check, const Tts__MACSettings *settings) {
    if (settings->use_adr != NULL && settings->use_adr->value && !check->band->supports_dynamic_adr) {
        findings_add(check->findings, "mac_settings.use_adr", "the band %s has no adaptive data rate",
                     check->band->id);
    }
    if (settings->adr == NULL) return;
    if (settings->adr->mode_case == TTS__ADRSETTINGS__MODE_STATIC) {
        check_static_adr(check, settings->adr->static_);
    } else if (settings->adr->mode_case == TTS__ADRSETTINGS__MODE_DYNAMIC) {
        check_dynamic_adr(check, settings->adr->dynamic);
    }
}

static void check_settings(const struct check *check, const Tts__MACSettings *settings) {
    check_data_rate(check, settings->rx2_data_rate_index, "mac_settings.rx2_data_rate_index");
    check_data_rate(check, settings->desired_rx2_data_rate_index, "mac_settings.desired_rx2_data_rate_index");
    check_data_rate(check, settings->ping_slot_data_rate_index, "mac_settings.ping_slot_data_rate_index");
    check_data_rate(check, settings->desired_ping_slot_data_rate_index,
                    "mac_settings.desired_ping_slot_data_rate_index");
    check_dwell_time(check, settings->uplink_dwell_time, "mac_settings.uplink_dwell_time");
    check_dwell_time(check, settings->downlink_dwell_time, "mac_settings.downlink_dwell_time");
    check_factory_frequencies(check, settings);
    check_adr(check, settings);
}

static bool frequency_given(const Tts__ZeroableFrequencyValue *value) {
    return value != NULL && value->value > 0;
}

// A class B device must know where beacons and ping slots are.
static void check_class_b(const struct check *check) {
    const Tts__MACSettings *settings = check->device->mac_settings;
    bool ping = check->band->ping_slot_frequency_count > 0 || check->plan->ping_slot_frequency > 0;
    bool beacon = check->band->beacon_frequency_count > 0;
    if (!ping && (settings == NULL || !frequency_given(settings->ping_slot_frequency))) {
        findings_add(check->findings, "mac_settings.ping_slot_frequency",
                     "is missing: the band %s has no default for class B", check->band->id);
    }
    if (!beacon && (settings == NULL || !frequency_given(settings->beacon_frequency))) {
        findings_add(check->findings, "mac_settings.beacon_frequency",
                     "is missing: the band %s has no default for class B", check->band->id);
    }
}

static void check_parameters(const struct check *check, const Tts__MACParameters *parameters,
                             const char *state, const char *which) {
    char path[80];
    const struct band *band = check->band;
    if (parameters == NULL) return;
#define AT(member) (snprintf(path, sizeof path, "%s.%s_parameters.%s", state, which, member), path)
    check_most(check, (unsigned)parameters->adr_data_rate_index, band->max_adr_data_rate_index,
               AT("adr_data_rate_index"));
    check_most(check, parameters->adr_tx_power_index, band->max_tx_power_index, AT("adr_tx_power_index"));
    check_most(check, (unsigned)parameters->n_channels, band->max_uplink_channels, AT("channels"));
    if (band_data_rate(band, (unsigned)parameters->rx2_data_rate_index) == NULL) {
        findings_add(check->findings, AT("rx2_data_rate_index"), "the band %s has no data rate %d", band->id,
                     (int)parameters->rx2_data_rate_index);
    }
    check_data_rate(check, parameters->ping_slot_data_rate_index_value,
                    AT("ping_slot_data_rate_index_value"));
    check_dwell_time(check, parameters->uplink_dwell_time, AT("uplink_dwell_time"));
    check_dwell_time(check, parameters->downlink_dwell_time, AT("downlink_dwell_time"));
#undef AT
}

static void check_state(const struct check *check, const Tts__MACState *state, const char *path) {
    if (state == NULL) return;
    check_parameters(check, state->current_parameters, path, "current");
    check_parameters(check, state->desired_parameters, path, "desired");
}

void check_band(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    if (device->mac_settings != NULL) check_settings(check, device->mac_settings);
    if (device->supports_class_b) check_class_b(check);
    check_state(check, device->mac_state, "mac_state");
    check_state(check, device->pending_mac_state, "pending_mac_state");
}

void device_note_band(struct device *device, const struct frequency_plans *plans) {
    const Tts__EndDevice *message = device->end_device;
    const Tts__MACParameters *current =
        message->mac_state == NULL ? NULL : message->mac_state->current_parameters;
    int version = (int)message->lorawan_phy_version;
    struct check check = {.device = message, .plan = frequency_plans_find(plans, message->frequency_plan_id)};
    if (message->session == NULL || current == NULL || check.plan == NULL) return;
    if (version <= PHY_UNKNOWN || version >= PHY_VERSION_COUNT) return;
    check.band = band_find(check.plan->band_id, (enum phy_version)version);
    if (check.band == NULL) return;
    size_t outside = 0, all = 0;
    for (size_t i = 0; i < current->n_channels; i++) {
        uint64_t frequency = current->channels[i]->uplink_frequency;
        if (frequency == 0) continue;
        all++;
        if (!frequency_is_allowed(&check, frequency)) outside++;
    }
    if (outside == 0) return;
    device_note(
        device, "mac_state.current_parameters.channels",
        "%zu of %zu are outside the band %s of its frequency plan %s: with the plan of another region "
        "the device is not heard",
        outside, all, check.band->id, check.plan->id);
}
