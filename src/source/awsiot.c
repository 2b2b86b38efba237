// SPDX-License-Identifier: Apache-2.0
// Source awsiot: AWS IoT Core for LoRaWAN over the REST interface of AWS IoT Wireless. There are no applications: a device's
// destination or its device profile stands for one. AWS has no way to hold a device back: it is left alone, or deleted and
// made again.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/cell.h"
#include "source/awsiot_p.h"
#include "source/sources.h"

static const struct option_spec options[] = {
    {.name = "region",
     .type = OPTION_STRING,
     .env = "AWS_REGION AWS_DEFAULT_REGION",
     .argument = "REGION",
     .help = "region of AWS, such as eu-west-1 (default: that of the profile)"},
    {.name = "profile",
     .type = OPTION_STRING,
     .env = "AWS_PROFILE AWS_DEFAULT_PROFILE",
     .argument = "NAME",
     .help = "profile of Amazon's files that has the credentials (default: default)"},
    {.name = "access-key-id",
     .type = OPTION_STRING,
     .flags = OPTION_SECRET,
     .env = "AWS_ACCESS_KEY_ID",
     .argument = "ID",
     .help = "ID of the access key; it goes before the profile's"},
    {.name = "secret-access-key",
     .type = OPTION_STRING,
     .flags = OPTION_SECRET,
     .env = "AWS_SECRET_ACCESS_KEY",
     .argument = "KEY",
     .help = "secret of that access key"},
    {.name = "session-token",
     .type = OPTION_STRING,
     .flags = OPTION_SECRET | OPTION_BELONGS,
     .env = "AWS_SESSION_TOKEN",
     .argument = "TOKEN",
     .help = "token that belongs to that access key if it is a temporary one"},
    {.name = "credentials-file",
     .type = OPTION_STRING,
     .env = "AWS_SHARED_CREDENTIALS_FILE",
     .argument = "FILE",
     .help = "Amazon's file of credentials (default: ~/.aws/credentials)"},
    {.name = "config-file",
     .type = OPTION_STRING,
     .env = "AWS_CONFIG_FILE",
     .argument = "FILE",
     .help = "Amazon's file of settings (default: ~/.aws/config)"},
    {.name = "endpoint",
     .type = OPTION_STRING,
     .env = "AWS_ENDPOINT_URL_IOT_WIRELESS AWS_ENDPOINT_URL",
     .argument = "URL",
     .help = "another server than that of the region"},
    {.name = "ca-cert-path",
     .type = OPTION_STRING,
     .env = "AWS_CA_BUNDLE",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "home",
     .type = OPTION_STRING,
     .flags = OPTION_HIDDEN,
     .env = "HOME",
     .argument = "DIRECTORY",
     .help = "directory that has .aws"},
    {.name = "destination",
     .type = OPTION_STRING,
     .env = "AWSIOT_DESTINATION",
     .argument = "NAME",
     .help = "application without ID: the devices of this destination"},
    {.name = "device-profile",
     .type = OPTION_STRING,
     .env = "AWSIOT_DEVICE_PROFILE",
     .argument = "ID",
     .help = "only devices of this device profile"},
    {.name = "all",
     .type = OPTION_BOOL,
     .env = "EXPORT_ALL",
     .default_value = "false",
     .help = "application without ID: all LoRaWAN devices of the region"},
    FILE_DEVICE_OPTIONS("; without it the plan of each one's region, if there is only one",
                        " whose device profile in AWS tells none"),
    {.name = "release",
     .type = OPTION_CHOICE,
     .env = "AWSIOT_RELEASE",
     .choices = "delete none",
     .argument = "HOW",
     .help =
         "what becomes of a migrated device in AWS: delete (default with a server as target), or none: it "
         "stays (default where a file is written)"},
    {.name = NULL},
};

// ---- opening

// The host as HTTP names it: without the port that goes without saying.
static char *host_header(const struct server *server) {
    const char *colon = strrchr(server->address, ':');
    bool usual = colon != NULL && strcmp(colon, server->plain ? ":80" : ":443") == 0;
    return usual ? memory_strndup(server->address, (size_t)(colon - server->address))
                 : memory_strdup(server->address);
}

static int open_server(struct awsiot *self, struct error *error) {
    const char *region = self->credentials.region, *endpoint = option_string(self->options, "endpoint");
    bool china = strncmp(region, "cn-", 3) == 0;
    bool given = endpoint != NULL && *endpoint != '\0';
    char *url MEMORY_AUTO =
        given ? memory_strdup(endpoint)
              : memory_printf("https://api.iotwireless.%s.amazonaws.com%s", region, china ? ".cn" : "");
    int result = rest_open(&self->rest,
                           &(struct rest_setup){
                               .title = "AWS IoT",
                               .url = url,
                               .url_option = "--awsiot.endpoint",
                               .ca_path = option_string(self->options, "ca-cert-path"),
                               .ca_option = "--awsiot.ca-cert-path",
                           },
                           error);
    if (result != 0) return result;
    self->host = host_header(&self->rest.server);
    if (self->rest.server.plain)
        self->base.warning = "AWS is asked without TLS: everybody on the way can read the keys";
    return 0;
}

static void open_release(struct awsiot *self, bool to_server) {
    const char *how = option_string(self->options, "release");
    self->deletes = how == NULL ? to_server : strcmp(how, "delete") == 0;
    self->base.keeps = !self->deletes;
    self->base.frees = self->deletes;
}

static void awsiot_close(struct source *source) {
    if (source == NULL) return;
    struct awsiot *self = awsiot_of(source);
    file_rules_release(&self->rules);
    awsiot_credentials_release(&self->credentials);
    rest_release(&self->rest);
    json_decref(self->profiles);
    free(self->host);
    free(self->destination);
    free(self->device_profile);
    free(self);
}

static int awsiot_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct awsiot *self = memory_new(struct awsiot);
    self->base.driver = &source_awsiot;
    self->options = setup->options;
    self->profiles = json_object();
    open_release(self, setup->to_server);
    int result = file_rules_open(&self->rules, setup, error);
    if (result == 0) result = awsiot_credentials_open(&self->credentials, setup->options, error);
    if (result == 0) result = open_server(self, error);
    if (result != 0) {
        awsiot_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

// ---- applications

static const char *awsiot_default_application(const struct source *source) {
    const struct awsiot *self = (const struct awsiot *)source;
    const char *destination = option_string(self->options, "destination");
    if (destination != NULL && *destination != '\0') return destination;
    const char *profile = option_string(self->options, "device-profile");
    if (profile != NULL && *profile != '\0') return profile;
    return option_bool(self->options, "all") ? AWSIOT_ALL : AWSIOT_NONE;
}

// 8-4-4-4-12 hex digits.
static bool is_uuid(const char *text) {
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof form - 1) return false;
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool fits = form[i] == '-' ? text[i] == '-' : strchr("0123456789abcdefABCDEF", text[i]) != NULL;
        if (!fits) return false;
    }
    return true;
}

// Also made again for a new signature: it needs no call.
static enum job_step awsiot_prepare(struct source *source, struct job *job, const char *application,
                                    struct error *error) {
    (void)job;
    (void)error;
    struct awsiot *self = awsiot_of(source);
    const char *profile = option_string(self->options, "device-profile");
    free(memory_take(self->destination));
    free(memory_take(self->device_profile));
    if (profile != NULL && *profile != '\0') self->device_profile = memory_strdup(profile);
    if (strcmp(application, AWSIOT_ALL) == 0 || strcmp(application, AWSIOT_NONE) == 0) return JOB_DONE;
    if (is_uuid(application)) {
        free(self->device_profile);
        self->device_profile = memory_strdup(application);
    } else {
        self->destination = memory_strdup(application);
    }
    return JOB_DONE;
}

// ---- listing

static void list_call(const struct awsiot *self, struct job *job, const char *token) {
    BUFFER_AUTO query;
    buffer_init(&query, BUFFER_UNLIMITED);
    buffer_printf(&query, "maxResults=%d&wirelessDeviceType=LoRaWAN", AWSIOT_PAGE_SIZE);
    if (self->destination != NULL)
        buffer_printf(&query, "&destinationName=%s", awsiot_encode(job->arena, self->destination));
    if (self->device_profile != NULL)
        buffer_printf(&query, "&deviceProfileId=%s", awsiot_encode(job->arena, self->device_profile));
    if (token != NULL) buffer_printf(&query, "&nextToken=%s", awsiot_encode(job->arena, token));
    awsiot_call(self, job, "GET", "/wireless-devices", arena_strdup(job->arena, buffer_string(&query)), NULL);
}

static int list_entry(const struct awsiot *self, struct source_page *page, const json_t *entry,
                      struct error *error) {
    struct eui64 eui;
    const char *type = rest_text(entry, "Type");
    if (type != NULL && strcmp(type, "LoRaWAN") != 0) return 0;
    if (!awsiot_device_eui(entry, &eui))
        return error_set(error, ERROR_PROTOCOL, "%s: a device of its list has no DevEUI", self->rest.name);
    struct source_record *record = source_page_add(page);
    record->id = memory_alloc(1, HEX_TEXT_SIZE(sizeof eui.bytes));
    hex_encode_lower(record->id, eui.bytes, sizeof eui.bytes);
    memcpy(record->dev_eui, eui.bytes, sizeof eui.bytes);
    record->has_dev_eui = true;
    return 0;
}

static int list_page(const struct awsiot *self, struct source_page *page, const json_t *answer,
                     struct error *error) {
    const json_t *list = json_object_get(answer, "WirelessDeviceList");
    if (!json_is_array(list))
        return error_set(error, ERROR_PROTOCOL, "%s: its answer holds no list of devices", self->rest.name);
    const char *token = rest_text(answer, "NextToken");
    if (token != NULL && page->cursor != NULL && strcmp(token, page->cursor) == 0)
        return error_set(error, ERROR_PROTOCOL, "%s: its list does not go on", self->rest.name);
    int result = 0;
    for (size_t i = 0; i < json_array_size(list) && result == 0; i++)
        result = list_entry(self, page, json_array_get(list, i), error);
    free(page->cursor);
    page->cursor = memory_strdup(token);
    return result;
}

static enum job_step awsiot_list(struct source *source, struct job *job, struct source_page *page,
                                 struct error *error) {
    struct awsiot *self = awsiot_of(source);
    if (job->stage == 0) {
        bool narrowed = self->destination != NULL || self->device_profile != NULL;
        if (!narrowed && !option_bool(self->options, "all")) {
            error_set(error, ERROR_USAGE, "it is not said which devices: AWS knows no applications");
            error_hint(error,
                       "name a destination or the ID of a device profile in place of an application, or "
                       "take all with --awsiot.all");
            return JOB_FAILED;
        }
        list_call(self, job, page->cursor);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_HTTP)) return awsiot_failed(self, &job->calls[0], reply, error);
    REST_JSON_AUTO *answer = rest_object(&self->rest, reply, error);
    if (answer == NULL) return JOB_FAILED;
    return list_page(self, page, answer, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- reading

enum read_stage { READ_BEGIN, READ_DEVICE, READ_REST };

struct read_state {
    const char *device;   // JSON; in the arena
    const char *profile;  // its ID
    bool asks_profile;    // first reply
    bool asks_tags;       // the one behind it
};

static int read_begin(const struct awsiot *self, struct job *job, const struct source_record *record,
                      struct error *error) {
    struct eui64 eui;
    char text[EUI64_TEXT_SIZE];
    job->state = arena_new(job->arena, struct read_state);
    job->stage = READ_DEVICE;
    if (!record->has_dev_eui && is_uuid(record->id)) {
        awsiot_get_call(self, job, record->id, false);
        return 0;
    }
    const char *id = strncasecmp(record->id, "eui-", 4) == 0 ? record->id + 4 : record->id;
    const char *reason = *id == '\0' ? "is empty" : cell_bytes(id, eui.bytes, sizeof eui.bytes);
    if (record->has_dev_eui) {
        memcpy(eui.bytes, record->dev_eui, sizeof eui.bytes);
    } else if (reason != NULL) {
        return error_set(error, ERROR_DEVICE,
                         "devices of AWS are named by their DevEUI or by the ID that AWS gave them: %s",
                         reason);
    }
    awsiot_get_call(self, job, eui64_format(&eui, text), true);
    return 0;
}

static enum job_step read_finish(struct awsiot *self, const struct job *job, struct source_record *record,
                                 json_t *tags) {
    const struct read_state *state = job->state;
    REST_JSON_AUTO *device = json_loads(state->device, 0, NULL);
    struct eui64 eui;
    if (awsiot_device_eui(device, &eui)) memcpy(record->dev_eui, eui.bytes, sizeof eui.bytes);
    record->has_dev_eui = true;
    record->complete = true;
    awsiot_record_write(record, device, json_object_get(self->profiles, state->profile), tags);
    return JOB_DONE;
}

// It is the one that was asked for, and one of LoRaWAN with a profile.
static int check_device(const struct awsiot *self, const struct source_record *record, const json_t *device,
                        struct error *error) {
    struct eui64 eui;
    const char *type = rest_text(device, "Type");
    if (type != NULL && strcmp(type, "LoRaWAN") != 0)
        return error_set(error, ERROR_DEVICE, "is no LoRaWAN device, but one of Amazon Sidewalk");
    if (!awsiot_device_eui(device, &eui) || rest_text(device, "Id") == NULL)
        return error_set(error, ERROR_PROTOCOL, "%s: it sent no device, but that is what was asked for",
                         self->rest.name);
    struct eui64 asked = eui;
    const char *id = strncasecmp(record->id, "eui-", 4) == 0 ? record->id + 4 : record->id;
    bool same = true;
    if (record->has_dev_eui) {
        memcpy(asked.bytes, record->dev_eui, sizeof asked.bytes);
    } else if (is_uuid(id)) {
        same = strcasecmp(id, rest_text(device, "Id")) == 0;
    } else {
        same = cell_bytes(id, asked.bytes, sizeof asked.bytes) == NULL;
    }
    if (same && eui64_equal(&eui, &asked)) return 0;
    return error_set(error, ERROR_PROTOCOL, "%s: it sent another device than the one that was asked for",
                     self->rest.name);
}

static enum job_step read_device(struct awsiot *self, struct job *job, struct source_record *record,
                                 struct error *error) {
    struct read_state *state = job->state;
    REST_JSON_AUTO *device = NULL;
    enum job_step step = awsiot_get_reply(self, job, 0, &device, error);
    if (step != JOB_DONE) return step;
    if (check_device(self, record, device, error) != 0) return JOB_FAILED;
    const char *profile = rest_text(json_object_get(device, "LoRaWAN"), "DeviceProfileId");
    const char *arn = rest_text(device, "Arn");
    if (profile == NULL) {
        error_set(error, ERROR_DEVICE,
                  "has no device profile in AWS, which would tell its region and versions");
        return JOB_FAILED;
    }
    state->device = rest_dump(job->arena, device);
    state->profile = arena_strdup(job->arena, profile);
    state->asks_profile = json_object_get(self->profiles, profile) == NULL;
    state->asks_tags = self->deletes && arn != NULL;
    if (state->asks_profile)
        awsiot_call(self, job, "GET",
                    arena_printf(job->arena, "/device-profiles/%s", awsiot_encode(job->arena, profile)), NULL,
                    NULL);
    if (state->asks_tags)
        awsiot_call(self, job, "GET", "/tags",
                    arena_printf(job->arena, "resourceArn=%s", awsiot_encode(job->arena, arn)), NULL);
    if (!state->asks_profile && !state->asks_tags) return read_finish(self, job, record, NULL);
    job->stage = READ_REST;
    return JOB_CALLS;
}

// Tags are no reason to leave a device behind: without the right to read them they are not put back, and that is told.
static enum job_step read_tags(struct awsiot *self, const struct job *job, size_t index, json_t **ret_tags,
                               struct error *error) {
    const struct reply *reply = &job->replies[index];
    bool denied = reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_FORBIDDEN;
    if (!reply_ok(reply, CALL_HTTP) && (!denied || awsiot_clock_refused(self, reply)))
        return awsiot_failed(self, &job->calls[index], reply, error);
    if (denied) return JOB_DONE;
    REST_JSON_AUTO *answer = rest_object(&self->rest, reply, error);
    if (answer == NULL) return JOB_FAILED;
    json_t *tags = json_object_get(answer, "Tags");
    *ret_tags = json_is_array(tags) ? json_incref(tags) : json_array();
    return JOB_DONE;
}

static enum job_step read_rest(struct awsiot *self, const struct job *job, struct source_record *record,
                               struct error *error) {
    const struct read_state *state = job->state;
    REST_JSON_AUTO *tags = NULL;
    if (state->asks_profile) {
        const struct reply *reply = &job->replies[0];
        if (!reply_ok(reply, CALL_HTTP)) return awsiot_failed(self, &job->calls[0], reply, error);
        REST_JSON_AUTO *profile = rest_object(&self->rest, reply, error);
        if (profile == NULL) return JOB_FAILED;
        json_object_set(self->profiles, state->profile, profile);
    }
    if (state->asks_tags) {
        enum job_step step = read_tags(self, job, state->asks_profile ? 1 : 0, &tags, error);
        if (step != JOB_DONE) return step;
    }
    return read_finish(self, job, record, tags);
}

static enum job_step awsiot_read(struct source *source, struct job *job, struct source_record *record,
                                 struct error *error) {
    struct awsiot *self = awsiot_of(source);
    if (job->stage == READ_DEVICE) return read_device(self, job, record, error);
    if (job->stage == READ_REST) return read_rest(self, job, record, error);
    if (record->complete) return JOB_DONE;
    return read_begin(self, job, record, error) == 0 ? JOB_CALLS : JOB_FAILED;
}

const struct source_driver source_awsiot = {
    .name = "awsiot",
    .aliases = "aws-iot",
    .title = "AWS IoT Core for LoRaWAN",
    .features = SOURCE_LISTS | SOURCE_CHANGES,
    .about =
        "Where a file is written, AWS keeps the devices and goes on answering them, until you "
        "delete them there, or say --release delete. Where they go to a server, each is "
        "deleted in AWS as soon as its record is safe; `rollback` makes it again.",
    .examples =
        "application Meters --dry-run > devices.json\n"
        "application --all --output all.json\n"
        "application Meters --to tts\n"
        "device 0025CA0A00000001 --output device.json\n"
        "device < dev_euis.txt > devices.json",
    .options = options,
    .open = awsiot_open,
    .close = awsiot_close,
    .default_application = awsiot_default_application,
    .prepare = awsiot_prepare,
    .list = awsiot_list,
    .read = awsiot_read,
    .convert = awsiot_convert,
    .release = awsiot_release,
    .restore = awsiot_restore,
    .confirm = awsiot_confirm,
    .judge = awsiot_judge,
};
