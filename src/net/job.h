// SPDX-License-Identifier: Apache-2.0
// What drivers of sources and targets do is cut into jobs. A driver describes the calls that a job needs and reads
// their replies; it never waits, retries, opens a socket, starts a thread or logs. The engine (migrate/) does all
// that, once for all drivers.
//
// The engine calls the job's function with a new job (stage 0). The function fills job->calls and returns
// JOB_CALLS; when all of these calls are done, it is called again with job->replies, and so on until it returns
// something else. A job's arena holds whatever the calls point to; it is wiped and released with the job.
#ifndef NET_JOB_H
#define NET_JOB_H

#include "base/arena.h"
#include "net/call.h"

enum job_step {
    JOB_CALLS,  // job->calls[0..call_count) are to be made; the replies will be at the same places
    JOB_DONE,
    JOB_FAILED,  // `error` says why
    JOB_LOGIN,  // the credentials have run out, or something that all devices share is to be made: the driver's
                // `prepare`, which runs once for all that wait, then this job again from its start
};

enum { JOB_CALLS_MAX = 6 };

struct job {
    int stage;            // the driver's own; 0 at first
    void *state;          // the driver's own, in the arena
    struct arena *arena;  // lives as long as the job
    bool again;           // an earlier attempt at this change may have done it: to be looked up first
    bool unchanged;       // out, of a change that ends in JOB_FAILED: it is certain that nothing was changed
    struct call calls[JOB_CALLS_MAX];
    size_t call_count;                    // 0 whenever the function is called
    struct reply replies[JOB_CALLS_MAX];  // owned by the engine
};

// A zeroed call at the end of job->calls.
struct call *job_call(struct job *job);

#endif
