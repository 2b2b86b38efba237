// SPDX-License-Identifier: Apache-2.0
// Gateways of sources that have some.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "conformance.h"
#include "device/gateway.h"

static bool has_gateways(const struct fixture *fixture, const struct source_driver *driver) {
    return driver->list_gateways != NULL && fixture->text == NULL;
}

static void reads_gateways(const struct fixture *fixture) {
    struct stage stage;
    // A source with gateways is shown with some.
    assert_non_null(fixture->gateway_options);
    stage_open(&stage, fixture, &(struct stage_setup){.devices = 2, .gateways = true});
    size_t count = 0;
    for (; stage_take(&stage, count); count++) {
        struct gateway gateway;
        gateway_init(&gateway);
        assert_int_equal(stage.driver->convert_gateway(stage.source, &stage.record, &gateway, &stage.error),
                         0);
        assert_non_null(gateway.message->ids);
        gateway_release(&gateway);
    }
    assert_true(count > 0);
    assert_int_equal(stage.wire.changes, 0);
    stage_close(&stage);
}

const struct source_case gateway_cases[] = {
    {"lists, reads and converts gateways", has_gateways, reads_gateways},
    {NULL, NULL, NULL},
};
