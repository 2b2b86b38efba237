// SPDX-License-Identifier: Apache-2.0
// The devices as JSON. Names and tags are left out: what matters here is who has which keys.
#include "world/chirpstack_p.h"

static void put_text(struct buffer *state, const char *name, const char *text) {
    buffer_printf(state, ",\"%s\":\"%s\"", name, text);
}

static void put_activation(struct buffer *state, const struct cs_activation *activation) {
    buffer_printf(state, ",\"activation\":{\"dev_addr\":\"%s\"", activation->dev_addr);
    put_text(state, "app_s_key", activation->app_s_key);
    put_text(state, "nwk_s_enc_key", activation->nwk_s_enc_key);
    put_text(state, "s_nwk_s_int_key", activation->s_nwk_s_int_key);
    put_text(state, "f_nwk_s_int_key", activation->f_nwk_s_int_key);
    buffer_printf(state, ",\"f_cnt_up\":%lu,\"n_f_cnt_down\":%lu,\"a_f_cnt_down\":%lu}",
                  (unsigned long)activation->f_cnt_up, (unsigned long)activation->n_f_cnt_down,
                  (unsigned long)activation->a_f_cnt_down);
}

static void put_device(struct buffer *state, const struct cs_device *device) {
    buffer_printf(state, "{\"dev_eui\":\"%s\"", device->dev_eui);
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

void cs_state_json(const struct cs *cs, const char *separator, struct buffer *state) {
    for (size_t i = 0; i < cs->device_count; i++) {
        if (i > 0) buffer_puts(state, separator);
        put_device(state, cs->devices[i]);
    }
}
