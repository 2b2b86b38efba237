// SPDX-License-Identifier: Apache-2.0
// AWS IoT Wireless: an account with devices, profiles and destinations in one region, behind a REST interface (JSON over HTTP,
// signed with Signature Version 4).
#ifndef SANDBOX_WORLD_AWSIOT_P_H
#define SANDBOX_WORLD_AWSIOT_P_H

#include <jansson.h>

#include "world/bucket.h"
#include "world/world_p.h"

enum { AWSIOT_PROFILES = 5 };

struct awsiot_device {
    json_t *json;  // owned; as the interface tells it; NULL = deleted
    json_t *tags;  // owned
    uint64_t writes;
};

struct awsiot {
    struct awsiot_device *devices;  // owned
    size_t count;
    json_t *profiles[AWSIOT_PROFILES];  // owned
    uint64_t seed;
    uint32_t rate;  // calls a second; 0 = no limiter
    struct bucket bucket;
    bool used;  // the bucket is
};

struct awsiot *aws_new(const struct world_setup *setup);
void aws_free(struct awsiot *awsiot);  // accepts NULL

// Answers a request.
void aws_call(struct awsiot *awsiot, int64_t now, const struct world_request *request,
              struct world_reply *reply);

// What a request is counted as: "aws-list", "aws-get", "aws-create", "aws-delete", "aws-profile", "aws-tags".
const char *aws_method(const struct world_request *request);

// The devices as JSON objects: as AWS has them, with `tags` and `writes`. What is deleted is left out.
void aws_state_json(const struct awsiot *awsiot, const char *separator, struct buffer *state);

// Makes the reply a refusal in Amazon's form. Returns false.
bool aws_refuse(struct world_reply *reply, int status, const char *type, const char *message);

// ---- awsiot_population.c

// Draws profiles and devices.
void aws_populate(struct awsiot *awsiot, const struct world_setup *setup);

// A name of a thing in AWS; each number has its own.
json_t *aws_id(uint64_t seed, uint64_t number);

// Adds a device, whose reference is taken, with the ID of its number.
struct awsiot_device *aws_add(struct awsiot *awsiot, json_t *json, json_t *tags);

// ---- awsiot_signature.c

// Checks whose the request is, and what it may do. False with the reply being a refusal.
bool aws_admit(int64_t now, const struct world_request *request, bool writes, struct world_reply *reply);

#endif
