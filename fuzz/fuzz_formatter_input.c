// SPDX-License-Identifier: Apache-2.0
// A user's file with payload functions: what is accepted is found again, unchanged, in the formatter, and fits.
#include <string.h>

#include "formatter/input.h"
#include "fuzz.h"

static void check_formatter(const struct formatter *formatter, const char *source) {
    if (source == NULL) return;
    fuzz_check(formatter->type == FORMATTER_JAVASCRIPT);
    fuzz_check(strlen(formatter->script) <= FORMATTER_SCRIPT_MAX);
    fuzz_check(strstr(formatter->script, source) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = memory_alloc(size + 1, 1);
    if (size > 0) memcpy(text, data, size);
    struct formatter_input input = {0};
    struct formatters made = {0};
    ERROR_AUTO error = {0};
    if (formatter_input_parse(&input, text, size, "file", &error) == 0) {
        const struct ttnv2_functions functions = formatter_input_functions(&input);
        int result = formatter_from_ttnv2(&functions, &made, &error);
        fuzz_check(result == 0 || error_is_set(&error));
        if (result == 0 && made.up.type != FORMATTER_CAYENNELPP) {
            check_formatter(&made.up, functions.decoder);
            check_formatter(&made.up, functions.converter);
            check_formatter(&made.up, functions.validator);
            check_formatter(&made.down, functions.encoder);
        }
    } else {
        fuzz_check(error_is_set(&error));
    }
    formatters_release(&made);
    formatter_input_release(&input);
    free(text);
    return 0;
}
