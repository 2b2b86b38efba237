// SPDX-License-Identifier: Apache-2.0
// All sources there are.
#ifndef SOURCE_REGISTRY_H
#define SOURCE_REGISTRY_H

#include <stddef.h>

#include "source/source.h"

// In the order of the help; the list ends with NULL.
const struct source_driver *const *source_drivers(void);

// The driver in `drivers` whose name or alias is the first `size` bytes of `name`, or NULL.
const struct source_driver *source_find(const struct source_driver *const *drivers, const char *name,
                                        size_t size);

#endif
