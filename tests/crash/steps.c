// SPDX-License-Identifier: Apache-2.0
// Loaded into the program by LD_PRELOAD; see steps.h. Stands before the C library's calls, does them as they are, and at
// one step lets the process end or the call fail. What it knows is kept in static memory: it has no caller to keep it.
#include "steps.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

// A TLS record's head is read alone: nothing has come in with that.
enum { RECORD_HEAD = 5 };

enum step_action {
    ACTION_CREATE,  // open of a new file, mkdir
    ACTION_WRITE,   // to a file
    ACTION_SYNC,
    ACTION_CUT,
    ACTION_REMOVE,  // unlink, rename
    ACTION_PIPE,    // a write to standard output
    ACTION_SEND,
    ACTION_RECEIVE,
    ACTION_NONE,
};

static const char *const action_names[] = {"create", "write", "sync", "cut",
                                           "remove", "pipe",  "send", "receive"};

// What is to be done instead of the call, or after it.
enum verdict { GO_ON, FAIL, SHORT, KILL_HALF, KILL_AFTER };

static struct step_counts no_file;
static struct step_counts *counts = &no_file;
static enum step_fault fault = FAULT_COUNT;
static uint64_t strike_at;
static bool strike_on;
static int trace = -1;

// The C library's own function of that name.
#define REAL(name)                                    \
    (__extension__({                                  \
        union {                                       \
            void *object;                             \
            __typeof__(&name) function;               \
        } real = {.object = dlsym(RTLD_NEXT, #name)}; \
        real.function;                                \
    }))

__attribute__((constructor)) static void steps_begin(void) {
    const char *name = getenv("CRASH_FAULT");
    for (int i = 0; name != NULL && i < FAULT_COUNT; i++) {
        if (strcmp(name, step_fault_names[i]) == 0) fault = (enum step_fault)i;
    }
    const char *step = getenv("CRASH_STEP");
    if (step != NULL) strike_at = strtoull(step, NULL, 10);
    strike_on = getenv("CRASH_FROM") != NULL;
    const char *path = getenv("CRASH_COUNTS");
    int descriptor = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        void *map = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (map != MAP_FAILED) counts = map;
        close(descriptor);
    }
    path = getenv("CRASH_TRACE");
    if (path != NULL) {
        trace = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

// ---- what a descriptor is

static bool is_network(int descriptor) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}

// The action of a write, or of a read where `reads`.
static enum step_action action_of(int descriptor, bool reads) {
    struct stat status;
    int kept = errno;
    enum step_action action = ACTION_NONE;
    if (descriptor == STDERR_FILENO || fstat(descriptor, &status) != 0) {
        action = ACTION_NONE;
    } else if (S_ISSOCK(status.st_mode) && is_network(descriptor)) {
        action = reads ? ACTION_RECEIVE : ACTION_SEND;
    } else if (!reads && S_ISREG(status.st_mode)) {
        action = ACTION_WRITE;
    } else if (!reads && S_ISFIFO(status.st_mode) && descriptor == STDOUT_FILENO) {
        action = ACTION_PIPE;
    }
    errno = kept;
    return action;
}

// ---- what happens

static bool can_happen(enum step_fault which, enum step_action action, size_t size) {
    switch (which) {
        case FAULT_KILL:
            return true;
        case FAULT_KILL_HALF:
            return size > 1 && (action == ACTION_WRITE || action == ACTION_PIPE || action == ACTION_SEND);
        case FAULT_ENOSPC:
        case FAULT_EDQUOT:
            // A file system may find room only when it is synced.
            return action == ACTION_CREATE || action == ACTION_WRITE || action == ACTION_SYNC ||
                   action == ACTION_CUT;
        case FAULT_EIO:
            return action <= ACTION_REMOVE;
        case FAULT_EPIPE:
            return action == ACTION_PIPE;
        case FAULT_EPIPE_SEND:
            return action == ACTION_SEND;
        default:
            return false;
    }
}

static __attribute__((noreturn)) void die(void) {
    for (;;) kill(getpid(), SIGKILL);
}

static int errno_of(enum step_fault which) {
    static const int numbers[FAULT_COUNT] = {
        [FAULT_ENOSPC] = ENOSPC, [FAULT_EDQUOT] = EDQUOT,    [FAULT_EIO] = EIO,
        [FAULT_EPIPE] = EPIPE,   [FAULT_EPIPE_SEND] = EPIPE,
    };
    return numbers[which];
}

// A disk that is full stays so, but what needs no room goes on.
static bool strikes_later(enum step_action action) {
    if (!strike_on) return false;
    bool room = fault == FAULT_ENOSPC || fault == FAULT_EDQUOT;
    return !room || action == ACTION_CREATE || action == ACTION_WRITE;
}

static enum verdict verdict_of(enum step_action action, size_t size, bool first) {
    __atomic_add_fetch(&counts->struck, 1, __ATOMIC_SEQ_CST);
    switch (fault) {
        case FAULT_KILL:
            return KILL_AFTER;
        case FAULT_KILL_HALF:
            return KILL_HALF;
        default:
            break;
    }
    bool room = fault == FAULT_ENOSPC || fault == FAULT_EDQUOT;
    if (first && strike_on && room && action == ACTION_WRITE && size > 1) return SHORT;
    if (fault == FAULT_EPIPE) raise(SIGPIPE);
    errno = errno_of(fault);
    return FAIL;
}

// Numbers a step, and says what becomes of it. Where it fails, errno is set.
static enum verdict step(enum step_action action, int descriptor, size_t size) {
    if (action == ACTION_NONE) return GO_ON;
    uint64_t number = 0;
    for (int i = 0; i < FAULT_COUNT; i++) {
        if (!can_happen((enum step_fault)i, action, size)) continue;
        uint64_t seen = __atomic_add_fetch(&counts->steps[i], 1, __ATOMIC_SEQ_CST);
        if (i == (int)fault) number = seen;
    }
    bool strikes = number > 0 && (number == strike_at || (number > strike_at && strikes_later(action)));
    if (trace >= 0) {
        dprintf(trace, "%llu %s fd %d size %zu%s\n", (unsigned long long)counts->steps[FAULT_KILL],
                action_names[action], descriptor, size, strikes ? " <- here" : "");
    }
    return strikes ? verdict_of(action, size, number == strike_at) : GO_ON;
}

// ---- the calls.

// A call that does its work whole or not at all.
#define WHOLE(action, descriptor, call)                         \
    do {                                                        \
        enum verdict verdict = step((action), (descriptor), 0); \
        if (verdict == FAIL) return -1;                         \
        ssize_t result = (call);                                \
        if (verdict == KILL_AFTER) die();                       \
        return result;                                          \
    } while (0)

// A call that writes `size` bytes; `half` is the same call with half of them.
#define PARTS(action, descriptor, size, call, half)                  \
    do {                                                             \
        enum verdict verdict = step((action), (descriptor), (size)); \
        if (verdict == FAIL) return -1;                              \
        if (verdict == SHORT) return (half);                         \
        if (verdict == KILL_HALF) {                                  \
            (void)!(half);                                           \
            die();                                                   \
        }                                                            \
        ssize_t result = (call);                                     \
        if (verdict == KILL_AFTER) die();                            \
        return result;                                               \
    } while (0)

ssize_t write(int fd, const void *data, size_t size) {
    PARTS(action_of(fd, false), fd, size, REAL(write)(fd, data, size), REAL(write)(fd, data, size / 2));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    PARTS(action_of(fd, false), fd, size, REAL(pwrite)(fd, data, size, offset),
          REAL(pwrite)(fd, data, size / 2, offset));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    PARTS(action_of(fd, false), fd, size, REAL(pwrite64)(fd, data, size, offset),
          REAL(pwrite64)(fd, data, size / 2, offset));
}

static size_t size_of(const struct iovec *parts, int count) {
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    return size;
}

// Of several parts, half is the first half of the first.
static struct iovec first_half(const struct iovec *parts) {
    return (struct iovec){.iov_base = parts[0].iov_base, .iov_len = parts[0].iov_len / 2};
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    struct iovec half = count > 0 ? first_half(parts) : (struct iovec){0};
    PARTS(action_of(fd, false), fd, size_of(parts, count), REAL(writev)(fd, parts, count),
          REAL(writev)(fd, &half, 1));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    struct iovec half = count > 0 ? first_half(parts) : (struct iovec){0};
    PARTS(action_of(fd, false), fd, size_of(parts, count), REAL(pwritev)(fd, parts, count, offset),
          REAL(pwritev)(fd, &half, 1, offset));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    struct iovec half = count > 0 ? first_half(parts) : (struct iovec){0};
    PARTS(action_of(fd, false), fd, size_of(parts, count), REAL(pwritev64)(fd, parts, count, offset),
          REAL(pwritev64)(fd, &half, 1, offset));
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    PARTS(action_of(fd, false), fd, size, REAL(send)(fd, data, size, flags),
          REAL(send)(fd, data, size / 2, flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    WHOLE(action_of(fd, false), fd, REAL(sendmsg)(fd, message, flags));
}

// Counted when something has come in.
static ssize_t received(int fd, ssize_t result) {
    if (result > RECORD_HEAD && action_of(fd, true) == ACTION_RECEIVE &&
        step(ACTION_RECEIVE, fd, (size_t)result) == KILL_AFTER) {
        die();
    }
    return result;
}

ssize_t read(int fd, void *data, size_t size) {
    return received(fd, REAL(read)(fd, data, size));
}

ssize_t recv(int fd, void *data, size_t size, int flags) {
    return received(fd, REAL(recv)(fd, data, size, flags));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    return received(fd, REAL(recvmsg)(fd, message, flags));
}

// Only files are synced and cut; a folder counts as one.
int fsync(int fd) {
    WHOLE(ACTION_SYNC, fd, REAL(fsync)(fd));
}

int fdatasync(int fd) {
    WHOLE(ACTION_SYNC, fd, REAL(fdatasync)(fd));
}

int ftruncate(int fd, off_t size) {
    WHOLE(ACTION_CUT, fd, REAL(ftruncate)(fd, size));
}

int ftruncate64(int fd, off64_t size) {
    WHOLE(ACTION_CUT, fd, REAL(ftruncate64)(fd, size));
}

int unlink(const char *path) {
    WHOLE(ACTION_REMOVE, -1, REAL(unlink)(path));
}

int unlinkat(int folder, const char *path, int flags) {
    WHOLE(ACTION_REMOVE, -1, REAL(unlinkat)(folder, path, flags));
}

int rename(const char *from, const char *to) {
    WHOLE(ACTION_REMOVE, -1, REAL(rename)(from, to));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    WHOLE(ACTION_REMOVE, -1, REAL(renameat)(from_folder, from, to_folder, to));
}

int mkdir(const char *path, mode_t mode) {
    WHOLE(ACTION_CREATE, -1, REAL(mkdir)(path, mode));
}

// What is there needs no room.
static enum step_action action_of_open(int folder, const char *path, int flags) {
    int kept = errno;
    bool makes = (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0;
    errno = kept;
    return makes ? ACTION_CREATE : ACTION_NONE;
}

// The mode is there if a file may be made.
#define TAKE_MODE(mode, flags)                                        \
    mode_t mode = 0;                                                  \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) { \
        va_list arguments;                                            \
        va_start(arguments, flags);                                   \
        mode = va_arg(arguments, mode_t);                             \
        va_end(arguments);                                            \
    }

int open(const char *path, int flags, ...) {
    TAKE_MODE(mode, flags)
    WHOLE(action_of_open(AT_FDCWD, path, flags), -1, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
    TAKE_MODE(mode, flags)
    WHOLE(action_of_open(AT_FDCWD, path, flags), -1, REAL(open64)(path, flags, mode));
}

int openat(int folder, const char *path, int flags, ...) {
    TAKE_MODE(mode, flags)
    WHOLE(action_of_open(folder, path, flags), -1, REAL(openat)(folder, path, flags, mode));
}

int openat64(int folder, const char *path, int flags, ...) {
    TAKE_MODE(mode, flags)
    WHOLE(action_of_open(folder, path, flags), -1, REAL(openat64)(folder, path, flags, mode));
}
