// SPDX-License-Identifier: Apache-2.0
// The memory of jansson: the JSON of devices holds keys, so it is wiped before it is given back, like our own
// (base/memory.h).
#ifndef DEVICE_JSON_MEMORY_H
#define DEVICE_JSON_MEMORY_H

// To be called before jansson is used otherwise: what it has taken by then is given back as it was taken.
void json_memory_init(void);

#endif
