// SPDX-License-Identifier: Apache-2.0
// What libcurl and OpenSSL give back holds no secrets any more: the process looks for one in its own memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/library_memory.h"
#include "support/heap_search.h"

static void test_search(void **state) {
    (void)state;
    assert_false(heap_holds_secret());
    char *text = memory_alloc(SECRET_SIZE + 1, 1);
    write_secret(text);
    assert_true(heap_holds_secret());
    memory_free_secret(text);
    assert_false(heap_holds_secret());
}

static void test_openssl(void **state) {
    (void)state;
    char *text = OPENSSL_malloc(SECRET_SIZE + 1);
    assert_non_null(text);
    write_secret(text);
    text = OPENSSL_realloc(text, (size_t)100 * SECRET_SIZE);
    assert_true(text != NULL && is_mark(text + MARK_AT));
    memory_wipe(text, SECRET_SIZE);
    assert_false(heap_holds_secret());  // the old place
    write_secret(text);
    OPENSSL_free(text);
    assert_false(heap_holds_secret());
    OPENSSL_free(NULL);
}

static void test_curl(void **state) {
    (void)state;
    char *text = memory_alloc(SECRET_SIZE + 1, 1);
    write_secret(text);
    CURL *easy = curl_easy_init();
    struct curl_slist *list = curl_slist_append(NULL, text);
    assert_true(easy != NULL && list != NULL);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_USERAGENT, text), CURLE_OK);
    memory_free_secret(text);
    assert_true(heap_holds_secret());
    curl_slist_free_all(list);
    assert_true(heap_holds_secret());
    curl_easy_cleanup(easy);
    assert_false(heap_holds_secret());
}

int main(void) {
    alarm(60);
    if (!library_memory_init()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_openssl),
        cmocka_unit_test(test_curl),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
