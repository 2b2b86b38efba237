// SPDX-License-Identifier: Apache-2.0
// Runs about gateways. They are few, and nothing is taken away from their source, so they go one after the other:
//
//   PLANNED -> RECORDED -> RESERVING (it may be at the target) -> VERIFIED
//                                   \-> RELEASING (its source may have been told to send it there) -> VERIFIED
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/json_write.h"
#include "device/message.h"
#include "migrate/run_p.h"

// A gateway that is being worked on.
struct passage {
    struct run *run;
    struct journal_device *kept;
    struct gateway gateway;
    struct target_look look;
    struct arena arena;  // of `look`
    const struct gateway_home *home;
    struct gateway_redirect redirect;
    bool again;
    bool refused;
    char *key;  // owned, secret
};

static struct target *target_of(const struct passage *passage) {
    return passage->run->setup.target_instance;
}

int gateway_read(const struct journal_device *kept, struct gateway *gateway, struct error *error) {
    gateway->message = message_unpack(&tts__gateway__descriptor, kept->converted, kept->converted_size,
                                      &gateway->arena, error);
    if (gateway->message != NULL) return 0;
    return error_wrap(error, ERROR_INPUT, "the journal's entry of gateway %s", kept->record.id);
}

// ---- jobs

static enum job_step read_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    const struct run_setup *setup = &passage->run->setup;
    return setup->driver->read_gateway(setup->source, job, &passage->kept->record, error);
}

// The job's arena ends with it: what is needed of the answer is copied.
static enum job_step look_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    struct target_look *look = &passage->look;
    enum job_step step = target_of(passage)->driver->look_gateway(target_of(passage), job,
                                                                  passage->gateway.message, look, error);
    if (step != JOB_DONE) return step;
    if (look->what != NULL) look->what = arena_strdup(&passage->arena, look->what);
    if (look->before != NULL) look->before = arena_dup(&passage->arena, look->before, look->before_size);
    return step;
}

static enum job_step create_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    if (job->stage == 0) job->again = passage->again;
    return target_of(passage)->driver->create_gateway(target_of(passage), job, passage->gateway.message,
                                                      &passage->refused, error);
}

static enum job_step update_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    return target_of(passage)->driver->update_gateway(target_of(passage), job, passage->gateway.message,
                                                      error);
}

static enum job_step secure_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    return target_of(passage)->driver->secure_gateway(target_of(passage), job, passage->gateway.message,
                                                      error);
}

static enum job_step key_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    return target_of(passage)->driver->key_gateway(target_of(passage), job, passage->gateway.message,
                                                   &passage->key, error);
}

static enum job_step redirect_job(void *context, struct job *job, struct error *error) {
    struct passage *passage = context;
    const struct run_setup *setup = &passage->run->setup;
    return setup->driver->redirect_gateway(setup->source, job, &passage->kept->record, passage->home,
                                           &passage->redirect, error);
}

static int on_source(struct passage *passage, task_function *job, struct error *error) {
    return run_job(passage->run, SIDE_SOURCE, PRIORITY_READ, job, passage, error);
}

static int on_target(struct passage *passage, task_function *job, struct error *error) {
    return run_job(passage->run, SIDE_TARGET, PRIORITY_IMPORT, job, passage, error);
}

// ---- what would become of it

static bool shares_gateways(const struct passage *passage) {
    const struct run_setup *setup = &passage->run->setup;
    return setup->driver->shares_gateways != NULL &&
           setup->driver->shares_gateways(setup->source, passage->home);
}

static int judge_look(struct passage *passage, struct error *error) {
    const struct run_setup *setup = &passage->run->setup;
    enum target_found found = passage->look.found;
    if (found == TARGET_OTHER && setup->on_conflict != CONFLICT_FAIL) return 0;
    if (found == TARGET_OTHER) {
        error_set(error, ERROR_DEVICE, "the target has this gateway with other data: %s", passage->look.what);
        error_hint(error, "--on-conflict skip leaves it alone, --on-conflict update changes it");
        return -ERROR_DEVICE;
    }
    if (found != TARGET_TAKEN) return 0;
    return error_set(error, ERROR_DEVICE, "the target has something else there: %s", passage->look.what);
}

// Reads, converts, and looks at the target: changes nothing.
static int examine(struct passage *passage, struct error *error) {
    const struct run_setup *setup = &passage->run->setup;
    gateway_init(&passage->gateway);
    int result = on_source(passage, read_job, error);
    if (result != 0) return result;
    result = setup->driver->convert_gateway(setup->source, &passage->kept->record, &passage->gateway, error);
    if (result != 0 || setup->target_instance == NULL) return result;
    if (shares_gateways(passage)) {
        passage->look.found = TARGET_SAME;
        return 0;
    }
    result = on_target(passage, look_job, error);
    return result != 0 ? result : judge_look(passage, error);
}

static int keep_recorded(struct passage *passage, struct error *error) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(&passage->gateway.message->base, &bytes);
    char *other MEMORY_AUTO = NULL;
    const struct journal_entry entry = {
        .sequence = passage->kept->sequence,
        .record = &passage->kept->record,
        .device_id = passage->gateway.message->ids->gateway_id,
        .converted = bytes.data,
        .converted_size = bytes.size,
    };
    passage->run->uncommitted = true;
    int result = journal_store(passage->run->journal, &entry, &other, error);
    if (result != 0 || other == NULL) return result;
    return error_set(error, ERROR_DEVICE, "would become %s, as gateway %s does", entry.device_id, other);
}

// ---- changes

static int keep_state(struct passage *passage, enum device_state state, struct error *error) {
    passage->run->uncommitted = true;
    passage->kept->state = state;
    int result = journal_set_state(passage->run->journal, passage->kept->sequence, state, error);
    return result != 0 ? result : run_commit(passage->run, error);
}

static int keep_claim(struct passage *passage, enum device_claim claim, struct error *error) {
    const struct target_look *look = &passage->look;
    bool before = claim == CLAIM_UPDATED;
    passage->kept->claim = claim;
    return journal_set_claim(passage->run->journal, passage->kept->sequence, passage->kept->record.id, claim,
                             before ? look->before : NULL, before ? look->before_size : 0, error);
}

// Reads back what the run made or changed.
static int verify(struct passage *passage, struct error *error) {
    int result = on_target(passage, look_job, error);
    if (result != 0 || passage->look.found == TARGET_SAME) return result;
    return error_set(error, ERROR_REFUSED, "is at the target, but not as it should be: %s",
                     passage->look.what != NULL ? passage->look.what : "it is gone");
}

// What the target does not have yet. That it may be there is durable before the first call.
static int bring(struct passage *passage, struct error *error) {
    enum device_claim claim = passage->look.found == TARGET_SAME    ? CLAIM_FOUND
                              : passage->look.found == TARGET_OTHER ? CLAIM_UPDATED
                                                                    : CLAIM_MADE;
    int result = 0;
    if (!passage->again) {
        result = keep_claim(passage, claim, error);
    } else {
        claim = passage->kept->claim;
    }
    if (result == 0) result = keep_state(passage, DEVICE_RESERVING, error);
    passage->run->numbers.begun++;
    if (result == 0 && claim == CLAIM_FOUND) passage->run->numbers.found++;
    if (result == 0 && claim == CLAIM_MADE) result = on_target(passage, create_job, error);
    if (result == 0 && claim == CLAIM_UPDATED) result = on_target(passage, update_job, error);
    if (result != 0 || claim == CLAIM_FOUND) return result;
    passage->run->numbers.imported++;
    return verify(passage, error);
}

static int redirect(struct passage *passage, struct error *error) {
    const struct run_setup *setup = &passage->run->setup;
    bool shared = shares_gateways(passage);
    int result = 0;
    passage->redirect = (struct gateway_redirect){.home = passage->home, .cups_key = setup->redirect_key};
    if (!shared) result = on_target(passage, secure_job, error);
    if (result == 0 && !shared && setup->redirect_key == NULL) {
        result = on_target(passage, key_job, error);
        passage->redirect.cups_key = passage->key;
    }
    if (result == 0) result = keep_state(passage, DEVICE_RELEASING, error);
    return result != 0 ? result : on_source(passage, redirect_job, error);
}

static int change(struct passage *passage, struct error *error) {
    const struct run_setup *setup = &passage->run->setup;
    int result = passage->kept->state == DEVICE_RELEASING ? 0 : bring(passage, error);
    bool secured = passage->gateway.message->require_authenticated_connection;
    if (result == 0 && secured && !setup->redirect && !shares_gateways(passage))
        result = on_target(passage, secure_job, error);
    if (result == 0 && setup->redirect) result = redirect(passage, error);
    if (result == 0) result = keep_state(passage, DEVICE_VERIFIED, error);
    if (result == 0) passage->run->numbers.verified++;
    if (result == 0 && setup->redirect) passage->run->numbers.redirected++;
    return result;
}

// ---- one gateway

static void tell_notes(const struct passage *passage) {
    for (size_t i = 0; i < passage->gateway.notes.count; i++) {
        const struct note *note = &passage->gateway.notes.items[i];
        char *text MEMORY_AUTO = memory_printf("%s: %s", note->path, note->text);
        run_tell(passage->run, LOG_WARN, passage->kept->record.id, text, NULL);
    }
}

static int write_line(struct passage *passage, struct error *error) {
    struct file *output = passage->run->setup.output;
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    if (output == NULL) return 0;
    message_json_write(&passage->gateway.message->base, &line);
    buffer_putc(&line, '\n');
    passage->run->numbers.written++;
    return output->operations->write(output, line.data, line.size, error);
}

// One that was begun by an earlier process goes on with what that has kept.
static int take(struct passage *passage, bool checking, struct error *error) {
    struct run *run = passage->run;
    const struct run_setup *setup = &run->setup;
    passage->again = passage->kept->state >= DEVICE_RESERVING;
    int result =
        passage->again ? gateway_read(passage->kept, &passage->gateway, error) : examine(passage, error);
    if (result != 0) return result;
    if (checking) {
        run->numbers.checked++;
        if (passage->look.found == TARGET_SAME && setup->target_instance != NULL) run->numbers.found++;
        tell_notes(passage);
        return 0;
    }
    if (setup->no_plan || setup->target_instance == NULL) tell_notes(passage);
    if (setup->target_instance == NULL) return write_line(passage, error);
    if (passage->look.found == TARGET_OTHER && setup->on_conflict == CONFLICT_SKIP) {
        run->numbers.skipped++;
        return keep_state(passage, DEVICE_SKIPPED, error);
    }
    if (!passage->again) result = keep_recorded(passage, error);
    return result != 0 ? result : change(passage, error);
}

// What may be at the target keeps its state, for `resume` and `rollback`.
static int set_aside(struct passage *passage, struct error *error) {
    struct run *run = passage->run;
    char *reason MEMORY_AUTO = error_chain(error);
    ERROR_AUTO journal_error = {0};
    bool begun = passage->kept->state >= DEVICE_RESERVING && !passage->refused;
    run->numbers.failed++;
    run->uncommitted = true;
    if (passage->refused) keep_claim(passage, CLAIM_NONE, &journal_error);
    int result = journal_set_reason(run->journal, passage->kept->sequence,
                                    begun ? passage->kept->state : DEVICE_FAILED, reason, &journal_error);
    if (result == 0) result = run_commit(run, &journal_error);
    if (result != 0) {
        error_move(error, &journal_error);
        return result;
    }
    if (run->setup.keep_going) {
        run_tell(run, LOG_ERROR, passage->kept->record.id, "cannot be migrated", error);
        error_release(error);
        return 0;
    }
    return error_wrap(error, ERROR_NONE, "gateway %s", passage->kept->record.id);
}

static int pass(struct run *run, struct journal_device *kept, const struct gateway_home *home, bool checking,
                struct error *error) {
    struct passage passage = {.run = run, .kept = kept, .home = home};
    int result = take(&passage, checking, error);
    bool cancelled = result == -ERROR_CANCELLED || result == -ERROR_OUTPUT;
    if (result != 0 && !cancelled) result = set_aside(&passage, error);
    if (!checking || result != 0) run->numbers.done++;
    memory_free_secret(passage.key);
    gateway_release(&passage.gateway);
    arena_release(&passage.arena);
    return result;
}

static int each(struct run *run, const struct gateway_home *home, bool checking, struct error *error) {
    enum device_state most = checking ? DEVICE_PLANNED : DEVICE_IMPORTED;
    run->numbers.checking = checking;
    run->numbers.phase = NULL;
    int64_t last = 0;
    for (;;) {
        struct journal_device kept = {0};
        int found = journal_next(run->journal, last, DEVICE_PLANNED, most, JOURNAL_ANY, &kept, error);
        if (found <= 0) return found;
        last = kept.sequence;
        int result = pass(run, &kept, home, checking, error);
        journal_device_release(&kept);
        if (result != 0) return result;
    }
}

int run_gateways(struct run *run, struct error *error) {
    const struct run_setup *setup = &run->setup;
    bool server = setup->target_instance != NULL;
    bool only_check = setup->plan_only || (setup->dry_run && server);
    struct gateway_home home = {0};
    if (server) setup->target_instance->driver->home(setup->target_instance, &home);
    if (only_check) return each(run, &home, true, error);
    int result = 0;
    if (server && !setup->no_plan) {
        result = each(run, &home, true, error);
        run->numbers.done = run->numbers.failed;
        run->numbers.found = 0;
    }
    run->numbers.checking = false;
    return result != 0 ? result : each(run, &home, false, error);
}
