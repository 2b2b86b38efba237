// SPDX-License-Identifier: Apache-2.0
#include "source/radio.h"

#include "device/message.h"

static int plan_error(const char *region, const char *option, struct error *error) {
    error_set(error, ERROR_DEVICE, "its frequency plan is not known%s%.20s",
              region == NULL ? "" : ": its region is ", region == NULL ? "" : region);
    error_hint(error, "name it with %s, or for single devices with --map", option);
    return -ERROR_DEVICE;
}

int radio_set_plan(const struct file_rules *rules, const struct source_record *record, const char *name,
                   const char *option, struct device *device, struct error *error) {
    const struct region *region = name == NULL ? NULL : region_find(name);
    const struct frequency_plan *laid_down = device_map_plan(rules->map, record, NULL);
    const struct frequency_plan *plan = laid_down != NULL ? laid_down : rules->plan;
    if (plan == NULL && region != NULL && region->plan_id != NULL) {
        plan = frequency_plans_find(rules->plans, region->plan_id);
    }
    if (plan == NULL) return plan_error(name, option, error);
    if (laid_down == NULL && region != NULL && !region_has_plan(region, plan)) {
        error_set(error, ERROR_DEVICE, "its region is %s, of which frequency plan %s is none", region->name,
                  plan->id);
        error_hint(error, "name a plan of its region with --map");
        return -ERROR_DEVICE;
    }
    device_set_text(device, &device->end_device->frequency_plan_id, plan->id);
    return 0;
}

Tts__MACSettings *radio_settings(struct device *device) {
    Tts__EndDevice *message = device->end_device;
    if (message->mac_settings == NULL) {
        message->mac_settings = message_new(&device->arena, &tts__macsettings__descriptor);
    }
    return message->mac_settings;
}

void radio_set_windows(const struct radio_windows *windows, struct device *device) {
    struct arena *arena = &device->arena;
    Tts__MACSettings *settings = radio_settings(device);
    if (windows->rx1_delay >= 0) {
        settings->rx1_delay = message_new(arena, &tts__rx_delay_value__descriptor);
        settings->rx1_delay->value = (Tts__RxDelay)windows->rx1_delay;
    }
    if (windows->rx1_data_rate_offset >= 0) {
        settings->rx1_data_rate_offset = message_new(arena, &tts__data_rate_offset_value__descriptor);
        settings->rx1_data_rate_offset->value = (Tts__DataRateOffset)windows->rx1_data_rate_offset;
    }
    if (windows->rx2_data_rate_index >= 0) {
        settings->rx2_data_rate_index = message_new(arena, &tts__data_rate_index_value__descriptor);
        settings->rx2_data_rate_index->value = (Tts__DataRateIndex)windows->rx2_data_rate_index;
    }
    if (windows->rx2_frequency > 0) {
        settings->rx2_frequency = message_new(arena, &tts__frequency_value__descriptor);
        settings->rx2_frequency->value = windows->rx2_frequency;
    }
    if (!device->end_device->supports_join) return;
    settings->desired_rx1_delay = settings->rx1_delay;
    settings->desired_rx1_data_rate_offset = settings->rx1_data_rate_offset;
    settings->desired_rx2_data_rate_index = settings->rx2_data_rate_index;
    settings->desired_rx2_frequency = settings->rx2_frequency;
}

void radio_finish(struct device *device) {
    Tts__EndDevice *message = device->end_device;
    Tts__MACSettings *settings = message->mac_settings;
    if (message->supports_join && settings != NULL) {
        settings->rx1_delay = NULL;
        settings->rx1_data_rate_offset = NULL;
        settings->rx2_data_rate_index = NULL;
        settings->rx2_frequency = NULL;
    }
    if (settings != NULL && protobuf_c_message_get_packed_size(&settings->base) == 0)
        message->mac_settings = NULL;
    if (message->session == NULL || message->mac_state == NULL) return;
    Tts__MACParameters *current = message->mac_state->current_parameters;
    const Tts__MACParameters *desired = message->mac_state->desired_parameters;
    current->n_channels = desired->n_channels;
    current->channels = desired->channels;
}
