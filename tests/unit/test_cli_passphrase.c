// SPDX-License-Identifier: Apache-2.0
// Asking for a passphrase on a terminal of the test's own: each question is answered by a child that has it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/passphrase.h"

static const char first_prompt[] = "New one: ";
static const char second_prompt[] = "Once more: ";

enum { TWICE_SAME = 10, TWICE_OTHER, ONCE, FAILED_USAGE, FAILED_ELSE };

// What becomes of the answers, as an exit code.
static int ask(bool twice, const char *expected) {
    ERROR_AUTO error = {0};
    char *answer = NULL;
    int result = twice ? passphrase_ask_twice(first_prompt, second_prompt, &answer, &error)
                       : passphrase_ask(first_prompt, &answer, &error);
    if (result != 0) return result == -ERROR_USAGE && answer == NULL ? FAILED_USAGE : FAILED_ELSE;
    int code = strcmp(answer, expected) == 0 ? (twice ? TWICE_SAME : ONCE) : TWICE_OTHER;
    memory_free_secret(answer);
    return code;
}

// Reads from the terminal until `text` was shown; everything goes to the end of `shown`.
static bool read_until(int terminal, const char *text, char *shown, size_t capacity) {
    size_t begin = strlen(shown);
    while (strstr(shown + begin, text) == NULL) {
        size_t size = strlen(shown);
        if (size + 1 >= capacity) return false;
        ssize_t got = read(terminal, shown + size, capacity - size - 1);
        if (got <= 0) return false;
        shown[size + (size_t)got] = '\0';
    }
    return true;
}

// Runs `ask` in a child; `answers` ends with NULL. What the terminal has shown goes to `shown`.
static int run(bool twice, const char *const *answers, const char *expected, char shown[static 1024]) {
    int terminal = -1;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(child >= 0);
    if (child == 0) _exit(ask(twice, expected));
    const char *const prompts[] = {first_prompt, second_prompt};
    shown[0] = '\0';
    for (size_t i = 0; answers[i] != NULL; i++) {
        assert_true(read_until(terminal, prompts[i], shown, 1024));
        assert_int_equal(write(terminal, answers[i], strlen(answers[i])), strlen(answers[i]));
        assert_int_equal(write(terminal, "\n", 1), 1);
    }
    // Until the child has closed it.
    (void)read_until(terminal, "\x01", shown, 1024);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(terminal);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_once(void **state) {
    (void)state;
    char shown[1024];
    assert_int_equal(run(false, (const char *const[]){"correct horse", NULL}, "correct horse", shown), ONCE);
    assert_null(strstr(shown, "correct"));
    assert_null(strstr(shown, second_prompt));
}

static void test_twice(void **state) {
    (void)state;
    char shown[1024];
    const char *const same[] = {"correct horse", "correct horse", NULL};
    assert_int_equal(run(true, same, "correct horse", shown), TWICE_SAME);
    assert_null(strstr(shown, "correct"));
    assert_non_null(strstr(shown, second_prompt));
}

static void test_not_the_same(void **state) {
    (void)state;
    char shown[1024];
    const char *const other[] = {"correct horse", "correct house", NULL};
    assert_int_equal(run(true, other, "", shown), FAILED_USAGE);
}

static void test_nothing(void **state) {
    (void)state;
    char shown[1024];
    assert_int_equal(run(true, (const char *const[]){"", NULL}, "", shown), FAILED_USAGE);
    assert_null(strstr(shown, second_prompt));
}

int main(void) {
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_not_the_same),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
