// SPDX-License-Identifier: Apache-2.0
// Values of options, from the command line and the environment. Each line of the input sets one option:
// the line's first byte chooses it.
#include <math.h>
#include <string.h>

#include "base/option.h"
#include "fuzz.h"

static const struct option_spec table[] = {
    {.name = "bool", .type = OPTION_BOOL},
    {.name = "string", .type = OPTION_STRING},
    {.name = "secret", .type = OPTION_STRING, .flags = OPTION_SECRET},
    {.name = "uint", .type = OPTION_UINT, .least = 1, .most = 64},
    {.name = "duration", .type = OPTION_DURATION},
    {.name = "rate", .type = OPTION_RATE},
    {.name = "choice", .type = OPTION_CHOICE, .choices = "auto always never"},
    {.name = NULL},
};

enum { OPTION_COUNT = sizeof(table) / sizeof(table[0]) - 1 };

static void check_values(const struct option_values *values) {
    uint64_t number = option_uint(values, "uint");
    fuzz_check(!option_given(values, "uint") || (number >= 1 && number <= 64));
    fuzz_check(option_duration(values, "duration") >= 0);
    double rate = option_rate(values, "rate");
    fuzz_check(isfinite(rate) && (option_given(values, "rate") ? rate > 0 : rate == 0));
    const char *choice = option_string(values, "choice");
    fuzz_check(!choice || strcmp(choice, "auto") == 0 || strcmp(choice, "always") == 0 ||
               strcmp(choice, "never") == 0);
}

static void set(struct option_values *values, const char *line) {
    if (!*line) return;
    const struct option_spec *spec = &table[(unsigned char)*line % OPTION_COUNT];
    ERROR_AUTO error = {0};
    int result = option_set(values, spec, spec->name, line + 1, &error);
    fuzz_check(result == 0 || (error.code == ERROR_USAGE && error.message));
    fuzz_check(result != 0 || option_given(values, spec->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_string(data, size);
    struct option_values *values = option_values_new(table);
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) set(values, line);
    check_values(values);
    option_values_free(values);
    free(text);
    return 0;
}
