// SPDX-License-Identifier: Apache-2.0
// Gateways at the Identity Server.
#include <string.h>

#include "base/hex.h"
#include "world/tts_p.h"

static struct tts_node *record_of(struct tts_call *call, const struct tts_gateway *gateway) {
    return tts_blob_tree(&call->arena, &gateway->record, "Gateway");
}

// Whoever asks for the versions or the delay gets them, be they empty.
static struct tts_node *select_record(struct tts_call *call, struct tts_node *record) {
    struct tts_node *out = tts_select(call, record);
    if (tts_mask_touches(call, "version_ids")) tts_make(&call->arena, out, "version_ids");
    if (tts_mask_touches(call, "schedule_anytime_delay")) {
        tts_make(&call->arena, out, "schedule_anytime_delay");
    }
    return out;
}

static bool same_eui(struct tts_call *call, const struct tts_gateway *gateway, struct wire_bytes eui) {
    struct wire_bytes own = tts_bytes(record_of(call, gateway), "ids.eui");
    return eui.size == TTS_EUI_SIZE && own.size == eui.size && memcmp(own.data, eui.data, eui.size) == 0;
}

static bool check_eui(struct tts_call *call, struct wire_bytes eui) {
    for (size_t i = 0; i < call->tts->gateway_count; i++) {
        const struct tts_gateway *gateway = &call->tts->gateways[i];
        if (gateway->deleted || !same_eui(call, gateway, eui)) continue;
        char text[HEX_TEXT_SIZE(TTS_EUI_SIZE)];
        hex_encode_upper(text, eui.data, eui.size);
        return tts_refuse(call, tts_problem(call, TTS_GATEWAY_EUI_TAKEN, "gateway_eui", text, "gateway_id",
                                            gateway->gateway_id, NULL));
    }
    return true;
}

void tts_gateway_create(struct tts_call *call) {
    struct arena *arena = &call->arena;
    const char *gateway_id = tts_text(arena, call->in, "gateway.ids.gateway_id");
    const char *user_id = tts_text(arena, call->in, "collaborator.user_ids.user_id");
    if (!tts_require_user(call, user_id, TTS_RIGHT_USER_GATEWAYS_CREATE)) return;
    if (!tts_check_reserved(call, gateway_id)) return;
    if (tts_find_gateway(call->tts, gateway_id) != NULL) {
        tts_refuse(call, tts_because(tts_problem(call, TTS_ID_TAKEN, NULL),
                                     tts_problem(call, TTS_ALREADY_EXISTS, NULL)));
        return;
    }
    if (!check_eui(call, tts_bytes(call->in, "gateway.ids.eui"))) return;
    struct tts_node *record = tts_new(arena, "Gateway");
    tts_copy_path(arena, record, tts_find(call->in, "gateway"), "ids");
    for (size_t i = 0; i < call->path_count; i++) {
        tts_copy_path(arena, record, tts_find(call->in, "gateway"), call->paths[i]);
    }
    tts_set_time(arena, record, "created_at", call->now / 1000 * 1000);
    tts_set_time(arena, record, "updated_at", call->now / 1000 * 1000);
    tts_blob_store(&tts_add_gateway(call->tts, gateway_id)->record, record);
    tts_answer(call, record);
}

static bool may_read_secrets(struct tts_call *call, const char *gateway_id) {
    bool named = tts_mask_touches(call, "lbs_lns_secret") || tts_mask_touches(call, "target_cups_key") ||
                 tts_mask_touches(call, "claim_authentication_code");
    return !named || tts_require_gateway(call, gateway_id, TTS_RIGHT_GATEWAY_READ_SECRETS);
}

static const struct tts_gateway *known_gateway(struct tts_call *call, const char *gateway_id) {
    const struct tts_gateway *gateway = tts_find_gateway(call->tts, gateway_id);
    if (gateway != NULL && !gateway->deleted) return gateway;
    tts_refuse(call, tts_problem(call, TTS_GATEWAY_NOT_FOUND, "gateway_id", gateway_id, NULL));
    return NULL;
}

void tts_gateway_get(struct tts_call *call) {
    const char *gateway_id = tts_text(&call->arena, call->in, "gateway_ids.gateway_id");
    if (!tts_require_gateway(call, gateway_id, TTS_RIGHT_GATEWAY_INFO)) return;
    if (!may_read_secrets(call, gateway_id)) return;
    const struct tts_gateway *gateway = known_gateway(call, gateway_id);
    if (gateway != NULL) tts_answer(call, select_record(call, record_of(call, gateway)));
}

void tts_gateway_list(struct tts_call *call) {
    enum { GATEWAYS = 1 };
    const char *user_id = tts_text(&call->arena, call->in, "collaborator.user_ids.user_id");
    if (*user_id == '\0' && call->key != NULL) user_id = call->key->entity_id;
    if (!tts_require_user(call, user_id, TTS_RIGHT_USER_GATEWAYS_LIST)) return;
    struct tts *tts = call->tts;
    size_t *seen = arena_new_array(&call->arena, size_t, tts->gateway_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < tts->gateway_count; i++) {
        if (!tts->gateways[i].deleted) seen[count++] = i;
    }
    size_t first = 0;
    size_t end = 0;
    tts_page(call, count, &first, &end);
    for (size_t i = first; i < end; i++) {
        size_t mark = wire_begin(&call->reply->body, GATEWAYS);
        tts_encode(select_record(call, record_of(call, &tts->gateways[seen[i]])), &call->reply->body);
        wire_end(&call->reply->body, mark);
    }
}

void tts_gateway_update(struct tts_call *call) {
    struct arena *arena = &call->arena;
    const char *gateway_id = tts_text(arena, call->in, "gateway.ids.gateway_id");
    if (!tts_require_gateway(call, gateway_id, TTS_RIGHT_GATEWAY_SETTINGS_BASIC)) return;
    bool secrets = tts_mask_touches(call, "lbs_lns_secret") || tts_mask_touches(call, "target_cups_key");
    if (secrets && !tts_require_gateway(call, gateway_id, TTS_RIGHT_GATEWAY_WRITE_SECRETS)) return;
    if (known_gateway(call, gateway_id) == NULL) return;
    struct tts_gateway *gateway = tts_find_gateway(call->tts, gateway_id);
    struct wire_bytes eui = tts_bytes(call->in, "gateway.ids.eui");
    bool moves = tts_mask_touches(call, "ids.eui") && !same_eui(call, gateway, eui);
    if (moves && !check_eui(call, eui)) return;
    struct tts_node *record = record_of(call, gateway);
    for (size_t i = 0; i < call->path_count; i++) {
        tts_copy_path(arena, record, tts_find(call->in, "gateway"), call->paths[i]);
    }
    tts_set_text(arena, record, "ids.gateway_id", gateway_id);
    tts_set_time(arena, record, "updated_at", call->now / 1000 * 1000);
    tts_blob_store(&gateway->record, record);
    tts_answer(call, select_record(call, record));
}

void tts_gateway_delete(struct tts_call *call) {
    const char *gateway_id = tts_text(&call->arena, call->in, "gateway_id");
    if (!tts_require_gateway(call, gateway_id, TTS_RIGHT_GATEWAY_DELETE)) return;
    if (known_gateway(call, gateway_id) != NULL) tts_find_gateway(call->tts, gateway_id)->deleted = true;
}

// The key's text is in this answer alone.
void tts_gateway_create_key(struct tts_call *call) {
    struct arena *arena = &call->arena;
    const char *gateway_id = tts_text(arena, call->in, "gateway_ids.gateway_id");
    if (!tts_require_gateway(call, gateway_id, TTS_RIGHT_GATEWAY_SETTINGS_API_KEYS)) return;
    if (known_gateway(call, gateway_id) == NULL) return;
    uint64_t rights = 0;
    for (const struct tts_node *right = tts_find(call->in, "rights"); right; right = tts_next_entry(right)) {
        rights |= right->number < 64 ? UINT64_C(1) << right->number : 0;
    }
    const char *name = tts_text(arena, call->in, "name");
    const struct tts_key *key = tts_add_key(call->tts, TTS_GATEWAY_KEY, gateway_id, name, rights);
    struct tts_node *out = tts_new(arena, "APIKey");
    tts_set_text(
        arena, out, "id",
        arena_strndup(arena, key->text + strlen("NNSXS."), strcspn(key->text + strlen("NNSXS."), ".")));
    tts_set_text(arena, out, "key", key->text);
    tts_set_text(arena, out, "name", name);
    tts_put_rights(call, out, rights);
    tts_set_time(arena, out, "created_at", call->now / 1000 * 1000);
    tts_set_time(arena, out, "updated_at", call->now / 1000 * 1000);
    tts_answer(call, out);
}

// The texts have no characters that JSON would escape: addresses and keys.
static void put_member(struct buffer *state, const char *name, struct wire_bytes text) {
    buffer_printf(state, ",\"%s\":\"", name);
    buffer_add(state, text.data, text.size);
    buffer_putc(state, '"');
}

void tts_gateways_json(const struct tts *tts, struct buffer *state) {
    static const char *const paths[] = {"name",
                                        "description",
                                        "gateway_server_address",
                                        "target_cups_uri",
                                        "target_cups_key.value",
                                        "lbs_lns_secret.value"};
    for (size_t i = 0; i < tts->gateway_count; i++) {
        const struct tts_gateway *gateway = &tts->gateways[i];
        ARENA_AUTO arena = {0};
        const struct tts_node *record = tts_blob_tree(&arena, &gateway->record, "Gateway");
        buffer_printf(state, "%s{\"gateway_id\":\"%s\",\"deleted\":%s", i > 0 ? ",\n" : "",
                      gateway->gateway_id, gateway->deleted ? "true" : "false");
        for (size_t j = 0; j < sizeof paths / sizeof *paths; j++)
            put_member(state, paths[j], tts_bytes(record, paths[j]));
        buffer_putc(state, '}');
    }
}
