// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    HALTS_END = 3,  // this many signals end the process in the handler
    EXIT_CODE_BASE = 128,
};

// A handler has no other way to tell: the only state of the process that is not passed on.
static volatile sig_atomic_t halts;
static volatile sig_atomic_t first_signal;
static volatile sig_atomic_t status_wanted;
static volatile sig_atomic_t halt_fd = -1;

static void on_halt(int signal) {
    int saved = errno;
    if (first_signal == 0) first_signal = signal;
    halts = halts + 1;
    if (halts >= HALTS_END) _exit(EXIT_CODE_BASE + signal);
    uint64_t one = 1;
    // It cannot fail: the counter of an eventfd takes more than HALTS_END.
    if (write(halt_fd, &one, sizeof one) < 0) _exit(EXIT_CODE_BASE + signal);
    errno = saved;
}

static void on_status(int signal) {
    (void)signal;
    status_wanted = 1;
}

// Without SA_RESTART, so that a wait ends and its owner looks at what happened.
static int handle(int signal, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler}, before;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, NULL, &before) != 0) return -1;
    if (before.sa_handler == SIG_IGN) return 0;
    return sigaction(signal, &action, NULL);
}

int signals_install(struct error *error) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return error_set(error, ERROR_SYSTEM, "cannot make an eventfd: %s", strerror(errno));
    halt_fd = fd;
    bool failed = handle(SIGINT, on_halt) != 0 || handle(SIGTERM, on_halt) != 0 ||
                  handle(SIGHUP, on_halt) != 0 || handle(SIGUSR1, on_status) != 0 ||
                  signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR;
    if (failed) return error_set(error, ERROR_SYSTEM, "cannot handle signals: %s", strerror(errno));
    return 0;
}

unsigned signals_halts(void) {
    return (unsigned)halts;
}

int signals_halt_fd(void) {
    return halt_fd;
}

int signals_exit_code(void) {
    return first_signal == 0 ? 0 : EXIT_CODE_BASE + first_signal;
}

bool signals_take_status(void) {
    if (status_wanted == 0) return false;
    status_wanted = 0;
    return true;
}
