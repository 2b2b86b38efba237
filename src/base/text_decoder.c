// SPDX-License-Identifier: Apache-2.0
#include "base/text_decoder.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

// Windows-1252 from 0x80 on; 0 = no character: then it is what Latin-1 has there.
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

void text_decoder_init(struct text_decoder *decoder, enum text_encoding encoding) {
    *decoder = (struct text_decoder){.encoding = encoding};
}

static void add_point(struct buffer *text, uint32_t point) {
    if (point < 0x80) {
        buffer_putc(text, (char)point);
    } else if (point < 0x800) {
        buffer_putc(text, (char)(0xc0 | point >> 6));
        buffer_putc(text, (char)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        buffer_putc(text, (char)(0xe0 | point >> 12));
        buffer_putc(text, (char)(0x80 | (point >> 6 & 0x3f)));
        buffer_putc(text, (char)(0x80 | (point & 0x3f)));
    } else {
        buffer_putc(text, (char)(0xf0 | point >> 18));
        buffer_putc(text, (char)(0x80 | (point >> 12 & 0x3f)));
        buffer_putc(text, (char)(0x80 | (point >> 6 & 0x3f)));
        buffer_putc(text, (char)(0x80 | (point & 0x3f)));
    }
}

static void take_latin1(const uint8_t *data, size_t size, struct buffer *text) {
    for (size_t i = 0; i < size; i++) {
        uint32_t point = data[i];
        if (point >= 0x80 && point < 0xa0 && windows_1252[point - 0x80] != 0)
            point = windows_1252[point - 0x80];
        add_point(text, point);
    }
}

// How many bytes the character has that begins so; 1 if none can.
static size_t utf8_size(uint8_t lead) {
    if (lead >= 0xc2 && lead < 0xe0) return 2;
    if (lead >= 0xe0 && lead < 0xf0) return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 1;
}

// Takes characters as long as they are whole; *ret_used of the bytes. False at a byte that begins none.
static bool take_utf8(struct text_decoder *decoder, const uint8_t *data, size_t size, bool end,
                      struct buffer *text, size_t *ret_used) {
    size_t at = 0;
    bool good = true;
    while (at < size) {
        size_t step = utf8_size(data[at]);
        if (data[at] < 0x80) {
            at++;
            continue;
        }
        if (at + step > size && !end) break;
        good = step > 1 && at + step <= size && utf8_valid((const char *)data + at, step);
        if (!good) break;
        decoder->encoding = TEXT_UTF8;
        at += step;
    }
    buffer_add(text, data, at);
    *ret_used = at;
    return good;
}

static int not_encoded(const char *name, struct error *error) {
    error_set(error, ERROR_INPUT, "a character is not %s", name);
    error_hint(error, "save the file as UTF-8");
    return -ERROR_INPUT;
}

static int take_utf16(struct text_decoder *decoder, const uint8_t *data, size_t size, bool end,
                      struct buffer *text, size_t *ret_used, struct error *error) {
    size_t low = decoder->big_endian ? 1 : 0;
    size_t at = 0;
    for (size_t step = 2; at + 1 < size; at += step) {
        uint32_t point = (uint32_t)(data[at + low] | data[at + 1 - low] << 8);
        step = 2;
        if (point >= 0xdc00 && point < 0xe000) return not_encoded("UTF-16", error);
        if (point >= 0xd800 && point < 0xdc00) {
            if (at + 3 >= size) break;
            uint32_t second = (uint32_t)(data[at + 2 + low] | data[at + 3 - low] << 8);
            if (second < 0xdc00 || second >= 0xe000) return not_encoded("UTF-16", error);
            point = 0x10000 + ((point - 0xd800) << 10) + (second - 0xdc00);
            step = 4;
        }
        add_point(text, point);
    }
    if (end && at < size) return not_encoded("UTF-16", error);
    *ret_used = at;
    return 0;
}

// What the first bytes tell; returns how many of them are a mark.
static size_t begin(struct text_decoder *decoder, const uint8_t *data, size_t size) {
    decoder->begun = true;
    bool wide = decoder->encoding == TEXT_AUTO || decoder->encoding == TEXT_UTF16;
    bool narrow = decoder->encoding == TEXT_AUTO || decoder->encoding == TEXT_UTF8;
    if (narrow && size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        decoder->encoding = TEXT_UTF8;
        return 3;
    }
    if (size < 2 || !wide) return 0;
    bool big_mark = data[0] == 0xfe && data[1] == 0xff;
    bool little_mark = data[0] == 0xff && data[1] == 0xfe;
    bool big = big_mark || (data[0] == 0 && data[1] != 0);
    if (!big && !little_mark && !(data[0] != 0 && data[1] == 0)) return 0;
    decoder->encoding = TEXT_UTF16;
    decoder->big_endian = big;
    return big_mark || little_mark ? 2 : 0;
}

static int take(struct text_decoder *decoder, const uint8_t *data, size_t size, bool end, struct buffer *text,
                struct error *error) {
    size_t used = decoder->begun ? 0 : begin(decoder, data, size);
    data += used;
    size -= used;
    used = 0;
    int result = 0;
    if (decoder->encoding == TEXT_UTF16) {
        result = take_utf16(decoder, data, size, end, text, &used, error);
    } else if (decoder->encoding != TEXT_LATIN1 && !take_utf8(decoder, data, size, end, text, &used)) {
        if (decoder->encoding != TEXT_AUTO) return not_encoded("UTF-8", error);
        decoder->encoding = TEXT_LATIN1;
    }
    if (decoder->encoding == TEXT_LATIN1) {
        take_latin1(data + used, size - used, text);
        used = size;
    }
    if (result != 0) return result;
    decoder->rest_size = size - used;
    memcpy(decoder->rest, data + used, size - used);
    return 0;
}

int text_decoder_take(struct text_decoder *decoder, const void *data, size_t size, struct buffer *text,
                      struct error *error) {
    const uint8_t *bytes = data;
    while (size > 0) {
        // The rest is filled up byte by byte until it is a character; the mark needs more than one, too.
        if (decoder->rest_size == 0 && (decoder->begun || size >= sizeof decoder->rest)) {
            return take(decoder, bytes, size, false, text, error);
        }
        decoder->rest[decoder->rest_size++] = *bytes++;
        size--;
        if (!decoder->begun && decoder->rest_size < sizeof decoder->rest - 1) continue;
        uint8_t whole[sizeof decoder->rest];
        size_t whole_size = decoder->rest_size;
        memcpy(whole, decoder->rest, whole_size);
        int result = take(decoder, whole, whole_size, false, text, error);
        if (result != 0) return result;
    }
    return 0;
}

int text_decoder_end(struct text_decoder *decoder, struct buffer *text, struct error *error) {
    uint8_t whole[sizeof decoder->rest];
    size_t whole_size = decoder->rest_size;
    memcpy(whole, decoder->rest, whole_size);
    return take(decoder, whole, whole_size, true, text, error);
}
