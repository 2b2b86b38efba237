// SPDX-License-Identifier: Apache-2.0
#include "cli/global_options.h"

// More devices in flight than this gain nothing over one connection to a server.
enum { CONCURRENCY_MAX = 1024 };

const struct option_spec global_options[] = {
    {
        .name = "source",
        .type = OPTION_STRING,
        .argument = "SOURCE",
        .help = "where the devices or gateways are now, if the source is not the first word",
    },
    {
        .name = "to",
        .type = OPTION_CHOICE,
        .choices = "json csv tts chirpstack",
        .default_value = "json",
        .argument = "TARGET",
        .help = "where they go: json is what The Things Stack imports, csv its table, which holds "
                "less, tts is The Things Stack itself, chirpstack is ChirpStack v4",
    },
    {
        .name = "output",
        .type = OPTION_STRING,
        .argument = "FILE",
        .help = "file to write to instead of standard output; must be new or empty",
    },
    {
        .name = "dry-run",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "read and check everything, change nothing anywhere",
    },
    {
        .name = "frequency-plans-url",
        .type = OPTION_STRING,
        .argument = "DIR|URL",
        .help = "directory or http(s) URL with frequency-plans.yml and the plans that it names, instead of "
                "the built-in ones",
    },
    {
        .name = "dev-id-prefix",
        .type = OPTION_STRING,
        .argument = "PREFIX",
        .help = "prefix of the resulting device IDs, joined with a dash",
    },
    {
        .name = "set-eui-as-id",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "name each device eui-<its DevEUI>",
    },
    {
        .name = "map",
        .type = OPTION_STRING,
        .argument = "FILE",
        .help =
            "table (CSV) with the column id or dev_eui, and any of device_id, join_eui, frequency_plan_id, "
            "lorawan_version, lorawan_phy_version, application_id: what holds for single devices",
    },
    {
        .name = "concurrency",
        .type = OPTION_UINT,
        .env = "TTN_LW_MIGRATE_CONCURRENCY",
        .default_value = "16",
        .argument = "N",
        .help = "devices in flight at once",
        .least = 1,
        .most = CONCURRENCY_MAX,
    },
    {
        .name = "rate",
        .type = OPTION_RATE,
        .argument = "N",
        .help = "most requests per second to one server; without it, as fast as the source is known to take "
                "them, and slower when it says that this is too much",
    },
    {
        .name = "timeout",
        .type = OPTION_DURATION,
        .env = "TTN_LW_MIGRATE_TIMEOUT",
        .default_value = "10s",
        .argument = "DURATION",
        .help = "longest time for one call, and for reaching a server at first",
        .least = 1,
    },
    {
        .name = "on-conflict",
        .type = OPTION_CHOICE,
        .choices = "fail skip update",
        .default_value = "fail",
        .argument = "WHAT",
        .help = "what becomes of one that the target has already, with other data: its migration fails, "
                "it stays "
                "where it is, or the target's is updated",
    },
    {
        .name = "create-application",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "make the application at the target if it is missing",
    },
    {
        .name = "redirect",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "have the source tell its gateways to go to the target",
    },
    {
        .name = "redirect-key-file",
        .type = OPTION_STRING,
        .argument = "FILE",
        .help =
            "file with the API key that redirected gateways use at the target, instead of one made for each",
    },
    {
        .name = "no-plan",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "do not check all of them before the first change; each one is still checked",
    },
    {
        .name = "plan",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "only tell what would become of each one, and change nothing",
    },
    {
        .name = "wait-uplink",
        .type = OPTION_DURATION,
        .default_value = "0s",
        .argument = "DURATION",
        .help = "how long to wait until all devices are heard at the target",
    },
    {
        .name = "silent",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "only devices that are silent: not heard at the target since they were imported",
    },
    {
        .name = "keep-going",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "set one that fails aside and report it; without it the first error halts the run",
    },
    {
        .name = "journal",
        .type = OPTION_STRING,
        .argument = "FILE",
        .help = "where the journal of a run that changes a network is kept; by default below the state "
                "directory ($XDG_STATE_HOME/ttn-lw-migrate)",
    },
    {
        .name = "no-journal",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "keep no journal: the run cannot be resumed or rolled back",
    },
    {
        .name = "journal-key-file",
        .type = OPTION_STRING,
        .env = "TTN_LW_MIGRATE_JOURNAL_KEY_FILE",
        .argument = "FILE",
        .help = "encrypt the journal's secrets with the content of FILE; - asks for a passphrase",
    },
    {
        .name = "report",
        .type = OPTION_STRING,
        .argument = "FILE",
        .help = "HTML page about the run, written at its end; must be new or empty",
    },
    {
        .name = "failed",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "try those again that were set aside",
    },
    {
        .name = "failed-ids",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "write only the IDs of those that were set aside, one a line",
    },
    {
        .name = "unfinished-ids",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "write only the IDs of devices that are between two networks, one a line",
    },
    {
        .name = "list",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "list all runs that have a journal",
    },
    {
        .name = "forget",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "wipe the journal: the run can no longer be resumed or rolled back",
    },
    {
        .name = "formatters",
        .type = OPTION_STRING,
        .argument = "DIR",
        .help =
            "write the converted payload formatters to files in DIR; a run does not set them at the target "
            "then",
    },
    {
        .name = "no-formatters",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "leave payload formatters behind, those of single devices too",
    },
    {
        .name = "payload",
        .type = OPTION_STRING,
        .flags = OPTION_LIST,
        .argument = "HEX",
        .help = "bytes of an uplink, in hexadecimal digits; may be repeated",
    },
    {
        .name = "fields",
        .type = OPTION_STRING,
        .flags = OPTION_LIST,
        .argument = "JSON",
        .help = "fields of a downlink, a JSON object; may be repeated",
    },
    {
        .name = "port",
        .type = OPTION_UINT,
        .default_value = "1",
        .argument = "N",
        .help = "port of the uplinks and downlinks",
        .least = 1,
        .most = 255,
    },
    {
        .name = "strict",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "take members that nobody knows for errors",
    },
    {
        .name = "progress",
        .type = OPTION_CHOICE,
        .choices = "auto always never",
        .default_value = "auto",
        .argument = "WHEN",
        .help = "show progress on standard error; auto is only on a terminal",
    },
    {
        .name = "json",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "write JSON for programs instead of text for people",
    },
    {
        .name = "verbose",
        .type = OPTION_BOOL,
        .default_value = "false",
        .help = "write a debug log, and errors with all their causes, to standard error",
    },
    {
        .name = "log-format",
        .type = OPTION_CHOICE,
        .choices = "text json",
        .default_value = "text",
        .argument = "FORMAT",
        .help = "form of the messages on standard error; json is one object a line",
    },
    {
        .name = "color",
        .type = OPTION_CHOICE,
        .choices = "auto always never",
        .default_value = "auto",
        .argument = "WHEN",
        .help = "colour messages; auto is on a terminal unless NO_COLOR is set",
    },
    {.name = NULL},
};
