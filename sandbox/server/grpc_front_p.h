// SPDX-License-Identifier: Apache-2.0
// What grpc_front.c (servers and their thread) and grpc_call.c (single calls) share. All of it belongs to the
// one thread that serves.
#ifndef SANDBOX_SERVER_GRPC_FRONT_P_H
#define SANDBOX_SERVER_GRPC_FRONT_P_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdatomic.h>

#include "server/grpc_front.h"
#include "server/timers.h"

// What a completion or a timer calls. It must outlive the event.
struct tag {
    void (*run)(void *owner, bool ok);
    void *owner;
};

// An address at which an endpoint is served; it gets a new server when a fault makes it restart.
struct listener {
    struct grpc_front *front;
    enum world_endpoint endpoint;
    char *address;                         // owned; host:port, the port it got
    grpc_server_credentials *credentials;  // owned
    grpc_server *server;                   // owned; NULL while it refuses connections
    struct tag reopen;                     // timer: listen again
};

enum { LISTENERS_MAX = 16 };

struct grpc_front {
    struct stage *stage;
    grpc_completion_queue *queue;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct timers timers;
    size_t live;  // calls and shutdowns that have not ended
    pthread_t thread;
    bool started;
    atomic_bool stopping;
};

// Waits for the next call to the listener's present server.
void grpc_call_accept(struct listener *listener);

// Tells every connection to go away and serves new ones at the same address.
void listener_go_away(struct listener *listener);

// Resets every connection and refuses new ones for `duration` ns.
void listener_refuse(struct listener *listener, int64_t duration);

#endif
