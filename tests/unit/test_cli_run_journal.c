// SPDX-License-Identifier: Apache-2.0
// What a journal keeps of the command line, and what of it is back when the run goes on.
#include "cli/run_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_sources.h"
#include "target/target.h"

#define LINE                                                                                             \
    "ttn-lw-migrate", "ttnv2", "application", "--app-id", "my-app", "--app-access-key", "SOURCE-SECRET", \
        "--frequency-plan-id", "EU_863_870_TTN", "--concurrency", "5", "--to", "tts", "--to.tts.app-id", \
        "new-app", "--to.tts.app-api-key", "TARGET-SECRET", "--to.tts.default-grpc-address", "tts.example"

enum { ARGUMENTS_MAX = 32 };

static const char *no_environment(const char *name) {
    (void)name;
    return NULL;
}

static void parse(const char *const *words, size_t count, char **copies, struct invocation *invocation) {
    struct error error = {0};
    assert_true(count < ARGUMENTS_MAX);
    for (size_t i = 0; i < count; i++) copies[i] = memory_strdup(words[i]);
    if (command_line_parse((int)count, copies, fake_sources, no_environment, invocation, &error) != 0)
        fail_msg("%s", error.message);
}

static void free_words(char **copies, size_t count) {
    for (size_t i = 0; i < count; i++) free(copies[i]);
}

static bool file_holds(const char *path, const char *text) {
    char *command MEMORY_AUTO = memory_printf("grep -q -a -F -- %s %s*", text, path);
    return system(command) == 0;
}

static void check_journal(const char *key_file) {
    char directory[] = "/tmp/test_cli_run_journal_XXXXXX";
    assert_non_null(mkdtemp(directory));
    char *path MEMORY_AUTO = memory_printf("%s/run.journal", directory);
    const char *words[] = {LINE, "--journal", path, "--journal-key-file", key_file};
    size_t count = sizeof words / sizeof *words - (key_file == NULL ? 2 : 0);
    char *copies[ARGUMENTS_MAX];
    struct invocation invocation, again;
    struct run_journal journal = {0};
    struct error error = {0};
    parse(words, count, copies, &invocation);
    if (run_journal_create(&invocation, no_environment, &journal, &error) != 0) fail_msg("%s", error.message);
    run_journal_release(&journal);
    invocation_release(&invocation);
    free_words(copies, count);
    assert_true(file_holds(path, "new-app"));
    assert_int_equal(file_holds(path, "TARGET-SECRET"), key_file == NULL);

    const char *resume[] = {"ttn-lw-migrate",
                            "resume",
                            "--concurrency",
                            "9",
                            "--ttnv2.frequency-plan-id",
                            "AS_923",
                            "--to.tts.app-api-key",
                            "NEWER-SECRET",
                            "--journal-key-file",
                            key_file};
    count = sizeof resume / sizeof *resume - (key_file == NULL ? 2 : 0);
    parse(resume, count, copies, &again);
    if (run_journal_open(again.global, path, true, no_environment, &journal, &error) != 0)
        fail_msg("%s", error.message);
    const struct invocation given = again;
    if (run_journal_restore(&journal, &again, fake_sources, &error) != 0) fail_msg("%s", error.message);
    assert_string_equal(again.source->name, "ttnv2");
    assert_string_equal(option_string(again.source_options, "app-access-key"), "SOURCE-SECRET");
    assert_string_equal(again.target->name, "tts");
    assert_string_equal(option_string(again.target_options, "app-id"), "new-app");
    assert_string_equal(option_string(again.target_options, "app-api-key"), "NEWER-SECRET");
    assert_string_equal(option_string(again.source_options, "frequency-plan-id"), "AS_923");
    assert_string_equal(option_string(again.target_options, "default-grpc-address"), "tts.example");
    // What is given anew wins.
    assert_int_equal(option_uint(again.global, "concurrency"), 9);
    // What is kept of it: first what converts, and the key when it has proved right.
    assert_int_equal(run_journal_keep_given(&journal, &given, false, &error), 0);
    char *plan MEMORY_AUTO = NULL, *before = NULL, *after = NULL;
    assert_int_equal(journal_property(journal.journal, "source.frequency-plan-id", &plan, &error), 0);
    assert_string_equal(plan, "AS_923");
    assert_int_equal(journal_property(journal.journal, "target.app-api-key", &before, &error), 0);
    assert_string_equal(before, "TARGET-SECRET");
    assert_int_equal(run_journal_keep_given(&journal, &given, true, &error), 0);
    assert_int_equal(journal_property(journal.journal, "target.app-api-key", &after, &error), 0);
    assert_string_equal(after, "NEWER-SECRET");
    memory_free_secret(before);
    memory_free_secret(after);
    option_values_free(given.source_options);
    option_values_free(given.target_options);
    run_journal_release(&journal);
    invocation_release(&again);
    free_words(copies, count);
    char *clean MEMORY_AUTO = memory_printf("rm -r %s", directory);
    assert_int_equal(system(clean), 0);
}

static void test_plain(void **state) {
    (void)state;
    check_journal(NULL);
}

static void test_encrypted(void **state) {
    (void)state;
    char path[] = "/tmp/test_cli_run_journal_key_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a made-up key of 32 characters..\n", 33), 33);
    close(fd);
    check_journal(path);
    unlink(path);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_encrypted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
