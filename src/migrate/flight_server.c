// SPDX-License-Identifier: Apache-2.0
// Devices that go into a network: look -> reserve -> (released at the source) -> import -> verify. What a step relies on
// is committed for all flights that are ready together.
#include "migrate/flight_p.h"

#include <string.h>

#include "base/memory.h"

static struct target *target_of(const struct flight *flight) {
    return flight->flights->run->setup.target_instance;
}

// ---- looking

enum job_step flight_look_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    flight->look = (struct target_look){0};
    return target_of(flight)->driver->look(target_of(flight), job, &flight->device, &flight->look, error);
}

// True if what stands in its way is the device itself, which the source is about to give up.
static bool is_own(const struct flight *flight) {
    const struct run_setup *setup = &flight->flights->run->setup;
    const struct device_place *holder = &flight->look.holder;
    return setup->driver->owns != NULL && holder->device_id != NULL &&
           setup->driver->owns(setup->source, &flight->record, holder);
}

static void conflict(struct flight *flight) {
    const struct run_setup *setup = &flight->flights->run->setup;
    bool other = flight->look.found == TARGET_OTHER;
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_DEVICE, other ? "is at the target already, with other data: %s" : "%s",
              flight->look.what);
    flight->skipped = setup->on_conflict == CONFLICT_SKIP;
    if (!flight->skipped && other) {
        error_hint(&error,
                   "--on-conflict skip leaves such devices alone, --on-conflict update overwrites them");
    } else if (!flight->skipped) {
        error_hint(&error,
                   "delete that device if it is not needed; --on-conflict skip leaves such devices alone");
    }
    flight_fail(flight, &error);
}

// What is at the target is what is to be released: nothing would be left of it.
static void found_own(struct flight *flight) {
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_DEVICE, "is at its target already: source and target are the same application");
    error_hint(&error, "name another application of the target");
    flight_fail(flight, &error);
}

static void take_over(struct flight *flight) {
    // What an earlier process found before its update counts, not what that has left.
    if (flight->claim != CLAIM_UPDATED) {
        flight->before = memory_dup(flight->look.before, flight->look.before_size);
        flight->before_size = flight->look.before_size;
    }
    flight->claim = CLAIM_UPDATED;
    flight->stage = STAGE_READY;
}

static void found_taken(struct flight *flight) {
    const struct source *source = flight->flights->run->setup.source;
    if (!is_own(flight)) {
        conflict(flight);
    } else if (source->frees) {
        flight->claim = CLAIM_LATE;
        flight->stage = STAGE_READY;
    } else {
        ERROR_AUTO error = {0};
        error_set(&error, ERROR_DEVICE,
                  "stays registered at its source, which is in the same network as the target");
        error_hint(&error,
                   "a device can move within one network if it is deleted at the source: see the source's "
                   "option `release`");
        flight_fail(flight, &error);
    }
}

void flight_found_free(struct flight *flight) {
    struct run *run = flight->flights->run;
    if (flight->flights->checking && run_changes(run))
        vacancies_add(&run->vacancies, &flight->device, clock_monotonic(run->setup.clock));
    flight->claim = CLAIM_MADE;
    flight->stage = STAGE_READY;
}

void flight_looked(struct flight *flight, bool done, struct error *error) {
    if (!done) {
        flight_fail(flight, error);
        return;
    }
    bool there = flight->look.found == TARGET_SAME || flight->look.found == TARGET_OTHER;
    if (there && is_own(flight)) {
        found_own(flight);
        return;
    }
    bool update =
        flight->claim == CLAIM_UPDATED || flight->flights->run->setup.on_conflict == CONFLICT_UPDATE;
    switch (flight->look.found) {
        case TARGET_FREE:
            flight_found_free(flight);
            break;
        case TARGET_SAME:
            if (flight->claim != CLAIM_UPDATED) flight->claim = CLAIM_FOUND;
            flight->stage = STAGE_READY;
            break;
        case TARGET_OTHER:
            if (update) {
                take_over(flight);
            } else {
                conflict(flight);
            }
            break;
        case TARGET_TAKEN:
            found_taken(flight);
            break;
    }
}

// ---- reserving

enum job_step flight_reserve_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    return target_of(flight)->driver->reserve(target_of(flight), job, &flight->device, error);
}

// Nothing at the target is the run's.
static void drop_claim(struct flight *flight) {
    struct run *run = flight->flights->run;
    ERROR_AUTO error = {0};
    flight->claim = CLAIM_NONE;
    run->uncommitted = true;
    if (journal_set_claim(run->journal, flight->sequence, flight->record.id, CLAIM_NONE, NULL, 0, &error) !=
        0)
        flights_journal_failed(flight->flights, &error);
}

void flight_reserved(struct flight *flight, bool done, struct error *error) {
    // The target refused it as it refuses what is there: somebody else has made that since the look, and keeps it.
    // Credentials that ran out in between hide what came before.
    if (!done && flight->task.job.unchanged && flight->logins == 0) drop_claim(flight);
    if (!done) {
        flight_undo(flight, error);
    } else if (flight->released) {
        flight_start(flight, STAGE_IMPORT);
    } else {
        flight->stage = STAGE_INTEND;
    }
}

// ---- importing

enum job_step flight_import_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    return target_of(flight)->driver->import(target_of(flight), job, &flight->device, error);
}

void flight_imported(struct flight *flight, bool done, struct error *error) {
    if (!done) {
        flight_undo(flight, error);
        return;
    }
    flight->flights->run->numbers.imported++;
    flight_set_state(flight, DEVICE_IMPORTED);
    flight_start(flight, STAGE_VERIFY);
}

// ---- verifying

enum job_step flight_verify_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    flight->verdict = (struct target_verdict){0};
    return target_of(flight)->driver->verify(target_of(flight), job, &flight->device, &flight->verdict,
                                             error);
}

static void flight_differs(struct flight *flight) {
    struct run *run = flight->flights->run;
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_DEVICE, "%s", flight->verdict.what);
    error_hint(&error,
               "it is imported, and its source has given it up; ttn-lw-migrate rollback puts it back");
    flight_set_reason(flight, DEVICE_IMPORTED, flight->verdict.what);
    run->numbers.failed++;
    run_tell(run, LOG_ERROR, flight->record.id, "reads back from the target otherwise than it was imported",
             &error);
    if (run->setup.keep_going) return;
    flight->flights->stopping = true;
    if (!error_is_set(&run->halt))
        error_set(&run->halt, ERROR_REFUSED, "device %s is not at the target as it should be",
                  flight->record.id);
}

void flight_verified(struct flight *flight, bool done, struct error *error) {
    struct run *run = flight->flights->run;
    if (done && flight->verdict.equal) {
        run->numbers.verified++;
        flight_set_state(flight, DEVICE_VERIFIED);
    } else if (done) {
        flight_differs(flight);
    } else {
        // It is there: only nobody has seen it yet.
        run->numbers.unseen++;
        run_tell(run, LOG_WARN, flight->record.id, "is imported, but could not be read back", error);
    }
    run->numbers.done++;
    flight_done(flight);
}

// ---- what follows the release

void flight_start_at_target(struct flight *flight) {
    if (flight->claim == CLAIM_FOUND) {
        flight_set_state(flight, DEVICE_IMPORTED);
        flight_start(flight, STAGE_VERIFY);
    } else {
        flight_start(flight, flight->claim == CLAIM_LATE ? STAGE_RESERVE : STAGE_IMPORT);
    }
}

// ---- going back

void flight_undo(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    char *reason MEMORY_AUTO = error_chain(error);
    error_move(&flight->error, error);
    flight_set_reason(flight, DEVICE_UNDOING, reason);
    flight->stage = STAGE_UNDO;
    if (!run->setup.keep_going) flight->flights->stopping = true;
    flight->undo = (struct undo){
        .run = run,
        .record = &flight->record,
        .device = &flight->device,
        .sequence = flight->sequence,
        .claim = flight->claim,
        .before = flight->before,
        .before_size = flight->before_size,
        .untouched = !flight->touched && !flight->released,
        .source = (flight->touched || flight->released) && run_can_restore(run),
        .stage = UNDO_INTENT,
    };
    undo_begin(&flight->undo);
}

static void undo_succeeded(struct flight *flight) {
    struct run *run = flight->flights->run;
    // Where the run halts, the device is tried again by the next one.
    bool aside = run->setup.keep_going;
    flight_set_state(flight, aside ? DEVICE_FAILED : DEVICE_PLANNED);
    drop_claim(flight);
    if (flight->undo.remark != NULL) run_tell(run, LOG_WARN, flight->record.id, flight->undo.remark, NULL);
    run_tell(run, LOG_ERROR, flight->record.id,
             aside ? "is set aside, and is at its source as before" : "is at its source as before",
             &flight->error);
}

static void undo_failed(struct flight *flight) {
    struct run *run = flight->flights->run;
    char *reason MEMORY_AUTO = error_chain(&flight->undo.error);
    run->numbers.held++;
    run_tell(run, LOG_ERROR, flight->record.id, "could not be imported", &flight->error);
    error_hint(&flight->undo.error,
               "it may be at neither network: ttn-lw-migrate resume, or rollback, as soon as both answer");
    run_tell(run, LOG_ERROR, flight->record.id, "and could not be put back", &flight->undo.error);
    flight_set_reason(flight, DEVICE_UNDOING, reason);
}

static void undo_end(struct flight *flight) {
    struct run *run = flight->flights->run;
    run->numbers.failed++;
    run->numbers.done++;
    if (error_is_set(&flight->undo.error)) {
        undo_failed(flight);
    } else {
        undo_succeeded(flight);
    }
    // Why is told of the device, once.
    if (!run->setup.keep_going && !error_is_set(&run->halt)) {
        error_set(&run->halt, flight->error.code, "device %s could not be moved, which ends the run",
                  flight->record.id);
        error_hint(&run->halt, "mend what is said of it, or set such devices aside with --keep-going");
    }
    flight_done(flight);
}

// ---- the turn: what is ready together is committed together

static int claim(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    run->uncommitted = true;
    return journal_set_claim(run->journal, flight->sequence, flight->record.id, flight->claim, flight->before,
                             flight->before_size, error);
}

// The next state, which has to be durable before its stage begins.
static void intend(struct flight *flight) {
    const struct run *run = flight->flights->run;
    flight->go = true;
    if (flight->stage == STAGE_READY && flight->claim == CLAIM_MADE) {
        flight->stage = STAGE_RESERVE;
        flight_set_state(flight, DEVICE_RESERVING);
    } else if (run_releases(run)) {
        flight->stage = STAGE_RELEASE;
        flight_set_state(flight, DEVICE_RELEASING);
    } else {
        flight->released = true;
        flight->stage = STAGE_IMPORT;
        flight_set_state(flight, DEVICE_RELEASED);
    }
}

// What is to be known of a device that can go, for whoever reads the plan.
static void keep_notes(struct flight *flight) {
    const struct notes *notes = &flight->device.notes;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (flight->claim == CLAIM_FOUND) buffer_puts(&text, "is at the target already, as it is to be");
    for (size_t i = 0; i < notes->count; i++) {
        buffer_printf(&text, "%s%s: %s", text.size > 0 ? "; " : "", notes->items[i].path,
                      notes->items[i].text);
    }
    if (text.size > 0) flight_set_reason(flight, DEVICE_PLANNED, buffer_string(&text));
}

static void check_ended(struct flights *flights, struct flight *flight) {
    struct run *run = flights->run;
    run->numbers.checked++;
    if (run->setup.dry_run) {
        run->numbers.done++;
        if (flight->claim == CLAIM_FOUND) run->numbers.found++;
        keep_notes(flight);
        flight_notes(flight);
    }
    flight_free(flight);
}

// Where the run halts, nothing has been changed for those that are still in the window. The one that halts it is told.
static void empty_window(struct flights *flights) {
    struct flight *before = NULL;
    for (struct flight *flight = flights->head; flight != NULL; before = flight, flight = flight->next) {
        if (flight->stage != STAGE_FAILED || flight_is_dispensable(flight)) continue;
        window_end_failed(flights, window_take(flights, before));
        break;
    }
    window_drop_behind(flights, NULL);
}

static int leave_window(struct flights *flights, struct error *error) {
    if (flights->stopping) empty_window(flights);
    struct flight *before = NULL;
    for (struct flight *flight = flights->head; flight != NULL;) {
        struct flight *next = flight->next;
        if (flight->stage == STAGE_FAILED) {
            window_end_failed(flights, window_take(flights, before));
        } else if (flight->stage == STAGE_READY && flights->checking) {
            check_ended(flights, window_take(flights, before));
        } else if (flight->stage == STAGE_READY) {
            moving_add(flights, window_take(flights, before));
            flights->run->numbers.begun++;
            int result = claim(flight, error);
            if (result != 0) return result;
            if (flight->claim == CLAIM_FOUND) flights->run->numbers.found++;
            flight_notes(flight);
            intend(flight);
        } else {
            before = flight;
        }
        flight = next;
    }
    return 0;
}

// True if one of them waits for the commit.
static bool gather(struct flights *flights) {
    bool waits = false;
    for (struct flight *flight = flights->moving; flight != NULL; flight = flight->next) {
        if (flight->stage == STAGE_INTEND && flights->stopping) {
            // Both networks and the journal agree: it can be gone on from here, or be rolled back.
            flight_done(flight);
        } else if (flight->stage == STAGE_INTEND) {
            intend(flight);
        } else if (flight->stage == STAGE_UNDO && undo_waits(&flight->undo)) {
            flight->go = true;
        }
        waits |= flight->go;
    }
    return waits;
}

static void go(struct flight *flight) {
    flight->go = false;
    if (flight->stage == STAGE_UNDO) {
        undo_go_on(&flight->undo);
    } else if (flight->stage == STAGE_IMPORT) {
        flight_go_on(flight);
    } else {
        flight_start(flight, flight->stage);
    }
}

int server_turn(struct flights *flights, struct error *error) {
    int result = leave_window(flights, error);
    if (result != 0) return result;
    bool waits = gather(flights);
    if (waits && !flights->stopping && run_commit_may_wait(flights->run)) return 0;
    result = waits ? run_commit(flights->run, error) : run_commit_at_times(flights->run, error);
    if (result != 0) {
        // What has to be durable first is not done: the journal tells where it can be gone on from.
        // Whoever is back is told so all the same: `resume` finds that out once more.
        for (struct flight *flight = flights->moving; flight != NULL; flight = flight->next) {
            if (flight->go) flight_done(flight);
            if (flight->stage == STAGE_UNDO && undo_ended(&flight->undo)) undo_end(flight);
        }
        return result;
    }
    for (struct flight *flight = flights->moving; flight != NULL; flight = flight->next) {
        if (flight->go) go(flight);
        if (flight->stage == STAGE_UNDO && undo_ended(&flight->undo)) undo_end(flight);
    }
    return 0;
}
