// SPDX-License-Identifier: Apache-2.0
// A stage for the jobs of target chirpstack: one device, and the sandbox's ChirpStack, whose answers can be lost. To be
// included after cmocka.h.
#ifndef TESTS_CHIRPSTACK_STAGE_H
#define TESTS_CHIRPSTACK_STAGE_H

#include <stdio.h>

#include "base/memory.h"
#include "support/device_text.h"
#include "support/world_ask.h"
#include "target/chirpstack_p.h"
#include "target/targets.h"
#include "world/chirpstack_p.h"

#define NOW INT64_C(1767225600000000000)

#define IDS(eui, version)                                                                     \
    "\"ids\":{\"device_id\":\"pump-1\",\"application_ids\":{\"application_id\":\"old-app\"}," \
    "\"dev_eui\":\"" eui                                                                      \
    "\",\"join_eui\":\"70B3D57ED037123C\"},\"name\":\"Pump 1\","                              \
    "\"description\":\"in the cellar\",\"attributes\":{\"floor\":\"-1\"}," version            \
    ",\"frequency_plan_id\":\"EU_863_870_TTN\""
#define V103         "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\""
#define V11          "\"lorawan_version\":\"MAC_V1_1\",\"lorawan_phy_version\":\"PHY_V1_1_REV_B\""
#define APP_KEY      "00112233445566778899aabbccddeeff"
#define NWK_KEY      "ffeeddccbbaa99887766554433221100"
#define F_KEY        "8cbc7eded8bb28fd43cf3c8dc4e64a38"
#define S_KEY        "11111111d8bb28fd43cf3c8dc4e64a38"
#define E_KEY        "22222222d8bb28fd43cf3c8dc4e64a38"
#define APP_S_KEY    "17a2239bcaf3a2b16a710f649ba64e6d"
#define KEY(name, k) "\"" name "\":{\"key\":\"" k "\"}"
#define JOIN         ",\"supports_join\":true,\"root_keys\":{" KEY("app_key", APP_KEY) "}"
#define JOIN_11 \
    ",\"supports_join\":true,\"root_keys\":{" KEY("app_key", APP_KEY) "," KEY("nwk_key", NWK_KEY) "}"
#define PARAMETERS(delay)                                                                \
    "{\"max_eirp\":16,\"adr_nb_trans\":1,\"rx1_delay\":" delay                           \
    ",\"rx2_data_rate_index\":3,"                                                        \
    "\"rx2_frequency\":\"869525000\",\"channels\":[{\"uplink_frequency\":\"868100000\"," \
    "\"downlink_frequency\":\"868100000\",\"max_data_rate_index\":5,\"enable_uplink\":true}]}"
#define STATE(delay)                                                                                   \
    ",\"mac_state\":{\"current_parameters\":" PARAMETERS(delay) ",\"desired_parameters\":" PARAMETERS( \
        delay) ",\"lorawan_version\":\"MAC_V1_0_3\"}"
#define SESSION(keys) \
    ",\"session\":{\"dev_addr\":\"26017D54\",\"keys\":{" keys KEY("f_nwk_s_int_key", F_KEY) ","          \
    KEY("app_s_key", APP_S_KEY) "},\"last_f_cnt_up\":10,\"last_n_f_cnt_down\":5,"                        \
    "\"last_a_f_cnt_down\":7,\"started_at\":\"2025-11-22T18:42:22Z\"}"

#define EUI          "0004A30B00100055"
#define eui          "0004a30b00100055"
#define OTAA         "{" IDS(EUI, V103) JOIN "}"
#define OTAA_SESSION "{" IDS(EUI, V103) JOIN STATE("5") SESSION("\"session_key_id\":\"AAECAwQF\",") "}"
#define ABP          "{" IDS(EUI, V103) STATE("1") SESSION("") "}"
#define MAC_1_1                                                                          \
    "{" IDS(EUI, V11) JOIN_11 STATE("1") SESSION("\"session_key_id\":\"AAECAwQF\"," KEY( \
        "s_nwk_s_int_key", S_KEY) "," KEY("nwk_s_enc_key", E_KEY) ",") "}"

enum loss { LOSS_BEFORE, LOSS_AFTER, LOSS_UNAVAILABLE, LOSSES };

struct stage {
    struct world *world;
    struct option_values *options;
    struct target *target;
    struct device device;
    struct arena arena;  // of the job
    struct job job;
    struct error error;
    bool again;
    bool dry;
    unsigned calls;    // so far
    unsigned lose_at;  // the call whose answer is lost; 0 = none
    enum loss loss;
    bool garbage;  // answers are no messages
    char before[4096];
    size_t before_size;  // 0 = none
    struct target_look look;
    struct target_verdict verdict;
    struct device_progress progress;
};

// ---- the server

static inline void answer(struct stage *stage, const struct call *call, struct reply *reply) {
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    stage->calls++;
    bool lost = stage->calls == stage->lose_at;
    if (stage->dry && call->changes) {
        reply->outcome = REPLY_DRY;
        return;
    }
    if (lost && stage->loss == LOSS_BEFORE) {
        reply->outcome = REPLY_LOST;
        return;
    }
    if (lost && stage->loss == LOSS_UNAVAILABLE) {
        reply->grpc_status = GRPC_UNAVAILABLE;
        return;
    }
    world_ask(stage->world, NOW, WORLD_CHIRPSTACK, call, lost ? NULL : reply);
    if (lost) {
        reply->outcome = REPLY_LOST;
    } else if (stage->garbage) {
        buffer_puts(&reply->body, "\xff\xff");
    }
}

// ---- jobs

typedef enum job_step job_function(struct stage *stage);

static inline void forget_replies(struct stage *stage) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&stage->job.replies[i]);
}

static inline enum job_step play_once(struct stage *stage, job_function *function) {
    enum { STEPS_MAX = 200 };
    forget_replies(stage);
    arena_release(&stage->arena);
    error_release(&stage->error);
    stage->job = (struct job){.arena = &stage->arena, .again = stage->again};
    enum job_step step = JOB_CALLS;
    for (int steps = 0; step == JOB_CALLS; steps++) {
        assert_true(steps < STEPS_MAX);
        step = function(stage);
        assert_true((step == JOB_FAILED) == error_is_set(&stage->error));
        forget_replies(stage);
        if (step != JOB_CALLS) break;
        assert_true(stage->job.call_count > 0);
        for (size_t i = 0; i < stage->job.call_count; i++) {
            answer(stage, &stage->job.calls[i], &stage->job.replies[i]);
        }
        stage->job.call_count = 0;
    }
    return step;
}

static inline enum job_step run_prepare(struct stage *stage) {
    return target_chirpstack.prepare(stage->target, &stage->job, "old-app", &stage->error);
}

// As the engine does it: what waits for `prepare` begins anew after it.
static inline enum job_step play(struct stage *stage, job_function *function) {
    enum job_step step = play_once(stage, function);
    if (step != JOB_LOGIN) return step;
    step = play_once(stage, run_prepare);
    return step == JOB_DONE ? play_once(stage, function) : step;
}

static inline enum job_step run_look(struct stage *stage) {
    return target_chirpstack.look(stage->target, &stage->job, &stage->device, &stage->look, &stage->error);
}

static inline enum job_step run_reserve(struct stage *stage) {
    return target_chirpstack.reserve(stage->target, &stage->job, &stage->device, &stage->error);
}

static inline enum job_step run_import(struct stage *stage) {
    return target_chirpstack.import(stage->target, &stage->job, &stage->device, &stage->error);
}

static inline enum job_step run_verify(struct stage *stage) {
    return target_chirpstack.verify(stage->target, &stage->job, &stage->device, &stage->verdict,
                                    &stage->error);
}

static inline enum job_step run_recall(struct stage *stage) {
    return target_chirpstack.recall(stage->target, &stage->job, &stage->device, &stage->progress,
                                    &stage->error);
}

static inline enum job_step run_remove(struct stage *stage) {
    const struct target_removal removal = {.before = stage->before_size > 0 ? stage->before : NULL,
                                           .before_size = stage->before_size};
    return target_chirpstack.remove(stage->target, &stage->job, &stage->device, &removal, &stage->error);
}

// ---- stages

static inline void set_option(struct stage *stage, const char *name, const char *value) {
    const struct option_spec *spec = option_find(target_chirpstack.options, name, strlen(name));
    assert_non_null(spec);
    assert_int_equal(option_set(stage->options, spec, name, value, NULL), 0);
}

static inline void stage_begin(struct stage *stage) {
    *stage = (struct stage){
        .world = world_new(&(struct world_setup){.seed = 3, .chirpstack_devices = 14}),
        .options = option_values_new(target_chirpstack.options),
    };
    set_option(stage, "api-url", "cs.example:8080");
    set_option(stage, "api-key", world_chirpstack_key(stage->world, WORLD_CHIRPSTACK_KEY_ADMIN));
    set_option(stage, "tenant", "umbrella");
    set_option(stage, "application", "shared");
    // The only profile of the tenant is to serve none of the devices here.
    const struct cs *cs = stage->world->chirpstack;
    cs->profiles[cs->profile_count - 1]->is_relay = true;
}

static inline void stage_open(struct stage *stage, bool create, bool rollback) {
    if (stage->target != NULL) target_chirpstack.close(stage->target);
    stage->target = NULL;
    const struct target_setup setup = {
        .options = stage->options,
        .plans = frequency_plans_builtin(),
        .create_application = create,
        .rollback = rollback,
    };
    assert_int_equal(target_chirpstack.open(&setup, &stage->target, &stage->error), 0);
    stage->target->run = "20261127T120000Z-1234567";
}

static inline void stage_device(struct stage *stage, const char *text) {
    device_release(&stage->device);
    device_init(&stage->device);
    stage->device.end_device = message_of(&tts__end_device__descriptor, text, &stage->device.arena);
}

// Open, prepared, with a device that fits.
static inline void stage_ready(struct stage *stage, const char *text) {
    stage_begin(stage);
    stage_open(stage, false, false);
    assert_int_equal(play(stage, run_prepare), JOB_DONE);
    stage_device(stage, text);
    assert_int_equal(target_chirpstack.adapt(stage->target, &stage->device, &stage->error), 0);
}

static inline void stage_close(struct stage *stage) {
    forget_replies(stage);
    arena_release(&stage->arena);
    error_release(&stage->error);
    device_release(&stage->device);
    target_chirpstack.close(stage->target);
    option_values_free(stage->options);
    world_free(stage->world);
}

static inline struct cs_device *there(const struct stage *stage) {
    return cs_find_device(stage->world->chirpstack, eui);
}

static inline void bring(struct stage *stage) {
    assert_int_equal(play(stage, run_look), JOB_DONE);
    assert_int_equal(stage->look.found, TARGET_FREE);
    assert_int_equal(play(stage, run_reserve), JOB_DONE);
    assert_int_equal(play(stage, run_import), JOB_DONE);
}

static inline void fails(struct stage *stage, job_function *function, enum error_code code,
                         const char *words) {
    assert_int_equal(play(stage, function), JOB_FAILED);
    char *chain MEMORY_AUTO = error_chain(&stage->error);
    char *all MEMORY_AUTO = memory_printf("%s %s", chain, stage->error.hint == NULL ? "" : stage->error.hint);
    if (strstr(all, words) == NULL) print_error("%s\n", all);
    assert_non_null(strstr(all, words));
    assert_int_equal(stage->error.code, code);
}

#endif
