// SPDX-License-Identifier: Apache-2.0
#include "migrate/output.h"

void output_init(struct output *output, const struct target_driver *target, struct file *file,
                 struct file *copy) {
    *output = (struct output){.target = target, .file = file, .copy = copy};
    buffer_init(&output->pending, BUFFER_UNLIMITED);
}

void output_release(struct output *output) {
    buffer_release(&output->pending);
}

int output_add(struct output *output, const struct device *device, struct error *error) {
    if (!output->begun && output->target->begin != NULL) output->target->begin(&output->pending);
    output->begun = true;
    return output->target->encode(device, &output->pending, error);
}

static int write_pending(struct output *output, struct file *file, bool durable, struct error *error) {
    int result = file->operations->write(file, output->pending.data, output->pending.size, error);
    if (result == 0 && durable) result = file->operations->sync(file, error);
    return result;
}

int output_flush(struct output *output, bool durable, struct error *error) {
    size_t size = output->pending.size;
    if (size == 0) return 0;
    int result = 0;
    if (output->copy != NULL) result = write_pending(output, output->copy, durable, error);
    if (result == 0) result = write_pending(output, output->file, durable, error);
    buffer_clear(&output->pending);
    if (result == 0) {
        output->written += size;
        return 0;
    }
    // A file that cannot even be cut keeps its torn line; the first error is what the user has to mend.
    struct file *files[] = {output->copy, output->file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ERROR_AUTO repair = {0};
        struct file *file = files[i];
        if (file != NULL && file->regular) (void)file->operations->truncate(file, output->written, &repair);
    }
    return result;
}
