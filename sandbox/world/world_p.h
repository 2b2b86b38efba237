// SPDX-License-Identifier: Apache-2.0
// What the files of the world share. Each network is a `struct` of its own that knows nothing of the others.
#ifndef SANDBOX_WORLD_WORLD_P_H
#define SANDBOX_WORLD_WORLD_P_H

#include "world/fault.h"
#include "world/field.h"
#include "world/world.h"

struct v2;
struct cs;
struct tts;
struct firefly;

enum { METHODS_MAX = 128, FAULTS_MAX = 64 };

// How often a method was called and what came of it.
struct method_calls {
    char name[64];
    uint64_t calls;
    uint64_t ok;
    uint64_t refused;  // by a limiter
    uint64_t failed;   // with another status
    uint64_t faults;
};

struct world {
    struct v2 *v2;            // owned
    struct tts *tts;          // owned
    struct cs *chirpstack;    // owned
    struct firefly *firefly;  // owned
    struct field field;
    struct fault faults[FAULTS_MAX];
    size_t fault_count;
    struct method_calls methods[METHODS_MAX];
    size_t method_count;
};

// gRPC status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html).
enum status {
    STATUS_OK = 0,
    STATUS_UNKNOWN = 2,
    STATUS_INVALID_ARGUMENT = 3,
    STATUS_NOT_FOUND = 5,
    STATUS_ALREADY_EXISTS = 6,
    STATUS_PERMISSION_DENIED = 7,
    STATUS_RESOURCE_EXHAUSTED = 8,
    STATUS_ABORTED = 10,
    STATUS_UNIMPLEMENTED = 12,
    STATUS_INTERNAL = 13,
    STATUS_UNAVAILABLE = 14,
    STATUS_UNAUTHENTICATED = 16,
};

// Makes the reply a refusal: status and message, no body. Returns the status.
int world_reply_status(struct world_reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void world_reply_add_header(struct world_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The value of the last header of that name, or NULL.
const char *world_request_header(const struct world_request *request, const char *name);

#endif
