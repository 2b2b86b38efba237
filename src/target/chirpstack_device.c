// SPDX-License-Identifier: Apache-2.0
// A device in the terms of ChirpStack, and a look at what ChirpStack has of it.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "target/chirpstack_p.h"

static char no_key[] = "00000000000000000000000000000000";

// ---- parts

static char *hex_of(ProtobufCBinaryData bytes, struct arena *arena) {
    char *text = arena_alloc(arena, HEX_TEXT_SIZE(bytes.len), 1);
    if (bytes.len > 0) hex_encode_lower(text, bytes.data, bytes.len);
    return text;
}

static char *key_of(const Tts__KeyEnvelope *key, struct arena *arena) {
    return key == NULL || key->key.len != 16 ? no_key : hex_of(key->key, arena);
}

char *cst_dev_eui(const Tts__EndDevice *device, struct arena *arena) {
    return hex_of(device->ids->dev_eui, arena);
}

static void add_tag(Chirpstack__Device *device, char *key, char *value, struct arena *arena) {
    Chirpstack__Pair *pair = message_new(arena, &chirpstack__pair__descriptor);
    pair->key = key;
    pair->value = value;
    message_append(arena, &device->n_tags, &device->tags, pair);
}

// Attributes become tags. An ID that the name does not tell is kept too; which profile it had elsewhere is not.
static void set_tags(const Tts__EndDevice *device, Chirpstack__Device *made, struct arena *arena) {
    static char id_key[] = "device-id";
    bool has_id = false;
    for (size_t i = 0; i < device->n_attributes; i++) {
        char *key = device->attributes[i]->key;
        if (strcmp(key, "chirpstack-device-profile") == 0) continue;
        if (strcmp(key, id_key) == 0) has_id = true;
        add_tag(made, key, device->attributes[i]->value, arena);
    }
    const char *plain = arena_printf(arena, "eui-%s", made->dev_eui);
    const char *id = device->ids->device_id;
    if (!has_id && strcmp(id, made->name) != 0 && strcmp(id, plain) != 0)
        add_tag(made, id_key, arena_strdup(arena, id), arena);
}

static Chirpstack__Device *device_part(const Tts__EndDevice *device, struct arena *arena) {
    const Tts__MACSettings *settings = device->mac_settings;
    Chirpstack__Device *made = message_new(arena, &chirpstack__device__descriptor);
    made->dev_eui = cst_dev_eui(device, arena);
    made->name = device->name[0] != '\0' ? device->name : device->ids->device_id;
    made->description = device->description;
    made->application_id = device->ids->application_ids->application_id;
    made->join_eui = device->ids->join_eui.len == 8 ? hex_of(device->ids->join_eui, arena)
                                                    : arena_strdup(arena, "0000000000000000");
    made->skip_fcnt_check =
        settings != NULL && settings->resets_f_cnt != NULL && settings->resets_f_cnt->value;
    set_tags(device, made, arena);
    return made;
}

static bool is_1_1(const Tts__EndDevice *device) {
    return device->lorawan_version == TTS__MACVERSION__MAC_V1_1;
}

static Chirpstack__DeviceKeys *keys_part(const Tts__EndDevice *device, struct arena *arena) {
    const Tts__RootKeys *root = device->root_keys;
    if (!device->supports_join || root == NULL) return NULL;
    Chirpstack__DeviceKeys *keys = message_new(arena, &chirpstack__device_keys__descriptor);
    keys->dev_eui = cst_dev_eui(device, arena);
    keys->nwk_key = key_of(is_1_1(device) ? root->nwk_key : root->app_key, arena);
    keys->app_key = is_1_1(device) ? key_of(root->app_key, arena) : no_key;
    KEY128_AUTO key = {0};
    keys->gen_app_key = device_gen_app_key(device, &key)
                            ? hex_of((ProtobufCBinaryData){.len = sizeof key.bytes, .data = key.bytes}, arena)
                            : no_key;
    bool any = chirpstack_key(keys->nwk_key, &key) || chirpstack_key(keys->app_key, &key);
    return any ? keys : NULL;
}

// One downlink counter for LoRaWAN 1.0.x: whichever is further.
static void set_downlink_counters(const Tts__EndDevice *device, Chirpstack__DeviceActivation *activation) {
    uint32_t network = device->session->last_n_f_cnt_down, application = device->session->last_a_f_cnt_down;
    if (is_1_1(device)) {
        activation->n_f_cnt_down = chirpstack_next_f_cnt(network);
        activation->a_f_cnt_down = chirpstack_next_f_cnt(application);
    } else {
        activation->n_f_cnt_down = chirpstack_next_f_cnt(network > application ? network : application);
    }
}

static Chirpstack__DeviceActivation *activation_part(const Tts__EndDevice *device, struct arena *arena) {
    const Tts__Session *session = device->session;
    if (session == NULL || session->keys == NULL) return NULL;
    const Tts__SessionKeys *keys = session->keys;
    Chirpstack__DeviceActivation *activation = message_new(arena, &chirpstack__device_activation__descriptor);
    activation->dev_eui = cst_dev_eui(device, arena);
    activation->dev_addr = hex_of(session->dev_addr, arena);
    activation->app_s_key = key_of(keys->app_s_key, arena);
    activation->f_nwk_s_int_key = key_of(keys->f_nwk_s_int_key, arena);
    activation->s_nwk_s_int_key =
        is_1_1(device) ? key_of(keys->s_nwk_s_int_key, arena) : activation->f_nwk_s_int_key;
    activation->nwk_s_enc_key =
        is_1_1(device) ? key_of(keys->nwk_s_enc_key, arena) : activation->f_nwk_s_int_key;
    activation->f_cnt_up = chirpstack_next_f_cnt(session->last_f_cnt_up);
    set_downlink_counters(device, activation);
    return activation;
}

void cst_parts(struct cst *self, const Tts__EndDevice *device, struct arena *arena,
               struct cst_parts *ret_parts) {
    *ret_parts = (struct cst_parts){
        .device = device_part(device, arena),
        .keys = keys_part(device, arena),
        .activation = activation_part(device, arena),
        .profile = cst_profile_of(self, device, arena),
    };
    if (device->session != NULL && device->session->started_at != NULL)
        ret_parts->started_at = device->session->started_at->seconds;
    if (ret_parts->activation != NULL)
        ret_parts->carrier = cst_carrier_of(self, device, ret_parts->profile, arena);
}

// ---- a look

enum find_stage { FIND_BEGIN, FIND_ASKED, FIND_PROFILE };

// The calls of FIND_BEGIN, in their order.
enum { ASK_DEVICE, ASK_KEYS, ASK_ACTIVATION };

static enum job_step find_begin(struct cst *self, struct job *job, const char *dev_eui,
                                struct cst_find *find) {
    cst_get(self, job, "DeviceService/Get", dev_eui);
    cst_get(self, job, "DeviceService/GetKeys", dev_eui);
    cst_get(self, job, "DeviceService/GetActivation", dev_eui);
    find->stage = FIND_ASKED;
    find->view = (struct cst_view){0};
    return JOB_CALLS;
}

// Reads one of the replies; NULL with no error if there is no such thing.
static void *read_part(struct cst *self, struct job *job, size_t index,
                       const ProtobufCMessageDescriptor *descriptor, struct error *error) {
    const struct reply *reply = &job->replies[index];
    if (cst_ok(reply)) return cst_read(self, job, index, descriptor, error);
    if (!cst_is_absent(reply)) cst_failed(self, &job->calls[index], reply, error);
    return NULL;
}

static void find_device(struct cst *self, struct job *job, const char *dev_eui, struct cst_view *view,
                        struct error *error) {
    Chirpstack__GetDeviceResponse *answer =
        read_part(self, job, ASK_DEVICE, &chirpstack__get_device_response__descriptor, error);
    if (answer == NULL) return;
    if (answer->device == NULL || strcasecmp(answer->device->dev_eui, dev_eui) != 0) {
        error_set(error, ERROR_PROTOCOL, "%s: asked for device %s, it sent another one", self->server.name,
                  dev_eui);
        return;
    }
    const Chirpstack__GetDeviceKeysResponse *keys =
        read_part(self, job, ASK_KEYS, &chirpstack__get_device_keys_response__descriptor, error);
    if (error_is_set(error)) return;
    const Chirpstack__GetDeviceActivationResponse *activation =
        read_part(self, job, ASK_ACTIVATION, &chirpstack__get_device_activation_response__descriptor, error);
    view->device = answer;
    view->keys = keys == NULL ? NULL : keys->device_keys;
    view->activation = activation == NULL ? NULL : activation->device_activation;
}

static enum job_step find_asked(struct cst *self, struct job *job, const char *dev_eui, struct cst_find *find,
                                struct error *error) {
    ERROR_AUTO problem = {0};
    find_device(self, job, dev_eui, &find->view, &problem);
    if (error_is_set(&problem)) {
        error_move(error, &problem);
        return JOB_FAILED;
    }
    if (find->view.device == NULL) return JOB_DONE;
    const char *id = find->view.device->device->device_profile_id;
    const struct cst_profile *known = cst_profile_by_id(self, id);
    if (known != NULL && known->whole) {
        find->view.profile = message_copy(&known->message->base, job->arena);
        return JOB_DONE;
    }
    cst_get(self, job, "DeviceProfileService/Get", id);
    find->stage = FIND_PROFILE;
    return JOB_CALLS;
}

static enum job_step find_profile(struct cst *self, struct job *job, struct cst_find *find,
                                  struct error *error) {
    const struct reply *reply = &job->replies[0];
    if (cst_is_absent(reply)) return JOB_DONE;
    if (!cst_ok(reply)) return cst_failed(self, &job->calls[0], reply, error);
    const Chirpstack__GetDeviceProfileResponse *answer =
        cst_read(self, job, 0, &chirpstack__get_device_profile_response__descriptor, error);
    if (answer == NULL) return JOB_FAILED;
    if (answer->device_profile == NULL) {
        error_set(error, ERROR_PROTOCOL, "%s: the answer holds no device profile", self->server.name);
        return JOB_FAILED;
    }
    cst_profile_keep(self, answer->device_profile, true);
    find->view.profile = answer->device_profile;
    return JOB_DONE;
}

enum job_step cst_find(struct cst *self, struct job *job, const char *dev_eui, struct cst_find *find,
                       struct error *error) {
    switch (find->stage) {
        case FIND_BEGIN:
            return find_begin(self, job, dev_eui, find);
        case FIND_ASKED:
            return find_asked(self, job, dev_eui, find, error);
        default:
            return find_profile(self, job, find, error);
    }
}
