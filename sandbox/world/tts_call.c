// SPDX-License-Identifier: Apache-2.0
// One call. The order of the checks: the method, how often, the request's form, its field mask, its values, who
// calls; then what the method itself checks, with the rights first.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "world/tts_p.h"

#define PACKAGE "ttn.lorawan.v3."

static bool is_at(const struct tts_method *method, const char *service, size_t size, enum tts_server server) {
    bool same = strncmp(method->service, service, size) == 0 && method->service[size] == '\0';
    return same && (method->endpoints & 1U << server) != 0;
}

static const struct tts_method *find_method(const char *path, enum tts_server server, bool *ret_service) {
    size_t skip = strlen("/" PACKAGE);
    if (strncmp(path, "/" PACKAGE, skip) != 0) return NULL;
    const char *service = path + skip;
    size_t size = strcspn(service, "/");
    for (size_t i = 0; i < tts_method_count; i++) {
        const struct tts_method *method = &tts_methods[i];
        if (!is_at(method, service, size, server)) continue;
        *ret_service = true;
        if (service[size] == '/' && strcmp(service + size + 1, method->name) == 0) return method;
    }
    return NULL;
}

static bool choose_method(struct tts_call *call, enum tts_server server) {
    bool service = false;
    const char *path = call->request->method;
    call->method = find_method(path, server, &service);
    if (call->method != NULL) return true;
    const char *start = *path == '/' ? path + 1 : path;
    int size = (int)strcspn(start, "/");
    const char *name = start[size] == '/' ? start + size + 1 : "";
    if (service) {
        world_reply_status(call->reply, STATUS_UNIMPLEMENTED, "unknown method %s for service %.*s", name,
                           size, start);
    } else {
        world_reply_status(call->reply, STATUS_UNIMPLEMENTED, "unknown service %.*s", size, start);
    }
    return false;
}

// ---- how often

static struct bucket *find_bucket(struct tts *tts, int64_t now, const char *name) {
    for (size_t i = 0; i < tts->limit_count; i++) {
        if (strcmp(tts->limits[i].name, name) == 0) return &tts->limits[i].bucket;
    }
    tts->limits = memory_resize(tts->limits, tts->limit_count + 1, sizeof *tts->limits);
    struct tts_limit *limit = &tts->limits[tts->limit_count++];
    *limit = (struct tts_limit){.name = memory_strdup(name), .bucket = bucket_init(now, tts->rate_limit)};
    return &limit->bucket;
}

// A second's calls are given out at its start; the reset is when the next ones come.
static bool take_token(struct tts_call *call) {
    struct tts *tts = call->tts;
    if (tts->rate_limit == 0) return true;
    const char *caller = world_request_header(call->request, "authorization");
    const char *name = arena_printf(&call->arena, "%s/%s:%s", call->method->service, call->method->name,
                                    caller != NULL ? caller : "");
    struct bucket *bucket = find_bucket(tts, call->now, name);
    bool taken = bucket_take_at_once(bucket, call->now, tts->rate_limit);
    world_reply_add_header(call->reply, "x-rate-limit-limit", "%lu", (unsigned long)tts->rate_limit);
    world_reply_add_header(call->reply, "x-rate-limit-available", "%lld", (long long)bucket->tokens);
    world_reply_add_header(call->reply, "x-rate-limit-reset", "1");
    if (taken) return true;
    world_reply_add_header(call->reply, "x-rate-limit-retry", "1");
    char rate[16];
    snprintf(rate, sizeof rate, "%lu", (unsigned long)tts->rate_limit);
    const char *key = arena_printf(&call->arena, "grpc:method:/%s%s/%s", PACKAGE, call->method->service,
                                   call->method->name);
    return tts_refuse(call, tts_problem(call, TTS_RATE_LIMIT, "rate", rate, "key", key, NULL));
}

// ---- the request

static bool parse(struct tts_call *call) {
    struct wire_bytes body = {.data = call->request->body, .size = call->request->body_size};
    const char *failure =
        tts_parse(&call->arena, tts_message(call->method->request), body, &call->in, &call->tts->unknown);
    if (failure == NULL) return true;
    world_reply_status(call->reply, STATUS_INTERNAL, "grpc: error unmarshalling request: %s", failure);
    return false;
}

// A request without a mask names all that the server stores of its subject.
static void name_all(struct tts_call *call) {
    const struct tts_method *method = call->method;
    const struct tts_field *subject =
        tts_field_named(call->in->message, method->subject, strlen(method->subject));
    const struct tts_message *message = subject->message;
    call->paths = arena_new_array(&call->arena, const char *, message->count);
    for (size_t i = 0; i < message->count; i++) {
        const char *name = message->fields[i].name;
        bool taken = method->mask == 0 || tts_mask_takes(method->mask, name, strlen(name));
        if (taken) call->paths[call->path_count++] = name;
    }
}

static void read_mask(struct tts_call *call) {
    if (tts_field_named(call->in->message, "field_mask", strlen("field_mask")) == NULL) {
        if (call->method->subject != NULL) name_all(call);
        return;
    }
    const struct tts_node *first = tts_find(call->in, "field_mask.paths");
    size_t count = 0;
    for (const struct tts_node *path = first; path != NULL; path = tts_next_entry(path)) count++;
    call->paths = arena_new_array(&call->arena, const char *, count);
    for (const struct tts_node *path = first; path != NULL; path = tts_next_entry(path)) {
        const char *text = path->bytes.size > 0 ? (const char *)path->bytes.data : "";
        call->paths[call->path_count++] = arena_strndup(&call->arena, text, path->bytes.size);
    }
}

static bool check_mask(struct tts_call *call) {
    const char **forbidden = arena_new_array(&call->arena, const char *, call->path_count);
    size_t count = 0;
    for (size_t i = 0; call->method->mask != 0 && i < call->path_count; i++) {
        const char *path = call->paths[i];
        if (!tts_mask_takes(call->method->mask, path, strlen(path))) forbidden[count++] = path;
    }
    if (count == 0) return true;
    struct tts_problem *problem = tts_problem(call, TTS_FORBIDDEN_PATHS, NULL);
    tts_add_attribute_list(call, problem, "forbidden_paths", forbidden, count);
    return tts_refuse(call, problem);
}

bool tts_mask_touches(const struct tts_call *call, const char *path) {
    size_t size = strlen(path);
    for (size_t i = 0; i < call->path_count; i++) {
        const char *named = call->paths[i];
        size_t length = strlen(named);
        if (strcmp(named, path) == 0) return true;
        if (strncmp(named, path, size) == 0 && named[size] == '.') return true;
        if (strncmp(path, named, length) == 0 && path[length] == '.') return true;
    }
    return false;
}

static struct tts_problem *problem_of(struct tts_call *call, const struct tts_violation *violation) {
    size_t size = strlen(violation->message);
    char *name = arena_strndup(&call->arena, violation->message, size);
    for (size_t i = 0; i < size; i++) name[i] = name[i] == '.' ? '_' : name[i];
    name = arena_printf(&call->arena, "%sValidationError", name);
    struct tts_problem *problem = tts_problem(call, TTS_VALIDATION, "name", name, "field", violation->field,
                                              "reason", violation->reason, NULL);
    if (violation->cause != NULL) problem->cause = problem_of(call, violation->cause);
    return problem;
}

// Of the subject only its IDs and what the mask names are looked at.
static bool check_form(struct tts_call *call) {
    const struct tts_method *method = call->method;
    struct arena *arena = &call->arena;
    const struct tts_message *message = call->in->message;
    const char **paths = arena_new_array(arena, const char *, message->count + call->path_count + 1);
    struct tts_scope scope = {.paths = paths};
    for (size_t i = 0; i < message->count; i++) {
        bool subject = method->subject != NULL && strcmp(message->fields[i].name, method->subject) == 0;
        if (!subject) paths[scope.count++] = message->fields[i].name;
    }
    if (method->subject_id != NULL) {
        paths[scope.count++] = arena_printf(arena, "%s.%s", method->subject, method->subject_id);
    }
    for (size_t i = 0; method->subject != NULL && i < call->path_count; i++) {
        paths[scope.count++] = arena_printf(arena, "%s.%s", method->subject, call->paths[i]);
    }
    const struct tts_violation *found = tts_check_form(arena, call->in, &scope);
    return found == NULL || tts_refuse(call, problem_of(call, found));
}

bool tts_refuse_form(struct tts_call *call, const struct tts_violation *violation) {
    return tts_refuse(call, problem_of(call, violation));
}

// ---- the answer

struct tts_node *tts_select(struct tts_call *call, const struct tts_node *record) {
    static const char *const always[] = {"ids", "created_at", "updated_at"};
    struct tts_node *out = tts_new(&call->arena, record->message->name);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        tts_copy_path(&call->arena, out, record, always[i]);
    }
    for (size_t i = 0; i < call->path_count; i++) tts_copy_path(&call->arena, out, record, call->paths[i]);
    return out;
}

void tts_answer(struct tts_call *call, const struct tts_node *message) {
    buffer_clear(&call->reply->body);
    tts_encode(message, &call->reply->body);
}

void tts_set_time(struct arena *arena, struct tts_node *message, const char *path, int64_t ns) {
    struct tts_node *time = tts_make(arena, message, path);
    tts_set_number(arena, time, "seconds", (uint64_t)(ns / NS_PER_SECOND));
    tts_set_number(arena, time, "nanos", (uint64_t)(ns % NS_PER_SECOND));
}

static bool accept_call(struct tts_call *call, enum tts_server server) {
    if (!choose_method(call, server) || !take_token(call) || !parse(call)) return false;
    read_mask(call);
    return check_mask(call) && check_form(call) && tts_authenticate(call);
}

static enum tts_server server_of(enum world_endpoint endpoint) {
    switch (endpoint) {
        case WORLD_TTS_NS:
            return TTS_NS;
        case WORLD_TTS_AS:
            return TTS_AS;
        case WORLD_TTS_JS:
            return TTS_JS;
        default:
            return TTS_IS;
    }
}

void tts_cluster_call(struct tts *tts, int64_t now, const struct world_request *request,
                      struct world_reply *reply) {
    struct tts_call call = {.tts = tts, .now = now, .request = request, .reply = reply};
    if (accept_call(&call, server_of(request->endpoint))) call.method->run(&call);
    arena_release(&call.arena);
}
