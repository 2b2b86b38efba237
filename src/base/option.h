// SPDX-License-Identifier: Apache-2.0
// Options as tables: one row gives the parser, the environment variable, the help, the completions
// and the documentation. Sources and targets bring a table of their own.
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option_type {
    OPTION_BOOL,      // --flag, --flag=false; in the environment true, false, 1, 0
    OPTION_STRING,    //
    OPTION_UINT,      // decimal
    OPTION_DURATION,  // 30s, 1m30s, 200ms; a bare number is seconds; kept in ns
    OPTION_RATE,      // a positive decimal, calls a second; an optional "/s" is dropped
    OPTION_CHOICE,    // one of `choices`
};

enum option_flags {
    OPTION_SECRET = 1 << 0,       // never shown; --<name>-file FILE reads it from a file
    OPTION_REQUIRED = 1 << 1,     // an error if neither given nor in the environment
    OPTION_HIDDEN = 1 << 2,       // works, but is not in the help
    OPTION_LIST = 1 << 3,         // OPTION_STRING: may be repeated; the value is all of them, one a line
    OPTION_OF_DEVICES = 1 << 4,   // with OPTION_REQUIRED: only where devices are migrated, not for gateways
    OPTION_OF_GATEWAYS = 1 << 5,  // with OPTION_REQUIRED: only for gateways
    OPTION_CONVERTS = 1 << 6,     // decides what becomes of a device that is not begun: may be given anew
    OPTION_BELONGS =
        1 << 7,  // to the row before: an earlier value is void where that is given anew without it
};

struct option_spec {
    const char *name;  // without dashes and prefix: "app-id"
    enum option_type type;
    unsigned flags;             // of enum option_flags
    const char *env;            // variables, separated by spaces, the first that is set wins; or NULL
    const char *default_value;  // as a user would write it; NULL = unset
    const char *argument;       // what the help calls the value: "FILE", "HOST:PORT"
    const char *choices;        // OPTION_CHOICE: separated by spaces
    const char *help;           // one sentence, no full stop
    uint64_t least;             // OPTION_UINT, OPTION_DURATION (ns): the smallest value allowed
    uint64_t most;              // OPTION_UINT, OPTION_DURATION (ns): the largest; 0 = no limit
};

// A table ends with a row whose name is NULL.

// True if a command about gateways, or one about devices, cannot do without the option.
bool option_required(const struct option_spec *spec, bool gateways);

// The values of one table, parsed and checked. Opaque.
struct option_values;

// A set where every option has its default. `table` is borrowed for as long as the set lives.
struct option_values *option_values_new(const struct option_spec *table);
void option_values_free(struct option_values *values);

// Sets one option from text; the last one counts (or all, with OPTION_LIST). ERROR_USAGE names the option as `shown` (with its dashes),
// and the text unless it is a secret.
int option_set(struct option_values *values, const struct option_spec *spec, const char *shown,
               const char *text, struct error *error);

// Reads a secret from a file: its first line, at most 4 KiB. ERROR_USAGE if that is impossible.
int option_set_from_file(struct option_values *values, const struct option_spec *spec, const char *shown,
                         const char *path, struct error *error);

// Finds the value of an environment variable, borrowed; NULL if it is unset.
typedef const char *option_lookup(const char *name);

// Which options are asked for.
typedef bool option_filter(const void *context, const struct option_spec *spec);

// Takes the environment's values for all options that were not set and that `takes` lets through (NULL: all); an empty
// variable counts as unset. `lookup` reads the environment or is a test's own. ERROR_USAGE names the variable.
int option_values_environment(struct option_values *values, option_lookup *lookup, option_filter *takes,
                              const void *context, struct error *error);

// The value by name; it is a programming error to ask for a name that is not in the table. A string that
// is unset is NULL; it is borrowed until the set is freed.
const char *option_string(const struct option_values *values, const char *name);
bool option_bool(const struct option_values *values, const char *name);
uint64_t option_uint(const struct option_values *values, const char *name);
int64_t option_duration(const struct option_values *values, const char *name);  // ns
double option_rate(const struct option_values *values, const char *name);       // calls/s, 0 = unset

// True if the user or the environment gave it.
bool option_given(const struct option_values *values, const char *name);

// Tells every option that the user or the environment gave, as text that option_set takes.
typedef int option_receiver(void *context, const struct option_spec *spec, const char *text,
                            struct error *error);
int option_each_given(const struct option_values *values, option_receiver *receiver, void *context,
                      struct error *error);

// The row of a name, or NULL.
const struct option_spec *option_find(const struct option_spec *table, const char *name, size_t name_size);

// True if its value is the path of a file or directory (or a URL): what `argument` says of it.
bool option_is_path(const struct option_spec *spec);

// The table behind a set.
const struct option_spec *option_table(const struct option_values *values);

#endif
