// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "networks/networks.h"
#include "world/chirpstack_p.h"
#include "world/ttnv2_p.h"
#include "world/tts_p.h"

void network_take_hex(uint8_t *bytes, size_t size, const char *text) {
    memset(bytes, 0, size);
    if (strlen(text) == 2 * size) hex_decode(bytes, size, text, 2 * size);
}

static int order_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void network_put_sorted(struct buffer *lines, struct buffer *state) {
    char *all MEMORY_AUTO = memory_strdup(buffer_string(lines));
    size_t count = 0;
    for (const char *c = all; *c != '\0'; c++) count += *c == '\n';
    char **sorted = memory_new_array(char *, count + 1);
    char *rest = all;
    for (size_t i = 0; i < count; i++) sorted[i] = strsep(&rest, "\n");
    qsort(sorted, count, sizeof *sorted, order_lines);
    for (size_t i = 0; i < count; i++) buffer_printf(state, "%s\n", sorted[i]);
    free(sorted);
}

void network_put_objects(struct buffer *text, const char *const *dropped, struct buffer *state) {
    for (const char *at = buffer_string(text); *at != '\0';) {
        size_t size = strcspn(at, "\n");
        json_t *object = json_loadb(at, size, JSON_DISABLE_EOF_CHECK, NULL);
        for (const char *const *name = dropped; *name != NULL; name++) json_object_del(object, *name);
        // A downlink counter may be ahead of what it was: one that could have been used is skipped.
        json_object_del(json_object_get(object, "activation"), "n_f_cnt_down");
        json_object_del(json_object_get(object, "activation"), "a_f_cnt_down");
        char *plain = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
        if (plain != NULL) buffer_printf(state, "%s\n", plain);
        memory_free_secret(plain);
        json_decref(object);
        at += size + (at[size] == '\n' ? 1 : 0);
    }
}

// ---- The Things Stack

bool network_device_tts(const struct world *world, const char *application, size_t index,
                        struct network_device *ret_device) {
    const struct tts_application *whole = tts_find_application(world->tts, application);
    if (index >= whole->device_count) return false;
    const struct tts_device *device = whole->devices[index];
    struct tts_view view;
    *ret_device = (struct network_device){0};
    if (device == NULL || !tts_view(world->tts, application, device->device_id, &view)) return true;
    bool joins_with_nwk_key = !v2_is_zero(view.nwk_key, TTS_KEY_SIZE);
    snprintf(ret_device->id, sizeof ret_device->id, "%s", device->device_id);
    unsigned place = view.known[TTS_IS] ? TTS_IS : TTS_NS;
    memcpy(ret_device->dev_eui, view.euis[place] + NETWORK_EUI_SIZE, NETWORK_EUI_SIZE);
    memcpy(ret_device->root_key, joins_with_nwk_key ? view.nwk_key : view.app_key, NETWORK_KEY_SIZE);
    memcpy(ret_device->session_key, view.f_nwk_s_int_key, NETWORK_KEY_SIZE);
    bool joins = view.supports_join && !v2_is_zero(ret_device->root_key, NETWORK_KEY_SIZE);
    ret_device->served =
        view.known[TTS_NS] && !view.silenced && (joins || view.has_session || view.has_pending_session);
    ARENA_AUTO arena = {0};
    ret_device->group =
        tts_number(tts_blob_tree(&arena, &device->records[TTS_NS], "EndDevice"), "multicast") != 0;
    ret_device->up = view.last_f_cnt_up;
    ret_device->down = view.last_n_f_cnt_down;
    return true;
}

void network_state_tts(const struct world *world, const char *application, struct buffer *state) {
    // A device by its keys and counters each server: times begin anew where an entry is made again, and the
    // downlink counter may be ahead of what it was.
    BUFFER_AUTO lines;
    buffer_init(&lines, BUFFER_UNLIMITED);
    struct network_device device = {0};
    for (size_t i = 0; network_device_tts(world, application, i, &device); i++) {
        struct tts_view view;
        if (device.id[0] == '\0' || !tts_view(world->tts, application, device.id, &view)) continue;
        char keys[4][HEX_TEXT_SIZE(TTS_KEY_SIZE)];
        hex_encode_lower(keys[0], view.app_key, TTS_KEY_SIZE);
        hex_encode_lower(keys[1], view.nwk_key, TTS_KEY_SIZE);
        hex_encode_lower(keys[2], view.f_nwk_s_int_key, TTS_KEY_SIZE);
        hex_encode_lower(keys[3], view.app_s_key, TTS_KEY_SIZE);
        buffer_printf(&lines, "%s %d%d%d%d %s %s %s %s %lu %d\n", device.id, view.known[0], view.known[1],
                      view.known[2], view.known[3], keys[0], keys[1], keys[2], keys[3],
                      (unsigned long)view.last_f_cnt_up, view.silenced);
    }
    network_put_sorted(&lines, state);
}

// ---- ChirpStack

bool network_device_chirpstack(const struct world *world, const char *application_id, size_t index,
                               struct network_device *ret_device) {
    const struct cs *cs = world->chirpstack;
    if (index >= cs->device_count) return false;
    const struct cs_device *device = cs->devices[index];
    *ret_device = (struct network_device){0};
    if (strcmp(device->application_id, application_id) != 0) return true;
    snprintf(ret_device->id, sizeof ret_device->id, "%s", device->dev_eui);
    ret_device->served = !device->is_disabled;
    network_take_hex(ret_device->dev_eui, NETWORK_EUI_SIZE, device->dev_eui);
    if (device->has_keys) network_take_hex(ret_device->root_key, NETWORK_KEY_SIZE, device->keys.nwk_key);
    if (!device->has_activation) return true;
    network_take_hex(ret_device->session_key, NETWORK_KEY_SIZE, device->activation.f_nwk_s_int_key);
    ret_device->up = device->activation.f_cnt_up;
    ret_device->down = device->activation.n_f_cnt_down;
    return true;
}

void network_state_chirpstack(const struct world *world, const char *const *dropped, struct buffer *state) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    cs_state_json(world->chirpstack, "\n", &text);
    network_put_objects(&text, dropped, state);
}
