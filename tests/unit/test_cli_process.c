// SPDX-License-Identifier: Apache-2.0
// Everything here changes the process itself, so each test runs in a child.
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/signals.h"

// Runs `work` in a child and gives its exit status; a child that dies of a signal gives 1000 and its number.
static int run_child(int (*work)(void)) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(work());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// A line number says which check failed; 0 = none.
#define CHECK(condition)                             \
    do {                                             \
        if (!(condition)) return __LINE__ % 255 + 1; \
    } while (0)

static int closed_descriptors(void) {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    CHECK(process_open_descriptors() == 0);
    char byte = 'x';
    CHECK(read(STDIN_FILENO, &byte, 1) == -1 && errno == EBADF);
    CHECK(write(STDOUT_FILENO, &byte, 1) == -1 && errno == EBADF);
    CHECK(write(STDERR_FILENO, &byte, 1) == -1 && errno == EBADF);
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(next > STDERR_FILENO);
    CHECK(!process_has_input());
    return 0;
}

static int open_descriptors(void) {
    struct stat before, after;
    int ends[2];
    CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    CHECK(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    CHECK(fstat(STDOUT_FILENO, &before) == 0);
    CHECK(process_open_descriptors() == 0);
    CHECK(fstat(STDOUT_FILENO, &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK(process_has_input());
    return 0;
}

static int protection(void) {
    CHECK(process_protect(NULL) == 0);
    struct rlimit core;
    CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    CHECK(umask(0) == 077);
    return 0;
}

static bool halt_readable(void) {
    struct pollfd ready = {.fd = signals_halt_fd(), .events = POLLIN};
    return poll(&ready, 1, 0) == 1;
}

static int halting(void) {
    CHECK(signals_halt_fd() == -1);
    CHECK(signals_install(NULL) == 0);
    CHECK(signals_halts() == 0 && signals_exit_code() == 0 && !halt_readable());
    raise(SIGTERM);
    CHECK(signals_halts() == 1 && signals_exit_code() == 143 && halt_readable());
    CHECK(halt_readable());
    raise(SIGINT);
    CHECK(signals_halts() == 2 && signals_exit_code() == 143);
    CHECK(!signals_take_status());
    raise(SIGUSR1);
    CHECK(signals_take_status());
    CHECK(!signals_take_status());
    raise(SIGINT);
    return 1;
}

static int interrupting(void) {
    CHECK(signals_install(NULL) == 0);
    raise(SIGINT);
    CHECK(signals_exit_code() == 130);
    return 0;
}

static int ignoring(void) {
    signal(SIGHUP, SIG_IGN);
    CHECK(signals_install(NULL) == 0);
    raise(SIGHUP);
    CHECK(signals_halts() == 0);
    int ends[2];
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    return 0;
}

static void test_closed_descriptors(void **state) {
    (void)state;
    assert_int_equal(run_child(closed_descriptors), 0);
}

static void test_open_descriptors(void **state) {
    (void)state;
    assert_int_equal(run_child(open_descriptors), 0);
}

static void test_protection(void **state) {
    (void)state;
    assert_int_equal(run_child(protection), 0);
}

static void test_halting(void **state) {
    (void)state;
    // The third signal ends the process.
    assert_int_equal(run_child(halting), 130);
}

static void test_interrupting(void **state) {
    (void)state;
    assert_int_equal(run_child(interrupting), 0);
}

static void test_ignoring(void **state) {
    (void)state;
    assert_int_equal(run_child(ignoring), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_descriptors), cmocka_unit_test(test_open_descriptors),
        cmocka_unit_test(test_protection),         cmocka_unit_test(test_halting),
        cmocka_unit_test(test_interrupting),       cmocka_unit_test(test_ignoring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
