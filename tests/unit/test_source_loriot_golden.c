// SPDX-License-Identifier: Apache-2.0
// Devices in the form of LORIOT's interface, and what must become of each. vectors/loriot/devices.jsonl was computed by other
// means than this program's; the MAC state, which follows from plan and version, has tests of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "device/json_write.h"
#include "device/validate.h"
#include "support/source_play.h"

enum { DEVICES = 68 };

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    json_t *device = json_object_get(play->context, "device");
    const char *path = strstr(call->path, "/device/");
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = 200;
    if (path == NULL) {
        buffer_puts(&reply->body, "{\"apps\":[{\"_id\":3195666433}],\"page\":1,\"perPage\":100,\"total\":1}");
        return;
    }
    assert_string_equal(path + 8, json_string_value(json_object_get(device, "_id")));
    char *text = json_dumps(device, JSON_COMPACT);
    buffer_puts(&reply->body, text);
    free(text);
}

// An option that the line sets, or another one in its place.
static char *option_of(const json_t *line, const char *member, const char *name) {
    const char *value = json_string_value(json_object_get(line, member));
    return value != NULL ? memory_printf("%s=%s", name, value)
                         : memory_strdup("frequency-plan-id=EU_863_870");
}

// What is drawn, or follows from the plan, is left out.
static json_t *shown(const struct device *device) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    message_json_write(&device->end_device->base, &text);
    json_t *json = json_loadb((const char *)text.data, text.size, 0, NULL);
    assert_non_null(json);
    json_object_del(json, "mac_state");
    json_object_del(json_object_get(json, "session"), "started_at");
    json_object_del(json_object_get(json_object_get(json, "session"), "keys"), "session_key_id");
    return json;
}

static void compare(const json_t *line, const struct device *device) {
    json_t *seen = shown(device);
    const json_t *wanted = json_object_get(line, "expected");
    if (json_equal(seen, wanted)) {
        json_decref(seen);
        return;
    }
    char *left = json_dumps(seen, JSON_SORT_KEYS), *right = json_dumps(wanted, JSON_SORT_KEYS);
    fail_msg("%s\ninstead of\n%s", left, right);
}

static void check_line(json_t *line) {
    char *release MEMORY_AUTO = option_of(line, "release", "release");
    char *version MEMORY_AUTO = option_of(line, "mac_version", "mac-version");
    char *join_eui MEMORY_AUTO = option_of(line, "join_eui", "join-eui");
    struct play play;
    play_init(&play, "loriot", answer,
              (const char *const[]){"api-url=loriot.example", "api-key=made-up",
                                    "frequency-plan-id=EU_863_870", release, version, join_eui, NULL});
    play.context = line;
    assert_int_equal(play_open(&play), 0);
    assert_int_equal(play_prepare(&play, "-"), JOB_DONE);
    const char *id = json_string_value(json_object_get(json_object_get(line, "device"), "_id"));
    struct source_record record = {.id = memory_strdup(id)};
    assert_int_equal(play_read(&play, &record), JOB_DONE);
    DEVICE_AUTO device = {0};
    device_init(&device);
    int result = play.driver->convert(play.source, &record, &device, &play.error);
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), &play.error);
    const char *error = json_string_value(json_object_get(line, "error"));
    char *chain MEMORY_AUTO = error_chain(&play.error);
    if (error == NULL && result != 0) fail_msg("%s: %s", id, chain);
    if (error != NULL && (result == 0 || strstr(chain, error) == NULL))
        fail_msg("%s: %s instead of %s", id, result == 0 ? "it is converted" : chain, error);
    if (error == NULL) compare(line, &device);
    source_record_release(&record);
    play_release(&play);
}

static void test_devices(void **state) {
    (void)state;
    FILE *file = fopen(TEST_DATA "/vectors/loriot/devices.jsonl", "r");
    assert_non_null(file);
    char *text = NULL;
    size_t capacity = 0, count = 0;
    for (; getline(&text, &capacity, file) > 0; count++) {
        json_t *line = json_loads(text, 0, NULL);
        assert_non_null(line);
        check_line(line);
        json_decref(line);
    }
    free(text);
    fclose(file);
    assert_int_equal(count, DEVICES);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_devices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
