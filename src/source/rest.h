// SPDX-License-Identifier: Apache-2.0
// What sources share whose server speaks JSON over HTTP.
#ifndef SOURCE_REST_H
#define SOURCE_REST_H

#include <jansson.h>

#include "base/arena.h"
#include "net/address.h"
#include "net/call.h"

// The server that such a source asks.
struct rest {
    struct address address;
    struct server server;
    char *name;    // owned; for messages
    char *ca_pem;  // owned; NULL = none
};

struct rest_setup {
    const char *title;       // of the network, for messages: "LORIOT"
    const char *url;         // as the user wrote it
    const char *url_option;  // "--loriot.api-url"
    const char *ca_path;     // a PEM file; NULL or "" = none
    const char *ca_option;   // "--loriot.ca-cert-path"
    bool plain;              // without TLS, whatever the URL says
};

// Reads the address and the certificates. ERROR_USAGE. To be released in any case.
int rest_open(struct rest *rest, const struct rest_setup *setup, struct error *error);
void rest_release(struct rest *rest);

// The JSON object that an answer consists of: a new reference. NULL with ERROR_PROTOCOL, whose text has none of the answer's:
// it may hold keys.
json_t *rest_object(const struct rest *rest, const struct reply *reply, struct error *error);

// A member's text; NULL if it has none, or an empty one. Borrowed.
const char *rest_text(const json_t *object, const char *name);

// A member that is a number in 0...2^32-1. False if it is missing or null or something else.
bool rest_number(const json_t *object, const char *name, uint32_t *ret_number);

// The members `lat` and `lon` of a place. False if there is none: both 0 stands for that, too.
bool rest_location(const json_t *place, double *ret_latitude, double *ret_longitude);

// The object as compact text in the arena.
const char *rest_dump(struct arena *arena, const json_t *object);

static inline void rest_drop(json_t **json) {
    json_decref(*json);
}

// For `REST_JSON_AUTO *object = ...`: dropped when the scope ends.
#define REST_JSON_AUTO __attribute__((cleanup(rest_drop))) json_t

#endif
