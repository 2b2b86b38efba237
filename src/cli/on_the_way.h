// SPDX-License-Identifier: Apache-2.0
// Devices of a run that are on their way between two networks: how a journal shows them, and what is to be said of each.
#ifndef CLI_ON_THE_WAY_H
#define CLI_ON_THE_WAY_H

#include <stdbool.h>

#include "journal/journal.h"

// True if its way has begun and is not at an end. `server`: the run brings devices into a server; with a file as target, a
// released device is at the end of its way.
bool on_the_way(const struct journal_device *device, bool server);

// True if such a device may be at neither network: its source may have given it up, and it is not known to be elsewhere.
bool on_the_way_at_neither(const struct journal_device *device, bool server);

// What is to be said of such a device; the caller frees it.
char *on_the_way_remark(const struct journal_device *device, bool server);

#endif
