// SPDX-License-Identifier: Apache-2.0
// Applications, the rights to them, and their links.
#include <stdio.h>
#include <string.h>

#include "world/tts_p.h"

enum { FORMATTER_MOST = 40960 };

static const char *application_id_of(struct tts_call *call, const char *path) {
    return tts_text(&call->arena, call->in, path);
}

static struct tts_node *record_of(struct tts_call *call, const struct tts_application *application) {
    return tts_blob_tree(&call->arena, &application->record, "Application");
}

void tts_application_create(struct tts_call *call) {
    const char *application_id = application_id_of(call, "application.ids.application_id");
    const char *user_id = tts_text(&call->arena, call->in, "collaborator.user_ids.user_id");
    if (!tts_require_user(call, user_id, TTS_RIGHT_USER_APPLICATIONS_CREATE)) return;
    if (!tts_check_reserved(call, application_id)) return;
    if (tts_find_application(call->tts, application_id) != NULL) {
        tts_refuse(call, tts_because(tts_problem(call, TTS_ID_TAKEN, NULL),
                                     tts_problem(call, TTS_ALREADY_EXISTS, NULL)));
        return;
    }
    int64_t now = call->now / 1000 * 1000;
    struct tts_application *application = tts_add_application(call->tts, application_id);
    struct tts_node *record = tts_find(call->in, "application");
    record->field = NULL;
    tts_set_time(&call->arena, record, "created_at", now);
    tts_set_time(&call->arena, record, "updated_at", now);
    tts_blob_store(&application->record, record);
    tts_answer(call, record);
}

void tts_application_get(struct tts_call *call) {
    const char *application_id = application_id_of(call, "application_ids.application_id");
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_INFO)) return;
    tts_answer(call, tts_select(call, record_of(call, tts_find_application(call->tts, application_id))));
}

void tts_application_update(struct tts_call *call) {
    const char *application_id = application_id_of(call, "application.ids.application_id");
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_SETTINGS_BASIC)) return;
    struct tts_application *application = tts_find_application(call->tts, application_id);
    struct tts_node *record = record_of(call, application);
    for (size_t i = 0; i < call->path_count; i++) {
        if (strncmp(call->paths[i], "ids", 3) == 0) continue;
        tts_copy_path(&call->arena, record, tts_find(call->in, "application"), call->paths[i]);
    }
    tts_set_time(&call->arena, record, "updated_at", call->now / 1000 * 1000);
    tts_blob_store(&application->record, record);
    tts_answer(call, tts_select(call, record));
}

// A user's list holds all; that of an application's key only its own.
void tts_application_list(struct tts_call *call) {
    enum { APPLICATIONS = 1 };
    if (!tts_require_key(call)) return;
    struct tts *tts = call->tts;
    size_t *seen = arena_new_array(&call->arena, size_t, tts->application_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < tts->application_count; i++) {
        if (tts_application_rights(call, tts->applications[i]->application_id) != 0) seen[count++] = i;
    }
    size_t first = 0;
    size_t end = 0;
    tts_page(call, count, &first, &end);
    for (size_t i = first; i < end; i++) {
        size_t mark = wire_begin(&call->reply->body, APPLICATIONS);
        tts_encode(tts_select(call, record_of(call, tts->applications[seen[i]])), &call->reply->body);
        wire_end(&call->reply->body, mark);
    }
}

void tts_list_rights(struct tts_call *call) {
    const char *application_id = application_id_of(call, "application_id");
    uint64_t rights = tts_application_rights(call, application_id);
    if (rights == 0) {
        tts_refuse(call, tts_problem(call, TTS_NO_APPLICATION_RIGHTS, "uid", application_id, NULL));
        return;
    }
    struct tts_node *out = tts_new(&call->arena, "Rights");
    tts_put_rights(call, out, rights);
    tts_answer(call, out);
}

void tts_auth_info(struct tts_call *call) {
    static const char *const ids[] = {
        [TTS_APPLICATION_KEY] = "entity_ids.application_ids.application_id",
        [TTS_USER_KEY] = "entity_ids.user_ids.user_id",
        [TTS_GATEWAY_KEY] = "entity_ids.gateway_ids.gateway_id",
    };
    struct tts_node *out = tts_new(&call->arena, "AuthInfoResponse");
    if (call->key != NULL) {
        struct arena *arena = &call->arena;
        struct tts_node *access = tts_make(arena, out, "api_key");
        tts_set_text(arena, access, "api_key.id",
                     arena_strndup(arena, call->key->text + strlen("NNSXS."),
                                   strcspn(call->key->text + strlen("NNSXS."), ".")));
        tts_set_text(arena, access, "api_key.name", call->key->name);
        tts_put_rights(call, tts_make(arena, access, "api_key"), call->key->rights);
        tts_set_text(arena, access, ids[call->key->entity], call->key->entity_id);
    }
    tts_answer(call, out);
}

// ---- links

void tts_get_link(struct tts_call *call) {
    const char *application_id = application_id_of(call, "application_ids.application_id");
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_SETTINGS_BASIC)) return;
    const struct tts_application *application = tts_find_application(call->tts, application_id);
    if (application->link.size == 0) {
        tts_refuse(call, tts_problem(call, TTS_REDIS_NOT_FOUND, NULL));
        return;
    }
    const struct tts_node *link = tts_blob_tree(&call->arena, &application->link, "ApplicationLink");
    struct tts_node *out = tts_new(&call->arena, "ApplicationLink");
    for (size_t i = 0; i < call->path_count; i++) tts_copy_path(&call->arena, out, link, call->paths[i]);
    tts_answer(call, out);
}

static bool check_size(struct tts_call *call, const char *path) {
    size_t size = tts_bytes(call->in, path).size;
    char text[24];
    snprintf(text, sizeof text, "%zu", size);
    if (size <= FORMATTER_MOST) return true;
    return tts_refuse(call, tts_problem(call, TTS_FORMATTER_SIZE, "size", text, "max_size", "40960", NULL));
}

void tts_set_link(struct tts_call *call) {
    const char *application_id = application_id_of(call, "application_ids.application_id");
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_SETTINGS_BASIC)) return;
    if (!check_size(call, "link.default_formatters.up_formatter_parameter") ||
        !check_size(call, "link.default_formatters.down_formatter_parameter")) {
        return;
    }
    struct tts_application *application = tts_find_application(call->tts, application_id);
    struct tts_node *link = tts_blob_tree(&call->arena, &application->link, "ApplicationLink");
    for (size_t i = 0; i < call->path_count; i++) {
        tts_copy_path(&call->arena, link, tts_find(call->in, "link"), call->paths[i]);
    }
    // One that holds nothing is a link all the same.
    tts_make(&call->arena, link, "default_formatters");
    tts_blob_store(&application->link, link);
    tts_answer(call, link);
}
