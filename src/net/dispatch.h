// SPDX-License-Identifier: Apache-2.0
// Calls with everything around them that a single call lacks: the pace that a server takes, adaptive
// concurrency, retries with backoff, deadlines, and the refusal of changes in a dry run.
//
// Rules (each server has a pacer of its own):
//  - at most `concurrency` calls at once to one server, and `most` over all; below that, as many at once as the server
//    does most with are searched for, from four on; a server that says it is overloaded gets half as many at once
//    (never below 1), and one more for each round of calls that went well;
//  - `rate` (or server->rate, or a rate learned from `dispatch_verdict`) spaces calls evenly;
//  - limits that answers tell (x-rate-limit-limit, -available, -reset) are kept for each method before they are
//    met: once half of a limit is used, calls of that method are spread over the time until it is there again.
//    Until the first answer of a method says whether it has one, eight calls of it are made at once, unless the server
//    has told none of other methods;
//  - retried are REPLY_NOT_SENT, and, unless call->changes, REPLY_LOST; of answers: gRPC UNAVAILABLE,
//    RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, ABORTED, CANCELLED (a server that stops says so), HTTP 429, 502,
//    503, 504. Of a change only what says that nothing happened (RESOURCE_EXHAUSTED, 429, NOT_SENT) is
//    repeated here; the rest is told to the owner, who looks whether it happened;
//  - backoff: full jitter over 100 ms x 2^n, at most 10 s, or what Retry-After or x-rate-limit-retry says
//    (at most 60 s); at most 10 tries. A server that has never answered is tried for `timeout` in all.
#ifndef NET_DISPATCH_H
#define NET_DISPATCH_H

#include "base/clock.h"
#include "base/log.h"
#include "net/transport.h"

struct dispatch;
struct dispatch_call;

// What a driver thinks of an answer, where the general rules do not know enough.
struct dispatch_verdict {
    bool retry;   // the server did nothing and says: later
    double rate;  // calls/s that the answer reveals as the server's limit; 0 = none
};

// Asked for every answer that is not OK, before the general rules; leaves *verdict alone if it has nothing
// to say.
typedef void dispatch_judge(void *context, const struct call *call, const struct reply *reply,
                            struct dispatch_verdict *verdict);

struct dispatch_setup {
    struct transport *transport;  // borrowed
    const struct clock *clock;    // borrowed
    const struct random *random;  // borrowed
    const struct log *log;        // borrowed; may be NULL
    unsigned concurrency;         // to one server; at least 1
    unsigned most;                // over all servers; 0 = as many as to one
    double rate;                  // calls/s to one server; 0 = no limit from the user
    int64_t timeout;              // ns: of one call, and of reaching a server for the first time
    bool dry_run;                 // a call that changes anything is answered with REPLY_DRY
    dispatch_judge *judge;        // may be NULL
    void *judge_context;
};

struct dispatch *dispatch_new(const struct dispatch_setup *setup);
void dispatch_free(struct dispatch *dispatch);

// Queues a call (borrowed until done). Calls of one server start in the order of their priority (lower
// first), then of their arrival. `done` is called from dispatch_wait with the last reply.
struct dispatch_call *dispatch_add(struct dispatch *dispatch, const struct call *call, int priority,
                                   transport_done *done, void *context);

// Forgets a call.
void dispatch_cancel(struct dispatch *dispatch, struct dispatch_call *call);

// Runs the loop once: starts what may start, waits for something to happen, but no longer than `timeout`
// ns (negative: until something happens), retries or tells it.
int dispatch_wait(struct dispatch *dispatch, int64_t timeout, struct error *error);

// Counters for progress and measurements.
struct dispatch_numbers {
    uint64_t calls;  // started, retries included
    uint64_t retries;
    uint64_t refused;         // answers that said "too much"
    unsigned in_flight;       // now
    unsigned queued;          // now, waiting for their turn
    unsigned concurrency;     // the least of all servers' present limits
    const char *waiting_for;  // the server that everything waits for (backoff, no answer yet), or NULL
};
void dispatch_numbers(const struct dispatch *dispatch, struct dispatch_numbers *numbers);

#endif
