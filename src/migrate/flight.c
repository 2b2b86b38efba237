// SPDX-License-Identifier: Apache-2.0
// The devices in flight. Reading goes on for many at once; lines come out in the order of the input; what is
// ready together is written and synced together, and only then are those devices released.
//
//   window (in order):  reading -> converted | failed      released from: the head only
//   releasing (any order): recorded -> released | held
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "device/validate.h"
#include "migrate/run_p.h"

struct flight {
    struct flight *next;
    struct flights *flights;  // borrowed
    int64_t sequence;
    enum device_state state;
    struct source_record record;  // owned
    struct device device;
    struct error error;  // why it failed
    struct task task;
    unsigned logins;  // how often its job waited for new credentials
    bool parked;      // waits for them now
};

struct flights {
    struct run *run;
    struct flight *head, *tail;  // window, in order
    size_t window;
    struct flight *releasing;
    size_t releasing_count;
    size_t limit;     // of the window, and of those that are being released
    int64_t last;     // sequence of the last one that was started
    bool exhausted;   // no planned device is left
    bool stopping;    // no new device starts
    bool progressed;  // something became ready without a call
};

static void flight_free(struct flight *flight) {
    task_release(&flight->task);
    source_record_release(&flight->record);
    device_release(&flight->device);
    error_release(&flight->error);
    free(flight);
}

static void window_drop_behind(struct flights *flights, struct flight *last) {
    struct flight *flight = last == NULL ? flights->head : last->next;
    if (last == NULL) {
        flights->head = NULL;
    } else {
        last->next = NULL;
    }
    flights->tail = last;
    while (flight != NULL) {
        struct flight *next = flight->next;
        flight_free(flight);
        flights->window--;
        flight = next;
    }
}

// True if the run goes on without the device. Who migrates an application after some of its devices need not name the
// others one by one.
static bool flight_is_dispensable(const struct flight *flight) {
    const struct run *run = flight->flights->run;
    return run->setup.keep_going || (run->whole && flight->error.code == ERROR_EMPTY);
}

static void flight_fail(struct flight *flight, struct error *error) {
    struct flights *flights = flight->flights;
    flight->state = DEVICE_FAILED;
    error_move(&flight->error, error);
    flights->progressed = true;
    if (!flight_is_dispensable(flight)) flights->stopping = true;
}

static void releasing_add(struct flight *flight);

// The journal cannot be written: nothing new is begun, and the run ends with that error.
static void flights_journal_failed(struct flights *flights, struct error *error) {
    flights->stopping = true;
    if (!error_is_set(&flights->run->halt)) error_move(&flights->run->halt, error);
}

// ---- reading and converting

static enum job_step read_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    const struct run_setup *setup = &flight->flights->run->setup;
    return setup->driver->read(setup->source, job, &flight->record, error);
}

// Puts the device into the journal as it was read and as it was converted; that is durable with the next commit.
static int flight_store(struct flight *flight, struct error *error) {
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
    if (result != 0 || other == NULL) return result;
    error_set(error, ERROR_DEVICE, "would become %s, as %s does", entry.device_id, other);
    error_hint(error, "rename one of them at the source, or give both their DevEUI as ID: --set-eui-as-id");
    free(other);
    return -ERROR_DEVICE;
}

static void flight_convert(struct flight *flight) {
    const struct run_setup *setup = &flight->flights->run->setup;
    ERROR_AUTO error = {0};
    flight->state = DEVICE_READ;
    device_init(&flight->device);
    int result = setup->driver->convert(setup->source, &flight->record, &flight->device, &error);
    if (result == 0) result = device_validate(&flight->device, setup->plans, &error);
    if (result == 0) result = flight_store(flight, &error);
    if (result != 0) {
        flight_fail(flight, &error);
        return;
    }
    flight->state = DEVICE_CONVERTED;
    flight->flights->progressed = true;
}

static void flight_park(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    if (++flight->logins > LOGINS_MAX) {
        error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
        flight_fail(flight, error);
        return;
    }
    flight->parked = true;
    run->login_wanted = true;
}

static void read_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct flight *flight = context;
    if (step == JOB_LOGIN) {
        flight_park(flight, error);
    } else if (step == JOB_DONE) {
        flight_convert(flight);
    } else {
        flight_fail(flight, error);
    }
}

static void flight_read(struct flight *flight) {
    task_start(&flight->task, flight->flights->run->dispatch, PRIORITY_READ, read_job, read_finished, flight);
}

static void window_append(struct flights *flights, struct flight *flight) {
    if (flights->tail != NULL) {
        flights->tail->next = flight;
    } else {
        flights->head = flight;
    }
    flights->tail = flight;
    flights->window++;
}

// A device of an earlier run whose line is out, but of which it is not known whether it was released.
static int flight_take_up(struct flight *flight, const struct journal_device *kept, struct error *error) {
    device_init(&flight->device);
    flight->state = DEVICE_RELEASING;
    flight->device.end_device = message_unpack(&tts__end_device__descriptor, kept->converted,
                                               kept->converted_size, &flight->device.arena, error);
    if (flight->device.end_device == NULL) {
        error_wrap(error, ERROR_INPUT, "the journal's device %s", flight->record.id);
        flight_free(flight);
        return -(int)error->code;
    }
    task_set_again(&flight->task, true);
    releasing_add(flight);
    return 1;
}

// Starts the next planned device. Returns 1, 0 if none is left, or an error.
static int window_add(struct flights *flights, struct error *error) {
    struct journal_device device = {0};
    int found = journal_next(flights->run->journal, flights->last, DEVICE_PLANNED, DEVICE_RELEASING,
                             JOURNAL_ANY, &device, error);
    flights->exhausted = found == 0;
    if (found != 1) return found;
    flights->last = device.sequence;
    struct flight *flight = memory_new(struct flight);
    flight->flights = flights;
    flight->sequence = device.sequence;
    flight->record = device.record;
    device.record = (struct source_record){0};
    int result = 1;
    if (device.state == DEVICE_RELEASING) {
        result = flight_take_up(flight, &device, error);
    } else {
        window_append(flights, flight);
        flight_read(flight);
    }
    journal_device_release(&device);
    return result;
}

static int window_fill(struct flights *flights, struct error *error) {
    struct run *run = flights->run;
    while (!flights->stopping && !flights->exhausted && !run->login_wanted &&
           flights->window < flights->limit && flights->releasing_count < flights->limit) {
        int result = window_add(flights, error);
        if (result < 0) return result;
    }
    return 0;
}

// ---- releasing

static enum job_step release_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    const struct run_setup *setup = &flight->flights->run->setup;
    return setup->driver->release(setup->source, job, &flight->record, &flight->device, error);
}

static void releasing_remove(struct flight *flight) {
    struct flights *flights = flight->flights;
    for (struct flight **place = &flights->releasing; *place != NULL; place = &(*place)->next) {
        if (*place != flight) continue;
        *place = flight->next;
        flights->releasing_count--;
        break;
    }
    flight->next = NULL;
}

// The line is out, but the source may still handle the device: the worst that can happen here, and told so.
static void flight_hold(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    run->numbers.failed++;
    run->numbers.held++;
    char *reason MEMORY_AUTO = error_chain(error);
    ERROR_AUTO journal_error = {0};
    if (journal_set_reason(run->journal, flight->sequence, DEVICE_RELEASING, reason, &journal_error) != 0) {
        flights_journal_failed(flight->flights, &journal_error);
    }
    run->uncommitted = true;
    error_wrap(error, ERROR_NONE, "is written, but not known to be cleared at the source");
    error_hint(error, "do not import it yet; ttn-lw-migrate resume tries again");
    run_tell(run, LOG_ERROR, flight->record.id, "cannot be cleared", error);
    if (!run->setup.keep_going) {
        flight->flights->stopping = true;
        if (!error_is_set(&run->halt)) {
            error_set(&run->halt, ERROR_REFUSED, "device %s could not be cleared", flight->record.id);
        }
    }
}

static void release_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct flight *flight = context;
    struct run *run = flight->flights->run;
    if (step == JOB_LOGIN && flight->logins < LOGINS_MAX) {
        flight_park(flight, error);
        return;
    }
    if (step == JOB_LOGIN) {
        error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
    }
    ERROR_AUTO journal_error = {0};
    if (step == JOB_DONE) {
        run->numbers.released++;
        run->uncommitted = true;
        if (journal_set_state(run->journal, flight->sequence, DEVICE_RELEASED, &journal_error) != 0) {
            flights_journal_failed(flight->flights, &journal_error);
        }
    } else {
        flight_hold(flight, error);
    }
    run->numbers.done++;
    flight->state = step == JOB_DONE ? DEVICE_RELEASED : DEVICE_RELEASING;
    flight->flights->progressed = true;
}

static void flight_release(struct flight *flight) {
    task_start(&flight->task, flight->flights->run->dispatch, PRIORITY_RELEASE, release_job, release_finished,
               flight);
}

static void releasing_add(struct flight *flight) {
    struct flights *flights = flight->flights;
    flight->next = flights->releasing;
    flights->releasing = flight;
    flights->releasing_count++;
    flight_release(flight);
}

// ---- writing

static void flight_notes(const struct flight *flight) {
    const struct run *run = flight->flights->run;
    for (size_t i = 0; i < flight->device.notes.count; i++) {
        const struct note *note = &flight->device.notes.items[i];
        char *text MEMORY_AUTO = memory_printf("%s: %s", note->path, note->text);
        run_tell(run, LOG_WARN, flight->record.id, text, NULL);
    }
}

// Takes the head of the window away.
static struct flight *window_pop(struct flights *flights) {
    struct flight *flight = flights->head;
    flights->head = flight->next;
    if (flights->head == NULL) flights->tail = NULL;
    flight->next = NULL;
    flights->window--;
    flights->progressed = true;
    return flight;
}

static void window_pop_failed(struct flights *flights) {
    struct run *run = flights->run;
    struct flight *flight = window_pop(flights);
    run->numbers.failed++;
    run->numbers.done++;
    // Where the run halts, the device is tried again by the next one.
    bool dispensable = flight_is_dispensable(flight);
    enum device_state state = dispensable ? DEVICE_FAILED : DEVICE_PLANNED;
    char *reason MEMORY_AUTO = error_chain(&flight->error);
    ERROR_AUTO journal_error = {0};
    run->uncommitted = true;
    if (journal_set_reason(run->journal, flight->sequence, state, reason, &journal_error) != 0) {
        flights_journal_failed(flights, &journal_error);
    }
    if (dispensable) {
        run_tell(run, LOG_ERROR, flight->record.id, "is set aside", &flight->error);
    } else {
        window_drop_behind(flights, NULL);
        if (!error_is_set(&run->halt)) {
            error_move(&run->halt, &flight->error);
            error_wrap(&run->halt, ERROR_NONE, "device %s", flight->record.id);
        }
    }
    flight_free(flight);
}

static void window_pop_written(struct flights *flights) {
    struct run *run = flights->run;
    struct flight *flight = window_pop(flights);
    flight_notes(flight);
    if (run_changes(run)) {
        flight->state = DEVICE_RELEASING;
        releasing_add(flight);
    } else {
        run->numbers.done++;
        flight_free(flight);
    }
}

// Gives the first `count` flights their lines; with that, their records become durable.
static int window_record(struct flights *flights, size_t count, struct error *error) {
    struct run *run = flights->run;
    if (!run_changes(run)) return 0;
    int result = 0;
    struct flight *flight = flights->head;
    for (size_t i = 0; i < count && result == 0; i++, flight = flight->next) {
        result = journal_set_line(run->journal, flight->sequence, ++run->line, error);
    }
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

// Their lines are out: the source may be changed from now on, and whoever comes later has to know that.
static int window_intend(struct flights *flights, size_t count, struct error *error) {
    struct run *run = flights->run;
    if (!run_changes(run)) return 0;
    int result = 0;
    struct flight *flight = flights->head;
    for (size_t i = 0; i < count && result == 0; i++, flight = flight->next) {
        result = journal_set_state(run->journal, flight->sequence, DEVICE_RELEASING, error);
    }
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

// Writes the lines of the first `count` flights together; then, and not before, they are recorded.
static int window_write(struct flights *flights, size_t count, struct error *error) {
    struct run *run = flights->run;
    int result = window_record(flights, count, error);
    struct flight *flight = flights->head;
    for (size_t i = 0; i < count && result == 0; i++, flight = flight->next) {
        result = output_add(&run->output, &flight->device, error);
    }
    if (result == 0) result = output_flush(&run->output, run_changes(run), error);
    if (result == 0) run->numbers.written += count;
    if (result == 0) result = window_intend(flights, count, error);
    if (result != 0) return result;
    for (size_t i = 0; i < count; i++) window_pop_written(flights);
    return 0;
}

// Brings out everything that is ready at the head of the window.
static int window_commit(struct flights *flights, struct error *error) {
    while (flights->head != NULL) {
        size_t ready = 0;
        for (struct flight *flight = flights->head; flight != NULL && flight->state == DEVICE_CONVERTED;
             flight = flight->next) {
            ready++;
        }
        if (ready > 0) {
            int result = window_write(flights, ready, error);
            if (result != 0) return result;
        } else if (flights->head->state == DEVICE_FAILED) {
            window_pop_failed(flights);
        } else {
            break;
        }
    }
    return 0;
}

// ---- credentials that ran out

static void unpark(struct flight *flight, struct error *error) {
    if (!flight->parked) return;
    flight->parked = false;
    if (error_is_set(error)) {
        ERROR_AUTO copy = {0};
        error_copy(&copy, error);
        task_finished *finished = flight->task.finished;
        finished(flight, &flight->task, JOB_FAILED, &copy);
    } else if (flight->state == DEVICE_RELEASING) {
        flight_release(flight);
    } else {
        flight_read(flight);
    }
}

static void login_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct flights *flights = context;
    flights->run->login_wanted = false;
    flights->run->login_running = false;
    if (step == JOB_LOGIN) error_set(error, ERROR_DENIED, "the server does not accept its own new token");
    for (struct flight *flight = flights->head; flight != NULL; flight = flight->next) unpark(flight, error);
    for (struct flight *flight = flights->releasing; flight != NULL; flight = flight->next)
        unpark(flight, error);
}

static enum job_step login_run(void *context, struct job *job, struct error *error) {
    struct flights *flights = context;
    return run_prepare_job(flights->run, job, error);
}

static void login_if_wanted(struct flights *flights) {
    struct run *run = flights->run;
    if (!run->login_wanted || run->login_running) return;
    run->login_running = true;
    task_start(&run->login, run->dispatch, PRIORITY_LOGIN, login_run, login_finished, flights);
}

// ---- the loop

static void releasing_reap(struct flights *flights) {
    struct flight *flight = flights->releasing;
    while (flight != NULL) {
        struct flight *next = flight->next;
        if (!flight->task.running && !flight->parked) {
            releasing_remove(flight);
            flight_free(flight);
        }
        flight = next;
    }
}

static void stop_at_once(struct flights *flights) {
    for (struct flight *flight = flights->releasing; flight != NULL; flight = flight->next) {
        task_cancel(&flight->task);
        flights->run->numbers.held++;
        run_tell(flights->run, LOG_WARN, flight->record.id,
                 "is written; whether it is cleared at the source is not known", NULL);
    }
}

static int flights_interrupted(struct flights *flights, struct error *error) {
    flights->stopping = true;
    window_drop_behind(flights, NULL);
    if (flights->run->interrupts > 1) stop_at_once(flights);
    if (flights->releasing != NULL && flights->run->interrupts == 1) return 0;
    return error_set(error, ERROR_CANCELLED, "interrupted");
}

// Where one failed and the run halts, those behind it have been read for nothing.
static void window_drop_useless(struct flights *flights) {
    if (!flights->stopping) return;
    for (struct flight *flight = flights->head; flight != NULL; flight = flight->next) {
        if (flight->state == DEVICE_FAILED && !flight_is_dispensable(flight)) {
            window_drop_behind(flights, flight);
            break;
        }
    }
}

static int flights_turn(struct flights *flights, struct error *error) {
    struct run *run = flights->run;
    flights->progressed = false;
    window_drop_useless(flights);
    int result = window_fill(flights, error);
    if (result == 0) result = window_commit(flights, error);
    login_if_wanted(flights);
    if (result == 0) result = run_turn(run, flights->progressed, error);
    releasing_reap(flights);
    if (result == 0 && run->interrupts > 0) result = flights_interrupted(flights, error);
    return result;
}

// The lines that are out belong to devices whose release has begun: it is brought to an end whatever else
// happened.
static void flights_finish(struct flights *flights) {
    window_drop_behind(flights, NULL);
    ERROR_AUTO ignored = {0};
    while (flights->releasing != NULL && flights->run->interrupts < 2) {
        login_if_wanted(flights);
        if (run_turn(flights->run, false, &ignored) != 0) break;
        releasing_reap(flights);
    }
    if (flights->releasing != NULL) stop_at_once(flights);
    while (flights->releasing != NULL) {
        struct flight *flight = flights->releasing;
        releasing_remove(flight);
        flight_free(flight);
    }
    ERROR_AUTO commit = {0};
    if (run_commit(flights->run, &commit) != 0) flights_journal_failed(flights, &commit);
    task_cancel(&flights->run->login);
    flights->run->login_running = false;
    flights->run->login_wanted = false;
}

int run_flights(struct run *run, struct error *error) {
    struct flights flights = {.run = run, .limit = (size_t)run->setup.concurrency * 2};
    run->numbers.phase = NULL;
    int result = 0;
    while (result == 0 &&
           !(flights.head == NULL && flights.releasing == NULL && (flights.exhausted || flights.stopping))) {
        result = flights_turn(&flights, error);
    }
    flights_finish(&flights);
    if (result == 0 && error_is_set(&run->halt)) {
        error_move(error, &run->halt);
        result = -(int)error->code;
    }
    return result;
}
