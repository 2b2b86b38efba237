// SPDX-License-Identifier: Apache-2.0
#include "device/cell.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"

static const char decimal[] = "0123456789";
static const char hexadecimal[] = "0123456789ABCDEFabcdef";

// "1.23E+15", "1,23e15"
static bool is_scientific(const char *text) {
    size_t digits = strspn(text, decimal);
    text += digits;
    if (*text == '.' || *text == ',') text += 1 + strspn(text + 1, decimal);
    if (digits == 0 || (*text != 'E' && *text != 'e')) return false;
    text++;
    if (*text == '+' || *text == '-') text++;
    size_t exponent = strspn(text, decimal);
    return exponent > 0 && text[exponent] == '\0';
}

static bool stands_for_nothing(const char *text) {
    static const char *const words[] = {"NULL", "NIL",    "NONE",    "N/A",   "NA",       "NAN",
                                        "#N/A", "#NAME?", "#VALUE!", "#REF!", "undefined"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) return true;
    }
    return false;
}

// What a spreadsheet or a database may have done to the digits; NULL = nothing that can be told.
static const char *damage(const char *text, size_t digits) {
    size_t size = strlen(text);
    if (stands_for_nothing(text)) return "a word stands for nothing there: leave the field empty";
    if (strpbrk(text, "\"'=") != NULL) return "there are quotes around it, or an equals sign: take them away";
    if (is_scientific(text)) {
        return "a spreadsheet has made a rounded number of it, and its last digits are lost: take it from "
               "where it came "
               "from, with the column formatted as text";
    }
    size_t whole = strspn(text, decimal);
    bool fraction = text[whole] == '.' || text[whole] == ',';
    if (whole > 0 && fraction && text[whole + 1 + strspn(text + whole + 1, "0")] == '\0') {
        return "a spreadsheet has made a number of it: take it from where it came from, with the column "
               "formatted as text";
    }
    if (whole == size && size < digits) {
        return "there are digits missing; a spreadsheet takes leading zeros away: take it from where it came "
               "from, with "
               "the column formatted as text";
    }
    return NULL;
}

static const char *wrong_bytes(const char *text, size_t size) {
    const char *reason = damage(text, 2 * size);
    if (reason != NULL) return reason;
    switch (size) {
        case 16:
            return "32 hexadecimal digits are expected";
        case 8:
            return "16 hexadecimal digits are expected";
        case 4:
            return "8 hexadecimal digits are expected";
        default:
            return "hexadecimal digits are expected";
    }
}

const char *cell_bytes(const char *text, void *ret_bytes, size_t size) {
    enum { DIGITS_MAX = 64 };
    char digits[DIGITS_MAX + 1];
    size_t count = 0;
    const char *at = text;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) at += 2;
    for (; *at != '\0'; at++) {
        bool between = count > 0 && count % 2 == 0 && at[1] != '\0';
        if (between && (*at == '-' || *at == ':' || *at == ' ')) continue;
        if (count == DIGITS_MAX) break;
        digits[count++] = *at;
    }
    bool good = *at == '\0' && hex_decode(ret_bytes, size, digits, count);
    memory_wipe(digits, sizeof digits);
    return good ? NULL : wrong_bytes(text, size);
}

static const char *number(const char *text, const char *alphabet, int base, uint32_t most,
                          uint32_t *ret_number, const char *expected) {
    size_t size = strlen(text);
    if (size == 0 || strspn(text, alphabet) != size) {
        const char *reason = damage(text, 0);
        return reason != NULL ? reason : expected;
    }
    // Longer ones are too large, whatever they are.
    unsigned long long value = strspn(text, "0") + 10 < size ? ~0ULL : strtoull(text, NULL, base);
    if (value > most) return "the number is too large";
    *ret_number = (uint32_t)value;
    return NULL;
}

const char *cell_uint32(const char *text, uint32_t most, uint32_t *ret_number) {
    return number(text, decimal, 10, most, ret_number, "a decimal number is expected");
}

const char *cell_hex_uint32(const char *text, uint32_t most, uint32_t *ret_number) {
    return number(text, hexadecimal, 16, most, ret_number, "a hexadecimal number is expected");
}

const char *cell_bool(const char *text, bool *ret_truth) {
    static const char *const words[2][3] = {{"false", "0", "f"}, {"true", "1", "t"}};
    for (size_t truth = 0; truth < 2; truth++) {
        for (size_t i = 0; i < 3; i++) {
            if (strcasecmp(text, words[truth][i]) != 0) continue;
            *ret_truth = truth == 1;
            return NULL;
        }
    }
    return "true or false is expected";
}

const char *cell_double(const char *text, double *ret_number) {
    const char *at = text;
    if (*at == '-' || *at == '+') at++;
    size_t digits = strspn(at, decimal);
    at += digits;
    if (*at == '.') at += 1 + strspn(at + 1, decimal);
    if (digits == 0 || *at != '\0') return "a decimal number is expected";
    // The program never sets a locale: the point is a point.
    *ret_number = strtod(text, NULL);
    return NULL;
}
