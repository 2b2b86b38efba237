// SPDX-License-Identifier: Apache-2.0
// Every case over every way of every driver that it concerns; `conformance PATTERN` only those whose names match.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conformance.h"

enum { TESTS_MAX = 1000 };

// What a test of cmocka's gets as its state.
struct subject {
    const struct fixture *fixture;
    const struct source_case *source_case;
    const struct target_fixture *target;
    const struct target_case *target_case;
    const struct source_driver *source_driver;
    const struct target_driver *target_driver;
};

struct suite {
    struct CMUnitTest tests[TESTS_MAX];
    struct subject subjects[TESTS_MAX];
    char *names[TESTS_MAX];  // owned
    size_t count;
};

static void run_source(void **state) {
    const struct subject *subject = *state;
    subject->source_case->run(subject->fixture);
}

static void run_target(void **state) {
    const struct subject *subject = *state;
    subject->target_case->run(subject->target);
}

static void source_page_is_whole(void **state) {
    const struct subject *subject = *state;
    check_page("sources", subject->source_driver->name, subject->source_driver->options);
}

static void target_page_is_whole(void **state) {
    const struct subject *subject = *state;
    check_page("targets", subject->target_driver->name, subject->target_driver->options);
}

// Without one the driver would pass by being left out.
static void has_fixture(void **state) {
    const struct subject *subject = *state;
    const char *name =
        subject->source_driver != NULL ? subject->source_driver->name : subject->target_driver->name;
    bool found = subject->target_driver != NULL && !target_is_server(subject->target_driver);
    for (const struct fixture *at = fixtures; subject->source_driver != NULL && at->source != NULL; at++)
        found |= strcmp(at->source, name) == 0;
    for (const struct target_fixture *at = target_fixtures;
         subject->target_driver != NULL && at->target != NULL; at++)
        found |= strcmp(at->target, name) == 0;
    if (!found) fail_msg("%s is in the registry, but has no fixture in tests/conformance/fixtures.c", name);
}

static void add(struct suite *suite, char *name, CMUnitTestFunction run, const struct subject *subject) {
    assert_true(suite->count < TESTS_MAX);
    size_t i = suite->count++;
    suite->names[i] = name;
    suite->subjects[i] = *subject;
    suite->tests[i] =
        (struct CMUnitTest){.name = name, .test_func = run, .initial_state = &suite->subjects[i]};
}

static void add_cases(struct suite *suite, const struct source_driver *driver, const struct fixture *fixture,
                      const struct source_case *cases) {
    for (; cases->name != NULL; cases++) {
        if (!cases->concerns(fixture, driver)) continue;
        const struct subject subject = {.fixture = fixture, .source_case = cases};
        const char *way = fixture->way == NULL ? "a file" : fixture->way;
        add(suite, memory_printf("%s (%s): %s", driver->name, way, cases->name), run_source, &subject);
    }
}

static void add_source(struct suite *suite, const struct source_driver *driver) {
    const struct subject subject = {.source_driver = driver};
    add(suite, memory_printf("%s: has a fixture", driver->name), has_fixture, &subject);
    add(suite, memory_printf("%s: its page names its options", driver->name), source_page_is_whole, &subject);
    for (const struct fixture *fixture = fixtures; fixture->source != NULL; fixture++) {
        if (strcmp(fixture->source, driver->name) != 0) continue;
        add_cases(suite, driver, fixture, read_cases);
        add_cases(suite, driver, fixture, change_cases);
        add_cases(suite, driver, fixture, gateway_cases);
    }
}

static void add_target(struct suite *suite, const struct target_driver *driver) {
    const struct subject subject = {.target_driver = driver};
    add(suite, memory_printf("target %s: has a fixture", driver->name), has_fixture, &subject);
    add(suite, memory_printf("target %s: its page names its options", driver->name), target_page_is_whole,
        &subject);
    for (const struct target_fixture *fixture = target_fixtures; fixture->target != NULL; fixture++) {
        if (strcmp(fixture->target, driver->name) != 0) continue;
        for (const struct target_case *one = target_cases; one->name != NULL; one++) {
            const struct subject of_case = {.target = fixture, .target_case = one};
            add(suite, memory_printf("target %s: %s", driver->name, one->name), run_target, &of_case);
        }
    }
}

int main(int argc, char **argv) {
    static struct suite suite;
    for (const struct source_driver *const *at = source_drivers(); *at != NULL; at++) add_source(&suite, *at);
    for (const struct target_driver *const *at = target_drivers(); *at != NULL; at++) add_target(&suite, *at);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    int failed = _cmocka_run_group_tests("conformance", suite.tests, suite.count, NULL, NULL);
    for (size_t i = 0; i < suite.count; i++) free(suite.names[i]);
    return failed;
}
