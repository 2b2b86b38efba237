// SPDX-License-Identifier: Apache-2.0
// Addresses of servers as people write them: "host", "host:port", "[::1]:port", "https://host/prefix".
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>

#include "base/error.h"

struct address {
    char *host_port;  // owned; always with a port, IPv6 in brackets
    char *prefix;     // owned; the path without a trailing slash, "" if there is none
    bool plain;       // http://
    bool has_scheme;
};

// Reads an address; `option` names it in ERROR_USAGE. `port` is used where the text has none (and there
// is no scheme; http:// means 80 and https:// 443 then, unless `port_for_schemes`).
int address_parse(const char *text, const char *option, unsigned port, bool port_for_schemes,
                  struct address *ret_address, struct error *error);

void address_release(struct address *address);

#endif
