// SPDX-License-Identifier: Apache-2.0
// Firefly: an organization with devices behind a REST interface (JSON over HTTP).
#ifndef SANDBOX_WORLD_FIREFLY_P_H
#define SANDBOX_WORLD_FIREFLY_P_H

#include <jansson.h>

#include "world/world_p.h"

struct firefly_device {
    json_t *json;    // owned; as the interface tells it
    json_t *packet;  // owned; the counter of the last packet, or null
    uint64_t writes;
};

struct firefly {
    struct firefly_device *devices;  // owned
    size_t count;
};

struct firefly *firefly_new(const struct world_setup *setup);
void firefly_free(struct firefly *firefly);  // accepts NULL

// Answers a request.
void world_firefly_call(struct firefly *firefly, const struct world_request *request,
                        struct world_reply *reply);

// What a request is counted as: "firefly-list", "firefly-get", "firefly-put", "firefly-packets".
const char *firefly_method(const struct world_request *request);

// The devices as JSON objects: as Firefly has them, with `packet` (the counter of the last one or null) and `writes`.
void firefly_state_json(const struct firefly *firefly, const char *separator, struct buffer *state);

#endif
