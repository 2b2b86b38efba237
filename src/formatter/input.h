// SPDX-License-Identifier: Apache-2.0
// Payload functions and formatters from a user's files, in any of the forms that people have them in:
//
//     a folder             with decoder.js, converter.js, validator.js, encoder.js, or some of them
//     one of these files   the function that its name says
//     another script       all functions that it defines: V2's, or decodeUplink and encodeDownlink of The Things Stack
//     a JSON object        payload_format, decoder, converter, validator, encoder: an application of V2;
//                          or up_formatter_parameter, down_formatter_parameter: The Things Stack
#ifndef FORMATTER_INPUT_H
#define FORMATTER_INPUT_H

#include "formatter/formatter.h"

enum { FORMATTER_FILE_MAX = 1 << 20 };  // bytes

enum ttnv2_part {
    TTNV2_DECODER,
    TTNV2_CONVERTER,
    TTNV2_VALIDATOR,
    TTNV2_ENCODER,
    TTNV2_PARTS,
};

// What was read; all texts are owned, NULL is none.
struct formatter_input {
    char *payload_format;
    char *parts[TTNV2_PARTS];
    char *up;  // scripts of The Things Stack
    char *down;
};

// Accepts a zeroed input.
void formatter_input_release(struct formatter_input *input);

// Adds what is at `path` ("-": standard input). ERROR_INPUT: it cannot be read, has none of the functions, or one that is
// there already; ERROR_TOO_LARGE.
int formatter_input_add(struct formatter_input *input, const char *path, struct error *error);

// Adds the text of a file called `name`: `size` bytes and a NUL. Errors as above.
int formatter_input_parse(struct formatter_input *input, const char *text, size_t size, const char *name,
                          struct error *error);

// V2's functions; they are borrowed from the input.
struct ttnv2_functions formatter_input_functions(const struct formatter_input *input);

#endif
