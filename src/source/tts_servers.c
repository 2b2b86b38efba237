// SPDX-License-Identifier: Apache-2.0
// The four servers of The Things Stack as a source: what they are asked for, and what their refusals mean.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/error_details.h"
#include "device/message.h"
#include "source/tts_p.h"

enum { RIGHTS_MAX = 16 };

// What a Get asks for. Whole messages rather than lists of their members: so a server of any version can answer. One
// that does not know a path says which, and is asked again without it.
static const char *const identity_paths[] = {"name",
                                             "description",
                                             "attributes",
                                             "version_ids",
                                             "service_profile_id",
                                             "network_server_address",
                                             "application_server_address",
                                             "join_server_address",
                                             "locations",
                                             "picture",
                                             "claim_authentication_code",
                                             "activated_at",
                                             "serial_number",
                                             "lora_alliance_profile_ids",
                                             NULL};
// A session of the Network Server as a whole has queued downlinks too. Who may not read these gets the rest.
static const char session_path[] = "session";
static const char *const network_paths[] = {"frequency_plan_id",
                                            "lorawan_version",
                                            "lorawan_phy_version",
                                            "min_frequency",
                                            "max_frequency",
                                            "supports_join",
                                            "supports_class_b",
                                            "supports_class_c",
                                            "multicast",
                                            "mac_settings",
                                            "mac_state",
                                            "pending_mac_state",
                                            "pending_session.dev_addr",
                                            "pending_session.keys",
                                            "session.dev_addr",
                                            "session.keys",
                                            "session.last_f_cnt_up",
                                            "session.last_n_f_cnt_down",
                                            "session.last_conf_f_cnt_down",
                                            "session.started_at",
                                            session_path,
                                            "battery_percentage",
                                            "downlink_margin",
                                            "last_dev_status_received_at",
                                            "power_state",
                                            NULL};
static const char *const application_paths[] = {
    "session", "pending_session", "formatters", "skip_payload_crypto", "skip_payload_crypto_override", NULL};
static const char *const join_paths[] = {"root_keys",
                                         "net_id",
                                         "last_dev_nonce",
                                         "used_dev_nonces",
                                         "last_join_nonce",
                                         "last_rj_count_0",
                                         "last_rj_count_1",
                                         "resets_join_nonces",
                                         "network_server_address",
                                         "network_server_kek_label",
                                         "application_server_address",
                                         "application_server_kek_label",
                                         "application_server_id",
                                         "provisioner_id",
                                         "provisioning_data",
                                         "claim_authentication_code",
                                         NULL};

static const char *const *const asked_paths[STACK_ROLES] = {
    [STACK_IDENTITY] = identity_paths,
    [STACK_NETWORK] = network_paths,
    [STACK_APPLICATION] = application_paths,
    [STACK_JOIN] = join_paths,
};

// ---- opening

int tts_source_servers_open(struct tts_source *self, struct error *error) {
    const struct stack_options options = {self->options, "--tts."};
    int result = stack_access_open(&self->access, &options, error);
    for (enum stack_role role = 0; result == 0 && role < STACK_ROLES; role++) {
        result = stack_server_open(&self->peers[role], role, &self->access, &options, error);
        if (result == 0 && self->peers[role].server.plain) {
            self->base.warning =
                "The Things Stack is spoken to without TLS: whoever is in between reads the API key and all "
                "device keys";
        }
    }
    return result;
}

void tts_source_servers_release(struct tts_source *self) {
    stack_access_release(&self->access);
    free(self->application);
    for (enum stack_role role = 0; role < STACK_ROLES; role++) stack_server_release(&self->peers[role]);
}

// ---- calls

struct call *tts_source_call(struct tts_source *self, struct job *job, const char *service,
                             const char *method, const ProtobufCMessage *message) {
    return stack_call(&self->peers[STACK_IDENTITY], &self->access, job, service, method, message);
}

struct call *tts_source_registry_call(struct tts_source *self, struct job *job, enum stack_role server,
                                      const char *method, const ProtobufCMessage *message) {
    return stack_call(&self->peers[server], &self->access, job, stack_registry(server), method, message);
}

// The Network Server's session as a whole, or what is in it.
static bool is_asked_for(const struct tts_source *self, enum stack_role server, const char *path) {
    if (server != STACK_NETWORK) return true;
    if (path == session_path) return self->sees_queue;
    return !self->sees_queue || strncmp(path, "session.", strlen("session.")) != 0;
}

void tts_source_get_call(struct tts_source *self, struct job *job, enum stack_role server, const char *id,
                         const Tts__EndDeviceIdentifiers *euis) {
    struct arena *arena = job->arena;
    Tts__ApplicationIdentifiers application = TTS__APPLICATION_IDENTIFIERS__INIT;
    Tts__EndDeviceIdentifiers ids = TTS__END_DEVICE_IDENTIFIERS__INIT;
    Tts__GetEndDeviceRequest request = TTS__GET_END_DEVICE_REQUEST__INIT;
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    application.application_id = self->application;
    ids.application_ids = &application;
    ids.device_id = arena_strdup(arena, id);
    // The oldest Join Servers know devices by their EUIs alone.
    if (server == STACK_JOIN && euis != NULL) {
        ids.dev_eui = euis->dev_eui;
        ids.join_eui = euis->join_eui;
    }
    for (size_t i = 0; asked_paths[server][i] != NULL; i++) {
        if ((self->peers[server].refused & 1U << i) != 0) continue;
        if (!is_asked_for(self, server, asked_paths[server][i])) continue;
        message_append(arena, &mask.n_paths, &mask.paths, arena_strdup(arena, asked_paths[server][i]));
    }
    request.end_device_ids = &ids;
    request.field_mask = &mask;
    struct call *call = tts_source_registry_call(self, job, server, "Get", &request.base);
    if (server == STACK_IDENTITY) stack_ask_together(call, self->application, ids.device_id, &mask, arena);
}

// ---- what goes wrong

// The attribute of the error of that name, be it the error itself or what lies behind it; or NULL.
static const Google__Value *attribute_of(const Tts__ErrorDetails *details, const char *error,
                                         const char *name) {
    while (details != NULL && strcmp(details->name, error) != 0) details = details->cause;
    if (details == NULL || details->attributes == NULL) return NULL;
    for (size_t i = 0; i < details->attributes->n_fields; i++) {
        if (strcmp(details->attributes->fields[i]->key, name) == 0)
            return details->attributes->fields[i]->value;
    }
    return NULL;
}

// True if the value names the path, or a member of it.
static bool value_names(const Google__Value *value, const char *path) {
    size_t size = strlen(path);
    if (value == NULL) return false;
    if (value->kind_case == GOOGLE__VALUE__KIND_STRING_VALUE) {
        const char *text = value->string_value;
        return strncmp(text, path, size) == 0 && (text[size] == '\0' || text[size] == '.');
    }
    if (value->kind_case != GOOGLE__VALUE__KIND_LIST_VALUE || value->list_value == NULL) return false;
    for (size_t i = 0; i < value->list_value->n_values; i++) {
        const Google__Value *item = value->list_value->values[i];
        if (item->kind_case == GOOGLE__VALUE__KIND_STRING_VALUE && value_names(item, path)) return true;
    }
    return false;
}

bool tts_source_mask_refused(struct tts_source *self, enum stack_role server, const struct reply *reply,
                             struct arena *arena) {
    const Google__Value *paths =
        attribute_of(stack_details(reply, arena), "field_mask_paths", "forbidden_paths");
    if (reply->grpc_status != GRPC_INVALID_ARGUMENT || paths == NULL) return false;
    // Another call may have found that out meanwhile: whatever it names, asking once more is worth it.
    bool named = false;
    for (size_t i = 0; asked_paths[server][i] != NULL; i++) {
        if (!value_names(paths, asked_paths[server][i])) continue;
        self->peers[server].refused |= 1U << i;
        named = true;
    }
    return named;
}

// The names of rights, with commas; "" if the value has none.
static const char *rights_text(const Google__Value *value, struct arena *arena) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    const Google__ListValue *list = NULL;
    if (value != NULL && value->kind_case == GOOGLE__VALUE__KIND_LIST_VALUE) list = value->list_value;
    for (size_t i = 0; list != NULL && i < list->n_values && i < RIGHTS_MAX; i++) {
        const Google__Value *item = list->values[i];
        if (item->kind_case != GOOGLE__VALUE__KIND_STRING_VALUE) continue;
        const char *name = item->string_value;
        if (name[0] == '\0' || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(name)) continue;
        buffer_printf(&text, "%s%s", text.size == 0 ? "" : ", ", name);
    }
    return text.size == 0 ? "" : arena_strdup(arena, buffer_string(&text));
}

static void hint_rights(const struct tts_source *self, const Tts__ErrorDetails *details, struct arena *arena,
                        struct error *error) {
    const Google__Value *missing = attribute_of(details, "insufficient_application_rights", "missing");
    const char *rights = rights_text(missing, arena);
    if (rights[0] != '\0') {
        error_hint(error, "give the API key of application %s the right %s", self->application, rights);
    } else {
        error_hint(
            error,
            "--tts.app-api-key has to be a key of application %s with the rights to read devices and their "
            "keys, and to write both",
            self->application);
    }
}

// On the public cloud only one cluster has an Identity Server.
static bool is_other_public_cluster(const struct stack_server *peer) {
    const char *address = peer->address.host_port;
    return strstr(address, ".cloud.thethings.network:") != NULL && strncmp(address, "eu1.", 4) != 0;
}

static void add_reason(const struct tts_source *self, enum stack_role server, const struct reply *reply,
                       const Tts__ErrorDetails *details, struct arena *arena, struct error *error) {
    bool answered = reply->outcome == REPLY_ANSWERED;
    if (server == STACK_IDENTITY && is_other_public_cluster(&self->peers[server]) &&
        error->code != ERROR_DENIED) {
        error_hint(
            error,
            "the public cloud has its Identity Server at eu1 alone: --tts.identity-server-grpc-address "
            "eu1.cloud.thethings.network:8884");
    } else if (answered && reply->grpc_status == GRPC_PERMISSION_DENIED) {
        hint_rights(self, details, arena, error);
    } else if (answered && reply->grpc_status == GRPC_UNAUTHENTICATED) {
        error_hint(error,
                   "check --tts.app-api-key, and that it was made at the cluster of %s: its Console makes "
                   "one, at API keys of the "
                   "application (for gateways: of your user), with rights to read devices and their keys, "
                   "and to write them where "
                   "they are released",
                   self->peers[STACK_IDENTITY].address.host_port);
    } else {
        reply_hint_tls(reply, "--tts.ca-file", "--tts.insecure", error);
    }
}

int tts_source_failed(struct tts_source *self, enum stack_role server, const struct call *call,
                      const struct reply *reply, struct arena *arena, struct error *error) {
    if (reply_ok(reply, CALL_GRPC)) {
        return error_set(error, ERROR_PROTOCOL, "%s: %s: an answer that makes no sense", call->server->name,
                         call->method);
    }
    const Tts__ErrorDetails *details = stack_details(reply, arena);
    int result = stack_error(reply, call, details, error);
    add_reason(self, server, reply, details, arena, error);
    return result;
}
