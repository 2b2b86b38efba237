// SPDX-License-Identifier: Apache-2.0
// SQLite's file layer over the simulated disk. There is one process at a time, so its locks are always free.
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/disk_user.h"

enum { SECTOR = 4096, BLOCK = 512, PATH_MAX_SIZE = 256 };

// A sync takes less than so many ms.
enum { SYNC_MS = 8 };

struct vfs_file {
    sqlite3_file base;
    const struct disk_user *user;
    struct disk_file *file;
    bool temporary;  // nothing that happens to it matters
};

static struct vfs_file *file_of(sqlite3_file *file) {
    return (struct vfs_file *)file;
}

static int vfs_close(sqlite3_file *file) {
    (void)file;
    return SQLITE_OK;
}

static int vfs_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset) {
    const struct buffer *content = disk_content(file_of(file)->file);
    size_t have = (size_t)offset < content->size ? content->size - (size_t)offset : 0;
    if (have > (size_t)size) have = (size_t)size;
    if (have > 0) memcpy(data, content->data + offset, have);
    if (have == (size_t)size) return SQLITE_OK;
    memset((char *)data + have, 0, (size_t)size - have);
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    struct vfs_file *self = file_of(file);
    if (self->temporary) {
        disk_write(self->file, (uint64_t)offset, data, (size_t)size);
        return SQLITE_OK;
    }
    if (self->user->is_full(self->user->context)) return SQLITE_FULL;
    // What lies in one block of the disk, as the header of a log does, is there as a whole or not at all.
    bool block = offset / BLOCK == (offset + size - 1) / BLOCK;
    size_t half = block ? 0 : (size_t)size / 2;
    size_t written = self->user->dies_next(self->user->context) ? half : (size_t)size;
    disk_write(self->file, (uint64_t)offset, data, written);
    self->user->event(self->user->context);
    return SQLITE_OK;
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size) {
    disk_truncate(file_of(file)->file, (uint64_t)size);
    if (!file_of(file)->temporary) file_of(file)->user->event(file_of(file)->user->context);
    return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *file, int flags) {
    (void)flags;
    struct vfs_file *self = file_of(file);
    if (self->temporary) return SQLITE_OK;
    self->user->event(self->user->context);
    if (self->user->is_full(self->user->context)) return SQLITE_IOERR_FSYNC;
    disk_sync(self->file);
    uint32_t ms = self->user->below(self->user->context, SYNC_MS);
    self->user->sleep(self->user->context, ms * NS_PER_MS);
    self->user->event(self->user->context);
    return SQLITE_OK;
}

static int vfs_size(sqlite3_file *file, sqlite3_int64 *ret_size) {
    *ret_size = (sqlite3_int64)disk_content(file_of(file)->file)->size;
    return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *file, int level) {
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int vfs_check_lock(sqlite3_file *file, int *ret_locked) {
    (void)file;
    *ret_locked = 0;
    return SQLITE_OK;
}

static int vfs_control(sqlite3_file *file, int operation, void *argument) {
    (void)file;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *file) {
    (void)file;
    return SECTOR;
}

// As SQLite takes every system's disks to be.
static int vfs_traits(sqlite3_file *file) {
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int vfs_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_memory) {
    *ret_memory = disk_shared(file_of(file)->file, region, size, extend != 0);
    return SQLITE_OK;
}

static int vfs_map_lock(sqlite3_file *file, int offset, int count, int flags) {
    (void)file;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void vfs_barrier(sqlite3_file *file) {
    (void)file;
}

static int vfs_unmap(sqlite3_file *file, int remove) {
    (void)file;
    (void)remove;
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_lock,
    .xCheckReservedLock = vfs_check_lock,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_traits,
    .xShmMap = vfs_map,
    .xShmLock = vfs_map_lock,
    .xShmBarrier = vfs_barrier,
    .xShmUnmap = vfs_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags) {
    const struct disk_user *user = vfs->pAppData;
    struct vfs_file *self = file_of(file);
    *self = (struct vfs_file){.user = user, .temporary = name == NULL};
    self->file = name == NULL ? disk_open_temporary(user->disk)
                              : disk_open(user->disk, name, (flags & SQLITE_OPEN_CREATE) != 0);
    if (self->file == NULL) return SQLITE_CANTOPEN;
    self->base.pMethods = &methods;
    if (ret_flags != NULL) *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory) {
    const struct disk_user *user = vfs->pAppData;
    if (!disk_exists(user->disk, name)) return SQLITE_IOERR_DELETE_NOENT;
    disk_unlink(user->disk, name);
    user->event(user->context);
    if (sync_directory) disk_sync_directory(user->disk);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_there) {
    (void)flags;
    const struct disk_user *user = vfs->pAppData;
    *ret_there = disk_exists(user->disk, name);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *path) {
    (void)vfs;
    snprintf(path, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *data) {
    const struct disk_user *user = vfs->pAppData;
    user->random->fill(user->random->context, data, (size_t)size);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    const struct disk_user *user = vfs->pAppData;
    user->sleep(user->context, (int64_t)microseconds * 1000);
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms) {
    const struct disk_user *user = vfs->pAppData;
    static const sqlite3_int64 unix_epoch = 24405875 * (sqlite3_int64)8640000;
    *ret_ms = unix_epoch + clock_wall(user->clock) / NS_PER_MS;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text) {
    (void)vfs;
    (void)size;
    (void)text;
    return 0;
}

struct sqlite3_vfs *disk_vfs_open(const struct disk_user *user, const char *name, uint64_t seed) {
    struct sqlite3_vfs *vfs = memory_new(struct sqlite3_vfs);
    *vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = PATH_MAX_SIZE,
        .zName = name,
        .pAppData = (void *)(uintptr_t)user,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_random,
        .xSleep = vfs_sleep,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time,
    };
    sqlite3_vfs_register(vfs, 0);
    // The salts of its log come from its own generator.
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed & 0x3FFFFFFF) + 1, NULL);
    return vfs;
}

void disk_vfs_close(struct sqlite3_vfs *vfs) {
    sqlite3_vfs_unregister(vfs);
    free(vfs);
}
