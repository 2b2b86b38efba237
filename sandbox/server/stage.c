// SPDX-License-Identifier: Apache-2.0
#include "server/stage.h"

#include "base/clock.h"

void stage_init(struct stage *stage, struct world *world, int64_t latency) {
    *stage = (struct stage){.world = world, .latency = latency};
    pthread_mutex_init(&stage->lock, NULL);
}

void stage_release(struct stage *stage) {
    world_free(stage->world);
    stage->world = NULL;
    pthread_mutex_destroy(&stage->lock);
}

void stage_call(struct stage *stage, const struct world_request *request, struct world_reply *reply) {
    pthread_mutex_lock(&stage->lock);
    int64_t now = clock_wall(&clock_system);
    world_advance(stage->world, now);
    world_call(stage->world, now, request, reply);
    pthread_mutex_unlock(&stage->lock);
    if (reply->delivery != WORLD_REFUSE) reply->delay += stage->latency;
}

void stage_advance(struct stage *stage) {
    pthread_mutex_lock(&stage->lock);
    world_advance(stage->world, clock_wall(&clock_system));
    pthread_mutex_unlock(&stage->lock);
}
