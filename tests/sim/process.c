// SPDX-License-Identifier: Apache-2.0
// One process: what the commands `application`, `device`, `resume` and `rollback` do, until its end or its death.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/memory.h"
#include "migrate/output_resume.h"
#include "migrate/run.h"
#include "sim.h"
#include "source/sources.h"

// What a process holds; all of it is gone with it.
struct process {
    struct sim *sim;
    enum sim_kind kind;
    struct journal *journal;
    struct file *output;
    uint64_t output_size;
    struct option_values *options;
    struct source *source;
    struct option_values *target_options;
    struct target *target;
    struct run *run;
    struct device_naming naming;
};

// ---- input and output of the engine

static int64_t monotonic(void *context) {
    return ((const struct sim *)context)->now;
}

static void fill(void *context, void *data, size_t size) {
    prng_fill(&((struct sim *)context)->chance, data, size);
}

static void write_log(void *context, const struct log_record *record) {
    sim_told(context, record);
}

static unsigned interrupts(void *context) {
    const struct sim *sim = context;
    int64_t at = sim->process->interrupt_at;
    return at > 0 && sim->events >= (uint64_t)at ? (unsigned)sim->process->interrupts : 0;
}

// ---- parts

static const struct source_driver *source_driver(const struct sim *sim) {
    return sim->c.source == SIM_V2 ? &source_ttnv2 : &source_tts;
}

static const struct target_driver *target_driver(const struct sim *sim) {
    return target_find(sim_to_server(sim) ? "tts" : "json");
}

static int set_option(struct option_values *options, const char *name, const char *value,
                      struct error *error) {
    const struct option_spec *spec = option_find(option_table(options), name, strlen(name));
    return option_set(options, spec, name, value, error);
}

static int set_v2_options(struct process *self, struct error *error) {
    const struct sim *sim = self->sim;
    struct option_values *options = self->options;
    int result = set_option(options, "frequency-plan-id", "EU_863_870_TTN", error);
    if (result == 0) result = set_option(options, "app-id", world_app_id(sim->world), error);
    if (result == 0) result = set_option(options, "app-access-key", world_access_key(sim->world), error);
    if (result == 0)
        result = set_option(options, "discovery-server-address", "discovery.example:1900", error);
    if (result == 0)
        result = set_option(options, "with-session", sim->c.with_session ? "true" : "false", error);
    if (result == 0 && sim->c.account)
        result = set_option(options, "account-server-address", "https://account.example", error);
    return result;
}

static int set_tts_options(struct option_values *options, bool source, const char *application,
                           const char *key, struct error *error) {
    static const struct {
        const char *option, *server;
    } servers[] = {{"identity-server-grpc-address", "is"},
                   {"network-server-grpc-address", "ns"},
                   {"application-server-grpc-address", "as"},
                   {"join-server-grpc-address", "js"}};
    int result = set_option(options, "app-id", application, error);
    if (result == 0) result = set_option(options, "app-api-key", key, error);
    for (size_t i = 0; i < 4 && result == 0; i++) {
        char *address MEMORY_AUTO =
            memory_printf("%s.%s.example:8884", servers[i].server, source ? "source" : "target");
        result = set_option(options, servers[i].option, address, error);
    }
    return result;
}

static int open_source(struct process *self, struct error *error) {
    static const char *const releases[] = {"silence", "keys", "delete"};
    const struct sim *sim = self->sim;
    const struct source_driver *driver = source_driver(sim);
    self->options = option_values_new(driver->options);
    int result = 0;
    if (sim->c.source == SIM_V2) {
        result = set_v2_options(self, error);
    } else {
        // Two applications of one cluster have the same servers.
        result = set_tts_options(self->options, !sim->c.together, WORLD_TTS_SOURCE_APP_ID,
                                 world_tts_key(sim->world, WORLD_TTS_KEY_SOURCE), error);
        if (result == 0) result = set_option(self->options, "release", releases[sim->c.release % 3], error);
        if (result == 0)
            result = set_option(self->options, "no-session", sim->c.with_session ? "false" : "true", error);
    }
    self->naming = (struct device_naming){.eui_as_id = sim->c.eui_as_id};
    const struct source_setup setup = {
        .options = self->options,
        .plans = frequency_plans_builtin(),
        .naming = &self->naming,
        .clock = &sim->clock,
        .random = &sim->random,
        .to_server = sim_to_server(sim),
    };
    return result != 0 ? result : driver->open(&setup, &self->source, error);
}

static int open_target(struct process *self, struct error *error) {
    const struct sim *sim = self->sim;
    const struct target_driver *driver = target_driver(sim);
    if (!sim_to_server(sim)) return 0;
    self->target_options = option_values_new(driver->options);
    int result = set_tts_options(self->target_options, false, WORLD_TTS_TARGET_APP_ID,
                                 world_tts_key(sim->there, WORLD_TTS_KEY_TARGET), error);
    const struct target_setup setup = {
        .options = self->target_options,
        .plans = frequency_plans_builtin(),
        .clock = &sim->clock,
        .random = &sim->random,
    };
    return result != 0 ? result : driver->open(&setup, &self->target, error);
}

static char *new_name(struct sim *sim, const char *kind) {
    return memory_printf("%s-%u", kind, sim->names++);
}

// A new file, or a pipe.
static void new_output(struct process *self, char **ret_name) {
    struct sim *sim = self->sim;
    *ret_name = NULL;
    sim->output = NULL;
    if (sim_to_server(sim)) return;
    if (sim->c.pipe) {
        self->output = disk_output_new(&sim->user, NULL, &sim->pipe, "standard output", true);
        return;
    }
    *ret_name = new_name(sim, "output");
    sim->output = disk_open(sim->disk, *ret_name, true);
    disk_sync_directory(sim->disk);
    self->output = disk_output_new(&sim->user, sim->output, NULL, *ret_name, true);
}

static int keep_output(struct process *self, const char *name, struct error *error) {
    if (name == NULL) return 0;
    int result = journal_set_property(self->journal, "output.path", name, false, error);
    return result != 0 ? result : journal_commit(self->journal, error);
}

// The journal's own output if it has one, or another.
static int open_output_again(struct process *self, struct error *error) {
    struct sim *sim = self->sim;
    char *path MEMORY_AUTO = NULL;
    char *name MEMORY_AUTO = NULL;
    if (sim_to_server(sim)) return 0;
    int result = journal_property(self->journal, "output.path", &path, error);
    if (result != 0) return result;
    bool own = path != NULL && !sim->process->elsewhere && !sim->c.pipe;
    if (own) {
        sim->output = disk_open(sim->disk, path, false);
        if (sim->output == NULL) {
            sim_violated(sim, "the output %s is gone", path);
            return error_set(error, ERROR_OUTPUT, "the output is gone");
        }
        self->output = disk_output_new(&sim->user, sim->output, NULL, path, false);
    } else {
        new_output(self, &name);
    }
    result = output_resume(self->output, own, target_find("json"), self->journal, &self->output_size, error);
    return result != 0 || own ? result : keep_output(self, name, error);
}

static int open_run(struct process *self, struct log *log, struct error *error) {
    struct sim *sim = self->sim;
    const struct run_setup setup = {
        .driver = source_driver(sim),
        .source = self->source,
        .target = target_driver(sim),
        .target_instance = self->target,
        .on_conflict = (enum run_conflict)sim->c.on_conflict,
        .no_plan = sim->c.no_plan != 0,
        .output = self->output,
        .output_size = self->output_size,
        .journal = self->journal,
        .transport = &sim->transport,
        .clock = &sim->clock,
        .random = &sim->random,
        .log = log,
        .naming = &self->naming,
        .plans = frequency_plans_builtin(),
        .observer = {.context = sim, .interrupts = interrupts},
        .concurrency = (unsigned)sim->c.concurrency,
        .timeout = sim->c.timeout * NS_PER_MS,
        .keep_going = sim->c.keep_going != 0,
    };
    self->run = run_new(&setup, error);
    return self->run == NULL ? -(int)error->code : 0;
}

// ---- commands

// Every other device, and one that is not there.
static int feed_ids(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    const struct sim *sim = context;
    int result = 0;
    for (size_t i = 0; i < sim->device_count && result == 0; i += 2)
        result = receiver(receiver_context, sim->devices[i].id, error);
    return result;
}

bool sim_is_meant(const struct sim *sim, size_t index) {
    size_t first = (size_t)sim->process->ids % sim->device_count;
    return index == first || (sim->process->ids % 3 == 0 && index == (first + 1) % sim->device_count);
}

// One or two devices, of which the run need not know.
static int feed_meant(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    const struct sim *sim = context;
    int result = 0;
    for (size_t i = 0; i < sim->device_count && result == 0; i++) {
        if (sim_is_meant(sim, i)) result = receiver(receiver_context, sim->devices[i].id, error);
    }
    return result;
}

static int run_it(struct process *self, struct log *log, struct error *error) {
    struct sim *sim = self->sim;
    int result = open_run(self, log, error);
    if (result != 0) return result;
    if (self->kind == SIM_BACK) return run_rollback(self->run, NULL, NULL, error);
    if (self->kind == SIM_BACK_SOME) return run_rollback(self->run, feed_meant, sim, error);
    if (self->kind == SIM_AGAIN) return run_resume(self->run, error);
    if (sim->c.by_id) return run_devices(self->run, sim_application(sim), feed_ids, sim, error);
    return run_application(self->run, sim_application(sim), error);
}

static int begin_new(struct process *self, struct error *error) {
    struct sim *sim = self->sim;
    char *name MEMORY_AUTO = NULL;
    new_output(self, &name);
    free(sim->journal_name);
    sim->journal_name = new_name(sim, "journal");
    sim->journal_ready = false;
    const struct journal_place place = {.path = sim->journal_name, .vfs = "sim"};
    int result = journal_create(&place, &self->journal, error);
    if (result == 0) result = keep_output(self, name, error);
    if (result == 0) sim->journal_ready = true;
    return result;
}

// A run that ended before anything was decided has nothing to go on with.
static bool is_known(struct process *self, struct error *error) {
    char *application MEMORY_AUTO = NULL;
    return journal_application(self->journal, 0, &application, error) == 0 && application != NULL;
}

static int begin_again(struct process *self, struct error *error) {
    struct sim *sim = self->sim;
    const struct journal_place place = {.path = sim->journal_name, .vfs = "sim"};
    int result = journal_open(&place, true, &self->journal, error);
    if (result != 0 && sim->journal_ready && !sim_disk_is_full(sim)) {
        char *words MEMORY_AUTO = error_chain(error);
        sim_violated(sim, "the journal cannot be read: %s", words);
    }
    if (result != 0 && !sim->journal_ready) sim->anew = true;
    if (result != 0) return result;
    sim_check_journal(sim, self->journal);
    if (!is_known(self, error)) {
        sim->anew = true;
        return error_set(error, ERROR_INPUT, "nothing to go on with");
    }
    if (self->kind != SIM_AGAIN) return 0;
    // Those that were set aside are tried again, if it is wanted.
    uint64_t count = 0;
    if (sim->c.keep_going && !sim->process->no_retry)
        result = journal_change_states(self->journal, DEVICE_FAILED, DEVICE_PLANNED, &count, error);
    if (result == 0) result = journal_commit(self->journal, error);
    return result != 0 ? result : open_output_again(self, error);
}

// A second process that wants the same journal.
static void try_lock_twice(struct sim *sim) {
    ERROR_AUTO refused = {0};
    struct lock *second = NULL;
    if (lock_take(sim->lock_path, &second, &refused) != 0) return;
    lock_release(second);
    sim_violated(sim, "a second run on the same journal is not refused");
}

static uint64_t written_of(const struct process *self) {
    if (self->run == NULL) return 0;
    return run_numbers(self->run)->written + run_numbers(self->run)->begun;
}

static void end(struct process *self, int result) {
    struct sim *sim = self->sim;
    if (result == 0 && sim->process->kill_at == 0 && sim->process->used == 0)
        sim_check_end(sim, self->journal, self->kind == SIM_BACK);
    if (result == 0 && self->kind == SIM_BACK_SOME) sim_check_back(sim, self->journal);
    bool empty = self->kind == SIM_NEW && sim->journal_name != NULL && written_of(self) == 0 &&
                 (self->run == NULL || run_numbers(self->run)->failed == 0);
    run_free(self->run);
    if (self->source != NULL) source_driver(sim)->close(self->source);
    if (self->target != NULL) target_driver(sim)->close(self->target);
    option_values_free(self->options);
    option_values_free(self->target_options);
    journal_close(self->journal);
    // A journal that is there names an output that is there.
    if (empty) disk_unlink(sim->disk, sim->journal_name);
    if (empty && self->output != NULL) self->output->operations->discard(self->output);
    if (self->output != NULL) (void)self->output->operations->close(self->output, NULL);
    if (empty) sim->anew = true;
}

static void body(struct sim *sim, enum sim_kind kind) {
    struct process self = {.sim = sim, .kind = kind};
    struct log log = {.least = LOG_DEBUG, .context = sim, .write = write_log};
    ERROR_AUTO error = {0};
    int result = lock_take(sim->lock_path, &sim->lock, &error);
    if (result == 0) try_lock_twice(sim);
    if (result == 0) result = open_source(&self, &error);
    if (result == 0) result = open_target(&self, &error);
    if (result == 0) result = kind == SIM_NEW ? begin_new(&self, &error) : begin_again(&self, &error);
    if (result == 0) result = run_it(&self, &log, &error);
    if (result != 0)
        sim_told(sim, &(struct log_record){.level = LOG_ERROR, .message = "halted", .error = &error});
    end(&self, result);
    sim->result = result;
}

// Kept apart from everything that has variables.
static bool survive(struct sim *sim, enum sim_kind kind) {
    if (setjmp(sim->death) != 0) return false;
    body(sim, kind);
    return true;
}

void sim_process(struct sim *sim, enum sim_kind kind) {
    sim->clock = (struct clock){.context = sim, .monotonic = monotonic, .wall = sim->clock.wall};
    sim->random = (struct random){.context = sim, .fill = fill};
    sim->events = 0;
    sim->waits = 0;
    sim->some = kind == SIM_BACK_SOME;
    sim->anew = false;
    sim->result = 0;
    sim->running = true;
    sim->numbers->processes++;
    for (size_t i = 0; i < sim->device_count; i++) {
        sim->devices[i].read = sim->devices[i].tried = false;
        sim->devices[i].seen_there = false;
    }
    bool survived = survive(sim, kind);
    sim->running = false;
    lock_release(sim->lock);
    sim->lock = NULL;
    sim_network_abandon(sim);
    disk_forget_shared(sim->disk);
    sim->numbers->events += sim->events;
    if (survived) return;
    sim->numbers->deaths++;
    sim->result = -ERROR_CANCELLED;
    if (sim->process->power) disk_lose_power(sim->disk);
}
