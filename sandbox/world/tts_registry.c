// SPDX-License-Identifier: Apache-2.0
// What the device registries of the four servers have in common, and the small ones of them: Application and Join
// Server.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "world/tts_p.h"

enum { LIMIT_DEFAULT = 100, FORMATTER_MOST = 40960 };

// The keys at each server; whoever names one, or what it is in, needs a right of its own.
static const char *const key_paths[TTS_SERVERS][9] = {
    [TTS_NS] = {"session.keys.f_nwk_s_int_key.key", "session.keys.s_nwk_s_int_key.key",
                "session.keys.nwk_s_enc_key.key", "pending_session.keys.f_nwk_s_int_key.key",
                "pending_session.keys.s_nwk_s_int_key.key", "pending_session.keys.nwk_s_enc_key.key",
                "mac_state.queued_join_accept.keys", "pending_mac_state.queued_join_accept.keys"},
    [TTS_AS] = {"session.keys.app_s_key.key", "pending_session.keys.app_s_key.key"},
    [TTS_JS] = {"root_keys.app_key.key", "root_keys.nwk_key.key"},
};

struct tts_device_ids tts_ids(struct tts_call *call, const char *path) {
    const struct tts_node *tree = *path != '\0' ? tts_find(call->in, path) : call->in;
    return (struct tts_device_ids){
        .application_id = tts_text(&call->arena, tree, "application_ids.application_id"),
        .device_id = tts_text(&call->arena, tree, "device_id"),
        .tree = tree,
    };
}

static bool names_keys(const struct tts_call *call) {
    const char *const *paths = key_paths[call->method->server];
    for (size_t i = 0; paths[i] != NULL; i++) {
        if (tts_mask_touches(call, paths[i])) return true;
    }
    return false;
}

static bool may_write(struct tts_call *call, const char *application_id) {
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return false;
    return !names_keys(call) ||
           tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE_KEYS);
}

static bool may_read(struct tts_call *call, const char *application_id) {
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_READ)) return false;
    bool queue = call->method->server == TTS_NS &&
                 (tts_mask_touches(call, "session.queued_application_downlinks") ||
                  tts_mask_touches(call, "pending_session.queued_application_downlinks"));
    if (queue && !tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_TRAFFIC_READ)) {
        return false;
    }
    return !names_keys(call) ||
           tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_READ_KEYS);
}

struct tts_device *tts_known_device(struct tts_call *call, const struct tts_device_ids *ids) {
    enum tts_server server = call->method->server;
    struct tts_device *device = tts_find_device(call->tts, ids->application_id, ids->device_id);
    if (device != NULL && device->records[server].size > 0) return device;
    static const enum tts_error errors[TTS_SERVERS] = {
        [TTS_NS] = TTS_NS_DEVICE_NOT_FOUND,
        [TTS_AS] = TTS_AS_DEVICE_NOT_FOUND,
        [TTS_JS] = TTS_JS_DEVICE_NOT_FOUND,
    };
    struct tts_problem *problem =
        server == TTS_IS ? tts_problem(call, TTS_IS_DEVICE_NOT_FOUND, "device_id", ids->device_id,
                                       "application_id", ids->application_id, NULL)
                         : tts_problem(call, errors[server], NULL);
    tts_refuse(call, problem);
    return NULL;
}

bool tts_check_euis(struct tts_call *call, const struct tts_device_ids *ids, enum tts_error taken) {
    struct wire_bytes join_eui = tts_bytes(ids->tree, "join_eui");
    struct wire_bytes dev_eui = tts_bytes(ids->tree, "dev_eui");
    if (join_eui.size != TTS_EUI_SIZE || dev_eui.size != TTS_EUI_SIZE) return true;
    uint8_t euis[TTS_EUIS_SIZE];
    memcpy(euis, join_eui.data, TTS_EUI_SIZE);
    memcpy(euis + TTS_EUI_SIZE, dev_eui.data, TTS_EUI_SIZE);
    const struct tts_device *owner = tts_find_euis(call->tts, call->method->server, euis);
    if (owner == NULL) return true;
    if (owner == tts_find_device(call->tts, ids->application_id, ids->device_id)) return true;
    char join_text[HEX_TEXT_SIZE(TTS_EUI_SIZE)];
    char dev_text[HEX_TEXT_SIZE(TTS_EUI_SIZE)];
    hex_encode_upper(join_text, join_eui.data, TTS_EUI_SIZE);
    hex_encode_upper(dev_text, dev_eui.data, TTS_EUI_SIZE);
    return tts_refuse(
        call, tts_problem(call, taken, "join_eui", join_text, "dev_eui", dev_text, "device_id",
                          owner->device_id, "application_id", owner->application->application_id, NULL));
}

void tts_stamp(struct tts_call *call, struct tts_node *record, const struct tts_device_ids *ids) {
    struct arena *arena = &call->arena;
    // The Identity Server's database keeps microseconds.
    int64_t now = call->method->server == TTS_IS ? call->now / 1000 * 1000 : call->now;
    struct tts_node *own = tts_make(arena, record, "ids");
    tts_copy_path(arena, own, ids->tree, "device_id");
    tts_copy_path(arena, own, ids->tree, "application_ids");
    if (tts_find(ids->tree, "dev_eui") != NULL) tts_copy_path(arena, own, ids->tree, "dev_eui");
    if (tts_find(ids->tree, "join_eui") != NULL) tts_copy_path(arena, own, ids->tree, "join_eui");
    if (tts_find(record, "created_at") == NULL) tts_set_time(arena, record, "created_at", now);
    tts_set_time(arena, record, "updated_at", now);
}

void tts_page(struct tts_call *call, size_t total, size_t *ret_first, size_t *ret_end) {
    uint64_t limit = tts_number(call->in, "limit");
    uint64_t page = tts_number(call->in, "page");
    if (limit == 0) limit = LIMIT_DEFAULT;
    uint64_t first = page > 1 ? (page - 1) * limit : 0;
    *ret_first = first < total ? (size_t)first : total;
    *ret_end = total - *ret_first > limit ? *ret_first + (size_t)limit : total;
    world_reply_add_header(call->reply, "x-total-count", "%zu", total);
}

bool tts_check_reserved(struct tts_call *call, const char *id) {
    static const char *const reserved[] = {"admin", "api",  "console", "default",  "login", "me",
                                           "new",   "null", "root",    "settings", "system"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcmp(reserved[i], id) == 0)
            return tts_refuse(call, tts_problem(call, TTS_FORBIDDEN_ID, "id", id, NULL));
    }
    return true;
}

// ---- Get and Delete at Network, Application and Join Server

void tts_registry_get(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "end_device_ids");
    if (!may_read(call, ids.application_id)) return;
    const struct tts_device *device = tts_known_device(call, &ids);
    if (device == NULL) return;
    struct tts_node *record =
        tts_blob_tree(&call->arena, &device->records[call->method->server], "EndDevice");
    struct tts_node *out = tts_select(call, record);
    struct wire_bytes dev_addr = tts_bytes(record, "session.dev_addr");
    if (call->method->server == TTS_NS && dev_addr.size > 0) {
        tts_set_bytes(&call->arena, out, "ids.dev_addr", dev_addr.data, dev_addr.size);
    }
    tts_answer(call, out);
}

void tts_registry_delete(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "");
    if (!tts_require_application(call, ids.application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return;
    struct tts_device *device = tts_known_device(call, &ids);
    if (device != NULL) tts_drop_record(call->tts, device, call->method->server);
}

// ---- batches; IDs that are not there are passed over

static struct tts_device *batch_device(struct tts_call *call, const char *application_id,
                                       const struct tts_node *id) {
    const char *device_id = arena_strndup(&call->arena, (const char *)id->bytes.data, id->bytes.size);
    struct tts_device *device = tts_find_device(call->tts, application_id, device_id);
    bool known = device != NULL && device->records[call->method->server].size > 0;
    return known ? device : NULL;
}

void tts_batch_get(struct tts_call *call) {
    const char *application_id = tts_text(&call->arena, call->in, "application_ids.application_id");
    if (!may_read(call, application_id)) return;
    struct tts_node *out = tts_new(&call->arena, "EndDevices");
    for (const struct tts_node *id = tts_find(call->in, "device_ids"); id != NULL; id = tts_next_entry(id)) {
        const struct tts_device *device = batch_device(call, application_id, id);
        if (device == NULL) continue;
        struct tts_node *record =
            tts_blob_tree(&call->arena, &device->records[call->method->server], "EndDevice");
        struct tts_node *entry = tts_add(&call->arena, out, "end_devices");
        const struct tts_node *selected = tts_select(call, record);
        entry->first = selected->first;
        entry->last = selected->last;
    }
    tts_answer(call, out);
}

void tts_batch_delete(struct tts_call *call) {
    const char *application_id = tts_text(&call->arena, call->in, "application_ids.application_id");
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return;
    for (const struct tts_node *id = tts_find(call->in, "device_ids"); id != NULL; id = tts_next_entry(id)) {
        struct tts_device *device = batch_device(call, application_id, id);
        if (device != NULL) tts_drop_record(call->tts, device, call->method->server);
    }
}

// ---- Set at Application and Join Server

static bool same_euis(const struct tts_node *a, const struct tts_node *b) {
    return tts_same(a, b, "dev_eui") && tts_same(a, b, "join_eui");
}

// Lays the request over `old` (NULL = the server does not know the device), stores and answers it.
static void store(struct tts_call *call, const struct tts_device_ids *ids, const struct tts_node *old) {
    struct arena *arena = &call->arena;
    struct tts_node *record = tts_new(arena, "EndDevice");
    if (old != NULL) {
        record->first = old->first;
        record->last = old->last;
    }
    for (size_t i = 0; i < call->path_count; i++) {
        if (strncmp(call->paths[i], "ids", 3) == 0) continue;
        tts_copy_path(arena, record, tts_find(call->in, "end_device"), call->paths[i]);
    }
    tts_stamp(call, record, ids);
    struct tts_application *application = tts_add_application(call->tts, ids->application_id);
    struct tts_device *device = tts_add_device(call->tts, application, ids->device_id);
    tts_store_record(call->tts, device, call->method->server, record);
    tts_answer(call, tts_select(call, record));
}

static const struct tts_node *old_record(struct tts_call *call, const struct tts_device_ids *ids) {
    const struct tts_device *device = tts_find_device(call->tts, ids->application_id, ids->device_id);
    enum tts_server server = call->method->server;
    if (device == NULL || device->records[server].size == 0) return NULL;
    return tts_blob_tree(&call->arena, &device->records[server], "EndDevice");
}

// A value that may not be zero where it is named.
static bool check_set(struct tts_call *call, const char *path, const char *message, const char *field) {
    const struct tts_node *device = tts_find(call->in, "end_device");
    if (!tts_mask_touches(call, path) || tts_has_bytes(device, path)) return true;
    return tts_refuse(call, tts_problem(call, TTS_VALIDATION, "name", message, "field", field, "reason",
                                        "value is zero", NULL));
}

static bool check_formatter(struct tts_call *call, const char *path) {
    size_t size = tts_bytes(tts_find(call->in, "end_device"), path).size;
    if (!tts_mask_touches(call, path) || size <= FORMATTER_MOST) return true;
    char text[24];
    snprintf(text, sizeof text, "%zu", size);
    return tts_refuse(call, tts_problem(call, TTS_FORMATTER_SIZE, "size", text, "max_size", "40960", NULL));
}

// True if the mask names a path within `prefix` ("session.").
static bool names_below(const struct tts_call *call, const char *prefix) {
    for (size_t i = 0; i < call->path_count; i++) {
        if (strncmp(call->paths[i], prefix, strlen(prefix)) == 0) return true;
    }
    return false;
}

// A session that is named as a whole and not there is taken away; one that is there needs address and key.
static bool check_as_session(struct tts_call *call) {
    const struct tts_node *device = tts_find(call->in, "end_device");
    if (tts_find(device, "session") == NULL && !names_below(call, "session.")) return true;
    if (!check_set(call, "session.dev_addr", "SessionValidationError", "dev_addr")) return false;
    if (tts_mask_touches(call, "session.dev_addr") && !tts_has_bytes(device, "session.keys.app_s_key.key")) {
        return tts_refuse(call, tts_problem(call, TTS_VALIDATION, "name", "SessionKeysValidationError",
                                            "field", "app_s_key", "reason", "value is required", NULL));
    }
    return check_set(call, "session.keys.app_s_key.key", "KeyEnvelopeValidationError", "key");
}

void tts_as_set(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "end_device.ids");
    if (!may_write(call, ids.application_id) || !check_as_session(call)) return;
    if (!check_formatter(call, "formatters.up_formatter_parameter") ||
        !check_formatter(call, "formatters.down_formatter_parameter")) {
        return;
    }
    if (tts_check_euis(call, &ids, TTS_REGISTRY_EUIS_TAKEN)) store(call, &ids, old_record(call, &ids));
}

static bool check_join_ids(struct tts_call *call, const struct tts_device_ids *ids) {
    const char *wrong = NULL;
    if (tts_has_bytes(ids->tree, "dev_addr")) wrong = "ids.dev_addr";
    if (!tts_has_bytes(ids->tree, "dev_eui")) wrong = "ids.dev_eui";
    if (tts_find(ids->tree, "join_eui") == NULL) wrong = "ids.join_eui";
    return wrong == NULL || tts_refuse(call, tts_problem(call, TTS_JS_FIELD_VALUE, "field", wrong, NULL));
}

// The Join Server knows a device by its EUIs: under other EUIs nothing of the old record is left.
void tts_js_set(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "end_device.ids");
    if (!may_write(call, ids.application_id) || !check_join_ids(call, &ids)) return;
    bool named =
        tts_find(call->in, "end_device.root_keys.app_key") != NULL || names_below(call, "root_keys.app_key");
    if (named && !check_set(call, "root_keys.app_key.key", "KeyEnvelopeValidationError", "key")) return;
    if (!tts_check_euis(call, &ids, TTS_REGISTRY_EUIS_TAKEN)) return;
    const struct tts_node *old = old_record(call, &ids);
    bool other = old != NULL && !same_euis(tts_find(old, "ids"), ids.tree);
    store(call, &ids, other ? NULL : old);
}
