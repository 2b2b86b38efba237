// SPDX-License-Identifier: Apache-2.0
// The side of The Things Stack: one engine, in which the script's functions are called with one object.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formatter/play_p.h"

struct call {
    const struct play *play;
    struct arena *arena;
    bool compiled;
    struct script_value *result;
    struct script_value *normalized;  // NULL: the script does not do that
};

static bool is_empty_object(const json_t *value) {
    return json_is_object(value) && json_object_size(value) == 0;
}

static void nullify_empty_objects(json_t *value) {
    const char *name = NULL;
    void *next = NULL;
    json_t *member = NULL;
    json_object_foreach_safe(value, next, name, member) {
        nullify_empty_objects(member);
        if (is_empty_object(member)) json_object_set_new_nocheck(value, name, json_null());
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        member = json_array_get(value, i);
        nullify_empty_objects(member);
        if (is_empty_object(member)) json_array_set_new(value, i, json_null());
    }
}

// As the stack hands data in: null stays null, and an object without members becomes null.
static void push_json(duk_context *engine, const json_t *fields) {
    json_t *data = is_empty_object(fields) ? json_null() : json_deep_copy(fields);
    nullify_empty_objects(data);
    char *text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(data);
    if (text == NULL) duk_push_object(engine);
    if (text != NULL) duk_push_string(engine, text);
    free(text);
    if (duk_is_string(engine, -1)) duk_json_decode(engine, -1);
}

// Pushes the script's function of that name; false, and nothing, if there is none.
static bool push_function(duk_context *engine, const char *name) {
    duk_get_global_string(engine, name);
    if (duk_is_function(engine, -1)) return true;
    duk_pop(engine);
    return false;
}

// Below the function's one argument stands the function: the result replaces both. Both networks count the function that
// they call as the first: it is called from here, not by a script.
static struct script_value *call_function(duk_context *engine, struct arena *arena) {
    duk_call(engine, 1);
    return script_value_export(engine, EXPORT_TTS, arena);
}

static void push_input(duk_context *engine, const struct play *play) {
    bool down = play->fields != NULL;
    duk_push_object(engine);
    if (down) push_json(engine, play->fields);
    if (!down) play_push_bytes(engine, play->bytes, play->size);
    duk_put_prop_string(engine, -2, down ? "data" : "bytes");
    duk_push_uint(engine, play->port);
    duk_put_prop_string(engine, -2, "fPort");
}

// A script of V2's form: Decoder(bytes, fPort), Encoder(data, fPort).
static void call_old_form(duk_context *engine, struct call *call) {
    bool down = call->play->fields != NULL;
    duk_push_object(engine);
    duk_eval_string(engine, down ? "Encoder" : "Decoder");
    if (down) push_json(engine, call->play->fields);
    if (!down) play_push_bytes(engine, call->play->bytes, call->play->size);
    duk_push_uint(engine, call->play->port);
    duk_call(engine, 2);
    duk_put_prop_string(engine, -2, down ? "bytes" : "data");
    call->result = script_value_export(engine, EXPORT_TTS, call->arena);
}

// A member that is there and not null, or NULL.
static const struct script_value *member_of(const struct script_value *object, const char *name) {
    for (size_t i = 0; object->kind == SCRIPT_OBJECT && i < object->count; i++) {
        if (strcmp(object->names[i], name) != 0) continue;
        return object->items[i]->kind == SCRIPT_NULL ? NULL : object->items[i];
    }
    return NULL;
}

static bool has_errors(const struct script_value *result) {
    const struct script_value *errors = member_of(result, "errors");
    return errors != NULL && (errors->kind != SCRIPT_ARRAY || errors->count > 0);
}

static duk_ret_t call_script(duk_context *engine, void *context) {
    struct call *call = context;
    bool down = call->play->fields != NULL;
    duk_push_string(engine, call->play->script);
    play_compile(engine);
    call->compiled = true;
    duk_call(engine, 0);
    duk_pop(engine);
    if (!push_function(engine, down ? "encodeDownlink" : "decodeUplink")) {
        call_old_form(engine, call);
        return 0;
    }
    push_input(engine, call->play);
    call->result = call_function(engine, call->arena);
    if (down || has_errors(call->result) || member_of(call->result, "data") == NULL) return 0;
    if (!push_function(engine, "normalizeUplink")) return 0;
    duk_push_object(engine);
    duk_get_prop_string(engine, -3, "data");
    duk_put_prop_string(engine, -2, "data");
    call->normalized = call_function(engine, call->arena);
    return 0;
}

// Runs the script. False if the reply is made.
static bool run_script(struct engine_run *run, struct call *call, struct buffer *reply) {
    duk_context *engine = engine_start(run, ENGINE_WITH_6);
    bool done = duk_safe_call(engine, call_script, call, 0, 1) == DUK_EXEC_SUCCESS;
    if (!done) play_answer_thrown(reply, engine, call->compiled);
    engine_stop(run, engine);
    return done;
}

// True if the result is an error; then the reply is made.
static bool answer_errors(const struct script_value *result, const char *function, struct buffer *reply) {
    if (result->kind != SCRIPT_OBJECT) {
        play_answer(reply, PLAY_ERROR, function);
        buffer_puts(reply, " does not return an object");
        return true;
    }
    if (!has_errors(result)) return false;
    const struct script_value *errors = member_of(result, "errors");
    play_answer(reply, PLAY_ERROR, errors->kind != SCRIPT_ARRAY ? "errors is not an array" : NULL);
    for (size_t i = 0; errors->kind == SCRIPT_ARRAY && i < errors->count; i++) {
        const struct script_value *item = errors->items[i];
        if (i > 0) buffer_puts(reply, ", ");
        if (item->kind == SCRIPT_STRING) buffer_add(reply, item->text, item->size);
        if (item->kind != SCRIPT_STRING) (void)script_value_to_json(item, reply);
        if (errors->count == 1 && item->kind == SCRIPT_STRING && strcmp(item->text, FORMATTER_INVALID) == 0) {
            play_answer(reply, PLAY_REFUSED, NULL);
        }
    }
    return true;
}

void play_tts_up(struct engine_run *run, const void *context, struct buffer *reply) {
    const struct script_value empty = {.kind = SCRIPT_OBJECT};
    ARENA_AUTO arena = {0};
    struct call call = {.play = context, .arena = &arena};
    if (!run_script(run, &call, reply)) return;
    if (answer_errors(call.result, "decodeUplink", reply)) return;
    if (call.normalized != NULL && answer_errors(call.normalized, "normalizeUplink", reply)) return;
    const struct script_value *data = member_of(call.result, "data");
    if (data != NULL && data->kind != SCRIPT_OBJECT) {
        play_answer(reply, PLAY_ERROR, "data is not an object");
        return;
    }
    play_answer_value(reply, data != NULL ? data : &empty, "a number of the data is not finite");
}

// The stack takes the low eight bits of whole numbers.
static bool add_bytes(const struct script_value *bytes, struct buffer *reply) {
    for (size_t i = 0; i < bytes->count; i++) {
        const struct script_value *byte = bytes->items[i];
        if (byte->kind != SCRIPT_NUMBER || !isfinite(byte->number)) return false;
        double low = fmod(trunc(byte->number), 256);
        buffer_printf(reply, "%s%u", i > 0 ? "," : "", (unsigned)(low < 0 ? low + 256 : low));
    }
    return true;
}

void play_tts_down(struct engine_run *run, const void *context, struct buffer *reply) {
    const struct play *play = context;
    ARENA_AUTO arena = {0};
    struct call call = {.play = play, .arena = &arena};
    if (!run_script(run, &call, reply)) return;
    if (answer_errors(call.result, "encodeDownlink", reply)) return;
    const struct script_value *bytes = member_of(call.result, "bytes");
    const struct script_value *port = member_of(call.result, "fPort");
    const struct script_value none = {.kind = SCRIPT_ARRAY};
    if (bytes == NULL) bytes = &none;
    play_answer(reply, PLAY_RESULT, "{\"bytes\":[");
    if (bytes->kind != SCRIPT_ARRAY || !add_bytes(bytes, reply)) {
        play_answer(reply, PLAY_ERROR, "bytes is not an array of numbers");
        return;
    }
    unsigned used = play->port != 0 ? play->port : 1;
    if (port != NULL && port->kind == SCRIPT_NUMBER) used = (unsigned)port->number & UINT8_MAX;
    buffer_printf(reply, "],\"fPort\":%u}", used);
}
