// SPDX-License-Identifier: Apache-2.0
#include "world/field.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"
#include "world/ttnv2_p.h"
#include "world/tts_p.h"

enum { JOIN_CHANCE = 4 };

// More than that at once is a pause of the program, not something to catch up with.
#define MOST_DEBT 4000.0

#define LONGEST_ALONE NS_PER_SECOND

void field_touch(struct field_touched *touched, const uint8_t *join_eui, const uint8_t *dev_eui) {
    if (touched->count == touched->capacity) {
        touched->capacity = 2 * touched->capacity + 16;
        touched->euis = memory_resize(touched->euis, touched->capacity, sizeof *touched->euis);
    }
    uint8_t *euis = touched->euis[touched->count++];
    memcpy(euis, join_eui, EUI_SIZE);
    memcpy(euis + EUI_SIZE, dev_eui, EUI_SIZE);
}

void field_touched_release(struct field_touched *touched) {
    free(touched->euis);
    *touched = (struct field_touched){0};
}

void field_release(struct field *field) {
    if (field->devices != NULL) memory_wipe(field->devices, field->capacity * sizeof *field->devices);
    free(field->devices);
    free(field->slots);
    free(field->others);
    *field = (struct field){0};
}

// ---- the devices

static size_t slot_of(const uint8_t *euis, size_t slot_count) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);  // FNV-1a
    for (size_t i = 0; i < FIELD_EUIS_SIZE; i++) hash = (hash ^ euis[i]) * UINT64_C(0x100000001B3);
    return (size_t)(hash ^ hash >> 32) & (slot_count - 1);
}

struct field_device *field_find(const struct field *field, const uint8_t *euis) {
    size_t place = field->slot_count > 0 ? field->slots[slot_of(euis, field->slot_count)] : 0;
    while (place > 0 && memcmp(field->devices[place - 1].euis, euis, FIELD_EUIS_SIZE) != 0) {
        place = field->devices[place - 1].next;
    }
    return place > 0 ? &field->devices[place - 1] : NULL;
}

static void grow(struct field *field) {
    field->capacity = field->capacity > 0 ? 2 * field->capacity : 64;
    field->devices = memory_resize(field->devices, field->capacity, sizeof *field->devices);
    free(field->slots);
    field->slot_count = field->capacity;
    field->slots = memory_new_array(size_t, field->slot_count);
    for (size_t i = 0; i < field->count; i++) {
        size_t *slot = &field->slots[slot_of(field->devices[i].euis, field->slot_count)];
        field->devices[i].next = *slot;
        *slot = i + 1;
    }
}

static struct field_device *add(struct field *field, const uint8_t *euis) {
    if (field->count == field->capacity) grow(field);
    size_t *slot = &field->slots[slot_of(euis, field->slot_count)];
    struct field_device *device = &field->devices[field->count];
    *device = (struct field_device){.next = *slot};
    memcpy(device->euis, euis, FIELD_EUIS_SIZE);
    *slot = ++field->count;
    return device;
}

static void set_other(struct field *field, struct field_device *device, bool is_other) {
    if (device->is_other == is_other) return;
    device->is_other = is_other;
    if (is_other) {
        if (field->other_count == field->other_capacity) {
            field->other_capacity = 2 * field->other_capacity + 16;
            field->others = memory_resize(field->others, field->other_capacity, sizeof *field->others);
        }
        device->other_place = field->other_count;
        field->others[field->other_count++] = (size_t)(device - field->devices);
        return;
    }
    size_t last = field->others[--field->other_count];
    field->others[device->other_place] = last;
    field->devices[last].other_place = device->other_place;
}

static void record(struct field *field, enum field_event_kind kind, const struct field_device *device,
                   int64_t now) {
    uint64_t *const counts[] = {&field->twice, &field->nowhere, &field->repeated};
    ++*counts[kind];
    if (field->event_count == FIELD_EVENTS_KEPT) return;
    struct field_event *event = &field->events[field->event_count++];
    *event = (struct field_event){.kind = kind, .at = now};
    memcpy(event->euis, device->euis, FIELD_EUIS_SIZE);
}

// ---- who holds what

// A device brings along what the network that first holds it knows of it.
static void take_own(const struct world *world, struct field_device *device) {
    if (device->has_session) return;
    if (device->at_v2) v2_read_device(world->v2, device);
    if (!device->has_session && device->at_tts) tts_read_device(world->tts, device);
}

static void look_at(struct world *world, const uint8_t *euis, int64_t now) {
    struct field *field = &world->field;
    struct field_device *device = field_find(field, euis);
    bool known_to_v2 = false;
    bool at_v2 = v2_holds(world->v2, euis, &known_to_v2);
    bool at_tts = tts_holds(world->tts, euis);
    if (device == NULL && !at_v2 && !at_tts) return;
    if (device == NULL) device = add(field, euis);
    if (at_v2 && at_tts && !(device->at_v2 && device->at_tts)) record(field, FIELD_TWICE, device, now);
    device->at_v2 = at_v2;
    device->at_tts = at_tts;
    set_other(field, device, !known_to_v2);
    if (!at_v2 && !at_tts) {
        if (device->alone_since == 0) device->alone_since = now;
        return;
    }
    if (device->alone_since != 0 && now - device->alone_since > LONGEST_ALONE) {
        record(field, FIELD_NOWHERE, device, now);
    }
    device->alone_since = 0;
    take_own(world, device);
}

static void look_at_all(struct world *world, struct field_touched *touched, int64_t now) {
    enum { FEW = 4096 };
    for (size_t i = 0; i < touched->count; i++) look_at(world, touched->euis[i], now);
    touched->count = 0;
    if (touched->capacity > FEW) field_touched_release(touched);
}

void field_look(struct world *world, int64_t now) {
    if (now > world->field.now) world->field.now = now;
    look_at_all(world, &world->v2->network.touched, now);
    look_at_all(world, &world->tts->touched, now);
}

uint64_t field_nowhere(const struct field *field) {
    uint64_t count = field->nowhere;
    for (size_t i = 0; i < field->count; i++) {
        int64_t since = field->devices[i].alone_since;
        count += since != 0 && field->now - since > LONGEST_ALONE;
    }
    return count;
}

// ---- life

static void take_downlink(struct world *world, struct field_device *device, int64_t counter, int64_t now) {
    if (counter < 0) return;
    if (counter < device->next_down) {
        record(&world->field, FIELD_REPEATED, device, now);
    } else {
        device->next_down = (uint32_t)counter + 1;
    }
}

// True if The Things Stack heard the device, or let it join.
static bool send_to_tts(struct world *world, struct field_device *device, int64_t now) {
    struct prng *draws = &world->v2->field;
    int64_t down = -1;
    if (!device->at_tts) return false;
    enum tts_heard heard = tts_hear(world->tts, now, device, draws, &down);
    if (heard == TTS_HEARD) take_downlink(world, device, down, now);
    if (heard != TTS_MAY_JOIN) return heard == TTS_HEARD;
    if (prng_below(draws, JOIN_CHANCE) == 0) tts_join(world->tts, now, device, draws);
    return true;
}

void field_send_to_v2(struct world *world, struct v2_device *device, int64_t now) {
    uint8_t euis[FIELD_EUIS_SIZE];
    memcpy(euis, device->app_eui, EUI_SIZE);
    memcpy(euis + EUI_SIZE, device->dev_eui, EUI_SIZE);
    struct field_device *own = field_find(&world->field, euis);
    int64_t down = -1;
    enum v2_heard heard = v2_hear(world->v2, device, now, &down);
    if (own != NULL) {
        if (heard == V2_JOINED) v2_read_device(world->v2, own);
        own->f_cnt_up = device->device_f_cnt_up;
        take_downlink(world, own, down, now);
        bool there = send_to_tts(world, own, now);
        device->device_f_cnt_up = own->f_cnt_up;
        if (there) return;
    }
    if (heard == V2_LOST) world->v2->numbers.lost++;
}

static void send_from_other(struct world *world, struct field_device *device, int64_t now) {
    if (device->has_session) device->f_cnt_up++;
    if (!send_to_tts(world, device, now) && device->has_session) world->v2->numbers.lost++;
}

void field_advance(struct world *world, int64_t now) {
    struct v2 *v2 = world->v2;
    struct field *field = &world->field;
    if (now > field->now) field->now = now;
    if (v2->advanced_to != 0 && now > v2->advanced_to) {
        double seconds = (double)(now - v2->advanced_to) / (double)NS_PER_SECOND;
        v2->uplink_debt += seconds * v2->uplinks;
        if (v2->uplink_debt > MOST_DEBT) v2->uplink_debt = MOST_DEBT;
    }
    v2->advanced_to = now;
    const struct v2_application *application = v2->main;
    for (; v2->uplink_debt >= 1; v2->uplink_debt -= 1) {
        size_t count = application->device_count + field->other_count;
        if (count == 0) continue;
        size_t index = prng_below(&v2->field, (uint32_t)count);
        if (index < application->device_count) {
            field_send_to_v2(world, application->devices[index], now);
        } else {
            send_from_other(world, &field->devices[field->others[index - application->device_count]], now);
        }
    }
    field_look(world, now);
}

// ---- what is to be seen

void field_state_json(const struct field *field, struct buffer *state) {
    static const char *const names[] = {"twice", "nowhere", "repeated"};
    buffer_printf(state, "{\"devices\":%zu,\"twice\":%llu,\"nowhere\":%llu,\"repeated\":%llu,\"events\":[",
                  field->count, (unsigned long long)field->twice, (unsigned long long)field_nowhere(field),
                  (unsigned long long)field->repeated);
    for (size_t i = 0; i < field->event_count; i++) {
        const struct field_event *event = &field->events[i];
        char join_eui[HEX_TEXT_SIZE(EUI_SIZE)];
        char dev_eui[HEX_TEXT_SIZE(EUI_SIZE)];
        hex_encode_lower(join_eui, event->euis, EUI_SIZE);
        hex_encode_lower(dev_eui, event->euis + EUI_SIZE, EUI_SIZE);
        buffer_printf(state, "%s{\"what\":\"%s\",\"join_eui\":\"%s\",\"dev_eui\":\"%s\",\"at\":%lld}",
                      i > 0 ? "," : "", names[event->kind], join_eui, dev_eui, (long long)event->at);
    }
    buffer_puts(state, "]}");
}
