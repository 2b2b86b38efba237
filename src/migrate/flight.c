// SPDX-License-Identifier: Apache-2.0
// The devices in flight. Reading goes on for many at once, in the window; what is ready together is made durable
// together, and only then anything is changed.
//
//   window:  reading -> (looking at the target) -> ready | failed
//   moving:  (reserving ->) releasing -> released (-> importing -> verifying) | held | undoing
//
// Lines of a stream target come out in the order of the input, so they leave the window from its head only.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "device/validate.h"
#include "migrate/advise.h"
#include "migrate/flight_p.h"
#include "source/file_list.h"

static enum job_step read_job(void *context, struct job *job, struct error *error);
static void flight_was_read(struct flight *flight, bool done, struct error *error);

static const struct flight_step steps[STAGE_DONE] = {
    [STAGE_READ] = {SIDE_SOURCE, PRIORITY_READ, read_job, flight_was_read},
    [STAGE_LOOK] = {SIDE_TARGET, PRIORITY_READ, flight_look_job, flight_looked},
    [STAGE_RESERVE] = {SIDE_TARGET, PRIORITY_RESERVE, flight_reserve_job, flight_reserved},
    [STAGE_RELEASE] = {SIDE_SOURCE, PRIORITY_RELEASE, flight_release_job, flight_released},
    [STAGE_HEAR] = {SIDE_SOURCE, PRIORITY_IMPORT, flight_hear_job, flight_heard},
    [STAGE_IMPORT] = {SIDE_TARGET, PRIORITY_IMPORT, flight_import_job, flight_imported},
    [STAGE_VERIFY] = {SIDE_TARGET, PRIORITY_CONFIRM, flight_verify_job, flight_verified},
};

void flight_free(struct flight *flight) {
    undo_release(&flight->undo);
    task_release(&flight->task);
    source_record_release(&flight->record);
    device_release(&flight->device);
    error_release(&flight->error);
    if (flight->before != NULL) memory_wipe(flight->before, flight->before_size);
    free(flight->before);
    free(flight);
}

// ---- the steps of one flight

static void step_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct flight *flight = context;
    flight->flights->progressed = true;
    if (step == JOB_LOGIN && flight->logins++ < LOGINS_MAX) {
        flight->parked = true;
        run_login_want(flight->flights->run, steps[flight->stage].side);
        return;
    }
    if (step == JOB_LOGIN) {
        error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
    }
    steps[flight->stage].finished(flight, step == JOB_DONE, error);
}

void flight_start(struct flight *flight, enum flight_stage stage) {
    const struct flight_step *step = &steps[stage];
    flight->stage = stage;
    if (stage == STAGE_RELEASE) flight->touched = true;
    task_set_again(&flight->task, flight->again);
    task_start(&flight->task, flight->flights->run->dispatch, step->side, step->priority, step->job,
               step_finished, flight);
}

// Goes on with the step that waited for new credentials.
static void flight_unpark(struct flight *flight) {
    struct run *run = flight->flights->run;
    const struct flight_step *step = &steps[flight->stage];
    if (!flight->parked || run_login_pending(run, step->side)) return;
    flight->parked = false;
    flight->flights->progressed = true;
    ERROR_AUTO error = {0};
    if (run_login_failed(run, step->side, &error)) {
        step->finished(flight, false, &error);
    } else {
        flight_start(flight, flight->stage);
    }
}

// True if it may stay behind without anybody's word.
static bool may_stay(const struct flight *flight) {
    const struct run *run = flight->flights->run;
    // Who migrates an application after some of its devices need not name the others one by one.
    return flight->skipped || run->setup.keep_going || (run->whole && flight->error.code == ERROR_EMPTY);
}

bool flight_is_dispensable(const struct flight *flight) {
    // Who looks at all devices wants to know of all that cannot go; but not that nobody answers for any of them.
    enum error_code code = flight->error.code;
    bool gone = code == ERROR_UNAVAILABLE || code == ERROR_TIMEOUT || code == ERROR_DENIED;
    return may_stay(flight) || (flight->flights->checking && !gone);
}

void flight_fail(struct flight *flight, struct error *error) {
    struct flights *flights = flight->flights;
    flight->stage = STAGE_FAILED;
    error_move(&flight->error, error);
    flights->progressed = true;
    if (!flight_is_dispensable(flight)) flights->stopping = true;
}

void flights_journal_failed(struct flights *flights, struct error *error) {
    flights->stopping = true;
    if (!error_is_set(&flights->run->halt)) error_move(&flights->run->halt, error);
}

void flight_set_state(struct flight *flight, enum device_state state) {
    struct run *run = flight->flights->run;
    ERROR_AUTO error = {0};
    run->uncommitted = true;
    if (journal_set_state(run->journal, flight->sequence, state, &error) != 0)
        flights_journal_failed(flight->flights, &error);
}

void flight_set_reason(struct flight *flight, enum device_state state, const char *reason) {
    struct run *run = flight->flights->run;
    ERROR_AUTO error = {0};
    run->uncommitted = true;
    if (journal_set_reason(run->journal, flight->sequence, state, reason, &error) != 0)
        flights_journal_failed(flight->flights, &error);
}

void flight_notes(const struct flight *flight) {
    const struct run *run = flight->flights->run;
    // A plan is shown as a whole at its end.
    if (run->setup.plan_only) return;
    for (size_t i = 0; i < flight->device.notes.count; i++) {
        const struct note *note = &flight->device.notes.items[i];
        char *text MEMORY_AUTO = memory_printf("%s: %s", note->path, note->text);
        run_tell(run, LOG_WARN, flight->record.id, text, NULL);
    }
}

void flight_done(struct flight *flight) {
    flight->stage = STAGE_DONE;
    flight->flights->progressed = true;
}

// ---- the window

static void window_append(struct flights *flights, struct flight *flight) {
    *(flights->tail != NULL ? &flights->tail->next : &flights->head) = flight;
    flights->tail = flight;
    flights->window++;
}

struct flight *window_take(struct flights *flights, struct flight *before) {
    struct flight **place = before == NULL ? &flights->head : &before->next;
    struct flight *flight = *place;
    *place = flight->next;
    if (flights->tail == flight) flights->tail = before;
    flight->next = NULL;
    flights->window--;
    flights->progressed = true;
    return flight;
}

void window_drop_behind(struct flights *flights, struct flight *last) {
    while (last == NULL ? flights->head != NULL : last->next != NULL) flight_free(window_take(flights, last));
}

static void tell_failed(const struct flight *flight) {
    const struct run *run = flight->flights->run;
    if (flight->skipped) {
        run_tell(run, LOG_WARN, flight->record.id, "is left alone", &flight->error);
    } else {
        run_tell(run, LOG_ERROR, flight->record.id,
                 flight->flights->checking ? "cannot be migrated" : "is set aside", &flight->error);
    }
}

void window_end_failed(struct flights *flights, struct flight *flight) {
    struct run *run = flights->run;
    *(flight->skipped ? &run->numbers.skipped : &run->numbers.failed) += 1;
    run->numbers.done++;
    // Where the run halts, the device is tried again by the next one.
    bool dispensable = flight_is_dispensable(flight);
    if (!may_stay(flight) && run->obstacles++ == 0) run->obstacle = memory_strdup(flight->record.id);
    enum device_state state = flight->skipped ? DEVICE_SKIPPED : dispensable ? DEVICE_FAILED : DEVICE_PLANNED;
    char *chain MEMORY_AUTO = error_chain(&flight->error);
    const char *hint = run->setup.plan_only ? flight->error.hint : NULL;
    char *reason MEMORY_AUTO = memory_printf(hint != NULL ? "%s; try: %s" : "%s", chain, hint);
    flight_set_reason(flight, state, reason);
    if (dispensable && run->setup.plan_only) {
        // A plan is shown as a whole at its end.
    } else if (dispensable) {
        tell_failed(flight);
    } else {
        window_drop_behind(flights, NULL);
        if (!error_is_set(&run->halt)) {
            error_move(&run->halt, &flight->error);
            error_wrap(&run->halt, ERROR_NONE, "device %s", flight->record.id);
        }
    }
    flight_free(flight);
}

// ---- reading and converting

static enum job_step read_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    const struct run_setup *setup = &flight->flights->run->setup;
    return setup->driver->read(setup->source, job, &flight->record, error);
}

static int would_become(const char *device_id, char *other, struct error *error) {
    error_set(error, ERROR_DEVICE, "would become %s, as %s does", device_id, other);
    error_hint(error, "%s", HINT_SAME_ID);
    free(other);
    return -ERROR_DEVICE;
}

int flight_store(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    BUFFER_AUTO converted;
    buffer_init(&converted, BUFFER_UNLIMITED);
    // A run that changes nothing needs nothing afterwards but the ID.
    struct source_record record = flight->record;
    if (run_changes(run)) {
        message_pack(&flight->device.end_device->base, &converted);
    } else {
        record.data = NULL;
    }
    const struct journal_entry entry = {
        .sequence = flight->sequence,
        .record = &record,
        .device_id = device_id(&flight->device),
        .session = flight->device.end_device->session != NULL,
        .converted = converted.data,
        .converted_size = converted.size,
    };
    char *other = NULL;
    int result = journal_store(run->journal, &entry, &other, error);
    run->uncommitted = true;
    return result != 0 || other == NULL ? result : would_become(entry.device_id, other, error);
}

// Where nothing is changed, only the ID is kept: no other device may get it.
static int flight_store_id(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    const char *id = device_id(&flight->device);
    char *other = NULL;
    int result = journal_set_device_id(run->journal, flight->sequence, id, &other, error);
    run->uncommitted = true;
    return result != 0 || other == NULL ? result : would_become(id, other, error);
}

// Makes of the converted device what the target takes.
static int flight_adapt(struct flight *flight, struct error *error) {
    const struct run_setup *setup = &flight->flights->run->setup;
    struct target *target = setup->target_instance;
    int result = device_map_apply(setup->map, &flight->record, setup->plans, &flight->device, error);
    if (result == 0 && setup->formatters.off) flight->device.end_device->formatters = NULL;
    if (result == 0 && target != NULL) result = target->driver->adapt(target, &flight->device, error);
    if (result == 0 && setup->target->fit != NULL) result = setup->target->fit(&flight->device, error);
    if (result == 0) result = device_validate(&flight->device, setup->plans, error);
    if (result == 0) return 0;
    advise(setup->driver, setup->plans, &flight->device, error);
    struct file_entry entry;
    bool in_file = setup->driver->input != NULL && file_record_read(&flight->record, &entry, NULL) == 0;
    return in_file ? file_error_at(entry.line, result, error) : result;
}

int flight_convert(struct flight *flight, struct error *error) {
    const struct run_setup *setup = &flight->flights->run->setup;
    device_init(&flight->device);
    int result = setup->driver->convert(setup->source, &flight->record, &flight->device, error);
    if (result == 0) result = flight_adapt(flight, error);
    if (result == 0) device_note_root_keys(&flight->device);
    if (result == 0) device_note_band(&flight->device, setup->plans);
    return result;
}

static int flight_keep(struct flight *flight, struct error *error) {
    int result = flight_convert(flight, error);
    if (result != 0) return result;
    return flight->flights->checking ? flight_store_id(flight, error) : flight_store(flight, error);
}

static void flight_was_read(struct flight *flight, bool done, struct error *error) {
    const struct run *run = flight->flights->run;
    if (!done || flight_keep(flight, error) != 0) {
        flight_fail(flight, error);
    } else if (run->setup.target_instance == NULL) {
        flight->stage = STAGE_READY;
    } else if (!flight->again &&
               vacancies_has(&run->vacancies, &flight->device, clock_monotonic(run->setup.clock))) {
        flight_found_free(flight);
    } else {
        flight_start(flight, STAGE_LOOK);
    }
}

// ---- taking up

void moving_add(struct flights *flights, struct flight *flight) {
    flight->next = flights->moving;
    flights->moving = flight;
    flights->moving_count++;
}

// A device that an earlier process left on its way.
static int flight_take_up(struct flight *flight, const struct journal_device *kept, struct error *error) {
    device_init(&flight->device);
    flight->again = true;
    flight->device.end_device = message_unpack(&tts__end_device__descriptor, kept->converted,
                                               kept->converted_size, &flight->device.arena, error);
    if (flight->device.end_device == NULL) {
        error_wrap(error, ERROR_INPUT, "the journal's device %s", flight->record.id);
        flight_free(flight);
        return -(int)error->code;
    }
    moving_add(flight->flights, flight);
    if (flight->flights->run->setup.target_instance != NULL) flight->flights->run->numbers.begun++;
    moving_take_up(flight, kept->state);
    return 1;
}

static struct flight *flight_new(struct flights *flights, struct journal_device *kept) {
    struct flight *flight = memory_new(struct flight);
    flight->flights = flights;
    flight->sequence = kept->sequence;
    flight->record = kept->record;
    kept->record = (struct source_record){0};
    flight->claim = kept->claim;
    flight->again = kept->claim != CLAIM_NONE;
    flight->before = memory_take(kept->before);
    flight->before_size = kept->before_size;
    return flight;
}

// Starts the next planned device. Returns 1, 0 if none is left, or an error.
static int window_add(struct flights *flights, struct error *error) {
    struct run *run = flights->run;
    struct journal_device device = {0};
    int found = journal_next(run->journal, flights->last, flights->least, flights->most, flights->filter,
                             &device, error);
    flights->exhausted = found == 0;
    if (found != 1) return found;
    flights->last = device.sequence;
    struct flight *flight = flight_new(flights, &device);
    int result = 1;
    // What is only reserved is read anew: its counters have to be those of its release.
    if (device.state > DEVICE_RESERVING) {
        result = flight_take_up(flight, &device, error);
    } else {
        window_append(flights, flight);
        flight_start(flight, STAGE_READ);
    }
    journal_device_release(&device);
    return result;
}

static int window_fill(struct flights *flights, struct error *error) {
    const struct run *run = flights->run;
    while (!flights->stopping && !flights->exhausted && !run_login_pending(run, SIDE_SOURCE) &&
           !run_login_pending(run, SIDE_TARGET) && flights->window < flights->limit &&
           flights->moving_count < flights->limit) {
        int result = window_add(flights, error);
        if (result < 0) return result;
    }
    return 0;
}

// ---- the loop

static void flights_unpark(struct flights *flights) {
    for (struct flight *flight = flights->head; flight != NULL; flight = flight->next) flight_unpark(flight);
    for (struct flight *flight = flights->moving; flight != NULL; flight = flight->next) {
        flight_unpark(flight);
        if (flight->stage == STAGE_UNDO && undo_unpark(&flight->undo)) flights->progressed = true;
    }
}

static void moving_reap(struct flights *flights) {
    for (struct flight **place = &flights->moving; *place != NULL;) {
        struct flight *flight = *place;
        if (flight->stage != STAGE_DONE) {
            place = &flight->next;
            continue;
        }
        *place = flight->next;
        flights->moving_count--;
        flight_free(flight);
    }
}

static const char *left_behind(const struct flights *flights) {
    return flights->run->setup.target_instance != NULL
               ? "is on its way; whether its source or its target handles it is not known"
               : "is written; whether it is cleared at the source is not known";
}

static void stop_at_once(struct flights *flights) {
    for (struct flight *flight = flights->moving; flight != NULL; flight = flight->next) {
        if (flight->stage == STAGE_DONE) continue;
        task_cancel(&flight->task);
        flights->run->numbers.held++;
        run_tell(flights->run, LOG_WARN, flight->record.id, left_behind(flights), NULL);
    }
}

static int flights_interrupted(struct flights *flights, struct error *error) {
    flights->stopping = true;
    window_drop_behind(flights, NULL);
    if (flights->run->interrupts > 1) stop_at_once(flights);
    if (flights->moving != NULL && flights->run->interrupts == 1) return 0;
    return error_set(error, ERROR_CANCELLED, "interrupted");
}

// Where one failed and the run halts, those behind it have been read for nothing.
static void window_drop_useless(struct flights *flights) {
    if (!flights->stopping) return;
    for (struct flight *flight = flights->head; flight != NULL; flight = flight->next) {
        if (flight->stage == STAGE_FAILED && !flight_is_dispensable(flight)) {
            window_drop_behind(flights, flight);
            break;
        }
    }
}

static int flights_commit(struct flights *flights, struct error *error) {
    bool ordered = flights->run->setup.target_instance == NULL && !flights->checking;
    return ordered ? window_commit(flights, error) : server_turn(flights, error);
}

static int flights_turn(struct flights *flights, struct error *error) {
    struct run *run = flights->run;
    flights->progressed = false;
    window_drop_useless(flights);
    int result = window_fill(flights, error);
    if (result == 0) result = flights_commit(flights, error);
    run_login_turn(run);
    if (result == 0) result = run_turn(run, flights->progressed, error);
    flights_unpark(flights);
    moving_reap(flights);
    if (result == 0 && run->interrupts > 0) result = flights_interrupted(flights, error);
    return result;
}

// Those that have left the window are brought to an end, or to a state that can be gone on from, whatever else
// happened.
static void flights_finish(struct flights *flights) {
    struct run *run = flights->run;
    flights->stopping = true;
    window_drop_behind(flights, NULL);
    ERROR_AUTO ignored = {0};
    while (flights->moving != NULL && run->interrupts < 2) {
        flights->progressed = false;
        if (run->setup.target_instance != NULL) (void)server_turn(flights, &ignored);
        run_login_turn(run);
        if (run_turn(run, flights->progressed, &ignored) != 0) break;
        flights_unpark(flights);
        moving_reap(flights);
    }
    if (flights->moving != NULL) stop_at_once(flights);
    while (flights->moving != NULL) {
        flights->moving->stage = STAGE_DONE;
        moving_reap(flights);
    }
    ERROR_AUTO commit = {0};
    if (run_commit(run, &commit) != 0) flights_journal_failed(flights, &commit);
    run_login_stop(run);
}

static int run_through(struct run *run, struct flights flights, struct error *error) {
    flights.run = run;
    flights.limit = (size_t)run->setup.concurrency * 2;
    int result = 0;
    while (result == 0 &&
           !(flights.head == NULL && flights.moving == NULL && (flights.exhausted || flights.stopping))) {
        result = flights_turn(&flights, error);
    }
    flights_finish(&flights);
    if (result == 0 && error_is_set(&run->halt)) {
        error_move(error, &run->halt);
        result = -(int)error->code;
    }
    return result;
}

// The last state of those that are on their way.
static enum device_state last_on_way(const struct run *run) {
    return run->setup.target_instance != NULL ? DEVICE_IMPORTED : DEVICE_RELEASING;
}

int run_flights(struct run *run, struct error *error) {
    run->numbers.phase = NULL;
    return run_through(run, (struct flights){.least = DEVICE_PLANNED, .most = last_on_way(run)}, error);
}

int run_finish_rest(struct run *run, struct error *error) {
    run->numbers.phase = NULL;
    return run_through(run, (struct flights){.least = DEVICE_RELEASING, .most = last_on_way(run)}, error);
}

int run_finish_joined(struct run *run, struct error *error) {
    const struct flights joined = {
        .least = DEVICE_RELEASED, .most = DEVICE_RELEASED, .filter = JOURNAL_WITHOUT_SESSION};
    // They have been counted before.
    const struct run_numbers before = run->numbers;
    int result = run_through(run, joined, error);
    run->numbers.released = before.released;
    run->numbers.done = before.done;
    return result;
}

int run_check(struct run *run, struct error *error) {
    run->numbers.phase = "checking all devices before anything is changed";
    run->numbers.checking = true;
    run->setup.source->checks = true;
    const struct flights checked = {.least = DEVICE_PLANNED, .most = DEVICE_RECORDED, .checking = true};
    int result = run_through(run, checked, error);
    run->setup.source->checks = false;
    run->numbers.checking = false;
    return result;
}
