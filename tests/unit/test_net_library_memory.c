// SPDX-License-Identifier: Apache-2.0
// What libcurl and OpenSSL give back holds no secrets any more: the process looks for one in its own memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/library_memory.h"

enum { SECRET_SIZE = 200, MARK_AT = 100, MARK_SIZE = 60, CHUNK = 1 << 16 };

// The secret is nowhere but where it was written: each byte is worked out.
static char secret_byte(size_t i) {
    return (char)('A' + (i * 7 + i / 11) % 26);
}

static void write_secret(char *text) {
    for (size_t i = 0; i < SECRET_SIZE; i++) text[i] = secret_byte(i);
    text[SECRET_SIZE] = '\0';
}

// Whether the middle of the secret is here. An allocator may write over its beginning.
static bool is_mark(const char *bytes) {
    for (size_t i = 0; i < MARK_SIZE; i++) {
        if (bytes[i] != secret_byte(MARK_AT + i)) return false;
    }
    return true;
}

static bool range_holds(int memory, uintptr_t start, uintptr_t end) {
    static char bytes[CHUNK + MARK_SIZE];
    bool found = false;
    for (uintptr_t at = start; at < end && !found; at += CHUNK) {
        size_t size = end - at < sizeof bytes ? end - at : sizeof bytes;
        if (pread(memory, bytes, size, (off_t)at) != (ssize_t)size) break;
        for (size_t i = 0; i + MARK_SIZE <= size && !found; i++) found = is_mark(bytes + i);
    }
    memory_wipe(bytes, sizeof bytes);
    return found;
}

// Looks through what the process can write to, but for its stack and static data.
static bool heap_holds_secret(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(maps != NULL && memory >= 0);
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        uintptr_t start = 0, end = 0;
        char rights[5] = "";
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || strncmp(rights, "rw", 2) != 0) continue;
        bool named = strchr(line, '/') != NULL || strstr(line, "[stack]") != NULL;
        // What a sanitizer sets aside for itself is larger than any heap here.
        if (!named && end - start <= UINT32_MAX) found = range_holds(memory, start, end);
    }
    fclose(maps);
    close(memory);
    return found;
}

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
