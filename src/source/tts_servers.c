// SPDX-License-Identifier: Apache-2.0
// The four servers of The Things Stack: their addresses, the calls of their registries of devices, and what their
// refusals mean.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/error_details.h"
#include "device/message.h"
#include "source/tts_p.h"

enum { PORT_TLS = 8884, PORT_PLAIN = 1884, CA_FILE_MAX = 4 * 1024 * 1024, KEY_MAX = 4096, RIGHTS_MAX = 16 };

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

static const struct {
    const char *title;
    const char *registry;
    const char *option;
    const char *const *paths;
} servers[TTS_SERVERS] = {
    [TTS_IDENTITY] = {"Identity Server", "EndDeviceRegistry", "identity-server-grpc-address", identity_paths},
    [TTS_NETWORK] = {"Network Server", "NsEndDeviceRegistry", "network-server-grpc-address", network_paths},
    [TTS_APPLICATION] = {"Application Server", "AsEndDeviceRegistry", "application-server-grpc-address",
                         application_paths},
    [TTS_JOIN] = {"Join Server", "JsEndDeviceRegistry", "join-server-grpc-address", join_paths},
};

const char *tts_source_server_title(enum tts_server server) {
    return servers[server].title;
}

// ---- opening

static int open_ca(struct tts_source *self, struct error *error) {
    const char *path = option_string(self->options, "ca-file");
    if (path == NULL) return 0;
    size_t size = 0;
    int result = file_read_all(path, CA_FILE_MAX, &self->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--tts.ca-file");
    if (strstr(self->ca_pem, "-----BEGIN CERTIFICATE-----") != NULL) return 0;
    return error_set(error, ERROR_USAGE, "--tts.ca-file: %s holds no certificate in PEM form", path);
}

static int open_key(struct tts_source *self, struct error *error) {
    const char *key = option_string(self->options, "app-api-key");
    size_t size = 0;
    while (key[size] > ' ' && key[size] < 0x7f) size++;
    if (size == 0 || key[size] != '\0' || size > KEY_MAX) {
        error_set(error, ERROR_USAGE, "--tts.app-api-key: is no API key (of the form NNSXS....)");
        return -ERROR_USAGE;
    }
    self->authorization = memory_printf("Bearer %s", key);
    return 0;
}

static int open_peer(struct tts_source *self, enum tts_server server, struct error *error) {
    struct tts_peer *peer = &self->peers[server];
    bool insecure = option_bool(self->options, "insecure");
    const char *option = servers[server].option;
    const char *text = option_string(self->options, option);
    if (text == NULL) {
        option = "default-grpc-address";
        text = option_string(self->options, option);
    }
    if (text == NULL) {
        error_set(error, ERROR_USAGE, "--tts.%s: the address of the %s is missing", servers[server].option,
                  servers[server].title);
        error_hint(error,
                   "--tts.default-grpc-address gives that of all servers: eu1.cloud.thethings.network:8884");
        return -ERROR_USAGE;
    }
    char *shown MEMORY_AUTO = memory_printf("--tts.%s", option);
    unsigned port = insecure || strncmp(text, "http://", 7) == 0 ? PORT_PLAIN : PORT_TLS;
    int result = address_parse(text, shown, port, true, &peer->address, error);
    if (result != 0) return result;
    peer->name = memory_printf("%s %s", servers[server].title, peer->address.host_port);
    peer->server = (struct server){
        .name = peer->name,
        .address = peer->address.host_port,
        .plain = insecure || peer->address.plain,
        .ca_pem = self->ca_pem,
    };
    return 0;
}

int tts_source_servers_open(struct tts_source *self, struct error *error) {
    int result = open_ca(self, error);
    if (result == 0) result = open_key(self, error);
    for (enum tts_server server = 0; result == 0 && server < TTS_SERVERS; server++) {
        result = open_peer(self, server, error);
        if (result == 0 && self->peers[server].server.plain) {
            self->base.warning =
                "The Things Stack is spoken to without TLS: whoever is in between reads the API key and all "
                "device keys";
        }
    }
    return result;
}

void tts_source_servers_release(struct tts_source *self) {
    memory_free_secret(self->authorization);
    free(self->application);
    free(self->ca_pem);
    for (enum tts_server server = 0; server < TTS_SERVERS; server++) {
        free(self->peers[server].name);
        address_release(&self->peers[server].address);
    }
}

// ---- calls

struct call *tts_source_call(struct tts_source *self, struct job *job, enum tts_server server,
                             const char *method, const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = &self->peers[server].server;
    call->method = method;
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size + 1);
    protobuf_c_message_pack(message, body);
    call->body = body;
    call_add_header(call, "authorization", self->authorization);
    return call;
}

struct call *tts_source_registry_call(struct tts_source *self, struct job *job, enum tts_server server,
                                      const char *method, const ProtobufCMessage *message) {
    return tts_source_call(
        self, job, server,
        arena_printf(job->arena, "/ttn.lorawan.v3.%s/%s", servers[server].registry, method), message);
}

// The Network Server's session as a whole, or what is in it.
static bool is_asked_for(const struct tts_source *self, enum tts_server server, const char *path) {
    if (server != TTS_NETWORK) return true;
    if (path == session_path) return self->sees_queue;
    return !self->sees_queue || strncmp(path, "session.", strlen("session.")) != 0;
}

void tts_source_get_call(struct tts_source *self, struct job *job, enum tts_server server, const char *id,
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
    if (server == TTS_JOIN && euis != NULL) {
        ids.dev_eui = euis->dev_eui;
        ids.join_eui = euis->join_eui;
    }
    for (size_t i = 0; servers[server].paths[i] != NULL; i++) {
        if ((self->peers[server].refused & 1U << i) != 0) continue;
        if (!is_asked_for(self, server, servers[server].paths[i])) continue;
        message_append(arena, &mask.n_paths, &mask.paths, arena_strdup(arena, servers[server].paths[i]));
    }
    request.end_device_ids = &ids;
    request.field_mask = &mask;
    tts_source_registry_call(self, job, server, "Get", &request.base);
}

// ---- what goes wrong

bool tts_source_not_found(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND;
}

static const Tts__ErrorDetails *details_of(const struct reply *reply, struct arena *arena) {
    if (reply->outcome != REPLY_ANSWERED) return NULL;
    return error_details_read(reply_header(reply, ERROR_DETAILS_TRAILER), arena);
}

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

bool tts_source_mask_refused(struct tts_source *self, enum tts_server server, const struct reply *reply,
                             struct arena *arena) {
    const Google__Value *paths =
        attribute_of(details_of(reply, arena), "field_mask_paths", "forbidden_paths");
    if (reply->grpc_status != GRPC_INVALID_ARGUMENT || paths == NULL) return false;
    // Another call may have found that out meanwhile: whatever it names, asking once more is worth it.
    bool named = false;
    for (size_t i = 0; servers[server].paths[i] != NULL; i++) {
        if (!value_names(paths, servers[server].paths[i])) continue;
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
static bool is_other_public_cluster(const struct tts_peer *peer) {
    const char *address = peer->address.host_port;
    return strstr(address, ".cloud.thethings.network:") != NULL && strncmp(address, "eu1.", 4) != 0;
}

static void add_reason(const struct tts_source *self, enum tts_server server, const struct reply *reply,
                       const Tts__ErrorDetails *details, struct arena *arena, struct error *error) {
    bool answered = reply->outcome == REPLY_ANSWERED;
    if (server == TTS_IDENTITY && is_other_public_cluster(&self->peers[server]) &&
        error->code != ERROR_DENIED) {
        error_hint(
            error,
            "the public cloud has its Identity Server at eu1 alone: --tts.identity-server-grpc-address "
            "eu1.cloud.thethings.network:8884");
    } else if (answered && reply->grpc_status == GRPC_PERMISSION_DENIED) {
        hint_rights(self, details, arena, error);
    } else if (answered && reply->grpc_status == GRPC_UNAUTHENTICATED) {
        error_hint(error, "check --tts.app-api-key, and that it was made at the cluster of %s",
                   self->peers[TTS_IDENTITY].address.host_port);
    } else if (reply->outcome == REPLY_UNTRUSTED) {
        error_hint(error, "name the certificate to trust with --tts.ca-file FILE");
    }
}

int tts_source_failed(struct tts_source *self, enum tts_server server, const struct call *call,
                      const struct reply *reply, struct arena *arena, struct error *error) {
    if (reply_ok(reply, CALL_GRPC)) {
        return error_set(error, ERROR_PROTOCOL, "%s: %s: an answer that makes no sense", call->server->name,
                         call->method);
    }
    const Tts__ErrorDetails *details = details_of(reply, arena);
    struct reply told = *reply;
    BUFFER_AUTO words;
    buffer_init(&words, BUFFER_UNLIMITED);
    if (details != NULL) {
        error_details_write(details, &words);
        told.message = arena_strdup(arena, buffer_string(&words));
    }
    int result = reply_error(&told, call, error);
    add_reason(self, server, reply, details, arena, error);
    return result;
}
