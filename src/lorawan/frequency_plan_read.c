// SPDX-License-Identifier: Apache-2.0
#include "lorawan/frequency_plan_read_p.h"

#include <string.h>

enum {
    FREQUENCY_MIN = 100000,  // Hz, as The Things Stack demands
    DATA_RATE_MAX = 15,
    CHANNELS_MAX = 255,
    SUB_BANDS_MAX = 64,
    EIRP_MAX = 100,
};

static int read_frequency(struct yaml_value mapping, const char *key, uint32_t *ret, struct error *error) {
    uint64_t frequency = 0;
    struct yaml_value value = yaml_member(mapping, key);
    if (value.node == NULL) return yaml_fail(mapping, error, "%s is missing", key);
    int result = yaml_integer(value, key, FREQUENCY_MIN, UINT32_MAX, &frequency, error);
    if (result == 0) *ret = (uint32_t)frequency;
    return result;
}

// A data rate that is 0 if it is not given.
static int read_data_rate(struct yaml_value mapping, const char *key, uint8_t *ret, struct error *error) {
    uint64_t rate = 0;
    struct yaml_value value = yaml_member(mapping, key);
    int result = value.node == NULL ? 0 : yaml_integer(value, key, 0, DATA_RATE_MAX, &rate, error);
    if (result == 0) *ret = (uint8_t)rate;
    return result;
}

// A channel's dwell time does not reach devices; only what is wrong with it matters.
static int check_channel_dwell(struct draft *draft, enum draft_place place, struct yaml_value channel,
                               struct error *error) {
    struct yaml_value dwell = yaml_member(channel, "dwell-time");
    bool enabled = false;
    int64_t duration = 0;
    if (dwell.node == NULL) return 0;
    int result = yaml_check_mapping(dwell, "dwell-time", error);
    if (result != 0) return result;
    struct yaml_value value = yaml_member(dwell, "enabled");
    if (value.node != NULL) result = yaml_boolean(value, "enabled", &enabled, error);
    value = yaml_member(dwell, "duration");
    if (result == 0 && value.node != NULL) result = yaml_duration(value, "duration", &duration, error);
    if (result == 0 && enabled && duration == 0) draft->open_dwell[place] = dwell;
    return result;
}

static void begin_place(struct draft *draft, enum draft_place place, struct yaml_value value) {
    draft->places[place] = value;
    draft->open_dwell[place] = (struct yaml_value){0};
}

static int read_channel(struct draft *draft, enum draft_place place, struct yaml_value value,
                        struct band_channel *channel, struct error *error) {
    int result = yaml_check_mapping(value, "the channel", error);
    if (result == 0) result = read_frequency(value, "frequency", &channel->frequency, error);
    if (result == 0) result = read_data_rate(value, "min-data-rate", &channel->min_data_rate, error);
    if (result == 0) result = read_data_rate(value, "max-data-rate", &channel->max_data_rate, error);
    if (result == 0) result = check_channel_dwell(draft, place, value, error);
    if (result == 0 && channel->min_data_rate > channel->max_data_rate)
        result = yaml_fail(value, error, "min-data-rate is above max-data-rate");
    return result;
}

static int read_channels(struct draft *draft, enum draft_place place, struct yaml_value list,
                         const struct band_channel **ret_channels, uint8_t *ret_count, struct error *error) {
    int result = yaml_check_list(list, "the list of channels", CHANNELS_MAX, error);
    if (result != 0 || yaml_count(list) == 0) return result;
    size_t count = yaml_count(list);
    struct band_channel *channels = arena_new_array(draft->arena, struct band_channel, count);
    begin_place(draft, place, list);
    for (size_t i = 0; i < count && result == 0; i++)
        result = read_channel(draft, place, yaml_item(list, i), &channels[i], error);
    if (result != 0) return result;
    *ret_channels = channels;
    *ret_count = (uint8_t)count;
    return 0;
}

static int read_band_id(struct draft *draft, struct yaml_value value, struct error *error) {
    const char *id = NULL;
    int result = yaml_text(value, "band-id", FREQUENCY_PLAN_ID_MAX, draft->arena, &id, error);
    if (result != 0) return result;
    if (!band_known(id)) return yaml_fail(value, error, "band \"%s\" is not known", id);
    draft->plan.band_id = id;
    return 0;
}

static int read_uplinks(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_channels(draft, DRAFT_UPLINKS, value, &draft->plan.uplink_channels,
                         &draft->plan.uplink_channel_count, error);
}

static int read_downlinks(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_channels(draft, DRAFT_DOWNLINKS, value, &draft->plan.downlink_channels,
                         &draft->plan.downlink_channel_count, error);
}

static int read_fixed_channel(struct draft *draft, enum draft_place place, struct yaml_value value,
                              struct frequency_plan_fixed_channel *ret, struct error *error) {
    struct frequency_plan_fixed_channel channel = {0};
    begin_place(draft, place, value);
    int result = yaml_check_mapping(value, "the channel", error);
    if (result == 0) result = read_frequency(value, "frequency", &channel.frequency, error);
    if (result == 0) result = read_data_rate(value, "data-rate", &channel.data_rate, error);
    if (result == 0) result = check_channel_dwell(draft, place, value, error);
    if (result == 0) *ret = channel;
    return result;
}

static int read_lora_standard(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_fixed_channel(draft, DRAFT_LORA_STANDARD, value, &draft->plan.lora_standard_channel, error);
}

static int read_fsk(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_fixed_channel(draft, DRAFT_FSK, value, &draft->plan.fsk_channel, error);
}

// A channel of which only the frequency matters.
static int read_single(struct draft *draft, enum draft_place place, struct yaml_value value,
                       uint32_t *ret_frequency, struct error *error) {
    struct band_channel channel = {0};
    begin_place(draft, place, value);
    int result = read_channel(draft, place, value, &channel, error);
    if (result == 0) *ret_frequency = channel.frequency;
    return result;
}

static int read_ping_slot(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_single(draft, DRAFT_PING_SLOT, value, &draft->plan.ping_slot_frequency, error);
}

static int read_rx2(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_single(draft, DRAFT_RX2, value, &draft->plan.rx2_frequency, error);
}

static int read_rate_override(struct yaml_value value, const char *what, int8_t *ret, struct error *error) {
    uint64_t rate = 0;
    int result = yaml_integer(value, what, 0, DATA_RATE_MAX, &rate, error);
    if (result == 0) *ret = (int8_t)rate;
    return result;
}

static int read_ping_slot_rate(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_rate_override(value, "ping-slot-default-data-rate", &draft->plan.ping_slot_data_rate, error);
}

static int read_rx2_rate(struct draft *draft, struct yaml_value value, struct error *error) {
    return read_rate_override(value, "rx2-default-data-rate", &draft->plan.rx2_data_rate, error);
}

static int read_max_eirp(struct draft *draft, struct yaml_value value, struct error *error) {
    return yaml_decimal(value, "max-eirp", -EIRP_MAX, EIRP_MAX, &draft->plan.max_eirp, error);
}

static int read_tristate(struct yaml_value mapping, const char *key, uint8_t *ret, struct error *error) {
    struct yaml_value value = yaml_member(mapping, key);
    bool truth = false;
    *ret = BAND_UNSET;
    if (value.node == NULL) return 0;
    int result = yaml_boolean(value, key, &truth, error);
    if (result == 0) *ret = truth ? BAND_TRUE : BAND_FALSE;
    return result;
}

static int read_dwell_time(struct draft *draft, struct yaml_value value, struct error *error) {
    uint8_t uplinks = BAND_UNSET, downlinks = BAND_UNSET;
    int64_t duration = 0;
    int result = yaml_check_mapping(value, "dwell-time", error);
    if (result == 0) result = read_tristate(value, "uplinks", &uplinks, error);
    if (result == 0) result = read_tristate(value, "downlinks", &downlinks, error);
    if (result != 0) return result;
    struct yaml_value member = yaml_member(value, "duration");
    if (member.node != NULL) result = yaml_duration(member, "duration", &duration, error);
    if (result != 0) return result;
    if (duration == 0 && (uplinks == BAND_TRUE || downlinks == BAND_TRUE))
        return yaml_fail(value, error, "dwell-time is on, but has no duration");
    if (member.node == NULL && uplinks == BAND_UNSET && downlinks == BAND_UNSET) return 0;  // says nothing
    draft->plan.dwell_uplinks = uplinks;
    draft->plan.dwell_downlinks = downlinks;
    draft->plan.dwell_duration = duration;
    return 0;
}

static int read_optional_decimal(struct yaml_value mapping, const char *key, float least, float most,
                                 float *ret, struct error *error) {
    struct yaml_value value = yaml_member(mapping, key);
    *ret = 0;
    return value.node == NULL ? 0 : yaml_decimal(value, key, least, most, ret, error);
}

static int read_listen_before_talk(struct draft *draft, struct yaml_value value, struct error *error) {
    struct frequency_plan *plan = &draft->plan;
    int result = yaml_check_mapping(value, "listen-before-talk", error);
    if (result == 0)
        result = read_optional_decimal(value, "rssi-target", -200, 100, &plan->lbt_rssi_target, error);
    if (result == 0)
        result = read_optional_decimal(value, "rssi-offset", -200, 200, &plan->lbt_rssi_offset, error);
    if (result != 0) return result;
    struct yaml_value scan = yaml_member(value, "scan-time");
    plan->lbt_scan_time = 0;
    if (scan.node != NULL) result = yaml_duration(scan, "scan-time", &plan->lbt_scan_time, error);
    if (result == 0) plan->listen_before_talk = true;
    return result;
}

static int read_sub_band(struct yaml_value value, struct band_sub_band *sub_band, struct error *error) {
    int result = yaml_check_mapping(value, "the sub-band", error);
    if (result == 0) result = read_frequency(value, "min-frequency", &sub_band->min_frequency, error);
    if (result == 0) result = read_frequency(value, "max-frequency", &sub_band->max_frequency, error);
    if (result == 0) result = read_optional_decimal(value, "duty-cycle", 0, 1, &sub_band->duty_cycle, error);
    if (result == 0)
        result = read_optional_decimal(value, "max-eirp", -EIRP_MAX, EIRP_MAX, &sub_band->max_eirp, error);
    if (result == 0 && sub_band->min_frequency > sub_band->max_frequency)
        result = yaml_fail(value, error, "min-frequency is above max-frequency");
    return result;
}

static int read_sub_bands(struct draft *draft, struct yaml_value list, struct error *error) {
    int result = yaml_check_list(list, "sub-bands", SUB_BANDS_MAX, error);
    if (result != 0 || yaml_count(list) == 0) return result;
    size_t count = yaml_count(list);
    struct band_sub_band *sub_bands = arena_new_array(draft->arena, struct band_sub_band, count);
    for (size_t i = 0; i < count && result == 0; i++)
        result = read_sub_band(yaml_item(list, i), &sub_bands[i], error);
    if (result != 0) return result;
    draft->plan.sub_bands = sub_bands;
    draft->plan.sub_band_count = (uint8_t)count;
    return 0;
}

// What concerns gateways alone (time-off-air, radios, clock-source) and unknown keys are passed over.
static const struct {
    const char *key;
    int (*read)(struct draft *draft, struct yaml_value value, struct error *error);
} plan_keys[] = {
    {"band-id", read_band_id},
    {"uplink-channels", read_uplinks},
    {"downlink-channels", read_downlinks},
    {"lora-standard-channel", read_lora_standard},
    {"fsk-channel", read_fsk},
    {"dwell-time", read_dwell_time},
    {"listen-before-talk", read_listen_before_talk},
    {"ping-slot", read_ping_slot},
    {"ping-slot-default-data-rate", read_ping_slot_rate},
    {"rx2-channel", read_rx2},
    {"rx2-default-data-rate", read_rx2_rate},
    {"sub-bands", read_sub_bands},
    {"max-eirp", read_max_eirp},
};

int draft_lay_over(struct draft *draft, struct yaml_file *file, struct error *error) {
    struct yaml_value root = yaml_root(file);
    int result = yaml_check_mapping(root, "the frequency plan", error);
    for (size_t i = 0; i < sizeof plan_keys / sizeof *plan_keys && result == 0; i++) {
        struct yaml_value value = yaml_member(root, plan_keys[i].key);
        if (value.node != NULL) result = plan_keys[i].read(draft, value, error);
    }
    return result;
}

// The numbers of channels are the same in all PHY versions of a band.
static const struct band *any_version(const char *band_id) {
    size_t i = 0;
    while (strcmp(band_at(i)->id, band_id) != 0) i++;
    return band_at(i);
}

static int check_channel_counts(const struct draft *draft, struct error *error) {
    const struct frequency_plan *plan = &draft->plan;
    const struct band *band = any_version(plan->band_id);
    if (plan->uplink_channel_count > band->max_uplink_channels)
        return yaml_fail(draft->places[DRAFT_UPLINKS], error,
                         "%u uplink channels, but band %s allows no more than %u", plan->uplink_channel_count,
                         plan->band_id, band->max_uplink_channels);
    if (plan->downlink_channel_count > band->max_downlink_channels)
        return yaml_fail(draft->places[DRAFT_DOWNLINKS], error,
                         "%u downlink channels, but band %s allows no more than %u",
                         plan->downlink_channel_count, plan->band_id, band->max_downlink_channels);
    if (plan->downlink_channel_count != 0 && plan->downlink_channel_count != plan->uplink_channel_count)
        return yaml_fail(draft->places[DRAFT_DOWNLINKS], error, "%u downlink channels for %u uplink channels",
                         plan->downlink_channel_count, plan->uplink_channel_count);
    return 0;
}

int draft_check(const struct draft *draft, struct yaml_value entry, struct error *error) {
    if (draft->plan.band_id == NULL)
        return yaml_fail(entry, error, "frequency plan %s has no band-id", draft->plan.id);
    if (draft->plan.end_devices && draft->plan.uplink_channel_count == 0)
        return yaml_fail(entry, error, "frequency plan %s has no uplink channels", draft->plan.id);
    for (size_t i = 0; i < DRAFT_PLACES; i++)
        if (draft->open_dwell[i].node != NULL && draft->plan.dwell_duration == 0)
            return yaml_fail(draft->open_dwell[i], error,
                             "the channel's dwell-time is on, but neither it nor the plan has a duration");
    return check_channel_counts(draft, error);
}
