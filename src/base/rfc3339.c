// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"

#include "base/clock.h"

enum { SECONDS_PER_DAY = 86400 };

// Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the day
// that leap years add stands last.
static int64_t days_from_date(int64_t year, int month, int day) {
    if (month <= 2) year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

static char *put_digits(char *text, int count, int64_t value) {
    for (int i = count - 1; i >= 0; i--, value /= 10) text[i] = (char)('0' + value % 10);
    return text + count;
}

static char *put_fraction(char *text, int32_t nanos) {
    if (nanos == 0) return text;
    *text++ = '.';
    if (nanos % 1000000 == 0) return put_digits(text, 3, nanos / 1000000);
    if (nanos % 1000 == 0) return put_digits(text, 6, nanos / 1000);
    return put_digits(text, 9, nanos);
}

size_t rfc3339_format(char text[RFC3339_TEXT_SIZE], int64_t seconds, int32_t nanos) {
    text[0] = '\0';
    if (seconds < RFC3339_SECONDS_MIN || seconds > RFC3339_SECONDS_MAX) return 0;
    if (nanos < 0 || nanos >= NS_PER_SECOND) return 0;
    int64_t days = (seconds - RFC3339_SECONDS_MIN) / SECONDS_PER_DAY + RFC3339_SECONDS_MIN / SECONDS_PER_DAY;
    int64_t rest = seconds - days * SECONDS_PER_DAY;
    int year, month, day;
    date_from_days(days, &year, &month, &day);
    char *end = put_digits(text, 4, year);
    *end++ = '-';
    end = put_digits(end, 2, month);
    *end++ = '-';
    end = put_digits(end, 2, day);
    *end++ = 'T';
    end = put_digits(end, 2, rest / 3600);
    *end++ = ':';
    end = put_digits(end, 2, rest / 60 % 60);
    *end++ = ':';
    end = put_fraction(put_digits(end, 2, rest % 60), nanos);
    *end++ = 'Z';
    *end = '\0';
    return (size_t)(end - text);
}

size_t rfc3339_format_ns(char text[RFC3339_TEXT_SIZE], int64_t ns) {
    int64_t seconds = ns / NS_PER_SECOND;
    int64_t nanos = ns % NS_PER_SECOND;
    if (nanos < 0) {
        nanos += NS_PER_SECOND;
        seconds--;
    }
    return rfc3339_format(text, seconds, (int32_t)nanos);
}

// Reads `pattern`, where each 0 stands for a digit, into the numbers between the other characters.
static bool take_pattern(const char *text, const char *pattern, int *values) {
    int at = 0;
    values[0] = 0;
    for (; *pattern != '\0'; text++, pattern++) {
        if (*pattern == '0') {
            if (*text < '0' || *text > '9') return false;
            values[at] = values[at] * 10 + (*text - '0');
        } else {
            if (*text != *pattern) return false;
            values[++at] = 0;
        }
    }
    return true;
}

static bool take_fraction(const char *text, size_t size, int32_t *ret_nanos) {
    *ret_nanos = 0;
    if (size == 0) return true;
    if (text[0] != '.' || size < 2 || size > 10) return false;
    int32_t nanos = 0;
    for (size_t i = 1; i < 10; i++) {
        nanos *= 10;
        if (i >= size) continue;
        if (text[i] < '0' || text[i] > '9') return false;
        nanos += text[i] - '0';
    }
    *ret_nanos = nanos;
    return true;
}

static int days_of_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool rfc3339_parse(const char *text, size_t size, int64_t *ret_seconds, int32_t *ret_nanos) {
    static const char pattern[] = "0000-00-00T00:00:00";
    const size_t date_size = sizeof pattern - 1;
    int part[6];
    int32_t nanos;
    if (size <= date_size || text[size - 1] != 'Z') return false;
    if (!take_pattern(text, pattern, part)) return false;
    if (!take_fraction(text + date_size, size - date_size - 1, &nanos)) return false;
    if (part[0] < 1 || part[1] < 1 || part[1] > 12) return false;
    if (part[2] < 1 || part[2] > days_of_month(part[0], part[1])) return false;
    if (part[3] > 23 || part[4] > 59 || part[5] > 59) return false;
    *ret_seconds =
        days_from_date(part[0], part[1], part[2]) * SECONDS_PER_DAY + part[3] * 3600 + part[4] * 60 + part[5];
    *ret_nanos = nanos;
    return true;
}
