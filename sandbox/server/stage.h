// SPDX-License-Identifier: Apache-2.0
// The world as the servers share it: one lock around it, the machine's clock, the latency.
#ifndef SANDBOX_SERVER_STAGE_H
#define SANDBOX_SERVER_STAGE_H

#include <pthread.h>

#include "world/world.h"

struct stage {
    struct world *world;  // owned; only under `lock`
    pthread_mutex_t lock;
    int64_t latency;  // ns added to each answer
};

// Takes ownership of `world`.
void stage_init(struct stage *stage, struct world *world, int64_t latency);
void stage_release(struct stage *stage);

// Answers a call now; its reply is to be sent after reply->delay ns. Safe from any thread.
void stage_call(struct stage *stage, const struct world_request *request, struct world_reply *reply);

// Lets the devices live until now.
void stage_advance(struct stage *stage);

#endif
