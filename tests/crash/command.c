// SPDX-License-Identifier: Apache-2.0
// The program as a process of its own, with the library that counts its steps.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "crash.h"
#include "stage_p.h"

enum { COMMAND_SECONDS = 60, ARGUMENTS_MAX = 32, VARIABLES_MAX = 512 };

static const char counts_file[] = "counts";

char *const *stage_arguments(const char *const *arguments) {
    union {
        const char *const *given;
        char *const *wanted;
    } list = {.given = arguments};
    return list.wanted;
}

bool stage_ended(pid_t process, int *ret_status) {
    int status = 0;
    pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    if (ret_status != NULL) *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

// ---- in the child

struct words {
    const char *items[VARIABLES_MAX];
    size_t count;
};

// The word is kept for as long as the process lives.
static void add(struct words *words, const char *word) {
    if (words->count + 1 >= VARIABLES_MAX) abort();
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

static void add_steps(const struct stage *stage, const struct command *command, struct words *environment) {
    const struct crash_case *disturbed = command->disturbed;
    if (disturbed == NULL) return;
    add(environment, memory_printf("LD_PRELOAD=%s", stage->tools->library));
    add(environment, memory_printf("CRASH_COUNTS=%s/%s", stage->folder, counts_file));
    if (stage->tools->verbose) add(environment, memory_printf("CRASH_TRACE=%s/trace", stage->folder));
    if (disturbed->step == 0 || disturbed->story == STORY_READER) return;
    add(environment, memory_printf("CRASH_FAULT=%s", step_fault_names[disturbed->fault]));
    add(environment, memory_printf("CRASH_STEP=%" PRIu64, disturbed->step));
    if (disturbed->from) add(environment, "CRASH_FROM=1");
}

static void add_variables(const struct stage *stage, struct words *environment) {
    const char *line = (const char *)stage->variables.data;
    const char *end = line + stage->variables.size;
    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        add(environment, memory_strndup(line, (size_t)(next - line)));
        line = next + 1;
    }
}

_Noreturn static void become_program(const struct stage *stage, const struct command *command, int output) {
    struct words arguments = {0};
    struct words environment = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    add(&arguments, stage->tools->program);
    for (size_t i = 0; command->arguments[i] != NULL; i++) add(&arguments, command->arguments[i]);
    if (command->output != NULL) {
        add(&arguments, "--output");
        add(&arguments, command->output);
    }
    add(&environment, "LC_ALL=C.UTF-8");
    add(&environment, "PATH=/usr/bin:/bin");
    add(&environment, memory_printf("HOME=%s", stage->folder));
    add_variables(stage, &environment);
    add_steps(stage, command, &environment);
    int input = open("/dev/null", O_RDONLY);
    int messages = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (output < 0) output = open("/dev/null", O_WRONLY);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(messages, STDERR_FILENO) < 0)
        _exit(127);
    close(input);
    close(output);
    close(messages);
    signal(SIGPIPE, SIG_DFL);
    execve(arguments.items[0], stage_arguments(arguments.items), stage_arguments(environment.items));
    _exit(127);
}

// ---- in the parent

static bool in_time(int64_t begin) {
    return clock_monotonic(&clock_system) - begin < COMMAND_SECONDS * NS_PER_SECOND;
}

// Takes what comes out of the pipe, to its end, or as much as the reader wants. The rest is thrown away with it.
static void take_output(const struct command *command, int pipe_end, int64_t begin) {
    uint64_t left = command->taken > 0 ? command->taken : UINT64_MAX;
    char block[4096];
    while (left > 0 && in_time(begin)) {
        struct pollfd ready = {.fd = pipe_end, .events = POLLIN};
        if (poll(&ready, 1, 100) <= 0) continue;
        ssize_t got = read(pipe_end, block, left < sizeof block ? left : sizeof block);
        if (got <= 0) break;
        left -= (uint64_t)got;
    }
    close(pipe_end);
}

static int make_counts(struct error *error) {
    const struct step_counts none = {0};
    FILE *file = fopen(counts_file, "w");
    bool written = file != NULL && fwrite(&none, sizeof none, 1, file) == 1;
    if (file != NULL && fclose(file) != 0) written = false;
    return written ? 0 : error_set(error, ERROR_SYSTEM, "cannot write %s: %s", counts_file, strerror(errno));
}

static int read_counts(struct stage *stage, struct error *error) {
    FILE *file = fopen(counts_file, "r");
    bool got = file != NULL && fread(&stage->counts, sizeof stage->counts, 1, file) == 1;
    if (file != NULL) fclose(file);
    if (!got) return error_set(error, ERROR_SYSTEM, "cannot read %s", counts_file);
    // Without a step the library was not loaded.
    if (stage->counts.steps[FAULT_KILL] == 0) return error_set(error, ERROR_SYSTEM, "no step was counted");
    return 0;
}

static void tell(const struct stage *stage, const struct command *command, int status) {
    if (!stage->tools->verbose) return;
    printf("   ");
    for (size_t i = 0; command->arguments[i] != NULL; i++) printf(" %s", command->arguments[i]);
    char *complaint MEMORY_AUTO = stage_complaint();
    printf("%s -> %d\n%s", command->disturbed != NULL ? " (disturbed)" : "", status, complaint);
}

static int wait_for(pid_t process, int64_t begin, int *ret_status, struct error *error) {
    for (int64_t pause = 100; !stage_ended(process, ret_status); pause = pause < 2000 ? pause * 2 : pause) {
        if (!in_time(begin)) {
            kill(process, SIGKILL);
            while (!stage_ended(process, NULL)) usleep(1000);
            return error_set(error, ERROR_TIMEOUT, "the program did not end within %d s", COMMAND_SECONDS);
        }
        usleep((useconds_t)pause);
    }
    return 0;
}

int stage_run(struct stage *stage, const struct command *command, int *ret_status, struct error *error) {
    int ends[2] = {-1, -1};
    int result = make_counts(error);
    if (result != 0) return result;
    if (command->piped && pipe2(ends, O_CLOEXEC) != 0)
        return error_set(error, ERROR_SYSTEM, "pipe: %s", strerror(errno));
    int64_t begin = clock_monotonic(&clock_system);
    fflush(stdout);
    pid_t process = fork();
    if (process < 0) return error_set(error, ERROR_SYSTEM, "fork: %s", strerror(errno));
    if (process == 0) become_program(stage, command, ends[1]);
    if (command->piped) {
        close(ends[1]);
        take_output(command, ends[0], begin);
    }
    result = wait_for(process, begin, ret_status, error);
    if (result == 0) tell(stage, command, *ret_status);
    if (result == 0 && command->disturbed != NULL) result = read_counts(stage, error);
    return result;
}
