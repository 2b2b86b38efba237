// SPDX-License-Identifier: Apache-2.0
// The simulated disk as the program sees it: SQLite's file layer and an output over it. Whoever plays the process that
// uses them is told of each event, so that it can die there.
#ifndef TESTS_SUPPORT_DISK_USER_H
#define TESTS_SUPPORT_DISK_USER_H

#include "base/clock.h"
#include "base/file.h"
#include "support/disk.h"

// The process whose files these are. Everything is borrowed and outlives them.
struct disk_user {
    void *context;
    struct disk *disk;
    const struct clock *clock;
    const struct random *random;
    // Something happens to a file: perhaps the last thing, then it does not return.
    void (*event)(void *context);
    // True if it dies with the next event, so that a write can be left half done.
    bool (*dies_next)(void *context);
    // True if there is no space now.
    bool (*is_full)(void *context);
    // A number less than `limit`: how much of a write that is cut short is there.
    uint32_t (*below)(void *context, uint32_t limit);
    void (*sleep)(void *context, int64_t ns);
};

struct sqlite3_vfs;

// SQLite's file layer under that name; `seed`: of SQLite's own numbers. There is one process at a time, so locks are
// always free.
struct sqlite3_vfs *disk_vfs_open(const struct disk_user *user, const char *name, uint64_t seed);
void disk_vfs_close(struct sqlite3_vfs *vfs);

// An output into a file of the disk; `content` NULL: into a pipe whose reader takes everything at once into `pipe`,
// which is emptied. `created`: the file is this process's.
struct file *disk_output_new(const struct disk_user *user, struct disk_file *content, struct buffer *pipe,
                             const char *name, bool created);

#endif
