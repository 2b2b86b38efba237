// SPDX-License-Identifier: Apache-2.0
#include "lorawan/identifiers.h"

#include <stddef.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"

static bool is_zero(const uint8_t *bytes, size_t size) {
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) all |= bytes[i];
    return all == 0;
}

bool eui64_is_zero(const struct eui64 *eui) {
    return is_zero(eui->bytes, sizeof eui->bytes);
}

bool dev_addr_is_zero(const struct dev_addr *address) {
    return is_zero(address->bytes, sizeof address->bytes);
}

bool net_id_is_zero(const struct net_id *id) {
    return is_zero(id->bytes, sizeof id->bytes);
}

bool key128_is_zero(const struct key128 *key) {
    return is_zero(key->bytes, sizeof key->bytes);
}

bool eui64_equal(const struct eui64 *a, const struct eui64 *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool key128_equal(const struct key128 *a, const struct key128 *b) {
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < sizeof a->bytes; i++) difference |= a->bytes[i] ^ b->bytes[i];
    return difference == 0;
}

// Takes the separators out of "70-B3-D5-...": one and the same between all bytes.
static bool remove_separators(const char *text, char digits[static EUI64_TEXT_SIZE]) {
    enum { SEPARATED_SIZE = 8 * 3 - 1 };
    if (strlen(text) != SEPARATED_SIZE || (text[2] != '-' && text[2] != ':')) return false;
    size_t size = 0;
    for (size_t i = 0; i < SEPARATED_SIZE; i++) {
        if (i % 3 != 2)
            digits[size++] = text[i];
        else if (text[i] != text[2])
            return false;
    }
    digits[size] = '\0';
    return true;
}

bool eui64_parse(const char *text, struct eui64 *ret) {
    char digits[EUI64_TEXT_SIZE];
    if (remove_separators(text, digits)) text = digits;
    return hex_decode(ret->bytes, sizeof ret->bytes, text, strlen(text));
}

bool dev_addr_parse(const char *text, struct dev_addr *ret) {
    return hex_decode(ret->bytes, sizeof ret->bytes, text, strlen(text));
}

bool net_id_parse(const char *text, struct net_id *ret) {
    return hex_decode(ret->bytes, sizeof ret->bytes, text, strlen(text));
}

bool key128_parse(const char *text, struct key128 *ret) {
    return hex_decode(ret->bytes, sizeof ret->bytes, text, strlen(text));
}

char *eui64_format(const struct eui64 *eui, char text[static EUI64_TEXT_SIZE]) {
    hex_encode_upper(text, eui->bytes, sizeof eui->bytes);
    return text;
}

char *dev_addr_format(const struct dev_addr *address, char text[static DEV_ADDR_TEXT_SIZE]) {
    hex_encode_upper(text, address->bytes, sizeof address->bytes);
    return text;
}

char *net_id_format(const struct net_id *id, char text[static NET_ID_TEXT_SIZE]) {
    hex_encode_upper(text, id->bytes, sizeof id->bytes);
    return text;
}

char *key128_reveal(const struct key128 *key, char text[static KEY128_TEXT_SIZE]) {
    hex_encode_upper(text, key->bytes, sizeof key->bytes);
    return text;
}

void key128_wipe(struct key128 *key) {
    if (key != NULL) memory_wipe(key, sizeof *key);
}
