// SPDX-License-Identifier: Apache-2.0
// A lock that lasts as long as its process: a second run on the same journal is refused, whatever became of the first.
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdbool.h>

#include "base/error.h"

struct lock;

// True if errno says that the file system knows no locks, rather than that somebody has this one.
bool lock_is_unsupported(int code);

// Takes the lock on the file `path` (made if need be, 0600). ERROR_OUTPUT names the process that has it, or says that the
// file system knows no locks.
int lock_take(const char *path, struct lock **ret_lock, struct error *error);

// Gives it back and takes the file away. Accepts NULL.
void lock_release(struct lock *lock);

#endif
