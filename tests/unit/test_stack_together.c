// SPDX-License-Identifier: Apache-2.0
// Several devices in one question to the Identity Server: what is asked, and to whom each part of the answer belongs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "device/message.h"
#include "stack/server.h"

enum { ASKERS = 3 };

static const struct server server = {.name = "Identity Server test:1", .address = "test:1"};
static const char *const ids[ASKERS] = {"first", "second", "third"};

struct scene {
    struct arena arena;
    Google__FieldMask *mask;
    struct call calls[ASKERS];
    const struct call *list[ASKERS];
    struct reply reply;
    struct reply replies[ASKERS];
    bool told[ASKERS];
};

static void open_scene(struct scene *scene) {
    *scene = (struct scene){.reply.outcome = REPLY_ANSWERED};
    buffer_init(&scene->reply.body, CALL_REPLY_LIMIT);
    scene->mask = stack_mask(&scene->arena, "name attributes");
    for (size_t i = 0; i < ASKERS; i++) {
        scene->calls[i] = (struct call){.kind = CALL_GRPC, .server = &server, .reply_limit = 100};
        call_add_header(&scene->calls[i], "authorization", "Bearer made-up");
        stack_ask_together(&scene->calls[i], "app", ids[i], scene->mask, &scene->arena);
        scene->list[i] = &scene->calls[i];
    }
}

static void close_scene(struct scene *scene) {
    for (size_t i = 0; i < ASKERS; i++) reply_release(&scene->replies[i]);
    reply_release(&scene->reply);
    arena_release(&scene->arena);
}

// Adds a device to the answer; `code`: its claim authentication code, or NULL.
static void add(struct scene *scene, const char *application_id, const char *device_id, const char *code) {
    Tts__EndDevice *device = message_new(&scene->arena, &tts__end_device__descriptor);
    device->ids = message_new(&scene->arena, &tts__end_device_identifiers__descriptor);
    device->ids->device_id = arena_strdup(&scene->arena, device_id);
    device->ids->application_ids = message_new(&scene->arena, &tts__application_identifiers__descriptor);
    device->ids->application_ids->application_id = arena_strdup(&scene->arena, application_id);
    device->name = arena_printf(&scene->arena, "name of %s", device_id);
    Tts__EndDeviceAuthenticationCode claim = TTS__END_DEVICE_AUTHENTICATION_CODE__INIT;
    if (code != NULL) {
        claim.value = arena_strdup(&scene->arena, code);
        device->claim_authentication_code = &claim;
    }
    Tts__EndDevices devices = TTS__END_DEVICES__INIT;
    devices.n_end_devices = 1;
    devices.end_devices = &device;
    message_pack(&devices.base, &scene->reply.body);
}

static void split(struct scene *scene) {
    scene->calls[0].group->split(scene->list, ASKERS, &scene->reply, scene->replies, scene->told);
}

static void test_fit(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    const struct call_group *group = scene.calls[0].group;
    assert_true(group->fit(&scene.calls[0], &scene.calls[1]));
    assert_false(group->fit(&scene.calls[0], &scene.calls[0]));
    struct call other = scene.calls[1];
    stack_ask_together(&other, "another", "second", scene.mask, &scene.arena);
    assert_false(group->fit(&scene.calls[0], &other));
    stack_ask_together(&other, "app", "second", stack_mask(&scene.arena, "name"), &scene.arena);
    assert_false(group->fit(&scene.calls[0], &other));
    stack_ask_together(&other, "app", "second", stack_mask(&scene.arena, "name ids"), &scene.arena);
    assert_false(group->fit(&scene.calls[0], &other));
    stack_ask_together(&other, "app", "second", stack_mask(&scene.arena, "name attributes"), &scene.arena);
    assert_true(group->fit(&scene.calls[0], &other));
    other.server = NULL;
    assert_false(group->fit(&scene.calls[0], &other));
    close_scene(&scene);
}

static void test_join(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct call joined = {0};
    scene.calls[0].group->join(scene.list, ASKERS, &scene.arena, &joined);
    assert_ptr_equal(joined.server, &server);
    assert_int_equal(joined.header_count, 1);
    assert_int_equal(joined.reply_limit, 300);
    assert_false(joined.changes);
    ERROR_AUTO error = {0};
    const Tts__BatchGetEndDevicesRequest *request = message_unpack(
        &tts__batch_get_end_devices_request__descriptor, joined.body, joined.body_size, &scene.arena, &error);
    assert_non_null(request);
    assert_string_equal(request->application_ids->application_id, "app");
    assert_int_equal(request->n_device_ids, ASKERS);
    for (size_t i = 0; i < ASKERS; i++) assert_string_equal(request->device_ids[i], ids[i]);
    assert_int_equal(request->field_mask->n_paths, 2);
    assert_string_equal(request->field_mask->paths[1], "attributes");
    close_scene(&scene);
}

static void test_split(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    add(&scene, "app", "third", NULL);
    add(&scene, "app", "first", NULL);
    split(&scene);
    static const char *const names[ASKERS] = {"name of first", NULL, "name of third"};
    for (size_t i = 0; i < ASKERS; i++) {
        assert_int_equal(scene.told[i], names[i] != NULL);
        if (names[i] == NULL) continue;
        assert_true(reply_ok(&scene.replies[i], CALL_GRPC));
        ERROR_AUTO error = {0};
        const Tts__EndDevice *device =
            message_unpack(&tts__end_device__descriptor, scene.replies[i].body.data,
                           scene.replies[i].body.size, &scene.arena, &error);
        assert_string_equal(device->name, names[i]);
    }
    close_scene(&scene);
}

// What is not in the answer may be there all the same, and a code may be there as the server keeps it.
static void test_split_open(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    add(&scene, "app", "second", "is-key:00ff11ee");
    add(&scene, "app", "third", NULL);
    split(&scene);
    assert_false(scene.told[0]);
    assert_false(scene.told[1]);
    assert_null(scene.replies[1].body.data);
    assert_true(scene.told[2]);
    close_scene(&scene);
}

// An answer that is not to the question says nothing of any of them.
static void test_split_senseless(void **state) {
    (void)state;
    static const struct {
        const char *application_id, *device_id;
    } wrong[] = {{"app", "fourth"}, {"another", "second"}, {"app", "first"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct scene scene;
        open_scene(&scene);
        add(&scene, "app", "first", NULL);
        add(&scene, wrong[i].application_id, wrong[i].device_id, NULL);
        split(&scene);
        for (size_t k = 0; k < ASKERS; k++) {
            assert_false(scene.told[k]);
            assert_null(scene.replies[k].body.data);
        }
        close_scene(&scene);
    }
    struct scene scene;
    open_scene(&scene);
    add(&scene, "app", "first", NULL);
    scene.reply.body.size -= 3;
    split(&scene);
    assert_false(scene.told[0]);
    close_scene(&scene);
}

int main(void) {
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_open),
        cmocka_unit_test(test_split_senseless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
