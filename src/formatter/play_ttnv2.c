// SPDX-License-Identifier: Apache-2.0
// V2's side: each function in an engine of its own; what it returns leaves the engine as data and enters the next one.
#include <math.h>
#include <string.h>

#include "formatter/play_p.h"

// One function in its engine.
struct part {
    const char *source;
    const char *name;      // of the function
    const char *input;     // what its first argument is called: a global variable
    const char *argument;  // how the call gives it
    const struct play *play;
    const struct script_value *fields;  // that go in; NULL: bytes, or nothing
    bool changes;                       // the result is what the function leaves of `fields`
    struct arena *arena;
    bool compiled;
    bool written_to_nothing;
    struct script_value *result;  // what the function returned
    struct script_value *left;    // what it left of its fields
};

static duk_ret_t ignore(duk_context *engine) {
    (void)engine;
    return 0;
}

static void add_console(duk_context *engine) {
    static const char *const methods[] = {"log", "debug", "info",    "warn",  "error",
                                          "dir", "time",  "timeEnd", "trace", "assert"};
    duk_push_object(engine);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        duk_push_c_function(engine, ignore, DUK_VARARGS);
        duk_put_prop_string(engine, -2, methods[i]);
    }
    duk_put_global_string(engine, "console");
}

// The number of members that the object at the top has itself.
static bool has_members(duk_context *engine) {
    duk_enum(engine, -1, DUK_ENUM_OWN_PROPERTIES_ONLY);
    bool any = duk_next(engine, -1, 0) != 0;
    duk_pop_n(engine, any ? 2 : 1);
    return any;
}

static duk_ret_t call_part(duk_context *engine, void *context) {
    struct part *part = context;
    bool nothing = part->fields == NULL && part->play->bytes == NULL;
    add_console(engine);
    if (part->fields != NULL) {
        script_value_import(engine, part->fields);
    } else if (nothing) {
        duk_push_object(engine);
    } else {
        play_push_bytes(engine, part->play->bytes, part->play->size);
    }
    duk_dup(engine, -1);
    duk_put_global_string(engine, part->input);
    duk_push_uint(engine, part->play->port);
    duk_put_global_string(engine, "port");
    // V2's engine did not know "use strict": behind another statement it means nothing to this one either.
    duk_push_string(engine, "void 0;\n");
    duk_push_string(engine, part->source);
    duk_push_sprintf(engine, ";\n%s(%s, port);\n", part->name, part->argument);
    duk_concat(engine, 3);
    play_compile(engine);
    part->compiled = true;
    duk_call(engine, 0);
    part->result = script_value_export(engine, EXPORT_TTNV2, part->arena);
    duk_pop(engine);
    part->written_to_nothing = nothing && has_members(engine);
    if (part->changes) part->left = script_value_export(engine, EXPORT_TTNV2, part->arena);
    return 0;
}

// Runs one function. False if the reply is made.
static bool run_part(struct engine_run *run, struct part *part, struct buffer *reply) {
    duk_context *engine = engine_start(run, ENGINE_STRICTLY_5);
    bool done = duk_safe_call(engine, call_part, part, 0, 1) == DUK_EXEC_SUCCESS;
    if (!done) play_answer_thrown(reply, engine, part->compiled);
    engine_stop(run, engine);
    if (done && part->written_to_nothing) {
        play_answer(reply, PLAY_ERROR, "Error: " FORMATTER_NOTHING);
        return false;
    }
    return done;
}

static bool is_there(const char *source) {
    return source != NULL && *source != '\0';
}

// A Decoder or a Converter: *fields becomes its result.
static bool run_fields_part(struct engine_run *run, struct part *part, const char *complaint,
                            const struct script_value **fields, struct buffer *reply) {
    if (!is_there(part->source)) return true;
    if (!run_part(run, part, reply)) return false;
    if (part->result->kind != SCRIPT_OBJECT) {
        play_answer(reply, PLAY_ERROR, complaint);
        return false;
    }
    *fields = part->result;
    return true;
}

// It may change the fields.
static bool run_validator(struct engine_run *run, struct part *part, const struct script_value **fields,
                          struct buffer *reply) {
    if (!is_there(part->source)) return true;
    if (!run_part(run, part, reply)) return false;
    if (part->result->kind != SCRIPT_BOOLEAN) {
        play_answer(reply, PLAY_ERROR, FORMATTER_NO_BOOLEAN);
        return false;
    }
    if (!part->result->boolean) {
        play_answer(reply, PLAY_REFUSED, NULL);
        return false;
    }
    *fields = part->left;
    return true;
}

void play_ttnv2_up(struct engine_run *run, const void *context, struct buffer *reply) {
    const struct play *play = context;
    const struct ttnv2_functions *functions = play->functions;
    const struct play later = {.functions = functions, .port = play->port};
    const struct script_value *fields = NULL;
    const struct script_value empty = {.kind = SCRIPT_OBJECT};
    ARENA_AUTO arena = {0};
    struct part decoder = {.source = functions->decoder,
                           .name = "Decoder",
                           .input = "payload",
                           .argument = "payload.slice(0)",
                           .play = play,
                           .arena = &arena};
    if (!run_fields_part(run, &decoder, "Decoder " FORMATTER_NO_OBJECT, &fields, reply)) return;
    struct part converter = {.source = functions->converter,
                             .name = "Converter",
                             .input = "fields",
                             .argument = "fields",
                             .play = &later,
                             .fields = fields,
                             .arena = &arena};
    if (!run_fields_part(run, &converter, "Converter " FORMATTER_NO_OBJECT, &fields, reply)) return;
    struct part validator = {.source = functions->validator,
                             .name = "Validator",
                             .input = "fields",
                             .argument = "fields",
                             .play = &later,
                             .fields = fields,
                             .changes = true,
                             .arena = &arena};
    if (!run_validator(run, &validator, &fields, reply)) return;
    play_answer_value(reply, fields != NULL ? fields : &empty, "Error: " FORMATTER_NO_JSON);
}

// What is wrong with an Encoder's result, or NULL.
static const char *bytes_fault(const struct script_value *bytes) {
    if (bytes->kind != SCRIPT_ARRAY) return FORMATTER_NO_ARRAY;
    for (size_t i = 0; i < bytes->count; i++) {
        const struct script_value *byte = bytes->items[i];
        if (byte->kind != SCRIPT_NUMBER || !isfinite(byte->number) || floor(byte->number) != byte->number) {
            return FORMATTER_NO_NUMBERS;
        }
        if (byte->number < 0 || byte->number > UINT8_MAX) return FORMATTER_NO_BYTES;
    }
    return NULL;
}

void play_ttnv2_down(struct engine_run *run, const void *context, struct buffer *reply) {
    const struct play *play = context;
    ARENA_AUTO arena = {0};
    struct part encoder = {.source = play->functions->encoder,
                           .name = "Encoder",
                           .input = "payload",
                           .argument = "payload",
                           .play = play,
                           .fields = script_value_from_json(play->fields, &arena),
                           .arena = &arena};
    if (!run_part(run, &encoder, reply)) return;
    const char *fault = bytes_fault(encoder.result);
    play_answer(reply, fault != NULL ? PLAY_ERROR : PLAY_RESULT, fault);
    if (fault != NULL) return;
    buffer_puts(reply, "{\"bytes\":");
    (void)script_value_to_json(encoder.result, reply);
    buffer_printf(reply, ",\"fPort\":%u}", play->port);
}
