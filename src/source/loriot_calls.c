// SPDX-License-Identifier: Apache-2.0
// Calls to LORIOT and what its answers have in common.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source/loriot_p.h"

struct call *loriot_call(const struct loriot *self, struct job *job, const char *method, const char *path,
                         const char *body) {
    struct call *call = job_call(job);
    call->kind = CALL_HTTP;
    call->server = &self->rest.server;
    call->method = method;
    call->path = arena_printf(job->arena, "%s/1/nwk/%s", self->rest.address.prefix, path);
    call->body = body;
    call->body_size = body == NULL ? 0 : strlen(body);
    call_add_header(call, "authorization", self->authorization);
    call_add_header(call, "accept", "application/json");
    if (body != NULL) call_add_header(call, "content-type", "application/json");
    return call;
}

bool loriot_not_found(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_NOT_FOUND;
}

int loriot_failed(const struct call *call, const struct reply *reply, struct error *error) {
    int result = reply_error(reply, call, error);
    int status = reply->outcome == REPLY_ANSWERED ? reply->http_status : 0;
    if (status == HTTP_UNAUTHORIZED) {
        error_hint(error, "check --loriot.api-key, and that it is one of this very server");
    } else if (status == HTTP_FORBIDDEN) {
        error_hint(error, call->changes ? "the API key has to be able to write"
                                        : "check --loriot.api-key: it may not read this");
    } else if (status == HTTP_NOT_FOUND) {
        error_hint(error, "check the ID, --loriot.api-url, and that the API key sees the application");
    } else {
        reply_hint_tls(reply, "--loriot.ca-cert-path", "--loriot.insecure", error);
    }
    return result;
}

// ---- lists

void loriot_page_call(const struct loriot *self, struct job *job, const char *path, uint32_t page) {
    loriot_call(self, job, "GET",
                arena_printf(job->arena, "%s?page=%u&perPage=%d", path, page, LORIOT_PAGE_SIZE), NULL);
}

void loriot_page_release(struct loriot_page *page) {
    json_decref(page->answer);
    *page = (struct loriot_page){0};
}

int loriot_page_read(const struct loriot *self, const struct job *job, const char *name, uint32_t page,
                     struct loriot_page *ret_page, struct error *error) {
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_HTTP)) return loriot_failed(&job->calls[0], reply, error);
    json_t *answer = rest_object(&self->rest, reply, error);
    if (answer == NULL) return -ERROR_PROTOCOL;
    *ret_page = (struct loriot_page){.answer = answer, .list = json_object_get(answer, name)};
    if (!json_is_array(ret_page->list))
        return error_set(error, ERROR_PROTOCOL, "%s: its answer holds no list of %s", self->rest.name, name);
    uint32_t total = 0, size = LORIOT_PAGE_SIZE;
    size_t count = json_array_size(ret_page->list);
    // A server that gives fewer in a page than it was asked for says so.
    if (!rest_number(answer, "perPage", &size) || size == 0) size = LORIOT_PAGE_SIZE;
    bool counted = rest_number(answer, "total", &total);
    uint64_t end = (uint64_t)(page - 1) * size + count;
    ret_page->total = counted ? total : 0;
    ret_page->last = counted ? end >= total : count < size;
    if (!ret_page->last && (count == 0 || count < size || page >= LORIOT_PAGES_MAX)) {
        return error_set(error, ERROR_PROTOCOL, "%s: the list of %s ends after %llu of %u", self->rest.name,
                         name, (unsigned long long)end, total);
    }
    return 0;
}

char *loriot_id(const json_t *object) {
    const json_t *id = json_object_get(object, "_id");
    if (json_is_integer(id) && json_integer_value(id) > 0)
        return memory_printf("%llX", (unsigned long long)json_integer_value(id));
    const char *text = json_string_value(id);
    if (text == NULL || *text == '\0' || text[strspn(text, "0123456789abcdefABCDEF")] != '\0') return NULL;
    char *upper = memory_strdup(text);
    for (char *at = upper; *at != '\0'; at++) {
        if (*at >= 'a') *at = (char)(*at - 'a' + 'A');
    }
    return upper;
}

// ---- a device

void loriot_get_call(const struct loriot *self, struct job *job, const char *application,
                     const struct eui64 *eui) {
    char text[EUI64_TEXT_SIZE];
    loriot_call(self, job, "GET",
                arena_printf(job->arena, "app/%s/device/%s", application, eui64_format(eui, text)), NULL);
}

int loriot_get_reply(const struct loriot *self, const struct job *job, size_t index, const struct eui64 *eui,
                     json_t **ret_device, struct error *error) {
    const struct reply *reply = &job->replies[index];
    if (!reply_ok(reply, CALL_HTTP)) return loriot_failed(&job->calls[index], reply, error);
    json_t *device = rest_object(&self->rest, reply, error);
    if (device == NULL) return -ERROR_PROTOCOL;
    struct eui64 given;
    if (loriot_device_eui(device, &given) && eui64_equal(&given, eui)) {
        *ret_device = device;
        return 0;
    }
    json_decref(device);
    return error_set(error, ERROR_PROTOCOL, "%s: it sent another device than the one that was asked for",
                     self->rest.name);
}
