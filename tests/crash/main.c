// SPDX-License-Identifier: Apache-2.0
// crash: plays the matrix, or a sample of it, several cases at once. A failing case is told with the command that
// repeats it.
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "crash.h"

enum {
    EXIT_GOOD,
    EXIT_FAILED = 1,
    EXIT_USE = 2,
    EXIT_INTERRUPTED = 130,
    TOLD_EVERY = 500,
    JOBS_MAX = 64,
    SELDOM = 4
};

struct settings {
    struct crash_tools tools;
    uint64_t jobs;
    uint64_t stride;   // of so many cases one is played
    const char *only;  // the cases whose texts begin so
    const char *one;   // this case
    bool expect_caught;
};

struct results {
    int64_t begin;
    uint64_t next;  // number of the next case of the whole matrix
    uint64_t played;
    uint64_t failed;
    uint64_t not_reached;
    uint64_t running;
    bool broken;  // the program cannot do what is not disturbed
};

// What is played in each story, at each step. ENOSPC stays, as a disk that is full does; EDQUOT and EIO pass. What is
// seldom is another one's variant: where the target is a server, and there are more steps, it is played at some of them.
static const struct plan {
    enum crash_story story;
    enum step_fault fault;
    bool from;
    bool seldom;
} plans[] = {
    {STORY_RUN, FAULT_KILL, false, false},       {STORY_RUN, FAULT_KILL_HALF, false, true},
    {STORY_RUN, FAULT_ENOSPC, true, false},      {STORY_RUN, FAULT_EDQUOT, false, true},
    {STORY_RUN, FAULT_EIO, false, false},        {STORY_RUN, FAULT_EPIPE_SEND, false, true},
    {STORY_ROLLBACK, FAULT_KILL, false, false},  {STORY_ROLLBACK, FAULT_KILL_HALF, false, true},
    {STORY_ROLLBACK, FAULT_ENOSPC, true, false}, {STORY_ROLLBACK, FAULT_EDQUOT, false, true},
    {STORY_ROLLBACK, FAULT_EIO, false, false},   {STORY_ROLLBACK, FAULT_EPIPE_SEND, false, true},
    {STORY_RESUME, FAULT_KILL, false, true},     {STORY_UNDO, FAULT_KILL, false, true},
    {STORY_PIPE, FAULT_EPIPE, false, false},     {STORY_PIPE, FAULT_EPIPE, true, false},
    {STORY_PIPE, FAULT_KILL, false, false},      {STORY_READER, FAULT_EPIPE, false, false},
};

// ---- one case, in a process of its own

static const char *const outcomes[] = {
    [PLAYED] = "good", [NOT_REACHED] = "good, but not reached", [PLAY_FAILED] = "FAILED"};

_Noreturn static void play_in_child(const struct settings *settings, const struct crash_case *played,
                                    const struct baseline *baseline) {
    ERROR_AUTO error = {0};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    enum played outcome = crash_play(&settings->tools, played, baseline, &error);
    char *text MEMORY_AUTO = crash_case_text(played);
    if (outcome == PLAY_FAILED) {
        char *why MEMORY_AUTO = error_chain(&error);
        printf("%s: FAILED: %s\n    again: build/tests/crash/crash --verbose --keep --case %s\n", text, why,
               text);
    } else if (settings->tools.verbose) {
        printf("%s: %s\n", text, outcomes[outcome]);
    }
    fflush(stdout);
    _exit((int)outcome);
}

// ---- all of them

// What was blocked for this process has ended its children.
static bool is_interrupted(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
            sigismember(&pending, SIGHUP) == 1);
}

static void reap(struct results *results) {
    int status = 0;
    if (wait(&status) < 0) return;
    results->running--;
    results->played++;
    int outcome = WIFEXITED(status) ? WEXITSTATUS(status) : PLAY_FAILED;
    if (outcome == NOT_REACHED) results->not_reached++;
    if (outcome != NOT_REACHED && outcome != PLAYED) results->failed++;
    if (!WIFEXITED(status) && !is_interrupted()) printf("a process of the matrix itself crashed\n");
    if (results->played % TOLD_EVERY == 0) {
        printf("%" PRIu64 " cases, %" PRIu64 " failed, %" PRId64 " s\n", results->played, results->failed,
               (clock_monotonic(&clock_system) - results->begin) / NS_PER_SECOND);
    }
    fflush(stdout);
}

static void start(const struct settings *settings, const struct crash_case *played,
                  const struct baseline *baseline, struct results *results) {
    if (is_interrupted()) return;
    while (results->running >= settings->jobs) reap(results);
    fflush(stdout);
    pid_t process = fork();
    if (process == 0) play_in_child(settings, played, baseline);
    if (process < 0) {
        perror("fork");
        results->failed++;
        return;
    }
    results->running++;
}

static bool is_wanted(const struct settings *settings, const struct crash_case *played) {
    if (settings->only == NULL) return true;
    char *text MEMORY_AUTO = crash_case_text(played);
    return strncmp(text, settings->only, strlen(settings->only)) == 0;
}

static void play_plan(const struct settings *settings, const struct crash_pair *pair, const struct plan *plan,
                      const struct baseline *baseline, struct results *results) {
    uint64_t steps = baseline->counts[plan->story].steps[plan->fault];
    struct crash_case played = {.pair = pair, .story = plan->story, .fault = plan->fault, .from = plan->from};
    uint64_t pace = plan->seldom && !pair->lines ? SELDOM : 1;
    for (played.step = 1; played.step <= steps; played.step += pace) {
        if (settings->expect_caught && results->failed > 0) return;
        if (!is_wanted(settings, &played)) continue;
        if (results->next++ % settings->stride == 0) start(settings, &played, baseline, results);
    }
}

static void tell_broken(const struct crash_pair *pair, struct error *error) {
    char *why MEMORY_AUTO = error_chain(error);
    printf("%s: FAILED: %s\n", pair->name, why);
    error_release(error);
}

// True if cases of that story are played. A text that is only the beginning of a story's name means it too.
static bool is_story_wanted(const struct settings *settings, const struct crash_pair *pair,
                            enum crash_story story) {
    // A run that writes no lines has no output.
    if (!pair->lines && (story == STORY_PIPE || story == STORY_READER)) return false;
    const struct crash_case any = {.pair = pair, .story = story};
    char *text MEMORY_AUTO = crash_case_text(&any);
    const char *wanted = settings->only != NULL ? settings->only : "";
    size_t known = (size_t)(strrchr(text, ':') - text);
    while (known > 0 && text[known - 1] != ':') known--;
    size_t size = strlen(wanted);
    return strncmp(text, wanted, size < known ? size : known) == 0;
}

// Counts the steps of what is played. A story that fails without a fault of its own is no finding, but broken.
static void count_stories(const struct settings *settings, const struct crash_pair *pair,
                          struct baseline *baseline, struct results *results) {
    ERROR_AUTO error = {0};
    for (int story = STORY_RUN; story < STORY_COUNT; story++) {
        bool wanted = settings->one == NULL && is_story_wanted(settings, pair, (enum crash_story)story);
        // Other stories begin with half of a run.
        if (!wanted && story != STORY_RUN) continue;
        if (crash_count(&settings->tools, pair, (enum crash_story)story, baseline, &error) == 0) continue;
        tell_broken(pair, &error);
        results->broken = true;
    }
}

static void play_plans(const struct settings *settings, const struct crash_pair *pair,
                       const struct crash_case *one, struct results *results) {
    struct settings quiet = *settings;
    quiet.tools.verbose = quiet.tools.keep = false;
    struct baseline baseline = {0};
    ERROR_AUTO error = {0};
    if (crash_baseline(&quiet.tools, pair, &baseline, &error) != 0) {
        tell_broken(pair, &error);
        results->broken = true;
        baseline_release(&baseline);
        return;
    }
    count_stories(&quiet, pair, &baseline, results);
    if (one != NULL) start(settings, one, &baseline, results);
    for (size_t i = 0; one == NULL && i < sizeof plans / sizeof *plans; i++) {
        play_plan(settings, pair, &plans[i], &baseline, results);
    }
    while (results->running > 0) reap(results);
    baseline_release(&baseline);
}

static bool is_pair_wanted(const struct settings *settings, const struct crash_pair *pair) {
    if (settings->only == NULL) return true;
    size_t size = strlen(settings->only);
    size_t known = strlen(pair->name);
    return strncmp(pair->name, settings->only, size < known ? size : known) == 0;
}

static int play_all(const struct settings *settings) {
    struct results results = {.begin = clock_monotonic(&clock_system)};
    struct crash_case one;
    if (settings->one != NULL) {
        if (!crash_case_parse(settings->one, &one)) {
            fprintf(stderr, "no such case: %s\n", settings->one);
            return EXIT_USE;
        }
        play_plans(settings, one.pair, &one, &results);
    } else {
        for (const struct crash_pair *pair = crash_pairs; pair->name != NULL; pair++) {
            if (is_pair_wanted(settings, pair)) play_plans(settings, pair, NULL, &results);
        }
    }
    printf("%" PRIu64 " cases of %" PRIu64 ", %" PRIu64 " failed, %" PRIu64
           " whose step was not reached, in %" PRId64 " s\n",
           results.played, results.next, results.failed, results.not_reached,
           (clock_monotonic(&clock_system) - results.begin) / NS_PER_SECOND);
    if (is_interrupted()) return EXIT_INTERRUPTED;
    if (settings->expect_caught) return results.failed > 0 && !results.broken ? EXIT_GOOD : EXIT_FAILED;
    // A matrix that seldom does what it is for proves nothing.
    bool idle = results.played == 0 || (settings->one == NULL && results.not_reached * 4 > results.played);
    if (idle) printf("FAILED: too few cases did anything\n");
    return results.failed == 0 && !results.broken && !idle ? EXIT_GOOD : EXIT_FAILED;
}

// ---- the command line

static const char usage[] =
    "usage: crash [OPTION]...\n"
    "The crash matrix: the program is killed, or its calls fail, at every step of a run.\n"
    "  --stride N     of N cases one\n"
    "  --only TEXT    the cases that begin so: v2-json:rollback:kill\n"
    "  --case CASE    one case, as a failing one is told\n"
    "  --jobs N       so many at once\n"
    "  --program FILE       another one\n"
    "  --expect-caught      good is if a case fails: what the matrix is for is seen\n"
    "  --verbose      tell what each command told\n"
    "  --keep         leave the folders of the cases behind\n";

enum { ID_STRIDE = 256, ID_ONLY, ID_CASE, ID_JOBS, ID_PROGRAM, ID_CAUGHT, ID_VERBOSE, ID_KEEP };

static const struct option options[] = {
    {"stride", required_argument, NULL, ID_STRIDE},
    {"only", required_argument, NULL, ID_ONLY},
    {"case", required_argument, NULL, ID_CASE},
    {"jobs", required_argument, NULL, ID_JOBS},
    {"program", required_argument, NULL, ID_PROGRAM},
    {"expect-caught", no_argument, NULL, ID_CAUGHT},
    {"verbose", no_argument, NULL, ID_VERBOSE},
    {"keep", no_argument, NULL, ID_KEEP},
    {NULL, 0, NULL, 0},
};

static bool parse_number(const char *text, uint64_t most, uint64_t *ret_number) {
    char *end = NULL;
    *ret_number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *ret_number >= 1 && *ret_number <= most;
}

static bool set(struct settings *settings, int id) {
    switch (id) {
        case ID_STRIDE:
            return parse_number(optarg, UINT32_MAX, &settings->stride);
        case ID_ONLY:
            return (settings->only = optarg) != NULL;
        case ID_CASE:
            return (settings->one = optarg) != NULL;
        case ID_JOBS:
            return parse_number(optarg, JOBS_MAX, &settings->jobs);
        case ID_PROGRAM:
            return (settings->tools.program = realpath(optarg, NULL)) != NULL;
        case ID_CAUGHT:
            return (settings->expect_caught = true);
        case ID_VERBOSE:
            return (settings->tools.verbose = true);
        case ID_KEEP:
            return (settings->tools.keep = true);
        default:
            return false;
    }
}

// A disk in memory makes the matrix faster by what syncing costs; the place does not matter for what is tested.
static char *make_folder(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0')
        parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    char *folder = memory_printf("%s/ttn-lw-crash-XXXXXX", parent);
    if (mkdtemp(folder) != NULL) return folder;
    perror(parent);
    free(folder);
    return NULL;
}

// An interrupt ends the cases at once, and this process when it has cleaned up.
static void block_interrupts(void) {
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    sigaddset(&interrupts, SIGHUP);
    sigprocmask(SIG_BLOCK, &interrupts, NULL);
}

static int play_in_folder(struct settings *settings) {
    char *folder MEMORY_AUTO = make_folder();
    if (folder == NULL) return EXIT_FAILED;
    settings->tools.folder = folder;
    block_interrupts();
    int code = play_all(settings);
    if (settings->tools.keep) {
        printf("left: %s\n", folder);
    } else {
        stage_remove(folder);
    }
    return code;
}

int main(int argument_count, char **arguments) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct settings settings = {
        .tools = {.program = CRASH_PROGRAM, .sandbox = CRASH_SANDBOX, .library = CRASH_LIBRARY},
        // A case waits as much as it works.
        .jobs = processors > 0 && processors * 2 <= JOBS_MAX ? (uint64_t)processors * 2 : 4,
        .stride = 1,
    };
    int id = 0;
    while ((id = getopt_long(argument_count, arguments, "", options, NULL)) != -1) {
        if (!set(&settings, id)) {
            fputs(usage, stderr);
            return EXIT_USE;
        }
    }
    if (optind < argument_count) {
        fputs(usage, stderr);
        return EXIT_USE;
    }
    return play_in_folder(&settings);
}
