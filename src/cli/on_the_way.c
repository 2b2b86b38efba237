// SPDX-License-Identifier: Apache-2.0
#include "cli/on_the_way.h"

#include "base/memory.h"

bool on_the_way(const struct journal_device *device, bool server) {
    if (device->state == DEVICE_UNDOING || device->state == DEVICE_RESTORING) return true;
    return server && (device->state == DEVICE_RELEASING || device->state == DEVICE_RELEASED);
}

bool on_the_way_at_neither(const struct journal_device *device, bool server) {
    bool goes_back = device->state == DEVICE_UNDOING || device->state == DEVICE_RESTORING;
    if (!goes_back) return true;
    if (device->untouched) return false;
    // A rollback marks all of its devices first. Counters of the target, or what failed, show that it came to this one.
    bool begun = device->progress.known || device->reason != NULL;
    return device->state == DEVICE_UNDOING || begun || !server;
}

char *on_the_way_remark(const struct journal_device *device, bool server) {
    static const char neither[] = "may be at neither network";
    bool lost = on_the_way_at_neither(device, server);
    if (device->reason != NULL)
        return memory_printf("%s%s%s", lost ? neither : "", lost ? ": " : "", device->reason);
    if (lost) return memory_strdup(neither);
    return memory_strdup(device->untouched ? "is still at its source; waits to be taken away from the target"
                                           : "waits to be put back");
}
