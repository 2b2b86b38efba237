// SPDX-License-Identifier: Apache-2.0
// What jansson gives back holds no secrets any more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/json_memory.h"
#include "support/heap_search.h"

static void test_parsed_and_written(void **state) {
    (void)state;
    char *text = memory_alloc(SECRET_SIZE + 32, 1);
    memcpy(text, "{\"key\":\"", 8);
    write_secret(text + 8);
    memcpy(text + 8 + SECRET_SIZE, "\"}", 3);
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    memory_free_secret(text);
    assert_true(heap_holds_secret());
    char *dump = json_dumps(value, JSON_INDENT(2));
    assert_non_null(dump);
    json_decref(value);
    assert_true(heap_holds_secret());
    memory_free_wiping(dump);
    assert_false(heap_holds_secret());
}

int main(void) {
    alarm(60);
    json_memory_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parsed_and_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
