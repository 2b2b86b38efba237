// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is(int fd) {
    return isatty(fd) == 1;
}

bool terminal_redraws(int fd) {
    const char *term = getenv("TERM");
    return terminal_is(fd) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

unsigned terminal_columns(int fd) {
    struct winsize size = {0};
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool terminal_foreground(int fd) {
    return tcgetpgrp(fd) == getpgrp();
}
