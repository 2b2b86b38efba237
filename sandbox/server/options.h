// SPDX-License-Identifier: Apache-2.0
// The command line of ttn-lw-sandbox.
#ifndef SANDBOX_SERVER_OPTIONS_H
#define SANDBOX_SERVER_OPTIONS_H

#include "world/world.h"

enum { OPTION_LIST_MAX = 64 };

// Texts are borrowed from the command line.
struct options {
    struct world_setup world;
    const char *listen;
    unsigned discovery_port;
    unsigned plain_discovery_port;
    unsigned handler_port;
    unsigned plain_handler_port;
    unsigned http_port;
    unsigned chirpstack_port;
    unsigned tts_port;        // of the Identity Server; the three others follow it. 0 = free ones
    unsigned plain_tts_port;  // the same without TLS
    bool plain_handler;       // Discovery announces the handler without TLS and without a certificate
    int64_t latency;          // ns
    const char *faults[OPTION_LIST_MAX];
    size_t fault_count;
    const char *records[OPTION_LIST_MAX];
    size_t record_count;
    const char *state;       // NULL = none
    const char *ports_file;  // NULL = none
    bool help;
    bool version;
};

// ERROR_USAGE.
int options_parse(int argc, char **argv, struct options *ret_options, struct error *error);

// The text of --help.
extern const char options_help[];
extern const char options_help_servers[];  // follows it

#endif
