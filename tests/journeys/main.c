// SPDX-License-Identifier: Apache-2.0
// Plays every case with every source. A source of the registry that is a server and has no entry in networks.h fails.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "journeys.h"

struct pair {
    const struct network_source *network;
    const struct journey_case *played;
};

static void play_pair(void **state) {
    const struct pair *pair = *state;
    pair->played->play(pair->network);
}

// ---- what holds for each row of the registry

static bool has_entry(const struct source_driver *driver) {
    for (const struct network_source *network = network_sources; network->name != NULL; network++) {
        if (strcmp(network->driver, driver->name) == 0) return true;
    }
    return false;
}

static void test_every_server_has_an_entry(void **state) {
    (void)state;
    for (const struct source_driver *const *driver = source_drivers(); *driver != NULL; driver++) {
        if ((*driver)->input == NULL && !has_entry(*driver))
            fail_msg("source %s has no entry in tests/networks/sources.c", (*driver)->name);
    }
}

// What is declared is there, as a whole.
static void test_capabilities_are_whole(void **state) {
    (void)state;
    for (const struct source_driver *const *all = source_drivers(); *all != NULL; all++) {
        const struct source_driver *driver = *all;
        bool changes = (driver->features & SOURCE_CHANGES) != 0;
        assert_true(driver->open != NULL && driver->close != NULL && driver->convert != NULL);
        assert_true(driver->read != NULL && driver->title != NULL && driver->options != NULL);
        assert_int_equal((driver->features & SOURCE_LISTS) != 0, driver->list != NULL);
        assert_int_equal(changes, driver->release != NULL);
        assert_int_equal(changes, driver->restore != NULL);
        bool gateways = driver->list_gateways != NULL;
        assert_int_equal(gateways, driver->prepare_gateways != NULL);
        assert_int_equal(gateways, driver->read_gateway != NULL);
        assert_int_equal(gateways, driver->convert_gateway != NULL);
        if (driver->input != NULL)
            assert_non_null(option_find(driver->options, driver->input, strlen(driver->input)));
    }
}

// ---- all

enum { PAIRS_MAX = 400 };

// Takes every pair whose name has `filter` in it; the names are never freed before the end.
static size_t collect(const char *filter, struct pair *pairs, struct CMUnitTest *tests) {
    size_t count = 0;
    for (const struct network_source *network = network_sources; network->name != NULL; network++) {
        const struct source_driver *driver =
            source_find(source_drivers(), network->driver, strlen(network->driver));
        for (const struct journey_case *played = journey_cases; played->name != NULL; played++) {
            if (driver == NULL || !played->wanted(network, driver) || count == PAIRS_MAX) continue;
            char *name = memory_printf("%s: %s", network->name, played->name);
            if (strstr(name, filter) == NULL) {
                free(name);
                continue;
            }
            pairs[count] = (struct pair){network, played};
            tests[count] =
                (struct CMUnitTest){.name = name, .test_func = play_pair, .initial_state = &pairs[count]};
            count++;
        }
    }
    return count;
}

// journeys [PART OF A NAME]: "chirpstack: ", "released"
int main(int argument_count, char **arguments) {
    static const struct CMUnitTest registry[] = {
        cmocka_unit_test(test_every_server_has_an_entry),
        cmocka_unit_test(test_capabilities_are_whole),
    };
    struct pair *pairs = memory_new_array(struct pair, PAIRS_MAX);
    struct CMUnitTest *tests = memory_new_array(struct CMUnitTest, PAIRS_MAX);
    size_t count = collect(argument_count > 1 ? arguments[1] : "", pairs, tests);
    int failed = argument_count > 1 ? 0 : cmocka_run_group_tests_name("registry", registry, NULL, NULL);
    failed += _cmocka_run_group_tests("sources", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++) free((char *)(uintptr_t)tests[i].name);
    free(pairs);
    free(tests);
    return failed > 0;
}
