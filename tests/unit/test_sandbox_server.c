// SPDX-License-Identifier: Apache-2.0
// The servers around the world, called by a real client: the gRPC C core's own, and plain HTTP over a socket.
#include "test_sandbox_help.h"

#include <arpa/inet.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <unistd.h>

#include "server/grpc_front.h"
#include "server/http_front.h"

enum { CALL_MS = 10000, BURST = 64, BURST_LATENCY_MS = 150 };

struct theatre {
    struct stage stage;
    struct certificate certificate;
    struct grpc_front *front;
    unsigned tls_port, plain_port, tts_port;
    grpc_completion_queue *queue;
};

static struct theatre *open_theatre(int64_t latency) {
    setenv("GRPC_VERBOSITY", "NONE", 0);
    struct theatre *theatre = memory_new(struct theatre);
    ERROR_AUTO error = {0};
    stage_init(&theatre->stage, make_world(20), latency);
    assert_int_equal(certificate_make(NULL, &theatre->certificate, &error), 0);
    theatre->front = grpc_front_new(&theatre->stage);
    assert_int_equal(grpc_front_listen(theatre->front, WORLD_TTNV2_HANDLER, "127.0.0.1", 0,
                                       &theatre->certificate, &theatre->tls_port, &error),
                     0);
    assert_int_equal(grpc_front_listen(theatre->front, WORLD_TTNV2_HANDLER, "127.0.0.1", 0, NULL,
                                       &theatre->plain_port, &error),
                     0);
    assert_int_equal(
        grpc_front_listen(theatre->front, WORLD_TTS_IS, "127.0.0.1", 0, NULL, &theatre->tts_port, &error), 0);
    assert_int_equal(grpc_front_start(theatre->front, &error), 0);
    grpc_init();
    theatre->queue = grpc_completion_queue_create_for_next(NULL);
    return theatre;
}

static void close_theatre(struct theatre *theatre) {
    grpc_completion_queue_shutdown(theatre->queue);
    while (grpc_completion_queue_next(theatre->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
           GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(theatre->queue);
    grpc_front_free(theatre->front);
    certificate_release(&theatre->certificate);
    stage_release(&theatre->stage);
    free(theatre);
    grpc_shutdown();
}

static grpc_channel *connect_to(unsigned port, const char *root_pem) {
    char target[40];
    snprintf(target, sizeof target, "127.0.0.1:%u", port);
    grpc_channel_credentials *credentials = root_pem != NULL
                                                ? grpc_ssl_credentials_create(root_pem, NULL, NULL, NULL)
                                                : grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(target, credentials, NULL);
    grpc_channel_credentials_release(credentials);
    return channel;
}

// A call under way, and what came of it.
struct exchange {
    grpc_call *call;
    grpc_metadata_array headers, trailers;
    grpc_byte_buffer *request, *answer;
    grpc_status_code status;
    grpc_slice details;
};

static void start_call(struct theatre *theatre, grpc_channel *channel, const char *method, const char *key,
                       const void *body, size_t size, int64_t timeout_ms, struct exchange *x) {
    *x = (struct exchange){0};
    grpc_metadata_array_init(&x->headers);
    grpc_metadata_array_init(&x->trailers);
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
    grpc_slice path = grpc_slice_from_copied_string(method);
    x->call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, theatre->queue, path, NULL,
                                       deadline, NULL);
    grpc_slice_unref(path);
    grpc_slice message = grpc_slice_from_copied_buffer(body, size);
    x->request = grpc_raw_byte_buffer_create(&message, 1);
    grpc_slice_unref(message);
    grpc_metadata metadata = {.key = grpc_slice_from_static_string("key"),
                              .value = grpc_slice_from_copied_string(key)};
    grpc_op ops[6];
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[0].data.send_initial_metadata.count = 1;
    ops[0].data.send_initial_metadata.metadata = &metadata;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = x->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &x->headers;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &x->answer;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &x->trailers;
    ops[5].data.recv_status_on_client.status = &x->status;
    ops[5].data.recv_status_on_client.status_details = &x->details;
    assert_int_equal(grpc_call_start_batch(x->call, ops, 6, x, NULL), GRPC_CALL_OK);
    grpc_slice_unref(metadata.value);
}

// Longer than a call may take, so that one that runs into its deadline ends too.
static void wait_call(struct theatre *theatre) {
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis((int64_t)2 * CALL_MS, GPR_TIMESPAN));
    assert_int_equal(grpc_completion_queue_next(theatre->queue, deadline, NULL).type, GRPC_OP_COMPLETE);
}

static void end_call(struct exchange *x) {
    grpc_byte_buffer_destroy(x->request);
    grpc_byte_buffer_destroy(x->answer);
    grpc_metadata_array_destroy(&x->headers);
    grpc_metadata_array_destroy(&x->trailers);
    grpc_slice_unref(x->details);
    grpc_call_unref(x->call);
}

static const char get_request[] = "\x0a\x0amy-ttn-app\x12\x08mydevice";

static void get(struct theatre *theatre, grpc_channel *channel, int64_t timeout_ms, struct exchange *x) {
    start_call(theatre, channel, HANDLER("GetDevice"), world_access_key(theatre->stage.world), get_request,
               sizeof get_request - 1, timeout_ms, x);
    wait_call(theatre);
}

static void expect_status(struct theatre *theatre, grpc_channel *channel, int64_t timeout_ms, int status) {
    struct exchange x;
    get(theatre, channel, timeout_ms, &x);
    if ((int)x.status != status) {
        fail_msg("status %d (%.*s) instead of %d", (int)x.status, (int)GRPC_SLICE_LENGTH(x.details),
                 (const char *)GRPC_SLICE_START_PTR(x.details), status);
    }
    end_call(&x);
}

static void add_fault(struct theatre *theatre, const char *spec) {
    ERROR_AUTO error = {0};
    pthread_mutex_lock(&theatre->stage.lock);
    assert_int_equal(world_add_fault(theatre->stage.world, spec, &error), 0);
    pthread_mutex_unlock(&theatre->stage.lock);
}

static void expect_answer(struct theatre *theatre, grpc_channel *channel) {
    struct exchange x;
    get(theatre, channel, CALL_MS, &x);
    assert_int_equal(x.status, GRPC_STATUS_OK);
    assert_int_equal(GRPC_SLICE_LENGTH(x.details), 0);
    grpc_byte_buffer_reader reader;
    assert_true(grpc_byte_buffer_reader_init(&reader, x.answer));
    grpc_slice body = grpc_byte_buffer_reader_readall(&reader);
    struct world_reply expected = call_ids(theatre->stage.world, HANDLER("GetDevice"), APP, "mydevice");
    assert_int_equal(GRPC_SLICE_LENGTH(body), expected.body.size);
    assert_memory_equal(GRPC_SLICE_START_PTR(body), expected.body.data, expected.body.size);
    world_reply_release(&expected);
    grpc_slice_unref(body);
    grpc_byte_buffer_reader_destroy(&reader);
    end_call(&x);
}

static void test_answers(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(0);
    grpc_channel *channels[] = {connect_to(theatre->tls_port, theatre->certificate.certificate_pem),
                                connect_to(theatre->plain_port, NULL)};
    for (size_t i = 0; i < 2; i++) {
        expect_answer(theatre, channels[i]);
        struct exchange x;
        start_call(theatre, channels[i], HANDLER("GetDevice"), world_key_settings_only(theatre->stage.world),
                   get_request, sizeof get_request - 1, CALL_MS, &x);
        wait_call(theatre);
        assert_int_equal(x.status, GRPC_STATUS_PERMISSION_DENIED);
        assert_int_equal(
            grpc_slice_str_cmp(x.details,
                               "permission denied: No \"devices\" rights to Application \"" APP "\""),
            0);
        end_call(&x);
        grpc_channel_destroy(channels[i]);
    }
    close_theatre(theatre);
}

// The details of an error arrive as they are: the library makes text of them on the way, and bytes again.
static void test_details(void **state) {
    (void)state;
    static const char method[] = "/ttn.lorawan.v3.EndDeviceRegistry/Get";
    static const char request[] = "\x0a\x12\x0a\x03one\x12\x0b\x0a\x09my-app-id";
    struct theatre *theatre = open_theatre(0);
    grpc_channel *channel = connect_to(theatre->tts_port, NULL);
    struct exchange x;
    start_call(theatre, channel, method, "", request, sizeof request - 1, CALL_MS, &x);
    wait_call(theatre);
    assert_int_equal(x.status, GRPC_STATUS_PERMISSION_DENIED);
    const uint8_t *details = NULL;
    size_t size = 0;
    for (size_t i = 0; i < x.trailers.count; i++) {
        if (grpc_slice_str_cmp(x.trailers.metadata[i].key, "grpc-status-details-bin") != 0) continue;
        details = GRPC_SLICE_START_PTR(x.trailers.metadata[i].value);
        size = GRPC_SLICE_LENGTH(x.trailers.metadata[i].value);
    }
    assert_non_null(details);
    struct wire_reader reader = {.data = details, .size = size};
    struct wire_field field;
    assert_true(wire_next(&reader, &field));
    assert_int_equal(field.value, GRPC_STATUS_PERMISSION_DENIED);
    assert_true(wire_next(&reader, &field));
    assert_int_equal(field.bytes.size, GRPC_SLICE_LENGTH(x.details));
    assert_memory_equal(field.bytes.data, GRPC_SLICE_START_PTR(x.details), field.bytes.size);
    assert_true(wire_next(&reader, &field));
    assert_non_null(memmem(field.bytes.data, field.bytes.size, "no_application_rights", 21));
    assert_false(wire_next(&reader, &field));
    assert_null(reader.failure);
    end_call(&x);
    grpc_channel_destroy(channel);
    close_theatre(theatre);
}

static bool has_header(const struct exchange *x, const char *name, const char *value) {
    for (size_t i = 0; i < x->headers.count; i++) {
        if (grpc_slice_str_cmp(x->headers.metadata[i].key, name) == 0 &&
            grpc_slice_str_cmp(x->headers.metadata[i].value, value) == 0) {
            return true;
        }
    }
    return false;
}

static void test_headers(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(0);
    grpc_channel *channel = connect_to(theatre->plain_port, NULL);
    struct exchange x;
    start_call(theatre, channel, HANDLER("GetDevicesForApplication"), world_access_key(theatre->stage.world),
               get_request, 12, CALL_MS, &x);
    wait_call(theatre);
    assert_int_equal(x.status, GRPC_STATUS_OK);
    assert_true(has_header(&x, "total", "20"));
    assert_true(has_header(&x, "selected", "20"));
    end_call(&x);
    grpc_channel_destroy(channel);
    close_theatre(theatre);
}

// Late answers wait side by side, not one behind the other.
static void test_latency(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(BURST_LATENCY_MS * NS_PER_MS);
    grpc_channel *channel = connect_to(theatre->plain_port, NULL);
    expect_status(theatre, channel, CALL_MS, 0);
    struct exchange x[BURST];
    int64_t start = clock_monotonic(&clock_system);
    for (size_t i = 0; i < BURST; i++) {
        start_call(theatre, channel, HANDLER("GetDevice"), world_access_key(theatre->stage.world),
                   get_request, sizeof get_request - 1, CALL_MS, &x[i]);
    }
    for (size_t i = 0; i < BURST; i++) wait_call(theatre);
    int64_t taken = clock_monotonic(&clock_system) - start;
    assert_true(taken >= BURST_LATENCY_MS * NS_PER_MS);
    assert_true(taken < BURST / 2 * BURST_LATENCY_MS * NS_PER_MS);
    for (size_t i = 0; i < BURST; i++) {
        assert_int_equal(x[i].status, GRPC_STATUS_OK);
        end_call(&x[i]);
    }
    grpc_channel_destroy(channel);
    close_theatre(theatre);
}

static void test_untrusted(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(0);
    struct certificate other = {0};
    ERROR_AUTO error = {0};
    assert_int_equal(certificate_make("sandbox.example", &other, &error), 0);
    grpc_channel *channel = connect_to(theatre->tls_port, other.certificate_pem);
    expect_status(theatre, channel, CALL_MS, GRPC_STATUS_UNAVAILABLE);
    grpc_channel_destroy(channel);
    certificate_release(&other);
    close_theatre(theatre);
}

// The status of a call does not tell: now and then the library keeps one until its deadline although it has closed
// the connection.
static void expect_disconnected(struct theatre *theatre, grpc_channel *channel) {
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(CALL_MS, GPR_TIMESPAN));
    if (grpc_channel_check_connectivity_state(channel, 0) != GRPC_CHANNEL_READY) return;
    grpc_channel_watch_connectivity_state(channel, GRPC_CHANNEL_READY, deadline, theatre->queue, NULL);
    wait_call(theatre);
    assert_int_not_equal(grpc_channel_check_connectivity_state(channel, 0), GRPC_CHANNEL_READY);
}

static void test_connection_faults(void **state) {
    (void)state;
    static const char *const kinds[] = {"reset-before", "reset-middle", "reset-after", "no-trailers",
                                        "garbage-http"};
    struct theatre *theatre = open_theatre(0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        grpc_channel *channels[] = {connect_to(theatre->tls_port, theatre->certificate.certificate_pem),
                                    connect_to(theatre->plain_port, NULL)};
        for (size_t j = 0; j < 2; j++) {
            expect_status(theatre, channels[j], CALL_MS, 0);
            char *spec = memory_printf("GetDevice:%s:count=1", kinds[i]);
            add_fault(theatre, spec);
            free(spec);
            struct exchange x;
            get(theatre, channels[j], CALL_MS, &x);
            assert_int_not_equal(x.status, GRPC_STATUS_OK);
            assert_int_not_equal(x.status, GRPC_STATUS_CANCELLED);
            end_call(&x);
            expect_disconnected(theatre, channels[j]);
            grpc_channel_destroy(channels[j]);
        }
    }
    assert_int_equal(world_calls(theatre->stage.world, "GetDevice"), 20);
    close_theatre(theatre);
}

static void test_hang(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(0);
    grpc_channel *channel = connect_to(theatre->plain_port, NULL);
    add_fault(theatre, "GetDevice:deadline:count=2");
    expect_status(theatre, channel, 300, GRPC_STATUS_DEADLINE_EXCEEDED);
    // One that hangs while the servers end does not hold them up.
    struct exchange x;
    start_call(theatre, channel, HANDLER("GetDevice"), "", get_request, sizeof get_request - 1, CALL_MS, &x);
    while (world_calls(theatre->stage.world, "GetDevice") < 2) usleep(1000);
    grpc_front_free(theatre->front);
    theatre->front = NULL;
    wait_call(theatre);
    assert_int_not_equal(x.status, GRPC_STATUS_OK);
    end_call(&x);
    grpc_channel_destroy(channel);
    close_theatre(theatre);
}

// A call that crosses with a GOAWAY may be reset, and a new connection refused for a moment.
static void expect_soon(struct theatre *theatre, grpc_channel *channel) {
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    for (unsigned i = 0; i < 50 && status != GRPC_STATUS_OK; i++) {
        struct exchange x;
        get(theatre, channel, CALL_MS, &x);
        status = x.status;
        end_call(&x);
        if (status != GRPC_STATUS_OK) usleep(100000);
    }
    assert_int_equal(status, GRPC_STATUS_OK);
}

static void test_restarts(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(0);
    grpc_channel *channel = connect_to(theatre->tls_port, theatre->certificate.certificate_pem);
    add_fault(theatre, "GetDevice:goaway:count=3");
    for (unsigned i = 0; i < 6; i++) expect_soon(theatre, channel);
    add_fault(theatre, "GetDevice:refuse=300ms:count=1");
    expect_status(theatre, channel, CALL_MS, GRPC_STATUS_UNAVAILABLE);
    expect_status(theatre, channel, CALL_MS, GRPC_STATUS_UNAVAILABLE);
    grpc_channel_destroy(channel);
    usleep(400000);
    channel = connect_to(theatre->tls_port, theatre->certificate.certificate_pem);
    expect_status(theatre, channel, CALL_MS, 0);
    grpc_channel_destroy(channel);
    close_theatre(theatre);
}

static void test_large_request(void **state) {
    (void)state;
    struct theatre *theatre = open_theatre(0);
    grpc_channel *channel = connect_to(theatre->plain_port, NULL);
    size_t size = (4 << 20) + 1;
    char *body = memory_alloc(size, 1);
    struct exchange x;
    start_call(theatre, channel, HANDLER("SetDevice"), "", body, size, CALL_MS, &x);
    wait_call(theatre);
    assert_int_equal(x.status, GRPC_STATUS_RESOURCE_EXHAUSTED);
    end_call(&x);
    free(body);
    grpc_channel_destroy(channel);
    close_theatre(theatre);
}

// Sends a request and reads until the server closes.
static void http(unsigned port, const char *request, struct buffer *answer) {
    buffer_init(answer, 1 << 20);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr generic;
    memcpy(&generic, &address, sizeof generic);
    assert_int_equal(connect(fd, &generic, sizeof address), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    char block[4096];
    for (ssize_t size = 0; (size = recv(fd, block, sizeof block, 0)) > 0;)
        buffer_add(answer, block, (size_t)size);
    close(fd);
    buffer_string(answer);
}

#define HEAD "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"

static void test_http(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage, make_world(3), 0);
    struct http_front *front = NULL;
    unsigned port = 0;
    ERROR_AUTO error = {0};
    assert_int_equal(http_front_start(&stage, "127.0.0.1", 0, NULL, &front, &port, &error), 0);
    BUFFER_AUTO answer;
    http(port, "GET /state " HEAD "\r\n", &answer);
    assert_non_null(strstr(buffer_string(&answer), "HTTP/1.1 200"));
    assert_non_null(strstr(buffer_string(&answer), "\"dev_id\":\"mydevice\""));
    BUFFER_AUTO small;
    http(port, "GET /state?devices=0 " HEAD "\r\n", &small);
    assert_null(strstr(buffer_string(&small), "\"dev_id\""));
    BUFFER_AUTO fault;
    http(port, "POST /fault " HEAD "Content-Length: 45\r\n\r\ntoken:internal:count=1\ntoken:reset-after:at=2",
         &fault);
    assert_non_null(strstr(buffer_string(&fault), "{\"ok\":true}"));
    BUFFER_AUTO failed;
    http(port, "POST /api/v2/applications/token " HEAD "Content-Length: 2\r\n\r\n{}", &failed);
    assert_non_null(strstr(buffer_string(&failed), "HTTP/1.1 500"));
    BUFFER_AUTO cut;
    http(port, "POST /api/v2/applications/token " HEAD "Content-Length: 2\r\n\r\n{}", &cut);
    assert_int_equal(cut.size, 0);
    BUFFER_AUTO bad;
    http(port, "POST /fault " HEAD "Content-Length: 3\r\n\r\nbad", &bad);
    assert_non_null(strstr(buffer_string(&bad), "HTTP/1.1 400"));
    http_front_free(front);
    stage_release(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),       cmocka_unit_test(test_headers),
        cmocka_unit_test(test_details),       cmocka_unit_test(test_latency),
        cmocka_unit_test(test_untrusted),     cmocka_unit_test(test_connection_faults),
        cmocka_unit_test(test_hang),          cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_large_request), cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
