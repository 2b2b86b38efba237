// SPDX-License-Identifier: Apache-2.0
// Several devices in one question: the Identity Server checks an API key at each call, which takes it longer than to look for a
// device. The other servers have no such question.
#include <string.h>

#include "device/message.h"
#include "stack/server.h"

// What the API takes (batch requests of The Things Stack v3.32: 20 IDs).
enum { TOGETHER_MOST = 20 };

// What one call asks for.
struct asked {
    const char *application_id;
    const char *device_id;
    const Google__FieldMask *mask;
};

static const struct asked *asked_of(const struct call *call) {
    return call->group_context;
}

static bool same_mask(const Google__FieldMask *a, const Google__FieldMask *b) {
    if (a->n_paths != b->n_paths) return false;
    for (size_t i = 0; i < a->n_paths; i++) {
        if (strcmp(a->paths[i], b->paths[i]) != 0) return false;
    }
    return true;
}

static bool fit(const struct call *a, const struct call *b) {
    const struct asked *left = asked_of(a), *right = asked_of(b);
    return a->server == b->server && strcmp(left->application_id, right->application_id) == 0 &&
           strcmp(left->device_id, right->device_id) != 0 && same_mask(left->mask, right->mask);
}

static void join(const struct call *const calls[], size_t count, struct arena *arena,
                 struct call *ret_joined) {
    const struct asked *first = asked_of(calls[0]);
    Tts__ApplicationIdentifiers application = TTS__APPLICATION_IDENTIFIERS__INIT;
    Tts__BatchGetEndDevicesRequest request = TTS__BATCH_GET_END_DEVICES_REQUEST__INIT;
    application.application_id = arena_strdup(arena, first->application_id);
    request.application_ids = &application;
    request.field_mask = arena_dup(arena, first->mask, sizeof *first->mask);
    request.device_ids = arena_new_array(arena, char *, count);
    request.n_device_ids = count;
    for (size_t i = 0; i < count; i++) {
        request.device_ids[i] = arena_strdup(arena, asked_of(calls[i])->device_id);
    }
    *ret_joined = *calls[0];
    ret_joined->body_size = protobuf_c_message_get_packed_size(&request.base);
    uint8_t *body = arena_alloc(arena, 1, ret_joined->body_size);
    protobuf_c_message_pack(&request.base, body);
    ret_joined->body = body;
    ret_joined->reply_limit = calls[0]->reply_limit * count;
}

// The call that asked for a device; `count` if none did.
static size_t find_asker(const struct call *const calls[], size_t count, const Tts__EndDevice *device) {
    const Tts__EndDeviceIdentifiers *ids = device->ids;
    if (ids == NULL || ids->application_ids == NULL) return count;
    for (size_t i = 0; i < count; i++) {
        const struct asked *asked = asked_of(calls[i]);
        if (strcmp(asked->device_id, ids->device_id) == 0 &&
            strcmp(asked->application_id, ids->application_ids->application_id) == 0)
            return i;
    }
    return count;
}

// What is not in the answer is asked for by itself: nothing is taken for missing on the word of a list. So are devices with a claim
// authentication code, which an Identity Server that keeps codes encrypted decrypts for single devices alone
// (The Things Stack v3.32).
static bool is_told(const Tts__EndDevice *device) {
    return device->claim_authentication_code == NULL;
}

static bool hand_out(const struct call *const calls[], size_t count, const Tts__EndDevices *devices,
                     struct reply *replies, bool *told) {
    for (size_t i = 0; i < devices->n_end_devices; i++) {
        size_t asker = find_asker(calls, count, devices->end_devices[i]);
        if (asker == count || told[asker]) return false;
        if (!is_told(devices->end_devices[i])) continue;
        told[asker] = true;
        replies[asker] = (struct reply){.outcome = REPLY_ANSWERED, .grpc_status = GRPC_OK};
        buffer_init(&replies[asker].body, CALL_REPLY_LIMIT);
        message_pack(&devices->end_devices[i]->base, &replies[asker].body);
    }
    return true;
}

static void split(const struct call *const calls[], size_t count, const struct reply *reply,
                  struct reply *ret_replies, bool *ret_told) {
    ARENA_AUTO arena = {0};
    ERROR_AUTO ignored = {0};
    const Tts__EndDevices *devices =
        message_unpack(&tts__end_devices__descriptor, reply->body.data, reply->body.size, &arena, &ignored);
    if (devices != NULL && hand_out(calls, count, devices, ret_replies, ret_told)) return;
    // An answer that is not to the question says nothing of any of them.
    for (size_t i = 0; i < count; i++) {
        if (ret_told[i]) reply_release(&ret_replies[i]);
        ret_replies[i] = (struct reply){0};
        ret_told[i] = false;
    }
}

static const struct call_group devices_together = {
    .method = "/ttn.lorawan.v3.EndDeviceBatchRegistry/Get",
    .most = TOGETHER_MOST,
    .fit = fit,
    .join = join,
    .split = split,
};

void stack_ask_together(struct call *call, const char *application_id, const char *device_id,
                        const Google__FieldMask *mask, struct arena *arena) {
    struct asked *asked = arena_new(arena, struct asked);
    *asked = (struct asked){.application_id = application_id,
                            .device_id = device_id,
                            .mask = arena_dup(arena, mask, sizeof *mask)};
    call->group = &devices_together;
    call->group_context = asked;
}
