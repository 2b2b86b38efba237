// SPDX-License-Identifier: Apache-2.0
// Taking devices away from their source.
#include <inttypes.h>

#include "base/memory.h"
#include "device/message.h"
#include "migrate/flight_p.h"

enum job_step flight_release_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    const struct run_setup *setup = &flight->flights->run->setup;
    return setup->driver->release(setup->source, job, &flight->record, &flight->device, error);
}

// What it means that a device could not be released, or not surely.
static void hold_words(const struct flight *flight, struct error *error) {
    if (flight->flights->run->setup.target_instance == NULL) {
        error_wrap(error, ERROR_NONE, "is written, but not known to be cleared at the source");
        error_hint(error, "do not import it yet; ttn-lw-migrate resume tries again");
    } else {
        error_wrap(error, ERROR_NONE, "is not known to be given up by its source, and not imported yet");
        error_hint(error, "ttn-lw-migrate resume tries again");
    }
}

// It is on its way, but the source may still handle it: the worst that can happen here, and told so.
static void flight_hold(struct flight *flight, struct error *error) {
    struct run *run = flight->flights->run;
    run->numbers.failed++;
    run->numbers.held++;
    char *reason MEMORY_AUTO = error_chain(error);
    flight_set_reason(flight, DEVICE_RELEASING, reason);
    hold_words(flight, error);
    run_tell(run, LOG_ERROR, flight->record.id, "cannot be cleared", error);
    if (run->setup.keep_going) return;
    flight->flights->stopping = true;
    if (!error_is_set(&run->halt)) {
        error_set(&run->halt, ERROR_REFUSED, "device %s could not be cleared", flight->record.id);
    }
}

void flight_released(struct flight *flight, bool done, struct error *error) {
    struct run *run = flight->flights->run;
    bool server = run->setup.target_instance != NULL;
    // A refusal that is known to have changed nothing is no reason to leave it half way.
    if (!done && server && !call_may_pass(error->code)) {
        // Credentials that ran out in between hide what came before.
        if (flight->task.job.unchanged && flight->logins == 0) flight->touched = false;
        flight_undo(flight, error);
        return;
    }
    if (done) {
        if (!flight->joined) run->numbers.released++;
        flight->released = true;
        flight_set_state(flight, DEVICE_RELEASED);
    } else {
        flight_hold(flight, error);
    }
    if (done && server) {
        flight_go_on(flight);
        return;
    }
    run->numbers.done++;
    flight_done(flight);
}

// Nothing is left to be done at the source.
static void flight_end_release(struct flight *flight) {
    if (flight->flights->run->setup.target_instance != NULL) {
        flight_start_at_target(flight);
        return;
    }
    flight->flights->run->numbers.done++;
    flight_done(flight);
}

// ---- heard between reading and releasing

// What comes of a session is known only behind the release, as is whether a device without one has joined to get it.
void flight_go_on(struct flight *flight) {
    const struct run_setup *setup = &flight->flights->run->setup;
    const Tts__EndDevice *device = flight->device.end_device;
    bool heard = device->session != NULL && flight->claim != CLAIM_FOUND;
    bool joins = device->session == NULL && device->supports_join && setup->source->joins && !flight->joined;
    if (!setup->source->keeps && setup->driver->confirm != NULL && (heard || joins)) {
        flight_start(flight, STAGE_HEAR);
    } else {
        flight_end_release(flight);
    }
}

void moving_take_up(struct flight *flight, enum device_state state) {
    flight->released = state >= DEVICE_RELEASED;
    if (state == DEVICE_RELEASING) {
        flight_start(flight, STAGE_RELEASE);
    } else if (state == DEVICE_RELEASED) {
        flight_go_on(flight);
    } else {
        flight_start(flight, STAGE_VERIFY);
    }
}

enum job_step flight_hear_job(void *context, struct job *job, struct error *error) {
    struct flight *flight = context;
    const struct run_setup *setup = &flight->flights->run->setup;
    return setup->driver->confirm(setup->source, job, &flight->record, NULL, &flight->heard, error);
}

// The device gets another downlink counter before it is imported.
static void set_counter(struct flight *flight, uint32_t last_n_f_cnt_down) {
    struct run *run = flight->flights->run;
    Tts__Session *session = flight->device.end_device->session;
    if (session == NULL || session->last_n_f_cnt_down >= last_n_f_cnt_down) return;
    session->last_n_f_cnt_down = last_n_f_cnt_down;
    BUFFER_AUTO converted;
    buffer_init(&converted, BUFFER_UNLIMITED);
    message_pack(&flight->device.end_device->base, &converted);
    ERROR_AUTO error = {0};
    run->uncommitted = true;
    if (journal_set_converted(run->journal, flight->sequence, flight->record.id, true, converted.data,
                              converted.size, &error) != 0)
        flights_journal_failed(flight->flights, &error);
}

// The device with the session that it got meanwhile; without, as before, if it cannot go like that.
static void convert_anew(struct flight *flight) {
    struct device before = flight->device;
    flight->device = (struct device){0};
    ERROR_AUTO ignored = {0};
    if (flight_convert(flight, &ignored) == 0) {
        device_release(&before);
        return;
    }
    device_release(&flight->device);
    flight->device = before;
}

// The source goes on with a session that was not read: it is to be taken away there like the rest, but not before the
// journal has it. A line that is out stays as it is, as does what others have made at the target.
static void take_over(struct flight *flight) {
    struct run *run = flight->flights->run;
    source_record_set_data(&flight->record, flight->heard.joined, flight->heard.joined_size);
    if (run->setup.target_instance != NULL && flight->claim != CLAIM_FOUND) convert_anew(flight);
    const char *text =
        flight->device.end_device->session != NULL
            ? "joined its source between reading and releasing: it goes on with that session"
            : "joined its source between reading and releasing: that session ends, so it has to join again";
    run->numbers.moved_on++;
    run_tell(run, LOG_WARN, flight->record.id, text, NULL);
    ERROR_AUTO error = {0};
    run->uncommitted = true;
    int result = flight_store(flight, &error);
    if (result == 0)
        result = journal_set_reason(run->journal, flight->sequence, DEVICE_RELEASING, text, &error);
    if (result == 0) result = run_commit(run, &error);
    if (result != 0) {
        flights_journal_failed(flight->flights, &error);
        flight_done(flight);
        return;
    }
    flight->joined = flight->again = true;
    flight->released = false;
    flight_start(flight, STAGE_RELEASE);
}

// The source has let go of it, but heard it before.
static void tell_moved_on(struct flight *flight) {
    const struct run *run = flight->flights->run;
    const struct source_confirmation *heard = &flight->heard;
    if (heard->last_n_f_cnt_down == 0) {
        run_tell(run, LOG_WARN, flight->record.id, heard->remark, NULL);
        return;
    }
    set_counter(flight, heard->last_n_f_cnt_down);
    char *text MEMORY_AUTO = memory_printf(
        "%s between reading and releasing: its downlink counter is set to %" PRIu32 " at the target%s",
        heard->unseen ? "may have been heard" : "was heard", heard->last_n_f_cnt_down,
        flight->device.end_device->supports_join ? "; if it joined there, it has to join again" : "");
    run_tell(run, LOG_WARN, flight->record.id, text, NULL);
}

// A counter that is skipped does no harm; one that is used twice does.
static void skip_unheard(struct flight *flight, struct error *error) {
    set_counter(flight, source_skip_unseen(flight->device.end_device->session->last_n_f_cnt_down));
    run_tell(flight->flights->run, LOG_WARN, flight->record.id,
             "could not be looked at after its release: some downlink counters are skipped", error);
}

void flight_heard(struct flight *flight, bool done, struct error *error) {
    struct run *run = flight->flights->run;
    const struct source_confirmation *heard = &flight->heard;
    bool session = flight->device.end_device->session != NULL;
    if (done && heard->proof == SOURCE_JOINED && !flight->joined) {
        take_over(flight);
        return;
    }
    bool held = done && (heard->proof == SOURCE_HELD || heard->proof == SOURCE_JOINED);
    if (held) error_set(error, ERROR_DEVICE, "%s", heard->remark);
    // One that never joined can wait until it is known whether it did meanwhile.
    if (held || (!done && !session)) {
        flight_hold(flight, error);
        run->numbers.done++;
        flight_done(flight);
        return;
    }
    if (!done) {
        skip_unheard(flight, error);
    } else if (heard->proof == SOURCE_MOVED_ON && (session || heard->last_n_f_cnt_down == 0)) {
        // A counter is of no use to one that joins again.
        run->numbers.moved_on++;
        tell_moved_on(flight);
    }
    flight_end_release(flight);
}
