// SPDX-License-Identifier: Apache-2.0
// Every state that `status` may show is explained in docs/safety.md, and in words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "journal/state_words.h"

// True if the first cell of a row of the table names the state, alone or in a list.
static bool is_in_table(const char *table, const char *name) {
    size_t size = strlen(name);
    for (const char *row = table; row != NULL; row = strchr(row + 1, '\n')) {
        const char *cell = row[0] == '\n' ? row + 1 : row;
        if (*cell != '|') continue;
        const char *end = strchr(cell + 1, '|');
        const char *at = strstr(cell, name);
        if (end != NULL && at != NULL && at < end && (at[-1] == ' ') && (at[size] == ' ' || at[size] == ','))
            return true;
    }
    return false;
}

static void test_documented(void **state) {
    (void)state;
    enum { PAGE_MAX = 1 << 20 };
    ERROR_AUTO error = {0};
    char *page MEMORY_AUTO = NULL;
    size_t page_size = 0;
    assert_int_equal(file_read_all(TEST_DATA "/../docs/safety.md", PAGE_MAX, &page, &page_size, &error), 0);
    const char *table = strstr(page, "## What `status` shows");
    assert_non_null(table);
    char *next = strstr(table + 1, "\n## ");
    assert_non_null(next);
    *next = '\0';
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    for (size_t i = 0; i < count; i++) {
        const char *name = device_state_name(states[i]);
        // These two are passed in memory only.
        if (states[i] == DEVICE_READ || states[i] == DEVICE_CONVERTED) continue;
        if (!is_in_table(table, name)) fail_msg("docs/safety.md does not explain the state %s", name);
    }
    assert_false(is_in_table(table, "unknown"));
}

static void test_words(void **state) {
    (void)state;
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    for (size_t i = 0; i < count; i++) {
        for (int server = 0; server < 2; server++) {
            const struct state_words *words = device_state_words(states[i], server == 1);
            assert_string_not_equal(words->title, "unknown");
            assert_non_null(words->meaning);
            assert_int_equal(words->urgency > 0, words->finding != NULL && words->command != NULL);
        }
    }
    // Between its release and its import a device is at neither network; for a file that is all there is to do.
    assert_int_equal(device_state_words(DEVICE_RELEASED, false)->urgency, 0);
    assert_string_equal(device_state_words(DEVICE_RELEASED, true)->command, "resume");
    assert_int_equal(device_state_words(DEVICE_RELEASED, true)->tone, STATE_WRONG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
