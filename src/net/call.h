// SPDX-License-Identifier: Apache-2.0
// A call to a server as data, and its reply. Drivers write calls and read replies; they never wait.
#ifndef NET_CALL_H
#define NET_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

// The most a reply may hold, unless a call says less.
#define CALL_REPLY_LIMIT (64U * 1024 * 1024)

// A server that calls go to. It is described by a driver and must outlive its calls.
struct server {
    const char *name;      // what messages call it: "Handler localhost:1904"; borrowed
    const char *address;   // host:port, IPv6 in brackets; borrowed
    bool plain;            // no TLS; gRPC then speaks HTTP/2 with prior knowledge
    const char *ca_pem;    // PEM text of additional roots, or NULL; borrowed
    bool only_ca_pem;      // trust nothing but ca_pem
    const char *tls_name;  // host name to verify and to send as SNI; NULL = the host of `address`
    double rate;           // calls/s that the server is known to take; 0 = not known, find out
};

struct arena;
struct call;
struct reply;

// How calls that only read are put together into one, where several of them wait for their turn at a server.
struct call_group {
    const char *method;  // of the joined call
    size_t most;         // calls in one

    // True if two of them go together.
    bool (*fit)(const struct call *a, const struct call *b);

    // Makes *ret_joined, zeroed before, the call that asks what all of these do. What it points to lies in the arena, or where
    // theirs does.
    void (*join)(const struct call *const calls[], size_t count, struct arena *arena,
                 struct call *ret_joined);

    // Makes ret_replies, zeroed before, what `reply` (which is OK) says to each of them, and ret_told true for these; the
    // others, whose replies stay zeroed, are then made by themselves.
    void (*split)(const struct call *const calls[], size_t count, const struct reply *reply,
                  struct reply *ret_replies, bool *ret_told);
};

enum call_kind { CALL_GRPC, CALL_HTTP };

struct call_header {
    const char *name;   // lower case
    const char *value;  // never logged
};

enum { CALL_HEADERS_MAX = 12 };

// All pointers are borrowed and must live until the reply is there (a job's arena does).
struct call {
    enum call_kind kind;
    const struct server *server;
    const char *method;  // gRPC: "/package.Service/Method"; HTTP: the verb
    const char *path;    // HTTP: path and query, percent-encoded; gRPC: NULL
    struct call_header headers[CALL_HEADERS_MAX];
    size_t header_count;
    const void *body;  // gRPC: the message without its prefix
    size_t body_size;
    size_t reply_limit;  // bytes; 0 = CALL_REPLY_LIMIT
    unsigned side;       // whose call it is, for who made it; nothing here looks at it
    unsigned attempt;    // how often the driver has made it before: it waits as a retry would
    bool changes;        // it changes something at the server: not made in a dry run, not repeated blindly
    const struct call_group *group;  // NULL = it is always made by itself
    const void *group_context;       // the driver's own, for its group
};

// Those that somebody here asks for.
enum http_status {
    HTTP_OK = 200,
    HTTP_NO_CONTENT = 204,
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_CONFLICT = 409,
    HTTP_UNSUPPORTED_MEDIA_TYPE = 415,
    HTTP_TOO_MANY_REQUESTS = 429,
    HTTP_SERVER_ERROR = 500,
    HTTP_BAD_GATEWAY = 502,
    HTTP_UNAVAILABLE = 503,
    HTTP_GATEWAY_TIMEOUT = 504,
};

// gRPC status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html).
enum grpc_status {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_ALREADY_EXISTS = 6,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_DATA_LOSS = 15,
    GRPC_UNAUTHENTICATED = 16,
};

// What became of a call, seen from here.
enum reply_outcome {
    REPLY_ANSWERED,   // the server answered: see grpc_status or http_status
    REPLY_NOT_SENT,   // it surely did nothing: no connection
    REPLY_LOST,       // it may or may not have happened: reset, cut off, no status, deadline
    REPLY_MALFORMED,  // an answer came that is none; it may have happened
    REPLY_UNTRUSTED,  // TLS: certificate or name not accepted; nothing was sent, not retried
    REPLY_UNUSABLE,   // the call or its server's description makes no sense; nothing was sent, not retried
    REPLY_DRY,        // a change in a dry run: not made
};

// Made by reply_add_header: one allocation holds both texts.
struct reply_header {
    char *name;         // lower case; owned, its allocation holds `value` too
    const char *value;  // lies behind the name
};

struct reply {
    enum reply_outcome outcome;
    bool timed_out;   // NOT_SENT, LOST: the time was over
    bool no_tls;      // UNUSABLE: the server speaks, but no TLS
    bool unreached;   // NOT_SENT, LOST: the server never answered in the time for a first connection
    int http_status;  // 0 if none came
    enum grpc_status grpc_status;  // gRPC, if answered
    char *message;                 // gRPC: decoded grpc-message; else the transport's own words; owned
    struct reply_header *headers;  // headers and trailers, lower-case names; owned
    size_t header_count;
    struct buffer body;  // gRPC: the message without its prefix; owned
};

// Adds a header (borrowed). It is a programming error to add more than CALL_HEADERS_MAX.
void call_add_header(struct call *call, const char *name, const char *value);

// Adds a copy of a header; the name is turned to lower case. Sizes in bytes, without a NUL.
void reply_add_header(struct reply *reply, const char *name, size_t name_size, const char *value,
                      size_t value_size);

// Frees (after wiping) the headers alone.
void reply_forget_headers(struct reply *reply);

// The value of the last header of that name, or NULL.
const char *reply_header(const struct reply *reply, const char *name);

// True if the call was answered and its status says OK (gRPC 0, HTTP 2xx).
bool reply_ok(const struct reply *reply, enum call_kind kind);

// True if the server was asked and said that it is asked too much, and so did nothing: gRPC
// RESOURCE_EXHAUSTED, HTTP 429.
bool reply_refused(const struct reply *reply, enum call_kind kind);

// Turns anything but an OK into an error that names server, method and status. Returns 0 if it was OK.
// ERROR_NOT_FOUND, ERROR_DENIED, ERROR_UNAVAILABLE, ERROR_TIMEOUT, ERROR_PROTOCOL, ERROR_INPUT
// (REPLY_UNUSABLE), ERROR_CANCELLED (REPLY_DRY), ERROR_REFUSED (all other final answers).
int reply_error(const struct reply *reply, const struct call *call, struct error *error);

// Of a reply that failed for TLS: hints at the flag that names a certificate, or at how to say that there is no TLS. False if
// that is not what was wrong.
bool reply_hint_tls(const struct reply *reply, const char *ca_flag, const char *plain_flag,
                    struct error *error);

// True for an error that may pass by itself; what became of the call has to be looked at before it is made again.
bool call_may_pass(enum error_code code);

// True for an answer over gRPC that the server gives before it does anything: it does not allow the call, or cannot make
// sense of it with what it has.
bool reply_refuses(const struct reply *reply);

// Frees (after wiping) everything in it.
void reply_release(struct reply *reply);

// Checks that an address is host:port (or only a host), with IPv6 in brackets. ERROR_INPUT.
int server_check_address(const char *address, struct error *error);

#endif
