// SPDX-License-Identifier: Apache-2.0
#include "base/option.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/memory.h"
#include "base/words.h"

enum {
    SECRET_FILE_MAX = 4096,  // bytes of a secret's line
    VARIABLE_NAME_MAX = 64,
};

struct option_value {
    bool given;  // by the user or the environment
    char *text;  // as it was written; owned; NULL = unset
    union {
        bool truth;
        uint64_t number;
        int64_t duration;
        double rate;
    } is;
};

struct option_values {
    const struct option_spec *table;
    struct option_value *values;  // one a row; owned
};

// Parses of single types: false if `text` is not one.

static bool parse_bool(const char *text, bool *ret) {
    static const char *const truths[] = {"true", "1", "t"};
    static const char *const falsehoods[] = {"false", "0", "f"};
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++) {
        bool truth = strcasecmp(text, truths[i]) == 0;
        if (!truth && strcasecmp(text, falsehoods[i]) != 0) continue;
        *ret = truth;
        return true;
    }
    return false;
}

// Reads digits at *text and moves behind them.
static bool parse_digits(const char **text, uint64_t *ret) {
    uint64_t number = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(number, UINT64_C(10), &number)) return false;
        if (__builtin_add_overflow(number, (uint64_t)(*at - '0'), &number)) return false;
    }
    if (at == *text) return false;
    *text = at;
    *ret = number;
    return true;
}

static bool parse_uint(const char *text, uint64_t *ret) {
    uint64_t number = 0;
    if (!parse_digits(&text, &number) || *text != '\0') return false;
    *ret = number;
    return true;
}

// The digits behind a decimal point, as digits / divisor; what comes after the sixth is dropped.
static bool parse_fraction(const char **text, uint64_t *ret_digits, uint64_t *ret_divisor) {
    *ret_digits = 0;
    *ret_divisor = 1;
    if (**text != '.') return true;
    const char *at = ++*text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (*ret_divisor >= 1000000) continue;
        *ret_digits = *ret_digits * 10 + (uint64_t)(*at - '0');
        *ret_divisor *= 10;
    }
    if (at == *text) return false;
    *text = at;
    return true;
}

// As base/duration.h reads them, without a sign; a number without a unit is seconds.
static bool parse_duration(const char *text, int64_t *ret) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    bool bare = *text != '\0' && text[strspn(text, "0123456789.")] == '\0';
    char *with_unit MEMORY_AUTO = memory_printf("%s%s", text, bare ? "s" : "");
    if (*text == '-' || *text == '+') return false;
    if (!duration_parse(with_unit, strlen(with_unit), &seconds, &nanos)) return false;
    if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &seconds)) return false;
    return !__builtin_add_overflow(seconds, (int64_t)nanos, ret);
}

// A positive decimal; "/s" may follow.
static bool parse_rate(const char *text, double *ret) {
    uint64_t whole = 0, digits = 0, divisor = 1;
    if (!parse_digits(&text, &whole) || !parse_fraction(&text, &digits, &divisor)) return false;
    if (strcmp(text, "/s") != 0 && *text != '\0') return false;
    double rate = (double)whole + (double)digits / (double)divisor;
    if (rate <= 0) return false;
    *ret = rate;
    return true;
}

// What a value of a type looks like, for messages.
static const char *option_expectation(enum option_type type) {
    switch (type) {
        case OPTION_BOOL:
            return "true or false";
        case OPTION_UINT:
            return "a number";
        case OPTION_DURATION:
            return "a duration such as 30s, 1m30s or 200ms";
        case OPTION_RATE:
            return "calls per second, such as 5 or 0.5";
        case OPTION_STRING:
        case OPTION_CHOICE:
            break;
    }
    return "another value";
}

static bool option_within(const struct option_spec *spec, uint64_t number) {
    return number >= spec->least && (spec->most == 0 || number <= spec->most);
}

// Parses `text` into value->is.
static bool option_parse(const struct option_spec *spec, const char *text, struct option_value *value) {
    switch (spec->type) {
        case OPTION_BOOL:
            return parse_bool(text, &value->is.truth);
        case OPTION_UINT:
            return parse_uint(text, &value->is.number);
        case OPTION_DURATION:
            return parse_duration(text, &value->is.duration);
        case OPTION_RATE:
            return parse_rate(text, &value->is.rate);
        case OPTION_CHOICE:
            return words_contain(spec->choices, text, strlen(text));
        case OPTION_STRING:
            return true;
    }
    return false;
}

static int option_malformed(const struct option_spec *spec, const char *shown, const char *text,
                            struct error *error) {
    if (spec->type == OPTION_CHOICE) {
        return error_set(error, ERROR_USAGE, "%s is \"%s\", not one of: %s", shown, text, spec->choices);
    }
    return error_set(error, ERROR_USAGE, "%s is \"%s\", not %s", shown, text, option_expectation(spec->type));
}

static int option_out_of_range(const struct option_spec *spec, const char *shown, const char *text,
                               struct error *error) {
    if (spec->type == OPTION_DURATION) {
        return error_set(error, ERROR_USAGE, "%s is \"%s\", which is too %s", shown, text,
                         spec->most == 0 ? "short" : "short or too long");
    }
    if (spec->most == 0) {
        return error_set(error, ERROR_USAGE, "%s is %s, but must be at least %" PRIu64, shown, text,
                         spec->least);
    }
    return error_set(error, ERROR_USAGE, "%s is %s, but must be %" PRIu64 " to %" PRIu64, shown, text,
                     spec->least, spec->most);
}

static struct option_value *option_value_of(const struct option_values *values,
                                            const struct option_spec *spec) {
    return &values->values[spec - values->table];
}

int option_set(struct option_values *values, const struct option_spec *spec, const char *shown,
               const char *text, struct error *error) {
    struct option_value parsed = {.given = true};
    if (!option_parse(spec, text, &parsed)) return option_malformed(spec, shown, text, error);
    uint64_t number = spec->type == OPTION_DURATION ? (uint64_t)parsed.is.duration : parsed.is.number;
    if ((spec->type == OPTION_DURATION || spec->type == OPTION_UINT) && !option_within(spec, number)) {
        return option_out_of_range(spec, shown, text, error);
    }
    struct option_value *value = option_value_of(values, spec);
    bool add = (spec->flags & OPTION_LIST) != 0 && value->given && value->text != NULL;
    parsed.text = add ? memory_printf("%s\n%s", value->text, text) : memory_strdup(text);
    memory_free_secret(value->text);
    *value = parsed;
    return 0;
}

// Reads at most `size` bytes; the number read, or -1 with errno.
static ssize_t file_read(int fd, char *data, size_t size) {
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, data + used, size - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

// Cuts the file's content down to its first line; an error if that is no secret.
static int secret_line(char *line, size_t size, const char *shown, const char *path, struct error *error) {
    size_t length = 0;
    while (length < size && line[length] != '\n') length++;
    if (length > SECRET_FILE_MAX) {
        return error_set(error, ERROR_USAGE, "%s: the first line of %s is longer than %d bytes", shown, path,
                         SECRET_FILE_MAX);
    }
    if (memchr(line, '\0', length) != NULL) {
        return error_set(error, ERROR_USAGE, "%s: %s is not a text file", shown, path);
    }
    if (length > 0 && line[length - 1] == '\r') length--;
    if (length == 0) return error_set(error, ERROR_USAGE, "%s: the first line of %s is empty", shown, path);
    line[length] = '\0';
    return 0;
}

int option_set_from_file(struct option_values *values, const struct option_spec *spec, const char *shown,
                         const char *path, struct error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char line[SECRET_FILE_MAX + 3];  // CR, LF and the terminator
    ssize_t size = fd < 0 ? -1 : file_read(fd, line, sizeof line - 1);
    int result = 0;
    int code = errno;
    if (size < 0 && code == ENOENT && strchr(path, '/') == NULL) {
        // It may be the secret itself, given in place of a file's name: then it must not be shown.
        result = error_set(error, ERROR_USAGE, "%s: there is no such file", shown);
        error_hint(error, "%s takes the name of a file that holds the secret", shown);
    } else if (size < 0) {
        result = error_set(error, ERROR_USAGE, "%s: cannot read %s: %s", shown, path, strerror(code));
    }
    if (fd >= 0) close(fd);
    if (result == 0) result = secret_line(line, (size_t)size, shown, path, error);
    if (result == 0) result = option_set(values, spec, shown, line, error);
    memory_wipe(line, sizeof line);
    return result;
}

bool option_required(const struct option_spec *spec, bool gateways) {
    unsigned other = gateways ? OPTION_OF_DEVICES : OPTION_OF_GATEWAYS;
    return (spec->flags & OPTION_REQUIRED) != 0 && (spec->flags & other) == 0;
}

struct option_values *option_values_new(const struct option_spec *table) {
    size_t count = 0;
    while (table[count].name != NULL) count++;
    struct option_values *values = memory_new(struct option_values);
    values->table = table;
    values->values = memory_new_array(struct option_value, count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].default_value == NULL) continue;
        // A default that does not parse is a mistake in the table.
        if (option_set(values, &table[i], table[i].name, table[i].default_value, NULL) != 0) abort();
        values->values[i].given = false;
    }
    return values;
}

void option_values_free(struct option_values *values) {
    if (values == NULL) return;
    for (size_t i = 0; values->table[i].name != NULL; i++) memory_free_secret(values->values[i].text);
    free(values->values);
    free(values);
}

// Takes the first variable of the row that is set.
static int option_from_environment(struct option_values *values, const struct option_spec *spec,
                                   option_lookup *lookup, struct error *error) {
    const char *variables = spec->env;
    const char *word = NULL;
    size_t size = 0;
    while (words_next(&variables, &word, &size)) {
        char name[VARIABLE_NAME_MAX];
        if (size >= sizeof name) abort();  // a mistake in the table
        memcpy(name, word, size);
        name[size] = '\0';
        const char *text = lookup(name);
        if (text == NULL || *text == '\0') continue;
        char *shown MEMORY_AUTO = memory_printf("environment variable %s", name);
        return option_set(values, spec, shown, text, error);
    }
    return 0;
}

int option_values_environment(struct option_values *values, option_lookup *lookup, option_filter *takes,
                              const void *context, struct error *error) {
    for (size_t i = 0; values->table[i].name != NULL; i++) {
        if (values->values[i].given) continue;
        if (takes != NULL && !takes(context, &values->table[i])) continue;
        int result = option_from_environment(values, &values->table[i], lookup, error);
        if (result != 0) return result;
    }
    return 0;
}

const struct option_spec *option_find(const struct option_spec *table, const char *name, size_t name_size) {
    for (; table->name != NULL; table++) {
        if (word_equals(table->name, name, name_size)) return table;
    }
    return NULL;
}

// The value of a name that must be in the table, with a type that must be one of two.
static const struct option_value *option_get(const struct option_values *values, const char *name,
                                             enum option_type type, enum option_type other) {
    const struct option_spec *spec = option_find(values->table, name, strlen(name));
    if (spec == NULL || (spec->type != type && spec->type != other)) abort();
    return option_value_of(values, spec);
}

int option_each_given(const struct option_values *values, option_receiver *receiver, void *context,
                      struct error *error) {
    int result = 0;
    for (const struct option_spec *spec = values->table; spec->name != NULL && result == 0; spec++) {
        const struct option_value *value = option_value_of(values, spec);
        if (value->given && value->text != NULL) result = receiver(context, spec, value->text, error);
    }
    return result;
}

const char *option_string(const struct option_values *values, const char *name) {
    return option_get(values, name, OPTION_STRING, OPTION_CHOICE)->text;
}

bool option_bool(const struct option_values *values, const char *name) {
    return option_get(values, name, OPTION_BOOL, OPTION_BOOL)->is.truth;
}

uint64_t option_uint(const struct option_values *values, const char *name) {
    return option_get(values, name, OPTION_UINT, OPTION_UINT)->is.number;
}

int64_t option_duration(const struct option_values *values, const char *name) {
    return option_get(values, name, OPTION_DURATION, OPTION_DURATION)->is.duration;
}

double option_rate(const struct option_values *values, const char *name) {
    return option_get(values, name, OPTION_RATE, OPTION_RATE)->is.rate;
}

bool option_given(const struct option_values *values, const char *name) {
    const struct option_spec *spec = option_find(values->table, name, strlen(name));
    if (spec == NULL) abort();
    return option_value_of(values, spec)->given;
}

bool option_is_path(const struct option_spec *spec) {
    if (spec->type != OPTION_STRING || spec->argument == NULL) return false;
    return strncmp(spec->argument, "FILE", 4) == 0 || strncmp(spec->argument, "DIR", 3) == 0;
}

const struct option_spec *option_table(const struct option_values *values) {
    return values->table;
}
