// SPDX-License-Identifier: Apache-2.0
// The payload formatters that an application has for all its devices: read at the source and looked at in the target
// before any device, set once before the first device is taken away, put back by a rollback of the whole run.
//
// The journal has four properties an application: formatters.state., formatters.set., formatters.before. and
// formatters.reason. (why they did not go), each with its ID. They are durable before anything is set.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/json_read.h"
#include "device/json_write.h"
#include "device/message.h"
#include "device/payload_formatters.h"
#include "formatter/formatter.h"
#include "migrate/run_p.h"

// ---- what the journal keeps

enum progress { NOTHING, SETTING, SET, WRITTEN, RESTORED, FAILED, PROGRESS_COUNT };

static const char *const progress_names[PROGRESS_COUNT] = {
    [NOTHING] = "",        [SETTING] = "setting",   [SET] = "set",
    [WRITTEN] = "written", [RESTORED] = "restored", [FAILED] = "failed",
};

static int keep_progress(struct run *run, enum progress progress, struct error *error) {
    char *name MEMORY_AUTO = memory_printf("formatters.state.%s", run->application);
    int result = journal_set_property(run->journal, name, progress_names[progress], false, error);
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

static int kept_progress(struct run *run, enum progress *ret_progress, struct error *error) {
    char *name MEMORY_AUTO = memory_printf("formatters.state.%s", run->application);
    char *value MEMORY_AUTO = NULL;
    *ret_progress = NOTHING;
    int result = journal_property(run->journal, name, &value, error);
    if (result != 0 || value == NULL) return result;
    for (enum progress progress = NOTHING; progress < PROGRESS_COUNT; progress++) {
        if (strcmp(value, progress_names[progress]) != 0) continue;
        *ret_progress = progress;
        return 0;
    }
    return error_set(error, ERROR_INPUT, "the journal's %s is \"%s\", which makes no sense", name, value);
}

static int keep(struct run *run, const char *what, const Tts__MessagePayloadFormatters *formatters,
                struct error *error) {
    const Tts__MessagePayloadFormatters none = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    char *name MEMORY_AUTO = memory_printf("formatters.%s.%s", what, run->application);
    BUFFER_AUTO json;
    buffer_init(&json, BUFFER_UNLIMITED);
    message_json_write(formatters != NULL ? &formatters->base : &none.base, &json);
    return journal_set_property(run->journal, name, buffer_string(&json), true, error);
}

static int kept(struct run *run, const char *what, const Tts__MessagePayloadFormatters **ret_formatters,
                struct error *error) {
    char *name MEMORY_AUTO = memory_printf("formatters.%s.%s", what, run->application);
    char *value MEMORY_AUTO = NULL;
    int result = journal_property(run->journal, name, &value, error);
    if (result != 0) return result;
    if (value == NULL) return error_set(error, ERROR_INPUT, "the journal lacks %s", name);
    *ret_formatters = message_json_read(&tts__message_payload_formatters__descriptor, value, strlen(value), 1,
                                        &run->formatters.arena, NULL, error);
    return *ret_formatters != NULL ? 0 : error_wrap(error, ERROR_INPUT, "the journal's %s", name);
}

// ---- what was found out

static void forget(struct run_formatters_state *self) {
    arena_release(&self->arena);
    self->wanted = self->before = NULL;
}

void run_formatters_release(struct run *run) {
    struct run_formatters_state *self = &run->formatters;
    forget(self);
    for (size_t i = 0; i < self->finding_count; i++) {
        free(self->findings[i].application);
        free(self->findings[i].target);
        free(self->findings[i].what);
        free(self->findings[i].reason);
    }
    free(self->findings);
}

const struct run_formatters_finding *run_formatters_findings(const struct run *run, size_t *ret_count) {
    *ret_count = run->formatters.finding_count;
    return run->formatters.findings;
}

static struct run_formatters_finding *finding_begin(struct run *run) {
    struct run_formatters_state *self = &run->formatters;
    self->findings = memory_resize(self->findings, self->finding_count + 1, sizeof *self->findings);
    struct run_formatters_finding *finding = &self->findings[self->finding_count++];
    *finding = (struct run_formatters_finding){.application = memory_strdup(run->application)};
    return finding;
}

// What the source has; `wanted` is set if that is something.
static void finding_describe(struct run *run, struct run_formatters_finding *finding,
                             const Tts__MessagePayloadFormatters *formatters) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    payload_formatters_describe(formatters, &text);
    finding->what = buffer_take_string(&text);
    if (payload_formatters_directions(formatters) != 0) run->formatters.wanted = formatters;
}

static char *reason_of(const struct error *error) {
    char *chain = error_chain(error);
    if (error->hint == NULL) return chain;
    char *text = memory_printf("%s; %s", chain, error->hint);
    free(chain);
    return text;
}

static void tell(const struct run *run, enum log_level level, const struct error *error, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

static void tell(const struct run *run, enum log_level level, const struct error *error, const char *format,
                 ...) {
    if (run->setup.plan_only) return;  // the plan's table does
    va_list args;
    va_start(args, format);
    char *text MEMORY_AUTO = memory_vprintf(format, args);
    va_end(args);
    char *message MEMORY_AUTO =
        memory_printf("the payload formatters of application %s %s", run->application, text);
    run_tell(run, level, NULL, message, error);
}

// For those who look at the run later. What an earlier process may have set is not forgotten for that.
static int keep_failure(struct run *run, const char *reason, struct error *error) {
    enum progress progress = NOTHING;
    int result = kept_progress(run, &progress, error);
    if (result != 0 || run->setup.dry_run || progress == SETTING) return result;
    char *name MEMORY_AUTO = memory_printf("formatters.reason.%s", run->application);
    result = journal_set_property(run->journal, name, reason, false, error);
    return result != 0 ? result : keep_progress(run, FAILED, error);
}

// Something stands in the way of the formatters. A run that changes something ends here: without them the devices'
// messages would arrive undecoded.
static int obstacle(struct run *run, struct run_formatters_finding *finding, struct error *error) {
    finding->verdict = RUN_FORMATTERS_FAILED;
    finding->reason = reason_of(error);
    run->formatters.wanted = NULL;
    if (run->setup.dry_run || run->setup.keep_going) {
        run->numbers.formatters_failed++;
        tell(run, LOG_ERROR, error, "cannot go");
        error_release(error);
        return keep_failure(run, finding->reason, error);
    }
    bool hinted = error->hint != NULL;
    error_wrap(error, ERROR_DEVICE,
               "the payload formatters of application %s cannot go: none of its devices was changed",
               run->application);
    if (!hinted) error_hint(error, "mend them, or leave them behind with --no-formatters");
    return -ERROR_DEVICE;
}

// ---- jobs

struct source_context {
    struct run *run;
    struct source_formatters found;
};

static enum job_step source_job(void *context, struct job *job, struct error *error) {
    struct source_context *source = context;
    const struct run_setup *setup = &source->run->setup;
    source->found = (struct source_formatters){.arena = &source->run->formatters.arena};
    return setup->driver->formatters(setup->source, job, &source->found, error);
}

struct target_context {
    struct run *run;
    struct target_formatters found;
    const Tts__MessagePayloadFormatters *sent;
    unsigned directions;
};

static enum job_step get_job(void *context, struct job *job, struct error *error) {
    struct target_context *target = context;
    struct target *instance = target->run->setup.target_instance;
    return instance->driver->get_formatters(instance, job, &target->found, error);
}

static enum job_step set_job(void *context, struct job *job, struct error *error) {
    const struct target_context *target = context;
    struct target *instance = target->run->setup.target_instance;
    return instance->driver->set_formatters(instance, job, target->sent, target->directions, error);
}

static int ask_target(struct run *run, struct target_formatters *ret_found, struct error *error) {
    struct target_context target = {.run = run, .found = {.arena = &run->formatters.arena}};
    int result = run_job(run, SIDE_TARGET, PRIORITY_LIST, get_job, &target, error);
    *ret_found = target.found;
    return result;
}

static int tell_target(struct run *run, const Tts__MessagePayloadFormatters *formatters, unsigned directions,
                       struct error *error) {
    const Tts__MessagePayloadFormatters none = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    struct target_context target = {
        .run = run, .sent = formatters != NULL ? formatters : &none, .directions = directions};
    return run_job(run, SIDE_TARGET, PRIORITY_RESERVE, set_job, &target, error);
}

// ---- looking

static bool to_files(const struct run *run) {
    return run->setup.formatters.write != NULL;
}

static bool is_wanted(const struct run *run) {
    const struct run_setup *setup = &run->setup;
    if (setup->formatters.off || setup->driver->formatters == NULL) return false;
    return to_files(run) ||
           (setup->target_instance != NULL && setup->target_instance->driver->get_formatters != NULL);
}

// A key that may not read them is no reason to halt: the guide's keys may not. Whoever asks for files wants them.
static int not_told(struct run *run, struct run_formatters_finding *finding, struct error *error) {
    if (to_files(run)) return obstacle(run, finding, error);
    finding->verdict = RUN_FORMATTERS_UNKNOWN;
    finding->reason = reason_of(error);
    tell(run, LOG_WARN, error, "stay behind, if there are any: the key does not allow to read them");
    error_release(error);
    return 0;
}

static int look_at_source(struct run *run, struct run_formatters_finding *finding, struct error *error) {
    struct source_context source = {.run = run};
    int result = run_job(run, SIDE_SOURCE, PRIORITY_LIST, source_job, &source, error);
    if (result == -ERROR_DENIED) return not_told(run, finding, error);
    if (result == -ERROR_INPUT || result == -ERROR_TOO_LARGE) return obstacle(run, finding, error);
    if (result != 0) return result;
    finding_describe(run, finding, source.found.formatters);
    if (source.found.remark != NULL)
        tell(run, LOG_WARN, NULL, "may not do quite the same: %s", source.found.remark);
    return 0;
}

// The source may be a network that takes longer ones.
static int check_sizes(struct run *run, struct run_formatters_finding *finding, struct error *error) {
    const Tts__MessagePayloadFormatters *wanted = run->formatters.wanted;
    for (unsigned direction = FORMATTERS_UP; direction <= FORMATTERS_DOWN; direction <<= 1) {
        size_t size = payload_formatters_size(wanted, direction);
        if (size <= FORMATTER_SCRIPT_MAX) continue;
        error_set(error, ERROR_TOO_LARGE, "the %s formatter has %zu bytes; The Things Stack takes %d",
                  direction == FORMATTERS_UP ? "uplink" : "downlink", size, FORMATTER_SCRIPT_MAX);
        return obstacle(run, finding, error);
    }
    return 0;
}

// True if a direction has another formatter already.
static bool conflicts(const Tts__MessagePayloadFormatters *wanted, const Tts__MessagePayloadFormatters *there,
                      unsigned directions) {
    unsigned occupied = payload_formatters_directions(there) & directions;
    return !payload_formatters_equal(wanted, there, occupied);
}

static int conflict(struct run *run, struct run_formatters_finding *finding, struct error *error) {
    if (run->setup.on_conflict == CONFLICT_UPDATE) {
        finding->replaces = true;
        return 0;
    }
    if (run->setup.on_conflict == CONFLICT_SKIP) {
        finding->verdict = RUN_FORMATTERS_LEFT;
        run->formatters.wanted = NULL;
        tell(run, LOG_WARN, NULL, "stay behind: application %s of the target has others", finding->target);
        return 0;
    }
    error_set(error, ERROR_DEVICE, "application %s of the target has others", finding->target);
    error_hint(error,
               "--on-conflict update replaces them, --on-conflict skip or --no-formatters leaves them");
    return obstacle(run, finding, error);
}

// `progress` SETTING: an earlier process may have set them. What was there before that process counts then.
static int look_at_target(struct run *run, struct run_formatters_finding *finding, enum progress progress,
                          struct error *error) {
    struct run_formatters_state *self = &run->formatters;
    struct target_formatters found = {0};
    int result = ask_target(run, &found, error);
    if (result == -ERROR_DENIED) return obstacle(run, finding, error);
    if (result != 0) return result;
    finding->target = memory_strdup(found.application);
    unsigned directions = payload_formatters_directions(self->wanted);
    if (payload_formatters_equal(self->wanted, found.formatters, directions)) {
        finding->verdict = RUN_FORMATTERS_FOUND;
        self->wanted = NULL;
        return progress == SETTING ? keep_progress(run, SET, error) : 0;
    }
    finding->verdict = RUN_FORMATTERS_SET;
    bool untouched =
        progress == SETTING && payload_formatters_equal(self->before, found.formatters, directions);
    self->before = found.formatters;
    return !untouched && conflicts(self->wanted, found.formatters, directions) ? conflict(run, finding, error)
                                                                               : 0;
}

int run_formatters_look(struct run *run, struct error *error) {
    struct run_formatters_state *self = &run->formatters;
    enum progress progress = NOTHING;
    forget(self);
    if (!is_wanted(run)) return 0;
    int result = kept_progress(run, &progress, error);
    if (result != 0 || progress == SET || progress == WRITTEN || progress == RESTORED) return result;
    run->numbers.phase = "reading payload formatters";
    struct run_formatters_finding *finding = finding_begin(run);
    if (progress == SETTING) {
        result = kept(run, "set", &self->wanted, error);
        if (result == 0) result = kept(run, "before", &self->before, error);
        if (result == 0) finding_describe(run, finding, self->wanted);
    } else {
        result = look_at_source(run, finding, error);
        if (result == 0 && self->wanted != NULL) result = check_sizes(run, finding, error);
    }
    if (result != 0 || self->wanted == NULL) return result;
    finding->verdict = RUN_FORMATTERS_WRITTEN;
    return to_files(run) ? 0 : look_at_target(run, finding, progress, error);
}

// ---- setting

static int write_files(struct run *run, struct error *error) {
    const struct run_setup *setup = &run->setup;
    const struct run_formatters_state *self = &run->formatters;
    int result = setup->formatters.write(setup->formatters.context, run->application, self->wanted, error);
    return result != 0 || setup->dry_run ? result : keep_progress(run, WRITTEN, error);
}

// What is set, and what it replaces, is durable first.
static int set_formatters(struct run *run, const struct run_formatters_finding *finding,
                          struct error *error) {
    const struct run_formatters_state *self = &run->formatters;
    int result = keep(run, "set", self->wanted, error);
    if (result == 0) result = keep(run, "before", self->before, error);
    if (result == 0) result = keep_progress(run, SETTING, error);
    if (result != 0) return result;
    run->numbers.formatters++;
    result = tell_target(run, self->wanted, payload_formatters_directions(self->wanted), error);
    if (result != 0) {
        return error_wrap(error, ERROR_NONE, "the payload formatters of application %s", run->application);
    }
    tell(run, LOG_INFO, NULL, "are set in application %s of the target: %s%s", finding->target, finding->what,
         finding->replaces ? "; they replace others, which a rollback puts back" : "");
    return keep_progress(run, SET, error);
}

int run_formatters_apply(struct run *run, struct error *error) {
    const struct run_formatters_state *self = &run->formatters;
    if (self->wanted == NULL) return 0;
    const struct run_formatters_finding *finding = &self->findings[self->finding_count - 1];
    int result = 0;
    if (to_files(run)) {
        result = write_files(run, error);
    } else if (run->setup.dry_run) {
        tell(run, LOG_INFO, NULL, "would be set in application %s of the target: %s%s", finding->target,
             finding->what, finding->replaces ? "; they would replace others" : "");
    } else {
        result = set_formatters(run, finding, error);
    }
    forget(&run->formatters);
    return result;
}

// ---- reading back

int run_formatters_verify(struct run *run, const struct run_verification *wanted, struct error *error) {
    enum progress progress = NOTHING;
    const Tts__MessagePayloadFormatters *set = NULL;
    struct target_formatters found = {0};
    if (wanted->tell_formatters == NULL) return 0;
    int result = kept_progress(run, &progress, error);
    if (result != 0 || progress != SET || run->setup.target_instance->driver->get_formatters == NULL)
        return result;
    forget(&run->formatters);
    run->numbers.phase = "reading payload formatters";
    result = kept(run, "set", &set, error);
    if (result == 0) result = ask_target(run, &found, error);
    if (result == 0) {
        bool equal = payload_formatters_equal(set, found.formatters, payload_formatters_directions(set));
        if (!equal) run->numbers.formatters_failed++;
        wanted->tell_formatters(wanted->context, run->application, found.application, equal);
    }
    forget(&run->formatters);
    if (result == 0 || result == -ERROR_CANCELLED) return result;
    return error_wrap(error, ERROR_NONE, "the payload formatters of application %s", run->application);
}

// ---- putting back

static int put_back(struct run *run, const Tts__MessagePayloadFormatters *set, struct error *error) {
    struct run_formatters_state *self = &run->formatters;
    struct target_formatters found = {0};
    int result = ask_target(run, &found, error);
    if (result != 0) return result;
    unsigned directions = payload_formatters_directions(set);
    if (payload_formatters_equal(set, found.formatters, directions)) {
        result = tell_target(run, self->before, directions, error);
        if (result == 0)
            tell(run, LOG_INFO, NULL, "%s application %s of the target again%s",
                 run->setup.dry_run ? "would be taken out of" : "are taken out of", found.application,
                 (payload_formatters_directions(self->before) & directions) != 0
                     ? ", and the earlier ones put back"
                     : "");
    } else if (!payload_formatters_equal(self->before, found.formatters, directions)) {
        tell(run, LOG_WARN, NULL, "were changed in application %s of the target since: they stay as they are",
             found.application);
        run->numbers.formatters_failed++;
        return 0;
    }
    return result != 0 || run->setup.dry_run ? result : keep_progress(run, RESTORED, error);
}

static int restore_one(struct run *run, struct error *error) {
    struct run_formatters_state *self = &run->formatters;
    enum progress progress = NOTHING;
    int result = kept_progress(run, &progress, error);
    if (result != 0 || (progress != SETTING && progress != SET)) return result;
    forget(self);
    const Tts__MessagePayloadFormatters *set = NULL;
    result = kept(run, "set", &set, error);
    if (result == 0) result = kept(run, "before", &self->before, error);
    if (result == 0) result = run_prepare(run, SIDE_TARGET, error);
    run->numbers.phase = "putting payload formatters back";
    if (result == 0) result = put_back(run, set, error);
    forget(self);
    if (result == 0 || result == -ERROR_CANCELLED) return result;
    return error_wrap(error, ERROR_NONE, "the payload formatters of application %s are not put back",
                      run->application);
}

static int count_applications(struct run *run, size_t *ret_count, struct error *error) {
    for (*ret_count = 0;; ++*ret_count) {
        char *application MEMORY_AUTO = NULL;
        int result = journal_application(run->journal, *ret_count, &application, error);
        if (result != 0 || application == NULL) return result;
    }
}

int run_formatters_restore(struct run *run, struct error *error) {
    const struct target *target = run->setup.target_instance;
    if (target == NULL || target->driver->set_formatters == NULL) return 0;
    uint64_t devices = 0;
    size_t count = 0;
    int result = journal_count_all(run->journal, DEVICE_RESTORING, &devices, error);
    if (result == 0) result = count_applications(run, &count, error);
    // Devices that could not be taken away from the target still need them. Where two applications went to one of the
    // target, what the second one found is what the first one set.
    for (size_t i = count; devices == 0 && i-- > 0 && result == 0;) {
        free(memory_take(run->application));
        result = journal_application(run->journal, i, &run->application, error);
        if (result == 0) result = restore_one(run, error);
    }
    return result;
}
