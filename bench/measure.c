// SPDX-License-Identifier: Apache-2.0
// Runs a command and says what it took, as lines for the shell: wall_ms, cpu_ms, rss_kb, status.
// With --interrupt MS it sends SIGINT after that time; wall_ms then counts from the signal on.
// With --best N it runs the command N times and tells the quickest.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct setup {
    long interrupt_ms;  // -1 = no signal
    long runs;
    const char *result;  // file for the numbers
    char **command;
};

struct numbers {
    double wall_ms;
    double cpu_ms;
    long rss_kb;
    int status;  // 128 + signal if it was killed
};

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double to_ms(struct timeval time) {
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void sleep_ms(long ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

static struct numbers measure(const struct setup *setup) {
    double start = now_ms();
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(1);
    }
    if (child == 0) {
        execvp(setup->command[0], setup->command);
        perror(setup->command[0]);
        _exit(127);
    }
    if (setup->interrupt_ms >= 0) {
        sleep_ms(setup->interrupt_ms);
        start = now_ms();
        kill(child, SIGINT);
    }
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno == EINTR) continue;
        perror("wait4");
        exit(1);
    }
    return (struct numbers){
        .wall_ms = now_ms() - start,
        .cpu_ms = to_ms(usage.ru_utime) + to_ms(usage.ru_stime),
        .rss_kb = usage.ru_maxrss,
        .status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
    };
}

static void usage(void) {
    fprintf(stderr, "usage: measure [--interrupt MS] [--best N] RESULT_FILE COMMAND [ARGUMENT...]\n");
    exit(2);
}

static struct setup read_arguments(char **arguments) {
    struct setup setup = {.interrupt_ms = -1, .runs = 1};
    for (arguments++; *arguments && strncmp(*arguments, "--", 2) == 0; arguments += 2) {
        if (!arguments[1]) usage();
        long value = strtol(arguments[1], NULL, 10);
        if (value <= 0) usage();
        if (strcmp(*arguments, "--interrupt") == 0) {
            setup.interrupt_ms = value;
        } else if (strcmp(*arguments, "--best") == 0) {
            setup.runs = value;
        } else {
            usage();
        }
    }
    if (!arguments[0] || !arguments[1]) usage();
    setup.result = arguments[0];
    setup.command = arguments + 1;
    return setup;
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3) usage();
    struct setup setup = read_arguments(arguments);
    struct numbers best = measure(&setup);
    for (long run = 1; run < setup.runs; run++) {
        struct numbers numbers = measure(&setup);
        if (numbers.wall_ms < best.wall_ms) best = numbers;
    }
    FILE *file = fopen(setup.result, "we");
    if (!file) {
        perror(setup.result);
        return 1;
    }
    fprintf(file, "wall_ms=%.2f\ncpu_ms=%.2f\nrss_kb=%ld\nstatus=%d\n", best.wall_ms, best.cpu_ms,
            best.rss_kb, best.status);
    return fclose(file) == 0 ? 0 : 1;
}
