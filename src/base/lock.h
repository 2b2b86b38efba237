// SPDX-License-Identifier: Apache-2.0
// A lock that lasts as long as its process: a second run on the same journal is refused, whatever became of the first.
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/error.h"

struct lock;

// Takes the lock on the file `path` (made if need be, 0600). ERROR_OUTPUT names the process that has it.
int lock_take(const char *path, struct lock **ret_lock, struct error *error);

// Gives it back and takes the file away. Accepts NULL.
void lock_release(struct lock *lock);

#endif
