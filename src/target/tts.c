// SPDX-License-Identifier: Apache-2.0
// Target tts: The Things Stack (V3) over gRPC. A device is kept in parts by four servers: the Identity Server knows that
// it exists, the Join Server has its root keys, the Network Server its session and state, the Application Server the
// session's key for payloads and the formatters. A Set of the last three makes what is not there, whoever made the rest:
// so each change looks before it touches what it did not make.
#include <stdlib.h>

#include "base/memory.h"
#include "target/targets.h"
#include "target/tts_p.h"

static const struct option_spec options[] = {
    {.name = "app-id",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_APP_ID",
     .argument = "ID",
     .help = "application at the target (else the source's ID, with - for each _)"},
    {.name = "app-api-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "TARGET_TTS_APP_API_KEY",
     .argument = "KEY",
     .help =
         "API key with the rights to read and write devices and their keys, and to see the application; for "
         "gateways, that of their owner"},
    {.name = "default-grpc-address",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_DEFAULT_GRPC_ADDRESS",
     .argument = "HOST[:PORT]",
     .help = "the servers (port 8884; without TLS 1884)"},
    {.name = "identity-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_IDENTITY_SERVER_GRPC_ADDRESS",
     .argument = "HOST[:PORT]",
     .help = "the Identity Server, if it is not at the default address"},
    {.name = "network-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_NETWORK_SERVER_GRPC_ADDRESS",
     .argument = "HOST[:PORT]",
     .help = "the Network Server, likewise"},
    {.name = "application-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_APPLICATION_SERVER_GRPC_ADDRESS",
     .argument = "HOST[:PORT]",
     .help = "the Application Server, likewise"},
    {.name = "join-server-grpc-address",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_JOIN_SERVER_GRPC_ADDRESS",
     .argument = "HOST[:PORT]",
     .help = "the Join Server, likewise"},
    {.name = "ca-file",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_CA_FILE",
     .argument = "FILE",
     .help = "PEM file of certificates to trust besides the system's"},
    {.name = "insecure",
     .type = OPTION_BOOL,
     .env = "TARGET_TTS_INSECURE",
     .default_value = "false",
     .help = "speak to the servers without TLS"},
    {.name = "any-dev-addr",
     .type = OPTION_BOOL,
     .env = "TARGET_TTS_ANY_DEV_ADDR",
     .default_value = "false",
     .help = "move sessions although their DevAddr is not of the target's network: only its own gateways "
             "hear them"},
    {.name = "collaborator",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_COLLABORATOR",
     .argument = "[organization:]ID",
     .help = "who gets the gateways (else the user or the organization whose key it is)"},
    {.name = "cups-uri",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_CUPS_URI",
     .argument = "URI",
     .help = "where redirected gateways ask (https://, the host of the Identity Server, port 443)"},
    {.name = "gateway-server-address",
     .type = OPTION_STRING,
     .env = "TARGET_TTS_GATEWAY_SERVER_ADDRESS",
     .argument = "HOST",
     .help = "where the traffic of gateways goes (the host of the Network Server)"},
    {.name = NULL},
};

static void tts_close(struct target *target) {
    if (target == NULL) return;
    struct tts *self = tts_of(target);
    tts_forget_application(self);
    while (self->reservations != NULL) tts_reserved_pop(self);
    tts_servers_release(self);
    tts_gateways_release(self);
    free(self);
}

static int tts_open(const struct target_setup *setup, struct target **ret_target, struct error *error) {
    struct tts *self = memory_new(struct tts);
    self->base.driver = &target_tts;
    self->options = setup->options;
    self->plans = setup->plans;
    self->clock = setup->clock;
    self->create_application = setup->create_application;
    int result = tts_servers_open(self, error);
    if (result == 0) result = tts_gateways_open(self, error);
    if (result != 0) {
        tts_close(&self->base);
        return result;
    }
    *ret_target = &self->base;
    return 0;
}

const struct target_driver target_tts = {
    .name = "tts",
    .title = "The Things Stack (V3)",
    .options = options,
    .open = tts_open,
    .close = tts_close,
    .prepare = tts_prepare,
    .adapt = tts_adapt,
    .look = tts_look,
    .reserve = tts_reserve,
    .import = tts_import,
    .verify = tts_verify,
    .recall = tts_recall,
    .remove = tts_remove,
    .get_formatters = tts_get_formatters,
    .set_formatters = tts_set_formatters,
    .prepare_gateways = tts_prepare_gateways,
    .home = tts_home,
    .look_gateway = tts_look_gateway,
    .create_gateway = tts_create_gateway,
    .update_gateway = tts_update_gateway,
    .secure_gateway = tts_secure_gateway,
    .key_gateway = tts_key_gateway,
    .remove_gateway = tts_remove_gateway,
};
