// SPDX-License-Identifier: Apache-2.0
// What a script makes of a payload: at V2, as V2 ran the payload functions, and at The Things Stack, as it runs a
// formatter. Both are played here with an engine that knows ECMAScript 5.1 and little more.
#ifndef FORMATTER_CHECK_H
#define FORMATTER_CHECK_H

#include <jansson.h>
#include <stdint.h>

#include "formatter/engine.h"
#include "formatter/formatter.h"

enum check_kind {
    CHECK_RESULT,     // `text`: the fields, or {"bytes":[...],"fPort":...}, as JSON
    CHECK_REFUSED,    // the Validator said no: V2 drops the whole uplink
    CHECK_ERROR,      // `text`: why; the message goes on without fields, or the downlink is not sent
    CHECK_LIMIT,      // `text`: the limit of time, memory or size that it met
    CHECK_UNCHECKED,  // `text`: why this engine cannot tell
};

struct check_result {
    enum check_kind kind;
    char *text;  // owned; NULL with CHECK_REFUSED
};

// Accepts a zeroed result.
void check_result_release(struct check_result *result);

// True if a user would see no difference: the same data, or an error on both sides for the same reason.
bool check_results_agree(const struct check_result *one, const struct check_result *other);

// Uplinks: `size` bytes of payload. The caller releases *ret, which is only set on success. ERROR_SYSTEM.
int check_ttnv2_up(const struct ttnv2_functions *functions, const uint8_t *bytes, size_t size, unsigned port,
                   const struct engine_limits *limits, struct check_result *ret, struct error *error);
int check_tts_up(const char *script, const uint8_t *bytes, size_t size, unsigned port,
                 const struct engine_limits *limits, struct check_result *ret, struct error *error);

// Downlinks: `fields` is a JSON object; borrowed.
int check_ttnv2_down(const struct ttnv2_functions *functions, const json_t *fields, unsigned port,
                     const struct engine_limits *limits, struct check_result *ret, struct error *error);
int check_tts_down(const char *script, const json_t *fields, unsigned port,
                   const struct engine_limits *limits, struct check_result *ret, struct error *error);

#endif
