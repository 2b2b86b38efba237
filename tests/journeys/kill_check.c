// SPDX-License-Identifier: Apache-2.0
// What must hold of a journey whose program is killed.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "kill.h"

static bool is_zero(const uint8_t *key) {
    static const uint8_t zero[NETWORK_KEY_SIZE];
    return memcmp(key, zero, sizeof zero) == 0;
}

static bool same_key(const uint8_t *one, const uint8_t *other) {
    return !is_zero(one) && memcmp(one, other, NETWORK_KEY_SIZE) == 0;
}

// ---- devices

static bool at_source(const struct kill *kill, const struct network_device *first,
                      struct network_device *ret_now) {
    return network_find(kill->stage.network, kill->stage.world, first->id, ret_now);
}

static bool find_eui(const struct network_device *devices, size_t count, const uint8_t *dev_eui,
                     struct network_device *ret_device) {
    for (size_t i = 0; i < count; i++) {
        if (memcmp(devices[i].dev_eui, dev_eui, NETWORK_EUI_SIZE) != 0) continue;
        *ret_device = devices[i];
        return true;
    }
    return false;
}

static bool at_target(const struct kill *kill, const struct network_device *first,
                      struct network_device *ret_now) {
    const struct stage *stage = &kill->stage;
    *ret_now = (struct network_device){0};
    if (stage->there == NULL) return false;
    for (size_t i = 0; stage->target->device(stage->there, i, ret_now); i++) {
        if (ret_now->id[0] != '\0' && memcmp(ret_now->dev_eui, first->dev_eui, NETWORK_EUI_SIZE) == 0)
            return true;
    }
    return false;
}

// A network handles it with keys that the device has.
static bool is_handled(const struct network_device *now, const struct network_device *first) {
    return now->served &&
           (same_key(first->root_key, now->root_key) || same_key(first->session_key, now->session_key));
}

static bool is_held(const struct kill *kill, const struct network_device *first, bool there) {
    struct network_device now;
    bool found = there ? at_target(kill, first, &now) : at_source(kill, first, &now);
    return found && is_handled(&now, first);
}

// False: the source is a file, which never had a device and never lets go of one.
static bool changes(const struct kill *kill) {
    return kill->stage.network->text == NULL;
}

// ---- the start

static void take_world(const struct kill *kill, bool there, struct buffer *state) {
    const struct stage *stage = &kill->stage;
    buffer_init(state, BUFFER_UNLIMITED);
    if (there && stage->there != NULL) stage->target->state(stage->there, state);
    if (!there) stage->network->state(stage->world, state);
    buffer_putc(state, '\0');
}

void kill_check_begin(struct kill *kill) {
    struct network_device device = {0};
    for (size_t i = 0; kill->stage.network->device(kill->stage.world, i, &device); i++) {
        if (device.id[0] == '\0') continue;
        assert_true(kill->count < sizeof kill->first / sizeof *kill->first);
        kill->first[kill->count++] = device;
        if (changes(kill) && !is_handled(&device, &device))
            kill_violated(kill, "%s is not handled by its source", device.id);
    }
    assert_true(kill->count >= (changes(kill) ? KILL_DEVICES : 2));
    take_world(kill, false, &kill->source);
    take_world(kill, true, &kill->target);
}

// ---- at a change

static bool has_hex(const struct buffer *text, const uint8_t *bytes, size_t size) {
    char hex[HEX_TEXT_SIZE(NETWORK_KEY_SIZE)];
    hex_encode_upper(hex, bytes, size);
    return text->size > 0 && memmem(text->data, text->size, hex, 2 * size) != NULL;
}

// Its line survives whatever happens next, with all keys that the source had.
static bool is_out(const struct kill *kill, const struct network_device *first) {
    const struct buffer *safe = disk_safe_content(kill->output);
    return has_hex(safe, first->dev_eui, NETWORK_EUI_SIZE) &&
           (is_zero(first->root_key) || has_hex(safe, first->root_key, NETWORK_KEY_SIZE)) &&
           (is_zero(first->session_key) || has_hex(safe, first->session_key, NETWORK_KEY_SIZE));
}

void kill_check_change(struct kill *kill) {
    for (size_t i = 0; i < kill->count; i++) {
        const struct network_device *first = &kill->first[i];
        bool source = is_held(kill, first, false);
        if (source && is_held(kill, first, true))
            kill_violated(kill, "%s is at both networks, and both handle it", first->id);
        if (!source && changes(kill) && kill->stage.there == NULL && !is_out(kill, first))
            kill_violated(kill, "%s is released, and its line is not safe", first->id);
    }
}

// ---- the journal

static bool use_journal(struct kill *kill, struct journal *journal) {
    bool planned = false;
    ERROR_AUTO error = {0};
    const char *application = kill->stage.network->application(kill->stage.world);
    return journal_find_application(journal, application, &planned, &error) == 0;
}

static bool is_under_way(enum device_state state) {
    return (state >= DEVICE_RELEASING && state <= DEVICE_CONFIRMED) || state == DEVICE_RESTORING ||
           state == DEVICE_UNDOING;
}

// What is not where it was is in the journal, whole.
void kill_check_journal(struct kill *kill, struct journal *journal) {
    bool known = use_journal(kill, journal);
    for (size_t i = 0; i < kill->count; i++) {
        const struct network_device *first = &kill->first[i];
        struct network_device now;
        struct journal_device kept = {0};
        ERROR_AUTO error = {0};
        bool found = known && journal_find(journal, first->id, &kept, &error) == 1;
        bool whole = kept.record.data != NULL && kept.converted != NULL;
        if (changes(kill) && !is_held(kill, first, false) && (!found || !is_under_way(kept.state) || !whole))
            kill_violated(kill, "%s is released, and the journal does not say so (%s)", first->id,
                          found ? device_state_name(kept.state) : "not there");
        if (at_target(kill, first, &now) && (!found || kept.claim == CLAIM_NONE))
            kill_violated(kill, "%s is at the target, and the journal does not say so (%s)", first->id,
                          found ? device_state_name(kept.state) : "not there");
        journal_device_release(&kept);
    }
}

// True if it cannot go, as people were told. It stays where it is then.
static bool is_set_aside(struct kill *kill, struct journal *journal, const struct network_device *first) {
    struct journal_device kept = {0};
    ERROR_AUTO error = {0};
    bool aside = use_journal(kill, journal) && journal_find(journal, first->id, &kept, &error) == 1 &&
                 kept.state == DEVICE_FAILED && kept.reason != NULL;
    journal_device_release(&kept);
    return aside;
}

static void take_states(struct kill *kill, struct journal *journal, struct buffer *states) {
    buffer_init(states, BUFFER_UNLIMITED);
    bool known = use_journal(kill, journal);
    for (size_t i = 0; known && i < kill->count; i++) {
        struct journal_device kept = {0};
        ERROR_AUTO error = {0};
        bool found = journal_find(journal, kill->first[i].id, &kept, &error) == 1;
        buffer_printf(states, "%s %s\n", kill->first[i].id,
                      found ? device_state_name(kept.state) : "not there");
        journal_device_release(&kept);
    }
    buffer_putc(states, '\0');
}

// ---- lines

// A line without what is drawn as a session is read that has neither ID nor time.
static void put_line(struct kill *kill, const char *line, size_t size, struct buffer *lines) {
    if (strcmp(kill->stage.target->driver, "json") != 0) {
        buffer_printf(lines, "%.*s\n", (int)size, line);
        return;
    }
    json_t *object = json_loadb(line, size, 0, NULL);
    json_t *session = json_object_get(object, "session");
    if (object == NULL) kill_violated(kill, "a line of the output is torn");
    json_object_del(session, "started_at");
    json_object_del(json_object_get(session, "keys"), "session_key_id");
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (text != NULL) buffer_printf(lines, "%s\n", text);
    memory_free_secret(text);
    json_decref(object);
}

// The lines that are safe, in the order of their texts.
static void take_lines(struct kill *kill, struct buffer *lines) {
    buffer_init(lines, BUFFER_UNLIMITED);
    if (kill->stage.there == NULL) {
        BUFFER_AUTO all;
        buffer_init(&all, BUFFER_UNLIMITED);
        const struct buffer *safe = disk_safe_content(kill->output);
        const char *at = (const char *)safe->data, *end = at + safe->size;
        while (at < end) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            if (newline == NULL) kill_violated(kill, "the output ends in a torn line");
            if (newline == NULL) break;
            put_line(kill, at, (size_t)(newline - at), &all);
            at = newline + 1;
        }
        network_put_sorted(&all, lines);
    }
    buffer_putc(lines, '\0');
}

// ---- the end

static void compare(struct kill *kill, const char *what, const struct buffer *now,
                    const struct buffer *wanted) {
    const char *a = (const char *)now->data, *b = (const char *)wanted->data;
    while (*a != '\0' || *b != '\0') {
        size_t size_a = strcspn(a, "\n"), size_b = strcspn(b, "\n");
        if (size_a != size_b || memcmp(a, b, size_a) != 0) {
            kill_violated(kill, "%s:\n    %.*s\ninstead of\n    %.*s", what, (int)size_a, a, (int)size_b, b);
            return;
        }
        a += size_a + (a[size_a] == '\n');
        b += size_b + (b[size_b] == '\n');
    }
}

static void check_counters(struct kill *kill, const char *where, const struct network_device *now,
                           const struct network_device *least) {
    if (!same_key(least->session_key, now->session_key)) return;
    if (now->up < least->up)
        kill_violated(kill, "%s: the uplink counter of its %s is %lld, and has to be %lld", now->id, where,
                      (long long)now->up, (long long)least->up);
    if (now->down < least->down)
        kill_violated(kill, "%s: the downlink counter of its %s is %lld, and has to be %lld", now->id, where,
                      (long long)now->down, (long long)least->down);
}

void kill_take_end(struct kill *kill, struct journal *journal, struct kill_end *end) {
    const struct stage *stage = &kill->stage;
    struct network_device device = {0};
    take_lines(kill, &end->lines);
    take_world(kill, false, &end->source);
    take_world(kill, true, &end->target);
    take_states(kill, journal, &end->states);
    end->arrived = memory_new_array(struct network_device, kill->count);
    for (size_t i = 0; i < kill->count; i++) {
        const struct network_device *first = &kill->first[i];
        bool goes = !is_set_aside(kill, journal, first);
        end->movable += goes;
        if (changes(kill) && is_held(kill, first, false) == goes)
            kill_violated(kill, "%s is %s its source", first->id, goes ? "still at" : "not at");
        if (goes && stage->there != NULL && !is_held(kill, first, true))
            kill_violated(kill, "%s is not at the target", first->id);
        if (at_target(kill, first, &device)) end->arrived[end->count++] = device;
    }
}

static void check_arrived(struct kill *kill) {
    struct network_device now, wanted;
    for (size_t i = 0; i < kill->count; i++) {
        bool found = at_target(kill, &kill->first[i], &now);
        const struct kill_end *end = kill->wanted;
        if (!find_eui(end->arrived, end->count, kill->first[i].dev_eui, &wanted)) continue;
        if (found) check_counters(kill, "target", &now, &wanted);
    }
}

void kill_check_resumed(struct kill *kill, struct journal *journal) {
    struct kill_end end = {0};
    const struct kill_end *wanted = kill->wanted;
    kill_take_end(kill, journal, &end);
    compare(kill, "the output has", &end.lines, &wanted->lines);
    compare(kill, "the source has", &end.source, &wanted->source);
    compare(kill, "the target has", &end.target, &wanted->target);
    compare(kill, "the journal has", &end.states, &wanted->states);
    check_arrived(kill);
    kill_end_release(&end);
}

void kill_check_back(struct kill *kill, struct journal *journal) {
    BUFFER_AUTO source;
    BUFFER_AUTO target;
    take_world(kill, false, &source);
    take_world(kill, true, &target);
    compare(kill, "the source has", &source, &kill->source);
    compare(kill, "the target has", &target, &kill->target);
    bool known = journal != NULL && use_journal(kill, journal);
    for (size_t i = 0; i < kill->count; i++) {
        const struct network_device *first = &kill->first[i];
        struct network_device now;
        struct journal_device kept = {0};
        ERROR_AUTO error = {0};
        if (at_source(kill, first, &now)) check_counters(kill, "source", &now, first);
        if (changes(kill) && !is_held(kill, first, false))
            kill_violated(kill, "%s is not put back", first->id);
        if (at_target(kill, first, &now)) kill_violated(kill, "%s is still at the target", first->id);
        bool found = known && journal_find(journal, first->id, &kept, &error) == 1;
        if (found && (is_under_way(kept.state) || kept.state == DEVICE_RESERVING))
            kill_violated(kill, "%s is put back, and %s in the journal", first->id,
                          device_state_name(kept.state));
        journal_device_release(&kept);
    }
}
