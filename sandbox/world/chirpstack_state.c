// SPDX-License-Identifier: Apache-2.0
// The devices as JSON. Of their tags there is the number: what matters here is who has which keys.
#include "world/chirpstack_p.h"

static void put_text(struct buffer *state, const char *name, const char *text) {
    buffer_printf(state, ",\"%s\":\"%s\"", name, text);
}

static void put_json_text(struct buffer *state, const char *name, const char *text) {
    buffer_printf(state, ",\"%s\":\"", name);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') buffer_putc(state, '\\');
        if ((unsigned char)*text < ' ') {
            buffer_printf(state, "\\u%04x", (unsigned)(unsigned char)*text);
        } else {
            buffer_putc(state, *text);
        }
    }
    buffer_putc(state, '"');
}

static void put_activation(struct buffer *state, const struct cs_activation *activation) {
    buffer_printf(state, ",\"activation\":{\"dev_addr\":\"%s\"", activation->dev_addr);
    put_text(state, "app_s_key", activation->app_s_key);
    put_text(state, "nwk_s_enc_key", activation->nwk_s_enc_key);
    put_text(state, "s_nwk_s_int_key", activation->s_nwk_s_int_key);
    put_text(state, "f_nwk_s_int_key", activation->f_nwk_s_int_key);
    buffer_printf(state, ",\"f_cnt_up\":%lu,\"n_f_cnt_down\":%lu,\"a_f_cnt_down\":%lu",
                  (unsigned long)activation->f_cnt_up, (unsigned long)activation->n_f_cnt_down,
                  (unsigned long)activation->a_f_cnt_down);
    buffer_printf(state, ",\"rx\":[%lu,%lu,%lu,%lu]}", (unsigned long)activation->rx1_delay,
                  (unsigned long)activation->rx1_dr_offset, (unsigned long)activation->rx2_dr,
                  (unsigned long)activation->rx2_freq);
}

static void put_device(struct buffer *state, const struct cs_device *device) {
    buffer_printf(state, "{\"dev_eui\":\"%s\"", device->dev_eui);
    put_json_text(state, "name", device->name);
    put_json_text(state, "description", device->description);
    buffer_printf(state, ",\"tags\":%zu", device->tags.count);
    put_text(state, "application_id", device->application_id);
    put_text(state, "profile_id", device->profile_id);
    put_text(state, "join_eui", device->join_eui);
    buffer_printf(state, ",\"is_disabled\":%s", device->is_disabled ? "true" : "false");
    if (device->has_keys) {
        buffer_printf(state, ",\"keys\":{\"nwk_key\":\"%s\"", device->keys.nwk_key);
        put_text(state, "app_key", device->keys.app_key);
        put_text(state, "gen_app_key", device->keys.gen_app_key);
        buffer_putc(state, '}');
    }
    if (device->has_activation) put_activation(state, &device->activation);
    buffer_printf(state, ",\"last_seen\":%lld,\"nonces\":%lu,\"field_f_cnt_up\":%lu,\"writes\":%lu}",
                  (long long)device->last_seen, (unsigned long)device->nonces,
                  (unsigned long)device->field_f_cnt_up, (unsigned long)device->writes);
}

void cs_places_json(const struct cs *cs, struct buffer *state) {
    buffer_puts(state, "\"chirpstack_applications\":[\n");
    for (size_t i = 0; i < cs->application_count; i++) {
        const struct cs_application *application = cs->applications[i];
        buffer_printf(state, "%s{\"id\":\"%s\"", i > 0 ? ",\n" : "", application->id);
        put_text(state, "tenant_id", application->tenant->id);
        put_json_text(state, "name", application->name);
        put_json_text(state, "description", application->description);
        buffer_putc(state, '}');
    }
    buffer_puts(state, "],\n\"chirpstack_profiles\":[\n");
    for (size_t i = 0; i < cs->profile_count; i++) {
        const struct cs_profile *profile = cs->profiles[i];
        buffer_printf(state, "%s{\"id\":\"%s\"", i > 0 ? ",\n" : "", profile->id);
        put_text(state, "tenant_id", profile->tenant->id);
        put_json_text(state, "name", profile->name);
        put_json_text(state, "description", profile->description);
        put_json_text(state, "script", profile->script);
        buffer_printf(state, ",\"otaa\":%s,\"region\":%lu,\"mac_version\":%lu,\"revision\":%lu}",
                      profile->otaa ? "true" : "false", (unsigned long)profile->region,
                      (unsigned long)profile->mac_version, (unsigned long)profile->revision);
    }
    buffer_puts(state, "]");
}

void cs_state_json(const struct cs *cs, const char *separator, struct buffer *state) {
    for (size_t i = 0; i < cs->device_count; i++) {
        if (i > 0) buffer_puts(state, separator);
        put_device(state, cs->devices[i]);
    }
}
