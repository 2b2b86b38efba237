// SPDX-License-Identifier: Apache-2.0
// Errors as values: a code for the program, a message for a person, and the chain of causes.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

// What kind of thing went wrong. Functions that can fail return 0 or the negative of one of these.
enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE,  // the command line or an environment variable is wrong
    ERROR_INPUT,  // a file or a line given by the user is malformed
    ERROR_EMPTY,  // the device holds nothing that could be migrated: it was exported before, or never complete
    ERROR_DEVICE,       // this device cannot be migrated as it is
    ERROR_NOT_FOUND,    // the peer does not know the thing asked for
    ERROR_DENIED,       // the peer refuses the credentials or the right is missing
    ERROR_REFUSED,      // the peer answered with another final error
    ERROR_UNAVAILABLE,  // the peer cannot be reached, is overloaded or went away
    ERROR_TIMEOUT,      // the peer did not answer in time
    ERROR_PROTOCOL,     // the peer answered nonsense
    ERROR_TOO_LARGE,    // a stated limit is exceeded
    ERROR_OUTPUT,       // standard output or the output file cannot be written
    ERROR_SYSTEM,       // the operating system refused something else
    ERROR_CANCELLED,    // the user interrupted the run
};

// An error starts as `struct error error = {0}` (no error). It owns its texts and its cause.
struct error {
    enum error_code code;
    char *message;        // owned; one line without a full stop; NULL if there is no error
    char *hint;           // owned; what to do next; NULL if there is nothing to say
    struct error *cause;  // owned; what lay behind it; NULL at the root
};

// Sets a new error in place of whatever `error` held; `error` may be NULL. Returns -code.
int error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts a new error above the one in `error`, which becomes its cause and hands its hint up.
// The code stays that of the cause if `code` is ERROR_NONE. Returns -(resulting code).
int error_wrap(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Sets (replaces) the hint: one sentence that says what the user can do.
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Moves `from` into `to`, whose old content is released; `from` holds no error afterwards.
void error_move(struct error *to, struct error *from);

// Makes `to` (released first) a deep copy of `from`.
void error_copy(struct error *to, const struct error *from);

// True if `error` holds an error.
bool error_is_set(const struct error *error);

// The innermost cause; borrowed.
const struct error *error_root(const struct error *error);

// The whole chain as "outer: inner: root"; the caller frees the result.
char *error_chain(const struct error *error);

// Frees everything and leaves an empty error. Accepts NULL and an empty error.
void error_release(struct error *error);

// An error that is released when its scope ends.
#define ERROR_AUTO __attribute__((cleanup(error_release))) struct error

#endif
