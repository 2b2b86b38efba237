// SPDX-License-Identifier: Apache-2.0
// Calls to AWS IoT Wireless, and what its answers have in common. Of a refusal only its type is told: the text of a refused
// signature quotes the request, with its session token.
#include <string.h>
#include <time.h>

#include "device/cell.h"
#include "net/aws_signature.h"
#include "source/awsiot_p.h"

enum { TYPE_SIZE = 64, CLOCK_TOLERANCE = 60 };

// ---- making calls

const char *awsiot_encode(struct arena *arena, const char *text) {
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    BUFFER_AUTO encoded;
    buffer_init(&encoded, BUFFER_UNLIMITED);
    for (; *text != '\0'; text++) {
        if (strchr(kept, *text) != NULL) {
            buffer_putc(&encoded, *text);
        } else {
            buffer_printf(&encoded, "%%%02X", (unsigned)(unsigned char)*text);
        }
    }
    return arena_strdup(arena, buffer_string(&encoded));
}

static void sign(const struct awsiot *self, struct job *job, struct call *call, const char *path,
                 const char *query) {
    char *now = arena_strdup(job->arena, "yyyymmddThhmmssZ");
    aws_time_format(now, clock_wall(self->rules.clock) + self->clock_offset);
    const char *token = self->credentials.session_token;
    const struct aws_header headers[] = {
        {"host", self->host}, {"x-amz-date", now}, {"x-amz-security-token", token}};
    const struct aws_request request = {
        .method = call->method,
        .path = path,
        .query = query == NULL ? "" : query,
        .headers = headers,
        .header_count = token == NULL ? 2 : 3,
        .body = call->body,
        .body_size = call->body_size,
    };
    const struct aws_identity identity = {
        .access_key_id = self->credentials.access_key_id,
        .secret_access_key = self->credentials.secret_access_key,
        .region = self->credentials.region,
        .service = "iotwireless",
    };
    BUFFER_AUTO authorization;
    buffer_init(&authorization, BUFFER_UNLIMITED);
    aws_sign(&request, &identity, now, &authorization);
    for (size_t i = 0; i < request.header_count; i++)
        call_add_header(call, headers[i].name, headers[i].value);
    call_add_header(call, "authorization", arena_strdup(job->arena, buffer_string(&authorization)));
}

struct call *awsiot_call(const struct awsiot *self, struct job *job, const char *method, const char *path,
                         const char *query, const char *body) {
    struct call *call = job_call(job);
    const char *whole = arena_printf(job->arena, "%s%s", self->rest.address.prefix, path);
    call->kind = CALL_HTTP;
    call->server = &self->rest.server;
    call->method = method;
    call->path = query == NULL ? whole : arena_printf(job->arena, "%s?%s", whole, query);
    call->body = body;
    call->body_size = body == NULL ? 0 : strlen(body);
    sign(self, job, call, whole, query);
    call_add_header(call, "accept", "application/json");
    if (body != NULL) call_add_header(call, "content-type", "application/json");
    return call;
}

void awsiot_get_call(const struct awsiot *self, struct job *job, const char *id, bool is_eui) {
    awsiot_call(self, job, "GET",
                arena_printf(job->arena, "/wireless-devices/%s", awsiot_encode(job->arena, id)),
                is_eui ? "identifierType=DevEui" : "identifierType=WirelessDeviceId", NULL);
}

// ---- reading answers

// The name of a refusal: "ThrottlingException". It may come with an address behind it.
static const char *error_type(const struct reply *reply, char text[static TYPE_SIZE]) {
    const char *header = reply_header(reply, "x-amzn-errortype");
    size_t size = 0;
    for (; header != NULL && size + 1 < TYPE_SIZE; size++) {
        char c = header[size];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter) break;
        text[size] = c;
    }
    text[size] = '\0';
    return text;
}

static bool is_type(const struct reply *reply, const char *type) {
    char text[TYPE_SIZE];
    return reply->outcome == REPLY_ANSWERED && strcmp(error_type(reply, text), type) == 0;
}

bool awsiot_not_found(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_NOT_FOUND;
}

// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT". False if it is something else.
static bool parse_date(const char *text, int64_t *ret_seconds) {
    struct tm parts = {0};
    const char *end = text == NULL ? NULL : strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == NULL || *end != '\0') return false;
    *ret_seconds = timegm(&parts);
    return true;
}

// A signature is good for five minutes: it may have waited too long, or this machine's clock is wrong.
bool awsiot_clock_refused(struct awsiot *self, const struct reply *reply) {
    bool about = is_type(reply, "InvalidSignatureException") || is_type(reply, "RequestExpired") ||
                 is_type(reply, "SignatureDoesNotMatch") || is_type(reply, "RequestTimeTooSkewed");
    if (!about || reply->body.size == 0) return false;
    int64_t there = 0, here = (clock_wall(self->rules.clock) + self->clock_offset) / NS_PER_SECOND;
    bool told = parse_date(reply_header(reply, "date"), &there);
    if (told && (there - here > CLOCK_TOLERANCE || here - there > CLOCK_TOLERANCE)) {
        self->clock_offset += (there - here) * NS_PER_SECOND;
        return true;
    }
    static const char expired[] = "Signature expired", early[] = "Signature not yet current";
    return memmem(reply->body.data, reply->body.size, expired, sizeof expired - 1) != NULL ||
           memmem(reply->body.data, reply->body.size, early, sizeof early - 1) != NULL;
}

// The right that a call needs.
static const char *action_of(const struct awsiot *self, const struct call *call) {
    const char *path = call->path + strlen(self->rest.address.prefix);
    if (strncmp(path, "/tags", 5) == 0) return "ListTagsForResource";
    if (strncmp(path, "/device-profiles", 16) == 0) return "GetDeviceProfile";
    if (strcmp(call->method, "POST") == 0) return "CreateWirelessDevice";
    if (strcmp(call->method, "DELETE") == 0) return "DeleteWirelessDevice";
    return path[17] == '/' ? "GetWirelessDevice" : "ListWirelessDevices";
}

enum job_step awsiot_failed(struct awsiot *self, const struct call *call, const struct reply *reply,
                            struct error *error) {
    char type[TYPE_SIZE];
    if (awsiot_clock_refused(self, reply)) return JOB_LOGIN;
    // That body may quote the request.
    struct reply bare = *reply;
    if (reply->http_status == HTTP_FORBIDDEN) bare.body = (struct buffer){0};
    reply_error(&bare, call, error);
    error_type(reply, type);
    if (*type != '\0') error_wrap(error, ERROR_NONE, "%s", type);
    if (is_type(reply, "AccessDeniedException")) {
        error_hint(error, "the credentials need the right iotwireless:%s", action_of(self, call));
    } else if (is_type(reply, "ExpiredTokenException")) {
        error_hint(error, "the session token has run out: get new credentials");
    } else if (reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_FORBIDDEN) {
        error_hint(error, "check the credentials of AWS, and --awsiot.region");
    } else if (awsiot_not_found(reply)) {
        error_hint(error, "check the DevEUI or the ID, --awsiot.region, and whose credentials these are");
    } else {
        reply_hint_tls(reply, "--awsiot.ca-cert-path", "--awsiot.endpoint http://HOST:PORT", error);
    }
    return JOB_FAILED;
}

bool awsiot_device_eui(const json_t *device, struct eui64 *ret_eui) {
    const char *text = rest_text(json_object_get(device, "LoRaWAN"), "DevEui");
    return text != NULL && cell_bytes(text, ret_eui->bytes, sizeof ret_eui->bytes) == NULL;
}

enum job_step awsiot_get_reply(struct awsiot *self, const struct job *job, size_t index, json_t **ret_device,
                               struct error *error) {
    const struct reply *reply = &job->replies[index];
    if (!reply_ok(reply, CALL_HTTP)) return awsiot_failed(self, &job->calls[index], reply, error);
    *ret_device = rest_object(&self->rest, reply, error);
    return *ret_device == NULL ? JOB_FAILED : JOB_DONE;
}

// Amazon throttles by its own name for it, whatever the status, and asks for reads to be repeated after an internal error.
void awsiot_judge(struct source *source, const struct call *call, const struct reply *reply,
                  struct dispatch_verdict *verdict) {
    (void)source;
    bool throttled = is_type(reply, "ThrottlingException") || is_type(reply, "TooManyRequestsException");
    bool failed = reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_SERVER_ERROR;
    if (throttled || (failed && !call->changes)) verdict->retry = true;
}
