// SPDX-License-Identifier: Apache-2.0
// Private to what runs inside the other process.
#ifndef FORMATTER_ENGINE_P_H
#define FORMATTER_ENGINE_P_H

#include <duktape.h>

#include "formatter/engine.h"

// The globals of an engine beyond ECMAScript 5.1 that are taken away.
enum engine_globals {
    ENGINE_STRICTLY_5,  // all of them: V2's engine
    ENGINE_WITH_6,      // those that no engine but this one has: The Things Stack's knows typed arrays
};

// Starts an engine with a time of its own. Never fails: without memory the process ends.
duk_context *engine_start(struct engine_run *run, enum engine_globals globals);

// Ends it. If it was refused memory the process ends with that: what a script made of it is of no interest.
void engine_stop(struct engine_run *run, duk_context *engine);

// Ends the process: the result is too large.
void engine_too_large(duk_context *engine) __attribute__((noreturn));

#endif
