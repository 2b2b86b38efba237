// SPDX-License-Identifier: Apache-2.0
// What sources share whose files say only a part of what The Things Stack has to know of a device: options for the rest,
// and the steps behind the reading.
#ifndef SOURCE_FILE_DEVICE_H
#define SOURCE_FILE_DEVICE_H

#include "lorawan/versions.h"
#include "source/file_list.h"

// Rows of such a source's option table; `teller` is what does not say all: "the file".
#define FILE_DEVICE_OPTIONS(teller)                                                              \
    {.name = "app-id",                                                                           \
     .type = OPTION_STRING,                                                                      \
     .env = "APP_ID",                                                                            \
     .argument = "ID",                                                                           \
     .help = "application of the exported devices"},                                             \
        {.name = "frequency-plan-id",                                                            \
         .type = OPTION_STRING,                                                                  \
         .env = "FREQUENCY_PLAN_ID",                                                             \
         .argument = "ID",                                                                       \
         .help = "frequency plan of devices whose plan " teller                                  \
                 " does not say (all of them: "                                                  \
                 "ttn-lw-migrate frequency-plans)"},                                             \
    {                                                                                            \
        .name = "mac-version", .type = OPTION_CHOICE, .env = "MAC_VERSION",                      \
        .choices = "1.0.0 1.0.1 1.0.2a 1.0.2b 1.0.3 1.0.4 1.1.0a 1.1.0b", .argument = "VERSION", \
        .help = "LoRaWAN version and regional parameters of devices whose versions " teller      \
                " does not say; 1.0.4 comes with RP002-1.0.3"                                    \
    }

// What holds for all devices of a run.
struct file_rules {
    const struct frequency_plans *plans;  // borrowed, as all of these
    const struct device_naming *naming;
    struct device_map *map;
    const struct clock *clock;
    const struct random *random;
    const struct frequency_plan *plan;  // of the option; NULL = none
    enum mac_version mac_version;       // of the option; unknown = none
    enum phy_version phy_version;
    char *application;  // owned; NULL = none
    bool to_server;
    bool named;  // an application was asked for
};

// Reads the options. ERROR_USAGE.
int file_rules_open(struct file_rules *rules, const struct source_setup *setup, struct error *error);
void file_rules_release(struct file_rules *rules);

// The application that `application` without an ID means.
const char *file_rules_default_application(const struct file_rules *rules);

// The job `prepare`: takes the application that was asked for. ERROR_USAGE if it is the second one: such a file's devices
// can go into one application only.
enum job_step file_rules_prepare(struct file_rules *rules, const char *application, struct error *error);

// Completes a device of the file that has what is said there: names it, fills in what is missing, gives a session what it
// needs at its new network, and cleans. ERROR_DEVICE.
int file_device_complete(const struct file_rules *rules, const struct source_record *record,
                         struct device *device, struct error *error);

#endif
