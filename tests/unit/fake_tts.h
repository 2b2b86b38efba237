// SPDX-License-Identifier: Apache-2.0
// The servers of The Things Stack for one device, in memory: enough of them to run the jobs of target tts without a
// network. Each answer can be lost or replaced. To be included after cmocka.h.
#ifndef TESTS_FAKE_TTS_H
#define TESTS_FAKE_TTS_H

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "device/field_mask.h"
#include "device/message.h"
#include "rpc.pb-c.h"
#include "target/targets.h"
#include "target/tts_p.h"

enum { FAKE_CALLS_MAX = 256, FAKE_STEPS_MAX = 64 };

enum fake_fault {
    FAKE_NONE,
    FAKE_REFUSED,  // answered with `fault_status` instead
    FAKE_LOST,     // done, but the answer is lost
    FAKE_DROPPED,  // not done, and no answer
};

struct fake_tts {
    struct arena arena;
    struct option_values *options;
    struct target *target;
    Tts__EndDevice *at[TTS_PLACES];    // NULL = nothing
    Tts__EndDeviceIdentifiers *owner;  // who has the EUIs, if it is another device
    Tts__ApplicationLink *link;        // of the application; NULL = never set
    bool has_application;
    bool knows_later_fields;
    bool has_user_key;
    Tts__Rights rights;
    const char *prefix;  // 5 bytes; NULL = the server does not know the call
    const char *net_id;  // 3 bytes
    // The call at which something goes wrong: the first whose method ends so, after `fault_after` of them.
    const char *fault_method;
    unsigned fault_after;
    unsigned fault_times;
    enum fake_fault fault;
    enum grpc_status fault_status;
    const char *fault_space, *fault_name;  // of its ErrorDetails
    // What was called.
    char *calls[FAKE_CALLS_MAX];
    size_t call_count;
    unsigned steps;  // round trips
    bool leaked;     // a server got a key that is not for it
};

static int64_t fake_tts_now(void *context) {
    (void)context;
    return INT64_C(1800000000) * NS_PER_SECOND;
}

static const struct clock fake_tts_clock = {.monotonic = fake_tts_now, .wall = fake_tts_now};

static void fake_tts_option(struct fake_tts *fake, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(fake->options), name, strlen(name));
    assert_non_null(spec);
    assert_int_equal(option_set(fake->options, spec, name, value, NULL), 0);
}

static void fake_tts_open(struct fake_tts *fake, bool create_application) {
    struct target_setup setup = {
        .options = fake->options,
        .plans = frequency_plans_builtin(),
        .clock = &fake_tts_clock,
        .create_application = create_application,
    };
    struct error error = {0};
    if (target_tts.open(&setup, &fake->target, &error) != 0) fail_msg("%s", error.message);
}

static Tts__Right fake_tts_rights[] = {
    TTS__RIGHT__RIGHT_APPLICATION_INFO, TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ,
    TTS__RIGHT__RIGHT_APPLICATION_DEVICES_WRITE, TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ_KEYS,
    TTS__RIGHT__RIGHT_APPLICATION_DEVICES_WRITE_KEYS};

static void fake_tts_init(struct fake_tts *fake) {
    *fake = (struct fake_tts){
        .has_application = true, .knows_later_fields = true, .prefix = "\x26\0\0\0\7", .net_id = "\0\0\x13"};
    fake->options = option_values_new(target_tts.options);
    fake->rights = (Tts__Rights)TTS__RIGHTS__INIT;
    fake->rights.rights = fake_tts_rights;
    fake->rights.n_rights = sizeof fake_tts_rights / sizeof *fake_tts_rights;
    fake_tts_option(fake, "app-id", "my-app");
    fake_tts_option(fake, "app-api-key", "NNSXS.MADE.UP");
    fake_tts_option(fake, "default-grpc-address", "tts.example");
}

static void fake_tts_release(struct fake_tts *fake) {
    target_tts.close(fake->target);
    option_values_free(fake->options);
    for (size_t i = 0; i < fake->call_count; i++) free(fake->calls[i]);
    arena_release(&fake->arena);
}

// ---- answers

static void fake_tts_answer(struct reply *reply, const ProtobufCMessage *message) {
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = 200;
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    message_pack(message, &reply->body);
}

// An answer with ErrorDetails.
static void fake_tts_refuse(struct reply *reply, enum grpc_status status, const char *name_space,
                            const char *name) {
    *reply = (struct reply){.outcome = REPLY_ANSWERED, .http_status = 200, .grpc_status = status};
    reply->message = memory_printf("error:%s:%s", name_space, name);
    Tts__ErrorDetails details = TTS__ERROR_DETAILS__INIT;
    Google__Any any = GOOGLE__ANY__INIT;
    Google__Any *list[] = {&any};
    Rpc__Status message = RPC__STATUS__INIT;
    details.namespace_ = memory_strdup(name_space);
    details.name = memory_strdup(name);
    BUFFER_AUTO inner, outer;
    buffer_init(&inner, BUFFER_UNLIMITED);
    buffer_init(&outer, BUFFER_UNLIMITED);
    message_pack(&details.base, &inner);
    any.type_url = memory_strdup("type.googleapis.com/ttn.lorawan.v3.ErrorDetails");
    any.value = (ProtobufCBinaryData){.len = inner.size, .data = inner.data};
    message.details = list;
    message.n_details = 1;
    message_pack(&message.base, &outer);
    char *text = memory_alloc(BASE64_TEXT_SIZE(outer.size), 1);
    base64_encode(text, outer.data, outer.size);
    reply_add_header(reply, ERROR_DETAILS_TRAILER, strlen(ERROR_DETAILS_TRAILER), text, strlen(text));
    free(text);
    free(any.type_url);
    free(details.namespace_);
    free(details.name);
}

static bool fake_tts_method(const struct call *call, const char *method) {
    size_t size = strlen(call->method), end = strlen(method);
    return size >= end && strcmp(call->method + size - end, method) == 0;
}

static void *fake_tts_request(struct fake_tts *fake, const struct call *call,
                              const ProtobufCMessageDescriptor *descriptor) {
    void *message = message_unpack(descriptor, call->body, call->body_size, &fake->arena, NULL);
    assert_non_null(message);
    return message;
}

static bool fake_tts_key(const Tts__KeyEnvelope *key) {
    return key != NULL && key->key.len > 0;
}

// No server is to see what belongs to another one.
static void fake_tts_check_keys(struct fake_tts *fake, enum tts_place place, const Tts__EndDevice *device) {
    const Tts__SessionKeys *keys = device->session == NULL ? NULL : device->session->keys;
    if (place != TTS_JOIN && device->root_keys != NULL) fake->leaked = true;
    if (place != TTS_APPLICATION && keys != NULL && fake_tts_key(keys->app_s_key)) fake->leaked = true;
    if (place != TTS_NETWORK && keys != NULL && fake_tts_key(keys->f_nwk_s_int_key)) fake->leaked = true;
    if (place != TTS_NETWORK && device->mac_state != NULL) fake->leaked = true;
}

static bool fake_tts_has_path(const Google__FieldMask *mask, const char *path) {
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (strcmp(mask->paths[i], path) == 0) return true;
    }
    return false;
}

// What the Network Server makes of a session.
static void fake_tts_session(Tts__EndDevice *device, bool is_new) {
    static Google__Timestamp now = GOOGLE__TIMESTAMP__INIT;
    now.seconds = fake_tts_now(NULL) / NS_PER_SECOND;
    Tts__Session *session = device->session;
    if (session == NULL) return;
    if (is_new) session->started_at = &now;
    device->ids->dev_addr = session->dev_addr;
    if (device->lorawan_version == TTS__MACVERSION__MAC_V1_1) return;
    session->keys->s_nwk_s_int_key = session->keys->nwk_s_enc_key = session->keys->f_nwk_s_int_key;
}

// Members of the mask replace those that are there, as a whole.
static void fake_tts_set(struct fake_tts *fake, enum tts_place place, const Tts__EndDevice *device,
                         const Google__FieldMask *mask) {
    Tts__EndDevice *old = fake->at[place];
    bool had_session = old != NULL && old->session != NULL;
    BUFFER_AUTO members;
    buffer_init(&members, BUFFER_UNLIMITED);
    buffer_puts(&members, "ids");
    for (size_t i = 0; i < mask->n_paths; i++) {
        assert_true(tts_may_set(place, mask->paths[i]));
        buffer_printf(&members, " %.*s", (int)strcspn(mask->paths[i], "."), mask->paths[i]);
    }
    if (mask->n_paths == 1 && fake_tts_has_path(mask, "session.started_at")) {
        assert_non_null(old->session);
        old->session->started_at = device->session->started_at;
        return;
    }
    Tts__EndDevice *selected = message_select(&device->base, buffer_string(&members), &fake->arena);
    if (old == NULL) {
        old = message_copy(&selected->base, &fake->arena);
    } else {
        // What is neither named nor new stays.
        BUFFER_AUTO kept;
        buffer_init(&kept, BUFFER_UNLIMITED);
        for (size_t i = 0; i < device->base.descriptor->n_fields; i++) {
            const char *name = device->base.descriptor->fields[i].name;
            if (!words_contain(buffer_string(&members), name, strlen(name)))
                buffer_printf(&kept, "%s ", name);
        }
        const Tts__EndDevice *rest = message_select(&old->base, buffer_string(&kept), &fake->arena);
        BUFFER_AUTO bytes;
        buffer_init(&bytes, BUFFER_UNLIMITED);
        message_pack(&rest->base, &bytes);
        message_pack(&selected->base, &bytes);
        old = message_unpack(&tts__end_device__descriptor, bytes.data, bytes.size, &fake->arena, NULL);
    }
    fake->at[place] = old;
    if (place == TTS_NETWORK) fake_tts_session(old, !had_session);
}

static void fake_tts_get(struct fake_tts *fake, enum tts_place place, const struct call *call,
                         struct reply *reply) {
    const Tts__GetEndDeviceRequest *request =
        fake_tts_request(fake, call, &tts__get_end_device_request__descriptor);
    if (!fake->knows_later_fields && fake_tts_has_path(request->field_mask, "serial_number")) {
        fake_tts_refuse(reply, GRPC_INVALID_ARGUMENT, "pkg/rpcmiddleware/validator", "field_mask_paths");
        return;
    }
    // Whole sessions hold queued downlinks, which a key with these rights may not read.
    if (place == TTS_NETWORK && (fake_tts_has_path(request->field_mask, "session") ||
                                 fake_tts_has_path(request->field_mask, "pending_session"))) {
        fake_tts_refuse(reply, GRPC_PERMISSION_DENIED, "pkg/auth/rights", "insufficient_application_rights");
        return;
    }
    const Tts__EndDevice *device = fake->at[place];
    if (device == NULL || strcmp(device->ids->device_id, request->end_device_ids->device_id) != 0) {
        fake_tts_refuse(reply, GRPC_NOT_FOUND, "pkg/redis", "not_found");
        return;
    }
    BUFFER_AUTO members;
    buffer_init(&members, BUFFER_UNLIMITED);
    buffer_puts(&members, "ids");
    for (size_t i = 0; i < request->field_mask->n_paths; i++) {
        const char *path = request->field_mask->paths[i];
        buffer_printf(&members, " %.*s", (int)strcspn(path, "."), path);
    }
    const Tts__EndDevice *answer = message_select(&device->base, buffer_string(&members), &fake->arena);
    fake_tts_answer(reply, &answer->base);
}

static void fake_tts_change(struct fake_tts *fake, enum tts_place place, const struct call *call,
                            struct reply *reply) {
    assert_true(call->changes);
    Google__Empty empty = GOOGLE__EMPTY__INIT;
    if (fake_tts_method(call, "/Delete")) {
        bool known = fake->at[place] != NULL;
        fake->at[place] = NULL;
        if (known) {
            fake_tts_answer(reply, &empty.base);
        } else {
            fake_tts_refuse(reply, GRPC_NOT_FOUND, "pkg/redis", "not_found");
        }
        return;
    }
    const Tts__EndDevice *device;
    if (fake_tts_method(call, "/Create")) {
        const Tts__CreateEndDeviceRequest *request =
            fake_tts_request(fake, call, &tts__create_end_device_request__descriptor);
        device = request->end_device;
        if (fake->at[place] != NULL) {
            fake_tts_refuse(reply, GRPC_ALREADY_EXISTS, "pkg/util/store", "id_taken");
            return;
        }
        fake->at[place] = message_copy(&device->base, &fake->arena);
    } else {
        const Tts__SetEndDeviceRequest *request =
            fake_tts_request(fake, call, &tts__set_end_device_request__descriptor);
        device = request->end_device;
        fake_tts_set(fake, place, device, request->field_mask);
    }
    fake_tts_check_keys(fake, place, device);
    assert_int_equal(device->ids->dev_addr.len, 0);
    fake_tts_answer(reply, &fake->at[place]->base);
}

static void fake_tts_auth(struct fake_tts *fake, struct reply *reply) {
    Tts__AuthInfoResponse auth = TTS__AUTH_INFO_RESPONSE__INIT;
    Tts__AuthInfoResponse__APIKeyAccess access = TTS__AUTH_INFO_RESPONSE__APIKEY_ACCESS__INIT;
    Tts__EntityIdentifiers entity = TTS__ENTITY_IDENTIFIERS__INIT;
    Tts__UserIdentifiers user = TTS__USER_IDENTIFIERS__INIT;
    Tts__ApplicationIdentifiers application = TTS__APPLICATION_IDENTIFIERS__INIT;
    user.user_id = arena_strdup(&fake->arena, "alice");
    application.application_id = arena_strdup(&fake->arena, "my-app");
    if (fake->has_user_key) {
        entity.ids_case = TTS__ENTITY_IDENTIFIERS__IDS_USER_IDS;
        entity.user_ids = &user;
    } else {
        entity.ids_case = TTS__ENTITY_IDENTIFIERS__IDS_APPLICATION_IDS;
        entity.application_ids = &application;
    }
    access.entity_ids = &entity;
    auth.access_method_case = TTS__AUTH_INFO_RESPONSE__ACCESS_METHOD_API_KEY;
    auth.api_key = &access;
    fake_tts_answer(reply, &auth.base);
}

static void fake_tts_application(struct fake_tts *fake, const struct call *call, struct reply *reply) {
    Tts__Application application = TTS__APPLICATION__INIT;
    if (fake_tts_method(call, "/Create")) {
        const Tts__CreateApplicationRequest *request =
            fake_tts_request(fake, call, &tts__create_application_request__descriptor);
        assert_string_equal(request->collaborator->user_ids->user_id, "alice");
        assert_string_equal(request->application->network_server_address, "tts.example");
        fake->has_application = true;
    } else if (!fake->has_application) {
        fake_tts_refuse(reply, GRPC_NOT_FOUND, "pkg/identityserver/store", "application_not_found");
        return;
    }
    application.network_server_address = arena_strdup(&fake->arena, "ns.example");
    application.application_server_address = arena_strdup(&fake->arena, "as.example");
    application.join_server_address = arena_strdup(&fake->arena, "js.example");
    fake_tts_answer(reply, &application.base);
}

static void fake_tts_prefixes(struct fake_tts *fake, struct reply *reply) {
    if (fake->prefix == NULL) {
        fake_tts_refuse(reply, GRPC_UNIMPLEMENTED, "", "");
        return;
    }
    Tts__GetDeviceAdressPrefixesResponse response = TTS__GET_DEVICE_ADRESS_PREFIXES_RESPONSE__INIT;
    ProtobufCBinaryData prefix = message_bytes(&fake->arena, fake->prefix, 5);
    response.dev_addr_prefixes = &prefix;
    response.n_dev_addr_prefixes = 1;
    fake_tts_answer(reply, &response.base);
}

static void fake_tts_plans(struct fake_tts *fake, struct reply *reply) {
    Tts__ListFrequencyPlansResponse response = TTS__LIST_FREQUENCY_PLANS_RESPONSE__INIT;
    Tts__FrequencyPlanDescription plan = TTS__FREQUENCY_PLAN_DESCRIPTION__INIT;
    Tts__FrequencyPlanDescription *plans[] = {&plan};
    plan.id = arena_strdup(&fake->arena, "EU_863_870_TTN");
    response.frequency_plans = plans;
    response.n_frequency_plans = 1;
    fake_tts_answer(reply, &response.base);
}

// The link, by the paths that a formatter has.
static void fake_tts_link(struct fake_tts *fake, const struct call *call, struct reply *reply) {
    if (fake_tts_method(call, "/GetLink")) {
        const Tts__GetApplicationLinkRequest *request =
            fake_tts_request(fake, call, &tts__get_application_link_request__descriptor);
        assert_string_equal(request->application_ids->application_id, "my-app");
        assert_int_equal(request->field_mask->n_paths, 1);
        assert_string_equal(request->field_mask->paths[0], "default_formatters");
        if (fake->link != NULL) {
            fake_tts_answer(reply, &fake->link->base);
        } else {
            fake_tts_refuse(reply, GRPC_NOT_FOUND, "pkg/redis", "not_found");
        }
        return;
    }
    assert_true(call->changes);
    const Tts__SetApplicationLinkRequest *request =
        fake_tts_request(fake, call, &tts__set_application_link_request__descriptor);
    const Tts__MessagePayloadFormatters *given = request->link->default_formatters;
    if (fake->link == NULL) {
        fake->link = message_new(&fake->arena, &tts__application_link__descriptor);
        fake->link->default_formatters =
            message_new(&fake->arena, &tts__message_payload_formatters__descriptor);
    }
    Tts__MessagePayloadFormatters *now = fake->link->default_formatters;
    for (size_t i = 0; i < request->field_mask->n_paths; i++) {
        const char *path = request->field_mask->paths[i];
        if (strcmp(path, "default_formatters.up_formatter") == 0) {
            now->up_formatter = given->up_formatter;
        } else if (strcmp(path, "default_formatters.up_formatter_parameter") == 0) {
            now->up_formatter_parameter = given->up_formatter_parameter;
        } else if (strcmp(path, "default_formatters.down_formatter") == 0) {
            now->down_formatter = given->down_formatter;
        } else {
            assert_string_equal(path, "default_formatters.down_formatter_parameter");
            now->down_formatter_parameter = given->down_formatter_parameter;
        }
    }
    fake_tts_answer(reply, &fake->link->base);
}

static void fake_tts_owner(struct fake_tts *fake, struct reply *reply) {
    const Tts__EndDeviceIdentifiers *ids = fake->owner;
    if (ids == NULL && fake->at[TTS_IDENTITY] != NULL) ids = fake->at[TTS_IDENTITY]->ids;
    if (ids == NULL) {
        fake_tts_refuse(reply, GRPC_NOT_FOUND, "pkg/identityserver/store", "end_device_not_found");
    } else {
        fake_tts_answer(reply, &ids->base);
    }
}

static enum tts_place fake_tts_place(const struct call *call) {
    if (strstr(call->method, ".NsEndDeviceRegistry/") != NULL) return TTS_NETWORK;
    if (strstr(call->method, ".JsEndDeviceRegistry/") != NULL) return TTS_JOIN;
    if (strstr(call->method, ".AsEndDeviceRegistry/") != NULL) return TTS_APPLICATION;
    return TTS_IDENTITY;
}

static void fake_tts_do(struct fake_tts *fake, const struct call *call, struct reply *reply) {
    if (fake_tts_method(call, "/AuthInfo")) {
        fake_tts_auth(fake, reply);
    } else if (fake_tts_method(call, "/ListRights")) {
        if (fake->has_application) {
            fake_tts_answer(reply, &fake->rights.base);
        } else {
            fake_tts_refuse(reply, GRPC_NOT_FOUND, "pkg/identityserver/store", "application_not_found");
        }
    } else if (strstr(call->method, "ApplicationRegistry/") != NULL) {
        fake_tts_application(fake, call, reply);
    } else if (fake_tts_method(call, "/GetDeviceAddressPrefixes")) {
        fake_tts_prefixes(fake, reply);
    } else if (fake_tts_method(call, "/GetNetID")) {
        Tts__GetNetIDResponse response = TTS__GET_NET_IDRESPONSE__INIT;
        response.net_id = message_bytes(&fake->arena, fake->net_id, 3);
        fake_tts_answer(reply, &response.base);
    } else if (fake_tts_method(call, "/ListFrequencyPlans")) {
        fake_tts_plans(fake, reply);
    } else if (fake_tts_method(call, "/GetIdentifiersForEUIs")) {
        fake_tts_owner(fake, reply);
    } else if (fake_tts_method(call, "Link")) {
        fake_tts_link(fake, call, reply);
    } else if (fake_tts_method(call, "/Get")) {
        fake_tts_get(fake, fake_tts_place(call), call, reply);
    } else {
        fake_tts_change(fake, fake_tts_place(call), call, reply);
    }
}

static bool fake_tts_goes_wrong(struct fake_tts *fake, const struct call *call) {
    if (fake->fault == FAKE_NONE || !fake_tts_method(call, fake->fault_method) || fake->fault_times == 0)
        return false;
    if (fake->fault_after > 0) {
        fake->fault_after--;
        return false;
    }
    fake->fault_times--;
    return true;
}

static void fake_tts_call(struct fake_tts *fake, const struct call *call, struct reply *reply) {
    assert_true(fake->call_count < FAKE_CALLS_MAX);
    const char *name = strrchr(call->method, '.') + 1;
    fake->calls[fake->call_count++] = memory_strdup(name);
    assert_int_equal(call->header_count, 1);
    assert_string_equal(call->headers[0].value, "Bearer NNSXS.MADE.UP");
    *reply = (struct reply){0};
    bool wrong = fake_tts_goes_wrong(fake, call);
    if (wrong && fake->fault == FAKE_REFUSED) {
        fake_tts_refuse(reply, fake->fault_status, fake->fault_space, fake->fault_name);
        return;
    }
    if (!wrong || fake->fault == FAKE_LOST) fake_tts_do(fake, call, reply);
    if (!wrong) return;
    reply_release(reply);
    reply->outcome = REPLY_LOST;
}

// The next calls whose method ends so go wrong.
static void fake_tts_fault(struct fake_tts *fake, const char *method, enum fake_fault fault, unsigned times) {
    fake->fault_method = method;
    fake->fault = fault;
    fake->fault_times = times;
    fake->fault_after = 0;
}

// ---- running jobs as the engine does

struct fake_tts_run {
    enum job_step (*function)(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                              struct error *error);
    const struct device *device;
    bool again;
    struct target_look look;
    struct target_verdict verdict;
    struct device_progress progress;
    const void *before;
    size_t before_size;
    struct error error;
};

static void fake_tts_forget_replies(struct job *job) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&job->replies[i]);
}

// The job's arena lives in the fake's: what the results point to stays.
static enum job_step fake_tts_run(struct fake_tts *fake, struct fake_tts_run *run) {
    struct job job = {.arena = &fake->arena, .again = run->again};
    enum job_step step;
    error_release(&run->error);
    fake->steps = 0;
    for (;;) {
        job.call_count = 0;
        step = run->function(fake, run, &job, &run->error);
        fake_tts_forget_replies(&job);
        assert_int_equal(step == JOB_FAILED, error_is_set(&run->error));
        if (step != JOB_CALLS) break;
        assert_in_range(job.call_count, 1, JOB_CALLS_MAX);
        assert_in_range(fake->steps++, 0, FAKE_STEPS_MAX);
        for (size_t i = 0; i < job.call_count; i++) fake_tts_call(fake, &job.calls[i], &job.replies[i]);
    }
    return step;
}

#endif
