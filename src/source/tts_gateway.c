// SPDX-License-Identifier: Apache-2.0
// Gateways of The Things Stack: the Identity Server has them, for the key of a user or an organization. A gateway's record
// is the message as it was read.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/field_mask.h"
#include "device/message.h"
#include "device/naming.h"
#include "source/tts_p.h"

enum { GATEWAYS_IN_PAGE = 500 };

static const char redirect_members[] = "target_cups_uri target_cups_key";

static enum job_step failed(struct tts_source *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    tts_source_failed(self, STACK_IDENTITY, &job->calls[0], reply, job->arena, error);
    if (reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_PERMISSION_DENIED) {
        error_hint(
            error,
            "--tts.app-api-key has to be the key of a user or an organization, with the rights to list and "
            "to see gateways%s",
            self->redirect ? ", to read and write their secrets and to change their settings" : "");
    }
    return JOB_FAILED;
}

static void *answer(struct job *job, const ProtobufCMessageDescriptor *descriptor, struct error *error) {
    const struct buffer *body = &job->replies[0].body;
    return message_unpack(descriptor, body->data, body->size, job->arena, error);
}

// A key that is good for nothing is told before anything else.
enum job_step tts_source_prepare_gateways(struct source *source, struct job *job, struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        Google__Empty empty = GOOGLE__EMPTY__INIT;
        tts_source_call(self, job, "EntityAccess", "AuthInfo", &empty.base);
        job->stage = 1;
        return JOB_CALLS;
    }
    if (!reply_ok(&job->replies[0], CALL_GRPC)) return failed(self, job, error);
    const Tts__AuthInfoResponse *auth = answer(job, &tts__auth_info_response__descriptor, error);
    if (auth == NULL) return JOB_FAILED;
    if (auth->access_method_case != TTS__AUTH_INFO_RESPONSE__ACCESS_METHOD_API_KEY ||
        auth->api_key->entity_ids == NULL ||
        auth->api_key->entity_ids->ids_case != TTS__ENTITY_IDENTIFIERS__IDS_APPLICATION_IDS) {
        return JOB_DONE;
    }
    error_set(error, ERROR_DENIED, "the API key is that of an application, which has no gateways");
    error_hint(error, "give --tts.app-api-key the key of a user or an organization");
    return JOB_FAILED;
}

static void keep(struct source_record *record, const Tts__Gateway *gateway, bool complete) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(&gateway->base, &bytes);
    source_record_set_data(record, bytes.data, bytes.size);
    record->complete = complete;
    record->has_dev_eui = gateway->ids->eui.len == EUI64_BYTES;
    if (record->has_dev_eui) memcpy(record->dev_eui, gateway->ids->eui.data, EUI64_BYTES);
}

static void list_call(struct tts_source *self, struct job *job, uint32_t page) {
    Tts__ListGatewaysRequest request = TTS__LIST_GATEWAYS_REQUEST__INIT;
    request.field_mask = stack_mask(job->arena, gateway_members);
    request.limit = GATEWAYS_IN_PAGE;
    request.page = page;
    tts_source_call(self, job, "GatewayRegistry", "List", &request.base);
    job->stage = 1;
}

enum job_step tts_source_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                       struct error *error) {
    struct tts_source *self = tts_source_of(source);
    unsigned long number = page->cursor == NULL ? 1 : strtoul(page->cursor, NULL, 10);
    if (job->stage == 0) {
        list_call(self, job, (uint32_t)number);
        return JOB_CALLS;
    }
    if (!reply_ok(&job->replies[0], CALL_GRPC)) return failed(self, job, error);
    const Tts__Gateways *list = answer(job, &tts__gateways__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    for (size_t i = 0; i < list->n_gateways; i++) {
        const Tts__Gateway *gateway = list->gateways[i];
        if (gateway->ids == NULL || gateway->ids->gateway_id[0] == '\0') {
            error_set(error, ERROR_PROTOCOL, "%s: a gateway without an ID", self->peers[STACK_IDENTITY].name);
            return JOB_FAILED;
        }
        struct source_record *record = source_page_add(page);
        record->id = memory_strdup(gateway->ids->gateway_id);
        // A list does not give secrets.
        keep(record, gateway, !self->redirect);
    }
    const char *total = reply_header(&job->replies[0], "x-total-count");
    page->total = total == NULL ? 0 : strtoull(total, NULL, 10);
    free(memory_take(page->cursor));
    if (list->n_gateways == GATEWAYS_IN_PAGE) page->cursor = memory_printf("%lu", number + 1);
    return JOB_DONE;
}

static void get_call(struct tts_source *self, struct job *job, const char *id, const char *members) {
    Tts__GatewayIdentifiers ids = TTS__GATEWAY_IDENTIFIERS__INIT;
    Tts__GetGatewayRequest request = TTS__GET_GATEWAY_REQUEST__INIT;
    ids.gateway_id = arena_strdup(job->arena, id);
    request.gateway_ids = &ids;
    request.field_mask = stack_mask(job->arena, members);
    tts_source_call(self, job, "GatewayRegistry", "Get", &request.base);
}

static Tts__Gateway *got(struct tts_source *self, struct job *job, const char *id, struct error *error) {
    Tts__Gateway *gateway = answer(job, &tts__gateway__descriptor, error);
    if (gateway == NULL) return NULL;
    if (gateway->ids != NULL && strcmp(gateway->ids->gateway_id, id) == 0) return gateway;
    error_set(error, ERROR_PROTOCOL, "%s: asked for gateway %s, it sent another one",
              self->peers[STACK_IDENTITY].name, id);
    return NULL;
}

enum job_step tts_source_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                      struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        if (record->complete) return JOB_DONE;
        if (!device_id_valid(record->id)) {
            error_set(error, ERROR_DEVICE, "is no ID of a gateway");
            return JOB_FAILED;
        }
        char *members MEMORY_AUTO = memory_printf("%s%s%s", gateway_members, self->redirect ? " " : "",
                                                  self->redirect ? redirect_members : "");
        get_call(self, job, record->id, members);
        job->stage = 1;
        return JOB_CALLS;
    }
    if (!reply_ok(&job->replies[0], CALL_GRPC)) return failed(self, job, error);
    const Tts__Gateway *gateway = got(self, job, record->id, error);
    if (gateway == NULL) return JOB_FAILED;
    keep(record, gateway, true);
    return JOB_DONE;
}

int tts_source_convert_gateway(struct source *source, const struct source_record *record,
                               struct gateway *gateway, struct error *error) {
    (void)source;
    const Tts__Gateway *there =
        message_unpack(&tts__gateway__descriptor, record->data, record->size, &gateway->arena, error);
    if (there == NULL) return -(int)error->code;
    const Tts__GatewayIdentifiers *ids = there->ids;
    Tts__Gateway *carried = gateway_carried(there, &gateway->arena);
    if (carried == NULL) return error_set(error, ERROR_PROTOCOL, "is too large to be a gateway");
    gateway->message = carried;
    gateway->message->ids = message_new(&gateway->arena, &tts__gateway_identifiers__descriptor);
    gateway->message->ids->gateway_id = arena_strdup(&gateway->arena, ids == NULL ? "" : ids->gateway_id);
    if (ids != NULL) gateway->message->ids->eui = ids->eui;
    if (gateway->message->n_frequency_plan_ids > 0)
        gateway->message->frequency_plan_id = gateway->message->frequency_plan_ids[0];
    // The target has servers of its own.
    gateway->message->gateway_server_address = arena_strdup(&gateway->arena, "");
    return gateway_clean(gateway, error);
}

// ---- sending gateways elsewhere

bool tts_source_shares_gateways(const struct source *source, const struct gateway_home *home) {
    const struct tts_source *self = (const struct tts_source *)source;
    return strcmp(self->peers[STACK_IDENTITY].address.host_port, home->identity_server) == 0;
}

// What the source is to say: the target's addresses, or what it said before. Both fields of CUPS in one Update: an address
// without a key would be an error to the gateway.
static void redirect_call(struct tts_source *self, struct job *job, const Tts__Gateway *was,
                          const struct gateway_home *home, const struct gateway_redirect *redirect) {
    bool shared = tts_source_shares_gateways(&self->base, home);
    Tts__Secret key = TTS__SECRET__INIT;
    Tts__GatewayIdentifiers ids = TTS__GATEWAY_IDENTIFIERS__INIT;
    Tts__Gateway gateway = TTS__GATEWAY__INIT;
    Tts__UpdateGatewayRequest request = TTS__UPDATE_GATEWAY_REQUEST__INIT;
    ids.gateway_id = was->ids->gateway_id;
    gateway.ids = &ids;
    if (redirect == NULL) {
        gateway.gateway_server_address = was->gateway_server_address;
        gateway.target_cups_uri = was->target_cups_uri;
        gateway.target_cups_key = was->target_cups_key;
    } else if (shared) {
        gateway.gateway_server_address = arena_strdup(job->arena, home->gateway_server_address);
    } else {
        key.value = message_bytes(job->arena, redirect->cups_key, strlen(redirect->cups_key));
        gateway.target_cups_uri = arena_strdup(job->arena, home->cups_uri);
        gateway.target_cups_key = &key;
    }
    request.gateway = &gateway;
    request.field_mask =
        stack_mask(job->arena, shared ? "gateway_server_address" : "target_cups_uri target_cups_key");
    tts_source_call(self, job, "GatewayRegistry", "Update", &request.base)->changes = true;
    job->stage = 2;
}

enum job_step tts_source_redirect_gateway(struct source *source, struct job *job,
                                          const struct source_record *record, const struct gateway_home *home,
                                          const struct gateway_redirect *redirect, struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        get_call(self, job, record->id, "gateway_server_address target_cups_uri");
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (redirect == NULL && stack_is_absent(reply)) return JOB_DONE;
    if (!reply_ok(reply, CALL_GRPC)) return failed(self, job, error);
    if (job->stage == 2) return JOB_DONE;
    const Tts__Gateway *there = got(self, job, record->id, error);
    if (there == NULL) return JOB_FAILED;
    const Tts__Gateway *was =
        message_unpack(&tts__gateway__descriptor, record->data, record->size, job->arena, error);
    if (was == NULL || was->ids == NULL) return JOB_FAILED;
    bool ours = tts_source_shares_gateways(source, home)
                    ? strcmp(there->gateway_server_address, home->gateway_server_address) == 0
                    : strcmp(there->target_cups_uri, home->cups_uri) == 0;
    // Whatever else is there by now is somebody's.
    if (redirect == NULL && !ours) return JOB_DONE;
    redirect_call(self, job, was, home, redirect);
    return JOB_CALLS;
}
