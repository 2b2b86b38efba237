// SPDX-License-Identifier: Apache-2.0
// Plays every case with every source. A source of the registry that is a server and has no entry in networks.h fails.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kill.h"

struct pair {
    const struct network_source *network;
    const struct network_target *target;  // NULL: the case is not about one
    const struct journey_case *played;
};

static void play_pair(void **state) {
    const struct pair *pair = *state;
    if (pair->target != NULL) {
        pair->played->play_to(pair->network, pair->target);
    } else {
        pair->played->play(pair->network);
    }
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

// The pairs that are played, and their names, which are freed at the end.
struct pairs {
    const char *filter;
    struct pair *items;
    struct CMUnitTest *tests;
    size_t count;
};

// Takes it if its name has `filter` in it.
static void take(struct pairs *pairs, const struct network_source *network,
                 const struct network_target *target, const struct journey_case *played) {
    char *name = target == NULL ? memory_printf("%s: %s", network->name, played->name)
                                : memory_printf("%s: %s, to %s", network->name, played->name, target->name);
    if (strstr(name, pairs->filter) == NULL || pairs->count == PAIRS_MAX) {
        free(name);
        return;
    }
    struct pair *pair = &pairs->items[pairs->count];
    *pair = (struct pair){network, target, played};
    pairs->tests[pairs->count++] =
        (struct CMUnitTest){.name = name, .test_func = play_pair, .initial_state = pair};
}

static void collect(struct pairs *pairs) {
    for (const struct network_source *network = network_sources; network->name != NULL; network++) {
        const struct source_driver *driver =
            source_find(source_drivers(), network->driver, strlen(network->driver));
        for (const struct journey_case *played = journey_cases; played->name != NULL; played++) {
            if (driver == NULL || !played->wanted(network, driver)) continue;
            if (played->play != NULL) take(pairs, network, NULL, played);
            const struct network_target *target = played->play_to == NULL ? NULL : network_targets;
            for (; target != NULL && target->name != NULL; target++) {
                if (target->options != NULL) take(pairs, network, target, played);
            }
        }
    }
}

// journeys [PART OF A NAME]: "chirpstack: ", "released"; or journeys --kills, see kill_main.c
int main(int argument_count, char **arguments) {
    static const struct CMUnitTest registry[] = {
        cmocka_unit_test(test_every_server_has_an_entry),
        cmocka_unit_test(test_capabilities_are_whole),
    };
    if (argument_count > 1 && strcmp(arguments[1], "--kills") == 0)
        return kill_main(argument_count, arguments);
    struct pairs pairs = {.filter = argument_count > 1 ? arguments[1] : "",
                          .items = memory_new_array(struct pair, PAIRS_MAX),
                          .tests = memory_new_array(struct CMUnitTest, PAIRS_MAX)};
    collect(&pairs);
    int failed = argument_count > 1 ? 0 : cmocka_run_group_tests_name("registry", registry, NULL, NULL);
    failed += _cmocka_run_group_tests("sources", pairs.tests, pairs.count, NULL, NULL);
    for (size_t i = 0; i < pairs.count; i++) free((char *)(uintptr_t)pairs.tests[i].name);
    free(pairs.items);
    free(pairs.tests);
    return failed > 0;
}
