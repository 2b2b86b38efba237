// SPDX-License-Identifier: Apache-2.0
// Payload formatters: scripts that turn a device's bytes into fields and back, carried over from other networks to The
// Things Stack. Nothing here runs a script or touches a file; formatter/check.h does the first, formatter/input.h the
// second.
//
// A network whose scripts have another form gets a function of its own here, formatter_from_<network>, in a file of its
// own: it takes what that network knows of scripts, and gives back what The Things Stack sets (application or device).
#ifndef FORMATTER_FORMATTER_H
#define FORMATTER_FORMATTER_H

#include <stddef.h>

#include "base/error.h"

// The most bytes of a script that an Application Server takes.
enum { FORMATTER_SCRIPT_MAX = 40960 };

enum formatter_type {
    FORMATTER_NONE,
    FORMATTER_JAVASCRIPT,
    FORMATTER_CAYENNELPP,
};

struct formatter {
    enum formatter_type type;
    char *script;  // owned; UTF-8; only with FORMATTER_JAVASCRIPT, else NULL
};

// Both directions, as they are set in an application's link or in a device.
struct formatters {
    struct formatter up;
    struct formatter down;
};

// The name of a type in the API of The Things Stack: "FORMATTER_JAVASCRIPT".
const char *formatter_type_name(enum formatter_type type);

// Accepts zeroed formatters.
void formatters_release(struct formatters *formatters);

// ---- The Things Network Stack V2

// An application's payload functions. The texts are borrowed, UTF-8; NULL or empty: there is no such function.
struct ttnv2_functions {
    const char
        *payload_format;  // "custom", "cayennelpp"; NULL or empty: "custom" if there is a function, else none
    const char *decoder;  // source with a function Decoder(bytes, port) that returns an object
    const char *converter;  // ... Converter(decoded, port) that returns an object
    const char *validator;  // ... Validator(converted, port) that returns a boolean
    const char *encoder;    // ... Encoder(fields, port) that returns an array of bytes
};

// What the formatters report in `errors` where V2 reported an error or, for FORMATTER_INVALID, refused the uplink.
#define FORMATTER_NO_OBJECT  "does not return an object"
#define FORMATTER_NO_BOOLEAN "Validator does not return a boolean"
#define FORMATTER_INVALID    "Validator returned false"
#define FORMATTER_NO_ARRAY   "Encoder does not return an array"
#define FORMATTER_NO_NUMBERS "Encoder does not return whole numbers"
#define FORMATTER_NO_BYTES   "Encoder returns a number that is not between 0 and 255"
#define FORMATTER_NO_JSON    "a number of the result is not finite"
#define FORMATTER_CYCLE      "the result contains itself"
#define FORMATTER_NOTHING    "a member was set, but there is no Decoder whose result could have it"

// Makes one formatter a direction that behaves as the functions do in V2; the functions' source is in it unchanged. The
// caller releases *ret, which is only set on success. ERROR_INPUT: a format that is not known, or a text that is no
// UTF-8; ERROR_TOO_LARGE: a formatter would be larger than FORMATTER_SCRIPT_MAX.
int formatter_from_ttnv2(const struct ttnv2_functions *functions, struct formatters *ret,
                         struct error *error);

// ---- ChirpStack

enum chirpstack_version {
    CHIRPSTACK_V3 = 3,  // Decode(fPort, bytes, variables), Encode(fPort, obj, variables)
    CHIRPSTACK_V4 =
        4,  // decodeUplink({bytes, fPort, recvTime, variables}), encodeDownlink({data, fPort, variables})
};

struct chirpstack_variable {
    const char *name;   // borrowed, UTF-8
    const char *value;  // borrowed, UTF-8
};

// Makes formatters of a device profile's script, with the variables of one device written into them: The Things Stack
// has none, so what this gives is the formatter of that device. Without variables it fits all devices. `script` is
// borrowed; `variables` may be NULL if `count` is 0. A direction whose function the script does not name has none. Errors as
// for formatter_from_ttnv2.
int formatter_from_chirpstack(enum chirpstack_version version, const char *script,
                              const struct chirpstack_variable *variables, size_t count,
                              struct formatters *ret, struct error *error);

#endif
