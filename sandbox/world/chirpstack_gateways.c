// SPDX-License-Identifier: Apache-2.0
// Gateways, which are only read here. The list is that of ChirpStack 4.20: it shows any key the gateways of all tenants,
// while a single one is told only to an admin and to its tenant.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/chirpstack_p.h"

// ---- the store

// The place of an EUI in the sorted list.
static size_t place_of(const struct cs *cs, const char *gateway_id) {
    size_t place = 0;
    while (place < cs->gateway_count && strcmp(cs->gateways[place]->gateway_id, gateway_id) < 0) place++;
    return place;
}

struct cs_gateway *cs_find_gateway(const struct cs *cs, const char *gateway_id) {
    size_t place = place_of(cs, gateway_id);
    bool found = place < cs->gateway_count && strcmp(cs->gateways[place]->gateway_id, gateway_id) == 0;
    return found ? cs->gateways[place] : NULL;
}

struct cs_gateway *cs_add_gateway(struct cs *cs, const char *gateway_id, const struct cs_tenant *tenant) {
    struct cs_gateway *gateway = memory_new(struct cs_gateway);
    snprintf(gateway->gateway_id, sizeof gateway->gateway_id, "%s", gateway_id);
    gateway->tenant = tenant;
    gateway->name = memory_strdup("");
    gateway->description = memory_strdup("");
    size_t place = place_of(cs, gateway_id);
    cs->gateways = memory_resize(cs->gateways, cs->gateway_count + 1, sizeof *cs->gateways);
    memmove(&cs->gateways[place + 1], &cs->gateways[place],
            (cs->gateway_count - place) * sizeof *cs->gateways);
    cs->gateways[place] = gateway;
    cs->gateway_count++;
    return gateway;
}

void cs_remove_gateway(struct cs *cs, struct cs_gateway *gateway) {
    size_t place = place_of(cs, gateway->gateway_id);
    cs->gateway_count--;
    memmove(&cs->gateways[place], &cs->gateways[place + 1],
            (cs->gateway_count - place) * sizeof *cs->gateways);
    cs_gateway_free(gateway);
}

void cs_gateway_free(struct cs_gateway *gateway) {
    cs_pairs_release(&gateway->tags);
    cs_pairs_release(&gateway->metadata);
    free(gateway->name);
    free(gateway->description);
    free(gateway);
}

// ---- calls

enum { LIST_LIMIT = 1, LIST_OFFSET = 2, LIST_SEARCH = 3, LIST_TENANT = 4 };

// Without a place, the server has zeros.
static void put_location(struct buffer *body, uint32_t number, const struct cs_gateway *gateway) {
    const double places[] = {gateway->latitude, gateway->longitude, (double)gateway->altitude};
    size_t mark = wire_begin(body, number);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &places[i], sizeof bits);
        if (bits == 0) continue;
        wire_put_tag(body, i + 1, WIRE_FIXED64);
        wire_put_raw_fixed(body, bits, sizeof bits);
    }
    wire_end(body, mark);
}

void cs_list_gateways(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request)) return;
    const char *tenant_id = request.texts[LIST_TENANT];
    if (tenant_id[0] != '\0' && !cs_check_uuid(call, tenant_id)) return;
    uint64_t total = 0;
    struct buffer *body = &call->reply->body;
    for (size_t i = 0; i < call->cs->gateway_count; i++) {
        const struct cs_gateway *gateway = call->cs->gateways[i];
        if (tenant_id[0] != '\0' && strcmp(gateway->tenant->id, tenant_id) != 0) continue;
        if (strstr(gateway->name, request.texts[LIST_SEARCH]) == NULL) continue;
        uint64_t place = total++;
        if (place < request.numbers[LIST_OFFSET] ||
            place - request.numbers[LIST_OFFSET] >= request.numbers[LIST_LIMIT]) {
            continue;
        }
        size_t mark = wire_begin(body, 2);
        cs_put_text(body, 1, gateway->tenant->id);
        cs_put_text(body, 2, gateway->gateway_id);
        cs_put_text(body, 3, gateway->name);
        cs_put_text(body, 4, gateway->description);
        put_location(body, 5, gateway);
        cs_put_pairs(body, 6, &gateway->metadata);
        wire_end(body, mark);
    }
    cs_put_number(body, 1, total);
}

void cs_get_gateway(const struct cs_call *call) {
    enum { STATS_INTERVAL = 30, DOWNLINK_PRIORITY = 1 };
    struct cs_request request;
    if (!cs_read_request(call, &request)) return;
    char *id = request.texts[1];
    for (char *c = id; *c != '\0'; c++) *c = (char)tolower((unsigned char)*c);
    if (strlen(id) != CS_EUI_SIZE - 1 || strspn(id, "0123456789abcdef") != strlen(id)) {
        world_reply_status(call->reply, STATUS_INTERNAL, "Invalid string length");
        return;
    }
    const struct cs_gateway *gateway = cs_find_gateway(call->cs, id);
    if (!cs_may(call, gateway == NULL ? NULL : gateway->tenant, CS_READ)) return;
    if (gateway == NULL) {
        cs_not_found(call, id);
        return;
    }
    struct buffer *body = &call->reply->body;
    size_t mark = wire_begin(body, 1);
    cs_put_text(body, 1, gateway->gateway_id);
    cs_put_text(body, 2, gateway->name);
    cs_put_text(body, 3, gateway->description);
    put_location(body, 4, gateway);
    cs_put_text(body, 5, gateway->tenant->id);
    cs_put_pairs(body, 6, &gateway->tags);
    cs_put_pairs(body, 7, &gateway->metadata);
    cs_put_number(body, 8, STATS_INTERVAL);
    cs_put_number(body, 9, DOWNLINK_PRIORITY);
    wire_end(body, mark);
}

// ---- the gateways of a world; those that cannot go as they are, or not unchanged, are among its broken ones

static const struct made {
    const char *id, *name, *description;
    size_t tenant;
    const char *region, *config;
    double latitude, longitude;
    float altitude;
    const char *tag, *value;
    bool broken;
} made[] = {
    {.id = "00800000a0000101",
     .name = "Roof",
     .description = "North mast",
     .tenant = 1,
     .region = "EU868",
     .config = "eu868",
     .latitude = 52.37,
     .longitude = 4.89,
     .altitude = 31.5F,
     .tag = "Room No",
     .value = "12"},
    {.id = "00800000a0000102",
     .name = "Cellar",
     .tenant = 1,
     .region = "EU868",
     .config = "eu868",
     .tag = "floor",
     .value = "-1"},
    {.id = "00800000a0000103",
     .name = "Denver",
     .tenant = 1,
     .region = "US915",
     .config = "us915_1",
     .latitude = 39.74,
     .longitude = -104.99},
    {.id = "00800000a0000104", .name = "Pune", .tenant = 1, .region = "IN865", .config = "in865"},
    {.id = "00800000a0000105", .name = "Of others", .tenant = 2, .region = "EU868", .config = "eu868"},
    {.id = "0000000000000000",
     .name = "no-eui",
     .tenant = 1,
     .region = "EU868",
     .config = "eu868",
     .broken = true},
    {.id = "00800000a0000106", .name = "never-heard", .tenant = 1, .broken = true},
    {.id = "00800000a0000107",
     .name = "a name of more than the fifty characters that a gateway may have",
     .tenant = 1,
     .region = "EU868",
     .config = "eu868",
     .latitude = 95,
     .longitude = 4,
     .tag = "\xc3\xbc",
     .value = "no key is left of it",
     .broken = true},
    {.id = "00800000a0000108",
     .name = "mars",
     .tenant = 1,
     .region = "MARS",
     .config = "mars",
     .broken = true},
};

void cs_populate_gateways(struct cs *cs, bool broken) {
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        const struct made *one = &made[i];
        if (one->broken && !broken) continue;
        struct cs_gateway *gateway = cs_add_gateway(cs, one->id, &cs->tenants[one->tenant]);
        cs_set_text(&gateway->name, one->name);
        if (one->description != NULL) cs_set_text(&gateway->description, one->description);
        gateway->latitude = one->latitude;
        gateway->longitude = one->longitude;
        gateway->altitude = one->altitude;
        if (one->tag != NULL) cs_pairs_add(&gateway->tags, one->tag, one->value);
        if (one->region == NULL) continue;
        cs_pairs_add(&gateway->metadata, "region_common_name", one->region);
        cs_pairs_add(&gateway->metadata, "region_config_id", one->config);
    }
}
