// SPDX-License-Identifier: Apache-2.0
// Credentials that run out in the middle of a run: one job renews them, whoever waits for them goes on after it.
#include "migrate/run_p.h"

static enum job_step login_job(void *context, struct job *job, struct error *error) {
    struct login *login = context;
    return run_prepare_job(login->run, login->side, job, error);
}

static void login_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct login *login = context;
    login->wanted = false;
    if (step == JOB_LOGIN) error_set(error, ERROR_DENIED, "the server does not accept its own new token");
    error_release(&login->error);
    error_move(&login->error, error);
}

void run_login_want(struct run *run, enum run_side side) {
    run->logins[side].wanted = true;
}

bool run_login_pending(const struct run *run, enum run_side side) {
    return run->logins[side].wanted;
}

bool run_login_failed(const struct run *run, enum run_side side, struct error *error) {
    const struct login *login = &run->logins[side];
    if (!error_is_set(&login->error)) return false;
    error_copy(error, &login->error);
    return true;
}

void run_login_turn(struct run *run) {
    for (int side = 0; side < RUN_SIDES; side++) {
        struct login *login = &run->logins[side];
        if (!login->wanted || login->task.running) continue;
        login->run = run;
        login->side = (enum run_side)side;
        task_start(&login->task, run->dispatch, login->side, PRIORITY_LOGIN, login_job, login_finished,
                   login);
    }
}

void run_login_stop(struct run *run) {
    for (int side = 0; side < RUN_SIDES; side++) {
        task_cancel(&run->logins[side].task);
        run->logins[side].wanted = false;
    }
}

void run_login_release(struct run *run) {
    for (int side = 0; side < RUN_SIDES; side++) {
        task_release(&run->logins[side].task);
        error_release(&run->logins[side].error);
    }
}
