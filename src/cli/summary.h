// SPDX-License-Identifier: Apache-2.0
// What a run did, in plain words, and what to do next.
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "base/log.h"
#include "migrate/run.h"

struct summary {
    const struct run_numbers *numbers;
    const char *output;   // name of the output
    const char *journal;  // path, or NULL
    bool gateways;        // it was about gateways, not devices
    bool rollback;        // devices were put back, nothing was written
    bool verify;          // devices were read back from the target
    bool plan;            // nothing but what would become of each device was found out
    const char *source;   // title of the source
    const char *target;   // title of a target that is a server, or NULL
    bool counted;         // how many can go was told in full by the plan
    bool resumed;         // an earlier process has begun it: it may have changed something already
    bool dry_run;
    bool
        formatters_stay;  // payload formatters of applications are not in the output, and nobody asked for that
    bool changes;         // the run clears devices at the source
    bool keeps;           // its source could give devices up, but keeps them
    bool stayed;          // with such a target: the source was not changed, so that nothing is put back there
    bool halted;          // an error ended it
    bool interrupted;
    int64_t elapsed;  // ns
};

// Writes it as messages of level info.
void summary_write(const struct log *log, const struct summary *summary);

#endif
