// SPDX-License-Identifier: Apache-2.0
// The devices of The Things Stack as JSON, one object each, and back.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"
#include "world/tts_p.h"

static const char *const server_names[TTS_SERVERS] = {"is", "ns", "as", "js"};

// What is to be seen of a record without knowing the message: name, path, and whether it is a number.
struct member {
    enum tts_server server;
    const char *name;
    const char *path;
    bool number;
};

static const struct member members[] = {
    {TTS_IS, "join_eui", "ids.join_eui", false},
    {TTS_IS, "dev_eui", "ids.dev_eui", false},
    {TTS_NS, "join_eui", "ids.join_eui", false},
    {TTS_NS, "dev_eui", "ids.dev_eui", false},
    {TTS_NS, "supports_join", "supports_join", true},
    {TTS_NS, "lorawan_version", "lorawan_version", true},
    {TTS_NS, "dev_addr", "session.dev_addr", false},
    {TTS_NS, "session_key_id", "session.keys.session_key_id", false},
    {TTS_NS, "f_nwk_s_int_key", "session.keys.f_nwk_s_int_key.key", false},
    {TTS_NS, "s_nwk_s_int_key", "session.keys.s_nwk_s_int_key.key", false},
    {TTS_NS, "nwk_s_enc_key", "session.keys.nwk_s_enc_key.key", false},
    {TTS_NS, "last_f_cnt_up", "session.last_f_cnt_up", true},
    {TTS_NS, "last_n_f_cnt_down", "session.last_n_f_cnt_down", true},
    {TTS_NS, "last_conf_f_cnt_down", "session.last_conf_f_cnt_down", true},
    {TTS_NS, "pending_dev_addr", "pending_session.dev_addr", false},
    {TTS_NS, "pending_f_nwk_s_int_key", "pending_session.keys.f_nwk_s_int_key.key", false},
    {TTS_AS, "join_eui", "ids.join_eui", false},
    {TTS_AS, "dev_eui", "ids.dev_eui", false},
    {TTS_AS, "dev_addr", "session.dev_addr", false},
    {TTS_AS, "session_key_id", "session.keys.session_key_id", false},
    {TTS_AS, "app_s_key", "session.keys.app_s_key.key", false},
    {TTS_AS, "last_a_f_cnt_down", "session.last_a_f_cnt_down", true},
    {TTS_JS, "join_eui", "ids.join_eui", false},
    {TTS_JS, "dev_eui", "ids.dev_eui", false},
    {TTS_JS, "app_key", "root_keys.app_key.key", false},
    {TTS_JS, "nwk_key", "root_keys.nwk_key.key", false},
    {TTS_JS, "last_dev_nonce", "last_dev_nonce", true},
    {TTS_JS, "last_join_nonce", "last_join_nonce", true},
};

static void put_hex(struct buffer *state, const char *name, const void *data, size_t size) {
    char *text = memory_alloc(HEX_TEXT_SIZE(size), 1);
    hex_encode_lower(text, data, size);
    buffer_printf(state, "\"%s\":\"", name);
    buffer_add(state, text, 2 * size);
    buffer_putc(state, '"');
    memory_wipe(text, 2 * size);
    free(text);
}

// When a server changed it last, ns since 1970.
static void put_change(struct buffer *state, const struct tts_device *device) {
    int64_t last = 0;
    for (unsigned server = 0; server < TTS_SERVERS; server++) {
        if (device->records[server].size == 0) continue;
        ARENA_AUTO arena = {0};
        const struct tts_node *record = tts_blob_tree(&arena, &device->records[server], "EndDevice");
        int64_t time = (int64_t)tts_number(record, "updated_at.seconds") * NS_PER_SECOND +
                       (int64_t)tts_number(record, "updated_at.nanos");
        if (time > last) last = time;
    }
    buffer_printf(state, ",\"updated_at\":%lld", (long long)last);
}

static void put_record(struct buffer *state, const struct tts_device *device, enum tts_server server) {
    const struct tts_blob *blob = &device->records[server];
    buffer_printf(state, ",\"%s\":", server_names[server]);
    if (blob->size == 0) {
        buffer_puts(state, "null");
        return;
    }
    ARENA_AUTO arena = {0};
    const struct tts_node *record = tts_blob_tree(&arena, blob, "EndDevice");
    buffer_putc(state, '{');
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct member *member = &members[i];
        const struct tts_node *node = member->server == server ? tts_find(record, member->path) : NULL;
        if (node == NULL) continue;
        if (member->number) {
            buffer_printf(state, "\"%s\":%llu", member->name, (unsigned long long)node->number);
        } else {
            put_hex(state, member->name, node->bytes.data, node->bytes.size);
        }
        buffer_putc(state, ',');
    }
    if (server == TTS_NS) {
        const struct tts_node *setting = tts_find(record, "mac_settings.schedule_downlinks");
        bool silent = setting != NULL && tts_number(setting, "value") == 0;
        buffer_printf(state, "\"schedule_downlinks\":%s,\"mac_state\":%s,", silent ? "false" : "true",
                      tts_find(record, "mac_state") != NULL ? "true" : "false");
    }
    put_hex(state, "end_device_hex", blob->data, blob->size);
    buffer_putc(state, '}');
}

void tts_state_json(struct tts *tts, const char *separator, struct buffer *state) {
    bool first = true;
    for (size_t i = 0; i < tts->application_count; i++) {
        struct tts_application *application = tts->applications[i];
        tts_sort_devices(application);
        for (size_t j = 0; j < application->device_count; j++) {
            const struct tts_device *device = application->devices[j];
            if (!first) buffer_puts(state, separator);
            first = false;
            buffer_printf(state, "{\"application_id\":\"%s\",\"device_id\":\"%s\"",
                          application->application_id, device->device_id);
            put_change(state, device);
            for (unsigned server = 0; server < TTS_SERVERS; server++) put_record(state, device, server);
            buffer_putc(state, '}');
        }
    }
}

// A text or a number of a link as a member, if it is there.
static void put_link_text(json_t *object, const struct tts_node *link, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "default_formatters.%s", name);
    const struct tts_node *node = tts_find(link, path);
    if (node != NULL)
        json_object_set_new(object, name, json_stringn((const char *)node->bytes.data, node->bytes.size));
}

static void put_link_number(json_t *object, const struct tts_node *link, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "default_formatters.%s", name);
    json_object_set_new(object, name, json_integer((json_int_t)tts_number(link, path)));
}

void tts_links_json(const struct tts *tts, struct buffer *state) {
    json_t *links = json_object();
    for (size_t i = 0; i < tts->application_count; i++) {
        const struct tts_application *application = tts->applications[i];
        if (application->link.size == 0) continue;
        ARENA_AUTO arena = {0};
        const struct tts_node *link = tts_blob_tree(&arena, &application->link, "ApplicationLink");
        json_t *object = json_object();
        put_link_number(object, link, "up_formatter");
        put_link_text(object, link, "up_formatter_parameter");
        put_link_number(object, link, "down_formatter");
        put_link_text(object, link, "down_formatter_parameter");
        json_object_set_new(links, application->application_id, object);
    }
    char *text MEMORY_AUTO = json_dumps(links, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(links);
    buffer_puts(state, text != NULL ? text : "{}");
}

void tts_count(const struct tts *tts, struct world_numbers *numbers) {
    static const char *const keys[TTS_SERVERS][2] = {
        [TTS_NS] = {"session.keys.f_nwk_s_int_key.key", "pending_session.keys.f_nwk_s_int_key.key"},
        [TTS_AS] = {"session.keys.app_s_key.key", "pending_session.keys.app_s_key.key"},
        [TTS_JS] = {"root_keys.app_key.key", "root_keys.nwk_key.key"},
    };
    for (size_t i = 0; i < tts->application_count; i++) {
        const struct tts_application *application = tts->applications[i];
        for (size_t j = 0; j < application->device_count; j++) {
            if (application->devices[j] == NULL) continue;
            ARENA_AUTO arena = {0};
            bool with_keys = false;
            for (unsigned server = TTS_NS; server < TTS_SERVERS; server++) {
                const struct tts_node *record =
                    tts_blob_tree(&arena, &application->devices[j]->records[server], "EndDevice");
                with_keys |= tts_has_bytes(record, keys[server][0]) || tts_has_bytes(record, keys[server][1]);
            }
            numbers->tts_devices++;
            numbers->tts_with_keys += with_keys;
        }
    }
    numbers->tts_uplinks = tts->uplinks;
}

// ---- back

static bool read_hex(const char *text, struct buffer *bytes) {
    size_t size = text != NULL ? strlen(text) : 0;
    uint8_t *data = memory_alloc(size / 2, 1);
    bool read = text != NULL && size % 2 == 0 && hex_decode(data, size / 2, text, size);
    if (read) buffer_add(bytes, data, size / 2);
    free(data);
    return read;
}

static int load_record(struct tts *tts, struct tts_device *device, enum tts_server server,
                       const json_t *object, struct error *error) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    ARENA_AUTO arena = {0};
    struct tts_node *record = NULL;
    uint64_t unknown = 0;
    if (!read_hex(json_string_value(json_object_get(object, "end_device_hex")), &bytes)) {
        return error_set(error, ERROR_INPUT, "\"%s\" has no \"end_device_hex\" in hexadecimal",
                         server_names[server]);
    }
    const char *failure = tts_parse(&arena, tts_message("EndDevice"),
                                    (struct wire_bytes){bytes.data, bytes.size}, &record, &unknown);
    if (failure != NULL || record->first == NULL) {
        return error_set(error, ERROR_INPUT, "\"%s\" is not a device", server_names[server]);
    }
    tts_store_record(tts, device, server, record);
    return 0;
}

static int load_object(struct tts *tts, const json_t *object, const char **ret_application_id,
                       struct error *error) {
    const char *application_id = json_string_value(json_object_get(object, "application_id"));
    const char *device_id = json_string_value(json_object_get(object, "device_id"));
    if (application_id == NULL || device_id == NULL ||
        !tts_is_id((struct wire_bytes){(const uint8_t *)application_id, strlen(application_id)}) ||
        !tts_is_id((struct wire_bytes){(const uint8_t *)device_id, strlen(device_id)})) {
        return error_set(error, ERROR_INPUT, "\"application_id\" or \"device_id\" is not an ID");
    }
    struct tts_application *application = tts_found_application(tts, application_id);
    struct tts_device *device = tts_add_device(tts, application, device_id);
    int result = 0;
    for (unsigned server = 0; server < TTS_SERVERS && result == 0; server++) {
        const json_t *record = json_object_get(object, server_names[server]);
        if (json_is_object(record)) result = load_record(tts, device, server, record, error);
    }
    bool known = false;
    for (unsigned server = 0; server < TTS_SERVERS; server++) known |= device->records[server].size > 0;
    if (!known) {
        if (result == 0) result = error_set(error, ERROR_INPUT, "no server knows device %s", device_id);
        tts_drop_record(tts, device, TTS_IS);
    }
    if (ret_application_id != NULL) *ret_application_id = application->application_id;
    return result;
}

int tts_load_device(struct tts *tts, const char *json, size_t size, const char **ret_application_id,
                    struct error *error) {
    json_error_t problem;
    json_t *object = json_loadb(json, size, 0, &problem);
    if (object == NULL) return error_set(error, ERROR_INPUT, "not a JSON object: %s", problem.text);
    int result = load_object(tts, object, ret_application_id, error);
    json_decref(object);
    return result;
}
