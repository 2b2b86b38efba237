// SPDX-License-Identifier: Apache-2.0
// A device of ChirpStack and its profile as an end device of The Things Stack. Keys and EUIs are hex texts there, and
// all zeros mean "none"; for LoRaWAN 1.0.x the AppKey is kept as NwkKey and the NwkSKey three times.
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/clean.h"
#include "device/mac_state_message.h"
#include "device/message.h"
#include "source/chirpstack_p.h"

enum { SESSION_KEY_ID_SIZE = 16, SECONDS_A_DAY = 86400, RX1_DELAY = 1 };

// ---- reading a record

static bool hex_or_empty(const char *text, size_t size) {
    uint8_t bytes[16];
    bool good = text[0] == '\0' || hex_decode(bytes, size, text, strlen(text));
    memory_wipe(bytes, sizeof bytes);
    return good;
}

static int check_hex(const char *name, const char *text, size_t size, struct error *error) {
    if (hex_or_empty(text, size)) return 0;
    return error_set(error, ERROR_PROTOCOL, "%s is not %zu bytes in hex", name, size);
}

static int check_keys(const Chirpstack__DeviceKeys *keys, struct error *error) {
    if (keys == NULL) return 0;
    int result = check_hex("nwk_key", keys->nwk_key, 16, error);
    if (result == 0) result = check_hex("app_key", keys->app_key, 16, error);
    if (result == 0) result = check_hex("gen_app_key", keys->gen_app_key, 16, error);
    return result;
}

static int check_activation(const Chirpstack__DeviceActivation *activation, struct error *error) {
    if (activation == NULL) return 0;
    int result = check_hex("dev_addr", activation->dev_addr, 4, error);
    if (result == 0) result = check_hex("app_s_key", activation->app_s_key, 16, error);
    if (result == 0) result = check_hex("nwk_s_enc_key", activation->nwk_s_enc_key, 16, error);
    if (result == 0) result = check_hex("s_nwk_s_int_key", activation->s_nwk_s_int_key, 16, error);
    if (result == 0) result = check_hex("f_nwk_s_int_key", activation->f_nwk_s_int_key, 16, error);
    return result;
}

int chirpstack_record_read(const void *data, size_t size, struct arena *arena,
                           Chirpstack__Record **ret_record, struct error *error) {
    Chirpstack__Record *record = message_unpack(&chirpstack__record__descriptor, data, size, arena, error);
    if (record == NULL) return error_wrap(error, ERROR_PROTOCOL, "the device cannot be read");
    const Chirpstack__Device *device = record->device == NULL ? NULL : record->device->device;
    struct eui64 eui;
    if (device == NULL || !eui64_parse(device->dev_eui, &eui) || strlen(device->dev_eui) != 16) {
        return error_set(error, ERROR_PROTOCOL, "the device has no DevEUI");
    }
    if (device->application_id[0] == '\0' || device->device_profile_id[0] == '\0') {
        return error_set(error, ERROR_PROTOCOL, "the device has no %s",
                         device->application_id[0] == '\0' ? "application" : "profile");
    }
    if (record->activation == NULL) {
        record->activation = message_new(arena, &chirpstack__get_device_activation_response__descriptor);
    }
    int result = check_hex("join_eui", device->join_eui, 8, error);
    if (result == 0) result = check_keys(record->keys, error);
    if (result == 0) result = check_activation(record->activation->device_activation, error);
    if (result == 0) *ret_record = record;
    return result;
}

static bool key_there(const char *text) {
    KEY128_AUTO key;
    return chirpstack_key(text, &key);
}

// ---- what there is, and what of it goes along

bool chirpstack_session_complete(const Chirpstack__Record *record, bool mac_1_1, const char **ret_why) {
    *ret_why = NULL;
    const Chirpstack__DeviceActivation *activation = record->activation->device_activation;
    const Chirpstack__JoinServerContext *context = record->activation->join_server_context;
    struct dev_addr address;
    if (activation == NULL) return false;
    if (!dev_addr_parse(activation->dev_addr, &address) || dev_addr_is_zero(&address)) {
        *ret_why = "has no DevAddr";
    } else if (!key_there(activation->f_nwk_s_int_key) ||
               (mac_1_1 &&
                (!key_there(activation->s_nwk_s_int_key) || !key_there(activation->nwk_s_enc_key)))) {
        *ret_why = "lacks a network session key";
    } else if (context != NULL && context->app_s_key != NULL && context->app_s_key->kek_label[0] != '\0') {
        *ret_why = "has an AppSKey that only its join server's partner can unwrap";
    } else if (!key_there(activation->app_s_key)) {
        *ret_why = context != NULL ? "has its AppSKey at an external join server" : "lacks its AppSKey";
    }
    return *ret_why == NULL;
}

struct parts {
    bool joins;          // OTAA
    bool mac_1_1;        //
    bool root_keys;      // all that a join needs
    bool session;        // complete
    bool takes_session;  // it goes with the device
};

static bool root_keys_complete(const Chirpstack__DeviceKeys *keys, bool mac_1_1) {
    return keys != NULL && key_there(keys->nwk_key) && (!mac_1_1 || key_there(keys->app_key));
}

static int check_joining(const Chirpstack__DeviceKeys *keys, struct parts parts, struct error *error) {
    if (parts.root_keys) return 0;
    if (keys != NULL && (key_there(keys->nwk_key) || key_there(keys->app_key))) {
        return error_set(error, ERROR_DEVICE, "has no %s, so it cannot join",
                         !key_there(keys->nwk_key) ? (parts.mac_1_1 ? "NwkKey" : "AppKey")
                                                   : "AppKey, which LoRaWAN 1.1 needs");
    }
    if (!parts.session) {
        error_set(error, ERROR_EMPTY, "has no keys in ChirpStack: it was never complete");
        error_hint(error, "enter its keys in ChirpStack, or leave it out");
        return -ERROR_EMPTY;
    }
    error_set(error, ERROR_DEVICE, "has a session, but no root keys: it could never join again");
    error_hint(error, "if it joins at an external join server, register it there for The Things Stack");
    return -ERROR_DEVICE;
}

static int check_parts(const struct chirpstack_rules *rules, const Chirpstack__Record *record,
                       struct parts parts, const char *why, struct device *device, struct error *error) {
    const Chirpstack__Device *source = record->device->device;
    if (source->is_disabled && rules->release != CHIRPSTACK_KEEP) {
        error_set(error, ERROR_EMPTY,
                  "is disabled in ChirpStack: it was migrated before, or is out of service");
        error_hint(error, "enable it in ChirpStack if it is to be migrated");
        return -ERROR_EMPTY;
    }
    if (source->cannot_be_disabled && rules->release == CHIRPSTACK_DISABLE) {
        error_set(error, ERROR_DEVICE,
                  "cannot be disabled: this version of ChirpStack does not know of that");
        error_hint(error, "have it deleted once its record is safe: --chirpstack.release delete");
        return -ERROR_DEVICE;
    }
    if (source->is_disabled) {
        device_note(device, "is_disabled", "is disabled in ChirpStack; The Things Stack will handle it");
    }
    if (parts.joins) {
        int result = check_joining(record->keys, parts, error);
        if (result != 0) return result;
        if (rules->with_session && why != NULL) {
            device_note(device, "session", "stays in ChirpStack, since it %s: the device has to join again",
                        why);
        }
        return 0;
    }
    if (!parts.session && why == NULL) {
        return error_set(error, ERROR_EMPTY, "is an ABP device without a session: it was never complete");
    }
    if (!parts.session) {
        return error_set(error, ERROR_DEVICE, "is an ABP device whose session %s", why);
    }
    if (!rules->with_session) {
        device_note(device, "session",
                    "is an ABP device, which has no life without its session: exported with it");
    }
    return 0;
}

// ---- who it is

static int set_join_eui(const struct chirpstack_rules *rules, const Chirpstack__Device *source,
                        struct parts parts, struct device *device, struct error *error) {
    struct eui64 eui = {0};
    bool known = eui64_parse(source->join_eui, &eui) && !eui64_is_zero(&eui);
    if (!known && rules->join_eui != NULL) {
        eui = *rules->join_eui;
    } else if (!known && !parts.joins) {
        return 0;
    } else if (!known && rules->release != CHIRPSTACK_KEEP && !parts.takes_session) {
        error_set(error, ERROR_DEVICE,
                  "its JoinEUI is not known, since it has not joined yet: it could not join anywhere else");
        error_hint(error, "--chirpstack.join-eui EUI (0000000000000000 if that is what it has)");
        return -ERROR_DEVICE;
    } else if (!known) {
        device_note(device, "ids.join_eui",
                    "is not known in ChirpStack, and is all zeros here: see --chirpstack.join-eui");
    }
    device_set_bytes(device, &device_ids(device)->join_eui, eui.bytes, sizeof eui.bytes);
    return 0;
}

static int set_ids(const struct chirpstack_rules *rules, const Chirpstack__Device *source, bool v3,
                   struct parts parts, struct device *device, struct error *error) {
    struct eui64 eui;
    eui64_parse(source->dev_eui, &eui);
    char hex[HEX_TEXT_SIZE(8)];
    hex_encode_lower(hex, eui.bytes, sizeof eui.bytes);
    char *own MEMORY_AUTO = memory_printf("eui-%s", hex);
    char id[DEVICE_ID_SIZE];
    int result = device_id_make(rules->naming, own, eui.bytes, id, error);
    if (result != 0) return result;
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    device_set_text(device, &ids->device_id, id);
    // The numbers of v3 are no IDs yet.
    device_set_application(
        device, arena_printf(&device->arena, "%s%s", v3 ? "chirpstack-" : "", source->application_id));
    device_set_bytes(device, &ids->dev_eui, eui.bytes, sizeof eui.bytes);
    return set_join_eui(rules, source, parts, device, error);
}

static int compare_pairs(const void *a, const void *b) {
    const Chirpstack__Pair *const *left = a;
    const Chirpstack__Pair *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

// Maps come in any order: attributes are to be the same in every run.
static void set_attributes(struct device *device, const char *prefix, Chirpstack__Pair *const *pairs,
                           size_t count) {
    Chirpstack__Pair **sorted = arena_new_array(&device->arena, Chirpstack__Pair *, count);
    for (size_t i = 0; i < count; i++) sorted[i] = pairs[i];
    if (count > 1) qsort(sorted, count, sizeof *sorted, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        device_set_attribute(device, arena_printf(&device->arena, "%s%s", prefix, sorted[i]->key),
                             sorted[i]->value);
    }
}

// The tags of the device come first and win: if there are too many attributes, the last ones go.
static void set_texts(const struct chirpstack_rules *rules, const Chirpstack__Device *source,
                      const Chirpstack__DeviceProfile *profile, struct device *device) {
    Tts__EndDevice *end_device = device->end_device;
    device_set_text(device, &end_device->name, source->name);
    device_set_text(device, &end_device->description, source->description);
    set_attributes(device, "", source->tags, source->n_tags);
    for (size_t i = 0; i < profile->n_tags; i++) {
        Chirpstack__Pair *const tag[] = {profile->tags[i]};
        if (device_attribute(device, tag[0]->key) == NULL) set_attributes(device, "", tag, 1);
    }
    if (rules->with_variables) set_attributes(device, "var-", source->variables, source->n_variables);
    if (device_attribute(device, "chirpstack-device-profile") == NULL) {
        device_set_attribute(device, "chirpstack-device-profile", source->device_profile_id);
    }
}

// ---- keys

static void set_key(struct device *device, Tts__KeyEnvelope **member, const char *text) {
    KEY128_AUTO key;
    if (chirpstack_key(text, &key)) device_set_key(device, member, key.bytes);
}

static void set_root_keys(const Chirpstack__DeviceKeys *keys, struct parts parts, struct device *device) {
    Tts__EndDevice *end_device = device->end_device;
    if (keys == NULL) return;
    if (!parts.joins) {
        if (key_there(keys->nwk_key) || key_there(keys->app_key) || key_there(keys->gen_app_key)) {
            device_note(device, "root_keys", "an ABP device needs none: left out");
        }
        return;
    }
    end_device->supports_join = true;
    end_device->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    if (parts.mac_1_1) {
        set_key(device, &end_device->root_keys->app_key, keys->app_key);
        set_key(device, &end_device->root_keys->nwk_key, keys->nwk_key);
    } else {
        set_key(device, &end_device->root_keys->app_key, keys->nwk_key);
    }
    KEY128_AUTO gen_app_key;
    if (chirpstack_key(keys->gen_app_key, &gen_app_key)) device_set_gen_app_key(device, &gen_app_key);
}

// A device that is deleted cannot be looked at afterwards: the counters that may have been used in between are skipped.
static uint32_t last_f_cnt_down(const struct chirpstack_rules *rules, uint32_t next) {
    uint32_t last = chirpstack_last_f_cnt_down(next);
    return rules->release == CHIRPSTACK_DELETE ? source_skip_unseen(last) : last;
}

static void set_session(const struct chirpstack_rules *rules, const Chirpstack__DeviceActivation *activation,
                        struct parts parts, struct device *device) {
    struct arena *arena = &device->arena;
    Tts__Session *session = message_new(arena, &tts__session__descriptor);
    session->keys = message_new(arena, &tts__session_keys__descriptor);
    device->end_device->session = session;
    struct dev_addr address;
    dev_addr_parse(activation->dev_addr, &address);
    device_set_bytes(device, &session->dev_addr, address.bytes, sizeof address.bytes);
    set_key(device, &session->keys->f_nwk_s_int_key, activation->f_nwk_s_int_key);
    if (parts.mac_1_1) {
        set_key(device, &session->keys->s_nwk_s_int_key, activation->s_nwk_s_int_key);
        set_key(device, &session->keys->nwk_s_enc_key, activation->nwk_s_enc_key);
    }
    set_key(device, &session->keys->app_s_key, activation->app_s_key);
    // The Things Stack wants one for a session that comes from a join, and none for an ABP device.
    if (parts.joins) {
        uint8_t id[SESSION_KEY_ID_SIZE];
        rules->random->fill(rules->random->context, id, sizeof id);
        device_set_bytes(device, &session->keys->session_key_id, id, sizeof id);
    }
    session->last_f_cnt_up = chirpstack_last_f_cnt_up(activation->f_cnt_up);
    session->last_n_f_cnt_down = last_f_cnt_down(rules, activation->n_f_cnt_down);
    if (parts.mac_1_1) session->last_a_f_cnt_down = last_f_cnt_down(rules, activation->a_f_cnt_down);
    device_set_time(device, &session->started_at, clock_wall(rules->clock));
}

// ---- MAC settings and state

static Google__Duration *duration(struct arena *arena, uint32_t seconds) {
    Google__Duration *message = message_new(arena, &google__duration__descriptor);
    message->seconds = seconds;
    return message;
}

static Tts__DataRateIndexValue *data_rate(struct arena *arena, uint32_t index) {
    Tts__DataRateIndexValue *message = message_new(arena, &tts__data_rate_index_value__descriptor);
    message->value = (Tts__DataRateIndex)index;
    return message;
}

static Tts__ZeroableFrequencyValue *frequency(struct arena *arena, uint32_t hertz) {
    Tts__ZeroableFrequencyValue *message = message_new(arena, &tts__zeroable_frequency_value__descriptor);
    message->value = hertz;
    return message;
}

// What an ABP device starts with. The delay and the data rate of RX2 cannot be told from "not entered" where they
// are 0: then the region's stand.
static void set_abp_settings(const Chirpstack__DeviceProfile *profile, struct arena *arena,
                             Tts__MACSettings *settings) {
    if (profile->abp_rx1_delay > 0) {
        settings->rx1_delay = message_new(arena, &tts__rx_delay_value__descriptor);
        settings->rx1_delay->value = (Tts__RxDelay)profile->abp_rx1_delay;
    }
    if (profile->abp_rx1_dr_offset > 0) {
        settings->rx1_data_rate_offset = message_new(arena, &tts__data_rate_offset_value__descriptor);
        settings->rx1_data_rate_offset->value = (Tts__DataRateOffset)profile->abp_rx1_dr_offset;
    }
    if (profile->abp_rx2_freq > 0) {
        settings->rx2_frequency = message_new(arena, &tts__frequency_value__descriptor);
        settings->rx2_frequency->value = profile->abp_rx2_freq;
    }
    if (profile->abp_rx2_freq > 0 || profile->abp_rx2_dr > 0) {
        settings->rx2_data_rate_index = data_rate(arena, profile->abp_rx2_dr);
    }
    settings->factory_preset_frequencies = arena_new_array(arena, uint64_t, profile->n_factory_preset_freqs);
    for (size_t i = 0; i < profile->n_factory_preset_freqs && i < MAC_FACTORY_FREQUENCIES_MAX; i++) {
        settings->factory_preset_frequencies[settings->n_factory_preset_frequencies++] =
            profile->factory_preset_freqs[i];
    }
}

static void set_class_settings(const Chirpstack__DeviceProfile *profile, struct arena *arena,
                               Tts__MACSettings *settings) {
    if (profile->supports_class_b) {
        if (profile->class_b_timeout > 0)
            settings->class_b_timeout = duration(arena, profile->class_b_timeout);
        settings->ping_slot_periodicity = message_new(arena, &tts__ping_slot_period_value__descriptor);
        settings->ping_slot_periodicity->value = (Tts__PingSlotPeriod)profile->class_b_ping_slot_periodicity;
        if (profile->class_b_ping_slot_freq > 0) {
            settings->ping_slot_frequency = frequency(arena, profile->class_b_ping_slot_freq);
        }
        if (profile->class_b_ping_slot_freq > 0 || profile->class_b_ping_slot_dr > 0) {
            settings->ping_slot_data_rate_index = data_rate(arena, profile->class_b_ping_slot_dr);
        }
    }
    if (profile->supports_class_c && profile->class_c_timeout > 0) {
        settings->class_c_timeout = duration(arena, profile->class_c_timeout);
    }
}

static void set_mac_settings(const Chirpstack__Device *source, const Chirpstack__DeviceProfile *profile,
                             struct device *device) {
    struct arena *arena = &device->arena;
    Tts__MACSettings *settings = message_new(arena, &tts__macsettings__descriptor);
    device->end_device->mac_settings = settings;
    // As often as ChirpStack asked for it, and never because of a number of uplinks.
    uint32_t requests = profile->device_status_req_interval;
    uint32_t seconds = requests == 0 ? 0 : SECONDS_A_DAY / requests;
    settings->status_time_periodicity = duration(arena, requests > 0 && seconds == 0 ? 1 : seconds);
    settings->status_count_periodicity = message_new(arena, &google__uint32_value__descriptor);
    if (source->skip_fcnt_check) {
        settings->resets_f_cnt = message_new(arena, &tts__bool_value__descriptor);
        settings->resets_f_cnt->value = true;
    }
    if (!profile->supports_otaa) set_abp_settings(profile, arena, settings);
    set_class_settings(profile, arena, settings);
}

// What is in force after a join comes from the region's configuration, which no call tells.
static void set_otaa_parameters(const struct chirpstack_rules *rules,
                                const Chirpstack__DeviceProfile *profile, struct mac_settings *settings) {
    uint32_t delay = rules->rx1_delay.set ? rules->rx1_delay.value : RX1_DELAY;
    if (!rules->rx1_delay.set && profile->rx1_delay > delay) delay = profile->rx1_delay;
    settings->rx1_delay = (struct mac_optional){true, (uint8_t)(delay < 15 ? delay : 15)};
    settings->rx2_data_rate_index = rules->rx2_data_rate;
    settings->rx2_frequency = rules->rx2_frequency;
}

static int set_mac_state(const struct chirpstack_rules *rules, const Chirpstack__Record *record,
                         const Chirpstack__DeviceProfile *profile, const struct frequency_plan *plan,
                         struct device *device, struct error *error) {
    const Tts__EndDevice *end_device = device->end_device;
    struct mac_settings settings;
    mac_settings_from_message(end_device->mac_settings, &settings);
    if (profile->supports_otaa) set_otaa_parameters(rules, profile, &settings);
    enum phy_version phy_version = (enum phy_version)end_device->lorawan_phy_version;
    struct mac_state state;
    int result = mac_state_first(
        &(struct mac_device){
            .plan = plan,
            .phy_version = phy_version,
            .mac_version = (enum mac_version)end_device->lorawan_version,
            .settings = &settings,
            .supports_class_b = profile->supports_class_b,
            .supports_class_c = profile->supports_class_c,
        },
        &state, error);
    if (result != 0) return result;
    // A join-accept names the additional channels, and the usual ones are those of the plan. Where it names a part of
    // the band's channels instead, all of them are listened on until the device has confirmed which.
    const struct band *band = band_find(plan->band_id, phy_version);
    if (profile->supports_otaa && band->cf_list_type == BAND_CF_LIST_FREQUENCIES) {
        state.current.channel_count = state.desired.channel_count;
        memcpy(state.current.channels, state.desired.channels, sizeof state.current.channels);
    }
    if (profile->supports_class_c && record->device->class_enabled == MAC_CLASS_C) {
        state.device_class = MAC_CLASS_C;
    }
    device->end_device->mac_state = mac_state_to_message(&state, &device->arena);
    return 0;
}

// ---- all of it

// The version that the band has in place of one that it does not have: the next newer one. PHY_UNKNOWN if there is none.
static enum phy_version version_of_band(const char *band_id, enum mac_version mac_version,
                                        enum phy_version version) {
    for (unsigned next = version; next < PHY_VERSION_COUNT; next++) {
        bool of_1_1 = next == PHY_V1_1_REV_A || next == PHY_V1_1_REV_B;
        bool older = next == PHY_V1_0_3_REV_A && mac_version == MAC_V1_1;
        if (older || (of_1_1 && mac_version != MAC_V1_1)) continue;
        if (band_find(band_id, (enum phy_version)next) != NULL) return (enum phy_version)next;
    }
    return PHY_UNKNOWN;
}

static int set_versions(const struct chirpstack_rules *rules, const Chirpstack__DeviceProfile *profile,
                        struct device *device, const struct frequency_plan **ret_plan, struct error *error) {
    const char *remark = NULL;
    enum mac_version mac_version = chirpstack_mac_version(profile->mac_version);
    enum phy_version wanted = chirpstack_phy_version(profile, &remark);
    if (mac_version == MAC_UNKNOWN || wanted == PHY_UNKNOWN) {
        return error_set(error, ERROR_DEVICE,
                         "its profile %s has a LoRaWAN version that is not known (MAC %d, regional "
                         "parameters %d)",
                         profile->name, (int)profile->mac_version, (int)profile->reg_params_revision);
    }
    if (remark != NULL) device_note(device, "lorawan_phy_version", "%s", remark);
    int result = chirpstack_choose_plan(rules, profile, device, ret_plan, error);
    if (result != 0) return result;
    const char *band_id = (*ret_plan)->band_id;
    enum phy_version phy_version = version_of_band(band_id, mac_version, wanted);
    if (phy_version == PHY_UNKNOWN) {
        return error_set(error, ERROR_DEVICE,
                         "the band %s of its frequency plan has neither the version %s of its profile %s nor "
                         "a newer one",
                         band_id, phy_version_text(wanted), profile->name);
    }
    if (phy_version != wanted) {
        device_note(device, "lorawan_phy_version", "the band %s has no version %s: %s is taken", band_id,
                    phy_version_text(wanted), phy_version_text(phy_version));
    }
    device->end_device->lorawan_version = (Tts__MACVersion)mac_version;
    device->end_device->lorawan_phy_version = (Tts__PHYVersion)phy_version;
    device_set_text(device, &device->end_device->frequency_plan_id, (*ret_plan)->id);
    return 0;
}

int chirpstack_device_convert(const struct chirpstack_rules *rules, const Chirpstack__Record *record,
                              const Chirpstack__DeviceProfile *profile, struct device *device,
                              struct error *error) {
    const Chirpstack__Device *source = record->device->device;
    struct parts parts = {
        .joins = profile->supports_otaa,
        .mac_1_1 = profile->mac_version == CHIRPSTACK__MAC_VERSION__LORAWAN_1_1_0,
    };
    const char *why = NULL;
    parts.root_keys = root_keys_complete(record->keys, parts.mac_1_1);
    parts.session = chirpstack_session_complete(record, parts.mac_1_1, &why);
    parts.takes_session = parts.session && (rules->with_session || !parts.joins);
    const struct frequency_plan *plan = NULL;
    int result = check_parts(rules, record, parts, why, device, error);
    if (result == 0) result = set_ids(rules, source, profile->is_v3, parts, device, error);
    if (result == 0) result = set_versions(rules, profile, device, &plan, error);
    if (result != 0) return result;
    device->end_device->supports_class_b = profile->supports_class_b;
    device->end_device->supports_class_c = profile->supports_class_c;
    set_texts(rules, source, profile, device);
    set_root_keys(record->keys, parts, device);
    set_mac_settings(source, profile, device);
    chirpstack_set_formatters(source, profile, device);
    if (parts.takes_session) {
        result = set_mac_state(rules, record, profile, plan, device, error);
        if (result != 0) return result;
        set_session(rules, record->activation->device_activation, parts, device);
    }
    return device_clean(device, error);
}
