// SPDX-License-Identifier: Apache-2.0
// Every source there is, for the registry alone.
#ifndef SOURCE_SOURCES_H
#define SOURCE_SOURCES_H

#include "source/source.h"

extern const struct source_driver source_ttnv2;
extern const struct source_driver source_tts;
extern const struct source_driver source_json;
extern const struct source_driver source_csv;
extern const struct source_driver source_thingpark;
extern const struct source_driver source_helium;
extern const struct source_driver source_chirpstack;
extern const struct source_driver source_wanesy;
extern const struct source_driver source_firefly;

#endif
