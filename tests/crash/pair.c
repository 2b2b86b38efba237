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
    {.name = NULL},
};
