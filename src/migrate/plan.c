// SPDX-License-Identifier: Apache-2.0
// Which devices a run is about: servers and credentials, the list, and IDs that collide.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "migrate/run_p.h"

enum {
    LIST_PASSES = 3,       // a list that changes while it is read is read again, so often at most
    LIST_WORTH = 10,       // from so many IDs on, one list call is better than a call for each
    LIST_PAGES = 1 << 20,  // a server that never ends its list is stopped here
};

enum job_step run_prepare_job(struct run *run, enum run_side side, struct job *job, struct error *error) {
    struct target *target = run->setup.target_instance;
    if (run->setup.gateways) {
        return side == SIDE_TARGET ? target->driver->prepare_gateways(target, job, error)
                                   : run->setup.driver->prepare_gateways(run->setup.source, job, error);
    }
    if (side == SIDE_TARGET) return target->driver->prepare(target, job, run->application, error);
    return run->setup.driver->prepare(run->setup.source, job, run->application, error);
}

struct prepare_context {
    struct run *run;
    enum run_side side;
};

static enum job_step prepare_job(void *context, struct job *job, struct error *error) {
    const struct prepare_context *prepare = context;
    return run_prepare_job(prepare->run, prepare->side, job, error);
}

int run_prepare(struct run *run, enum run_side side, struct error *error) {
    bool there =
        side == SIDE_TARGET ? run->setup.target_instance != NULL : run->setup.driver->prepare != NULL;
    if (!there) return 0;
    run->numbers.phase = "looking for the servers";
    struct prepare_context prepare = {.run = run, .side = side};
    return run_job(run, side, PRIORITY_LOGIN, prepare_job, &prepare, error);
}

struct list_context {
    struct run *run;
    struct source_page page;
};

static enum job_step list_job(void *context, struct job *job, struct error *error) {
    struct list_context *list = context;
    const struct run_setup *setup = &list->run->setup;
    if (setup->gateways) return setup->driver->list_gateways(setup->source, job, &list->page, error);
    return list->run->setup.driver->list(list->run->setup.source, job, &list->page, error);
}

// Drops the records of a page but keeps its cursor.
static void page_next(struct source_page *page) {
    char *cursor = memory_take(page->cursor);
    source_page_release(page);
    page->cursor = cursor;
}

// Reads the list once. *ret_stable: no device came or went meanwhile, as far as the totals tell.
static int list_pass(struct run *run, run_page *receive, void *context, bool *ret_stable,
                     struct error *error) {
    struct list_context list = {.run = run};
    uint64_t first_total = 0;
    uint64_t seen = 0;
    int result = 0;
    *ret_stable = true;
    for (size_t pages = 0; result == 0; pages++) {
        page_next(&list.page);
        if (pages == LIST_PAGES) {
            result = error_set(error, ERROR_PROTOCOL, "the list of %s has no end", run_things(run));
            break;
        }
        result = run_job(run, SIDE_SOURCE, PRIORITY_LIST, list_job, &list, error);
        if (result != 0) break;
        seen += list.page.count;
        if (pages == 0) first_total = list.page.total;
        if (list.page.total > 0 && seen / 2 > list.page.total) {
            result =
                error_set(error, ERROR_PROTOCOL, "the list of %s is longer than it says", run_things(run));
            break;
        }
        if (list.page.total != first_total) *ret_stable = false;
        result = receive(run, context, &list.page, error);
        if (result == RUN_LIST_ENOUGH) *ret_stable = true;
        if (list.page.cursor == NULL) break;
    }
    source_page_release(&list.page);
    return result == RUN_LIST_ENOUGH ? 0 : result;
}

int run_list(struct run *run, run_page *receive, void *context, struct error *error) {
    bool stable = false;
    int result = 0;
    for (int pass = 0; pass < LIST_PASSES && !stable && result == 0; pass++) {
        result = list_pass(run, receive, context, &stable, error);
    }
    if (result == 0 && !stable) {
        char *text MEMORY_AUTO = memory_printf(
            "%s come and go while the list is read: run the command again at the end", run_things(run));
        run_tell(run, LOG_WARN, NULL, text, NULL);
    }
    return result;
}

// The ID that a device will have, as far as the list already tells; NULL if it does not.
static const char *planned_id(const struct run *run, const struct source_record *record, char *space) {
    const struct device_map_entry *entry = device_map_find(run->setup.map, record);
    if (entry != NULL && entry->device_id != NULL) return entry->device_id;
    if (run->setup.naming->eui_as_id && !record->has_dev_eui) return NULL;
    ERROR_AUTO ignored = {0};
    const uint8_t *eui = record->has_dev_eui ? record->dev_eui : NULL;
    if (device_id_make(run->setup.naming, record->id, eui, space, &ignored) != 0) return NULL;
    return space;
}

static int plan_page(struct run *run, void *context, const struct source_page *page, struct error *error) {
    (void)context;
    for (size_t i = 0; i < page->count; i++) {
        char space[DEVICE_ID_SIZE];
        bool known = false;
        const struct source_record *record = &page->records[i];
        int result = journal_add(run->journal, record, planned_id(run, record, space), &known, error);
        if (result != 0) return result;
        if (!known) run->numbers.total++;
    }
    return 0;
}

// IDs that the user has named; some of them may be DevEUIs.
struct id_plan {
    struct run *run;
    uint64_t count;
    uint64_t euis;                  // how many read as a DevEUI
    uint8_t (*found)[EUI64_BYTES];  // owned; of these, what devices of the list were found by
    size_t found_count;
    size_t found_capacity;
};

// 16 hexadecimal digits.
static bool reads_as_eui(const char *id, uint8_t eui[static EUI64_BYTES]) {
    return hex_decode(eui, EUI64_BYTES, id, strlen(id));
}

static int ambiguous(const char *text, struct error *error) {
    error_set(error, ERROR_INPUT, "%s is the ID of one, and the EUI of another one", text);
    error_hint(error,
               "give one of them another ID in the file, or take all of it with the command application");
    return -ERROR_INPUT;
}

// A device that was named by its DevEUI in that form, if it was, gets the ID that it has at the source.
static int take_eui(struct id_plan *plan, const char *text, const struct source_record *record,
                    struct error *error) {
    struct journal *journal = plan->run->journal;
    struct journal_device device = {0};
    bool known = false;
    if (strcmp(text, record->id) == 0) return 0;
    int result = journal_find(journal, text, &device, error);
    bool there = result == 1;
    bool taken = device.record.data != NULL;
    int64_t sequence = device.sequence;
    journal_device_release(&device);
    if (result < 0 || !there) return result;
    if (taken) return ambiguous(text, error);
    result = journal_rename(journal, sequence, record->id, &known, error);
    if (result != 0) return result;
    if (known) return error_set(error, ERROR_INPUT, "%s and %s are the same: name it once", text, record->id);
    if (plan->found_count == plan->found_capacity) {
        plan->found_capacity = plan->found_capacity > 0 ? 2 * plan->found_capacity : 16;
        plan->found = memory_resize(plan->found, plan->found_capacity, sizeof *plan->found);
    }
    memcpy(plan->found[plan->found_count++], record->dev_eui, EUI64_BYTES);
    return 0;
}

// An ID goes before a DevEUI, but a list may name the device of the DevEUI first.
static int check_ambiguous(const struct id_plan *plan, const struct source_record *record,
                           struct error *error) {
    uint8_t eui[EUI64_BYTES];
    if (!reads_as_eui(record->id, eui)) return 0;
    if (record->has_dev_eui && memcmp(record->dev_eui, eui, sizeof eui) == 0) return 0;
    for (size_t i = 0; i < plan->found_count; i++) {
        if (memcmp(plan->found[i], eui, sizeof eui) == 0) return ambiguous(record->id, error);
    }
    return 0;
}

static int take_euis(struct id_plan *plan, const struct source_record *record, struct error *error) {
    char text[HEX_TEXT_SIZE(EUI64_BYTES)];
    if (plan->euis == 0) return 0;
    int result = check_ambiguous(plan, record, error);
    if (result != 0 || !record->has_dev_eui) return result;
    hex_encode_upper(text, record->dev_eui, EUI64_BYTES);
    result = take_eui(plan, text, record, error);
    if (result != 0) return result;
    hex_encode_lower(text, record->dev_eui, EUI64_BYTES);
    return take_eui(plan, text, record, error);
}

static int fill_page(struct run *run, void *context, const struct source_page *page, struct error *error) {
    struct id_plan *plan = context;
    for (size_t i = 0; i < page->count; i++) {
        char space[DEVICE_ID_SIZE];
        const struct source_record *record = &page->records[i];
        int result = take_euis(plan, record, error);
        if (result != 0) return result;
        result = journal_fill(run->journal, record, planned_id(run, record, space), error);
        if (result != 0) return result;
    }
    return 0;
}

struct duplicates {
    struct run *run;
    bool all;     // each is told, with all others that cannot go
    char *first;  // owned; the text about the first one
};

static void tell_duplicate(void *context, const char *id, const char *device_id, const char *other) {
    struct duplicates *duplicates = context;
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_DEVICE, "would become %s, as %s would", device_id, other);
    error_hint(&error, "%s", HINT_SAME_ID);
    if (duplicates->run->setup.plan_only) return;
    if (duplicates->all) {
        run_tell(duplicates->run, LOG_ERROR, id, "cannot be migrated", &error);
        if (!duplicates->run->setup.keep_going && duplicates->run->obstacles++ == 0)
            duplicates->run->obstacle = memory_strdup(id);
    } else if (duplicates->first == NULL) {
        duplicates->first = memory_printf("%s and %s would both become %s", id, other, device_id);
    }
}

// Two devices must not become one: both are refused before anything is changed.
static int check_duplicates(struct run *run, struct error *error) {
    bool looks = run_looks_first(run) || (run->setup.dry_run && run->setup.target_instance != NULL);
    struct duplicates duplicates = {.run = run, .all = run->setup.keep_going || looks};
    uint64_t count = 0;
    int result = journal_fail_duplicates(run->journal, tell_duplicate, &duplicates, &count, error);
    char *first MEMORY_AUTO = duplicates.first;
    if (result != 0 || count == 0) return result;
    run->numbers.failed += count;
    run->numbers.done += count;
    if (duplicates.all) return 0;
    // Not kept as failed: the next run looks again.
    uint64_t again = 0;
    result = journal_change_states(run->journal, DEVICE_FAILED, DEVICE_PLANNED, &again, error);
    if (result != 0) return result;
    error_set(error, ERROR_DEVICE, "%" PRIu64 " %s would share an ID: %s", count, run_things(run), first);
    error_hint(error, "%s; or set them aside with --keep-going", HINT_SAME_ID);
    return -ERROR_DEVICE;
}

// A constant: it outlives the run's numbers.
static const char *list_phase(const struct run *run) {
    return run->setup.gateways ? "reading the list of gateways" : "reading the list of devices";
}

int run_plan_application(struct run *run, struct error *error) {
    run->numbers.phase = list_phase(run);
    int result = run_list(run, plan_page, NULL, error);
    if (result != 0) return result;
    run->numbers.total_known = true;
    return check_duplicates(run, error);
}

static int plan_id(void *context, const char *id, struct error *error) {
    struct id_plan *plan = context;
    char *copy MEMORY_AUTO = memory_strdup(id);
    const struct source_record record = {.id = copy};
    char space[DEVICE_ID_SIZE];
    bool known = false;
    int result =
        journal_add(plan->run->journal, &record, planned_id(plan->run, &record, space), &known, error);
    if (result != 0) return result;
    if (known) {
        run_tell(plan->run, LOG_WARN, id, "is named twice and counts once", NULL);
    } else {
        bool only = (plan->run->setup.driver->features & SOURCE_LIST_ONLY) != 0;
        uint8_t eui[EUI64_BYTES];
        plan->count++;
        if (only && reads_as_eui(id, eui)) plan->euis++;
    }
    return 0;
}

// Of devices that a list alone can give, all must have been in it. Those that were not are told by name.
static int check_listed(struct run *run, struct error *error) {
    enum { NAMED = 5 };
    BUFFER_AUTO names;
    buffer_init(&names, BUFFER_UNLIMITED);
    uint64_t missing = 0;
    int64_t last = 0;
    for (;;) {
        struct journal_device device = {0};
        int found =
            journal_next(run->journal, last, DEVICE_PLANNED, DEVICE_PLANNED, JOURNAL_ANY, &device, error);
        if (found < 0) return found;
        if (found == 0) break;
        last = device.sequence;
        if (device.record.data == NULL && ++missing <= NAMED) {
            buffer_printf(&names, "%s%s", missing > 1 ? ", " : "", device.record.id);
        }
        journal_device_release(&device);
    }
    if (missing == 0) return 0;
    return error_set(error, ERROR_INPUT, "the source has no %s %s%s",
                     run->setup.gateways ? "gateway" : "device", buffer_string(&names),
                     missing > NAMED ? ", and more" : "");
}

// Gives planned devices what a list says of them, where that saves calls or nothing else knows them.
static int fill_from_list(struct id_plan *plan, struct error *error) {
    struct run *run = plan->run;
    unsigned features = run->setup.driver->features;
    bool only = (features & SOURCE_LIST_ONLY) != 0;
    bool cheap = (features & SOURCE_CHEAP_LIST) != 0 && run->setup.dry_run && plan->count >= LIST_WORTH;
    if (!only && (!cheap || run->setup.gateways)) return 0;
    run->numbers.phase = list_phase(run);
    int result = run_list(run, fill_page, plan, error);
    // Set aside one by one, if that is wanted: nothing can be read of them.
    return result != 0 || !only || run->setup.keep_going ? result : check_listed(run, error);
}

int run_plan_devices(struct run *run, run_id_feed *feed, void *context, struct error *error) {
    run->numbers.phase = "reading the IDs";
    struct id_plan plan = {.run = run};
    int result = feed(context, plan_id, &plan, error);
    if (result != 0) return result;
    run->numbers.total += plan.count;
    run->numbers.total_known = true;
    result = fill_from_list(&plan, error);
    free(plan.found);
    return result != 0 ? result : check_duplicates(run, error);
}
