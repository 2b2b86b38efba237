// SPDX-License-Identifier: Apache-2.0
// Calls that are made as one: only where several wait, each is told its own answer, and whoever is forgotten or cannot be asked
// together costs the others nothing.
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "net/dispatch.h"
#include "support/fake_transport.h"

enum { ASKERS = 40, TOGETHER = 8 };

static const struct server server = {.name = "Server test:1", .address = "test:1"};
static const struct server other_server = {.name = "Server test:2", .address = "test:2"};

// Each asks for the square of its number; a joined call for those of several.
static bool fit(const struct call *a, const struct call *b) {
    return a->server == b->server && a->group_context != b->group_context;
}

static void join(const struct call *const calls[], size_t count, struct arena *arena,
                 struct call *ret_joined) {
    *ret_joined = *calls[0];
    uint32_t *numbers = arena_new_array(arena, uint32_t, count);
    for (size_t i = 0; i < count; i++) numbers[i] = *(const uint32_t *)calls[i]->group_context;
    ret_joined->body = numbers;
    ret_joined->body_size = count * sizeof *numbers;
}

static void split(const struct call *const calls[], size_t count, const struct reply *reply,
                  struct reply *ret_replies, bool *ret_told) {
    const uint32_t *pairs = (const uint32_t *)(const void *)reply->body.data;
    size_t pair_count = reply->body.size / sizeof *pairs / 2;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < pair_count; k++) {
            if (pairs[2 * k] != *(const uint32_t *)calls[i]->group_context) continue;
            ret_told[i] = true;
            ret_replies[i] = (struct reply){.outcome = REPLY_ANSWERED};
            buffer_init(&ret_replies[i].body, CALL_REPLY_LIMIT);
            buffer_add(&ret_replies[i].body, &pairs[2 * k + 1], sizeof *pairs);
        }
    }
}

static const struct call_group group = {
    .method = "/a.B/GetMany", .most = TOGETHER, .fit = fit, .join = join, .split = split};

// ---- the server

enum behaviour { WILLING, UNWILLING, BUSY_ONCE, SENSELESS, SILENT, FORGETFUL };

struct scene {
    struct fake_transport fake;
    struct dispatch *dispatch;
    enum behaviour behaviour;
    unsigned single, joined;  // calls
    struct asker {
        struct scene *scene;
        uint32_t number;
        struct call call;
        struct dispatch_call *entry;
        unsigned told;
        uint32_t answer;
        struct asker *forgets;  // when it is told
    } askers[ASKERS];
};

static bool is_joined(const struct call *call) {
    return strcmp(call->method, "/a.B/GetMany") == 0;
}

static int64_t answer(struct fake_transport *fake, const struct call *call, int64_t timeout,
                      struct reply *reply) {
    struct scene *scene = fake->context;
    reply->outcome = REPLY_ANSWERED;
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    ++*(is_joined(call) ? &scene->joined : &scene->single);
    if (!is_joined(call)) {
        uint32_t square = *(const uint32_t *)call->body * *(const uint32_t *)call->body;
        buffer_add(&reply->body, &square, sizeof square);
        return 10 * NS_PER_MS;
    }
    const uint32_t *numbers = call->body;
    assert_in_range(call->body_size / sizeof *numbers, 2, TOGETHER);
    if (scene->behaviour == UNWILLING) reply->grpc_status = GRPC_UNIMPLEMENTED;
    if (scene->behaviour == BUSY_ONCE && scene->joined == 1) reply->grpc_status = GRPC_UNAVAILABLE;
    if (scene->behaviour == SILENT) reply->outcome = REPLY_LOST;
    if (scene->behaviour == SILENT) return timeout;
    if (reply->grpc_status != GRPC_OK || scene->behaviour == SENSELESS) return 10 * NS_PER_MS;
    // In another order than asked.
    for (size_t i = call->body_size / sizeof *numbers; i-- > 0;) {
        if (scene->behaviour == FORGETFUL && numbers[i] % 3 == 0) continue;
        uint32_t pair[] = {numbers[i], numbers[i] * numbers[i]};
        buffer_add(&reply->body, pair, sizeof pair);
    }
    return 20 * NS_PER_MS;
}

static void told(void *context, struct reply *reply) {
    struct asker *asker = context;
    asker->told++;
    asker->entry = NULL;
    assert_true(reply_ok(reply, CALL_GRPC));
    assert_int_equal(reply->body.size, sizeof asker->answer);
    memcpy(&asker->answer, reply->body.data, sizeof asker->answer);
    struct asker *other = asker->forgets;
    if (other == NULL || other->entry == NULL) return;
    dispatch_cancel(asker->scene->dispatch, other->entry);
    other->entry = NULL;
}

static void open_scene(struct scene *scene, enum behaviour behaviour) {
    *scene = (struct scene){.behaviour = behaviour};
    fake_init(&scene->fake, answer, scene);
    scene->dispatch = dispatch_new(&(struct dispatch_setup){.transport = &scene->fake.base,
                                                            .clock = &scene->fake.clock,
                                                            .random = &scene->fake.random,
                                                            .concurrency = 2,
                                                            .timeout = 10 * NS_PER_SECOND});
}

static void ask(struct scene *scene, uint32_t number) {
    struct asker *asker = &scene->askers[number];
    asker->scene = scene;
    asker->number = number;
    asker->call = (struct call){.kind = CALL_GRPC,
                                .server = &server,
                                .method = "/a.B/Get",
                                .body = &asker->number,
                                .body_size = sizeof asker->number,
                                .group = &group,
                                .group_context = &asker->number};
    asker->entry = dispatch_add(scene->dispatch, &asker->call, 0, told, asker);
}

static void ask_all(struct scene *scene) {
    for (uint32_t i = 0; i < ASKERS; i++) ask(scene, i);
}

static void run_turns(struct scene *scene, int turns) {
    ERROR_AUTO error = {0};
    for (int i = 0; i < turns; i++) {
        assert_int_equal(dispatch_wait(scene->dispatch, 100 * NS_PER_MS, &error), 0);
    }
}

static void assert_all_told(const struct scene *scene) {
    for (uint32_t i = 0; i < ASKERS; i++) {
        assert_int_equal(scene->askers[i].told, 1);
        assert_int_equal(scene->askers[i].answer, i * i);
    }
}

static void assert_nothing_left(const struct scene *scene) {
    struct dispatch_numbers numbers;
    dispatch_numbers(scene->dispatch, &numbers);
    assert_int_equal(numbers.queued, 0);
    assert_int_equal(numbers.in_flight, 0);
    assert_int_equal(scene->fake.flying, 0);
}

static void close_scene(struct scene *scene) {
    dispatch_free(scene->dispatch);
    fake_free(&scene->fake.base);
}

// ---- tests

static void test_together(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, WILLING);
    ask_all(&scene);
    run_turns(&scene, 100);
    assert_all_told(&scene);
    assert_int_equal(scene.joined * TOGETHER + scene.single, ASKERS);
    assert_in_range(scene.joined, 4, 5);
    assert_nothing_left(&scene);
    close_scene(&scene);
}

// A server that has room is asked at once.
static void test_no_need(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, WILLING);
    for (uint32_t i = 0; i < ASKERS; i++) {
        ask(&scene, i);
        run_turns(&scene, 2);
    }
    assert_all_told(&scene);
    assert_int_equal(scene.joined, 0);
    close_scene(&scene);
}

// A server without that call is asked so once.
static void test_unwilling(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, UNWILLING);
    ask_all(&scene);
    run_turns(&scene, 200);
    assert_all_told(&scene);
    // The two that were under way at first.
    assert_in_range(scene.joined, 1, 2);
    assert_int_equal(scene.single, ASKERS);
    assert_nothing_left(&scene);
    close_scene(&scene);
}

// One that is busy, answers in senseless ways or not at all is not asked so again either, and nobody waits for it twice.
static void test_failing(void **state) {
    (void)state;
    static const enum behaviour failing[] = {BUSY_ONCE, SENSELESS, SILENT};
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        struct scene scene;
        open_scene(&scene, failing[i]);
        ask_all(&scene);
        run_turns(&scene, 400);
        assert_all_told(&scene);
        assert_in_range(scene.joined, 1, 2);
        assert_nothing_left(&scene);
        close_scene(&scene);
    }
}

// What an answer leaves open is asked for by itself, and the others still together.
static void test_forgetful(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, FORGETFUL);
    ask_all(&scene);
    run_turns(&scene, 200);
    assert_all_told(&scene);
    assert_in_range(scene.joined, 4, 5);
    assert_in_range(scene.single, ASKERS / 3, ASKERS / 3 + 3);
    assert_nothing_left(&scene);
    close_scene(&scene);
}

static void test_not_fitting(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, WILLING);
    ask_all(&scene);
    // The same question twice, another server, and one that changes something.
    for (uint32_t i = 0; i < ASKERS; i++) {
        if (i % 4 == 1) scene.askers[i].call.server = &other_server;
        if (i % 4 == 2) scene.askers[i].call.group_context = &scene.askers[0].number;
        if (i % 4 == 3) scene.askers[i].call.changes = true;
    }
    run_turns(&scene, 200);
    for (uint32_t i = 0; i < ASKERS; i++) {
        uint32_t asked = i % 4 == 2 && scene.askers[i].answer == 0 ? 0 : i;
        assert_int_equal(scene.askers[i].told, 1);
        assert_int_equal(scene.askers[i].answer, asked * asked);
    }
    assert_nothing_left(&scene);
    close_scene(&scene);
}

static void forget(struct scene *scene, uint32_t number) {
    struct asker *asker = &scene->askers[number];
    assert_non_null(asker->entry);
    dispatch_cancel(scene->dispatch, asker->entry);
    asker->entry = NULL;
}

static void test_forgotten(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, WILLING);
    ask_all(&scene);
    ERROR_AUTO error = {0};
    assert_int_equal(dispatch_wait(scene.dispatch, 0, &error), 0);
    // Of those under way in one call some, of those in another all.
    for (uint32_t i = 0; i < TOGETHER; i += 2) forget(&scene, i);
    for (uint32_t i = TOGETHER; i < 2 * TOGETHER; i++) forget(&scene, i);
    assert_int_equal(scene.fake.flying, 1);
    run_turns(&scene, 200);
    for (uint32_t i = 0; i < ASKERS; i++) {
        bool forgotten = i < TOGETHER ? i % 2 == 0 : i < 2 * TOGETHER;
        assert_int_equal(scene.askers[i].told, !forgotten);
        assert_int_equal(scene.askers[i].answer, forgotten ? 0 : i * i);
    }
    assert_nothing_left(&scene);
    close_scene(&scene);
}

// Whoever is told first makes the others of the same call needless.
static void test_forgotten_meanwhile(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, WILLING);
    ask_all(&scene);
    for (uint32_t i = 0; i + 1 < ASKERS; i++) scene.askers[i].forgets = &scene.askers[i + 1];
    run_turns(&scene, 200);
    for (uint32_t i = 0; i < ASKERS; i++)
        assert_true(scene.askers[i].told == 1 || scene.askers[i].entry == NULL);
    assert_int_equal(scene.askers[0].told, 1);
    assert_int_equal(scene.askers[1].told, 0);
    assert_nothing_left(&scene);
    close_scene(&scene);
}

// A run that ends has calls under way, refused ones that wait, and such that wait for their turn.
static void test_closed_early(void **state) {
    (void)state;
    for (int turns = 0; turns < 8; turns++) {
        struct scene scene;
        open_scene(&scene, turns % 2 == 0 ? BUSY_ONCE : WILLING);
        ask_all(&scene);
        run_turns(&scene, turns);
        close_scene(&scene);
    }
}

int main(void) {
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),     cmocka_unit_test(test_no_need),
        cmocka_unit_test(test_unwilling),    cmocka_unit_test(test_failing),
        cmocka_unit_test(test_forgetful),    cmocka_unit_test(test_not_fitting),
        cmocka_unit_test(test_forgotten),    cmocka_unit_test(test_forgotten_meanwhile),
        cmocka_unit_test(test_closed_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
