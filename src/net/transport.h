// SPDX-License-Identifier: Apache-2.0
// What carries single calls: libcurl in the program, the sandbox's world in a simulation. It makes each
// call once and reports what became of it; pacing and retries are above it (net/dispatch.h).
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "net/call.h"

struct transport;

// Called once for each call that was started, from within transport_wait; never from transport_start.
// The receiver takes what it wants out of `reply` (which is released afterwards).
typedef void transport_done(void *context, struct reply *reply);

struct transport_operations {
    // Starts a call; `call` is borrowed until `done` ran or the call was cancelled. `timeout`: ns.
    // Returns a handle for cancel. Never fails: what goes wrong is told to `done`.
    void *(*start)(struct transport *transport, const struct call *call, int64_t timeout,
                   transport_done *done, void *context);
    // Forgets a call; `done` is not called any more.
    void (*cancel)(struct transport *transport, void *handle);
    // Waits until something happened or `timeout` ns are over (0: looks once; negative: no limit), and
    // tells it. Returns early without an error if transport_wake is called or a signal arrives.
    int (*wait)(struct transport *transport, int64_t timeout, struct error *error);
    // Ends all calls without telling, closes connections, frees.
    void (*free)(struct transport *transport);
};

struct transport {
    const struct transport_operations *operations;
};

#endif
