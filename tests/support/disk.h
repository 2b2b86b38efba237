// SPDX-License-Identifier: Apache-2.0
// Files in memory that keep apart what was written and what was synced, so that a loss of power can lose, tear or
// reorder the rest. Names are safe when the directory was synced, as the contents are by a sync of their file.
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "world/prng.h"

struct disk_file;
struct disk;

struct disk *disk_new(uint64_t seed);
void disk_free(struct disk *disk);

// The file of that name; NULL if there is none and `create` is false. Lives as long as the disk.
struct disk_file *disk_open(struct disk *disk, const char *name, bool create);
// A file without a name.
struct disk_file *disk_open_temporary(struct disk *disk);
bool disk_exists(const struct disk *disk, const char *name);
void disk_unlink(struct disk *disk, const char *name);

// What a reader sees now; borrowed until the next change.
const struct buffer *disk_content(const struct disk_file *file);
// What a loss of power would leave for sure.
const struct buffer *disk_safe_content(const struct disk_file *file);

void disk_write(struct disk_file *file, uint64_t offset, const void *data, size_t size);
void disk_truncate(struct disk_file *file, uint64_t size);
void disk_sync(struct disk_file *file);
void disk_sync_directory(struct disk *disk);

// The power fails: of what was not synced, each piece survives, is lost, or survives in part.
void disk_lose_power(struct disk *disk);

// Shared memory of a database: `index`th region of `size` bytes; goes with disk_forget_shared.
void *disk_shared(struct disk_file *file, int index, int size, bool create);
void disk_forget_shared(struct disk *disk);

#endif
