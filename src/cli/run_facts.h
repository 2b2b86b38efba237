// SPDX-License-Identifier: Apache-2.0
// What a journal tells of its run beside the devices, for whoever shows it: where they go, and what became of payload
// formatters. Nothing secret is looked at: an encrypted journal needs no key.
#ifndef CLI_RUN_FACTS_H
#define CLI_RUN_FACTS_H

#include <stdbool.h>

#include "journal/journal.h"

// *ret_text: "The Things Stack (V3) (tts), application my-app, at HOST:PORT"; or "json"; owned by the caller. *ret_server: the target is
// a server.
int run_facts_target(struct journal *journal, bool *ret_server, char **ret_text, struct error *error);

// The payload formatters of one application. Everything is borrowed during the call.
struct run_facts_formatters {
    const char *application;  // at the source
    const char *state;        // as the journal has it: "set", ...
    const char *words;        // the same for people
    const char *reason;       // why they did not go; NULL = not told
};

// Tells those of all applications that had some to carry, in the order of their names.
typedef void run_facts_receiver(void *context, const struct run_facts_formatters *formatters);
int run_facts_each_formatters(struct journal *journal, run_facts_receiver *receiver, void *context,
                              struct error *error);

#endif
