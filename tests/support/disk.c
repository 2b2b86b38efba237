// SPDX-License-Identifier: Apache-2.0
#include "support/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SECTOR = 512, REGIONS_MAX = 8 };

// A change that is not synced; a truncation has no data.
struct change {
    uint64_t offset;
    uint8_t *data;  // owned; NULL = truncate to `offset`
    size_t size;
};

struct disk_file {
    struct disk_file *next;
    struct disk *disk;
    char *name;        // owned; NULL = without a name
    bool linked;       // its name leads to it now
    bool safe_linked;  // and would after a loss of power
    struct buffer now;
    struct buffer safe;
    struct change *changes;
    size_t change_count;
    size_t change_capacity;
    void *regions[REGIONS_MAX];
};

struct disk {
    struct disk_file *files;
    struct prng prng;
};

struct disk *disk_new(uint64_t seed) {
    struct disk *disk = memory_new(struct disk);
    disk->prng = prng_init(seed, 0xD15C);
    return disk;
}

static void forget_changes(struct disk_file *file) {
    for (size_t i = 0; i < file->change_count; i++) free(file->changes[i].data);
    file->change_count = 0;
}

static void forget_regions(struct disk_file *file) {
    for (size_t i = 0; i < REGIONS_MAX; i++) {
        free(file->regions[i]);
        file->regions[i] = NULL;
    }
}

void disk_free(struct disk *disk) {
    if (disk == NULL) return;
    while (disk->files != NULL) {
        struct disk_file *file = disk->files;
        disk->files = file->next;
        forget_changes(file);
        forget_regions(file);
        buffer_release(&file->now);
        buffer_release(&file->safe);
        free(file->changes);
        free(file->name);
        free(file);
    }
    free(disk);
}

static struct disk_file *find(const struct disk *disk, const char *name) {
    for (struct disk_file *file = disk->files; file != NULL; file = file->next) {
        if (file->linked && strcmp(file->name, name) == 0) return file;
    }
    return NULL;
}

static struct disk_file *add(struct disk *disk, const char *name) {
    struct disk_file *file = memory_new(struct disk_file);
    file->disk = disk;
    file->name = memory_strdup(name);
    file->linked = name != NULL;
    buffer_init(&file->now, BUFFER_UNLIMITED);
    buffer_init(&file->safe, BUFFER_UNLIMITED);
    file->next = disk->files;
    disk->files = file;
    return file;
}

struct disk_file *disk_open(struct disk *disk, const char *name, bool create) {
    struct disk_file *file = find(disk, name);
    return file != NULL || !create ? file : add(disk, name);
}

struct disk_file *disk_open_temporary(struct disk *disk) {
    return add(disk, NULL);
}

bool disk_exists(const struct disk *disk, const char *name) {
    return find(disk, name) != NULL;
}

void disk_unlink(struct disk *disk, const char *name) {
    struct disk_file *file = find(disk, name);
    if (file != NULL) file->linked = false;
}

const struct buffer *disk_content(const struct disk_file *file) {
    return &file->now;
}

const struct buffer *disk_safe_content(const struct disk_file *file) {
    return &file->safe;
}

static void put(struct buffer *content, uint64_t offset, const uint8_t *data, size_t size) {
    while (content->size < offset + size) {
        static const uint8_t zeros[4096];
        uint64_t missing = offset + size - content->size;
        buffer_add(content, zeros, missing < sizeof zeros ? (size_t)missing : sizeof zeros);
    }
    if (size > 0) memcpy(content->data + offset, data, size);
}

static void cut(struct buffer *content, uint64_t size) {
    if (content->size > size) content->size = (size_t)size;
}

static struct change *add_change(struct disk_file *file) {
    if (file->change_count == file->change_capacity) {
        file->change_capacity = file->change_capacity == 0 ? 16 : file->change_capacity * 2;
        file->changes = memory_resize(file->changes, file->change_capacity, sizeof *file->changes);
    }
    return &file->changes[file->change_count++];
}

void disk_write(struct disk_file *file, uint64_t offset, const void *data, size_t size) {
    if (size == 0) return;
    put(&file->now, offset, data, size);
    *add_change(file) = (struct change){.offset = offset, .data = memory_dup(data, size), .size = size};
}

void disk_truncate(struct disk_file *file, uint64_t size) {
    cut(&file->now, size);
    *add_change(file) = (struct change){.offset = size};
}

void disk_sync_directory(struct disk *disk) {
    for (struct disk_file *file = disk->files; file != NULL; file = file->next)
        file->safe_linked = file->linked;
}

// As SQLite does, the first sync of a new file is one of its directory too.
void disk_sync(struct disk_file *file) {
    for (size_t i = 0; i < file->change_count; i++) {
        const struct change *change = &file->changes[i];
        if (change->data == NULL) {
            cut(&file->safe, change->offset);
        } else {
            put(&file->safe, change->offset, change->data, change->size);
        }
    }
    forget_changes(file);
    if (file->linked && !file->safe_linked) disk_sync_directory(file->disk);
}

// A write reaches the medium in sectors; each may be there or not.
static void put_torn(struct disk *disk, struct buffer *content, const struct change *change) {
    for (size_t done = 0; done < change->size;) {
        uint64_t at = change->offset + done;
        size_t size = SECTOR - (size_t)(at % SECTOR);
        if (size > change->size - done) size = change->size - done;
        if (prng_below(&disk->prng, 2) == 0) put(content, at, change->data + done, size);
        done += size;
    }
}

enum loss { LOSE_ALL, LOSE_TAIL, LOSE_ANY, LOSSES };

static void lose(struct disk_file *file) {
    struct disk *disk = file->disk;
    enum loss loss = (enum loss)prng_below(&disk->prng, LOSSES);
    size_t kept = loss == LOSE_TAIL ? prng_below(&disk->prng, (uint32_t)file->change_count + 1) : 0;
    for (size_t i = 0; i < file->change_count; i++) {
        const struct change *change = &file->changes[i];
        uint32_t fate = loss == LOSE_ANY ? prng_below(&disk->prng, 3) : i < kept ? 0 : i == kept ? 2 : 1;
        if (loss == LOSE_ALL || fate == 1) continue;
        if (change->data == NULL) {
            if (fate == 0) cut(&file->safe, change->offset);
        } else if (fate == 0) {
            put(&file->safe, change->offset, change->data, change->size);
        } else {
            put_torn(disk, &file->safe, change);
        }
    }
    forget_changes(file);
    buffer_clear(&file->now);
    buffer_add(&file->now, file->safe.data, file->safe.size);
}

void disk_lose_power(struct disk *disk) {
    if (prng_below(&disk->prng, 2) == 0) disk_sync_directory(disk);
    for (struct disk_file *file = disk->files; file != NULL; file = file->next) {
        lose(file);
        file->linked = file->safe_linked;
    }
}

void *disk_shared(struct disk_file *file, int index, int size, bool create) {
    if (index >= REGIONS_MAX) return NULL;
    if (file->regions[index] == NULL && create) file->regions[index] = memory_alloc(1, (size_t)size);
    return file->regions[index];
}

void disk_forget_shared(struct disk *disk) {
    for (struct disk_file *file = disk->files; file != NULL; file = file->next) forget_regions(file);
}
