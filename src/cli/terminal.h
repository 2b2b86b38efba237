// SPDX-License-Identifier: Apache-2.0
// What is known about the terminal behind a descriptor.
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

bool terminal_is(int fd);

// True if it is one that can draw over a line: TERM is set and not "dumb".
bool terminal_redraws(int fd);

// Its width now; 0 if that is unknown or `fd` is no terminal.
unsigned terminal_columns(int fd);

// False for a process in the background, whose lines would disturb what is in the foreground.
bool terminal_foreground(int fd);

#endif
