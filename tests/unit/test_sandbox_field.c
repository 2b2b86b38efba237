// SPDX-License-Identifier: Apache-2.0
// The devices out in the field: heard by those that hold their keys; being held twice, or nowhere for long, is seen.
#include "test_sandbox_tts_help.h"

#include "world/ttnv2_p.h"

#define TARGET WORLD_TTS_TARGET_APP_ID

static struct world *make(uint64_t devices, uint64_t tts_devices, double uplinks) {
    struct world_setup setup = {
        .seed = 1, .devices = devices, .tts_devices = tts_devices, .uplinks = uplinks};
    return world_new(&setup);
}

static struct world_numbers numbers_of(const struct world *world) {
    struct world_numbers numbers;
    world_count(world, &numbers);
    return numbers;
}

static char *hex_line(struct arena *arena, const char *path, const uint8_t *data, size_t size) {
    char *text = arena_alloc(arena, HEX_TEXT_SIZE(size), 1);
    hex_encode_lower(text, data, size);
    return arena_printf(arena, "%s=x'%s'", path, text);
}

static char *number_line(struct arena *arena, const char *path, unsigned long number) {
    return arena_printf(arena, "%s=%lu", path, number);
}

static struct field_device *own(struct world *world) {
    const struct v2_device *device = v2_find_device(world->v2->main, "mydevice");
    uint8_t euis[FIELD_EUIS_SIZE];
    memcpy(euis, device->app_eui, EUI);
    memcpy(euis + EUI, device->dev_eui, EUI);
    return field_find(&world->field, euis);
}

// Takes mydevice into the target application's Network Server, with V2's session and this last downlink counter.
static void take_session(struct world *world, int64_t now, unsigned long last_down) {
    ARENA_AUTO arena = {0};
    const struct field_device *device = own(world);
    const char *const lines[] = {
        "end_device.ids.device_id=mydevice",
        "end_device.ids.application_ids.application_id=" TARGET,
        hex_line(&arena, "end_device.ids.join_eui", device->euis, EUI),
        hex_line(&arena, "end_device.ids.dev_eui", device->euis + EUI, EUI),
        "end_device.frequency_plan_id=EU_863_870_TTN",
        "end_device.lorawan_version=3",
        "end_device.lorawan_phy_version=4",
        "end_device.supports_join=1",
        hex_line(&arena, "end_device.session.dev_addr", device->dev_addr, 4),
        hex_line(&arena, "end_device.session.keys.f_nwk_s_int_key.key", device->nwk_s_key, KEY),
        "end_device.session.keys.session_key_id=x'01'",
        number_line(&arena, "end_device.session.last_f_cnt_up", device->f_cnt_up),
        number_line(&arena, "end_device.session.last_n_f_cnt_down", last_down),
        "end_device.mac_state.current_parameters.rx1_delay=1",
        "field_mask.paths+frequency_plan_id",
        "field_mask.paths+lorawan_version",
        "field_mask.paths+lorawan_phy_version",
        "field_mask.paths+supports_join",
        "field_mask.paths+session",
        "field_mask.paths+mac_state.current_parameters.rx1_delay",
        NULL,
    };
    tts_expect(
        tts_call_lines_at(world, now, NS_REGISTRY "Set", world_tts_key(world, WORLD_TTS_KEY_TARGET), lines),
        0, NULL, NULL);
}

// Takes all keys of mydevice from V2.
static void release(struct world *world, int64_t now) {
    static const uint8_t zero[KEY] = {0};
    const struct v2_device *known = v2_find_device(world->v2->main, "mydevice");
    const struct device device = {.app_id = APP,
                                  .dev_id = "mydevice",
                                  .app_eui = known->app_eui,
                                  .dev_eui = known->dev_eui,
                                  .dev_addr = zero,
                                  .nwk_s_key = zero,
                                  .app_s_key = zero,
                                  .app_key = zero};
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    pack_device(&device, &body);
    expect(call_at(world, now, HANDLER("SetDevice"), "key", world_access_key(world), &body), 0, "");
}

static unsigned long v2_next_down(const struct world *world) {
    const struct v2_device *device = v2_find_device(world->v2->main, "mydevice");
    return v2_network_find(&world->v2->network, device->app_eui, device->dev_eui)->f_cnt_down;
}

// A move as it should be: released, taken within a second, heard on; the counters go on.
static void test_moved(void **state) {
    (void)state;
    struct world *world = make(1, 0, 10);
    unsigned long next = v2_next_down(world);
    world_advance(world, NOW);
    assert_int_equal(own(world)->next_down, next);
    release(world, NOW);
    take_session(world, NOW + NS_PER_SECOND / 2, next - 1);
    world_advance(world, NOW + 100 * NS_PER_SECOND);
    struct world_numbers numbers = numbers_of(world);
    assert_int_equal(numbers.twice, 0);
    assert_int_equal(numbers.nowhere, 0);
    assert_int_equal(numbers.repeated, 0);
    assert_int_equal(numbers.uplinks, 0);
    assert_int_equal(numbers.lost, 0);
    assert_int_equal(numbers.tts_uplinks, 1000);
    struct tts_view view;
    assert_true(tts_view(world->tts, TARGET, "mydevice", &view));
    assert_int_equal(view.last_f_cnt_up, own(world)->f_cnt_up);
    assert_int_equal(view.last_n_f_cnt_down + 1, own(world)->next_down);
    assert_true(own(world)->next_down > next + 50);
    world_free(world);
}

static void test_repeated_counter(void **state) {
    (void)state;
    struct world *world = make(1, 0, 10);
    world_advance(world, NOW);
    world_advance(world, NOW + 100 * NS_PER_SECOND);
    unsigned long next = v2_next_down(world);
    assert_true(next > 20);
    release(world, NOW + 100 * NS_PER_SECOND);
    take_session(world, NOW + 100 * NS_PER_SECOND, next - 10);
    world_advance(world, NOW + 300 * NS_PER_SECOND);
    assert_int_equal(numbers_of(world).repeated, 9);
    world_free(world);
}

static void test_twice(void **state) {
    (void)state;
    struct world *world = make(1, 0, 0);
    world_advance(world, NOW);
    take_session(world, NOW, 0);
    assert_int_equal(numbers_of(world).twice, 1);
    release(world, NOW + 5 * NS_PER_SECOND);
    assert_int_equal(numbers_of(world).twice, 1);
    assert_int_equal(numbers_of(world).nowhere, 0);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    world_state_json(world, WORLD_STATE_CALLS, &text);
    assert_non_null(strstr(buffer_string(&text), "\"twice\":1"));
    assert_non_null(strstr(buffer_string(&text), "{\"what\":\"twice\""));
    world_free(world);
}

static void test_nowhere(void **state) {
    (void)state;
    struct world *world = make(1, 0, 10);
    world_advance(world, NOW);
    release(world, NOW);
    world_advance(world, NOW + NS_PER_SECOND / 2);
    assert_int_equal(numbers_of(world).nowhere, 0);
    world_advance(world, NOW + 2 * NS_PER_SECOND);
    assert_int_equal(numbers_of(world).nowhere, 1);
    assert_int_equal(numbers_of(world).lost, 20);
    take_session(world, NOW + 2 * NS_PER_SECOND, 1000000);
    world_advance(world, NOW + 9 * NS_PER_SECOND);
    assert_int_equal(numbers_of(world).nowhere, 1);
    assert_int_equal(numbers_of(world).lost, 20);
    world_free(world);
}

// One that may not be answered counts as not held.
static void test_silenced(void **state) {
    (void)state;
    struct world *world = make(1, 0, 0);
    world_advance(world, NOW);
    release(world, NOW);
    take_session(world, NOW, 1000000);
    const char *const lines[] = {"end_device.ids.device_id=mydevice",
                                 "end_device.ids.application_ids.application_id=" TARGET,
                                 "end_device.mac_settings.schedule_downlinks.value=0",
                                 "field_mask.paths+mac_settings.schedule_downlinks", NULL};
    tts_expect(
        tts_call_lines_at(world, NOW, NS_REGISTRY "Set", world_tts_key(world, WORLD_TTS_KEY_TARGET), lines),
        0, NULL, NULL);
    world_advance(world, NOW + 2 * NS_PER_SECOND);
    assert_int_equal(numbers_of(world).nowhere, 1);
    world_free(world);
}

// Devices of The Things Stack live by themselves: they send, join, and get sessions at all servers.
static void test_tts_devices(void **state) {
    (void)state;
    struct world *world = make(0, 40, 50);
    world_advance(world, NOW);
    world_advance(world, NOW + 100 * NS_PER_SECOND);
    struct world_numbers numbers = numbers_of(world);
    assert_true(numbers.tts_uplinks > 2500);
    assert_int_equal(numbers.twice + numbers.nowhere + numbers.repeated, 0);
    const struct tts_application *application = tts_find_application(world->tts, WORLD_TTS_SOURCE_APP_ID);
    for (size_t i = 0; i < application->device_count; i++) {
        struct tts_view view;
        assert_true(tts_view(world->tts, WORLD_TTS_SOURCE_APP_ID, application->devices[i]->device_id, &view));
        if (!view.known[TTS_NS] || !view.known[TTS_AS] || (view.supports_join && !view.known[TTS_JS]))
            continue;
        assert_true(view.has_session);
        assert_memory_equal(view.dev_addr, view.as_dev_addr, 4);
    }
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moved),    cmocka_unit_test(test_repeated_counter),
        cmocka_unit_test(test_twice),    cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_silenced), cmocka_unit_test(test_tts_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
