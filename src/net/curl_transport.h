// SPDX-License-Identifier: Apache-2.0
// The transport of the program: libcurl, HTTP/2 for gRPC, HTTP/1.1 or HTTP/2 for REST, one connection a
// server as long as the server's stream limit allows.
//
//  - Trust: the system's roots, with server->ca_pem in addition or (only_ca_pem) instead; TLS 1.2 or
//    newer; certificate and name are always checked.
//  - No redirects: they would take the credentials elsewhere. Proxies as the environment says.
//  - A call that changes something is never sent a second time by libcurl on its own.
//  - Each call leaves a record at LOG_DEBUG (server, method, status, time, sizes); no header, no body.
#ifndef NET_CURL_TRANSPORT_H
#define NET_CURL_TRANSPORT_H

#include "base/log.h"
#include "net/transport.h"

struct curl_transport_setup {
    const struct log *log;  // borrowed; may be NULL
    int wake_fd;            // `wait` also ends when this is readable (it is not read); -1 = none
};

// ERROR_SYSTEM if libcurl cannot be used, or lacks HTTP/2 or TLS. Freed by its operation `free`.
struct transport *curl_transport_new(const struct curl_transport_setup *setup, struct error *error);

#endif
