// SPDX-License-Identifier: Apache-2.0
// A file of IDs on standard input.
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/ids.h"
#include "fuzz.h"

static int receive(void *context, const char *id, struct error *error) {
    (void)error;
    uint64_t *count = context;
    size_t size = strlen(id);
    fuzz_check(size > 0 && size <= IDS_LINE_MAX && id[0] != '#' && !strpbrk(id, "\r\n"));
    fuzz_check(id[0] != ' ' && id[size - 1] != ' ');
    ++*count;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("ids", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    struct ids_input input = {.fd = fd, .halt_fd = -1};
    uint64_t received = 0, count = 0;
    ERROR_AUTO error = {0};
    int result = ids_deliver_input(&input, receive, &received, &count, &error);
    fuzz_check(count == received);
    fuzz_check(result == 0 || (error.code == ERROR_INPUT && error.message));
    close(fd);
    return 0;
}
