// SPDX-License-Identifier: Apache-2.0
// A file over HTTP, for what is needed before a run starts.
#ifndef NET_HTTP_FETCH_H
#define NET_HTTP_FETCH_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/transport.h"

// Gets an http:// or https:// URL and appends its content, at most `limit` bytes, to `content`. Waits, with
// nothing else going on at the transport, at most `timeout` ns. No redirects. ERROR_USAGE for a URL that
// is none; else what became of the call.
int http_fetch(struct transport *transport, const char *url, size_t limit, int64_t timeout,
               struct buffer *content, struct error *error);

#endif
