// SPDX-License-Identifier: Apache-2.0
#include "migrate/vacancy.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

// A larger fleet takes longer than its looks count.
enum { VACANCIES_MAX = 1 << 15, CAPACITY_FIRST = 64 };

static const int64_t valid_for = 300 * NS_PER_SECOND;

struct vacancy {
    uint64_t key;  // 0 = none
    int64_t seen;  // ns, monotonic
};

static uint64_t key_of(const struct device *device) {
    const Tts__EndDeviceIdentifiers *ids = device->end_device->ids;
    const char *application = ids->application_ids == NULL ? "" : ids->application_ids->application_id;
    uint64_t hash = hash_bytes(HASH_START, application, strlen(application) + 1);
    hash = hash_bytes(hash, ids->device_id, strlen(ids->device_id) + 1);
    const ProtobufCBinaryData euis[] = {ids->join_eui, ids->dev_eui};
    for (size_t i = 0; i < 2; i++) {
        hash = hash_bytes(hash, &euis[i].len, sizeof euis[i].len);
        hash = hash_bytes(hash, euis[i].data, euis[i].len);
    }
    return hash == 0 ? 1 : hash;
}

// Where the key is, or would be.
static struct vacancy *place_of(const struct vacancies *vacancies, uint64_t key) {
    size_t i = (size_t)key & (vacancies->capacity - 1);
    while (vacancies->places[i].key != 0 && vacancies->places[i].key != key)
        i = (i + 1) & (vacancies->capacity - 1);
    return &vacancies->places[i];
}

static void grow(struct vacancies *vacancies) {
    struct vacancies larger = {.count = vacancies->count};
    larger.capacity = vacancies->capacity == 0 ? CAPACITY_FIRST : vacancies->capacity * 2;
    larger.places = memory_new_array(struct vacancy, larger.capacity);
    for (size_t i = 0; i < vacancies->capacity; i++) {
        const struct vacancy *vacancy = &vacancies->places[i];
        if (vacancy->key != 0) *place_of(&larger, vacancy->key) = *vacancy;
    }
    vacancies_release(vacancies);
    *vacancies = larger;
}

void vacancies_add(struct vacancies *vacancies, const struct device *device, int64_t now) {
    if (vacancies->count >= VACANCIES_MAX) return;
    if (vacancies->count * 2 >= vacancies->capacity) grow(vacancies);
    uint64_t key = key_of(device);
    struct vacancy *place = place_of(vacancies, key);
    if (place->key == 0) vacancies->count++;
    *place = (struct vacancy){.key = key, .seen = now};
}

bool vacancies_has(const struct vacancies *vacancies, const struct device *device, int64_t now) {
    if (vacancies->capacity == 0) return false;
    uint64_t key = key_of(device);
    const struct vacancy *place = place_of(vacancies, key);
    return place->key == key && now - place->seen < valid_for;
}

void vacancies_release(struct vacancies *vacancies) {
    free(vacancies->places);
    *vacancies = (struct vacancies){0};
}
