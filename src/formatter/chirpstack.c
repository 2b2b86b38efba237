// SPDX-License-Identifier: Apache-2.0
// ChirpStack's codec scripts as formatters of The Things Stack. The script stands in a scope of its own; what The Things
// Stack does not have, the variables of a device and the time of receipt, is given to it there.
#include <stdbool.h>
#include <string.h>

#include "formatter/formatter.h"
#include "formatter/formatter_p.h"
#include "formatter/script_text.h"

static const char head[] =
    "// Made of a codec script of ChirpStack. It stands below, unchanged.\n"
    "\n";

static const char up_v4[] =
    "function decodeUplink(input) {\n"
    "  return chirpstackCodec(chirpstackConsole).decodeUplink({\n"
    "    bytes: input.bytes, fPort: input.fPort, recvTime: new Date(), variables: chirpstackVariables\n"
    "  });\n"
    "}\n";

static const char up_v3[] =
    "function decodeUplink(input) {\n"
    "  return {data: chirpstackCodec(chirpstackConsole).Decode(input.fPort, input.bytes, "
    "chirpstackVariables)};\n"
    "}\n";

// ChirpStack sends on the port that was asked for, unless a script of v4 says otherwise.
static const char down_v4[] =
    "function encodeDownlink(input) {\n"
    "  var port = Number(input.fPort) || 1;\n"
    "  var result = chirpstackCodec(chirpstackConsole).encodeDownlink({\n"
    "    data: input.data || {}, fPort: port, variables: chirpstackVariables\n"
    "  });\n"
    "  return {bytes: result.bytes, fPort: result.fPort || port, warnings: result.warnings, errors: "
    "result.errors};\n"
    "}\n";

static const char down_v3[] =
    "function encodeDownlink(input) {\n"
    "  var port = Number(input.fPort) || 1;\n"
    "  var bytes = chirpstackCodec(chirpstackConsole).Encode(port, input.data || {}, chirpstackVariables);\n"
    "  return {bytes: bytes, fPort: port};\n"
    "}\n";

static const char console[] =
    "\n"
    "var chirpstackConsole = {};\n"
    "['log', 'debug', 'info', 'warn', 'error'].forEach(function (name) {\n"
    "  chirpstackConsole[name] = function () {};\n"
    "});\n";

struct direction {
    const char *what;      // for messages
    const char *function;  // that the script must have
    const char *call;      // the formatter's own
};

// A string literal. ECMAScript 5 takes U+2028 and U+2029 for ends of lines.
static void add_literal(struct buffer *script, const char *text) {
    buffer_putc(script, '"');
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (strncmp(text, "\xe2\x80", 2) == 0 && (text[2] == '\xa8' || text[2] == '\xa9')) {
            buffer_printf(script, "\\u202%c", text[2] == '\xa8' ? '8' : '9');
            text += 2;
        } else if (byte == '"' || byte == '\\') {
            buffer_printf(script, "\\%c", byte);
        } else if (byte < 0x20) {
            buffer_printf(script, "\\u%04x", byte);
        } else {
            buffer_putc(script, (char)byte);
        }
    }
    buffer_putc(script, '"');
}

static void add_variables(struct buffer *script, const struct chirpstack_variable *variables, size_t count) {
    buffer_puts(script, "\nvar chirpstackVariables = {");
    for (size_t i = 0; i < count; i++) {
        buffer_puts(script, i == 0 ? "\n  " : ",\n  ");
        add_literal(script, variables[i].name);
        buffer_puts(script, ": ");
        add_literal(script, variables[i].value);
    }
    buffer_puts(script, count > 0 ? "\n};\n" : "};\n");
}

static int make(const struct direction *direction, const char *source,
                const struct chirpstack_variable *variables, size_t count, struct formatter *ret,
                struct error *error) {
    BUFFER_AUTO script;
    buffer_init(&script, BUFFER_UNLIMITED);
    if (!script_defines(source, direction->function)) return 0;
    buffer_puts(&script, head);
    buffer_puts(&script, direction->call);
    add_variables(&script, variables, count);
    buffer_puts(&script, "\nfunction chirpstackCodec(console) {\n");
    formatter_add_source(&script, "codec script", source);
    buffer_printf(&script, "  ;\n  return {%s: %s};\n}\n", direction->function, direction->function);
    buffer_puts(&script, console);
    return formatter_finish(direction->what, &script, ret, error);
}

static int check_texts(const char *script, const struct chirpstack_variable *variables, size_t count,
                       struct error *error) {
    int result = formatter_check_source("codec script", script, error);
    for (size_t i = 0; i < count && result == 0; i++) {
        result = formatter_check_source("name of a variable", variables[i].name, error);
        if (result == 0) result = formatter_check_source("value of a variable", variables[i].value, error);
    }
    return result;
}

int formatter_from_chirpstack(enum chirpstack_version version, const char *script,
                              const struct chirpstack_variable *variables, size_t count,
                              struct formatters *ret, struct error *error) {
    bool old = version == CHIRPSTACK_V3;
    const struct direction up = {
        .what = "uplink formatter",
        .function = old ? "Decode" : "decodeUplink",
        .call = old ? up_v3 : up_v4,
    };
    const struct direction down = {
        .what = "downlink formatter",
        .function = old ? "Encode" : "encodeDownlink",
        .call = old ? down_v3 : down_v4,
    };
    struct formatters made = {0};
    int result = check_texts(script, variables, count, error);
    if (result == 0) result = make(&up, script, variables, count, &made.up, error);
    if (result == 0) result = make(&down, script, variables, count, &made.down, error);
    if (result != 0) {
        formatters_release(&made);
        return result;
    }
    *ret = made;
    return 0;
}
