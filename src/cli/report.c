// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rfc3339.h"
#include "base/words.h"
#include "cli/global_options.h"
#include "cli/report_page.h"
#include "cli/run_facts.h"
#include "source/registry.h"
#include "target/target.h"

enum {
    FLUSH_AT = 64 * 1024,  // bytes of the page that are held
    TONES = STATE_BACK + 1,
    APPLICATIONS_SHOWN = 20,
    STATES_MAX = 64,
};

struct count {
    enum device_state state;
    uint64_t devices;
};

struct writing {
    const struct report *report;
    struct file *file;
    struct buffer page;
    struct count counts[STATES_MAX];
    size_t count_count;
    uint64_t tones[TONES];
    uint64_t total;
    uint64_t remarks;
    char *application;  // of the last device; owned
    char *target;       // in words; owned
    bool several;       // applications
    bool server;        // the run brings devices into a server
    bool formatters;    // the first of them was told
    bool gateways;      // the run was about them, not about devices
};

// ---- words

// In a run that changes nothing, a device that was read and converted is all that there can be.
static const struct state_words rehearsed = {
    .tone = STATE_DONE,
    .title = "could go",
    .meaning = "Read and converted without a mistake; nothing was changed.",
};

static const struct state_words *words_of(const struct writing *writing, enum device_state state) {
    if (writing->report->dry_run && state == DEVICE_RECORDED) return &rehearsed;
    return writing->gateways ? gateway_state_words(state) : device_state_words(state, writing->server);
}

static int find_kind(struct writing *writing, struct error *error) {
    char *command MEMORY_AUTO = NULL;
    int result = journal_property(writing->report->journal, "command", &command, error);
    writing->gateways = command != NULL && strcmp(command, "gateway") == 0;
    return result;
}

static void flush_or_keep(struct writing *writing, size_t most, int *result, struct error *error) {
    if (*result != 0 || writing->page.size <= most) return;
    struct file *file = writing->file;
    *result = file->operations->write(file, writing->page.data, writing->page.size, error);
    buffer_clear(&writing->page);
}

// ---- what the run was

static void put_fact(struct writing *writing, const char *name, const char *value) {
    if (value != NULL && value[0] != '\0') report_page_fact(&writing->page, name, value);
}

// RFC 3339 in UTC, as people read it.
static void put_time(struct writing *writing, const char *name, const char *text) {
    enum { DAY = 10, TIME = 8 };
    if (text == NULL || strlen(text) < DAY + 1 + TIME) return;
    char *shown MEMORY_AUTO = memory_printf("%.*s %.*s UTC", DAY, text, TIME, text + DAY + 1);
    put_fact(writing, name, shown);
}

static int put_property(struct writing *writing, const char *name, const char *property,
                        struct error *error) {
    char *value MEMORY_AUTO = NULL;
    int result = journal_property(writing->report->journal, property, &value, error);
    if (result == 0) put_fact(writing, name, value);
    return result;
}

// The source's title; *ret_source is its driver, NULL if this program does not know it.
static int put_source(struct writing *writing, const struct source_driver **ret_source, struct error *error) {
    char *name MEMORY_AUTO = NULL;
    int result = journal_property(writing->report->journal, "source", &name, error);
    if (result != 0 || name == NULL) return result;
    *ret_source = source_find(writing->report->sources, name, strlen(name));
    char *text MEMORY_AUTO =
        *ret_source == NULL ? memory_strdup(name) : memory_printf("%s (%s)", (*ret_source)->title, name);
    put_fact(writing, "From", text);
    return 0;
}

static int put_applications(struct writing *writing, struct error *error) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0;; i++) {
        char *application MEMORY_AUTO = NULL;
        int result = journal_application(writing->report->journal, i, &application, error);
        if (result != 0) return result;
        writing->several = i > 1;
        if (application == NULL) break;
        if (i > 0) buffer_puts(&text, ", ");
        buffer_puts(&text, i < APPLICATIONS_SHOWN ? application : "...");
        if (i == APPLICATIONS_SHOWN) {
            writing->several = true;
            break;
        }
    }
    put_fact(writing, writing->several ? "Applications" : "Application", buffer_string(&text));
    return 0;
}

// Of a URL, what stands before the @ may be a password.
static void add_value(struct buffer *text, const char *value) {
    const char *host = strstr(value, "://");
    const char *at = host == NULL ? NULL : strchr(host, '@');
    if (at != NULL && at < host + 3 + strcspn(host + 3, "/?#")) {
        buffer_add(text, value, (size_t)(host + 3 - value));
        value = at + 1;
    }
    buffer_puts(text, value);
}

// The options of a table that were given. Those that hold a secret are not even asked for.
static int put_options(struct writing *writing, const struct option_spec *table, const char *prefix,
                       const char *shown_prefix, bool *named, struct error *error) {
    static const char apart[] = "source to output journal no-journal report";
    for (; table->name != NULL; table++) {
        bool hidden = (table->flags & (OPTION_SECRET | OPTION_HIDDEN)) != 0;
        if (hidden || words_contain(apart, table->name, strlen(table->name))) continue;
        char *name MEMORY_AUTO = memory_printf("%s.%s", prefix, table->name);
        char *value MEMORY_AUTO = NULL;
        int result = journal_property(writing->report->journal, name, &value, error);
        if (result != 0) return result;
        if (value == NULL) continue;
        BUFFER_AUTO text;
        buffer_init(&text, BUFFER_UNLIMITED);
        buffer_printf(&text, "--%s%s", shown_prefix, table->name);
        bool plain = table->type == OPTION_BOOL && strcmp(value, "true") == 0;
        if (!plain) buffer_putc(&text, table->type == OPTION_BOOL ? '=' : ' ');
        if (!plain) add_value(&text, value);
        put_fact(writing, *named ? NULL : "Options", buffer_string(&text));
        *named = true;
    }
    return 0;
}

static int put_all_options(struct writing *writing, const struct source_driver *source, struct error *error) {
    bool named = false;
    int result = put_options(writing, global_options, "global", "", &named, error);
    if (result != 0 || source == NULL) return result;
    char *prefix MEMORY_AUTO = memory_printf("%s.", source->name);
    return put_options(writing, source->options, "source", prefix, &named, error);
}

static void put_formatters(void *context, const struct run_facts_formatters *formatters) {
    struct writing *writing = context;
    const char *reason = formatters->reason;
    char *text MEMORY_AUTO = memory_printf("%s: %s%s%s", formatters->application, formatters->words,
                                           reason != NULL ? ": " : "", reason != NULL ? reason : "");
    put_fact(writing, writing->formatters ? NULL : "Payload formatters", text);
    writing->formatters = true;
}

static int put_facts(struct writing *writing, struct error *error) {
    const struct report *report = writing->report;
    const struct source_driver *source = NULL;
    char now[RFC3339_TEXT_SIZE];
    rfc3339_format_ns(now, report->now);
    char *created MEMORY_AUTO = NULL;
    report_page_facts(&writing->page);
    int result = put_source(writing, &source, error);
    put_fact(writing, "To", writing->target);
    // Gateways belong to no application.
    if (result == 0 && !writing->gateways) result = put_applications(writing, error);
    if (result == 0) result = run_facts_each_formatters(report->journal, put_formatters, writing, error);
    if (result == 0) result = put_property(writing, "Command", "command", error);
    if (result == 0) result = put_property(writing, "Output", "output.path", error);
    if (result == 0) result = put_all_options(writing, source, error);
    if (result == 0) result = journal_property(report->journal, "created", &created, error);
    put_time(writing, "Started", created);
    put_fact(writing, "Ended", report->ending);
    put_time(writing, "This page", now);
    if (result == 0) result = put_property(writing, "By", "user", error);
    if (result == 0) result = put_property(writing, "Version", "program", error);
    put_fact(writing, "Journal", report->path);
    report_page_facts_end(&writing->page);
    return result;
}

// ---- numbers

static void keep_count(void *context, enum device_state state, uint64_t devices) {
    struct writing *writing = context;
    writing->total += devices;
    writing->tones[words_of(writing, state)->tone] += devices;
    if (writing->count_count < STATES_MAX)
        writing->counts[writing->count_count++] = (struct count){state, devices};
}

static char *lead_of(const struct writing *writing) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    const uint64_t *tones = writing->tones;
    if (writing->report->dry_run) buffer_puts(&text, "A rehearsal, nothing was changed: ");
    const char *things = writing->gateways ? "gateways" : "devices";
    const char *done = writing->report->dry_run ? "could go"
                       : writing->gateways      ? "are at the target"
                                                : "moved";
    buffer_printf(&text, "%" PRIu64 " of %" PRIu64 " %s %s", tones[STATE_DONE], writing->total, things, done);
    if (tones[STATE_OPEN] > 0) buffer_printf(&text, ", %" PRIu64 " not finished", tones[STATE_OPEN]);
    if (tones[STATE_WRONG] > 0) buffer_printf(&text, ", %" PRIu64 " to look at", tones[STATE_WRONG]);
    if (tones[STATE_BACK] > 0) buffer_printf(&text, ", %" PRIu64 " put back", tones[STATE_BACK]);
    buffer_putc(&text, '.');
    return buffer_take_string(&text);
}

static void put_counts(struct writing *writing) {
    size_t states = 0;
    const enum device_state *order = device_states(&states);
    report_page_counts(&writing->page, writing->gateways ? "How many gateways" : "How many devices");
    for (size_t i = 0; i <= states; i++) {
        for (size_t j = 0; j < writing->count_count; j++) {
            const struct count *count = &writing->counts[j];
            const struct state_words *words = words_of(writing, count->state);
            bool strange = strcmp(device_state_name(count->state), "unknown") == 0;
            if (i < states ? count->state == order[i] : strange)
                report_page_count(&writing->page, words, count->devices);
        }
    }
    report_page_counts_end(&writing->page);
}

// What is to be done with those that are where they were to go.
static const char *last_step(const struct writing *writing) {
    if (writing->gateways)
        return "give the gateways the address of their new network, unless they were redirected";
    if (writing->server) return "keep the journal until each device was heard in the new network";
    return "import the devices that moved, and keep the output and the journal until each was heard in the "
           "new "
           "network";
}

// The most urgent first; states with the same step count once.
static void put_steps(struct writing *writing) {
    const struct report *report = writing->report;
    report_page_steps(&writing->page);
    unsigned most = 0;
    for (size_t i = 0; i < writing->count_count; i++) {
        unsigned urgency = words_of(writing, writing->counts[i].state)->urgency;
        if (urgency > most) most = urgency;
    }
    bool any = false;
    const char *last = NULL;
    for (unsigned urgency = most; urgency > 0; urgency--) {
        for (size_t i = 0; i < writing->count_count; i++) {
            const struct state_words *words = words_of(writing, writing->counts[i].state);
            if (words->urgency != urgency || words->finding == last) continue;
            const char *command = report->name == NULL ? NULL : words->command;
            report_page_step(&writing->page, words->finding, command, report->name);
            last = words->finding;
            any = true;
        }
    }
    if (report->dry_run) {
        report_page_step(&writing->page, "to migrate, run the same command without --dry-run", NULL, NULL);
    } else if (writing->tones[STATE_DONE] > 0) {
        report_page_step(&writing->page, last_step(writing), NULL, NULL);
    } else if (!any) {
        report_page_step(&writing->page, "nothing is left to do", NULL, NULL);
    }
    report_page_steps_end(&writing->page);
}

// ---- devices

static int put_remark(void *context, const struct journal_row *row, struct error *error) {
    struct writing *writing = context;
    int result = 0;
    writing->remarks++;
    report_page_remark(&writing->page, row, words_of(writing, row->state));
    flush_or_keep(writing, FLUSH_AT, &result, error);
    return result;
}

static int put_device(void *context, const struct journal_row *row, struct error *error) {
    struct writing *writing = context;
    int result = 0;
    if (writing->several &&
        (writing->application == NULL || strcmp(writing->application, row->application) != 0)) {
        free(writing->application);
        writing->application = memory_strdup(row->application);
        report_page_group(&writing->page, row->application);
    }
    report_page_device(&writing->page, row, words_of(writing, row->state));
    flush_or_keep(writing, FLUSH_AT, &result, error);
    return result;
}

static int write_page(struct writing *writing, struct error *error) {
    struct journal *journal = writing->report->journal;
    int result = journal_hold(journal, error);
    if (result == 0) result = run_facts_target(journal, &writing->server, &writing->target, error);
    if (result == 0) result = find_kind(writing, error);
    if (result == 0) result = journal_each_count(journal, keep_count, writing, error);
    if (result != 0) return result;
    char *lead MEMORY_AUTO = lead_of(writing);
    report_page_begin(&writing->page, "Report of a migration", lead);
    result = put_facts(writing, error);
    put_counts(writing);
    put_steps(writing);
    report_page_remarks(&writing->page, writing->gateways ? "Gateways to look at" : "Devices to look at");
    if (result == 0) result = journal_each_row(journal, JOURNAL_ROWS_TOLD, put_remark, writing, error);
    report_page_remarks_end(&writing->page, writing->remarks);
    report_page_devices(&writing->page, writing->gateways ? "All gateways" : "All devices",
                        writing->gateways ? "EUI" : "DevEUI");
    if (result == 0) result = journal_each_row(journal, JOURNAL_ROWS_ALL, put_device, writing, error);
    report_page_devices_end(&writing->page);
    report_page_end(&writing->page);
    flush_or_keep(writing, 0, &result, error);
    return result != 0 ? result : writing->file->operations->sync(writing->file, error);
}

int report_write(const struct report *report, struct file *file, struct error *error) {
    struct writing writing = {.report = report, .file = file};
    buffer_init(&writing.page, BUFFER_UNLIMITED);
    int result = write_page(&writing, error);
    buffer_release(&writing.page);
    free(writing.application);
    free(writing.target);
    // Half a page would look like a whole one.
    ERROR_AUTO repair = {0};
    if (result != 0 && file->regular) (void)file->operations->truncate(file, 0, &repair);
    return result;
}
