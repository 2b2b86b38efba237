// SPDX-License-Identifier: Apache-2.0
#include "crash.h"

// ---- V2

// V2 forgets nonces with the AppKey, and its ADR begins anew; how often a device was written is no part of it.
static const char *const v2_forgotten[] = {
    "writes", "cleared", "cleared_at", "used_dev_nonces", "used_app_nonces", "network_server.frames", NULL,
};
static const char *const v2_id[] = {"app_id", "dev_id", NULL};
static const char *const v2_keys[] = {"app_key", "nwk_s_key", "app_s_key", NULL};
static const char *const v2_kinds[] = {"app_key", "dev_addr", NULL};
static const char *const v2_counters[] = {"network_server.f_cnt_down", NULL};
static const char *const v2_counter_fields[] = {"3.10", NULL};
static const char *const nothing[] = {NULL};

// ---- The Things Stack

static const char *const tts_id[] = {"application_id", "device_id", NULL};
static const char *const tts_keys[] = {"js.app_key", "js.nwk_key", "ns.f_nwk_s_int_key", "as.app_s_key",
                                       NULL};
static const char *const tts_kinds[] = {"js.app_key", "ns.dev_addr", NULL};
static const char *const tts_counters[] = {"ns.last_n_f_cnt_down", NULL};
// Each of its servers tells when it made and changed a device (2, 3); 26.5 is that counter again. When a join was answered
// cannot be told to it, nor the application key of a join that is not finished.
static const char *const tts_own[] = {"2", "3", "ns/26.5", "ns/27.8", "as/27", NULL};
static const char *const tts_changed[] = {"updated_at", NULL};
// An entry that is made anew has not been seen (54), and its hardware may be told as none (7).
static const char *const tts_anew[] = {"2", "3", "ns/26.5", "ns/27.8", "as/27", "is/54", "is/7?", NULL};
// A session of V2 has no ID, and no time: both are drawn as it is read.
static const char *const tts_drawn[] = {"updated_at", "ns.session_key_id", "as.session_key_id", NULL};
static const char *const tts_drawn_fields[] = {"2", "3", "ns/26.5", "26.3.1", "ns/26.8", NULL};

// ---- pairs

static const char *const v2_json_sandbox[] = {"--devices", "16", "--seed", "6", NULL};
static const char *const v2_json_run[] = {"ttnv2", "application", "--concurrency", "8", NULL};
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

static const char *const v2_tts_sandbox[] = {"--devices", "3", "--seed", "7", NULL};
static const char *const v2_tts_run[] = {"ttnv2",         "application", "--to", "tts", "--to.tts.insecure",
                                         "--concurrency", "2",           NULL};

// From one cluster into another one, where nothing is known of the devices.
static const char *const tts_sandbox[] = {"--devices", "1", "--tts-devices", "4", "--seed", "7", NULL};
static const char *const tts_other[] = {"--devices", "1", "--seed", "8", NULL};
static const char *const tts_run[] = {
    "tts",  "application", "--tts.insecure",    "--tts.release", "keys",
    "--to", "tts",         "--to.tts.insecure", "--concurrency", "2",
    NULL,
};

// Within one cluster, where a device has to be gone before it can be made anew.
static const char *const within_run[] = {
    "tts",  "application", "--tts.insecure",    "--tts.release", "delete",
    "--to", "tts",         "--to.tts.insecure", "--concurrency", "2",
    NULL,
};

const struct crash_pair crash_pairs[] = {
    {
        .name = "v2-json",
        .sandbox = v2_json_sandbox,
        .run = v2_json_run,
        .lines = true,
        .restores_all = false,
        .places =
            {{.member = "devices", .id = v2_id, .forgotten = v2_forgotten, .forgotten_fields = nothing}},
        .keys = v2_keys,
        .own = line_own,
        .kinds = v2_kinds,
        .kinds_least = 2,
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
    {
        .name = "v2-tts",
        .sandbox = v2_tts_sandbox,
        .run = v2_tts_run,
        .places = {{.member = "devices",
                    .id = v2_id,
                    .forgotten = v2_forgotten,
                    .forgotten_fields = v2_counter_fields,
                    .counters = v2_counters},
                   {.member = "tts_devices",
                    .id = tts_id,
                    .forgotten = tts_drawn,
                    .forgotten_fields = tts_drawn_fields,
                    .counters = tts_counters}},
        .formatters = true,
        .keys = v2_keys,
        .kinds = v2_kinds,
        .kinds_least = 1,
    },
    {
        .name = "tts-tts",
        .sandbox = tts_sandbox,
        .other = tts_other,
        .run = tts_run,
        .places = {{.member = "tts_devices",
                    .id = tts_id,
                    .forgotten = tts_changed,
                    .forgotten_fields = tts_own,
                    .counters = tts_counters},
                   {.member = CRASH_OTHER,
                    .id = tts_id,
                    .forgotten = tts_changed,
                    .forgotten_fields = tts_own,
                    .counters = tts_counters}},
        .keys = tts_keys,
        .kinds = tts_kinds,
        .kinds_least = 1,
    },
    {
        .name = "tts-within",
        .sandbox = tts_sandbox,
        .run = within_run,
        .places = {{.member = "tts_devices",
                    .application = "my-tts-app",
                    .id = tts_id,
                    .forgotten = tts_changed,
                    .forgotten_fields = tts_anew,
                    .counters = tts_counters},
                   {.member = "tts_devices",
                    .application = "my-new-app",
                    .id = tts_id,
                    .forgotten = tts_changed,
                    .forgotten_fields = tts_anew,
                    .counters = tts_counters}},
        .keys = tts_keys,
        .kinds = tts_kinds,
        .kinds_least = 1,
    },
    {.name = NULL},
};
