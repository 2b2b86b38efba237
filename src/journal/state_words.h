// SPDX-License-Identifier: Apache-2.0
// The states of a device in words for people: what each means, and what to do about it.
#ifndef JOURNAL_STATE_WORDS_H
#define JOURNAL_STATE_WORDS_H

#include "journal/state.h"

enum state_tone {
    STATE_DONE,   // as it should be at the end of a run
    STATE_OPEN,   // not finished
    STATE_WRONG,  // somebody has to look at it
    STATE_BACK,   // back at its source
};

struct state_words {
    enum state_tone tone;
    unsigned urgency;     // the highest of a run is what to do next; 0 = nothing
    const char *title;    // "set aside"
    const char *meaning;  // a sentence
    const char *finding;  // what is to be said of a run with such devices; NULL = nothing
    const char *command;  // of this program, that is the next step; NULL = none
};

// Static; never NULL, also for a number that is no state. `server`: the run brings devices into a server, so that a
// released one is not at the end of its way.
const struct state_words *device_state_words(enum device_state state, bool server);

// The same of a gateway, which stays at its source whatever becomes of it.
const struct state_words *gateway_state_words(enum device_state state);

#endif
