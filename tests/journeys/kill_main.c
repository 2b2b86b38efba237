// SPDX-License-Identifier: Apache-2.0
// Which journeys are disturbed, and where: every pair of a source's way and a target, at events that are a stride apart.
#include <getopt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "kill.h"

enum {
    CALLS_LOST = 3,
    POWER_EVERY = 4,
    SECOND_EVERY = 4,
    ELSEWHERE_EVERY = 4,
    KILLED_OF = 3,  // with a fault: all but one
    EXIT_VIOLATED = 1,
    EXIT_USE = 2,
    NUMBER_BASE = 10
};

struct settings {
    const char *filter;       // part of the name of a pair
    uint64_t seed;            // where the strides begin
    uint64_t most;            // journeys of each kind of a pair; 0 = all
    bool single;              // one case alone
    struct kill_case played;  // that one
    bool expect_caught;       // a pair has to fail
    const char *program;      // by which it was called
};

// The numbers that are drawn for faults are others than those of kills.
#define FAULTS_FROM (UINT64_C(1) << 32)

static const char *const thens[] = {"resume", "rollback"};

static void pair_name(const struct kill_case *played, char name[static KILL_PAIR_SIZE]) {
    snprintf(name, KILL_PAIR_SIZE, "%s %s to %s", played->network->name, played->way, played->target->name);
}

static void tell(const struct settings *settings, const struct kill_case *played, const char *violation) {
    char name[KILL_PAIR_SIZE];
    pair_name(played, name);
    fprintf(stderr, "%s: %s\n  again: %s --kills --pair '%s' --first %llu --second %llu --then %s", name,
            violation, settings->program, name, (unsigned long long)played->first,
            (unsigned long long)played->second, thens[played->then]);
    if (played->power) fputs(" --power", stderr);
    if (played->elsewhere) fputs(" --elsewhere", stderr);
    if (played->fault[0] != '\0')
        fprintf(stderr, " --%s-fault '%s'", played->fault_there ? "target" : "source", played->fault);
    fputc('\n', stderr);
}

static bool play(const struct settings *settings, const struct kill_case *played,
                 const struct kill_end *wanted, struct kill_numbers *numbers) {
    char *violation = kill_play(played, wanted, numbers);
    if (violation != NULL) tell(settings, played, violation);
    bool good = violation == NULL;
    free(violation);
    return good;
}

// ---- the cases of a pair

static uint64_t stride_of(const struct settings *settings, uint64_t all) {
    return settings->most == 0 || all <= settings->most ? 1 : all / settings->most;
}

// What is drawn for each.
static void draw(struct prng *prng, const struct kill_end *end, struct kill_case *drawn) {
    drawn->power = prng_below(prng, POWER_EVERY) == 0;
    drawn->elsewhere = prng_below(prng, ELSEWHERE_EVERY) == 0;
    if (drawn->first > 0 && prng_below(prng, SECOND_EVERY) == 0)
        drawn->second = 1 + prng_below(prng, (uint32_t)end->events);
}

// The run dies at each of its events and is resumed, likewise and is rolled back, and a rollback of all that it did dies at
// each of its own; or as many of these as are wanted. Some die twice.
static bool play_kills(const struct settings *settings, const struct kill_case *base,
                       const struct kill_end *end, struct kill_numbers *numbers) {
    uint64_t all = 2 * end->events + end->back_events, stride = stride_of(settings, all);
    for (uint64_t at = settings->seed % stride; at < all; at += stride) {
        struct kill_case played = *base;
        struct prng prng = prng_init(settings->seed, at);
        bool run = at < 2 * end->events;
        played.then = at < end->events ? KILL_RESUME : KILL_ROLLBACK;
        if (run) played.first = at % end->events + 1;
        if (!run) played.second = at - 2 * end->events + 1;
        draw(&prng, end, &played);
        if (!play(settings, &played, end, numbers)) return false;
    }
    return true;
}

// The answer to a call of each method is lost, though the request is carried out, or the request is: in each of these ways
// once if so many are wanted, and mostly the program dies somewhere, too.
static bool play_faults(const struct settings *settings, const struct kill_case *base,
                        const struct kill_end *end, struct kill_numbers *numbers) {
    static const char *const kinds[] = {"reset-after", "reset-before", "deadline-after", "unavailable-after"};
    enum { KINDS = sizeof kinds / sizeof *kinds, WAYS = KINDS * KILL_THENS * CALLS_LOST };
    uint64_t all = (uint64_t)end->method_count * WAYS;
    uint64_t count = settings->most == 0 || settings->most > all ? all : settings->most;
    // Each method at least once.
    if (count < end->method_count) count = end->method_count;
    for (uint64_t number = 0; number < count; number++) {
        struct kill_case played = *base;
        struct prng prng = prng_init(settings->seed, FAULTS_FROM + number);
        const struct kill_method *method = &end->methods[number % end->method_count];
        uint32_t way = count == all ? (uint32_t)(number / end->method_count) : prng_below(&prng, WAYS);
        played.then = method->back || way % KILL_THENS == 1 ? KILL_ROLLBACK : KILL_RESUME;
        bool plain =
            number < KINDS * (uint64_t)end->method_count && count >= KINDS * (uint64_t)end->method_count;
        if (plain && count < all)
            way = (uint32_t)(number / end->method_count) * KILL_THENS + way % KILL_THENS;
        if (!plain && prng_below(&prng, KILLED_OF) > 0)
            played.first = 1 + prng_below(&prng, (uint32_t)end->events);
        played.fault_there = method->there;
        snprintf(played.fault, sizeof played.fault, "%s:%s:at=%u", method->name,
                 kinds[way / KILL_THENS % KINDS], way / KILL_THENS / KINDS + 1);
        draw(&prng, end, &played);
        if (!play(settings, &played, end, numbers)) return false;
    }
    return true;
}

static bool play_pair(const struct settings *settings, const struct kill_case *base,
                      struct kill_numbers *numbers) {
    struct kill_end end;
    char *violation = kill_play_calm(base, &end, numbers);
    bool good = violation == NULL;
    if (!good) tell(settings, base, violation);
    free(violation);
    if (good && settings->single) {
        struct kill_case played = settings->played;
        played.network = base->network;
        played.way = base->way;
        played.target = base->target;
        good = play(settings, &played, &end, numbers);
    } else if (good) {
        good = play_kills(settings, base, &end, numbers) && play_faults(settings, base, &end, numbers);
    }
    kill_end_release(&end);
    return good;
}

// In a process of its own: what a killed one held is only given back with the one that plays it.
static bool play_apart(const struct settings *settings, const struct kill_case *base,
                       struct kill_numbers *numbers) {
    fflush(stdout);
    pid_t process = fork();
    if (process == 0) _exit(play_pair(settings, base, numbers) ? 0 : EXIT_VIOLATED);
    int status = 0;
    if (process < 0 || waitpid(process, &status, 0) != process) return false;
    if (WIFSIGNALED(status)) fprintf(stderr, "a journey ended with signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The pairs that were played.
struct score {
    size_t pairs, failed;
};

static void play_network(const struct settings *settings, const struct network_source *network,
                         struct score *score, struct kill_numbers *numbers) {
    for (const char *const *way = network->release_ways; *way != NULL; way++) {
        for (const struct network_target *target = network_targets; target->name != NULL; target++) {
            struct kill_case base = {.network = network, .way = *way, .target = target};
            char name[KILL_PAIR_SIZE];
            pair_name(&base, name);
            bool wanted = settings->single ? strcmp(name, settings->filter) == 0
                                           : strstr(name, settings->filter) != NULL;
            // From a file into lines nothing can be lost.
            if (!wanted || (network->text != NULL && target->options == NULL)) continue;
            score->pairs++;
            if (play_apart(settings, &base, numbers)) continue;
            printf("FAILED: %s\n", name);
            score->failed++;
        }
    }
}

static bool play_all(const struct settings *settings, struct kill_numbers *numbers) {
    struct score score = {0};
    for (const struct network_source *network = network_sources; network->name != NULL; network++)
        play_network(settings, network, &score, numbers);
    for (const struct network_source *file = network_files; file->name != NULL; file++)
        play_network(settings, file, &score, numbers);
    printf("%zu pairs, %zu failed: %llu journeys, %llu processes killed, %llu events\n", score.pairs,
           score.failed, (unsigned long long)numbers->journeys, (unsigned long long)numbers->deaths,
           (unsigned long long)numbers->events);
    return score.pairs > 0 && score.failed == 0;
}

// ---- command line

static const char usage[] =
    "usage: journeys --kills [--all | --most N] [--seed N] [--expect-caught] [PART OF A PAIR'S NAME]\n"
    "       journeys --kills --pair NAME --first N [--second N] [--then resume|rollback] [--power]\n"
    "                [--elsewhere]\n"
    "                [--source-fault|--target-fault METHOD:KIND:at=N]\n";

static bool read_arguments(int count, char **arguments, struct settings *settings) {
    static const struct option options[] = {
        {"kills", no_argument, NULL, 'k'},
        {"all", no_argument, NULL, 'a'},
        {"most", required_argument, NULL, 'm'},
        {"seed", required_argument, NULL, 's'},
        {"pair", required_argument, NULL, 'p'},
        {"first", required_argument, NULL, '1'},
        {"second", required_argument, NULL, '2'},
        {"then", required_argument, NULL, 't'},
        {"power", no_argument, NULL, 'P'},
        {"source-fault", required_argument, NULL, 'f'},
        {"elsewhere", no_argument, NULL, 'e'},
        {"expect-caught", no_argument, NULL, 'x'},
        {"target-fault", required_argument, NULL, 'F'},
        {NULL, 0, NULL, 0},
    };
    int option = 0;
    struct kill_case *played = &settings->played;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        if (option == 'a') settings->most = 0;
        if (option == 'm') settings->most = strtoull(optarg, NULL, NUMBER_BASE);
        if (option == 's') settings->seed = strtoull(optarg, NULL, NUMBER_BASE);
        if (option == 'p') settings->single = true, settings->filter = optarg;
        if (option == '1') played->first = strtoull(optarg, NULL, NUMBER_BASE);
        if (option == '2') played->second = strtoull(optarg, NULL, NUMBER_BASE);
        if (option == 't') played->then = strcmp(optarg, "rollback") == 0 ? KILL_ROLLBACK : KILL_RESUME;
        if (option == 'P') played->power = true;
        if (option == 'x') settings->expect_caught = true;
        if (option == 'e') played->elsewhere = true;
        if (option == 'f' || option == 'F') snprintf(played->fault, sizeof played->fault, "%s", optarg);
        if (option == 'F') played->fault_there = true;
        if (option == '?') return false;
    }
    if (optind < count && !settings->single) settings->filter = arguments[optind++];
    return optind == count;
}

int kill_main(int argument_count, char **arguments) {
    enum { MOST = 40 };
    struct settings settings = {.filter = "", .seed = 1, .most = MOST, .program = arguments[0]};
    if (!read_arguments(argument_count, arguments, &settings)) {
        fputs(usage, stderr);
        return EXIT_USE;
    }
    // A process may end within SQLite; a mutex that it held would be held for ever.
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    struct kill_numbers *numbers =
        mmap(NULL, sizeof *numbers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (numbers == MAP_FAILED) return EXIT_USE;
    bool good = play_all(&settings, numbers);
    munmap(numbers, sizeof *numbers);
    if (settings.expect_caught) puts(good ? "not caught" : "caught");
    return good != settings.expect_caught ? 0 : EXIT_VIOLATED;
}
