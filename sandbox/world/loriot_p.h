// SPDX-License-Identifier: Apache-2.0
// LORIOT: an account with applications and their devices, and networks with their gateways, behind a REST interface (JSON
// over HTTP).
#ifndef SANDBOX_WORLD_LORIOT_P_H
#define SANDBOX_WORLD_LORIOT_P_H

#include <jansson.h>

#include "world/bucket.h"
#include "world/world_p.h"

enum { LORIOT_APPLICATIONS = 4, LORIOT_GATEWAYS = 2 };

struct loriot_device {
    json_t *json;        // owned; as the interface tells it; NULL = deleted
    size_t application;  // which has it
    uint64_t writes;
};

struct loriot {
    struct loriot_device *devices;  // owned
    size_t count;
    json_t *gateways[LORIOT_GATEWAYS];  // owned
    uint32_t rate;                      // calls a second; 0 = no limiter
    struct bucket bucket;
    bool used;  // the bucket is
};

extern const struct loriot_application {
    uint32_t id;
    const char *name;
} lo_applications[LORIOT_APPLICATIONS];

// The network that has the gateways.
#define LORIOT_NETWORK_ID UINT32_C(0xA0000D01)

struct loriot *lo_new(const struct world_setup *setup);
void lo_free(struct loriot *loriot);  // accepts NULL

// Answers a request.
void lo_call(struct loriot *loriot, int64_t now, const struct world_request *request,
             struct world_reply *reply);

// What a request is counted as: "loriot-apps", "loriot-devices", "loriot-get", "loriot-create", "loriot-delete",
// "loriot-networks", "loriot-gateways".
const char *lo_method(const struct world_request *request);

// The devices as JSON objects: as LORIOT has them, with `app` (the application's name) and `writes`. What is deleted is left out.
void lo_state_json(const struct loriot *loriot, const char *separator, struct buffer *state);

// ---- loriot_population.c

// Draws the devices and gateways.
void lo_populate(struct loriot *loriot, const struct world_setup *setup);

#endif
