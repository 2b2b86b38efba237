// SPDX-License-Identifier: Apache-2.0
// What lies between HTTP/2 and a gRPC call: frames of messages in pieces of every size, statuses, texts, deadlines.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/grpc.h"

// Decodes in pieces of each size; the outcome must always be the same.
static void expect_decoded(const void *data, size_t size, size_t limit, enum grpc_fault fault,
                           const char *message) {
    for (size_t piece = 1; piece <= size + 1; piece++) {
        BUFFER_AUTO body;
        buffer_init(&body, limit);
        struct grpc_decoder decoder;
        grpc_decoder_init(&decoder, &body);
        bool fed = true;
        for (size_t at = 0; at < size && fed; at += piece) {
            fed = grpc_decoder_feed(&decoder, (const uint8_t *)data + at,
                                    size - at < piece ? size - at : piece);
        }
        assert_int_equal(grpc_decoder_end(&decoder), fault);
        if (!fed) {
            assert_int_equal(decoder.fault, fault);
            assert_false(grpc_decoder_feed(&decoder, "x", 1));
        }
        if (message != NULL) assert_string_equal(buffer_string(&body), message);
        assert_true(body.size <= limit);
    }
}

static void test_decoder(void **state) {
    (void)state;
    expect_decoded("\0\0\0\0\0", 5, 10, GRPC_FAULT_NONE, "");
    expect_decoded("\0\0\0\0\5hello", 10, 10, GRPC_FAULT_NONE, "hello");
    expect_decoded("\0\0\0\0\5hello", 10, 5, GRPC_FAULT_NONE, "hello");
    expect_decoded("\0\0\0\0\5hello", 10, 4, GRPC_FAULT_TOO_LARGE, "");
    expect_decoded("\0\377\377\377\377", 5, 1 << 20, GRPC_FAULT_TOO_LARGE, "");
    expect_decoded("\1\0\0\0\1x", 6, 10, GRPC_FAULT_COMPRESSED, "");
    expect_decoded("\2\0\0\0\1x", 6, 10, GRPC_FAULT_FLAGS, "");
    expect_decoded("\0\0\0\0\1xy", 7, 10, GRPC_FAULT_SEVERAL, "x");
    expect_decoded("\0\0\0\0\0\0", 6, 10, GRPC_FAULT_SEVERAL, "");
    expect_decoded("\0\0\0\0\3xy", 7, 10, GRPC_FAULT_TRUNCATED, "xy");
    expect_decoded("\0\0\0", 3, 10, GRPC_FAULT_TRUNCATED, "");
    expect_decoded("", 0, 10, GRPC_FAULT_MISSING, "");
}

static void test_fault_texts(void **state) {
    (void)state;
    for (int fault = GRPC_FAULT_NONE; fault <= GRPC_FAULT_MISSING; fault++) {
        for (int other = GRPC_FAULT_NONE; other < fault; other++) {
            assert_string_not_equal(grpc_fault_text(fault), grpc_fault_text(other));
        }
    }
}

static void test_prefix(void **state) {
    (void)state;
    uint8_t prefix[GRPC_PREFIX_SIZE];
    grpc_write_prefix(prefix, 0x01020304);
    assert_memory_equal(prefix, "\0\1\2\3\4", 5);
    grpc_write_prefix(prefix, UINT32_MAX);
    assert_memory_equal(prefix, "\0\377\377\377\377", 5);
}

static void expect_timeout(int64_t timeout, const char *expected) {
    char text[GRPC_TIMEOUT_SIZE];
    grpc_write_timeout(text, timeout);
    assert_string_equal(text, expected);
}

static void test_timeout(void **state) {
    (void)state;
    expect_timeout(-1, "1m");
    expect_timeout(0, "1m");
    expect_timeout(1, "1m");
    expect_timeout(10 * NS_PER_SECOND, "10000m");
    expect_timeout(10 * NS_PER_SECOND + 1, "10001m");
    expect_timeout(99999999 * NS_PER_MS, "99999999m");
    expect_timeout(100000000 * NS_PER_MS, "100000S");
    expect_timeout(INT64_MAX, "99999999S");
}

static void expect_status(const char *text, int expected) {
    enum grpc_status status = GRPC_DATA_LOSS;
    assert_int_equal(grpc_read_status(text, &status), expected >= 0);
    assert_int_equal(status, expected >= 0 ? expected : GRPC_DATA_LOSS);
}

static void test_status(void **state) {
    (void)state;
    expect_status("0", GRPC_OK);
    expect_status("16", GRPC_UNAUTHENTICATED);
    expect_status("007", GRPC_PERMISSION_DENIED);
    expect_status("17", GRPC_UNKNOWN);
    expect_status("4294967296", GRPC_UNKNOWN);
    expect_status("9999999999", GRPC_UNKNOWN);
    expect_status("99999999999", -1);
    expect_status("", -1);
    expect_status("-1", -1);
    expect_status(" 1", -1);
    expect_status("1 ", -1);
    expect_status("OK", -1);
}

static void expect_message(const char *text, const char *expected) {
    char *message MEMORY_AUTO = grpc_read_message(text);
    assert_string_equal(message, expected);
}

static void test_message(void **state) {
    (void)state;
    expect_message("", "");
    expect_message("plain", "plain");
    expect_message("caf%C3%A9", "café");
    expect_message("%41%4a%4A", "AJJ");
    expect_message("100%", "100%");
    expect_message("%4", "%4");
    expect_message("%4g%g4%%41", "%4g%g4%A");
    expect_message("a%00b", "a b");
    expect_message("\377%25", "\377%");
}

static void test_content_type(void **state) {
    (void)state;
    assert_true(grpc_is_content_type("application/grpc"));
    assert_true(grpc_is_content_type("Application/gRPC+proto"));
    assert_true(grpc_is_content_type("application/grpc; charset=utf-8"));
    assert_false(grpc_is_content_type("application/grpc-web"));
    assert_false(grpc_is_content_type("application/grp"));
    assert_false(grpc_is_content_type("text/html"));
    assert_false(grpc_is_content_type(""));
}

static void test_http_status(void **state) {
    (void)state;
    static const int mapped[][2] = {
        {401, GRPC_UNAUTHENTICATED}, {403, GRPC_PERMISSION_DENIED}, {429, GRPC_UNAVAILABLE},
        {502, GRPC_UNAVAILABLE},     {503, GRPC_UNAVAILABLE},       {504, GRPC_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof mapped / sizeof *mapped; i++) {
        enum grpc_status status = GRPC_OK;
        assert_true(grpc_status_of_http(mapped[i][0], &status));
        assert_int_equal(status, mapped[i][1]);
    }
    static const int strange[] = {0, 200, 204, 301, 400, 404, 500};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        enum grpc_status status = GRPC_OK;
        assert_false(grpc_status_of_http(strange[i], &status));
    }
}

int main(void) {
    alarm(20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decoder),      cmocka_unit_test(test_fault_texts),
        cmocka_unit_test(test_prefix),       cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_status),       cmocka_unit_test(test_message),
        cmocka_unit_test(test_content_type), cmocka_unit_test(test_http_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
