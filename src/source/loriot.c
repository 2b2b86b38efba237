// SPDX-License-Identifier: Apache-2.0
// Source loriot: LORIOT's network server over its REST interface. A device belongs to an application, whose ID is a part of
// the device's path. LORIOT has no way to hold a device back: it is left alone, or deleted and made again.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source/loriot_p.h"
#include "source/sources.h"

static const struct option_spec options[] = {
    {.name = "api-url",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .env = "LORIOT_API_URL",
     .argument = "HOST[:PORT]",
     .help = "LORIOT's server, such as eu1.loriot.io"},
    {.name = "api-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "LORIOT_API_KEY",
     .argument = "KEY",
     .help = "API key of the account that has the applications; it has to be able to write where devices are "
             "deleted"},
    {.name = "app-id",
     .type = OPTION_STRING,
     .env = "LORIOT_APP_ID",
     .argument = "ID",
     .help = "application in LORIOT, by its ID (BE7A0000) or its name; without it single devices are looked "
             "for in all applications"},
    {.name = "all",
     .type = OPTION_BOOL,
     .env = "EXPORT_ALL",
     .default_value = "false",
     .help = "application without ID: the devices of all applications that the API key sees"},
    {.name = "frequency-plan-id",
     .type = OPTION_STRING,
     .flags = OPTION_CONVERTS,
     .env = "FREQUENCY_PLAN_ID",
     .argument = "ID",
     .help =
         "frequency plan of the exported devices, which LORIOT does not tell (all of them: ttn-lw-migrate "
         "frequency-plans)"},
    {.name = "mac-version",
     .type = OPTION_CHOICE,
     .flags = OPTION_CONVERTS,
     .env = "MAC_VERSION",
     .choices = "1.0.0 1.0.1 1.0.2a 1.0.2b 1.0.3 1.0.4 1.1.0a 1.1.0b",
     .argument = "VERSION",
     .help = "LoRaWAN version of devices of which LORIOT tells none, and regional parameters of devices of "
             "that version"},
    {.name = "join-eui",
     .type = OPTION_STRING,
     .flags = OPTION_CONVERTS,
     .env = "JOIN_EUI",
     .argument = "EUI",
     .help = "JoinEUI of devices of which LORIOT tells none"},
    {.name = "release",
     .type = OPTION_CHOICE,
     .env = "LORIOT_RELEASE",
     .choices = "delete none",
     .argument = "HOW",
     .help =
         "what becomes of a migrated device in LORIOT: delete (default with a server as target), or none: it "
         "stays (default where a file is written)"},
    {.name = "ca-cert-path",
     .type = OPTION_STRING,
     .env = "LORIOT_CA_CERT_PATH",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "insecure",
     .type = OPTION_BOOL,
     .env = "LORIOT_INSECURE",
     .default_value = "false",
     .help = "speak to the server without TLS"},
    {.name = NULL},
};

static int open_server(struct loriot *self, struct error *error) {
    int result = rest_open(&self->rest,
                           &(struct rest_setup){
                               .title = "LORIOT",
                               .url = option_string(self->options, "api-url"),
                               .url_option = "--loriot.api-url",
                               .ca_path = option_string(self->options, "ca-cert-path"),
                               .ca_option = "--loriot.ca-cert-path",
                               .plain = option_bool(self->options, "insecure"),
                           },
                           error);
    if (result == 0 && self->rest.server.plain)
        self->base.warning = "LORIOT is asked without TLS: everybody on the way can read the keys";
    return result;
}

// The key alone, or the whole value of the header: LORIOT's own web interface has "Session ...".
static int open_key(struct loriot *self, struct error *error) {
    const char *key = option_string(self->options, "api-key");
    bool whole = strncmp(key, "Bearer ", 7) == 0 || strncmp(key, "Session ", 8) == 0;
    const char *token = whole ? strchr(key, ' ') + 1 : key;
    for (size_t i = 0; token[i] != '\0'; i++) {
        if (token[i] <= ' ' || token[i] > '~')
            return error_set(error, ERROR_USAGE, "--loriot.api-key: a key has no blanks");
    }
    if (*token == '\0') return error_set(error, ERROR_USAGE, "--loriot.api-key is empty");
    self->authorization = memory_printf("%s%s", whole ? "" : "Bearer ", key);
    return 0;
}

static int open_join_eui(struct loriot *self, struct error *error) {
    const char *text = option_string(self->options, "join-eui");
    if (text == NULL || *text == '\0') return 0;
    self->has_join_eui = eui64_parse(text, &self->join_eui);
    if (self->has_join_eui) return 0;
    return error_set(error, ERROR_USAGE, "--loriot.join-eui %s is not 16 hex digits", text);
}

static void open_release(struct loriot *self, bool to_server) {
    const char *how = option_string(self->options, "release");
    bool deletes = how == NULL ? to_server : strcmp(how, "delete") == 0;
    self->release = deletes ? LORIOT_DELETE : LORIOT_KEEP;
    self->base.keeps = !deletes;
    self->base.frees = deletes;
}

static void loriot_close(struct source *source) {
    if (source == NULL) return;
    struct loriot *self = loriot_of(source);
    loriot_forget_applications(self);
    loriot_forget_networks(self);
    file_rules_release(&self->rules);
    rest_release(&self->rest);
    memory_free_secret(self->authorization);
    free(self->asked);
    free(self);
}

static int loriot_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct loriot *self = memory_new(struct loriot);
    self->base.driver = &source_loriot;
    self->options = setup->options;
    open_release(self, setup->to_server);
    if (setup->gateways) self->base.keeps = true;
    int result = file_rules_open(&self->rules, setup, error);
    // That of the option is LORIOT's.
    free(memory_take(self->rules.application));
    if (result == 0) result = open_server(self, error);
    if (result == 0) result = open_key(self, error);
    if (result == 0) result = open_join_eui(self, error);
    if (result != 0) {
        loriot_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *loriot_default_application(const struct source *source) {
    const struct loriot *self = (const struct loriot *)source;
    const char *application = option_string(self->options, "app-id");
    if (application != NULL && *application != '\0') return application;
    return option_bool(self->options, "all") ? LORIOT_ALL : LORIOT_NONE;
}

const struct source_driver source_loriot = {
    .name = "loriot",
    .title = "LORIOT",
    .features = SOURCE_LISTS | SOURCE_CHANGES,
    .about =
        "Where a file is written, LORIOT keeps the devices and goes on answering them, until "
        "you delete them there, or say --release delete. Where they go to a server, each is "
        "deleted in LORIOT as soon as its record is safe; `rollback` makes it again.",
    .examples =
        "application \"Water meters\" --dry-run > devices.json\n"
        "application BE7A0001 --output devices.json\n"
        "application \"Water meters\" --to tts\n"
        "device 70B3D57ED0000001 --output device.json\n"
        "device < dev_euis.txt > devices.json\n"
        "gateway > gateways.json",
    .options = options,
    .open = loriot_open,
    .close = loriot_close,
    .default_application = loriot_default_application,
    .prepare = loriot_prepare,
    .list = loriot_list,
    .read = loriot_read,
    .convert = loriot_convert,
    .release = loriot_release,
    .restore = loriot_restore,
    .confirm = loriot_confirm,
    .prepare_gateways = loriot_prepare_gateways,
    .list_gateways = loriot_list_gateways,
    .read_gateway = loriot_read_gateway,
    .convert_gateway = loriot_convert_gateway,
};
