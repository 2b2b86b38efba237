// SPDX-License-Identifier: Apache-2.0
// Target csv: the table of devices that The Things Stack imports. It holds less than a device has: what cannot be left out
// without harm is refused, of the rest the device's notes say what is left out.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/table.h"
#include "device/message.h"
#include "lorawan/versions.h"
#include "target/targets.h"

static const char DELIMITER = ';';

static const char header[] =
    "id;dev_eui;join_eui;name;description;frequency_plan_id;lorawan_version;lorawan_phy_version;brand_id;"
    "model_id;"
    "hardware_version;firmware_version;band_id;vendor_id;vendor_profile_id;app_key;nwk_key;rx1_delay;"
    "supports_32_bit_f_cnt;supports_class_c;dev_addr;app_s_key;f_nwk_s_int_key;last_f_cnt_up;last_n_f_cnt_"
    "down;"
    "last_a_f_cnt_down\n";

static void csv_begin(struct buffer *output) {
    buffer_puts(output, header);
}

// ---- fields, in the order of the header

static void add_text(struct buffer *row, const char *text) {
    if (row->size > 0) buffer_putc(row, DELIMITER);
    if (text != NULL) table_write_field(row, text, DELIMITER);
}

static void add_hex(struct buffer *row, const ProtobufCBinaryData *bytes) {
    enum { BYTES_MAX = 16 };
    char text[HEX_TEXT_SIZE(BYTES_MAX)] = "";
    if (bytes->len <= BYTES_MAX) hex_encode_upper(text, bytes->data, bytes->len);
    add_text(row, text);
    memory_wipe(text, sizeof text);
}

static void add_key(struct buffer *row, const Tts__KeyEnvelope *key) {
    const ProtobufCBinaryData none = {0};
    add_hex(row, key == NULL ? &none : &key->key);
}

static void add_number(struct buffer *row, bool there, uint32_t number) {
    char text[16] = "";
    if (there) snprintf(text, sizeof text, "%" PRIu32, number);
    add_text(row, text);
}

static void add_identity(struct buffer *row, const Tts__EndDevice *message) {
    add_text(row, message->ids->device_id);
    add_hex(row, &message->ids->dev_eui);
    add_hex(row, &message->ids->join_eui);
    add_text(row, message->name);
    add_text(row, message->description);
    add_text(row, message->frequency_plan_id);
    add_text(row, mac_version_name((enum mac_version)message->lorawan_version));
    add_text(row, phy_version_name((enum phy_version)message->lorawan_phy_version));
}

static void add_profile(struct buffer *row, const Tts__EndDevice *message) {
    const Tts__EndDeviceVersionIdentifiers *version = message->version_ids;
    const Tts__LoRaAllianceProfileIdentifiers *profile = message->lora_alliance_profile_ids;
    add_text(row, version == NULL ? NULL : version->brand_id);
    add_text(row, version == NULL ? NULL : version->model_id);
    add_text(row, version == NULL ? NULL : version->hardware_version);
    add_text(row, version == NULL ? NULL : version->firmware_version);
    add_text(row, version == NULL ? NULL : version->band_id);
    char text[2][16] = {"", ""};
    if (profile != NULL) {
        snprintf(text[0], sizeof text[0], "%" PRIX32, profile->vendor_id);
        snprintf(text[1], sizeof text[1], "%" PRIX32, profile->vendor_profile_id);
    }
    add_text(row, text[0]);
    add_text(row, text[1]);
}

static void add_settings(struct buffer *row, const Tts__EndDevice *message) {
    const Tts__RootKeys *keys = message->root_keys;
    const Tts__MACSettings *settings = message->mac_settings;
    add_key(row, keys == NULL ? NULL : keys->app_key);
    add_key(row, keys == NULL ? NULL : keys->nwk_key);
    bool delay = settings != NULL && settings->rx1_delay != NULL;
    add_number(row, delay, delay ? (uint32_t)settings->rx1_delay->value : 0);
    bool counts = settings != NULL && settings->supports_32_bit_f_cnt != NULL;
    add_text(row, !counts ? NULL : settings->supports_32_bit_f_cnt->value ? "true" : "false");
    add_text(row, message->supports_class_c ? "true" : NULL);
}

static void add_session(struct buffer *row, const Tts__Session *session) {
    const ProtobufCBinaryData none = {0};
    const Tts__SessionKeys *keys = session == NULL ? NULL : session->keys;
    add_hex(row, session == NULL ? &none : &session->dev_addr);
    add_key(row, keys == NULL ? NULL : keys->app_s_key);
    add_key(row, keys == NULL ? NULL : keys->f_nwk_s_int_key);
    add_number(row, session != NULL, session == NULL ? 0 : session->last_f_cnt_up);
    add_number(row, session != NULL, session == NULL ? 0 : session->last_n_f_cnt_down);
    add_number(row, session != NULL, session == NULL ? 0 : session->last_a_f_cnt_down);
}

static int csv_encode(const struct device *device, struct buffer *output, struct error *error) {
    (void)error;
    BUFFER_AUTO row;
    buffer_init(&row, BUFFER_UNLIMITED);
    add_identity(&row, device->end_device);
    add_profile(&row, device->end_device);
    add_settings(&row, device->end_device);
    add_session(&row, device->end_device->session);
    buffer_putc(&row, '\n');
    buffer_add(output, row.data, row.size);
    return 0;
}

// ---- what has no place

static bool is_wrapped(const Tts__KeyEnvelope *key) {
    return key != NULL && key->encrypted_key.len > 0;
}

static bool same_key(const Tts__KeyEnvelope *a, const Tts__KeyEnvelope *b) {
    return a == NULL || a->key.len == 0 ||
           (b != NULL && a->key.len == b->key.len && memcmp(a->key.data, b->key.data, a->key.len) == 0);
}

// Why a device cannot go into a table at all, or NULL.
static const char *refusal(const Tts__EndDevice *message) {
    const Tts__RootKeys *root = message->root_keys;
    const Tts__SessionKeys *keys = message->session == NULL ? NULL : message->session->keys;
    if (message->multicast) return "is a multicast group";
    if (message->supports_join && (root == NULL || (root->app_key == NULL && root->nwk_key == NULL)))
        return "joins, but its root keys are elsewhere";
    if (root != NULL && (is_wrapped(root->app_key) || is_wrapped(root->nwk_key)))
        return "its keys are encrypted";
    if (keys == NULL) return NULL;
    if (is_wrapped(keys->app_s_key) || is_wrapped(keys->f_nwk_s_int_key)) return "its keys are encrypted";
    // In LoRaWAN 1.0 all three are one key.
    if (!same_key(keys->s_nwk_s_int_key, keys->f_nwk_s_int_key) ||
        !same_key(keys->nwk_s_enc_key, keys->f_nwk_s_int_key))
        return "has a session of LoRaWAN 1.1, with three network keys";
    return NULL;
}

// Takes away what the table holds, what is the application's affair, and what a network makes by itself.
static void take_held(Tts__EndDevice *message, struct arena *arena) {
    message->ids = message_new(arena, &tts__end_device_identifiers__descriptor);
    message->name = message->description = message->frequency_plan_id = arena_strdup(arena, "");
    message->lorawan_version = TTS__MACVERSION__MAC_UNKNOWN;
    message->lorawan_phy_version = TTS__PHYVERSION__PHY_UNKNOWN;
    message->version_ids = NULL;
    message->lora_alliance_profile_ids = NULL;
    message->supports_class_c = message->supports_join = false;
    message->created_at = message->updated_at = NULL;
    message->session = NULL;
    if (message->root_keys != NULL) {
        message->root_keys->app_key = message->root_keys->nwk_key = NULL;
        if (message->root_keys->root_key_id[0] == '\0') message->root_keys = NULL;
    }
    if (message->mac_settings == NULL) return;
    message->mac_settings->rx1_delay = NULL;
    message->mac_settings->supports_32_bit_f_cnt = NULL;
    const ProtobufCMessage *none = message_new(arena, &tts__macsettings__descriptor);
    if (message_equal(&message->mac_settings->base, none)) message->mac_settings = NULL;
}

// Gathers the names of members, each once.
static void add_member(void *context, const struct message_difference *difference) {
    struct buffer *names = context;
    size_t size = strcspn(difference->path, ".[");
    if (strncmp(difference->path, "mac_settings.", strlen("mac_settings.")) == 0) {
        size = strlen("mac_settings.") + strcspn(difference->path + strlen("mac_settings."), ".[");
    }
    char *name MEMORY_AUTO = memory_printf(", %.*s,", (int)size, difference->path);
    buffer_putc(names, ',');
    bool known = strstr(buffer_string(names), name) != NULL;
    names->size--;
    if (!known) buffer_printf(names, ", %.*s", (int)size, difference->path);
}

static int csv_fit(struct device *device, struct error *error) {
    const char *reason = refusal(device->end_device);
    if (reason != NULL) {
        error_set(error, ERROR_DEVICE, "%s, for which the table has no columns", reason);
        error_hint(error, "migrate it with --to json");
        return -ERROR_DEVICE;
    }
    device_drop_gen_app_key(device);
    ARENA_AUTO arena = {0};
    BUFFER_AUTO names;
    buffer_init(&names, BUFFER_UNLIMITED);
    Tts__EndDevice *rest = message_copy(&device->end_device->base, &arena);
    Tts__EndDevice *empty = message_new(&arena, &tts__end_device__descriptor);
    if (rest == NULL) return error_set(error, ERROR_DEVICE, "is too large");
    take_held(rest, &arena);
    take_held(empty, &arena);
    message_diff(&rest->base, &empty->base, add_member, &names);
    if (names.size > 0)
        device_note(device, "csv", "the table has no place for %s", buffer_string(&names) + 2);
    return 0;
}

const struct target_driver target_csv = {
    .name = "csv",
    .title = "table of devices (CSV) that The Things Stack imports, to standard output or --output FILE",
    .begin = csv_begin,
    .encode = csv_encode,
    .fit = csv_fit,
    .refuses = true,
};
