// SPDX-License-Identifier: Apache-2.0
// Errors as The Things Stack sends them: a status whose detail names the error, what it is about, and its causes.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "world/tts_p.h"

#define DETAILS_TYPE "type.googleapis.com/ttn.lorawan.v3.ErrorDetails"

struct tts_attribute {
    const char *name;
    const char *text;           // NULL = a list
    const char *const *values;  //
    size_t count;
    struct tts_attribute *next;
};

static const struct error_row {
    int code;
    const char *space;
    const char *name;
    const char *format;
} errors[] = {
    [TTS_VALIDATION] = {3, "pkg/errors", "validation", "invalid `{field}`: {reason}"},
    [TTS_FORBIDDEN_PATHS] = {3, "pkg/rpcmiddleware/validator", "field_mask_paths",
                             "forbidden path(s) in field mask"},
    [TTS_RATE_LIMIT] = {8, "pkg/ratelimit", "rate_limit_exceeded", "more than `{rate}` calls for `{key}`"},
    [TTS_TOKEN] = {3, "pkg/auth", "token", "malformed token"},
    [TTS_API_KEY_NOT_FOUND] = {16, "pkg/identityserver", "api_key_not_found", "API key not found"},
    [TTS_STORE_API_KEY_NOT_FOUND] = {5, "pkg/identityserver/store", "api_key_not_found",
                                     "api key with id `{api_key_id}` not found"},
    [TTS_NO_APPLICATION_RIGHTS] = {7, "pkg/auth/rights", "no_application_rights",
                                   "no rights for application `{uid}`"},
    [TTS_MISSING_APPLICATION_RIGHTS] = {7, "pkg/auth/rights", "insufficient_application_rights",
                                        "rights for application `{uid}` do not suffice"},
    [TTS_NO_USER_RIGHTS] = {7, "pkg/auth/rights", "no_user_rights", "no rights for user `{uid}`"},
    [TTS_MISSING_USER_RIGHTS] = {7, "pkg/auth/rights", "insufficient_user_rights",
                                 "rights for user `{uid}` do not suffice"},
    [TTS_NO_GATEWAY_RIGHTS] = {7, "pkg/auth/rights", "no_gateway_rights", "no rights for gateway `{uid}`"},
    [TTS_MISSING_GATEWAY_RIGHTS] = {7, "pkg/auth/rights", "insufficient_gateway_rights",
                                    "rights for gateway `{uid}` do not suffice"},
    [TTS_UNAUTHENTICATED] = {16, "pkg/identityserver", "unauthenticated", "not authenticated"},
    [TTS_APPLICATION_NOT_FOUND] = {5, "pkg/identityserver/store", "application_not_found",
                                   "no application with id `{application_id}`"},
    [TTS_GATEWAY_NOT_FOUND] = {5, "pkg/identityserver/store", "gateway_not_found",
                               "no gateway with id `{gateway_id}`"},
    [TTS_IS_DEVICE_NOT_FOUND] =
        {5, "pkg/identityserver/store", "end_device_not_found",
         "end device with id `{device_id}` not found in application with id `{application_id}`"},
    [TTS_NS_DEVICE_NOT_FOUND] = {5, "pkg/networkserver", "device_not_found", "device not found"},
    [TTS_AS_DEVICE_NOT_FOUND] = {5, "pkg/applicationserver", "device_not_found", "device not found"},
    [TTS_JS_DEVICE_NOT_FOUND] = {5, "pkg/joinserver", "device_not_found", "device not found"},
    [TTS_ID_TAKEN] = {6, "pkg/util/store", "id_taken",
                      "ID already taken, choose a different one and try again"},
    [TTS_ALREADY_EXISTS] = {6, "pkg/util/store", "already_exists", "already exists"},
    [TTS_FORBIDDEN_ID] = {3, "pkg/identityserver", "forbidden_id", "ID `{id}` is reserved"},
    [TTS_IS_EUIS_TAKEN] = {6, "pkg/identityserver", "end_device_euis_taken",
                           "an end device with JoinEUI `{join_eui}` and DevEUI `{dev_eui}` is already "
                           "registered as `{device_id}` in application `{application_id}`"},
    [TTS_REGISTRY_EUIS_TAKEN] = {6, "pkg/internal/registry", "end_device_euis_taken",
                                 "JoinEUI `{join_eui}` and DevEUI `{dev_eui}` belong to `{device_id}` in "
                                 "application `{application_id}`"},
    [TTS_GATEWAY_EUI_TAKEN] = {6, "pkg/identityserver", "gateway_eui_taken",
                               "EUI `{gateway_eui}` belongs to gateway `{gateway_id}`"},
    [TTS_NS_ADDRESS_MISMATCH] = {3, "pkg/identityserver", "network_server_address_mismatch",
                                 "network server address does not match"},
    [TTS_AS_ADDRESS_MISMATCH] = {3, "pkg/identityserver", "application_server_address_mismatch",
                                 "application server address does not match"},
    [TTS_JS_ADDRESS_MISMATCH] = {3, "pkg/identityserver", "join_server_address_mismatch",
                                 "join server address does not match"},
    [TTS_READ_ONLY_FIELD] = {3, "pkg/networkserver/redis", "read_only_field", "`{field}` cannot change"},
    [TTS_NS_FIELD_VALUE] = {3, "pkg/networkserver", "field_value", "invalid value of field `{field}`"},
    [TTS_JS_FIELD_VALUE] = {3, "pkg/joinserver", "field_value", "invalid value of field `{field}`"},
    [TTS_NO_FIELD] = {3, "pkg/networkserver", "field_not_set", "`{field}` must be set"},
    [TTS_UNKNOWN_PLAN] = {5, "pkg/frequencyplans", "not_found", "frequency plan `{id}` not found"},
    [TTS_NO_BAND_VERSION] = {3, "pkg/networkserver/internal", "no_band_version",
                             "band `{id}` has no version `{ver}`"},
    [TTS_BAND_NOT_FOUND] = {5, "pkg/band", "band_not_found", "band `{id}` not found"},
    [TTS_REDIS_NOT_FOUND] = {5, "pkg/redis", "not_found", "entity not found"},
    [TTS_FORMATTER_SIZE] = {3, "pkg/applicationserver", "formatter_script_too_large",
                            "formatter script of {size} bytes is larger than {max_size}"},
    [TTS_RPC_RECOVERED] = {13, "pkg/rpcmiddleware/hooks", "rpc_recovered", "internal server error"},
};

struct tts_problem *tts_problem(struct tts_call *call, enum tts_error error, ...) {
    struct tts_problem *problem = arena_new(&call->arena, struct tts_problem);
    problem->error = error;
    struct tts_attribute **end = &problem->attributes;
    va_list args;
    va_start(args, error);
    for (const char *name = NULL; (name = va_arg(args, const char *)) != NULL; end = &(*end)->next) {
        *end = arena_new(&call->arena, struct tts_attribute);
        (*end)->name = name;
        (*end)->text = arena_strdup(&call->arena, va_arg(args, const char *));
    }
    va_end(args);
    return problem;
}

void tts_add_attribute_list(struct tts_call *call, struct tts_problem *problem, const char *name,
                            const char *const *values, size_t count) {
    struct tts_attribute *attribute = arena_new(&call->arena, struct tts_attribute);
    *attribute = (struct tts_attribute){.name = name, .values = values, .count = count};
    struct tts_attribute **end = &problem->attributes;
    while (*end != NULL) end = &(*end)->next;
    *end = attribute;
}

struct tts_problem *tts_because(struct tts_problem *problem, struct tts_problem *cause) {
    problem->cause = cause;
    return problem;
}

static const char *attribute_text(const struct tts_problem *problem, const char *name, size_t size) {
    for (const struct tts_attribute *attribute = problem->attributes; attribute;
         attribute = attribute->next) {
        bool named = strncmp(attribute->name, name, size) == 0 && attribute->name[size] == '\0';
        if (named && attribute->text != NULL) return attribute->text;
    }
    return "";
}

// The format with its `{name}`s filled in.
static void put_words(const struct tts_problem *problem, struct buffer *words) {
    for (const char *c = errors[problem->error].format; *c != '\0';) {
        const char *end = *c == '{' ? strchr(c, '}') : NULL;
        if (end == NULL) {
            buffer_putc(words, *c++);
        } else {
            buffer_puts(words, attribute_text(problem, c + 1, (size_t)(end - c - 1)));
            c = end + 1;
        }
    }
}

static void put_attributes(struct arena *arena, const struct tts_problem *problem, struct tts_node *details) {
    for (const struct tts_attribute *attribute = problem->attributes; attribute;
         attribute = attribute->next) {
        struct tts_node *entry = tts_add(arena, tts_make(arena, details, "attributes"), "fields");
        tts_set_text(arena, entry, "key", attribute->name);
        if (attribute->text != NULL) tts_set_text(arena, entry, "value.string_value", attribute->text);
        for (size_t i = 0; i < attribute->count; i++) {
            struct tts_node *value = tts_add(arena, tts_make(arena, entry, "value.list_value"), "values");
            tts_set_text(arena, value, "string_value", attribute->values[i]);
        }
    }
}

static void fill_details(struct tts_call *call, const struct tts_problem *problem, struct tts_node *details) {
    struct arena *arena = &call->arena;
    const struct error_row *row = &errors[problem->error];
    char id[33];
    snprintf(id, sizeof id, "%016llx%016llx", (unsigned long long)prng_next(&call->tts->draws),
             (unsigned long long)prng_next(&call->tts->draws));
    tts_set_text(arena, details, "namespace", row->space);
    tts_set_text(arena, details, "name", row->name);
    tts_set_text(arena, details, "message_format", row->format);
    put_attributes(arena, problem, details);
    tts_set_text(arena, details, "correlation_id", id);
    tts_set_number(arena, details, "code", (uint64_t)row->code);
    if (problem->cause != NULL) fill_details(call, problem->cause, tts_make(arena, details, "cause"));
}

bool tts_refuse(struct tts_call *call, const struct tts_problem *problem) {
    enum { STATUS_CODE = 1, STATUS_MESSAGE, STATUS_DETAILS, ANY_TYPE = 1, ANY_VALUE };
    const struct error_row *row = &errors[problem->error];
    BUFFER_AUTO words;
    buffer_init(&words, BUFFER_UNLIMITED);
    put_words(problem, &words);
    world_reply_status(call->reply, row->code, "error:%s:%s (%s)", row->space, row->name,
                       buffer_string(&words));
    struct tts_node *details = tts_new(&call->arena, "ErrorDetails");
    fill_details(call, problem, details);
    struct buffer *status = &call->reply->details;
    buffer_clear(status);
    wire_put_varint(status, STATUS_CODE, (uint64_t)row->code);
    wire_put_text(status, STATUS_MESSAGE, call->reply->message);
    size_t any = wire_begin(status, STATUS_DETAILS);
    wire_put_text(status, ANY_TYPE, DETAILS_TYPE);
    size_t value = wire_begin(status, ANY_VALUE);
    tts_encode(details, status);
    wire_end(status, value);
    wire_end(status, any);
    return false;
}
