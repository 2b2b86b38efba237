// SPDX-License-Identifier: Apache-2.0
// The IDs a run is about: from the command line, or, if there are none, from standard input, one a line.
//
// A line may end in CR LF, have spaces around the ID, be empty or start with `#` (a comment); the last one
// may lack its end, and a UTF-8 byte order mark may stand before the first. A list is handed on while it is
// read; whoever stores the IDs finds those that come twice.
#ifndef CLI_IDS_H
#define CLI_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/command_line.h"

enum { IDS_LINE_MAX = 4096 };  // bytes of a line without its end

// Where the IDs come from.
enum ids_origin {
    IDS_ARGUMENTS,
    IDS_INPUT,    // standard input
    IDS_DEFAULT,  // there is nothing to read: the application of the source's flags
};

// Finds out, without reading anything. `terminal`: standard input is one, or is closed; `has_default`: the
// command has an ID of its own if none is given. ERROR_USAGE if there is no way to get an ID.
int ids_find_origin(const struct invocation *invocation, bool terminal, bool has_default,
                    enum ids_origin *ret_origin, struct error *error);

// Takes one ID, which is borrowed. Another value than 0 ends the delivery and is returned by it; `error`
// then says why.
typedef int ids_receiver(void *context, const char *id, struct error *error);

struct ids_input {
    int fd;
    int halt_fd;  // the wait for input ends with ERROR_CANCELLED when this is readable; -1 = none
};

// Delivers all IDs of the arguments or (IDS_INPUT) of a stream, in their order. *ret_count (may be NULL) is
// their number, also after an error. ERROR_USAGE for an argument, ERROR_INPUT for a line that is no ID;
// it names the line.
int ids_deliver_arguments(const struct invocation *invocation, ids_receiver *receiver, void *context,
                          uint64_t *ret_count, struct error *error);
int ids_deliver_input(const struct ids_input *input, ids_receiver *receiver, void *context,
                      uint64_t *ret_count, struct error *error);

#endif
