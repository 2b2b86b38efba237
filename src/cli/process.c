// SPDX-License-Identifier: Apache-2.0
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/json_memory.h"
#include "journal/journal_memory.h"

int process_open_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is the one that is closed: those below it are open by now.
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return -1;
    }
    return 0;
}

bool process_has_input(void) {
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY && isatty(STDIN_FILENO) != 1;
}

int process_protect(struct error *error) {
    json_memory_init();
    if (!journal_memory_init()) {
        return error_set(error, ERROR_SYSTEM, "the memory of SQLite cannot be kept from others");
    }
    umask(S_IRWXG | S_IRWXO);
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return error_set(error, ERROR_SYSTEM, "cannot switch core dumps off: %s", strerror(errno));
    }
    return 0;
}
