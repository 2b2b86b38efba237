// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <string.h>

#include "base/words.h"
#include "cli/command.h"

// Options that every command has.
#define OPTIONS_OF_ALL "verbose log-format color"

// Options that every command takes, because the older tool did.
#define OPTIONS_IGNORED "dry-run frequency-plans-url dev-id-prefix"

#define OPTIONS_OF_MIGRATION                                                                                 \
    "source to output dry-run frequency-plans-url dev-id-prefix set-eui-as-id map concurrency rate timeout " \
    "on-conflict create-application formatters no-formatters plan no-plan keep-going progress journal "      \
    "no-journal journal-key-file report json"

const struct command commands[] = {
    {
        .name = "application",
        .aliases = "applications apps app a",
        .arguments = "[ID...]",
        .summary = "Migrate all devices of applications",
        .details = "Reads every device of each application, writes it to standard output, one JSON object a "
                   "line, and then takes it away from its network, as far as the source's flags say so. "
                   "Without an ID, application IDs are read from "
                   "standard input, one a line; if there is none, it is the application of the source's "
                   "flags. With --dry-run nothing is changed anywhere.",
        .examples = "ttnv2 application my-ttn-app --dry-run --verbose > all.json\n"
                    "ttnv2 application my-ttn-app --output all.json\n"
                    "application --source ttnv2 my-ttn-app --output all.json",
        .options = OPTIONS_OF_MIGRATION,
        .flags = COMMAND_SOURCE,
        .most_arguments = SIZE_MAX,
        .run = cmd_application,
    },
    {
        .name = "device",
        .aliases = "end-devices end-device devices devs dev d",
        .arguments = "[ID...]",
        .summary = "Migrate devices by their IDs",
        .details =
            "Reads each device, writes it to standard output, one JSON object a line, and then takes it "
            "away from its network. Without an ID, device IDs are read from standard input, one a line. "
            "With --dry-run nothing is changed anywhere.",
        .examples = "ttnv2 device mydevice --dry-run --verbose > devices.json\n"
                    "ttnv2 device mydevice --output devices.json\n"
                    "ttnv2 device < device_ids.txt > devices.json\n"
                    "device --source ttnv2 --ttnv2.with-session=false mydevice",
        .options = OPTIONS_OF_MIGRATION,
        .flags = COMMAND_SOURCE,
        .most_arguments = SIZE_MAX,
        .run = cmd_device,
    },
    {
        .name = "gateway",
        .aliases = "gateways gtws gtw g",
        .arguments = "[ID...]",
        .summary = "Carry gateways over",
        .details =
            "Reads gateways of the source and writes them to standard output, one JSON object a line, or "
            "creates "
            "them at the target. Without an ID, IDs are read from standard input, one a line; if there is "
            "none, all "
            "gateways that the token or key may list are meant. Gateways stay at their source, and nothing "
            "is "
            "changed there, but with --redirect: then The Things Stack as source tells each gateway to go to "
            "the target, as docs/gateways.md describes.",
        .examples = "ttnv2 gateway > gateways.json\n"
                    "ttnv2 gateway eui-0000000000000001 --to tts\n"
                    "tts gateway --to tts --redirect\n"
                    "chirpstack gateway 00800000a0000101 --to tts\n"
                    "wanesy gateway --csv-path gateways.csv --to tts",
        .options =
            "source to output dry-run frequency-plans-url rate timeout on-conflict plan no-plan keep-going "
            "progress journal no-journal journal-key-file report json redirect redirect-key-file",
        .flags = COMMAND_SOURCE | COMMAND_GATEWAYS,
        .most_arguments = SIZE_MAX,
        .run = cmd_gateway,
    },
    {
        .name = "plan",
        .arguments = "SOURCE application|device|gateway [ID...]",
        .summary = "Tell what would become of each device, and change nothing",
        .details = "Finds out everything that can be known without changing anything, for the whole fleet: "
                   "whether the "
                   "keys have the rights, whether each device can be converted and would be taken by the "
                   "target, what "
                   "the target has already, which IDs collide, what would be lost. The same as the command "
                   "with --plan.",
        .examples = "plan ttnv2 application my-ttn-app --to tts\nplan ttnv2 application my-ttn-app --json",
        .run = cmd_plan,
    },
    {
        .name = "verify",
        .arguments = "[JOURNAL]",
        .summary = "Read the devices of a run back from their target",
        .details =
            "Compares every device that the run imported, field by field, with what it was to be, and the "
            "payload formatters that it set. With "
            "--wait-uplink, waits until all of them are heard at the target, and lists those that stay "
            "silent. "
            "With --json, each device is an object, and each application whose formatters were set "
            "(formatters_of). "
            "Nothing is changed.",
        .examples = "verify\nverify --wait-uplink 15m\nverify --json 20260131T101500Z-3f2a",
        .options = "wait-uplink json concurrency rate timeout progress journal-key-file",
        .flags = COMMAND_RUN,
        .most_arguments = 1,
        .run = cmd_verify,
    },
    {
        .name = "status",
        .arguments = "[JOURNAL]",
        .summary = "Tell how far a run came, and what to do next",
        .details =
            "JOURNAL is the path of a journal or the ID of a run as --list prints it; without it, it is the "
            "latest run. Nothing is contacted.",
        .examples = "status\nstatus --list\nstatus --failed-ids > failed.txt",
        .options = "list failed-ids unfinished-ids forget json",
        .most_arguments = 1,
        .run = cmd_status,
    },
    {
        .name = "resume",
        .arguments = "[JOURNAL]",
        .summary = "Finish a run that was interrupted",
        .details =
            "Goes on where the run ended, with its options and in its own output file, wherever standard "
            "output goes: every line once. With --output, or on standard output if the run had no output "
            "file or that is gone, all lines of the run are written anew. With --failed, devices that were "
            "set aside are tried again. Flags of the run's source that decide how devices are converted, "
            "such as "
            "--chirpstack.frequency-plan-id, may be given anew with the source's name before them: they hold "
            "for "
            "devices that are not begun, and are kept in the journal. So may keys and tokens of both "
            "networks, here "
            "and for verify and rollback.",
        .examples = "resume\nresume --failed\nresume --failed --chirpstack.frequency-plan-id AS_923\n"
                    "resume --output again.json 20260131T101500Z-3f2a",
        .options =
            "failed output map dry-run concurrency rate timeout keep-going progress journal-key-file report",
        .flags = COMMAND_RUN | COMMAND_CONVERTS,
        .most_arguments = 1,
        .run = cmd_resume,
    },
    {
        .name = "rollback",
        .arguments = "[JOURNAL] [ID...]",
        .summary = "Put the devices of a run back into their old network",
        .details =
            "Gives the source its devices back as they were, with keys and sessions: all of the run, or "
            "those "
            "with the IDs. What cannot be put back is told. A target that is a server loses what the run "
            "made there; "
            "from any other network the devices have to be taken first. With --silent, only devices go back "
            "that "
            "the target has not heard since they were imported. IDs need the journal's name before them.",
        .examples = "rollback --dry-run\nrollback\nrollback 20260131T101500Z-3f2a mydevice",
        .options =
            "silent wait-uplink dry-run concurrency rate timeout keep-going progress journal-key-file report",
        .flags = COMMAND_RUN,
        .most_arguments = SIZE_MAX,
        .run = cmd_rollback,
    },
    {
        .name = "report",
        .arguments = "[JOURNAL]",
        .summary = "Write an HTML page about a run",
        .details =
            "What the run was, how many devices are where, what failed and why, and all devices. It holds no "
            "keys and needs none, also for an encrypted journal. JOURNAL as with `status`; without it, it is "
            "the latest run. Nothing is contacted.",
        .examples = "report > run.html\nreport --output run.html 20260131T101500Z-3f2a",
        .options = "output",
        .most_arguments = 1,
        .run = cmd_report,
    },
    {
        .name = "validate",
        .arguments = "FILE",
        .summary = "Check a file of devices without a network",
        .details =
            "FILE holds devices as any source that is a file reads them: JSON or the CSV of The Things "
            "Stack, the "
            "list of ThingPark, Helium or Wanesy, which is seen by its content; - is standard input. "
            "--source "
            "names the source, and its flags, with the source's name before them, say how the file is read "
            "and "
            "what it leaves open. What cannot be read, what The Things Stack would refuse and what stands "
            "twice "
            "is written to standard output, one finding a line: FILE:LINE: DEVICE: FIELD: what is wrong. The "
            "exit "
            "code is 0 if all is well, 3 if there are findings, 1 if the file cannot be read. With --strict, "
            "members that nobody knows are findings too; with --json, each finding is an object.",
        .examples = "validate devices.json\nvalidate --json - < devices.csv\n"
                    "validate list.csv --csv.map dev_eui=EUI --csv.delimiter '|'\n"
                    "validate list.csv --source thingpark --map changes.csv",
        .options = "source strict json map frequency-plans-url timeout",
        .most_arguments = 1,
        .flags = COMMAND_FILE,
        .run = cmd_validate,
    },
    {
        .name = "sources",
        .aliases = "list-sources get-sources",
        .summary = "List the sources that devices can come from",
        .examples = "sources\nsources --json",
        .options = "json",
        .flags = COMMAND_LENIENT,
        .run = cmd_sources,
    },
    {
        .name = "targets",
        .aliases = "list-targets get-targets",
        .summary = "List the targets that devices can go to",
        .details =
            "A target's own flags begin with --to. and its name: application --to tts --help shows them.",
        .examples = "targets\ntargets --json",
        .options = "json",
        .run = cmd_targets,
    },
    {
        .name = "frequency-plans",
        .arguments = "[ID]",
        .summary = "List the frequency plans, or show one",
        .examples = "frequency-plans\nfrequency-plans EU_863_870_TTN\nfrequency-plans --json",
        .options = "json frequency-plans-url timeout",
        .words = COMMAND_WORDS_PLANS,
        .most_arguments = 1,
        .run = cmd_frequency_plans,
    },
    {
        .name = "formatters",
        .arguments = "check|convert FILE...",
        .summary = "Carry payload functions of V2 over to The Things Stack",
        .details =
            "convert makes an uplink and a downlink formatter of V2's payload functions and writes them to "
            "standard "
            "output as JSON, or to files (--formatters). check runs both on payloads (--payload, or one a "
            "line on "
            "standard input) and on fields of downlinks (--fields), and tells whether they give the same; a "
            "formatter "
            "of The Things Stack is run by itself. FILE is a .js file with any of the functions Decoder, "
            "Converter, "
            "Validator and Encoder, a folder with decoder.js, converter.js, validator.js and encoder.js, the "
            "application as V2's API gives it (JSON), or - for standard input. Scripts beyond ECMAScript 5.1 "
            "are "
            "reported as unchecked. Nothing is contacted.",
        .examples = "formatters convert decoder.js encoder.js > formatters.json\n"
                    "formatters convert application.json --formatters converted\n"
                    "formatters check decoder.js --payload 08fc5a --port 2\n"
                    "formatters check functions/ --port 2 < payloads.txt",
        .options = "formatters payload fields port json",
        .words = COMMAND_WORDS_FORMATTERS,
        .most_arguments = SIZE_MAX,
        .run = cmd_formatters,
    },
    {
        .name = "completion",
        .arguments = "bash|zsh|fish",
        .summary = "Write a script that completes command lines in a shell",
        .examples = "completion bash > /etc/bash_completion.d/ttn-lw-migrate\n"
                    "completion zsh > \"${fpath[1]}/_ttn-lw-migrate\"\n"
                    "completion fish | source",
        .words = COMMAND_WORDS_SHELLS,
        .most_arguments = 1,
        .flags = COMMAND_LENIENT,
        .run = cmd_completion,
    },
    {
        .name = "version",
        .summary = "Show the version",
        .flags = COMMAND_LENIENT,
        .run = cmd_version,
    },
    {
        .name = "help",
        .arguments = "[COMMAND]",
        .summary = "Show help on the program, a command or a source",
        .examples = "help device\nhelp ttnv2",
        .words = COMMAND_WORDS_TOPICS,
        .most_arguments = 2,
        .flags = COMMAND_LENIENT,
        .run = cmd_help,
    },
    {.name = NULL},
};

const struct command *command_find(const char *name, size_t size) {
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (word_equals(command->name, name, size)) return command;
        if (words_contain(command->aliases, name, size)) return command;
    }
    return NULL;
}

bool command_shows(const struct command *command, const char *option) {
    size_t size = strlen(option);
    return words_contain(OPTIONS_OF_ALL, option, size) || words_contain(command->options, option, size);
}

bool command_accepts(const struct command *command, const char *option) {
    return command_shows(command, option) || words_contain(OPTIONS_IGNORED, option, strlen(option));
}
