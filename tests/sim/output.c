// SPDX-License-Identifier: Apache-2.0
// The output of a run on the simulated disk, or as a pipe whose reader takes everything at once.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim.h"

struct sim_file {
    struct file base;
    struct sim *sim;
    struct disk_file *content;  // NULL = a pipe
    uint64_t length;
    bool created;
    char *name;  // owned
};

static struct sim_file *file_of(struct file *file) {
    return (struct sim_file *)file;
}

static void append(struct sim_file *self, const void *data, size_t size) {
    if (self->content == NULL) {
        buffer_add(&self->sim->pipe, data, size);
    } else {
        disk_write(self->content, self->length, data, size);
    }
    self->length += size;
}

static int output_write(struct file *file, const void *data, size_t size, struct error *error) {
    struct sim_file *self = file_of(file);
    if (sim_disk_is_full(self->sim) && self->content != NULL) {
        append(self, data, prng_below(&self->sim->weather, (uint32_t)size));
        return error_set(error, ERROR_OUTPUT, "cannot write to %s: no space left on device", file->name);
    }
    append(self, data, sim_dies_next(self->sim) ? prng_below(&self->sim->weather, (uint32_t)size + 1) : size);
    sim_event(self->sim);
    return 0;
}

static int output_sync(struct file *file, struct error *error) {
    struct sim_file *self = file_of(file);
    if (self->content == NULL) return 0;
    sim_event(self->sim);
    if (sim_disk_is_full(self->sim)) return error_set(error, ERROR_OUTPUT, "cannot sync %s", file->name);
    disk_sync(self->content);
    sim_event(self->sim);
    return 0;
}

static int output_read(struct file *file, uint64_t offset, void *data, size_t size, size_t *ret_size,
                       struct error *error) {
    (void)error;
    const struct buffer *content = disk_content(file_of(file)->content);
    size_t have = offset < content->size ? content->size - (size_t)offset : 0;
    *ret_size = have < size ? have : size;
    if (*ret_size > 0) memcpy(data, content->data + offset, *ret_size);
    return 0;
}

static int output_truncate(struct file *file, uint64_t size, struct error *error) {
    (void)error;
    struct sim_file *self = file_of(file);
    if (self->content == NULL || size >= self->length) return 0;
    disk_truncate(self->content, size);
    self->length = size;
    sim_event(self->sim);
    return 0;
}

static void output_discard(struct file *file) {
    struct sim_file *self = file_of(file);
    if (self->created && self->length == 0 && self->content != NULL) disk_unlink(self->sim->disk, self->name);
}

static int output_close(struct file *file, struct error *error) {
    (void)error;
    struct sim_file *self = file_of(file);
    free(self->name);
    free(self);
    return 0;
}

static const struct file_operations operations = {
    .write = output_write,
    .sync = output_sync,
    .read = output_read,
    .truncate = output_truncate,
    .discard = output_discard,
    .close = output_close,
};

struct file *sim_output_new(struct sim *sim, struct disk_file *content, const char *name, bool created) {
    struct sim_file *self = memory_new(struct sim_file);
    self->name = memory_strdup(name);
    self->base = (struct file){.operations = &operations, .name = self->name, .regular = content != NULL};
    self->sim = sim;
    self->content = content;
    self->created = created;
    if (content != NULL) self->length = disk_content(content)->size;
    if (content == NULL) buffer_clear(&sim->pipe);
    return &self->base;
}
