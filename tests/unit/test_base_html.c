// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/html.h"

static void check(const char *text, const char *expected) {
    BUFFER_AUTO page;
    buffer_init(&page, BUFFER_UNLIMITED);
    html_text(&page, text);
    assert_string_equal(buffer_string(&page), expected);
}

static void test_escapes(void **state) {
    (void)state;
    check(NULL, "");
    check("", "");
    check("dev-1", "dev-1");
    check("<b>", "&lt;b&gt;");
    check("a&amp;b", "a&amp;amp;b");
    check("\"x\" onclick='y'", "&quot;x&quot; onclick=&#39;y&#39;");
    check("&&<", "&amp;&amp;&lt;");
    check("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_escapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
