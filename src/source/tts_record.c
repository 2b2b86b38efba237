// SPDX-License-Identifier: Apache-2.0
// A device as the four servers have it: read from them, kept as a record's bytes (proto/tts_record.proto), compared.
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/tts_p.h"
#include "tts_record.pb-c.h"

enum { LOOKS_AGAIN_MAX = 4 };

static bool same_bytes(ProtobufCBinaryData left, ProtobufCBinaryData right) {
    return left.len == right.len && (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

// ---- replies

static bool eui_is_sound(ProtobufCBinaryData eui) {
    return eui.len == 0 || eui.len == EUI64_BYTES;
}

int tts_source_part_read(const struct tts_source *self, enum stack_role server, const struct reply *reply,
                         const char *id, struct arena *arena, Tts__EndDevice **ret_part,
                         struct error *error) {
    const char *name = self->peers[server].name;
    Tts__EndDevice *part =
        message_unpack(&tts__end_device__descriptor, reply->body.data, reply->body.size, arena, error);
    if (part == NULL) return error_wrap(error, ERROR_NONE, "%s: device %s", name, id);
    const Tts__EndDeviceIdentifiers *ids = part->ids;
    const Tts__ApplicationIdentifiers *application = ids == NULL ? NULL : ids->application_ids;
    if (application == NULL || strcmp(ids->device_id, id) != 0 ||
        strcmp(application->application_id, self->application) != 0) {
        return error_set(error, ERROR_PROTOCOL, "%s: asked for device %s, it sent %s of application %s", name,
                         id, ids == NULL ? "one without ID" : ids->device_id,
                         application == NULL ? "none" : application->application_id);
    }
    if (!eui_is_sound(ids->dev_eui) || !eui_is_sound(ids->join_eui)) {
        return error_set(error, ERROR_PROTOCOL, "%s: device %s has an EUI that is not 8 bytes long", name,
                         id);
    }
    *ret_part = part;
    return 0;
}

// ---- the record

static Tts__EndDevice **part_of(TtsRecord__Record *message, enum stack_role server) {
    switch (server) {
        case STACK_IDENTITY:
            return &message->identity_server;
        case STACK_NETWORK:
            return &message->network_server;
        case STACK_APPLICATION:
            return &message->application_server;
        default:
            return &message->join_server;
    }
}

int tts_source_record_read(const struct source_record *record, struct arena *arena,
                           struct tts_parts *ret_parts, struct error *error) {
    *ret_parts = (struct tts_parts){0};
    TtsRecord__Record *message =
        message_unpack(&tts_record__record__descriptor, record->data, record->size, arena, error);
    if (message == NULL) return error_wrap(error, ERROR_PROTOCOL, "the record cannot be read");
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        Tts__EndDevice *part = *part_of(message, server);
        if (part != NULL && part->ids == NULL) {
            return error_set(error, ERROR_PROTOCOL, "the record of the %s has no identifiers",
                             stack_title(server));
        }
        ret_parts->at[server] = part;
    }
    if (tts_source_parts_ids(ret_parts) != NULL) return 0;
    return error_set(error, ERROR_PROTOCOL, "the record is empty");
}

void tts_source_record_write(struct source_record *record, const struct tts_parts *parts) {
    TtsRecord__Record message = TTS_RECORD__RECORD__INIT;
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        *part_of(&message, server) = parts->at[server];
    }
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(&message.base, &bytes);
    source_record_set_data(record, bytes.data, bytes.size);
    const Tts__EndDeviceIdentifiers *ids = tts_source_parts_ids(parts);
    record->has_dev_eui = ids != NULL && ids->dev_eui.len == EUI64_BYTES;
    if (record->has_dev_eui) memcpy(record->dev_eui, ids->dev_eui.data, EUI64_BYTES);
    record->complete = true;
}

// ---- comparisons

const Tts__EndDeviceIdentifiers *tts_source_parts_ids(const struct tts_parts *parts) {
    const Tts__EndDeviceIdentifiers *first = NULL;
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        const Tts__EndDevice *part = parts->at[server];
        if (part == NULL) continue;
        if (part->ids->dev_eui.len > 0) return part->ids;
        if (first == NULL) first = part->ids;
    }
    return first;
}

static bool same_eui(ProtobufCBinaryData left, ProtobufCBinaryData right) {
    return left.len == 0 || right.len == 0 || same_bytes(left, right);
}

bool tts_source_same_euis(const Tts__EndDeviceIdentifiers *left, const Tts__EndDeviceIdentifiers *right) {
    return same_eui(left->dev_eui, right->dev_eui) && same_eui(left->join_eui, right->join_eui);
}

bool tts_source_is_silenced(const Tts__EndDevice *network) {
    const Tts__MACSettings *settings = network->mac_settings;
    return settings != NULL && settings->schedule_downlinks != NULL && !settings->schedule_downlinks->value;
}

static bool same_key(const Tts__KeyEnvelope *left, const Tts__KeyEnvelope *right) {
    static const ProtobufCBinaryData none = {0};
    return same_bytes(left == NULL ? none : left->key, right == NULL ? none : right->key) &&
           same_bytes(left == NULL ? none : left->encrypted_key, right == NULL ? none : right->encrypted_key);
}

bool tts_source_same_session(const Tts__Session *left, const Tts__Session *right) {
    if (left == NULL || right == NULL) return left == right;
    const Tts__SessionKeys *a = left->keys;
    const Tts__SessionKeys *b = right->keys;
    if (!same_bytes(left->dev_addr, right->dev_addr)) return false;
    if (a == NULL || b == NULL) return a == b;
    return same_bytes(a->session_key_id, b->session_key_id) &&
           same_key(a->f_nwk_s_int_key, b->f_nwk_s_int_key);
}

bool tts_source_same_application_session(const Tts__Session *left, const Tts__Session *right) {
    if (left == NULL || right == NULL || left->keys == NULL || right->keys == NULL) return false;
    return same_bytes(left->dev_addr, right->dev_addr) &&
           same_bytes(left->keys->session_key_id, right->keys->session_key_id) &&
           same_key(left->keys->app_s_key, right->keys->app_s_key);
}

bool tts_source_same_root_keys(const Tts__EndDevice *left, const Tts__EndDevice *right) {
    const Tts__RootKeys *a = left->root_keys;
    const Tts__RootKeys *b = right->root_keys;
    return same_key(a == NULL ? NULL : a->app_key, b == NULL ? NULL : b->app_key) &&
           same_key(a == NULL ? NULL : a->nwk_key, b == NULL ? NULL : b->nwk_key);
}

// True if a downlink with a counter may have been sent in this session.
static bool has_sent_down(const Tts__MACState *state) {
    if (state == NULL) return false;
    // It may have been a join-accept, which has no counter: then one is skipped for nothing.
    if (state->last_downlink_at != NULL) return true;
    for (size_t i = 0; i < state->n_recent_downlinks; i++) {
        const Tts__MACState__DownlinkMessage *downlink = state->recent_downlinks[i];
        if (downlink->payload != NULL && downlink->payload->mac_payload != NULL) return true;
    }
    return false;
}

uint32_t tts_source_last_n_f_cnt_down(const Tts__EndDevice *network) {
    if (network == NULL || network->session == NULL) return 0;
    uint32_t last = network->session->last_n_f_cnt_down;
    // 0 is "none yet" as well as "the first one": where that was sent, 1 is skipped rather than 0 used twice.
    return last == 0 && has_sent_down(network->mac_state) ? 1 : last;
}

uint32_t tts_source_last_a_f_cnt_down(const struct tts_parts *parts) {
    const Tts__EndDevice *network = parts->at[STACK_NETWORK];
    const Tts__EndDevice *application = parts->at[STACK_APPLICATION];
    if (network == NULL || network->lorawan_version != TTS__MACVERSION__MAC_V1_1) return 0;
    if (application == NULL || application->session == NULL) return 0;
    return application->session->last_a_f_cnt_down;
}

// ---- reading from all servers

static void look_ask(struct tts_source *self, struct job *job, struct tts_look *look,
                     enum stack_role server) {
    look->asked[look->asked_count++] = server;
    tts_source_get_call(self, job, server, look->id, look->ids);
}

enum job_step tts_source_look_begin(struct tts_source *self, struct job *job, struct tts_look *look,
                                    const char *id, const Tts__EndDeviceIdentifiers *ids, unsigned wanted) {
    *look = (struct tts_look){.id = arena_strdup(job->arena, id), .ids = ids};
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        if ((wanted & 1U << server) != 0) look_ask(self, job, look, server);
    }
    return JOB_CALLS;
}

// The oldest Join Servers want the EUIs, which the Identity Server has just told.
static bool wants_euis(const struct tts_look *look, enum stack_role server, const struct reply *reply) {
    const Tts__EndDevice *identity = look->parts.at[STACK_IDENTITY];
    return server == STACK_JOIN && look->ids == NULL && reply->outcome == REPLY_ANSWERED &&
           reply->grpc_status == GRPC_INVALID_ARGUMENT && identity != NULL &&
           identity->ids->dev_eui.len > 0 && identity->ids->join_eui.len > 0;
}

enum job_step tts_source_look_replies(struct tts_source *self, struct job *job, struct tts_look *look,
                                      struct error *error) {
    enum stack_role asked[STACK_ROLES];
    size_t count = look->asked_count;
    memcpy(asked, look->asked, sizeof asked);
    look->asked_count = 0;
    const Tts__EndDeviceIdentifiers *euis = look->ids;
    for (size_t i = 0; i < count; i++) {
        enum stack_role server = asked[i];
        const struct reply *reply = &job->replies[i];
        bool again = look->again < LOOKS_AGAIN_MAX;
        if (stack_is_absent(reply)) {
            look->parts.at[server] = NULL;
        } else if (reply_ok(reply, CALL_GRPC)) {
            if (tts_source_part_read(self, server, reply, look->id, job->arena, &look->parts.at[server],
                                     error) != 0)
                return JOB_FAILED;
        } else if (again && tts_source_mask_refused(self, server, reply, job->arena)) {
            look->asked[look->asked_count++] = server;
        } else if (again && wants_euis(look, server, reply)) {
            euis = look->parts.at[STACK_IDENTITY]->ids;
            look->asked[look->asked_count++] = server;
        } else {
            tts_source_failed(self, server, &job->calls[i], reply, job->arena, error);
            return JOB_FAILED;
        }
    }
    if (look->asked_count == 0) return JOB_DONE;
    look->again++;
    look->ids = euis;
    for (size_t i = 0; i < look->asked_count; i++) {
        tts_source_get_call(self, job, look->asked[i], look->id, look->ids);
    }
    return JOB_CALLS;
}
