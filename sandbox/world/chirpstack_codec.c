// SPDX-License-Identifier: Apache-2.0
// The messages of ChirpStack's API that hold a device, by field numbers.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "world/chirpstack_p.h"

void cs_put_text(struct buffer *buffer, uint32_t number, const char *text) {
    if (text != NULL && *text != '\0') wire_put_text(buffer, number, text);
}

void cs_put_number(struct buffer *buffer, uint32_t number, uint64_t value) {
    if (value != 0) wire_put_varint(buffer, number, value);
}

void cs_put_time(struct buffer *buffer, uint32_t number, int64_t ns) {
    if (ns == 0) return;
    size_t mark = wire_begin(buffer, number);
    cs_put_number(buffer, 1, (uint64_t)(ns / NS_PER_SECOND));
    cs_put_number(buffer, 2, (uint64_t)(ns % NS_PER_SECOND));
    wire_end(buffer, mark);
}

static void put_pair(struct buffer *buffer, uint32_t number, const char *key, const char *value) {
    size_t mark = wire_begin(buffer, number);
    cs_put_text(buffer, 1, key);
    cs_put_text(buffer, 2, value);
    wire_end(buffer, mark);
}

void cs_put_pairs(struct buffer *buffer, uint32_t number, const struct cs_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++)
        put_pair(buffer, number, pairs->items[i].key, pairs->items[i].value);
}

void cs_put_device(struct buffer *buffer, uint32_t number, const struct cs_device *device) {
    size_t mark = wire_begin(buffer, number);
    cs_put_text(buffer, 1, device->dev_eui);
    cs_put_text(buffer, 2, device->name);
    cs_put_text(buffer, 3, device->description);
    cs_put_text(buffer, 4, device->application_id);
    cs_put_text(buffer, 5, device->profile_id);
    cs_put_number(buffer, 6, device->skip_fcnt_check);
    cs_put_number(buffer, 7, device->is_disabled);
    cs_put_pairs(buffer, 8, &device->variables);
    cs_put_pairs(buffer, 9, &device->tags);
    cs_put_text(buffer, 10, device->join_eui);
    wire_end(buffer, mark);
}

void cs_put_keys(struct buffer *buffer, uint32_t number, const struct cs_device *device) {
    size_t mark = wire_begin(buffer, number);
    cs_put_text(buffer, 1, device->dev_eui);
    cs_put_text(buffer, 2, device->keys.nwk_key);
    cs_put_text(buffer, 3, device->keys.app_key);
    cs_put_text(buffer, 4, device->keys.gen_app_key);
    wire_end(buffer, mark);
}

void cs_put_activation(struct buffer *buffer, uint32_t number, const struct cs_device *device) {
    const struct cs_activation *activation = &device->activation;
    size_t mark = wire_begin(buffer, number);
    cs_put_text(buffer, 1, device->dev_eui);
    cs_put_text(buffer, 2, activation->dev_addr);
    if (!device->wrapped) cs_put_text(buffer, 3, activation->app_s_key);
    cs_put_text(buffer, 4, activation->nwk_s_enc_key);
    cs_put_number(buffer, 5, activation->f_cnt_up);
    cs_put_number(buffer, 6, activation->n_f_cnt_down);
    cs_put_text(buffer, 8, activation->s_nwk_s_int_key);
    cs_put_text(buffer, 9, activation->f_nwk_s_int_key);
    cs_put_number(buffer, 10, activation->a_f_cnt_down);
    wire_end(buffer, mark);
}

void cs_put_profile(struct buffer *buffer, uint32_t number, const struct cs_profile *profile) {
    size_t mark = wire_begin(buffer, number);
    cs_put_text(buffer, 1, profile->id);
    cs_put_text(buffer, 2, profile->tenant->id);
    cs_put_text(buffer, 3, profile->name);
    cs_put_number(buffer, 4, profile->region);
    cs_put_number(buffer, 5, profile->mac_version);
    cs_put_number(buffer, 6, profile->revision);
    cs_put_text(buffer, 7, profile->adr == NULL ? "default" : profile->adr);
    cs_put_number(buffer, 8, profile->codec);
    cs_put_text(buffer, 9, profile->script);
    cs_put_number(buffer, 10, profile->flush_queue);
    cs_put_number(buffer, 11, profile->uplink_interval == 0 ? 3600 : profile->uplink_interval);
    cs_put_number(buffer, 12, profile->status_requests);
    cs_put_number(buffer, 13, profile->otaa);
    cs_put_number(buffer, 14, profile->class_b);
    cs_put_number(buffer, 15, profile->class_c);
    cs_put_number(buffer, 16, profile->class_b_timeout);
    cs_put_number(buffer, 17, profile->ping_slot_periodicity);
    cs_put_number(buffer, 18, profile->ping_slot_dr);
    cs_put_number(buffer, 19, profile->ping_slot_freq);
    cs_put_number(buffer, 20, profile->class_c_timeout);
    cs_put_number(buffer, 21, profile->abp_rx1_delay);
    cs_put_number(buffer, 22, profile->abp_rx1_dr_offset);
    cs_put_number(buffer, 23, profile->abp_rx2_dr);
    cs_put_number(buffer, 24, profile->abp_rx2_freq);
    if (profile->tag_key != NULL) put_pair(buffer, 25, profile->tag_key, profile->tag_value);
    cs_put_text(buffer, 26, profile->description);
    cs_put_number(buffer, 28, profile->auto_detect);
    cs_put_text(buffer, 29, profile->region_config);
    cs_put_number(buffer, 30, profile->is_relay);
    cs_put_number(buffer, 31, profile->is_relay_ed);
    cs_put_number(buffer, 53, profile->rx1_delay);
    wire_end(buffer, mark);
}

// ---- reading

bool cs_inner(struct wire_bytes message, struct wire_bytes *ret_inner) {
    struct wire_reader reader = {.data = message.data, .size = message.size};
    struct wire_field field;
    bool found = false;
    while (wire_next(&reader, &field)) {
        if (field.number != 1 || field.type != WIRE_BYTES) continue;
        *ret_inner = field.bytes;
        found = true;
    }
    return found && reader.failure == NULL;
}

// A hex text in lower case; empty stays empty. False if it has another length or other characters.
static bool read_hex(struct wire_bytes text, char *hex, size_t size) {
    if (text.size == 0) {
        hex[0] = '\0';
        return true;
    }
    if (text.size != size - 1) return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!isxdigit(text.data[i])) return false;
        hex[i] = (char)tolower(text.data[i]);
    }
    hex[text.size] = '\0';
    return true;
}

static void read_text(struct wire_bytes bytes, char **text) {
    free(*text);
    *text = memory_strndup((const char *)bytes.data, bytes.size);
}

static void read_id(struct wire_bytes bytes, char id[static CS_UUID_SIZE]) {
    snprintf(id, CS_UUID_SIZE, "%.*s", (int)(bytes.size < CS_UUID_SIZE ? bytes.size : CS_UUID_SIZE),
             (const char *)bytes.data);
}

static void read_pair(struct wire_bytes message, struct cs_pairs *pairs) {
    struct wire_reader reader = {.data = message.data, .size = message.size};
    struct wire_field field;
    char *key = memory_strdup("");
    char *value = memory_strdup("");
    while (wire_next(&reader, &field)) {
        if (field.type == WIRE_BYTES && field.number <= 2)
            read_text(field.bytes, field.number == 1 ? &key : &value);
    }
    cs_pairs_add(pairs, key, value);
    free(key);
    free(value);
}

const char *cs_read_device(struct wire_bytes message, struct cs_device *device) {
    struct wire_reader reader = {.data = message.data, .size = message.size};
    struct wire_field field;
    cs_pairs_release(&device->variables);
    cs_pairs_release(&device->tags);
    device->skip_fcnt_check = device->is_disabled = false;
    read_text((struct wire_bytes){(const uint8_t *)"", 0}, &device->name);
    read_text((struct wire_bytes){(const uint8_t *)"", 0}, &device->description);
    snprintf(device->join_eui, sizeof device->join_eui, "0000000000000000");
    bool good = true;
    while (wire_next(&reader, &field)) {
        if (field.number == 1) good = good && read_hex(field.bytes, device->dev_eui, CS_EUI_SIZE);
        if (field.number == 2) read_text(field.bytes, &device->name);
        if (field.number == 3) read_text(field.bytes, &device->description);
        if (field.number == 4) read_id(field.bytes, device->application_id);
        if (field.number == 5) read_id(field.bytes, device->profile_id);
        if (field.number == 6) device->skip_fcnt_check = field.value != 0;
        if (field.number == 7) device->is_disabled = field.value != 0;
        if (field.number == 8) read_pair(field.bytes, &device->variables);
        if (field.number == 9) read_pair(field.bytes, &device->tags);
        if (field.number == 10 && field.bytes.size > 0)
            good = good && read_hex(field.bytes, device->join_eui, CS_EUI_SIZE);
    }
    if (reader.failure != NULL) return reader.failure;
    return good && device->dev_eui[0] != '\0' ? NULL : "Invalid string length";
}

static void set_profile_number(struct cs_profile *profile, uint32_t number, uint64_t value) {
    const struct {
        uint32_t number;
        uint32_t *member;
    } numbers[] = {
        {4, &profile->region},
        {5, &profile->mac_version},
        {6, &profile->revision},
        {8, &profile->codec},
        {11, &profile->uplink_interval},
        {12, &profile->status_requests},
        {16, &profile->class_b_timeout},
        {17, &profile->ping_slot_periodicity},
        {18, &profile->ping_slot_dr},
        {19, &profile->ping_slot_freq},
        {20, &profile->class_c_timeout},
        {21, &profile->abp_rx1_delay},
        {22, &profile->abp_rx1_dr_offset},
        {23, &profile->abp_rx2_dr},
        {24, &profile->abp_rx2_freq},
        {53, &profile->rx1_delay},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].number == number) *numbers[i].member = (uint32_t)value;
    }
    if (number == 10) profile->flush_queue = value != 0;
    if (number == 13) profile->otaa = value != 0;
    if (number == 14) profile->class_b = value != 0;
    if (number == 15) profile->class_c = value != 0;
    if (number == 28) profile->auto_detect = value != 0;
    if (number == 30) profile->is_relay = value != 0;
    if (number == 31) profile->is_relay_ed = value != 0;
}

static void set_profile_text(struct cs_profile *profile, uint32_t number, struct wire_bytes bytes) {
    const char **member = number == 3    ? &profile->name
                          : number == 7  ? &profile->adr
                          : number == 9  ? &profile->script
                          : number == 26 ? &profile->description
                          : number == 29 ? &profile->region_config
                                         : NULL;
    if (member != NULL) *member = arena_strndup(&profile->arena, (const char *)bytes.data, bytes.size);
}

// What does not go with its kind is not kept.
static void drop_parameters(struct cs_profile *profile) {
    if (profile->otaa) {
        profile->abp_rx1_delay = profile->abp_rx1_dr_offset = profile->abp_rx2_dr = profile->abp_rx2_freq = 0;
    }
    if (!profile->class_b) {
        profile->class_b_timeout = profile->ping_slot_periodicity = 0;
        profile->ping_slot_dr = profile->ping_slot_freq = 0;
    }
    if (!profile->class_c) profile->class_c_timeout = 0;
}

const char *cs_read_profile(struct wire_bytes message, struct cs_profile *profile,
                            char tenant_id[static CS_UUID_SIZE]) {
    struct wire_reader reader = {.data = message.data, .size = message.size};
    struct wire_field field;
    tenant_id[0] = '\0';
    while (wire_next(&reader, &field)) {
        if (field.type == WIRE_VARINT) set_profile_number(profile, field.number, field.value);
        if (field.type != WIRE_BYTES) continue;
        if (field.number == 2) read_id(field.bytes, tenant_id);
        set_profile_text(profile, field.number, field.bytes);
    }
    drop_parameters(profile);
    return reader.failure;
}

const char *cs_read_keys(struct wire_bytes message, char dev_eui[static CS_EUI_SIZE], struct cs_keys *keys) {
    struct wire_reader reader = {.data = message.data, .size = message.size};
    struct wire_field field;
    static const char none[] = "00000000000000000000000000000000";
    *keys = (struct cs_keys){0};
    snprintf(keys->nwk_key, sizeof keys->nwk_key, "%s", none);
    snprintf(keys->app_key, sizeof keys->app_key, "%s", none);
    snprintf(keys->gen_app_key, sizeof keys->gen_app_key, "%s", none);
    dev_eui[0] = '\0';
    bool good = true;
    while (wire_next(&reader, &field)) {
        if (field.number == 1) good = good && read_hex(field.bytes, dev_eui, CS_EUI_SIZE);
        if (field.bytes.size == 0) continue;
        if (field.number == 2) good = good && read_hex(field.bytes, keys->nwk_key, CS_KEY_SIZE);
        if (field.number == 3) good = good && read_hex(field.bytes, keys->app_key, CS_KEY_SIZE);
        if (field.number == 4) good = good && read_hex(field.bytes, keys->gen_app_key, CS_KEY_SIZE);
    }
    if (reader.failure != NULL) return reader.failure;
    return good ? NULL : "Invalid string length";
}

const char *cs_read_activation(struct wire_bytes message, char dev_eui[static CS_EUI_SIZE],
                               struct cs_activation *activation) {
    struct wire_reader reader = {.data = message.data, .size = message.size};
    struct wire_field field;
    *activation = (struct cs_activation){0};
    dev_eui[0] = '\0';
    bool good = true;
    while (wire_next(&reader, &field)) {
        if (field.number == 1) good = good && read_hex(field.bytes, dev_eui, CS_EUI_SIZE);
        if (field.number == 2) good = good && read_hex(field.bytes, activation->dev_addr, CS_ADDRESS_SIZE);
        if (field.number == 3) good = good && read_hex(field.bytes, activation->app_s_key, CS_KEY_SIZE);
        if (field.number == 4) good = good && read_hex(field.bytes, activation->nwk_s_enc_key, CS_KEY_SIZE);
        if (field.number == 5) activation->f_cnt_up = (uint32_t)field.value;
        if (field.number == 6) activation->n_f_cnt_down = (uint32_t)field.value;
        if (field.number == 8) good = good && read_hex(field.bytes, activation->s_nwk_s_int_key, CS_KEY_SIZE);
        if (field.number == 9) good = good && read_hex(field.bytes, activation->f_nwk_s_int_key, CS_KEY_SIZE);
        if (field.number == 10) activation->a_f_cnt_down = (uint32_t)field.value;
    }
    if (reader.failure != NULL) return reader.failure;
    bool whole = activation->dev_addr[0] != '\0' && activation->app_s_key[0] != '\0' &&
                 activation->nwk_s_enc_key[0] != '\0' && activation->s_nwk_s_int_key[0] != '\0' &&
                 activation->f_nwk_s_int_key[0] != '\0';
    return good && whole ? NULL : "Invalid string length";
}
