// SPDX-License-Identifier: Apache-2.0
#include "device/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/memory.h"

void json_memory_init(void) {
    json_set_alloc_funcs(malloc, memory_free_wiping);
}
