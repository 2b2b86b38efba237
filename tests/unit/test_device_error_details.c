// SPDX-License-Identifier: Apache-2.0
// ErrorDetails as servers send them in a trailer, and as hostile ones might. Recorded ones: test_target_tts_golden.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "device/error_details.h"
#include "rpc.pb-c.h"
#include "support/device_text.h"

// The trailer of details that are written as JSON; the caller frees it.
static char *trailer_of(const char *json, const char *type_url) {
    struct arena arena = {0};
    struct buffer inner, outer;
    buffer_init(&inner, BUFFER_UNLIMITED);
    buffer_init(&outer, BUFFER_UNLIMITED);
    const ProtobufCMessage *details = message_of(&tts__error_details__descriptor, json, &arena);
    message_pack(details, &inner);
    Google__Any any = GOOGLE__ANY__INIT;
    Google__Any *list[] = {&any};
    Rpc__Status status = RPC__STATUS__INIT;
    any.type_url = arena_strdup(&arena, type_url);
    any.value = (ProtobufCBinaryData){.len = inner.size, .data = inner.data};
    status.details = list;
    status.n_details = 1;
    message_pack(&status.base, &outer);
    char *text = memory_alloc(BASE64_TEXT_SIZE(outer.size), 1);
    base64_encode(text, outer.data, outer.size);
    buffer_release(&inner);
    buffer_release(&outer);
    arena_release(&arena);
    return text;
}

#define URL "type.googleapis.com/ttn.lorawan.v3.ErrorDetails"

static void check_text(const char *json, const char *expected) {
    struct arena arena = {0};
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    char *trailer = trailer_of(json, URL);
    const Tts__ErrorDetails *details = error_details_read(trailer, &arena);
    assert_non_null(details);
    error_details_write(details, &text);
    assert_string_equal(buffer_string(&text), expected);
    // The padding is optional.
    trailer[strcspn(trailer, "=")] = '\0';
    assert_non_null(error_details_read(trailer, &arena));
    free(trailer);
    buffer_release(&text);
    arena_release(&arena);
}

static void test_texts(void **state) {
    (void)state;
    check_text("{\"namespace\":\"pkg/a\",\"name\":\"no_thing\"}", "no_thing");
    check_text(
        "{\"name\":\"taken\",\"message_format\":\"`{id}` is taken by {other} {\",\"attributes\":"
        "{\"id\":\"dev-1\",\"application_id\":\"app\",\"count\":3,\"all\":true,\"list\":[\"a\",2]}}",
        "taken: `dev-1` is taken by {other} { (application_id=app, count=3, all=true, list=a,2)");
    check_text(
        "{\"name\":\"a\",\"cause\":{\"name\":\"b\",\"message_format\":\"c\",\"attributes\":{\"d\":null},"
        "\"cause\":{\"name\":\"e\"}}}",
        "a: b: c (d=-): e");
}

static void test_secrets_are_hidden(void **state) {
    (void)state;
    check_text(
        "{\"name\":\"bad\",\"message_format\":\"key {key} of NNSXS.AAAA.BBBB!\",\"attributes\":{\"key\":"
        "\"00112233445566778899aabbccddeeff\",\"token\":\"Bearer NNSXS.X.Y\","
        "\"bytes\":\"ABEiM0RVZneImaq7zN3u/w==\",\"dev_eui\":\"0004A30B00100055\"}}",
        "bad: key (secret) of (secret)! (token=Bearer (secret), bytes=(secret), "
        "dev_eui=0004A30B00100055)");
}

static void test_attributes(void **state) {
    (void)state;
    struct arena arena = {0};
    char *trailer = trailer_of(
        "{\"namespace\":\"pkg/identityserver\",\"name\":\"end_device_euis_taken\","
        "\"attributes\":{\"device_id\":\"dev-1\",\"n\":1}}",
        URL);
    const Tts__ErrorDetails *details = error_details_read(trailer, &arena);
    assert_true(error_details_is(details, "pkg/identityserver", "end_device_euis_taken"));
    assert_false(error_details_is(details, "pkg/identityserver", "id_taken"));
    assert_false(error_details_is(details, "pkg", "end_device_euis_taken"));
    assert_string_equal(error_details_attribute(details, "device_id"), "dev-1");
    assert_null(error_details_attribute(details, "n"));
    assert_null(error_details_attribute(details, "application_id"));
    assert_null(error_details_attribute(NULL, "n"));
    assert_false(error_details_is(NULL, "a", "b"));
    free(trailer);
    arena_release(&arena);
}

static void test_garbage(void **state) {
    (void)state;
    static const char *const texts[] = {"", "*", "AAAA", "CAUSAm5v", "====", "CgEBGg=="};
    struct arena arena = {0};
    assert_null(error_details_read(NULL, &arena));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_null(error_details_read(texts[i], &arena));
    }
    char *other = trailer_of("{\"name\":\"a\"}", "type.googleapis.com/google.rpc.RetryInfo");
    assert_null(error_details_read(other, &arena));
    free(other);
    char *huge = memory_alloc(200000, 1);
    memset(huge, 'A', 199999);
    assert_null(error_details_read(huge, &arena));
    free(huge);
    // Cut anywhere, it is details or nothing.
    char *trailer =
        trailer_of("{\"name\":\"a\",\"attributes\":{\"b\":[1,[2,[3]]]},\"cause\":{\"name\":\"c\"}}", URL);
    for (size_t size = strlen(trailer); size-- > 0;) {
        trailer[size] = '\0';
        struct buffer text;
        buffer_init(&text, BUFFER_UNLIMITED);
        error_details_write(error_details_read(trailer, &arena), &text);
        buffer_release(&text);
    }
    free(trailer);
    arena_release(&arena);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_secrets_are_hidden),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
