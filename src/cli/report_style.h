// SPDX-License-Identifier: Apache-2.0
// How a report looks: see report_page.h.
#ifndef CLI_REPORT_STYLE_H
#define CLI_REPORT_STYLE_H

extern const char report_style[];

#endif
