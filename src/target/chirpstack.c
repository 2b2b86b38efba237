// SPDX-License-Identifier: Apache-2.0
// Target chirpstack: ChirpStack v4 over gRPC. One server keeps all of a device: the device itself, its keys, its
// activation (session), and a device profile that it shares with others. A device is created disabled, without keys, and
// enabled when its source has let go of it.
#include <stdlib.h>

#include "base/memory.h"
#include "target/chirpstack_p.h"
#include "target/targets.h"

static const struct option_spec options[] = {
    {.name = "api-url",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .env = "TARGET_CHIRPSTACK_API_URL",
     .argument = "HOST:PORT",
     .help = "the server's API, usually the port of its web interface (http://HOST:PORT: without TLS)"},
    {.name = "api-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "TARGET_CHIRPSTACK_API_KEY",
     .argument = "KEY",
     .help = "API key of the tenant that gets the devices, or of an admin; not a read-only one"},
    {.name = "tenant",
     .type = OPTION_STRING,
     .env = "TARGET_CHIRPSTACK_TENANT",
     .argument = "NAME|ID",
     .help = "tenant that gets the devices (else the application's, or the only one that the key sees)"},
    {.name = "application",
     .type = OPTION_STRING,
     .env = "TARGET_CHIRPSTACK_APPLICATION",
     .argument = "NAME|ID",
     .help = "application at the target (else the one that is called as the source's)"},
    {.name = "adr-algorithm",
     .type = OPTION_STRING,
     .env = "TARGET_CHIRPSTACK_ADR_ALGORITHM",
     .default_value = "default",
     .argument = "ID",
     .help = "ADR algorithm of device profiles that are made"},
    {.name = "ca-cert-path",
     .type = OPTION_STRING,
     .env = "TARGET_CHIRPSTACK_CA_CERT_PATH",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "insecure",
     .type = OPTION_BOOL,
     .env = "TARGET_CHIRPSTACK_INSECURE",
     .default_value = "false",
     .help = "speak to the server without TLS"},
    {0},
};

static void cst_close(struct target *target) {
    if (target == NULL) return;
    struct cst *self = cst_of(target);
    cst_forget(self);
    while (self->reservations != NULL) cst_reserved_pop(self);
    cst_server_release(self);
    free(self);
}

static int cst_open(const struct target_setup *setup, struct target **ret_target, struct error *error) {
    struct cst *self = memory_new(struct cst);
    self->base.driver = &target_chirpstack;
    self->options = setup->options;
    self->plans = setup->plans;
    self->create_application = setup->create_application;
    self->rollback = setup->rollback;
    int result = cst_server_open(self, error);
    if (result != 0) {
        cst_close(&self->base);
        return result;
    }
    *ret_target = &self->base;
    return 0;
}

static void cst_judge(struct target *target, const struct call *call, const struct reply *reply,
                      struct dispatch_verdict *verdict) {
    (void)target;
    (void)call;
    if (reply->outcome == REPLY_ANSWERED && chirpstack_is_busy(reply->message)) verdict->retry = true;
}

const struct target_driver target_chirpstack = {
    .name = "chirpstack",
    .title = "ChirpStack (v4)",
    .options = options,
    .open = cst_open,
    .close = cst_close,
    .prepare = cst_prepare,
    .adapt = cst_adapt,
    .look = cst_look,
    .reserve = cst_reserve,
    .import = cst_import,
    .verify = cst_verify,
    .recall = cst_recall,
    .remove = cst_remove,
    .judge = cst_judge,
};
