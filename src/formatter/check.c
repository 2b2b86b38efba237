// SPDX-License-Identifier: Apache-2.0
#include "formatter/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formatter/play_p.h"

// ---- inside the other process

void play_answer(struct buffer *reply, enum play_reply kind, const char *text) {
    buffer_clear(reply);
    buffer_putc(reply, (char)kind);
    if (text != NULL) buffer_puts(reply, text);
}

void play_answer_value(struct buffer *reply, const struct script_value *value, const char *complaint) {
    play_answer(reply, PLAY_RESULT, NULL);
    if (!script_value_to_json(value, reply)) play_answer(reply, PLAY_ERROR, complaint);
}

// Texts of scripts are shown as they are up to this size.
enum { THROWN_MAX = 500 };

void play_answer_thrown(struct buffer *reply, duk_context *engine, bool compiled) {
    // What was thrown may have a method of its own that makes a text of it.
    const char *text = duk_safe_to_string(engine, -1);
    play_answer(reply, compiled ? PLAY_ERROR : PLAY_UNREADABLE, NULL);
    buffer_add(reply, text, strnlen(text, THROWN_MAX));
}

void play_compile(duk_context *engine) {
    duk_push_string(engine, "script");
    duk_compile(engine, DUK_COMPILE_EVAL);
}

void play_push_bytes(duk_context *engine, const uint8_t *bytes, size_t size) {
    duk_push_array(engine);
    for (size_t i = 0; i < size; i++) {
        duk_push_uint(engine, bytes[i]);
        duk_put_prop_index(engine, -2, (duk_uarridx_t)i);
    }
}

// ---- outside

void check_result_release(struct check_result *result) {
    free(result->text);
    *result = (struct check_result){0};
}

static bool same_json(const char *one, const char *other) {
    json_t *left = json_loads(one, JSON_ALLOW_NUL, NULL);
    json_t *right = json_loads(other, JSON_ALLOW_NUL, NULL);
    bool same = left != NULL && json_equal(left, right);
    if (left == NULL && right == NULL) same = strcmp(one, other) == 0;
    json_decref(left);
    json_decref(right);
    return same;
}

bool check_results_agree(const struct check_result *one, const struct check_result *other) {
    if (one->kind != other->kind || one->kind == CHECK_UNCHECKED) return false;
    return one->kind != CHECK_RESULT || same_json(one->text, other->text);
}

static void set_result(struct check_result *ret, enum check_kind kind, const char *text, size_t size) {
    *ret = (struct check_result){.kind = kind, .text = memory_strndup(text, size)};
}

static void set_limit(struct check_result *ret, const char *text) {
    set_result(ret, CHECK_LIMIT, text, strlen(text));
}

static void set_done(struct check_result *ret, struct buffer *reply) {
    const char *text = buffer_string(reply);
    size_t size = reply->size;
    switch (size > 0 ? text[0] : '\0') {
        case PLAY_RESULT:
            set_result(ret, CHECK_RESULT, text + 1, size - 1);
            return;
        case PLAY_REFUSED:
            *ret = (struct check_result){.kind = CHECK_REFUSED};
            return;
        case PLAY_UNREADABLE:
            set_result(ret, CHECK_UNCHECKED, text + 1, size - 1);
            return;
        default:
            set_result(ret, CHECK_ERROR, text + (size > 0), size - (size > 0));
    }
}

static int play(engine_job *job, const struct play *play, const struct engine_limits *limits,
                struct check_result *ret, struct error *error) {
    enum engine_outcome outcome = ENGINE_DONE;
    BUFFER_AUTO reply;
    buffer_init(&reply, ENGINE_REPLY_MAX);
    int result = engine_run(job, play, limits, &reply, &outcome, error);
    if (result != 0) return result;
    switch (outcome) {
        case ENGINE_DONE:
            set_done(ret, &reply);
            break;
        case ENGINE_TIME:
            set_limit(ret, "it runs longer than a network lets it");
            break;
        case ENGINE_MEMORY:
            set_limit(ret, "it takes more memory than a network has for it");
            break;
        case ENGINE_SIZE:
            set_limit(ret, "its result is larger than a message can be");
            break;
        case ENGINE_BROKEN:
            set_limit(ret, "the engine could not go on");
            break;
    }
    return 0;
}

int check_ttnv2_up(const struct ttnv2_functions *functions, const uint8_t *bytes, size_t size, unsigned port,
                   const struct engine_limits *limits, struct check_result *ret, struct error *error) {
    const struct play uplink = {.functions = functions, .bytes = bytes, .size = size, .port = port};
    return play(play_ttnv2_up, &uplink, limits, ret, error);
}

int check_tts_up(const char *script, const uint8_t *bytes, size_t size, unsigned port,
                 const struct engine_limits *limits, struct check_result *ret, struct error *error) {
    const struct play uplink = {.script = script, .bytes = bytes, .size = size, .port = port};
    return play(play_tts_up, &uplink, limits, ret, error);
}

int check_ttnv2_down(const struct ttnv2_functions *functions, const json_t *fields, unsigned port,
                     const struct engine_limits *limits, struct check_result *ret, struct error *error) {
    const struct play downlink = {.functions = functions, .fields = fields, .port = port};
    return play(play_ttnv2_down, &downlink, limits, ret, error);
}

int check_tts_down(const char *script, const json_t *fields, unsigned port,
                   const struct engine_limits *limits, struct check_result *ret, struct error *error) {
    const struct play downlink = {.script = script, .fields = fields, .port = port};
    return play(play_tts_down, &downlink, limits, ret, error);
}
