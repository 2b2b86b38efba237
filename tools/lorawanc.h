// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_LORAWANC_H
#define TOOLS_LORAWANC_H

#include "lorawanc_text.h"

// Each adds the arrays it needs to `tables` and the elements of the great array to `elements`. Returns their
// number.
unsigned compile_bands(const struct text_file *file, struct tables *tables, struct buffer *elements);
unsigned compile_plans(const struct text_file *file, struct tables *tables, struct buffer *elements);

#endif
