// SPDX-License-Identifier: Apache-2.0
// Lines: devices leave the window from its head, in the order of the input; what is ready together is written and synced
// together, and only then those devices are released.
#include "migrate/flight_p.h"

static void window_pop_written(struct flights *flights) {
    struct run *run = flights->run;
    struct flight *flight = window_take(flights, NULL);
    flight_notes(flight);
    if (run_releases(run)) {
        moving_add(flights, flight);
        flight_start(flight, STAGE_RELEASE);
    } else {
        run->numbers.done++;
        flight_free(flight);
    }
}

// Gives the first `count` flights their lines; with that, their records become durable.
static int window_record(struct flights *flights, size_t count, struct error *error) {
    struct run *run = flights->run;
    if (!run_releases(run)) return 0;
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
    if (!run_releases(run)) return 0;
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
    if (result == 0) result = output_flush(&run->output, run_releases(run), error);
    if (result == 0) run->numbers.written += count;
    if (result == 0) result = window_intend(flights, count, error);
    if (result != 0) return result;
    for (size_t i = 0; i < count; i++) window_pop_written(flights);
    return 0;
}

int window_commit(struct flights *flights, struct error *error) {
    while (flights->head != NULL) {
        size_t ready = 0;
        for (struct flight *flight = flights->head; flight != NULL && flight->stage == STAGE_READY;
             flight = flight->next) {
            ready++;
        }
        if (ready > 0) {
            int result = window_write(flights, ready, error);
            if (result != 0) return result;
        } else if (flights->head->stage == STAGE_FAILED) {
            window_end_failed(flights, window_take(flights, NULL));
        } else {
            break;
        }
    }
    return 0;
}
