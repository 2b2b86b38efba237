// SPDX-License-Identifier: Apache-2.0
// The run's memory: what the run is about (properties), its applications, and every device in the order of the
// input, with its state, the device as the source gave it and as it was converted. It lives in SQLite, so that a
// fleet of any size needs little memory. docs/journal.md describes the file.
//
// Changes gather in a transaction until journal_commit. Nothing outside the journal may be changed on the strength
// of something that is not committed.
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "device/place.h"
#include "device/record.h"
#include "journal/seal.h"
#include "journal/state.h"

// The version of the file's layout; kept in SQLite's user_version.
enum { JOURNAL_VERSION = 2 };

struct journal;

// A journal that lasts as long as the process: a temporary database that spills to an unlinked file only
// when it outgrows its cache. journal_commit does nothing.
int journal_open_temporary(struct journal **ret_journal, struct error *error);

struct journal_place {
    const char *path;  // borrowed during the call
    const char *vfs;   // SQLite's name of the file layer to use; NULL = the system's
};

// Makes a new file, 0600 whatever the umask. ERROR_OUTPUT if it exists or cannot be made.
int journal_create(const struct journal_place *place, struct journal **ret_journal, struct error *error);

// Opens a file that is there; `writable` = false for those who only look. A layout of an older version is brought to
// the present one if it is writable, else only read so. ERROR_INPUT if it is no journal, of a newer version, or
// damaged: nothing is changed then.
int journal_open(const struct journal_place *place, bool writable, struct journal **ret_journal,
                 struct error *error);

// What was not committed is forgotten. Accepts NULL.
void journal_close(struct journal *journal);

// The path, or NULL for a temporary one. Borrowed.
const char *journal_path(const struct journal *journal);

// Encrypts what is written from now on; takes the seal over. For a journal that is there, the key must be the one that
// it was made with: ERROR_USAGE otherwise, also if it was made without one.
int journal_set_seal(struct journal *journal, struct seal *seal, struct error *error);

// Where the times of changes come from; the machine's clock without. Borrowed.
void journal_set_clock(struct journal *journal, const struct clock *clock);

// True if the file holds encrypted values, so that it needs journal_set_seal before devices are read.
bool journal_is_sealed(const struct journal *journal);

// The salt for a passphrase: made with the file.
int journal_salt(struct journal *journal, uint8_t ret_salt[static SEAL_SALT_SIZE], struct error *error);

// Makes everything since the last call durable.
int journal_commit(struct journal *journal, struct error *error);

// Forgets everything since the last call of journal_commit.
int journal_abandon(struct journal *journal, struct error *error);

// ---- properties of the run

// A secret one is encrypted, if the journal is.
int journal_set_property(struct journal *journal, const char *name, const char *value, bool secret,
                         struct error *error);

// The value, owned by the caller; NULL if there is none.
int journal_property(struct journal *journal, const char *name, char **ret_value, struct error *error);

// Tells all properties whose name begins with `prefix`, in the order of names; it is cut off the name.
typedef int journal_property_receiver(void *context, const char *name, const char *value,
                                      struct error *error);
int journal_each_property(struct journal *journal, const char *prefix, journal_property_receiver *receiver,
                          void *context, struct error *error);

// ---- applications

// Makes `application` the one that the functions on devices mean; it is added if it is not there. *ret_planned: all
// of its devices are known.
int journal_use_application(struct journal *journal, const char *application, bool *ret_planned,
                            struct error *error);
// The same for one that is there, without changing anything: ERROR_INPUT if it is not.
int journal_find_application(struct journal *journal, const char *application, bool *ret_planned,
                             struct error *error);

int journal_set_planned(struct journal *journal, struct error *error);

// The applications in the order in which they were added; `index` from 0 on. *ret_application is owned by the
// caller, NULL behind the last one.
int journal_application(struct journal *journal, size_t index, char **ret_application, struct error *error);

// ---- devices of the application in use

// Adds a device in state PLANNED behind those that are there; `device_id` is the ID that it will have, or NULL
// if that is not known yet. *ret_known is set, and nothing is changed, if its ID at the source is there already.
int journal_add(struct journal *journal, const struct source_record *record, const char *device_id,
                bool *ret_known, struct error *error);

// Gives a device that is there the bytes of a list's entry, unless it has some; others are ignored.
int journal_fill(struct journal *journal, const struct source_record *record, const char *device_id,
                 struct error *error);

// Gives a planned device that has no bytes yet another ID at the source: it was named by something else. *ret_known is set,
// and nothing is changed, if that ID is there already, or something is known of the device.
int journal_rename(struct journal *journal, int64_t sequence, const char *id, bool *ret_known,
                   struct error *error);

// A device as the journal keeps it. All members are owned; see journal_device_release.
struct journal_device {
    int64_t sequence;  // place in the order of the input, from 1 on
    enum device_state state;
    struct source_record record;
    bool session;        // a session goes with it
    bool untouched;      // UNDOING, RESTORING, RESTORED: it is certain that its release was never begun
    uint8_t *converted;  // protobuf bytes of ttn.lorawan.v3.EndDevice; NULL before RECORDED
    size_t converted_size;
    char *reason;       // why it failed, or what is to be known of it; NULL = nothing
    unsigned attempts;  // failures so far
    uint64_t line;      // its place in the output, from 1 on; 0 = none
    int64_t changed;    // when its state changed last, ms since 1970; 0 = never
    enum device_claim claim;
    uint8_t *before;  // CLAIM_UPDATED: what the target had, in its driver's own form; NULL = nothing
    size_t before_size;
    struct device_progress progress;  // at the target, before it is taken away from there
};

// Wipes and frees. Accepts a zeroed device.
void journal_device_release(struct journal_device *device);

// Which devices journal_next looks at.
enum journal_filter { JOURNAL_ANY, JOURNAL_WITH_SESSION, JOURNAL_WITHOUT_SESSION };

// The first device behind `after` (0: the first of all) whose state is one of `least`...`most`. Returns 1 and fills
// *ret_device, 0 if there is none, or an error.
int journal_next(struct journal *journal, int64_t after, enum device_state least, enum device_state most,
                 enum journal_filter filter, struct journal_device *ret_device, struct error *error);

// The same for the device with that ID at the source, whatever its state.
int journal_find(struct journal *journal, const char *id, struct journal_device *ret_device,
                 struct error *error);

// Keeps the device as it was read and converted, in state RECORDED. If another device has that ID, its ID at
// the source is put into *ret_other (the caller frees it) and nothing is changed.
struct journal_entry {
    int64_t sequence;
    const struct source_record *record;
    const char *device_id;
    bool session;
    const void *converted;
    size_t converted_size;
};
int journal_store(struct journal *journal, const struct journal_entry *entry, char **ret_other,
                  struct error *error);

int journal_set_state(struct journal *journal, int64_t sequence, enum device_state state,
                      struct error *error);

// The ID that a device will have. *ret_other as for journal_store.
int journal_set_device_id(struct journal *journal, int64_t sequence, const char *device_id, char **ret_other,
                          struct error *error);

// Replaces the converted device: it got other counters since it was stored. `session` as it was stored.
int journal_set_converted(struct journal *journal, int64_t sequence, const char *id, bool session,
                          const void *converted, size_t converted_size, struct error *error);

// Whose the device at the target is, and what was there before.
int journal_set_claim(struct journal *journal, int64_t sequence, const char *id, enum device_claim claim,
                      const void *before, size_t before_size, struct error *error);

// How far the device got at the target.
int journal_set_progress(struct journal *journal, int64_t sequence, const struct device_progress *progress,
                         struct error *error);

// All devices of which something may be at the target, or not at the source, are RESTORING. *ret_count of them.
int journal_restore_all(struct journal *journal, uint64_t *ret_count, struct error *error);

// Another state with its reason; counts an attempt.
int journal_set_reason(struct journal *journal, int64_t sequence, enum device_state state, const char *reason,
                       struct error *error);

// The line that a device gets: kept before it is written.
int journal_set_line(struct journal *journal, int64_t sequence, uint64_t line, struct error *error);

// The device (of any application) whose line is the first behind `after`. As journal_next.
int journal_next_line(struct journal *journal, uint64_t after, struct journal_device *ret_device,
                      struct error *error);

// Devices that are RECORDED are PLANNED again: their line is not out, and what was read of them counts no longer. That is
// also forgotten of others that are PLANNED, or RESERVING.
int journal_forget_recorded(struct journal *journal, struct error *error);

// The greatest line; 0 = none.
int journal_last_line(struct journal *journal, uint64_t *ret_line, struct error *error);

// All devices of all applications in one state get another one; *ret_count of them.
int journal_change_states(struct journal *journal, enum device_state from, enum device_state to,
                          uint64_t *ret_count, struct error *error);

// How many devices the application in use has, and how many in one state.
int journal_total(struct journal *journal, uint64_t *ret_count, struct error *error);
int journal_count(struct journal *journal, enum device_state state, uint64_t *ret_count, struct error *error);

// How many devices of all applications are in one state.
int journal_count_all(struct journal *journal, enum device_state state, uint64_t *ret_count,
                      struct error *error);

// Sets all planned devices that would get an ID which another device gets too to FAILED, and tells each.
typedef void journal_duplicate(void *context, const char *id, const char *device_id, const char *other);
int journal_fail_duplicates(struct journal *journal, journal_duplicate *tell, void *context,
                            uint64_t *ret_count, struct error *error);

#endif
