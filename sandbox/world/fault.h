// SPDX-License-Identifier: Apache-2.0
// Faults on purpose, named and countable: METHOD:KIND[=VALUE][:every=N|:at=N|:count=N]...
//
//   METHOD  the last part of the method's path (SetDevice, token), with its service where several have a method of
//           that name (NsEndDeviceRegistry/Set), or * for all
//   every   each Nth call; at: the Nth alone; count: at most so often. Without any: every call
//
// What happens before and after the change is told apart in each kind's row of fault.c.
#ifndef SANDBOX_WORLD_FAULT_H
#define SANDBOX_WORLD_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_UNAVAILABLE,            // status 14 (HTTP 503), nothing is changed
    FAULT_RESOURCE_EXHAUSTED,     // status 8 (HTTP 429 with Retry-After), nothing is changed
    FAULT_RESOURCE_EXHAUSTED_13,  // status 13 with the broker's ResourceExhausted in its text
    FAULT_INTERNAL,               // status 13 (HTTP 500), nothing is changed
    FAULT_ABORTED,                // status 10, nothing is changed
    FAULT_LOCKED,                 // status 13 (HTTP 500), as of a database that another call holds
    FAULT_REJECTED,               // status 3 (HTTP 400), nothing is changed: trying again does not help
    FAULT_TOKEN_EXPIRED,          // status 7 (HTTP 401), as for a token that has run out
    FAULT_UNAVAILABLE_AFTER,      // status 14 although the change was made
    FAULT_RESET_BEFORE,           // connection reset, nothing is changed
    FAULT_RESET_AFTER,            // connection reset, the change was made
    FAULT_RESET_MIDDLE,           // the headers arrive, then the connection is reset; the change was made
    FAULT_NO_TRAILERS,            // the message arrives, then the connection ends
    FAULT_DEADLINE,               // no answer ever, nothing is changed
    FAULT_DEADLINE_AFTER,         // no answer ever, the change was made
    FAULT_DELAY,                  // the answer comes =DURATION later
    FAULT_GARBAGE,                // status 0 with bytes that are no message
    FAULT_EMPTY,                  // status 0 with an empty message
    FAULT_OVERSIZED,              // status 0 with a message of =BYTES (default 80 MiB)
    FAULT_GOAWAY,                 // answered; every connection of that server is told to go away
    FAULT_REFUSE,                 // connections reset and refused for =DURATION (default 1s)
    FAULT_HALF,         // status 13; V2's SetDevice wrote its Network Server alone, other calls nothing
    FAULT_GARBAGE_HTTP  // bytes that are no HTTP, then the connection ends
};

struct fault {
    char *method;  // owned; "*" = all
    enum fault_kind kind;
    int64_t value;   // ns or bytes
    uint64_t every;  // 0 = not given
    uint64_t at;
    uint64_t count;
    uint64_t seen;  // calls of the method so far
    uint64_t made;  // faults so far
};

// Fills `ret_fault` from its text; the caller releases it. ERROR_USAGE.
int fault_parse(const char *spec, struct fault *ret_fault, struct error *error);
void fault_release(struct fault *fault);

// Counts a call of `method`; true if the fault happens to it.
bool fault_hits(struct fault *fault, const char *method);

// The name of a kind; a static text.
const char *fault_kind_name(enum fault_kind kind);

// True if the call is not made at all.
bool fault_is_before(enum fault_kind kind);

#endif
