// SPDX-License-Identifier: Apache-2.0
// What a device is to be, against what the servers have: a device that is live there changes by itself, and servers add
// to what they are given.
#include <fnmatch.h>
#include <string.h>

#include "base/buffer.h"
#include "device/message.h"
#include "target/tts_p.h"

enum {
    TOLD_MAX = 4,          // differences that are told
    VALUE_SHOWN_MAX = 64,  // characters of a value that is told
    NONCES = 1 << 16,
};

struct comparing {
    const Tts__EndDevice *device;
    const Tts__EndDevice *there;
    bool plain_masks;
    bool ahead;        // the session is the same, and further
    bool rejoined;     // the device has joined at the target by itself
    bool nonces_used;  // there, every nonce counts as used that is to
    size_t count;
    bool only_missing;  // every difference is something that is not there yet
    struct buffer text;
};

static bool same_bytes(ProtobufCBinaryData a, ProtobufCBinaryData b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static ProtobufCBinaryData key_of(const Tts__KeyEnvelope *envelope) {
    return envelope == NULL ? (ProtobufCBinaryData){0} : envelope->key;
}

static ProtobufCBinaryData network_key(const Tts__Session *session) {
    return session->keys == NULL ? (ProtobufCBinaryData){0} : key_of(session->keys->f_nwk_s_int_key);
}

static bool same_session(const Tts__Session *a, const Tts__Session *b) {
    if (a == NULL || b == NULL) return a == b;
    return same_bytes(a->dev_addr, b->dev_addr) && same_bytes(network_key(a), network_key(b));
}

bool tts_same_root_keys(const Tts__RootKeys *a, const Tts__RootKeys *b) {
    if (a == NULL || b == NULL) return a == b;
    return same_bytes(key_of(a->app_key), key_of(b->app_key)) &&
           same_bytes(key_of(a->nwk_key), key_of(b->nwk_key));
}

bool tts_same_application_key(const Tts__Session *a, const Tts__Session *b) {
    if (a == NULL || b == NULL) return a == b;
    if (a->keys == NULL || b->keys == NULL) return a->keys == b->keys;
    return same_bytes(a->dev_addr, b->dev_addr) &&
           same_bytes(key_of(a->keys->app_s_key), key_of(b->keys->app_s_key));
}

static uint32_t higher(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

// True if each counter of `a` is at least that of `b`.
static bool counters_reach(const Tts__Session *a, const Tts__Session *b) {
    return a->last_f_cnt_up >= b->last_f_cnt_up && a->last_n_f_cnt_down >= b->last_n_f_cnt_down &&
           a->last_a_f_cnt_down >= b->last_a_f_cnt_down && a->last_conf_f_cnt_down >= b->last_conf_f_cnt_down;
}

// The nonces of a device as a set of bits: they have 16 bits.
static uint64_t *nonce_set(const Tts__EndDevice *device, struct arena *arena) {
    uint64_t *set = arena_new_array(arena, uint64_t, NONCES / 64);
    for (size_t i = 0; i < device->n_used_dev_nonces; i++) {
        uint32_t nonce = device->used_dev_nonces[i] % NONCES;
        set[nonce / 64] |= UINT64_C(1) << nonce % 64;
    }
    return set;
}

// True if every nonce that `of` has used is one that `device` has used.
static bool has_used_nonces(const Tts__EndDevice *device, const Tts__EndDevice *of) {
    if (of->n_used_dev_nonces == 0) return true;
    ARENA_AUTO arena = {0};
    const uint64_t *all = nonce_set(device, &arena), *some = nonce_set(of, &arena);
    for (size_t i = 0; i < NONCES / 64; i++) {
        if ((some[i] & ~all[i]) != 0) return false;
    }
    return true;
}

static bool nonces_moved(const Tts__EndDevice *device, const Tts__EndDevice *there) {
    return there->last_join_nonce > device->last_join_nonce ||
           there->last_dev_nonce > device->last_dev_nonce ||
           there->n_used_dev_nonces > device->n_used_dev_nonces;
}

// A key that the server does not show may be the same.
static bool may_be_same(const Tts__KeyEnvelope *a, const Tts__KeyEnvelope *b) {
    if (b == NULL) return false;
    if (b->key.len == 0) return b->encrypted_key.len > 0;
    return same_bytes(key_of(a), b->key);
}

// Otherwise it is another device's place, and session.
static bool may_have_root_keys(const Tts__EndDevice *there, const Tts__RootKeys *keys) {
    if (keys == NULL || there->root_keys == NULL) return true;
    return may_be_same(keys->app_key, there->root_keys->app_key) ||
           may_be_same(keys->nwk_key, there->root_keys->nwk_key);
}

// The device has a session that was made at the target: the Join Server has seen nonces since.
static bool has_rejoined(const Tts__EndDevice *device, const Tts__EndDevice *there) {
    if (!device->supports_join || there->session == NULL) return false;
    if (device->session == NULL) return may_have_root_keys(there, device->root_keys);
    return !same_session(device->session, there->session) &&
           tts_same_root_keys(device->root_keys, there->root_keys) && nonces_moved(device, there);
}

// ---- which differences count

static bool matches(const char *const *patterns, const char *path) {
    for (; *patterns != NULL; patterns++) {
        if (fnmatch(*patterns, path, 0) == 0) return true;
    }
    return false;
}

// What no server can be told, or what it makes of its own.
static const char *const never[] = {
    "ids.dev_addr",
    "created_at",
    "updated_at",
    "activated_at",
    "last_seen_at",
    "power_state",
    "picture*",
    "session.started_at",
    "*queued_application_downlinks*",
    "*.kek_label",
    "*.encrypted_key",
    "*_parameters.adr_ack_limit",
    "*_parameters.adr_ack_delay",
    "*_parameters.ping_slot_data_rate_index",
    "mac_state.queued_join_accept*",
    "mac_state.pending_join_request*",
    "mac_state.pending_application_downlink*",
    "pending_mac_state*",
    "pending_session.keys.app_s_key*",
    "pending_session.last_*",
    "pending_session.started_at",
    "last_rj_count_*",
    NULL,
};

// What a server may have although it was not told.
static const char *const additions[] = {
    "mac_state*",      "pending_session*", "battery_percentage",
    "downlink_margin", "used_dev_nonces*", "last_dev_status_received_at",
    "last_dev_nonce",  "last_join_nonce",  NULL,
};

// What changes while a device is live.
static const char *const living[] = {
    "mac_state*", "pending_session*", "battery_percentage", "downlink_margin", "last_dev_status_received_at",
    NULL,
};

static const char *const later_fields[] = {"serial_number", "lora_alliance_profile_ids*", NULL};

static const char *const copied_keys[] = {"*session.keys.s_nwk_s_int_key*", "*session.keys.nwk_s_enc_key*",
                                          NULL};

static const char *const joined[] = {"session*", NULL};

// A counter or a list of nonces that is further there.
static bool is_further(const struct comparing *comparing, const char *path) {
    const Tts__EndDevice *device = comparing->device, *there = comparing->there;
    if (strncmp(path, "used_dev_nonces", strlen("used_dev_nonces")) == 0) return comparing->nonces_used;
    if (strcmp(path, "last_dev_nonce") == 0) return there->last_dev_nonce >= device->last_dev_nonce;
    if (strcmp(path, "last_join_nonce") == 0) return there->last_join_nonce >= device->last_join_nonce;
    const Tts__Session *a = device->session, *b = there->session;
    if (a == NULL || b == NULL || !same_session(a, b)) return false;
    if (strcmp(path, "session.last_f_cnt_up") == 0) return b->last_f_cnt_up >= a->last_f_cnt_up;
    if (strcmp(path, "session.last_n_f_cnt_down") == 0) return b->last_n_f_cnt_down >= a->last_n_f_cnt_down;
    if (strcmp(path, "session.last_a_f_cnt_down") == 0) return b->last_a_f_cnt_down >= a->last_a_f_cnt_down;
    if (strcmp(path, "session.last_conf_f_cnt_down") == 0)
        return b->last_conf_f_cnt_down >= a->last_conf_f_cnt_down;
    return false;
}

bool tts_is_nothing(const struct message_difference *difference) {
    const char *value = difference->left == NULL ? difference->right : difference->left;
    bool missing = difference->left == NULL || difference->right == NULL;
    return missing && value != NULL && strcmp(value, "{}") == 0 &&
           strncmp(difference->path, "mac_settings.", strlen("mac_settings.")) != 0;
}

static bool is_ignored(const struct comparing *comparing, const struct message_difference *difference) {
    const char *path = difference->path;
    bool old = comparing->device->lorawan_version != TTS__MACVERSION__MAC_V1_1;
    if (tts_is_nothing(difference) || matches(never, path)) return true;
    if (old && matches(copied_keys, path)) return true;
    if (difference->left == NULL && matches(additions, path)) return true;
    if ((comparing->ahead || comparing->rejoined) && matches(living, path)) return true;
    if (comparing->rejoined && matches(joined, path)) return true;
    if (comparing->plain_masks && matches(later_fields, path)) return true;
    return is_further(comparing, path);
}

// ---- telling them

static const char *shown(const char *value) {
    return value == NULL ? "not set" : value;
}

static void begin_clause(struct comparing *comparing) {
    if (comparing->count++ > 0 && comparing->count <= TOLD_MAX + 1) buffer_puts(&comparing->text, ", ");
}

static void add_difference(void *context, const struct message_difference *difference) {
    struct comparing *comparing = context;
    if (is_ignored(comparing, difference)) return;
    if (difference->right != NULL) comparing->only_missing = false;
    begin_clause(comparing);
    if (comparing->count > TOLD_MAX) return;
    const char *left = shown(difference->left), *right = shown(difference->right);
    bool told =
        strlen(left) <= VALUE_SHOWN_MAX && strlen(right) <= VALUE_SHOWN_MAX && strcmp(left, right) != 0;
    if (told) {
        buffer_printf(&comparing->text, "%s is %s instead of %s", difference->path, right, left);
    } else {
        buffer_printf(&comparing->text, "%s differs", difference->path);
    }
}

static void add_missing_servers(struct comparing *comparing, const struct tts_found *found) {
    for (int place = 0; place < TTS_PLACES; place++) {
        bool needed = place != TTS_JOIN || comparing->device->supports_join;
        if (!needed || !found->asked[place] || found->at[place] != NULL) continue;
        begin_clause(comparing);
        if (comparing->count > TOLD_MAX) continue;
        buffer_printf(&comparing->text, "the %s does not know it", tts_place_title((enum tts_place)place));
    }
}

static bool is_bare(const Tts__EndDevice *there) {
    const Tts__RootKeys *keys = there->root_keys;
    bool has_keys = keys != NULL && (key_of(keys->app_key).len > 0 || key_of(keys->nwk_key).len > 0);
    return !has_keys && there->session == NULL && there->mac_state == NULL && there->pending_session == NULL;
}

static bool shares_session_keys(const Tts__Session *session, const Tts__Session *there) {
    static const Tts__SessionKeys no_keys = TTS__SESSION_KEYS__INIT;
    const Tts__SessionKeys *keys = session == NULL || session->keys == NULL ? &no_keys : session->keys;
    const Tts__SessionKeys *those = there == NULL ? NULL : there->keys;
    return those != NULL && (may_be_same(keys->f_nwk_s_int_key, those->f_nwk_s_int_key) ||
                             may_be_same(keys->app_s_key, those->app_s_key));
}

// True if some key of the device is there.
static bool shares_keys(const Tts__EndDevice *device, const Tts__EndDevice *there) {
    static const Tts__RootKeys no_root = TTS__ROOT_KEYS__INIT;
    const Tts__RootKeys *root = device->root_keys == NULL ? &no_root : device->root_keys;
    if (there->root_keys != NULL && (may_be_same(root->app_key, there->root_keys->app_key) ||
                                     may_be_same(root->nwk_key, there->root_keys->nwk_key)))
        return true;
    // One that is about to join there may have come to it since.
    return shares_session_keys(device->session, there->session) ||
           shares_session_keys(device->pending_session, there->pending_session) ||
           shares_session_keys(device->pending_session, there->session);
}

static struct device_progress progress_of(const Tts__EndDevice *device, const struct tts_found *found) {
    const Tts__EndDevice *network = found->at[TTS_NETWORK];
    if (network == NULL || network->session == NULL) return (struct device_progress){0};
    const Tts__Session *session = network->session;
    const Tts__EndDevice *application = found->at[TTS_APPLICATION];
    bool has_application = application != NULL && application->session != NULL;
    return (struct device_progress){
        .known = true,
        .rejoined = !same_session(device->session, session),
        .last_f_cnt_up = session->last_f_cnt_up,
        .last_n_f_cnt_down = session->last_n_f_cnt_down,
        .last_a_f_cnt_down = has_application ? application->session->last_a_f_cnt_down : 0,
    };
}

void tts_compare(const Tts__EndDevice *device, const struct tts_found *found, bool plain_masks,
                 struct arena *arena, struct tts_comparison *ret_comparison) {
    static const Tts__EndDevice empty = TTS__END_DEVICE__INIT;
    const Tts__EndDevice *there = found->device == NULL ? &empty : found->device;
    struct comparing comparing = {
        .device = device, .there = there, .plain_masks = plain_masks, .only_missing = true};
    buffer_init(&comparing.text, BUFFER_UNLIMITED);
    bool same = same_session(device->session, there->session);
    comparing.ahead = same && device->session != NULL && !counters_reach(device->session, there->session);
    comparing.rejoined = has_rejoined(device, there);
    comparing.nonces_used = has_used_nonces(there, device);
    add_missing_servers(&comparing, found);
    message_diff(&device->base, &there->base, add_difference, &comparing);
    if (comparing.count > TOLD_MAX) {
        buffer_printf(&comparing.text, "and %zu more", comparing.count - TOLD_MAX);
    }
    *ret_comparison = (struct tts_comparison){
        .relation = comparing.count == 0                       ? TTS_EQUAL
                    : comparing.only_missing && is_bare(there) ? TTS_RESERVED
                                                               : TTS_DIFFERENT,
        .progress = progress_of(device, found),
        .rejoined = comparing.rejoined,
        .bare = is_bare(there),
        .strange =
            comparing.count > 0 && !is_bare(there) && !comparing.rejoined && !shares_keys(device, there),
        .session_equal = same,
        .session_behind = same && device->session != NULL && !counters_reach(there->session, device->session),
    };
    if (comparing.count > 0) ret_comparison->what = arena_strdup(arena, buffer_string(&comparing.text));
    buffer_release(&comparing.text);
}

// ---- counters

static Tts__Session *furthest(const Tts__Session *session, const Tts__Session *there, struct arena *arena) {
    Tts__Session *copy = arena_dup(arena, session, sizeof *session);
    copy->last_f_cnt_up = higher(copy->last_f_cnt_up, there->last_f_cnt_up);
    copy->last_n_f_cnt_down = higher(copy->last_n_f_cnt_down, there->last_n_f_cnt_down);
    copy->last_a_f_cnt_down = higher(copy->last_a_f_cnt_down, there->last_a_f_cnt_down);
    copy->last_conf_f_cnt_down = higher(copy->last_conf_f_cnt_down, there->last_conf_f_cnt_down);
    return copy;
}

// Nonces that either has used.
static void join_nonces(Tts__EndDevice *copy, const Tts__EndDevice *there, struct arena *arena) {
    copy->last_dev_nonce = higher(copy->last_dev_nonce, there->last_dev_nonce);
    copy->last_join_nonce = higher(copy->last_join_nonce, there->last_join_nonce);
    if (has_used_nonces(copy, there)) return;
    uint64_t *used = nonce_set(copy, arena);
    size_t count = copy->n_used_dev_nonces;
    uint32_t *nonces = arena_new_array(arena, uint32_t, count + NONCES);
    if (count > 0) memcpy(nonces, copy->used_dev_nonces, count * sizeof *nonces);
    for (size_t i = 0; i < there->n_used_dev_nonces; i++) {
        uint32_t nonce = there->used_dev_nonces[i] % NONCES;
        uint64_t bit = UINT64_C(1) << nonce % 64;
        if ((used[nonce / 64] & bit) == 0) nonces[count++] = nonce;
        used[nonce / 64] |= bit;
    }
    copy->used_dev_nonces = nonces;
    copy->n_used_dev_nonces = count;
}

Tts__EndDevice *tts_keep_counters(const Tts__EndDevice *device, const Tts__EndDevice *there,
                                  struct arena *arena) {
    Tts__EndDevice *copy = arena_dup(arena, device, sizeof *device);
    if (device->session != NULL && there->session != NULL && same_session(device->session, there->session)) {
        copy->session = furthest(device->session, there->session, arena);
    }
    if (device->root_keys != NULL && tts_same_root_keys(device->root_keys, there->root_keys)) {
        join_nonces(copy, there, arena);
    }
    return copy;
}
