// SPDX-License-Identifier: Apache-2.0
// Devices with the same remark are told together.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "cli/remarks.h"

static void test_groups(void **state) {
    (void)state;
    struct remarks *remarks = remarks_new();
    for (int i = 0; i < 7; i++) {
        char *id MEMORY_AUTO = memory_printf("dev-%d", i);
        remarks_add(remarks, id, "restored", "is back, but slowly");
        if (i == 2) remarks_add(remarks, "bx", "failed", "a short ID\033");
        if (i == 3) remarks_add(remarks, "by", "failed", "is back, but slowly");
    }
    remarks_add(remarks, "bz", "failed", "is back, but slowly");
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    remarks_write(remarks, &text);
    remarks_free(remarks);
    assert_string_equal(
        buffer_string(&text),
        "  7 devices (restored): is back, but slowly\n"
        "      dev-0, dev-1, dev-2, dev-3, dev-4 and 2 more\n"
        "  bx (failed): a short ID\\x1b\n"
        "  2 devices (failed): is back, but slowly\n"
        "      by, bz\n"
        "  all of them: --json, or ttn-lw-migrate report; those that failed: --failed-ids; those "
        "on their way: --unfinished-ids\n");
}

// However many different ones there are, no device is left uncounted.
static void test_many(void **state) {
    (void)state;
    enum { MANY = 1000 };
    struct remarks *remarks = remarks_new();
    for (int i = 0; i < MANY; i++) {
        char *remark MEMORY_AUTO = memory_printf("remark %d", i);
        remarks_add(remarks, "a-device", "failed", remark);
    }
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    remarks_write(remarks, &text);
    remarks_free(remarks);
    size_t lines = 0;
    for (const char *at = buffer_string(&text); (at = strstr(at, "a-device")) != NULL; at++) lines++;
    char *more MEMORY_AUTO = memory_printf("  %zu more devices with other remarks\n", MANY - lines);
    assert_non_null(strstr(buffer_string(&text), more));
}

static void test_none(void **state) {
    (void)state;
    struct remarks *remarks = remarks_new();
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    remarks_write(remarks, &text);
    assert_int_equal(text.size, 0);
    remarks_free(remarks);
    remarks_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
