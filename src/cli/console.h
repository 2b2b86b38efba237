// SPDX-License-Identifier: Apache-2.0
// Messages on standard error: where log records and errors go.
//
//     text   ttn-lw-migrate: warning: device x: the message: the reason
//              try: what to do about it
//     json   {"time","level","msg","device_id","server","method","error"}, one object a line; members that a
//            record does not have are left out; times are RFC 3339 in UTC; of a gateway it is "gateway_id"
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/option.h"

struct progress;

struct console {
    struct log log;             // for everyone who logs; its address stays
    int fd;                     // where messages go; borrowed
    const struct clock *clock;  // borrowed
    bool json;
    bool colour;
    bool gateways;              // what records call a device is a gateway
    struct progress *progress;  // drawn below the messages, or NULL; borrowed
};

// A console for texts without colours that drops debug records. It must not be moved afterwards.
void console_init(struct console *console, int fd, const struct clock *clock);

// Applies --verbose, --log-format and --color; `terminal` says whether fd is one, `lookup` reads NO_COLOR and
// TERM.
void console_configure(struct console *console, const struct option_values *global, bool terminal,
                       option_lookup *lookup);

// True if records of level debug are shown, and errors with all their causes.
bool console_verbose(const struct console *console);

// Reports an error that ends a command.
void console_error(const struct console *console, const struct error *error);

#endif
