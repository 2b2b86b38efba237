// SPDX-License-Identifier: Apache-2.0
#include "device/cell.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/words.h"

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

// The size of a space, also one that does not break or has no width, at the text's beginning; 0 = there is none.
static size_t space_at(const char *text) {
    static const char *const spaces[] = {" ", "\t", "\n", "\r", "\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        size_t size = strlen(spaces[i]);
        if (strncmp(text, spaces[i], size) == 0) return size;
    }
    return 0;
}

const char *cell_trim(const char *text, size_t *ret_size) {
    while (space_at(text) > 0) text += space_at(text);
    *ret_size = 0;
    for (size_t at = 0; text[at] != '\0';) {
        size_t space = space_at(text + at);
        at += space > 0 ? space : 1;
        if (space == 0) *ret_size = at;
    }
    return text;
}

// What stands between two bytes, or in a list of bytes around them, counts for nothing: its size.
static size_t between_bytes(const char *text, size_t digits, bool list) {
    if (digits % 2 != 0) return 0;
    if (list && strchr(",{}", *text) != NULL) return 1;
    if (list && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return 2;
    if (digits == 0 && !list) return 0;
    return *text == '-' || *text == ':' ? 1 : space_at(text);
}

const char *cell_bytes(const char *text, void *ret_bytes, size_t size) {
    enum { DIGITS_MAX = 64 };
    char digits[DIGITS_MAX + 1];
    size_t count = 0, text_size = 0, gap = 0;
    const char *at = cell_trim(text, &text_size);
    const char *end = at + text_size;
    bool list = memchr(at, ',', text_size) != NULL && text_size > 2 * size + size / 2;
    if (list && size < 16)
        return "a list of bytes may have the first or the last byte first: write the digits as one, as the "
               "device's label has them";
    // The sign of a text, in a spreadsheet.
    if (at < end && *at == '\'') at++;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && !list) at += 2;
    while (at < end && count < DIGITS_MAX) {
        gap = between_bytes(at, count, list);
        if (gap == 0) digits[count++] = *at;
        at += gap > 0 ? gap : 1;
    }
    bool good = at == end && (gap == 0 || list) && hex_decode(ret_bytes, size, digits, count);
    memory_wipe(digits, sizeof digits);
    return good ? NULL : wrong_bytes(text, size);
}

const char *cell_doubt(const char *text) {
    enum { EXACT_DIGITS = 15 };
    size_t size = 0;
    text = cell_trim(text, &size);
    if (size <= EXACT_DIGITS || text[0] == '0' || strspn(text, decimal) != size) return NULL;
    if (strspn(text + EXACT_DIGITS, "0") != size - EXACT_DIGITS) return NULL;
    return "has decimal digits only, and ends in 0 where a spreadsheet rounds a number: compare it with the "
           "device";
}

static const char *number(const char *text, const char *alphabet, int base, uint32_t most,
                          uint32_t *ret_number, const char *expected) {
    size_t size = strlen(text);
    if (size == 0 || strspn(text, alphabet) != size) {
        const char *reason = damage(text, 0);
        if (reason == NULL && size > 1 && strspn(text, "0123456789.,' ") == size)
            reason = "there is something between the digits: write them without";
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

// As spreadsheets write them in the languages that they speak, and as people do.
static const char *const truths[2] = {
    "false 0 f no n off falsch nein faux non falso no onwaar nee fa\xc5\x82sz nie falskt falsk nej nei",
    "true 1 t yes y on x wahr ja j vrai oui verdadero vero si s\xc3\xad s\xc3\xac waar prawda tak sant sand",
};

const char *cell_bool(const char *text, bool *ret_truth) {
    size_t size = 0;
    text = cell_trim(text, &size);
    for (size_t truth = 0; truth < 2; truth++) {
        const char *words = truths[truth], *word = NULL;
        size_t word_size = 0;
        while (words_next(&words, &word, &word_size)) {
            if (word_size != size || strncasecmp(text, word, size) != 0) continue;
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
    size_t point = (size_t)(at - text);
    if (*at == '.' || *at == ',') at += 1 + strspn(at + 1, decimal);
    if (digits == 0 || *at != '\0') return "a decimal number is expected";
    // The program never sets a locale: the point is a point.
    char *copy MEMORY_AUTO = memory_strdup(text);
    if (copy[point] == ',') copy[point] = '.';
    *ret_number = strtod(copy, NULL);
    return NULL;
}
