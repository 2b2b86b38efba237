// SPDX-License-Identifier: Apache-2.0
// Versions of the LoRaWAN MAC and of the regional parameters (PHY), with the numbers and names of The
// Things Stack's public API.
#ifndef LORAWAN_VERSIONS_H
#define LORAWAN_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>

// X(name, number, what a person reads)
#define MAC_VERSIONS(X)       \
    X(MAC_V1_0, 1, "1.0.0")   \
    X(MAC_V1_0_1, 2, "1.0.1") \
    X(MAC_V1_0_2, 3, "1.0.2") \
    X(MAC_V1_1, 4, "1.1.0")   \
    X(MAC_V1_0_3, 5, "1.0.3") \
    X(MAC_V1_0_4, 6, "1.0.4")

// The numbers are not in the order of the versions: compare with mac_version_compare.
enum mac_version {
    MAC_UNKNOWN = 0,
#define X(name, number, text) name = number,
    MAC_VERSIONS(X)
#undef X
        MAC_VERSION_COUNT  // one more than the greatest number
};

// X(name, number, what a person reads, another name of the same number or NULL)
#define PHY_VERSIONS(X)                                         \
    X(PHY_V1_0, 1, "1.0.0", "TS001_V1_0")                       \
    X(PHY_V1_0_1, 2, "1.0.1", "TS001_V1_0_1")                   \
    X(PHY_V1_0_2_REV_A, 3, "1.0.2 rev A", "RP001_V1_0_2")       \
    X(PHY_V1_0_2_REV_B, 4, "1.0.2 rev B", "RP001_V1_0_2_REV_B") \
    X(PHY_V1_1_REV_A, 5, "1.1.0 rev A", "RP001_V1_1_REV_A")     \
    X(PHY_V1_1_REV_B, 6, "1.1.0 rev B", "RP001_V1_1_REV_B")     \
    X(PHY_V1_0_3_REV_A, 7, "1.0.3 rev A", "RP001_V1_0_3_REV_A") \
    X(RP002_V1_0_0, 8, "RP002-1.0.0", NULL)                     \
    X(RP002_V1_0_1, 9, "RP002-1.0.1", NULL)                     \
    X(RP002_V1_0_2, 10, "RP002-1.0.2", NULL)                    \
    X(RP002_V1_0_3, 11, "RP002-1.0.3", NULL)                    \
    X(RP002_V1_0_4, 12, "RP002-1.0.4", NULL)

enum phy_version {
    PHY_UNKNOWN = 0,
#define X(name, number, text, alias) name = number,
    PHY_VERSIONS(X)
#undef X
        PHY_VERSION_COUNT  // one more than the greatest number
};

// The name in The Things Stack's API ("MAC_V1_0_3", "PHY_V1_0_2_REV_B"), "MAC_UNKNOWN" or "PHY_UNKNOWN" for
// 0; NULL for a number without a name.
const char *mac_version_name(enum mac_version version);
const char *phy_version_name(enum phy_version version);

// What a person reads ("1.0.2 rev B"); "unknown" for 0 and for numbers without a name.
const char *mac_version_text(enum mac_version version);
const char *phy_version_text(enum phy_version version);

// Reads a name, an alias or a short form, whatever the case: `MAC_V1_0_3`, `V1_0_3`, `1.0.3`;
// `PHY_V1_0_2_REV_B`, `RP001_V1_0_2_REV_B`, `V1_0_2_REV_B`, `1.0.2-b`, `1.0.2b`, `1.0.2 rev B`,
// `RP002_V1_0_3`, `RP002-1.0.3`. A revision may be left out where the version has only one (1.0.3), and of
// 1.0.2 it is A, as in The Things Stack. False, and *ret untouched, if it is none of them; "unknown" is
// none of them either.
bool mac_version_parse(const char *text, enum mac_version *ret);
bool phy_version_parse(const char *text, enum phy_version *ret);

// Less than, equal to or greater than 0, as `a` is an older, the same or a newer version than `b`.
int mac_version_compare(enum mac_version a, enum mac_version b);

#endif
