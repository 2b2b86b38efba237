// SPDX-License-Identifier: Apache-2.0
#include "journal/state.h"

static const enum device_state states[] = {
    DEVICE_PLANNED,   DEVICE_READ,     DEVICE_CONVERTED, DEVICE_RECORDED,  DEVICE_RESERVING,
    DEVICE_RELEASING, DEVICE_RELEASED, DEVICE_IMPORTED,  DEVICE_VERIFIED,  DEVICE_CONFIRMED,
    DEVICE_FAILED,    DEVICE_UNDOING,  DEVICE_SKIPPED,   DEVICE_RESTORING, DEVICE_RESTORED,
};

const char *device_state_name(enum device_state state) {
    switch (state) {
        case DEVICE_PLANNED:
            return "planned";
        case DEVICE_READ:
            return "read";
        case DEVICE_CONVERTED:
            return "converted";
        case DEVICE_RECORDED:
            return "recorded";
        case DEVICE_RESERVING:
            return "reserving";
        case DEVICE_RELEASING:
            return "releasing";
        case DEVICE_RELEASED:
            return "released";
        case DEVICE_IMPORTED:
            return "imported";
        case DEVICE_VERIFIED:
            return "verified";
        case DEVICE_CONFIRMED:
            return "confirmed";
        case DEVICE_FAILED:
            return "failed";
        case DEVICE_UNDOING:
            return "undoing";
        case DEVICE_SKIPPED:
            return "skipped";
        case DEVICE_RESTORING:
            return "restoring";
        case DEVICE_RESTORED:
            return "restored";
    }
    return "unknown";
}

const enum device_state *device_states(size_t *ret_count) {
    *ret_count = sizeof states / sizeof *states;
    return states;
}
