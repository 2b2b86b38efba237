// SPDX-License-Identifier: Apache-2.0
#include "journal/key_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t add(struct key_set *set, const void *key, size_t size, uint64_t number) {
    struct error error = {0};
    uint64_t before = 99;
    assert_int_equal(set->operations->add(set, key, size, number, &before, &error), 0);
    return before;
}

static void test_keys(void **state) {
    (void)state;
    struct key_set *set = NULL;
    struct error error = {0};
    assert_int_equal(key_set_open_temporary(&set, &error), 0);
    assert_int_equal(add(set, "a", 1, 1), 0);
    assert_int_equal(add(set, "a", 1, 2), 1);
    assert_int_equal(add(set, "a", 1, 3), 1);
    assert_int_equal(add(set, "a\0", 2, 4), 0);
    assert_int_equal(add(set, "a\0b", 3, 5), 0);
    assert_int_equal(add(set, "a\0b", 3, 6), 5);
    assert_int_equal(add(set, "A", 1, UINT32_MAX), 0);
    assert_int_equal(add(set, "A", 1, 1), UINT32_MAX);
    assert_int_equal(set->operations->clear(set, &error), 0);
    assert_int_equal(add(set, "a", 1, 7), 0);
    assert_int_equal(add(set, "a", 1, 8), 7);
    key_set_free(set);
    key_set_free(NULL);
}

// More than its cache holds.
static void test_many(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct key_set *set = NULL;
    struct error error = {0};
    char key[32];
    assert_int_equal(key_set_open_temporary(&set, &error), 0);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < COUNT; i++) {
            snprintf(key, sizeof key, "%08x-a-longer-key", (unsigned)(i * 2654435761U));
            assert_int_equal(add(set, key, strlen(key), i + 1), pass == 0 ? 0 : i + 1);
        }
    }
    key_set_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
