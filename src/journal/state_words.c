// SPDX-License-Identifier: Apache-2.0
#include "journal/state_words.h"

static const struct state_words planned = {
    .tone = STATE_OPEN,
    .urgency = 2,
    .title = "not begun",
    .meaning = "Nothing was changed: still at the source, and in no line that counts.",
    .finding = "the run is not finished",
    .command = "resume",
};

static const struct state_words recorded = {
    .tone = STATE_OPEN,
    .urgency = 3,
    .title = "recorded",
    .meaning = "Read, converted and kept in the journal; the source was not changed.",
    .finding = "the run is not finished",
    .command = "resume",
};

static const struct state_words reserving = {
    .tone = STATE_OPEN,
    .urgency = 3,
    .title = "reserved",
    .meaning = "The target may know it, without keys; its source still handles it as before.",
    .finding = "the run is not finished",
    .command = "resume",
};

static const struct state_words releasing = {
    .tone = STATE_WRONG,
    .urgency = 4,
    .title = "perhaps still at the source",
    .meaning = "On its way, but not known to be cleared at the source: do not import its line yet.",
    .finding = "some devices may still be at the source",
    .command = "resume",
};

static const struct state_words released = {
    .tone = STATE_DONE,
    .title = "moved",
    .meaning = "Carried over, and cleared at the source; it was not looked at once more after that.",
};

static const struct state_words between = {
    .tone = STATE_WRONG,
    .urgency = 6,
    .title = "between two networks",
    .meaning = "Cleared at the source, and not known to be at the target yet: it may be at neither network.",
    .finding = "some devices may be at neither network",
    .command = "resume",
};

static const struct state_words imported = {
    .tone = STATE_DONE,
    .urgency = 1,
    .title = "imported",
    .meaning = "At the target with keys and session; not yet read back, or with what is said below.",
    .finding = "some devices were not read back from the target as they should be",
    .command = "verify",
};

static const struct state_words verified = {
    .tone = STATE_DONE,
    .title = "imported and read back",
    .meaning = "At the target with keys and session, and read back as it should be.",
};

static const struct state_words undoing = {
    .tone = STATE_WRONG,
    .urgency = 6,
    .title = "on its way back",
    .meaning = "A step failed, and it is not back at its source yet: it may be at neither network.",
    .finding = "some devices may be at neither network",
    .command = "resume",
};

static const struct state_words skipped = {
    .tone = STATE_OPEN,
    .title = "left alone",
    .meaning = "The target has it already, and such devices were to be left alone; still at the source.",
};

static const struct state_words confirmed = {
    .tone = STATE_DONE,
    .title = "moved and checked",
    .meaning = "Carried over, cleared at the source, and looked at once more after that.",
};

static const struct state_words failed = {
    .tone = STATE_WRONG,
    .urgency = 1,
    .title = "set aside",
    .meaning = "Could not go, for the reason below; still at the source as it was.",
    .finding = "some devices were set aside; when they are mended",
    .command = "resume --failed",
};

static const struct state_words restoring = {
    .tone = STATE_WRONG,
    .urgency = 5,
    .title = "to be put back",
    .meaning = "A rollback has begun and has not put it back yet.",
    .finding = "a rollback is not finished",
    .command = "rollback",
};

static const struct state_words restored = {
    .tone = STATE_BACK,
    .title = "put back",
    .meaning = "Back at the source: it must not be in the new network too.",
};

static const struct state_words unknown = {
    .tone = STATE_WRONG,
    .title = "unknown",
    .meaning = "A state that this version of the program does not know.",
};

const struct state_words *device_state_words(enum device_state state, bool server) {
    // No default: the compiler names a state that has no words.
    switch (state) {
        case DEVICE_PLANNED:
        case DEVICE_READ:
        case DEVICE_CONVERTED:
            return &planned;
        case DEVICE_RECORDED:
            return &recorded;
        case DEVICE_RESERVING:
            return &reserving;
        case DEVICE_RELEASING:
            return &releasing;
        case DEVICE_RELEASED:
            return server ? &between : &released;
        case DEVICE_IMPORTED:
            return &imported;
        case DEVICE_VERIFIED:
            return &verified;
        case DEVICE_CONFIRMED:
            return &confirmed;
        case DEVICE_FAILED:
            return &failed;
        case DEVICE_UNDOING:
            return &undoing;
        case DEVICE_SKIPPED:
            return &skipped;
        case DEVICE_RESTORING:
            return &restoring;
        case DEVICE_RESTORED:
            return &restored;
    }
    return &unknown;
}

// ---- gateways

static const struct state_words gateway_planned = {
    .tone = STATE_OPEN,
    .urgency = 2,
    .title = "not begun",
    .meaning = "Nothing was changed.",
    .finding = "the run is not finished",
    .command = "resume",
};

static const struct state_words gateway_reserving = {
    .tone = STATE_OPEN,
    .urgency = 3,
    .title = "being created",
    .meaning = "The target may have it; its source does as before.",
    .finding = "the run is not finished",
    .command = "resume",
};

static const struct state_words gateway_releasing = {
    .tone = STATE_OPEN,
    .urgency = 4,
    .title = "being redirected",
    .meaning = "The target has it; whether its source sends it there is not known.",
    .finding = "some gateways may not be redirected",
    .command = "resume",
};

static const struct state_words gateway_verified = {
    .tone = STATE_DONE,
    .title = "at the target",
    .meaning = "The target has it, read back as it should be.",
};

static const struct state_words gateway_skipped = {
    .tone = STATE_OPEN,
    .title = "left alone",
    .meaning = "The target has it already, and such gateways were to be left alone.",
};

static const struct state_words gateway_failed = {
    .tone = STATE_WRONG,
    .urgency = 1,
    .title = "set aside",
    .meaning = "Could not go, for the reason below.",
    .finding = "some gateways were set aside; when they are mended",
    .command = "resume --failed",
};

static const struct state_words gateway_restored = {
    .tone = STATE_BACK,
    .title = "put back",
    .meaning = "The target has it as before the run, and its source sends it nowhere else.",
};

const struct state_words *gateway_state_words(enum device_state state) {
    switch ((int)state) {
        case DEVICE_PLANNED:
        case DEVICE_RECORDED:
            return &gateway_planned;
        case DEVICE_RESERVING:
            return &gateway_reserving;
        case DEVICE_RELEASING:
            return &gateway_releasing;
        case DEVICE_VERIFIED:
            return &gateway_verified;
        case DEVICE_SKIPPED:
            return &gateway_skipped;
        case DEVICE_FAILED:
            return &gateway_failed;
        case DEVICE_RESTORED:
            return &gateway_restored;
        default:
            return device_state_words(state, true);
    }
}
