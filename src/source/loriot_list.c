// SPDX-License-Identifier: Apache-2.0
// Finding applications and devices of LORIOT. All applications that the token sees are listed once: it tells whether the
// token is good, gives names their IDs, and says where a single device can be.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "source/loriot_p.h"

// ---- applications

void loriot_forget_applications(struct loriot *self) {
    for (size_t i = 0; i < self->application_count; i++) {
        free(self->applications[i].id);
        free(self->applications[i].name);
    }
    free(memory_take(self->applications));
    self->application_count = self->first = self->end = 0;
}

static int add_application(struct loriot *self, const json_t *object, struct error *error) {
    char *id = loriot_id(object);
    if (id == NULL)
        return error_set(error, ERROR_PROTOCOL, "%s: an application of its list has no ID", self->rest.name);
    const char *name = rest_text(object, "name");
    if (name == NULL) name = rest_text(object, "title");
    self->applications =
        memory_resize(self->applications, self->application_count + 1, sizeof *self->applications);
    self->applications[self->application_count++] =
        (struct loriot_application){.id = id, .name = memory_strdup(name == NULL ? "" : name)};
    return 0;
}

static int ambiguous(const struct loriot *self, size_t other, struct error *error) {
    error_set(error, ERROR_USAGE, "%s: there are several applications %s", self->rest.name, self->asked);
    error_hint(error, "name the ID of the one that is meant: %s or %s", self->applications[self->first].id,
               self->applications[other].id);
    return -ERROR_USAGE;
}

// An ID goes before a name.
static int choose_application(struct loriot *self, struct error *error) {
    bool all = strcmp(self->asked, LORIOT_ALL) == 0, none = strcmp(self->asked, LORIOT_NONE) == 0;
    self->first = 0;
    self->end = all ? self->application_count : 0;
    if (all || none) return 0;
    for (size_t i = 0; i < self->application_count; i++) {
        if (strcasecmp(self->applications[i].id, self->asked) != 0) continue;
        self->first = i;
        self->end = i + 1;
        return 0;
    }
    for (size_t i = 0; i < self->application_count; i++) {
        if (strcmp(self->applications[i].name, self->asked) != 0) continue;
        if (self->end > 0) return ambiguous(self, i, error);
        self->first = i;
        self->end = i + 1;
    }
    if (self->end > 0) return 0;
    error_set(error, ERROR_NOT_FOUND, "%s: there is no application %s", self->rest.name, self->asked);
    error_hint(error, "name its ID or its name as LORIOT shows it, and check that the API key sees it");
    return -ERROR_NOT_FOUND;
}

// The stage is the number of the page that was asked for.
enum job_step loriot_prepare(struct source *source, struct job *job, const char *application,
                             struct error *error) {
    struct loriot *self = loriot_of(source);
    if (job->stage == 0) {
        loriot_forget_applications(self);
        free(self->asked);
        self->asked = memory_strdup(application);
    } else {
        LORIOT_PAGE_AUTO page = {0};
        if (loriot_page_read(self, job, "apps", (uint32_t)job->stage, &page, error) != 0) return JOB_FAILED;
        for (size_t i = 0; i < json_array_size(page.list); i++) {
            if (add_application(self, json_array_get(page.list, i), error) != 0) return JOB_FAILED;
        }
        if (page.last) return choose_application(self, error) == 0 ? JOB_DONE : JOB_FAILED;
    }
    job->stage++;
    loriot_page_call(self, job, "apps", (uint32_t)job->stage);
    return JOB_CALLS;
}

// ---- devices

void loriot_read_cursor(const char *cursor, size_t *ret_place, uint32_t *ret_number) {
    if (cursor == NULL) return;
    char *rest = NULL;
    *ret_place = strtoul(cursor, &rest, 10);
    if (*rest == ':') *ret_number = (uint32_t)strtoul(rest + 1, NULL, 10);
}

void loriot_move_cursor(struct source_page *page, size_t place, uint32_t number, bool last, size_t end) {
    place += last;
    number = last ? 1 : number + 1;
    free(page->cursor);
    page->cursor = place < end ? memory_printf("%zu:%u", place, number) : NULL;
}

static int list_entry(const struct loriot *self, const char *application, struct source_page *page,
                      json_t *device, struct error *error) {
    struct eui64 eui;
    if (!loriot_device_eui(device, &eui))
        return error_set(error, ERROR_PROTOCOL, "%s: a device of its list has no DevEUI", self->rest.name);
    struct source_record *record = source_page_add(page);
    record->id = memory_alloc(1, EUI64_TEXT_SIZE);
    eui64_format(&eui, record->id);
    memcpy(record->dev_eui, eui.bytes, sizeof record->dev_eui);
    record->has_dev_eui = true;
    loriot_record_write(record, application, device);
    return 0;
}

static enum job_step ask_devices(const struct loriot *self, struct job *job, size_t application,
                                 uint32_t number, struct error *error) {
    if (application >= self->end) {
        error_set(error, ERROR_USAGE, "there is no application");
        error_hint(error, "name its ID, its name, or all that the API key sees with --loriot.all");
        return JOB_FAILED;
    }
    loriot_page_call(self, job,
                     arena_printf(job->arena, "app/%s/devices", self->applications[application].id), number);
    job->stage = 1;
    return JOB_CALLS;
}

enum job_step loriot_list(struct source *source, struct job *job, struct source_page *page,
                          struct error *error) {
    const struct loriot *self = loriot_of(source);
    size_t application = self->first;
    uint32_t number = 1;
    loriot_read_cursor(page->cursor, &application, &number);
    if (job->stage == 0) return ask_devices(self, job, application, number, error);
    LORIOT_PAGE_AUTO answer = {0};
    int result = loriot_page_read(self, job, "devices", number, &answer, error);
    for (size_t i = 0; result == 0 && i < json_array_size(answer.list); i++) {
        result =
            list_entry(self, self->applications[application].id, page, json_array_get(answer.list, i), error);
    }
    if (result != 0) return JOB_FAILED;
    // How many there are in all applications is not known before all are read.
    page->total = self->end - self->first == 1 ? answer.total : 0;
    loriot_move_cursor(page, application, number, answer.last, self->end);
    return JOB_DONE;
}

// ---- reading

struct read_state {
    const char *asked[JOB_CALLS_MAX];  // the applications whose replies come
    size_t count;                      // of them
    size_t next, end;                  // the applications that are asked after them
};

static void read_ask(const struct loriot *self, struct job *job, const char *application,
                     const struct eui64 *eui) {
    struct read_state *state = job->state;
    state->asked[state->count++] = application;
    loriot_get_call(self, job, application, eui);
}

// The next applications, several at once.
static enum job_step read_more(const struct loriot *self, struct job *job, const struct eui64 *eui) {
    struct read_state *state = job->state;
    state->count = 0;
    while (state->count < JOB_CALLS_MAX && state->next < state->end)
        read_ask(self, job, self->applications[state->next++].id, eui);
    return JOB_CALLS;
}

static enum job_step read_begin(const struct loriot *self, struct job *job,
                                const struct source_record *record, const struct eui64 *eui,
                                struct error *error) {
    struct read_state *state = arena_new(job->arena, struct read_state);
    job->state = state;
    job->stage = 1;
    if (record->data != NULL) {
        REST_JSON_AUTO *device = NULL;
        const char *application = NULL;
        if (loriot_record_read(record, job->arena, &application, &device, error) != 0) return JOB_FAILED;
        read_ask(self, job, application, eui);
        return JOB_CALLS;
    }
    bool chosen = self->end > self->first;
    state->next = chosen ? self->first : 0;
    state->end = chosen ? self->end : self->application_count;
    if (state->next < state->end) return read_more(self, job, eui);
    error_set(error, ERROR_NOT_FOUND, "%s: the API key sees no application", self->rest.name);
    return JOB_FAILED;
}

static enum job_step read_found(struct source_record *record, const char *application,
                                const struct eui64 *eui, json_t *device) {
    memcpy(record->dev_eui, eui->bytes, sizeof record->dev_eui);
    record->has_dev_eui = true;
    record->complete = true;
    loriot_record_write(record, application, device);
    return JOB_DONE;
}

enum job_step loriot_read(struct source *source, struct job *job, struct source_record *record,
                          struct error *error) {
    const struct loriot *self = loriot_of(source);
    struct eui64 eui;
    if (loriot_record_eui(record, &eui, error) != 0) return JOB_FAILED;
    if (job->stage == 0) {
        if (record->complete) return JOB_DONE;
        return read_begin(self, job, record, &eui, error);
    }
    const struct read_state *state = job->state;
    for (size_t i = 0; i < state->count; i++) {
        if (loriot_not_found(&job->replies[i])) continue;
        REST_JSON_AUTO *device = NULL;
        if (loriot_get_reply(self, job, i, &eui, &device, error) != 0) return JOB_FAILED;
        return read_found(record, state->asked[i], &eui, device);
    }
    if (state->next < state->end) return read_more(self, job, &eui);
    error_set(error, ERROR_NOT_FOUND, "%s has no such device%s", self->rest.name,
              self->end > self->first ? " in the application that was named" : "");
    error_hint(error, "check the DevEUI, the application, and that the API key sees it");
    return JOB_FAILED;
}
