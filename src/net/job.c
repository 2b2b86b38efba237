// SPDX-License-Identifier: Apache-2.0
#include "net/job.h"

struct call *job_call(struct job *job) {
    struct call *call = &job->calls[job->call_count++];
    *call = (struct call){0};
    return call;
}
