// SPDX-License-Identifier: Apache-2.0
// How far a run came. Nothing is contacted, and nothing is changed but by --forget.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/on_the_way.h"
#include "cli/output.h"
#include "cli/printable.h"
#include "cli/remarks.h"
#include "cli/run_facts.h"
#include "cli/run_journal.h"
#include "journal/state_words.h"
#include "source/registry.h"

static const char *environment(const char *name) {
    return getenv(name);
}

static const char *const shown_properties[] = {"created", "command", "source"};
static const char *const more_properties[] = {"output.path", "user", "program"};

// Of RFC 3339: "2026-01-31T10:15:00", and where the time of day begins.
enum { TIME_SIZE = 19, TIME_AT = 11 };

struct status {
    const struct session *session;
    struct run_journal journal;
    struct buffer text;
    json_t *json;             // owned; NULL = text is wanted
    bool server;              // the run brings devices into a server
    struct remarks *remarks;  // owned; for text
    bool gateways;            // the run is about them, not about devices
    uint64_t on_the_way;      // devices between two networks
    uint64_t at_neither;      // of these: may be at neither
};

// Text of others may be no UTF-8, which JSON has to be.
static json_t *json_text(const char *text) {
    BUFFER_AUTO repaired;
    buffer_init(&repaired, BUFFER_UNLIMITED);
    utf8_repair(text, strlen(text), &repaired);
    return json_string(buffer_string(&repaired));
}

static void put_text(struct status *status, const char *name, const char *value) {
    if (status->json != NULL) {
        json_object_set_new(status->json, name, json_text(value));
        return;
    }
    buffer_printf(&status->text, "%-12s ", name);
    printable_add(&status->text, value);
    buffer_putc(&status->text, '\n');
}

static int put_each(struct status *status, const char *const *names, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++) {
        char *value MEMORY_AUTO = NULL;
        int result = journal_property(status->journal.journal, names[i], &value, error);
        if (result != 0) return result;
        if (value == NULL || value[0] == '\0') continue;
        bool time = status->json == NULL && strcmp(names[i], "created") == 0 && strlen(value) > TIME_SIZE;
        char *shown MEMORY_AUTO = time ? memory_printf("%.10s %.8s UTC", value, value + TIME_AT) : NULL;
        put_text(status, names[i], shown != NULL ? shown : value);
    }
    return 0;
}

// What converts devices that are not begun, and may be given anew to `resume`.
static int put_flags(struct status *status, struct error *error) {
    char *name MEMORY_AUTO = NULL;
    int result = journal_property(status->journal.journal, "source", &name, error);
    if (result != 0 || name == NULL) return result;
    const struct source_driver *source = source_find(status->session->sources, name, strlen(name));
    json_t *flags = status->json != NULL ? json_object() : NULL;
    for (const struct option_spec *spec = source == NULL ? NULL : source->options;
         spec != NULL && spec->name != NULL && result == 0; spec++) {
        if ((spec->flags & OPTION_CONVERTS) == 0) continue;
        char *property MEMORY_AUTO = memory_printf("source.%s", spec->name);
        char *value MEMORY_AUTO = NULL;
        char *flag MEMORY_AUTO = memory_printf("%s.%s", source->name, spec->name);
        result = journal_property(status->journal.journal, property, &value, error);
        if (value == NULL) continue;
        char *text MEMORY_AUTO = memory_printf("--%s %s", flag, value);
        if (flags != NULL) {
            json_object_set_new(flags, flag, json_text(value));
        } else {
            put_text(status, "flag", text);
        }
    }
    if (flags != NULL) json_object_set_new(status->json, "flags", flags);
    return result;
}

static int put_properties(struct status *status, struct error *error) {
    char *target MEMORY_AUTO = NULL;
    put_text(status, "journal", status->journal.path);
    int result =
        put_each(status, shown_properties, sizeof shown_properties / sizeof *shown_properties, error);
    if (result == 0) result = run_facts_target(status->journal.journal, &status->server, &target, error);
    if (result == 0) put_text(status, "target", target);
    if (result == 0) result = put_flags(status, error);
    if (result == 0)
        result = put_each(status, more_properties, sizeof more_properties / sizeof *more_properties, error);
    return result;
}

static void put_formatters(void *context, const struct run_facts_formatters *formatters) {
    struct status *status = context;
    if (status->json != NULL) {
        json_t *one = json_object();
        json_object_set_new(one, "application", json_text(formatters->application));
        json_object_set_new(one, "state", json_text(formatters->state));
        if (formatters->reason != NULL) json_object_set_new(one, "reason", json_text(formatters->reason));
        json_array_append_new(json_object_get(status->json, "formatters"), one);
        return;
    }
    char *text MEMORY_AUTO = memory_printf("%s: %s%s%s", formatters->application, formatters->words,
                                           formatters->reason != NULL ? ": " : "",
                                           formatters->reason != NULL ? formatters->reason : "");
    put_text(status, "formatters", text);
}

static int count_of(struct status *status, enum device_state state, uint64_t *ret_count,
                    struct error *error) {
    return journal_count_all(status->journal.journal, state, ret_count, error);
}

static int put_counts(struct status *status, struct error *error) {
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    json_t *object = status->json != NULL ? json_object() : NULL;
    for (size_t i = 0; i < count; i++) {
        uint64_t devices = 0;
        int result = count_of(status, states[i], &devices, error);
        if (result != 0) {
            json_decref(object);
            return result;
        }
        if (object != NULL) {
            json_object_set_new(object, device_state_name(states[i]), json_integer((json_int_t)devices));
        } else if (devices > 0) {
            buffer_printf(&status->text, "%-12s %" PRIu64 "\n", device_state_name(states[i]), devices);
        }
    }
    if (object != NULL) json_object_set_new(status->json, "states", object);
    return 0;
}

// Calls `each` for every device in a state of `least`...`most`, over all applications.
typedef void device_receiver(void *context, const struct journal_device *device);

static int each_device(struct journal *journal, enum device_state least, enum device_state most,
                       device_receiver *each, void *context, struct error *error) {
    for (size_t i = 0;; i++) {
        char *application MEMORY_AUTO = NULL;
        bool planned = false;
        int result = journal_application(journal, i, &application, error);
        if (result != 0 || application == NULL) return result;
        result = journal_find_application(journal, application, &planned, error);
        struct journal_device device = {0};
        int64_t after = 0;
        while (result == 0 &&
               (result = journal_next(journal, after, least, most, JOURNAL_ANY, &device, error)) == 1) {
            after = device.sequence;
            each(context, &device);
            journal_device_release(&device);
            result = 0;
        }
        if (result < 0) return result;
    }
}

static void put_failure(void *context, const struct journal_device *device) {
    struct status *status = context;
    const char *reason = device->reason == NULL ? "" : device->reason;
    if (status->json != NULL) {
        json_t *list = json_object_get(status->json, "failures");
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:o, s:i}", status->gateways ? "gateway_id" : "device_id",
                            json_text(device->record.id), "state", device_state_name(device->state), "reason",
                            json_text(reason), "attempts", (int)device->attempts));
        return;
    }
    if (device->reason != NULL)
        remarks_add(status->remarks, device->record.id, device_state_name(device->state), reason);
}

static void put_on_the_way(struct status *status, const struct journal_device *device) {
    bool neither = on_the_way_at_neither(device, status->server);
    status->on_the_way++;
    if (neither) status->at_neither++;
    if (status->json != NULL) {
        json_array_append_new(
            json_object_get(status->json, "on_the_way"),
            json_pack("{s:o, s:s, s:b}", "device_id", json_text(device->record.id), "state",
                      device_state_name(device->state), "perhaps_at_neither", (int)neither));
        return;
    }
    char *remark MEMORY_AUTO = on_the_way_remark(device, status->server);
    remarks_add(status->remarks, device->record.id, device_state_name(device->state), remark);
}

static void put_unfinished(void *context, const struct journal_device *device) {
    struct status *status = context;
    bool way = !status->gateways && on_the_way(device, status->server);
    if (way) put_on_the_way(status, device);
    if (device->reason != NULL && (!way || status->json != NULL)) put_failure(status, device);
}

static void put_id(void *context, const struct journal_device *device) {
    struct status *status = context;
    buffer_puts(&status->text, device->record.id);
    buffer_putc(&status->text, '\n');
}

static void put_id_on_the_way(void *context, const struct journal_device *device) {
    const struct status *status = context;
    if (!status->gateways && on_the_way(device, status->server)) put_id(context, device);
}

static void put_way(struct status *status) {
    if (status->json != NULL || status->on_the_way == 0) return;
    uint64_t count = status->on_the_way;
    char *text MEMORY_AUTO = memory_printf("%" PRIu64 " device%s, %" PRIu64
                                           " may be at neither network; all IDs: --unfinished-ids",
                                           count, count == 1 ? "" : "s", status->at_neither);
    put_text(status, "on the way", text);
}

// What a person would do next.
static int put_next(struct status *status, struct error *error) {
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    const struct state_words *most = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct state_words *words =
            status->gateways ? gateway_state_words(states[i]) : device_state_words(states[i], status->server);
        uint64_t devices = 0;
        int result = words->urgency == 0 ? 0 : count_of(status, states[i], &devices, error);
        if (result != 0) return result;
        if (devices > 0 && (most == NULL || words->urgency > most->urgency)) most = words;
    }
    if (most == NULL) {
        put_text(status, "next", "nothing is left to do");
        return 0;
    }
    // A run that was asked for need not be the latest one, which is what the command is about without its name.
    const struct invocation *invocation = status->session->invocation;
    const char *name = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    char *text MEMORY_AUTO = memory_printf("%s: ttn-lw-migrate %s%s%s", most->finding, most->command,
                                           name != NULL ? " " : "", name != NULL ? name : "");
    put_text(status, "next", text);
    return 0;
}

static int find_kind(struct run_journal *journal, bool *ret_gateways, struct error *error) {
    char *command MEMORY_AUTO = NULL;
    int result = run_journal_command(journal, &command, error);
    *ret_gateways = command != NULL && strcmp(command, "gateway") == 0;
    return result;
}

static int fill_status(struct status *status, struct error *error) {
    int result = find_kind(&status->journal, &status->gateways, error);
    if (result == 0) result = put_properties(status, error);
    if (result == 0) result = put_counts(status, error);
    if (status->json != NULL) json_object_set_new(status->json, "failures", json_array());
    if (status->json != NULL) json_object_set_new(status->json, "formatters", json_array());
    if (status->json != NULL) json_object_set_new(status->json, "on_the_way", json_array());
    struct journal *journal = status->journal.journal;
    if (result == 0) result = run_facts_each_formatters(journal, put_formatters, status, error);
    if (result == 0)
        result = each_device(journal, DEVICE_PLANNED, DEVICE_CONFIRMED, put_unfinished, status, error);
    if (result == 0) result = each_device(journal, DEVICE_FAILED, DEVICE_FAILED, put_failure, status, error);
    if (result == 0)
        result = each_device(journal, DEVICE_UNDOING, DEVICE_UNDOING, put_unfinished, status, error);
    if (result == 0)
        result = each_device(journal, DEVICE_RESTORING, DEVICE_RESTORED, put_unfinished, status, error);
    put_way(status);
    remarks_write(status->remarks, &status->text);
    return result != 0 ? result : put_next(status, error);
}

// The IDs alone that a flag asks for.
static int fill_ids(struct status *status, bool failed, struct error *error) {
    struct journal *journal = status->journal.journal;
    if (failed) return each_device(journal, DEVICE_FAILED, DEVICE_FAILED, put_id, status, error);
    char *target MEMORY_AUTO = NULL;
    int result = find_kind(&status->journal, &status->gateways, error);
    if (result == 0) result = run_facts_target(journal, &status->server, &target, error);
    return result != 0
               ? result
               : each_device(journal, DEVICE_PLANNED, DEVICE_RESTORED, put_id_on_the_way, status, error);
}

static enum exit_code show_one(const struct session *session, const char *name) {
    const struct option_values *global = session->invocation->global;
    struct status status = {.session = session, .remarks = remarks_new()};
    buffer_init(&status.text, BUFFER_UNLIMITED);
    ERROR_AUTO error = {0};
    bool failed = option_bool(global, "failed-ids");
    bool ids = failed || option_bool(global, "unfinished-ids");
    if (!ids && option_bool(global, "json")) status.json = json_object();
    int result = run_journal_open(global, name, false, environment, &status.journal, &error);
    if (result == 0) result = ids ? fill_ids(&status, failed, &error) : fill_status(&status, &error);
    enum exit_code code = EXIT_DONE;
    if (result != 0) {
        code = output_error(session, &error);
        json_decref(status.json);
    } else if (status.json != NULL) {
        code = output_json(session, status.json);
    } else {
        code = output_text(session, &status.text);
    }
    run_journal_release(&status.journal);
    remarks_free(status.remarks);
    buffer_release(&status.text);
    return code;
}

// ---- all runs

struct listing {
    const struct session *session;
    struct buffer text;
    json_t *json;  // owned; NULL = text is wanted
};

// How many devices of a run are where.
struct tally {
    bool server;
    bool gateways;
    uint64_t tones[STATE_BACK + 1];
    uint64_t failed;
};

static int take_tally(struct journal *journal, struct tally *tally, struct error *error) {
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    char *target MEMORY_AUTO = NULL;
    int result = run_facts_target(journal, &tally->server, &target, error);
    for (size_t i = 0; i < count && result == 0; i++) {
        uint64_t devices = 0;
        result = journal_count_all(journal, states[i], &devices, error);
        bool failed = states[i] == DEVICE_FAILED;
        *(failed ? &tally->failed : &tally->tones[device_state_words(states[i], tally->server)->tone]) +=
            devices;
    }
    return result;
}

static void put_run(struct listing *listing, const char *run, const char *made, const struct tally *tally) {
    const struct {
        uint64_t devices;
        const char *words;
    } parts[] = {
        {tally->tones[STATE_DONE], tally->gateways ? "gateways at the target" : "moved"},
        {tally->tones[STATE_BACK], "put back"},
        {tally->tones[STATE_OPEN], "to do"},
        {tally->failed, "set aside"},
        {tally->tones[STATE_WRONG], "to look at"},
    };
    buffer_printf(&listing->text, "%-28s %.10s %.8s UTC ", run, made, made + TIME_AT);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].devices > 0 || i == 0)
            buffer_printf(&listing->text, "%s%" PRIu64 " %s", i > 0 ? ", " : " ", parts[i].devices,
                          parts[i].words);
    }
    buffer_putc(&listing->text, '\n');
}

// A journal that cannot be read is shown as such, and the others all the same.
static int list_one(void *context, const char *path, struct error *error) {
    (void)error;
    struct listing *listing = context;
    struct run_journal journal = {0};
    ERROR_AUTO unreadable = {0};
    char *created MEMORY_AUTO = NULL;
    struct tally tally = {0};
    int result = run_journal_open(listing->session->invocation->global, path, false, environment, &journal,
                                  &unreadable);
    if (result == 0) result = journal_property(journal.journal, "created", &created, &unreadable);
    if (result == 0) result = find_kind(&journal, &tally.gateways, &unreadable);
    if (result == 0) result = take_tally(journal.journal, &tally, &unreadable);
    const char *slash = strrchr(path, '/');
    char *run MEMORY_AUTO = memory_strdup(slash == NULL ? path : slash + 1);
    run[strcspn(run, ".")] = '\0';
    bool readable = result == 0 && created != NULL && strlen(created) > TIME_SIZE;
    if (listing->json != NULL) {
        json_array_append_new(
            listing->json,
            json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "run", run, "journal", path, "created",
                      readable ? created : "cannot be read", "moved", (json_int_t)tally.tones[STATE_DONE],
                      "back", (json_int_t)tally.tones[STATE_BACK], "open",
                      (json_int_t)tally.tones[STATE_OPEN], "failed", (json_int_t)tally.failed, "to_look_at",
                      (json_int_t)tally.tones[STATE_WRONG]));
    } else if (readable) {
        put_run(listing, run, created, &tally);
    } else {
        buffer_printf(&listing->text, "%-28s cannot be read\n", run);
    }
    run_journal_release(&journal);
    return 0;
}

static enum exit_code show_list(const struct session *session) {
    struct listing listing = {.session = session};
    buffer_init(&listing.text, BUFFER_UNLIMITED);
    if (option_bool(session->invocation->global, "json")) listing.json = json_array();
    ERROR_AUTO error = {0};
    enum exit_code code = EXIT_DONE;
    if (run_journal_each(environment, list_one, &listing, &error) != 0) {
        code = output_error(session, &error);
        json_decref(listing.json);
    } else {
        code =
            listing.json != NULL ? output_json(session, listing.json) : output_text(session, &listing.text);
    }
    buffer_release(&listing.text);
    return code;
}

// ---- wiping

// Into a server nothing but the journal has the keys of a device that has left its source and is not there yet. What
// cannot be read cannot be told, and is wiped.
static int check_finished(const struct session *session, const char *name, struct error *error) {
    static const enum device_state states[] = {DEVICE_RELEASING, DEVICE_RELEASED, DEVICE_UNDOING,
                                               DEVICE_RESTORING};
    struct run_journal journal = {0};
    ERROR_AUTO unreadable = {0};
    uint64_t count = 0;
    bool server = false;
    char *target MEMORY_AUTO = NULL;
    int result =
        run_journal_open(session->invocation->global, name, false, environment, &journal, &unreadable);
    if (result == 0) result = run_facts_target(journal.journal, &server, &target, &unreadable);
    for (size_t i = 0; i < sizeof states / sizeof *states && result == 0 && server; i++) {
        uint64_t devices = 0;
        result = journal_count_all(journal.journal, states[i], &devices, &unreadable);
        count += devices;
    }
    char *path MEMORY_AUTO = result == 0 && count > 0 ? memory_strdup(journal.path) : NULL;
    run_journal_release(&journal);
    if (path == NULL) return 0;
    error_set(error, ERROR_INPUT,
              "the run is not finished: %" PRIu64
              " devices are on their way, and only this journal has their keys",
              count);
    error_hint(error, "ttn-lw-migrate resume %s, or rollback; a journal that nobody needs: delete %s*", path,
               path);
    return -ERROR_INPUT;
}

static enum exit_code forget(const struct session *session, const char *name) {
    struct run_journal journal = {0};
    ERROR_AUTO error = {0};
    if (name == NULL) {
        error_set(&error, ERROR_USAGE, "--forget needs the run's ID or the journal's path");
        return output_error(session, &error);
    }
    if (run_journal_open_locked(name, environment, &journal, &error) != 0)
        return output_error(session, &error);
    if (check_finished(session, name, &error) != 0) {
        run_journal_release(&journal);
        return output_error(session, &error);
    }
    int result = run_journal_wipe(&journal, &error);
    return result == 0 ? EXIT_DONE : output_error(session, &error);
}

enum exit_code cmd_status(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    const char *name = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    if (option_bool(invocation->global, "list")) return show_list(session);
    if (option_bool(invocation->global, "forget")) return forget(session, name);
    return show_one(session, name);
}
