// SPDX-License-Identifier: Apache-2.0
// A case from its start to its end.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim.h"

// 2026-01-01, and the first moments of a machine.
#define WALL_START (INT64_C(1767225600) * NS_PER_SECOND)

// So long there is no space once the disk is full.
enum { FULL_EVENTS = 40, LAST_TRIES = 3, TIDIED_MOST = 20 };

static int64_t wall(void *context) {
    return WALL_START + ((const struct sim *)context)->now;
}

bool sim_dies_next(struct sim *sim) {
    return sim->running && sim->process->kill_at > 0 && sim->events + 1 == (uint64_t)sim->process->kill_at;
}

void sim_die(struct sim *sim) {
    longjmp(sim->death, 1);
}

void sim_event(struct sim *sim) {
    if (!sim->running) return;
    bool dies = sim_dies_next(sim);
    sim->events++;
    if (dies) sim_die(sim);
}

bool sim_disk_is_full(struct sim *sim) {
    uint64_t at = (uint64_t)sim->process->disk_full_at;
    return at > 0 && sim->events >= at && sim->events < at + FULL_EVENTS;
}

void sim_violated(struct sim *sim, const char *format, ...) {
    if (sim->violation != NULL) return;
    va_list args;
    va_start(args, format);
    sim->violation = memory_vprintf(format, args);
    va_end(args);
    if (sim->verbose) printf("%8.3f s  VIOLATED: %s\n", (double)sim->now / 1e9, sim->violation);
}

static void add_faults(struct sim *sim) {
    for (size_t i = 0; i < FAULTS; i++) {
        char spec[128];
        ERROR_AUTO error = {0};
        if (!case_fault_spec(&sim->c, i, spec, sizeof spec)) continue;
        int result = world_add_fault(sim->world, spec, &error);
        if (result == 0 && sim->there != sim->world) result = world_add_fault(sim->there, spec, &error);
        if (result != 0) sim_violated(sim, "%s", error.message);
    }
    char spec[128];
    ERROR_AUTO error = {0};
    if (case_rejection_spec(&sim->c, spec, sizeof spec) && world_add_fault(sim->there, spec, &error) != 0)
        sim_violated(sim, "%s", error.message);
}

static void advance(struct sim *sim) {
    world_advance(sim->world, wall(sim));
    if (sim->there != sim->world) world_advance(sim->there, wall(sim));
}

// ---- the process as its files see it

static void file_event(void *context) {
    sim_event(context);
}

static bool dies_next(void *context) {
    return sim_dies_next(context);
}

static bool is_full(void *context) {
    return sim_disk_is_full(context);
}

static uint32_t below(void *context, uint32_t limit) {
    return prng_below(&((struct sim *)context)->weather, limit);
}

static void sleep_for(void *context, int64_t ns) {
    ((struct sim *)context)->now += ns;
}

static void open_files(struct sim *sim) {
    sim->user = (struct disk_user){.context = sim,
                                   .disk = sim->disk,
                                   .clock = &sim->clock,
                                   .random = &sim->random,
                                   .event = file_event,
                                   .dies_next = dies_next,
                                   .is_full = is_full,
                                   .below = below,
                                   .sleep = sleep_for};
    sim->vfs = disk_vfs_open(&sim->user, "sim", sim->seed);
}

static void open_sim(struct sim *sim, uint64_t seed, const struct sim_case *played) {
    sim->seed = seed;
    sim->c = *played;
    if (played->source != SIM_TTS || played->target != SIM_TTS) sim->c.together = 0;
    // Elsewhere in the same cluster a device has no place as long as it has one.
    if (sim->c.together) sim->c.release = 2;
    sim->now = NS_PER_SECOND;
    sim->chance = prng_init(seed, 0xC4A);
    sim->weather = prng_init(seed, 0x3EA);
    sim->meddling = prng_init(seed, 0x3ED);
    sim->clock.context = sim;
    sim->clock.wall = wall;
    struct world_setup setup = {
        .seed = seed,
        .devices = played->source == SIM_V2 ? (uint64_t)played->devices : 0,
        .broken = played->source == SIM_V2 && played->broken != 0,
        .tts_devices = played->source == SIM_TTS ? (uint64_t)played->devices : 0,
        .rate_limit = (uint32_t)played->rate_limit,
        .uplinks = (double)played->uplinks,
    };
    sim->world = sim->there = world_new(&setup);
    world_announce_handler(sim->world, "handler.example:1904", "", "");
    setup.tts_devices = 0;
    // Not of the same chance: a join here would make the very session of a join there.
    setup.seed = ~seed;
    if (played->source == SIM_TTS && played->target == SIM_TTS && !sim->c.together)
        sim->there = world_new(&setup);
    advance(sim);
    sim->disk = disk_new(seed);
    buffer_init(&sim->pipe, BUFFER_UNLIMITED);
    buffer_init(&sim->told, BUFFER_UNLIMITED);
    sim->lock_path = memory_printf("/tmp/ttn-lw-sim-%ld.lock", (long)getpid());
    sim_network_open(sim);
    open_files(sim);
    sim_check_begin(sim);
    if (sim_to_server(sim)) sim_conflicts_make(sim);
    sim_others_read(sim);
    add_faults(sim);
}

static void close_sim(struct sim *sim) {
    sim_network_close(sim);
    disk_vfs_close(sim->vfs);
    sim_check_release(sim);
    sim_others_release(sim);
    if (sim->there != sim->world) world_free(sim->there);
    world_free(sim->world);
    disk_free(sim->disk);
    buffer_release(&sim->pipe);
    buffer_release(&sim->told);
    free(sim->journal_name);
    free(sim->lock_path);
    free(sim->violation);
}

static void play_process(struct sim *sim, const struct case_process *process, enum sim_kind kind) {
    sim->process = process;
    if (sim->verbose) {
        static const char *const names[] = {"a new run", "resume", "rollback", "rollback of some"};
        printf("%8.3f s  process: %s\n", (double)sim->now / 1e9, names[kind]);
    }
    sim_process(sim, kind);
    if (sim->verbose)
        printf("%8.3f s  ended: %d, after %llu events\n", (double)sim->now / 1e9, sim->result,
               (unsigned long long)sim->events);
    sim->now += process->pause * NS_PER_MS;
    advance(sim);
    if (!sim->anew) return;
    free(sim->journal_name);
    sim->journal_name = NULL;
}

static enum sim_kind kind_of(const struct sim *sim, enum sim_command command) {
    static const enum sim_kind kinds[] = {SIM_AGAIN, SIM_BACK, SIM_BACK_SOME};
    return sim->journal_name == NULL ? SIM_NEW : kinds[command % SIM_COMMANDS];
}

static bool is_any_left_alone(const struct sim *sim) {
    for (size_t i = 0; i < sim->device_count; i++) {
        if (sim->devices[i].left_alone || sim->devices[i].differs) return true;
    }
    return false;
}

// The weather is good from now on: the run comes to its end, or is put back.
static void play_end(struct sim *sim) {
    static const struct case_process calm;
    bool nothing_left = false;
    int tidied = 0;
    world_clear_faults(sim->world);
    world_clear_faults(sim->there);
    memset(sim->refused_until, 0, sizeof sim->refused_until);
    bool obstacles = sim->c.broken || (sim_to_server(sim) && (sim->c.conflicts > 0 || sim->c.rivals > 0));
    sim->c.rivals = sim->c.losses = sim->c.meddles = 0;
    bool halts = obstacles && !sim->c.keep_going;
    for (int i = 0; i < LAST_TRIES && sim->violation == NULL; i++) {
        enum sim_kind kind = kind_of(sim, sim->c.rollback ? SIM_ROLLBACK : SIM_RESUME);
        play_process(sim, &calm, kind);
        bool wanted = kind != SIM_NEW || !sim->c.rollback;
        // Whoever is in the way is told so, and goes.
        if (sim_meddle_tidy(sim) && ++tidied <= TIDIED_MOST) {
            i = -1;
            continue;
        }
        if (!sim->c.rollback && is_any_left_alone(sim)) {
            sim->c.rollback = 1;
            i = -1;
            continue;
        }
        if (!sim->anew && wanted && (sim->result == 0 || (halts && sim->result == -ERROR_DEVICE))) return;
        if (sim->anew && halts) return;
        // A run that found nothing to do leaves nothing to put back.
        if (kind == SIM_NEW && nothing_left) return;
        nothing_left = kind == SIM_NEW && sim->result == 0;
        bool next =
            sim->anew || (sim->result == 0 && !wanted) || (halts && kind == SIM_NEW) || sim_to_server(sim);
        if (!next) break;
    }
    if (sim->violation == NULL)
        sim_violated(sim, "the last process does not come to a good end: %s",
                     buffer_string(&sim->told) + (sim->told.size > 300 ? sim->told.size - 300 : 0));
}

char *sim_play(uint64_t seed, const struct sim_case *played, bool verbose, struct sim_numbers *numbers) {
    struct sim *sim = memory_new(struct sim);
    sim->verbose = verbose;
    sim->numbers = numbers;
    open_sim(sim, seed, played);
    for (size_t i = 0; i < PROCESSES && sim->violation == NULL; i++) {
        const struct case_process *process = &sim->c.processes[i];
        if (process->used) play_process(sim, process, kind_of(sim, (enum sim_command)process->command));
    }
    if (sim->violation == NULL) play_end(sim);
    if (sim->violation == NULL) sim_check_secrets(sim);
    char *violation = memory_take(sim->violation);
    close_sim(sim);
    free(sim);
    return violation;
}
