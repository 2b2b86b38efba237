// SPDX-License-Identifier: Apache-2.0
// What a device is to be, against what ChirpStack has: a device that is live there changes by itself.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "target/chirpstack_p.h"

struct comparing {
    struct arena *arena;
    const char *what;  // NULL = no difference so far
};

static void differs(struct comparing *comparing, const char *clause) {
    comparing->what =
        comparing->what == NULL ? clause : arena_printf(comparing->arena, "%s, %s", comparing->what, clause);
}

// ---- the device itself

static const char *value_of(Chirpstack__Pair *const *pairs, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i]->key, key) == 0) return pairs[i]->value;
    }
    return NULL;
}

// Maps come in any order.
static bool same_pairs(Chirpstack__Pair *const *a, size_t a_count, Chirpstack__Pair *const *b,
                       size_t b_count) {
    if (a_count != b_count) return false;
    for (size_t i = 0; i < a_count; i++) {
        const char *value = value_of(b, b_count, a[i]->key);
        if (value == NULL || strcmp(value, a[i]->value) != 0) return false;
    }
    return true;
}

// What is not there and all zeros are alike.
static bool same_eui(const char *a, const char *b) {
    struct eui64 left = {0}, right = {0};
    eui64_parse(a, &left);
    eui64_parse(b, &right);
    return eui64_equal(&left, &right);
}

bool cst_same_device(const Chirpstack__Device *a, const Chirpstack__Device *b) {
    return strcmp(a->name, b->name) == 0 && strcmp(a->description, b->description) == 0 &&
           strcasecmp(a->application_id, b->application_id) == 0 &&
           strcasecmp(a->device_profile_id, b->device_profile_id) == 0 &&
           same_eui(a->join_eui, b->join_eui) && !a->skip_fcnt_check == !b->skip_fcnt_check &&
           same_pairs(a->tags, a->n_tags, b->tags, b->n_tags) &&
           same_pairs(a->variables, a->n_variables, b->variables, b->n_variables);
}

static void compare_text(struct comparing *comparing, const char *name, const char *wanted,
                         const char *there) {
    enum { SHOWN_MAX = 64 };
    if (strcmp(wanted, there) == 0) return;
    bool shown = strlen(wanted) <= SHOWN_MAX && strlen(there) <= SHOWN_MAX;
    differs(comparing,
            shown ? arena_printf(comparing->arena, "its %s is \"%s\" instead of \"%s\"", name, there, wanted)
                  : arena_printf(comparing->arena, "its %s differs", name));
}

static void compare_device(struct comparing *comparing, const struct cst_parts *parts,
                           const struct cst_view *view) {
    const Chirpstack__Device *wanted = parts->device, *there = view->device->device;
    if (strcasecmp(wanted->application_id, there->application_id) != 0)
        differs(comparing, arena_printf(comparing->arena, "it is in application %s", there->application_id));
    compare_text(comparing, "name", wanted->name, there->name);
    compare_text(comparing, "description", wanted->description, there->description);
    if (!same_eui(wanted->join_eui, there->join_eui))
        differs(comparing, arena_printf(comparing->arena, "its JoinEUI is %s", there->join_eui));
    if (!wanted->skip_fcnt_check != !there->skip_fcnt_check)
        differs(comparing,
                there->skip_fcnt_check ? "its counters are not checked" : "its counters are checked");
    if (!same_pairs(wanted->tags, wanted->n_tags, there->tags, there->n_tags))
        differs(comparing, "its tags differ");
    if (view->profile == NULL) {
        differs(comparing, "its device profile is not known");
    } else if (!cst_profile_serves(view->profile, parts->profile, false)) {
        differs(comparing, arena_printf(comparing->arena, "its device profile \"%s\" is one of other devices",
                                        view->profile->name));
    }
}

// ---- sessions

static bool is_below(const Chirpstack__DeviceActivation *there, const Chirpstack__DeviceActivation *wanted) {
    return there->f_cnt_up < wanted->f_cnt_up || there->n_f_cnt_down < wanted->n_f_cnt_down ||
           there->a_f_cnt_down < wanted->a_f_cnt_down;
}

static bool is_same_session(const Chirpstack__DeviceActivation *wanted,
                            const Chirpstack__DeviceActivation *there) {
    return chirpstack_same_session(wanted, there) &&
           (wanted == NULL || chirpstack_same_key(wanted->app_s_key, there->app_s_key));
}

// True if ChirpStack has heard the device since the session began that it is to have.
static bool was_heard(const struct cst_parts *parts, const struct cst_view *view) {
    const Chirpstack__Timestamp *seen = view->device->last_seen_at;
    return seen != NULL && seen->seconds > parts->started_at;
}

// A join at the target made a session that nobody was told of. Before the device was brought there, another session is
// only an old one.
static bool has_rejoined(const struct cst_parts *parts, const struct cst_view *view, bool same_keys,
                         bool brought) {
    if (parts->keys == NULL || view->activation == NULL || view->device->device->is_disabled) return false;
    return same_keys && !chirpstack_same_session(parts->activation, view->activation) &&
           (parts->activation == NULL || (brought && was_heard(parts, view)));
}

static void compare_session(struct comparing *comparing, const struct cst_parts *parts,
                            const struct cst_view *view, struct cst_comparison *comparison) {
    const Chirpstack__DeviceActivation *wanted = parts->activation, *there = view->activation;
    if (wanted == NULL || comparison->rejoined) {
        // A session that is not wanted counts only if no join can have made it.
        if (wanted == NULL && there != NULL && !comparison->rejoined) differs(comparing, "it has a session");
        return;
    }
    comparison->behind = !is_same_session(wanted, there) || is_below(there, wanted);
    if (there == NULL) {
        differs(comparing, "it has no session");
    } else if (!is_same_session(wanted, there)) {
        differs(comparing, "it has another session");
    } else if (comparison->behind) {
        differs(comparing,
                arena_printf(comparing->arena,
                             "its next counters are %" PRIu32 " (uplink) and %" PRIu32
                             " (downlink) instead of %" PRIu32 " and %" PRIu32,
                             there->f_cnt_up, there->n_f_cnt_down, wanted->f_cnt_up, wanted->n_f_cnt_down));
    }
}

static struct device_progress progress_of(const struct cst_parts *parts, const struct cst_view *view) {
    const Chirpstack__DeviceActivation *there = view->activation;
    if (there == NULL) return (struct device_progress){0};
    return (struct device_progress){
        .known = true,
        .rejoined = !chirpstack_same_session(parts->activation, there),
        .last_f_cnt_up = chirpstack_last_f_cnt_up(there->f_cnt_up),
        .last_n_f_cnt_down = chirpstack_last_f_cnt_down(there->n_f_cnt_down),
        .last_a_f_cnt_down = chirpstack_last_f_cnt_down(there->a_f_cnt_down),
    };
}

Chirpstack__DeviceActivation *cst_keep_counters(const Chirpstack__DeviceActivation *activation,
                                                const Chirpstack__DeviceActivation *there,
                                                struct arena *arena) {
    Chirpstack__DeviceActivation *kept = arena_dup(arena, activation, sizeof *activation);
    if (there == NULL || !chirpstack_same_session(activation, there)) return kept;
    if (kept->f_cnt_up < there->f_cnt_up) kept->f_cnt_up = there->f_cnt_up;
    if (kept->n_f_cnt_down < there->n_f_cnt_down) kept->n_f_cnt_down = there->n_f_cnt_down;
    if (kept->a_f_cnt_down < there->a_f_cnt_down) kept->a_f_cnt_down = there->a_f_cnt_down;
    return kept;
}

// ---- all of it

bool cst_is_bare(const struct cst_view *view) {
    return view->keys == NULL && view->activation == NULL && view->device->device->is_disabled;
}

void cst_compare(const struct cst_parts *parts, const struct cst_view *view, bool brought,
                 struct arena *arena, struct cst_comparison *ret_comparison) {
    struct comparing comparing = {.arena = arena};
    *ret_comparison = (struct cst_comparison){0};
    compare_device(&comparing, parts, view);
    ret_comparison->same_device = comparing.what == NULL;
    ret_comparison->same_keys = chirpstack_same_keys(parts->keys, view->keys);
    ret_comparison->rejoined = has_rejoined(parts, view, ret_comparison->same_keys, brought);
    ret_comparison->progress = progress_of(parts, view);
    if (!ret_comparison->same_keys)
        differs(&comparing, view->keys == NULL ? "it has no keys" : "its keys differ");
    compare_session(&comparing, parts, view, ret_comparison);
    if (view->device->device->is_disabled) differs(&comparing, "it is disabled");
    ret_comparison->equal = comparing.what == NULL;
    ret_comparison->what = comparing.what;
}
