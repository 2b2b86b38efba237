// SPDX-License-Identifier: Apache-2.0
// The tables that the build makes from data/.
#ifndef LORAWAN_TABLES_P_H
#define LORAWAN_TABLES_P_H

#include "lorawan/frequency_plan.h"

extern const struct band lorawan_bands[];
extern const size_t lorawan_bands_count;
extern const struct frequency_plans lorawan_builtin_plans;

#endif
