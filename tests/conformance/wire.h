// SPDX-License-Identifier: Apache-2.0
// What lies between a driver and the sandbox's world: every call is made once, in order, and one of them may go wrong.
#ifndef TESTS_CONFORMANCE_WIRE_H
#define TESTS_CONFORMANCE_WIRE_H

#include "base/arena.h"
#include "net/job.h"
#include "world/world.h"
#include "world/world_p.h"

#define WIRE_NOW INT64_C(1767225600123456789)

enum wire_fault {
    WIRE_LOST_BEFORE,  // the call never arrived, but who knows
    WIRE_LOST_AFTER,   // it was done, and its answer got lost
    WIRE_UNAVAILABLE,
    WIRE_TOO_MANY,   // "you ask too much": it was not done
    WIRE_TRANSIENT,  // those above pass by themselves
    WIRE_DENIED = WIRE_TRANSIENT,
    WIRE_UNTRUSTED,  // a certificate that nobody knows
    WIRE_GARBAGE,    // bytes that are no message
    WIRE_CUT,        // half of the answer, as if it were all
    WIRE_OTHER,      // a message of another form
    WIRE_EMPTY,
    WIRE_FAULTS,
};

struct wire {
    struct world *world;  // NULL: a call is a failure
    bool watched;         // a call that does not say that it changes something must not
    int calls;            // so far
    int fault_at;         // the call that it happens to; 0 = none
    enum wire_fault fault;
    int changes;        // calls that say of themselves that they change something
    bool spoiled;       // the fault happened to an answer that said OK
    bool spoiled_text;  // ... and is a text with more than one byte
};

// A job's function, with the context of whoever runs it.
typedef enum job_step wire_step(void *context, struct job *job, struct error *error);

// Runs a job to its end. The job's arena stays, for what it has found; the caller releases it.
enum job_step wire_run(struct wire *wire, struct job *job, wire_step *step, void *context,
                       struct error *error);

// Fails the test if an error's text holds the key, or anything that looks like a device's.
void wire_check_error(const struct error *error, const char *key);

#endif
