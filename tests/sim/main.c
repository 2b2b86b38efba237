// SPDX-License-Identifier: Apache-2.0
// sim: plays seeds, in processes of their own, until one fails. A failing seed is shrunk and the command printed that
// replays it.
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim.h"

enum {
    BATCH = 50,         // seeds a process: what a killed run leaves behind goes with it
    SEED_SECONDS = 60,  // of real time; more is a hang
    JOBS_MAX = 64,
    SETS_MAX = 64,
    SHRINK_ROUNDS = 4,
};

enum { EXIT_GOOD, EXIT_VIOLATED = 1, EXIT_USE = 2, EXIT_CRASHED = 3 };

struct settings {
    uint64_t seed;
    uint64_t count;  // 0 = no end
    double seconds;  // 0 = no limit
    unsigned jobs;
    bool verbose;
    bool expect_caught;
    const char *sets[SETS_MAX];
    size_t set_count;
};

// What a process of the simulation shares with the one that started it.
struct slot {
    pid_t process;
    uint64_t seed;  // the one that is played
    struct sim_numbers numbers;
    uint64_t played;
};

static bool apply_sets(const struct settings *settings, struct sim_case *changed) {
    for (size_t i = 0; i < settings->set_count; i++) {
        const char *equals = strchr(settings->sets[i], '=');
        if (equals == NULL) return false;
        char *name MEMORY_AUTO = memory_strndup(settings->sets[i], (size_t)(equals - settings->sets[i]));
        if (!case_set(changed, name, strtoll(equals + 1, NULL, 10))) return false;
    }
    return true;
}

// ---- shrinking

static bool still_fails(uint64_t seed, const struct sim_case *tried) {
    struct sim_numbers ignored = {0};
    char *violation MEMORY_AUTO = sim_play(seed, tried, false, &ignored);
    return violation != NULL;
}

static bool try_value(uint64_t seed, struct sim_case *smallest, const char *name, int64_t value) {
    struct sim_case tried = *smallest;
    case_set(&tried, name, value);
    alarm(SEED_SECONDS);
    if (!still_fails(seed, &tried)) return false;
    *smallest = tried;
    return true;
}

// Makes every number as small as it can be with the case still failing.
static void shrink(uint64_t seed, struct sim_case *smallest) {
    bool changed = true;
    for (int round = 0; round < SHRINK_ROUNDS && changed; round++) {
        changed = false;
        const int64_t *place = NULL;
        const char *name = NULL;
        for (size_t i = 0; (name = case_name(smallest, i, &place)) != NULL; i++) {
            int64_t least = strcmp(name, "devices") == 0 || strcmp(name, "concurrency") == 0 ? 1
                            : strcmp(name, "timeout") == 0                                   ? 1000
                                                                                             : 0;
            if (*place <= least) continue;
            bool smaller = try_value(seed, smallest, name, least);
            while (!smaller && *place > least + 1 && try_value(seed, smallest, name, (*place + least) / 2))
                changed = true;
            if (!smaller && *place > least) smaller = try_value(seed, smallest, name, *place - 1);
            changed |= smaller;
        }
    }
}

static void print_command(uint64_t seed, const struct sim_case *smallest) {
    struct sim_case drawn;
    case_draw(&drawn, seed);
    printf("    shrunk: ./dev sim --verbose --seed %" PRIu64, seed);
    const int64_t *place = NULL;
    const char *name = NULL;
    for (size_t i = 0; (name = case_name(smallest, i, &place)) != NULL; i++) {
        const int64_t *before = NULL;
        case_name(&drawn, i, &before);
        if (*place != *before) printf(" --set %s=%" PRId64, name, *place);
    }
    printf("\n");
}

// ---- playing

static bool play_seed(const struct settings *settings, uint64_t seed, struct sim_numbers *numbers) {
    struct sim_case played;
    case_draw(&played, seed);
    apply_sets(settings, &played);
    alarm(SEED_SECONDS);
    char *violation MEMORY_AUTO = sim_play(seed, &played, settings->verbose, numbers);
    if (violation == NULL) return true;
    printf("seed %" PRIu64 ": %s\n    replay: ./dev sim --verbose --seed %" PRIu64, seed, violation, seed);
    for (size_t i = 0; i < settings->set_count; i++) printf(" --set %s", settings->sets[i]);
    printf("\n");
    fflush(stdout);
    if (settings->expect_caught || settings->verbose) return false;
    shrink(seed, &played);
    print_command(seed, &played);
    fflush(stdout);
    return false;
}

_Noreturn static void play_batch(const struct settings *settings, struct slot *slot, uint64_t first,
                                 uint64_t end) {
    for (uint64_t seed = first; seed < end; seed++) {
        slot->seed = seed;
        if (!play_seed(settings, seed, &slot->numbers)) _exit(EXIT_VIOLATED);
        slot->played++;
    }
    _exit(EXIT_GOOD);
}

static double now(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct slot *slot_of(struct slot *slots, unsigned jobs, pid_t process) {
    for (unsigned i = 0; i < jobs; i++) {
        if (slots[i].process == process) return &slots[i];
    }
    return NULL;
}

// Waits for one process. Returns how it ended.
static int reap(struct slot *slots, unsigned jobs) {
    int status = 0;
    pid_t process = wait(&status);
    if (process < 0) return EXIT_GOOD;
    struct slot *slot = slot_of(slots, jobs, process);
    if (slot != NULL) slot->process = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_VIOLATED) return WEXITSTATUS(status);
    printf("seed %" PRIu64 ": the simulation itself ended with %s %d%s\n", slot == NULL ? 0 : slot->seed,
           WIFSIGNALED(status) ? "signal" : "exit code",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
           WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
    return EXIT_CRASHED;
}

static bool goes_on(const struct settings *settings, uint64_t next, double start) {
    if (settings->count > 0 && next >= settings->seed + settings->count) return false;
    return settings->seconds <= 0 || now() - start < settings->seconds;
}

static void print_numbers(const struct slot *slots, unsigned jobs, double seconds) {
    struct sim_numbers sum = {0};
    uint64_t played = 0;
    for (unsigned i = 0; i < jobs; i++) {
        played += slots[i].played;
        sum.processes += slots[i].numbers.processes;
        sum.deaths += slots[i].numbers.deaths;
        sum.cleared += slots[i].numbers.cleared;
        sum.restored += slots[i].numbers.restored;
        sum.events += slots[i].numbers.events;
    }
    printf("%" PRIu64 " migrations simulated: %" PRIu64 " processes, %" PRIu64 " of them killed, %" PRIu64
           " devices cleared, %" PRIu64 " put back, %" PRIu64 " events; %.0f a minute\n",
           played, sum.processes, sum.deaths, sum.cleared, sum.restored, sum.events,
           seconds > 0 ? (double)played * 60 / seconds : 0);
}

static int play_all(const struct settings *settings) {
    struct slot *slots =
        mmap(NULL, sizeof *slots * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slots == MAP_FAILED) return EXIT_CRASHED;
    double start = now();
    uint64_t next = settings->seed;
    unsigned running = 0;
    int worst = EXIT_GOOD;
    while (running > 0 || (worst == EXIT_GOOD && goes_on(settings, next, start))) {
        if (running < settings->jobs && worst == EXIT_GOOD && goes_on(settings, next, start)) {
            uint64_t end = next + BATCH;
            if (settings->count > 0 && end > settings->seed + settings->count)
                end = settings->seed + settings->count;
            struct slot *slot = slot_of(slots, settings->jobs, 0);
            fflush(stdout);
            pid_t process = fork();
            if (process == 0) play_batch(settings, slot, next, end);
            if (process < 0) return EXIT_CRASHED;
            slot->process = process;
            next = end;
            running++;
            continue;
        }
        int ended = reap(slots, settings->jobs);
        running--;
        if (ended > worst) worst = ended;
    }
    print_numbers(slots, settings->jobs, now() - start);
    munmap(slots, sizeof *slots * JOBS_MAX);
    return worst;
}

// ---- command line

static double seconds_of(const char *text) {
    char *end = NULL;
    double number = strtod(text, &end);
    return *end == 'h' ? number * 3600 : *end == 'm' ? number * 60 : number;
}

static const char usage[] =
    "usage: sim [--seed N] [--count N] [--for 60s|5m|1h] [--jobs N] [--set NAME=NUMBER]... [--verbose]\n"
    "       [--expect-caught]  ends well only if a seed fails\n";

static bool read_arguments(int count, char **arguments, struct settings *settings) {
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},    {"count", required_argument, NULL, 'c'},
        {"for", required_argument, NULL, 'f'},     {"jobs", required_argument, NULL, 'j'},
        {"set", required_argument, NULL, 'S'},     {"verbose", no_argument, NULL, 'v'},
        {"expect-caught", no_argument, NULL, 'x'}, {NULL, 0, NULL, 0},
    };
    int option = 0;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        if (option == 's') settings->seed = strtoull(optarg, NULL, 10);
        if (option == 'c') settings->count = strtoull(optarg, NULL, 10);
        if (option == 'f') settings->seconds = seconds_of(optarg);
        if (option == 'j') settings->jobs = (unsigned)strtoul(optarg, NULL, 10);
        if (option == 'S' && settings->set_count < SETS_MAX) settings->sets[settings->set_count++] = optarg;
        if (option == 'v') settings->verbose = true;
        if (option == 'x') settings->expect_caught = true;
        if (option == '?') return false;
    }
    struct sim_case probe = {0};
    if (settings->count == 0 && settings->seconds <= 0) settings->count = 1;
    return optind == count && settings->jobs >= 1 && settings->jobs <= JOBS_MAX &&
           apply_sets(settings, &probe);
}

int main(int count, char **arguments) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct settings settings = {.seed = 1,
                                .jobs = processors < 1          ? 1
                                        : processors > JOBS_MAX ? JOBS_MAX
                                                                : (unsigned)processors};
    if (!read_arguments(count, arguments, &settings)) {
        fputs(usage, stderr);
        return EXIT_USE;
    }
    // A process may end within SQLite; a mutex that it held would be held for ever.
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    int worst = play_all(&settings);
    if (!settings.expect_caught) return worst;
    printf(worst == EXIT_VIOLATED ? "caught\n" : "not caught\n");
    return worst == EXIT_VIOLATED ? EXIT_GOOD : EXIT_VIOLATED;
}
