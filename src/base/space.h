// SPDX-License-Identifier: Apache-2.0
// How much can still be written to a file: what its file system, the user's quota and the limits of the process leave.
#ifndef BASE_SPACE_H
#define BASE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct space {
    bool known;            // false: nothing below is, as for a pipe, or a file system that does not tell
    uint64_t file_system;  // the same number: the same free space
    uint64_t available;    // bytes that this user can still write there, in all files together
    uint64_t file_size;    // bytes of the file now
    uint64_t file_most;    // bytes that any one file may have; UINT64_MAX = no limit
};

// Looks at the file; not known if that fails.
void space_look(const char *path, struct space *ret_space);

#endif
