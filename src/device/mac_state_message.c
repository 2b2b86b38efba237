// SPDX-License-Identifier: Apache-2.0
#include "device/mac_state_message.h"

#include "device/message.h"

static Tts__BoolValue *bool_message(struct arena *arena, struct mac_optional value) {
    if (!value.set) return NULL;
    Tts__BoolValue *message = message_new(arena, &tts__bool_value__descriptor);
    message->value = value.value != 0;
    return message;
}

static Tts__MACParameters__Channel *channel_message(struct arena *arena, const struct mac_channel *channel) {
    Tts__MACParameters__Channel *message = message_new(arena, &tts__macparameters__channel__descriptor);
    message->uplink_frequency = channel->uplink_frequency;
    message->downlink_frequency = channel->downlink_frequency;
    message->min_data_rate_index = (Tts__DataRateIndex)channel->min_data_rate_index;
    message->max_data_rate_index = (Tts__DataRateIndex)channel->max_data_rate_index;
    message->enable_uplink = channel->enable_uplink;
    return message;
}

static void set_wrapped(struct arena *arena, const struct mac_parameters *parameters,
                        Tts__MACParameters *message) {
    message->uplink_dwell_time = bool_message(arena, parameters->uplink_dwell_time);
    message->downlink_dwell_time = bool_message(arena, parameters->downlink_dwell_time);
    message->adr_ack_limit_exponent = message_new(arena, &tts__adrack_limit_exponent_value__descriptor);
    message->adr_ack_limit_exponent->value = (Tts__ADRAckLimitExponent)parameters->adr_ack_limit_exponent;
    message->adr_ack_delay_exponent = message_new(arena, &tts__adrack_delay_exponent_value__descriptor);
    message->adr_ack_delay_exponent->value = (Tts__ADRAckDelayExponent)parameters->adr_ack_delay_exponent;
    message->ping_slot_data_rate_index_value = message_new(arena, &tts__data_rate_index_value__descriptor);
    message->ping_slot_data_rate_index_value->value =
        (Tts__DataRateIndex)parameters->ping_slot_data_rate_index;
}

static Tts__MACParameters *parameters_message(struct arena *arena, const struct mac_parameters *parameters) {
    Tts__MACParameters *message = message_new(arena, &tts__macparameters__descriptor);
    message->max_eirp = parameters->max_eirp;
    message->adr_data_rate_index = (Tts__DataRateIndex)parameters->adr_data_rate_index;
    message->adr_tx_power_index = parameters->adr_tx_power_index;
    message->adr_nb_trans = parameters->adr_nb_trans;
    message->rx1_delay = (Tts__RxDelay)parameters->rx1_delay;
    message->rx1_data_rate_offset = (Tts__DataRateOffset)parameters->rx1_data_rate_offset;
    message->rx2_data_rate_index = (Tts__DataRateIndex)parameters->rx2_data_rate_index;
    message->rx2_frequency = parameters->rx2_frequency;
    message->max_duty_cycle = (Tts__AggregatedDutyCycle)parameters->max_duty_cycle;
    message->ping_slot_frequency = parameters->ping_slot_frequency;
    message->beacon_frequency = parameters->beacon_frequency;
    set_wrapped(arena, parameters, message);
    message->channels = arena_new_array(arena, Tts__MACParameters__Channel *, parameters->channel_count);
    for (size_t i = 0; i < parameters->channel_count; i++)
        message->channels[message->n_channels++] = channel_message(arena, &parameters->channels[i]);
    return message;
}

Tts__MACState *mac_state_to_message(const struct mac_state *state, struct arena *arena) {
    Tts__MACState *message = message_new(arena, &tts__macstate__descriptor);
    message->current_parameters = parameters_message(arena, &state->current);
    message->desired_parameters = parameters_message(arena, &state->desired);
    message->device_class = (Tts__Class)state->device_class;
    message->lorawan_version = (Tts__MACVersion)state->mac_version;
    if (state->ping_slot_periodicity.set) {
        message->ping_slot_periodicity = message_new(arena, &tts__ping_slot_period_value__descriptor);
        message->ping_slot_periodicity->value = (Tts__PingSlotPeriod)state->ping_slot_periodicity.value;
    }
    return message;
}

// A number from a message; one that fits no setting stays one that is out of range.
static struct mac_optional optional(int64_t value) {
    return (struct mac_optional){.set = true, .value = value < 0 || value > 255 ? 255 : (uint8_t)value};
}

// The value of a wrapper that may not be there.
#define WRAPPED(wrapper)   ((wrapper) == NULL ? (struct mac_optional){0} : optional((int64_t)(wrapper)->value))
#define FREQUENCY(wrapper) ((wrapper) == NULL ? 0 : (wrapper)->value)

void mac_settings_from_message(const Tts__MACSettings *message, struct mac_settings *ret_settings) {
    *ret_settings = (struct mac_settings){0};
    if (message == NULL) return;
    *ret_settings = (struct mac_settings){
        .rx1_delay = WRAPPED(message->rx1_delay),
        .rx1_data_rate_offset = WRAPPED(message->rx1_data_rate_offset),
        .rx2_data_rate_index = WRAPPED(message->rx2_data_rate_index),
        .max_duty_cycle = WRAPPED(message->max_duty_cycle),
        .ping_slot_periodicity = WRAPPED(message->ping_slot_periodicity),
        .ping_slot_data_rate_index = WRAPPED(message->ping_slot_data_rate_index),
        .uplink_dwell_time = WRAPPED(message->uplink_dwell_time),
        .downlink_dwell_time = WRAPPED(message->downlink_dwell_time),
        .rx2_frequency = FREQUENCY(message->rx2_frequency),
        .ping_slot_frequency = FREQUENCY(message->ping_slot_frequency),
        .beacon_frequency = FREQUENCY(message->beacon_frequency),
        .desired_rx1_delay = WRAPPED(message->desired_rx1_delay),
        .desired_rx1_data_rate_offset = WRAPPED(message->desired_rx1_data_rate_offset),
        .desired_rx2_data_rate_index = WRAPPED(message->desired_rx2_data_rate_index),
        .desired_max_duty_cycle = WRAPPED(message->desired_max_duty_cycle),
        .desired_adr_ack_limit_exponent = WRAPPED(message->desired_adr_ack_limit_exponent),
        .desired_adr_ack_delay_exponent = WRAPPED(message->desired_adr_ack_delay_exponent),
        .desired_ping_slot_data_rate_index = WRAPPED(message->desired_ping_slot_data_rate_index),
        .desired_max_eirp = WRAPPED(message->desired_max_eirp),
        .desired_rx2_frequency = FREQUENCY(message->desired_rx2_frequency),
        .desired_ping_slot_frequency = FREQUENCY(message->desired_ping_slot_frequency),
        .desired_beacon_frequency = FREQUENCY(message->desired_beacon_frequency),
        .factory_preset_frequencies = message->factory_preset_frequencies,
        .factory_preset_frequency_count = message->n_factory_preset_frequencies,
    };
}

static int unknown_plan(const char *id, const struct frequency_plans *plans, struct error *error) {
    const char *nearest = frequency_plans_suggest(plans, id);
    int result = error_set(error, ERROR_DEVICE, "frequency plan \"%s\" is unknown", id);
    if (nearest != NULL) error_hint(error, "Did you mean %s?", nearest);
    return result;
}

int device_first_mac_state(const Tts__EndDevice *device, const struct frequency_plans *plans,
                           struct arena *arena, Tts__MACState **ret_state, struct error *error) {
    struct mac_settings settings;
    struct mac_state state;
    struct mac_device input = {
        .plan = frequency_plans_find(plans, device->frequency_plan_id),
        .phy_version = (enum phy_version)device->lorawan_phy_version,
        .mac_version = (enum mac_version)device->lorawan_version,
        .settings = &settings,
        .supports_class_b = device->supports_class_b,
        .supports_class_c = device->supports_class_c,
        .multicast = device->multicast,
    };
    if (input.plan == NULL) return unknown_plan(device->frequency_plan_id, plans, error);
    mac_settings_from_message(device->mac_settings, &settings);
    int result = mac_state_first(&input, &state, error);
    if (result == 0) *ret_state = mac_state_to_message(&state, arena);
    return result;
}
