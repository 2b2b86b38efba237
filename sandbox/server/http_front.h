// SPDX-License-Identifier: Apache-2.0
// The HTTP servers (libmicrohttpd): the Account Server, and the window into the world:
//
//   GET /state             the world as JSON: calls by method and every device; ?devices=0 leaves the devices
//   out POST /fault            adds faults, one a line; DELETE /fault removes all
#ifndef SANDBOX_SERVER_HTTP_FRONT_H
#define SANDBOX_SERVER_HTTP_FRONT_H

#include "server/certificate.h"
#include "server/stage.h"

struct http_front;

// Serves at address:port (an IP address; 0 = a free port), with TLS unless `certificate` is NULL. `stage` and
// `certificate` are borrowed. ERROR_SYSTEM.
int http_front_start(struct stage *stage, const char *address, unsigned port,
                     const struct certificate *certificate, struct http_front **ret_front, unsigned *ret_port,
                     struct error *error);

// Stops serving and frees. Accepts NULL.
void http_front_free(struct http_front *front);

#endif
