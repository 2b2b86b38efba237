// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

struct lock {
    int descriptor;
    char *path;  // owned
};

static int lock_is_taken(int descriptor, const char *path, struct error *error) {
    char owner[128] = "";
    ssize_t size = pread(descriptor, owner, sizeof owner - 1, 0);
    if (size > 0) owner[size] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    error_set(error, ERROR_OUTPUT, "%s is in use%s%s", path, owner[0] != '\0' ? " by " : "", owner);
    error_hint(error, "wait for that run to end, or interrupt it");
    return -ERROR_OUTPUT;
}

bool lock_is_unsupported(int code) {
    return code == ENOLCK || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL;
}

// Nothing would keep a second run away, and the journal's database has no locks there either.
static int lock_failed(const char *path, int code, struct error *error) {
    if (!lock_is_unsupported(code))
        return error_set(error, ERROR_OUTPUT, "cannot lock %s: %s", path, strerror(code));
    (void)unlink(path);
    return error_set(error, ERROR_OUTPUT, "cannot lock %s: its file system knows no locks (%s)", path,
                     strerror(code));
}

// True if the file that is locked is still the one of that name: another process may have taken it away.
static bool is_current(int descriptor, const char *path) {
    struct stat held;
    struct stat named;
    return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static void write_owner(int descriptor) {
    char host[64] = "";
    (void)gethostname(host, sizeof host - 1);
    char *text MEMORY_AUTO = memory_printf("process %ld on %s\n", (long)getpid(), host);
    // Only a help for people: without it the lock holds as well.
    if (ftruncate(descriptor, 0) == 0) (void)!pwrite(descriptor, text, strlen(text), 0);
}

int lock_take(const char *path, struct lock **ret_lock, struct error *error) {
    for (;;) {
        int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (descriptor < 0)
            return error_set(error, ERROR_OUTPUT, "cannot lock %s: %s", path, strerror(errno));
        if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            int result = errno == EWOULDBLOCK ? lock_is_taken(descriptor, path, error)
                                              : lock_failed(path, errno, error);
            close(descriptor);
            return result;
        }
        if (is_current(descriptor, path)) {
            write_owner(descriptor);
            struct lock *lock = memory_new(struct lock);
            *lock = (struct lock){.descriptor = descriptor, .path = memory_strdup(path)};
            *ret_lock = lock;
            return 0;
        }
        close(descriptor);
    }
}

void lock_release(struct lock *lock) {
    if (lock == NULL) return;
    (void)unlink(lock->path);
    close(lock->descriptor);
    free(lock->path);
    free(lock);
}
