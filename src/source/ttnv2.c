// SPDX-License-Identifier: Apache-2.0
// Source ttnv2: The Things Network Stack V2. Discovery tells which Handler has an application and with which
// certificate; the Handler's ApplicationManager reads and writes devices. A device's record is the Handler's
// own message, handler.Device, as bytes.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/sources.h"
#include "source/ttnv2_p.h"

enum { PAGE_SIZE = 2500 };  // devices a list call asks for: some 400 KB

// The limiters of the Handler, the Broker and the Network Server: a constant in their code.
static const double handler_rate = 5;

static const struct option_spec options[] = {
    {.name = "frequency-plan-id",
     .type = OPTION_STRING,
     .flags = OPTION_CONVERTS | OPTION_REQUIRED | OPTION_OF_DEVICES,
     .env = "FREQUENCY_PLAN_ID",
     .argument = "ID",
     .help = "frequency plan of the exported devices (all of them: ttn-lw-migrate frequency-plans)"},
    {.name = "app-id",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_OF_DEVICES,
     .env = "TTNV2_APP_ID",
     .argument = "ID",
     .help = "application in V2"},
    {.name = "app-access-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_OF_DEVICES | OPTION_SECRET,
     .env = "TTNV2_APP_ACCESS_KEY",
     .argument = "KEY",
     .help = "access key of the application, with the right \"devices\"; for its payload functions also "
             "\"settings\""},
    {.name = "with-session",
     .type = OPTION_BOOL,
     .env = "TTNV2_WITH_SESSION",
     .default_value = "true",
     .help = "export sessions too, so that devices need not join again"},
    {.name = "resets-to-frequency-plan",
     .type = OPTION_BOOL,
     .flags = OPTION_CONVERTS,
     .env = "TTNV2_RESETS_TO_FREQUENCY_PLAN",
     .default_value = "false",
     .help = "ABP devices start with the frequency plan's channels: set factory preset frequencies"},
    {.name = "discovery-server-address",
     .type = OPTION_STRING,
     .env = "TTNV2_DISCOVERY_SERVER_ADDRESS",
     .default_value = "discovery.thethings.network:1900",
     .argument = "HOST:PORT",
     .help = "Discovery server, which knows the application's Handler"},
    {.name = "discovery-server-insecure",
     .type = OPTION_BOOL,
     .env = "TTNV2_DISCOVERY_SERVER_INSECURE",
     .default_value = "false",
     .help = "speak to the Discovery server without TLS"},
    {.name = "handler-address",
     .type = OPTION_STRING,
     .env = "TTNV2_HANDLER_ADDRESS",
     .argument = "HOST:PORT",
     .help = "the Handler, without asking Discovery (http://HOST:PORT: without TLS)"},
    {.name = "ca-cert",
     .type = OPTION_STRING,
     .env = "TTNV2_CA_CERT",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "account-server-address",
     .type = OPTION_STRING,
     .env = "TTNV2_ACCOUNT_SERVER_ADDRESS",
     .argument = "URL",
     .help = "exchange the access key for a token here (else the Handler does so itself)"},
    {.name = "account-server-client-id",
     .type = OPTION_STRING,
     .env = "TTNV2_ACCOUNT_SERVER_CLIENT_ID",
     .argument = "ID",
     .help = "client ID for the Account Server"},
    {.name = "account-server-client-secret",
     .type = OPTION_STRING,
     .flags = OPTION_SECRET,
     .env = "TTNV2_ACCOUNT_SERVER_CLIENT_SECRET",
     .argument = "SECRET",
     .help = "client secret for the Account Server"},
    {.name = "account-token",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_OF_GATEWAYS | OPTION_SECRET,
     .env = "TTNV2_ACCOUNT_TOKEN",
     .argument = "TOKEN",
     .help = "token of a user at the Account Server, whose gateways are meant"},
    {.name = NULL},
};

// ---- opening

static int open_plan(struct ttnv2 *self, const struct source_setup *setup, struct error *error) {
    const char *id = option_string(self->options, "frequency-plan-id");
    self->rules.plan = frequency_plans_find(setup->plans, id);
    if (self->rules.plan != NULL && band_find(self->rules.plan->band_id, PHY_V1_0_2_REV_B) != NULL) return 0;
    if (self->rules.plan != NULL) {
        return error_set(error, ERROR_USAGE,
                         "frequency plan %s: its band %s has no version %s, the one that V2 speaks", id,
                         self->rules.plan->band_id, phy_version_text(PHY_V1_0_2_REV_B));
    }
    const char *suggestion = frequency_plans_suggest(setup->plans, id);
    error_set(error, ERROR_USAGE, "there is no frequency plan %s", id);
    if (suggestion != NULL) {
        error_hint(error, "did you mean %s? All of them: ttn-lw-migrate frequency-plans", suggestion);
    } else {
        error_hint(error, "all of them: ttn-lw-migrate frequency-plans");
    }
    return -ERROR_USAGE;
}

// Only the Account Server is asked for gateways, by their owner.
static int check_token(const struct ttnv2 *self, struct error *error) {
    const char *token = option_string(self->options, "account-token");
    size_t size = token == NULL ? 0 : strlen(token);
    for (size_t i = 0; i < size; i++) {
        if (token[i] <= ' ' || token[i] >= 0x7F)
            return error_set(error, ERROR_USAGE, "--ttnv2.account-token: a token has no blanks");
    }
    if (size > 0) return 0;
    error_set(error, ERROR_USAGE, "the gateways of V2 need a token of their owner");
    error_hint(error, "give --ttnv2.account-token-file FILE, or TTNV2_ACCOUNT_TOKEN");
    return -ERROR_USAGE;
}

static void ttnv2_close(struct source *source) {
    if (source == NULL) return;
    struct ttnv2 *self = ttnv2_of(source);
    ttnv2_servers_release(self);
    free(self);
}

static int ttnv2_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct ttnv2 *self = memory_new(struct ttnv2);
    self->base.driver = &source_ttnv2;
    self->options = setup->options;
    self->clock = setup->clock;
    self->dry_run = setup->dry_run;
    self->rules = (struct ttnv2_rules){
        .naming = setup->naming,
        .map = setup->map,
        .clock = setup->clock,
        .random = setup->random,
        .with_session = option_bool(setup->options, "with-session"),
        .resets_to_frequency_plan = option_bool(setup->options, "resets-to-frequency-plan"),
    };
    self->plans = setup->plans;
    self->gateways = setup->gateways;
    self->base.keeps = setup->gateways;
    self->base.joins = self->rules.with_session;
    int result = setup->gateways ? check_token(self, error) : open_plan(self, setup, error);
    if (result == 0) result = ttnv2_servers_open(self, error);
    if (result != 0) {
        ttnv2_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *ttnv2_default_application(const struct source *source) {
    return option_string(((const struct ttnv2 *)source)->options, "app-id");
}

// ---- calls

struct call *ttnv2_grpc_call(struct job *job, const struct server *server, const char *method,
                             const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = server;
    call->method = method;
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size);
    protobuf_c_message_pack(message, body);
    call->body = body;
    return call;
}

// A call of the Handler, with the credentials. The token is copied, since it may be renewed meanwhile.
struct call *ttnv2_handler_call(struct ttnv2 *self, struct job *job, const char *method,
                                const ProtobufCMessage *message) {
    struct call *call = ttnv2_grpc_call(job, &self->handler, method, message);
    if (self->token != NULL) {
        call_add_header(call, "token", arena_strdup(job->arena, self->token));
    } else {
        call_add_header(call, "key", option_string(self->options, "app-access-key"));
    }
    return call;
}

// The token that a call carried; NULL if it carried the key.
static const char *token_of(const struct call *call) {
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcmp(call->headers[i].name, "token") == 0) return call->headers[i].value;
    }
    return NULL;
}

// The Handler does not take the token that the call carried. Another call may have found that out, and got a new one.
static bool token_refused(struct ttnv2 *self, const struct call *call, const struct reply *reply) {
    const char *token = token_of(call);
    if (token == NULL || reply->message == NULL || reply->grpc_status != GRPC_PERMISSION_DENIED) return false;
    if (strstr(reply->message, "unable to parse token") == NULL &&
        strstr(reply->message, "expired") == NULL) {
        return false;
    }
    if (self->token != NULL && strcmp(self->token, token) == 0) memory_free_secret(memory_take(self->token));
    return true;
}

// What a reply that is not OK means for the job.
enum job_step ttnv2_handler_failed(struct ttnv2 *self, const struct call *call, const struct reply *reply,
                                   struct error *error) {
    bool answered = reply->outcome == REPLY_ANSWERED;
    if (answered && token_refused(self, call, reply)) return JOB_LOGIN;
    reply_error(reply, call, error);
    if (answered && reply->grpc_status == GRPC_PERMISSION_DENIED) {
        error_hint(error, "the access key needs the right \"devices\" to application %s", self->application);
    } else if (answered && reply->message != NULL && strstr(reply->message, "access key") != NULL) {
        error_hint(error, "check --ttnv2.app-access-key: it has to be a key of application %s",
                   self->application);
    } else if (answered && reply->message != NULL && strstr(reply->message, "Auth server") != NULL) {
        error_hint(error,
                   "check --ttnv2.app-access-key: what is before its dot names an Account Server that the "
                   "Handler does not know");
    } else {
        reply_hint_tls(reply, "--ttnv2.ca-cert", "--ttnv2.handler-address http://HOST:PORT", error);
    }
    return JOB_FAILED;
}

void ttnv2_get_device_call(struct ttnv2 *self, struct job *job, const char *id) {
    Ttnv2__DeviceIdentifier request = TTNV2__DEVICE_IDENTIFIER__INIT;
    request.app_id = self->application;
    request.dev_id = arena_strdup(job->arena, id);
    ttnv2_handler_call(self, job, "/handler.ApplicationManager/GetDevice", &request.base);
}

// Reads a reply to GetDevice: a device, and the one that was asked for.
int ttnv2_get_device_reply(struct ttnv2 *self, struct job *job, const char *id, Ttnv2__Device **ret_device,
                           struct error *error) {
    const struct buffer *body = &job->replies[0].body;
    int result = ttnv2_device_read(body->data, body->size, job->arena, ret_device, error);
    if (result == 0 &&
        (strcmp((*ret_device)->dev_id, id) != 0 || strcmp((*ret_device)->app_id, self->application) != 0)) {
        result = error_set(error, ERROR_PROTOCOL, "it sent device %s of application %s",
                           (*ret_device)->dev_id, (*ret_device)->app_id);
    }
    if (result != 0) return error_wrap(error, ERROR_NONE, "%s: asked for device %s", self->handler.name, id);
    return 0;
}

// ---- listing

static uint64_t cursor_offset(const char *cursor) {
    return cursor == NULL ? 0 : strtoull(cursor, NULL, 10);
}

static void list_call(struct ttnv2 *self, struct job *job, uint64_t offset) {
    Ttnv2__ApplicationIdentifier request = TTNV2__APPLICATION_IDENTIFIER__INIT;
    request.app_id = self->application;
    struct call *call =
        ttnv2_handler_call(self, job, "/handler.ApplicationManager/GetDevicesForApplication", &request.base);
    call_add_header(call, "limit", arena_printf(job->arena, "%d", PAGE_SIZE));
    call_add_header(call, "offset", arena_printf(job->arena, "%" PRIu64, offset));
}

static int list_entry(struct ttnv2 *self, struct source_page *page, const ProtobufCBinaryData *entry,
                      struct error *error) {
    ARENA_AUTO arena = {0};
    Ttnv2__Device *device = NULL;
    int result = ttnv2_device_read(entry->data, entry->len, &arena, &device, error);
    if (result != 0)
        return error_wrap(error, ERROR_NONE, "%s: an entry of the list of devices", self->handler.name);
    struct source_record *record = source_page_add(page);
    record->id = memory_strdup(device->dev_id);
    memcpy(record->dev_eui, device->lorawan_device->dev_eui.data, sizeof record->dev_eui);
    record->has_dev_eui = true;
    source_record_set_data(record, entry->data, entry->len);
    return 0;
}

static int read_list(struct ttnv2 *self, struct job *job, struct source_page *page, struct error *error) {
    const struct reply *reply = &job->replies[0];
    const Ttnv2__RawDeviceList *list = message_unpack(&ttnv2__raw_device_list__descriptor, reply->body.data,
                                                      reply->body.size, job->arena, error);
    if (list == NULL) return error_wrap(error, ERROR_NONE, "%s: the list of devices", self->handler.name);
    for (size_t i = 0; i < list->n_devices; i++) {
        int result = list_entry(self, page, &list->devices[i], error);
        if (result != 0) return result;
    }
    uint64_t end = cursor_offset(page->cursor) + list->n_devices;
    const char *total = reply_header(reply, "total");
    page->total = total == NULL ? 0 : strtoull(total, NULL, 10);
    if (list->n_devices == 0 && end < page->total) {
        return error_set(error, ERROR_PROTOCOL,
                         "%s: the list of devices ends after %" PRIu64 " of %" PRIu64 " devices",
                         self->handler.name, end, page->total);
    }
    bool more = list->n_devices > 0 && (total == NULL ? list->n_devices >= PAGE_SIZE : end < page->total);
    free(page->cursor);
    page->cursor = more ? memory_printf("%" PRIu64, end) : NULL;
    return 0;
}

static enum job_step ttnv2_list(struct source *source, struct job *job, struct source_page *page,
                                struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    if (job->stage == 0) {
        if (ttnv2_token_due(self)) return JOB_LOGIN;
        list_call(self, job, cursor_offset(page->cursor));
        job->stage = 1;
        return JOB_CALLS;
    }
    if (!reply_ok(&job->replies[0], CALL_GRPC))
        return ttnv2_handler_failed(self, &job->calls[0], &job->replies[0], error);
    return read_list(self, job, page, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- reading

// A list's entry lacks the counters alone: it is enough where no session goes with the device, in a dry run, and
// wherever counters do not matter.
// A run that clears the device needs the present state, since it sends everything back.
static bool entry_is_enough(const struct ttnv2 *self, const struct source_record *record) {
    if (record->data == NULL) return false;
    if (self->base.checks) return true;
    if (!self->dry_run) return false;
    ARENA_AUTO arena = {0};
    Ttnv2__Device *device = NULL;
    if (ttnv2_device_read(record->data, record->size, &arena, &device, NULL) != 0) return false;
    return !ttnv2_parts(device->lorawan_device, self->rules.with_session).takes_session;
}

static enum job_step ttnv2_read(struct source *source, struct job *job, struct source_record *record,
                                struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    if (job->stage == 0) {
        if (record->complete || entry_is_enough(self, record)) return JOB_DONE;
        if (ttnv2_token_due(self)) return JOB_LOGIN;
        ttnv2_get_device_call(self, job, record->id);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_GRPC)) {
        enum job_step step = ttnv2_handler_failed(self, &job->calls[0], reply, error);
        if (step == JOB_FAILED && reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND) {
            error_wrap(error, ERROR_NONE, "application %s has no such device", self->application);
        }
        return step;
    }
    Ttnv2__Device *device = NULL;
    if (ttnv2_get_device_reply(self, job, record->id, &device, error) != 0) return JOB_FAILED;
    memcpy(record->dev_eui, device->lorawan_device->dev_eui.data, sizeof record->dev_eui);
    record->has_dev_eui = true;
    record->complete = true;
    source_record_set_data(record, reply->body.data, reply->body.size);
    return JOB_DONE;
}

static int ttnv2_convert(struct source *source, const struct source_record *record, struct device *device,
                         struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    return ttnv2_device_convert(&self->rules, self->application, record, device, error);
}

// The limiters' refusals: the Handler's own have status 8; those of the Broker and the Network Server arrive
// as 13 with the status in the text. Either way nothing was done.
static void ttnv2_judge(struct source *source, const struct call *call, const struct reply *reply,
                        struct dispatch_verdict *verdict) {
    (void)source;
    if (call->kind != CALL_GRPC || reply->outcome != REPLY_ANSWERED || reply->message == NULL) return;
    bool limited =
        reply->grpc_status == GRPC_RESOURCE_EXHAUSTED && strstr(reply->message, "Rate limit") != NULL;
    bool inner = reply->grpc_status == GRPC_INTERNAL && strstr(reply->message, "[ResourceExhausted]") != NULL;
    if (!limited && !inner) return;
    verdict->retry = true;
    verdict->rate = handler_rate;
}

const struct source_driver source_ttnv2 = {
    .name = "ttnv2",
    .title = "The Things Network Stack V2",
    .features = SOURCE_LISTS | SOURCE_CHANGES | SOURCE_CHEAP_LIST,
    .about =
        "V2 gives each device up as soon as its record is safe, also where a file is written: "
        "its keys are cleared there (with --with-session=false only the one that it joins "
        "with). --dry-run changes nothing; `rollback` puts it back.",
    .examples =
        "application my-ttn-app --dry-run > all.json\n"
        "application my-ttn-app --output all.json\n"
        "application my-ttn-app --to tts\n"
        "device mydevice --output devices.json\n"
        "device < device_ids.txt > devices.json\n"
        "gateway --to tts",
    .options = options,
    .open = ttnv2_open,
    .close = ttnv2_close,
    .default_application = ttnv2_default_application,
    .prepare = ttnv2_prepare,
    .list = ttnv2_list,
    .formatters = ttnv2_formatters,
    .read = ttnv2_read,
    .convert = ttnv2_convert,
    .release = ttnv2_release,
    .restore = ttnv2_restore,
    .confirm = ttnv2_confirm,
    .prepare_gateways = ttnv2_prepare_gateways,
    .list_gateways = ttnv2_list_gateways,
    .read_gateway = ttnv2_read_gateway,
    .convert_gateway = ttnv2_convert_gateway,
    .judge = ttnv2_judge,
};
