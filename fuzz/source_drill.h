// SPDX-License-Identifier: Apache-2.0
// A source before a server that answers anything: a list, or the way of one device there and back.
#ifndef FUZZ_SOURCE_DRILL_H
#define FUZZ_SOURCE_DRILL_H

#include "drill.h"
#include "source/registry.h"

struct source_drill {
    struct drill drill;
    const char *application;  // for `prepare`
    const struct source_driver *driver;
    struct source *source;
    struct option_values *options;
    struct source_page page;
    struct source_record *record;
    struct device device;
    struct source_confirmation confirmation;
    struct source_restoration restoration;
};

// Finds the driver; its options are to be set then. The whole is released by source_drill_close.
void source_drill_begin(struct source_drill *self, const char *name);

// Opens the source. `setup` gives what is not the same for all: naming (NULL = plain), dry_run.
void source_drill_open(struct source_drill *self, const struct source_setup *setup);
void source_drill_close(struct source_drill *self);

// Runs an operation of the target's own, whose context is `self`.
enum job_step source_drill_run(struct source_drill *self, drill_operation *operation);

// True if the source is ready for `application`.
bool source_drill_prepare(struct source_drill *self);

// All pages of the list; each of its records is converted.
void source_drill_list(struct source_drill *self);

// The device `id`: read, converted, released, looked at once more, restored.
void source_drill_device(struct source_drill *self, const char *id);

// A record of a gateway becomes one that can be written, or an error.
void source_drill_convert_gateway(const struct source_driver *driver, struct source *source,
                                  const struct source_record *record);

#endif
