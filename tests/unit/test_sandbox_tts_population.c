// SPDX-License-Identifier: Apache-2.0
// The devices that a seed makes in The Things Stack: the same every time, of all kinds, and such that the servers take
// them.
#include "test_sandbox_tts_help.h"

enum { MANY = 600 };

static struct world *populated(uint64_t seed, uint64_t devices) {
    struct world_setup setup = {.seed = seed, .tts_devices = devices};
    return world_new(&setup);
}

static void state_of(const struct world *world, struct buffer *text) {
    buffer_init(text, BUFFER_UNLIMITED);
    world_state_json(world, WORLD_STATE_DEVICES, text);
}

static void test_same(void **state) {
    (void)state;
    BUFFER_AUTO one;
    BUFFER_AUTO other;
    BUFFER_AUTO fewer;
    struct world *world = populated(7, 200);
    state_of(world, &one);
    world_free(world);
    world = populated(7, 200);
    state_of(world, &other);
    world_free(world);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    world = populated(8, 200);
    state_of(world, &fewer);
    assert_false(one.size == fewer.size && memcmp(one.data, fewer.data, one.size) == 0);
    world_free(world);
}

// What the state says, a new world can be made of.
static void test_round_trip(void **state) {
    (void)state;
    BUFFER_AUTO lines;
    BUFFER_AUTO again;
    buffer_init(&lines, BUFFER_UNLIMITED);
    buffer_init(&again, BUFFER_UNLIMITED);
    struct world *world = populated(3, 100);
    world_state_lines(world, &lines);
    world_clear_devices(world);
    char *copy = memory_strdup(buffer_string(&lines));
    char *rest = copy;
    for (char *line = NULL; (line = strsep(&rest, "\n")) != NULL;) {
        ERROR_AUTO error = {0};
        if (*line == '\0') continue;
        const char *app_id = NULL;
        assert_int_equal(world_load_device(world, line, strlen(line), &app_id, &error), 0);
    }
    free(copy);
    world_state_lines(world, &again);
    assert_int_equal(lines.size, again.size);
    assert_memory_equal(lines.data, again.data, lines.size);
    world_free(world);
}

static void test_kinds(void **state) {
    (void)state;
    struct world *world = populated(1, MANY);
    const struct tts_application *application = tts_find_application(world->tts, WORLD_TTS_SOURCE_APP_ID);
    static const char *const paths[][2] = {{"ns", "session"},
                                           {"ns", "pending_session"},
                                           {"ns", "multicast"},
                                           {"ns", "supports_class_b"},
                                           {"ns", "supports_class_c"},
                                           {"ns", "battery_percentage"},
                                           {"is", "locations"},
                                           {"is", "attributes"},
                                           {"is", "claim_authentication_code"},
                                           {"is", "description"},
                                           {"is", "version_ids"},
                                           {"is", "last_seen_at"},
                                           {"as", "formatters"},
                                           {"js", "used_dev_nonces"},
                                           {"js", "root_keys.nwk_key"},
                                           {"ns", "mac_state.last_downlink_at"}};
    static const char *const servers[TTS_SERVERS] = {"is", "ns", "as", "js"};
    unsigned seen[sizeof paths / sizeof *paths] = {0};
    unsigned half = 0;
    unsigned versions = 0;
    assert_int_equal(application->device_count, MANY);
    for (size_t i = 0; i < application->device_count; i++) {
        ARENA_AUTO arena = {0};
        const struct tts_device *device = application->devices[i];
        const struct tts_node *network = tts_blob_tree(&arena, &device->records[TTS_NS], "EndDevice");
        bool join = tts_number(network, "supports_join") != 0;
        half += device->records[TTS_NS].size == 0 || device->records[TTS_AS].size == 0 ||
                (join && device->records[TTS_JS].size == 0);
        versions |= 1U << tts_number(network, "lorawan_version");
        for (size_t j = 0; j < sizeof paths / sizeof *paths; j++) {
            for (unsigned server = 0; server < TTS_SERVERS; server++) {
                if (strcmp(paths[j][0], servers[server]) != 0) continue;
                const struct tts_node *record = tts_blob_tree(&arena, &device->records[server], "EndDevice");
                seen[j] += tts_find(record, paths[j][1]) != NULL;
            }
        }
    }
    for (size_t j = 0; j < sizeof paths / sizeof *paths; j++) {
        if (seen[j] == 0) print_message("no %s\n", paths[j][1]);
        assert_true(seen[j] > 0);
    }
    assert_int_equal(versions & 0x7E, 0x7E);
    assert_true(half > 10);
    world_free(world);
}

// The request of a Set that copies a record under the target application's ID.
static void copy_record(struct arena *arena, const struct tts_node *record, enum tts_mask mask,
                        struct buffer *body) {
    struct tts_node *request = tts_new(arena, "SetEndDeviceRequest");
    struct tts_node *device = tts_make(arena, request, "end_device");
    tts_copy_path(arena, device, record, "ids");
    for (size_t i = 0; i < tts_mask_path_count; i++) {
        const char *path = tts_mask_paths[i].path;
        bool named = (tts_mask_paths[i].calls & mask) != 0 && strncmp(path, "ids", 3) != 0;
        if (!named || tts_find(record, path) == NULL) continue;
        tts_copy_path(arena, device, record, path);
        tts_add(arena, tts_make(arena, request, "field_mask"), "paths")->bytes =
            (struct wire_bytes){(const uint8_t *)path, strlen(path)};
    }
    tts_set_text(arena, device, "ids.application_ids.application_id", WORLD_TTS_TARGET_APP_ID);
    buffer_init(body, BUFFER_UNLIMITED);
    tts_encode(request, body);
}

// All records, taken out of the one application, are taken by the other and come out the same.
static void test_taken_again(void **state) {
    (void)state;
    static const struct {
        enum tts_server server;
        enum world_endpoint endpoint;
        enum tts_mask mask;
        const char *method;
    } sets[] = {{TTS_JS, WORLD_TTS_JS, TTS_MASK_JS_SET, JS_REGISTRY "Set"},
                {TTS_NS, WORLD_TTS_NS, TTS_MASK_NS_SET, NS_REGISTRY "Set"},
                {TTS_AS, WORLD_TTS_AS, TTS_MASK_AS_SET, AS_REGISTRY "Set"}};
    struct world *world = populated(1, MANY);
    struct tts_application *source = tts_find_application(world->tts, WORLD_TTS_SOURCE_APP_ID);
    const char *key = world_tts_key(world, WORLD_TTS_KEY_TARGET);
    for (size_t i = 0; i < MANY; i++) {
        ARENA_AUTO arena = {0};
        struct tts_device *device = source->devices[i];
        char *id = arena_strdup(&arena, device->device_id);
        struct tts_node *records[TTS_SERVERS];
        for (unsigned server = 0; server < TTS_SERVERS; server++) {
            const struct tts_blob *blob = &device->records[server];
            const struct tts_blob copy = {arena_dup(&arena, blob->data, blob->size), blob->size};
            records[server] = tts_blob_tree(&arena, &copy, "EndDevice");
        }
        for (unsigned server = 0; device != NULL && server < TTS_SERVERS; server++) {
            tts_drop_record(world->tts, device, server);
            device = tts_find_device(world->tts, WORLD_TTS_SOURCE_APP_ID, id);
        }
        for (size_t j = 0; j < sizeof sets / sizeof *sets; j++) {
            struct tts_node *record = records[sets[j].server];
            if (record->first == NULL) continue;
            BUFFER_AUTO body;
            copy_record(&arena, record, sets[j].mask, &body);
            tts_expect(
                tts_call_bytes(world, NOW, sets[j].endpoint, sets[j].method, key, body.data, body.size), 0,
                NULL, NULL);
            const struct tts_device *copy = tts_find_device(world->tts, WORLD_TTS_TARGET_APP_ID, id);
            const struct tts_node *now = tts_blob_tree(&arena, &copy->records[sets[j].server], "EndDevice");
            assert_true(tts_same(record, now, "root_keys"));
            assert_true(tts_same(record, now, "session.keys"));
            // The Application Server has no way to be given a pending session.
            if (sets[j].server != TTS_AS) assert_true(tts_same(record, now, "pending_session"));
            assert_true(tts_same(record, now, "mac_state"));
            assert_true(tts_same(record, now, "mac_settings"));
            assert_true(tts_same(record, now, "formatters"));
            assert_true(tts_same(record, now, "session.last_n_f_cnt_down"));
        }
    }
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
