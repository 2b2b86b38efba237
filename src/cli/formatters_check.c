// SPDX-License-Identifier: Apache-2.0
#include "cli/formatters_check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/memory.h"
#include "cli/command_line.h"
#include "cli/ids.h"
#include "cli/output.h"
#include "cli/printable.h"
#include "cli/process.h"
#include "cli/signals.h"
#include "formatter/check.h"

// The most bytes of a payload: a LoRaWAN frame has less.
enum { PAYLOAD_MAX = 255, LABEL_WIDTH = 18 };

struct checking {
    const struct session *session;
    const struct formatter_input *input;
    struct ttnv2_functions functions;
    struct formatters formatters;  // made of them
    unsigned port;
    struct buffer text;
    json_t *json;  // owned; NULL = text is wanted
    size_t count;  // payloads and fields
    size_t same;
};

// ---- telling

static const char *kind_word(enum check_kind kind) {
    switch (kind) {
        case CHECK_RESULT:
            return "result";
        case CHECK_REFUSED:
            return "refused";
        case CHECK_ERROR:
            return "error";
        case CHECK_LIMIT:
            return "stopped";
        case CHECK_UNCHECKED:
            return "unchecked";
    }
    return "";
}

static void add_result(struct checking *checking, const char *label, const struct check_result *result) {
    buffer_printf(&checking->text, "  %-*s", LABEL_WIDTH, label);
    if (result->kind != CHECK_RESULT) buffer_puts(&checking->text, kind_word(result->kind));
    if (result->kind == CHECK_REFUSED) buffer_puts(&checking->text, " by the Validator");
    if (result->kind != CHECK_RESULT && result->text != NULL) buffer_puts(&checking->text, ": ");
    printable_add(&checking->text, result->text);
    buffer_putc(&checking->text, '\n');
}

static json_t *result_json(const struct check_result *result) {
    json_t *object = json_object();
    json_t *value = json_true();
    if (result->kind == CHECK_RESULT) value = json_loads(result->text, JSON_ALLOW_NUL, NULL);
    if (result->kind != CHECK_RESULT && result->text != NULL) value = json_string(result->text);
    json_object_set_new(object, kind_word(result->kind), value != NULL ? value : json_null());
    return object;
}

static const char *verdict_of(bool same, bool unchecked) {
    return unchecked ? "unchecked" : same ? "same" : "different";
}

// ---- running

// The engine is no judge of a script that uses what came after ECMAScript 5.1.
static void doubt(struct check_result *result) {
    if (result->kind != CHECK_ERROR || result->text == NULL) return;
    if (strncmp(result->text, "TypeError: ", 11) != 0 && strncmp(result->text, "ReferenceError: ", 16) != 0)
        return;
    result->kind = CHECK_UNCHECKED;
}

// Runs one side. `down` has the fields of a downlink, else there are bytes.
static int run_old(const struct checking *checking, const json_t *down, const uint8_t *bytes, size_t size,
                   struct check_result *ret, struct error *error) {
    if (down != NULL) {
        return check_ttnv2_down(&checking->functions, down, checking->port, &ENGINE_LIMITS, ret, error);
    }
    return check_ttnv2_up(&checking->functions, bytes, size, checking->port, &ENGINE_LIMITS, ret, error);
}

static int run_new(const struct checking *checking, const json_t *down, const uint8_t *bytes, size_t size,
                   struct check_result *ret, struct error *error) {
    const struct formatters *made = &checking->formatters;
    const char *script = NULL;
    if (down != NULL) {
        script = checking->input->down != NULL ? checking->input->down : made->down.script;
    } else {
        script = checking->input->up != NULL ? checking->input->up : made->up.script;
    }
    if (script == NULL) {
        return error_set(
            error, ERROR_USAGE, "there is no function for %s in the files",
            down != NULL ? "downlinks: Encoder or encodeDownlink" : "uplinks: Decoder or decodeUplink");
    }
    if (down != NULL) return check_tts_down(script, down, checking->port, &ENGINE_LIMITS, ret, error);
    return check_tts_up(script, bytes, size, checking->port, &ENGINE_LIMITS, ret, error);
}

// True if the files have V2's functions for the direction.
static bool has_old(const struct checking *checking, const json_t *down) {
    const struct ttnv2_functions *functions = &checking->functions;
    if (down != NULL) return functions->encoder != NULL;
    return functions->decoder != NULL || functions->converter != NULL || functions->validator != NULL;
}

static void tell(struct checking *checking, const char *shown, bool is_down, const struct check_result *old,
                 const struct check_result *new) {
    bool unchecked = new->kind == CHECK_UNCHECKED || (old != NULL && old->kind == CHECK_UNCHECKED);
    bool same = old != NULL ? check_results_agree(old, new) : new->kind == CHECK_RESULT;
    const char *verdict = old != NULL || unchecked ? verdict_of(same, unchecked) : NULL;
    checking->count++;
    if (same) checking->same++;
    if (checking->json != NULL) {
        json_t *item = json_object();
        json_object_set_new(item, is_down ? "fields" : "payload", json_string(shown));
        json_object_set_new(item, "port", json_integer(checking->port));
        if (old != NULL) json_object_set_new(item, "ttnv2", result_json(old));
        json_object_set_new(item, "tts", result_json(new));
        if (verdict != NULL) json_object_set_new(item, "verdict", json_string(verdict));
        json_array_append_new(checking->json, item);
        return;
    }
    printable_add(&checking->text, shown);
    buffer_printf(&checking->text, "%sport %u%s%s\n", *shown != '\0' ? " " : "", checking->port,
                  verdict != NULL ? ": " : "", verdict != NULL ? verdict : "");
    if (old != NULL) add_result(checking, "V2", old);
    add_result(checking, "The Things Stack", new);
}

static int check_one(struct checking *checking, const char *shown, const json_t *down, const uint8_t *bytes,
                     size_t size, struct error *error) {
    struct check_result old = {0};
    struct check_result new = {0};
    bool both = has_old(checking, down);
    int result = run_new(checking, down, bytes, size, &new, error);
    if (result == 0 && both) result = run_old(checking, down, bytes, size, &old, error);
    if (result == 0 && !both) doubt(&new);
    if (result == 0) tell(checking, shown, down != NULL, both ? &old : NULL, &new);
    check_result_release(&old);
    check_result_release(&new);
    return result;
}

// ---- what is given

// One payload; spaces between its digits are fine.
static int take_payload(void *context, const char *text, struct error *error) {
    uint8_t bytes[PAYLOAD_MAX];
    char digits[2 * PAYLOAD_MAX];
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (isspace((unsigned char)*at)) continue;
        if (size == sizeof digits) {
            return error_set(error, ERROR_INPUT, "a payload has more than %d bytes", PAYLOAD_MAX);
        }
        digits[size++] = *at;
    }
    if (size % 2 != 0 || !hex_decode(bytes, size / 2, digits, size)) {
        return error_set(error, ERROR_INPUT, "the payload \"%s\" is not an even number of hexadecimal digits",
                         text);
    }
    return check_one(context, text, NULL, bytes, size / 2, error);
}

static int take_fields(void *context, const char *text, struct error *error) {
    json_error_t where;
    json_t *fields = json_loads(text, 0, &where);
    int result = 0;
    if (!json_is_object(fields)) {
        result = error_set(error, ERROR_INPUT, "the fields \"%s\" are no JSON object", text);
    } else {
        result = check_one(context, text, fields, NULL, 0, error);
    }
    json_decref(fields);
    return result;
}

// Hands on each line of a repeated option.
static int take_option(struct checking *checking, const char *name, ids_receiver *receiver,
                       struct error *error) {
    char *lines MEMORY_AUTO = memory_strdup(option_string(checking->session->invocation->global, name));
    char *rest = lines;
    int result = 0;
    while (rest != NULL && result == 0) result = receiver(checking, strsep(&rest, "\n"), error);
    return result;
}

static int take_all(struct checking *checking, struct error *error) {
    const struct option_values *global = checking->session->invocation->global;
    if (option_given(global, "payload") || option_given(global, "fields")) {
        int result = take_option(checking, "payload", take_payload, error);
        return result != 0 ? result : take_option(checking, "fields", take_fields, error);
    }
    int result = 0;
    if (process_has_input()) {
        const struct ids_input lines = {.fd = STDIN_FILENO, .halt_fd = signals_halt_fd()};
        result = ids_deliver_input(&lines, take_payload, checking, NULL, error);
    }
    if (result != 0 || checking->count > 0) return result;
    error_set(error, ERROR_USAGE, "there is no payload");
    error_hint(error, "--payload HEX, --fields JSON, or payloads on standard input, one a line");
    return -ERROR_USAGE;
}

static enum exit_code finish(struct checking *checking) {
    enum exit_code code = EXIT_DONE;
    if (checking->json != NULL) {
        code = output_json(checking->session, memory_take(checking->json));
    } else {
        code = output_text(checking->session, &checking->text);
    }
    return code == EXIT_DONE && checking->same < checking->count ? EXIT_INCOMPLETE : code;
}

enum exit_code formatters_check(const struct session *session, const struct formatter_input *input) {
    struct checking checking = {
        .session = session,
        .input = input,
        .functions = formatter_input_functions(input),
        .port = (unsigned)option_uint(session->invocation->global, "port"),
    };
    ERROR_AUTO error = {0};
    buffer_init(&checking.text, BUFFER_UNLIMITED);
    if (option_bool(session->invocation->global, "json")) checking.json = json_array();
    int result = formatter_from_ttnv2(&checking.functions, &checking.formatters, &error);
    if (result == 0 && checking.formatters.up.type == FORMATTER_CAYENNELPP) {
        result = error_set(&error, ERROR_INPUT,
                           "Cayenne LPP is decoded without a script: there is nothing to run");
    }
    if (result == 0) result = take_all(&checking, &error);
    enum exit_code code = result != 0 ? output_error(session, &error) : finish(&checking);
    json_decref(checking.json);
    formatters_release(&checking.formatters);
    buffer_release(&checking.text);
    return code;
}
