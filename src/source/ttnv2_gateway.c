// SPDX-License-Identifier: Apache-2.0
// Gateways of V2: the Account Server has them, for the token of their owner. A gateway's record is its JSON object.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/message.h"
#include "source/ttnv2_p.h"

enum { NAME_MAX_BYTES = 50 };

// The plans of V2 and those of The Things Stack with the same channels and the same second receive window.
static const struct {
    const char *v2;
    const char *plan;
} plans[] = {
    {"EU_863_870", "EU_863_870_TTN"},
    {"US_902_928", "US_902_928_FSB_2"},
    {"AU_915_928", "AU_915_928_FSB_2"},
    {"CN_470_510", "CN_470_510_FSB_11"},
    {"AS_923", "AS_923"},
    {"AS_920_923", "AS_920_923"},
    {"AS_923_925", "AS_923_925"},
    {"KR_920_923", "KR_920_923_TTN"},
    {"IN_865_867", "IN_865_867"},
    {"RU_864_870", "RU_864_870_TTN"},
    {"EU_433", "EU_433"},
};

// ---- calls

static void account_call(struct ttnv2 *self, struct job *job, const char *id) {
    struct call *call = job_call(job);
    call->kind = CALL_HTTP;
    call->server = &self->account;
    call->method = "GET";
    call->path = arena_printf(job->arena, "%s/api/v2/gateways%s%s", self->account_address.prefix,
                              id == NULL ? "" : "/", id == NULL ? "" : id);
    call_add_header(call, "accept", "application/json");
    call_add_header(call, "authorization",
                    arena_printf(job->arena, "Bearer %s", option_string(self->options, "account-token")));
    job->stage = 1;
}

static enum job_step account_failed(const struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    reply_error(reply, &job->calls[0], error);
    if (reply->outcome == REPLY_ANSWERED &&
        (reply->http_status == HTTP_UNAUTHORIZED || reply->http_status == HTTP_FORBIDDEN)) {
        error_hint(error, "check --ttnv2.account-token: it has to be a token of the gateways' owner");
    } else {
        reply_hint_tls(reply, "--ttnv2.ca-cert", "--ttnv2.account-server-address http://HOST:PORT", error);
    }
    return JOB_FAILED;
}

enum job_step ttnv2_prepare_gateways(struct source *source, struct job *job, struct error *error) {
    (void)source, (void)job, (void)error;
    return JOB_DONE;  // there is nothing to find or to log into: the first call tells whether the token is good
}

// ---- records

static int keep_record(const struct ttnv2 *self, json_t *object, struct source_record *record,
                       struct error *error) {
    const char *id = json_string_value(json_object_get(object, "id"));
    if (id == NULL || id[0] == '\0') {
        return error_set(error, ERROR_PROTOCOL, "%s: a gateway without an ID", self->account.name);
    }
    if (record->id != NULL && strcmp(record->id, id) != 0) {
        return error_set(error, ERROR_PROTOCOL, "%s: asked for gateway %s, it sent %s", self->account.name,
                         record->id, id);
    }
    if (record->id == NULL) record->id = memory_strdup(id);
    char *text = json_dumps(object, JSON_COMPACT);
    source_record_set_data(record, text == NULL ? "{}" : text, text == NULL ? 2 : strlen(text));
    record->complete = true;
    memory_free_secret(text);
    return 0;
}

enum job_step ttnv2_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                  struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    if (job->stage == 0) {
        account_call(self, job, NULL);
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_HTTP)) return account_failed(job, error);
    json_t *answer = json_loadb((const char *)reply->body.data, reply->body.size, 0, NULL);
    json_t *list = json_is_array(answer) ? answer : json_object_get(answer, "gateways");
    int result = 0;
    if (!json_is_array(list)) {
        result =
            error_set(error, ERROR_PROTOCOL, "%s: its answer is no list of gateways", self->account.name);
    }
    for (size_t i = 0; result == 0 && i < json_array_size(list); i++) {
        result = keep_record(self, json_array_get(list, i), source_page_add(page), error);
    }
    json_decref(answer);
    free(memory_take(page->cursor));
    return result == 0 ? JOB_DONE : JOB_FAILED;
}

enum job_step ttnv2_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                 struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    if (job->stage == 0) {
        if (record->complete) return JOB_DONE;
        if (record->id[0] == '\0' ||
            record->id[strspn(record->id, "abcdefghijklmnopqrstuvwxyz0123456789-_")]) {
            error_set(error, ERROR_DEVICE, "is no ID of a gateway");
            return JOB_FAILED;
        }
        account_call(self, job, record->id);
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_HTTP)) return account_failed(job, error);
    json_t *answer = json_loadb((const char *)reply->body.data, reply->body.size, 0, NULL);
    int result = keep_record(self, answer, record, error);
    json_decref(answer);
    return result == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- conversion

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static bool is_true(const json_t *object, const char *name) {
    return json_is_true(json_object_get(object, name));
}

// eui-<16 digits>: the gateway speaks the protocol of packet forwarders, and names its EUI.
static bool eui_of(const char *id, uint8_t eui[EUI64_BYTES]) {
    return strncmp(id, "eui-", 4) == 0 && strlen(id + 4) == (size_t)2 * EUI64_BYTES &&
           hex_decode(eui, EUI64_BYTES, id + 4, (size_t)2 * EUI64_BYTES);
}

static int convert_plan(const struct ttnv2 *self, const json_t *object, struct gateway *gateway,
                        struct error *error) {
    const char *v2 = text_of(object, "frequency_plan");
    const char *plan = NULL;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        if (strcmp(plans[i].v2, v2) == 0) plan = plans[i].plan;
    }
    if (plan == NULL && frequency_plans_find(self->plans, v2) != NULL) plan = v2;
    if (plan == NULL) {
        plan = option_string(self->options, "frequency-plan-id");
        if (plan == NULL || plan[0] == '\0') {
            error_set(error, ERROR_DEVICE, "its frequency plan \"%s\" is not known", v2);
            error_hint(error, "name the one for such gateways with --ttnv2.frequency-plan-id");
            return -ERROR_DEVICE;
        }
        gateway_note(gateway, "frequency_plan_id", "is %s: V2's plan is \"%s\"", plan, v2);
    }
    message_append(&gateway->arena, &gateway->message->n_frequency_plan_ids,
                   &gateway->message->frequency_plan_ids, arena_strdup(&gateway->arena, plan));
    gateway->message->frequency_plan_id = arena_strdup(&gateway->arena, plan);
    return 0;
}

static void convert_antenna(const json_t *object, const json_t *attributes, struct gateway *gateway) {
    const json_t *location = json_object_get(object, "antenna_location");
    const char *placement = text_of(attributes, "placement");
    double latitude = json_number_value(json_object_get(location, "latitude"));
    double longitude = json_number_value(json_object_get(location, "longitude"));
    bool placed = latitude != 0 || longitude != 0;
    if (!placed && placement[0] == '\0') return;
    Tts__GatewayAntenna *antenna = message_new(&gateway->arena, &tts__gateway_antenna__descriptor);
    if (strcmp(placement, "indoor") == 0) antenna->placement = TTS__GATEWAY_ANTENNA_PLACEMENT__INDOOR;
    if (strcmp(placement, "outdoor") == 0) antenna->placement = TTS__GATEWAY_ANTENNA_PLACEMENT__OUTDOOR;
    if (placed) {
        antenna->location = message_new(&gateway->arena, &tts__location__descriptor);
        antenna->location->latitude = latitude;
        antenna->location->longitude = longitude;
        antenna->location->altitude = (int32_t)json_number_value(json_object_get(location, "altitude"));
        antenna->location->source = TTS__LOCATION_SOURCE__SOURCE_REGISTRY;
    }
    message_append(&gateway->arena, &gateway->message->n_antennas, &gateway->message->antennas, antenna);
}

static void convert_texts(const json_t *attributes, struct gateway *gateway) {
    static const struct {
        const char *v2;
        const char *key;
    } kept[] = {{"brand", "brand"},
                {"model", "model"},
                {"antenna_type", "antenna-type"},
                {"antenna_model", "antenna-model"}};
    const char *description = text_of(attributes, "description");
    gateway->message->description = arena_strdup(&gateway->arena, description);
    // V2 has no name; its Console showed the description.
    if (strlen(description) <= NAME_MAX_BYTES) gateway->message->name = gateway->message->description;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = text_of(attributes, kept[i].v2);
        if (value[0] != '\0') gateway_add_attribute(gateway, kept[i].key, value);
    }
}

static void note_lost(const json_t *object, struct gateway *gateway) {
    if (json_array_size(json_object_get(object, "collaborators")) > 0)
        gateway_note(gateway, "collaborators", "are left behind: add them at the target");
    if (json_array_size(json_object_get(object, "fallback_routers")) > 0)
        gateway_note(gateway, "fallback_routers", "have no counterpart: left out");
    if (is_true(object, "owner_public"))
        gateway_note(gateway, "owner_public", "has no counterpart: the owner is not shown");
}

static int convert(const struct ttnv2 *self, const json_t *object, struct gateway *gateway,
                   struct error *error) {
    static const struct device_naming as_it_is = {0};
    const json_t *attributes = json_object_get(object, "attributes");
    char id[DEVICE_ID_SIZE];
    uint8_t eui[EUI64_BYTES];
    Tts__Gateway *message = gateway->message;
    int result = device_id_make(&as_it_is, text_of(object, "id"), NULL, id, error);
    if (result != 0) return result;
    message->ids->gateway_id = arena_strdup(&gateway->arena, id);
    if (eui_of(text_of(object, "id"), eui))
        message->ids->eui = message_bytes(&gateway->arena, eui, sizeof eui);
    message->auto_update = is_true(object, "auto_update");
    message->location_public = is_true(object, "location_public");
    message->status_public = is_true(object, "status_public");
    message->enforce_duty_cycle = true;  // what a gateway of The Things Stack has from the start
    convert_texts(attributes, gateway);
    convert_antenna(object, attributes, gateway);
    note_lost(object, gateway);
    result = convert_plan(self, object, gateway, error);
    return result != 0 ? result : gateway_clean(gateway, error);
}

int ttnv2_convert_gateway(struct source *source, const struct source_record *record, struct gateway *gateway,
                          struct error *error) {
    json_t *object = json_loadb((const char *)record->data, record->size, 0, NULL);
    if (object == NULL) return error_set(error, ERROR_PROTOCOL, "is no JSON object");
    int result = convert(ttnv2_of(source), object, gateway, error);
    json_decref(object);
    return result;
}
