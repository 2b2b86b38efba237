// SPDX-License-Identifier: Apache-2.0
// What SQLite gives back holds no secrets any more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "journal/journal.h"
#include "journal/journal_memory.h"
#include "support/heap_search.h"

static void test_journal(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct journal *journal = NULL;
    assert_int_equal(journal_open_temporary(&journal, &error), 0);
    char *text = memory_alloc(SECRET_SIZE + 1, 1);
    write_secret(text);
    // Not as a secret: the journal's own encryption must not be what hides it.
    assert_int_equal(journal_set_property(journal, "key", text, false, &error), 0);
    memory_free_secret(text);
    assert_true(heap_holds_secret());
    char *value = NULL;
    assert_int_equal(journal_property(journal, "key", &value, &error), 0);
    assert_non_null(value);
    memory_free_secret(value);
    journal_close(journal);
    assert_false(heap_holds_secret());
}

static void test_growing(void **state) {
    (void)state;
    char *text = sqlite3_malloc(SECRET_SIZE + 1);
    assert_non_null(text);
    write_secret(text);
    text = sqlite3_realloc(text, 100 * SECRET_SIZE);
    assert_true(text != NULL && is_mark(text + MARK_AT));
    memory_wipe(text, SECRET_SIZE);
    assert_false(heap_holds_secret());  // the old place
    write_secret(text);
    sqlite3_free(text);
    assert_false(heap_holds_secret());
}

// Too late to be done: told so.
static void test_in_use(void **state) {
    (void)state;
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    assert_false(journal_memory_init());
}

int main(void) {
    alarm(60);
    if (!journal_memory_init()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
