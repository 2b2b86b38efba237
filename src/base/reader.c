// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

struct descriptor_reader {
    struct reader base;
    int descriptor;
    int halt_fd;
    bool owned;   // close it
    off_t start;  // where it stood at first; -1 = it cannot go back
    char *name;   // owned
};

static struct descriptor_reader *descriptor_of(struct reader *reader) {
    return (struct descriptor_reader *)reader;
}

// Waits until there is input, the end of it, or the wish to halt.
static int wait_readable(struct descriptor_reader *self, struct error *error) {
    struct pollfd ready[] = {{.fd = self->halt_fd, .events = POLLIN},
                             {.fd = self->descriptor, .events = POLLIN}};
    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR) {
            return error_set(error, ERROR_SYSTEM, "cannot wait for %s: %s", self->name, strerror(errno));
        }
        if (ready[0].revents != 0)
            return error_set(error, ERROR_CANCELLED, "interrupted while reading %s", self->name);
        if (ready[1].revents != 0) return 0;
    }
}

static int descriptor_read(struct reader *reader, void *data, size_t size, size_t *ret_size,
                           struct error *error) {
    struct descriptor_reader *self = descriptor_of(reader);
    for (;;) {
        int result = wait_readable(self, error);
        if (result != 0) return result;
        ssize_t count = read(self->descriptor, data, size);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0) {
            return error_set(error, ERROR_INPUT, "cannot read %s: %s", self->name, strerror(errno));
        }
        *ret_size = (size_t)count;
        return 0;
    }
}

static int descriptor_rewind(struct reader *reader, struct error *error) {
    struct descriptor_reader *self = descriptor_of(reader);
    if (self->start >= 0 && lseek(self->descriptor, self->start, SEEK_SET) == self->start) return 0;
    return error_set(error, ERROR_INPUT, "%s can be read only once", self->name);
}

static void descriptor_close(struct reader *reader) {
    struct descriptor_reader *self = descriptor_of(reader);
    if (self->owned) close(self->descriptor);
    free(self->name);
    free(self);
}

static const struct reader_operations operations = {
    .read = descriptor_read,
    .rewind = descriptor_rewind,
    .close = descriptor_close,
};

struct reader *reader_of_descriptor(int descriptor, const char *name, int halt_fd) {
    struct descriptor_reader *self = memory_new(struct descriptor_reader);
    *self = (struct descriptor_reader){
        .base = {.operations = &operations},
        .descriptor = descriptor,
        .halt_fd = halt_fd,
        .start = lseek(descriptor, 0, SEEK_CUR),
        .name = memory_strdup(name),
    };
    self->base.name = self->name;
    return &self->base;
}

int reader_open_file(const char *path, int halt_fd, struct reader **ret_reader, struct error *error) {
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(descriptor);
        return error_set(error, ERROR_INPUT, "%s is a directory", path);
    }
    if (descriptor < 0) return error_set(error, ERROR_INPUT, "cannot open %s: %s", path, strerror(errno));
    *ret_reader = reader_of_descriptor(descriptor, path, halt_fd);
    descriptor_of(*ret_reader)->owned = true;
    return 0;
}

void reader_close(struct reader *reader) {
    if (reader != NULL) reader->operations->close(reader);
}
