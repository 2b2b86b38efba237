// SPDX-License-Identifier: Apache-2.0
// The servers of V2: their addresses and certificates, Discovery, which knows the Handler of an application,
// and the Account Server, which trades an access key for a token.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"
#include "device/message.h"
#include "source/ttnv2_p.h"

enum {
    DISCOVERY_PORT = 1900,
    HANDLER_PORT = 1904,
    ACCOUNT_PORT = 443,
    CA_FILE_MAX = 4 * 1024 * 1024,
    TOKEN_MARGIN = 60,  // s before its end that a token is renewed
    TOKEN_LIFETIME_MAX = 7 * 24 * 3600,
};

static int open_ca(struct ttnv2 *self, struct error *error) {
    const char *path = option_string(self->options, "ca-cert");
    if (path == NULL) return 0;
    size_t size = 0;
    int result = file_read_all(path, CA_FILE_MAX, &self->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--ttnv2.ca-cert");
    if (strstr(self->ca_pem, "-----BEGIN CERTIFICATE-----") == NULL) {
        return error_set(error, ERROR_USAGE, "--ttnv2.ca-cert: %s holds no certificate in PEM form", path);
    }
    return 0;
}

static int open_discovery(struct ttnv2 *self, struct error *error) {
    const char *text = option_string(self->options, "discovery-server-address");
    int result = address_parse(text, "--ttnv2.discovery-server-address", DISCOVERY_PORT, true,
                               &self->discovery_address, error);
    if (result != 0) return result;
    self->discovery_name = memory_printf("Discovery %s", self->discovery_address.host_port);
    self->discovery = (struct server){
        .name = self->discovery_name,
        .address = self->discovery_address.host_port,
        .plain = self->discovery_address.plain || option_bool(self->options, "discovery-server-insecure"),
        .ca_pem = self->ca_pem,
    };
    return 0;
}

static void set_handler(struct ttnv2 *self, bool plain, const char *pem, bool only) {
    free(self->handler_name);
    self->handler_name = memory_printf("Handler %s", self->handler_address.host_port);
    self->handler = (struct server){
        .name = self->handler_name,
        .address = self->handler_address.host_port,
        .plain = plain,
        .ca_pem = pem,
        .only_ca_pem = only,
    };
    self->has_handler = true;
}

static int open_handler(struct ttnv2 *self, struct error *error) {
    const char *text = option_string(self->options, "handler-address");
    if (text == NULL) return 0;
    int result =
        address_parse(text, "--ttnv2.handler-address", HANDLER_PORT, true, &self->handler_address, error);
    if (result != 0) return result;
    self->fixed_handler = true;
    bool plain = self->handler_address.plain || (!self->handler_address.has_scheme &&
                                                 option_bool(self->options, "discovery-server-insecure"));
    set_handler(self, plain, self->ca_pem, false);
    return 0;
}

static int open_account(struct ttnv2 *self, struct error *error) {
    static const char default_address[] = "https://account.thethingsnetwork.org";
    const char *text = option_string(self->options, "account-server-address");
    if (text == NULL && !self->gateways && !option_given(self->options, "account-server-client-id") &&
        !option_given(self->options, "account-server-client-secret")) {
        return 0;
    }
    if (text == NULL) text = default_address;
    int result = address_parse(text, "--ttnv2.account-server-address", ACCOUNT_PORT, false,
                               &self->account_address, error);
    if (result != 0) return result;
    self->has_account = true;
    self->account_name = memory_printf("Account Server %s", self->account_address.host_port);
    self->account = (struct server){
        .name = self->account_name,
        .address = self->account_address.host_port,
        .plain = self->account_address.plain,
        .ca_pem = self->ca_pem,
    };
    return 0;
}

int ttnv2_servers_open(struct ttnv2 *self, struct error *error) {
    int result = open_ca(self, error);
    if (result == 0) result = open_discovery(self, error);
    if (result == 0) result = open_handler(self, error);
    if (result == 0) result = open_account(self, error);
    if (result == 0 && self->discovery.plain && !self->fixed_handler) {
        self->base.warning =
            "Discovery is asked without TLS: nothing proves that the Handler which it names is "
            "the right one, and that gets the keys";
    }
    return result;
}

void ttnv2_servers_release(struct ttnv2 *self) {
    memory_free_secret(self->token);
    free(self->application);
    free(self->ca_pem);
    free(self->handler_pem);
    free(self->discovery_name);
    free(self->handler_name);
    free(self->account_name);
    address_release(&self->discovery_address);
    address_release(&self->handler_address);
    address_release(&self->account_address);
}

// ---- finding the Handler, logging in

static int read_announcement(struct ttnv2 *self, struct job *job, struct error *error) {
    const struct buffer *body = &job->replies[0].body;
    const Ttnv2__Announcement *announcement =
        message_unpack(&ttnv2__announcement__descriptor, body->data, body->size, job->arena, error);
    if (announcement == NULL) {
        return error_wrap(error, ERROR_NONE, "%s: the announcement of a Handler", self->discovery.name);
    }
    char *first =
        arena_strndup(job->arena, announcement->net_address, strcspn(announcement->net_address, ","));
    struct address address = {0};
    if (address_parse(first, "net_address", HANDLER_PORT, true, &address, error) != 0) {
        return error_wrap(error, ERROR_PROTOCOL, "%s: the announcement of a Handler", self->discovery.name);
    }
    address_release(&self->handler_address);
    self->handler_address = address;
    free(self->handler_pem);
    self->handler_pem = NULL;
    bool announced = announcement->certificate[0] != '\0';
    if (announced) self->handler_pem = memory_strdup(announcement->certificate);
    set_handler(self, false, announced ? self->handler_pem : self->ca_pem, announced);
    return 0;
}

// Text as a value of a form: everything but unreserved characters as %XX.
static char *form_encode(struct arena *arena, const char *text) {
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_alloc(arena, 3 * strlen(text) + 1, 1);
    char *end = encoded;
    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL) {
            *end++ = *text;
            continue;
        }
        *end++ = '%';
        *end++ = digits[(unsigned char)*text >> 4];
        *end++ = digits[(unsigned char)*text & 15];
    }
    return encoded;
}

static const char *token_body(struct ttnv2 *self, struct job *job, bool form) {
    const char *key = option_string(self->options, "app-access-key");
    if (form) {
        return arena_printf(job->arena, "grant_type=password&username=%s&password=%s",
                            form_encode(job->arena, self->application), form_encode(job->arena, key));
    }
    json_t *object = json_pack("{s:s, s:s}", "username", self->application, "password", key);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    const char *body = arena_strdup(job->arena, text != NULL ? text : "{}");
    memory_free_secret(text);
    json_decref(object);
    return body;
}

static void token_call(struct ttnv2 *self, struct job *job, bool form) {
    struct call *call = job_call(job);
    call->kind = CALL_HTTP;
    call->server = &self->account;
    call->method = "POST";
    call->path = arena_printf(job->arena, "%s/api/v2/applications/token", self->account_address.prefix);
    call->body = token_body(self, job, form);
    call->body_size = strlen(call->body);
    call_add_header(call, "content-type", form ? "application/x-www-form-urlencoded" : "application/json");
    call_add_header(call, "accept", "application/json");
    const char *client = option_string(self->options, "account-server-client-id");
    if (client == NULL) return;
    const char *secret = option_string(self->options, "account-server-client-secret");
    const char *pair = arena_printf(job->arena, "%s:%s", client, secret == NULL ? "" : secret);
    char *encoded = arena_alloc(job->arena, BASE64_TEXT_SIZE(strlen(pair)), 1);
    base64_encode(encoded, pair, strlen(pair));
    call_add_header(call, "authorization", arena_printf(job->arena, "Basic %s", encoded));
}

static int read_token(struct ttnv2 *self, const struct reply *reply, struct error *error) {
    json_error_t ignored;
    json_t *object = json_loadb((const char *)reply->body.data, reply->body.size, 0, &ignored);
    const char *token = json_string_value(json_object_get(object, "access_token"));
    json_int_t lifetime = json_integer_value(json_object_get(object, "expires_in"));
    int result = 0;
    if (token == NULL || token[0] == '\0') {
        result = error_set(error, ERROR_PROTOCOL, "%s: its answer holds no access_token", self->account.name);
    } else {
        memory_free_secret(self->token);
        self->token = memory_strdup(token);
        if (lifetime < 2 * TOKEN_MARGIN) lifetime = 2 * TOKEN_MARGIN;
        if (lifetime > TOKEN_LIFETIME_MAX) lifetime = TOKEN_LIFETIME_MAX;
        self->token_expires = clock_monotonic(self->clock) + (lifetime - TOKEN_MARGIN) * NS_PER_SECOND;
    }
    json_decref(object);
    return result;
}

bool ttnv2_token_due(const struct ttnv2 *self) {
    return self->has_account && (self->token == NULL || clock_monotonic(self->clock) >= self->token_expires);
}

enum prepare_stage { PREPARE_BEGIN, PREPARE_DISCOVERED, PREPARE_TOKEN, PREPARE_TOKEN_FORM };

static enum job_step prepare_token(struct ttnv2 *self, struct job *job, bool form) {
    if (!ttnv2_token_due(self)) return JOB_DONE;
    job->stage = form ? PREPARE_TOKEN_FORM : PREPARE_TOKEN;
    token_call(self, job, form);
    return JOB_CALLS;
}

static enum job_step prepare_discovered(struct ttnv2 *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    if (reply_error(reply, &job->calls[0], error) != 0) {
        reply_hint_tls(reply, "--ttnv2.ca-cert", "--ttnv2.discovery-server-insecure", error);
        if (reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND) {
            error_wrap(error, ERROR_NONE, "no Handler has application %s", self->application);
            error_hint(error, "check the application's ID and --ttnv2.discovery-server-address");
        }
        return JOB_FAILED;
    }
    if (read_announcement(self, job, error) != 0) return JOB_FAILED;
    return prepare_token(self, job, false);
}

static enum job_step prepare_logged_in(struct ttnv2 *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    bool other_form = reply->outcome == REPLY_ANSWERED && (reply->http_status == HTTP_BAD_REQUEST ||
                                                           reply->http_status == HTTP_UNSUPPORTED_MEDIA_TYPE);
    if (other_form && job->stage == PREPARE_TOKEN) return prepare_token(self, job, true);
    if (reply_error(reply, &job->calls[0], error) != 0) {
        if (!reply_hint_tls(reply, "--ttnv2.ca-cert", "--ttnv2.account-server-address http://HOST:PORT",
                            error))
            error_hint(error, "check --ttnv2.app-access-key and the --ttnv2.account-server flags");
        return JOB_FAILED;
    }
    return read_token(self, reply, error) == 0 ? JOB_DONE : JOB_FAILED;
}

enum job_step ttnv2_prepare(struct source *source, struct job *job, const char *application,
                            struct error *error) {
    struct ttnv2 *self = (struct ttnv2 *)source;
    if (job->stage == PREPARE_DISCOVERED) return prepare_discovered(self, job, error);
    if (job->stage != PREPARE_BEGIN) return prepare_logged_in(self, job, error);
    if (self->application == NULL || strcmp(self->application, application) != 0) {
        free(self->application);
        self->application = memory_strdup(application);
        self->has_handler = self->fixed_handler;
        memory_free_secret(memory_take(self->token));
    }
    if (self->has_handler) return prepare_token(self, job, false);
    Ttnv2__GetByAppIDRequest request = TTNV2__GET_BY_APP_IDREQUEST__INIT;
    request.app_id = self->application;
    ttnv2_grpc_call(job, &self->discovery, "/discovery.Discovery/GetByAppID", &request.base);
    job->stage = PREPARE_DISCOVERED;
    return JOB_CALLS;
}
