// SPDX-License-Identifier: Apache-2.0
// What stage.c and command.c share.
#ifndef CRASH_STAGE_P_H
#define CRASH_STAGE_P_H

#include <stdbool.h>
#include <sys/types.h>

// The list as execve wants it.
char *const *stage_arguments(const char *const *arguments);

// True if the process has ended, which takes it away; *ret_status (may be NULL) is then its exit code, or 128 + the
// signal that ended it.
bool stage_ended(pid_t process, int *ret_status);

#endif
