// SPDX-License-Identifier: Apache-2.0
// Turns data/bands.txt and data/frequency-plans.txt into constant C tables. Part of the build only:
//
//     lorawanc BANDS PLANS OUTPUT
#include "lorawanc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_tables(struct buffer *out, const struct buffer *bands, unsigned band_count,
                         const struct buffer *plans, unsigned plan_count) {
    buffer_puts(out, "\nconst struct band lorawan_bands[] = {\n");
    buffer_add(out, bands->data, bands->size);
    buffer_printf(out, "};\nconst size_t lorawan_bands_count = %u;\n", band_count);
    buffer_puts(out, "\nstatic const struct frequency_plan plans[] = {\n");
    buffer_add(out, plans->data, plans->size);
    buffer_printf(out,
                  "};\nconst struct frequency_plans lorawan_builtin_plans = {.plans = plans, .count = %u};\n",
                  plan_count);
}

static void save(const char *path, const struct buffer *text) {
    FILE *file = fopen(path, "we");
    size_t written = file == NULL ? 0 : fwrite(text->data, 1, text->size, file);
    if (file == NULL || fclose(file) != 0 || written != text->size) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: lorawanc BANDS PLANS OUTPUT\n");
        return EXIT_FAILURE;
    }
    struct text_file bands, plans;
    struct tables tables = {.text = {.limit = BUFFER_UNLIMITED}};
    BUFFER_AUTO band_elements = {.limit = BUFFER_UNLIMITED};
    BUFFER_AUTO plan_elements = {.limit = BUFFER_UNLIMITED};
    BUFFER_AUTO out = {.limit = BUFFER_UNLIMITED};
    text_read(argv[1], &bands);
    text_read(argv[2], &plans);
    unsigned band_count = compile_bands(&bands, &tables, &band_elements);
    unsigned plan_count = compile_plans(&plans, &tables, &plan_elements);
    buffer_puts(&out, "// Made by lorawanc from data/bands.txt and data/frequency-plans.txt.\n");
    buffer_puts(&out, "#include \"lorawan/tables_p.h\"\n\n");
    buffer_add(&out, tables.text.data, tables.text.size);
    write_tables(&out, &band_elements, band_count, &plan_elements, plan_count);
    save(argv[3], &out);
    tables_release(&tables);
    text_release(&plans);
    text_release(&bands);
    return EXIT_SUCCESS;
}
