// SPDX-License-Identifier: Apache-2.0
// Source tts: The Things Stack. A device is spread over four servers: the Identity Server lists and describes devices,
// the Network Server has sessions and MAC state, the Application Server AppSKeys and formatters, the Join Server root
// keys. It is read from all of them at once; what each gave is the device's record (proto/tts_record.proto).
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/sources.h"
#include "source/tts_p.h"

enum { PAGE_SIZE = 1000 };  // the most that the Identity Server gives

static const struct option_spec options[] = {
    {.name = "app-id",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_OF_DEVICES,
     .env = "TTS_APP_ID",
     .argument = "ID",
     .help = "application in The Things Stack"},
    {.name = "app-api-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "TTS_APP_API_KEY",
     .argument = "KEY",
     .help = "API key of the application, with the rights to read and write devices and their keys; for "
             "gateways, that of their owner"},
    {.name = "default-grpc-address",
     .type = OPTION_STRING,
     .env = "TTS_DEFAULT_GRPC_ADDRESS",
     .argument = "HOST:PORT",
     .help = "all four servers (eu1.cloud.thethings.network:8884)"},
    {.name = "identity-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TTS_IDENTITY_SERVER_GRPC_ADDRESS",
     .argument = "HOST:PORT",
     .help = "the Identity Server, if it is elsewhere (public cloud: always eu1)"},
    {.name = "network-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TTS_NETWORK_SERVER_GRPC_ADDRESS",
     .argument = "HOST:PORT",
     .help = "the Network Server, if it is elsewhere"},
    {.name = "application-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TTS_APPLICATION_SERVER_GRPC_ADDRESS",
     .argument = "HOST:PORT",
     .help = "the Application Server, if it is elsewhere"},
    {.name = "join-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TTS_JOIN_SERVER_GRPC_ADDRESS",
     .argument = "HOST:PORT",
     .help = "the Join Server, if it is elsewhere"},
    {.name = "ca-file",
     .type = OPTION_STRING,
     .env = "TTS_CA_FILE",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "insecure",
     .type = OPTION_BOOL,
     .env = "TTS_INSECURE",
     .default_value = "false",
     .help = "speak to the servers without TLS"},
    {.name = "no-session",
     .type = OPTION_BOOL,
     .env = "TTS_NO_SESSION",
     .default_value = "false",
     .help = "leave sessions behind: devices that join have to join again"},
    {.name = "release",
     .type = OPTION_CHOICE,
     .env = "TTS_RELEASE",
     .default_value = "silence",
     .argument = "HOW",
     .choices = "silence keys delete none",
     .help =
         "what is taken away at the source: answers to the device, its keys, its whole entry, or nothing"},
    {.name = "delete-source-device",
     .type = OPTION_BOOL,
     .env = "TTS_DELETE_SOURCE_DEVICE",
     .default_value = "false",
     .help = "the same as --tts.release delete"},
    {.name = NULL},
};

// ---- opening

static enum tts_release release_of(const struct option_values *values) {
    const char *text = option_string(values, "release");
    if (strcmp(text, "keys") == 0) return TTS_KEYS;
    if (strcmp(text, "delete") == 0) return TTS_DELETE;
    return strcmp(text, "none") == 0 ? TTS_NONE : TTS_SILENCE;
}

static int open_release(struct tts_source *self, struct error *error) {
    self->release = release_of(self->options);
    if (option_bool(self->options, "delete-source-device")) {
        if (option_given(self->options, "release") && self->release != TTS_DELETE) {
            return error_set(error, ERROR_USAGE,
                             "--tts.delete-source-device and --tts.release %s contradict each "
                             "other",
                             option_string(self->options, "release"));
        }
        self->release = TTS_DELETE;
    }
    self->base.keeps = self->release == TTS_NONE;
    self->base.frees = self->release == TTS_DELETE;
    return 0;
}

static void tts_close(struct source *source) {
    if (source == NULL) return;
    struct tts_source *self = tts_source_of(source);
    tts_source_servers_release(self);
    tts_source_sightings_release(&self->sightings);
    free(self);
}

static int tts_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct tts_source *self = memory_new(struct tts_source);
    self->base.driver = &source_tts;
    self->options = setup->options;
    self->naming = setup->naming;
    self->dry_run = setup->dry_run;
    self->no_session = option_bool(setup->options, "no-session");
    self->redirect = setup->redirect;
    int result = open_release(self, error);
    if (setup->gateways) self->base.keeps = true;
    if (result == 0) result = tts_source_servers_open(self, error);
    if (result != 0) {
        tts_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *tts_default_application(const struct source *source) {
    return option_string(((const struct tts_source *)source)->options, "app-id");
}

// ---- rights

// A right that the run needs, and its name.
struct right {
    Tts__Right right;
    const char *name;
    bool to_change;  // only needed to change the source
};

static const struct right rights[] = {
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ, "RIGHT_APPLICATION_DEVICES_READ", false},
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ_KEYS, "RIGHT_APPLICATION_DEVICES_READ_KEYS", false},
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_WRITE, "RIGHT_APPLICATION_DEVICES_WRITE", true},
};

static bool has_right(const Tts__Rights *given, Tts__Right right) {
    for (size_t i = 0; i < given->n_rights; i++) {
        Tts__Right one = given->rights[i];
        if (one == right || one == TTS__RIGHT__RIGHT_APPLICATION_ALL || one == TTS__RIGHT__RIGHT_ALL)
            return true;
    }
    return false;
}

static int check_rights(struct tts_source *self, const Tts__Rights *given, struct error *error) {
    bool changes = !self->dry_run && self->release != TTS_NONE;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        if (has_right(given, rights[i].right) || (rights[i].to_change && !changes)) continue;
        error_set(error, ERROR_DENIED, "the API key lacks %s on application %s", rights[i].name,
                  self->application);
        error_hint(error, "give it that right in the Console, or make another key there%s",
                   rights[i].to_change ? "; --dry-run and --tts.release none do without" : "");
        return -ERROR_DENIED;
    }
    self->sees_queue = has_right(given, TTS__RIGHT__RIGHT_APPLICATION_TRAFFIC_READ);
    return 0;
}

static enum job_step tts_prepare(struct source *source, struct job *job, const char *application,
                                 struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        free(self->application);
        self->application = memory_strdup(application);
        Tts__ApplicationIdentifiers ids = TTS__APPLICATION_IDENTIFIERS__INIT;
        ids.application_id = self->application;
        tts_source_call(self, job, "ApplicationAccess", "ListRights", &ids.base);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_GRPC)) {
        tts_source_failed(self, STACK_IDENTITY, &job->calls[0], reply, job->arena, error);
        return JOB_FAILED;
    }
    const Tts__Rights *given =
        message_unpack(&tts__rights__descriptor, reply->body.data, reply->body.size, job->arena, error);
    if (given == NULL) {
        error_wrap(error, ERROR_NONE, "%s: the rights of the API key", self->peers[STACK_IDENTITY].name);
        return JOB_FAILED;
    }
    return check_rights(self, given, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- listing

// A cursor is the number of the page and, to notice a server that gives the same one over and over, the first ID of the
// page before: "2 my-device".
static uint64_t cursor_page(const char *cursor) {
    uint64_t page = cursor == NULL ? 1 : strtoull(cursor, NULL, 10);
    return page == 0 || page > UINT32_MAX ? 1 : page;
}

static const char *cursor_first(const char *cursor) {
    const char *blank = cursor == NULL ? NULL : strchr(cursor, ' ');
    return blank == NULL ? "" : blank + 1;
}

static void list_call(struct tts_source *self, struct job *job, uint64_t page) {
    char path[] = "ids";
    char order[] = "device_id";
    char *paths[] = {path};
    Tts__ApplicationIdentifiers ids = TTS__APPLICATION_IDENTIFIERS__INIT;
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    Tts__ListEndDevicesRequest request = TTS__LIST_END_DEVICES_REQUEST__INIT;
    ids.application_id = self->application;
    mask.n_paths = 1;
    mask.paths = paths;
    request.application_ids = &ids;
    request.field_mask = &mask;
    request.order = order;
    request.limit = PAGE_SIZE;
    request.page = (uint32_t)page;
    tts_source_registry_call(self, job, STACK_IDENTITY, "List", &request.base);
}

static int list_entry(struct tts_source *self, struct source_page *page, const Tts__EndDevice *entry,
                      struct error *error) {
    const Tts__EndDeviceIdentifiers *ids = entry->ids;
    if (ids == NULL || ids->application_ids == NULL || ids->device_id[0] == '\0' ||
        strcmp(ids->application_ids->application_id, self->application) != 0) {
        return error_set(error, ERROR_PROTOCOL, "%s: the list of devices has one of another application",
                         self->peers[STACK_IDENTITY].name);
    }
    struct source_record *record = source_page_add(page);
    record->id = memory_strdup(ids->device_id);
    record->has_dev_eui = ids->dev_eui.len == sizeof record->dev_eui;
    if (record->has_dev_eui) memcpy(record->dev_eui, ids->dev_eui.data, sizeof record->dev_eui);
    return 0;
}

static int read_list(struct tts_source *self, struct job *job, struct source_page *page,
                     struct error *error) {
    const char *name = self->peers[STACK_IDENTITY].name;
    const struct reply *reply = &job->replies[0];
    const Tts__EndDevices *list =
        message_unpack(&tts__end_devices__descriptor, reply->body.data, reply->body.size, job->arena, error);
    if (list == NULL) return error_wrap(error, ERROR_NONE, "%s: the list of devices", name);
    for (size_t i = 0; i < list->n_end_devices; i++) {
        int result = list_entry(self, page, list->end_devices[i], error);
        if (result != 0) return result;
    }
    uint64_t number = cursor_page(page->cursor);
    const char *first = list->n_end_devices == 0 ? "" : list->end_devices[0]->ids->device_id;
    if (first[0] != '\0' && strcmp(first, cursor_first(page->cursor)) == 0) {
        return error_set(error, ERROR_PROTOCOL,
                         "%s: page %" PRIu64 " of the list of devices is the one before it", name, number);
    }
    const char *total = reply_header(reply, "x-total-count");
    page->total = total == NULL ? 0 : strtoull(total, NULL, 10);
    if (list->n_end_devices == 0 && (number - 1) * PAGE_SIZE < page->total) {
        return error_set(error, ERROR_PROTOCOL,
                         "%s: page %" PRIu64 " of the list of devices is empty, of %" PRIu64
                         " devices in all",
                         name, number, page->total);
    }
    bool more = list->n_end_devices > 0 &&
                (total == NULL ? list->n_end_devices >= PAGE_SIZE : number * PAGE_SIZE < page->total);
    char *next = more && number < UINT32_MAX ? memory_printf("%" PRIu64 " %s", number + 1, first) : NULL;
    free(page->cursor);
    page->cursor = next;
    return 0;
}

static enum job_step tts_list(struct source *source, struct job *job, struct source_page *page,
                              struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        list_call(self, job, cursor_page(page->cursor));
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_GRPC)) {
        tts_source_failed(self, STACK_IDENTITY, &job->calls[0], reply, job->arena, error);
        return JOB_FAILED;
    }
    return read_list(self, job, page, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- reading

static enum job_step tts_read(struct source *source, struct job *job, struct source_record *record,
                              struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        if (record->complete) return JOB_DONE;
        struct tts_look *look = arena_new(job->arena, struct tts_look);
        job->state = look;
        job->stage = 1;
        return tts_source_look_begin(self, job, look, record->id, NULL, TTS_ALL_SERVERS);
    }
    struct tts_look *look = job->state;
    enum job_step step = tts_source_look_replies(self, job, look, error);
    if (step != JOB_DONE) return step;
    if (tts_source_parts_ids(&look->parts) == NULL) {
        error_set(error, ERROR_NOT_FOUND, "application %s has no such device", self->application);
        return JOB_FAILED;
    }
    tts_source_record_write(record, &look->parts);
    return JOB_DONE;
}

static int tts_convert(struct source *source, const struct source_record *record, struct device *device,
                       struct error *error) {
    return tts_source_device_convert(tts_source_of(source), record, device, error);
}

static bool tts_owns(const struct source *source, const struct source_record *record,
                     const struct device_place *place) {
    const struct tts_source *self = (const struct tts_source *)source;
    return self->application != NULL && place->network != NULL && place->application_id != NULL &&
           place->device_id != NULL &&
           strcmp(place->network, self->peers[STACK_IDENTITY].address.host_port) == 0 &&
           strcmp(place->application_id, self->application) == 0 && strcmp(place->device_id, record->id) == 0;
}

const struct source_driver source_tts = {
    .name = "tts",
    .aliases = "ttnv3",
    .title = "The Things Stack",
    .features = SOURCE_LISTS | SOURCE_CHANGES,
    .about =
        "The source gives each device up as soon as its record is safe, also where a file is "
        "written: --release says how. --dry-run and --release none change nothing; `rollback` "
        "puts it back.",
    .examples =
        "application my-tts-app --dry-run > all.json\n"
        "application my-tts-app --output all.json\n"
        "application my-tts-app --to chirpstack\n"
        "device mydevice --release none > device.json\n"
        "device < device_ids.txt > devices.json\n"
        "gateway > gateways.json",
    .options = options,
    .open = tts_open,
    .close = tts_close,
    .default_application = tts_default_application,
    .prepare = tts_prepare,
    .list = tts_list,
    .formatters = tts_source_formatters,
    .read = tts_read,
    .prepare_gateways = tts_source_prepare_gateways,
    .list_gateways = tts_source_list_gateways,
    .read_gateway = tts_source_read_gateway,
    .convert_gateway = tts_source_convert_gateway,
    .redirect_gateway = tts_source_redirect_gateway,
    .shares_gateways = tts_source_shares_gateways,
    .convert = tts_convert,
    .release = tts_source_release,
    .restore = tts_source_restore,
    .owns = tts_owns,
    .confirm = tts_source_confirm,
};
