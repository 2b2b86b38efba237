// SPDX-License-Identifier: Apache-2.0
// The payload functions of V2 as formatters of The Things Stack.
//
// V2 ran each function in an engine of its own, and what one returned left its engine before it entered the next. The
// formatter has one engine: each source stands in a function of its own, evaluated when its turn comes, and ttnv2Copy
// does to a result what leaving and entering an engine did.
#include <stdbool.h>
#include <string.h>

#include "formatter/formatter.h"
#include "formatter/formatter_p.h"

// Both formatters begin so. The line that mentions V2's engine: it handed objects in as views of its own data, where a
// member without value read as undefined, and setting one to null or undefined took it away.
static const char common[] =
    "function ttnv2IsObject(value) {\n"
    "  return value !== null && (typeof value === 'object' || typeof value === 'function');\n"
    "}\n"
    "\n"
    "// A copy as V2 made one when a value left a function (or, with `inward`, entered one): of the members "
    "that an\n"
    "// object has itself, without undefined ones; functions and dates become empty objects, holes of arrays "
    "close.\n"
    "// Inside, null reads as undefined; `known` keeps what came in, so that what was left alone is null "
    "again.\n"
    "function ttnv2Copy(value, known, inward) {\n"
    "  var result = [], open = [{from: [value], to: result, depth: 0}];\n"
    "  while (open.length > 0) {\n"
    "    var item = open.pop(), from = item.from, list = Array.isArray(from), was = null, names = [], i;\n"
    "    if (item.depth > 1000) throw new Error('" FORMATTER_CYCLE
    "');\n"
    "    if (inward) known.push({now: item.to, was: from});\n"
    "    for (i = 0; i < known.length && !inward; i++) if (known[i].now === from) was = known[i].was;\n"
    "    for (i = 0; list && i < from.length; i++) if (i in from) names.push(i);\n"
    "    if (!list) names = Object.keys(from);\n"
    "    for (i = 0; i < names.length; i++) {\n"
    "      var member = from[names[i]], copy = member;\n"
    "      if (inward) {\n"
    "        if (member === null) copy = undefined;\n"
    "      } else if (list) {\n"
    "        if (member === undefined) copy = null;\n"
    "      } else if (was) {\n"
    "        if (member === null || (member === undefined && was[names[i]] !== null)) continue;\n"
    "        if (member === undefined) copy = null;\n"
    "      } else if (member === undefined) {\n"
    "        continue;\n"
    "      }\n"
    "      if (ttnv2IsObject(member)) {\n"
    "        copy = Array.isArray(member) ? [] : {};\n"
    "        open.push({from: member, to: copy, depth: item.depth + 1});\n"
    "      }\n"
    "      if (list) item.to.push(copy); else item.to[names[i]] = copy;\n"
    "    }\n"
    "  }\n"
    "  return result[0];\n"
    "}\n"
    "\n"
    "// V2 had a console; here nobody would see what is written there.\n"
    "var ttnv2Console = {};\n"
    "['log', 'debug', 'info', 'warn', 'error', 'dir', 'time', 'timeEnd', 'trace', 'assert'].forEach(function "
    "(name) {\n"
    "  ttnv2Console[name] = function () {};\n"
    "});\n";

static const char up_head[] =
    "// Made of the payload functions of The Things Network Stack V2. They stand below, each in a scope of "
    "its own;\n"
    "// change them there.\n"
    "\n"
    "function decodeUplink(input) {\n"
    "  var port = input.fPort, known = [], fields = {}, valid;\n";

static const char up_decoder[] =
    "\n"
    "  fields = ttnv2Decoder(input.bytes, port, ttnv2Console)(input.bytes.slice(0), port);\n"
    "  if (!ttnv2IsObject(fields) || Array.isArray(fields)) return {errors: ['Decoder " FORMATTER_NO_OBJECT
    "']};\n"
    "  fields = ttnv2Copy(fields, known, false);\n";

static const char up_converter[] =
    "\n"
    "  fields = ttnv2Copy(fields, known = [], true);\n"
    "  fields = ttnv2Converter(fields, port, ttnv2Console)(fields, port);\n";

static const char up_converted[] =
    "  if (!ttnv2IsObject(fields) || Array.isArray(fields)) return {errors: ['Converter " FORMATTER_NO_OBJECT
    "']};\n"
    "  fields = ttnv2Copy(fields, known, false);\n";

// The result is what the Validator leaves: it may change members.
static const char up_validator[] =
    "\n"
    "  fields = ttnv2Copy(fields, known = [], true);\n"
    "  valid = ttnv2Validator(fields, port, ttnv2Console)(fields, port);\n";

static const char up_validated[] = "  if (typeof valid !== 'boolean') return {errors: ['" FORMATTER_NO_BOOLEAN
                                   "']};\n"
                                   "  if (!valid) return {errors: ['" FORMATTER_INVALID
                                   "']};\n"
                                   "  fields = ttnv2Copy(fields, known, false);\n";

// V2 had an object then that could be read but not written.
static const char up_nothing[] =
    "  if (Object.keys(known[1].now).length > 0) throw new Error('" FORMATTER_NOTHING "');\n";

static const char up_tail[] =
    "\n"
    "  JSON.stringify(fields, function (name, member) {\n"
    "    if (typeof member === 'number' && !isFinite(member)) throw new Error('" FORMATTER_NO_JSON
    "');\n"
    "    return member;\n"
    "  });\n"
    "  return {data: fields};\n"
    "}\n";

// The stack's fPort of a downlink is no number before it is made one.
static const char down_head[] =
    "// Made of the Encoder of The Things Network Stack V2. It stands below, unchanged.\n"
    "\n"
    "function encodeDownlink(input) {\n"
    "  var port = Number(input.fPort) || 1, known = [], fields = ttnv2Copy(input.data || {}, known, true), "
    "i;\n"
    "\n"
    "  var bytes = ttnv2Encoder(fields, port, ttnv2Console)(fields, port);\n"
    "  if (!Array.isArray(bytes)) return {errors: ['" FORMATTER_NO_ARRAY
    "']};\n"
    "  bytes = ttnv2Copy(bytes, known, false);\n"
    "  for (i = 0; i < bytes.length; i++) {\n"
    "    if (typeof bytes[i] !== 'number' || bytes[i] % 1 !== 0) return {errors: ['" FORMATTER_NO_NUMBERS
    "']};\n"
    "    if (bytes[i] < 0 || bytes[i] > 255) return {errors: ['" FORMATTER_NO_BYTES
    "']};\n"
    "  }\n"
    "  return {bytes: bytes, fPort: port};\n"
    "}\n";

static bool is_there(const char *source) {
    return source != NULL && *source != '\0';
}

// A function that evaluates the source and gives the function of that name. `input` is the name that V2's engine knew
// its first argument by. The statement before the source keeps a "use strict" in its first line from meaning anything:
// V2's engine did not know it.
static void add_part(struct buffer *script, const char *name, const char *input, const char *source) {
    buffer_printf(script, "\nfunction ttnv2%s(%s, port, console) {\n  void 0;\n", name, input);
    formatter_add_source(script, name, source);
    buffer_printf(script, "  ;\n  return %s;\n}\n", name);
}

static int make_up(const struct ttnv2_functions *functions, struct formatter *ret, struct error *error) {
    BUFFER_AUTO script;
    buffer_init(&script, BUFFER_UNLIMITED);
    bool decoder = is_there(functions->decoder);
    bool converter = is_there(functions->converter);
    bool validator = is_there(functions->validator);
    if (!decoder && !converter && !validator) return 0;
    buffer_puts(&script, up_head);
    if (decoder) buffer_puts(&script, up_decoder);
    if (converter) {
        buffer_puts(&script, up_converter);
        if (!decoder) buffer_puts(&script, up_nothing);
        buffer_puts(&script, up_converted);
    }
    if (validator) {
        buffer_puts(&script, up_validator);
        if (!decoder && !converter) buffer_puts(&script, up_nothing);
        buffer_puts(&script, up_validated);
    }
    buffer_puts(&script, up_tail);
    if (decoder) add_part(&script, "Decoder", "payload", functions->decoder);
    if (converter) add_part(&script, "Converter", "fields", functions->converter);
    if (validator) add_part(&script, "Validator", "fields", functions->validator);
    buffer_putc(&script, '\n');
    buffer_puts(&script, common);
    return formatter_finish("uplink formatter", &script, ret, error);
}

static int make_down(const struct ttnv2_functions *functions, struct formatter *ret, struct error *error) {
    BUFFER_AUTO script;
    buffer_init(&script, BUFFER_UNLIMITED);
    if (!is_there(functions->encoder)) return 0;
    buffer_puts(&script, down_head);
    add_part(&script, "Encoder", "payload", functions->encoder);
    buffer_putc(&script, '\n');
    buffer_puts(&script, common);
    return formatter_finish("downlink formatter", &script, ret, error);
}

static int check_sources(const struct ttnv2_functions *functions, struct error *error) {
    int result = formatter_check_source("Decoder", functions->decoder, error);
    if (result == 0) result = formatter_check_source("Converter", functions->converter, error);
    if (result == 0) result = formatter_check_source("Validator", functions->validator, error);
    if (result == 0) result = formatter_check_source("Encoder", functions->encoder, error);
    return result;
}

int formatter_from_ttnv2(const struct ttnv2_functions *functions, struct formatters *ret,
                         struct error *error) {
    struct formatters made = {0};
    const char *format = functions->payload_format;
    if (is_there(format) && strcmp(format, "cayennelpp") == 0) {
        made.up.type = FORMATTER_CAYENNELPP;
        made.down.type = FORMATTER_CAYENNELPP;
    } else if (is_there(format) && strcmp(format, "custom") != 0) {
        error_set(error, ERROR_INPUT, "the payload format \"%s\" is not known", format);
        error_hint(error, "V2 has the formats custom and cayennelpp");
        return -ERROR_INPUT;
    } else {
        int result = check_sources(functions, error);
        if (result == 0) result = make_up(functions, &made.up, error);
        if (result == 0) result = make_down(functions, &made.down, error);
        if (result != 0) {
            formatters_release(&made);
            return result;
        }
    }
    *ret = made;
    return 0;
}
