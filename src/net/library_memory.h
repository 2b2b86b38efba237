// SPDX-License-Identifier: Apache-2.0
// The memory of libcurl and OpenSSL: it held headers with credentials and messages with keys, so it is wiped
// before it is given back, like our own (base/memory.h). What HTTP/2's library (nghttp2) copies is out of
// reach: libcurl gives it no allocator.
#ifndef NET_LIBRARY_MEMORY_H
#define NET_LIBRARY_MEMORY_H

#include <stdbool.h>

// Starts libcurl (curl_global_init) so. To be called before either library is used otherwise: one that was used
// before keeps its own allocator. False if libcurl cannot be started; else curl_global_cleanup is due.
bool library_memory_init(void);

#endif
