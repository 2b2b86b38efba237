// SPDX-License-Identifier: Apache-2.0
// A device of V2 as an end device of The Things Stack. V2 knows LoRaWAN 1.0.2 rev B alone, class A, and one
// frequency plan a device, which the user names. What the older ttn-lw-migrate writes is written here too,
// member for member; where the two differ on purpose, docs/differences.md says why.
#include <string.h>

#include "base/memory.h"
#include "device/clean.h"
#include "device/mac_state_message.h"
#include "device/message.h"
#include "lorawan/mac_state.h"
#include "source/ttnv2_p.h"

enum { SESSION_KEY_ID_SIZE = 16 };

// V2's Network Server always uses RX1 delay 1 s.
enum { RX1_DELAY = 1 };

bool ttnv2_is_zero(ProtobufCBinaryData bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != 0) return false;
    }
    return true;
}

struct ttnv2_parts ttnv2_parts(const Ttnv2__LoRaWANDevice *lorawan, bool with_session) {
    bool address = !ttnv2_is_zero(lorawan->dev_addr);
    bool network_key = !ttnv2_is_zero(lorawan->nwk_s_key);
    bool application_key = !ttnv2_is_zero(lorawan->app_s_key);
    struct ttnv2_parts parts = {
        .join = !ttnv2_is_zero(lorawan->app_key),
        .session = address && network_key && application_key,
        .some_session = address || network_key || application_key,
    };
    parts.takes_session = parts.session && (with_session || !parts.join);
    return parts;
}

uint32_t ttnv2_last_f_cnt_down(uint32_t next) {
    return next <= 1 ? next : next - 1;
}

static int check_length(const char *name, ProtobufCBinaryData bytes, size_t size, bool required,
                        struct error *error) {
    if (bytes.len == size || (bytes.len == 0 && !required)) return 0;
    return error_set(error, ERROR_PROTOCOL, "%s has %zu bytes instead of %zu", name, bytes.len, size);
}

int ttnv2_device_read(const void *data, size_t size, struct arena *arena, Ttnv2__Device **ret_device,
                      struct error *error) {
    Ttnv2__Device *device = message_unpack(&ttnv2__device__descriptor, data, size, arena, error);
    if (device == NULL) return error_wrap(error, ERROR_PROTOCOL, "the device cannot be read");
    const Ttnv2__LoRaWANDevice *lorawan = device->lorawan_device;
    if (lorawan == NULL || device->dev_id[0] == '\0') {
        return error_set(error, ERROR_PROTOCOL, "the device has no %s",
                         lorawan == NULL ? "LoRaWAN part" : "ID");
    }
    int result = check_length("app_eui", lorawan->app_eui, EUI64_BYTES, true, error);
    if (result == 0) result = check_length("dev_eui", lorawan->dev_eui, EUI64_BYTES, true, error);
    if (result == 0) result = check_length("dev_addr", lorawan->dev_addr, DEV_ADDR_BYTES, false, error);
    if (result == 0) result = check_length("nwk_s_key", lorawan->nwk_s_key, KEY128_BYTES, false, error);
    if (result == 0) result = check_length("app_s_key", lorawan->app_s_key, KEY128_BYTES, false, error);
    if (result == 0) result = check_length("app_key", lorawan->app_key, KEY128_BYTES, false, error);
    if (result != 0) return result;
    *ret_device = device;
    return 0;
}

// Bytes as text. A NUL inside could not be kept in a string: it becomes a byte that is no UTF-8, which
// cleaning then replaces, with a note.
static const char *text_of(struct arena *arena, ProtobufCBinaryData bytes) {
    char *text = arena_alloc(arena, bytes.len + 1, 1);
    for (size_t i = 0; i < bytes.len; i++) text[i] = bytes.data[i] == 0 ? '\xff' : (char)bytes.data[i];
    return text;
}

static int set_ids(const struct ttnv2_rules *rules, const char *application, const Ttnv2__Device *source,
                   struct device *device, struct error *error) {
    const Ttnv2__LoRaWANDevice *lorawan = source->lorawan_device;
    char id[DEVICE_ID_SIZE];
    int result = device_id_make(rules->naming, source->dev_id, lorawan->dev_eui.data, id, error);
    if (result != 0) return result;
    char *application_id = arena_strdup(&device->arena, application);
    for (char *c = application_id; *c != '\0'; c++) {
        if (*c == '_') *c = '-';
    }
    if (strlen(application_id) > DEVICE_ID_MAX) {
        return error_set(error, ERROR_DEVICE,
                         "the application's ID %s is longer than the %d characters that The Things "
                         "Stack takes",
                         application_id, DEVICE_ID_MAX);
    }
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    device_set_text(device, &ids->device_id, id);
    device_set_application(device, application_id);
    device_set_bytes(device, &ids->dev_eui, lorawan->dev_eui.data, EUI64_BYTES);
    device_set_bytes(device, &ids->join_eui, lorawan->app_eui.data, EUI64_BYTES);
    return 0;
}

static void set_location(const Ttnv2__Device *source, struct device *device) {
    if (source->latitude == 0 && source->longitude == 0) return;
    device_set_location(device, source->latitude, source->longitude)->altitude = source->altitude;
}

static void set_texts(const Ttnv2__Device *source, struct device *device) {
    Tts__EndDevice *end_device = device->end_device;
    device_set_text(device, &end_device->name, source->dev_id);
    device_set_text(device, &end_device->description, text_of(&device->arena, source->description));
    // First, so that it is not the one that goes if there are too many; and it takes the place of one of that name.
    bool renamed = strcmp(device_id(device), source->dev_id) != 0;
    if (renamed) device_set_attribute(device, "old-id", source->dev_id);
    for (size_t i = 0; i < source->n_attributes; i++) {
        const Ttnv2__Attribute *attribute = source->attributes[i];
        const char *key = text_of(&device->arena, attribute->key);
        if (renamed && strcmp(key, "old-id") == 0) continue;
        device_set_attribute(device, key, text_of(&device->arena, attribute->value));
    }
}

static Tts__BoolValue *true_value(struct arena *arena) {
    Tts__BoolValue *value = message_new(arena, &tts__bool_value__descriptor);
    value->value = true;
    return value;
}

// The frequencies of an ABP device that always starts with the plan's channels.
static void set_factory_presets(const struct mac_state *state, struct device *device,
                                Tts__MACSettings *settings) {
    const struct mac_parameters *desired = &state->desired;
    settings->factory_preset_frequencies = arena_new_array(&device->arena, uint64_t, desired->channel_count);
    for (size_t i = 0; i < desired->channel_count; i++) {
        if (!desired->channels[i].enable_uplink) continue;
        settings->factory_preset_frequencies[settings->n_factory_preset_frequencies++] =
            desired->channels[i].uplink_frequency;
    }
}

static void set_mac_settings(const struct ttnv2_rules *rules, const Ttnv2__LoRaWANDevice *lorawan,
                             struct ttnv2_parts parts, const struct mac_state *state, struct device *device) {
    struct arena *arena = &device->arena;
    Tts__MACSettings *settings = message_new(arena, &tts__macsettings__descriptor);
    device->end_device->mac_settings = settings;
    // V2 never asked a device for its status: nor shall its new network.
    settings->status_time_periodicity = message_new(arena, &google__duration__descriptor);
    settings->status_count_periodicity = message_new(arena, &google__uint32_value__descriptor);
    if (lorawan->uses32_bit_f_cnt) settings->supports_32_bit_f_cnt = true_value(arena);
    if (lorawan->disable_f_cnt_check) settings->resets_f_cnt = true_value(arena);
    if (parts.join) return;
    settings->rx1_delay = message_new(arena, &tts__rx_delay_value__descriptor);
    settings->rx1_delay->value = (Tts__RxDelay)RX1_DELAY;
    if (rules->resets_to_frequency_plan) set_factory_presets(state, device, settings);
}

// What the device has in force is taken to be what V2 wanted of it.
static void set_mac_state(const struct mac_state *first, struct device *device) {
    struct mac_state state = *first;
    state.desired.rx1_delay = RX1_DELAY;
    state.current = state.desired;
    device->end_device->mac_state = mac_state_to_message(&state, &device->arena);
}

static void set_session(const struct ttnv2_rules *rules, const Ttnv2__LoRaWANDevice *lorawan, bool join,
                        struct device *device) {
    struct arena *arena = &device->arena;
    Tts__Session *session = message_new(arena, &tts__session__descriptor);
    session->keys = message_new(arena, &tts__session_keys__descriptor);
    device->end_device->session = session;
    device_set_bytes(device, &session->dev_addr, lorawan->dev_addr.data, DEV_ADDR_BYTES);
    device_set_key(device, &session->keys->f_nwk_s_int_key, lorawan->nwk_s_key.data);
    device_set_key(device, &session->keys->app_s_key, lorawan->app_s_key.data);
    // The Things Stack wants one for a session that comes from a join, and none for an ABP device.
    if (join) {
        uint8_t id[SESSION_KEY_ID_SIZE];
        rules->random->fill(rules->random->context, id, sizeof id);
        device_set_bytes(device, &session->keys->session_key_id, id, sizeof id);
    }
    session->last_f_cnt_up = lorawan->f_cnt_up;
    session->last_n_f_cnt_down = ttnv2_last_f_cnt_down(lorawan->f_cnt_down);
    device_set_time(device, &session->started_at, clock_wall(rules->clock));
}

static int check_parts(struct ttnv2_parts parts, bool with_session, struct device *device,
                       struct error *error) {
    if (!parts.join && !parts.session && !parts.some_session) {
        error_set(error, ERROR_EMPTY, "has no keys in V2: it was exported before, or was never complete");
        error_hint(error, "its keys are in the output of the run that exported it; leave it out");
        return -ERROR_EMPTY;
    }
    if (!parts.join && !parts.session) {
        return error_set(error, ERROR_DEVICE,
                         "has no AppKey, and its session is incomplete (DevAddr, NwkSKey and "
                         "AppSKey are needed)");
    }
    if (parts.join && parts.some_session && !parts.session && with_session) {
        device_note(device, "session",
                    "its session in V2 is incomplete and is left there: the device has to join again");
    }
    if (!parts.join && !with_session) {
        device_note(device, "session",
                    "is an ABP device, which has no life without its session: exported with it");
    }
    return 0;
}

int ttnv2_device_convert(const struct ttnv2_rules *rules, const char *application,
                         const struct source_record *record, struct device *device, struct error *error) {
    ARENA_AUTO arena = {0};
    Ttnv2__Device *source = NULL;
    int result = ttnv2_device_read(record->data, record->size, &arena, &source, error);
    if (result != 0) return result;
    const Ttnv2__LoRaWANDevice *lorawan = source->lorawan_device;
    struct ttnv2_parts parts = ttnv2_parts(lorawan, rules->with_session);
    const struct frequency_plan *plan = device_map_plan(rules->map, record, rules->plan);
    struct mac_state state;
    result = check_parts(parts, rules->with_session, device, error);
    if (result == 0) result = set_ids(rules, application, source, device, error);
    if (result == 0) {
        result = mac_state_first(
            &(struct mac_device){.plan = plan, .phy_version = PHY_V1_0_2_REV_B, .mac_version = MAC_V1_0_2},
            &state, error);
    }
    if (result != 0) return result;
    Tts__EndDevice *end_device = device->end_device;
    set_texts(source, device);
    set_location(source, device);
    end_device->lorawan_version = (Tts__MACVersion)MAC_V1_0_2;
    end_device->lorawan_phy_version = (Tts__PHYVersion)PHY_V1_0_2_REV_B;
    device_set_text(device, &end_device->frequency_plan_id, plan->id);
    if (parts.join) {
        end_device->supports_join = true;
        end_device->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
        device_set_key(device, &end_device->root_keys->app_key, lorawan->app_key.data);
    }
    set_mac_settings(rules, lorawan, parts, &state, device);
    if (parts.takes_session) {
        set_mac_state(&state, device);
        set_session(rules, lorawan, parts.join, device);
    }
    return device_clean(device, error);
}
