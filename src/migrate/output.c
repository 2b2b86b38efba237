// SPDX-License-Identifier: Apache-2.0
#include "migrate/output.h"

void output_init(struct output *output, const struct target_driver *target, struct file *file,
                 uint64_t written) {
    *output = (struct output){.target = target, .file = file, .written = written, .begun = written > 0};
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

int output_flush(struct output *output, bool durable, struct error *error) {
    size_t size = output->pending.size;
    if (size == 0) return 0;
    struct file *file = output->file;
    int result = file->operations->write(file, output->pending.data, size, error);
    if (result == 0 && durable) result = file->operations->sync(file, error);
    buffer_clear(&output->pending);
    if (result == 0) {
        output->written += size;
        return 0;
    }
    // A file that cannot even be cut keeps its torn line; the first error is what the user has to mend.
    ERROR_AUTO repair = {0};
    if (file->regular) (void)file->operations->truncate(file, output->written, &repair);
    return result;
}
