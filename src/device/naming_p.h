// SPDX-License-Identifier: Apache-2.0
#ifndef DEVICE_NAMING_P_H
#define DEVICE_NAMING_P_H

#include <stddef.h>

// Sorted.
extern const char *const device_reserved_ids[];
extern const size_t device_reserved_ids_count;

#endif
