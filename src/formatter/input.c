// SPDX-License-Identifier: Apache-2.0
#include "formatter/input.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "formatter/script_text.h"

static const struct {
    const char *member;    // of JSON; with ".js" the name of a file
    const char *function;  // in a script
} parts[TTNV2_PARTS] = {
    [TTNV2_DECODER] = {"decoder", "Decoder"},
    [TTNV2_CONVERTER] = {"converter", "Converter"},
    [TTNV2_VALIDATOR] = {"validator", "Validator"},
    [TTNV2_ENCODER] = {"encoder", "Encoder"},
};

void formatter_input_release(struct formatter_input *input) {
    free(input->payload_format);
    for (size_t i = 0; i < TTNV2_PARTS; i++) free(input->parts[i]);
    free(input->up);
    free(input->down);
    *input = (struct formatter_input){0};
}

// Copies a text to where there was none.
static int put(char **where, const char *what, const char *text, const char *path, struct error *error) {
    if (*where != NULL) return error_set(error, ERROR_INPUT, "%s: there is another %s already", path, what);
    *where = memory_strdup(text);
    return 0;
}

static int nothing_there(const char *path, struct error *error) {
    error_set(error, ERROR_INPUT, "%s has no payload function", path);
    error_hint(
        error,
        "it needs a function Decoder, Converter, Validator or Encoder; or decodeUplink or encodeDownlink");
    return -ERROR_INPUT;
}

static int add_member(char **where, const json_t *object, const char *name, bool *any, const char *path,
                      struct error *error) {
    const json_t *member = json_object_get(object, name);
    if (member == NULL || json_is_null(member)) return 0;
    if (!json_is_string(member)) return error_set(error, ERROR_INPUT, "%s: %s is not a text", path, name);
    if (json_string_length(member) == 0) return 0;
    *any = true;
    return put(where, name, json_string_value(member), path, error);
}

static int add_object(struct formatter_input *input, const json_t *object, const char *path,
                      struct error *error) {
    bool any = false;
    int result = add_member(&input->payload_format, object, "payload_format", &any, path, error);
    for (size_t i = 0; i < TTNV2_PARTS && result == 0; i++) {
        result = add_member(&input->parts[i], object, parts[i].member, &any, path, error);
    }
    if (result == 0) result = add_member(&input->up, object, "up_formatter_parameter", &any, path, error);
    if (result == 0) result = add_member(&input->down, object, "down_formatter_parameter", &any, path, error);
    return result == 0 && !any ? nothing_there(path, error) : result;
}

static int add_json(struct formatter_input *input, const char *text, size_t size, const char *path,
                    struct error *error) {
    json_error_t where;
    json_t *object = json_loadb(text, size, 0, &where);
    if (object == NULL) {
        return error_set(error, ERROR_INPUT, "%s:%d: no valid JSON: %s", path, where.line, where.text);
    }
    int result = add_object(input, object, path, error);
    json_decref(object);
    return result;
}

static int add_script(struct formatter_input *input, const char *text, const char *path,
                      struct error *error) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    for (size_t i = 0; i < TTNV2_PARTS; i++) {
        size_t size = strlen(parts[i].member);
        if (strncmp(name, parts[i].member, size) != 0 || strcmp(name + size, ".js") != 0) continue;
        return put(&input->parts[i], parts[i].function, text, path, error);
    }
    bool up = script_defines(text, "decodeUplink");
    bool down = script_defines(text, "encodeDownlink");
    int result = 0;
    if (up) result = put(&input->up, "uplink formatter", text, path, error);
    if (down && result == 0) result = put(&input->down, "downlink formatter", text, path, error);
    if (up || down) return result;
    bool any = false;
    for (size_t i = 0; i < TTNV2_PARTS && result == 0; i++) {
        if (!script_defines(text, parts[i].function)) continue;
        any = true;
        result = put(&input->parts[i], parts[i].function, text, path, error);
    }
    return result == 0 && !any ? nothing_there(path, error) : result;
}

int formatter_input_parse(struct formatter_input *input, const char *text, size_t size, const char *name,
                          struct error *error) {
    if (strlen(text) != size || !utf8_valid(text, size)) {
        return error_set(error, ERROR_INPUT, "%s is no text in UTF-8", name);
    }
    // A byte order mark, as some editors write one.
    const char *start = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
    if (start[strspn(start, " \t\r\n")] == '{') {
        return add_json(input, start, size - (size_t)(start - text), name, error);
    }
    return add_script(input, start, name, error);
}

static int add_file(struct formatter_input *input, const char *path, const char *shown, struct error *error) {
    char *text MEMORY_AUTO = NULL;
    size_t size = 0;
    int result = file_read_all(path, FORMATTER_FILE_MAX, &text, &size, error);
    return result != 0 ? result : formatter_input_parse(input, text, size, shown, error);
}

static int add_folder(struct formatter_input *input, const char *path, struct error *error) {
    bool any = false;
    for (size_t i = 0; i < TTNV2_PARTS; i++) {
        char *file MEMORY_AUTO = memory_printf("%s/%s.js", path, parts[i].member);
        if (access(file, F_OK) != 0) continue;
        any = true;
        int result = add_file(input, file, file, error);
        if (result != 0) return result;
    }
    if (any) return 0;
    error_set(error, ERROR_INPUT, "%s has no payload function", path);
    error_hint(error, "a folder needs decoder.js, converter.js, validator.js or encoder.js");
    return -ERROR_INPUT;
}

int formatter_input_add(struct formatter_input *input, const char *path, struct error *error) {
    struct stat status;
    if (strcmp(path, "-") == 0) return add_file(input, "/dev/stdin", "standard input", error);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return add_folder(input, path, error);
    return add_file(input, path, path, error);
}

struct ttnv2_functions formatter_input_functions(const struct formatter_input *input) {
    return (struct ttnv2_functions){
        .payload_format = input->payload_format,
        .decoder = input->parts[TTNV2_DECODER],
        .converter = input->parts[TTNV2_CONVERTER],
        .validator = input->parts[TTNV2_VALIDATOR],
        .encoder = input->parts[TTNV2_ENCODER],
    };
}
