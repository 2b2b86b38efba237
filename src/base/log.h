// SPDX-License-Identifier: Apache-2.0
// Log records. Every layer may write them; where they go and how they look is decided by the command
// line alone. A record never holds a key, a token or a password.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// One record. All pointers are borrowed and may be NULL but `message`.
struct log_record {
    enum log_level level;
    const char *message;    // one line
    const char *device_id;  // the device at the source
    const char *server;     // host:port or a server's name
    const char *method;     // gRPC method or HTTP verb and path, without a query
    const struct error *error;
};

struct log {
    enum log_level least;  // records below are dropped before they are built
    void *context;
    void (*write)(void *context, const struct log_record *record);
};

// Writes a record; `log` may be NULL.
void log_write(const struct log *log, const struct log_record *record);

// True if records of this level are wanted: lets a caller skip building them.
bool log_wants(const struct log *log, enum log_level level);

// A record with nothing but a message.
void log_printf(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
