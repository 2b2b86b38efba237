// SPDX-License-Identifier: Apache-2.0
// Text inside HTML.
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include "base/buffer.h"

// Appends `text` so that it stands for itself between tags and in quoted attributes, whatever is in it. It has to be UTF-8.
// NULL adds nothing.
void html_text(struct buffer *page, const char *text);

#endif
