// SPDX-License-Identifier: Apache-2.0
// What a run reads from as a stream of bytes, as an interface, so that a simulation can cut or refuse it.
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stddef.h>

#include "base/error.h"

struct reader;

struct reader_operations {
    // Waits until there is something and reads at most `size` bytes; *ret_size is 0 at the end. ERROR_INPUT if that is
    // impossible, ERROR_CANCELLED if the user halted it.
    int (*read)(struct reader *reader, void *data, size_t size, size_t *ret_size, struct error *error);
    // Goes back to the first byte. ERROR_INPUT where the bytes are gone (a pipe).
    int (*rewind)(struct reader *reader, struct error *error);
    // Closes and frees; never NULL.
    void (*close)(struct reader *reader);
};

struct reader {
    const struct reader_operations *operations;
    const char *name;  // for messages: "standard input" or the path; owned by the implementation
};

// A file. `halt_fd` ends the wait for input when it is readable; -1 = none. ERROR_INPUT.
int reader_open_file(const char *path, int halt_fd, struct reader **ret_reader, struct error *error);

// A descriptor that stays open after `close`; `name` is copied.
struct reader *reader_of_descriptor(int descriptor, const char *name, int halt_fd);

// Closes; accepts NULL.
void reader_close(struct reader *reader);

#endif
