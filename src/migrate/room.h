// SPDX-License-Identifier: Apache-2.0
// Whether the disk has room for a run, worked out before its first device: a disk that runs full costs no device, but it
// halts the run in the middle of the night.
#ifndef MIGRATE_ROOM_H
#define MIGRATE_ROOM_H

#include <stdint.h>

#include "base/space.h"

// Bytes, as seen with devices of V2 and with some to spare: a device takes 0.8 kB of a journal and 2.1 kB of JSON; a
// write-ahead log takes up to 25 kB a device, until SQLite begins to use it again at 16 MB (22 MB were seen).
enum {
    ROOM_JOURNAL = 1024,
    ROOM_OUTPUT = 2560,
    ROOM_LOG = 25 * 1024,
    ROOM_LOG_MOST = 24 * 1024 * 1024,
};

enum room {
    ROOM_ENOUGH,
    ROOM_TIGHT,  // less than twice of what is needed is left
    ROOM_SHORT,
};

// Judges whether `devices` more devices fit; what is not known counts as enough. *ret_text is set unless that is so: where
// how much is missing, for people, who call one of them a `thing`; the caller frees it.
enum room room_judge(uint64_t devices, const char *thing, const struct space *journal,
                     const struct space *output, char **ret_text);

#endif
