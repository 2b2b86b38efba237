// SPDX-License-Identifier: Apache-2.0
#include "crash.h"

static const char *const v2_sandbox[] = {"--devices", "40", "--seed", "6", NULL};
static const char *const v2_run[] = {"ttnv2", "application", "--concurrency", "8", NULL};
// V2 forgets nonces with the AppKey, and its ADR begins anew; how often a device was written is no part of it.
static const char *const v2_forgotten[] = {
    "writes", "cleared", "used_dev_nonces", "used_app_nonces", "network_server.frames", NULL,
};
static const char *const v2_id[] = {"app_id", "dev_id", NULL};
static const char *const v2_keys[] = {"app_key", "nwk_s_key", "app_s_key", NULL};
static const char *const v2_kinds[] = {"app_key", "dev_addr", NULL};
static const char *const line_own[] = {"started_at", "session_key_id", NULL};

static const char *const loriot_sandbox[] = {"--devices", "0", "--loriot-devices", "36", "--seed", "6", NULL};
static const char *const loriot_run[] = {
    "loriot", "application", "--all", "--release", "delete", "--concurrency", "8", NULL,
};
// A device that is made again skips a downlink counter, and has what LORIOT's interface takes of it.
static const char *const loriot_forgotten[] = {"writes", "seqdn", "rx1", "lorawan", "location", NULL};
static const char *const loriot_id[] = {"app", "_id", NULL};
static const char *const loriot_keys[] = {"appkey", "nwkskey", "appskey", NULL};
static const char *const loriot_kinds[] = {"appkey", "devaddr", NULL};

const struct crash_pair crash_pairs[] = {
    {
        .name = "v2-json",
        .sandbox = v2_sandbox,
        .run = v2_run,
        .lines = true,
        .restores_all = false,
        .places = {{.member = "devices", .id = v2_id, .forgotten = v2_forgotten}},
        .keys = v2_keys,
        .own = line_own,
        .kinds = v2_kinds,
        .kinds_least = 5,
    },
    {
        .name = "loriot-json",
        .sandbox = loriot_sandbox,
        .run = loriot_run,
        .lines = true,
        .restores_all = false,
        .places = {{.member = "loriot_devices", .id = loriot_id, .forgotten = loriot_forgotten}},
        .keys = loriot_keys,
        .own = line_own,
        .kinds = loriot_kinds,
        .kinds_least = 5,
    },
    {.name = NULL},
};
