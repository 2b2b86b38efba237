// SPDX-License-Identifier: Apache-2.0
// Source firefly: Digimondo's Firefly over its REST interface. The API key stands in the query of every request, so the
// query is shown nowhere. Firefly does not let go of a device: with --firefly.invalidate-keys its keys there are changed.
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/cell.h"
#include "source/firefly_p.h"
#include "source/sources.h"

static const struct option_spec options[] = {
    {.name = "host",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .env = "FIREFLY_HOST",
     .argument = "HOST[:PORT]",
     .help = "server of Firefly"},
    {.name = "api-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "FIREFLY_API_KEY",
     .argument = "KEY",
     .help =
         "API key of an organization in Firefly; it has to be able to write for --firefly.invalidate-keys"},
    {.name = "all",
     .type = OPTION_BOOL,
     .env = "EXPORT_ALL",
     .default_value = "false",
     .help = "all devices that the API key sees: Firefly's interface knows no applications"},
    FILE_DEVICE_OPTIONS("; without it the plan of each one's region, if there is only one",
                        ", of which Firefly tells none"),
    {.name = "join-eui",
     .type = OPTION_STRING,
     .flags = OPTION_CONVERTS,
     .env = "JOIN_EUI",
     .argument = "EUI",
     .help = "JoinEUI of devices that join, which Firefly does not tell"},
    {.name = "invalidate-keys",
     .type = OPTION_BOOL,
     .env = "INVALIDATE_KEYS",
     .default_value = "false",
     .help = "change the keys in Firefly once a device's record is safe, so that Firefly answers it no more; "
             "without it the device stays as it is there, also where a server is the target"},
    {.name = "ca-cert-path",
     .type = OPTION_STRING,
     .env = "FIREFLY_CA_CERT_PATH",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "use-http",
     .type = OPTION_BOOL,
     .env = "FIREFLY_USE_HTTP",
     .default_value = "false",
     .help = "speak to the server without TLS"},
    {.name = NULL},
};

// ---- opening

// Text as a value in a query: everything but unreserved characters as %XX.
static char *query_encode(const char *text) {
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    BUFFER_AUTO encoded;
    buffer_init(&encoded, BUFFER_UNLIMITED);
    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL) {
            buffer_putc(&encoded, *text);
        } else {
            buffer_printf(&encoded, "%%%02X", (unsigned char)*text);
        }
    }
    return buffer_take_string(&encoded);
}

static int open_server(struct firefly *self, struct error *error) {
    int result = rest_open(&self->rest,
                           &(struct rest_setup){
                               .title = "Firefly",
                               .url = option_string(self->options, "host"),
                               .url_option = "--firefly.host",
                               .ca_path = option_string(self->options, "ca-cert-path"),
                               .ca_option = "--firefly.ca-cert-path",
                               .plain = option_bool(self->options, "use-http"),
                           },
                           error);
    if (result == 0 && self->rest.server.plain)
        self->base.warning = "Firefly is asked without TLS: everybody on the way can read the keys";
    return result;
}

static int open_join_eui(struct firefly *self, struct error *error) {
    const char *text = option_string(self->options, "join-eui");
    if (text == NULL || *text == '\0') return 0;
    const char *reason = cell_bytes(text, self->join_eui, sizeof self->join_eui);
    if (reason != NULL) return error_set(error, ERROR_USAGE, "--firefly.join-eui: %s", reason);
    self->has_join_eui = true;
    return 0;
}

static void firefly_close(struct source *source) {
    if (source == NULL) return;
    struct firefly *self = firefly_of(source);
    file_rules_release(&self->rules);
    rest_release(&self->rest);
    memory_free_secret(self->auth);
    free(self);
}

static int firefly_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct firefly *self = memory_new(struct firefly);
    self->base.driver = &source_firefly;
    self->options = setup->options;
    self->dry_run = setup->dry_run;
    self->all = option_bool(setup->options, "all");
    self->invalidates = option_bool(setup->options, "invalidate-keys");
    self->base.keeps = !self->invalidates;
    self->auth = query_encode(option_string(setup->options, "api-key"));
    int result = file_rules_open(&self->rules, setup, error);
    if (result == 0) result = open_server(self, error);
    if (result == 0) result = open_join_eui(self, error);
    if (result != 0) {
        firefly_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *firefly_default_application(const struct source *source) {
    return file_rules_default_application(&((const struct firefly *)source)->rules);
}

static enum job_step firefly_prepare(struct source *source, struct job *job, const char *application,
                                     struct error *error) {
    (void)job;
    return file_rules_prepare(&firefly_of(source)->rules, application, error);
}

// ---- calls

struct call *firefly_call(const struct firefly *self, struct job *job, const char *method, const char *path,
                          const char *body) {
    struct call *call = job_call(job);
    call->kind = CALL_HTTP;
    call->server = &self->rest.server;
    call->method = method;
    call->path = arena_printf(job->arena, "%s/api/v1/%s%cauth=%s", self->rest.address.prefix, path,
                              strchr(path, '?') == NULL ? '?' : '&', self->auth);
    call->body = body;
    call->body_size = body == NULL ? 0 : strlen(body);
    call_add_header(call, "accept", "application/json");
    if (body != NULL) call_add_header(call, "content-type", "application/json");
    return call;
}

static const char *device_path(const struct job *job, const uint8_t *eui, const char *rest) {
    char text[HEX_TEXT_SIZE(EUI64_BYTES)];
    hex_encode_upper(text, eui, EUI64_BYTES);
    return arena_printf(job->arena, "devices/eui/%s%s", text, rest);
}

void firefly_get_call(const struct firefly *self, struct job *job, const uint8_t eui[static EUI64_BYTES]) {
    firefly_call(self, job, "GET", device_path(job, eui, ""), NULL);
}

int firefly_failed(const struct call *call, const struct reply *reply, struct error *error) {
    int result = reply_error(reply, call, error);
    bool answered = reply->outcome == REPLY_ANSWERED;
    if (answered && (reply->http_status == HTTP_UNAUTHORIZED || reply->http_status == HTTP_FORBIDDEN)) {
        error_hint(error, "check --firefly.api-key");
    } else if (answered && reply->http_status == HTTP_NOT_FOUND) {
        error_hint(error,
                   "check the DevEUI, --firefly.host, and that the API key is of the device's organization");
    } else {
        reply_hint_tls(reply, "--firefly.ca-cert-path", "--firefly.use-http", error);
    }
    return result;
}

static bool device_eui(const json_t *device, uint8_t ret_eui[static EUI64_BYTES]) {
    const char *text = json_string_value(json_object_get(device, "eui"));
    return text != NULL && *text != '\0' && cell_bytes(text, ret_eui, EUI64_BYTES) == NULL;
}

int firefly_get_reply(const struct firefly *self, const struct job *job, size_t index,
                      const uint8_t eui[static EUI64_BYTES], json_t **ret_device, struct error *error) {
    const struct reply *reply = &job->replies[index];
    if (!reply_ok(reply, CALL_HTTP)) return firefly_failed(&job->calls[index], reply, error);
    REST_JSON_AUTO *answer = rest_object(&self->rest, reply, error);
    if (answer == NULL) return -ERROR_PROTOCOL;
    json_t *device = json_object_get(answer, "device");
    uint8_t given[EUI64_BYTES];
    if (!device_eui(device, given) || memcmp(given, eui, sizeof given) != 0) {
        return error_set(
            error, ERROR_PROTOCOL, "%s: it sent %s that was asked for", self->rest.name,
            json_is_object(device) ? "another device than the one" : "no device, but that is what is");
    }
    *ret_device = json_incref(device);
    return 0;
}

// ---- listing

static int list_entry(const struct firefly *self, struct source_page *page, json_t *device,
                      struct error *error) {
    uint8_t eui[EUI64_BYTES];
    if (!device_eui(device, eui))
        return error_set(error, ERROR_PROTOCOL, "%s: a device of its list has no EUI", self->rest.name);
    struct source_record *record = source_page_add(page);
    record->id = memory_alloc(1, HEX_TEXT_SIZE(EUI64_BYTES));
    hex_encode_lower(record->id, eui, sizeof eui);
    memcpy(record->dev_eui, eui, sizeof eui);
    record->has_dev_eui = true;
    firefly_record_write(record, device, NULL);
    return 0;
}

static enum job_step firefly_list(struct source *source, struct job *job, struct source_page *page,
                                  struct error *error) {
    struct firefly *self = firefly_of(source);
    if (job->stage == 0) {
        if (self->invalidates && !self->all) {
            error_set(
                error, ERROR_USAGE,
                "Firefly's interface knows no applications: this would change the keys of all devices that "
                "the API key sees");
            error_hint(error,
                       "if that is what you want, add --firefly.all; else name the devices: "
                       "ttn-lw-migrate firefly device DEVEUI...");
            return JOB_FAILED;
        }
        firefly_call(self, job, "GET", "devices", NULL);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_HTTP)) {
        firefly_failed(&job->calls[0], reply, error);
        return JOB_FAILED;
    }
    REST_JSON_AUTO *answer = rest_object(&self->rest, reply, error);
    if (answer == NULL) return JOB_FAILED;
    json_t *list = json_object_get(answer, "devices");
    if (!json_is_array(list)) {
        error_set(error, ERROR_PROTOCOL, "%s: its answer holds no list of devices", self->rest.name);
        return JOB_FAILED;
    }
    int result = 0;
    page->total = json_array_size(list);
    for (size_t i = 0; i < page->total && result == 0; i++) {
        result = list_entry(self, page, json_array_get(list, i), error);
    }
    free(page->cursor);
    page->cursor = NULL;
    return result == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- reading

int firefly_record_eui(const struct source_record *record, uint8_t ret_eui[static EUI64_BYTES],
                       struct error *error) {
    if (record->has_dev_eui) {
        memcpy(ret_eui, record->dev_eui, EUI64_BYTES);
        return 0;
    }
    const char *reason = record->id[0] == '\0' ? "is empty" : cell_bytes(record->id, ret_eui, EUI64_BYTES);
    if (reason == NULL) return 0;
    error_set(error, ERROR_DEVICE, "devices of Firefly are named by their DevEUI: %s", reason);
    return -ERROR_DEVICE;
}

// The list has all but the counter of the last uplink, which only a session needs.
static bool entry_is_enough(const struct firefly *self, const struct source_record *record) {
    if (record->data == NULL) return false;
    if (self->base.checks) return true;
    if (!self->dry_run) return false;
    json_t *device = NULL, *fcnt = NULL;
    if (firefly_record_read(record, &device, &fcnt, NULL) != 0) return false;
    bool enough = !firefly_has_session(device);
    json_decref(device);
    json_decref(fcnt);
    return enough;
}

// The last packet's counter; a new reference. No packet is no fault: null.
static json_t *read_fcnt(const struct firefly *self, const struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[1];
    bool none = reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_NOT_FOUND;
    if (none) return json_null();
    if (!reply_ok(reply, CALL_HTTP)) {
        firefly_failed(&job->calls[1], reply, error);
        return NULL;
    }
    REST_JSON_AUTO *answer = rest_object(&self->rest, reply, error);
    if (answer == NULL) return NULL;
    const json_t *packets = json_object_get(answer, "packets");
    uint32_t most = 0, number = 0;
    bool known = false;
    if (!json_is_array(packets)) {
        error_set(error, ERROR_PROTOCOL, "%s: its answer holds no list of packets", self->rest.name);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(packets); i++) {
        if (!rest_number(json_array_get(packets, i), "fcnt", &number)) continue;
        if (number > most) most = number;
        known = true;
    }
    return known ? json_integer(most) : json_null();
}

static enum job_step firefly_read(struct source *source, struct job *job, struct source_record *record,
                                  struct error *error) {
    struct firefly *self = firefly_of(source);
    uint8_t eui[EUI64_BYTES];
    if (firefly_record_eui(record, eui, error) != 0) return JOB_FAILED;
    if (job->stage == 0) {
        if (record->complete || entry_is_enough(self, record)) return JOB_DONE;
        firefly_get_call(self, job, eui);
        firefly_call(self, job, "GET", device_path(job, eui, "/packets?limit_to_last=1"), NULL);
        job->stage = 1;
        return JOB_CALLS;
    }
    REST_JSON_AUTO *device = NULL;
    if (firefly_get_reply(self, job, 0, eui, &device, error) != 0) return JOB_FAILED;
    REST_JSON_AUTO *fcnt = read_fcnt(self, job, error);
    if (fcnt == NULL) return JOB_FAILED;
    memcpy(record->dev_eui, eui, sizeof eui);
    record->has_dev_eui = true;
    record->complete = true;
    firefly_record_write(record, device, fcnt);
    return JOB_DONE;
}

const struct source_driver source_firefly = {
    .name = "firefly",
    .title = "Digimondo Firefly",
    .features = SOURCE_LISTS | SOURCE_CHANGES | SOURCE_CHEAP_LIST,
    .about =
        "Firefly keeps the devices and goes on answering them, wherever they go, unless "
        "--invalidate-keys says that their keys are changed there as soon as their records are "
        "safe; `rollback` puts them back.",
    .examples =
        "application --all --dry-run > devices.json\n"
        "application --all --output devices.json\n"
        "application --all --invalidate-keys --to tts\n"
        "device 0018B20000000001 --output device.json\n"
        "device < dev_euis.txt > devices.json",
    .options = options,
    .open = firefly_open,
    .close = firefly_close,
    .default_application = firefly_default_application,
    .prepare = firefly_prepare,
    .list = firefly_list,
    .read = firefly_read,
    .convert = firefly_convert,
    .release = firefly_release,
    .restore = firefly_restore,
    .prove = firefly_prove,
    .confirm = firefly_confirm,
};
