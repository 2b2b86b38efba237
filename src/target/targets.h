// SPDX-License-Identifier: Apache-2.0
// Every target there is, for the registry alone.
#ifndef TARGET_TARGETS_H
#define TARGET_TARGETS_H

#include "target/target.h"

extern const struct target_driver target_json;
extern const struct target_driver target_csv;
extern const struct target_driver target_tts;
extern const struct target_driver target_chirpstack;

#endif
