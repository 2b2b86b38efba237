// SPDX-License-Identifier: Apache-2.0
// The frequency plans of a command: the built-in ones, or those of --frequency-plans-url.
#ifndef CLI_PLANS_H
#define CLI_PLANS_H

#include "base/log.h"
#include "base/option.h"
#include "lorawan/frequency_plan.h"

struct plan_set {
    const struct frequency_plans *plans;
    struct frequency_plans *loaded;  // owned; NULL = built in
};

// Finds out which, and loads them from a directory or over HTTP. `log` and `halt_fd` are for the transport:
// see curl_transport.h.
int plan_set_open(const struct option_values *global, const struct log *log, int halt_fd,
                  struct plan_set *plans, struct error *error);

// Accepts a zeroed set.
void plan_set_release(struct plan_set *plans);

#endif
