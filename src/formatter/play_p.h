// SPDX-License-Identifier: Apache-2.0
// Private to what plays the networks: the jobs that run inside the other process, and how they answer.
#ifndef FORMATTER_PLAY_P_H
#define FORMATTER_PLAY_P_H

#include "formatter/check.h"
#include "formatter/engine_p.h"
#include "formatter/script_value.h"

// A reply is one of these and the result's text.
enum play_reply {
    PLAY_RESULT = 'r',
    PLAY_REFUSED = 'n',
    PLAY_ERROR = 'e',
    PLAY_UNREADABLE = 'u',  // the script is no ECMAScript 5.1
};

// What a job works on; borrowed.
struct play {
    const struct ttnv2_functions *functions;  // V2
    const char *script;                       // The Things Stack
    const uint8_t *bytes;                     // uplinks
    size_t size;
    const json_t *fields;  // downlinks
    unsigned port;
};

engine_job play_ttnv2_up;
engine_job play_ttnv2_down;
engine_job play_tts_up;
engine_job play_tts_down;

// Makes `reply` this kind with this text; NULL is none.
void play_answer(struct buffer *reply, enum play_reply kind, const char *text);

// The value as the reply's data; one that has a number which is not finite is the error `complaint`.
void play_answer_value(struct buffer *reply, const struct script_value *value, const char *complaint);

// The error at the top of the engine's stack, as PLAY_UNREADABLE if the script was not even compiled.
void play_answer_thrown(struct buffer *reply, duk_context *engine, bool compiled);

// Compiles the source at the top of the stack, which it replaces.
void play_compile(duk_context *engine);

// Pushes an array of numbers.
void play_push_bytes(duk_context *engine, const uint8_t *bytes, size_t size);

#endif
