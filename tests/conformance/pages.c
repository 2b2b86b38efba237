// SPDX-License-Identifier: Apache-2.0
// Every driver has a page that names its options.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conformance.h"

enum { PAGE_MAX = 64 * 1024 };

// "--name" or "--driver.name", with nothing of a longer name around.
static bool names(const char *page, const char *name) {
    size_t size = strlen(name);
    for (const char *at = page; (at = strstr(at, name)) != NULL; at++) {
        bool begins = at > page + 1 && (at[-1] == '.' || (at[-1] == '-' && at[-2] == '-'));
        if (begins && at[size] != '-' && !isalnum((unsigned char)at[size])) return true;
    }
    return false;
}

void check_page(const char *what, const char *name, const struct option_spec *options) {
    char *path MEMORY_AUTO = memory_printf("%s/%s/%s.md", CONFORMANCE_DOCS, what, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) fail_msg("there is no page docs/%s/%s.md", what, name);
    char *page MEMORY_AUTO = memory_alloc(PAGE_MAX, 1);
    assert_true(fread(page, 1, PAGE_MAX - 1, file) > 0);
    fclose(file);
    for (; options != NULL && options->name != NULL; options++) {
        if ((options->flags & OPTION_HIDDEN) == 0 && !names(page, options->name))
            fail_msg("docs/%s/%s.md does not name --%s", what, name, options->name);
    }
}
