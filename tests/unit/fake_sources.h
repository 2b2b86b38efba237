// SPDX-License-Identifier: Apache-2.0
// Sources with option tables and nothing else, for tests of the command line.
#ifndef UNIT_FAKE_SOURCES_H
#define UNIT_FAKE_SOURCES_H

#include "source/source.h"

static const struct option_spec fake_ttnv2_options[] = {
    {.name = "frequency-plan-id",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_CONVERTS,
     .env = "FREQUENCY_PLAN_ID",
     .argument = "PLAN",
     .help = "frequency plan of the devices"},
    {.name = "app-id",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .env = "TTNV2_APP_ID",
     .argument = "ID",
     .help = "application that the devices are in"},
    {.name = "app-access-key",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED | OPTION_SECRET,
     .env = "TTNV2_APP_ACCESS_KEY",
     .argument = "KEY",
     .help = "access key of the application"},
    {.name = "discovery-server-insecure",
     .type = OPTION_BOOL,
     .env = "TTNV2_DISCOVERY_SERVER_INSECURE",
     .default_value = "false",
     .help = "talk to the discovery server without TLS"},
    {.name = "with-session",
     .type = OPTION_BOOL,
     .env = "TTNV2_WITH_SESSION",
     .default_value = "true",
     .help = "carry the session over"},
    {.name = "ca-cert", .type = OPTION_STRING, .argument = "FILE", .help = "PEM file of additional roots"},
    {.name = NULL},
};

// Names that are also global ones, one of them with another type.
static const struct option_spec fake_csv_options[] = {
    {.name = "json",
     .type = OPTION_STRING,
     .env = "FAKE_JSON FAKE_JSON_OLD",
     .argument = "FILE",
     .help = "collides with a global bool"},
    {.name = "output", .type = OPTION_STRING, .argument = "FILE", .help = "collides with a global text"},
    {.name = "delimiter", .type = OPTION_STRING, .argument = "TEXT", .help = "what stands between columns"},
    {.name = "internal", .type = OPTION_BOOL, .flags = OPTION_HIDDEN, .help = "not for everyone"},
    {.name = NULL},
};

static const struct source_driver fake_ttnv2 = {
    .name = "ttnv2",
    .title = "The Things Network Stack V2",
    .options = fake_ttnv2_options,
};

static const struct source_driver fake_csv = {
    .name = "csv",
    .aliases = "table spreadsheet",
    .title = "A table",
    .options = fake_csv_options,
    .input = "json",
};

static const struct source_driver *const fake_sources[] = {&fake_ttnv2, &fake_csv, NULL};

#endif
