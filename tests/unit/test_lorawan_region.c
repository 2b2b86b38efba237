// SPDX-License-Identifier: Apache-2.0
// Regions by the names that networks give them, and which plans are theirs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "lorawan/region.h"

static void test_find(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *found;
    } cases[] = {
        {"EU868", "EU868"},     {"eu868", "EU868"},     {"EU_868", "EU868"},    {"EU 868-870", "EU868"},
        {"EU863-870", "EU863"}, {"US902-928", "US902"}, {"AS923", "AS923"},     {"AS923-1", "AS923"},
        {"AS923-2", "AS923-2"}, {"as923_3", "AS923-3"}, {"AS9234", "AS923-4"},  {"AS_923_925", "AS923"},
        {"CN470", "CN470"},     {"CN779", "CN779"},     {"ISM2400", "ISM2400"}, {"RU864", "RU864"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct region *region = region_find(cases[i].name);
        if (region == NULL) fail_msg("%s is not known", cases[i].name);
        assert_string_equal(region->name, cases[i].found);
    }
    static const char *const unknown[] = {"", "-", "EU", "EU86", "E", "868", "XX868", " "};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) assert_null(region_find(unknown[i]));
}

// A plan that goes without saying is there, and is of its region; every plan for devices has a region.
static void test_plans(void **unused) {
    (void)unused;
    static const char *const names[] = {"EU868", "EU433",   "IN865",   "KR920",   "RU864", "US915",  "AU915",
                                        "AS923", "AS923-2", "AS923-3", "AS923-4", "CN470", "ISM2400"};
    const struct frequency_plans *plans = frequency_plans_builtin();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct region *region = region_find(names[i]);
        size_t count = 0;
        for (size_t j = 0; j < plans->count; j++) count += region_has_plan(region, &plans->plans[j]);
        if (count == 0) fail_msg("%s has no plan", names[i]);
        if (region->plan_id == NULL) continue;
        const struct frequency_plan *plan = frequency_plans_find(plans, region->plan_id);
        assert_non_null(plan);
        assert_true(region_has_plan(region, plan));
    }
    const struct frequency_plan *second = frequency_plans_find(plans, "AS_923_2");
    assert_true(region_has_plan(region_find("AS923"), second));
    assert_true(region_has_plan(region_find("AS923-2"), second));
    assert_false(region_has_plan(region_find("AS923-3"), second));
    assert_false(region_has_plan(region_find("EU868"), second));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
