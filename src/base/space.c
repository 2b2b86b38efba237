// SPDX-License-Identifier: Apache-2.0
#include "base/space.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { QUOTA_BLOCK = 1024 };

// What the user's quota leaves there. Few file systems have one, and old kernels only tell those who know the device.
static uint64_t quota_left(const char *path) {
    uint64_t left = UINT64_MAX;
#ifdef SYS_quotactl_fd
    struct dqblk quota = {0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) return left;
    if (syscall(SYS_quotactl_fd, descriptor, QCMD((unsigned)Q_GETQUOTA, USRQUOTA), geteuid(), &quota) == 0 &&
        (quota.dqb_valid & QIF_BLIMITS) != 0 && quota.dqb_bhardlimit > 0) {
        uint64_t most = (uint64_t)quota.dqb_bhardlimit * QUOTA_BLOCK;
        left = quota.dqb_curspace < most ? most - quota.dqb_curspace : 0;
    }
    close(descriptor);
#else
    (void)path;
#endif
    return left;
}

void space_look(const char *path, struct space *ret_space) {
    *ret_space = (struct space){.known = false};
    struct statvfs system;
    struct stat status;
    if (stat(path, &status) != 0 || statvfs(path, &system) != 0 || system.f_blocks == 0) return;
    // The superuser can use what is kept back from others.
    uint64_t blocks = geteuid() == 0 ? system.f_bfree : system.f_bavail;
    uint64_t available = blocks * system.f_frsize;
    uint64_t quota = quota_left(path);
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    *ret_space = (struct space){
        .known = true,
        .file_system = (uint64_t)status.st_dev,
        .available = available < quota ? available : quota,
        .file_size = (uint64_t)status.st_size,
        .file_most = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur,
    };
}
