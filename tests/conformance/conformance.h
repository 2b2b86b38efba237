// SPDX-License-Identifier: Apache-2.0
// The suite of conformance: what every source and every target has to do, whatever it speaks. A new driver gets all of it by
// its line in the registry and a fixture here; one without a fixture fails.
#ifndef TESTS_CONFORMANCE_CONFORMANCE_H
#define TESTS_CONFORMANCE_CONFORMANCE_H

#include <jansson.h>

#include "device/device.h"
#include "source/registry.h"
#include "target/target.h"
#include "wire.h"

// ---- fixtures

// A way to use a source.
struct fixture {
    const char *source;          // as the registry names it
    const char *way;             // "v3, delete": for the test's name
    const char *const *options;  // "name=value"; ends with NULL
    const char *text;            // of a file: two devices or more; NULL = a network
    size_t devices;              // in that text

    // ---- networks

    uint64_t many;  // more devices than a list's page has; 0 = a thousand will do
    // Asks for so many devices.
    void (*populate)(struct world_setup *setup, uint64_t devices);
    const char *key_option;  // whose value is the key that the network wants
    const char *(*key)(const struct world *world);
    const char *missing;  // the ID of a device that it has not
    // Of the state of the world: the member that lists the devices, the path to a device's DevEUI there, and
    // "member=value" of those that are in the application (NULL = all).
    const char *list, *eui, *only;
    // The options make the source let go of devices. True if the network still handles the device; `now` is NULL if it
    // has none of this DevEUI.
    bool (*serves)(const json_t *now, const json_t *before);
    // Members that need not come back, as the source's page says, and those that may come back higher (counters) or with
    // a value where they had none; ended with NULL.
    const char *const *lost, *const *grow;
    // More options for a run about gateways; NULL = this way has none to show.
    const char *const *gateway_options;
    const char *(*gateway_key)(const struct world *world);  // NULL = the other one
    const char *gateway_key_option;
};

// Ends with a row whose source is NULL.
extern const struct fixture fixtures[];

// A way to use a target that is a server, in a world without devices of its own.
struct target_fixture {
    const char *target;
    const char *const *options;
    const char *key_option;
    const char *(*key)(const struct world *world);
    const char *source;       // whose first fixture gives the devices: they have a place at this target
    const char *application;  // that they come from
    const char *const *lost;  // what need not come back when an update is undone
};

// Ends with a row whose target is NULL. Targets that are streams need none.
extern const struct target_fixture target_fixtures[];

// ---- a source that is open (stage.c)

enum operation {
    OPERATION_PREPARE,
    OPERATION_LIST,
    OPERATION_FORMATTERS,
    OPERATION_READ,
    OPERATION_RELEASE,
    OPERATION_RESTORE,
    OPERATION_CONFIRM,
    OPERATION_PREPARE_GATEWAYS,
    OPERATION_LIST_GATEWAYS,
    OPERATION_READ_GATEWAY,
};

struct stage {
    const struct fixture *fixture;
    const struct source_driver *driver;
    struct wire wire;
    struct option_values *options;
    struct source_setup setup;
    struct device_naming naming;
    struct source *source;
    struct key_set *seen;
    char *key;       // owned; that the source was opened with
    bool again;      // as job.again
    bool unchanged;  // out: as job.unchanged
    struct arena arena;
    struct error error;
    // What operations work on.
    struct source_page page;
    struct source_record record;
    struct device device;
    struct source_confirmation confirmation;
    struct source_restoration restoration;
    struct source_formatters formatters;
};

struct stage_setup {
    uint64_t devices;  // of a network
    const char *key;   // in place of the right one; NULL = that one
    const char *text;  // in place of the fixture's; NULL = that one
    bool dry_run, gateways;
};

// Opens; the right credentials unless the setup says otherwise.
void stage_open(struct stage *stage, const struct fixture *fixture, const struct stage_setup *setup);
void stage_close(struct stage *stage);

// Runs the operation to its end, with another login where the source wants one. An error is looked through for secrets.
enum job_step stage_run(struct stage *stage, enum operation operation);

// The same, and it has to end well.
void stage_must(struct stage *stage, enum operation operation);

// Prepares, lists (the pages become one) and makes the device in that place the stage's record, read and converted. False:
// there is none.
bool stage_take(struct stage *stage, size_t place);

// Lists all pages into one.
void stage_list_all(struct stage *stage);

// Converts the record into the stage's device.
int stage_convert(struct stage *stage);

// The next call of the operation that will have this happen to it, counted from 1 on.
void stage_fault(struct stage *stage, int place, enum wire_fault fault);

// ---- the world as it is (look.c)

// Its devices; a new reference.
json_t *look_world(const struct world *world);

// The device of that DevEUI in the list of such a state, or NULL; borrowed.
const json_t *look_find(const json_t *state, const struct fixture *fixture, const uint8_t dev_eui[8]);

// How many are in the application.
size_t look_count(const json_t *state, const struct fixture *fixture);

// Fails the test if they differ in more than may be lost; both names may be NULL.
void look_equal(const json_t *now, const json_t *before, const char *const *lost, const char *const *grow);

// ---- cases

// A case about a source's way.
struct source_case {
    const char *name;
    bool (*concerns)(const struct fixture *fixture, const struct source_driver *driver);
    void (*run)(const struct fixture *fixture);
};

extern const struct source_case read_cases[], change_cases[],
    gateway_cases[];  // each ends with a row without a name

// A case about a target that is a server.
struct target_case {
    const char *name;
    void (*run)(const struct target_fixture *fixture);
};

extern const struct target_case target_cases[];

// The page has to be there and to name each option; `what` is "sources" or "targets".
void check_page(const char *what, const char *name, const struct option_spec *options);

#endif
