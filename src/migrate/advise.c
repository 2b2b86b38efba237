// SPDX-License-Identifier: Apache-2.0
#include "migrate/advise.h"

#include <string.h>

#include "base/buffer.h"
#include "lorawan/versions.h"

// Names the source's option, if it has one, and the column of --map.
static void add(struct buffer *text, const struct source_driver *driver, const char *option,
                const char *column) {
    buffer_puts(text, text->size > 0 ? "; " : "");
    if (option_find(driver->options, option, strlen(option)) != NULL)
        buffer_printf(text, "--%s.%s for all devices, ", driver->name, option);
    buffer_printf(text, "--map FILE with a column %s for single ones", column);
}

void advise(const struct source_driver *driver, const struct frequency_plans *plans,
            const struct device *device, struct error *error) {
    const Tts__EndDevice *message = device->end_device;
    const Tts__EndDeviceIdentifiers *ids = message->ids;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (error->hint != NULL) return;
    if (message->frequency_plan_id[0] == '\0') {
        add(&text, driver, "frequency-plan-id", "frequency_plan_id");
    } else if (frequency_plans_find(plans, message->frequency_plan_id) == NULL) {
        buffer_puts(&text,
                    "ttn-lw-migrate frequency-plans lists the plans; --map FILE with a column "
                    "frequency_plan_id lays one down");
    }
    if ((int)message->lorawan_version == MAC_UNKNOWN) {
        add(&text, driver, "mac-version", "lorawan_version");
    } else if ((int)message->lorawan_phy_version == PHY_UNKNOWN) {
        add(&text, driver, "mac-version", "lorawan_phy_version");
    }
    bool joins = message->supports_join && (ids == NULL || ids->join_eui.len == 0);
    if (joins) add(&text, driver, "join-eui", "join_eui");
    if (text.size > 0) error_hint(error, "%s", buffer_string(&text));
}
