// SPDX-License-Identifier: Apache-2.0
// The files that hold one frequency plan each.
#ifndef LORAWAN_FREQUENCY_PLAN_READ_P_H
#define LORAWAN_FREQUENCY_PLAN_READ_P_H

#include "lorawan/frequency_plan.h"
#include "lorawan/yaml_p.h"

// The keys whose place is needed once a plan is complete.
enum draft_place {
    DRAFT_UPLINKS,
    DRAFT_DOWNLINKS,
    DRAFT_LORA_STANDARD,
    DRAFT_FSK,
    DRAFT_PING_SLOT,
    DRAFT_RX2,
    DRAFT_PLACES
};

// A plan in the making: files are laid over each other, then it is checked.
struct draft {
    struct frequency_plan plan;
    struct arena *arena;  // borrowed; what the plan will consist of
    struct yaml_value places[DRAFT_PLACES];
    struct yaml_value open_dwell[DRAFT_PLACES];  // a dwell time that counts but has no length of its own
};

// Lays what is in a file over the draft.
int draft_lay_over(struct draft *draft, struct yaml_file *file, struct error *error);

// Checks the complete plan. `entry` is its place in the list, for what belongs to no other place.
int draft_check(const struct draft *draft, struct yaml_value entry, struct error *error);

#endif
