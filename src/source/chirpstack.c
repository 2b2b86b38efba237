// SPDX-License-Identifier: Apache-2.0
// Source chirpstack: ChirpStack v4 over gRPC, v3 over its JSON interface. A device is read by three calls at once (device,
// keys, activation); its profile is read once for all. A device's record is the message Record of proto/chirpstack_v4.proto, as bytes: what
// the calls gave, unknown fields included.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "device/message.h"
#include "source/chirpstack_p.h"
#include "source/sources.h"

static const struct option_spec options[] = {
    {.name = "api-url",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .env = "CHIRPSTACK_API_URL",
     .argument = "HOST:PORT",
     .help = "the server's API, usually the port of its web interface (http://HOST:PORT: without TLS)"},
    {.name = "api-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "CHIRPSTACK_API_KEY CHIRPSTACK_API_TOKEN",
     .argument = "KEY",
     .help = "API key of the tenant that has the devices or gateways, or of an admin"},
    {.name = "api-version",
     .type = OPTION_CHOICE,
     .env = "CHIRPSTACK_API_VERSION",
     .choices = "auto 3 4",
     .default_value = "auto",
     .argument = "VERSION",
     .help = "version of ChirpStack; auto finds out"},
    {.name = "ca-cert-path",
     .type = OPTION_STRING,
     .env = "CHIRPSTACK_CA_CERT_PATH",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "insecure",
     .type = OPTION_BOOL,
     .env = "CHIRPSTACK_INSECURE CHIRPSTACK_API_INSECURE",
     .default_value = "false",
     .help = "speak to the server without TLS"},
    {.name = "all",
     .type = OPTION_BOOL,
     .env = "EXPORT_ALL",
     .default_value = "false",
     .help = "without ID: all devices, or gateways, of all tenants that the API key sees"},
    {.name = "tenant-id",
     .type = OPTION_STRING,
     .env = "CHIRPSTACK_TENANT_ID",
     .argument = "ID",
     .help = "look for applications or gateways in this tenant alone"},
    {.name = "frequency-plan-id",
     .type = OPTION_STRING,
     .flags = OPTION_CONVERTS,
     .env = "FREQUENCY_PLAN_ID",
     .argument = "ID[,ID...]",
     .help = "frequency plan of the exported devices or gateways, one for each region (all of them: "
             "ttn-lw-migrate "
             "frequency-plans); without it the region's, if it has only one"},
    {.name = "join-eui",
     .type = OPTION_STRING,
     .flags = OPTION_CONVERTS,
     .env = "JOIN_EUI",
     .argument = "EUI",
     .help = "JoinEUI of devices whose own ChirpStack does not know, since they have not joined yet"},
    {.name = "export-session",
     .type = OPTION_BOOL,
     .env = "EXPORT_SESSION CHIRPSTACK_EXPORT_SESSION",
     .default_value = "false",
     .help = "export sessions too, so that devices need not join again"},
    {.name = "export-vars",
     .type = OPTION_BOOL,
     .flags = OPTION_CONVERTS,
     .env = "EXPORT_VARS CHIRPSTACK_EXPORT_VARS",
     .default_value = "false",
     .help = "export a device's variables as attributes: var-NAME"},
    {.name = "rx1-delay",
     .type = OPTION_UINT,
     .flags = OPTION_CONVERTS,
     .env = "CHIRPSTACK_RX1_DELAY",
     .argument = "SECONDS",
     .help = "RX1 delay that OTAA devices have in their sessions (default: 1, or the profile's)",
     .least = 1,
     .most = 15},
    {.name = "rx2-frequency",
     .type = OPTION_UINT,
     .flags = OPTION_CONVERTS,
     .env = "CHIRPSTACK_RX2_FREQUENCY",
     .argument = "HZ",
     .help = "RX2 frequency that OTAA devices have in their sessions (default: the region's)",
     .least = 100000,
     .most = 3000000000},
    {.name = "rx2-data-rate",
     .type = OPTION_UINT,
     .flags = OPTION_CONVERTS,
     .env = "CHIRPSTACK_RX2_DATA_RATE",
     .argument = "INDEX",
     .help = "RX2 data rate that OTAA devices have in their sessions (default: the region's)",
     .most = 15},
    {.name = "release",
     .type = OPTION_CHOICE,
     .env = "CHIRPSTACK_RELEASE",
     .choices = "disable delete none",
     .argument = "HOW",
     .help = "what becomes of a migrated device in ChirpStack: disable (default with a server as target), "
             "delete, or none: it stays (default where a file is written)"},
    {.name = NULL},
};

static struct chirpstack *chirpstack_of(struct source *source) {
    return (struct chirpstack *)source;
}

// ---- opening

static int open_plan(struct chirpstack *self, const char *id, struct error *error) {
    const struct frequency_plans *plans = self->rules.plans;
    const struct frequency_plan *plan = frequency_plans_find(plans, id);
    if (plan == NULL) {
        const char *suggestion = frequency_plans_suggest(plans, id);
        error_set(error, ERROR_USAGE, "there is no frequency plan %s", id);
        if (suggestion != NULL) {
            error_hint(error, "did you mean %s? All of them: ttn-lw-migrate frequency-plans", suggestion);
        } else {
            error_hint(error, "all of them: ttn-lw-migrate frequency-plans");
        }
        return -ERROR_USAGE;
    }
    for (size_t i = 0; i < self->rules.chosen_count; i++) {
        if (strcmp(self->rules.chosen[i]->band_id, plan->band_id) != 0) continue;
        return error_set(error, ERROR_USAGE, "frequency plans %s and %s are of the same region",
                         self->rules.chosen[i]->id, plan->id);
    }
    if (self->rules.chosen_count == CHIRPSTACK_PLANS_MAX) {
        return error_set(error, ERROR_USAGE, "more than %d frequency plans", CHIRPSTACK_PLANS_MAX);
    }
    self->rules.chosen[self->rules.chosen_count++] = plan;
    return 0;
}

static int open_plans(struct chirpstack *self, struct error *error) {
    const char *rest = option_string(self->options, "frequency-plan-id");
    int result = 0;
    while (rest != NULL && *rest != '\0' && result == 0) {
        size_t size = strcspn(rest, ", ");
        char *id MEMORY_AUTO = memory_strndup(rest, size);
        if (size > 0) result = open_plan(self, id, error);
        rest += size + (rest[size] != '\0');
    }
    return result;
}

static int open_join_eui(struct chirpstack *self, struct error *error) {
    const char *text = option_string(self->options, "join-eui");
    if (text == NULL) return 0;
    if (!eui64_parse(text, &self->join_eui)) {
        return error_set(error, ERROR_USAGE, "--chirpstack.join-eui %s is not 16 hex digits", text);
    }
    self->rules.join_eui = &self->join_eui;
    return 0;
}

static void open_parameters(struct chirpstack *self) {
    const struct option_values *values = self->options;
    if (option_given(values, "rx1-delay")) {
        self->rules.rx1_delay = (struct mac_optional){true, (uint8_t)option_uint(values, "rx1-delay")};
    }
    if (option_given(values, "rx2-data-rate")) {
        self->rules.rx2_data_rate =
            (struct mac_optional){true, (uint8_t)option_uint(values, "rx2-data-rate")};
    }
    if (option_given(values, "rx2-frequency"))
        self->rules.rx2_frequency = option_uint(values, "rx2-frequency");
}

static void open_version(struct chirpstack *self) {
    const char *version = option_string(self->options, "api-version");
    if (strcmp(version, "4") == 0) self->api = &chirpstack_v4_api;
    if (strcmp(version, "3") == 0) self->api = &chirpstack_v3_api;
}

static void open_release(struct chirpstack *self, bool to_server, bool gateways) {
    const char *how = option_string(self->options, "release");
    if (how == NULL) how = to_server ? "disable" : "none";
    self->rules.release = strcmp(how, "disable") == 0  ? CHIRPSTACK_DISABLE
                          : strcmp(how, "delete") == 0 ? CHIRPSTACK_DELETE
                                                       : CHIRPSTACK_KEEP;
    self->rules.to_server = to_server;
    self->base.keeps = gateways || self->rules.release == CHIRPSTACK_KEEP;
    self->base.frees = self->rules.release == CHIRPSTACK_DELETE;
}

static void chirpstack_close(struct source *source) {
    if (source == NULL) return;
    struct chirpstack *self = chirpstack_of(source);
    while (self->profiles != NULL) {
        struct chirpstack_profile *profile = self->profiles;
        self->profiles = profile->next;
        arena_release(&profile->arena);
        free(profile->key);
        free(profile);
    }
    chirpstack_server_release(self);
    free(self);
}

static int chirpstack_open(const struct source_setup *setup, struct source **ret_source,
                           struct error *error) {
    struct chirpstack *self = memory_new(struct chirpstack);
    self->base.driver = &source_chirpstack;
    self->options = setup->options;
    self->rules = (struct chirpstack_rules){
        .plans = setup->plans,
        .naming = setup->naming,
        .clock = setup->clock,
        .random = setup->random,
        .with_session = option_bool(setup->options, "export-session"),
        .with_variables = option_bool(setup->options, "export-vars"),
    };
    open_version(self);
    open_release(self, setup->to_server, setup->gateways);
    open_parameters(self);
    int result = open_plans(self, error);
    if (result == 0) result = open_join_eui(self, error);
    if (result == 0) result = chirpstack_server_open(self, error);
    if (result != 0) {
        chirpstack_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *chirpstack_default_application(const struct source *source) {
    const struct chirpstack *self = (const struct chirpstack *)source;
    return option_bool(self->options, "all") ? CHIRPSTACK_ALL : CHIRPSTACK_NONE;
}

// ---- reading

char *chirpstack_eui_of(struct arena *arena, const char *text) {
    if (strncasecmp(text, "eui-", 4) == 0) text += 4;
    char *eui = arena_alloc(arena, 17, 1);
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (isxdigit((unsigned char)*text)) {
            if (count == 16) return NULL;
            eui[count++] = (char)tolower((unsigned char)*text);
        } else if (strchr("-:._ ", *text) == NULL) {
            return NULL;
        }
    }
    return count == 16 ? eui : NULL;
}

void chirpstack_look(struct chirpstack *self, struct job *job, const char *dev_eui) {
    self->api->get(self, job, CHIRPSTACK_DEVICE, dev_eui);
    self->api->get(self, job, CHIRPSTACK_KEYS, dev_eui);
    self->api->get(self, job, CHIRPSTACK_ACTIVATION, dev_eui);
}

// Reads one of the replies; NULL with no error if there is no such thing.
static void *read_part(struct chirpstack *self, struct job *job, size_t index, enum chirpstack_object object,
                       struct error *error) {
    const struct reply *reply = &job->replies[index];
    if (chirpstack_ok(self, reply)) return self->api->read(self, job, index, object, error);
    if (!chirpstack_not_found(self, reply)) chirpstack_failed(self, &job->calls[index], reply, error);
    return NULL;
}

int chirpstack_looked(struct chirpstack *self, struct job *job, const char *dev_eui,
                      struct chirpstack_view *ret_view, struct error *error) {
    ERROR_AUTO problem = {0};
    struct chirpstack_view view = {0};
    view.device = read_part(self, job, 0, CHIRPSTACK_DEVICE, &problem);
    if (view.device != NULL &&
        (view.device->device == NULL || strcasecmp(view.device->device->dev_eui, dev_eui) != 0)) {
        error_set(&problem, ERROR_PROTOCOL, "%s: asked for device %s, it sent another one", self->server.name,
                  dev_eui);
    }
    if (view.device != NULL && !error_is_set(&problem)) {
        const Chirpstack__GetDeviceKeysResponse *keys = read_part(self, job, 1, CHIRPSTACK_KEYS, &problem);
        if (keys != NULL) view.keys = keys->device_keys;
    }
    if (view.device != NULL && !error_is_set(&problem)) {
        view.activation = read_part(self, job, 2, CHIRPSTACK_ACTIVATION, &problem);
        if (view.activation == NULL) {
            view.activation =
                message_new(job->arena, &chirpstack__get_device_activation_response__descriptor);
        }
    }
    if (error_is_set(&problem)) {
        int result = -(int)problem.code;
        if (error != NULL) error_move(error, &problem);
        return result;
    }
    *ret_view = view;
    return 0;
}

// In v3 a part of it belongs to the application.
static const char *profile_key(const struct chirpstack *self, struct arena *arena,
                               const Chirpstack__Device *device) {
    if (!chirpstack_is_v3(self)) return device->device_profile_id;
    return arena_printf(arena, "%s/%s", device->device_profile_id, device->application_id);
}

static const Chirpstack__DeviceProfile *profile_find(const struct chirpstack *self, const char *key) {
    for (const struct chirpstack_profile *profile = self->profiles; profile != NULL;
         profile = profile->next) {
        if (strcmp(profile->key, key) == 0) return profile->message;
    }
    return NULL;
}

static void profile_keep(struct chirpstack *self, const char *key, const Chirpstack__DeviceProfile *message) {
    // Another job may have been faster.
    if (profile_find(self, key) != NULL) return;
    struct chirpstack_profile *profile = memory_new(struct chirpstack_profile);
    profile->key = memory_strdup(key);
    profile->message = message_copy(&message->base, &profile->arena);
    profile->next = self->profiles;
    self->profiles = profile;
}

static void keep_record(struct source_record *record, const struct chirpstack_view *view) {
    Chirpstack__Record message = CHIRPSTACK__RECORD__INIT;
    message.device = view->device;
    message.keys = view->keys;
    message.activation = view->activation;
    BUFFER_AUTO packed;
    buffer_init(&packed, BUFFER_UNLIMITED);
    message_pack(&message.base, &packed);
    source_record_set_data(record, packed.data, packed.size);
    struct eui64 eui;
    eui64_parse(view->device->device->dev_eui, &eui);
    memcpy(record->dev_eui, eui.bytes, sizeof record->dev_eui);
    record->has_dev_eui = true;
}

enum read_stage { READ_BEGIN, READ_LOOKED, READ_PROFILE, READ_SERVICE_PROFILE };

struct read_state {
    const char *dev_eui;
    const char *profile_key;
    Chirpstack__DeviceProfile *profile;
};

static enum job_step read_begin(struct chirpstack *self, struct job *job, const struct source_record *record,
                                struct error *error) {
    struct read_state *state = arena_new(job->arena, struct read_state);
    job->state = state;
    state->dev_eui = chirpstack_eui_of(job->arena, record->id);
    if (state->dev_eui == NULL) {
        error_set(error, ERROR_INPUT, "is no DevEUI");
        error_hint(error, "ChirpStack knows devices by their DevEUI, which has 16 hex digits");
        return JOB_FAILED;
    }
    chirpstack_look(self, job, state->dev_eui);
    job->stage = READ_LOOKED;
    return JOB_CALLS;
}

static enum job_step read_looked(struct chirpstack *self, struct job *job, struct source_record *record,
                                 struct error *error) {
    struct read_state *state = job->state;
    struct chirpstack_view view;
    if (chirpstack_looked(self, job, state->dev_eui, &view, error) != 0) return JOB_FAILED;
    if (view.device == NULL) {
        chirpstack_failed(self, &job->calls[0], &job->replies[0], error);
        error_wrap(error, ERROR_NONE, "ChirpStack has no such device, or the API key does not see it");
        return JOB_FAILED;
    }
    keep_record(record, &view);
    ARENA_AUTO arena = {0};
    Chirpstack__Record *message = NULL;
    if (chirpstack_record_read(record->data, record->size, &arena, &message, error) != 0) {
        error_wrap(error, ERROR_NONE, "%s: asked for device %s", self->server.name, state->dev_eui);
        return JOB_FAILED;
    }
    const Chirpstack__Device *device = view.device->device;
    state->profile_key = profile_key(self, job->arena, device);
    record->complete = profile_find(self, state->profile_key) != NULL;
    if (record->complete) return JOB_DONE;
    self->api->get(self, job, CHIRPSTACK_PROFILE, device->device_profile_id);
    if (chirpstack_is_v3(self)) chirpstack_v3_get_application(self, job, device->application_id);
    job->stage = READ_PROFILE;
    return JOB_CALLS;
}

static enum job_step read_profile(struct chirpstack *self, struct job *job, struct source_record *record,
                                  struct error *error) {
    struct read_state *state = job->state;
    const Chirpstack__GetDeviceProfileResponse *reply =
        self->api->read(self, job, 0, CHIRPSTACK_PROFILE, error);
    if (reply == NULL) return JOB_FAILED;
    state->profile = reply->device_profile;
    if (state->profile == NULL) {
        error_set(error, ERROR_PROTOCOL, "%s: the answer holds no device profile", self->server.name);
        return JOB_FAILED;
    }
    const char *service_profile = NULL;
    if (chirpstack_is_v3(self) &&
        chirpstack_v3_merge_application(self, job, 1, state->profile, &service_profile, error) != 0) {
        return JOB_FAILED;
    }
    if (service_profile != NULL) {
        chirpstack_v3_get_service_profile(self, job, service_profile);
        job->stage = READ_SERVICE_PROFILE;
        return JOB_CALLS;
    }
    profile_keep(self, state->profile_key, state->profile);
    record->complete = true;
    return JOB_DONE;
}

static enum job_step chirpstack_read(struct source *source, struct job *job, struct source_record *record,
                                     struct error *error) {
    struct chirpstack *self = chirpstack_of(source);
    if (job->stage == READ_BEGIN) return read_begin(self, job, record, error);
    if (job->stage == READ_LOOKED) return read_looked(self, job, record, error);
    struct read_state *state = job->state;
    size_t replies = job->stage == READ_PROFILE && chirpstack_is_v3(self) ? 2 : 1;
    for (size_t i = 0; i < replies; i++) {
        if (chirpstack_ok(self, &job->replies[i])) continue;
        chirpstack_failed(self, &job->calls[i], &job->replies[i], error);
        error_wrap(error, ERROR_NONE, "its device profile");
        return JOB_FAILED;
    }
    if (job->stage == READ_PROFILE) return read_profile(self, job, record, error);
    if (chirpstack_v3_merge_service_profile(self, job, 0, state->profile, error) != 0) return JOB_FAILED;
    profile_keep(self, state->profile_key, state->profile);
    record->complete = true;
    return JOB_DONE;
}

static int chirpstack_convert(struct source *source, const struct source_record *record,
                              struct device *device, struct error *error) {
    struct chirpstack *self = chirpstack_of(source);
    ARENA_AUTO arena = {0};
    Chirpstack__Record *message = NULL;
    int result = chirpstack_record_read(record->data, record->size, &arena, &message, error);
    if (result != 0) return result;
    const Chirpstack__DeviceProfile *profile =
        profile_find(self, profile_key(self, &arena, message->device->device));
    if (profile == NULL) return error_set(error, ERROR_DEVICE, "its device profile is not known");
    return chirpstack_device_convert(&self->rules, message, profile, device, error);
}

// A DevEUI is unique in ChirpStack.
static bool chirpstack_owns(const struct source *source, const struct source_record *record,
                            const struct device_place *place) {
    const struct chirpstack *self = (const struct chirpstack *)source;
    ARENA_AUTO arena = {0};
    Chirpstack__Record *message = NULL;
    if (place->network == NULL || strcmp(place->network, self->server.address) != 0) return false;
    if (chirpstack_record_read(record->data, record->size, &arena, &message, NULL) != 0) return false;
    const Chirpstack__Device *device = message->device->device;
    return place->application_id != NULL && strcmp(place->application_id, device->application_id) == 0 &&
           place->device_id != NULL && strcasecmp(place->device_id, device->dev_eui) == 0;
}

static void chirpstack_judge(struct source *source, const struct call *call, const struct reply *reply,
                             struct dispatch_verdict *verdict) {
    (void)source;
    (void)call;
    if (reply->outcome == REPLY_ANSWERED && chirpstack_is_busy(reply->message)) verdict->retry = true;
}

const struct source_driver source_chirpstack = {
    .name = "chirpstack",
    .title = "ChirpStack",
    .features = SOURCE_LISTS | SOURCE_CHANGES,
    .about =
        "Where a file is written, ChirpStack keeps the devices and goes on answering them, "
        "until you take them away there, or say --release disable or --release delete. Where "
        "they go to a server, each is disabled in ChirpStack as soon as its record is safe; "
        "`rollback` puts it back.",
    .examples =
        "application \"water meters\" --dry-run > devices.json\n"
        "application meters --release disable > devices.json\n"
        "application --all --output all.json\n"
        "application \"water meters\" --to tts\n"
        "device a840410000000001 --output device.json\n"
        "device < dev_euis.txt > devices.json\n"
        "gateway > gateways.json",
    .options = options,
    .open = chirpstack_open,
    .close = chirpstack_close,
    .default_application = chirpstack_default_application,
    .prepare = chirpstack_prepare,
    .list = chirpstack_list,
    .read = chirpstack_read,
    .convert = chirpstack_convert,
    .release = chirpstack_release,
    .restore = chirpstack_restore,
    .prove = chirpstack_prove,
    .owns = chirpstack_owns,
    .confirm = chirpstack_confirm,
    .prepare_gateways = chirpstack_prepare_gateways,
    .list_gateways = chirpstack_list_gateways,
    .read_gateway = chirpstack_read_gateway,
    .convert_gateway = chirpstack_convert_gateway,
    .judge = chirpstack_judge,
};
