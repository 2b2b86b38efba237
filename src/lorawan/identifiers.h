// SPDX-License-Identifier: Apache-2.0
// EUIs, addresses and keys of LoRaWAN, as the specification orders their bytes in text: most significant
// first (on the air they travel the other way round).
#ifndef LORAWAN_IDENTIFIERS_H
#define LORAWAN_IDENTIFIERS_H

#include <stdbool.h>
#include <stdint.h>

struct eui64 {
    uint8_t bytes[8];
};

struct dev_addr {
    uint8_t bytes[4];
};

struct net_id {
    uint8_t bytes[3];
};

// An AES-128 key. Whoever holds one wipes it with key128_wipe.
struct key128 {
    uint8_t bytes[16];
};

// Bytes of each.
enum { EUI64_BYTES = 8, DEV_ADDR_BYTES = 4, KEY128_BYTES = 16 };

// Room for the text of each, with its NUL.
enum {
    EUI64_TEXT_SIZE = 8 * 2 + 1,
    DEV_ADDR_TEXT_SIZE = 4 * 2 + 1,
    NET_ID_TEXT_SIZE = 3 * 2 + 1,
    KEY128_TEXT_SIZE = 16 * 2 + 1,
};

// True if all bytes are zero, which stands for "none" in most networks.
bool eui64_is_zero(const struct eui64 *eui);
bool dev_addr_is_zero(const struct dev_addr *address);
bool net_id_is_zero(const struct net_id *id);
bool key128_is_zero(const struct key128 *key);

// True if both are the same. Keys are compared in constant time.
bool eui64_equal(const struct eui64 *a, const struct eui64 *b);
bool key128_equal(const struct key128 *a, const struct key128 *b);

// Reads exactly the right number of hex digits of any case. EUIs may also be written with a `-` or `:`
// between all of their bytes. False, and *ret untouched, if `text` is anything else.
bool eui64_parse(const char *text, struct eui64 *ret);
bool dev_addr_parse(const char *text, struct dev_addr *ret);
bool net_id_parse(const char *text, struct net_id *ret);
bool key128_parse(const char *text, struct key128 *ret);

// Writes upper-case hex with a NUL and returns `text`.
char *eui64_format(const struct eui64 *eui, char text[static EUI64_TEXT_SIZE]);
char *dev_addr_format(const struct dev_addr *address, char text[static DEV_ADDR_TEXT_SIZE]);
char *net_id_format(const struct net_id *id, char text[static NET_ID_TEXT_SIZE]);

// The same for a key. The text is as secret as the key: it goes nowhere but to a peer or an output that is
// meant to hold keys, and is wiped afterwards.
char *key128_reveal(const struct key128 *key, char text[static KEY128_TEXT_SIZE]);

// Overwrites a key; accepts NULL.
void key128_wipe(struct key128 *key);

#define KEY128_AUTO __attribute__((cleanup(key128_wipe))) struct key128

#endif
