// SPDX-License-Identifier: Apache-2.0
// Reading a device from its servers. The masks name whole messages, seldom their members: which members there are depends
// on a server's version, and one that it does not know makes it refuse the whole call.
#include <string.h>

#include "base/buffer.h"
#include "base/words.h"
#include "device/field_mask.h"
#include "device/message.h"
#include "target/tts_p.h"

// Bytes of one server's part of a device: two formatters are by far the most of it.
enum { DEVICE_SIZE_MAX = 1024 * 1024 };

// What every version knows.
static const char *const members[TTS_PLACES] = {
    [TTS_IDENTITY] =
        "name description attributes version_ids service_profile_id network_server_address "
        "application_server_address join_server_address locations picture "
        "claim_authentication_code",
    [TTS_JOIN] =
        "net_id root_keys last_dev_nonce used_dev_nonces last_join_nonce last_rj_count_0 "
        "last_rj_count_1 resets_join_nonces provisioner_id provisioning_data",
    [TTS_NETWORK] =
        "frequency_plan_id lorawan_version lorawan_phy_version min_frequency max_frequency "
        "supports_join supports_class_b supports_class_c multicast mac_settings mac_state session "
        "pending_mac_state pending_session last_dev_status_received_at battery_percentage "
        "downlink_margin",
    [TTS_APPLICATION] = "session formatters skip_payload_crypto_override",
};

// What later ones know too.
static const char later_members[] = "activated_at last_seen_at serial_number lora_alliance_profile_ids";

// Sessions of the Network Server as a whole have queued downlinks too, and reading these needs a right of its own.
static const char session_members[] =
    "session.dev_addr session.keys session.last_f_cnt_up session.last_n_f_cnt_down "
    "session.last_conf_f_cnt_down session.started_at pending_session.dev_addr pending_session.keys";
static const char *const whole_sessions[] = {"session", "pending_session"};

static bool is_whole_session(const char *word, size_t size) {
    for (size_t i = 0; i < sizeof whole_sessions / sizeof *whole_sessions; i++) {
        if (strlen(whole_sessions[i]) == size && memcmp(whole_sessions[i], word, size) == 0) return true;
    }
    return false;
}

static void add_words(Google__FieldMask *mask, enum tts_place place, const char *words, struct arena *arena) {
    const char *word = NULL;
    size_t size = 0;
    while (words_next(&words, &word, &size)) {
        if (place == TTS_NETWORK && is_whole_session(word, size)) continue;
        message_append(arena, &mask->n_paths, &mask->paths, arena_strndup(arena, word, size));
    }
}

static void find_call(struct tts *self, struct job *job, enum tts_place place, const Tts__EndDevice *device,
                      bool together) {
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    add_words(&mask, place, members[place], job->arena);
    if (place == TTS_NETWORK) add_words(&mask, place, session_members, job->arena);
    if (place == TTS_IDENTITY && !self->plain_masks) add_words(&mask, place, later_members, job->arena);
    Tts__GetEndDeviceRequest request = TTS__GET_END_DEVICE_REQUEST__INIT;
    Tts__EndDeviceIdentifiers ids = *device->ids;
    ids.dev_addr = (ProtobufCBinaryData){0};
    // Who has the ID is the question: the Identity Server would not see a device that has other EUIs. The oldest Join
    // Servers know devices by their EUIs alone.
    if (place != TTS_JOIN) ids.dev_eui = ids.join_eui = (ProtobufCBinaryData){0};
    request.end_device_ids = &ids;
    request.field_mask = &mask;
    struct call *call = tts_registry_call(self, job, place, "Get", &request.base);
    call->reply_limit = DEVICE_SIZE_MAX;
    if (place == TTS_IDENTITY && together)
        stack_ask_together(call, ids.application_ids->application_id, ids.device_id, &mask, job->arena);
}

static bool same_bytes(ProtobufCBinaryData a, ProtobufCBinaryData b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// Some networks write eight zeros where there is none.
static ProtobufCBinaryData eui_of(ProtobufCBinaryData eui) {
    static const uint8_t zero[8] = {0};
    return eui.len == sizeof zero && memcmp(eui.data, zero, sizeof zero) == 0 ? (ProtobufCBinaryData){0}
                                                                              : eui;
}

static bool has_euis(const Tts__EndDevice *device) {
    return eui_of(device->ids->dev_eui).len > 0 && device->ids->join_eui.len > 0;
}

static void find_calls(struct tts *self, struct job *job, const Tts__EndDevice *device, bool together) {
    find_call(self, job, TTS_IDENTITY, device, together);
    if (has_euis(device)) find_call(self, job, TTS_JOIN, device, together);
    find_call(self, job, TTS_NETWORK, device, together);
    find_call(self, job, TTS_APPLICATION, device, together);
}

void tts_find_calls(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    find_calls(self, job, device, false);
}

void tts_find_back_calls(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    find_calls(self, job, device, true);
}

// Which server a call of tts_find_calls went to.
static enum tts_place place_of(const struct tts *self, const struct call *call) {
    for (int place = 0; place < TTS_PLACES; place++) {
        if (call->server == &self->servers[place].server) return (enum tts_place)place;
    }
    return TTS_PLACES;
}

bool tts_find_again(struct tts *self, struct job *job) {
    if (self->plain_masks) return false;
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) {
        const struct reply *reply = &job->replies[i];
        if (reply->outcome != REPLY_ANSWERED || reply->grpc_status != GRPC_INVALID_ARGUMENT) continue;
        if (!error_details_is(stack_details(reply, job->arena), "pkg/rpcmiddleware/validator",
                              "field_mask_paths")) {
            continue;
        }
        self->plain_masks = true;
        return true;
    }
    return false;
}

bool tts_same_euis(const Tts__EndDevice *a, const Tts__EndDevice *b) {
    return same_bytes(eui_of(a->ids->dev_eui), eui_of(b->ids->dev_eui)) &&
           same_bytes(a->ids->join_eui, b->ids->join_eui);
}

// A device, and the one that was asked for.
static int read_device(const struct reply *reply, const struct call *call, const Tts__EndDevice *asked,
                       struct arena *arena, Tts__EndDevice **ret_device, struct error *error) {
    Tts__EndDevice *device =
        message_unpack(&tts__end_device__descriptor, reply->body.data, reply->body.size, arena, error);
    int result = device == NULL ? -ERROR_PROTOCOL : 0;
    if (device != NULL && (device->ids == NULL || device->ids->application_ids == NULL ||
                           strcmp(device->ids->device_id, asked->ids->device_id) != 0 ||
                           strcmp(device->ids->application_ids->application_id,
                                  asked->ids->application_ids->application_id) != 0)) {
        result = error_set(error, ERROR_PROTOCOL, "it sent another device");
    }
    if (result != 0)
        return error_wrap(error, ERROR_NONE, "%s: asked for device %s", call->server->name,
                          asked->ids->device_id);
    *ret_device = device;
    return 0;
}

// Of a session that two servers have, the library keeps the later one's numbers, also those that are not set.
static void take_application_counter(const struct tts_found *found, Tts__EndDevice *device) {
    const Tts__EndDevice *application = found->at[TTS_APPLICATION];
    if (application == NULL || application->session == NULL || device->session == NULL) return;
    device->session->last_a_f_cnt_down = application->session->last_a_f_cnt_down;
}

// All parts in one, as protobuf merges messages: the Identity Server's word counts where several have one.
static Tts__EndDevice *merge(const struct tts_found *found, struct arena *arena, struct error *error) {
    static const enum tts_place order[] = {TTS_APPLICATION, TTS_JOIN, TTS_NETWORK, TTS_IDENTITY};
    BUFFER_AUTO bytes;
    buffer_init(&bytes, CALL_REPLY_LIMIT);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (found->at[order[i]] != NULL) message_pack(&found->at[order[i]]->base, &bytes);
    }
    if (bytes.overflowed) {
        error_set(error, ERROR_TOO_LARGE, "what the target has of the device is too large");
        return NULL;
    }
    Tts__EndDevice *device =
        message_unpack(&tts__end_device__descriptor, bytes.data, bytes.size, arena, error);
    if (device != NULL) take_application_counter(found, device);
    return device;
}

int tts_find_replies(struct tts *self, struct job *job, size_t first, const Tts__EndDevice *device,
                     struct tts_found *ret_found, struct error *error) {
    size_t count = has_euis(device) ? 4 : 3;
    bool any = false;
    *ret_found = (struct tts_found){0};
    for (size_t i = first; i < first + count; i++) {
        const struct reply *reply = &job->replies[i];
        enum tts_place place = place_of(self, &job->calls[i]);
        if (place == TTS_PLACES) continue;
        ret_found->asked[place] = true;
        if (stack_is_absent(reply)) continue;
        if (!reply_ok(reply, CALL_GRPC)) {
            if (ret_found->failed == NULL) {
                ret_found->failed = reply;
                ret_found->failed_call = &job->calls[i];
            }
            continue;
        }
        int result = read_device(reply, &job->calls[i], device, job->arena, &ret_found->at[place], error);
        if (result != 0) return result;
        any = true;
    }
    if (ret_found->failed != NULL || !any) return 0;
    ret_found->device = merge(ret_found, job->arena, error);
    return ret_found->device != NULL ? 0 : -ERROR_PROTOCOL;
}

static void count_difference(void *context, const struct message_difference *difference) {
    size_t *count = context;
    if (!tts_is_nothing(difference)) ++*count;
}

bool tts_part_is_there(const Tts__EndDevice *part, const Tts__EndDevice *there, enum tts_place place,
                       struct arena *arena) {
    const Tts__EndDevice *wanted = message_select(&part->base, members[place], arena);
    const Tts__EndDevice *known =
        message_select(&tts_part_before(there, place, arena)->base, members[place], arena);
    size_t count = 0;
    message_diff(&wanted->base, &known->base, count_difference, &count);
    return count == 0;
}
