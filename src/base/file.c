// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"

// How long a reader that does not read is waited for once the user has asked to halt.
static const int64_t halt_patience = NS_PER_SECOND;

struct descriptor_file {
    struct file base;
    int descriptor;
    int halt_fd;           // -1 = nobody halts
    int64_t patience_end;  // monotonic; 0 = not halted yet
    bool owned;            // close it
    bool created;          // the file was not there before
    bool append;           // the system writes at the end, wherever that is
    char *name;            // owned
    bool shared;           // it is nobody's own: others may write to it as well
    off_t start;           // where this run began to write
    uint64_t length;       // bytes written by this run
};

static struct descriptor_file *descriptor_of(struct file *file) {
    return (struct descriptor_file *)file;
}

static int output_error(const struct file *file, const char *what, struct error *error) {
    int code = errno;
    error_set(error, ERROR_OUTPUT, "cannot %s %s: %s", what, file->name, strerror(code));
    if (code == ENOSPC || code == EDQUOT) {
        error_hint(error, "free some space and run the command again");
    } else if (code == EPIPE) {
        error_hint(error,
                   "the program that read the output has ended; write to a file instead: --output FILE");
    }
    return -ERROR_OUTPUT;
}

// A file that is not as this run left it may have lost lines, or lose them when it is cut: nothing more is done then.
static int check_undisturbed(struct file *file, struct error *error) {
    struct descriptor_file *self = descriptor_of(file);
    struct stat status;
    if (!file->regular || self->shared) return 0;
    if (fstat(self->descriptor, &status) != 0) return output_error(file, "look at", error);
    if (status.st_nlink == 0)
        return error_set(error, ERROR_OUTPUT, "%s was taken away during the run", file->name);
    bool moved = !self->append && lseek(self->descriptor, 0, SEEK_CUR) != self->start + (off_t)self->length;
    if (moved || status.st_size != self->start + (off_t)self->length) {
        error_set(error, ERROR_OUTPUT, "something else writes to %s too, or has cut it", file->name);
        if (file_shares_standard_error(file))
            error_hint(error,
                       "messages go to the same file: send them elsewhere, 2> FILE, or use --output FILE");
        return -ERROR_OUTPUT;
    }
    return 0;
}

// Waits until a pipe or a terminal takes something: its reader may have stalled, and the user wants to halt all the same.
static int wait_writable(struct descriptor_file *self, struct error *error) {
    for (;;) {
        bool halted = self->patience_end != 0;
        int64_t left = halted ? self->patience_end - clock_monotonic(&clock_system) : 0;
        struct pollfd waits[] = {{.fd = self->descriptor, .events = POLLOUT},
                                 {.fd = halted ? -1 : self->halt_fd, .events = POLLIN}};
        int ready = poll(waits, 2, !halted ? -1 : left > 0 ? (int)(left / NS_PER_MS) + 1 : 0);
        if (ready < 0 && errno != EINTR) return output_error(&self->base, "wait for the reader of", error);
        if (ready > 0 && waits[0].revents != 0) return 0;
        if (ready > 0) self->patience_end = clock_monotonic(&clock_system) + halt_patience;
        if (ready == 0 && halted)
            return error_set(error, ERROR_CANCELLED, "interrupted while nobody read %s", self->base.name);
    }
}

static int descriptor_write(struct file *file, const void *data, size_t size, struct error *error) {
    struct descriptor_file *self = descriptor_of(file);
    const unsigned char *bytes = data;
    int result = check_undisturbed(file, error);
    if (result != 0) return result;
    while (size > 0) {
        // A pipe that takes something takes so much without a wait.
        size_t most = !file->regular && size > PIPE_BUF ? PIPE_BUF : size;
        if (!file->regular) result = wait_writable(self, error);
        if (result != 0) return result;
        ssize_t written = write(self->descriptor, bytes, most);
        if (written < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
        if (written < 0) return output_error(file, "write to", error);
        bytes += written;
        size -= (size_t)written;
        self->length += (uint64_t)written;
    }
    return 0;
}

static int descriptor_sync(struct file *file, struct error *error) {
    if (!file->regular) return 0;
    if (fdatasync(descriptor_of(file)->descriptor) != 0) return output_error(file, "sync", error);
    return check_undisturbed(file, error);
}

static int descriptor_read(struct file *file, uint64_t offset, void *data, size_t size, size_t *ret_size,
                           struct error *error) {
    struct descriptor_file *self = descriptor_of(file);
    ssize_t got = 0;
    do {
        got = pread(self->descriptor, data, size, self->start + (off_t)offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return output_error(file, "read", error);
    *ret_size = (size_t)got;
    return 0;
}

static int descriptor_truncate(struct file *file, uint64_t size, struct error *error) {
    struct descriptor_file *self = descriptor_of(file);
    struct stat status;
    if (!file->regular || size >= self->length) return 0;
    // What others have written is not ours to cut.
    if (fstat(self->descriptor, &status) != 0 || status.st_size != self->start + (off_t)self->length)
        return 0;
    off_t end = self->start + (off_t)size;
    if (ftruncate(self->descriptor, end) != 0) return output_error(file, "repair", error);
    if (lseek(self->descriptor, end, SEEK_SET) < 0) return output_error(file, "repair", error);
    self->length = size;
    return 0;
}

static void descriptor_discard(struct file *file) {
    struct descriptor_file *self = descriptor_of(file);
    if (self->created && self->length == 0) (void)unlink(self->name);
}

static int descriptor_close(struct file *file, struct error *error) {
    struct descriptor_file *self = descriptor_of(file);
    int result = 0;
    if (self->owned && close(self->descriptor) != 0) result = output_error(file, "close", error);
    free(self->name);
    free(self);
    return result;
}

static const struct file_operations descriptor_operations = {
    .write = descriptor_write,
    .sync = descriptor_sync,
    .read = descriptor_read,
    .truncate = descriptor_truncate,
    .discard = descriptor_discard,
    .close = descriptor_close,
};

static struct file *descriptor_new(int descriptor, bool owned, const char *name, const struct stat *status) {
    struct descriptor_file *self = memory_new(struct descriptor_file);
    self->name = memory_strdup(name);
    self->descriptor = descriptor;
    self->halt_fd = -1;
    self->owned = owned;
    self->base = (struct file){
        .operations = &descriptor_operations,
        .name = self->name,
        .regular = S_ISREG(status->st_mode),
        .exposed = S_ISREG(status->st_mode) && (status->st_mode & (S_IRGRP | S_IROTH)) != 0,
    };
    if (self->base.regular) {
        self->append = (fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
        off_t position = lseek(descriptor, 0, SEEK_CUR);
        self->start = self->append || position < 0 ? status->st_size : position;
    }
    return &self->base;
}

// One run at a time writes to a file; the lock goes with the descriptor. Where there are no locks, what another run writes
// is still found: see check_undisturbed.
static int lock_output(int descriptor, const char *name, const struct stat *status, bool *ret_unlocked,
                       struct error *error) {
    *ret_unlocked = false;
    if (!S_ISREG(status->st_mode) || flock(descriptor, LOCK_EX | LOCK_NB) == 0) return 0;
    int code = errno;
    *ret_unlocked = lock_is_unsupported(code);
    if (code != EWOULDBLOCK) return 0;
    return error_set(error, ERROR_OUTPUT, "another run writes to %s", name);
}

// What is added to a file must not become part of a line that is there.
static int check_last_line(const struct file *file, struct error *error) {
    const struct descriptor_file *self = (const struct descriptor_file *)file;
    if (!file->regular || self->start == 0) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", self->descriptor);
    int descriptor = open(link, O_RDONLY | O_CLOEXEC);
    char last = '\n';
    bool read_it = descriptor >= 0 && pread(descriptor, &last, 1, self->start - 1) == 1;
    if (descriptor >= 0) close(descriptor);
    if (!read_it || last == '\n') return 0;
    error_set(error, ERROR_OUTPUT, "%s ends in the middle of a line", file->name);
    error_hint(error, "mend its last line, or write to another file");
    return -ERROR_OUTPUT;
}

int file_open_standard_output(int halt_fd, struct file **ret_file, struct error *error) {
    struct stat status;
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(STDOUT_FILENO, &status) != 0) {
        error_set(error, ERROR_OUTPUT, "standard output is closed");
        error_hint(error, "redirect it to a file: > devices.json, or use --output FILE");
        return -ERROR_OUTPUT;
    }
    *ret_file = descriptor_new(STDOUT_FILENO, false, "standard output", &status);
    descriptor_of(*ret_file)->halt_fd = halt_fd;
    descriptor_of(*ret_file)->shared = true;
    return 0;
}

int file_open_standard_output_alone(int halt_fd, struct file **ret_file, struct error *error) {
    struct stat status;
    struct file *file = NULL;
    int result = file_open_standard_output(halt_fd, &file, error);
    if (result != 0) return result;
    descriptor_of(file)->shared = false;
    if (fstat(STDOUT_FILENO, &status) == 0)
        result = lock_output(STDOUT_FILENO, "standard output", &status, &file->unlocked, error);
    if (result == 0) result = check_last_line(file, error);
    if (result != 0) {
        (void)descriptor_close(file, NULL);
        return result;
    }
    *ret_file = file;
    return 0;
}

bool file_shares_standard_error(const struct file *file) {
    const struct descriptor_file *self = (const struct descriptor_file *)file;
    struct stat here;
    struct stat there;
    return file->regular && fstat(self->descriptor, &here) == 0 && fstat(STDERR_FILENO, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

// The name of a new file is durable when its directory is synced; some file systems cannot do that, which is
// no reason to refuse them.
static void sync_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory MEMORY_AUTO = slash == NULL   ? memory_strdup(".")
                                  : slash == path ? memory_strdup("/")
                                                  : memory_strndup(path, (size_t)(slash - path));
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    (void)fsync(descriptor);
    close(descriptor);
}

static int check_output(int descriptor, const char *path, struct stat *ret_status, struct error *error) {
    if (fstat(descriptor, ret_status) != 0) {
        return error_set(error, ERROR_OUTPUT, "cannot look at %s: %s", path, strerror(errno));
    }
    if (!S_ISREG(ret_status->st_mode)) return 0;
    if (ret_status->st_size > 0) {
        error_set(error, ERROR_OUTPUT, "%s exists and is not empty", path);
        error_hint(error, "name another file, or move this one away first");
        return -ERROR_OUTPUT;
    }
    if (fchmod(descriptor, 0600) != 0) {
        return error_set(error, ERROR_OUTPUT, "cannot make %s readable for you alone: %s", path,
                         strerror(errno));
    }
    ret_status->st_mode &= ~(mode_t)(S_IRGRP | S_IROTH);
    return 0;
}

// Opens a file that is there, without waiting for the reader of a FIFO.
static int open_existing(const char *path) {
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor >= 0) (void)fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
    return descriptor;
}

int file_create_output(const char *path, int halt_fd, struct file **ret_file, struct error *error) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    bool created = descriptor >= 0;
    if (!created && errno == EEXIST) descriptor = open_existing(path);
    if (descriptor < 0) return error_set(error, ERROR_OUTPUT, "cannot create %s: %s", path, strerror(errno));
    struct stat status = {0};
    bool unlocked = false;
    int result =
        fstat(descriptor, &status) == 0 ? lock_output(descriptor, path, &status, &unlocked, error) : 0;
    // Under the lock: another run may have begun to write a moment ago.
    if (result == 0) result = check_output(descriptor, path, &status, error);
    if (result != 0) {
        close(descriptor);
        return result;
    }
    if (created) sync_directory(path);
    *ret_file = descriptor_new(descriptor, true, path, &status);
    descriptor_of(*ret_file)->halt_fd = halt_fd;
    (*ret_file)->unlocked = unlocked;
    descriptor_of(*ret_file)->created = created;
    return 0;
}

void file_identity_release(struct file_identity *identity) {
    free(identity->path);
    *identity = (struct file_identity){0};
}

bool file_identify(const struct file *file, struct file_identity *ret_identity) {
    const struct descriptor_file *self = (const struct descriptor_file *)file;
    struct stat status;
    struct stat named;
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", self->descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (!file->regular || size <= 0 || fstat(self->descriptor, &status) != 0) return false;
    path[size] = '\0';
    if (stat(path, &named) != 0 || named.st_dev != status.st_dev || named.st_ino != status.st_ino)
        return false;
    *ret_identity = (struct file_identity){
        .path = memory_strdup(path),
        .device = status.st_dev,
        .inode = status.st_ino,
        .start = (uint64_t)self->start,
    };
    return true;
}

int file_open_again(const struct file_identity *identity, struct file **ret_file, struct error *error) {
    int descriptor = open(identity->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_dev != identity->device || status.st_ino != identity->inode ||
        (uint64_t)status.st_size < identity->start) {
        error_set(error, ERROR_OUTPUT, "the run's output %s is not there any more, or is another file",
                  identity->path);
        error_hint(error, "to have every line of the run written again: --output NEWFILE");
        if (descriptor >= 0) close(descriptor);
        return -ERROR_OUTPUT;
    }
    bool unlocked = false;
    int locked = lock_output(descriptor, identity->path, &status, &unlocked, error);
    if (locked != 0) {
        close(descriptor);
        return locked;
    }
    struct file *file = descriptor_new(descriptor, true, identity->path, &status);
    file->unlocked = unlocked;
    struct descriptor_file *self = descriptor_of(file);
    self->start = (off_t)identity->start;
    self->length = (uint64_t)status.st_size - identity->start;
    (void)lseek(descriptor, 0, SEEK_END);
    *ret_file = file;
    return 0;
}

bool file_is_at(const struct file_identity *identity, const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_dev == identity->device &&
           status.st_ino == identity->inode;
}

bool file_is_standard_output(const struct file_identity *identity) {
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_dev == identity->device && status.st_ino == identity->inode;
}

int file_read_all(const char *path, size_t limit, char **ret_data, size_t *ret_size, struct error *error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return error_set(error, ERROR_INPUT, "cannot read %s: %s", path, strerror(errno));
    BUFFER_AUTO content;
    buffer_init(&content, limit);
    char block[16384];
    ssize_t got = 0;
    while ((got = read(descriptor, block, sizeof block)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) break;
        buffer_add(&content, block, (size_t)got);
        if (content.overflowed) break;
    }
    int code = errno;
    close(descriptor);
    memory_wipe(block, sizeof block);
    if (got < 0) return error_set(error, ERROR_INPUT, "cannot read %s: %s", path, strerror(code));
    if (content.overflowed) {
        return error_set(error, ERROR_TOO_LARGE, "%s is larger than %zu bytes", path, limit);
    }
    *ret_size = content.size;
    *ret_data = buffer_take_string(&content);
    return 0;
}

char *file_absolute(const char *path) {
    if (path[0] == '/') return memory_strdup(path);
    char here[PATH_MAX];
    // The kernel's "(unreachable)" is no path either.
    if (getcwd(here, sizeof here) == NULL || here[0] != '/') return NULL;
    while (strncmp(path, "./", 2) == 0) path += 2;
    return memory_printf("%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
}

int file_wipe(const char *path, struct error *error) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    int result = 0;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        result = error_set(error, ERROR_OUTPUT, "cannot wipe %s: %s", path, strerror(errno));
    }
    static const char zeros[16384];
    for (off_t done = 0; result == 0 && done < status.st_size;) {
        off_t left = status.st_size - done;
        ssize_t wrote =
            pwrite(descriptor, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros, done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) result = error_set(error, ERROR_OUTPUT, "cannot wipe %s: %s", path, strerror(errno));
        done += wrote;
    }
    if (result == 0 && (fsync(descriptor) != 0 || unlink(path) != 0)) {
        result = error_set(error, ERROR_OUTPUT, "cannot take %s away: %s", path, strerror(errno));
    }
    if (descriptor >= 0) close(descriptor);
    return result;
}
