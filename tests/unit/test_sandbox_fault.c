// SPDX-License-Identifier: Apache-2.0
// Faults: their specifications, when they strike, and whether the change was made.
#include "test_sandbox_help.h"

#include "world/fault.h"

static void test_specs(void **state) {
    (void)state;
    static const char *const good[] = {
        "SetDevice:reset-after:every=7", "*:unavailable:count=3",    "GetDevice:delay=2s:at=1",
        "GetDevice:delay=20ms",          "GetDevice:delay=2",        "x:oversized=1000",
        "SetDevice:after-commit",        "a:refuse=1s:at=2:count=1",
    };
    static const char *const bad[] = {
        "",
        "SetDevice",
        ":unavailable",
        "a:nothing",
        "a:unavailable=1",
        "a:delay=",
        "a:delay=x",
        "a:delay=1x",
        "a:garbage:every=0",
        "a:garbage:every",
        "a:garbage:ever=1",
        "a:garbage:at=1x",
        "a:",
        "a:oversized=10ms",
        "a:delay=-1s",
        "a:garbage:count=-1",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ERROR_AUTO error = {0};
        struct fault fault = {0};
        assert_int_equal(fault_parse(good[i], &fault, &error), 0);
        fault_release(&fault);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ERROR_AUTO error = {0};
        struct fault fault = {0};
        assert_int_equal(fault_parse(bad[i], &fault, &error), -ERROR_USAGE);
    }
}

static void hits(const char *spec, const char *method, const char *pattern) {
    ERROR_AUTO error = {0};
    struct fault fault = {0};
    assert_int_equal(fault_parse(spec, &fault, &error), 0);
    for (const char *c = pattern; *c != '\0'; c++) assert_int_equal(fault_hits(&fault, method), *c == 'x');
    fault_release(&fault);
}

static void test_counts(void **state) {
    (void)state;
    hits("A:internal", "A", "xxxx");
    hits("A:internal", "B", "....");
    hits("*:internal", "B", "xxxx");
    hits("A:internal:every=3", "A", "..x..x..x");
    hits("A:internal:at=2", "A", ".x......");
    hits("A:internal:count=2", "A", "xx......");
    hits("A:internal:every=2:count=2", "A", ".x.x....");
}

static const struct device change = {.app_id = APP, .dev_id = "mydevice", .description = "changed"};

// Sets a description under one fault; tells whether it was changed.
static struct world_reply set_under(const char *spec, bool *ret_changed) {
    struct world *world = make_world(2);
    ERROR_AUTO error = {0};
    char *full = memory_printf("SetDevice:%s", spec);
    assert_int_equal(world_add_fault(world, full, &error), 0);
    free(full);
    struct world_reply reply = set_device(world, &change);
    world_clear_faults(world);
    char *hex = get_device_hex(world, APP, "mydevice");
    *ret_changed = strstr(hex, "6368616e676564") != NULL;
    free(hex);
    assert_int_equal(world_calls(world, "SetDevice"), 1);
    world_free(world);
    return reply;
}

static void test_kinds(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        bool changed;
        int status;
        enum world_delivery delivery;
    } rows[] = {
        {"unavailable", false, 14, WORLD_DELIVER},
        {"unavailable-after", true, 14, WORLD_DELIVER},
        {"resource-exhausted", false, 8, WORLD_DELIVER},
        {"resource-exhausted-13", false, 13, WORLD_DELIVER},
        {"internal", false, 13, WORLD_DELIVER},
        {"aborted", false, 10, WORLD_DELIVER},
        {"rejected", false, 3, WORLD_DELIVER},
        {"half", false, 13, WORLD_DELIVER},
        {"reset-before", false, 0, WORLD_RESET},
        {"reset-after", true, 0, WORLD_RESET},
        {"after-commit", true, 0, WORLD_RESET},
        {"reset-middle", true, 0, WORLD_RESET_MIDDLE},
        {"no-trailers", true, 0, WORLD_CUT},
        {"deadline", false, 0, WORLD_HANG},
        {"deadline-after", true, 0, WORLD_HANG},
        {"garbage", true, 0, WORLD_DELIVER},
        {"empty", true, 0, WORLD_DELIVER},
        {"goaway", true, 0, WORLD_GOAWAY},
        {"refuse", false, 0, WORLD_REFUSE},
        {"garbage-http", true, 0, WORLD_GARBAGE_TRANSPORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool changed = false;
        struct world_reply reply = set_under(rows[i].spec, &changed);
        if (changed != rows[i].changed || reply.status != rows[i].status ||
            reply.delivery != rows[i].delivery) {
            fail_msg("%s: changed %d, status %d, delivery %d", rows[i].spec, changed, reply.status,
                     reply.delivery);
        }
        world_reply_release(&reply);
    }
}

static void test_values(void **state) {
    (void)state;
    bool changed = false;
    struct world_reply reply = set_under("delay=250ms", &changed);
    assert_true(changed);
    assert_int_equal(reply.delay, 250 * NS_PER_MS);
    world_reply_release(&reply);
    reply = set_under("oversized=100000", &changed);
    assert_int_equal(reply.body.size, 100000);
    world_reply_release(&reply);
    reply = set_under("garbage", &changed);
    struct wire_reader reader = {.data = reply.body.data, .size = reply.body.size};
    struct wire_field field;
    assert_false(wire_next(&reader, &field));
    assert_non_null(reader.failure);
    world_reply_release(&reply);
}

static void test_http(void **state) {
    (void)state;
    struct world *world = make_world(0);
    ERROR_AUTO error = {0};
    assert_int_equal(world_add_fault(world, "token:resource-exhausted", &error), 0);
    struct world_request request = {.endpoint = WORLD_TTNV2_ACCOUNT,
                                    .method = "POST /api/v2/applications/token"};
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    assert_int_equal(reply.status, 429);
    assert_string_equal(reply.headers[0].name, "retry-after");
    assert_string_equal(buffer_string(&reply.body),
                        "{\"code\":429,\"error\":\"Rate limit for client \\\"fault\\\" reached\"}");
    world_reply_release(&reply);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specs),  cmocka_unit_test(test_counts), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_values), cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
