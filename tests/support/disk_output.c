// SPDX-License-Identifier: Apache-2.0
// The output of a run on the simulated disk, or as a pipe whose reader takes everything at once.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/disk_user.h"

struct disk_output {
    struct file base;
    const struct disk_user *user;
    struct disk_file *content;  // NULL = a pipe
    struct buffer *pipe;
    uint64_t length;
    bool created;
    char *name;  // owned
};

static struct disk_output *file_of(struct file *file) {
    return (struct disk_output *)file;
}

static void append(struct disk_output *self, const void *data, size_t size) {
    if (self->content == NULL) {
        buffer_add(self->pipe, data, size);
    } else {
        disk_write(self->content, self->length, data, size);
    }
    self->length += size;
}

static int output_write(struct file *file, const void *data, size_t size, struct error *error) {
    struct disk_output *self = file_of(file);
    if (self->user->is_full(self->user->context) && self->content != NULL) {
        append(self, data, self->user->below(self->user->context, (uint32_t)size));
        return error_set(error, ERROR_OUTPUT, "cannot write to %s: no space left on device", file->name);
    }
    append(self, data,
           self->user->dies_next(self->user->context)
               ? self->user->below(self->user->context, (uint32_t)size + 1)
               : size);
    self->user->event(self->user->context);
    return 0;
}

static int output_sync(struct file *file, struct error *error) {
    struct disk_output *self = file_of(file);
    if (self->content == NULL) return 0;
    self->user->event(self->user->context);
    if (self->user->is_full(self->user->context))
        return error_set(error, ERROR_OUTPUT, "cannot sync %s", file->name);
    disk_sync(self->content);
    self->user->event(self->user->context);
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
    struct disk_output *self = file_of(file);
    if (self->content == NULL || size >= self->length) return 0;
    disk_truncate(self->content, size);
    self->length = size;
    self->user->event(self->user->context);
    return 0;
}

static void output_discard(struct file *file) {
    struct disk_output *self = file_of(file);
    if (self->created && self->length == 0 && self->content != NULL)
        disk_unlink(self->user->disk, self->name);
}

static int output_close(struct file *file, struct error *error) {
    (void)error;
    struct disk_output *self = file_of(file);
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

struct file *disk_output_new(const struct disk_user *user, struct disk_file *content, struct buffer *pipe,
                             const char *name, bool created) {
    struct disk_output *self = memory_new(struct disk_output);
    self->name = memory_strdup(name);
    self->base = (struct file){.operations = &operations, .name = self->name, .regular = content != NULL};
    self->user = user;
    self->content = content;
    self->pipe = pipe;
    self->created = created;
    if (content != NULL) self->length = disk_content(content)->size;
    if (content == NULL) buffer_clear(pipe);
    return &self->base;
}
