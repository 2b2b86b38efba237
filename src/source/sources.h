// SPDX-License-Identifier: Apache-2.0
// Every source there is, for the registry alone.
#ifndef SOURCE_SOURCES_H
#define SOURCE_SOURCES_H

#include "source/source.h"

// What becomes of devices that come from a file.
#define SOURCE_FILE_ABOUT                                                                                    \
    "Nothing is changed in the network that the file is from: take the devices away there yourself, before " \
    "or right after they come to another one, so that no two networks answer them."

extern const struct source_driver source_ttnv2;
extern const struct source_driver source_tts;
extern const struct source_driver source_json;
extern const struct source_driver source_csv;
extern const struct source_driver source_thingpark;
extern const struct source_driver source_helium;
extern const struct source_driver source_chirpstack;
extern const struct source_driver source_wanesy;
extern const struct source_driver source_firefly;
extern const struct source_driver source_loriot;
extern const struct source_driver source_awsiot;

#endif
