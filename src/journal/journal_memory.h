// SPDX-License-Identifier: Apache-2.0
// The memory of SQLite: its pages and values hold the keys of devices, so it is wiped before it is given back, like our
// own (base/memory.h).
#ifndef JOURNAL_JOURNAL_MEMORY_H
#define JOURNAL_JOURNAL_MEMORY_H

#include <stdbool.h>

// To be called before SQLite is used otherwise. False if it is in use already, and keeps its own allocator.
bool journal_memory_init(void);

#endif
