// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/tts_p.h"

// The parts of a seed, as in ttnv2.c.
enum { STREAM_DRAWS = -3 };

// 2026-01-01, when both applications were made.
#define FOUNDED INT64_C(1767225600000000000)

static void set_record(struct tts *tts, struct tts_application *application, const char *name) {
    static const char *const addresses[] = {"network_server_address", "application_server_address",
                                            "join_server_address"};
    ARENA_AUTO arena = {0};
    struct tts_node *record = tts_blob_tree(&arena, &application->record, "Application");
    tts_set_text(&arena, record, "ids.application_id", application->application_id);
    if (name != NULL) tts_set_text(&arena, record, "name", name);
    if (tts_find(record, "created_at") == NULL) tts_set_time(&arena, record, "created_at", FOUNDED);
    if (tts_find(record, "updated_at") == NULL) tts_set_time(&arena, record, "updated_at", FOUNDED);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        tts_set_text(&arena, record, addresses[i], tts->host);
    }
    tts_blob_store(&application->record, record);
}

struct tts_application *tts_found_application(struct tts *tts, const char *application_id) {
    struct tts_application *application = tts_add_application(tts, application_id);
    if (application->record.size == 0) set_record(tts, application, NULL);
    return application;
}

struct tts *tts_make_cluster(const struct world_setup *setup) {
    struct tts *tts = memory_new(struct tts);
    tts->seed = setup->seed;
    tts->rate_limit = setup->rate_limit;
    tts->host = memory_strdup("localhost");
    tts->draws = prng_init(setup->seed, (uint64_t)STREAM_DRAWS);
    tts_make_keys(tts);
    set_record(tts, tts_add_application(tts, WORLD_TTS_SOURCE_APP_ID), "Meters and sensors");
    set_record(tts, tts_add_application(tts, WORLD_TTS_TARGET_APP_ID), "");
    tts_populate(tts, setup->tts_devices);
    return tts;
}

static void free_key(struct tts_key *key) {
    memory_free_secret(key->text);
    free(key->name);
    free(key->entity_id);
}

static void free_application(struct tts_application *application) {
    tts_blob_release(&application->record);
    tts_blob_release(&application->link);
    free(application->devices);
    free(application->application_id);
    free(application);
}

void tts_free(struct tts *tts) {
    if (tts == NULL) return;
    tts_clear_devices(tts);
    field_touched_release(&tts->touched);
    for (size_t i = 0; i < tts->application_count; i++) free_application(tts->applications[i]);
    free(tts->applications);
    for (size_t i = 0; i < tts->gateway_count; i++) {
        tts_blob_release(&tts->gateways[i].record);
        free(tts->gateways[i].gateway_id);
    }
    free(tts->gateways);
    for (size_t i = 0; i < tts->key_count; i++) free_key(&tts->keys[i]);
    free(tts->keys);
    for (size_t i = 0; i < tts->limit_count; i++) free(tts->limits[i].name);
    free(tts->limits);
    free(tts->host);
    free(tts);
}

const char *world_tts_key(const struct world *world, enum world_tts_key key) {
    return world->tts->keys[key].text;
}

void world_announce_tts(struct world *world, const char *host) {
    struct tts *tts = world->tts;
    free(tts->host);
    tts->host = memory_strdup(host);
    set_record(tts, tts_add_application(tts, WORLD_TTS_SOURCE_APP_ID), NULL);
    set_record(tts, tts_add_application(tts, WORLD_TTS_TARGET_APP_ID), NULL);
}
