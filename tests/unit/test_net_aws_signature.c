// SPDX-License-Identifier: Apache-2.0
// Requests and signatures as Amazon publishes them for Signature Version 4.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/aws_signature.h"

#define TIME "20150830T123600Z"
#define HOST \
    { .name = "host", .value = "example.amazonaws.com" }
#define DATE \
    { .name = "x-amz-date", .value = TIME }

enum { HEADERS_MOST = 6 };

static const struct aws_identity identity = {
    .access_key_id = "AKIDEXAMPLE",
    .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "service",
};

static const struct vector {
    const char *method, *path, *query, *body;
    struct aws_header headers[HEADERS_MOST];
    const char *names, *signature;
} vectors[] = {
    {"GET",
     "/",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"POST",
     "/",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"GET",
     "/",
     "Param1=value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"GET",
     "/",
     "Param2=value2&Param1=value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"GET",
     "/\xE1\x88\xB4",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"GET",
     "/",
     "",
     "",
     {HOST, {"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}, DATE},
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"POST",
     "/",
     "",
     "Param1=value1",
     {{"content-type", "application/x-www-form-urlencoded"}, HOST, DATE},
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

static void test_published(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *vector = &vectors[i];
        struct aws_request request = {
            .method = vector->method,
            .path = vector->path,
            .query = vector->query,
            .headers = vector->headers,
            .body = vector->body,
            .body_size = strlen(vector->body),
        };
        while (request.header_count < HEADERS_MOST && vector->headers[request.header_count].name != NULL)
            request.header_count++;
        BUFFER_AUTO seen;
        BUFFER_AUTO wanted;
        buffer_init(&seen, BUFFER_UNLIMITED);
        buffer_init(&wanted, BUFFER_UNLIMITED);
        aws_sign(&request, &identity, TIME, &seen);
        buffer_printf(&wanted,
                      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                      "SignedHeaders=%s, Signature=%s",
                      vector->names, vector->signature);
        assert_string_equal(buffer_string(&seen), buffer_string(&wanted));
    }
}

static void test_time(void **state) {
    (void)state;
    char text[AWS_TIME_SIZE];
    aws_time_format(text, INT64_C(1440938160) * 1000000000 + 5);
    assert_string_equal(text, TIME);
    aws_time_format(text, INT64_MAX);
    assert_int_equal(strlen(text), AWS_TIME_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
