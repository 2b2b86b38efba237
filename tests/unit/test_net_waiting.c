// SPDX-License-Identifier: Apache-2.0
// Whom everything waits for is told in useful time, and nobody is named who does not keep us waiting.
#include <unistd.h>

#include "net/dispatch.h"
#include "support/fake_transport.h"

static const struct server server = {.name = "Handler test:1904", .address = "test:1904"};
static const struct call reading = {.kind = CALL_GRPC, .server = &server, .method = "/a.B/Get"};

// Every call takes so long.
static int64_t answer_late(struct fake_transport *fake, const struct call *call, int64_t timeout,
                           struct reply *reply) {
    (void)call;
    (void)timeout;
    reply->outcome = REPLY_ANSWERED;
    return *(const int64_t *)fake->context;
}

static int64_t answer_never(struct fake_transport *fake, const struct call *call, int64_t timeout,
                            struct reply *reply) {
    (void)fake;
    (void)call;
    (void)timeout;
    reply->outcome = REPLY_NOT_SENT;
    return NS_PER_MS;
}

static void count_done(void *context, struct reply *reply) {
    (void)reply;
    ++*(unsigned *)context;
}

struct scene {
    struct fake_transport fake;
    struct dispatch *dispatch;
    int64_t latency;
    unsigned done;
};

static void scene_open(struct scene *scene, fake_answer *answer, int64_t latency, double rate,
                       unsigned calls) {
    *scene = (struct scene){.latency = latency};
    fake_init(&scene->fake, answer, &scene->latency);
    scene->dispatch = dispatch_new(&(struct dispatch_setup){
        .transport = &scene->fake.base,
        .clock = &scene->fake.clock,
        .random = &scene->fake.random,
        .concurrency = 4,
        .rate = rate,
        .timeout = 10 * NS_PER_SECOND,
    });
    for (unsigned i = 0; i < calls; i++) dispatch_add(scene->dispatch, &reading, 0, count_done, &scene->done);
}

static void scene_close(struct scene *scene) {
    dispatch_free(scene->dispatch);
    fake_free(&scene->fake.base);
}

// Whether the server is named after another `time`.
static bool named_after(struct scene *scene, int64_t time) {
    int64_t end = scene->fake.now + time;
    ERROR_AUTO error = {0};
    while (scene->fake.now < end) {
        assert_int_equal(dispatch_wait(scene->dispatch, end - scene->fake.now, &error), 0);
    }
    struct dispatch_numbers numbers;
    dispatch_numbers(scene->dispatch, &numbers);
    if (numbers.waiting_for != NULL) assert_string_equal(numbers.waiting_for, server.name);
    return numbers.waiting_for != NULL;
}

static void test_slow_answer(void **state) {
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_late, 5 * NS_PER_SECOND, 0, 1);
    assert_false(named_after(&scene, NS_PER_SECOND));
    assert_true(named_after(&scene, 2 * NS_PER_SECOND));
    assert_false(named_after(&scene, 3 * NS_PER_SECOND));
    assert_int_equal(scene.done, 1);
    // A call after a long time begins anew.
    assert_false(named_after(&scene, 60 * NS_PER_SECOND));
    dispatch_add(scene.dispatch, &reading, 0, count_done, &scene.done);
    assert_false(named_after(&scene, NS_PER_SECOND));
    assert_true(named_after(&scene, 2 * NS_PER_SECOND));
    scene_close(&scene);
}

static void test_unreached(void **state) {
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_never, 0, 0, 3);
    assert_false(named_after(&scene, NS_PER_SECOND));
    for (int i = 0; i < 5; i++) assert_true(named_after(&scene, 3 * NS_PER_SECOND / 2));
    assert_int_equal(scene.done, 0);
    assert_false(named_after(&scene, 2 * NS_PER_SECOND));
    assert_int_equal(scene.done, 3);
    scene_close(&scene);
}

static void test_own_pace(void **state) {
    (void)state;
    struct scene scene;
    scene_open(&scene, answer_late, 10 * NS_PER_MS, 0.1, 4);
    for (int i = 0; i < 350 && scene.done < 4; i++) assert_false(named_after(&scene, 99 * NS_PER_MS));
    assert_int_equal(scene.done, 4);
    scene_close(&scene);
}

int main(void) {
    alarm(20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_answer),
        cmocka_unit_test(test_unreached),
        cmocka_unit_test(test_own_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
