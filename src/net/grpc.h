// SPDX-License-Identifier: Apache-2.0
// The parts of gRPC that lie above HTTP/2 ("gRPC over HTTP2",
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): framing of messages, status, deadline.
// Pure functions; they read whatever a server sends.
#ifndef NET_GRPC_H
#define NET_GRPC_H

#include "net/call.h"

enum {
    GRPC_PREFIX_SIZE = 5,    // a byte of flags, then the message's size, big-endian
    GRPC_TIMEOUT_SIZE = 10,  // at most eight digits, a unit, a NUL
};

// Writes the prefix of an uncompressed message of `size` bytes; size must fit in 32 bits.
void grpc_write_prefix(uint8_t prefix[GRPC_PREFIX_SIZE], size_t size);

// Writes the value of `grpc-timeout` for a time in ns: rounded up to ms, at least 1 ms.
void grpc_write_timeout(char text[GRPC_TIMEOUT_SIZE], int64_t timeout);

enum grpc_fault {
    GRPC_FAULT_NONE,
    GRPC_FAULT_FLAGS,       // an unknown flag
    GRPC_FAULT_COMPRESSED,  // compressed, although no compression was offered
    GRPC_FAULT_TOO_LARGE,   // longer than the message's buffer may grow
    GRPC_FAULT_SEVERAL,     // more than one message in answer to a unary call
    GRPC_FAULT_TRUNCATED,   // the stream ended within a message
    GRPC_FAULT_MISSING,     // the stream ended without a message
};

// Takes the body of a unary answer apart as its bytes come in.
struct grpc_decoder {
    struct buffer *message;  // where the message goes; its limit is the message's; borrowed
    uint8_t prefix[GRPC_PREFIX_SIZE];
    size_t prefix_size;  // bytes of the prefix that are there
    size_t missing;      // bytes of the message that are still to come
    enum grpc_fault fault;
};

void grpc_decoder_init(struct grpc_decoder *decoder, struct buffer *message);

// Takes the next bytes. False (for good) if they cannot belong to an answer; decoder->fault says why.
bool grpc_decoder_feed(struct grpc_decoder *decoder, const void *data, size_t size);

// Says whether exactly one message was there when the stream ended.
enum grpc_fault grpc_decoder_end(const struct grpc_decoder *decoder);

// One clause for an error message.
const char *grpc_fault_text(enum grpc_fault fault);

// Reads the value of `grpc-status`. Numbers beyond the known ones count as GRPC_UNKNOWN, as the protocol
// says. False if it is no number.
bool grpc_read_status(const char *text, enum grpc_status *ret_status);

// The text of a `grpc-message`: percent-encoding removed; what is no valid encoding is kept as it is; a NUL
// becomes a space. The caller frees it.
char *grpc_read_message(const char *text);

// True for `application/grpc`, also with a suffix or parameters.
bool grpc_is_content_type(const char *type);

// The status that an HTTP status without a gRPC status stands for
// (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md). True only for those by which a
// server or a proxy speaks about the call itself: 401, 403, 429, 502, 503, 504.
bool grpc_status_of_http(int http_status, enum grpc_status *ret_status);

#endif
