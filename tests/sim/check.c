// SPDX-License-Identifier: Apache-2.0
// What must never happen, whatever did happen: checked at each change of a device, whenever a process begins, and at
// the end on the whole world.
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "sim.h"

static bool same_key(const uint8_t *a, const uint8_t *b) {
    return memcmp(a, b, KEY_SIZE) == 0;
}

// ---- devices

void sim_check_begin(struct sim *sim) {
    sim_devices_read(sim);
    for (size_t i = 0; i < sim->device_count; i++) {
        struct sim_device *device = &sim->devices[i];
        buffer_init(&device->rest, BUFFER_UNLIMITED);
        buffer_init(&device->given, BUFFER_UNLIMITED);
        for (size_t k = 0; k < 4; k++) buffer_init(&device->records[k], BUFFER_UNLIMITED);
        sim_rest_read(sim, device, &device->rest);
        sim_keys_read(sim, device, &device->first);
        device->taken = device->first;
        device->first_held = sim_is_held(sim, device, false);
    }
}

void sim_check_release(struct sim *sim) {
    for (size_t i = 0; i < sim->device_count; i++) {
        buffer_release(&sim->devices[i].rest);
        buffer_release(&sim->devices[i].given);
        for (size_t k = 0; k < 4; k++) buffer_release(&sim->devices[i].records[k]);
        free(sim->devices[i].id);
    }
    free(sim->devices);
}

struct sim_device *sim_find_device(struct sim *sim, const char *id, size_t size) {
    for (size_t i = 0; i < sim->device_count; i++) {
        const char *name = sim->devices[i].id;
        if (strlen(name) == size && memcmp(name, id, size) == 0) return &sim->devices[i];
    }
    return NULL;
}

const char *sim_application(const struct sim *sim) {
    return sim->c.source == SIM_V2 ? world_app_id(sim->world) : WORLD_TTS_SOURCE_APP_ID;
}

// ---- at a change

void sim_check_before_change(struct sim *sim, struct sim_device *device) {
    sim_keys_read(sim, device, &device->present);
}

static bool was_taken(const uint8_t *before, const uint8_t *after) {
    return !v2_is_zero(before, KEY_SIZE) && v2_is_zero(after, KEY_SIZE);
}

// What survives whatever happens next: of a file what is synced, of a pipe what its reader has.
static bool is_out(const struct sim *sim, const uint8_t *key) {
    const struct buffer *out = sim->output == NULL ? &sim->pipe : disk_safe_content(sim->output);
    char hex[HEX_TEXT_SIZE(KEY_SIZE)];
    hex_encode_upper(hex, key, KEY_SIZE);
    return out->size > 0 && memmem(out->data, out->size, hex, 2 * KEY_SIZE) != NULL;
}

// The same for what the journal has of a device.
static bool is_recorded(const struct sim *sim, const uint8_t *key) {
    for (int wal = 0; wal < 2; wal++) {
        char *name MEMORY_AUTO = memory_printf("%s%s", sim->journal_name, wal ? "-wal" : "");
        const struct disk_file *file = disk_open(sim->disk, name, false);
        const struct buffer *content = file == NULL ? NULL : disk_safe_content(file);
        if (content != NULL && content->size > 0 &&
            memmem(content->data, content->size, key, KEY_SIZE) != NULL)
            return true;
    }
    return false;
}

// A device that joined after it was read is cleared but for that session, which may go only when it is recorded as well.
static void check_late(struct sim *sim, struct sim_device *device, const struct sim_keys *now) {
    const struct sim_keys *before = &device->present;
    if (was_taken(before->nwk_s_key, now->nwk_s_key)) {
        if (!is_recorded(sim, before->nwk_s_key))
            sim_violated(sim, "the session that %s joined to get is cleared, but it is not recorded",
                         device->id);
        uint8_t app_key[KEY_SIZE];
        memcpy(app_key, device->taken.app_key, KEY_SIZE);
        device->taken = *before;
        memcpy(device->taken.app_key, app_key, KEY_SIZE);
    }
    device->late = !v2_is_zero(now->nwk_s_key, KEY_SIZE) || !v2_is_zero(now->app_s_key, KEY_SIZE);
}

static void check_taken(struct sim *sim, struct sim_device *device, const struct sim_keys *now) {
    const struct sim_keys *before = &device->present;
    bool join = was_taken(before->app_key, now->app_key);
    bool session =
        was_taken(before->nwk_s_key, now->nwk_s_key) || was_taken(before->app_s_key, now->app_s_key);
    if (!join && !session) return;
    if (device->late) {
        check_late(sim, device, now);
        return;
    }
    if (!device->cleared) device->taken = *before;
    device->cleared = true;
    device->late = join && sim->c.source == SIM_V2 && sim->c.with_session && sim_is_session(now);
    sim->numbers->cleared++;
    if (!device->read) sim_violated(sim, "%s is cleared with what an earlier process had read", device->id);
    if (device->taken.f_cnt_down > device->last_read + 1) device->far = true;
    if (sim_to_server(sim)) return;
    if (join && !is_out(sim, before->app_key))
        sim_violated(sim, "%s is cleared, but its line is not safe", device->id);
    bool goes = sim->c.source == SIM_V2 || sim->c.with_session || v2_is_zero(before->app_key, KEY_SIZE);
    if (session && goes && !is_out(sim, device->taken.nwk_s_key)) {
        // A device that joined again meanwhile has another session than the one that was read, and one that is made again
        // by somebody else while it is taken away has lost its root key before.
        if (v2_is_zero(before->app_key, KEY_SIZE) && !device->meddled)
            sim_violated(sim, "the session of %s is cleared, but its line is not safe", device->id);
        device->unlike = true;
    }
    if (sim->c.with_session && !session && sim_is_session(now)) device->unlike = true;
}

static void check_restored(struct sim *sim, struct sim_device *device, const struct sim_keys *now) {
    const struct sim_keys *before = &device->present;
    bool join = was_taken(now->app_key, before->app_key);
    bool session = was_taken(now->nwk_s_key, before->nwk_s_key);
    if (!join && !session) return;
    // V2's Network Server may have the session back before its Handler has anything.
    if (sim->c.source == SIM_V2 && (was_taken(device->taken.app_key, now->app_key) ||
                                    was_taken(device->taken.nwk_s_key, now->nwk_s_key)))
        return;
    uint32_t ignored = 0;
    if (device->seen_there && sim_next_down(sim, device, false, &ignored) > device->recalled + 1)
        device->far = true;
    bool back = same_key(now->nwk_s_key, device->session_key) && now->f_cnt_up < device->least_up;
    if (session && back && device->renewed) {
        // The run knows its counters only for the session that was read: so it has to join again, and that is told.
        device->rejoins = true;
    } else if (session && back) {
        sim_violated(sim, "%s: the uplink counter of its source went back from %lu to %lu", device->id,
                     (unsigned long)device->least_up, (unsigned long)now->f_cnt_up);
    }
    device->cleared = device->late = false;
    device->taken = *now;
    sim->numbers->restored++;
    if (sim->some && !device->marked && !sim_is_meant(sim, (size_t)(device - sim->devices)))
        sim_violated(sim, "%s is put back by a rollback of other devices", device->id);
}

// A device whose AppKey was left to V2 may join there once more: so it is V2's again, in another session.
static bool is_joined_anew(const struct sim *sim, const struct sim_device *device,
                           const struct sim_keys *now) {
    return sim->c.source == SIM_V2 && device->cleared && !v2_is_zero(now->app_key, KEY_SIZE) &&
           memcmp(now->app_key, device->taken.app_key, KEY_SIZE) == 0 && sim_is_session(now) &&
           memcmp(now->nwk_s_key, device->taken.nwk_s_key, KEY_SIZE) != 0;
}

void sim_check_read(struct sim *sim, struct sim_device *device, bool at_target) {
    struct sim_keys now;
    if (at_target) {
        uint32_t ignored = 0;
        if (device->seen_there) return;
        device->seen_there = true;
        device->recalled = sim_next_down(sim, device, true, &ignored);
        uint32_t up = sim_target_up(sim, device, device->session_key);
        // Two networks that handled it together before this run count each for itself.
        if (up > device->least_up && device->cleared && !device->was_there) device->least_up = up;
        return;
    }
    sim_keys_read(sim, device, &now);
    // A device without a session that has one at a later look has joined as well.
    if (device->read && !device->has_session_key) device->has_session_key = true;
    device->read = true;
    if ((!device->cleared || device->late) && sim_is_session(&now) &&
        !same_key(now.nwk_s_key, device->session_key)) {
        device->renewed = !device->late && (device->renewed || device->has_session_key);
        device->has_session_key = true;
        memcpy(device->session_key, now.nwk_s_key, KEY_SIZE);
        device->least_up = now.f_cnt_up;
    }
    if (is_joined_anew(sim, device, &now)) {
        device->cleared = false;
        device->taken = now;
    }
    if (!device->cleared) device->last_read = now.f_cnt_down;
}

void sim_check_after_change(struct sim *sim, struct sim_device *device) {
    struct sim_keys now;
    sim_keys_read(sim, device, &now);
    if (sim->verbose) {
        printf("%8.3f s  changed: %s: AppKey %d to %d, session %d to %d, downlinks %lu to %lu\n",
               (double)sim->now / 1e9, device->id, !v2_is_zero(device->present.app_key, KEY_SIZE),
               !v2_is_zero(now.app_key, KEY_SIZE), !v2_is_zero(device->present.nwk_s_key, KEY_SIZE),
               !v2_is_zero(now.nwk_s_key, KEY_SIZE), (unsigned long)device->present.f_cnt_down,
               (unsigned long)now.f_cnt_down);
    }
    if (sim->c.source == SIM_V2 && device->present.f_cnt_down > device->last_read + 1) device->far = true;
    check_taken(sim, device, &now);
    check_restored(sim, device, &now);
    sim_check_held(sim, device);
}

// ---- what people were told

void sim_told(struct sim *sim, const struct log_record *record) {
    bool left_alone = false;
    bool foreign = strstr(record->message, "somebody else writes") != NULL;
    const char *texts[] = {record->device_id, record->server, record->method, record->message};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i] != NULL) buffer_printf(&sim->told, "%s ", texts[i]);
    }
    if (record->error != NULL) {
        char *words MEMORY_AUTO = error_chain(record->error);
        buffer_puts(&sim->told, words);
        left_alone = strstr(words, "until it is rolled back") != NULL;
        foreign |= strstr(words, "left alone") != NULL || strstr(words, "somebody else writes") != NULL;
        for (size_t i = 0; foreign && i < sim->device_count; i++)
            sim->devices[i].foreign_told |= strstr(words, sim->devices[i].id) != NULL;
    }
    buffer_putc(&sim->told, '\n');
    if (sim->verbose && record->level > LOG_DEBUG) {
        char *words MEMORY_AUTO = record->error == NULL ? NULL : error_chain(record->error);
        printf("%8.3f s  %s: %s%s%s\n", (double)sim->now / 1e9,
               record->device_id == NULL ? "-" : record->device_id, record->message,
               words == NULL ? "" : ": ", words == NULL ? "" : words);
    }
    if (record->device_id == NULL) return;
    struct sim_device *device = sim_find_device(sim, record->device_id, strlen(record->device_id));
    if (device == NULL) return;
    device->left_alone |= left_alone;
    device->foreign_told |= foreign;
    // Of a target that stores what it is given, that is the run's own fault, and is not mended by a rollback.
    if (strstr(record->message, "reads back from the target otherwise") != NULL)
        device->differs = device->spoiled;
    // A session that goes on has to be the right one at its target.
    if (strstr(record->message, "goes on with that session") != NULL) return;
    // Into a server nobody has to do anything about a counter: it has to be right.
    bool counted = strstr(record->message, "was heard") != NULL ||
                   strstr(record->message, "counter") != NULL || strstr(record->message, "answered") != NULL;
    if ((counted && !sim_to_server(sim)) || strstr(record->message, "joined") != NULL ||
        strstr(record->message, "pending_session") != NULL ||
        strstr(record->message, "has to join again") != NULL) {
        device->named = true;
    }
    static const char advice[] = "last_n_f_cnt_down to ";
    const char *number = strstr(record->message, advice);
    if (number != NULL) device->advice = (uint32_t)strtoul(number + sizeof advice - 1, NULL, 10);
    if (device->in_doubt && strstr(record->message, "cannot be cleared") != NULL)
        sim_violated(sim, "%s: nobody looked what became of a change whose answer was lost", device->id);
}

static void check_secret(struct sim *sim, const char *id, const uint8_t *key) {
    if (v2_is_zero(key, KEY_SIZE)) return;
    char hex[HEX_TEXT_SIZE(KEY_SIZE)];
    hex_encode_lower(hex, key, KEY_SIZE);
    if (memmem(sim->told.data, sim->told.size, hex, 2 * KEY_SIZE) != NULL ||
        memmem(sim->told.data, sim->told.size, key, KEY_SIZE) != NULL) {
        sim_violated(sim, "a key of %s was told", id);
    }
}

void sim_check_secrets(struct sim *sim) {
    if (sim->told.size == 0) return;
    const char *const keys[] = {world_access_key(sim->world), world_tts_key(sim->world, WORLD_TTS_KEY_SOURCE),
                                world_tts_key(sim->there, WORLD_TTS_KEY_TARGET)};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strstr(buffer_string(&sim->told), keys[i]) != NULL) sim_violated(sim, "an access key was told");
    }
    for (size_t i = 0; i < sim->told.size; i++) sim->told.data[i] = (uint8_t)tolower(sim->told.data[i]);
    for (size_t i = 0; i < sim->device_count; i++) {
        const struct sim_device *device = &sim->devices[i];
        const struct sim_keys *both[] = {&device->first, &device->taken};
        for (size_t k = 0; k < 2; k++) {
            check_secret(sim, device->id, both[k]->app_key);
            check_secret(sim, device->id, both[k]->nwk_s_key);
            check_secret(sim, device->id, both[k]->app_s_key);
        }
    }
}

// ---- the journal that a process finds

void sim_check_journal(struct sim *sim, struct journal *journal) {
    bool planned = false;
    ERROR_AUTO error = {0};
    int known = journal_find_application(journal, sim_application(sim), &planned, &error);
    for (size_t i = 0; i < sim->device_count; i++) {
        struct sim_device *device = &sim->devices[i];
        if (!device->cleared && !sim->verbose) continue;
        struct journal_device kept = {0};
        int found = known != 0 ? 0 : journal_find(journal, device->id, &kept, &error);
        device->marked = found == 1 && kept.state == DEVICE_RESTORING;
        bool follows = found == 1 && ((kept.state >= DEVICE_RELEASING && kept.state <= DEVICE_CONFIRMED) ||
                                      kept.state == DEVICE_RESTORING || kept.state == DEVICE_UNDOING);
        if (sim->verbose && found == 1)
            printf("            %s: %s, line %llu\n", device->id, device_state_name(kept.state),
                   (unsigned long long)kept.line);
        if (device->cleared && (!follows || kept.converted == NULL || kept.record.data == NULL)) {
            sim_violated(sim, "%s is cleared, and the journal does not say so (%s)", device->id,
                         found == 1 ? device_state_name(kept.state) : "not there");
        }
        journal_device_release(&kept);
    }
}

// ---- lines

static const char *text_at(const json_t *object, const char *first, const char *second, const char *third) {
    const json_t *at = json_object_get(object, first);
    if (second != NULL) at = json_object_get(at, second);
    if (third != NULL) at = json_object_get(at, third);
    return json_string_value(third == NULL || json_is_string(at) ? at : json_object_get(at, "key"));
}

static bool has_bytes(const char *text, const uint8_t *bytes, size_t size) {
    char hex[2 * KEY_SIZE + 1];
    hex_encode_upper(hex, bytes, size);
    return text != NULL && strcmp(text, hex) == 0;
}

static struct sim_device *device_of_line(struct sim *sim, const json_t *line) {
    for (size_t i = 0; i < sim->device_count; i++) {
        const uint8_t *euis = sim->devices[i].euis;
        if (has_bytes(text_at(line, "ids", "dev_eui", NULL), euis + EUI_SIZE, EUI_SIZE) &&
            has_bytes(text_at(line, "ids", "join_eui", NULL), euis, EUI_SIZE)) {
            return &sim->devices[i];
        }
    }
    return NULL;
}

static int64_t counter_of(const json_t *line, const char *name) {
    return json_integer_value(json_object_get(json_object_get(line, "session"), name));
}

// The device as it was when it was taken is what its line carries on.
static void check_session(struct sim *sim, struct sim_device *device, const json_t *line) {
    const struct sim_keys *taken = &device->taken;
    bool goes = sim_is_session(taken) && (sim->c.with_session || v2_is_zero(taken->app_key, KEY_SIZE));
    if (device->unlike || device->named) return;
    if (goes != (json_object_get(line, "session") != NULL)) {
        sim_violated(sim, "%s: the session %s its line", device->id, goes ? "is not in" : "is wrongly in");
        return;
    }
    if (!goes) return;
    if (!has_bytes(text_at(line, "session", "dev_addr", NULL), taken->dev_addr, DEV_ADDR_SIZE) ||
        !has_bytes(text_at(line, "session", "keys", "f_nwk_s_int_key"), taken->nwk_s_key, KEY_SIZE) ||
        !has_bytes(text_at(line, "session", "keys", "app_s_key"), taken->app_s_key, KEY_SIZE)) {
        sim_violated(sim, "%s: its line has another session than the one that was cleared", device->id);
    }
    if (counter_of(line, "last_f_cnt_up") > taken->f_cnt_up)
        sim_violated(sim, "%s: its line counts uplinks that were never sent", device->id);
    int64_t least = taken->f_cnt_down <= 1 ? taken->f_cnt_down : (int64_t)taken->f_cnt_down - 1;
    if (counter_of(line, "last_n_f_cnt_down") >= least) return;
    device->unlike = true;
    device->least_down = (uint32_t)least;
}

static void check_line(struct sim *sim, const char *text, size_t size) {
    json_error_t ignored;
    json_t *line = json_loadb(text, size, 0, &ignored);
    struct sim_device *device = line == NULL ? NULL : device_of_line(sim, line);
    if (device == NULL) {
        sim_violated(sim, "a line of the output is %s", line == NULL ? "torn" : "of no device");
    } else if (++device->lines > 1) {
        sim_violated(sim, "%s has two lines", device->id);
    } else if (device->cleared) {
        const char *key = text_at(line, "root_keys", "app_key", "key");
        const uint8_t *app_key = device->taken.app_key;
        if (v2_is_zero(app_key, KEY_SIZE) ? key != NULL : !has_bytes(key, app_key, KEY_SIZE))
            sim_violated(sim, "%s: its line has another AppKey than the one that was cleared", device->id);
        check_session(sim, device, line);
    }
    json_decref(line);
}

static void check_lines(struct sim *sim) {
    for (size_t i = 0; i < sim->device_count; i++) sim->devices[i].lines = 0;
    const struct buffer *out = sim->output == NULL ? &sim->pipe : disk_safe_content(sim->output);
    if (out->size == 0) return;
    const char *at = (const char *)out->data;
    const char *end = at + out->size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL) {
            sim_violated(sim, "the output ends in a torn line");
            return;
        }
        check_line(sim, at, (size_t)(newline - at));
        at = newline + 1;
    }
}

// ---- the end

// More than one frame with an answer between reading and clearing is not allowed for: devices send much more rarely
// than they do here.
static bool one_frame(const struct sim_device *device) {
    return device->taken.f_cnt_down - device->last_read <= 1;
}

// A device that is not taken is as it was, or as it made itself by joining.
static void check_kept(struct sim *sim, const struct sim_device *device) {
    struct sim_keys now;
    sim_keys_read(sim, device, &now);
    const struct sim_keys *before = &device->taken;
    if (!same_key(now.app_key, before->app_key))
        sim_violated(sim, "%s has another AppKey than before", device->id);
    if (!sim_is_session(before) || device->unlike) return;
    if (!same_key(now.nwk_s_key, before->nwk_s_key) || !same_key(now.app_s_key, before->app_s_key) ||
        memcmp(now.dev_addr, before->dev_addr, DEV_ADDR_SIZE) != 0) {
        sim_violated(sim, "%s has another session than before", device->id);
    }
    // A session that is not taken goes on in V2, whose counters are written with the rest: that is V2's way.
    bool taken = sim->c.with_session || v2_is_zero(before->app_key, KEY_SIZE);
    if (taken && one_frame(device) && now.f_cnt_down < before->f_cnt_down && !device->named) {
        sim_violated(sim, "%s: the downlink counter in V2 went back from %lu to %lu, and nobody was told",
                     device->id, (unsigned long)before->f_cnt_down, (unsigned long)now.f_cnt_down);
    }
}

// Nothing that was to go on at another network still works here.
static void check_gone(struct sim *sim, const struct sim_device *device) {
    struct sim_keys now;
    sim_keys_read(sim, device, &now);
    bool session = sim->c.with_session || v2_is_zero(device->taken.app_key, KEY_SIZE);
    if (!v2_is_zero(now.app_key, KEY_SIZE))
        sim_violated(sim, "%s is exported, and still has its AppKey in V2", device->id);
    if (session && sim_is_session(&device->taken) && !v2_is_zero(now.nwk_s_key, KEY_SIZE))
        sim_violated(sim, "%s is exported, and still has its session in V2", device->id);
    if (sim_to_server(sim)) return;
    if (device->lines != 1) sim_violated(sim, "%s is cleared, and has %u lines", device->id, device->lines);
    // What a release saw before it deleted an entry is gone with its process.
    bool seen = sim->c.source == SIM_V2 || sim->c.release == 0;
    if (seen && one_frame(device) && device->advice < device->least_down) {
        sim_violated(sim, "%s: its line needs the downlink counter %lu, and people were told %lu", device->id,
                     (unsigned long)device->least_down, (unsigned long)device->advice);
    }
    if (device->unlike && !device->named)
        sim_violated(sim, "%s joined or was heard in between, and nobody was told", device->id);
}

static bool is_gone(enum device_state state) {
    return state >= DEVICE_RELEASED && state <= DEVICE_CONFIRMED;
}

// One that the source knows, but cannot handle, has nothing that could be cleared.
static bool had_keys(const struct sim_device *device) {
    return !v2_is_zero(device->first.app_key, KEY_SIZE) || !v2_is_zero(device->first.nwk_s_key, KEY_SIZE) ||
           !v2_is_zero(device->first.app_s_key, KEY_SIZE);
}

// Somebody else gave it its keys back, which was said: the next process takes them again.
static bool is_held_again(const struct sim_device *device) {
    return device->meddled && device->foreign_told;
}

static void check_state(struct sim *sim, const struct sim_device *device, enum device_state state,
                        bool back) {
    bool gone = is_gone(state);
    bool kept = state == DEVICE_FAILED || state == DEVICE_SKIPPED || state == DEVICE_RESTORED ||
                (back && (state == DEVICE_PLANNED || state == DEVICE_RECORDED));
    bool waits = !back && (state == DEVICE_RESTORING ||
                           (state == DEVICE_RELEASING && (device->left_alone || is_held_again(device))));
    if (!gone && !kept && !waits) {
        sim_violated(sim, "%s is %s at the end", device->id, device_state_name(state));
    } else if (gone != device->cleared && !waits && state != DEVICE_RESTORING && had_keys(device)) {
        sim_violated(sim, "%s is %s, but %scleared", device->id, device_state_name(state),
                     gone ? "not " : "");
    } else if (gone && back) {
        sim_violated(sim, "%s is not put back", device->id);
    } else if (gone) {
        check_gone(sim, device);
    }
}

static void check_device(struct sim *sim, struct journal *journal, struct sim_device *device, bool back) {
    struct journal_device kept = {0};
    ERROR_AUTO error = {0};
    int found = journal_find(journal, device->id, &kept, &error);
    if (found < 0) sim_violated(sim, "the journal cannot be read: %s", error.message);
    // What an earlier process had reserved for one that is set aside now stays until it goes, or is rolled back.
    bool reserved = kept.claim != CLAIM_NONE && (kept.state == DEVICE_FAILED || kept.state == DEVICE_SKIPPED);
    bool held = kept.state == DEVICE_RELEASING && is_held_again(device);
    device->expected =
        found == 1 && !back && (kept.state == DEVICE_RESTORING || is_gone(kept.state) || reserved || held);
    if (device->foreign) {
        bool waits = kept.state == DEVICE_RESTORING && !back;
        if (is_gone(kept.state) || !(device->foreign_told || waits))
            sim_violated(sim, "%s has other keys at its source, and is %s", device->id,
                         device_state_name(kept.state));
        journal_device_release(&kept);
        return;
    }
    if (found == 1) check_state(sim, device, kept.state, back);
    if (found == 1 && sim_to_server(sim) && !(kept.state == DEVICE_RELEASING && is_held_again(device)))
        sim_check_at_target(sim, device, kept.state, back);
    if (found == 0 && device->cleared) sim_violated(sim, "%s is cleared without any record", device->id);
    enum device_state kept_state = kept.state;
    journal_device_release(&kept);
    if (!device->cleared) check_kept(sim, device);
    if (!sim_is_whole(sim, device) && (kept_state != DEVICE_RESTORING || back))
        sim_violated(sim, "%s has another session at V2's Network Server than at its Handler", device->id);
    // An entry that is taken away, or made again, is not what it was.
    if ((device->cleared || device->expected || device->meddled) && sim->c.source == SIM_TTS) return;
    BUFFER_AUTO rest;
    buffer_init(&rest, BUFFER_UNLIMITED);
    sim_rest_read(sim, device, &rest);
    if (rest.size != device->rest.size || memcmp(rest.data, device->rest.data, rest.size) != 0)
        sim_violated(sim, "%s is not what it was, apart from keys and counters", device->id);
}

void sim_check_back(struct sim *sim, struct journal *journal) {
    bool planned = false;
    ERROR_AUTO error = {0};
    if (journal_find_application(journal, sim_application(sim), &planned, &error) != 0) return;
    for (size_t i = 0; i < sim->device_count; i++) {
        struct sim_device *device = &sim->devices[i];
        struct journal_device kept = {0};
        if (!sim_is_meant(sim, i) || journal_find(journal, device->id, &kept, &error) != 1) continue;
        // Where the run keeps going, one that fails is told and tried again by the next one.
        bool waits = sim->c.keep_going && kept.state == DEVICE_RESTORING;
        if (!waits) check_state(sim, device, kept.state, true);
        if (!device->cleared) check_kept(sim, device);
        journal_device_release(&kept);
    }
}

void sim_check_end(struct sim *sim, struct journal *journal, bool back) {
    bool planned = false;
    ERROR_AUTO error = {0};
    if (journal_find_application(journal, sim_application(sim), &planned, &error) != 0) {
        sim_violated(sim, "the journal has lost the application");
        return;
    }
    if (!back && !sim_to_server(sim)) check_lines(sim);
    for (size_t i = 0; i < sim->device_count; i++) check_device(sim, journal, &sim->devices[i], back);
    if (sim_to_server(sim)) sim_check_others(sim, sim->c.on_conflict == 2 && !back);
}
