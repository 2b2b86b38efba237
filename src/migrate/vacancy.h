// SPDX-License-Identifier: Apache-2.0
// Which devices a look has found free at the target a moment ago: before one of them is moved, that look is not made once
// more. Whoever takes such a place meanwhile is met by `reserve`, as somebody who is as quick after a look.
#ifndef MIGRATE_VACANCY_H
#define MIGRATE_VACANCY_H

#include "device/device.h"

struct vacancy;

// Zeroed, there are none.
struct vacancies {
    struct vacancy *places;  // owned
    size_t capacity;
    size_t count;
};

// The place of a converted device (its application, ID and EUIs) is free. `now`: ns, monotonic.
void vacancies_add(struct vacancies *vacancies, const struct device *device, int64_t now);

// True if that is known from less than five minutes ago.
bool vacancies_has(const struct vacancies *vacancies, const struct device *device, int64_t now);

void vacancies_release(struct vacancies *vacancies);

#endif
