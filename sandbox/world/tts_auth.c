// SPDX-License-Identifier: Apache-2.0
// Who may do what: API keys of applications, gateways, and of one user who owns everything.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/tts_p.h"

enum { KEY_ID_SIZE = 39, KEY_SECRET_SIZE = 52, RIGHT_BITS = 64 };

static const char *const right_names[RIGHT_BITS] = {
    [1] = "RIGHT_USER_INFO",
    [2] = "RIGHT_USER_SETTINGS_BASIC",
    [3] = "RIGHT_USER_SETTINGS_API_KEYS",
    [4] = "RIGHT_USER_DELETE",
    [5] = "RIGHT_USER_AUTHORIZED_CLIENTS",
    [TTS_RIGHT_USER_APPLICATIONS_LIST] = "RIGHT_USER_APPLICATIONS_LIST",
    [TTS_RIGHT_USER_APPLICATIONS_CREATE] = "RIGHT_USER_APPLICATIONS_CREATE",
    [TTS_RIGHT_USER_GATEWAYS_LIST] = "RIGHT_USER_GATEWAYS_LIST",
    [TTS_RIGHT_USER_GATEWAYS_CREATE] = "RIGHT_USER_GATEWAYS_CREATE",
    [14] = "RIGHT_USER_ALL",
    [TTS_RIGHT_APPLICATION_INFO] = "RIGHT_APPLICATION_INFO",
    [TTS_RIGHT_APPLICATION_SETTINGS_BASIC] = "RIGHT_APPLICATION_SETTINGS_BASIC",
    [17] = "RIGHT_APPLICATION_SETTINGS_API_KEYS",
    [18] = "RIGHT_APPLICATION_SETTINGS_COLLABORATORS",
    [19] = "RIGHT_APPLICATION_DELETE",
    [TTS_RIGHT_APPLICATION_DEVICES_READ] = "RIGHT_APPLICATION_DEVICES_READ",
    [TTS_RIGHT_APPLICATION_DEVICES_WRITE] = "RIGHT_APPLICATION_DEVICES_WRITE",
    [TTS_RIGHT_APPLICATION_DEVICES_READ_KEYS] = "RIGHT_APPLICATION_DEVICES_READ_KEYS",
    [TTS_RIGHT_APPLICATION_DEVICES_WRITE_KEYS] = "RIGHT_APPLICATION_DEVICES_WRITE_KEYS",
    [24] = "RIGHT_APPLICATION_TRAFFIC_READ",
    [25] = "RIGHT_APPLICATION_TRAFFIC_UP_WRITE",
    [26] = "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE",
    [27] = "RIGHT_APPLICATION_LINK",
    [28] = "RIGHT_APPLICATION_ALL",
    [TTS_RIGHT_GATEWAY_INFO] = "RIGHT_GATEWAY_INFO",
    [TTS_RIGHT_GATEWAY_SETTINGS_BASIC] = "RIGHT_GATEWAY_SETTINGS_BASIC",
    [TTS_RIGHT_GATEWAY_SETTINGS_API_KEYS] = "RIGHT_GATEWAY_SETTINGS_API_KEYS",
    [33] = "RIGHT_GATEWAY_SETTINGS_COLLABORATORS",
    [TTS_RIGHT_GATEWAY_DELETE] = "RIGHT_GATEWAY_DELETE",
    [35] = "RIGHT_GATEWAY_TRAFFIC_READ",
    [36] = "RIGHT_GATEWAY_TRAFFIC_DOWN_WRITE",
    [37] = "RIGHT_GATEWAY_LINK",
    [38] = "RIGHT_GATEWAY_STATUS_READ",
    [39] = "RIGHT_GATEWAY_LOCATION_READ",
    [40] = "RIGHT_GATEWAY_ALL",
    [56] = "RIGHT_APPLICATION_SETTINGS_PACKAGES",
    [TTS_RIGHT_GATEWAY_WRITE_SECRETS] = "RIGHT_GATEWAY_WRITE_SECRETS",
    [TTS_RIGHT_GATEWAY_READ_SECRETS] = "RIGHT_GATEWAY_READ_SECRETS",
};

const char *tts_right_name(unsigned right) {
    return right < RIGHT_BITS && right_names[right] != NULL ? right_names[right] : "RIGHT_UNKNOWN";
}

static uint64_t bit(unsigned right) {
    return UINT64_C(1) << right;
}

// All rights whose name begins with that of the entity.
static uint64_t all_rights(const char *prefix) {
    uint64_t rights = 0;
    for (unsigned i = 0; i < RIGHT_BITS; i++) {
        if (right_names[i] != NULL && strncmp(right_names[i], prefix, strlen(prefix)) == 0) rights |= bit(i);
    }
    return rights;
}

static void draw_text(struct prng *prng, const char *alphabet, char *text, size_t size) {
    for (size_t i = 0; i < size; i++) text[i] = alphabet[prng_below(prng, (uint32_t)strlen(alphabet))];
    text[size] = '\0';
}

struct tts_key *tts_add_key(struct tts *tts, enum tts_entity entity, const char *entity_id, const char *name,
                            uint64_t rights) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char id[KEY_ID_SIZE + 1];
    char secret[KEY_SECRET_SIZE + 1];
    draw_text(&tts->draws, alphabet, id, KEY_ID_SIZE);
    draw_text(&tts->draws, alphabet, secret, KEY_SECRET_SIZE);
    tts->keys = memory_resize(tts->keys, tts->key_count + 1, sizeof *tts->keys);
    struct tts_key *key = &tts->keys[tts->key_count++];
    *key = (struct tts_key){
        .text = memory_printf("NNSXS.%s.%s", id, secret),
        .name = memory_strdup(name),
        .entity_id = memory_strdup(entity_id),
        .entity = entity,
        .rights = rights,
    };
    return key;
}

void tts_make_keys(struct tts *tts) {
    uint64_t application = all_rights("RIGHT_APPLICATION_");
    uint64_t gateway = all_rights("RIGHT_GATEWAY_");
    uint64_t parts = application & ~bit(28);  // RIGHT_APPLICATION_ALL
    uint64_t devices = bit(TTS_RIGHT_APPLICATION_INFO) | bit(TTS_RIGHT_APPLICATION_DEVICES_READ) |
                       bit(TTS_RIGHT_APPLICATION_DEVICES_WRITE) |
                       bit(TTS_RIGHT_APPLICATION_DEVICES_READ_KEYS) |
                       bit(TTS_RIGHT_APPLICATION_DEVICES_WRITE_KEYS);
    const char *source = WORLD_TTS_SOURCE_APP_ID;
    const char *target = WORLD_TTS_TARGET_APP_ID;
    const struct {
        enum tts_entity entity;
        const char *entity_id;
        const char *name;
        uint64_t rights;
    } made[WORLD_TTS_KEYS] = {
        [WORLD_TTS_KEY_SOURCE] = {TTS_APPLICATION_KEY, source, "all", application},
        [WORLD_TTS_KEY_TARGET] = {TTS_APPLICATION_KEY, target, "all", application},
        [WORLD_TTS_KEY_NO_READ_KEYS] = {TTS_APPLICATION_KEY, source, "no keys read",
                                        parts & ~bit(TTS_RIGHT_APPLICATION_DEVICES_READ_KEYS)},
        [WORLD_TTS_KEY_NO_WRITE_KEYS] = {TTS_APPLICATION_KEY, target, "no keys written",
                                         parts & ~bit(TTS_RIGHT_APPLICATION_DEVICES_WRITE_KEYS)},
        [WORLD_TTS_KEY_NO_INFO] = {TTS_APPLICATION_KEY, target, "no info",
                                   parts & ~bit(TTS_RIGHT_APPLICATION_INFO)},
        [WORLD_TTS_KEY_READ_ONLY] = {TTS_APPLICATION_KEY, target, "read only",
                                     bit(TTS_RIGHT_APPLICATION_INFO) |
                                         bit(TTS_RIGHT_APPLICATION_DEVICES_READ)},
        [WORLD_TTS_KEY_USER] = {TTS_USER_KEY, WORLD_TTS_USER_ID, "all",
                                application | gateway | all_rights("RIGHT_USER_")},
        [WORLD_TTS_KEY_NO_SETTINGS] = {TTS_APPLICATION_KEY, target, "no settings", devices},
        [WORLD_TTS_KEY_SOURCE_DEVICES] = {TTS_APPLICATION_KEY, source, "devices", devices},
    };
    for (size_t i = 0; i < WORLD_TTS_KEYS; i++) {
        tts_add_key(tts, made[i].entity, made[i].entity_id, made[i].name, made[i].rights);
    }
}

// The part between the dots, as text.
static char *key_id(struct arena *arena, const char *text) {
    const char *start = strchr(text, '.') + 1;
    return arena_strndup(arena, start, strcspn(start, "."));
}

static bool is_token(const char *text) {
    static const char prefix[] = "NNSXS.";
    if (strncmp(text, prefix, sizeof prefix - 1) != 0) return false;
    const char *dot = strchr(text + sizeof prefix - 1, '.');
    return dot != NULL && dot > text + sizeof prefix - 1 && dot[1] != '\0' && strchr(dot + 1, '.') == NULL;
}

bool tts_authenticate(struct tts_call *call) {
    static const char scheme[] = "Bearer ";
    const char *header = world_request_header(call->request, "authorization");
    if (header == NULL || *header == '\0') return true;
    bool bearer = strncasecmp(header, scheme, sizeof scheme - 1) == 0;
    const char *text = bearer ? header + sizeof scheme - 1 : header;
    if (!bearer || !is_token(text)) return tts_refuse(call, tts_problem(call, TTS_TOKEN, NULL));
    for (size_t i = 0; i < call->tts->key_count; i++) {
        if (strcmp(call->tts->keys[i].text, text) == 0) call->key = &call->tts->keys[i];
    }
    if (call->key != NULL) return true;
    struct tts_problem *cause =
        tts_problem(call, TTS_STORE_API_KEY_NOT_FOUND, "api_key_id", key_id(&call->arena, text), NULL);
    return tts_refuse(call, tts_because(tts_problem(call, TTS_API_KEY_NOT_FOUND, NULL), cause));
}

bool tts_require_key(struct tts_call *call) {
    if (call->key != NULL) return true;
    return tts_refuse(call, tts_problem(call, TTS_UNAUTHENTICATED, NULL));
}

static uint64_t rights_to(const struct tts_call *call, enum tts_entity entity, const char *id,
                          const char *prefix) {
    const struct tts_key *key = call->key;
    if (key == NULL) return 0;
    bool own = key->entity == entity && strcmp(key->entity_id, id) == 0;
    return own || key->entity == TTS_USER_KEY ? key->rights & all_rights(prefix) : 0;
}

uint64_t tts_application_rights(const struct tts_call *call, const char *application_id) {
    if (tts_find_application(call->tts, application_id) == NULL) return 0;
    return rights_to(call, TTS_APPLICATION_KEY, application_id, "RIGHT_APPLICATION_");
}

static bool require(struct tts_call *call, uint64_t rights, const char *id, enum tts_right right,
                    enum tts_error none, enum tts_error missing) {
    if (rights == 0) return tts_refuse(call, tts_problem(call, none, "uid", id, NULL));
    if (rights & bit(right)) return true;
    struct tts_problem *problem = tts_problem(call, missing, "uid", id, NULL);
    const char **names = arena_new_array(&call->arena, const char *, 1);
    names[0] = tts_right_name(right);
    tts_add_attribute_list(call, problem, "missing", names, 1);
    return tts_refuse(call, problem);
}

bool tts_require_application(struct tts_call *call, const char *application_id, enum tts_right right) {
    bool user = call->key != NULL && call->key->entity == TTS_USER_KEY;
    if (user && tts_find_application(call->tts, application_id) == NULL) {
        return tts_refuse(
            call, tts_problem(call, TTS_APPLICATION_NOT_FOUND, "application_id", application_id, NULL));
    }
    return require(call, tts_application_rights(call, application_id), application_id, right,
                   TTS_NO_APPLICATION_RIGHTS, TTS_MISSING_APPLICATION_RIGHTS);
}

bool tts_require_user(struct tts_call *call, const char *user_id, enum tts_right right) {
    const struct tts_key *key = call->key;
    bool own = key != NULL && key->entity == TTS_USER_KEY && strcmp(key->entity_id, user_id) == 0;
    uint64_t rights = own ? key->rights & all_rights("RIGHT_USER_") : 0;
    return require(call, rights, user_id, right, TTS_NO_USER_RIGHTS, TTS_MISSING_USER_RIGHTS);
}

bool tts_require_gateway(struct tts_call *call, const char *gateway_id, enum tts_right right) {
    const struct tts_gateway *gateway = tts_find_gateway(call->tts, gateway_id);
    bool user = call->key != NULL && call->key->entity == TTS_USER_KEY;
    if (user && (gateway == NULL || gateway->deleted)) {
        return tts_refuse(call, tts_problem(call, TTS_GATEWAY_NOT_FOUND, "gateway_id", gateway_id, NULL));
    }
    return require(call, rights_to(call, TTS_GATEWAY_KEY, gateway_id, "RIGHT_GATEWAY_"), gateway_id, right,
                   TTS_NO_GATEWAY_RIGHTS, TTS_MISSING_GATEWAY_RIGHTS);
}

void tts_put_rights(struct tts_call *call, struct tts_node *message, uint64_t rights) {
    for (unsigned i = 0; i < RIGHT_BITS; i++) {
        if (rights & bit(i)) tts_add(&call->arena, message, "rights")->number = i;
    }
}
