// SPDX-License-Identifier: Apache-2.0
#include "server/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"

enum { REAL_RATE = 5, PORT_MOST = 65535, LATENCY_MOST = 3600 };
#define DEVICES_MOST UINT64_C(10000000)

enum id {
    ID_DEVICES = 256,
    ID_SEED,
    ID_LISTEN,
    ID_LATENCY,
    ID_RATE_LIMIT,
    ID_REAL_LIMITS,
    ID_FAULT,
    ID_RECORD,
    ID_STATE,
    ID_UPLINKS,
    ID_APP_ID,
    ID_BROKEN,
    ID_DISCOVERY_PORT,
    ID_PLAIN_DISCOVERY_PORT,
    ID_HANDLER_PORT,
    ID_PLAIN_HANDLER_PORT,
    ID_HTTP_PORT,
    ID_TTS_DEVICES,
    ID_TTS_PORT,
    ID_PLAIN_TTS_PORT,
    ID_PLAIN_HANDLER,
    ID_PORTS_FILE,
    ID_FIREFLY_DEVICES,
    ID_HELP,
    ID_VERSION,
    ID_CHIRPSTACK_DEVICES,
    ID_CHIRPSTACK_PORT,
    ID_LORIOT_DEVICES,
    ID_AWSIOT_DEVICES,
    ID_FUNCTIONS,
};

static const struct option table[] = {
    {"devices", required_argument, NULL, ID_DEVICES},
    {"seed", required_argument, NULL, ID_SEED},
    {"listen", required_argument, NULL, ID_LISTEN},
    {"latency", required_argument, NULL, ID_LATENCY},
    {"rate-limit", required_argument, NULL, ID_RATE_LIMIT},
    {"real-limits", no_argument, NULL, ID_REAL_LIMITS},
    {"fault", required_argument, NULL, ID_FAULT},
    {"record", required_argument, NULL, ID_RECORD},
    {"state", required_argument, NULL, ID_STATE},
    {"uplinks", required_argument, NULL, ID_UPLINKS},
    {"app-id", required_argument, NULL, ID_APP_ID},
    {"broken", no_argument, NULL, ID_BROKEN},
    {"discovery-port", required_argument, NULL, ID_DISCOVERY_PORT},
    {"plain-discovery-port", required_argument, NULL, ID_PLAIN_DISCOVERY_PORT},
    {"handler-port", required_argument, NULL, ID_HANDLER_PORT},
    {"plain-handler-port", required_argument, NULL, ID_PLAIN_HANDLER_PORT},
    {"http-port", required_argument, NULL, ID_HTTP_PORT},
    {"tts-devices", required_argument, NULL, ID_TTS_DEVICES},
    {"tts-port", required_argument, NULL, ID_TTS_PORT},
    {"plain-tts-port", required_argument, NULL, ID_PLAIN_TTS_PORT},
    {"plain-handler", no_argument, NULL, ID_PLAIN_HANDLER},
    {"ports-file", required_argument, NULL, ID_PORTS_FILE},
    {"firefly-devices", required_argument, NULL, ID_FIREFLY_DEVICES},
    {"help", no_argument, NULL, ID_HELP},
    {"version", no_argument, NULL, ID_VERSION},
    {"chirpstack-devices", required_argument, NULL, ID_CHIRPSTACK_DEVICES},
    {"chirpstack-port", required_argument, NULL, ID_CHIRPSTACK_PORT},
    {"loriot-devices", required_argument, NULL, ID_LORIOT_DEVICES},
    {"awsiot-devices", required_argument, NULL, ID_AWSIOT_DEVICES},
    {"functions", required_argument, NULL, ID_FUNCTIONS},
    {NULL, 0, NULL, 0},
};

const char options_help[] =
    "Usage: ttn-lw-sandbox [OPTION]...\n"
    "\n"
    "Plays the networks of a migration on this machine. Prints `export NAME='value'` lines for the shell "
    "once it\n"
    "serves, then serves until SIGTERM or SIGINT. All keys are made up.\n"
    "\n"
    "The world:\n"
    "  --devices N            devices of V2's application (default 10); the first is called mydevice\n"
    "  --tts-devices N        devices of the application my-tts-app in The Things Stack (default 0); "
    "my-new-app "
    "is\n"
    "                         empty\n"
    "  --firefly-devices N    devices in Firefly (default 0), not in --state\n"
    "  --seed S               what they are drawn from (default 1)\n"
    "  --app-id ID            V2's application (default my-ttn-app)\n"
    "  --functions WHAT       V2's payload functions: small (the default), none, large (too large to go)\n"
    "  --chirpstack-devices N       the same for the application meters of ChirpStack (default 10)\n"
    "  --loriot-devices N     devices in LORIOT (default 0), not in --state\n"
    "  --awsiot-devices N     devices in AWS (default 0), one of Sidewalk, not in --state\n"
    "  --broken               adds devices, and gateways in ChirpStack, that cannot be migrated as they are, "
    "named\n"
    "                         after their defects\n"
    "  --record FILE          adds recorded devices: JSON lines {\"dev_id\", \"get_device_hex\"}; several\n"
    "  --state FILE           reads the world from FILE if it is there, and writes it back at the end\n"
    "  --uplinks RATE         uplinks a second over all devices, meanwhile (default 0)\n"
    "\n"
    "Trouble:\n"
    "  --latency TIME         each answer comes so much later: 30ms, 2s\n"
    "  --real-limits          the limits of the real servers (V2: 5 calls a second)\n"
    "  --rate-limit N         the same limiter with N calls a second: 5, 5/s; at The Things Stack that many "
    "of "
    "each\n"
    "                         method for a key\n"
    "  --fault SPEC           METHOD:KIND[=VALUE][:every=N|:at=N|:count=N]; several. METHOD is a name such "
    "as\n"
    "                         SetDevice, NsEndDeviceRegistry/Set, token (Account Server), or * for all. KIND "
    "is "
    "one of\n"
    "                           unavailable, unavailable-after, resource-exhausted, resource-exhausted-13,\n"
    "                           internal, locked, aborted     an error; -after: though the change was made\n"
    "                           rejected              an error for good\n"
    "                           half                  of V2's SetDevice the Network Server's part is done;\n"
    "                                                 status 13\n"
    "                           token-expired         refused as for a token that has run out\n"
    "                           reset-before, reset-middle, reset-after (or after-commit)     the connection "
    "is\n"
    "                                                 reset; reset-middle: behind the answer's headers\n"
    "                           no-trailers           the connection ends after the message\n"
    "                           deadline, deadline-after     no answer comes\n"
    "                           delay=TIME            the answer comes later (default 1s)\n"
    "                           garbage, empty, oversized=BYTES     an answer that is none\n"
    "                           goaway                every connection is told to go away\n"
    "                           refuse=TIME           connections reset, and refused for a while (default "
    "1s)\n"
    "                           garbage-http          bytes that are no HTTP\n"
    "\n";

const char options_help_servers[] =
    "The servers (a port of 0, the default, takes a free one):\n"
    "  --listen ADDRESS       IP address to listen at (default 127.0.0.1)\n"
    "  --discovery-port N     Discovery of V2, TLS\n"
    "  --plain-discovery-port N     the same without TLS\n"
    "  --handler-port N       Handler of V2, TLS\n"
    "  --plain-handler-port N       the same without TLS\n"
    "  --http-port N          Account Server of V2, ChirpStack v3, Firefly, LORIOT and AWS; GET /state\n"
    "                         (?devices=0: calls only), POST and DELETE "
    "/fault\n"
    "  --tts-port N           Identity Server of The Things Stack, TLS; Network, Application and Join Server "
    "follow "
    "at\n"
    "                         N+1 to N+3\n"
    "  --plain-tts-port N     the same without TLS\n"
    "  --chirpstack-port N    ChirpStack v4, without TLS\n"
    "  --plain-handler        Discovery announces the Handler without TLS, with an empty certificate\n"
    "  --ports-file FILE      also writes the export lines to FILE\n"
    "  --help, --version\n";

// Digits, then `suffix` or nothing.
static bool parse_uint(const char *text, const char *suffix, uint64_t most, uint64_t *ret_value) {
    if (*text < '0' || *text > '9') return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || value > most || (*end != '\0' && strcmp(end, suffix) != 0)) return false;
    *ret_value = value;
    return true;
}

static bool parse_port(const char *text, unsigned *ret_port) {
    uint64_t port = 0;
    if (!parse_uint(text, "", PORT_MOST, &port)) return false;
    *ret_port = (unsigned)port;
    return true;
}

// The first of the four ports of The Things Stack's servers.
static bool parse_first_port(const char *text, unsigned *ret_port) {
    return parse_port(text, ret_port) && *ret_port <= PORT_MOST - 3;
}

// A bare number is seconds.
static bool parse_latency(const char *text, int64_t *ret_latency) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    uint64_t bare = 0;
    if (parse_uint(text, "", LATENCY_MOST, &bare)) {
        seconds = (int64_t)bare;
    } else if (!duration_parse(text, strlen(text), &seconds, &nanos)) {
        return false;
    }
    if (seconds < 0 || nanos < 0 || seconds > LATENCY_MOST) return false;
    *ret_latency = seconds * NS_PER_SECOND + nanos;
    return true;
}

static bool parse_rate(const char *text, double *ret_rate) {
    char *end = NULL;
    double rate = strtod(text, &end);
    if (end == text || (*end != '\0' && strcmp(end, "/s") != 0) || !(rate >= 0 && rate <= 1e6)) return false;
    *ret_rate = rate;
    return true;
}

static bool append(const char *text, const char **list, size_t *count) {
    if (*count == OPTION_LIST_MAX) return false;
    list[(*count)++] = text;
    return true;
}

static bool parse_functions(const char *text, enum world_functions *ret_functions) {
    static const char *const names[] = {[WORLD_FUNCTIONS_SMALL] = "small",
                                        [WORLD_FUNCTIONS_NONE] = "none",
                                        [WORLD_FUNCTIONS_LARGE] = "large"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *ret_functions = (enum world_functions)i;
        return true;
    }
    return false;
}

static bool set_world(int id, const char *text, struct options *options) {
    uint64_t number = 0;
    struct world_setup *world = &options->world;
    switch (id) {
        case ID_DEVICES:
            return parse_uint(text, "", DEVICES_MOST, &world->devices);
        case ID_FIREFLY_DEVICES:
            return parse_uint(text, "", DEVICES_MOST, &world->firefly_devices);
        case ID_TTS_DEVICES:
            return parse_uint(text, "", DEVICES_MOST, &world->tts_devices);
        case ID_AWSIOT_DEVICES:
            return parse_uint(text, "", DEVICES_MOST, &world->awsiot_devices);
        case ID_LORIOT_DEVICES:
            return parse_uint(text, "", DEVICES_MOST, &world->loriot_devices);
        case ID_SEED:
            return parse_uint(text, "", UINT64_MAX, &world->seed);
        case ID_BROKEN:
            return (world->broken = true);
        case ID_UPLINKS:
            return parse_rate(text, &world->uplinks);
        case ID_REAL_LIMITS:
            return (world->rate_limit = REAL_RATE) != 0;
        case ID_RATE_LIMIT:
            if (!parse_uint(text, "/s", UINT32_MAX, &number)) return false;
            world->rate_limit = (uint32_t)number;
            return true;
        case ID_APP_ID:
            world->app_id = text;
            return *text != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(text);
        case ID_FUNCTIONS:
            return parse_functions(text, &world->functions);
        case ID_CHIRPSTACK_DEVICES:
            return parse_uint(text, "", DEVICES_MOST, &world->chirpstack_devices);
        default:
            return false;
    }
}

static bool set(int id, const char *text, struct options *options) {
    switch (id) {
        case ID_LISTEN:
            return (options->listen = text) != NULL;
        case ID_STATE:
            return (options->state = text) != NULL;
        case ID_PORTS_FILE:
            return (options->ports_file = text) != NULL;
        case ID_LATENCY:
            return parse_latency(text, &options->latency);
        case ID_FAULT:
            return append(text, options->faults, &options->fault_count);
        case ID_RECORD:
            return append(text, options->records, &options->record_count);
        case ID_DISCOVERY_PORT:
            return parse_port(text, &options->discovery_port);
        case ID_PLAIN_DISCOVERY_PORT:
            return parse_port(text, &options->plain_discovery_port);
        case ID_HANDLER_PORT:
            return parse_port(text, &options->handler_port);
        case ID_PLAIN_HANDLER_PORT:
            return parse_port(text, &options->plain_handler_port);
        case ID_HTTP_PORT:
            return parse_port(text, &options->http_port);
        case ID_CHIRPSTACK_PORT:
            return parse_port(text, &options->chirpstack_port);
        case ID_TTS_PORT:
            return parse_first_port(text, &options->tts_port);
        case ID_PLAIN_TTS_PORT:
            return parse_first_port(text, &options->plain_tts_port);
        case ID_PLAIN_HANDLER:
            return (options->plain_handler = true);
        case ID_HELP:
            return (options->help = true);
        case ID_VERSION:
            return (options->version = true);
        default:
            return set_world(id, text, options);
    }
}

int options_parse(int argc, char **argv, struct options *ret_options, struct error *error) {
    struct options options = {.world = {.seed = 1, .devices = 10, .chirpstack_devices = 10},
                              .listen = "127.0.0.1"};
    opterr = 0;
    for (;;) {
        int index = -1;
        int id = getopt_long(argc, argv, "", table, &index);
        if (id == -1) break;
        if (id == '?')
            return error_set(error, ERROR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        if (!set(id, optarg, &options)) {
            return error_set(error, ERROR_USAGE, "--%s: \"%s\" is not valid", table[index].name,
                             optarg != NULL ? optarg : "");
        }
    }
    if (optind < argc) return error_set(error, ERROR_USAGE, "unexpected argument %s", argv[optind]);
    *ret_options = options;
    return 0;
}
