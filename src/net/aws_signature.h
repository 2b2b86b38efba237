// SPDX-License-Identifier: Apache-2.0
// Signature Version 4, with which requests to Amazon's services prove whose they are. Pure: the time is passed in.
#ifndef NET_AWS_SIGNATURE_H
#define NET_AWS_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

// "20150830T123600Z" and a NUL.
enum { AWS_TIME_SIZE = 17 };

struct aws_header {
    const char *name;  // lower case
    const char *value;
};

// All of it is borrowed.
struct aws_request {
    const char *method;  // "GET"
    const char *path;    // as it is sent, percent-encoded, without the query
    const char *query;   // as it is sent, percent-encoded; "" = none
    // Those that are signed, in the order of their names; host and x-amz-date have to be among them.
    const struct aws_header *headers;
    size_t header_count;
    const void *body;
    size_t body_size;  // bytes
};

struct aws_identity {
    const char *access_key_id;
    const char *secret_access_key;
    const char *region;
    const char *service;
};

// Writes ns since 1970 as Amazon takes it.
void aws_time_format(char text[static AWS_TIME_SIZE], int64_t time);

// Appends the value of the header `authorization`. `time` is what x-amz-date says.
void aws_sign(const struct aws_request *request, const struct aws_identity *identity,
              const char time[static AWS_TIME_SIZE], struct buffer *authorization);

#endif
