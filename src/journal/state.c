// SPDX-License-Identifier: Apache-2.0
#include "journal/state.h"

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
        case DEVICE_RELEASED:
            return "released";
        case DEVICE_CONFIRMED:
            return "confirmed";
        case DEVICE_FAILED:
            return "failed";
    }
    return "unknown";
}
